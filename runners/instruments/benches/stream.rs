//! Whether the instrument `stream` says what an independently built STREAM says: that of HPC Challenge.
//!
//! One thread on the same cpu, arrays of the same size, best of ten passes each. HPC Challenge sizes
//! its arrays by the problem of its other tests, which run first and take minutes: so it is stopped
//! before its STREAM, ours runs, it goes on, and ours runs again. Both orders lie within seconds, and
//! what else the machine does hits both. `stream 64` takes arrays of 64 MiB.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench drives processes and prints"
)]

use std::{
    fs,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longest run of HPC Challenge. *Units*: s.
const PATIENCE_S: u64 = 1_200;
/// Programs and the Debian package that has each.
const NEEDED: [(&str, &str); 3] = [("hpcc", "hpcc"), ("taskset", "util-linux"), ("kill", "procps")];
/// What HPC Challenge says once the test before STREAM is over.
const BEFORE: &str = "End of SingleDGEMM section.";

/// Holds the best copy and triad of one run. *Units*: GB/s.
struct Best {
    copy: f64,
    triad: f64,
}

/// Ends the program when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> ExitCode {
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(tool, _)| !found(tool)).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        println!("skipped: needs {} (Debian packages)", missing.join(" and "));
        return ExitCode::SUCCESS;
    }
    let asked = std::env::args().skip(1).find(|word| word != "--bench");
    let mib = asked.map(|word| word.parse::<u64>().expect("a number of MiB"));
    let cpu = last_cpu();
    let array_bytes = mib.map_or_else(|| own(&cpu, None).0, |mib| mib << 20);
    // Its matrix takes what the three arrays take.
    let problem = ((3 * array_bytes / 8) as f64).sqrt().round() as u64;
    println!("cpu {cpu}, one thread, arrays of {} MiB, load {}", array_bytes >> 20, load());
    let mut early = None;
    let theirs = theirs(&cpu, problem, || early = Some(own(&cpu, Some(array_bytes)).1));
    let late = own(&cpu, Some(array_bytes)).1;
    let (theirs, early) = match (theirs, early) {
        (Ok(theirs), Some(early)) => (theirs, early),
        (Ok(_), None) => return failed("its STREAM was over before ours began"),
        (Err(why), _) => return failed(&why),
    };
    println!("GB/s   ours before    hpcc  ours after   ratio before  after");
    for (kernel, of) in [("copy", copy as fn(&Best) -> f64), ("triad", triad)] {
        let (early, theirs, late) = (of(&early), of(&theirs), of(&late));
        let (first, second) = (early / theirs, late / theirs);
        println!(
            "{kernel:<5}  {early:>11.2} {theirs:>7.2} {late:>11.2}   {first:>12.3}  {second:>5.3}"
        );
    }
    println!("load {}", load());
    ExitCode::SUCCESS
}

fn failed(why: &str) -> ExitCode {
    println!("hpcc gave no answer: {why}");
    ExitCode::FAILURE
}

fn copy(best: &Best) -> f64 {
    best.copy
}

fn triad(best: &Best) -> f64 {
    best.triad
}

/// Runs the instrument; returns the size of its arrays and its best.
fn own(cpu: &str, array_bytes: Option<u64>) -> (u64, Best) {
    let mut words = vec!["--cpus".to_owned(), cpu.to_owned()];
    if let Some(bytes) = array_bytes {
        words.extend(["--array-bytes".to_owned(), bytes.to_string()]);
    }
    let instrument = verify_instruments::find("stream").expect("it is in the table");
    let document = instrument.document(&words).expect("the arguments are ours");
    let group = &document["result"]["groups"][0];
    let best = |kernel: &str| {
        let rates = group[format!("{kernel}-gb-per-s")].as_array().expect("it measured");
        rates.iter().filter_map(Value::as_f64).fold(0.0, f64::max)
    };
    let best = Best { copy: best("copy"), triad: best("triad") };
    (group["array-bytes"].as_u64().expect("it says the size"), best)
}

/// Runs HPC Challenge until its STREAM has spoken; just before that, it is stopped for `between`.
fn theirs(cpu: &str, problem: u64, between: impl FnOnce()) -> Result<Best, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let input = input(problem);
    fs::write(folder.path().join("hpccinf.txt"), input).map_err(|error| error.to_string())?;
    let child = Command::new("taskset")
        .args(["-c", cpu, "hpcc"])
        // One process needs nobody to start it.
        .env("OMPI_MCA_ess_singleton_isolated", "1")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut running = Running(child.map_err(|error| error.to_string())?);
    let (_never, pause) = mpsc::channel::<()>();
    let start = Instant::now();
    let mut between = Some(between);
    loop {
        let said = fs::read_to_string(folder.path().join("hpccoutf.txt")).unwrap_or_default();
        if let Some(best) = read(&said) {
            return Ok(best);
        }
        if said.contains(BEFORE)
            && let Some(between) = between.take()
        {
            signal("-STOP", &running.0);
            between();
            signal("-CONT", &running.0);
        }
        if let Ok(Some(status)) = running.0.try_wait() {
            return Err(format!("it ended with {status}"));
        }
        if start.elapsed() > Duration::from_secs(PATIENCE_S) {
            return Err(format!("it took more than {PATIENCE_S} s"));
        }
        let _ = pause.recv_timeout(Duration::from_millis(20));
    }
}

fn signal(name: &str, child: &Child) {
    let _ = Command::new("kill").args([name, &child.id().to_string()]).status();
}

fn read(said: &str) -> Option<Best> {
    let (_, section) = said.split_once("Begin of SingleSTREAM section.")?;
    let (section, _) = section.split_once("End of SingleSTREAM section.")?;
    let rate = |name: &str| {
        let start = format!("Single STREAM {name} GB/s ");
        section.lines().find_map(|line| line.strip_prefix(&start))?.trim().parse().ok()
    };
    Some(Best { copy: rate("Copy")?, triad: rate("Triad")? })
}

/// Writes what HPC Challenge reads: a problem of that size for one process.
fn input(problem: u64) -> String {
    let lines = [
        "stream beside another",
        "one process",
        "HPL.out",
        "8",
        "1",
        &problem.to_string(),
        "1\n80\n0\n1\n1\n1\n16.0\n1\n2\n1\n4\n1\n2\n1\n1\n1\n1\n1\n0\n2\n64\n0\n0\n1\n8",
        "----",
        "0\n0\n0\n0",
    ];
    lines.join("\n") + "\n"
}

fn found(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// Returns the last cpu that this process may use.
fn last_cpu() -> String {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let last = allowed.and_then(|list| list.trim().rsplit([',', '-']).next());
    last.expect("Linux says on which cpus a process may run").to_owned()
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
