//! Where the pools of huge pages are other than the command line asks, by size and NUMA node.
//!
//! The kernel takes what it gets and boots on. A pool that is larger than asked for was made so
//! later, which is no contradiction.

use std::collections::BTreeMap;

use verify_model::value::Value;

use crate::{
    boot::{Boot, Disagreements},
    gathered::reason,
    parse::{
        cmdline::Cmdline,
        hugepage_request::{HugepageRequest, Pages, size_text},
        kernel_log::Line,
    },
};

/// Parameters that this is about.
const NAMES: [&str; 3] = ["hugepages", "hugepagesz", "default_hugepagesz"];
/// What the kernel writes about parameters that it did not follow.
const SAID: [&str; 6] = [
    "specified twice",
    "unsupported hugepagesz",
    "unsupported default_hugepagesz",
    "Invalid hugepages parameter",
    "Only allocated",
    "node-specific",
];

/// Holds one pool: pages in all and by node, or why that is not known.
pub(super) struct Pool {
    pub(super) total: Value,
    pub(super) nodes: Result<BTreeMap<u32, u64>, Value>,
}

/// Finds what disagrees; `pool` gives the pool of a size. *Units*: KiB.
pub(super) fn disagreements(
    text: &str,
    boot: &Boot,
    log: &[Line],
    default_kib: Option<u64>,
    pool: &dyn Fn(u64) -> Pool,
) -> Value {
    let line = Cmdline::parse(text);
    let mut found = Disagreements::default();
    found.stages(boot, &line, &|line| HugepageRequest::parse(line, default_kib).to_string());
    found.words(text, &NAMES, log);
    let request = HugepageRequest::parse(&line, default_kib);
    for ignored in &request.ignored {
        let action = "leave one count for each size on the kernel command line and reboot";
        found.add("ignored", ignored, action);
    }
    if let (Some(asked), Some(in_effect)) = (request.default_kib, default_kib)
        && asked != in_effect
    {
        let what = format!(
            "default_hugepagesz is {}, in effect is {}",
            size_text(asked),
            size_text(in_effect)
        );
        found.add("default-size", &what, "name a size that the CPU has and reboot");
    }
    for (kib, pages) in &request.pages {
        let kib = if *kib == 0 { default_kib.unwrap_or(0) } else { *kib };
        if pages.total() > 0 {
            held(&mut found, kib, pages, &pool(kib));
        }
    }
    for line in log.iter().filter(|line| line.text.starts_with("HugeTLB:")) {
        let action = "ask for what the machine can give, each size once, and reboot";
        found.said(std::slice::from_ref(line), &SAID, action);
    }
    found.value()
}

fn held(found: &mut Disagreements, kib: u64, asked: &Pages, pool: &Pool) {
    let size = size_text(kib);
    let total = asked.total();
    match &pool.total {
        Value::Absent(how) => {
            let what = format!("booted asks for {total} pages of {size}: {how}");
            let action = "use a CPU (or a virtual CPU) and kernel that have this size";
            return found.add("unsupported", &what, action);
        }
        Value::Integer(pages) => {
            let pages = u64::try_from(*pages).unwrap_or(0);
            if pages < total {
                let what = format!("booted asks for {total} pages of {size}, the pool has {pages}");
                let action = "add memory or ask for less; if the pool was made smaller later, look \
                              for nr_hugepages in /etc/sysctl.d";
                found.add("fewer", &what, action);
            }
        }
        why => found.cannot_tell(&reason(why.clone())),
    }
    match &pool.nodes {
        Ok(nodes) => by_node(found, &size, asked, nodes),
        Err(Value::Unreadable(why)) => found.cannot_tell(why),
        // A kernel without NUMA has no nodes, and none were asked for one by one.
        Err(_) if matches!(asked, Pages::Total(_)) => {}
        Err(why) => found.add(
            "node",
            &format!("booted asks for pages of {size} by node; {why}"),
            "ask for pages without naming nodes and reboot",
        ),
    }
}

fn by_node(found: &mut Disagreements, size: &str, asked: &Pages, nodes: &BTreeMap<u32, u64>) {
    let Pages::PerNode(asked) = asked else {
        let (Some(least), Some(most)) = (nodes.values().min(), nodes.values().max()) else {
            return;
        };
        // The kernel deals them out in turn; a node that is short of memory is passed over.
        if most - least > 1 {
            let each: Vec<String> =
                nodes.iter().map(|(node, pages)| format!("{node}:{pages}")).collect();
            let what =
                format!("pages of {size} are spread unevenly over the nodes: {}", each.join(","));
            let action = "name the nodes, as in hugepages=0:N,1:N, if each one needs its share";
            found.add("uneven", &what, action);
        }
        return;
    };
    for (node, wanted) in asked {
        let has = nodes.get(node).copied();
        if has.is_none_or(|has| has < *wanted) {
            let has = has
                .map_or_else(|| "there is no such node".to_owned(), |has| format!("it has {has}"));
            let what = format!("booted asks for {wanted} pages of {size} on node {node}, {has}");
            found.add(
                "node",
                &what,
                "name the nodes that are there and have the memory, and reboot",
            );
        }
    }
}
