//! A run in which there is much to draw: latencies, gaps, intervals, two machines with a cable, history.

use std::collections::BTreeMap;

use verify_model::{
    ask::Ask,
    baseline::Distribution,
    cpu_set::CpuSet,
    effect::Effect,
    evidence::{Captured, Stream},
    link::{End, Link},
    metric::{Direction, Metric},
    observation::{Attempt, Observation},
    outcome::Outcome,
    run::Run,
    trend::{Trend, TrendChange, TrendPoint},
    unit::Unit,
    value::Value,
    verdict::{Answer, CheckKey},
};

use super::build::{Builder, expect};

/// Histogram of two thousand iterations, some of which took longer. *Units*: ps.
pub(crate) const HISTOGRAM: &str = "HISTFAAAAH94nO2KMRJGMBSEY/83mfR/ywU0DqBQGCfRuwSNUaodR+E2GjUvCcYY1AabvOy3eesW9V8I8oTVb3ZHz8iKevsxxJKIJMAPA5sGjjqZyAA8siTICNjaPn6lN5QUKSWlHcYlHuMNSm2AykFp7gWkSBCv54z3my5DHqLxMQFxQykx";

/// Builds a metric.
pub(crate) fn samples(unit: &str, direction: Direction, samples: Vec<f64>) -> Metric {
    Metric::new(Unit::parse(unit).unwrap(), direction, samples).unwrap()
}

fn whole(number: i64) -> Value {
    Value::Integer(number)
}

fn amount(text: &str) -> Value {
    Value::Quantity(text.parse().unwrap())
}

fn cpus(text: &str) -> Value {
    Value::Cpus(CpuSet::parse(text).unwrap())
}

/// Adds a check of a probe; returns nothing, it is the last one.
pub(crate) fn asked(
    run: &mut Builder,
    (id, probe, effect): (&str, &str, Effect),
    demands: &[(&str, &str, &str)],
    (at_ms, elapsed_us): (u64, u64),
    found: Observation,
) {
    let attempt = Attempt {
        repeat: 1,
        r#try: 1,
        at_ms,
        elapsed_us,
        result: Ok(found),
        disturbed: None,
        evidence: Vec::new(),
    };
    let record: Vec<String> =
        attempt.result.iter().flat_map(|found| found.facts.keys().cloned()).collect();
    let demands = demands.iter().map(|(field, word, text)| expect(field, word, text)).collect();
    run.check(id, "Something that is measured", demands, Answer::Attempted(vec![attempt]));
    let last = run.run.checks.last_mut().unwrap();
    last.planned.check.probe = probe.into();
    last.planned.check.effect = effect;
    last.planned.check.record = record;
}

/// Latencies around 20 us, a few of them slow, in a fixed order.
fn latencies() -> Vec<f64> {
    let value = |at: u32| {
        let base = 20.0 + f64::from((at * 37) % 101) / 50.0;
        match at % 100 {
            17 => base + 9.0,
            59 => base + 4.0,
            _ => base,
        }
    };
    (0..400).map(value).collect()
}

fn latency(run: &mut Builder) {
    run.normal("lat/wake", "latency.p99", "24 us", &[]);
    if let Some(baseline) = run.run.baselines.last_mut() {
        let shares = vec![(0.0, 19.5), (0.5, 20.8), (0.9, 21.4), (0.99, 24.1), (1.0, 26.5)];
        let unit = "us".to_owned();
        baseline.distribution = Some(Distribution { unit, samples: 4000, shares });
    }
    let metric = samples("us", Direction::LowerIsBetter, latencies());
    asked(
        run,
        ("lat/wake", "sample", Effect::Loads),
        &[("latency.p99", "at-most", "35 us"), ("latency.p99", "within", "10 %")],
        (2_000, 3_000_000),
        Observation::default().metric("latency", metric),
    );
    let value = |at: i64| if at < 6 { 21.0 } else { 24.0 };
    let point = |at: i64| TrendPoint {
        at: 1_767_000_000 + at * 86_400,
        value: value(at) + f64::from(i32::try_from(at % 3).unwrap()) * 0.2,
        run: format!("01KDR{at:05}"),
        outcome: if at == 8 { Outcome::Fail } else { Outcome::Pass },
    };
    run.run.trends.push(Trend {
        key: CheckKey::new("nvidia", "lat/wake"),
        field: "latency.p99".into(),
        unit: "us".into(),
        simulated: false,
        points: (0..12).map(point).collect(),
        changes: vec![TrendChange { at: 6, change: 0.142, worse: true, possible: false }],
    });
}

fn jitter(run: &mut Builder) {
    let gaps: Vec<String> = [
        (120_000.5, 61.2, "timer"),
        (900_000.0, 12.0, "irq"),
        (1_250_000.0, 812.7, "unexplained"),
        (1_251_000.0, 33.0, "timer"),
        (1_900_000.0, 4960.4, "task-switch"),
    ]
    .iter()
    .map(|(at, us, class)| format!(r#"{{"at-us":{at},"us":{us},"class":"{class}"}}"#))
    .collect();
    let said = format!(
        r#"{{"result":{{"cpu":7,"jitter":{{"window-ns":2e9,"threshold-ns":100,"gaps":3900}},"gaps":[{}]}}}}"#,
        gaps.join(",")
    );
    let id = run.gathered(Captured::Exec {
        exit: Some(0),
        signal: None,
        stdout: Stream::whole(said.as_bytes()),
        stderr: Stream::default(),
    });
    if let Some(piece) = run.run.evidence.last_mut() {
        piece.ask = Ask::Instrument { argv: vec!["tsc".into()], limit_ms: 30_000 };
    }
    let texts = vec![Value::text(HISTOGRAM), Value::text("not a histogram")];
    let found = Observation::default()
        .fact("cpus", cpus("6,7"))
        .fact("histogram", Value::List(texts))
        .metric("gap-max", samples("us", Direction::LowerIsBetter, vec![4960.4]));
    asked(
        run,
        ("cpu/jitter", "tsc", Effect::Loads),
        &[("gap-max", "at-most", "100 us")],
        (5_200, 2_400_000),
        found,
    );
    if let Some(Answer::Attempted(attempts)) = run.run.checks.last_mut().map(|c| &mut c.answer) {
        attempts[0].evidence = vec![id];
    }
}

fn machine(run: &mut Builder) {
    let found = Observation::default()
        .fact("present", cpus("0-15"))
        .fact("online", cpus("0-14"))
        .fact("model", Value::text("AMD Ryzen 7 5800X 8-Core Processor"))
        .fact("cores", whole(8))
        .fact("siblings", Value::List((0..8).map(|n| cpus(&format!("{n},{}", n + 8))).collect()));
    asked(run, ("cpu/model", "cpu", Effect::Reads), &[], (40, 12_000), found);
    let found = Observation::default().fact("isolated-online", cpus("6,7,14"));
    asked(run, ("kernel/isolcpus", "kernel-isolation", Effect::Reads), &[], (60, 9_000), found);
    let card = |at: i64, peer: &str| {
        let links = Value::List(vec![Value::text(peer); 4]);
        let pcie =
            [("generation", whole(4)), ("generation-max", whole(4)), ("width", whole(8 - 4 * at))];
        Value::record([
            ("name", Value::text("NVIDIA GeForce RTX 3090")),
            ("memory", amount("25769803776 B")),
            ("bus-id", Value::text(format!("0000:0{}:00.0", 9 + at))),
            ("links-remote", links),
            ("links-version", Value::List(vec![Value::text("3.1"); 4])),
            ("pcie", Value::record(pcie)),
        ])
    };
    let cards = Value::List(vec![card(0, "0000:010:00.0"), card(1, "0000:09:00.0")]);
    let rate = |value: f64| samples("GB/s", Direction::HigherIsBetter, vec![value; 7]);
    let found = Observation::default()
        .fact("loaded", cards)
        .metric("to-device", rate(6.3))
        .metric("from-device", rate(13.1))
        .metric("peer-one-way", rate(52.4));
    asked(
        run,
        ("gpu/pcie-link-works", "cuda", Effect::Loads),
        &[("to-device", "at-least", "12 GB/s")],
        (7_700, 5_000_000),
        found,
    );
}

fn network(run: &mut Builder) {
    let found = Observation::default()
        .fact("name", Value::text("enp5s0"))
        .fact("driver", Value::text("ixgbe"))
        .fact("speed", amount("10 Gbit/s"));
    asked(run, ("net/link-state", "net-interface", Effect::Reads), &[], (90, 30_000), found);
    let rate = |values: Vec<f64>| samples("Gbit/s", Direction::HigherIsBetter, values);
    let out = vec![9.41, 9.4, 9.41, 9.39, 9.41, 9.41, 9.41, 9.4, 9.41, 9.41];
    let back = vec![9.38, 9.4, 0.0, 0.0, 6.1, 9.4, 9.4, 9.41, 9.4, 9.4];
    let found = Observation::default()
        .fact("link", Value::text("nvidia-macmini"))
        .fact("peer", Value::text("macmini"))
        .fact("ceiling", amount("9.415 Gbit/s"))
        .metric("outbound", rate(vec![9.406]))
        .metric("inbound", rate(vec![7.19]))
        .metric("throughput", rate(vec![7.19]))
        .metric("outbound-intervals", rate(out))
        .metric("inbound-intervals", rate(back));
    asked(
        run,
        ("net/throughput", "iperf3", Effect::Loads),
        &[("throughput", "at-least", "9.3 Gbit/s")],
        (12_800, 2_300_000),
        found,
    );
}

/// Returns the run.
pub(crate) fn measured() -> Run {
    let mut run = Builder::new();
    machine(&mut run);
    network(&mut run);
    latency(&mut run);
    jitter(&mut run);
    run.node("macmini", "mini.local");
    let found =
        Observation::default().fact("online", cpus("0-9")).fact("model", Value::text("Apple M4"));
    asked(&mut run, ("cpu/model", "cpu", Effect::Reads), &[], (30, 25_000), found);
    run.node("linode", "");
    let end = |node: &str, address: &str| End {
        node: node.into(),
        address: address.into(),
        interface: None,
    };
    let link = |name: &str, other: &str| Link {
        name: name.into(),
        ends: [end("nvidia", "192.0.2.1"), end(other, "192.0.2.2")],
        speed: "10 Gbit/s".parse().unwrap(),
        mtu: None,
    };
    run.run.nodes[0].file.links =
        vec![link("nvidia-macmini", "macmini"), link("nvidia-linode", "linode")].into();
    run.run.nodes[0].file.variables = BTreeMap::new();
    run.finish()
}

/// Answers a fact that took 3 ms.
pub(crate) fn passed_at(at_ms: u64) -> Answer {
    let mut answer = super::passed();
    if let Answer::Attempted(attempts) = &mut answer {
        attempts[0].at_ms = at_ms;
        attempts[0].elapsed_us = 3_000;
    }
    answer
}
