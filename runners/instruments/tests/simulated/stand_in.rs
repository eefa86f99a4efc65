//! Builds the stand-in libraries and asks them.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

/// Returns the stand-in library, or the one of an old driver.
pub(crate) fn library(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(name)
}

pub(crate) const CURRENT: &str = "libverify_simulator.so";
pub(crate) const OLD: &str = "examples/libdriver_535.so";

/// Builds both and returns the folder that they are in.
fn build() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../simulator/Cargo.toml");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--lib", "--examples", "--message-format", "json"])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let text = String::from_utf8(built.stdout).unwrap();
    let said = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let files = said.filter_map(|line| Some(line["filenames"][0].as_str()?.to_owned()));
    let library = files.map(PathBuf::from).find(|file| file.ends_with(CURRENT));
    library.unwrap().parent().unwrap().to_owned()
}

/// Asks a library in a scenario by `nvml` and returns the result.
pub(crate) fn asked(library: &Path, scenario: &str, args: &[&str]) -> Value {
    answered(&mut instrument("nvml", library, scenario, args))
}

/// Prepares an instrument in a process of its own.
pub(crate) fn instrument(name: &str, library: &Path, scenario: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["instrument", name, "--library"]).arg(library).args(args);
    if name == "cuda" {
        command.arg("--nvml").arg(library);
    }
    command.env("VERIFY_SIM_SCENARIO", scenario);
    command.env_remove("CUDA_VISIBLE_DEVICES").env_remove("CUDA_DEVICE_ORDER");
    command
}

/// Runs an instrument and returns the result.
pub(crate) fn answered(command: &mut Command) -> Value {
    let run = command.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let document: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(document["protocol"], "verify-instrument/1");
    document["result"].clone()
}

/// Asks the stand-in in a scenario.
pub(crate) fn of(scenario: &str) -> Value {
    let result = asked(&library(CURRENT), scenario, &[]);
    assert_eq!(result["simulated"], scenario, "{result}");
    result
}
