//! Answers asks on this machine.

use std::path::PathBuf;

use verify_model::{
    ask::Ask,
    evidence::{Captured, Failure, FailureKind},
    node::Via,
};

use super::{Cancel, Transport, connect, exec::Exec, files, locate, stray};

/// Answers asks on this machine; children carry a mark, so that strays are found.
#[derive(Debug)]
pub struct Local {
    exec: Exec,
    mark: String,
    instruments: Option<PathBuf>,
}

/// Bounds what an instrument prints. *Units*: B.
const INSTRUMENT_CAP: u64 = 16 * 1024 * 1024;

impl Local {
    /// Builds the transport; the mark is unique to the run.
    pub fn new(mark: impl Into<String>) -> Self {
        let mark = mark.into();
        Self { exec: Exec::new(mark.clone()), mark, instruments: None }
    }

    /// Names the program that measures when called with `instrument NAME`.
    #[must_use]
    pub fn with_instruments(mut self, program: impl Into<PathBuf>) -> Self {
        self.instruments = Some(program.into());
        self
    }

    fn measure(&self, argv: &[String], limit_ms: u64, cancel: &Cancel) -> Captured {
        let Some(program) = &self.instruments else {
            let name = argv.first().map_or("", String::as_str);
            let why = format!("nothing here measures, so there is no instrument `{name}`");
            return Captured::Failed(Failure::new(FailureKind::Unsupported, why));
        };
        let mut whole = vec![program.to_string_lossy().into_owned(), "instrument".to_owned()];
        whole.extend_from_slice(argv);
        self.exec.run(&whole, &[], limit_ms, INSTRUMENT_CAP, cancel)
    }
}

impl Transport for Local {
    fn via(&self) -> Via {
        Via::Local
    }

    fn gather(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        if cancel.requested() {
            return Captured::Failed(Failure::new(
                FailureKind::Interrupted,
                "the run was interrupted",
            ));
        }
        match ask {
            Ask::Exec { argv, env, limit_ms, cap } => {
                self.exec.run(argv, env, *limit_ms, *cap, cancel)
            }
            Ask::ReadFile { path, cap } => {
                files::read(path, *cap).map_or_else(Captured::Failed, Captured::File)
            }
            Ask::ReadFiles { pattern, cap } => {
                files::read_all(pattern, *cap).map_or_else(Captured::Failed, Captured::Files)
            }
            Ask::List { path } => {
                files::list(path).map_or_else(Captured::Failed, Captured::Listing)
            }
            Ask::Stat { path } => files::stat(path),
            Ask::Which { tool } => locate::which(tool).map_or_else(
                || Captured::Failed(Failure::new(FailureKind::NotFound, locate::not_found(tool))),
                |path| Captured::Found(path.to_string_lossy().into_owned()),
            ),
            Ask::Connect { host, port, limit_ms } => {
                connect::connect(host, *port, *limit_ms, cancel)
            }
            Ask::Echo { .. } => {
                let why = "the machine that asks is the one that answers: there is no way between";
                Captured::Failed(Failure::new(FailureKind::Unsupported, why))
            }
            Ask::Instrument { argv, limit_ms } => self.measure(argv, *limit_ms, cancel),
            Ask::Between { .. } => Captured::Failed(Failure::new(
                FailureKind::Unsupported,
                "a link has two ends, and here is one",
            )),
            Ask::Script { interpreter, name, args, limit_ms } => {
                self.exec.interpret(interpreter, name, args, *limit_ms, cancel)
            }
        }
    }

    fn sweep(&self) -> Vec<String> {
        if self.exec.started_any() { stray::end_run(&self.mark) } else { Vec::new() }
    }
}
