//! By what way a node is asked.

use std::sync::Arc;

use anyhow::{Context, bail};
use verify_engine::{
    record,
    session::auto_via,
    transport::{Local, Replay, Transport},
};
use verify_model::node::{NodeFile, Via};

use crate::place;

/// Builds the transport for a node.
///
/// *Errors*: the way is unknown, not possible yet, or the recorded run cannot be replayed.
pub(crate) fn transport(
    way: &str,
    node: &NodeFile,
    run_id: &str,
) -> anyhow::Result<Arc<dyn Transport>> {
    if let Some(run) = way.strip_prefix("replay:") {
        return replay(run, &node.name);
    }
    let via = match way {
        "local" => Via::Local,
        "ssh" => Via::Ssh(node.ssh.clone().unwrap_or_else(|| node.name.clone())),
        "auto" => auto_via(
            &node.hostnames,
            node.ssh.as_deref(),
            &place::hostname(),
            &place::ssh_aliases(),
        ),
        other => bail!("unknown way `{other}`: --via takes `auto`, `local`, `ssh` or `replay:RUN`"),
    };
    match via {
        Via::Local => {
            let this = std::env::current_exe().context("this program does not know where it is")?;
            Ok(Arc::new(Local::new(run_id).with_instruments(this)))
        }
        Via::Ssh(alias) => bail!(
            "node {} would be asked by ssh ({alias}), which this version cannot do yet; run verify on that machine, or ask this one with --via local",
            node.name
        ),
        Via::Replay(run) => replay(&run, &node.name),
    }
}

fn replay(name: &str, node: &str) -> anyhow::Result<Arc<dyn Transport>> {
    let path = place::store()?.find(name)?;
    let run = record::read_whole(&path).context("cannot replay")?;
    if !run.nodes.iter().any(|n| n.file.name == node) {
        let names: Vec<&str> = run.nodes.iter().map(|n| n.file.name.as_str()).collect();
        bail!(
            "run {} did not ask node {node}, but {}; choose one with --node",
            run.header.id,
            names.join(", ")
        );
    }
    Ok(Arc::new(Replay::new(run.header.id.clone(), node, &run.evidence)))
}
