//! The shipped checks as tests of cargo and nextest: a door to `verify test`, which holds the code.
//!
//! It becomes `verify test`, so signals and exit codes are nobody else's. Without a choice of node
//! or way the checks are answered from a recorded run, so that they pass on any machine, and leave
//! no record of their own. `VERIFY_NODE=nvidia cargo test --test suites` asks a real node.

use std::{env, os::unix::process::CommandExt as _, process::Command};

const REPLAY: &str = concat!("replay:", env!("CARGO_MANIFEST_DIR"), "/tests/replay/local.jsonl");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[allow(clippy::disallowed_methods, reason = "becomes the command; nothing is left to wait for")]
fn main() -> ! {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut verify = Command::new(env!("CARGO_BIN_EXE_verify"));
    verify.args(["test", "--allow-none"]);
    if !is_set("VERIFY_NODE") && !is_set("VERIFY_VIA") {
        verify.env("VERIFY_NODE", "local").env("VERIFY_VIA", REPLAY).arg("--no-record");
    }
    if !is_set("VERIFY_ROOT") {
        verify.env("VERIFY_ROOT", ROOT);
    }
    let error = verify.arg("--").args(env::args_os().skip(1)).exec();
    panic!("cannot start verify: {error}");
}
