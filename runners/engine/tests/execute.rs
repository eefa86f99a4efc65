//! What happens to a run when a node answers strangely, or not at all.

#![allow(clippy::unwrap_used, reason = "the test says what must be there")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use verify_engine::{
    execute::{Context, Observer},
    load::{
        catalog::{Catalog, load_sources},
        diagnostic::Source,
    },
    plan::{Permissions, Selection},
    session::{Request, execute, prepare},
    transport::{Cancel, Transport},
};
use verify_model::{
    ask::Ask,
    effect::Effect,
    event::{Event, fold},
    evidence::{Captured, Failure, FailureKind, Stream},
    finding::FindingCode,
    node::Via,
    outcome::Outcome,
    run::{Header, RUN_FORMAT, Run},
    verdict::CheckKey,
};

/// Answers by a function, and keeps what it was asked.
struct Fake<F> {
    answer: F,
    asked: Mutex<Vec<Ask>>,
}

impl<F: Fn(&Ask) -> Captured + Send + Sync> Transport for Fake<F> {
    fn via(&self) -> Via {
        Via::Local
    }

    fn gather(&self, ask: &Ask, _cancel: &Cancel) -> Captured {
        self.asked.lock().unwrap().push(ask.clone());
        (self.answer)(ask)
    }

    fn sweep(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Default)]
struct Keep(Vec<Event>);

impl Observer for Keep {
    fn event(&mut self, event: Event) {
        self.0.push(event);
    }

    fn asking(&mut self, _key: &CheckKey, _effect: Effect) {}
}

const CHECKS: &str = r#"
[suite]
title = "t"
nodes = ["n"]

[[check]]
id = "a/first"
title = "t"
probe = "sysctl"
with = { key = "vm.first", as = "integer" }
why = "w"
source = "s"
fix = "f"
expect = { value = 1 }

[[check]]
id = "a/second"
title = "t"
probe = "command"
with = { argv = ["second"] }
limit = "1 ms"
why = "w"
source = "s"
fix = "f"
expect = { exit-code = 0 }

[[check]]
id = "a/same"
title = "t"
probe = "sysctl"
with = { key = "vm.first", as = "integer" }
why = "w"
source = "s"
fix = "f"
expect = { value = { at-least = 1 } }

[[check]]
id = "a/behind"
title = "t"
probe = "sysctl"
with = { key = "vm.behind", as = "integer" }
after = ["a/second"]
why = "w"
source = "s"
fix = "f"
expect = { value = 1 }
"#;

fn catalog() -> Catalog {
    let nodes: BTreeMap<_, _> =
        [("n".to_owned(), Source::new("runners/nodes/n.toml", "title = \"n\""))].into();
    let suites: BTreeMap<_, _> = [("s".to_owned(), Source::new("suites/s.toml", CHECKS))].into();
    load_sources(&nodes, &suites).unwrap()
}

fn run(transport: Arc<dyn Transport>) -> (Run, Vec<Event>) {
    #[allow(clippy::disallowed_methods, reason = "a run needs a start")]
    let context = Context::new(Instant::now(), Cancel::default(), false);
    let request = Request {
        nodes: vec![("n".to_owned(), transport)],
        peers: None,
        selection: Selection::default(),
        permissions: Permissions::default(),
        repeat: None,
        until_decided: false,
        earlier: Vec::new(),
        shelf: None,
    };
    let mut prepared = prepare(&catalog(), &request, &context).unwrap();
    let header = Header {
        format: RUN_FORMAT.to_owned(),
        id: "01TEST".to_owned(),
        started_at: "2026-11-25T00:00:00Z".to_owned(),
        version: "0".to_owned(),
        root: "test".to_owned(),
        command: vec![],
        require_baseline: false,
        until_decided: false,
        orchestrator: "host".to_owned(),
    };
    let mut keep = Keep::default();
    execute(header, &mut prepared, &context, &mut keep);
    (fold(keep.0.clone()).unwrap(), keep.0)
}

fn fake(
    answer: impl Fn(&Ask) -> Captured + Send + Sync + 'static,
) -> Arc<Fake<impl Fn(&Ask) -> Captured + Send + Sync>> {
    Arc::new(Fake { answer, asked: Mutex::default() })
}

fn one(_: &Ask) -> Captured {
    Captured::File(Stream::whole(b"1\n"))
}

fn ended() -> Captured {
    Captured::Exec {
        exit: Some(0),
        signal: None,
        stdout: Stream::default(),
        stderr: Stream::default(),
    }
}

fn outcomes(run: &Run) -> Vec<(&str, Outcome)> {
    run.checks.iter().map(|c| (c.planned.check.id.as_str(), c.verdict.outcome)).collect()
}

fn is_exec(ask: &Ask) -> bool {
    matches!(ask, Ask::Exec { .. })
}

#[test]
fn equal_asks_are_gathered_once_and_every_check_is_in_the_run() {
    let transport = fake(|ask| if is_exec(ask) { ended() } else { one(ask) });
    let (run, _) = run(Arc::<Fake<_>>::clone(&transport));
    assert_eq!(
        outcomes(&run),
        [
            ("a/first", Outcome::Pass),
            ("a/second", Outcome::Pass),
            ("a/same", Outcome::Pass),
            ("a/behind", Outcome::Pass)
        ]
    );
    let asked = transport.asked.lock().unwrap();
    let first = asked
        .iter()
        .filter(|ask| matches!(ask, Ask::ReadFile { path, .. } if path.ends_with("/first")));
    assert_eq!(first.count(), 1);
}

#[test]
fn the_same_plan_gives_the_same_record() {
    let record = || {
        let (_, events) = run(fake(|ask| if is_exec(ask) { ended() } else { one(ask) }));
        events.into_iter().map(|event| without_times(&event)).collect::<Vec<_>>()
    };
    assert_eq!(record(), record());
}

/// Names an event by all that does not depend on the clock.
fn without_times(event: &Event) -> String {
    match event {
        Event::Evidence(piece) => {
            format!("evidence {} {:?} {:?}", piece.id, piece.ask, piece.captured)
        }
        Event::Attempted { key, attempt } => format!("attempt {key:?} {:?}", attempt.evidence),
        Event::Verdict(verdict) => format!("verdict {:?} {}", verdict.key, verdict.outcome),
        Event::Finished { exit, .. } => format!("finished {exit}"),
        other => serde_json::to_string(other).unwrap(),
    }
}

#[test]
fn a_program_that_cannot_be_ended_is_an_error_and_the_run_goes_on() {
    let transport = fake(|ask| {
        if is_exec(ask) {
            Captured::Failed(Failure::new(
                FailureKind::Unkillable,
                "process 7 does not end even by SIGKILL",
            ))
        } else {
            one(ask)
        }
    });
    let (run, _) = run(transport);
    assert_eq!(
        outcomes(&run),
        [
            ("a/first", Outcome::Pass),
            ("a/second", Outcome::Error),
            ("a/same", Outcome::Pass),
            ("a/behind", Outcome::Blocked)
        ]
    );
    assert_eq!(run.checks[1].verdict.decided_by, Some(FindingCode::Unkillable));
    assert_eq!(run.exit_code(), 3);
}

#[test]
fn a_read_that_never_returns_does_not_hold_up_the_run() {
    let transport = fake(|ask| {
        if is_exec(ask) {
            loop {
                std::thread::park();
            }
        }
        one(ask)
    });
    let (run, _) = run(transport);
    let second = &run.checks[1].verdict;
    assert_eq!((second.outcome, second.decided_by), (Outcome::Error, Some(FindingCode::TimedOut)));
    assert_eq!(run.checks[0].verdict.outcome, Outcome::Pass);
    assert!(run.complete);
}

#[test]
fn a_thread_that_breaks_is_an_error_of_its_ask() {
    let transport = fake(|ask| if is_exec(ask) { panic!("made to break") } else { one(ask) });
    let (run, _) = run(transport);
    assert_eq!(run.checks[1].verdict.outcome, Outcome::Error);
    assert_eq!(run.checks[0].verdict.outcome, Outcome::Pass);
}
