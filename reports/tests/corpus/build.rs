//! How the runs of the corpus are put together: short words for checks, demands and answers.

use std::collections::BTreeMap;

use verify_model::{
    ask::Ask,
    baseline::{Baseline, Past},
    check::{Check, Comparing, Expectation, Location},
    effect::Effect,
    evidence::{Captured, Evidence, Stream},
    finding::FindingCode,
    fingerprint::Fingerprint,
    judge::judge,
    matcher::{Literal, Matcher},
    metric::{Direction, Metric},
    node::{Facts, NodeFile, Via},
    observation::{Attempt, AttemptError, Observation},
    outcome::Outcome,
    quantity::Quantity,
    run::{Header, PlannedCheck, RUN_FORMAT, Run, RunCheck, RunNode, SuiteSource},
    unit::Unit,
    value::Value,
    verdict::{Answer, CheckKey},
};

/// Builds a run.
pub(crate) struct Builder {
    pub(crate) run: Run,
    node: String,
}

impl Builder {
    /// Starts a run on the node `nvidia`.
    pub(crate) fn new() -> Self {
        let header = Header {
            format: RUN_FORMAT.into(),
            id: "01JGXB4T8ZQ5W7M2N3P4R6S8VA".into(),
            started_at: "2026-01-15T12:34:56.789Z".into(),
            version: "0.1.0".into(),
            root: "/srv/verify".into(),
            command: vec!["verify".into(), "--node".into(), "nvidia".into()],
            require_baseline: false,
            until_decided: false,
            orchestrator: "book.local".into(),
        };
        let suite = |name: &str, title: &str| SuiteSource {
            name: name.into(),
            title: title.into(),
            file: format!("suites/{name}.toml"),
            digest: "00".repeat(32),
        };
        let run = Run {
            header,
            nodes: Vec::new(),
            suites: vec![
                suite("machine", "The machine is as it was bought"),
                suite("latency", "Nothing got slower"),
            ],
            checks: Vec::new(),
            baselines: Vec::new(),
            trends: Vec::new(),
            evidence: Vec::new(),
            elapsed_ms: 15_234,
            interrupted: false,
            complete: true,
        };
        let mut builder = Self { run, node: String::new() };
        builder.node("nvidia", "ws-01");
        builder
    }

    /// Goes on with another node; an empty host name means that no machine answered.
    pub(crate) fn node(&mut self, name: &str, hostname: &str) {
        let known = |text: &str| if hostname.is_empty() { String::new() } else { text.to_owned() };
        let facts = Facts {
            hostname: hostname.into(),
            os: known("Debian GNU/Linux 12"),
            kernel: known("6.8.0-45-generic"),
            arch: known("x86_64"),
            cpu: known("AMD Ryzen Threadripper 7970X"),
            ..Facts::default()
        };
        let file = NodeFile { name: name.into(), ..NodeFile::default() };
        self.run.nodes.push(RunNode {
            file,
            via: Via::Ssh(name.into()),
            facts,
            fingerprint: Fingerprint::default(),
        });
        self.node = name.into();
    }

    /// Gives the node a hostile host name and kernel.
    pub(crate) fn hostile_node(&mut self, text: &str) {
        if let Some(node) = self.run.nodes.last_mut() {
            node.facts.hostname = text.into();
            node.facts.kernel = text.into();
        }
    }

    /// Plans and answers a check; its suite follows from its id.
    pub(crate) fn check(
        &mut self,
        id: &str,
        title: &str,
        expect: Vec<Expectation>,
        answer: Answer,
    ) {
        let mut check = plain_check(id, title, &answer);
        check.expect = expect;
        self.push(check, answer);
    }

    /// Plans and answers a check that records one text.
    pub(crate) fn recorded(&mut self, id: &str, title: &str, field: &str, text: &str) {
        let answer = fact(field, Value::text(text));
        let mut check = plain_check(id, title, &answer);
        check.record = vec![field.into()];
        self.push(check, answer);
    }

    /// Plans and answers a check that demands something and records fields beside it.
    pub(crate) fn recorded_beside(
        &mut self,
        id: &str,
        title: &str,
        demand: Expectation,
        fields: &[&str],
        answer: Answer,
    ) {
        let mut check = plain_check(id, title, &answer);
        check.expect = vec![demand];
        check.record = fields.iter().map(|field| (*field).into()).collect();
        self.push(check, answer);
    }

    /// Plans and answers a check that demands one thing and advises another.
    pub(crate) fn advised(
        &mut self,
        id: &str,
        title: &str,
        demand: (&str, &str, &str),
        advice: (&str, &str, &str),
        answer: Answer,
    ) {
        let mut check = plain_check(id, title, &answer);
        check.expect = vec![expect(demand.0, demand.1, demand.2)];
        check.advise = vec![expect(advice.0, advice.1, advice.2)];
        self.push(check, answer);
    }

    fn push(&mut self, check: Check, answer: Answer) {
        let verdict = judge(&self.node, &check, &answer, &self.run.baselines);
        let planned = PlannedCheck { node: self.node.clone(), check };
        self.run.checks.push(RunCheck { planned, answer, verdict });
    }

    /// Lets the attempts of a check take their time.
    pub(crate) fn slow(&mut self, id: &str, elapsed_us: u64) {
        for check in self.run.checks.iter_mut().filter(|c| c.planned.check.id == id) {
            if let Answer::Attempted(attempts) = &mut check.answer {
                attempts[0].elapsed_us = elapsed_us;
            }
        }
    }

    /// Accepts a baseline for the current node.
    pub(crate) fn baseline(&mut self, id: &str, field: &str, centre: &str) {
        let key = CheckKey::new(&self.node, id);
        let centre = centre.parse().unwrap();
        self.run.baselines.push(Baseline { units: 5, ..Baseline::new(key, field, centre) });
    }

    /// Accepts ten units of five sessions around a centre, and says what changed since.
    pub(crate) fn normal(&mut self, id: &str, field: &str, centre: &str, changed: &[&str]) {
        self.baseline(id, field, centre);
        let scatter = [0.0, 0.4, -0.4, 0.2, -0.2, 0.6, -0.6, 0.0, 0.4, -0.4];
        if let Some(known) = self.run.baselines.last_mut() {
            let value = |percent: f64| known.centre.value() * (1.0 + percent / 100.0);
            let unit = |(session, percent): (u32, f64)| Past { session, value: value(percent) };
            known.current =
                [1, 1, 2, 2, 3, 3, 4, 4, 5, 5].into_iter().zip(scatter).map(unit).collect();
            known.changed = changed.iter().map(|&text| text.to_owned()).collect();
        }
    }

    /// Captures the end of a program; returns the number of the evidence.
    pub(crate) fn exec(&mut self, argv: &[&str], exit: i32, stderr: &str) -> u32 {
        let captured = Captured::Exec {
            exit: Some(exit),
            signal: None,
            stdout: Stream::default(),
            stderr: Stream::whole(stderr.as_bytes()),
        };
        let id = self.gathered(captured);
        if let Some(evidence) = self.run.evidence.last_mut() {
            evidence.ask = Ask::exec(argv.iter().copied());
        }
        id
    }

    /// Captures something; returns the number of the evidence.
    pub(crate) fn gathered(&mut self, captured: Captured) -> u32 {
        let id = u32::try_from(self.run.evidence.len()).unwrap() + 1;
        let node = self.node.clone();
        let ask = Ask::Connect { host: "peer".into(), port: 22, limit_ms: 10_000 };
        self.run.evidence.push(Evidence { id, node, ask, at_ms: 5, elapsed_us: 700, captured });
        id
    }

    /// Judges everything.
    pub(crate) fn finish(mut self) -> Run {
        self.run.judge_all();
        self.run
    }
}

fn plain_check(id: &str, title: &str, answer: &Answer) -> Check {
    let latency = id.starts_with("lat/");
    let suite = if latency { "latency" } else { "machine" };
    Check {
        id: id.into(),
        suite: suite.into(),
        title: title.into(),
        probe: "sample".into(),
        with: BTreeMap::new(),
        effect: Effect::Reads,
        after: match answer {
            Answer::Blocked { by, .. } => vec![by.clone()],
            _ => Vec::new(),
        },
        when: Vec::new(),
        tags: Vec::new(),
        why: "A bad transceiver or a fallback to 1GbE still answers ping, so nobody sees it until a job is slow.".into(),
        source: "Design report, verification steps.".into(),
        fix: "Check `ethtool` for the negotiated speed, then reseat the cable.".into(),
        repeat: 1,
        limit_ms: 60_000,
        retries: 1,
        expect: Vec::new(),
        advise: Vec::new(),
        record: Vec::new(),
        location: Location { file: format!("suites/{suite}.toml"), line: 12 },
    }
}

/// Builds a demand: `is`, `at-least`, `at-most`, `within` or `version`.
pub(crate) fn expect(field: &str, matcher: &str, text: &str) -> Expectation {
    let quantity = || -> Quantity { text.parse().unwrap() };
    let literal = || match (text, text.parse::<i64>()) {
        ("yes", _) => Literal::Bool(true),
        (_, Ok(number)) => Literal::Integer(number),
        _ => Literal::Text(text.into()),
    };
    let matcher = match matcher {
        "is" => Matcher::Is(literal()),
        "at-least" => Matcher::AtLeast(quantity()),
        "at-most" => Matcher::AtMost(quantity()),
        "within" => Matcher::Within(quantity()),
        "version" => Matcher::Version(format!(">={text}")),
        other => panic!("no matcher {other}"),
    };
    let location = Location { file: "suites/machine.toml".into(), line: 20 };
    Expectation {
        field: field.into(),
        matchers: vec![matcher],
        source: None,
        comparing: Comparing::default(),
        location,
    }
}

fn attempt(repeat: u32, r#try: u32, result: Result<Observation, AttemptError>) -> Attempt {
    Attempt {
        repeat,
        r#try,
        at_ms: 10,
        elapsed_us: 42_000,
        result,
        disturbed: None,
        evidence: vec![],
    }
}

/// Answers the version 570.86.15.
pub(crate) fn passed() -> Answer {
    fact("version", Value::text("570.86.15"))
}

/// Answers one fact.
pub(crate) fn fact(field: &str, value: Value) -> Answer {
    Answer::Attempted(vec![attempt(1, 1, Ok(Observation::default().fact(field, value)))])
}

/// Answers several facts.
pub(crate) fn facts(facts: &[(&str, Value)]) -> Answer {
    let found = facts
        .iter()
        .fold(Observation::default(), |found, (field, value)| found.fact(field, value.clone()));
    Answer::Attempted(vec![attempt(1, 1, Ok(found))])
}

/// Answers one metric.
pub(crate) fn metric(field: &str, unit: &str, direction: Direction, samples: &[f64]) -> Answer {
    let metric = Metric::new(Unit::parse(unit).unwrap(), direction, samples.to_vec()).unwrap();
    Answer::Attempted(vec![attempt(1, 1, Ok(Observation::default().metric(field, metric)))])
}

/// Answers a metric in three repeats.
pub(crate) fn repeats(field: &str, unit: &str, direction: Direction, values: [f64; 3]) -> Answer {
    let unit = Unit::parse(unit).unwrap();
    let one = |(repeat, value): (u32, f64)| {
        let metric = Metric::new(unit, direction, vec![value]).unwrap();
        attempt(repeat, 1, Ok(Observation::default().metric(field, metric)))
    };
    Answer::Attempted((1..).zip(values).map(one).collect())
}

/// Answers an error, twice.
pub(crate) fn failed(code: FindingCode, message: &str, evidence: u32) -> Answer {
    let error = || Err(AttemptError { code, message: message.into() });
    let mut attempts = vec![attempt(1, 1, error()), attempt(1, 2, error())];
    attempts[1].evidence = vec![evidence];
    Answer::Attempted(attempts)
}

/// Answers an error, then a fact.
pub(crate) fn flaky(field: &str, value: Value) -> Answer {
    let error = AttemptError { code: FindingCode::TimedOut, message: "no answer".into() };
    let observation = Observation::default().fact(field, value);
    Answer::Attempted(vec![attempt(1, 1, Err(error)), attempt(1, 2, Ok(observation))])
}

/// Says that the conditions of an answer did not hold.
pub(crate) fn disturb(answer: &mut Answer, why: &str) {
    if let Answer::Attempted(attempts) = answer {
        attempts[0].disturbed = Some(why.into());
    }
}

/// Leaves a check out for what its node lacks.
pub(crate) fn need_absent(capability: &str, detail: &str, expected: bool) -> Answer {
    Answer::NeedAbsent {
        capability: capability.into(),
        detail: detail.into(),
        expected,
        known: true,
    }
}

/// Leaves a check out for what came out before it.
pub(crate) fn blocked(by: &str, outcome: Outcome) -> Answer {
    Answer::Blocked { by: by.into(), outcome }
}
