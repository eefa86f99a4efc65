//! What is run and killed: each scene has a root of its own, and says what must hold afterwards.

use std::{fs, path::Path, process::Command};

use crate::{
    ground::{Ground, PASSES, check, shell},
    lab::Server,
    left,
};

/// Says what a scene does, and so what may be left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Records a run.
    Runs,
    /// Writes baselines.
    Accepts,
    /// Reads every record into the index.
    Rebuilds,
    /// Removes records.
    Prunes,
}

pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) ground: Ground,
    pub(crate) args: Vec<String>,
    env: Vec<(String, String)>,
    /// Held so that the server outlives the scene.
    server: Option<Server>,
}

/// Records that a scene about records begins with.
pub(crate) const RECORDS: usize = 12;
/// Records that pruning leaves.
pub(crate) const KEPT: usize = 3;

/// Leaves a process in its group and one outside of it, neither of which ends by itself.
const FORKS: &str = "(setsid sleep 4321 >/dev/null 2>&1 &); sleep 4321 >/dev/null 2>&1 & sleep 0.1";
/// Does not hear TERM, nor do its children.
const DEAF: &str = "trap \"\" TERM; (setsid sleep 4321 >/dev/null 2>&1 &); sleep 0.2";
/// Says much.
const FLOODS: &str = "head -c 3000000 /dev/zero | tr \"\\0\" x";
const ENDS: &str = "expect = { exit-code = 0 }\nlimit = \"60 s\"";

fn loads(line: &str) -> String {
    shell(line, ENDS).replace("] }", "], effect = \"loads\" }")
}

impl Scene {
    fn new(name: &'static str, kind: Kind, args: &[&str]) -> Self {
        let ground = Ground::empty();
        for folder in ["tmp", "out"] {
            fs::create_dir(ground.path(folder)).unwrap();
        }
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { name, kind, ground, args, env: Vec::new(), server: None }
    }

    /// Builds every scene that this machine can show.
    pub(crate) fn all() -> Vec<Self> {
        let some = [
            Some(Self::forks()),
            Some(Self::loads()),
            Some(Self::reports()),
            Self::simulated(),
            Self::nodes(),
            Some(Self::accepts()),
            Some(Self::records("history rebuild", Kind::Rebuilds, &["history", "rebuild"])),
            Some(Self::records("runs prune", Kind::Prunes, &["runs", "prune", "--keep", "3"])),
        ];
        some.into_iter().flatten().collect()
    }

    fn forks() -> Self {
        let scene = Self::new("local, commands that fork", Kind::Runs, &["--node", "box"]);
        let (forks, deaf, floods) = (shell(FORKS, ENDS), shell(DEAF, ENDS), shell(FLOODS, ENDS));
        let checks = [
            ("a/file", PASSES),
            ("b/forks", &forks),
            ("c/deaf", &deaf),
            ("d/floods", &floods),
            ("e/file", PASSES),
        ];
        scene.ground.suite("things", &checks);
        scene
    }

    fn loads() -> Self {
        let scene = Self::new("local, commands that load", Kind::Runs, &["--node", "box"]);
        let (forks, short) = (loads(FORKS), loads("true"));
        let repeated = format!("{}\nrepeat = 3", loads("sleep 0.03"));
        let checks =
            [("a/file", PASSES), ("b/forks", &forks), ("c/short", &short), ("d/again", &repeated)];
        scene.ground.suite("things", &checks);
        scene
    }

    fn reports() -> Self {
        let args = ["--node", "box", "--report", "junit=out/a.xml", "--report", "html=out/b.html"];
        let scene = Self::new("local, reports", Kind::Runs, &args);
        let ids: Vec<String> = (0..40).map(|at| format!("a/file-{at}")).collect();
        let checks: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), PASSES)).collect();
        scene.ground.suite("things", &checks);
        scene
    }

    /// Needs the stand-in library beside the command, where a build of all puts it.
    fn simulated() -> Option<Self> {
        let library =
            Path::new(env!("CARGO_BIN_EXE_verify")).with_file_name("libverify_simulator.so");
        if !library.is_file() {
            crate::lab::skipped(
                "libverify_simulator.so beside the command: cargo build -p verify-simulator",
            );
            return None;
        }
        let args = ["--node", "nvidia-sim", "--check", "gpu/*"];
        let mut scene = Self::new("simulated node", Kind::Runs, &args);
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let root = fs::canonicalize(root).unwrap().display().to_string();
        scene.env.push(("VERIFY_ROOT".to_owned(), root));
        // What is found again by it.
        scene.env.push(("VERIFY_FAULTS_MARK".to_owned(), scene.ground.text("")));
        Some(scene)
    }

    /// Three names for one server; their shells answer, as on a node that has nothing of ours.
    fn nodes() -> Option<Self> {
        let server = Server::start("/bin/sh", "MaxStartups 100\nMaxSessions 100")?;
        let args = ["--node", "n1", "--node", "n2", "--node", "n3", "--via", "ssh"];
        let mut scene = Self::new("three nodes by ssh", Kind::Runs, &args);
        for node in ["n1", "n2", "n3"] {
            scene.ground.node(node, "ssh = \"lab\"");
        }
        let (forks, deaf) = (shell(FORKS, ENDS), shell(DEAF, ENDS));
        let checks = [("a/file", PASSES), ("b/forks", &forks), ("c/deaf", &deaf)];
        let text: String = checks.iter().map(|(id, lines)| check(id, lines)).collect();
        let head = "[suite]\ntitle = \"t\"\nnodes = [\"n1\", \"n2\", \"n3\"]\n\n";
        scene.ground.suite_text("things", format!("{head}{text}"));
        for (name, value) in [
            ("VERIFY_SSH_CONFIG", server.config()),
            ("VERIFY_GATHER", "shell".to_owned()),
            ("XDG_RUNTIME_DIR", scene.ground.text("run")),
        ] {
            scene.env.push((name.to_owned(), value));
        }
        fs::create_dir(scene.ground.path("run")).unwrap();
        scene.server = Some(server);
        Some(scene)
    }

    fn accepts() -> Self {
        let args = ["baseline", "accept", "last", "--reason", "again"];
        let scene = Self::new("baseline accept", Kind::Accepts, &args);
        let timed = loads("true").replace(
            "expect = { exit-code = 0 }",
            "expect = { elapsed = { within = \"100000000 %\" } }\nrepeat = 3",
        );
        let ids: Vec<String> = (0..6).map(|at| format!("a/timed-{at}")).collect();
        let checks: Vec<(&str, &str)> =
            ids.iter().map(|id| (id.as_str(), timed.as_str())).collect();
        scene.ground.suite("things", &checks);
        scene.ground.suite("others", &[("b/timed", &timed)]);
        scene.ground.run(&[]).exits(0);
        scene.ground.say(&["baseline", "accept", "last", "--reason", "first"]).exits(0);
        scene.ground.run(&[]).exits(0);
        copy(&scene.ground.path("baselines"), &scene.ground.path("kept"));
        scene
    }

    fn records(name: &'static str, kind: Kind, args: &[&str]) -> Self {
        let scene = Self::new(name, kind, args);
        scene.ground.suite("things", &[("a/file", PASSES), ("b/true", &shell("true", ENDS))]);
        for _ in 0..RECORDS {
            scene.ground.run(&[]).exits(0);
        }
        copy(&scene.ground.path("state"), &scene.ground.path("kept"));
        scene
    }

    /// Builds the command that is killed.
    pub(crate) fn command(&self) -> Command {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let mut command = self.ground.command(&args);
        command.env("TMPDIR", self.ground.path("tmp"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Puts everything back to where a try begins.
    pub(crate) fn reset(&self) {
        let put_back = |name: &str| {
            let _ = fs::remove_dir_all(self.ground.path(name));
            copy(&self.ground.path("kept"), &self.ground.path(name));
        };
        match self.kind {
            Kind::Runs => {
                let _ = fs::remove_dir_all(self.ground.path("state/runs"));
            }
            Kind::Accepts => put_back("baselines"),
            Kind::Rebuilds | Kind::Prunes => put_back("state"),
        }
    }

    /// Lists files that nobody will ever use.
    pub(crate) fn files(&self) -> Vec<String> {
        let all = left::files(&self.ground.path(""));
        let below = |path: &Path, name: &str| path.starts_with(self.ground.path(name));
        let left = all
            .into_iter()
            .filter(|path| left::is_unfinished(path) || below(path, "tmp") || below(path, "run"));
        left.map(|path| path.display().to_string()).collect()
    }
}

/// Copies a folder; where there is none, nothing.
pub(crate) fn copy(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).unwrap();
    for entry in entries.flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
