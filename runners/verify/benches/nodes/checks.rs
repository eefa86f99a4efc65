//! The checks that are asked, as a suite and as a script by hand.

use std::fmt::Write as _;

/// Holds one check: how a suite asks it, and how somebody would write it in `sh`.
struct Check {
    suite: String,
    shell: String,
}

/// Holds checks of every kind.
pub(crate) struct Checks(Vec<Check>);

/// Builds a hundred: 20 each of file, content, command and kernel value, 10 each of process and port.
pub(crate) fn mixed(folder: &str) -> Checks {
    Checks(of(folder, [20, 20, 20, 20, 10, 10]))
}

/// Builds twenty.
pub(crate) fn few(folder: &str) -> Checks {
    Checks(of(folder, [5, 5, 4, 4, 1, 1]))
}

/// Kernel values that every Linux has.
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

fn of(folder: &str, counts: [usize; 6]) -> Vec<Check> {
    let [files, contents, commands, values, processes, ports] = counts;
    let mut checks = Vec::new();
    let mut push = |suite: String, shell: String| checks.push(Check { suite, shell });
    for n in 0..files {
        let path = format!("{folder}/file{n}");
        std::fs::write(&path, format!("one\nnumber {n}\n")).unwrap();
        push(
            format!(
                "probe = \"file\"\nwith = {{ path = \"{path}\" }}\nexpect = {{ exists = true }}"
            ),
            format!("[ -e '{path}' ]"),
        );
    }
    for n in 0..contents {
        let path = format!("{folder}/file{n}");
        push(
            format!(
                "probe = \"file\"\nwith = {{ path = \"{path}\" }}\nexpect = {{ content = {{ contains = \"number {n}\" }} }}"
            ),
            format!("grep -q 'number {n}' '{path}'"),
        );
    }
    for n in 0..commands {
        push(
            format!(
                "probe = \"command\"\nwith = {{ argv = [\"expr\", \"{n}\", \"+\", \"1\"] }}\nexpect = {{ exit-code = 0 }}"
            ),
            format!("expr {n} + 1"),
        );
    }
    for name in VALUES.iter().take(values) {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        push(
            format!("probe = \"sysctl\"\nwith = {{ key = \"{name}\" }}\nrecord = [\"value\"]"),
            format!("cat {path}"),
        );
    }
    for _ in 0..processes {
        push(
            "probe = \"process\"\nwith = { name = \"sshd\" }\nexpect = { count = { at-least = 1 } }".to_owned(),
            "pgrep -x sshd".to_owned(),
        );
    }
    for n in 0..ports {
        push(
            format!(
                "probe = \"port\"\nwith = {{ host = \"127.0.0.1\", port = {} }}\nexpect = {{ open = false }}",
                n + 2
            ),
            format!("! bash -c ': < /dev/tcp/127.0.0.1/{}'", n + 2),
        );
    }
    checks
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
                check.suite
            );
        }
        text
    }

    /// Writes what somebody would who has no tool: one line a check, its status printed.
    pub(crate) fn script(&self) -> String {
        let mut text = String::new();
        for (n, check) in self.0.iter().enumerate() {
            let _ = writeln!(text, "{} >/dev/null 2>&1; echo {n} $?", check.shell);
        }
        text
    }
}
