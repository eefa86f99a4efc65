//! Every target keeps its promise on its seeds, on some damage to them, and on all that was ever found.
//!
//! What a fuzzer finds is kept below `found/`, a folder a target, so that it stays fixed. This is no
//! search; `.ci/fuzz` is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, fs, panic::catch_unwind, path::PathBuf};

use verify_fuzz::{TARGETS, Target, damaged};

/// Seeds of each target that are tried; `.ci/fuzz` tries them all.
const SEEDS: usize = 60;
/// Damaged inputs for each target.
const INPUTS: usize = 120;
/// Fewest ways in which a chosen seed is damaged: one of each kind.
const FEWEST: usize = 6;
/// Longest seed that is damaged; a longer one is tried as it is. *Units*: B.
const LONG: usize = 16 * 1024;

fn found_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("found")
}

/// Returns what a fuzzer found for a target, with names.
fn found(target: &Target) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(found_folder().join(target.name)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

/// Tries the inputs of a target up to the first that breaks its promise; says which that was.
fn broken(target: &Target, inputs: impl Iterator<Item = (String, Vec<u8>)>) -> Option<String> {
    inputs.into_iter().find_map(|(name, bytes)| {
        let said = catch_unwind(|| (target.run)(&bytes)).err()?;
        let why = said.downcast_ref::<String>().cloned().unwrap_or_default();
        let input: String = String::from_utf8_lossy(&bytes).chars().take(1000).collect();
        Some(format!("{}, {name}: {why}\n{input:?}", target.name))
    })
}

/// *Panics* with one broken promise of each target that has any.
fn demand_none<I: Iterator<Item = (String, Vec<u8>)>>(inputs: impl Fn(&'static Target) -> I) {
    let all: Vec<String> = TARGETS.iter().filter_map(|t| broken(t, inputs(t))).collect();
    assert!(all.is_empty(), "{}", all.join("\n\n"));
}

fn seeds(target: &Target) -> impl Iterator<Item = (String, Vec<u8>)> + use<> {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has no seed", target.name);
    (0..).zip(seeds).map(|(number, seed): (usize, _)| (format!("seed {number}"), seed))
}

/// Chooses seeds at even steps, `most` of them.
fn some(seeds: Vec<(String, Vec<u8>)>, most: usize) -> Vec<(String, Vec<u8>)> {
    let stride = seeds.len().div_ceil(most).max(1);
    seeds.into_iter().step_by(stride).collect()
}

#[test]
fn every_target_keeps_its_promise_on_its_seeds() {
    demand_none(|target| some(seeds(target).collect(), SEEDS).into_iter());
}

#[test]
fn every_target_keeps_its_promise_on_damaged_seeds() {
    demand_none(|target| {
        let short: Vec<_> = seeds(target).filter(|(_, seed)| seed.len() <= LONG).collect();
        let chosen = some(short, INPUTS / FEWEST);
        let each = (INPUTS / chosen.len().max(1)).max(FEWEST);
        chosen.into_iter().flat_map(move |(name, seed)| {
            let ways = damaged(&seed, each).into_iter().enumerate();
            ways.map(move |(way, bytes)| (format!("{name}, damage {way}"), bytes))
        })
    });
}

/// The first line of such a seed names the case and the place that the rest is put in.
#[test]
fn every_probe_keeps_its_promise_where_a_text_of_its_evidence_says_nothing() {
    let answers = verify_fuzz::find("answers").unwrap();
    let heads = seeds(answers).map(|(name, seed)| {
        let end = seed.iter().position(|byte| *byte == b'\n').unwrap();
        (name, seed[..=end].to_vec())
    });
    let all = heads.flat_map(|(name, head)| {
        ["", " \n"].map(|rest| (name.clone(), [&head, rest.as_bytes()].concat()))
    });
    let said: Vec<String> =
        all.filter_map(|input| broken(answers, std::iter::once(input))).collect();
    assert!(said.is_empty(), "{}", said.join("\n\n"));
}

#[test]
fn what_was_ever_found_stays_fixed() {
    assert!(
        TARGETS.iter().any(|target| !found(target).is_empty()),
        "nothing that was found is kept"
    );
    demand_none(|target| found(target).into_iter());
}

#[test]
fn targets_are_sorted_and_every_finding_belongs_to_one() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for entry in fs::read_dir(found_folder()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = names.contains(&name.as_str()) || name == "README.md";
        assert!(known, "found/{name} is of no target");
    }
}
