//! Whether the checks of torch see what a real one does: its counts, its ranks, their faults.
//!
//! There is no GPU here: what must fail for that reason is shown to, and ranks compute on the
//! processor over gloo, where equality and clean-up are as real as on cards.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use verify_engine::script;

use crate::{
    Heavy,
    interpreter::{check, check_with, demand, lay_out},
};

/// Variable by which a rank or a device is made to err.
const FAULT: &str = "VERIFY_SCRIPT_FAULT";

pub(crate) const TESTS: &[Heavy] = &[
    Heavy {
        name: "without_a_gpu_the_count_is_zero_and_the_reason_is_said",
        needs: &["torch"],
        run: counts_nothing,
    },
    Heavy {
        name: "the_computation_of_a_device_is_compared_and_a_wrong_element_is_found",
        needs: &["torch"],
        run: compares_elements,
    },
    Heavy {
        name: "two_ranks_compute_the_same_as_one_over_gloo",
        needs: &["torch"],
        run: ranks_agree,
    },
    Heavy {
        name: "a_rank_that_computes_wrong_fails_and_one_that_dies_or_hangs_is_named",
        needs: &["torch"],
        run: faults_are_found,
    },
    Heavy { name: "too_few_devices_for_the_ranks_fail", needs: &["torch"], run: too_few },
    Heavy {
        name: "a_run_that_is_killed_leaves_no_rank_behind",
        needs: &["torch"],
        run: leaves_nothing,
    },
];

/// Writes a suite of one check.
fn suite(probe: &str, with: &str, expect: &str) -> String {
    format!(
        r#"[suite]
title = "PyTorch"
nodes = ["box"]

[[check]]
id     = "torch/try"
title  = "It is tried"
probe  = "{probe}"
with   = {{ {with} }}
when   = ["python:torch"]
limit  = "4 min"
why    = "It is a test."
source = "It is a test."
fix    = "None."
[check.expect]
{expect}
"#
    )
}

fn counts_nothing(python: &str) -> Result<(), String> {
    let counts = suite("torch-device", "", "trouble = \"none\"\ncount = 2\navailable = true");
    let words = ["expected count: 2", "observed 0", "observed no", "initialise: "];
    demand(check(python, &counts, &[])?, 1, &words)?;
    let computes = suite("torch-device", "compute = true", "computed = 2\nwrong = { count = 0 }");
    demand(check(python, &computes, &[])?, 1, &["`wrong` is absent: PyTorch shows no device"])
}

/// Runs our program on the processor; returns what it printed.
fn on_the_processor(python: &str, fault: &str) -> Result<String, String> {
    let source = script::find("torch-device").ok_or("no program torch-device")?.source();
    let argv = script::argv(python, &["compute".to_owned(), "cpu".to_owned()]);
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).env(FAULT, fault);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = piped.spawn().map_err(|error| error.to_string())?;
    let mut into = child.stdin.take().ok_or("no standard input")?;
    std::io::Write::write_all(&mut into, source.as_bytes()).map_err(|error| error.to_string())?;
    drop(into);
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn compares_elements(python: &str) -> Result<(), String> {
    let right = on_the_processor(python, "")?;
    let wrong = on_the_processor(python, "wrong-device")?;
    let found = wrong.matches("1 of 1048576 wrong").count();
    if right.contains(r#""wrong": []"#) && found == 3 {
        return Ok(());
    }
    Err(format!("{found} faults of 3 were found: {right} {wrong}"))
}

const SMALL: &str = r#"backend = "gloo", hidden = 256, inner = 1024, layers = 4, tokens = 64, iterations = 11, size = "4 MiB", for = "60 s""#;
const EQUAL: &str = "state = \"measured\"\ndiffering = 0\nall-reduce-wrong = 0\n";

fn ranks_agree(python: &str) -> Result<(), String> {
    let shown = "speed-up = { at-least = \"0.01 x\" }\nall-reduce = { at-least = \"1 MB/s\" }\n";
    let suite =
        suite("torch-parallel", SMALL, &format!("{EQUAL}{shown}all-reduce-size = \"4 MiB\""));
    demand(check(python, &suite, &[])?, 0, &["1 pass"])
}

fn faults_are_found(python: &str) -> Result<(), String> {
    let whole = suite("torch-parallel", SMALL, EQUAL);
    let tried = |suite: &str, fault: &str| check_with(python, suite, &[], &[(FAULT, fault)]);
    for rank in ["wrong-rank-0", "wrong-rank-1"] {
        demand(tried(&whole, rank)?, 1, &["expected differing: 0"])?;
    }
    let died = ["rank 1: ended by signal 11: verify: rank 1 computes alone"];
    demand(tried(&whole, "dies-rank-1")?, 3, &died)?;
    let short = suite("torch-parallel", &SMALL.replace("60 s", "20 s"), EQUAL);
    let hangs = ["rank 0: no end within 20 s", "rank 1: no end within 20 s"];
    demand(tried(&short, "hangs-rank-0")?, 3, &hangs)
}

fn too_few(python: &str) -> Result<(), String> {
    let suite = suite("torch-parallel", "for = \"60 s\"", EQUAL);
    let words = ["expected state: measured", "observed too-few-devices"];
    demand(check(python, &suite, &[])?, 1, &words)
}

/// Starts the command on a suite in which a rank hangs, kills it, and looks who is left.
fn leaves_nothing(python: &str) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    let root = tempfile::tempdir().map_err(said)?;
    let whole = suite("torch-parallel", SMALL, EQUAL);
    lay_out(root.path(), python, &whole)?;
    let mut verify = Command::new(env!("CARGO_BIN_EXE_verify"));
    verify.args(["--root".as_ref(), root.path().as_os_str()]).args(["--node", "box"]);
    verify.env("VERIFY_LOCKS", root.path());
    verify.env("VERIFY_STATE", root.path().join("state")).env(FAULT, "hangs-rank-0");
    let child = verify.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(said)?;
    let mut verify = Killed(child);
    // The folder of this test is in the environment of all that it starts, and in no other's.
    let mark = format!("VERIFY_STATE={}", root.path().join("state").display());
    let soon = Instant::now() + Duration::from_mins(1);
    // Itself, the first program and two ranks.
    while with_mark(&mark) < 4 {
        if Instant::now() > soon {
            return Err(format!("only {} processes were started", with_mark(&mark)));
        }
        std::thread::yield_now();
    }
    verify.kill();
    let soon = Instant::now() + Duration::from_secs(10);
    while with_mark(&mark) > 0 {
        if Instant::now() > soon {
            return Err(format!("{} processes are left behind", with_mark(&mark)));
        }
        std::thread::yield_now();
    }
    Ok(())
}

/// Ends the command whatever becomes of the test.
struct Killed(Child);

impl Killed {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Counts the processes that have a variable in their environment.
fn with_mark(mark: &str) -> usize {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let marked = all.filter(|entry| {
        let found = fs::read(entry.path().join("environ")).unwrap_or_default();
        found.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    });
    marked.count()
}
