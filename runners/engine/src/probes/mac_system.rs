//! Answers which Mac it is, which macOS runs on it, and how much memory the GPU may keep.
//!
//! The limit of the GPU's memory is 0 unless somebody set it, and then macOS takes a share of its
//! own, which no command tells; a limit that was set is gone after a restart. Written from
//! documents: it was never run on a Mac.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Integer, Quantity as Amount, Text, Version},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
    version::Version as Number,
};

use crate::{
    gathered::Gathered,
    parse::mac_sysctl,
    probe::{Probe, ProbeSpec, With, field, value_of},
};

pub(super) struct MacSystem;

const MODEL: &str = "hw.model";
const CHIP: &str = "machdep.cpu.brand_string";
const MEMORY: &str = "hw.memsize";
const FAST: &str = "hw.perflevel0.physicalcpu";
const SLOW: &str = "hw.perflevel1.physicalcpu";
const WIRED: &str = "iogpu.wired_limit_mb";
/// *Units*: B.
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
const NAMES: [&str; 6] = [MODEL, CHIP, MEMORY, FAST, SLOW, WIRED];

static SPEC: ProbeSpec = ProbeSpec {
    name: "mac-system",
    summary: "Which Mac it is, which macOS runs on it, and how much memory the GPU may keep.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("product", || Text, "sw_vers, ProductName", "Name of the system: `macOS`."),
        field("version", || Version, "sw_vers, ProductVersion", "Version of macOS."),
        field("build", || Text, "sw_vers, BuildVersion", "Build of macOS, such as `24F74`."),
        field("model", || Text, "sysctl hw.model", "Identifier of the model, such as `Mac16,11`."),
        field("chip", || Text, "sysctl machdep.cpu.brand_string", "Name of the chip."),
        field("memory", || Amount("GiB"), "sysctl hw.memsize", "Memory as bought."),
        field(
            "performance-cores",
            || Integer,
            "sysctl hw.perflevel0.physicalcpu",
            "Performance cores.",
        ),
        field("efficiency-cores", || Integer, "sysctl hw.perflevel1.physicalcpu", "Other cores."),
        field(
            "gpu-wired-limit",
            || Amount("MiB"),
            "sysctl iogpu.wired_limit_mb",
            "Most memory that the GPU may keep, as somebody set it; 0 is the choice of macOS.",
        ),
    ],
    example: r#"expect = { chip = "Apple M4 Pro", memory = { at-least = "48 GiB" } }"#,
};

impl Probe for MacSystem {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::exec(["sw_vers"]), mac_sysctl::ask(&NAMES)])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let version = gathered.program(&["sw_vers"])?;
        let argv: Vec<&str> = ["sysctl"].into_iter().chain(NAMES).collect();
        let kernel = gathered.program(&argv)?;
        // Neither is there on a system that is no Mac.
        if let (Some(error), Some(_)) = (mac_sysctl::missing(version), mac_sysctl::missing(kernel))
        {
            return Err(error);
        }
        let line = |key: &str| match value_of(version, |text| of_line(text, key)) {
            // The program belongs to macOS: without it nobody was asked.
            Value::Absent(why) => Value::Unreadable(why),
            value => value,
        };
        let text = |name: &str| mac_sysctl::value(kernel, name).map_or_else(|w| w, Value::text);
        Ok(Observation::default()
            .fact("product", line("ProductName"))
            .fact("version", versioned(line("ProductVersion")))
            .fact("build", line("BuildVersion"))
            .fact("model", text(MODEL))
            .fact("chip", text(CHIP))
            .fact("memory", amount(kernel, MEMORY, 1, "GiB", GIB))
            .fact("performance-cores", count(kernel, FAST))
            .fact("efficiency-cores", count(kernel, SLOW))
            .fact("gpu-wired-limit", amount(kernel, WIRED, 0, "MiB", 1.0)))
    }
}

fn of_line(text: &str, key: &str) -> Result<Value, String> {
    let said = |line: &str| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim().to_owned());
    match text.lines().find_map(said) {
        Some(value) if !value.is_empty() => Ok(Value::Text(value)),
        _ => Err(format!("sw_vers does not tell {key}")),
    }
}

fn versioned(value: Value) -> Value {
    match value {
        Value::Text(text) if Number::parse(&text).is_none() => {
            Value::Unreadable(format!("expected a version, found `{text}`"))
        }
        other => other,
    }
}

fn number(kernel: &Evidence, name: &str, least: u32) -> Result<u64, Value> {
    let text = mac_sysctl::value(kernel, name)?;
    let found = text.parse::<u64>().ok().filter(|number| *number >= u64::from(least));
    found.ok_or_else(|| Value::Unreadable(format!("expected a number, {name} is `{text}`")))
}

fn amount(kernel: &Evidence, name: &str, least: u32, unit: &str, of: f64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "no memory is beyond 2^53 bytes")]
    let found = number(kernel, name, least).map(|number| Quantity::of(number as f64 / of, unit));
    match found {
        Ok(Ok(quantity)) => Value::Quantity(quantity),
        Ok(Err(error)) => Value::Unreadable(error.to_string()),
        Err(why) => why,
    }
}

fn count(kernel: &Evidence, name: &str) -> Value {
    match number(kernel, name, 0).map(i64::try_from) {
        Ok(Ok(number)) => Value::Integer(number),
        Ok(Err(error)) => Value::Unreadable(format!("{name}: {error}")),
        Err(why) => why,
    }
}
