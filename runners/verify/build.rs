//! Which facts about the build `verify --version` tells: commit, profile, target, compiler.
//!
//! No time and no path, so that the same sources give the same binary. Whatever is not known, such
//! as the commit of an unpacked archive, is left out; nothing here ends a build. What counts as
//! changed is what ends in the binary, and only that is watched.
#![allow(clippy::print_stdout, reason = "this is how cargo is told")]

use std::{
    env,
    path::{Path, PathBuf},
};

/// What ends in the binary, from the root of the checkout.
const SOURCES: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "reports/src",
    "runners/engine/src",
    "runners/model/src",
    "runners/nodes",
    "runners/verify/build.rs",
    "runners/verify/src",
    "suites",
];
/// What changes when another commit is checked out, within the folders of git.
const HEADS: [&str; 3] = ["HEAD", "logs/HEAD", "packed-refs"];

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let root = manifest.ancestors().nth(2).unwrap_or(&manifest);
    for source in SOURCES {
        watch(&root.join(source));
    }
    tell("COMMIT", &commit(root).unwrap_or_default());
    tell("PROFILE", &profile().unwrap_or_default());
    tell("TARGET", &env::var("TARGET").unwrap_or_default());
    let compiler = env::var("RUSTC").ok().and_then(|rustc| said(root, &rustc, &["--version"]));
    tell("COMPILER", &compiler.unwrap_or_default());
}

/// Sets a variable for the compiler; only a plain word or two can be a fact.
fn tell(name: &str, value: &str) {
    let value = value.lines().next().unwrap_or_default();
    println!("cargo::rustc-env=VERIFY_BUILD_{name}={value}");
}

/// Asks for another build when the path changes. A path that is not there would mean always.
fn watch(path: &Path) {
    if path.try_exists().is_ok_and(|there| there) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// Names the commit, marked where the sources differ from it.
fn commit(root: &Path) -> Option<String> {
    // An archive that was unpacked inside another repository has no commit of its own.
    git(root, &["ls-files", "--error-unmatch", "Cargo.toml"])?;
    let branch = git(root, &["rev-parse", "--symbolic-full-name", "HEAD"])?;
    for name in HEADS.into_iter().chain([branch.as_str()]) {
        // In a worktree `.git` is a file, and what is watched lies elsewhere.
        let path = git(root, &["rev-parse", "--git-path", name])?;
        watch(&root.join(path));
    }
    let commit = git(root, &["rev-parse", "--short=12", "HEAD"])?;
    let status = ["--no-optional-locks", "status", "--porcelain", "--"];
    let changed = git(root, &[&status[..], &SOURCES[..]].concat())?;
    Some(if changed.is_empty() { commit } else { format!("{commit}, changed since") })
}

/// Names the profile: cargo tells only whether it inherits from `release`, so the folder is read.
fn profile() -> Option<String> {
    let out = PathBuf::from(env::var_os("OUT_DIR")?);
    let above = out.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == "build"));
    let folder = above.and_then(Path::parent).and_then(Path::file_name);
    let named = folder.map(|name| name.to_string_lossy().into_owned());
    named.or_else(|| env::var("PROFILE").ok())
}

fn git(root: &Path, args: &[&str]) -> Option<String> {
    said(root, "git", args)
}

/// Returns what a program of the builder says, if it can be asked and succeeds.
#[allow(clippy::disallowed_methods, reason = "runs at build time, on the builder, never on a node")]
fn said(root: &Path, program: &str, args: &[&str]) -> Option<String> {
    let mut command = std::process::Command::new(program);
    // A hook of git points these at whatever it is working on.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    let output = command.args(args).current_dir(root).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
