//! The runs that every format is tried on, built in code: one for each thing that can happen.
//!
//! Everything is judged by the model, so that no run holds a verdict that could not be. Times,
//! hosts and ids are made up and never change.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test binary uses a part of the corpus")]

pub(crate) mod build;
pub(crate) mod hostile;
pub(crate) mod measured;

use std::collections::BTreeMap;

use verify_model::{
    check::Location,
    evidence::{Captured, Failure, FailureKind},
    finding::FindingCode,
    fingerprint::Fingerprint,
    metric::Direction,
    outcome::Outcome,
    run::Run,
    value::Value,
    verdict::Answer,
    waiver::Waiver,
};

use build::{Builder, blocked, expect, fact, failed, metric, need_absent, passed, repeats};

/// Lists every run with its name.
pub(crate) fn all() -> Vec<(&'static str, Run)> {
    vec![
        ("all-pass", all_pass()),
        ("every-outcome", every_outcome()),
        ("hostile", hostile()),
        ("nothing-answered", nothing_answered()),
        ("no-checks", no_checks()),
        ("interrupted", interrupted()),
        ("incomplete", incomplete()),
        ("waivers", waivers()),
        ("blocked-chain", blocked_chain()),
        ("many-nodes", many_nodes()),
        ("baseline-required", baseline_required()),
        ("compared", compared()),
        ("simulated", simulated()),
    ]
}

pub(crate) fn all_pass() -> Run {
    let mut run = Builder::new();
    let driver = expect("version", "version", "570");
    run.check("gpu/driver", "The driver is recent enough", vec![driver], passed());
    let rate = expect("throughput", "at-least", "9.4 Gbit/s");
    let answer = metric("throughput", "Gbit/s", Direction::HigherIsBetter, &[9.41, 9.42, 9.4]);
    run.check("net/throughput", "The direct link carries 10GbE line rate", vec![rate], answer);
    run.slow("net/throughput", 12_345_678);
    run.recorded(
        "os/release",
        "Release of the system",
        "release",
        "Debian GNU/Linux 12 (bookworm)",
    );
    run.finish()
}

/// Every outcome at least once, and what else a check can carry: advice, retries, recordings.
pub(crate) fn every_outcome() -> Run {
    let mut run = Builder::new();
    let version = vec![expect("version", "version", "570")];
    run.check("gpu/driver", "The driver is recent enough", version, passed());
    add_failures(&mut run);
    add_errors(&mut run);
    add_left_out(&mut run);
    add_unjudged(&mut run);
    let mtu = fact("mtu", Value::Integer(1500));
    let (demand, advice) = (("mtu", "at-least", "1500"), ("mtu", "at-least", "9000"));
    run.advised("net/mtu", "Jumbo frames are on", demand, advice, mtu);
    let isolated = build::facts(&[
        ("booted", Value::text("6-7")),
        ("intended", Value::Absent("no /etc/kernel/cmdline".to_owned())),
        ("generated", Value::Absent("no boot entry starts a Linux kernel".to_owned())),
    ]);
    let demand = expect("booted", "is", "6-7");
    let title = "The cpus are isolated";
    run.recorded_beside("kernel/isolcpus", title, demand, &["intended", "generated"], isolated);
    let healthy = vec![expect("healthy", "is", "yes")];
    let again = build::flaky("healthy", Value::Bool(true));
    run.check("disk/health", "The disks answer", healthy, again);
    let release = "Debian GNU/Linux 12 (bookworm)";
    run.recorded("os/release", "Release of the system", "release", release);
    run.finish()
}

fn add_failures(run: &mut Builder) {
    let four = || vec![expect("count", "is", "4")];
    let three = fact("count", Value::Integer(3));
    run.check("gpu/count", "Every GPU is seen by the driver", four(), three);
    for id in ["gpu/clocks", "gpu/p2p", "gpu/memory-bandwidth"] {
        run.check(id, "Waits for the GPUs", four(), blocked("gpu/count", Outcome::Fail));
    }
    let rate = expect("throughput", "at-least", "9.4 Gbit/s");
    let low = metric("throughput", "Gbit/s", Direction::HigherIsBetter, &[9.1, 9.05, 9.15]);
    run.check("net/throughput", "The direct link carries 10GbE line rate", vec![rate], low);
    run.slow("net/throughput", 12_345_678);
    let missing = need_absent("nvml", "libnvidia-ml.so.1 was not found", true);
    run.check("gpu/nvml", "NVML answers", vec![], missing);
}

fn add_errors(run: &mut Builder) {
    let said = "Unable to determine the device handle: GPU is lost";
    let evidence = run.exec(&["nvidia-smi", "-q", "-x"], 9, said);
    let message = format!("`nvidia-smi -q -x` ended with exit 9: {said}");
    let lost = failed(FindingCode::ProgramFailed, &message, evidence);
    let none = vec![expect("errors", "is", "0")];
    run.check("gpu/ecc", "No GPU has uncorrected memory errors", none, lost);
    let said = "no answer within 10 s";
    let evidence = run.gathered(Captured::Failed(Failure::new(FailureKind::TimedOut, said)));
    let silent = failed(FindingCode::TimedOut, said, evidence);
    let reachable = vec![expect("reachable", "is", "yes")];
    run.check("net/peer", "The other machine answers", reachable, silent);
}

fn add_left_out(run: &mut Builder) {
    for id in ["cpu/isolation", "cpu/governor", "cpu/microcode", "mem/ecc"] {
        let virtual_machine = need_absent("bare-metal", "virtual machine (KVM)", false);
        run.check(id, "Only on bare metal", vec![], virtual_machine);
    }
    let code = FindingCode::QuickLeftOut;
    let quick = Answer::LeftOut { code, message: "--quick asks for state only".into() };
    run.check("net/stress", "The link holds for an hour", vec![], quick);
}

fn add_unjudged(run: &mut Builder) {
    for (id, value) in [("lat/wakeup", 52.3), ("lat/syscall", 0.123)] {
        let within = vec![expect("p99", "within", "5 %")];
        let answer = metric("p99", "us", Direction::LowerIsBetter, &[value]);
        run.check(id, "Latency is as it was", within, answer);
    }
    let mut busy = metric("p50", "us", Direction::LowerIsBetter, &[80.0]);
    build::disturb(&mut busy, "another process used GPU 0: python3 (pid 4711)");
    run.check("lat/gpu", "A kernel launch is quick", vec![expect("p50", "at-most", "20 us")], busy);
}

/// Text that a hostile or broken node can send.
pub(crate) const HOSTILE: [&str; 9] = [
    "\u{1b}[2J\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;owned\u{7}title \u{9b}31mC1 \u{1b}]8;;http://evil never ended",
    "nul \0 bell \u{7} del \u{7f} nel \u{85} noncharacter \u{fffe}\u{ffff}",
    "]]> <script>alert(1)</script> &amp; \"quoted\" 'single' <!-- -->",
    "\u{202e}gpj.exe\u{2066} isolate",
    "first line\nsecond line\r\nthird\tcolumn\rfourth",
    "ends in escape \u{1b}",
    "größe 日本語 🦀",
    "",
];

pub(crate) fn hostile() -> Run {
    let mut run = Builder::new();
    run.hostile_node("evil\u{1b}[31m\u{202e}<host>]]>");
    for (at, text) in HOSTILE.iter().enumerate() {
        let id = format!("hostile/text-{at}");
        let demand = vec![expect("answer", "is", "fine")];
        run.check(
            &id,
            "The node answers \u{1b}[5mplainly",
            demand,
            fact("answer", Value::text(*text)),
        );
    }
    let long = "A".repeat(5000);
    run.check(
        "hostile/long",
        "The node answers briefly",
        vec![expect("answer", "is", "fine")],
        fact("answer", Value::text(&long)),
    );
    let evidence =
        run.exec(&["cat", "/etc/\u{1b}[2Jissue"], 1, "oops \u{1b}]0;title\u{7} ]]> <b>\n");
    run.check(
        "hostile/error",
        "The node answers",
        vec![expect("answer", "is", "fine")],
        failed(FindingCode::OutputUnreadable, HOSTILE.concat().as_str(), evidence),
    );
    run.check(
        "hostile/skip",
        "The node has it",
        vec![],
        need_absent("tool:<x>\u{1b}[31m", "not in PATH=\u{202e}\n/bin", false),
    );
    // Two ids that cleaning makes equal must not make two cases of one name.
    run.check(
        "hostile/\u{1}",
        "Equal when cleaned",
        vec![expect("version", "version", "1")],
        passed(),
    );
    run.check(
        "hostile/\u{2}",
        "Equal when cleaned",
        vec![expect("version", "version", "1")],
        passed(),
    );
    run.finish()
}

pub(crate) fn nothing_answered() -> Run {
    let mut run = Builder::new();
    for id in ["gpu/count", "gpu/driver"] {
        run.check(
            id,
            "A GPU is there",
            vec![],
            need_absent("nvml", "libnvidia-ml.so.1 was not found", false),
        );
    }
    run.finish()
}

pub(crate) fn no_checks() -> Run {
    Builder::new().finish()
}

pub(crate) fn interrupted() -> Run {
    let mut run = Builder::new();
    run.check(
        "gpu/driver",
        "The driver is recent enough",
        vec![expect("version", "version", "570")],
        passed(),
    );
    run.check(
        "gpu/count",
        "Every GPU is seen by the driver",
        vec![expect("count", "is", "4")],
        Answer::Interrupted,
    );
    run.check(
        "gpu/p2p",
        "GPUs reach each other",
        vec![expect("count", "is", "4")],
        Answer::Interrupted,
    );
    run.run.interrupted = true;
    run.finish()
}

/// Interrupted after the last answer: no check says so.
pub(crate) fn interrupted_at_the_end() -> Run {
    let mut run = all_pass();
    run.interrupted = true;
    run
}

pub(crate) fn incomplete() -> Run {
    let mut run = Builder::new();
    run.check(
        "gpu/driver",
        "The driver is recent enough",
        vec![expect("version", "version", "570")],
        passed(),
    );
    run.check(
        "gpu/count",
        "Every GPU is seen by the driver",
        vec![expect("count", "is", "4")],
        Answer::NotReached,
    );
    run.run.complete = false;
    run.run.elapsed_ms = 0;
    run.finish()
}

pub(crate) fn waivers() -> Run {
    let mut run = Builder::new();
    let waiver = |line, check: &str, expires: &str, strict| Waiver {
        node: "nvidia".into(),
        check: check.into(),
        reason: "the vendor sends a new cable".into(),
        owner: "ana".into(),
        expires: expires.into(),
        strict,
        only: BTreeMap::new(),
        location: Some(Location { file: "waivers.toml".into(), line }),
    };
    let only = |named: &str, waiver: Waiver| Waiver {
        only: BTreeMap::from([("nic.*.firmware".to_owned(), named.to_owned())]),
        ..waiver
    };
    run.run.nodes[0].file.waivers = vec![
        waiver(2, "net/valid", "2026-02-01", false),
        waiver(8, "net/expired", "2026-01-01", false),
        waiver(14, "net/passes", "2026-02-01", false),
        waiver(20, "net/strict", "2026-02-01", true),
        only("26.4*", waiver(26, "net/scoped", "2026-01-15", false)),
        only("26.3*", waiver(33, "net/elsewhere", "2026-02-01", false)),
    ];
    let firmware = ("nic.0000:41:00.0.firmware".to_owned(), Some("26.41.1000".to_owned()));
    run.run.nodes[0].fingerprint = Fingerprint(BTreeMap::from([firmware]));
    let demand = || vec![expect("speed", "at-least", "10 Gbit/s")];
    let speed = |value| metric("speed", "Gbit/s", Direction::HigherIsBetter, &[value]);
    run.check("net/valid", "The link is fast", demand(), speed(1.0));
    run.check("net/waits", "Waits for the link", demand(), blocked("net/valid", Outcome::Fail));
    run.check("net/expired", "The link is fast", demand(), speed(1.0));
    run.check("net/passes", "The link is fast", demand(), speed(10.0));
    run.check("net/strict", "The link is fast", demand(), speed(10.0));
    run.check("net/scoped", "The link is fast", demand(), speed(1.0));
    run.check("net/elsewhere", "The link is fast", demand(), speed(1.0));
    run.finish()
}

pub(crate) fn blocked_chain() -> Run {
    let mut run = Builder::new();
    let demand = || vec![expect("count", "is", "1")];
    run.check("net/cable", "The cable is plugged in", demand(), fact("count", Value::Integer(0)));
    run.check("net/link", "The link is up", demand(), blocked("net/cable", Outcome::Fail));
    run.check("net/speed", "The link is fast", demand(), blocked("net/cable", Outcome::Fail));
    run.check(
        "lost/child",
        "Its cause is in no plan",
        demand(),
        blocked("lost/parent", Outcome::Error),
    );
    run.finish()
}

pub(crate) fn many_nodes() -> Run {
    let mut run = Builder::new();
    run.check(
        "gpu/driver",
        "The driver is recent enough",
        vec![expect("version", "version", "570")],
        passed(),
    );
    run.node("macmini", "mini.local");
    run.check(
        "gpu/driver",
        "The driver is recent enough",
        vec![expect("version", "version", "600")],
        passed(),
    );
    run.node("linode", "");
    let evidence = run.gathered(Captured::Failed(Failure::new(
        FailureKind::Other,
        "ssh: connect to host linode port 22: Connection timed out",
    )));
    run.check(
        "net/ssh",
        "The node answers",
        vec![expect("up", "is", "yes")],
        failed(
            FindingCode::GatherFailed,
            "ssh: connect to host linode port 22: Connection timed out",
            evidence,
        ),
    );
    run.node("macbook", "book.local");
    run.finish()
}

pub(crate) fn baseline_required() -> Run {
    let mut run = Builder::new();
    run.run.header.require_baseline = true;
    let within = || vec![expect("p99", "within", "5 %")];
    run.check(
        "lat/new",
        "Wake-up latency is as it was",
        within(),
        metric("p99", "us", Direction::LowerIsBetter, &[52.3]),
    );
    run.baseline("lat/known", "p99", "50 us");
    run.check(
        "lat/known",
        "Wake-up latency is as it was",
        within(),
        metric("p99", "us", Direction::LowerIsBetter, &[51.0, 52.0]),
    );
    run.finish()
}

/// Compares with what is normal, with each word that there is.
pub(crate) fn compared() -> Run {
    let mut run = Builder::new();
    let modules = "memory: 4 -> 2 modules";
    for (id, values, changed) in [
        ("memory/same", [51.2, 51.3, 51.1], &[][..]),
        ("memory/harmless", [51.2, 51.3, 51.1], &[modules]),
        ("memory/lost", [38.0, 38.1, 37.9], &[modules]),
        ("memory/gained", [60.0, 60.2, 59.8], &[]),
        ("memory/unsure", [48.6, 48.7, 48.5], &[]),
    ] {
        run.normal(id, "copy", "51.2 GB/s", changed);
        let answer = repeats("copy", "GB/s", Direction::HigherIsBetter, values);
        let mut demand = expect("copy", "within", "5 %");
        demand.comparing.class = Some("host-memory".into());
        run.check(id, "Memory is copied as fast as it was", vec![demand], answer);
    }
    run.finish()
}

/// A stand-in answers: values, a limit, advice and a loss, and what the machine is made of.
pub(crate) fn simulated() -> Run {
    let mut run = Builder::new();
    run.node("nvidia-sim", "sim");
    let node = &mut run.run.nodes[1];
    node.facts.simulated = Some("slow-tensorrt".into());
    let field = |path: &str, value: Option<&str>| (path.to_owned(), value.map(str::to_owned));
    node.fingerprint = Fingerprint(BTreeMap::from([
        field("bios.version", Some("1.2")),
        field("gpu.0.vbios", Some("94.02.71.40.9f")),
        field("gpu.1.vbios", None),
    ]));
    let temperature = metric("gpu.temperature", "°C", Direction::LowerIsBetter, &[61.0, 62.0]);
    let (demand, advice) =
        (("gpu.temperature", "at-most", "83 °C"), ("gpu.temperature", "at-most", "60 °C"));
    run.advised("gpu/temperature", "No GPU is hot", demand, advice, temperature);
    run.normal("gpu/inference", "latency", "4 ms", &["driver: 570 -> 575"]);
    let slow = repeats("latency", "ms", Direction::LowerIsBetter, [5.2, 5.25, 5.15]);
    let mut demand = expect("latency", "within", "3 %");
    demand.comparing.class = Some("host-memory".into());
    run.check("gpu/inference", "Inference is as quick as it was", vec![demand], slow);
    run.finish()
}
