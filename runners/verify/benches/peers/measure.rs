//! One run of a program, with what it cost: its time, the processor time of its whole tree, its memory.
//!
//! A figure of something else would mislead: a run ends the bench unless it succeeds and says itself that
//! it made as many tests as it was given. `wait4(2)` is asked, since no other interface knows microseconds
//! of processor time of a tree; what the program never waited for is not in it. Its peak of memory is never
//! less than what this bench itself held at the start of the program, about 8 MB.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use wait4::Wait4 as _;

/// Reads from the output how many tests passed; nothing where one did not, or nothing is said.
pub(crate) type Count = fn(&str) -> Option<usize>;

/// Holds a program, what is written to its input, and what it must say.
pub(crate) struct Subject<'a> {
    /// Name in the table.
    pub(crate) name: String,
    /// Builds the command.
    pub(crate) command: Box<dyn Fn() -> Command + 'a>,
    /// What it reads from its standard input.
    pub(crate) input: String,
    /// How its output is read.
    pub(crate) count: Count,
    /// How many tests it must have passed.
    pub(crate) tests: usize,
    /// What is done before each run, and not timed.
    pub(crate) before: Box<dyn Fn() + 'a>,
    /// Every how many turns it is run: what takes seconds gets fewer.
    pub(crate) every: usize,
}

/// Holds the samples of one subject, a value each turn.
#[derive(Clone, Default)]
pub(crate) struct Costs {
    /// *Units*: s.
    pub(crate) wall: Vec<f64>,
    /// User and system time of the tree. *Units*: s.
    pub(crate) cpu: Vec<f64>,
    /// Largest process of the tree. *Units*: B.
    pub(crate) memory: u64,
}

/// Runs all subjects in turns, after one turn that is not counted.
///
/// Each turn begins with another subject: what the one before left behind, in caches and clocks, is
/// not always found by the same one.
pub(crate) fn in_turns(turns: usize, scratch: &Path, subjects: &[Subject<'_>]) -> Vec<Costs> {
    let mut all = vec![Costs::default(); subjects.len()];
    for turn in 0..=turns {
        for place in 0..subjects.len() {
            let at = (place + turn) % subjects.len();
            let (subject, costs) = (&subjects[at], &mut all[at]);
            if turn > 0 && turn % subject.every != 0 {
                continue;
            }
            let cost = once(subject, scratch);
            if turn > 0 {
                costs.wall.push(cost.0);
                costs.cpu.push(cost.1);
                costs.memory = costs.memory.max(cost.2);
            }
        }
    }
    all
}

/// Runs a subject: its time, its processor time, its memory.
///
/// *Panics* when it did not do what it was to do.
fn once(subject: &Subject<'_>, scratch: &Path) -> (f64, f64, u64) {
    (subject.before)();
    let errors = scratch.join("stderr");
    let mut command = (subject.command)();
    leave_out_settings(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(fs::File::create(&errors).unwrap());
    let start = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    // Who does not read its input closes it, and that is no fault.
    let _ = child.stdin.take().unwrap().write_all(subject.input.as_bytes());
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    let ended = child.wait4().unwrap();
    let elapsed = start.elapsed().as_secs_f64();
    let output = String::from_utf8_lossy(&output);
    let tests = (subject.count)(&output);
    assert!(
        ended.status.success() && tests == Some(subject.tests),
        "{}: {}, {tests:?} tests passed of {}\n{command:?}\n{output}\n{}",
        subject.name,
        ended.status,
        subject.tests,
        fs::read_to_string(&errors).unwrap_or_default()
    );
    let cpu = (ended.rusage.utime + ended.rusage.stime).as_secs_f64();
    (elapsed, cpu, ended.rusage.maxrss)
}

/// Takes away what the caller of the bench set for `verify`: only what the subject sets counts.
fn leave_out_settings(command: &mut Command) {
    let set: Vec<OsString> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
    let own = env::vars_os().map(|(name, _)| name);
    for name in own.filter(|name| name.as_encoded_bytes().starts_with(b"VERIFY_")) {
        if !set.contains(&name) {
            command.env_remove(name);
        }
    }
}
