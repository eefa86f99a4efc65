//! How a compiler or its program ended, and which of the ways to fail that was.

use serde_json::Value as Json;

use crate::parse::script::signal_name;

/// What our program prints first, with what it computes. *Source*: instruments, compile/program.cpp.
const SAYS: &str = "verify-program";
const COMPUTES: &str = "169";

/// Names the ways in which compiling and starting ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probes) enum State {
    Ok,
    NotCompiled,
    HostCompiler,
    NotLinked,
    NotStarted,
    Crashed,
    ExitStatus,
    WrongOutput,
}

impl State {
    /// Returns the word that reports show.
    pub(in crate::probes) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotCompiled => "not-compiled",
            Self::HostCompiler => "host-compiler",
            Self::NotLinked => "not-linked",
            Self::NotStarted => "not-started",
            Self::Crashed => "crashed",
            Self::ExitStatus => "exit-status",
            Self::WrongOutput => "wrong-output",
        }
    }
}

/// Says that it went well, or how it did not, with the line that says so.
pub(in crate::probes) type How = Result<(), (State, String)>;

/// Holds how a program ended.
pub(in crate::probes) struct Ended<'a> {
    unstarted: Option<&'a str>,
    exit: Option<i64>,
    signal: Option<i32>,
    stdout: &'a str,
    stderr: &'a str,
}

impl<'a> Ended<'a> {
    /// Reads a part of the document.
    ///
    /// *Errors*: it does not say how the program ended, in one sentence.
    pub(in crate::probes) fn read(part: Option<&'a Json>) -> Result<Self, String> {
        let part = part.ok_or("it does not say what the compiler did")?;
        let text = |key: &str| part.get(key).and_then(Json::as_str);
        let integer = |key: &str| part.get(key).and_then(Json::as_i64);
        let ended = Self {
            unstarted: text("unstarted"),
            exit: integer("exit"),
            signal: integer("signal").and_then(|signal| i32::try_from(signal).ok()),
            stdout: text("stdout").unwrap_or_default(),
            stderr: text("stderr").unwrap_or_default(),
        };
        if ended.unstarted.is_none() && ended.exit.is_none() && ended.signal.is_none() {
            return Err("it does not say how a program ended".to_owned());
        }
        Ok(ended)
    }

    /// Says how compiling ended; `made` is whether there is a product.
    pub(in crate::probes) fn compiled(&self, made: bool) -> How {
        if let Some(why) = self.unstarted {
            return Err((State::NotCompiled, format!("the compiler cannot be started: {why}")));
        }
        if let Some(signal) = self.signal {
            let why = format!("the compiler was ended by {}", signal_name(signal));
            return Err((State::NotCompiled, why));
        }
        if self.exit == Some(0) && made {
            return Ok(());
        }
        if self.exit == Some(0) {
            return Err((State::NotCompiled, "it ended well and made no file".to_owned()));
        }
        // nvcc says some of it on standard output.
        let all = || self.stderr.lines().chain(self.stdout.lines()).map(str::trim);
        let has = |words: &[&str]| all().find(|line| words.iter().any(|word| line.contains(word)));
        if let Some(line) = has(&["unsupported GNU version", "unsupported clang version"]) {
            return Err((State::HostCompiler, line.to_owned()));
        }
        // What the linker itself says stands before what its driver says of it.
        let linker =
            ["cannot find -l", "undefined reference", "cannot find 'ld'", "unable to find library"];
        let driver = ["collect2:", "linker command failed", "invalid linker name"];
        if let Some(line) = has(&linker).or_else(|| has(&driver)) {
            return Err((State::NotLinked, line.to_owned()));
        }
        let line =
            all().find(|line| is_error(line)).or_else(|| all().find(|line| !line.is_empty()));
        let exit = self.exit.unwrap_or_default();
        let line =
            line.map_or_else(|| format!("exit status {exit}, without a word"), str::to_owned);
        Err((State::NotCompiled, line))
    }

    /// Says how our program ran, and which features it used.
    pub(in crate::probes) fn ran(&self) -> (How, Option<Vec<&'a str>>) {
        let how = self.ended();
        if how.is_err() {
            return (how, None);
        }
        let line = self.stdout.lines().find(|line| line.starts_with(SAYS)).unwrap_or_default();
        let mut words = line.split_whitespace().skip(1);
        if words.next() == Some(COMPUTES) {
            return (Ok(()), Some(words.collect()));
        }
        let said = self.stdout.lines().next().unwrap_or_default();
        let why = format!("it printed `{said}`, expected `{SAYS} {COMPUTES}`");
        (Err((State::WrongOutput, why)), None)
    }

    /// Says how a program ended, whatever it printed.
    pub(in crate::probes) fn ended(&self) -> How {
        if let Some(why) = self.unstarted {
            return Err((State::NotStarted, format!("it cannot be started: {why}")));
        }
        if let Some(signal) = self.signal {
            let hint = if signal == 4 { "; this CPU lacks what it was compiled for" } else { "" };
            return Err((State::Crashed, format!("ended by {}{hint}", signal_name(signal))));
        }
        match self.exit {
            Some(0) => Ok(()),
            // The loader's own status, with its message.
            exit => {
                let line = self.stderr.lines().map(str::trim).find(|line| !line.is_empty());
                let line = line.unwrap_or("no message");
                let exit = exit.unwrap_or_default();
                Err((State::ExitStatus, format!("exit status {exit}: {line}")))
            }
        }
    }
}

fn is_error(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["error:", "fatal   :", "fatal:", "error "].iter().any(|word| line.contains(word))
}
