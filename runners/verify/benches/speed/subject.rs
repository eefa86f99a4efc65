//! What is measured: processes of the command, the engine in this process, and bare spawns.
//!
//! All of it works in a scratch folder: roots, records and the files that are asked about.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use verify_engine::{
    execute::{Context, Observer},
    load::{catalog, root::Root},
    plan::{Permissions, Selection},
    record::{Store, Writer},
    session::{self, Prepared, Request},
    transport::{Cancel, Local, Transport},
};
use verify_model::{
    effect::Effect,
    event::{Event, Fold},
    run::{Header, RUN_FORMAT},
    verdict::CheckKey,
};

/// Command checks in a suite.
pub(crate) const COMMANDS: u32 = 200;
/// File checks in a suite.
pub(crate) const FILES: usize = 10_000;
/// The program that command checks start: it does nothing.
const NOTHING: &str = "true";
/// Threads of bare spawns: as many as the engine's pool has.
const THREADS: u32 = 4;
/// Time between two looks at the memory of a process.
const LOOK: Duration = Duration::from_millis(1);

/// Holds the folder that everything is written to.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// Makes the folder.
    pub(crate) fn new() -> io::Result<Self> {
        TempDir::new().map(Self)
    }

    fn command(&self, root: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
        command.args(arguments).env("VERIFY_ROOT", root).env("VERIFY_STATE", self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs the command to its end, its output dropped.
    ///
    /// *Panics* when it does not succeed: a figure of something else would mislead.
    pub(crate) fn verify(&self, root: &Path, arguments: &[&str]) {
        let status = self.command(root, arguments).status();
        assert!(status.is_ok_and(|status| status.success()), "verify {arguments:?} failed");
    }

    /// Runs the command and returns its peak memory, where `/proc` tells. *Units*: B.
    pub(crate) fn peak_memory(&self, root: &Path, arguments: &[&str]) -> io::Result<Option<u32>> {
        // The kernel keeps the peak: the last look is short of it by what the last millisecond
        // added, and by then the run has been shown and freed.
        let mut child = self.command(root, arguments).spawn()?;
        let path = PathBuf::from(format!("/proc/{}/status", child.id()));
        let (_never, clock) = mpsc::channel::<()>();
        let mut peak = None;
        while child.try_wait()?.is_none() {
            let status = fs::read_to_string(&path).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u32>().ok());
            peak = kib.map(|kib| kib.saturating_mul(1024)).or(peak);
            let _ = clock.recv_timeout(LOOK);
        }
        Ok(peak)
    }

    /// Writes a root with one suite.
    fn root(&self, name: &str, checks: &str) -> io::Result<PathBuf> {
        let root = self.0.path().join(name);
        fs::create_dir_all(root.join("suites"))?;
        let head = format!("[suite]\ntitle = \"Bench\"\nnodes = [\"local\"]\n{checks}");
        fs::write(root.join(format!("suites/{name}.toml")), head)?;
        Ok(root)
    }

    /// Writes the files and the suite that asks about each of them.
    pub(crate) fn file_root(&self) -> io::Result<PathBuf> {
        let folder = self.0.path().join("asked");
        fs::create_dir_all(&folder)?;
        let mut suite = String::new();
        for number in 0..FILES {
            let path = folder.join(format!("{number:05}"));
            fs::write(&path, format!("{number}\n"))?;
            let path = path.display();
            let _ = write!(
                suite,
                "[[check]]\nid = \"file/n{number:05}\"\ntitle = \"File {number}\"\nprobe = \"file\"\n\
                 with = {{ path = \"{path}\", as = \"integer\" }}\nwhy = \"To be counted.\"\n\
                 source = \"bench\"\nfix = \"None.\"\nexpect = {{ exists = true, value = {number} }}\n"
            );
        }
        self.root("files", &suite)
    }
}

/// Loads, gathers facts and plans; returns the number of planned checks.
///
/// *Panics* when a suite does not load.
pub(crate) fn plan_in_process(root: &Path, nodes: &[&str]) -> usize {
    let prepared = prepare(root, nodes, Vec::new(), &context());
    prepared.nodes.iter().map(|node| node.steps.len()).sum()
}

fn prepare(root: &Path, nodes: &[&str], suites: Vec<String>, context: &Context) -> Prepared {
    let catalog = catalog::load(&Root { dir: Some(root.to_owned()), home: None });
    let catalog = catalog.unwrap_or_else(|error| panic!("{}", error.render(false)));
    let local = || Arc::new(Local::new("bench")) as Arc<dyn Transport>;
    let request = Request {
        nodes: nodes.iter().map(|name| ((*name).to_owned(), local())).collect(),
        peers: None,
        selection: Selection { suites, ..Selection::default() },
        permissions: Permissions::default(),
        repeat: None,
        shelf: None,
    };
    session::prepare(&catalog, &request, context).unwrap()
}

fn context() -> Context {
    Context::new(Instant::now(), Cancel::default(), false)
}

/// Holds a plan of command checks.
pub(crate) struct Engine {
    prepared: Prepared,
    context: Context,
    store: Store,
}

/// Plans the command checks: each after the one before it, or all at once through the pool.
pub(crate) fn command_engine(scratch: &Scratch, one_at_a_time: bool) -> io::Result<Engine> {
    let name = if one_at_a_time { "alone" } else { "pooled" };
    let mut suite = String::new();
    for number in 0..COMMANDS {
        let after = match number.checked_sub(1).filter(|_| one_at_a_time) {
            Some(before) => format!("after = [\"command/n{before}\"]\n"),
            None => String::new(),
        };
        // Equal asks would be gathered once: the argument makes each its own.
        let _ = write!(
            suite,
            "[[check]]\nid = \"command/n{number}\"\ntitle = \"Nothing {number}\"\n\
             probe = \"command\"\nwith = {{ argv = [\"{NOTHING}\", \"{number}\"] }}\n{after}\
             why = \"To be counted.\"\nsource = \"bench\"\nfix = \"None.\"\nexpect = {{ exit-code = 0 }}\n"
        );
    }
    let root = scratch.root(name, &suite)?;
    let context = context();
    let prepared = prepare(&root, &["local"], vec![name.to_owned()], &context);
    Ok(Engine { prepared, context, store: Store { dir: scratch.0.path().join(name) } })
}

impl Engine {
    /// Executes the plan and records it, as `verify run` does.
    ///
    /// *Panics* when a check does not pass or the record cannot be written.
    pub(crate) fn run(&mut self) {
        let id = ulid::Ulid::generate().to_string();
        let mut recorder =
            Recorder { writer: self.store.create(&id).unwrap(), fold: Fold::default() };
        let header = Header {
            format: RUN_FORMAT.to_owned(),
            id,
            started_at: "2026-01-01T00:00:00Z".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            root: "bench".to_owned(),
            command: Vec::new(),
            require_baseline: false,
            orchestrator: "bench".to_owned(),
        };
        session::execute(header, &mut self.prepared, &self.context, &mut recorder);
        let run = recorder.fold.finish().unwrap();
        assert_eq!(run.exit_code(), 0, "a command check did not pass");
    }
}

/// Records events and folds them, as the command's own observer does.
struct Recorder {
    writer: Writer,
    fold: Fold,
}

impl Observer for Recorder {
    fn event(&mut self, event: Event) {
        self.writer.append(&event).unwrap();
        self.fold.take(event).unwrap();
    }

    fn asking(&mut self, _key: &CheckKey, _effect: Effect) {}
}

/// Starts the same programs without the engine, one after the other.
pub(crate) fn bare_spawns() {
    for number in 0..COMMANDS {
        bare_spawn(number);
    }
}

/// Starts the same programs without the engine, from as many threads as the pool has.
pub(crate) fn bare_spawns_in_threads() {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                (thread..COMMANDS).step_by(THREADS as usize).for_each(bare_spawn);
            });
        }
    });
}

/// Starts a program, captures its output, waits for its end.
///
/// *Panics* when it does not succeed.
fn bare_spawn(number: u32) {
    let output = Command::new(NOTHING).arg(number.to_string()).stdin(Stdio::null()).output();
    assert!(output.is_ok_and(|output| output.status.success()), "`{NOTHING}` failed");
}
