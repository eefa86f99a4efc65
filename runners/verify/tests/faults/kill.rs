//! The command is killed at any moment of what it does, and everything is looked over.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    chance::Chance,
    left::{self, pause},
    record,
    scene::{KEPT, Kind, RECORDS, Scene},
    table::{Left, Table},
};

/// Kills in a test; more by `VERIFY_FAULTS`.
const FEW: u64 = 24;
/// One try of so many is followed by a run to its end.
const EACH: u64 = 10;
/// Tries after which the table so far is printed.
const TOLD: usize = 50;
/// Tries for which every scene is there once.
const LANE: u64 = 500;
/// Longest that a run of a scene takes on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_mins(2);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn wherever_the_command_is_killed_no_record_is_lost_and_nothing_is_left() {
    let tries = number("VERIFY_FAULTS").unwrap_or(FEW);
    let seed = number("VERIFY_FAULTS_SEED").unwrap_or(20_261_128);
    // Most of the time is waiting: what takes long is tried in several places at once.
    let scenes: Vec<Scene> = (0..tries.div_ceil(LANE)).flat_map(|_| Scene::all()).collect();
    let count = u64::try_from(scenes.len()).unwrap();
    let table = Mutex::new(Table::default());
    thread::scope(|scope| {
        for (at, scene) in (0..).zip(&scenes) {
            let own = tries / count + u64::from(at < tries % count);
            let chance = Chance::new(seed.wrapping_add(at));
            let table = &table;
            scope.spawn(move || try_all(scene, own, chance, table));
        }
    });
    table.into_inner().unwrap().demand(seed);
}

/// Holds what a whole run of a scene is like.
struct Whole {
    time: Duration,
    lines: usize,
}

fn try_all(scene: &Scene, tries: u64, mut chance: Chance, table: &Mutex<Table>) {
    let whole = whole(scene);
    for number in 0..tries {
        scene.reset();
        let moment = moment(scene, &whole, &mut chance);
        let signal = match (scene.kind, chance.below(10)) {
            // The rest are those that it can answer.
            (Kind::Runs, 0) => Signal::TERM,
            (Kind::Runs, 1) => Signal::INT,
            (Kind::Runs, 2) => Signal::HUP,
            _ => Signal::KILL,
        };
        let word = format!("try {number}, {moment:?}");
        let left = try_once(scene, moment, signal, number % EACH == EACH - 1 || number == 0);
        let name = format!("{}: {}", name(signal), scene.name);
        let mut table = table.lock().unwrap();
        table.count(&name, &word, left);
        if table.tries().is_multiple_of(TOLD) {
            let _ = writeln!(std::io::stderr(), "{} tries\n{}", table.tries(), table.text());
        }
    }
}

fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::TERM => "SIGTERM",
        Signal::INT => "SIGINT twice",
        Signal::HUP => "SIGHUP",
        _ => "SIGKILL",
    }
}

/// Runs a scene to its end.
fn whole(scene: &Scene) -> Whole {
    scene.reset();
    let begun = Instant::now();
    let output = scene.command().output().unwrap();
    let time = begun.elapsed();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{}: {said}", scene.name);
    let lines = records(scene).last().map_or(0, |path| record::lines(path));
    Whole { time, lines }
}

/// Says when the command is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after its start.
    After(Duration),
    /// When its record has so many lines, and a little later.
    Line(usize, Duration),
}

fn moment(scene: &Scene, whole: &Whole, chance: &mut Chance) -> Moment {
    let us = u64::try_from(whole.time.as_micros()).unwrap();
    if scene.kind != Kind::Runs || chance.below(3) == 0 {
        return Moment::After(Duration::from_micros(chance.below(us + us / 10)));
    }
    let line = chance.below(u64::try_from(whole.lines).unwrap() + 1);
    let more = Duration::from_micros(chance.below(2) * chance.below(20_000));
    Moment::Line(usize::try_from(line).unwrap(), more)
}

fn records(scene: &Scene) -> Vec<PathBuf> {
    let all = scene.ground.records().into_iter();
    all.filter(|path| path.is_file()).collect()
}

/// Kills the command and looks at what is left.
fn try_once(scene: &Scene, moment: Moment, signal: Signal, again: bool) -> Left {
    let before = snapshot(scene);
    let mut child = scene.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    await_moment(scene, moment, &mut child);
    let had: Vec<(PathBuf, usize)> =
        records(scene).into_iter().map(|path| (path.clone(), record::lines(&path))).collect();
    let _ = kill_process(pid, signal);
    if signal == Signal::INT {
        let _ = kill_process(pid, signal);
    }
    let mut left = Left::default();
    if !ends(&mut child) {
        left.other.push(format!("it does not end by {signal:?}"));
        let _ = child.kill();
        let _ = child.wait();
    }
    let mut words = vec![scene.ground.text("")];
    for path in records(scene) {
        let id = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        words.push(format!("VERIFY_ASK={id}"));
    }
    let orphans = left::orphans(&words);
    left.orphans =
        orphans.into_iter().map(|one| format!("orphan {} {}", one.pid, one.words)).collect();
    left.files = scene.files();
    match scene.kind {
        Kind::Runs => look_at_runs(scene, &had, again, &mut left),
        Kind::Accepts => look_at_baselines(scene, &before, &mut left),
        Kind::Rebuilds => look_at_index(scene, &before, &mut left),
        Kind::Prunes => look_at_pruned(scene, &before, &mut left),
    }
    left
}

fn await_moment(scene: &Scene, moment: Moment, child: &mut Child) {
    match moment {
        Moment::After(time) => pause(time),
        Moment::Line(line, more) => {
            let until = Instant::now() + PATIENCE;
            let reached = || records(scene).last().is_some_and(|path| record::lines(path) >= line);
            while !reached() && Instant::now() < until {
                if !matches!(child.try_wait(), Ok(None)) {
                    return;
                }
                pause(Duration::from_micros(500));
            }
            pause(more);
        }
    }
}

fn ends(child: &mut Child) -> bool {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        pause(Duration::from_millis(1));
    }
    false
}

fn look_at_runs(scene: &Scene, had: &[(PathBuf, usize)], again: bool, left: &mut Left) {
    for path in records(scene) {
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == 0) {
            // No record: nothing was asked.
            continue;
        }
        let lines = had.iter().find(|(known, _)| *known == path).map_or(0, |(_, lines)| *lines);
        left.lost.extend(record::lost(&scene.ground, &path, lines));
    }
    for (path, _) in had {
        if !path.is_file() {
            left.lost.push(format!("{} is gone", path.display()));
        }
    }
    for name in ["out/a.xml", "out/b.html"] {
        let text = fs::read_to_string(scene.ground.path(name)).unwrap_or_default();
        let end = if name.ends_with("xml") { "</testsuites>" } else { "</html>" };
        if !text.is_empty() && !text.trim_end().ends_with(end) {
            left.lost.push(format!("{name} is half a report"));
        }
    }
    if !again {
        return;
    }
    let next = scene.command().output().unwrap();
    if !matches!(next.status.code(), Some(0 | 1 | 3)) {
        left.other.push(format!("the next run: {}", String::from_utf8_lossy(&next.stderr)));
    }
    let text = fs::read_to_string(records(scene).last().unwrap()).unwrap_or_default();
    if text.contains("node-busy") || !text.contains("\"event\":\"finished\"") {
        left.other.push("the next run is not clean".to_owned());
    }
    let locks = left::files(&scene.ground.path("state"));
    let locks = locks.iter().filter(|path| path.extension().is_some_and(|end| end == "lock"));
    left.files.extend(locks.map(|path| path.display().to_string()));
    if scene.ground.say(&["runs"]).code != Some(0) {
        left.other.push("`verify runs` fails".to_owned());
    }
}

/// Holds every file of what a scene changes, by its path.
type Snapshot = BTreeMap<PathBuf, Vec<u8>>;

fn snapshot(scene: &Scene) -> Snapshot {
    let folder = match scene.kind {
        Kind::Runs => return Snapshot::new(),
        Kind::Accepts => "baselines",
        Kind::Rebuilds | Kind::Prunes => "state/runs",
    };
    read_all(&scene.ground.path(folder))
}

fn read_all(folder: &Path) -> Snapshot {
    left::files(folder).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Each file is as before, or one that can be read; what is half done is repaired by one word.
fn look_at_baselines(scene: &Scene, before: &Snapshot, left: &mut Left) {
    let after = read_all(&scene.ground.path("baselines"));
    if !before.keys().all(|path| after.contains_key(path)) {
        left.lost.push("a file of a baseline is gone".to_owned());
    }
    if after != *before {
        let merged = scene.ground.say(&["baseline", "merge"]);
        if merged.code != Some(0) {
            left.lost.push(format!("baseline merge: {}", merged.err));
        }
    }
    let shown = scene.ground.say(&["baseline", "show"]);
    if shown.code != Some(0) || !shown.out.contains("3 units") && !shown.out.contains("6 units") {
        left.lost.push(format!("baseline show: {}{}", shown.out, shown.err));
    }
    let accepted = scene.command().output().unwrap();
    if !matches!(accepted.status.code(), Some(0 | 2)) {
        left.other.push(format!("next accept: {}", String::from_utf8_lossy(&accepted.stderr)));
    }
}

fn look_at_index(scene: &Scene, before: &Snapshot, left: &mut Left) {
    if read_all(&scene.ground.path("state/runs")) != *before {
        left.lost.push("a record is not as before".to_owned());
    }
    let rebuilt = scene.command().output().unwrap();
    let said = String::from_utf8_lossy(&rebuilt.stdout).into_owned();
    if rebuilt.status.code() != Some(0) || !said.contains(&format!("{RECORDS} runs are in")) {
        let said = said + &String::from_utf8_lossy(&rebuilt.stderr);
        left.lost.push(format!("history rebuild: {said}"));
    }
    let files = left::files(&scene.ground.path("state"));
    let aside = files.iter().filter(|path| path.to_string_lossy().contains(".corrupt-"));
    left.files.extend(aside.map(|path| path.display().to_string()));
}

fn look_at_pruned(scene: &Scene, before: &Snapshot, left: &mut Left) {
    let after = read_all(&scene.ground.path("state/runs"));
    for (path, bytes) in before.iter().rev().take(KEPT) {
        if after.get(path) != Some(bytes) {
            left.lost.push(format!("{} is not as before", path.display()));
        }
    }
    if after.iter().any(|(path, bytes)| before.get(path) != Some(bytes)) {
        left.lost.push("a record was changed".to_owned());
    }
    let pruned = scene.command().output().unwrap();
    let rest = records(scene).len();
    if pruned.status.code() != Some(0) || rest != KEPT {
        left.other.push(format!("the next prune leaves {rest} records"));
    }
}
