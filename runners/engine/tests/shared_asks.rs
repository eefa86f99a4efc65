//! Equal asks are gathered once, whoever asks and in whichever wave, and everyone is answered.
#![allow(clippy::unwrap_used, reason = "a test that does not work ends")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use verify_engine::{
    execute::{Context, Observer},
    load::{catalog::load_sources, diagnostic::Source},
    plan::{Permissions, Selection},
    session::{self, Request},
    transport::{Cancel, Local, Transport},
};
use verify_model::{
    ask::Ask,
    effect::Effect,
    event::{Event, Fold},
    evidence::Captured,
    node::Via,
    outcome::Outcome,
    run::{Header, RUN_FORMAT},
    verdict::CheckKey,
};

/// Counts how often one path is looked at.
struct Counting(Local, AtomicUsize);

impl Transport for Counting {
    fn via(&self) -> Via {
        self.0.via()
    }

    fn gather(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        if matches!(ask, Ask::Stat { path } if path == "/") {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
        self.0.gather(ask, cancel)
    }

    fn sweep(&self) -> Vec<String> {
        self.0.sweep()
    }
}

struct Folding(Fold);

impl Observer for Folding {
    fn event(&mut self, event: Event) {
        self.0.take(event).unwrap();
    }

    fn asking(&mut self, _key: &CheckKey, _effect: Effect) {}
}

/// Two checks at once, one in a later wave, all of the same path.
const SUITE: &str = r#"
[suite]
title = "The same path"
nodes = ["local"]
[[check]]
id = "same/first"
title = "First"
probe = "file"
with = { path = "/" }
why = "w"
source = "s"
fix = "f"
expect = { kind = "folder" }
[[check]]
id = "same/beside"
title = "Beside"
probe = "file"
with = { path = "/" }
why = "w"
source = "s"
fix = "f"
expect = { exists = true }
[[check]]
id = "same/later"
title = "Later"
probe = "file"
with = { path = "/" }
after = ["same/first"]
why = "w"
source = "s"
fix = "f"
expect = { kind = "folder" }
"#;

#[test]
fn equal_asks_are_gathered_once_across_waves() {
    let sources = |name: &str, text: &str| {
        BTreeMap::from([(name.to_owned(), Source::new(format!("{name}.toml"), text))])
    };
    let catalog =
        load_sources(&sources("local", "title = \"Here\"\n"), &sources("same", SUITE)).unwrap();
    let transport = Arc::new(Counting(Local::new("shared"), AtomicUsize::new(0)));
    let request = Request {
        nodes: vec![("local".to_owned(), Arc::clone(&transport) as Arc<dyn Transport>)],
        peers: None,
        selection: Selection::default(),
        permissions: Permissions::default(),
        repeat: None,
        until_decided: false,
        earlier: Vec::new(),
        shelf: None,
    };
    #[allow(clippy::disallowed_methods, reason = "the start of the test's run")]
    let context = Context::new(Instant::now(), Cancel::default(), false);
    let mut prepared = session::prepare(&catalog, &request, &context).unwrap();
    let header = Header {
        format: RUN_FORMAT.to_owned(),
        id: "01".to_owned(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        version: "0".to_owned(),
        root: "test".to_owned(),
        command: Vec::new(),
        require_baseline: false,
        until_decided: false,
        orchestrator: "test".to_owned(),
    };
    let mut observer = Folding(Fold::default());
    session::execute(header, &mut prepared, &context, &mut observer);
    let run = observer.0.finish().unwrap();
    let outcomes: Vec<Outcome> = run.verdicts().map(|v| v.outcome).collect();
    assert_eq!(outcomes, [Outcome::Pass; 3]);
    assert_eq!(transport.1.load(Ordering::SeqCst), 1, "the same ask was gathered again");
}
