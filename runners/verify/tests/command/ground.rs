//! Where one test stands: a root with a node `box`, a folder of records, and the command.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Holds the folders of one test; they go with it.
pub(crate) struct Ground {
    dir: tempfile::TempDir,
}

/// Holds what the command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Demands an exit code.
    ///
    /// *Panics* with everything that was said.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// Demands words on standard output; the page breaks lines, so white space is one space.
    ///
    /// *Panics* with everything that was said.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let flat = flat(&self.out);
        for word in words {
            assert!(flat.contains(word), "no `{word}` in\n{}", self.out);
        }
        self
    }

    /// Demands words on standard error.
    ///
    /// *Panics* with everything that was said.
    #[track_caller]
    pub(crate) fn complains(self, words: &[&str]) -> Self {
        let flat = flat(&self.err);
        for word in words {
            assert!(flat.contains(word), "no `{word}` in\n{}", self.err);
        }
        self
    }
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes one check: an id, the lines that ask, and the rest that every check needs.
pub(crate) fn check(id: &str, lines: &str) -> String {
    format!(
        "[[check]]\nid = \"{id}\"\ntitle = \"Title of {id}\"\nwhy = \"Why of {id}.\"\n\
         source = \"Source of {id}\"\nfix = \"Fix of {id}.\"\n{lines}\n\n"
    )
}

/// Asks for a file that is on every machine; passes.
pub(crate) const PASSES: &str =
    "probe = \"file\"\nwith = { path = \"/\" }\nexpect = { exists = true }";
/// Asks the same and demands the opposite; fails.
pub(crate) const FAILS: &str =
    "probe = \"file\"\nwith = { path = \"/\" }\nexpect = { exists = false }";
/// Starts a program that no machine has, and does not say that it may be missing; an error.
pub(crate) const ERRS: &str = "probe = \"command\"\nwith = { argv = [\"no-such-program-of-verify\"] }\nexpect = { exit-code = 0 }";
/// Needs a program that no machine has; skipped.
pub(crate) const SKIPS: &str = "when = [\"tool:no-such-program-of-verify\"]\nprobe = \"file\"\nwith = { path = \"/\" }\nexpect = { exists = true }";

/// Runs a line of shell in the folder of the test; `effect` and the rest come behind.
pub(crate) fn shell(line: &str, rest: &str) -> String {
    format!("probe = \"command\"\nwith = {{ argv = [\"sh\", \"-c\", '''{line}'''] }}\n{rest}")
}

impl Ground {
    /// Makes a root with a node `box` and one suite `things` for it.
    pub(crate) fn with(checks: &[(&str, &str)]) -> Self {
        let ground = Self::empty();
        ground.suite("things", checks);
        ground
    }

    /// Makes a root with a node `box` and no suite of its own.
    pub(crate) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["suites", "runners/nodes"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let ground = Self { dir };
        ground.node("box", "");
        ground
    }

    pub(crate) fn node(&self, name: &str, lines: &str) {
        let text = format!("title = \"Node of a test\"\nbusy = true\n{lines}\n");
        fs::write(self.path(&format!("runners/nodes/{name}.toml")), text).unwrap();
    }

    pub(crate) fn suite(&self, name: &str, checks: &[(&str, &str)]) {
        let mut text = format!("[suite]\ntitle = \"Suite {name}\"\nnodes = [\"box\"]\n\n");
        for (id, lines) in checks {
            text += &check(id, lines);
        }
        self.suite_text(name, text);
    }

    pub(crate) fn suite_text(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(&format!("suites/{name}.toml")), text).unwrap();
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Names a path for a line of shell or a suite.
    pub(crate) fn text(&self, below: &str) -> String {
        self.path(below).to_str().unwrap().to_owned()
    }

    /// Builds the command, free of what the surroundings set.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
        for (name, _) in std::env::vars_os() {
            let ours = |name: &str| name.starts_with("VERIFY_") || name.starts_with("NEXTEST");
            if name.to_str().is_some_and(ours) {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .env("VERIFY_ROOT", self.dir.path())
            .env("VERIFY_STATE", self.path("state"))
            .env("VERIFY_LOCKS", self.path("state"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn say(&self, args: &[&str]) -> Said {
        said(&mut self.command(args))
    }

    /// Runs the checks of node `box` on this machine.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let mut all = vec!["--node", "box"];
        all.extend(args);
        self.say(&all)
    }

    /// Runs the command as a user without rights; `None`, said aloud, where that cannot be done.
    pub(crate) fn say_as_nobody(&self, args: &[&str]) -> Option<Said> {
        use std::os::unix::fs::PermissionsExt;
        if !rustix::process::geteuid().is_root() {
            return Some(self.say(args));
        }
        // The command may lie where nobody else may look, so a copy is run. Another program makes
        // it: what this one has open for writing, a program that another test starts holds too, and
        // then the copy is `busy`.
        let copy = self.path("verify");
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_verify")).arg(&copy).status();
        assert!(copied.unwrap().success());
        // A root that everybody can write is not run.
        fs::set_permissions(self.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(self.path("state")).unwrap();
        fs::set_permissions(self.path("state"), fs::Permissions::from_mode(0o777)).unwrap();
        let from = self.command(args);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy).args(args);
        command.current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        command.envs(from.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let Ok(output) = command.env("PATH", "/usr/bin:/bin").output() else {
            // Not `eprintln!`: what a passing test prints is swallowed.
            let why = "skipped: needs setpriv, or a user who is not root";
            writeln!(std::io::stderr(), "{why}").unwrap();
            return None;
        };
        Some(Said::of(output))
    }

    /// Names every record, oldest first.
    pub(crate) fn records(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("state/runs")) else { return Vec::new() };
        let mut found: Vec<PathBuf> =
            entries.map(|entry| entry.unwrap().path().join("run.jsonl")).collect();
        found.sort();
        found
    }

    /// Reads the lines of the newest record.
    pub(crate) fn last(&self) -> Vec<Value> {
        lines(self.records().last().unwrap())
    }
}

/// Starts a command and waits for its end.
pub(crate) fn said(command: &mut Command) -> Said {
    Said::of(command.output().unwrap())
}

/// Reads a record, line by line.
pub(crate) fn lines(record: &Path) -> Vec<Value> {
    let text = fs::read_to_string(record).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Keeps the lines of one kind.
pub(crate) fn of_kind<'l>(lines: &'l [Value], kind: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["event"] == kind).collect()
}

/// Says how each check was judged, in the order of the record.
pub(crate) fn outcomes(lines: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    of_kind(lines, "verdict")
        .iter()
        .map(|line| (text(&line["key"]["check"]), text(&line["outcome"])))
        .collect()
}
