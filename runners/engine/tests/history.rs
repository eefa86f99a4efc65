//! What the index of runs promises: records are the truth, and no end of a process costs anything.
//!
//! A test that needs another process starts this program again with a task in a variable: the task
//! ends itself where a test says, so that nobody waits by the clock.
#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "damages files and starts itself again")]

#[path = "baseline/run.rs"]
#[allow(dead_code, reason = "the tests of baselines use all of it")]
mod sample;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command},
};

use rusqlite::Connection;
use verify_engine::{
    history::{Entry, FILE, Filled, Index, Series, Wanted},
    record::Store,
};
use verify_model::{
    event::Event,
    fingerprint::Fingerprint,
    node::Via,
    run::{Run, RunNode},
    verdict::Answer,
};

/// Names the task of a process that is started again, and the folder that it works in.
const TASK: [&str; 2] = ["HISTORY_TASK", "HISTORY_STATE"];

struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn with(runs: u32) -> Self {
        let ground = Self::new();
        (0..runs).for_each(|number| ground.record(&at(number)));
        ground
    }

    fn store(&self) -> Store {
        Store { dir: self.dir.path().join("runs") }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join(FILE)
    }

    /// Records a run as the command does.
    fn record(&self, run: &Run) {
        let mut writer = self.store().create(&run.header.id).unwrap();
        for event in events(run) {
            writer.append(&event).unwrap();
        }
        if run.complete {
            let (elapsed_ms, interrupted) = (1, run.interrupted);
            writer.append(&Event::Finished { elapsed_ms, interrupted, exit: 0 }).unwrap();
        }
    }

    fn open(&self) -> Index {
        let opened = Index::open(&self.store()).unwrap();
        assert_eq!(opened.note, None);
        opened.index
    }

    fn filled(&self) -> (Index, Filled) {
        let index = self.open();
        let filled = index.catch_up(&self.store(), &mut |_| {}).unwrap();
        (index, filled)
    }

    /// Starts this program again for a task.
    fn start(&self, task: &str) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_task_of_another_test", "--quiet"])
            .env(TASK[0], task)
            .env(TASK[1], self.dir.path())
            .spawn()
            .unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
        names.sort();
        names
    }
}

fn events(run: &Run) -> Vec<Event> {
    let mut events = vec![Event::Started(run.header.clone())];
    events.extend(run.nodes.iter().cloned().map(Event::Node));
    events.extend(run.checks.iter().map(|check| Event::Planned(check.planned.clone())));
    events.push(Event::PlanReady { checks: run.checks.len() });
    for check in &run.checks {
        let key = check.planned.key();
        let Answer::Attempted(attempts) = &check.answer else { continue };
        for attempt in attempts {
            events.push(Event::Attempted { key: key.clone(), attempt: attempt.clone() });
        }
        events.push(Event::Answered { key, answer: None });
    }
    events
}

/// Builds a run, an hour after the one before it.
fn at(number: u32) -> Run {
    started(number, i64::from(number) * 3600)
}

fn started(number: u32, second: i64) -> Run {
    let mut run = sample::at(number, 2.0 + f64::from(number % 7) / 100.0);
    run.header.started_at =
        jiff::Timestamp::from_second(1_700_000_000 + second).unwrap().to_string();
    run
}

fn rate(index: &Index) -> Series {
    let all = index.series().unwrap();
    all.into_iter().find(|series| series.field == "rate").unwrap()
}

fn runs(index: &Index, wanted: &Wanted) -> Vec<String> {
    let known = index.points(&rate(index), wanted).unwrap();
    known.points.into_iter().map(|point| point.run).collect()
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(sample::id).collect()
}

/// Ends this process as nothing can stop it.
fn die() -> ! {
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
    unreachable!("nobody survives that")
}

#[test]
fn a_task_of_another_test() {
    let [Ok(task), Ok(state)] = TASK.map(std::env::var) else { return };
    let store = Store { dir: PathBuf::from(state).join("runs") };
    let index = Index::open(&store).unwrap().index;
    match task.as_str() {
        "catch-up" => drop(index.catch_up(&store, &mut |_| {}).unwrap()),
        "rebuild" => drop(index.rebuild(&store, &mut |_| {}).unwrap()),
        "die-in-rebuild" => {
            let _ = index.rebuild(&store, &mut |step| {
                if step.done == 5 {
                    die();
                }
            });
        }
        _ => {
            let raw = Connection::open(store.dir.with_file_name(FILE)).unwrap();
            let half = "BEGIN IMMEDIATE;
                DELETE FROM value;
                INSERT INTO run VALUES (999, 'HALF', 1, 1, 0, 1, 1, NULL);";
            raw.execute_batch(half).unwrap();
            die();
        }
    }
}

#[test]
fn what_was_measured_comes_back_in_order_with_its_unit() {
    let ground = Ground::with(40);
    let (index, filled) = ground.filled();
    assert_eq!((filled.read, filled.gone, filled.unreadable.len()), (40, 0, 0));
    let names: Vec<String> = index
        .series()
        .unwrap()
        .iter()
        .map(|s| format!("{}:{} {}", s.check, s.field, s.node))
        .collect();
    assert_eq!(names, ["disk/read:latency.p99 box", "disk/read:rate box"]);
    let last = Wanted { last: Some(3), ..Wanted::default() };
    let known = index.points(&rate(&index), &last).unwrap();
    assert!(known.more && known.left_out.is_empty());
    let newest = known.points.last().unwrap();
    assert_eq!(known.points.iter().map(|p| p.run.clone()).collect::<Vec<_>>(), ids(37..40));
    assert_eq!(newest.quantity, "2.04 GB/s".parse().unwrap());
    assert_eq!((newest.tolerance, newest.machine.as_str()), (Some(0.1), "tower"));
    assert_eq!(index.runs().unwrap(), 40);
    assert_eq!(index.count(&rate(&index)).unwrap(), 40);
}

#[test]
fn looking_again_reads_nothing_and_what_is_gone_leaves() {
    let ground = Ground::with(5);
    drop(ground.filled());
    let (index, again) = ground.filled();
    assert_eq!(again, Filled::default());
    ground.store().prune(2).unwrap();
    let gone = index.catch_up(&ground.store(), &mut |_| {}).unwrap();
    assert_eq!((gone.read, gone.gone), (0, 3));
    assert_eq!(runs(&index, &Wanted::default()), ids(3..5));
}

#[test]
fn the_journal_does_not_grow_from_run_to_run_without_end() {
    let ground = Ground::new();
    let journal = ground.dir.path().join(format!("{FILE}-wal"));
    for number in 0..120 {
        ground.record(&at(number));
        // Opened and closed by each, as by a command that writes once.
        let (_, filled) = ground.filled();
        assert_eq!(filled.read, 1);
        let size = fs::metadata(&journal).map_or(0, |meta| meta.len());
        assert!(size < 800_000, "{size} bytes after {number} runs");
    }
    assert_eq!(ground.filled().0.demand_sound().map_err(|e| e.to_string()), Ok(()));
}

#[test]
fn only_its_user_may_read_it() {
    let ground = Ground::with(1);
    let (_index, _) = ground.filled();
    for entry in fs::read_dir(ground.dir.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with(FILE) {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{entry:?}");
        }
    }
}

#[test]
fn a_run_that_began_before_the_last_one_by_a_clock_that_went_back_is_there() {
    let ground = Ground::with(3);
    drop(ground.filled());
    // Its id is of an earlier time, too.
    let mut back = started(0, -7200);
    back.header.id = "01J00000000000000000000001".into();
    ground.record(&back);
    let (index, filled) = ground.filled();
    assert_eq!(filled.read, 1);
    let mut expected = vec![back.header.id];
    expected.extend(ids(0..3));
    assert_eq!(runs(&index, &Wanted::default()), expected);
}

#[test]
fn two_runs_of_one_moment_are_two() {
    let ground = Ground::new();
    ground.record(&started(1, 0));
    ground.record(&started(2, 0));
    assert_eq!(runs(&ground.filled().0, &Wanted::default()), ids(1..3));
}

#[test]
fn a_run_that_was_killed_is_read_again_once_its_record_grew() {
    let ground = Ground::new();
    let mut run = at(1);
    run.complete = false;
    ground.record(&run);
    let (index, first) = ground.filled();
    assert_eq!(first.read, 1);
    assert_eq!(index.catch_up(&ground.store(), &mut |_| {}).unwrap(), Filled::default());
    let path = ground.store().find(&run.header.id).unwrap();
    let end = Event::Finished { elapsed_ms: 1, interrupted: false, exit: 0 };
    let line = format!("{}\n", serde_json::to_string(&end).unwrap());
    fs::write(&path, fs::read_to_string(&path).unwrap() + &line).unwrap();
    assert_eq!(index.catch_up(&ground.store(), &mut |_| {}).unwrap().read, 1);
    // What somebody read before the end does not come back.
    index.inserter().unwrap().put(&Entry::of(&run).unwrap(), 1).unwrap();
    assert_eq!(index.catch_up(&ground.store(), &mut |_| {}).unwrap(), Filled::default());
}

#[test]
fn a_record_that_cannot_be_read_is_named_and_the_others_are_there() {
    let ground = Ground::with(3);
    let path = ground.store().find(&sample::id(1)).unwrap();
    fs::write(&path, "no record\n").unwrap();
    let mut bad = at(7);
    bad.header.started_at = "yesterday".into();
    ground.record(&bad);
    for _ in 0..2 {
        let (index, filled) = ground.filled();
        let named: Vec<&str> = filled.unreadable.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(named, [sample::id(1), sample::id(7)]);
        assert!(filled.unreadable[1].1.contains("its start `yesterday` is no time"));
        assert_eq!(runs(&index, &Wanted::default()), ids([0, 2]));
        assert_eq!(index.runs().unwrap(), 2);
    }
}

#[test]
fn what_is_no_plain_measurement_is_left_out_and_counted() {
    let ground = Ground::with(2);
    let mut simulated = at(2);
    simulated.nodes[0].via = Via::Sim("pair".into());
    let mut replayed = at(3);
    replayed.nodes[0].via = Via::Replay("last".into());
    let disturbed = {
        let mut attempt = sample::attempt(1, sample::read(9.0));
        attempt.disturbed = Some("somebody else".into());
        Run { header: at(4).header, ..sample::run(4, vec![attempt]) }
    };
    let errored = {
        let attempts = vec![sample::attempt(1, sample::read(9.0)), sample::error(2)];
        Run { header: at(5).header, ..sample::run(5, attempts) }
    };
    let nothing = Run { header: at(6).header, ..sample::run(6, vec![sample::error(1)]) };
    for run in [&simulated, &replayed, &disturbed, &errored, &nothing] {
        ground.record(run);
    }
    let (index, _) = ground.filled();
    let known = index.points(&rate(&index), &Wanted::default()).unwrap();
    assert_eq!(known.points.iter().map(|p| p.run.clone()).collect::<Vec<_>>(), ids(0..2));
    let counted: Vec<_> = known.left_out.into_iter().collect();
    assert_eq!(counted, [("disturbed", 1), ("errored", 1), ("replayed", 1), ("simulated", 1)]);
    let all = Wanted { all: true, ..Wanted::default() };
    assert_eq!(runs(&index, &all), ids(0..6));
}

#[test]
fn values_are_chosen_by_machine_and_time() {
    let ground = Ground::with(4);
    let mut other = at(4);
    other.nodes[0].facts.hostname = "rack".into();
    ground.record(&other);
    let (index, _) = ground.filled();
    let rack = Wanted { machine: Some("rack".into()), ..Wanted::default() };
    assert_eq!(runs(&index, &rack), ids([4]));
    let since = Wanted { since_ms: Some((1_700_000_000 + 3 * 3600) * 1000), ..Wanted::default() };
    assert_eq!(runs(&index, &since), ids(3..5));
}

#[test]
fn the_fingerprint_of_a_value_comes_back() {
    let ground = Ground::with(1);
    let fields = [("bios.version".to_owned(), Some("1.2".to_owned())), ("gpu".to_owned(), None)];
    let fingerprint = Fingerprint(fields.into_iter().collect());
    let mut run = at(1);
    let node = RunNode { fingerprint: fingerprint.clone(), ..run.nodes[0].clone() };
    run.nodes = vec![node];
    ground.record(&run);
    let (index, _) = ground.filled();
    let known = index.points(&rate(&index), &Wanted::default()).unwrap();
    assert!(index.fingerprint(known.points[0].fingerprint).unwrap().is_empty());
    assert_eq!(index.fingerprint(known.points[1].fingerprint).unwrap(), fingerprint);
}

#[test]
fn a_damaged_file_is_kept_aside_and_built_anew() {
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2 + 100].to_vec();
    let zeroed = |mut bytes: Vec<u8>| {
        bytes[4096..].fill(0x55);
        bytes
    };
    let damages: [&dyn Fn(Vec<u8>) -> Vec<u8>; 3] =
        [&|_| b"this is no database, and longer than a header of one is".to_vec(), &half, &zeroed];
    for damage in damages {
        let ground = Ground::with(6);
        let (index, _) = ground.filled();
        index.rebuild(&ground.store(), &mut |_| {}).unwrap();
        drop(index);
        let bytes = damage(fs::read(ground.file()).unwrap());
        fs::write(ground.file(), &bytes).unwrap();
        let opened = Index::open(&ground.store());
        let (index, note) = match opened {
            Ok(opened) if opened.note.is_some() => (opened.index, opened.note),
            // Found when it is read.
            Ok(opened) => {
                let error = opened.index.demand_sound().unwrap_err();
                assert!(error.is_damage(), "{error:?}");
                let again = Index::replace(&ground.store(), &error).unwrap();
                (again.index, again.note)
            }
            Err(error) => panic!("{error}"),
        };
        assert!(note.unwrap().contains("history.sqlite.corrupt-1, built anew"));
        index.catch_up(&ground.store(), &mut |_| {}).unwrap();
        assert_eq!(runs(&index, &Wanted::default()), ids(0..6));
        let kept = ground.dir.path().join("history.sqlite.corrupt-1");
        assert_eq!(fs::read(kept).unwrap(), bytes, "nothing of it is lost");
    }
}

#[test]
fn a_file_of_a_newer_version_is_kept_aside_and_built_anew() {
    let ground = Ground::with(2);
    drop(ground.filled());
    let raw = Connection::open(ground.file()).unwrap();
    raw.pragma_update(None, "user_version", 2).unwrap();
    drop(raw);
    let opened = Index::open(&ground.store()).unwrap();
    let note = opened.note.unwrap();
    assert!(note.contains("of a newer verify (version 2, known is 1)"), "{note}");
    opened.index.catch_up(&ground.store(), &mut |_| {}).unwrap();
    assert_eq!(runs(&opened.index, &Wanted::default()), ids(0..2));
    drop(opened.index);
    assert_eq!(ground.names(), [FILE, "history.sqlite.newer-1", "runs"]);
    let kept = Connection::open(ground.dir.path().join("history.sqlite.newer-1")).unwrap();
    let values: i64 = kept.query_row("SELECT count(*) FROM value", [], |row| row.get(0)).unwrap();
    assert_eq!(values, 4, "its journal went with it");
}

#[test]
fn the_database_of_somebody_else_is_left_whole() {
    let ground = Ground::with(1);
    let raw = Connection::open(ground.file()).unwrap();
    raw.execute_batch("CREATE TABLE mine (x); INSERT INTO mine VALUES (7)").unwrap();
    drop(raw);
    let opened = Index::open(&ground.store()).unwrap();
    assert!(opened.note.unwrap().contains("holds what verify did not write"));
    let kept = Connection::open(ground.dir.path().join("history.sqlite.corrupt-1")).unwrap();
    let mine: i64 = kept.query_row("SELECT x FROM mine", [], |row| row.get(0)).unwrap();
    assert_eq!(mine, 7);
}

#[test]
fn several_processes_at_once_leave_what_one_leaves() {
    let ground = Ground::with(30);
    let tasks = ["catch-up", "rebuild", "catch-up", "rebuild"];
    let started: Vec<Child> = tasks.iter().map(|task| ground.start(task)).collect();
    for mut child in started {
        assert!(child.wait().unwrap().success());
    }
    let (index, filled) = ground.filled();
    assert_eq!(filled, Filled::default());
    index.demand_sound().unwrap();
    assert_eq!(runs(&index, &Wanted::default()), ids(0..30));
    assert_eq!(ground.names(), [FILE, "runs"]);
}

#[test]
fn whoever_is_killed_leaves_whole_runs() {
    let ground = Ground::with(12);
    assert!(!ground.start("die-in-rebuild").wait().unwrap().success());
    let index = ground.open();
    index.demand_sound().unwrap();
    assert_eq!(runs(&index, &Wanted::default()), ids(0..5));
    drop(index);
    assert!(!ground.start("die-in-the-middle-of-a-run").wait().unwrap().success());
    let (index, filled) = ground.filled();
    assert_eq!((filled.read, filled.gone), (7, 0));
    assert_eq!(runs(&index, &Wanted::default()), ids(0..12));
    assert_eq!(ground.names(), [FILE, "runs"]);
}

#[test]
fn a_folder_that_may_not_be_written_is_an_error_and_no_damage() {
    let ground = Ground::with(1);
    // A file in the place of the folder: that stops root, too.
    let store = Store { dir: ground.store().find(&sample::id(0)).unwrap().join("runs") };
    let error = Index::open(&store).unwrap_err();
    assert!(!error.is_damage(), "{error:?}");
    let index = Index::in_memory().unwrap();
    index.catch_up(&ground.store(), &mut |_| {}).unwrap();
    assert_eq!(runs(&index, &Wanted::default()), ids([0]));
}

#[test]
fn a_rebuild_takes_what_the_records_say_now() {
    let ground = Ground::with(2);
    drop(ground.filled());
    let path = ground.store().find(&sample::id(1)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let cut =
        text.lines().filter(|line| !line.contains("\"finished\"")).map(|line| format!("{line}\n"));
    fs::write(&path, cut.collect::<String>().replace("2.01", "3")).unwrap();
    let index = ground.open();
    index.rebuild(&ground.store(), &mut |_| {}).unwrap();
    let known = index.points(&rate(&index), &Wanted::default()).unwrap();
    assert_eq!(known.points[1].quantity, "3 GB/s".parse().unwrap());
}

#[test]
fn a_metric_that_vanished_stays_and_one_that_no_run_has_leaves() {
    let ground = Ground::with(2);
    let mut other = at(2);
    other.checks[0].planned.check.record = vec!["latency.p50".into()];
    ground.record(&other);
    let (index, _) = ground.filled();
    let fields = |index: &Index| -> Vec<String> {
        index.series().unwrap().into_iter().map(|series| series.field).collect()
    };
    assert_eq!(fields(&index), ["latency.p50", "latency.p99", "rate"]);
    ground.store().prune(1).unwrap();
    index.rebuild(&ground.store(), &mut |_| {}).unwrap();
    assert_eq!(fields(&index), ["latency.p50", "rate"]);
    let words = "SELECT count(*) FROM word WHERE text = 'latency.p99'";
    let raw = Connection::open(ground.file()).unwrap();
    let left: i64 = raw.query_row(words, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}
