//! Answers whether a package is installed, in which version, and by which package manager.
//!
//! dpkg and rpm say "not installed" about everything where their database is lost or another
//! manager rules. So each is asked about itself, too, and believed only if it knows itself. rpm as
//! root would make the database that it does not find below HOME: it is given none. Of a version,
//! the leading numbers without epoch compare; what follows them is shown and can be matched as text.

use std::collections::BTreeSet;

use verify_model::{
    ask::{Ask, DEFAULT_CAP, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Evidence, FailureKind},
    field::FieldKind::{Bool, Integer, List, Text, Version as Numbers},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
    version::Version,
};

use crate::probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, gather_error};

pub(super) struct Package;

const SAYS: &str = "dpkg-query, rpm or brew";

static SPEC: ProbeSpec = ProbeSpec {
    name: "package",
    summary: "Whether a package is installed, in which version, and by which package manager.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "name",
            kind: ParamKind::Text,
            required: true,
            doc: "Name of the package, no pattern; dpkg takes `name:architecture`, too.",
        },
        ParamSpec {
            name: "manager",
            kind: ParamKind::Choice(&["auto", "dpkg", "rpm", "brew"]),
            required: false,
            doc: "Who is asked; `auto`, unless given: dpkg and rpm on Linux, else all; the first that has it counts.",
        },
    ],
    fields: &[
        field("installed", || Bool, SAYS, "Whether it is unpacked and configured."),
        field("manager", || Text, SAYS, "Who has it: `dpkg`, `rpm` or `brew`."),
        field(
            "version",
            || Numbers,
            SAYS,
            "Version without epoch, compared by its leading numbers; unreadable if several are there.",
        ),
        field("full-version", || Text, SAYS, "Version as the manager writes it, epoch included."),
        field("epoch", || Integer, SAYS, "Epoch of the version, 0 unless it names one."),
        field(
            "versions",
            || List(Box::new(Numbers)),
            SAYS,
            "All that are installed, without epoch, rising, each once.",
        ),
        field("architectures", || List(Box::new(Text)), SAYS, "Architectures, sorted."),
        field(
            "state",
            || Text,
            SAYS,
            "`installed`; of dpkg also `config-files`, `half-installed`, `reinst-required`, ...",
        ),
        field("held", || Bool, "dpkg-query", "Whether dpkg is told to keep the version."),
    ],
    example: r#"with = { name = "chrony" }
expect = { version = { version = ">= 4" } }"#,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Dpkg,
    Rpm,
    Brew,
}

const MANAGERS: [Manager; 3] = [Manager::Dpkg, Manager::Rpm, Manager::Brew];

impl Manager {
    fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
            Self::Brew => "brew",
        }
    }

    /// Packages of which a manager that rules the system knows at least one.
    fn own(self) -> &'static [&'static str] {
        match self {
            Self::Dpkg => &["dpkg"],
            // SUSE's image for containers has it under another name.
            Self::Rpm => &["rpm", "rpm-ndb"],
            Self::Brew => &[],
        }
    }

    fn ask(self, name: &str) -> Ask {
        // Want, status, error flag, version, architecture, name; epoch, version, release, ...
        let (mut argv, env): (Vec<&str>, &[(&str, &str)]) = match self {
            Self::Dpkg => (
                vec![
                    "dpkg-query",
                    "-W",
                    "-f",
                    "${db:Status-Want}\\t${db:Status-Status}\\t${db:Status-Eflag}\\t${Version}\\t${Architecture}\\t${Package}\\n",
                ],
                &[],
            ),
            Self::Rpm => (
                vec![
                    "rpm",
                    "-q",
                    "--queryformat",
                    "%{EPOCH}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{NAME}\\n",
                ],
                &[("HOME", "/dev/null")],
            ),
            Self::Brew => (
                vec!["brew", "list", "--versions"],
                &[("HOMEBREW_NO_AUTO_UPDATE", "1"), ("HOMEBREW_NO_ANALYTICS", "1")],
            ),
        };
        argv.push(name);
        argv.extend(self.own().iter().filter(|own| **own != name));
        let env = env.iter().chain(&[("LC_ALL", "C")]);
        Ask::Exec {
            argv: argv.into_iter().map(str::to_owned).collect(),
            env: env.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            limit_ms: DEFAULT_LIMIT_MS,
            cap: DEFAULT_CAP,
        }
    }
}

/// Returns who is asked. On Linux brew is one user's besides the system's own, takes a second to
/// start and refuses root, so it is asked only by name.
fn asked(with: With<'_>, facts: &Facts) -> Vec<Manager> {
    let wanted = with.text("manager").unwrap_or("auto");
    let is_linux = facts.capabilities.contains("linux");
    let fits = |manager: &Manager| match wanted {
        "auto" => *manager != Manager::Brew || !is_linux,
        name => name == manager.name(),
    };
    MANAGERS.into_iter().filter(fits).collect()
}

/// Says who was asked by one piece of evidence.
fn who(piece: &Evidence) -> Option<Manager> {
    let Ask::Exec { argv, .. } = &piece.ask else { return None };
    MANAGERS.into_iter().find(|manager| match manager {
        Manager::Dpkg => argv.first().is_some_and(|program| program == "dpkg-query"),
        other => argv.first().is_some_and(|program| program == other.name()),
    })
}

impl Probe for Package {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        let name = with.required("name")?;
        let of_a_name = |c: char| c.is_ascii_alphanumeric() || "+-._@:/~".contains(c);
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || name.len() > 255 || !name.chars().all(of_a_name) {
            return Err(format!(
                "`{name}` is not the name of a package: it begins with a letter or digit and has \
                 no blanks and no patterns"
            ));
        }
        Ok(asked(with, facts).into_iter().map(|manager| manager.ask(name)).collect())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let name = with.required("name").map_err(|why| failed(FindingCode::BadParameter, why))?;
        let answers: Option<Vec<(Manager, Answer)>> = evidence
            .iter()
            .map(|piece| who(piece).map(|manager| (manager, answer(manager, name, piece))))
            .collect();
        match answers {
            Some(answers) if !answers.is_empty() => decide(name, &answers),
            _ => Err(failed(FindingCode::NotRecorded, "no package manager was asked")),
        }
    }
}

/// Holds one package as a manager has it.
#[derive(Debug)]
struct Row {
    installed: bool,
    state: String,
    held: Option<bool>,
    epoch: Option<i64>,
    version: String,
    full: String,
    architecture: Option<String>,
}

#[derive(Debug)]
enum Answer {
    /// The manager knows the package, installed or not.
    Known(Vec<Row>),
    /// The manager rules the system and does not know the package.
    Unknown,
    /// The manager does not rule this system: its program or its database is missing.
    Elsewhere(String),
    Broken(AttemptError),
}

fn answer(manager: Manager, name: &str, piece: &Evidence) -> Answer {
    let broken =
        |code, what: String| Answer::Broken(failed(code, format!("{}: {what}", piece.ask)));
    let (exit, stdout, stderr) = match &piece.captured {
        Captured::Exec { exit, stdout, stderr, .. } => (*exit, stdout, stderr),
        Captured::Failed(failure) if failure.kind == FailureKind::NotFound => {
            return Answer::Elsewhere(failure.message.clone());
        }
        Captured::Failed(failure) => return Answer::Broken(gather_error(piece, failure)),
        _ => return broken(FindingCode::OutputUnreadable, "not a program's output".to_owned()),
    };
    if stdout.truncated + stderr.truncated > 0 {
        return broken(FindingCode::OutputUnreadable, "a part of its output is missing".to_owned());
    }
    if manager == Manager::Rpm && stderr.text.contains("/dev/null/.rpmdb") {
        return Answer::Elsewhere("rpm keeps no database of the system".to_owned());
    }
    // rpm counts in its status what it did not find, even where it cannot open its database.
    let trouble =
        stderr.text.lines().find(|line| line.contains("rror:") && !line.contains("No such keg"));
    let usual = match manager {
        Manager::Dpkg | Manager::Brew => matches!(exit, Some(0 | 1)),
        Manager::Rpm => matches!(exit, Some(0..=3)),
    };
    if trouble.is_some() || !usual {
        let how =
            exit.map_or_else(|| "no exit status".to_owned(), |code| format!("exit status {code}"));
        let last = stderr.text.lines().rfind(|line| !line.trim().is_empty());
        let said = trouble.or(last).unwrap_or("no message");
        return broken(FindingCode::ProgramFailed, format!("{how}: {said}"));
    }
    match rows(manager, name, &stdout.text) {
        Ok((_, false)) => Answer::Elsewhere(format!(
            "{} does not know itself: its database is empty, or another manager rules",
            manager.name()
        )),
        Ok((rows, true)) if rows.is_empty() => Answer::Unknown,
        Ok((rows, true)) => Answer::Known(rows),
        Err(line) => broken(FindingCode::OutputUnreadable, format!("cannot read `{line}`")),
    }
}

/// Reads the rows about the package, and whether the manager knows itself.
///
/// *Errors*: a line that is not as expected.
fn rows(manager: Manager, name: &str, text: &str) -> Result<(Vec<Row>, bool), String> {
    let mut rows = Vec::new();
    let mut knows_itself = manager.own().is_empty();
    let plain =
        if manager == Manager::Dpkg { name.split(':').next().unwrap_or(name) } else { name };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if manager == Manager::Brew {
            rows.extend(brew(name, line).ok_or(line)?);
            continue;
        }
        if manager == Manager::Rpm
            && line.starts_with("package ")
            && line.contains(" not installed")
        {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let found = if manager == Manager::Dpkg { dpkg(&cells) } else { rpm(&cells) };
        let (called, row) = found.ok_or(line)?;
        knows_itself |= manager.own().contains(&called) && row.installed;
        // dpkg remembers names that it only once heard of.
        if called == plain && row.state != "not-installed" {
            rows.push(row);
        }
    }
    Ok((rows, knows_itself))
}

/// *Source*: dpkg-query(1), `db:Status-*`; deb-version(7).
fn dpkg<'a>(cells: &[&'a str]) -> Option<(&'a str, Row)> {
    let [want, status, flag, full, architecture, name] = *cells else { return None };
    if status.is_empty() || name.is_empty() {
        return None;
    }
    let state = if flag == "ok" { status } else { "reinst-required" };
    let (epoch, version) = match full.split_once(':') {
        Some((epoch, version)) => (epoch.parse().ok()?, version),
        None => (0, full),
    };
    let row = Row {
        // Waiting for triggers, it is configured and works.
        installed: matches!(state, "installed" | "triggers-awaited" | "triggers-pending"),
        state: state.to_owned(),
        held: Some(want == "hold"),
        epoch: Some(epoch),
        version: version.to_owned(),
        full: full.to_owned(),
        architecture: Some(architecture.to_owned()).filter(|name| !name.is_empty()),
    };
    Some((name, row))
}

/// *Source*: rpm(8), the tags of `--queryformat`.
fn rpm<'a>(cells: &[&'a str]) -> Option<(&'a str, Row)> {
    let [epoch, version, architecture, name] = *cells else { return None };
    let (epoch, full) = match epoch {
        "(none)" => (0, version.to_owned()),
        number => (number.parse().ok()?, format!("{number}:{version}")),
    };
    let row = Row {
        installed: true,
        state: "installed".to_owned(),
        held: None,
        epoch: Some(epoch),
        version: version.to_owned(),
        full,
        architecture: Some(architecture.to_owned()).filter(|name| name != "(none)"),
    };
    Some((name, row))
}

/// *Source*: brew(1), `list --versions`: the name and all installed versions on one line.
fn brew(name: &str, line: &str) -> Option<Vec<Row>> {
    let mut words = line.split_whitespace();
    // A formula of a tap is listed without the tap.
    let called = words.next().filter(|called| name.rsplit('/').next() == Some(called));
    let row = |version: &str| Row {
        installed: true,
        state: "installed".to_owned(),
        held: None,
        epoch: None,
        version: version.to_owned(),
        full: version.to_owned(),
        architecture: None,
    };
    let rows: Vec<Row> = words.map(row).collect();
    called.filter(|_| !rows.is_empty()).map(|_| rows)
}

/// Chooses the manager that has the package installed, else the one that knows of it.
///
/// *Errors*: no manager rules the system, or one that might have it gave no answer.
fn decide(name: &str, answers: &[(Manager, Answer)]) -> Result<Observation, AttemptError> {
    let known = |wanted: bool| {
        answers.iter().find_map(|(manager, answer)| match answer {
            Answer::Known(rows) if rows.iter().any(|row| row.installed) == wanted => {
                Some((*manager, rows))
            }
            _ => None,
        })
    };
    if let Some((manager, rows)) = known(true) {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.installed).collect();
        return Ok(present(manager, &rows));
    }
    for (_, answer) in answers {
        if let Answer::Broken(why) = answer {
            return Err(why.clone());
        }
    }
    if let Some((manager, rows)) = known(false) {
        return Ok(left_over(name, manager, rows));
    }
    let unknown: Vec<&str> = answers
        .iter()
        .filter(|(_, answer)| matches!(answer, Answer::Unknown))
        .map(|(manager, _)| manager.name())
        .collect();
    if unknown.is_empty() {
        let whys: Vec<&str> = answers
            .iter()
            .filter_map(
                |(_, a)| if let Answer::Elsewhere(why) = a { Some(why.as_str()) } else { None },
            )
            .collect();
        let message = format!("no package manager answers: {}", whys.join("; "));
        return Err(failed(FindingCode::ToolMissing, message));
    }
    let why = format!("no package {name} is known to {}", unknown.join(" and "));
    let rest = SPEC.fields.iter().filter(|field| field.path != "installed");
    Ok(rest
        .fold(Observation::default(), |o, field| o.fact(field.path, Value::Absent(why.clone())))
        .fact("installed", Value::Bool(false)))
}

/// States what the manager still knows of a package that is not installed.
fn left_over(name: &str, manager: Manager, rows: &[Row]) -> Observation {
    let states: BTreeSet<&str> = rows.iter().map(|row| row.state.as_str()).collect();
    let state = states.into_iter().collect::<Vec<_>>().join(", ");
    let why = format!("{name} is not installed; its state is {state}");
    let rest = ["version", "full-version", "epoch", "versions", "architectures"];
    let observation = rest
        .into_iter()
        .fold(Observation::default(), |o, field| o.fact(field, Value::Absent(why.clone())));
    observation
        .fact("installed", Value::Bool(false))
        .fact("manager", Value::text(manager.name()))
        .fact("state", Value::Text(state))
        .fact("held", held(manager, rows.iter()))
}

fn held<'a>(manager: Manager, mut rows: impl Iterator<Item = &'a Row>) -> Value {
    if manager != Manager::Dpkg {
        return Value::Absent(format!("{} keeps no such mark with its packages", manager.name()));
    }
    Value::Bool(rows.any(|row| row.held == Some(true)))
}

fn present(manager: Manager, rows: &[&Row]) -> Observation {
    let mut versions: Vec<&str> = rows.iter().map(|row| row.version.as_str()).collect();
    versions.sort_by(|a, b| Version::parse(a).cmp(&Version::parse(b)).then(a.cmp(b)));
    versions.dedup();
    let architectures: BTreeSet<&str> =
        rows.iter().filter_map(|row| row.architecture.as_deref()).collect();
    let states: BTreeSet<&str> = rows.iter().map(|row| row.state.as_str()).collect();
    let fulls: BTreeSet<&str> = rows.iter().map(|row| row.full.as_str()).collect();
    let several = |value: Value| match fulls.len() {
        1 => value,
        count => Value::Unreadable(format!(
            "{count} versions are installed ({}): use `versions`",
            versions.join(", ")
        )),
    };
    let no_epoch = || Value::Absent(format!("{} knows no epochs", manager.name()));
    let first = rows.first();
    let text = |of: fn(&Row) -> &str| Value::text(first.map(|row| of(row)).unwrap_or_default());
    let architectures = if architectures.is_empty() {
        Value::Absent(format!("{} does not name it", manager.name()))
    } else {
        Value::List(architectures.into_iter().map(Value::text).collect())
    };
    Observation::default()
        .fact("installed", Value::Bool(true))
        .fact("manager", Value::text(manager.name()))
        .fact("version", several(text(|row| &row.version)))
        .fact("full-version", several(text(|row| &row.full)))
        .fact(
            "epoch",
            several(first.and_then(|row| row.epoch).map_or_else(no_epoch, Value::Integer)),
        )
        .fact("architectures", architectures)
        .fact("state", Value::Text(states.into_iter().collect::<Vec<_>>().join(", ")))
        .fact("held", held(manager, rows.iter().copied()))
        .fact("versions", Value::List(versions.iter().map(|v| Value::text(*v)).collect()))
}
