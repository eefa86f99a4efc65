//! One step of a workflow that uses the action, with the files and variables that GitHub would give.
//!
//! The workspace is a root with one node and one check, whose program a test names.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use crate::checkout;

/// What the action asks for unless told otherwise, as `action.yml` says.
const DEFAULTS: [(&str, &str); 15] = [
    ("ASK_NODE", "box"),
    ("ASK_SUITE", ""),
    ("ASK_CHECK", ""),
    ("ASK_TAG", ""),
    ("ASK_VIA", "local"),
    ("ASK_QUICK", "false"),
    ("ASK_UNTIL_DECIDED", "false"),
    ("ASK_REQUIRE_BASELINE", "false"),
    ("ASK_ROOT", ""),
    ("ASK_TRUST", ""),
    ("ASK_ARGS", ""),
    ("ASK_REPORTS", "verify-reports"),
    ("ASK_RECORD", "false"),
    ("ASK_BINARY", env!("CARGO_BIN_EXE_verify")),
    ("ASK_FAIL", "true"),
];

/// Holds a workspace and what GitHub keeps beside it.
pub(crate) struct Job {
    dir: tempfile::TempDir,
}

impl Job {
    /// Makes a workspace whose only check starts these words and wants `fine` printed.
    pub(crate) fn starting(argv: &[&str]) -> Self {
        Self { dir: tempfile::tempdir().unwrap() }.with_root("root", argv)
    }

    /// Adds a root in another folder beside or below the workspace, which is `root`.
    pub(crate) fn with_root(self, name: &str, argv: &[&str]) -> Self {
        let root = self.path(name);
        for below in ["suites", "runners/nodes"] {
            fs::create_dir_all(root.join(below)).unwrap();
        }
        let suite = format!(
            "[suite]\ntitle = \"One\"\nnodes = [\"box\"]\n[[check]]\nid = \"a/one\"\ntitle = \"It is fine\"\n\
             probe = \"command\"\nwith = {{ argv = {argv:?} }}\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\n\
             [check.expect]\nstdout = \"fine\"\n"
        );
        fs::write(root.join("suites/one.toml"), suite).unwrap();
        fs::write(root.join("runners/nodes/box.toml"), "title = \"A box\"\n").unwrap();
        self
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Returns the step, not yet started.
    pub(crate) fn command(&self, asked: &[(&str, &str)]) -> Command {
        let mut command = Command::new("bash");
        command.arg(checkout(".github/action/run")).current_dir(self.path("root"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VERIFY_")) {
            command.env_remove(name);
        }
        command.env("GITHUB_OUTPUT", self.path("output"));
        command.env("GITHUB_STEP_SUMMARY", self.path("summary"));
        command.env("RUNNER_TEMP", self.path("temp")).env("GITHUB_WORKSPACE", self.path("root"));
        command.envs(DEFAULTS).envs(asked.iter().copied());
        command
    }

    /// Runs the step to its end.
    pub(crate) fn runs(self, asked: &[(&str, &str)]) -> Step {
        let output = self.command(asked).output().unwrap();
        self.ended(output)
    }

    pub(crate) fn ended(self, output: Output) -> Step {
        Step {
            job: self,
            code: output.status.code(),
            log: String::from_utf8(output.stdout).unwrap(),
            complaints: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Holds what one step did.
pub(crate) struct Step {
    pub(crate) job: Job,
    pub(crate) code: Option<i32>,
    pub(crate) log: String,
    complaints: String,
}

impl Step {
    /// Runs the step on a root whose only check prints `word` and wants `fine`.
    pub(crate) fn prints(word: &str, asked: &[(&str, &str)]) -> Self {
        Job::starting(&["printf", word]).runs(asked)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.job.path(name)).unwrap_or_default()
    }

    pub(crate) fn output(&self, name: &str) -> String {
        let all = self.read("output");
        let mut found = all.lines().filter_map(|line| line.strip_prefix(&format!("{name}=")));
        let value = found.next().unwrap_or_default().to_owned();
        assert_eq!(found.next(), None, "{all}");
        value
    }

    /// Lists the commands that the runner takes from the log.
    pub(crate) fn commands(&self) -> Vec<&str> {
        let mut stopped = false;
        let mut found = Vec::new();
        for line in self.log.lines().filter(|line| line.trim_start().starts_with("::")) {
            match (stopped, line.starts_with("::stop-commands::")) {
                (false, true) => stopped = true,
                (true, _) => stopped = line.len() != 36,
                _ => found.push(line),
            }
        }
        found
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.log, self.complaints);
        assert_eq!(self.complaints, "", "one stream, so that nothing changes places");
        self
    }
}
