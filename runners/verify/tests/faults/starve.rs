//! A run that gets too little: open files, processes, space on a disk, the right to write.
//!
//! Disks are file systems in memory, in mount namespaces that the test makes; where none can be had,
//! that is said.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::{
    ground::{Ground, PASSES, Said, lines, said, shell},
    lab::skipped,
    scene::copy,
};

const ENDS: &str = "expect = { exit-code = 0 }\nlimit = \"60 s\"";

fn ground() -> Ground {
    let ids: Vec<String> = (0..30).map(|at| format!("a/file-{at}")).collect();
    let mut checks: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), PASSES)).collect();
    let works = shell("echo works", ENDS);
    checks.push(("b/works", &works));
    let ground = Ground::with(&checks);
    fs::create_dir_all(ground.path("out")).unwrap();
    fs::create_dir_all(ground.path("state")).unwrap();
    ground
}

/// Runs a program with words before the command.
pub(crate) fn before(ground: &Ground, words: &[&str], args: &[&str]) -> Said {
    let from = ground.command(args);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(from.get_program()).args(args);
    command.current_dir(ground.path("")).stdin(Stdio::null());
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    said(&mut command)
}

/// Demands of the newest record that nothing in it is a failure of the node.
fn blames_nobody(ground: &Ground, what: &str) {
    let Some(record) = ground.records().pop() else { return };
    for line in lines(&record).iter().filter(|line| line["event"] == "verdict") {
        assert_ne!(line["outcome"], "fail", "{what}: {line}");
    }
}

#[test]
fn few_open_files_are_an_error_and_never_a_failure_of_the_node() {
    for limit in [8, 12, 16, 24, 32, 64, 256] {
        let ground = ground();
        let words = ["prlimit", &format!("--nofile={limit}:{limit}")];
        let said = before(&ground, &words, &["--node", "box", "--report", "junit=out/a.xml"]);
        let code = said.code;
        assert!(matches!(code, Some(0 | 2 | 3)), "{limit}: {said:?}");
        assert!(limit < 64 || code == Some(0), "{limit}: {said:?}");
        assert!(!said.err.contains("panicked"), "{limit}: {said:?}");
        blames_nobody(&ground, &format!("{limit} files"));
    }
}

#[test]
fn ten_thousand_open_files_of_whoever_starts_it_change_nothing() {
    let script = "ulimit -n 12000 && for i in $(seq 20 10020); do eval \"exec $i</dev/null\"; done && exec \"$@\"";
    let ground = ground();
    let Ok(true) =
        Command::new("bash").args(["-c", "ulimit -n 12000"]).status().map(|s| s.success())
    else {
        return skipped("bash, and 12,000 open files");
    };
    before(&ground, &["bash", "-c", script, "bash"], &["--node", "box"]).exits(0);
}

#[test]
fn without_room_for_another_process_nothing_is_blamed_on_the_node() {
    for limit in [1, 2, 4, 8] {
        let ground = ground();
        let words = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "prlimit"];
        if !rustix::process::geteuid().is_root() {
            return skipped("root, to become a user who runs nothing else");
        }
        let everybody = |path| {
            fs::set_permissions(
                ground.path(path),
                std::os::unix::fs::PermissionsExt::from_mode(0o777),
            )
        };
        fs::set_permissions(ground.path(""), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        everybody("state").unwrap();
        let limit = format!("--nproc={limit}:{limit}");
        let words: Vec<&str> = words.into_iter().chain([limit.as_str()]).collect();
        let said = before(&ground, &words, &["--node", "box"]);
        assert!(matches!(said.code, Some(0 | 2 | 3)), "{limit}: {said:?}");
        assert!(!said.err.contains("panicked"), "{limit}: {said:?}");
        blames_nobody(&ground, &limit);
    }
}

/// Runs a script of the shell as root of a mount namespace; `None` where there is none.
fn inside(ground: &Ground, script: &str) -> Option<Said> {
    let flags = if rustix::process::geteuid().is_root() { "-m" } else { "-Urm" };
    let tried = Command::new("unshare").args([flags, "true"]).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        skipped("mount namespaces");
        return None;
    }
    let script = format!("V=$1; shift; {script}");
    Some(before(ground, &["unshare", flags, "sh", "-c", &script, "sh"], &[]))
}

#[test]
fn a_full_disk_never_gives_a_success_without_a_whole_record() {
    for size in [0, 4, 8, 16, 24, 32, 48, 64, 256] {
        let ground = ground();
        // One page for each of what stands before: the record, the index, its journal.
        let script = format!(
            "mount -t tmpfs -o size={}k none state\n[ {size} -gt 0 ] || head -c 4096 /dev/zero >state/full\n\
             \"$V\" --node box --format text >/dev/null 2>said; echo \"exit $?\"\n\
             tail -n 1 state/runs/*/run.jsonl | grep -c '\"event\":\"finished\"'\n\
             \"$V\" runs; echo \"runs $?\"; \"$V\" judge last >/dev/null 2>&1; echo \"judge $?\"\n\
             cat said",
            size.max(4)
        );
        let Some(said) = inside(&ground, &script) else { return };
        let whole = said.out.lines().nth(1) == Some("1");
        let exit = said.out.lines().next().unwrap_or_default().to_owned();
        assert!(said.out.contains("runs 0"), "{size}: {said:?}");
        assert!(!said.out.contains("panicked"), "{size}: {said:?}");
        if whole {
            assert_eq!(exit, "exit 0", "{size}: {said:?}");
        } else {
            assert!(matches!(exit.as_str(), "exit 2" | "exit 3"), "{size}: {said:?}");
            assert!(said.out.contains("No space left"), "{size}: {said:?}");
            assert!(!said.out.contains("judge 0"), "{size}: {said:?}");
        }
        assert!(whole || size < 256, "{size}: {said:?}");
    }
}

#[test]
fn a_report_that_finds_no_room_leaves_the_old_one_and_nothing_else() {
    let ground = ground();
    let script = "mount -t tmpfs -o size=16k none out; echo old >out/b.html\n\
        \"$V\" --node box --report html=out/b.html >/dev/null 2>said; echo \"exit $?\"; ls -A out; cat out/b.html said";
    let Some(said) = inside(&ground, script) else { return };
    assert!(said.out.starts_with("exit 3\nb.html\nold\n"), "{said:?}");
    assert!(said.out.contains("No space left"), "{said:?}");
}

#[test]
fn a_baseline_that_finds_no_room_or_no_right_stays_byte_for_byte() {
    let timed = "expect = { elapsed = { within = \"100000000 %\" } }\nrepeat = 3\nlimit = \"60 s\"";
    let timed = shell("true", timed).replace("] }", "], effect = \"loads\" }");
    let ground = Ground::with(&[("a/timed", &timed)]);
    ground.run(&[]).exits(0);
    ground.say(&["baseline", "accept", "last", "--reason", "first"]).exits(0);
    ground.run(&[]).exits(0);
    copy(&ground.path("baselines"), &ground.path("kept"));
    let accept = "\"$V\" baseline accept last --reason again >/dev/null 2>said; echo \"exit $?\"\n\
        diff -r kept baselines && echo same; cat said";
    let full = format!(
        "mount -t tmpfs -o size=1m none baselines; cp -r kept/. baselines/\n\
         head -c 2000000 /dev/zero >baselines/full; true\n\
         cp baselines/full kept/full; {accept}"
    );
    let Some(said) = inside(&ground, &full) else { return };
    assert!(
        said.out.starts_with("exit 3\nsame\n") || said.out.starts_with("exit 2\nsame\n"),
        "{said:?}"
    );
    fs::remove_file(ground.path("kept/full")).unwrap();
    let closed =
        format!("mount --bind baselines baselines; mount -o remount,ro,bind baselines; {accept}");
    let Some(said) = inside(&ground, &closed) else { return };
    assert!(
        said.out.starts_with("exit 3\nsame\n") || said.out.starts_with("exit 2\nsame\n"),
        "{said:?}"
    );
    assert!(said.out.contains("nothing was changed"), "{said:?}");
}

#[test]
fn where_nothing_may_be_written_nothing_is_asked_and_what_is_there_can_be_read() {
    let ground = ground();
    ground.run(&[]).exits(0);
    let script = "mount --bind state state; mount -o remount,ro,bind state\n\
        \"$V\" --node box >/dev/null 2>said; echo \"exit $?\"; ls state/runs | wc -l\n\
        for words in runs 'report last' history; do \"$V\" $words >/dev/null 2>&1; echo \"$words $?\"; done; cat said";
    let Some(said) = inside(&ground, script) else { return };
    let found: Vec<&str> = said.out.lines().take(5).collect();
    assert!(matches!(found[0], "exit 2" | "exit 3"), "{said:?}");
    assert_eq!(found[1..], ["1", "runs 0", "report last 0", "history 0"], "{said:?}");
    assert!(said.out.contains("the run cannot be recorded"), "{said:?}");
}
