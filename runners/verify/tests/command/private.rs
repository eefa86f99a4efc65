//! Whether what is kept is its user's alone, and whether another user of the machine can lead what is
//! written to another place.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink},
    path::Path,
};

use crate::ground::{Ground, PASSES, said};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

/// Lists everything below a folder that somebody else may look at.
fn open_to_others(folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if mode(&path) & 0o077 != 0 {
            into.push(format!("{} {:o}", path.display(), mode(&path)));
        }
        if path.is_dir() {
            open_to_others(&path, into);
        }
    }
}

#[test]
fn what_is_kept_is_for_nobody_else_whatever_the_mask_of_the_user_is() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    for args in [["--node", "box"].as_slice(), &["history", "changes"], &["runs"]] {
        let plain = ground.command(args);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(plain.get_program()).args(args);
        shell.current_dir(ground.path("")).stdin(std::process::Stdio::null());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.output().unwrap();
    }
    assert!(!ground.records().is_empty());
    let mut open = Vec::new();
    assert_eq!(mode(&ground.path("state")), 0o700);
    open_to_others(&ground.path("state"), &mut open);
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn the_record_as_a_report_is_for_nobody_else_either() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.run(&["--report", "jsonl=out.jsonl", "--report", "junit=out.xml"]).exits(0);
    ground.say(&["report", "last", "--format", "jsonl", "--output", "again.jsonl"]).exits(0);
    for name in ["out.jsonl", "again.jsonl"] {
        assert_eq!(mode(&ground.path(name)), 0o600, "{name}");
    }
}

#[test]
fn a_report_is_readable_for_nobody_for_whom_the_file_before_it_was_not() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::write(ground.path("out.xml"), "old").unwrap();
    fs::set_permissions(ground.path("out.xml"), fs::Permissions::from_mode(0o600)).unwrap();
    ground.run(&["--report", "junit=out.xml"]).exits(0);
    assert!(fs::read_to_string(ground.path("out.xml")).unwrap().contains("<testsuites"));
    assert_eq!(mode(&ground.path("out.xml")), 0o600);
}

/// Makes a folder that everybody can write, and in it what somebody else put there.
fn planted(ground: &Ground, made: impl FnOnce(&Path)) -> bool {
    if !rustix::process::geteuid().is_root() {
        use std::io::Write as _;
        writeln!(std::io::stderr(), "skipped: needs root, to put there what is somebody else's")
            .unwrap();
        return false;
    }
    fs::create_dir(ground.path("shared")).unwrap();
    fs::set_permissions(ground.path("shared"), fs::Permissions::from_mode(0o1777)).unwrap();
    made(&ground.path("shared/out.xml"));
    lchown(ground.path("shared/out.xml"), Some(65534), Some(65534)).unwrap();
    true
}

#[test]
fn a_link_that_somebody_else_put_in_a_shared_folder_is_not_followed() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::write(ground.path("precious"), "precious").unwrap();
    let precious = ground.path("precious");
    if !planted(&ground, |path| symlink(&precious, path).unwrap()) {
        return;
    }
    symlink("shared/out.xml", ground.path("mine.xml")).unwrap();
    for path in ["shared/out.xml", "mine.xml"] {
        let said = ground.run(&["--report", &format!("junit={path}")]).exits(2);
        said.complains(&["user 65534 put it in a folder that everybody can write"]);
    }
    ground.run(&[]).exits(0);
    let report = ["report", "last", "--format", "junit", "--output", "shared/out.xml"];
    assert_ne!(ground.say(&report).code, Some(0));
    assert_eq!(fs::read_to_string(ground.path("precious")).unwrap(), "precious");
    // One's own link in the same folder is followed.
    lchown(ground.path("shared/out.xml"), Some(0), Some(0)).unwrap();
    ground.run(&["--report", "junit=shared/out.xml"]).exits(0);
    assert!(fs::read_to_string(ground.path("precious")).unwrap().contains("<testsuites"));
}

#[test]
fn a_link_of_a_folder_that_somebody_else_put_in_a_shared_folder_is_not_followed() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::create_dir(ground.path("precious")).unwrap();
    let precious = ground.path("precious");
    if !planted(&ground, |path| symlink(&precious, path).unwrap()) {
        return;
    }
    let said = ground.run(&["--report", "junit=shared/out.xml/out.xml"]).exits(2);
    said.complains(&["cannot write", "shared/out.xml"]);
    assert_eq!(fs::read_dir(&precious).unwrap().count(), 0);
}

#[test]
fn a_report_in_memory_is_replaced_as_any_other() {
    let Ok(folder) = tempfile::tempdir_in("/dev/shm") else {
        use std::io::Write as _;
        writeln!(std::io::stderr(), "skipped: needs /dev/shm").unwrap();
        return;
    };
    let ground = Ground::with(&[("a/one", PASSES)]);
    let report = folder.path().join("out.xml");
    for _ in 0..2 {
        ground.run(&["--report", &format!("junit={}", report.display())]).exits(0);
    }
    assert_eq!(fs::read_to_string(&report).unwrap().matches("<testsuites").count(), 1);
}

#[test]
fn a_pipe_that_somebody_else_put_in_a_shared_folder_gets_no_report() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let make = |path: &Path| {
        let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    if planted(&ground, make) {
        let said = ground.run(&["--report", "junit=shared/out.xml"]).exits(2);
        said.complains(&["it leads elsewhere; name a file in a folder of your own"]);
    }
}

#[test]
fn a_record_of_somebody_else_that_never_ends_a_line_fills_no_memory() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let endless = fs::File::create(ground.path("endless.jsonl")).unwrap();
    // A hole in a file takes no room.
    endless.set_len(100 << 30).unwrap();
    for args in [["judge", "./endless.jsonl"].as_slice(), &["report", "./endless.jsonl"]] {
        said(&mut ground.command(args)).exits(2).complains(&["it is longer than"]);
    }
}
