//! What happens when several nodes are asked at the same time.

#![allow(clippy::unwrap_used, reason = "the test says what must be there")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Barrier, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use verify_engine::{
    execute::{Context, Observer},
    load::{
        catalog::{Catalog, load_sources},
        diagnostic::Source,
    },
    plan::{Permissions, Selection},
    session::{Request, choose, run},
    transport::{Cancel, Local, Transport},
};
use verify_model::{
    ask::Ask,
    effect::Effect,
    event::{Event, fold},
    evidence::{Captured, Failure, FailureKind, Stream},
    node::Via,
    outcome::Outcome,
    run::{Header, RUN_FORMAT, Run},
    verdict::CheckKey,
};

const SUITE: &str = r#"
[suite]
title = "t"
nodes = ["one", "two"]

[[check]]
id = "a/state"
title = "t"
probe = "sysctl"
with = { key = "vm.state", as = "integer" }
why = "w"
source = "s"
fix = "f"
expect = { value = 1 }

[[check]]
id = "a/load"
title = "t"
probe = "command"
with = { argv = ["load"], effect = "loads" }
after = ["a/state"]
why = "w"
source = "s"
fix = "f"
expect = { exit-code = 0 }
"#;

/// Answers by a function, as the machine of that alias.
struct Fake<F> {
    alias: &'static str,
    answer: F,
}

impl<F: Fn(&Ask) -> Captured + Send + Sync> Transport for Fake<F> {
    fn via(&self) -> Via {
        Via::Ssh(self.alias.to_owned())
    }

    fn gather(&self, ask: &Ask, _cancel: &Cancel) -> Captured {
        (self.answer)(ask)
    }

    fn sweep(&self) -> Vec<String> {
        (self.answer)(&Ask::List { path: "swept".to_owned() });
        Vec::new()
    }
}

fn fake(
    alias: &'static str,
    answer: impl Fn(&Ask) -> Captured + Send + Sync + 'static,
) -> Arc<dyn Transport> {
    Arc::new(Fake { alias, answer })
}

fn right(ask: &Ask) -> Captured {
    match ask {
        Ask::Exec { .. } => Captured::Exec {
            exit: Some(0),
            signal: None,
            stdout: Stream::default(),
            stderr: Stream::default(),
        },
        Ask::ReadFile { path, .. } if path.ends_with("/state") => {
            Captured::File(Stream::whole(b"1\n"))
        }
        _ => Captured::Failed(Failure::new(FailureKind::NotFound, "not there")),
    }
}

fn is_state(ask: &Ask) -> bool {
    matches!(ask, Ask::ReadFile { path, .. } if path.ends_with("/vm/state"))
}

fn is_load(ask: &Ask) -> bool {
    matches!(ask, Ask::Exec { argv, .. } if argv[0] == "load")
}

fn is_sweep(ask: &Ask) -> bool {
    matches!(ask, Ask::List { path } if path == "swept")
}

#[derive(Default)]
struct Keep(Vec<Event>);

impl Observer for Keep {
    fn event(&mut self, event: Event) {
        self.0.push(event);
    }

    fn asking(&mut self, _key: &CheckKey, _effect: Effect) {}
}

fn catalog(promise: &str) -> Catalog {
    let node = |name: &str| {
        let text = format!("title = \"{name}\"\n{promise}\n");
        (name.to_owned(), Source::new(format!("runners/nodes/{name}.toml"), text.as_str()))
    };
    let nodes: BTreeMap<_, _> = [node("one"), node("two")].into();
    let suites: BTreeMap<_, _> = [("s".to_owned(), Source::new("suites/s.toml", SUITE))].into();
    load_sources(&nodes, &suites).unwrap()
}

fn events(one: Arc<dyn Transport>, two: Arc<dyn Transport>, promise: &str) -> Vec<Event> {
    #[allow(clippy::disallowed_methods, reason = "a run needs a start")]
    let context = Context::new(Instant::now(), Cancel::default(), false);
    let request = Request {
        nodes: vec![("one".to_owned(), one), ("two".to_owned(), two)],
        selection: Selection::default(),
        permissions: Permissions::default(),
        repeat: None,
        peers: None,
        until_decided: false,
        earlier: Vec::new(),
        shelf: None,
    };
    let chosen = choose(&catalog(promise), &request).unwrap();
    let header = Header {
        format: RUN_FORMAT.to_owned(),
        id: "01TEST".to_owned(),
        started_at: "2026-11-28T00:00:00Z".to_owned(),
        version: "0".to_owned(),
        root: "test".to_owned(),
        command: vec![],
        require_baseline: false,
        until_decided: false,
        orchestrator: "host".to_owned(),
    };
    let mut keep = Keep::default();
    run(header, &chosen, &context, &mut keep);
    keep.0
}

fn outcomes(run: &Run) -> Vec<(&str, &str, Outcome)> {
    run.checks
        .iter()
        .map(|c| (c.planned.node.as_str(), c.planned.check.id.as_str(), c.verdict.outcome))
        .collect()
}

const ALL_PASS: [(&str, &str, Outcome); 4] = [
    ("one", "a/state", Outcome::Pass),
    ("one", "a/load", Outcome::Pass),
    ("two", "a/state", Outcome::Pass),
    ("two", "a/load", Outcome::Pass),
];

#[test]
fn two_machines_are_asked_and_loaded_at_the_same_time() {
    // Each waits for the other one: asked one after the other, neither would ever answer.
    let (state, load) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let node = |alias| {
        let (state, load) = (Arc::clone(&state), Arc::clone(&load));
        fake(alias, move |ask| {
            if is_state(ask) {
                state.wait();
            }
            if is_load(ask) {
                load.wait();
            }
            right(ask)
        })
    };
    let run = fold(events(node("left"), node("right"), "")).unwrap();
    assert_eq!(outcomes(&run), ALL_PASS);
}

#[test]
fn a_slow_node_delays_no_other_ones_answers() {
    // The slow one gives its facts only after the other one is through.
    let through = Arc::new((Mutex::new(false), Condvar::new()));
    let waits = Arc::clone(&through);
    let slow = fake("slow", move |ask| {
        let mut done = waits.0.lock().unwrap();
        while !*done {
            done = waits.1.wait(done).unwrap();
        }
        right(ask)
    });
    let quick = fake("quick", move |ask| {
        if is_sweep(ask) {
            *through.0.lock().unwrap() = true;
            through.1.notify_all();
        }
        right(ask)
    });
    let run = fold(events(slow, quick, "")).unwrap();
    assert_eq!(outcomes(&run), ALL_PASS);
}

#[test]
fn one_machine_under_two_names_is_never_asked_by_both_at_once() {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let node = || {
        let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
        fake("same", move |ask| {
            if !is_load(ask) && !is_state(ask) {
                return right(ask);
            }
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..1000 {
                std::thread::yield_now();
            }
            inside.fetch_sub(1, Ordering::SeqCst);
            right(ask)
        })
    };
    let run = fold(events(node(), node(), "")).unwrap();
    assert_eq!(outcomes(&run), ALL_PASS);
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[test]
fn a_node_that_breaks_the_harness_leaves_the_other_ones_answers() {
    let broken = fake("broken", |ask| if is_sweep(ask) { panic!("a defect") } else { right(ask) });
    let run = fold(events(broken, fake("whole", right), "")).unwrap();
    assert_eq!(outcomes(&run), ALL_PASS);
}

#[test]
fn what_several_nodes_say_in_any_order_is_the_same_run() {
    let promise = "has = [\"tool:no-such-program\"]";
    let said = events(fake("a", right), fake("b", right), promise);
    let first = fold(said.clone()).unwrap();
    let expected: Vec<_> = ["one", "two"]
        .into_iter()
        .flat_map(|node| {
            [
                // Found out when the node was asked, and said before what was planned.
                (node, "has/tool-no-such-program", Outcome::Fail),
                (node, "a/state", Outcome::Pass),
                (node, "a/load", Outcome::Pass),
            ]
        })
        .collect();
    assert_eq!(outcomes(&first), expected);
    // The plan stands before both nodes; behind it, everything of one may come first.
    let of = |event: &Event| match event {
        Event::Node(node) => Some(node.file.name.clone()),
        Event::Planned(planned) => Some(planned.node.clone()),
        Event::Evidence(piece) => Some(piece.node.clone()),
        Event::Attempted { key, .. } | Event::Answered { key, .. } => Some(key.node.clone()),
        Event::Verdict(verdict) => Some(verdict.key.node.clone()),
        _ => None,
    };
    let ready = said.iter().position(|event| matches!(event, Event::PlanReady { .. })).unwrap();
    let (plan, rest) = said.split_at(ready + 1);
    for (before, behind) in [("one", "two"), ("two", "one")] {
        let only = |name: &'static str| rest.iter().filter(move |e| of(e).as_deref() == Some(name));
        let end = rest.iter().filter(|event| of(event).is_none());
        let mixed = plan.iter().chain(only(before)).chain(only(behind)).chain(end).cloned();
        assert_eq!(fold(mixed).unwrap(), first, "{before} first");
    }
}

#[test]
fn a_node_that_is_through_ends_no_other_nodes_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (begun, go) = (path("begun"), path("go"));
    let wait = format!("echo > {begun}; until [ -e {go} ]; do :; done");
    let ask = Ask::exec(["sh", "-c", &wait]);
    let asked = std::thread::spawn(move || Local::new("RUN.1").gather(&ask, &Cancel::default()));
    while !std::path::Path::new(&begun).try_exists().unwrap() {
        std::thread::yield_now();
    }
    assert_eq!(Local::new("RUN.0").sweep(), Vec::<String>::new());
    std::fs::File::create(&go).unwrap();
    assert!(matches!(asked.join().unwrap(), Captured::Exec { exit: Some(0), .. }));
}

/// Answers like a node to which every exchange is a login, and counts them.
struct Costly(AtomicUsize);

impl Transport for Costly {
    fn via(&self) -> Via {
        Via::Ssh("far".to_owned())
    }

    fn gather(&self, ask: &Ask, _cancel: &Cancel) -> Captured {
        right(ask)
    }

    fn is_batched(&self) -> bool {
        true
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn gather_all(
        &self,
        asks: &[Ask],
        cancel: &Cancel,
        hear: &mut dyn FnMut(usize, Captured, std::time::Duration),
    ) {
        self.0.fetch_add(1, Ordering::SeqCst);
        for (at, ask) in asks.iter().enumerate() {
            hear(at, self.gather(ask, cancel), std::time::Duration::ZERO);
        }
    }

    fn sweep(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn facts_and_state_go_in_one_exchange_where_each_is_felt() {
    let [one, two] = [(); 2].map(|()| Arc::new(Costly(AtomicUsize::new(0))));
    let transport = |node: &Arc<Costly>| Arc::clone(node) as Arc<dyn Transport>;
    let run = fold(events(transport(&one), transport(&two), "")).unwrap();
    assert_eq!(outcomes(&run), ALL_PASS);
    // The other exchange is the load, which goes alone.
    assert_eq!(one.0.load(Ordering::SeqCst), 2);
    // What was gathered ahead is evidence like any other.
    let state = run.checks.iter().find(|c| c.planned.check.id == "a/state").unwrap();
    let verify_model::verdict::Answer::Attempted(attempts) = &state.answer else { panic!() };
    assert!(is_state(&run.evidence(attempts[0].evidence[0]).unwrap().ask));
}
