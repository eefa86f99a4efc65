//! What the answers of a run say of one machine: cpus, cards, links, network.
//!
//! Only what was observed stands here; what nobody said is `None`, and never a guess. A link is broken
//! where a demand on it was missed, whatever the demand was.

use verify_model::{
    cpu_set::CpuSet,
    observation::Observation,
    outcome::Outcome,
    quantity::Quantity,
    run::{Run, RunCheck},
    value::Value,
    verdict::Role,
};

use super::source::{found, list, quantity, text, whole};

/// Holds the answers of one node.
pub(super) struct Machine<'r> {
    answers: Vec<(&'r RunCheck, &'r Observation)>,
    /// Whether a scenario answered.
    pub(super) simulated: bool,
}

/// Holds one card.
pub(super) struct Card {
    pub(super) name: Option<String>,
    pub(super) memory: Option<Quantity>,
    /// Generation and lanes of its slot, and how that was seen.
    pub(super) slot: Option<(u32, u32, &'static str)>,
    bus: Option<String>,
    remote: Vec<String>,
    version: Option<String>,
}

/// Holds what joins two cards.
pub(super) struct Bridge {
    pub(super) ends: (usize, usize),
    pub(super) links: usize,
    /// Rate of one direction, where the version of the links is known. *Units*: GB/s.
    pub(super) physical: Option<f64>,
}

/// Rate of one lane and direction after encoding, by generation. *Units*: GB/s.
/// *Source*: PCI Express base specification: 8b/10b up to 2, then 128b/130b.
const LANES: [(u32, f64); 5] = [(1, 0.25), (2, 0.5), (3, 0.9846), (4, 1.9692), (5, 3.9385)];
/// Rate of one link and direction, by version. *Units*: GB/s. *Source*: open-mpi/hwloc#574.
const BRIDGES: [(&str, f64); 1] = [("3.1", 14.0625)];

/// Returns what a slot carries in one direction. *Units*: GB/s.
pub(super) fn physical(generation: u32, lanes: u32) -> Option<f64> {
    let (_, rate) = LANES.iter().find(|(known, _)| *known == generation)?;
    Some(rate * f64::from(lanes))
}

impl<'r> Machine<'r> {
    /// Gathers the answers of a node.
    pub(super) fn of(run: &'r Run, node: &str) -> Self {
        let own = run.checks.iter().filter(|check| check.planned.node == node);
        let answers: Vec<_> =
            own.filter_map(|check| Some((check, found(check)?.last()?))).collect();
        let simulated = answers.iter().any(|(_, found)| found.simulated.is_some());
        Self { answers, simulated }
    }

    fn of_probe(&self, probe: &str) -> impl Iterator<Item = (&'r RunCheck, &'r Observation)> {
        let own = |(check, _): &&(&RunCheck, &Observation)| check.planned.check.probe == probe;
        self.answers.iter().filter(own).copied().collect::<Vec<_>>().into_iter()
    }

    /// Returns what a probe says at a path, where it says something.
    pub(super) fn value(&self, probe: &str, path: &str) -> Option<Value> {
        let said = self.of_probe(probe).map(|(_, found)| found.resolve(path));
        said.into_iter().find(|value| value.is_present() && value.unreadable().is_none())
    }

    /// Returns the set of cpus that a probe says.
    pub(super) fn cpus(&self, probe: &str, path: &str) -> Option<CpuSet> {
        if let Some(Value::Cpus(cpus)) = self.value(probe, path) { Some(cpus) } else { None }
    }

    /// Returns the sets of cpus that a probe lists.
    pub(super) fn sets(&self, probe: &str, path: &str) -> Vec<CpuSet> {
        let value = self.value(probe, path).unwrap_or(Value::List(Vec::new()));
        let set = |item: &Value| if let Value::Cpus(set) = item { Some(set.clone()) } else { None };
        list(&value).iter().filter_map(set).collect()
    }

    /// Returns a text that a probe says.
    pub(super) fn text(&self, probe: &str, path: &str) -> Option<String> {
        text(&self.value(probe, path)?).map(str::to_owned)
    }

    /// Returns a whole number that a probe says.
    pub(super) fn whole(&self, probe: &str, path: &str) -> Option<u32> {
        whole(&self.value(probe, path)?)
    }

    /// Returns a quantity or the median of a metric that a probe says.
    pub(super) fn quantity(&self, probe: &str, path: &str) -> Option<Quantity> {
        quantity(&self.value(probe, path)?)
    }

    /// Names the check that missed a demand on one of the fields.
    pub(super) fn missed(&self, probe: &str, fields: &[&str]) -> Option<&'r str> {
        let is_bad = |check: &RunCheck| {
            check.verdict.outcome == Outcome::Fail
                && check.verdict.readings.iter().any(|reading| {
                    reading.role == Role::Expect
                        && reading.held == Some(false)
                        && fields.iter().any(|field| reading.field.starts_with(field))
                })
        };
        let mut own = self.of_probe(probe).map(|(check, _)| check);
        own.find(|check| is_bad(check)).map(|check| check.planned.check.id.as_str())
    }

    /// Returns the answers about links to other nodes.
    pub(super) fn links(&self) -> impl Iterator<Item = (&'r RunCheck, &'r Observation)> {
        self.of_probe("iperf3")
    }

    /// Lists the cards.
    pub(super) fn cards(&self) -> Vec<Card> {
        let idle = self.value("nvml", "gpus");
        let loaded = self.value("cuda", "loaded");
        let of =
            |value: &Option<Value>| value.as_ref().map(|v| list(v).to_vec()).unwrap_or_default();
        let (idle, loaded) = (of(&idle), of(&loaded));
        let count = idle.len().max(loaded.len());
        (0..count).map(|at| card(idle.get(at), loaded.get(at))).collect()
    }
}

/// Lists the pairs of cards that active links join.
pub(super) fn bridges(cards: &[Card]) -> Vec<Bridge> {
    let mut bridges = Vec::new();
    for (one, card) in cards.iter().enumerate() {
        for (other, peer) in cards.iter().enumerate().skip(one + 1) {
            let Some(bus) = &peer.bus else { continue };
            let links = card.remote.iter().filter(|remote| *remote == bus).count();
            if links > 0 {
                let is_known = |known: &str| card.version.as_deref() == Some(known);
                let rate = BRIDGES.iter().find(|(known, _)| is_known(known));
                #[expect(clippy::cast_precision_loss, reason = "a few links")]
                let physical = rate.map(|(_, rate)| rate * links as f64);
                bridges.push(Bridge { ends: (one, other), links, physical });
            }
        }
    }
    bridges
}

fn card(idle: Option<&Value>, loaded: Option<&Value>) -> Card {
    let either = |path: &[&str]| {
        let both = [idle, loaded].into_iter().flatten();
        both.map(|value| value.at(path)).find(Value::is_present)
    };
    let says = |value: Option<&Value>, path: &[&str]| whole(&value?.at(path));
    let texts = |path: &[&str]| -> Vec<String> {
        let value = either(path).unwrap_or(Value::List(Vec::new()));
        list(&value).iter().filter_map(text).map(str::to_owned).collect()
    };
    let slot = |value, generation: &'static str, how| {
        let generation = says(value, &["pcie", generation])?;
        Some((generation, says(value, &["pcie", "width"])?, how))
    };
    let versions = texts(&["links-version"]);
    Card {
        name: either(&["name"]).as_ref().and_then(text).map(str::to_owned),
        memory: either(&["memory"]).as_ref().and_then(quantity),
        slot: slot(loaded, "generation", "under load")
            .or_else(|| slot(idle, "generation-max", "at most")),
        bus: either(&["bus-id"]).as_ref().and_then(text).map(str::to_owned),
        remote: texts(&["links-remote"]),
        version: versions.first().filter(|first| versions.iter().all(|v| v == *first)).cloned(),
    }
}
