//! One run from request to record: choose checks, ask nodes for facts, plan, execute.
//!
//! `choose` looks at files alone, so that whatever is wrong with a command is said before a node hears
//! of it. `ready` asks one node for its facts. `conduct` runs nodes side by side: none waits for
//! another one, and whatever they say reaches the record through one observer. How the pieces of a
//! record follow each other stands in [`verify_model::event`].

mod busy;
mod choose;
mod claim;
mod conduct;
mod look;
mod ready;
mod rounds;

use std::sync::Arc;

use verify_model::{
    node::{NodeFile, Via},
    run::Run,
};

pub use self::{
    choose::{Chosen, ChosenNode, choose, demand_known},
    claim::Claims,
    conduct::{execute, run},
    ready::{Prepared, PreparedNode, prepare},
};
use crate::{
    baseline::Shelf,
    load::{
        catalog::Catalog,
        diagnostic::{LoadError, did_you_mean},
    },
    plan::{Permissions, Selection},
    transport::{Factory, Transport},
};

/// Says what shall be asked of which nodes.
pub struct Request {
    /// Nodes with the way they are asked, in order.
    pub nodes: Vec<(String, Arc<dyn Transport>)>,
    /// How a node is asked that is only the other end of a link.
    pub peers: Option<Arc<Factory>>,
    /// Which checks.
    pub selection: Selection,
    /// What may be done.
    pub permissions: Permissions,
    /// How often every check is measured, whatever its suite says.
    pub repeat: Option<u32>,
    /// Whether what compares is measured until it is decided.
    pub until_decided: bool,
    /// Earlier runs whose sessions count beside this one.
    pub earlier: Vec<Run>,
    /// Where baselines stand; absent where there can be none.
    pub shelf: Option<Shelf>,
}

/// Finds a node file.
///
/// *Errors*: there is none of that name.
pub fn known_node<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c NodeFile, LoadError> {
    catalog.nodes.get(name).ok_or_else(|| {
        let known = catalog.nodes.keys().map(String::as_str);
        let hint = did_you_mean(name, known.clone()).map_or_else(
            || format!("nodes are: {}", known.collect::<Vec<_>>().join(", ")),
            |close| format!("did you mean `{close}`?"),
        );
        LoadError::general(format!("no node is named `{name}`; {hint}"))
    })
}

/// Says by what way a node is asked, when nobody said; `knows` tells whether ssh's configuration knows
/// an alias.
///
/// *Source*: architecture, "Which machine is `nvidia`?".
pub fn auto_via(
    hostnames: &[String],
    ssh: Option<&str>,
    this_host: &str,
    knows: impl Fn(&str) -> bool,
) -> Via {
    match ssh {
        Some(alias) if !is_host(hostnames, this_host) && knows(alias) => Via::Ssh(alias.to_owned()),
        _ => Via::Local,
    }
}

/// Tells whether a host is one of these, whatever the domain that is written behind its name.
pub fn is_host(hostnames: &[String], host: &str) -> bool {
    let short = |name: &str| name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    hostnames.iter().any(|name| short(name) == short(host))
}
