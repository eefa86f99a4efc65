//! How our Python programs reach an interpreter, against the real one.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "the test lays out a folder and starts the interpreter in it"
)]

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use verify_engine::{
    script,
    transport::{Cancel, Local, Transport},
};
use verify_model::{
    ask::Ask,
    evidence::{Captured, FailureKind},
};

fn gather(ask: &Ask) -> Captured {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    Local::new(format!("script-{}-{name}", std::process::id())).gather(ask, &Cancel::default())
}

fn kind(captured: &Captured) -> Option<FailureKind> {
    if let Captured::Failed(failure) = captured { Some(failure.kind) } else { None }
}

/// Runs one of our Python programs; nothing where there is no interpreter.
fn run(name: &str, args: &[&str], limit_ms: u64) -> Option<Captured> {
    let args = args.iter().map(|word| (*word).to_owned()).collect();
    let captured = gather(&script::ask("", name, args, limit_ms));
    if kind(&captured) == Some(FailureKind::NotFound) {
        let _ = writeln!(std::io::stderr(), "skipped: needs python3");
        return None;
    }
    Some(captured)
}

#[test]
fn a_program_of_ours_reaches_the_interpreter_with_its_arguments_and_says_one_line() {
    let Some(captured) = run("module", &["pip", "no-such-distribution"], 20_000) else { return };
    let Captured::Exec { exit: Some(0), stdout, .. } = captured else { panic!("{captured:?}") };
    let lines: Vec<&str> =
        stdout.text.lines().filter(|line| line.starts_with("verify-script/1 ")).collect();
    let [line] = lines[..] else { panic!("{}", stdout.text) };
    assert!(line.contains("\"no-such-distribution\": null"), "{line}");
}

#[test]
fn no_module_is_taken_from_the_working_directory() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("platform.py"), "raise SystemExit(99)\n").unwrap();
    let source = script::find("module").unwrap().source();
    let argv = script::argv("python3", &["pip".to_owned()]);
    let child = Command::new(&argv[0])
        .args(&argv[1..])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        let _ = writeln!(std::io::stderr(), "skipped: needs python3");
        return;
    };
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("verify-script/1 "), "{output:?}");
}

#[test]
fn a_program_whose_package_is_missing_says_so_and_ends_well() {
    let plan = r#"{"backend":"gloo","ranks":2,"hidden":64,"inner":64,"layers":1,"tokens":1,"iterations":5,"warm-up":1,"size":4096,"passes":3,"seconds":20}"#;
    for (name, word, module) in [
        ("torch-device", "compute", "torch"),
        ("torch-parallel", plan, "torch"),
        ("mlx-device", "", "mlx"),
    ] {
        let Some(captured) = run(name, &[word], 60_000) else { return };
        let Captured::Exec { exit: Some(0), stdout, stderr, .. } = captured else {
            panic!("{name}: {captured:?}")
        };
        if !stdout.text.contains("\"import\"") {
            let _ = writeln!(std::io::stderr(), "skipped: needs a python3 without {module}");
            continue;
        }
        let said = format!("No module named '{module}'");
        assert!(stdout.text.contains(&said), "{name}: {} {}", stdout.text, stderr.text);
    }
}

#[test]
fn a_missing_interpreter_and_an_unknown_program_are_told_apart() {
    let missing = gather(&script::ask("/no/such/python3", "module", vec![], 5000));
    assert_eq!(kind(&missing), Some(FailureKind::NotFound));
    let unknown = gather(&script::ask("", "no-such-program", vec![], 5000));
    assert_eq!(kind(&unknown), Some(FailureKind::Unsupported));
}
