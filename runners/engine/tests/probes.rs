//! What every probe must keep, whatever it asks: walks the table and the evidence cases.
//!
//! A case is `evidence/<probe>/<case>/case.json` (parameters, what was captured) with the reading
//! expected of it beside it. `VERIFY_BLESS=1 cargo test` writes the readings anew; look at the diff.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "the test reads and blesses its own cases"
)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use verify_engine::{
    load::embedded::SUITES,
    probe::{Probe, With},
    probes::PROBES,
};
use verify_model::{
    check::Params,
    evidence::{Captured, Evidence, Failure, FailureKind, Stream},
    field::FieldKind,
    fingerprint::{GROUPS, is_known},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

/// Probes for any purpose, which the shipped suites need not use.
const GENERIC: [&str; 7] =
    ["bench-import", "command", "file", "port", "process", "sysctl", "sysfs"];
/// Facts that a probe states by finding nothing: they are answers although nothing was gathered.
const SAID_BY_ABSENCE: [&str; 3] = ["exists", "missing", "open"];

const FAILURES: [FailureKind; 20] = [
    FailureKind::NotFound,
    FailureKind::PermissionDenied,
    FailureKind::TimedOut,
    FailureKind::Unkillable,
    FailureKind::Interrupted,
    FailureKind::NotRecorded,
    FailureKind::NotSimulated,
    FailureKind::Refused,
    FailureKind::Unsupported,
    FailureKind::NameUnknown,
    FailureKind::NoRoute,
    FailureKind::LoginRefused,
    FailureKind::LoginTimedOut,
    FailureKind::HostKeyUnknown,
    FailureKind::HostKeyChanged,
    FailureKind::AuthenticationRefused,
    FailureKind::ShellBroken,
    FailureKind::ConnectionLost,
    FailureKind::DiskFull,
    FailureKind::Other,
];

#[derive(serde::Deserialize)]
struct Case {
    note: String,
    with: Params,
    captured: Vec<Captured>,
}

type Found = Result<Observation, AttemptError>;

/// Lists the cases of a probe: folder and content.
fn cases(probe: &dyn Probe) -> Vec<(PathBuf, Case)> {
    let root =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/evidence").join(probe.spec().name);
    let entries = fs::read_dir(&root).unwrap_or_else(|e| panic!("{}: {e}", root.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("case.json"))
            .unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let case =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        (folder, case)
    };
    folders.into_iter().map(read).collect()
}

fn read(probe: &dyn Probe, with: &Params, captured: &[Captured]) -> Found {
    let asks = probe.asks(With(with), &Facts::default()).expect("the case's parameters are usable");
    assert_eq!(asks.len(), captured.len(), "one answer an ask: {asks:?}");
    let pieces: Vec<Evidence> = asks
        .into_iter()
        .zip(captured)
        .map(|(ask, captured)| Evidence {
            id: 0,
            node: "node".to_owned(),
            ask,
            at_ms: 0,
            elapsed_us: 1500,
            captured: captured.clone(),
        })
        .collect();
    probe.read(With(with), &pieces.iter().collect::<Vec<_>>())
}

#[test]
fn every_probe_documents_itself() {
    let kebab = |name: &str| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let mut names = Vec::new();
    for probe in PROBES {
        let spec = probe.spec();
        let name = spec.name;
        assert!(kebab(name), "{name}");
        assert!(spec.summary.ends_with('.') && spec.example.contains("expect"), "{name}");
        for param in spec.params {
            assert!(kebab(param.name) && param.doc.ends_with('.'), "{name}: {}", param.name);
        }
        assert!(!spec.fields.is_empty(), "{name}");
        for field in spec.fields {
            assert!(field.path.split('.').all(kebab), "{name}: {}", field.path);
            assert!(field.doc.ends_with('.') && !field.source.is_empty(), "{name}: {}", field.path);
            let kind = (field.kind)();
            let measured = matches!(kind, FieldKind::Quantity(_) | FieldKind::Metric(..));
            assert!(
                !measured || kind.unit().is_some(),
                "{name}: {} has an unknown unit",
                field.path
            );
        }
        names.push(name);
    }
    assert!(names.is_sorted(), "PROBES is sorted by name: {names:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

#[test]
fn every_probe_that_measures_says_what_its_metrics_depend_on_and_no_other_does() {
    for probe in PROBES {
        let spec = probe.spec();
        let measures =
            spec.fields.iter().any(|field| matches!((field.kind)(), FieldKind::Metric(..)));
        assert_eq!(measures, !spec.depends.is_empty(), "{}", spec.name);
        for (at, depends) in spec.depends.iter().enumerate() {
            let name = depends.group;
            let known = GROUPS.iter().any(|group| group.name == name) || is_known(name);
            assert!(known, "{}: there is no `{name}` in a fingerprint", spec.name);
            let twice = spec.depends[..at].iter().any(|other| other.group == name);
            assert!(!twice, "{}: `{name}` stands twice", spec.name);
        }
    }
}

#[test]
fn every_probe_is_used_by_a_shipped_suite_or_is_generic() {
    for probe in PROBES {
        let name = probe.spec().name;
        let line = format!("\"{name}\"");
        let used = SUITES.iter().any(|(_, text)| {
            text.lines().any(|l| l.trim_start().starts_with("probe") && l.ends_with(&line))
        });
        assert!(used || GENERIC.contains(&name), "no suite uses `{name}`");
    }
}

#[test]
fn every_probe_has_cases_of_what_is_right_missing_garbled_and_cut() {
    for probe in PROBES {
        let names: Vec<String> = cases(*probe)
            .iter()
            .map(|(f, _)| f.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        for wanted in ["ok-", "absent", "garbled", "truncated"] {
            let there = names.iter().any(|n| n.starts_with(wanted));
            assert!(there, "{} has no case `{wanted}`: {names:?}", probe.spec().name);
        }
        assert!(
            cases(*probe).iter().all(|(_, case)| !case.note.is_empty()),
            "{}",
            probe.spec().name
        );
    }
}

#[test]
fn every_case_is_read_as_expected() {
    let mut differing = Vec::new();
    for probe in PROBES {
        for (folder, case) in cases(*probe) {
            let found = read(*probe, &case.with, &case.captured);
            let text = serde_json::to_string_pretty(&found).unwrap() + "\n";
            let path = folder.join("expected.json");
            if std::env::var_os("VERIFY_BLESS").is_some() {
                fs::write(&path, &text).unwrap();
            } else if fs::read_to_string(&path).unwrap_or_default() != text {
                differing.push(format!("{}:\n{text}", folder.display()));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn every_declared_field_is_filled_with_its_kind() {
    for probe in PROBES {
        for (folder, case) in cases(*probe) {
            let Ok(found) = read(*probe, &case.with, &case.captured) else { continue };
            demand_declared_kinds(*probe, &case.with, &found);
            for field in probe.spec().fields {
                let value = found.resolve(field.path).to_string();
                assert!(!value.contains("the probe gave no"), "{}: {value}", folder.display());
            }
        }
    }
}

/// What the loader checked expectations against must be what they meet; and nothing undeclared.
fn demand_declared_kinds(probe: &dyn Probe, with: &Params, found: &Observation) {
    let spec = probe.spec();
    for name in found.facts.keys().chain(found.metrics.keys()) {
        let declared = |path: &str| path == name || path.split('.').next() == Some(name.as_str());
        let known = spec.fields.iter().any(|field| declared(field.path));
        assert!(known, "{} does not declare `{name}`", spec.name);
    }
    for field in spec.fields {
        let kind = probe.kind(field, With(with));
        if let (FieldKind::Metric(_, direction), Some(metric)) =
            (&kind, found.metrics.get(field.path))
        {
            assert_eq!(metric.direction(), *direction, "{}: {}", spec.name, field.path);
        }
        let value = found.resolve(field.path);
        assert!(
            kind.holds(&value),
            "{}: {} is declared {} and is {value:?}",
            spec.name,
            field.path,
            kind.name()
        );
    }
}

/// Damages one captured thing in many ways, always the same ones.
fn damaged(captured: &Captured) -> Vec<Captured> {
    let failed = |kind| Captured::Failed(Failure::new(kind, "made to fail"));
    let mut ways = vec![
        Captured::Connected,
        Captured::Found("/bin/true".to_owned()),
        Captured::Listing(vec![]),
        Captured::Files(vec![]),
        Captured::Files(vec![("no/such\u{0}path".to_owned(), Ok(Stream::whole(b"\xff\xfe")))]),
        Captured::File(Stream::default()),
        Captured::Exec {
            exit: None,
            signal: None,
            stdout: Stream::default(),
            stderr: Stream::default(),
        },
    ];
    ways.extend(FAILURES.map(failed));
    for text in texts(captured) {
        let boundaries: Vec<usize> =
            (0..=20).map(|n| n * text.len() / 20).filter(|at| text.is_char_boundary(*at)).collect();
        let mut changed: Vec<String> = boundaries.iter().map(|at| text[..*at].to_owned()).collect();
        changed.push(text.replace(|c: char| c.is_ascii_digit(), "9"));
        changed.push(text.replace(|c: char| c.is_ascii_digit(), "x"));
        changed.push(text.replace(|c: char| c.is_ascii_digit(), "99999999999999999999"));
        changed.push(text.replace([' ', '=', ':', '(', ')', '-', ','], ""));
        changed.push(text.replace('\n', "\u{202e}é"));
        changed.push(text.chars().rev().collect());
        changed.extend((0..20).map(|n| with_flipped_bits(&text, n * text.len() / 20)));
        ways.extend(changed.into_iter().map(|new| with_text(captured, &text, &new)));
    }
    ways
}

fn with_flipped_bits(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 0b0101_0101;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn texts(captured: &Captured) -> Vec<String> {
    match captured {
        Captured::File(stream) => vec![stream.text.clone()],
        Captured::Exec { stdout, stderr, .. } => vec![stdout.text.clone(), stderr.text.clone()],
        Captured::Files(files) => files
            .iter()
            .filter_map(|(_, c)| c.as_ref().ok())
            .take(3)
            .map(|s| s.text.clone())
            .collect(),
        _ => Vec::new(),
    }
}

fn with_text(captured: &Captured, old: &str, new: &str) -> Captured {
    let change = |stream: &mut Stream| {
        if stream.text == old {
            new.clone_into(&mut stream.text);
        }
    };
    let mut captured = captured.clone();
    match &mut captured {
        Captured::File(stream) => change(stream),
        Captured::Exec { stdout, stderr, .. } => [stdout, stderr].into_iter().for_each(change),
        Captured::Files(files) => {
            files.iter_mut().filter_map(|(_, c)| c.as_mut().ok()).for_each(change);
        }
        _ => {}
    }
    captured
}

#[test]
fn no_damage_to_the_evidence_breaks_a_probe() {
    let mut read_count = 0;
    for probe in PROBES {
        // What several cases share, as most do "no such file", is damaged in the first of them.
        let mut seen = BTreeSet::new();
        for (_, case) in cases(*probe) {
            for at in 0..case.captured.len() {
                if !seen.insert((at, serde_json::to_string(&case.captured[at]).unwrap())) {
                    continue;
                }
                for way in damaged(&case.captured[at]) {
                    let mut captured = case.captured.clone();
                    captured[at] = way;
                    if let Ok(found) = read(*probe, &case.with, &captured) {
                        demand_declared_kinds(*probe, &case.with, &found);
                    }
                    read_count += 1;
                }
            }
        }
    }
    assert!(read_count > 5000, "{read_count}");
}

#[test]
fn nothing_gathered_is_never_a_value() {
    for probe in PROBES {
        for (folder, case) in cases(*probe) {
            for kind in FAILURES {
                let failed = Captured::Failed(Failure::new(kind, "made to fail"));
                let captured = vec![failed; case.captured.len()];
                let Ok(found) = read(*probe, &case.with, &captured) else { continue };
                assert!(found.metrics.is_empty(), "{}: {kind:?}", folder.display());
                for field in
                    probe.spec().fields.iter().filter(|f| !SAID_BY_ABSENCE.contains(&f.path))
                {
                    let value = found.resolve(field.path);
                    assert!(
                        !has_value(&value),
                        "{}: {kind:?}: {} is {value}",
                        folder.display(),
                        field.path
                    );
                }
            }
        }
    }
}

/// Tells whether something is stated in a value, however deep.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Absent(_) | Value::Unreadable(_) => false,
        Value::List(items) => items.iter().any(has_value),
        Value::Record(fields) => fields.values().any(has_value),
        _ => true,
    }
}
