//! Answers which memory modules are plugged in and how fast they run, by the firmware's word.
//!
//! Asked of `dmidecode`, which needs root, and of udev's database, which does not: the first that
//! answers counts. A machine whose firmware says nothing (most virtual ones) is told apart from a
//! user who may not ask. What the firmware says is configuration; speed itself is measured
//! elsewhere.

use verify_model::{
    ask::{Ask, DEFAULT_CAP, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Evidence, FailureKind},
    field::FieldKind::{self, Integer, List, Quantity as Amount, Text},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::{Gathered, count},
    parse::memory_device::{self, Device},
    probe::{Probe, ProbeSpec, With, failed, field, text_of, texts},
};

pub(super) struct MemoryModules;

const DMIDECODE: [&str; 3] = ["dmidecode", "-t", "memory"];
const UDEV: &str = "/run/udev/data/+dmi:id";
const BY: &str = "dmidecode -t memory, /run/udev/data/+dmi:id";

fn speeds() -> FieldKind {
    List(Box::new(speed()))
}

fn speed() -> FieldKind {
    Amount("MT/s")
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "memory-modules",
    summary: "Which memory modules are plugged in and how fast they run, by the firmware's word.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("by", || Text, BY, "Who answered: `dmidecode` or `udev`."),
        field("slots", || Integer, BY, "Slots of the board, empty ones included."),
        field("count", || Integer, BY, "Modules that are plugged in."),
        field("total", || Amount("B"), BY, "Memory that is plugged in."),
        field("speed", speed, BY, "Speed at which the slowest module runs."),
        field("below-rated", texts, BY, "Modules that run slower than they can, with both speeds."),
        field("modules.slot", texts, BY, "Slots with a module."),
        field("modules.size", || List(Box::new(Amount("B"))), BY, "Sizes of the modules."),
        field("modules.kind", texts, BY, "Kinds, such as `DDR4`."),
        field("modules.rated", speeds, BY, "Speeds that the modules can do."),
        field("modules.configured", speeds, BY, "Speeds at which they run."),
        field("modules.part", texts, BY, "Makers and part numbers."),
    ],
    example: r#"expect = { total = { at-least = "128 GiB" }, speed = { at-least = "3200 MT/s" } }"#,
};

impl Probe for MemoryModules {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let dmidecode = Ask::Exec {
            argv: DMIDECODE.map(str::to_owned).to_vec(),
            env: vec![("LC_ALL".to_owned(), "C".to_owned())],
            limit_ms: DEFAULT_LIMIT_MS,
            cap: DEFAULT_CAP,
        };
        Ok(vec![dmidecode, Ask::file(UDEV)])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let program = gathered.program(&DMIDECODE)?;
        let unreadable = |why: String| failed(FindingCode::OutputUnreadable, why);
        let first = match text_of(program).map(memory_device::dmidecode) {
            Ok(Ok(devices)) => return observe("dmidecode", &devices).map_err(unreadable),
            Ok(Err(why)) => unreadable(format!("{}: {why}", program.ask)),
            Err(error) => error,
        };
        let file = gathered.file(UDEV)?;
        let second = match text_of(file).map(memory_device::udev) {
            Ok(Ok(devices)) => return observe("udev", &devices).map_err(unreadable),
            Ok(Err(why)) => format!("{}: {why}", file.ask),
            Err(error) => error.message,
        };
        let code = if denied(program) { FindingCode::PermissionDenied } else { first.code };
        Err(failed(code, format!("{}; {second}", first.message)))
    }
}

/// Tells whether the kernel refused the tables to the user who asks.
fn denied(program: &Evidence) -> bool {
    match &program.captured {
        Captured::Exec { stdout, stderr, .. } => {
            [stdout, stderr].iter().any(|stream| stream.text.contains("Permission denied"))
        }
        Captured::Failed(failure) => failure.kind == FailureKind::PermissionDenied,
        _ => false,
    }
}

fn observe(by: &str, devices: &[Device]) -> Result<Observation, String> {
    let modules: Vec<&Device> = devices.iter().filter(|device| device.bytes.is_some()).collect();
    if modules.is_empty() {
        return Err(format!("{by} describes {} slots and no module", devices.len()));
    }
    let total: f64 = modules.iter().filter_map(|module| module.bytes).sum();
    let silent = |what: &str| Value::Absent(format!("the firmware does not say {what}"));
    let text = |found: &Option<String>, what: &str| {
        found.as_deref().map_or_else(|| silent(what), Value::text)
    };
    let speed = |found: Option<f64>, what: &str| {
        found.map_or_else(|| silent(what), |number| amount(number, "MT/s"))
    };
    let each = |of: &dyn Fn(&Device) -> Value| {
        Value::List(modules.iter().map(|module| of(module)).collect())
    };
    let configured: Option<Vec<f64>> = modules.iter().map(|module| module.configured).collect();
    let slowest = configured.and_then(|speeds| speeds.into_iter().min_by(f64::total_cmp));
    Ok(Observation::default()
        .fact("by", Value::text(by))
        .fact("slots", count(devices.len()))
        .fact("count", count(modules.len()))
        .fact("total", amount(total, "B"))
        .fact("speed", speed(slowest, "how fast every module runs"))
        .fact("below-rated", below_rated(&modules))
        .fact(
            "modules",
            Value::record([
                ("slot", each(&|module| text(&module.locator, "where it is"))),
                ("size", each(&|m| m.bytes.map_or_else(|| silent("its size"), |b| amount(b, "B")))),
                ("kind", each(&|module| text(&module.kind, "its kind"))),
                ("rated", each(&|module| speed(module.rated, "what it can do"))),
                ("configured", each(&|module| speed(module.configured, "how fast it runs"))),
                ("part", each(&|module| text(&module.part, "who made it"))),
            ]),
        ))
}

/// Lists the modules that run below their speed; unknown where one does not say both.
fn below_rated(modules: &[&Device]) -> Value {
    let mut found = Vec::new();
    for module in modules {
        let slot = module.locator.as_deref().unwrap_or("a module");
        let (Some(rated), Some(configured)) = (module.rated, module.configured) else {
            return Value::Absent(format!("the firmware does not say both speeds of {slot}"));
        };
        if configured < rated {
            found.push(Value::Text(format!("{slot}: {configured} of {rated} MT/s")));
        }
    }
    Value::List(found)
}

fn amount(number: f64, unit: &str) -> Value {
    match Quantity::of(number, unit) {
        Ok(quantity) => Value::Quantity(quantity),
        Err(error) => Value::Unreadable(error.to_string()),
    }
}
