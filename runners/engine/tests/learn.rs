//! What is learned of runs, what is not, and that what is learned loads and holds on the same answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeMap, sync::Arc};

use verify_engine::{
    learn::{FEWEST_RUNS, learn, limit},
    load::{catalog::load_sources, diagnostic::Source},
};
use verify_model::{
    check::Check,
    finding::FindingCode,
    fingerprint::Fingerprint,
    judge::judge,
    metric::{Direction, Metric},
    node::{Facts, Via},
    observation::{Attempt, Observation},
    outcome::Outcome,
    run::{Header, PlannedCheck, RUN_FORMAT, Run, RunCheck, RunNode},
    unit::Unit,
    value::Value,
    verdict::Answer,
};

const SUITE: &str = r#"
[suite]
title = "t"
nodes = ["box"]
[[check]]
id = "time/spawn"
title = "It starts fast"
probe = "command"
with = { argv = ["true"], effect = "loads", as = "text" }
why = "Because of ${name}."
source = "s"
fix = "Repair it."
record = ["value", "elapsed"]
expect = { exit-code = 0 }
[[check]]
id = "time-spawn/again"
title = "A second one"
probe = "uptime-of-nothing"
"#;

fn check() -> Check {
    let text = SUITE.split("[[check]]\nid = \"time-spawn").next().unwrap();
    let nodes = [(
        "box".to_owned(),
        Source::new("runners/nodes/box.toml", "title = \"t\"\n[variables]\nname = \"it\"\n"),
    )];
    let suites = [("things".to_owned(), Source::new("suites/things.toml", text))];
    let catalog = load_sources(&nodes.into(), &suites.into());
    catalog.unwrap_or_else(|e| panic!("{}", e.render(false))).checks["box"][0].clone()
}

fn observed(elapsed: f64, value: &str) -> Observation {
    let ms = Unit::parse("ms").unwrap();
    let metric = Metric::new(ms, Direction::LowerIsBetter, vec![elapsed]).unwrap();
    Observation::default()
        .fact("exit-code", Value::Integer(0))
        .fact("value", Value::text(value))
        .metric("elapsed", metric)
}

fn run_of(number: u32, check: Check, answer: Answer) -> Run {
    let facts = Facts { hostname: "tower".into(), boot: "b".into(), ..Facts::default() };
    let file = verify_model::node::NodeFile {
        name: "box".into(),
        ..verify_model::node::NodeFile::default()
    };
    let verdict = judge("box", &check, &answer, &[]);
    Run {
        header: Header {
            format: RUN_FORMAT.into(),
            id: format!("01K{number:023}"),
            started_at: "2026-11-01T08:00:00Z".into(),
            version: "0.1.0".into(),
            root: "here".into(),
            command: vec![],
            require_baseline: false,
            until_decided: false,
            orchestrator: "tower".into(),
        },
        nodes: vec![RunNode { file, via: Via::Local, facts, fingerprint: Fingerprint::default() }],
        suites: vec![],
        checks: vec![RunCheck {
            planned: PlannedCheck { node: "box".into(), check },
            answer,
            verdict,
        }],
        baselines: vec![],
        trends: vec![],
        evidence: vec![],
        elapsed_ms: 1,
        interrupted: false,
        complete: true,
    }
}

fn attempt(observation: Observation) -> Attempt {
    Attempt {
        repeat: 1,
        r#try: 1,
        at_ms: 5,
        elapsed_us: 10,
        result: Ok(observation),
        disturbed: None,
        evidence: vec![],
    }
}

fn at(number: u32, elapsed: f64) -> Run {
    run_of(number, check(), Answer::Attempted(vec![attempt(observed(elapsed, "as built"))]))
}

fn five() -> Vec<Run> {
    [10.0, 10.1, 9.9, 10.05, 9.95].iter().zip(1..).map(|(ms, n)| at(n, *ms)).collect()
}

fn text(runs: &[Run]) -> String {
    learn(runs, "box", false).unwrap().text
}

fn loaded(text: &str) -> Vec<Check> {
    let nodes: BTreeMap<String, Arc<Source>> =
        [("box".to_owned(), Source::new("runners/nodes/box.toml", "title = \"t\"\n"))].into();
    let name = "learned-box".to_owned();
    let suites = [(name, Source::new("suites/learned-box.toml", text))].into();
    let catalog = load_sources(&nodes, &suites);
    catalog.unwrap_or_else(|e| panic!("{}\n{text}", e.render(false))).checks["box"].clone()
}

#[test]
fn what_is_learned_loads_and_holds_on_the_runs_it_came_from() {
    let runs = five();
    let learned = learn(&runs, "box", false).unwrap();
    assert_eq!((learned.suite.as_str(), learned.checks, learned.runs.len()), ("learned-box", 1, 5));
    let checks = loaded(&learned.text);
    assert_eq!(checks[0].id, "learned/time-spawn");
    for run in &runs {
        let verdict = judge("box", &checks[0], &run.checks[0].answer, &[]);
        assert_eq!(verdict.outcome, Outcome::Pass, "{:?}", verdict.findings);
    }
    for (name, expected) in [
        (
            "the value",
            "value = { is = \"as built\", source = \"learned from 5 runs, 01K00000000000000000000001 to 01K00000000000000000000005, on tower\" }",
        ),
        ("the limit", "elapsed = { at-most = \"10.5 ms\""),
        ("what it rests on", "# elapsed: median 10 ms, s 0.79 % over 5 runs"),
        ("the alternative", "within = \"5 %\""),
        ("the reason", "why = \"Because of it.\""),
    ] {
        assert!(learned.text.contains(expected), "{name}: {}", learned.text);
    }
    let slower = judge("box", &checks[0], &at(9, 12.0).checks[0].answer, &[]);
    assert_eq!(slower.outcome, Outcome::Fail);
    assert_eq!(learn(&runs, "box", false).unwrap(), learned, "the same runs give the same text");
}

#[test]
fn fewer_than_five_runs_give_no_limit_and_one_run_no_fact() {
    let four = text(&five()[..4]);
    assert!(four.contains("# elapsed: recorded only; 4 of 5 runs: 1 more"), "{four}");
    assert!(!four.contains("at-most") && four.contains("value = { is ="));
    let one = text(&five()[..1]);
    assert!(one.contains("value: recorded only; one run does not show"), "{one}");
    assert!(!one.contains("[check.expect]"), "{one}");
    loaded(&one);
}

#[test]
fn what_differs_between_runs_is_recorded_only() {
    let mut runs = five();
    runs[2] = run_of(3, check(), Answer::Attempted(vec![attempt(observed(10.0, "changed"))]));
    let learned = text(&runs);
    assert!(learned.contains("value: recorded only; not the same in every run"), "{learned}");
    assert!(!learned.contains("as built"));
}

#[test]
fn what_is_simulated_disturbed_replayed_or_in_error_is_never_learned() {
    let with = |change: &dyn Fn(&mut Run)| {
        let mut runs = five();
        change(&mut runs[4]);
        let check = runs[4].checks[0].planned.check.clone();
        runs[4].checks[0].verdict = judge("box", &check, &runs[4].checks[0].answer, &[]);
        text(&runs)
    };
    let first = |run: &mut Run, change: &dyn Fn(&mut Attempt)| {
        let Answer::Attempted(attempts) = &mut run.checks[0].answer else { panic!() };
        change(&mut attempts[0]);
    };
    let disturbed = with(&|run| first(run, &|a| a.disturbed = Some("load 9".into())));
    let error = with(&|run| {
        first(run, &|a| {
            let (code, message) = (FindingCode::TimedOut, "too slow".into());
            a.result = Err(verify_model::observation::AttemptError { code, message });
        });
    });
    let replayed = with(&|run| run.nodes[0].via = Via::Replay("01K".into()));
    let simulated = with(&|run| run.nodes[0].facts.simulated = Some("sim".into()));
    let elsewhere = with(&|run| run.nodes[0].facts.hostname.clear());
    for text in [disturbed, error, replayed, simulated, elsewhere] {
        assert!(text.contains("4 of 5 runs") && !text.contains("at-most"), "{text}");
    }
    let mut all = five();
    for run in &mut all {
        run.nodes[0].facts.simulated = Some("disk-sim".into());
    }
    let why = learn(&all, "box", false).unwrap_err().to_string();
    assert!(why.contains("it was simulated by disk-sim, which only --allow-simulated"), "{why}");
    let allowed = learn(&all, "box", true).unwrap().text;
    assert!(
        allowed.contains("SIMULATED by disk-sim") && allowed.contains("on tower, simulated by")
    );
}

#[test]
fn a_check_that_failed_in_one_run_is_not_learned() {
    let mut runs = five();
    let failed = observed(10.0, "as built").fact("exit-code", Value::Integer(1));
    runs[1] = run_of(2, check(), Answer::Attempted(vec![attempt(failed)]));
    let why = learn(&runs, "box", false).unwrap_err().to_string();
    assert!(why.contains("nothing of node box can be learned"), "{why}");
    assert!(learn(&five(), "other", false).is_err());
}

#[test]
fn a_node_says_nothing_that_is_a_line_or_a_variable_of_the_suite() {
    for hostile in ["x\"\n[[check]]\nid = \"a/b\"", "${home}", "\u{1b}[31mred", "\u{202e}x"] {
        let mut runs: Vec<Run> = (1..=5)
            .map(|n| run_of(n, check(), Answer::Attempted(vec![attempt(observed(10.0, hostile))])))
            .collect();
        for run in &mut runs {
            run.nodes[0].facts.hostname = hostile.into();
        }
        let learned = text(&runs);
        assert_eq!(loaded(&learned).len(), 1, "{learned}");
        assert!(!learned.chars().any(|c| c.is_control() && c != '\n'), "{learned:?}");
    }
}

#[test]
fn a_limit_is_wide_enough_for_what_was_seen_and_none_is_given_to_noise() {
    let seen = |values: &[f64]| values.iter().map(|ms| observed(*ms, "")).collect::<Vec<_>>();
    let proposed = |values: &[f64]| {
        let seen = seen(values);
        limit("elapsed", &seen.iter().map(|one| vec![one]).collect::<Vec<_>>())
    };
    let even = proposed(&[10.0; FEWEST_RUNS]).unwrap();
    assert_eq!((even.matcher, even.value.as_str(), even.within), ("at-most", "10.1 ms", 1.0));
    let noisy = proposed(&[10.0, 20.0, 9.0, 14.0, 30.0]).unwrap_err();
    assert!(noisy.contains("too much for a limit"), "{noisy}");
    assert!(proposed(&[10.0, 0.0, 9.0, 14.0, 30.0]).is_err());
    assert!(proposed(&[10.0; 4]).unwrap_err().contains("1 more"));
}
