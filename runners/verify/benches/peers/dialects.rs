//! The same checks in the words of goss, pytest-testinfra and `ReFrame`.

use std::fmt::Write as _;

use crate::checks::{Checks, Question};

/// Holds a file of goss and how many tests it makes of it: one for each attribute.
pub(crate) struct Goss {
    pub(crate) text: String,
    pub(crate) tests: usize,
}

/// Writes what goss reads; the attribute that holds text has another name since 0.4.
pub(crate) fn goss(checks: &Checks, contents: &str) -> Goss {
    let mut sections: [(&str, String); 5] =
        ["file", "command", "kernel-param", "process", "port"].map(|name| (name, String::new()));
    let mut tests = 0;
    for question in &checks.0 {
        let (section, key, attributes) = match question {
            Question::Exists { path } => (0, path.clone(), "exists: true".to_owned()),
            // goss wants `exists` with every file.
            Question::Holds { path, text } => {
                (0, path.clone(), format!("exists: true, {contents}: [{text:?}]"))
            }
            Question::Succeeds { argv } => (1, argv.join(" "), "exit-status: 0".to_owned()),
            Question::Value { key, value } => (2, (*key).to_owned(), format!("value: {value:?}")),
            Question::Runs { name } => (3, name.clone(), "running: true".to_owned()),
            Question::Listens { port, open } => {
                (4, format!("tcp:{port}"), format!("listening: {open}"))
            }
        };
        tests += 1 + attributes.matches(", ").count();
        if let Some((_, lines)) = sections.get_mut(section) {
            let _ = writeln!(lines, "  {key:?}: {{{attributes}}}");
        }
    }
    let filled = sections.iter().filter(|(_, lines)| !lines.is_empty());
    let text = filled.fold(String::new(), |text, (name, lines)| text + name + ":\n" + lines);
    Goss { text, tests }
}

/// Writes what pytest collects: a test for each kind, with the checks as its parameters.
pub(crate) fn testinfra(checks: &Checks) -> String {
    let mut tests: [(&str, &str, String); 6] = [
        ("exists", "assert host.file(one[0]).exists", String::new()),
        ("holds", "assert host.file(one[0]).contains(one[1])", String::new()),
        ("succeeds", "assert host.run(one[0]).rc == 0", String::new()),
        ("value", "assert str(host.sysctl(one[0])) == one[1]", String::new()),
        ("runs", "assert len(host.process.filter(comm=one[0])) >= 1", String::new()),
        ("listens", "assert host.socket(one[0]).is_listening", String::new()),
    ];
    for question in &checks.0 {
        let (test, parameters) = match question {
            Question::Exists { path } => (0, format!("{path:?}")),
            Question::Holds { path, text } => (1, format!("{path:?}, {text:?}")),
            Question::Succeeds { argv } => (2, format!("{:?}", argv.join(" "))),
            Question::Value { key, value } => (3, format!("{key:?}, {value:?}")),
            Question::Runs { name } => (4, format!("{name:?}")),
            Question::Listens { port, .. } => (5, format!("\"tcp://127.0.0.1:{port}\"")),
        };
        if let Some((_, _, lines)) = tests.get_mut(test) {
            let _ = writeln!(lines, "    ({parameters},),");
        }
    }
    let mut text = "import pytest\n".to_owned();
    for (name, body, lines) in tests.iter().filter(|(_, _, lines)| !lines.is_empty()) {
        let _ = write!(
            text,
            "\n@pytest.mark.parametrize(\"one\", [\n{lines}])\ndef test_{name}(host, one):\n    {body}\n"
        );
    }
    text
}

/// Writes what `ReFrame` loads: a class of checks, each of which runs its line.
pub(crate) fn reframe(checks: &Checks) -> String {
    let lines: String = checks.0.iter().fold(String::new(), |mut lines, question| {
        let _ = writeln!(lines, "        {:?},", question.shell());
        lines
    });
    format!(
        "import shlex\n\nimport reframe as rfm\nimport reframe.utility.sanity as sn\n\n\n\
         @rfm.simple_test\nclass Line(rfm.RunOnlyRegressionTest):\n    line = parameter([\n{lines}    ])\n    \
         valid_systems = ['*']\n    valid_prog_environs = ['*']\n    executable = 'sh'\n\n    \
         @run_before('run')\n    def give(self):\n        self.executable_opts = ['-c', shlex.quote(self.line)]\n\n    \
         @sanity_function\n    def succeeds(self):\n        return sn.assert_eq(self.job.exitcode, 0)\n"
    )
}
