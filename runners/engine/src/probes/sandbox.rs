//! Answers whether programs can be fenced in, and whether a module of one's own can be loaded.
//!
//! An instrument installs a seccomp filter and is refused by it. Loading a module would change
//! the node, so whether it can be is put together from the switches that forbid it; a switch that
//! nobody can see is never taken as off.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Evidence, FailureKind},
    field::FieldKind::{Cpus, Integer, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    gathered::Gathered,
    parse::{cpu_list, instrument},
    probe::{Probe, ProbeSpec, With, field, texts},
};

pub(super) struct Sandbox;

const NAME: &str = "sandbox";
const BY: &str = "verify instrument sandbox";
/// Limit of the instrument, which takes milliseconds. *Units*: ms.
const LIMIT_MS: u64 = 10_000;

const CONTROLLERS: &str = "/sys/fs/cgroup/cgroup.controllers";
/// Where a hybrid system has the second hierarchy.
const HYBRID: &str = "/sys/fs/cgroup/unified/cgroup.controllers";
const SUBSYSTEMS: &str = "/proc/cgroups";
const PARTITIONS: &str = "/sys/fs/cgroup/cpuset.cpus.isolated";
const MODULES: &str = "/proc/modules";
const DISABLED: &str = "/proc/sys/kernel/modules_disabled";
const ENFORCED: &str = "/sys/module/module/parameters/sig_enforce";
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";
const SECURITY: &str = "/sys/kernel/security/lsm";

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "Whether programs can be fenced in, and whether modules can be loaded.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("seccomp", || Text, BY, "`obeyed`, or what refused a filter and why."),
        field("landlock-abi", || Integer, BY, "Version of Landlock; absent with what refused it."),
        field(
            "controllers",
            texts,
            "/sys/fs/cgroup/cgroup.controllers, or under unified/",
            "Controllers of control groups v2.",
        ),
        field("controllers-v1", texts, SUBSYSTEMS, "Controllers that sit on a v1 hierarchy."),
        field("partitions", || Cpus, PARTITIONS, "Cpus in isolated partitions (from 6.7, root)."),
        field(
            "modules",
            || Text,
            "/proc/modules, modules_disabled, sig_enforce, lockdown",
            "`permitted`, `signed only` or `refused`, with the switch that says so.",
        ),
        field("lockdown", || Text, LOCKDOWN, "`none`, `integrity` or `confidentiality`."),
    ],
    example: r#"expect = { seccomp = "obeyed", controllers = { contains = "cpuset" } }"#,
};

impl Probe for Sandbox {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let files =
            [CONTROLLERS, HYBRID, SUBSYSTEMS, PARTITIONS, DISABLED, ENFORCED, LOCKDOWN, SECURITY];
        let instrument = Ask::Instrument { argv: vec![NAME.to_owned()], limit_ms: LIMIT_MS };
        let modules = Ask::Stat { path: MODULES.to_owned() };
        Ok([instrument, modules].into_iter().chain(files.map(Ask::file)).collect())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let result = instrument::gathered(evidence, NAME)?;
        let gathered = Gathered(evidence);
        let part = |name: &str| result.get(name).unwrap_or(&Json::Null);
        let lockdown = lockdown(gathered);
        Ok(Observation::default()
            .fact("seccomp", instrument::part(part("seccomp"), obeyed))
            .fact("landlock-abi", landlock(part("landlock")))
            .fact("controllers", controllers(gathered))
            .fact("controllers-v1", gathered.value(SUBSYSTEMS, on_v1))
            .fact("partitions", gathered.value(PARTITIONS, cpu_list::list))
            .fact("modules", modules(gathered, &lockdown))
            .fact("lockdown", lockdown))
    }
}

fn obeyed(seccomp: &Json) -> Value {
    let text = |key: &str| seccomp.get(key).and_then(Json::as_str).unwrap_or("nothing");
    match (seccomp.get("obeyed").and_then(Json::as_bool), text("mode")) {
        (Some(true), "2") => Value::text("obeyed"),
        (Some(true), mode) => Value::Text(format!("obeyed, but the kernel says `Seccomp: {mode}`")),
        (Some(false), _) => Value::Text(format!(
            "installed, but the call that it forbids gave {} instead of EPERM",
            text("answer")
        )),
        (None, _) => Value::Unreadable("the instrument does not say whether it was obeyed".into()),
    }
}

fn landlock(part: &Json) -> Value {
    match (instrument::refusal(part), part.get("abi").and_then(Json::as_i64)) {
        (Some(why), _) => Value::Absent(why),
        (None, Some(version)) => Value::Integer(version),
        (None, None) => Value::Unreadable("the instrument says nothing of Landlock".to_owned()),
    }
}

fn controllers(gathered: Gathered<'_>) -> Value {
    let words = |text: &str| Ok(Value::List(text.split_whitespace().map(Value::text).collect()));
    match gathered.value(CONTROLLERS, words) {
        Value::Absent(_) => match gathered.value(HYBRID, words) {
            Value::Absent(how) => Value::Absent(format!("no control groups v2: {how}")),
            other => other,
        },
        other => other,
    }
}

/// Reads `/proc/cgroups`: name, hierarchy, groups, enabled; hierarchy 0 is v2 or none.
fn on_v1(text: &str) -> Result<Value, String> {
    let Some(rows) = text.strip_prefix("#subsys_name").and_then(|t| t.split_once('\n')) else {
        return Err(format!("{SUBSYSTEMS} is not as expected"));
    };
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, hierarchy, _, enabled] = words[..] else {
            return Err(format!("{SUBSYSTEMS}: `{line}`"));
        };
        let hierarchy: u32 = hierarchy.parse().map_err(|_| format!("{SUBSYSTEMS}: `{line}`"))?;
        Ok((hierarchy != 0 && enabled == "1").then(|| Value::text(name)))
    };
    let rows: Result<Vec<Option<Value>>, String> = rows.1.lines().map(row).collect();
    Ok(Value::List(rows?.into_iter().flatten().collect()))
}

/// Reads the word in brackets of `[none] integrity confidentiality`.
fn lockdown(gathered: Gathered<'_>) -> Value {
    let chosen = |text: &str| {
        let word = text.split_whitespace().find_map(|w| w.strip_prefix('[')?.strip_suffix(']'));
        match word {
            Some(word @ ("none" | "integrity" | "confidentiality")) => Ok(Value::text(word)),
            _ => Err(format!("{LOCKDOWN}: expected one level in brackets, found `{text}`")),
        }
    };
    match gathered.value(LOCKDOWN, chosen) {
        Value::Absent(how) => match gathered.text(SECURITY) {
            Ok(list) if list.trim().is_empty() => Value::Unreadable(format!("{SECURITY} is empty")),
            Ok(list) if list.trim().split(',').all(|module| module != "lockdown") => {
                Value::Absent("the security module lockdown is not there".to_owned())
            }
            // Not mounted is not off.
            _ => Value::Unreadable(format!("{how}; is securityfs mounted?")),
        },
        other => other,
    }
}

/// Puts together what forbids modules; the strongest switch is named.
fn modules(gathered: Gathered<'_>, lockdown: &Value) -> Value {
    match gathered.stands(MODULES) {
        Ok(true) => {}
        Ok(false) => return Value::text("refused: the kernel is built without modules"),
        Err(why) => return Value::Unreadable(why),
    }
    match switch(gathered, DISABLED, ("0", "1")) {
        Ok(Some(false)) => {}
        Ok(Some(true)) => {
            return Value::text("refused: kernel.modules_disabled is 1 until the next boot");
        }
        Ok(None) => return Value::Unreadable(format!("{DISABLED} is not there")),
        Err(why) => return Value::Unreadable(why),
    }
    match lockdown {
        Value::Text(level) if level != "none" => {
            return Value::Text(format!("signed only: the kernel is locked down ({level})"));
        }
        Value::Unreadable(why) => return Value::Unreadable(why.clone()),
        _ => {}
    }
    match switch(gathered, ENFORCED, ("N", "Y")) {
        Ok(Some(true)) => Value::text("signed only: module.sig_enforce"),
        // Not there: the kernel is built without signatures.
        Ok(Some(false) | None) => Value::text("permitted"),
        Err(why) => Value::Unreadable(why),
    }
}

/// Reads a switch; none where it is not there.
fn switch(gathered: Gathered<'_>, path: &str, words: (&str, &str)) -> Result<Option<bool>, String> {
    let failure = gathered.file(path).ok().and_then(Evidence::failure);
    if failure.is_some_and(|failure| failure.kind == FailureKind::NotFound) {
        return Ok(None);
    }
    match gathered.text(path).map_err(|error| error.message)?.trim() {
        word if word == words.0 => Ok(Some(false)),
        word if word == words.1 => Ok(Some(true)),
        other => Err(format!("{path}: expected {} or {}, found `{other}`", words.0, words.1)),
    }
}
