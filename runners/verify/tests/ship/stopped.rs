//! What is told when a job is cancelled, runs out of time, or its run is killed.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::step::{Job, Step};

/// Longest that a test waits for something that should happen soon.
const PATIENCE: Duration = Duration::from_mins(1);

/// A step whose only check has started a program that does not end by itself.
struct Asking {
    job: Job,
    step: Child,
    /// What the program writes; closed when it and its children have ended.
    lines: Receiver<String>,
    program: Pid,
    verify: Pid,
}

fn pid(text: &str) -> Pid {
    Pid::from_raw(text.parse().unwrap()).unwrap()
}

fn asking(asked: &[(&str, &str)]) -> Asking {
    let job = Job::starting(&["true"]);
    let pipe = job.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let says = format!("exec 9>{}; echo $$ $PPID >&9; exec sleep 900", pipe.display());
    let job = job.with_root("root", &["sh", "-c", &says]);
    let (sender, lines) = channel();
    thread::spawn(move || {
        let file = BufReader::new(File::open(pipe).unwrap());
        file.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let mut command = job.command(asked);
    let step = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let line = lines.recv_timeout(PATIENCE).unwrap();
    let (program, verify) = line.split_once(' ').unwrap();
    Asking { program: pid(program), verify: pid(verify), job, step, lines }
}

impl Asking {
    /// Waits for the end of the step and of all that it started.
    fn ends(self) -> Step {
        let (sender, ended) = channel();
        thread::spawn(move || sender.send(self.step.wait_with_output().unwrap()));
        let output = ended.recv_timeout(PATIENCE).unwrap();
        assert_eq!(self.lines.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
        self.job.ended(output)
    }
}

#[test]
fn a_job_that_is_cancelled_ends_the_run_and_tells_what_was_answered() {
    // GitHub signals the process that it started, and no other.
    for signal in [Signal::INT, Signal::TERM] {
        let asking = asking(&[]);
        kill_process(pid(&asking.step.id().to_string()), signal).unwrap();
        let step = asking.ends().exits(130);
        assert_eq!(step.output("exit-code"), "130");
        assert!(step.output("verdict").contains("interrupted"), "{}", step.output("verdict"));
        assert!(step.read("summary").contains("interrupted"), "{}", step.read("summary"));
        assert!(step.commands().iter().any(|line| line.starts_with("::error title=interrupted::")));
        for name in ["reports", "html", "junit", "record", "run"] {
            assert!(!step.output(name).is_empty(), "{name}");
        }
    }
}

#[test]
fn a_job_that_is_cancelled_fails_even_where_the_exit_code_does_not_count() {
    let asking = asking(&[("ASK_FAIL", "false")]);
    kill_process(pid(&asking.step.id().to_string()), Signal::TERM).unwrap();
    asking.ends().exits(130);
}

#[test]
fn a_run_that_is_killed_was_cut_off_and_its_record_is_kept() {
    let asking = asking(&[("ASK_RECORD", "true")]);
    kill_process(asking.verify, Signal::KILL).unwrap();
    // Nobody is left who would end it.
    kill_process(asking.program, Signal::KILL).unwrap();
    let step = asking.ends().exits(137);
    let summary = step.read("summary");
    assert!(
        summary.contains("cut off by signal 9") && !summary.contains("nothing ran"),
        "{summary}"
    );
    assert!(step.output("record").starts_with(&step.output("reports")));
    assert!(step.read("root/verify-reports/verify.run.jsonl").contains(&step.output("run")));
    assert!(step.output("verdict").contains("not reached"), "{}", step.output("verdict"));
    let said = "::error title=verify::verify was cut off by signal 9";
    assert!(step.commands().iter().any(|line| line.starts_with(said)), "{}", step.log);
}
