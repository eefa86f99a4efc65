//! Answers in which state a unit of systemd is, or the whole system with its failed units.
//!
//! systemctl answers with exit 0 about units that do not exist: `inactive`, `success`, 0 restarts.
//! Nothing of that is passed on as if it were about a unit. Another init is an error, which
//! `when = ["systemd"]` turns into a skip. What a unit prints is not read here.

use std::collections::BTreeMap;

use verify_model::{
    ask::{Ask, DEFAULT_CAP, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Evidence},
    field::FieldKind::{Bool, Integer, List, Text, Version},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, text_of};

pub(super) struct Service;

const UNIT: &str = "systemctl show NAME";
const SYSTEM: &str = "systemctl show";
/// What is asked about a unit. One that an older systemctl does not know is left out by it.
const UNIT_PROPERTIES: &str = "--property=Id,Names,LoadState,ActiveState,SubState,UnitFileState,\
    NRestarts,Result,MainPID,StateChangeTimestamp,InactiveExitTimestampMonotonic,NeedDaemonReload";
const SYSTEM_PROPERTIES: &str = "--property=Version,SystemState,NFailedUnits,NJobs";
/// Fields about one unit.
const OF_A_UNIT: [&str; 11] = [
    "id",
    "names",
    "load-state",
    "active-state",
    "sub-state",
    "unit-file-state",
    "restarts",
    "result",
    "main-pid",
    "since",
    "reload-needed",
];
/// Fields about the system.
const OF_THE_SYSTEM: [&str; 4] = ["system-state", "failed-units", "jobs", "systemd-version"];

static SPEC: ProbeSpec = ProbeSpec {
    name: "service",
    summary: "In which state a unit of systemd is; without `name`, the system and its failed units.",
    effect: Effect::Reads,
    depends: &[],
    params: &[ParamSpec {
        name: "name",
        kind: ParamKind::Text,
        required: false,
        doc: "Unit, such as `chrony.service`; `.service` is added where no type is given.",
    }],
    fields: &[
        field("id", || Text, UNIT, "Name of the unit, which an alias leads to."),
        field("names", || List(Box::new(Text)), UNIT, "All names of the unit, sorted."),
        field(
            "load-state",
            || Text,
            UNIT,
            "`loaded`, `not-found`, `masked`, `bad-setting` or `error`.",
        ),
        field(
            "active-state",
            || Text,
            UNIT,
            "`active`, `inactive`, `failed`, `activating`, ...; absent for a unit that does not exist.",
        ),
        field("sub-state", || Text, UNIT, "State in the words of the unit's type, as `running`."),
        field(
            "unit-file-state",
            || Text,
            UNIT,
            "`enabled`, `disabled`, `static`, `masked`, `generated`, ...; absent without a file.",
        ),
        field("restarts", || Integer, UNIT, "Restarts by systemd since the last manual start."),
        field(
            "result",
            || Text,
            UNIT,
            "How the last run ended, `success` while it runs; absent if no run is remembered.",
        ),
        field("main-pid", || Integer, UNIT, "Main process; absent while there is none."),
        field("since", || Text, UNIT, "When the present state began, in UTC."),
        field("reload-needed", || Bool, UNIT, "Whether the file has changed since it was read."),
        field(
            "system-state",
            || Text,
            SYSTEM,
            "`running`, `degraded`, `starting`, `maintenance`, ..., as is-system-running says.",
        ),
        field(
            "failed-units",
            || List(Box::new(Text)),
            "systemctl list-units --failed",
            "Units that have failed, sorted.",
        ),
        field("jobs", || Integer, SYSTEM, "Jobs in the queue."),
        field("systemd-version", || Version, SYSTEM, "Version of systemd."),
    ],
    example: r#"with = { name = "chrony.service" }
expect = { active-state = "active", restarts = 0 }"#,
};

fn systemctl<const N: usize>(words: [&str; N]) -> Ask {
    let argv = ["systemctl", "--no-pager"].into_iter().chain(words).map(str::to_owned).collect();
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Ask::Exec {
        argv,
        env: vec![set("LC_ALL", "C"), set("SYSTEMD_COLORS", "0"), set("TZ", "UTC")],
        limit_ms: DEFAULT_LIMIT_MS,
        cap: DEFAULT_CAP,
    }
}

impl Probe for Service {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let Some(name) = with.text("name") else {
            let list = ["list-units", "--failed", "--all", "--full", "--plain", "--no-legend"];
            return Ok(vec![systemctl(["show", SYSTEM_PROPERTIES]), systemctl(list)]);
        };
        usable(name)?;
        Ok(vec![systemctl(["show", UNIT_PROPERTIES, "--", name])])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        match (with.text("name"), evidence) {
            (Some(name), [unit]) => {
                let unread = Value::Unreadable("asked about one unit: leave out `name`".to_owned());
                let observation = filled(&OF_THE_SYSTEM, &unread);
                read_unit(observation, name, said(unit)?).map_err(|why| unreadable(unit, &why))
            }
            (None, [system, units]) => {
                let unread =
                    Value::Unreadable("asked about the system: give the unit's `name`".to_owned());
                let observation = filled(&OF_A_UNIT, &unread);
                read_system(observation, said(system)?, said(units)?)
                    .map_err(|why| unreadable(system, &why))
            }
            _ => Err(failed(FindingCode::NotRecorded, "not everything was gathered")),
        }
    }
}

/// Says whether a name is one unit's; systemctl takes patterns, paths and options, too.
fn usable(name: &str) -> Result<(), String> {
    let of_a_unit = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(of_a_unit) {
        return Err(format!(
            "`{name}` is not the name of a unit: letters, digits and :-_.\\@ up to 255 characters"
        ));
    }
    if name.ends_with('@') || name.contains("@.") {
        return Err(format!(
            "`{name}` is a template: name an instance, such as `getty@tty1.service`"
        ));
    }
    Ok(())
}

fn filled(names: &[&str], value: &Value) -> Observation {
    names.iter().fold(Observation::default(), |o, name| o.fact(name, value.clone()))
}

fn unreadable(evidence: &Evidence, why: &str) -> AttemptError {
    failed(FindingCode::OutputUnreadable, format!("{}: {why}", evidence.ask))
}

/// Returns what systemctl printed.
///
/// *Errors*: it failed; another init is said in plain words.
fn said(evidence: &Evidence) -> Result<&str, AttemptError> {
    let answer = text_of(evidence);
    if let Captured::Exec { exit, stderr, .. } = &evidence.captured
        && *exit != Some(0)
        && stderr.text.contains("not been booted with systemd")
    {
        let message =
            "systemd does not run this node; `when = [\"systemd\"]` skips the check there";
        return Err(failed(FindingCode::GatherFailed, message));
    }
    answer
}

type Properties<'a> = BTreeMap<&'a str, &'a str>;

/// Reads the lines `Name=value` of one answer.
///
/// *Errors*: a line is none, or a name stands there twice: more than one unit answered.
fn properties(text: &str) -> Result<Properties<'_>, String> {
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (name, value) =
            line.split_once('=').ok_or_else(|| format!("expected NAME=VALUE, found `{line}`"))?;
        if found.insert(name, value.trim()).is_some() {
            return Err(format!("`{name}` is given twice: more than one unit answers"));
        }
    }
    Ok(found)
}

fn read_unit(observation: Observation, asked: &str, text: &str) -> Result<Observation, String> {
    let unit = properties(text)?;
    let of = |name: &str| unit.get(name).copied().filter(|value| !value.is_empty());
    let load = of("LoadState").ok_or("it gives no LoadState")?;
    let active = of("ActiveState").ok_or("it gives no ActiveState")?;
    // A unit whose file was removed while it runs is `not-found`, too, and its state is real.
    let is_there = load != "not-found" || active != "inactive";
    let absent = |what: &str| {
        let what = if is_there { what.to_owned() } else { format!("there is no unit {asked}") };
        Value::Absent(what)
    };
    let text = |name: &str, without: &str| {
        of(name).filter(|_| is_there).map_or_else(|| absent(without), Value::text)
    };
    let number = |name: &str, without: &str| match of(name).filter(|_| is_there) {
        None => absent(without),
        Some(written) => written.parse().map_or_else(
            |_| Value::Unreadable(format!("{name} is `{written}`, not a whole number")),
            Value::Integer,
        ),
    };
    let mut names: Vec<&str> = of("Names").map(|n| n.split(' ').collect()).unwrap_or_default();
    names.sort_unstable();
    let names = if names.is_empty() || !is_there {
        absent("systemctl gives no Names")
    } else {
        Value::List(names.into_iter().map(Value::text).collect())
    };
    let started = of("InactiveExitTimestampMonotonic").is_some_and(|at| at != "0");
    let result = match of("Result") {
        Some("success") if !started => absent("systemd remembers no run of it since boot"),
        _ => text("Result", "units of this type have no result"),
    };
    let main_pid = match number("MainPID", "units of this type have no main process") {
        Value::Integer(0) => Value::Absent("no main process runs".to_owned()),
        other => other,
    };
    let reload = match of("NeedDaemonReload").filter(|_| is_there) {
        Some("yes") => Value::Bool(true),
        Some("no") => Value::Bool(false),
        Some(other) => Value::Unreadable(format!("NeedDaemonReload is `{other}`")),
        None => absent("systemctl gives no NeedDaemonReload"),
    };
    let restarts = match number("NRestarts", "not a service, or systemd is older than 235") {
        Value::Integer(0) if !started => absent("systemd remembers no run of it since boot"),
        other => other,
    };
    let since = match of("StateChangeTimestamp") {
        Some("n/a") => absent("systemd remembers no change of its state since boot"),
        _ => text("StateChangeTimestamp", "systemd remembers no change of its state since boot"),
    };
    Ok(observation
        .fact("id", text("Id", "systemctl gives no Id"))
        .fact("names", names)
        .fact("load-state", Value::text(load))
        .fact("active-state", text("ActiveState", ""))
        .fact("sub-state", text("SubState", "systemctl gives no SubState"))
        .fact("unit-file-state", text("UnitFileState", "it has no unit file"))
        .fact("restarts", restarts)
        .fact("result", result)
        .fact("main-pid", main_pid)
        .fact("since", since)
        .fact("reload-needed", reload))
}

fn read_system(observation: Observation, system: &str, units: &str) -> Result<Observation, String> {
    let system = properties(system)?;
    let of = |name: &str| system.get(name).copied().filter(|value| !value.is_empty());
    let text = |name: &str| {
        let missing = || Value::Unreadable(format!("systemctl gives no {name}"));
        of(name).map_or_else(missing, Value::text)
    };
    let number = |name: &str| {
        let written = of(name).ok_or_else(|| format!("systemctl gives no {name}"))?;
        written.parse::<i64>().map_err(|_| format!("{name} is `{written}`, not a whole number"))
    };
    Ok(observation
        .fact("system-state", text("SystemState"))
        .fact("failed-units", failed_units(units, number("NFailedUnits")))
        .fact("jobs", number("NJobs").map_or_else(Value::Unreadable, Value::Integer))
        .fact("systemd-version", text("Version")))
}

/// Reads the list of failed units, which must be as long as systemd counts.
fn failed_units(text: &str, counted: Result<i64, String>) -> Value {
    // Some releases print their bullet even where a plain list is asked for.
    let lines = text.lines().map(|line| line.trim_start_matches(['●', '*', ' ', '×']));
    let mut names = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().take(4).collect();
        let [name, _, active, _] = words.as_slice() else {
            return Value::Unreadable(format!("expected a unit and its states, found `{line}`"));
        };
        if *active != "failed" {
            return Value::Unreadable(format!("{name} is listed as failed and is `{active}`"));
        }
        names.push(*name);
    }
    match counted {
        Ok(count) if count == i64::try_from(names.len()).unwrap_or(i64::MAX) => {
            names.sort_unstable();
            Value::List(names.into_iter().map(Value::text).collect())
        }
        Ok(count) => Value::Unreadable(format!(
            "systemd counts {count} failed units and lists {}: ask again",
            names.len()
        )),
        Err(why) => Value::Unreadable(why),
    }
}
