//! Answers how much memory the machine has and how it is spread over NUMA nodes.
//!
//! The amounts of the nodes need not add up to that of the machine: with deferred initialisation
//! node 0 has shown half of `/proc/meminfo`. So both are given and neither is derived from the
//! other. Speed and modules of the memory are not known to the kernel and not answered here.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Cpus, Integer, List, Quantity as Amount},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    gathered::{Gathered, count, list},
    parse::{cpu_list, meminfo},
    probe::{Probe, ProbeSpec, With, failed, field},
};

pub(super) struct Memory;

const NODE_MEMORY: &str = "/sys/devices/system/node/node*/meminfo";
const NODE_CPUS: &str = "/sys/devices/system/node/node*/cpulist";

fn amount() -> FieldKind {
    Amount("KiB")
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "memory",
    summary: "How much memory the machine has, and how it is spread over NUMA nodes.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("total", amount, "MemTotal in /proc/meminfo", "Memory that the kernel can use."),
        field(
            "available",
            amount,
            "MemAvailable in /proc/meminfo",
            "Memory a new program may have.",
        ),
        field("swap-total", amount, "SwapTotal in /proc/meminfo", "Swap space."),
        field("swap-free", amount, "SwapFree in /proc/meminfo", "Swap space that is not used."),
        field("numa-nodes", || Integer, NODE_MEMORY, "Number of NUMA nodes."),
        field(
            "node-total",
            || List(Box::new(amount())),
            NODE_MEMORY,
            "Memory of each node, in the order of their numbers.",
        ),
        field(
            "node-cpus",
            || List(Box::new(Cpus)),
            NODE_CPUS,
            "Cpus of each node, in the order of their numbers; a node may have none.",
        ),
    ],
    example: r#"expect = { total = { at-least = "60 GiB" }, numa-nodes = 1 }"#,
};

impl Probe for Memory {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::file(meminfo::PATH), Ask::files(NODE_MEMORY), Ask::files(NODE_CPUS)])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let text = gathered.text(meminfo::PATH)?;
        let total = match meminfo::kib(text, "MemTotal") {
            Ok(Some(kib)) => meminfo::quantity(kib),
            Ok(None) => Err(format!("{} has no line `MemTotal`", meminfo::PATH)),
            Err(why) => Err(format!("{}: {why}", meminfo::PATH)),
        };
        let total = total.map_err(|why| failed(FindingCode::OutputUnreadable, why))?;
        let machine = |key: &str| meminfo::value(text, key).unwrap_or_else(Value::Unreadable);
        let nodes = gathered.numbered(NODE_MEMORY, "node");
        let cpus = gathered.numbered(NODE_CPUS, "node");
        Ok(Observation::default()
            .fact("total", total)
            .fact("available", machine("MemAvailable"))
            .fact("swap-total", machine("SwapTotal"))
            .fact("swap-free", machine("SwapFree"))
            .fact("numa-nodes", nodes.as_ref().map_or_else(unknown, |all| count(all.len())))
            .fact("node-total", nodes.map_or_else(|why| unknown(&why), |all| list(all, node_total)))
            .fact(
                "node-cpus",
                cpus.map_or_else(|why| unknown(&why), |all| list(all, cpu_list::list)),
            ))
    }
}

fn node_total(text: &str) -> Result<Value, String> {
    let kib = meminfo::kib(text, "MemTotal")?;
    meminfo::quantity(kib.ok_or("a node without a line `MemTotal`")?)
}

/// Says why nothing is known about nodes.
fn unknown(why: &Value) -> Value {
    match why {
        Value::Absent(how) => Value::Absent(format!("the kernel knows no NUMA nodes: {how}")),
        other => other.clone(),
    }
}
