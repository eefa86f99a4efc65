//! What is read of a machine from what was gathered, and what is never taken for a change.

#![allow(clippy::unwrap_used, reason = "the test says what must be there")]

use std::collections::BTreeMap;

use verify_engine::{
    fingerprint::{Wanted, Way, asks, core, read},
    load::embedded::SUITES,
    probes,
};
use verify_model::{
    ask::Ask,
    check::{Check, Location, Params},
    effect::Effect,
    evidence::{Captured, Evidence, Failure, FailureKind, Stream},
    fingerprint::{Fingerprint, NONE, is_known},
    matcher::Literal,
    node::{Facts, NodeFile},
};

fn check(probe: &str, with: Params) -> Check {
    Check {
        id: format!("a/{probe}"),
        suite: "a".into(),
        title: "t".into(),
        probe: probe.into(),
        with,
        effect: Effect::Loads,
        after: vec![],
        when: vec![],
        tags: vec![],
        why: "w".into(),
        source: "s".into(),
        fix: "f".into(),
        repeat: 1,
        limit_ms: 1000,
        retries: 0,
        expect: vec![],
        advise: vec![],
        record: vec![],
        location: Location::default(),
    }
}

fn wanted(names: &[&str]) -> Wanted {
    let compiler = Params::from([("compiler".to_owned(), Literal::Text("g++".to_owned()))]);
    let checks: Vec<Check> = names.iter().map(|name| check(name, compiler.clone())).collect();
    Wanted::of(&checks, &NodeFile::default())
}

fn all() -> Vec<&'static str> {
    probes::PROBES.iter().map(|probe| probe.spec().name).collect()
}

/// Answers every ask by a function.
fn answered(
    wanted: &Wanted,
    facts: &Facts,
    way: Way,
    answer: impl Fn(&Ask) -> Captured,
) -> Fingerprint {
    let asks = core().into_iter().chain(asks(wanted, facts, way));
    let pieces: Vec<Evidence> = asks
        .map(|ask| Evidence {
            id: 0,
            node: "box".into(),
            captured: answer(&ask),
            ask,
            at_ms: 0,
            elapsed_us: 0,
        })
        .collect();
    read(wanted, facts, &pieces.iter().collect::<Vec<_>>())
}

fn text(text: &str) -> Captured {
    let stdout = Stream::whole(text.as_bytes());
    Captured::Exec { exit: Some(0), signal: None, stdout, stderr: Stream::default() }
}

fn failed(kind: FailureKind) -> Captured {
    Captured::Failed(Failure::new(kind, "no"))
}

#[test]
fn what_could_not_be_gathered_is_unknown_whatever_the_reason() {
    let wanted = wanted(&all());
    for kind in [FailureKind::TimedOut, FailureKind::PermissionDenied, FailureKind::NotRecorded] {
        for way in [Way::Near, Way::Far, Way::Recorded] {
            let print = answered(&wanted, &Facts::default(), way, |_| failed(kind));
            assert!(print.0.len() > 30, "{print:?}");
            let known: Vec<_> = print.0.iter().filter(|(_, text)| text.is_some()).collect();
            assert!(known.is_empty(), "{kind:?}: {known:?}");
        }
    }
}

#[test]
fn garbage_is_read_without_breaking_and_every_path_is_in_the_table() {
    let garbage = [
        text("\u{0}\u{1b}[2J garbage \n\n: = ."),
        text(""),
        Captured::File(Stream::whole(b"MemTotal: \xff\xfe\nE:MEMORY_DEVICE_0_SIZE=1e99\n")),
        Captured::Files(vec![(
            "/sys/class/net/x.y/device/uevent".into(),
            Ok(Stream::whole(b"DRIVER=\n")),
        )]),
        Captured::Listing(vec!["nvme0n1".into(), "../x".into()]),
        Captured::Connected,
        Captured::Exec {
            exit: None,
            signal: Some(9),
            stdout: Stream::default(),
            stderr: Stream::default(),
        },
        Captured::File(Stream::cut(b"a", b"b", 7)),
    ];
    let wanted = wanted(&all());
    for captured in garbage {
        let print = answered(&wanted, &Facts::default(), Way::Recorded, |_| captured.clone());
        for (path, value) in &print.0 {
            assert!(is_known(path), "{path}");
            let clean = |text: &String| !text.chars().any(char::is_control) && !text.is_empty();
            assert!(value.as_ref().is_none_or(clean), "{path}: {value:?}");
        }
    }
}

#[test]
fn a_program_that_is_not_there_is_none_and_its_version_is_the_first_number() {
    let wanted = wanted(&["storage-throughput", "iperf3", "tensorrt", "compile"]);
    let print = answered(&wanted, &Facts::default(), Way::Near, |ask| match ask {
        Ask::Exec { argv, .. } => match argv[0].as_str() {
            "fio" => text("fio-3.36\n"),
            "g++-13" => text("g++-13 (Ubuntu 13.2.0-23ubuntu4) 13.2.0\n"),
            "trtexec" => {
                text("&&&& RUNNING TensorRT.trtexec [TensorRT v101302] # trtexec --help\n")
            }
            _ => failed(FailureKind::NotFound),
        },
        _ => failed(FailureKind::NotFound),
    });
    assert_eq!(print.get("tool.fio"), Some("3.36"));
    assert_eq!(print.get("tool.iperf3"), Some(NONE));
    assert_eq!(print.get("tensorrt.version"), Some("10.13.2"));
    assert_eq!(print.get("compiler.g++"), Some("13.2.0"));
}

#[test]
fn a_machine_without_a_card_is_not_asked_for_one_and_has_none() {
    let mut facts = Facts::default();
    let wanted = wanted(&["cuda"]);
    let of_cards = |facts: &Facts| {
        let asks = asks(&wanted, facts, Way::Recorded);
        asks.iter().filter(|ask| format!("{ask}").contains("nv")).count()
    };
    assert_eq!(of_cards(&facts), 3);
    facts.missing.insert("nvidia-gpu".into(), "no display controller of NVIDIA".into());
    assert_eq!(of_cards(&facts), 0);
    let print = answered(&wanted, &facts, Way::Near, |_| failed(FailureKind::NotFound));
    assert_eq!((print.get("gpu.count"), print.get("bridge.count")), (Some("0"), Some("0")));
}

#[test]
fn only_what_is_planned_is_asked_for() {
    let none = wanted(&["memory", "cpu", "nvml"]);
    assert_eq!(asks(&none, &Facts::default(), Way::Near), []);
    let far = asks(&wanted(&all()), &Facts::default(), Way::Far);
    let measured = far.iter().filter(|ask| matches!(ask, Ask::Instrument { .. }));
    assert_eq!(measured.count(), 0, "an instrument needs an exchange of its own");
    assert!(far.iter().all(|ask| ask.limit_ms().is_none_or(|ms| ms <= 10_000)));
}

#[test]
fn both_ways_to_ask_for_cards_say_the_same() {
    let smi = |name: &str| -> Vec<Captured> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/evidence");
        let text = std::fs::read_to_string(format!("{folder}/{name}/case.json")).unwrap();
        let case: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        serde_json::from_value(case["captured"].clone()).unwrap()
    };
    let nvml = smi("nvml/ok-pair");
    let tool = smi("nvidia-smi/ok-driver-570");
    let wanted = wanted(&["cuda"]);
    let facts = Facts::default();
    let near = answered(&wanted, &facts, Way::Near, |ask| match ask {
        Ask::Instrument { .. } => nvml[0].clone(),
        _ => failed(FailureKind::NotFound),
    });
    let far = answered(&wanted, &facts, Way::Far, |ask| match ask {
        Ask::Exec { argv, .. } if argv[1] == "-q" => tool[0].clone(),
        Ask::Exec { argv, .. } if argv[1] == "topo" => tool[1].clone(),
        _ => failed(FailureKind::NotFound),
    });
    for print in [&near, &far] {
        assert_eq!(print.get("gpu.count"), Some("2"), "{print:?}");
        assert!(print.get("bridge.count").is_some(), "{print:?}");
    }
    // Two machines of the same build, whose cards stand at other addresses.
    let build = |print: &Fingerprint| -> Vec<(String, String)> {
        let known = print.0.iter().filter_map(|(path, text)| Some((path, text.as_ref()?)));
        let same = ["name", "power-limit", "count"];
        let own = known.filter(|(path, _)| {
            path.starts_with("bridge.") || same.iter().any(|end| path.ends_with(end))
        });
        let place = |text: &str| text.replace("0b:00", "09:00").replace("0c:00", "0a:00");
        own.map(|(path, text)| (place(path), text.clone())).collect()
    };
    assert_eq!(build(&near), build(&far));
    assert!(build(&near).contains(&("bridge.0000:09:00.0-0000:0a:00.0".into(), "4 links".into())));
}

#[test]
fn every_shipped_suite_can_be_asked_what_it_depends_on() {
    assert!(!SUITES.is_empty());
    for probe in probes::PROBES.iter().filter(|probe| !probe.spec().depends.is_empty()) {
        let name = probe.spec().name;
        let print = answered(&wanted(&[name]), &Facts::default(), Way::Near, |_| {
            failed(FailureKind::Other)
        });
        let own = print.of(probe.spec().depends);
        assert!(!own.is_empty(), "{name}");
    }
}
