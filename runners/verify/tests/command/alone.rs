//! Whether the binary needs nothing but itself: an empty folder, an empty environment, no home.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use serde_json::Value;

use crate::ground::{Ground, Said, lines, said};

/// Holds an empty folder where the command is run, with an empty environment.
struct Nowhere(tempfile::TempDir);

impl Nowhere {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
        command.args(args).env_clear().current_dir(self.0.path());
        command
    }

    fn say(&self, args: &[&str]) -> Said {
        said(&mut self.command(args))
    }

    /// Names every file below the folder.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        below(self.0.path(), "", &mut found);
        found.sort();
        found
    }
}

fn below(root: &Path, folder: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        let path = path.trim_start_matches('/').to_owned();
        if entry.file_type().unwrap().is_dir() {
            below(root, &path, found);
        } else {
            found.push(path);
        }
    }
}

fn names(nowhere: &Nowhere, what: &str) -> Vec<String> {
    let listed = nowhere.say(&["list", what, "--json"]).exits(0);
    let rows: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_run_needs_a_home_and_leaves_its_record_there_alone() {
    for (place, args) in [("HOME", &["--quick"][..]), ("XDG_STATE_HOME", &["--node", "local"])] {
        let nowhere = Nowhere::new();
        let home = nowhere.0.path().join("home");
        let said = said(nowhere.command(args).env(place, home));
        let code = said.code;
        said.says(&["root embedded in the binary", "suites local"]);
        let mut files = nowhere.files();
        // The index and its journal, which is brought in now and then.
        files.retain(|file| !file.ends_with("/history.sqlite-wal") && !file.ends_with("-shm"));
        let [index, record] = files.as_slice() else { panic!("{files:?}") };
        assert!(index.starts_with("home/") && index.ends_with("/history.sqlite"), "{files:?}");
        assert!(record.starts_with("home/") && record.ends_with("/run.jsonl"), "{files:?}");
        let record = lines(&nowhere.0.path().join(record));
        let exit = record.last().unwrap()["exit"].as_i64();
        assert_eq!(exit, code.map(i64::from), "what the machine is does not matter here");
    }
}

#[test]
fn without_a_home_a_run_says_what_to_set_and_writes_nothing() {
    let nowhere = Nowhere::new();
    for args in [&["--quick"][..], &["judge", "last"], &["runs"], &["report", "last"]] {
        let said = nowhere.say(args).exits(2);
        said.complains(&["neither VERIFY_STATE, XDG_STATE_HOME nor HOME is set; set one of them"]);
    }
    assert_eq!(nowhere.files(), [""; 0]);
}

#[test]
fn everything_is_listed_and_explained_without_a_home_or_a_file() {
    let nowhere = Nowhere::new();
    for what in ["nodes", "suites", "capabilities"] {
        assert!(names(&nowhere, what).len() > 1, "{what}");
    }
    assert!(names(&nowhere, "formats").contains(&"junit".to_owned()));
    for what in ["checks", "probes", "findings"] {
        let names = names(&nowhere, what);
        assert!(names.len() > 5, "{what}: {names:?}");
        for name in names {
            nowhere.say(&["explain", &name]).exits(0).says(&[&name]);
        }
    }
    for name in ["suite", "node", "run", "probes"] {
        assert!(nowhere.say(&["schema", name]).exits(0).out.len() > 1000, "{name}");
    }
    for args in [&["plan"][..], &["man"], &["completions", "bash"], &["--version"], &["--help"]] {
        assert_eq!(nowhere.say(args).exits(0).err, "", "{args:?}");
    }
    assert_eq!(nowhere.files(), [""; 0]);
}

#[test]
fn the_binary_alone_says_how_a_load_is_measured_and_what_misleads() {
    let nowhere = Nowhere::new();
    let told = ["Measured: ", "Misleads:", " - "];
    for (check, probe) in [
        ("cpu/jitter", "tsc"),
        ("memory/bandwidth-works", "memory-bandwidth"),
        ("kernel/isolation-works", "isolation"),
        ("storage/throughput-works", "storage-throughput"),
    ] {
        let more = format!("`verify explain {probe}` says more.");
        nowhere.say(&["explain", check]).exits(0).says(&told).says(&[&more]);
        nowhere.say(&["explain", probe]).exits(0).says(&told).says(&["Source: "]);
    }
}

#[test]
fn a_current_folder_that_is_gone_does_not_matter() {
    let nowhere = Nowhere::new();
    let gone = nowhere.0.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "rmdir ../gone && \"$0\" list suites && \"$0\" --quick"]);
    shell.arg(env!("CARGO_BIN_EXE_verify")).env_clear().current_dir(&gone);
    let said = said(shell.env("HOME", nowhere.0.path()));
    said.says(&["toolchain", "root embedded in the binary"]).complains(&["record: "]);
}

#[test]
fn a_current_folder_that_cannot_be_read_does_not_matter() {
    let ground = Ground::empty();
    // Makes the copy that a user without rights may run.
    let Some(first) = ground.say_as_nobody(&["-V"]) else { return };
    first.exits(0);
    let dark = ground.path("dark");
    fs::create_dir(&dark).unwrap();
    fs::set_permissions(&dark, fs::Permissions::from_mode(0o100)).unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(ground.path("verify"));
        command
    } else {
        Command::new(env!("CARGO_BIN_EXE_verify"))
    };
    command.args(["list", "suites"]).env_clear().env("PATH", "/usr/bin:/bin").current_dir(&dark);
    let said = said(&mut command).exits(0);
    assert_eq!(said.err, "");
    said.says(&["toolchain"]);
}

#[test]
fn a_shipped_file_is_printed_to_begin_from_and_loads_in_a_root_of_its_own() {
    let nowhere = Nowhere::new();
    let nodes = nowhere.0.path().join("runners/nodes");
    fs::create_dir_all(&nodes).unwrap();
    fs::create_dir(nowhere.0.path().join("suites")).unwrap();
    let file = nodes.join("nvidia.toml");
    fs::write(&file, "title = \"Mine\"\nhostnames = [\"mine\"]\n").unwrap();
    let said = nowhere.say(&["plan", "--node", "nvidia"]).exits(2);
    for variable in ["isolated-cpus", "cpu-model", "memory-triad-min"] {
        let title = format!("node nvidia has no variable `{variable}`");
        assert_eq!(said.err.matches(&title).count(), 1, "{}", said.err);
    }
    assert!(!said.err.contains("does not fit"), "{}", said.err);
    said.complains(&["`verify show node nvidia --shipped`"]);
    let own = nowhere.say(&["show", "node", "nvidia"]).exits(0).out;
    assert!(own.starts_with("title = \"Mine\""), "{own}");
    let shipped = nowhere.say(&["show", "node", "nvidia", "--shipped"]).exits(0).out;
    fs::write(&file, &shipped).unwrap();
    nowhere.say(&["plan", "--node", "nvidia", "--via", "local", "--quick"]).exits(0);
    let suite = nowhere.say(&["show", "suite", "gpu"]).exits(0).out;
    assert!(suite.contains("id     = \"gpu/count\""), "{suite}");
    let nobody = nowhere.say(&["show", "suite", "gpus"]).exits(2);
    nobody.complains(&["there is no suite `gpus`; did you mean `gpu`?"]);
    // Another file that cannot be read is no reason to show nothing.
    fs::write(nodes.join("broken.toml"), b"\xff").unwrap();
    let said = nowhere.say(&["show", "node", "nvidia"]).exits(0);
    said.complains(&["note: ", "broken.toml is not UTF-8"]);
    nowhere.say(&["show", "node", "broken"]).exits(2).complains(&["broken.toml is not UTF-8"]);
}
