//! The checks that are asked, as a suite and as a script by hand.

use std::{fmt::Write as _, fs};

/// Holds one check, as data: every tool says it in its own words.
pub(crate) enum Question {
    /// Is there something at the path?
    Exists { path: String },
    /// Does the file hold the text?
    Holds { path: String, text: String },
    /// Does the program succeed?
    Succeeds { argv: Vec<String> },
    /// Has the kernel this value?
    Value { key: &'static str, value: String },
    /// Does a process of this name run?
    Runs { name: String },
    /// Does something listen on the port, or nothing?
    Listens { port: u16, open: bool },
}

/// Holds checks of every kind.
pub(crate) struct Checks(pub(crate) Vec<Question>);

/// Builds a hundred: 20 each of file, content, command and kernel value, 10 each of process and port.
pub(crate) fn mixed(folder: &str) -> Checks {
    Checks(of(folder, [20, 20, 20, 20, 10, 10]))
}

/// Builds twenty.
pub(crate) fn few(folder: &str) -> Checks {
    Checks(of(folder, [5, 5, 4, 4, 1, 1]))
}

/// Kernel values that every Linux has, and that stay.
const VALUES: [&str; 20] = [
    "kernel.hostname",
    "kernel.osrelease",
    "kernel.ostype",
    "kernel.version",
    "kernel.pid_max",
    "kernel.threads-max",
    "kernel.panic",
    "kernel.randomize_va_space",
    "vm.swappiness",
    "vm.overcommit_memory",
    "vm.overcommit_ratio",
    "vm.dirty_ratio",
    "vm.dirty_background_ratio",
    "vm.min_free_kbytes",
    "vm.max_map_count",
    "fs.file-max",
    "fs.nr_open",
    "net.core.somaxconn",
    "net.core.rmem_max",
    "net.core.wmem_max",
];

fn path_of(key: &str) -> String {
    format!("/proc/sys/{}", key.replace('.', "/"))
}

/// Returns checks of so many kernel values, with what they are on this machine.
pub(crate) fn values(count: usize) -> impl Iterator<Item = Question> {
    VALUES.into_iter().take(count).map(|key| {
        let value = fs::read_to_string(path_of(key)).unwrap().trim().to_owned();
        Question::Value { key, value }
    })
}

/// Writes a file and returns its path and what it holds.
pub(crate) fn file(folder: &str, number: usize) -> (String, String) {
    let (path, text) = (format!("{folder}/file{number}"), format!("number {number}"));
    fs::write(&path, format!("one\n{text}\n")).unwrap();
    (path, text)
}

/// Returns a check of a program that takes its own argument: equal asks would be gathered once.
pub(crate) fn command(number: usize) -> Question {
    let argv = ["expr", &number.to_string(), "+", "1"].map(str::to_owned).to_vec();
    Question::Succeeds { argv }
}

fn of(folder: &str, counts: [usize; 6]) -> Vec<Question> {
    let [files, contents, commands, some, processes, ports] = counts;
    let mut all = Vec::new();
    all.extend((0..files).map(|n| Question::Exists { path: file(folder, n).0 }));
    all.extend((0..contents).map(|n| {
        let (path, text) = file(folder, n);
        Question::Holds { path, text }
    }));
    all.extend((0..commands).map(command));
    all.extend(values(some));
    all.extend((0..processes).map(|_| Question::Runs { name: "sshd".to_owned() }));
    let ports = (2..).take(ports).map(|port| Question::Listens { port, open: false });
    all.extend(ports);
    all
}

impl Question {
    /// Writes the check as keys of a suite.
    fn suite(&self) -> String {
        let (probe, with, expect) = match self {
            Self::Exists { path } => ("file", format!("path = {path:?}"), "exists = true".into()),
            Self::Holds { path, text } => {
                let expect = format!("content = {{ contains = {text:?} }}");
                ("file", format!("path = {path:?}"), expect)
            }
            Self::Succeeds { argv } => {
                ("command", format!("argv = {argv:?}"), "exit-code = 0".into())
            }
            Self::Value { key, value } => {
                ("sysctl", format!("key = {key:?}"), format!("value = {value:?}"))
            }
            Self::Runs { name } => {
                ("process", format!("name = {name:?}"), "count = { at-least = 1 }".into())
            }
            Self::Listens { port, open } => {
                let with = format!("host = \"127.0.0.1\", port = {port}");
                ("port", with, format!("open = {open}"))
            }
        };
        format!("probe = \"{probe}\"\nwith = {{ {with} }}\nexpect = {{ {expect} }}")
    }

    /// Writes what somebody would who has no tool: a line that succeeds when the check passes.
    pub(crate) fn shell(&self) -> String {
        match self {
            Self::Exists { path } => format!("[ -e '{path}' ]"),
            Self::Holds { path, text } => format!("grep -q '{text}' '{path}'"),
            Self::Succeeds { argv } => argv.join(" "),
            Self::Value { key, value } => format!("[ \"$(cat {})\" = '{value}' ]", path_of(key)),
            Self::Runs { name } => format!("pgrep -x {name}"),
            Self::Listens { port, open } => {
                let not = if *open { "" } else { "! " };
                format!("{not}bash -c ': < /dev/tcp/127.0.0.1/{port}'")
            }
        }
    }
}

impl Checks {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Writes a suite for these nodes.
    pub(crate) fn suite(&self, nodes: &[&str]) -> String {
        let mut text = format!("[suite]\ntitle = \"Bench\"\nnodes = {nodes:?}\n");
        for (n, check) in self.0.iter().enumerate() {
            let _ = write!(
                text,
                "[[check]]\nid = \"bench/n{n}\"\ntitle = \"Number {n}\"\n{}\nwhy = \"To be counted.\"\n\
                 source = \"bench\"\nfix = \"None.\"\n",
                check.suite()
            );
        }
        text
    }

    /// Writes the script by hand: one line a check, its status printed.
    pub(crate) fn script(&self) -> String {
        let mut text = String::new();
        for (n, check) in self.0.iter().enumerate() {
            let _ = writeln!(text, "{} >/dev/null 2>&1; echo {n} $?", check.shell());
        }
        text
    }
}
