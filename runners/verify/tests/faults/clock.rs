//! The clock on the wall jumps while a run is under way.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::ground::{Ground, PASSES, lines, said, shell};

/// Stands before the C library: each look at the wall is a day before or after the last one.
const JUMPS: &str = r"#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static _Atomic int looks;
int clock_gettime(clockid_t which, struct timespec *now) {
  long said = syscall(SYS_clock_gettime, which, now);
  if (which == CLOCK_REALTIME) now->tv_sec += (looks++ % 3 - 1) * 86400;
  return (int)said;
}
";

#[test]
fn a_clock_that_jumps_changes_no_outcome_and_makes_no_time_negative() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("jumps.c"), folder.path().join("jumps.so"));
    fs::write(&source, JUMPS).unwrap();
    let mut cc = Command::new("cc");
    let built = cc.args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
    if !built.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return crate::lab::skipped("cc");
    }
    let works = shell("sleep 0.05", "expect = { exit-code = 0 }\nlimit = \"60 s\"\nrepeat = 3");
    let ground = Ground::with(&[("a/file", PASSES), ("b/works", &works)]);
    for _ in 0..4 {
        let mut command = ground.command(&["--node", "box", "--report", "html=b.html"]);
        said(command.env("LD_PRELOAD", &library)).exits(0).says(&["2 pass"]);
    }
    for record in ground.records() {
        for line in lines(&record) {
            let elapsed = line["elapsed_ms"].as_u64().unwrap_or_default();
            assert!(elapsed < 60_000, "{line}");
        }
    }
    for words in [&["runs"][..], &["report", "last"], &["judge", "last"], &["history"]] {
        said(ground.command(words).env("LD_PRELOAD", &library)).exits(0);
    }
}
