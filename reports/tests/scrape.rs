//! Metrics through a real node exporter into a real Prometheus, asked over its API, all on loopback.
//!
//! `just test-heavy` runs it; elsewhere it is shown as ignored, and what it lacks is said aloud. Ports
//! are free ones, files lie in a folder that goes with the test, and both servers are ended by their id.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::disallowed_methods,
    reason = "starts servers, asks them and writes temporary files"
)]

mod corpus;
mod reader;
mod told;

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use libtest_mimic::{Arguments, Completion, Trial};
use serde_json::Value;
use tempfile::TempDir;
use told::bytes;
use verify_model::{outcome::Outcome, run::Run};

/// Bounds how long the servers may take until a first scrape is answered.
const PATIENCE: Duration = Duration::from_secs(90);
/// Time between two questions.
const PAUSE: Duration = Duration::from_millis(250);

fn main() -> ExitCode {
    let scraped = || {
        for program in ["prometheus", "prometheus-node-exporter"] {
            if !reader::has_program(program, &["--version"], program) {
                return Ok(Completion::ignored_with(format!("skipped: needs {program}")));
            }
        }
        every_run_is_scraped_and_answers_as_it_was();
        Ok(Completion::Completed)
    };
    let name = "every_run_is_scraped_and_answers_as_it_was";
    let trial = Trial::ignorable_test(name, scraped).with_ignored_flag(true);
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

/// Holds a server; it is ended with the value.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path, name: &str, args: &[String], port: u16) -> Self {
        let log = File::create(folder.join(format!("{name}.log"))).unwrap();
        let mut command = Command::new(name);
        command.args(args).current_dir(folder).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Self { child: command.spawn().unwrap(), port }
    }

    /// Asks over HTTP; nothing where nobody answers yet.
    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.lines().next()?.contains(" 200 ").then(|| body.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until something is there.
fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let (_keep, wait) = mpsc::channel::<()>();
    let started = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "no {what} within {PATIENCE:?}");
        let _ = wait.recv_timeout(PAUSE);
    }
}

fn exporter(folder: &Path) -> Server {
    let port = free_port();
    let args = [
        "--collector.disable-defaults".to_owned(),
        "--collector.textfile".to_owned(),
        format!("--collector.textfile.directory={}", folder.join("metrics").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    Server::start(folder, "prometheus-node-exporter", &args, port)
}

fn prometheus(folder: &Path, exporter: u16) -> Server {
    let port = free_port();
    let jobs = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: nodes\n    \
         static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]\n"
    );
    fs::write(folder.join("prometheus.yml"), jobs).unwrap();
    let args = [
        "--config.file=prometheus.yml".to_owned(),
        "--storage.tsdb.path=data".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    Server::start(folder, "prometheus", &args, port)
}

/// Tells every run apart: two runs of the corpus have nodes of the same names.
fn renamed(name: &str, run: &Run) -> Run {
    let mut run = run.clone();
    for node in &mut run.nodes {
        node.file.name = format!("{name}/{}", node.file.name);
    }
    for check in &mut run.checks {
        check.planned.node = format!("{name}/{}", check.planned.node);
    }
    run
}

fn every_run_is_scraped_and_answers_as_it_was() {
    let folder = TempDir::with_prefix_in("scrape", env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("metrics")).unwrap();
    let runs: Vec<(&str, Run)> =
        corpus::all().into_iter().map(|(name, run)| (name, renamed(name, &run))).collect();
    for (name, run) in &runs {
        let path = folder.join("metrics").join(format!("{name}.prom"));
        fs::write(path, bytes("prometheus", run)).unwrap();
    }
    let exporter = exporter(folder);
    let page = wait_for("metrics", || exporter.get("/metrics"));
    assert!(page.contains("node_textfile_scrape_error 0"), "{page}");
    let server = prometheus(folder, exporter.port);
    let all: usize = runs.iter().map(|(_, run)| run.checks.len()).sum();
    let ask = |query: &str| query_of(&server, query);
    let outcomes =
        wait_for("series", || Some(ask("verify_check_outcome")).filter(|o| o.len() == all));
    for (name, run) in &runs {
        for outcome in Outcome::ALL {
            let of_run = |one: &&Value| {
                let node = one["metric"]["node"].as_str().unwrap();
                node.starts_with(&format!("{name}/")) && one["metric"]["outcome"] == outcome.name()
            };
            let number = outcomes.iter().filter(of_run).count();
            assert_eq!(number, run.counts().get(outcome), "{name}: {outcome}");
        }
    }
    let exits = ask("verify_run_exit_code");
    assert_eq!(exits.len(), runs.len());
    let wrong = runs.iter().filter(|(_, run)| run.exit_code() != 0).count();
    assert_eq!(ask("verify_run_exit_code > 0").len(), wrong);
    // What a rule of alerting would ask.
    let below = ask("verify_metric_bytes_per_second < verify_metric_lower_limit_bytes_per_second");
    assert!(below.iter().any(|one| one["metric"]["check"] == "net/throughput"), "{below:?}");
    let lost =
        ask("verify_metric_bytes_per_second / verify_metric_baseline_bytes_per_second < 0.8");
    assert!(lost.iter().any(|one| one["metric"]["check"] == "memory/lost"), "{lost:?}");
    assert_eq!(ask("verify_node_simulated == 1").len(), 1);
    assert_eq!(ask("node_textfile_scrape_error")[0]["value"][1], "0");
}

/// Asks Prometheus; an answer holds a list of series with their values.
fn query_of(server: &Server, query: &str) -> Vec<Value> {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    let query: String = query.bytes().map(escape).collect();
    let Some(body) = server.get(&format!("/api/v1/query?query={query}")) else { return Vec::new() };
    let answer: Value = serde_json::from_str(&body).unwrap();
    answer["data"]["result"].as_array().cloned().unwrap_or_default()
}
