//! What the answers of a run say of one machine: cpus, cards, links, network.
//!
//! Only what was observed stands here; what nobody said is `None`, and never a guess. A part is marked
//! where it is known that it missed a demand; what is known of no part alone is said of all of them.

mod trouble;

use std::collections::BTreeSet;

use verify_model::{
    check::Expectation,
    cpu_set::CpuSet,
    matcher::{Literal, Matcher},
    observation::Observation,
    quantity::Quantity,
    run::{Run, RunCheck},
    value::Value,
    verdict::Role,
};

pub(super) use self::trouble::{LINE, Told, Trouble};
use super::source::{found, list, quantity, text, whole};

/// Holds the answers of one node.
pub(super) struct Machine<'r> {
    answers: Vec<(&'r RunCheck, &'r Observation)>,
    troubles: Vec<Trouble<'r>>,
    checks: Vec<&'r RunCheck>,
    /// Whether a scenario answered.
    pub(super) simulated: bool,
}

/// Names the checks that are about a part of the machine.
pub(super) struct Part {
    /// Group of their ids, with the slash.
    pub(super) group: &'static str,
    /// Their probes, whatever the id.
    pub(super) probes: &'static [&'static str],
}

/// Says which of several parts missed a demand.
pub(super) struct Culprits {
    parts: BTreeSet<usize>,
    /// Whether a demand was missed of which nobody knows by which part.
    pub(super) others: bool,
}

impl Culprits {
    /// Says which of so many parts missed the demands on the fields, as far as that is known.
    pub(super) fn of(misses: &[Trouble<'_>], fields: &[&str], number: usize) -> Self {
        let mut culprits = Self { parts: BTreeSet::new(), others: false };
        for check in misses.iter().map(|one| one.check) {
            for field in missed_fields(check).filter(|field| is_of(field, fields)) {
                let own =
                    if number == 1 { BTreeSet::from([0]) } else { elements(check, field, number) };
                culprits.others |= own.is_empty();
                culprits.parts.extend(own);
            }
        }
        culprits
    }

    /// Tells whether a part is known to have missed a demand.
    pub(super) fn has(&self, part: usize) -> bool {
        self.parts.contains(&part)
    }
}

/// Holds one card.
pub(super) struct Card {
    /// Number that the driver gives it.
    pub(super) number: usize,
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
        let checks: Vec<&RunCheck> =
            run.checks.iter().filter(|check| check.planned.node == node).collect();
        let answers: Vec<_> =
            checks.iter().filter_map(|check| Some((*check, found(check)?.last()?))).collect();
        let troubles = checks.iter().filter_map(|check| Trouble::of(run, check)).collect();
        let simulated = answers.iter().any(|(_, found)| found.simulated.is_some());
        Self { answers, troubles, checks, simulated }
    }

    /// Lists what did not come out well of the checks of a part; not what only waits for others.
    pub(super) fn troubles(&self, part: &Part) -> Vec<Trouble<'r>> {
        let is_own = |trouble: &&Trouble<'_>| {
            let check = &trouble.check.planned.check;
            check.id.starts_with(part.group) || part.probes.contains(&check.probe.as_str())
        };
        self.troubles.iter().filter(is_own).filter(|one| !one.waits()).copied().collect()
    }

    /// Says what is wrong with one check.
    pub(super) fn trouble(&self, check: &RunCheck) -> Option<Trouble<'r>> {
        self.troubles.iter().find(|one| std::ptr::eq(one.check, check)).copied()
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

    /// Lists the checks that missed a demand on one of the fields.
    pub(super) fn missed(&self, probe: &str, fields: &[&str]) -> Vec<Trouble<'r>> {
        let is_own = |one: &&Trouble<'_>| {
            one.is_miss()
                && one.check.planned.check.probe == probe
                && missed_fields(one.check).any(|field| is_of(field, fields))
        };
        self.troubles.iter().filter(is_own).copied().collect()
    }

    /// Returns how many cards a missed demand wants beyond those that were seen.
    pub(super) fn missing_cards(&self, seen: usize) -> usize {
        let counts = ["count", "opened"];
        let of = |probe| self.missed(probe, &counts);
        let wanted = of("nvml").into_iter().chain(of("cuda")).flat_map(|miss| {
            let demands = &miss.check.planned.check.expect;
            missed_fields(miss.check)
                .filter(|field| counts.contains(field))
                .flat_map(|field| demands.iter().filter(move |demand| demand.field == field))
                .flat_map(|demand| &demand.matchers)
                .filter_map(whole_demand)
        });
        wanted.max().unwrap_or(0).saturating_sub(seen)
    }

    /// Lists the checks of a probe, with what they saw last.
    pub(super) fn checks(
        &self,
        probe: &str,
    ) -> impl Iterator<Item = (&'r RunCheck, Option<&'r Observation>)> {
        let own = self.checks.iter().filter(move |check| check.planned.check.probe == probe);
        own.map(|check| (*check, found(check).and_then(|found| found.last())))
    }

    /// Lists the cards.
    pub(super) fn cards(&self) -> Vec<Card> {
        let idle = self.value("nvml", "gpus");
        let loaded = self.value("cuda", "loaded");
        let of =
            |value: &Option<Value>| value.as_ref().map(|v| list(v).to_vec()).unwrap_or_default();
        let (idle, loaded) = (of(&idle), of(&loaded));
        let count = idle.len().max(loaded.len());
        (0..count).map(|at| card(at, idle.get(at), loaded.get(at))).collect()
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

/// Lists the fields on which a check missed a demand.
fn missed_fields(check: &RunCheck) -> impl Iterator<Item = &str> {
    let missed = check.verdict.readings.iter();
    missed
        .filter(|reading| reading.role == Role::Expect && reading.held == Some(false))
        .map(|reading| reading.field.as_str())
}

fn is_of(field: &str, fields: &[&str]) -> bool {
    fields.iter().any(|one| field.starts_with(one))
}

/// Lists the elements of a field that miss what is demanded of every one; none where that is not known.
fn elements(check: &RunCheck, field: &str, number: usize) -> BTreeSet<usize> {
    let demands = check.planned.check.expect.iter().filter(|demand| demand.field == field);
    let every = |demand: &Expectation| {
        let every = |matcher: &&Matcher| matches!(matcher, Matcher::Every(_));
        demand.matchers.iter().filter(every).cloned().collect::<Vec<_>>()
    };
    let every: Vec<Matcher> = demands.flat_map(every).collect();
    let attempts = found(check).map(|found| found.attempts).unwrap_or_default();
    let mut missing = BTreeSet::new();
    for (_, observation) in attempts {
        let value = observation.resolve(field);
        let items = list(&value);
        if items.len() != number {
            continue;
        }
        for (at, item) in items.iter().enumerate() {
            let alone = Value::List(vec![item.clone()]);
            if every.iter().any(|matcher| matcher.meet(&alone) == Ok(false)) {
                missing.insert(at);
            }
        }
    }
    missing
}

/// Reads how many are demanded.
fn whole_demand(matcher: &Matcher) -> Option<usize> {
    match matcher {
        Matcher::Is(Literal::Integer(number)) => usize::try_from(*number).ok(),
        _ => None,
    }
}

fn card(at: usize, idle: Option<&Value>, loaded: Option<&Value>) -> Card {
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
    let number = either(&["index"]).as_ref().and_then(whole);
    Card {
        number: number.and_then(|number| usize::try_from(number).ok()).unwrap_or(at),
        name: either(&["name"]).as_ref().and_then(text).map(str::to_owned),
        memory: either(&["memory"]).as_ref().and_then(quantity),
        slot: slot(loaded, "generation", "under load")
            .or_else(|| slot(idle, "generation-max", "at most")),
        bus: either(&["bus-id"]).as_ref().and_then(text).map(str::to_owned),
        remote: texts(&["links-remote"]),
        version: versions.first().filter(|first| versions.iter().all(|v| v == *first)).cloned(),
    }
}
