//! Which peers are there, how each is started as its users would, and how its own count is read.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    checks::Checks,
    dialects,
    measure::{Count, Subject},
};

/// Holds the peers that were found.
pub(crate) struct Tools {
    goss: Option<PathBuf>,
    python: Option<PathBuf>,
    scratch: PathBuf,
}

/// Returns the first line that a program says, if it can be asked.
pub(crate) fn said(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Notes the version of what was found, or what is missing.
fn noted(
    notes: &mut Vec<String>,
    found: Option<(String, PathBuf)>,
    needs: &str,
) -> Option<PathBuf> {
    let (note, path) =
        found.map_or_else(|| (format!("skipped: needs {needs}"), None), |(v, p)| (v, Some(p)));
    notes.push(note);
    path
}

impl Tools {
    /// Looks for the peers, and says which are there and which are missing.
    pub(crate) fn find(scratch: &Path) -> (Self, Vec<String>) {
        let mut notes = Vec::new();
        let goss = env::var_os("VERIFY_GOSS").map_or_else(|| PathBuf::from("goss"), PathBuf::from);
        let goss = said(&goss, &["--version"]).map(|version| (version, goss));
        let goss = noted(&mut notes, goss, "goss (in PATH, or named by VERIFY_GOSS)");
        let versions = "import testinfra, paramiko, pytest, sys, importlib.metadata as m; \
                        print('; '.join(f'{n} {m.version(n)}' for n in ('pytest-testinfra', 'pytest', \
                        'paramiko', 'ReFrame-HPC')), '; Python', sys.version.split()[0])";
        let python = env::var_os("VERIFY_PEERS_PYTHON").map(PathBuf::from);
        let python = python.and_then(|python| Some((said(&python, &["-c", versions])?, python)));
        let needs = "an interpreter with pytest-testinfra, paramiko and ReFrame-HPC, named by VERIFY_PEERS_PYTHON";
        let python = noted(&mut notes, python, needs);
        (Self { goss, python, scratch: scratch.to_owned() }, notes)
    }

    fn written(&self, name: &str, text: &str) -> PathBuf {
        let path = self.scratch.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Names the binary of goss.
    pub(crate) fn goss_binary(&self) -> Option<&Path> {
        self.goss.as_deref()
    }

    /// Names the interpreter of the peers that are Python.
    pub(crate) fn python(&self) -> Option<&Path> {
        self.python.as_deref()
    }

    /// Writes the checks as goss reads them.
    pub(crate) fn gossfile(&self, name: &str, checks: &Checks) -> (PathBuf, dialects::Goss) {
        let version = self.goss.as_deref().and_then(|goss| said(goss, &["--version"]));
        let is_old = version.is_some_and(|version| version.contains("v0.3."));
        let goss = dialects::goss(checks, if is_old { "contains" } else { "contents" });
        (self.written(&format!("{name}.yaml"), &goss.text), goss)
    }

    /// Prepares goss on this machine.
    pub(crate) fn goss<'a>(&'a self, name: &str, checks: &Checks) -> Option<Subject<'a>> {
        let binary = self.goss.as_deref()?;
        let (file, goss) = self.gossfile(name, checks);
        let command = move || {
            let mut command = Command::new(binary);
            command.arg("-g").arg(&file).arg("validate");
            command
        };
        Some(subject("goss", command, count_goss, goss.tests))
    }

    /// Prepares pytest-testinfra, with further arguments.
    pub(crate) fn testinfra<'a>(
        &'a self,
        (title, name): (&str, &str),
        checks: &Checks,
        arguments: &[&str],
    ) -> Option<Subject<'a>> {
        let python = self.python.as_deref()?;
        let folder = self.scratch.join(format!("testinfra-{name}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("test_bench.py"), dialects::testinfra(checks)).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let command = move || {
            let mut command = Command::new(python);
            command.args(["-m", "pytest"]).args(&arguments).arg("test_bench.py");
            command.current_dir(&folder);
            command
        };
        Some(subject(title, command, count_testinfra, checks.count()))
    }

    /// Prepares `ReFrame` on this machine.
    pub(crate) fn reframe<'a>(&'a self, name: &str, checks: &Checks) -> Option<Subject<'a>> {
        let reframe = self.python.as_deref()?.with_file_name("reframe");
        let file = self.written(&format!("{name}_reframe.py"), &dialects::reframe(checks));
        let command = move || {
            let mut command = Command::new(&reframe);
            command.arg("-c").arg(&file).arg("-r").arg("--prefix").arg(self.scratch.join("rfm"));
            command.env("RFM_REPORT_FILE", self.scratch.join("rfm/report.json"));
            command.env("HOME", &self.scratch).env("TMPDIR", &self.scratch);
            command.current_dir(&self.scratch);
            command
        };
        Some(subject("ReFrame", command, count_reframe, checks.count()))
    }

    /// Prepares the script by hand.
    pub(crate) fn script<'a>(&'a self, name: &str, checks: &Checks) -> Subject<'a> {
        let file = self.written(&format!("{name}.sh"), &checks.script());
        let command = move || {
            let mut command = Command::new("sh");
            command.arg(&file);
            command
        };
        subject("sh script", command, count_script, checks.count())
    }

    /// Prepares `verify` on this machine.
    pub(crate) fn verify<'a>(&'a self, name: &str, checks: &Checks) -> Subject<'a> {
        let root = self.scratch.join(name);
        fs::create_dir_all(root.join("suites")).unwrap();
        fs::write(root.join("suites/bench.toml"), checks.suite(&["local"])).unwrap();
        let command = move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
            command.args(["run", "--suite", "bench", "--via", "local"]);
            command.env("VERIFY_ROOT", &root).env("VERIFY_STATE", self.scratch.join("state"));
            command
        };
        subject("verify", command, count_verify, checks.count())
    }
}

/// Builds a subject that runs in every turn and needs nothing before.
pub(crate) fn subject<'a>(
    name: &str,
    command: impl Fn() -> Command + 'a,
    count: Count,
    tests: usize,
) -> Subject<'a> {
    Subject {
        name: name.to_owned(),
        command: Box::new(command),
        input: String::new(),
        count,
        tests,
        before: Box::new(|| {}),
        every: 1,
    }
}

/// Returns the number between two words.
fn between(text: &str, before: &str, after: &str) -> Option<usize> {
    let (_, rest) = text.rsplit_once(before)?;
    rest.split_once(after)?.0.trim().parse().ok()
}

pub(crate) fn count_goss(output: &str) -> Option<usize> {
    between(output, "Count: ", ", Failed: 0, Skipped: 0")
}

fn count_testinfra(output: &str) -> Option<usize> {
    let last = output.trim_end().lines().last()?;
    let (passed, rest) = last.trim_matches(['=', ' ']).split_once(" passed")?;
    let warned = rest.strip_prefix(", ").is_some_and(|rest| {
        let mut words = rest.split_whitespace().skip(1);
        words.next().is_some_and(|word| word.starts_with("warning")) && words.next() == Some("in")
    });
    passed.parse().ok().filter(|_| rest.starts_with(" in ") || warned)
}

fn count_reframe(output: &str) -> Option<usize> {
    let line = output.lines().find(|line| line.contains("test case(s) from"))?;
    let is_good = line.contains("(0 failure(s), 0 expected failure(s), 0 skipped, 0 aborted)");
    between(line, "Ran ", "/").filter(|_| is_good)
}

pub(crate) fn count_script(output: &str) -> Option<usize> {
    let passed = output.lines().filter(|line| line.ends_with(" 0")).count();
    (passed == output.lines().count()).then_some(passed)
}

pub(crate) fn count_verify(output: &str) -> Option<usize> {
    let line = output.lines().rev().find(|line| line.starts_with("counts"))?;
    let rest = " · 0 fail (0 waived) · 0 error · 0 skip · 0 unjudged · 0 blocked";
    between(line, "counts", " pass").filter(|_| line.ends_with(rest))
}
