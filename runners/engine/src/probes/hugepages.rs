//! Answers which huge pages were meant, asked for at boot, and are held, by size and NUMA node.
//!
//! Counts come from sysfs: `HugePages_*` in `/proc/meminfo` is about the default size only. The
//! kernel takes what it gets and does not fail, so `disagreements` compares the boot loader's
//! configuration, the command line and the pools. Whether a program can map a page is not
//! answered here.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Integer, List, Quantity as Amount, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use super::journal;
use crate::{
    boot::{self, Stage},
    gathered::Gathered,
    parse::{
        cmdline::{self, Cmdline},
        meminfo,
    },
    probe::{Probe, ProbeSpec, With, field},
};

mod effect;

use effect::Pool;

pub(super) struct Hugepages;

const TOTAL: &str = "/sys/kernel/mm/hugepages/*/nr_hugepages";
const FREE: &str = "/sys/kernel/mm/hugepages/*/free_hugepages";
const RESERVED: &str = "/sys/kernel/mm/hugepages/*/resv_hugepages";
const SURPLUS: &str = "/sys/kernel/mm/hugepages/*/surplus_hugepages";
const PER_NODE: &str = "/sys/devices/system/node/*/hugepages/*/nr_hugepages";
const THP: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// *Units*: KiB.
const SIZE_2M: u64 = 2048;
/// *Units*: KiB.
const SIZE_1G: u64 = 1024 * 1024;

fn amount() -> FieldKind {
    Amount("KiB")
}

fn integers() -> FieldKind {
    List(Box::new(Integer))
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "hugepages",
    summary: "Which huge pages the kernel holds, of each size and on each NUMA node.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("default-size", amount, "Hugepagesize in /proc/meminfo", "Size used unless named."),
        field("sizes", || List(Box::new(amount())), TOTAL, "Sizes that the kernel offers."),
        field("size-2m.total", || Integer, TOTAL, "Pages of 2 MiB in the pool."),
        field("size-2m.free", || Integer, FREE, "Pages of 2 MiB that no one has touched."),
        field("size-2m.reserved", || Integer, RESERVED, "Free pages of 2 MiB that are promised."),
        field("size-2m.surplus", || Integer, SURPLUS, "Pages of 2 MiB beyond the pool."),
        field("size-2m.per-node", integers, PER_NODE, "Pages of 2 MiB on each node, by number."),
        field("size-1g.total", || Integer, TOTAL, "Pages of 1 GiB in the pool."),
        field("size-1g.free", || Integer, FREE, "Pages of 1 GiB that no one has touched."),
        field("size-1g.reserved", || Integer, RESERVED, "Free pages of 1 GiB that are promised."),
        field("size-1g.surplus", || Integer, SURPLUS, "Pages of 1 GiB beyond the pool."),
        field("size-1g.per-node", integers, PER_NODE, "Pages of 1 GiB on each node, by number."),
        field(
            "booted",
            || List(Box::new(Text)),
            cmdline::PATH,
            "Parameters about huge pages on the kernel command line, in order.",
        ),
        field("boot-loader", || Text, "its files", "`grub`, `systemd-boot` or `kernel-install`."),
        field(
            "intended",
            || List(Box::new(Text)),
            "/etc/default/grub with grub.d, or /etc/kernel/cmdline",
            "Parameters about huge pages as configured, in order.",
        ),
        field(
            "generated",
            || List(Box::new(Text)),
            "the default entry in grub.cfg, or loader/entries",
            "Parameters about huge pages of the next boot, in order.",
        ),
        field(
            "disagreements",
            || List(Box::new(Text)),
            "boot loader, /proc/cmdline, sysfs and kernel log",
            "`kind: what; do: action` of each difference; empty if all was compared and agrees.",
        ),
        field("thp", || Text, THP, "Transparent huge pages: `always`, `madvise` or `never`."),
    ],
    example: r#"expect = { "size-1g.total" = { at-least = 8 }, thp = "never" }"#,
};

impl Probe for Hugepages {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let files = [meminfo::PATH, cmdline::PATH, THP].map(Ask::file);
        let patterns = [TOTAL, FREE, RESERVED, SURPLUS, PER_NODE].map(Ask::files);
        let files = files.into_iter().chain(patterns);
        Ok(files.chain(boot::asks()).chain(journal::readers()).collect())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let text = gathered.text(cmdline::PATH);
        let now = Cmdline::parse(text.as_ref().map_or("", |text| text));
        let boot = boot::read(gathered, &now);
        let asked = |stage: &Stage| stage.value(booted);
        let disagreements = match text {
            Ok(text) => compared(gathered, evidence, text, &boot),
            Err(error) => Value::Unreadable(error.message),
        };
        Ok(Observation::default()
            .fact("boot-loader", boot.loader.clone())
            .fact("intended", asked(&boot.written))
            .fact("generated", asked(&boot.generated))
            .fact("disagreements", disagreements)
            .fact("default-size", gathered.value(meminfo::PATH, default_size))
            .fact("sizes", sizes(gathered))
            .fact("size-2m", pool(gathered, SIZE_2M))
            .fact("size-1g", pool(gathered, SIZE_1G))
            .fact("booted", gathered.value(cmdline::PATH, |text| Ok(booted(&Cmdline::parse(text)))))
            .fact("thp", gathered.value(THP, chosen)))
    }
}

fn default_size(text: &str) -> Result<Value, String> {
    match meminfo::kib(text, "Hugepagesize")? {
        Some(kib) => meminfo::quantity(kib),
        None if text.contains("MemTotal:") => {
            Ok(Value::Absent("the kernel is built without huge pages".to_owned()))
        }
        None => Err(format!("{} is not as expected", meminfo::PATH)),
    }
}

fn sizes(gathered: Gathered<'_>) -> Value {
    let files = match gathered.files(TOTAL) {
        Ok(files) => files,
        Err(why) => return nothing(why),
    };
    let mut offered: Vec<u64> = files.iter().filter_map(|(path, _)| size_in(path)).collect();
    offered.sort_unstable();
    let offered: Result<Vec<Value>, String> = offered.into_iter().map(meminfo::quantity).collect();
    offered.map_or_else(Value::Unreadable, Value::List)
}

fn pool(gathered: Gathered<'_>, kib: u64) -> Value {
    Value::record([
        ("total", pages(gathered, TOTAL, kib)),
        ("free", pages(gathered, FREE, kib)),
        ("reserved", pages(gathered, RESERVED, kib)),
        ("surplus", pages(gathered, SURPLUS, kib)),
        ("per-node", per_node(gathered, kib)),
    ])
}

fn pages(gathered: Gathered<'_>, pattern: &str, kib: u64) -> Value {
    let files = match gathered.files(pattern) {
        Ok(files) => files,
        Err(why) => return nothing(why),
    };
    match files.into_iter().find(|(path, _)| size_in(path) == Some(kib)) {
        Some((_, text)) => text.and_then(number).unwrap_or_else(Value::Unreadable),
        None => not_offered(kib),
    }
}

fn per_node(gathered: Gathered<'_>, kib: u64) -> Value {
    match nodes(gathered, kib) {
        Ok(nodes) => {
            Value::List(nodes.into_iter().map(|(_, pages)| Value::Integer(pages)).collect())
        }
        Err(why) => why,
    }
}

/// Finds the pages of a size on each NUMA node, by the node's number.
fn nodes(gathered: Gathered<'_>, kib: u64) -> Result<Vec<(u32, i64)>, Value> {
    let files = gathered.files(PER_NODE).map_err(|why| match why {
        Value::Absent(how) => Value::Absent(format!("no NUMA node with huge pages: {how}")),
        why => why,
    })?;
    let mut nodes = files
        .into_iter()
        .filter(|(path, _)| size_in(path) == Some(kib))
        .filter_map(|(path, text)| Some((node_in(path)?, text.and_then(pages_in))))
        .map(|(node, pages)| Ok((node, pages?)))
        .collect::<Result<Vec<(u32, i64)>, String>>()
        .map_err(Value::Unreadable)?;
    if nodes.is_empty() {
        return Err(not_offered(kib));
    }
    nodes.sort_by_key(|(node, _)| *node);
    Ok(nodes)
}

fn compared(
    gathered: Gathered<'_>,
    evidence: &[&Evidence],
    text: &str,
    boot: &boot::Boot,
) -> Value {
    let log = journal::gathered_log(evidence).map(|(lines, _)| lines).unwrap_or_default();
    let meminfo = gathered.text(meminfo::PATH).ok();
    let default = meminfo.and_then(|text| meminfo::kib(text, "Hugepagesize").ok().flatten());
    effect::disagreements(text, boot, &log, default, &|kib| Pool {
        total: pages(gathered, TOTAL, kib),
        nodes: nodes(gathered, kib).map(|nodes| {
            let count = |(node, pages): (u32, i64)| (node, u64::try_from(pages).unwrap_or(0));
            nodes.into_iter().map(count).collect()
        }),
    })
}

fn size_in(path: &str) -> Option<u64> {
    let part = path.split('/').find_map(|part| part.strip_prefix("hugepages-"))?;
    part.strip_suffix("kB")?.parse().ok()
}

fn node_in(path: &str) -> Option<u32> {
    path.split('/').find_map(|part| part.strip_prefix("node")?.parse().ok())
}

fn number(text: &str) -> Result<Value, String> {
    pages_in(text).map(Value::Integer)
}

fn pages_in(text: &str) -> Result<i64, String> {
    let pages = text.parse::<i64>().ok().filter(|pages| *pages >= 0);
    pages.ok_or_else(|| format!("expected a number of pages, found `{text}`"))
}

fn not_offered(kib: u64) -> Value {
    Value::Absent(if kib == SIZE_1G {
        "the kernel offers no 1 GiB pages (CPU without pdpe1gb)".to_owned()
    } else {
        format!("the kernel offers no pages of {kib} KiB")
    })
}

fn nothing(why: Value) -> Value {
    match why {
        Value::Absent(how) => Value::Absent(format!("the kernel offers no huge pages: {how}")),
        other => other,
    }
}

fn booted(line: &Cmdline) -> Value {
    let about = ["hugepages", "hugepagesz", "default_hugepagesz", "hugetlb_cma"];
    let words = line.iter().filter(|(name, _)| about.contains(name)).map(|(_, word)| word);
    Value::List(words.map(Value::Text).collect())
}

/// Reads the word in brackets of `always [madvise] never`.
fn chosen(text: &str) -> Result<Value, String> {
    let word = text.split_whitespace().find_map(|w| w.strip_prefix('[')?.strip_suffix(']'));
    word.map(Value::text).ok_or_else(|| format!("expected one word in brackets, found `{text}`"))
}
