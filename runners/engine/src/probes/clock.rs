//! Answers what the kernel keeps time by, whether that is synchronised, and by whom.
//!
//! Services can contradict each other, so each is shown with its own answer. The first of chrony,
//! ntpd, ptp4l and systemd-timesyncd that says it follows a source wins, else the first that
//! answers. Where none of them runs the answer is no, whatever flag the kernel kept from one that
//! has ended; where one runs and cannot be asked there is no answer.

use std::collections::BTreeSet;

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Bool, Integer, Quantity as Amount, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::{Gathered, reason},
    parse::time_service::{self, Claim},
    probe::{Probe, ProbeSpec, With, field, text_of, texts},
};

pub(super) struct Clock;

const CURRENT: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
const AVAILABLE: &str = "/sys/devices/system/clocksource/clocksource0/available_clocksource";
const NAMES: &str = "/proc/*/comm";
const CHRONY: &[&str] = &["chronyc", "-c", "-n", "tracking"];
const SOURCES: &[&str] = &["chronyc", "-c", "-n", "sources"];
const NTPD: &[&str] = &["ntpq", "-n", "-c", "rv"];
const PTP: &[&str] =
    &["pmc", "-u", "-b", "0", "GET TIME_STATUS_NP", "GET PORT_DATA_SET", "GET PORT_PROPERTIES_NP"];
/// Not `timedatectl timesync-status`, which starts a service that is enabled and stopped.
const TIMESYNCD: &[&str] = &[
    "busctl",
    "--auto-start=no",
    "--json=short",
    "call",
    "org.freedesktop.timesync1",
    "/org/freedesktop/timesync1",
    "org.freedesktop.DBus.Properties",
    "GetAll",
    "s",
    "org.freedesktop.timesync1.Manager",
];
const KERNEL: &[&str] = &["timedatectl", "show"];
const BY_SERVICE: &str = "chronyc, ntpq, pmc, busctl, timedatectl";

/// Processes that keep the clock, each with how the kernel shortens its name to 15 bytes.
const KEEPERS: [(&str, &str); 6] = [
    ("chronyd", "chronyd"),
    ("ntpd", "ntpd"),
    ("ntpd-rs", "ntp-daemon"),
    ("phc2sys", "phc2sys"),
    ("ptp4l", "ptp4l"),
    ("systemd-timesyncd", "systemd-timesyn"),
];
/// Those of them that steer the clock of the system by themselves: two are one too many.
const RIVALS: [&str; 4] = ["chronyd", "ntpd", "ntpd-rs", "systemd-timesyncd"];

fn seconds() -> FieldKind {
    Amount("s")
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "clock",
    summary: "What the kernel keeps time by, whether that is synchronised, and by whom.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("clocksource", || Text, CURRENT, "Source of the kernel's time, such as `tsc`."),
        field("clocksources", texts, AVAILABLE, "Sources that the kernel could use."),
        field("synchronised", || Bool, BY_SERVICE, "Whether a service that runs follows a source."),
        field("by", || Text, BY_SERVICE, "The service whose answer counts."),
        field("services", texts, NAMES, "Processes that keep the clock, by name."),
        field("offset", seconds, BY_SERVICE, "How far the clock is behind; below zero, ahead."),
        field("offset-size", seconds, BY_SERVICE, "`offset` without its sign, for limits."),
        field("stratum", || Integer, BY_SERVICE, "Steps from a reference clock."),
        field("reference", || Text, BY_SERVICE, "What the service follows."),
        field(
            "kernel-synchronised",
            || Bool,
            "NTPSynchronized of timedatectl",
            "The kernel's own flag, which outlives the service that set it.",
        ),
        field(
            "contradictions",
            texts,
            BY_SERVICE,
            "What does not go together, each in a sentence.",
        ),
        field("chrony.synchronised", || Bool, "chronyc", "What chrony says."),
        field("chrony.offset", seconds, "chronyc", "What chrony says."),
        field("ntpd.synchronised", || Bool, "ntpq", "What ntpd says."),
        field("ntpd.offset", seconds, "ntpq", "What ntpd says."),
        field(
            "ptp4l.synchronised",
            || Bool,
            "pmc",
            "Whether ptp4l follows a master and the system's clock follows ptp4l.",
        ),
        field("ptp4l.offset", seconds, "pmc", "Offset of the clock that ptp4l steers."),
        field("systemd-timesyncd.synchronised", || Bool, "busctl", "What it says, and the flag."),
        field("systemd-timesyncd.offset", seconds, "busctl", "What systemd-timesyncd says."),
    ],
    example: r#"expect = { clocksource = "tsc", synchronised = true, "offset-size" = { at-most = "128 ms" } }"#,
};

impl Probe for Clock {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let files = [CURRENT, AVAILABLE].map(Ask::file);
        let programs = [CHRONY, SOURCES, NTPD, PTP, TIMESYNCD, KERNEL];
        let programs = programs.map(|argv| Ask::exec(argv.iter().copied()));
        Ok(files.into_iter().chain([Ask::files(NAMES)]).chain(programs).collect())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let running = running(gathered);
        let flag = kernel_flag(gathered);
        let said = services(gathered, &running, &flag);
        let (synchronised, winner) = verdict(&said);
        let contradictions = match &synchronised {
            Value::Bool(answer) => Value::List(contradictions(&said, &running, &flag, *answer)),
            why => why.clone(),
        };
        let nobody = match &synchronised {
            Value::Bool(_) => Value::Absent("nothing that is known keeps the clock".to_owned()),
            why => why.clone(),
        };
        let of =
            |part: fn(&Claim) -> Value| winner.map_or_else(|| nobody.clone(), |(_, c)| part(c));
        let seen = Observation::default()
            .fact("clocksource", gathered.value(CURRENT, source))
            .fact("clocksources", gathered.value(AVAILABLE, sources))
            .fact("by", winner.map_or_else(|| nobody.clone(), |(name, _)| Value::text(name)))
            .fact("offset", of(|claim| claim.offset.clone()))
            .fact("offset-size", of(|claim| size(&claim.offset)))
            .fact("stratum", of(|claim| claim.stratum.clone()))
            .fact("reference", of(|claim| claim.reference.clone()))
            .fact("synchronised", synchronised)
            .fact("kernel-synchronised", flag)
            .fact("contradictions", contradictions)
            .fact(
                "services",
                match running {
                    Ok(names) => Value::List(names.into_iter().map(Value::text).collect()),
                    Err(why) => Value::Unreadable(why),
                },
            );
        Ok(said.iter().fold(seen, |seen, (name, said)| seen.fact(name, said.shown())))
    }
}

/// Says how one service answered.
enum Said {
    Claim(Claim),
    /// It does not run.
    Silent(String),
    /// It runs or may run, and could not be asked.
    Unknown(String),
}

impl Said {
    fn shown(&self) -> Value {
        match self {
            Self::Claim(claim) => Value::record([
                ("synchronised", Value::Bool(claim.synchronised)),
                ("offset", claim.offset.clone()),
            ]),
            Self::Silent(how) => Value::Absent(how.clone()),
            Self::Unknown(why) => Value::Unreadable(why.clone()),
        }
    }

    fn claim(&self) -> Option<&Claim> {
        if let Self::Claim(claim) = self { Some(claim) } else { None }
    }
}

type Running = Result<BTreeSet<&'static str>, String>;

/// Returns which processes keep the clock.
///
/// *Errors*: not all processes can be seen. The first one never ends, so it is missing only then.
fn running(gathered: Gathered<'_>) -> Running {
    let files = gathered.files(NAMES).map_err(reason)?;
    if !files.iter().any(|(path, text)| *path == "/proc/1/comm" && text.is_ok()) {
        return Err("/proc shows only some processes: mounted with hidepid, see proc(5)".to_owned());
    }
    let short: Vec<&str> = files.into_iter().filter_map(|(_, text)| text.ok()).collect();
    let there = KEEPERS.iter().filter(|(_, name)| short.contains(name));
    Ok(there.map(|(name, _)| *name).collect())
}

/// Asks each service in the order in which they win.
fn services(gathered: Gathered<'_>, running: &Running, flag: &Value) -> [(&'static str, Said); 4] {
    let answer =
        |argv: &[&str]| gathered.program(argv).and_then(text_of).map_err(|error| error.message);
    let claim = |processes: &[&str], answer: Result<Claim, String>| match (answer, running) {
        (Ok(claim), _) => Said::Claim(claim),
        (Err(why), Err(hidden)) => Said::Unknown(format!("{why}; {hidden}")),
        (Err(why), Ok(running)) => match processes.iter().find(|name| running.contains(*name)) {
            Some(name) => Said::Unknown(format!("{name} runs and cannot be asked: {why}")),
            None => Said::Silent(format!("{} does not run: {why}", processes[0])),
        },
    };
    let chrony =
        answer(CHRONY).and_then(|tracking| time_service::chrony(tracking, answer(SOURCES)?));
    // What phc2sys follows without a ptp4l, or ntpd-rs at all, there is no telling.
    let ptp = ["ptp4l", "phc2sys"];
    let ptp = match answer(PTP).and_then(time_service::ptp4l) {
        Ok(Some((claim, stamping))) => steers(claim, stamping, running),
        Ok(None) => claim(&ptp, Err("it does not answer pmc".to_owned())),
        Err(why) => claim(&ptp, Err(why)),
    };
    let timesyncd = answer(TIMESYNCD).and_then(time_service::timesyncd);
    [
        ("chrony", claim(&["chronyd"], chrony)),
        ("ntpd", claim(&["ntpd", "ntpd-rs"], answer(NTPD).and_then(time_service::ntpd))),
        ("ptp4l", ptp),
        ("systemd-timesyncd", still(claim(&["systemd-timesyncd"], timesyncd), flag)),
    ]
}

/// Counts ptp4l only where the system's clock follows it: with packets stamped by the network
/// adapter it steers the adapter's clock, and phc2sys carries that on.
fn steers(claim: Claim, stamping: Option<&str>, running: &Running) -> Said {
    if !claim.synchronised || stamping == Some("SOFTWARE") {
        return Said::Claim(claim);
    }
    match (running, stamping) {
        (Ok(running), _) if running.contains("phc2sys") => Said::Claim(claim),
        (Ok(_), Some(_)) => Said::Claim(Claim::lost(
            "ptp4l steers the adapter's clock, and no phc2sys carries that to the system's",
        )),
        (Ok(_), None) => Said::Unknown(
            "ptp4l follows its master and does not say whose clock it steers; phc2sys does not run"
                .to_owned(),
        ),
        (Err(why), _) => Said::Unknown(why.clone()),
    }
}

/// Counts the last answer of systemd-timesyncd only while the kernel finds it fresh.
fn still(said: Said, flag: &Value) -> Said {
    match (said, flag) {
        (Said::Claim(claim), Value::Bool(false)) if claim.synchronised => {
            Said::Claim(Claim::lost("the last answer to systemd-timesyncd is too old"))
        }
        (Said::Claim(claim), Value::Bool(_)) => Said::Claim(claim),
        (Said::Claim(claim), why) if claim.synchronised => Said::Unknown(format!(
            "whether its last answer still counts is not known: {}",
            reason(why.clone())
        )),
        (said, _) => said,
    }
}

/// Decides whether the clock is synchronised, and whose answer that is.
fn verdict<'a>(said: &'a [(&'static str, Said)]) -> (Value, Option<(&'static str, &'a Claim)>) {
    let claims = || said.iter().filter_map(|(name, said)| Some((*name, said.claim()?)));
    if let Some(winner) = claims().find(|(_, claim)| claim.synchronised) {
        return (Value::Bool(true), Some(winner));
    }
    let unknown = said.iter().find_map(|(_, said)| match said {
        Said::Unknown(why) => Some(why.clone()),
        _ => None,
    });
    match unknown {
        Some(why) => (Value::Unreadable(why), None),
        None => (Value::Bool(false), claims().next()),
    }
}

fn contradictions(
    said: &[(&'static str, Said)],
    running: &Running,
    flag: &Value,
    answer: bool,
) -> Vec<Value> {
    let mut found = Vec::new();
    let named = |wanted: bool| {
        let claims = said.iter().filter_map(|(name, said)| Some((*name, said.claim()?)));
        let names = claims.filter(|(_, claim)| claim.synchronised == wanted).map(|(name, _)| name);
        names.collect::<Vec<_>>().join(" and ")
    };
    let (yes, no) = (named(true), named(false));
    if !yes.is_empty() && !no.is_empty() {
        found.push(format!("synchronised by {yes}, not by {no}"));
    }
    let rivals: Vec<&str> =
        running.iter().flatten().copied().filter(|n| RIVALS.contains(n)).collect();
    if rivals.len() > 1 {
        found.push(format!("{} run at once", rivals.join(" and ")));
    }
    match (flag, answer) {
        (Value::Bool(true), false) if no.is_empty() => {
            found
                .push("the kernel says synchronised, and nothing known keeps the clock".to_owned());
        }
        (Value::Bool(true), false) => found.push(format!("the kernel says synchronised, {no} not")),
        (Value::Bool(false), true) => {
            found.push(format!("{yes} says synchronised, the kernel not"));
        }
        _ => {}
    }
    found.into_iter().map(Value::Text).collect()
}

fn kernel_flag(gathered: Gathered<'_>) -> Value {
    let text = match gathered.program(KERNEL).and_then(text_of) {
        Ok(text) => text,
        Err(error) => return Value::Unreadable(error.message),
    };
    match text.lines().find_map(|line| line.strip_prefix("NTPSynchronized=")) {
        Some("yes") => Value::Bool(true),
        Some("no") => Value::Bool(false),
        Some(other) => Value::Unreadable(format!("NTPSynchronized is `{other}`")),
        None => Value::Unreadable("timedatectl gives no NTPSynchronized".to_owned()),
    }
}

fn size(offset: &Value) -> Value {
    let Value::Quantity(offset) = offset else { return offset.clone() };
    Quantity::new(offset.value().abs(), offset.unit())
        .map_or_else(|error| Value::Unreadable(error.to_string()), Value::Quantity)
}

fn is_source(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Reads the clock source. The kernel starts with `tsc-early` and may still give the TSC up.
fn source(text: &str) -> Result<Value, String> {
    match text.trim() {
        "tsc-early" => Err("the kernel has not settled yet: tsc-early; ask again".to_owned()),
        name if is_source(name) => Ok(Value::text(name)),
        other => Err(format!("expected one word, found `{other}`")),
    }
}

fn sources(text: &str) -> Result<Value, String> {
    let names: Vec<&str> = text.split_whitespace().collect();
    match names.as_slice() {
        [] => Err("expected at least one clock source".to_owned()),
        names if names.iter().all(|name| is_source(name)) => {
            Ok(Value::List(names.iter().copied().map(Value::text).collect()))
        }
        _ => Err(format!("expected clock sources, found `{text}`")),
    }
}
