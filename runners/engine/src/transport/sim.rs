//! Answers asks from a scenario: no ask ever reaches the host.
//!
//! The stand-in library is the one place that knows scenarios; it is asked once what it holds of
//! files and commands, and then stands where the driver's libraries would for the instruments that
//! load them. These run in an empty environment, so that no variable of the host takes part. What a
//! scenario does not hold is not simulated: neither there nor missing, and never an answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Value as Json, json};
use verify_model::{
    ask::{Ask, DEFAULT_LIMIT_MS},
    evidence::{Captured, Failure, FailureKind, FileContent, Stream},
    node::Via,
};

use super::{Cancel, Transport, exec::Exec, files, sim_link::Link, stray};
use crate::{parse::instrument::PROTOCOL, script};

/// Names the variable by which the library learns its scenario.
const VARIABLE: &str = "VERIFY_SIM_SCENARIO";
/// Bounds what an instrument prints. *Units*: B.
const CAP: u64 = 16 * 1024 * 1024;
/// Instruments that load a library of the driver, and the arguments that name each.
const INSTRUMENTS: &[(&str, &[(&str, Of)])] = &[
    ("nvml", &[("--library", Of::Nvml)]),
    ("cuda", &[("--library", Of::Cuda), ("--nvml", Of::Nvml)]),
];
/// Arguments that only make a simulated load last longer, and what stands instead.
const SHORTER: &[(&str, &str)] = &[("--seconds", "1"), ("--window-ms", "50")];

/// Says in whose place a library stands.
#[derive(Clone, Copy, Debug)]
enum Of {
    Nvml,
    Cuda,
}

/// Answers as one scenario says.
#[derive(Debug)]
pub struct Sim {
    exec: Exec,
    mark: String,
    program: PathBuf,
    /// Library in the place of CUDA's.
    library: PathBuf,
    /// Library in the place of NVML's: the same, unless the scenario names another.
    nvml: PathBuf,
    /// What was asked for: the name of a shipped scenario, or a path.
    asked: String,
    scenario: Scenario,
}

#[derive(Debug, Deserialize)]
struct Scenario {
    name: String,
    /// Library in the place of NVML's, where it is not the usual one.
    library: Option<String>,
    file: BTreeMap<String, File>,
    command: BTreeMap<String, Command>,
    /// Results of instruments, by the whole line or by the name.
    #[serde(default)]
    instrument: BTreeMap<String, Json>,
    /// Answers of our Python programs, by the whole line or by the name; `false`: no interpreter.
    #[serde(default)]
    script: BTreeMap<String, Json>,
    /// The cable to another node, where it has one.
    link: Option<Link>,
}

/// Holds a file's content, or whether a folder (`true`) or nothing (`false`) is there.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum File {
    Stands(bool),
    Text(String),
}

/// Holds what a program printed, with more where it did more, or that there is none (`false`).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Command {
    Installed(bool),
    Printed(String),
    Ended {
        #[serde(default)]
        exit: i32,
        #[serde(default)]
        stdout: String,
        #[serde(default)]
        stderr: String,
    },
}

#[derive(Deserialize)]
struct Document {
    result: Said,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Said {
    Scenario(Scenario),
    Trouble(String),
}

impl Sim {
    /// Builds the transport: `program` runs instruments, `library` stands in for the driver's.
    ///
    /// *Errors*: there is no such scenario, or the library is not one; in one sentence.
    pub fn open(
        mark: &str,
        program: PathBuf,
        library: PathBuf,
        scenario: &str,
    ) -> Result<Self, String> {
        let exec = Exec::bare(mark.to_owned());
        let argv = ["scenario", "--library", &library.to_string_lossy()].map(str::to_owned);
        let cancel = Cancel::default();
        let captured = run(&exec, &program, &argv, scenario, DEFAULT_LIMIT_MS, &cancel);
        let text = match captured {
            Captured::Exec { exit: Some(0), stdout, .. } => stdout.text,
            Captured::Exec { stderr, .. } => return Err(stderr.text.trim().to_owned()),
            Captured::Failed(failure) => return Err(failure.message),
            other => return Err(format!("a defect of verify: it captured {other:?}")),
        };
        let said: Document = serde_json::from_str(&text)
            .map_err(|error| format!("scenario {scenario} cannot be used: {error}"))?;
        let read = match said.result {
            Said::Scenario(read) => read,
            Said::Trouble(why) => return Err(why),
        };
        let nvml = match &read.library {
            None => library.clone(),
            Some(name) => other(&library, name)?,
        };
        let (mark, asked) = (mark.to_owned(), scenario.to_owned());
        Ok(Self { exec, mark, program, library, nvml, asked, scenario: read })
    }

    fn missing(&self, ask: &Ask) -> Captured {
        let message = format!("scenario {} holds no answer to: {ask}", self.scenario.name);
        Captured::Failed(Failure::new(FailureKind::NotSimulated, message))
    }

    fn exec(&self, ask: &Ask, argv: &[String]) -> Captured {
        let stream = |text: &str| Stream::whole(text.as_bytes());
        let ended = |exit, stdout: &str, stderr: &str| Captured::Exec {
            exit: Some(exit),
            signal: None,
            stdout: stream(stdout),
            stderr: stream(stderr),
        };
        match self.scenario.command.get(&argv.join(" ")) {
            None | Some(Command::Installed(true)) => self.missing(ask),
            Some(Command::Installed(false)) => absent(&argv[0]),
            Some(Command::Printed(text)) => ended(0, text, ""),
            Some(Command::Ended { exit, stdout, stderr }) => ended(*exit, stdout, stderr),
        }
    }

    fn which(&self, ask: &Ask, tool: &str) -> Captured {
        let of = |line: &str| line.split(' ').next() == Some(tool);
        let mut known = self.scenario.command.iter().filter(|(line, _)| of(line)).peekable();
        if known.peek().is_none() {
            return self.missing(ask);
        }
        if known.any(|(_, command)| !matches!(command, Command::Installed(false))) {
            return Captured::Found(format!("/usr/bin/{tool}"));
        }
        absent(tool)
    }

    fn stat(&self, ask: &Ask, path: &str) -> Captured {
        let stands =
            |kind: &str, mode, size| Captured::Stat { kind: kind.to_owned(), mode, uid: 0, size };
        match self.scenario.file.get(path) {
            Some(File::Text(text)) => stands("file", 0o444, text.len() as u64),
            Some(File::Stands(false)) => not_there(),
            None if self.below(path).is_empty() => self.missing(ask),
            Some(File::Stands(true)) | None => stands("folder", 0o755, 0),
        }
    }

    fn read(&self, ask: &Ask, path: &str) -> Captured {
        match self.scenario.file.get(path) {
            Some(File::Text(text)) => Captured::File(Stream::whole(text.as_bytes())),
            Some(File::Stands(false)) => not_there(),
            Some(File::Stands(true)) => {
                let message = "expected a file, found a folder";
                Captured::Failed(Failure::new(FailureKind::Other, message))
            }
            None => self.missing(ask),
        }
    }

    fn read_all(&self, ask: &Ask, pattern: &str) -> Captured {
        // That a pattern names nothing must be said, or a forgotten file would be a missing one.
        if let Some(File::Stands(false)) = self.scenario.file.get(pattern) {
            return Captured::Files(Vec::new());
        }
        let named = self.scenario.file.iter().filter(|(path, _)| files::names_path(pattern, path));
        let named: Vec<FileContent> = named
            .filter_map(|(path, file)| match file {
                File::Text(text) => Some((path.clone(), Ok(Stream::whole(text.as_bytes())))),
                File::Stands(_) => None,
            })
            .collect();
        if named.is_empty() { self.missing(ask) } else { Captured::Files(named) }
    }

    /// Returns the names in a folder.
    fn below(&self, path: &str) -> BTreeSet<String> {
        let there = self.scenario.file.iter().filter(|(_, f)| !matches!(f, File::Stands(false)));
        let inside = there.filter_map(|(file, _)| file.strip_prefix(path)?.strip_prefix('/'));
        let names = inside.filter_map(|rest| rest.split('/').next());
        names.filter(|name| !name.contains('*')).map(str::to_owned).collect()
    }

    fn measure(&self, ask: &Ask, argv: &[String], limit_ms: u64, cancel: &Cancel) -> Captured {
        let name = argv.first().map_or("", String::as_str);
        if let Some(result) = named(&self.scenario.instrument, name, &argv[1..]) {
            let document = json!({ "protocol": PROTOCOL, "instrument": name, "result": result });
            return printed(&document.to_string());
        }
        let Some((_, libraries)) = INSTRUMENTS.iter().find(|(known, _)| *known == name) else {
            return self.missing(ask);
        };
        let mut argv = argv.to_vec();
        for at in 1..argv.len() {
            let shorter = SHORTER.iter().find(|(flag, _)| *flag == argv[at - 1]);
            if let Some((_, value)) = shorter {
                (*value).clone_into(&mut argv[at]);
            }
        }
        for (flag, of) in *libraries {
            let library = match of {
                Of::Nvml => &self.nvml,
                Of::Cuda => &self.library,
            };
            argv.extend([(*flag).to_owned(), library.to_string_lossy().into_owned()]);
        }
        run(&self.exec, &self.program, &argv, &self.asked, limit_ms, cancel)
    }
}

/// Finds what a scenario holds for a line of words: the whole line first, else its first word.
fn named<'a>(known: &'a BTreeMap<String, Json>, name: &str, args: &[String]) -> Option<&'a Json> {
    let line = [name].into_iter().chain(args.iter().map(String::as_str)).collect::<Vec<_>>();
    known.get(&line.join(" ")).or_else(|| known.get(name))
}

fn printed(text: &str) -> Captured {
    let stdout = Stream::whole(text.as_bytes());
    Captured::Exec { exit: Some(0), signal: None, stdout, stderr: Stream::default() }
}

/// Runs an instrument under the scenario.
fn run(
    exec: &Exec,
    program: &Path,
    argv: &[String],
    scenario: &str,
    limit_ms: u64,
    cancel: &Cancel,
) -> Captured {
    let mut whole = vec![program.to_string_lossy().into_owned(), "instrument".to_owned()];
    whole.extend_from_slice(argv);
    let env = [(VARIABLE.to_owned(), scenario.to_owned())];
    exec.run(&whole, &env, limit_ms, CAP, cancel)
}

/// Finds another library beside the usual one, or where cargo puts examples.
fn other(library: &Path, name: &str) -> Result<PathBuf, String> {
    let file = format!("lib{}.so", name.replace('-', "_"));
    let folder = library.parent().unwrap_or(Path::new("."));
    let places = [folder.join(&file), folder.join("examples").join(&file)];
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
        let (folder, how) = (folder.display(), "cargo build -p verify-simulator --examples");
        format!("there is no {file} in {folder}; build it: {how}")
    })
}

fn not_there() -> Captured {
    Captured::Failed(Failure::new(FailureKind::NotFound, "No such file or directory"))
}

fn absent(tool: &str) -> Captured {
    let message = format!("`{tool}` is not installed");
    Captured::Failed(Failure::new(FailureKind::NotFound, message))
}

impl Transport for Sim {
    fn via(&self) -> Via {
        Via::Sim(self.scenario.name.clone())
    }

    fn simulated(&self) -> Option<String> {
        Some(self.scenario.name.clone())
    }

    fn gather(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        if cancel.requested() {
            let message = "the run was interrupted";
            return Captured::Failed(Failure::new(FailureKind::Interrupted, message));
        }
        match ask {
            Ask::Exec { argv, .. } => self.exec(ask, argv),
            Ask::ReadFile { path, .. } => self.read(ask, path),
            Ask::ReadFiles { pattern, .. } => self.read_all(ask, pattern),
            Ask::List { path } => {
                let names = self.below(path);
                if names.is_empty() {
                    return self.missing(ask);
                }
                Captured::Listing(names.into_iter().collect())
            }
            Ask::Stat { path } => self.stat(ask, path),
            Ask::Which { tool } => self.which(ask, tool),
            Ask::Connect { .. } | Ask::Echo { .. } => self.missing(ask),
            Ask::Between { .. } => {
                let link = self.scenario.link.as_ref();
                link.and_then(|link| link.answer(ask)).unwrap_or_else(|| self.missing(ask))
            }
            Ask::Instrument { argv, limit_ms } => self.measure(ask, argv, *limit_ms, cancel),
            Ask::Script { interpreter, name, args, .. } => {
                match named(&self.scenario.script, name, args) {
                    None => self.missing(ask),
                    Some(Json::Bool(false)) => absent(interpreter),
                    Some(answer) => printed(&format!("{}{answer}\n", script::MARK)),
                }
            }
        }
    }

    fn sweep(&self) -> Vec<String> {
        if self.exec.started_any() { stray::end_run(&self.mark) } else { Vec::new() }
    }
}
