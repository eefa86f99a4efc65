//! Which interpreter the tests use, and whether it has what they need.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

use crate::Heavy;

const VARIABLE: &str = "VERIFY_HEAVY_PYTHON";

pub(crate) const TESTS: &[Heavy] = &[Heavy {
    name: "the_probe_finds_the_distributions_of_a_real_interpreter",
    needs: &["torch"],
    run: finds_distributions,
}];

/// Returns the interpreter.
///
/// *Errors*: what is lacking.
pub(crate) fn ready(needs: &[&str]) -> Result<String, String> {
    let python = env::var(VARIABLE).map_err(|_| format!("an interpreter in {VARIABLE}"))?;
    for name in needs {
        let program = "import sys; from importlib import metadata; metadata.version(sys.argv[1])";
        let mut asked = Command::new(&python);
        asked.args(["-c", program, name]).stdout(Stdio::null()).stderr(Stdio::null());
        match asked.status() {
            Ok(status) if status.success() => {}
            Ok(_) => return Err(format!("the distribution {name} in {python}")),
            Err(error) => return Err(format!("an interpreter: {python}: {error}")),
        }
    }
    Ok(python)
}

/// Runs one check of a suite of its own on this machine; returns its exit code and its record's
/// verdict lines as text.
pub(crate) fn check(python: &str, suite: &str, more: &[&str]) -> Result<(i32, String), String> {
    check_with(python, suite, more, &[])
}

/// Runs one check as [`check`] does, with variables besides.
pub(crate) fn check_with(
    python: &str,
    suite: &str,
    more: &[&str],
    variables: &[(&str, &str)],
) -> Result<(i32, String), String> {
    let said = |error: std::io::Error| error.to_string();
    let root = tempfile::tempdir().map_err(said)?;
    lay_out(root.path(), python, suite)?;
    let mut verify = Command::new(env!("CARGO_BIN_EXE_verify"));
    verify.args(["--root".as_ref(), root.path().as_os_str()]).args(["--node", "box"]).args(more);
    verify.env("VERIFY_LOCKS", root.path());
    verify.env("VERIFY_STATE", root.path().join("state")).env("NO_COLOR", "1");
    verify.envs(variables.iter().copied());
    let output = verify.output().map_err(said)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let code = output.status.code().ok_or("verify was ended by a signal")?;
    Ok((code, text + &String::from_utf8_lossy(&output.stderr)))
}

/// Demands an exit code and words, wherever the lines break.
pub(crate) fn demand(
    (code, text): (i32, String),
    wanted: i32,
    words: &[&str],
) -> Result<(), String> {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.iter().find(|word| !flat.contains(**word)) {
        None if code == wanted => Ok(()),
        None => Err(format!("exit {code}, expected {wanted}: {text}")),
        Some(missing) => Err(format!("exit {code}; it does not say `{missing}`: {text}")),
    }
}

/// Lays out a root with one suite and the node `box`.
pub(crate) fn lay_out(root: &Path, python: &str, suite: &str) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    for folder in ["suites", "runners/nodes", "state"] {
        std::fs::create_dir_all(root.join(folder)).map_err(said)?;
    }
    let node = format!("title = \"The machine that asks\"\npython = \"{python}\"\n");
    std::fs::write(root.join("runners/nodes/box.toml"), node).map_err(said)?;
    std::fs::write(root.join("suites/stack.toml"), suite).map_err(said)
}

fn finds_distributions(python: &str) -> Result<(), String> {
    let suite = r#"
[suite]
title = "Interpreter"
nodes = ["box"]

[[check]]
id     = "python/modules"
title  = "PyTorch is there, and what nobody has is not"
probe  = "python-module"
with   = { modules = ["torch", "no-such-distribution"] }
when   = ["python:torch"]
why    = "It is a test."
source = "It is a test."
fix    = "None."
[check.expect]
missing = { count = 1 }
installed = { count = 1 }
"#;
    let (code, text) = check(python, suite, &[])?;
    if code == 0 { Ok(()) } else { Err(format!("exit {code}: {text}")) }
}
