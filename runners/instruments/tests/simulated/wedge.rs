//! Cases in which no card can be asked, or a call never returns: each has its own word.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::stand_in::{CURRENT, asked, library, of};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("trap_17_a_library_that_is_not_there_is_a_state_of_its_own", no_library),
    ("a_file_that_is_no_library_is_said_to_be_none", no_elf),
    ("a_library_without_the_first_function_is_said_to_lack_it", no_symbol),
    ("a_module_that_is_not_loaded_is_told_from_a_library_that_is_not_there", not_loaded),
    ("a_library_and_a_module_of_two_versions_are_named", mismatch),
    ("a_refused_user_is_told_from_a_broken_driver", no_permission),
    ("a_call_that_never_returns_is_named_and_what_was_read_before_is_kept", hung),
    ("a_scenario_that_cannot_be_read_is_an_error_and_no_empty_machine", no_scenario),
];

fn no_library() {
    let result = asked(Path::new("/no/such/libnvidia-ml.so.1"), "pair", &[]);
    assert_eq!(result["state"], "no-library");
    assert!(result.get("cards").is_none() && result.get("system").is_none(), "{result}");
}

fn no_elf() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libnvidia-ml.so.1");
    for content in ["", "not a library\n"] {
        fs::write(&path, content).unwrap();
        assert_eq!(asked(&path, "pair", &[])["state"], "not-a-library");
    }
}

fn no_symbol() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libnvidia-ml.so.1");
    // The name is struck out of the table of names; nothing else changes.
    let mut bytes = fs::read(library(CURRENT)).unwrap();
    let name = b"\0nvmlInit_v2\0";
    let places: Vec<usize> =
        (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + 1] = b'x';
    }
    fs::write(&path, bytes).unwrap();
    let result = asked(&path, "pair", &[]);
    assert_eq!(result["state"], "symbol-missing");
    assert!(result["trouble"].as_str().unwrap().contains("nvmlInit_v2"));
}

fn wedge(scenario: &str) -> (Value, Value) {
    let result = of(scenario);
    assert!(result.get("cards").is_none(), "{result}");
    (result["state"].clone(), result["trouble"].clone())
}

fn not_loaded() {
    let (state, trouble) = wedge("not-loaded");
    assert_eq!(state, "driver-not-loaded");
    assert_eq!(trouble, "nvmlInit_v2: NVML_ERROR_DRIVER_NOT_LOADED");
    assert!(of("not-loaded")["module-version"].get("not-there").is_some());
}

fn mismatch() {
    assert_eq!(wedge("driver-mismatch").0, "version-mismatch");
    assert_eq!(of("driver-mismatch")["module-version"]["value"], "550.54.14");
}

fn no_permission() {
    assert_eq!(wedge("no-permission").0, "no-permission");
}

fn hung() {
    let result = asked(&library(CURRENT), "hung-call", &["--call-limit-ms", "300"]);
    assert_eq!(result["state"], "hung-call");
    assert_eq!(result["hung"], "nvmlDeviceGetPowerUsage");
    assert_eq!(result["cards"][0]["power-mw"]["value"], 21_340, "the first card was read whole");
    assert_eq!(result["cards"][1]["name"]["value"], "NVIDIA GeForce RTX 3090");
    assert!(result["cards"][1].get("power-mw").is_none());
    assert!(result.get("left").is_none(), "the child ended: {}", json!(result["left"]));
}

fn no_scenario() {
    let result = asked(&library(CURRENT), "/no/such/scenario.toml", &[]);
    assert_eq!(result["state"], "driver-error");
    assert!(result["simulated"].as_str().unwrap().contains("/no/such/scenario.toml"));
}
