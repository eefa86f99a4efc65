//! Whether the recorded run that answers for `cargo test` is whole, and says whose machine it was.
//!
//! `just replay` records it anew on this machine; look at the diff. It is needed whenever the checks
//! of node `local` ask for something new.

use std::{fs, path::PathBuf, sync::OnceLock};

use crate::{
    documents::checkout,
    ground::{Ground, lines, of_kind},
    scrub::{Machine, scrub, secrets},
};

const RECORD: &str = "runners/verify/tests/replay/local.jsonl";
/// Longest that the record may grow. *Units*: bytes.
const LARGEST: usize = 300_000;

fn root() -> String {
    checkout("").canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// Records node `local` as it is on this machine, scrubbed.
fn record() -> String {
    let ground = Ground::empty();
    let root = root();
    let mut command =
        ground.command(&["run", "--root", &root, "--node", "local", "--via", "local"]);
    // What the system has, not what this user has.
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    crate::ground::said(&mut command).exits(0);
    let uname = rustix::system::uname();
    let text = |word: &std::ffi::CStr| word.to_str().unwrap().to_owned();
    let machine = Machine {
        host: text(uname.nodename()),
        release: text(uname.release()),
        folders: vec![
            (ground.text("").trim_end_matches('/').to_owned(), "/home/user"),
            (root, "/home/user/verify"),
            (std::env::var("HOME").unwrap(), "/home/user"),
        ],
    };
    let scrubbed = scrub(&ground.last(), &machine);
    let lines: Vec<String> = scrubbed.iter().map(ToString::to_string).collect();
    lines.join("\n") + "\n"
}

/// Returns where the record is, written anew where that is wanted.
fn committed() -> PathBuf {
    static WRITTEN: OnceLock<()> = OnceLock::new();
    let path = checkout(RECORD);
    WRITTEN.get_or_init(|| {
        if std::env::var_os("VERIFY_BLESS").is_some() {
            fs::write(&path, record()).unwrap();
        }
    });
    path
}

#[test]
fn the_recorded_run_answers_all_that_the_checks_of_local_ask() {
    let path = committed();
    let ground = Ground::empty();
    let way = format!("replay:{}", path.to_str().unwrap());
    let said = ground.say(&["run", "--root", &root(), "--node", "local", "--via", &way]);
    assert_eq!(said.code, Some(0), "{}{}\n`just replay` records it anew", said.out, said.err);
    assert!(of_kind(&ground.last(), "attempted").len() > 10);
}

#[test]
fn the_recorded_run_names_no_machine_no_user_and_no_program() {
    let text = fs::read_to_string(committed()).unwrap();
    assert_eq!(secrets(&text), [""; 0], "scrub it in tests/command/scrub.rs");
    assert!(text.len() < LARGEST, "{} bytes", text.len());
    let lines = lines(&committed());
    assert_eq!(lines[0]["orchestrator"], "replay");
    let facts = &of_kind(&lines, "node")[0]["facts"];
    assert_eq!((&facts["hostname"], &facts["core"]), (&"replay".into(), &serde_json::json!({})));
    assert!(of_kind(&lines, "verdict").is_empty(), "a replay judges anew");
}

#[test]
fn a_question_that_nobody_recorded_is_an_error_and_said_so() {
    let ground = Ground::with(&[("a/one", crate::ground::PASSES)]);
    ground.run(&[]).exits(0);
    let asks = "probe = \"file\"\nwith = { path = \"/new\" }\nexpect = { exists = true }";
    ground.suite("things", &[("a/one", asks)]);
    let said = ground.say(&["test", "--node", "box", "--via", "replay:last"]).exits(101);
    said.says(&["error: run ", "holds no answer to: read /new"]);
}
