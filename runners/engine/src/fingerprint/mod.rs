//! What a machine is made of: what to ask for it, and how the answers are read.
//!
//! A core comes from the facts and two files more, whatever is planned. Of the rest only those groups
//! are gathered on which a planned probe depends, and by the probes that exist, so that a fingerprint
//! says what a check says. Pure; when it is gathered is the session's matter.

mod core;
mod device;
mod network;
mod page;
mod software;

use std::collections::BTreeSet;

use verify_model::{
    ask::Ask,
    check::{Check, Params},
    evidence::Evidence,
    fingerprint::{Fingerprint, group},
    node::{Facts, NodeFile},
    observation::Observation,
};

pub use self::core::asks as core;
use self::page::Page;
use crate::{probe::With, probes};

/// Bounds a single ask: nobody waits long for what is only good to know. *Units*: ms.
const LIMIT_MS: u64 = 10_000;

/// Says by what way it is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Our instruments are at hand, and an exchange costs little.
    Near,
    /// All goes in one exchange, and by programs of the node.
    Far,
    /// Whichever of the two was recorded.
    Recorded,
}

/// Holds what planned checks depend on.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    groups: BTreeSet<&'static str>,
    /// Compilers, as checks name them.
    compilers: BTreeSet<String>,
    /// Interfaces at this end of cables.
    interfaces: BTreeSet<String>,
}

impl Wanted {
    /// Collects what checks of a node depend on.
    pub fn of<'c>(checks: impl IntoIterator<Item = &'c Check>, file: &NodeFile) -> Self {
        let mut wanted = Self::default();
        for check in checks {
            let depends = probes::find(&check.probe).map_or(&[][..], |probe| probe.spec().depends);
            wanted.groups.extend(depends.iter().map(|depends| depends.group));
            if depends.iter().any(|depends| depends.group == "compiler") {
                wanted.compilers.extend(With(&check.with).text("compiler").map(str::to_owned));
            }
        }
        // A waiver that names hardware must find it, whatever else is planned.
        let named = file.waivers.iter().flat_map(|waiver| waiver.only.keys());
        wanted.groups.extend(named.filter_map(|path| Some(group(path)?.name)));
        let own = file.links.iter().filter_map(|link| link.ends[0].interface.clone());
        wanted.interfaces = own.collect();
        wanted
    }

    fn has(&self, group: &str) -> bool {
        self.groups.contains(group)
    }

    /// Lists the single tools.
    fn tools(&self) -> impl Iterator<Item = &'static str> {
        self.groups.iter().filter_map(|group| group.strip_prefix("tool."))
    }
}

/// Returns what to gather beyond the facts and the core, each once; `facts` are those that are known.
pub fn asks(wanted: &Wanted, facts: &Facts, way: Way) -> Vec<Ask> {
    let all = device::asks(wanted, facts, way)
        .into_iter()
        .chain(network::asks(wanted))
        .chain(software::asks(wanted, facts));
    let mut seen = BTreeSet::new();
    all.map(|ask| ask.limited_to(LIMIT_MS)).filter(|ask| seen.insert(ask.clone())).collect()
}

/// Reads what was gathered, in any order; nothing is said of what is not wanted, but for the core.
pub fn read(wanted: &Wanted, facts: &Facts, evidence: &[&Evidence]) -> Fingerprint {
    let mut page = Page::default();
    core::read(&mut page, facts, evidence);
    device::read(&mut page, wanted, facts, evidence);
    network::read(&mut page, wanted, facts, evidence);
    software::read(&mut page, wanted, facts, evidence);
    page.print()
}

/// Returns what is asked, however long an answer may take.
pub fn question(ask: &Ask) -> Ask {
    ask.clone().limited_to(0)
}

/// Returns what a probe asks, under these parameters.
fn asks_of(probe: &str, with: &Params, facts: &Facts) -> Vec<Ask> {
    let asks = probes::find(probe).and_then(|probe| probe.asks(With(with), facts).ok());
    asks.unwrap_or_default()
}

/// Returns what a probe reads from what it asks; `None` where it reads nothing.
fn read_by(
    probe: &str,
    with: &Params,
    facts: &Facts,
    evidence: &[&Evidence],
) -> Option<Observation> {
    let asks: Vec<Ask> = asks_of(probe, with, facts).iter().map(question).collect();
    let piece = |ask: &Ask| evidence.iter().copied().find(|piece| question(&piece.ask) == *ask);
    let own: Vec<&Evidence> = asks.iter().filter_map(piece).collect();
    probes::find(probe)?.read(With(with), &own).ok()
}
