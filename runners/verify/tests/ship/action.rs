//! Drives the action's script: exit code, outputs, summary, log, and what it refuses.

use std::{fs, process::Command};

use crate::checkout;

/// What the action asks for unless told otherwise, as `action.yml` says.
const DEFAULTS: [(&str, &str); 14] = [
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
    ("ASK_BINARY", env!("CARGO_BIN_EXE_verify")),
    ("ASK_FAIL", "true"),
];

/// Holds what one step did.
struct Step {
    dir: tempfile::TempDir,
    code: Option<i32>,
    log: String,
    complaints: String,
}

impl Step {
    /// Runs the step on a root whose only check prints `word` and wants `fine`.
    fn prints(word: &str, asked: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        for below in ["suites", "runners/nodes"] {
            fs::create_dir_all(root.join(below)).unwrap();
        }
        let suite = format!(
            "[suite]\ntitle = \"One\"\nnodes = [\"box\"]\n[[check]]\nid = \"a/one\"\ntitle = \"It is fine\"\n\
             probe = \"command\"\nwith = {{ argv = [\"printf\", {word:?}] }}\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\n\
             [check.expect]\nstdout = \"fine\"\n"
        );
        fs::write(root.join("suites/one.toml"), suite).unwrap();
        fs::write(root.join("runners/nodes/box.toml"), "title = \"A box\"\n").unwrap();
        let mut command = Command::new("bash");
        command.arg(checkout(".github/action/run")).current_dir(&root);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VERIFY_")) {
            command.env_remove(name);
        }
        command.env("GITHUB_OUTPUT", dir.path().join("output"));
        command.env("GITHUB_STEP_SUMMARY", dir.path().join("summary"));
        command.env("RUNNER_TEMP", dir.path().join("temp")).env("GITHUB_WORKSPACE", &root);
        command.envs(DEFAULTS).envs(asked.iter().copied());
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            log: String::from_utf8(output.stdout).unwrap(),
            complaints: String::from_utf8(output.stderr).unwrap(),
            dir,
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    fn output(&self, name: &str) -> String {
        let all = self.read("output");
        let mut found = all.lines().filter_map(|line| line.strip_prefix(&format!("{name}=")));
        let value = found.next().unwrap_or_default().to_owned();
        assert_eq!(found.next(), None, "{all}");
        value
    }

    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.log, self.complaints);
        self
    }
}

#[test]
fn a_run_of_the_action_says_what_it_found_in_outputs_files_and_summary() {
    let step = Step::prints("fine", &[]).exits(0);
    assert_eq!(step.output("exit-code"), "0");
    assert!(step.output("verdict").contains("answered check passed"), "{}", step.output("verdict"));
    for (name, begins) in [("junit", "<?xml"), ("record", "{\"event\":\"started\"")] {
        let text = fs::read_to_string(step.output(name)).unwrap();
        assert!(text.starts_with(begins), "{name}: {text}");
        assert!(text.contains(&step.output("run")) && step.output("run").len() == 26, "{name}");
    }
    assert!(!step.read("summary").is_empty());
    assert!(step.dir.path().join("temp/verify-state/runs").is_dir(), "records go with the job");
}

#[test]
fn the_exit_code_is_that_of_verify_unless_it_is_said_aloud_that_it_is_not() {
    let step = Step::prints("wrong", &[]).exits(1);
    assert_eq!(step.output("exit-code"), "1");
    assert!(!step.output("junit").is_empty());
    let step = Step::prints("wrong", &[("ASK_FAIL", "false")]).exits(0);
    assert_eq!(step.output("exit-code"), "1");
    assert!(step.log.contains("\n::warning title=verify::verify ended with 1;"), "{}", step.log);
    let step = Step::prints("fine", &[("ASK_CHECK", "no/such")]).exits(2);
    assert_eq!((step.output("exit-code").as_str(), step.output("junit").as_str()), ("2", ""));
    assert!(step.read("summary").contains("nothing ran; exit code 2"), "{}", step.read("summary"));
    Step::prints("fine", &[("ASK_ARGS", "--require-baseline\n--check=a/*\n")]).exits(0);
}

#[test]
fn a_report_of_an_earlier_run_is_not_taken_for_one_of_this_run() {
    let asked = [("ASK_REPORTS", "."), ("ASK_CHECK", "no/such")];
    let step = Step::prints("fine", &asked).exits(2);
    assert_eq!(step.output("record"), "");
    let root = step.dir.path().join("root");
    fs::write(root.join("verify.junit.xml"), "old").unwrap();
    fs::write(root.join("verify.toml"), "mine").unwrap();
    let again = Command::new("bash")
        .arg(checkout(".github/action/run"))
        .current_dir(&root)
        .env("GITHUB_OUTPUT", root.join("o"))
        .env("GITHUB_STEP_SUMMARY", root.join("s"))
        .env("RUNNER_TEMP", root.join("t"))
        .env("GITHUB_WORKSPACE", &root)
        .envs(DEFAULTS)
        .envs(asked)
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(!root.join("verify.junit.xml").exists() && root.join("verify.toml").exists());
}

#[test]
fn nothing_that_an_input_says_is_an_option_a_command_or_another_output() {
    let evil = "x\n--allow-mutation\n::error::y";
    let step = Step::prints("fine", &[("ASK_NODE", evil)]).exits(2);
    assert_eq!(step.output("exit-code"), "2");
    let step = Step::prints("fine", &[("ASK_NODE", "$(touch touched)"), ("ASK_VIA", "`id`")]);
    let step = step.exits(2);
    assert!(!step.dir.path().join("root/touched").exists());
    for name in ["ASK_QUICK", "ASK_FAIL", "ASK_REQUIRE_BASELINE"] {
        let step = Step::prints("fine", &[(name, "perhaps")]).exits(2);
        assert!(step.log.contains("is neither true nor false"), "{}", step.log);
    }
    Step::prints("fine", &[("ASK_BINARY", "/no/such/verify")]).exits(2);
}

#[test]
fn what_a_node_says_gives_the_runner_no_command() {
    let step = Step::prints("::error::of the node", &[]).exits(1);
    let lines: Vec<&str> = step.log.lines().collect();
    let stop = lines.iter().position(|line| line.starts_with("::stop-commands::")).unwrap();
    let token = lines[stop].trim_start_matches("::stop-commands::");
    assert!(token.len() == 32 && !step.read("output").contains(token));
    let resume = lines.iter().position(|line| *line == format!("::{token}::")).unwrap();
    let said = lines.iter().rposition(|line| line.contains("error::of the node"));
    assert!(said.is_none_or(|at| (stop..resume).contains(&at)) || is_escaped(&lines, resume));
}

/// Tells whether behind the text, in the annotations, no line is a command of the node's own.
fn is_escaped(lines: &[&str], resume: usize) -> bool {
    lines[resume..].iter().all(|line| !line.trim_start().starts_with("::error::of the node"))
}
