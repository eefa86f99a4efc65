//! Whether a simulated node answers as its scenario says, is marked as such, and never asks the host.
//!
//! The stand-in libraries are built once, by the cargo that runs the tests. Scenarios are asked
//! several at a time: most of their time is that of a load which waits.

mod link;
mod outcome;
mod toolchain;
mod torch;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::Value;

use crate::{
    documents::checkout,
    ground::{Ground, PASSES, Said, check, of_kind, outcomes, said},
};

/// Returns the stand-in library; that of an old driver lies beside it.
fn simulator() -> &'static Path {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--lib", "--examples", "--message-format", "json"])
            .arg("--manifest-path")
            .arg(checkout("runners/simulator/Cargo.toml"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let text = String::from_utf8(built.stdout).unwrap();
        let said = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let files = said.filter_map(|line| Some(line["filenames"][0].as_str()?.to_owned()));
        let library = |file: &PathBuf| file.ends_with("libverify_simulator.so");
        files.map(PathBuf::from).find(library).unwrap()
    });
    &BUILT
}

/// Prepares the command on the shipped checks.
fn command(ground: &Ground, args: &[&str]) -> Command {
    let mut command = ground.command(args);
    command.env("VERIFY_SIMULATOR", simulator());
    command.env("VERIFY_ROOT", checkout("").canonicalize().unwrap());
    command
}

fn say(ground: &Ground, args: &[&str]) -> Said {
    said(&mut command(ground, args))
}

/// Returns the lines of the record of a scenario.
fn asked(scenario: &str, more: &[&str]) -> (Said, Vec<Value>) {
    let ground = Ground::empty();
    let way = format!("sim:{scenario}");
    let mut args = vec!["run", "--node", "nvidia-sim", "--via", &way];
    args.extend(more);
    let said = say(&ground, &args);
    assert_eq!(ground.records().len(), 1, "{scenario}: {}", said.err);
    (said, ground.last())
}

#[test]
fn each_scenario_gives_these_findings_about_gpus_and_no_others() {
    let shipped = fs::read_dir(checkout("runners/simulator/scenarios")).unwrap();
    let mut there: Vec<String> = shipped
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    there.sort();
    let known: Vec<&str> = outcome::TABLE.iter().map(|row| row.scenario).collect();
    assert_eq!(known, there);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = outcome::TABLE.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let suites = ["--suite", "gpu", "--suite", "tensorrt", "--suite", "vllm"];
                    let (_, lines) = asked(row.scenario, &suites);
                    assert_eq!(outcome::seen(&lines), row.expected(), "{}", row.scenario);
                }
            });
        }
    });
}

#[test]
fn the_whole_workstation_is_shown_and_marked_as_simulated() {
    let ground = Ground::empty();
    let junit = ground.text("verify.xml");
    let report = format!("junit={junit}");
    let said = say(&ground, &["run", "--node", "nvidia-sim", "--report", &report]);
    let said =
        said.exits(0).says(&["simulated by scenario pair", "SIMULATED by pair", "not simulated"]);
    let lines = ground.last();
    let mut all = outcome::seen(&lines).into_values();
    assert!(all.all(|(_, findings)| findings.is_empty()), "{}", said.out);
    let judged = outcomes(&lines);
    for id in ["cpu/model", "memory/size", "kernel/isolcpus", "kernel/hugepages", "storage/drives"]
    {
        assert!(judged.contains(&(id.to_owned(), "pass".to_owned())), "{id}: {judged:?}");
    }
    assert!(judged.iter().all(|(_, outcome)| outcome == "pass" || outcome == "skip"), "{judged:?}");
    assert_eq!(of_kind(&lines, "node")[0]["facts"]["simulated"], "pair");
    for attempt in of_kind(&lines, "attempted") {
        let result = &attempt["attempt"]["result"];
        let skipped = result["Err"]["code"] == "not-simulated";
        assert!(skipped || result["Ok"]["simulated"] == "pair", "{attempt}");
    }
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains(r#"<property name="simulated" value="pair"/>"#), "{xml}");
    // Replayed, it is no more real than before.
    let mut replay = ground.command(&["run", "--node", "nvidia-sim", "--via", "replay:last"]);
    let again = crate::ground::said(replay.env("VERIFY_ROOT", checkout("")));
    again.exits(0).says(&["simulated by scenario pair"]);
}

#[test]
fn no_ask_reaches_the_host() {
    let ground = Ground::empty();
    ground.node("box", "scenario = \"pair\"");
    let mark = ground.path("started");
    let line = format!("argv = [\"touch\", \"{}\"]", mark.display());
    let starts = format!("probe = \"command\"\nwith = {{ {line} }}\nexpect = {{ exit-code = 0 }}");
    let text = "[suite]\ntitle = \"S\"\nnodes = [\"box\"]\n\n";
    let checks = [("a/program", starts.as_str()), ("a/file", PASSES), ("a/tool", TOOL)];
    let checks: String = checks.iter().map(|(id, lines)| check(id, lines)).collect();
    ground.suite_text("things", format!("{text}{checks}"));
    let mut command = ground.command(&["run", "--node", "box"]);
    said(command.env("VERIFY_SIMULATOR", simulator())).exits(0).says(&["not simulated"]);
    let judged = [("a/tool", "skip"), ("a/program", "skip"), ("a/file", "pass")];
    let judged = judged.map(|(id, outcome)| (id.to_owned(), outcome.to_owned()));
    assert_eq!(outcomes(&ground.last()), judged);
    assert!(!mark.exists());
}

const TOOL: &str =
    "when = [\"tool:sh\"]\nprobe = \"file\"\nwith = { path = \"/\" }\nexpect = { exists = true }";

/// Makes a root with the shipped checks of GPUs and their simulated node, one word of it replaced.
fn gpus_alone(from: &str, to: &str) -> Ground {
    let ground = Ground::empty();
    let suites = ["suites/gpu.toml", "suites/vllm.toml"];
    let nodes = ["runners/nodes/nvidia-sim.toml", "runners/nodes/nvidia.toml"];
    for file in suites.into_iter().chain(nodes) {
        let text = fs::read_to_string(checkout(file)).unwrap();
        assert!(text.contains(from) || !file.contains("sim"), "{file} has no {from}");
        fs::write(ground.path(file), if from.is_empty() { text } else { text.replace(from, to) })
            .unwrap();
    }
    ground
}

#[test]
fn a_row_that_waits_to_be_remapped_fails_on_cards_that_tell() {
    let ground = gpus_alone("NVIDIA GeForce RTX 3090", "NVIDIA A100-PCIE-40GB");
    let way = ["run", "--node", "nvidia-sim", "--via", "sim:ecc-remap", "--check", "gpu/errors"];
    let mut command = command(&ground, &way);
    said(command.env("VERIFY_ROOT", ground.path(""))).exits(1).says(&["remap-pending"]);
    let judged = outcomes(&ground.last());
    let judged: Vec<_> = judged.iter().map(|(id, how)| (id.as_str(), how.as_str())).collect();
    assert_eq!(judged, [("gpu/driver", "pass"), ("gpu/count", "pass"), ("gpu/errors", "fail")]);
}

#[test]
fn the_design_reports_model_fails_before_anything_starts_and_what_fits_is_said() {
    // Its command: Llama-3.1-70B-Instruct in float16, two GPUs, 95 % of their memory.
    let ground = gpus_alone("\"awq\"", "\"float16\"");
    let way = ["run", "--node", "nvidia-sim", "--check", "vllm/*"];
    let mut command = command(&ground, &way);
    // A terminal breaks the line, where words stand apart.
    said(command.env("VERIFY_ROOT", ground.path(""))).exits(1).says(&[
        "weights 141.1 GB (131.4 GiB) / 2 = 65.71 GiB",
        "KV 8192 tokens x 160 KiB = 1.25 GiB",
        "int4 (AWQ) with 13776 tokens",
    ]);
    let judged = outcomes(&ground.last());
    let of = |id: &str| judged.iter().find(|(known, _)| known == id).map(|(_, how)| how.as_str());
    assert_eq!(of("vllm/fit"), Some("fail"));
}

#[test]
fn what_a_scenario_answered_is_accepted_only_when_that_is_said() {
    let ground = gpus_alone("", "");
    let rooted = |args: &[&str]| {
        let mut command = command(&ground, args);
        said(command.env("VERIFY_ROOT", ground.path("")))
    };
    rooted(&["run", "--node", "nvidia-sim", "--check", "gpu/memory-bandwidth"]).exits(0);
    let accept = ["baseline", "accept", "last", "--reason", "to try it"];
    let why = "it was simulated by pair, which only --allow-simulated accepts";
    let refused = rooted(&accept);
    assert_eq!(refused.code, Some(2), "{}{}", refused.out, refused.err);
    refused.complains(&[why]);
    assert!(!ground.path("baselines/nvidia-sim").exists());
    rooted(&[accept.as_slice(), &["--allow-simulated"]].concat()).exits(0);
    let ledger = ground.path("baselines/nvidia-sim/gpu.runs.jsonl");
    assert!(fs::read_to_string(ledger).unwrap().contains(r#""via":"sim""#));
}

#[test]
fn what_is_missing_or_wrong_is_said_before_anything_is_asked() {
    let ground = Ground::empty();
    let node = ["run", "--node", "nvidia-sim"];
    let with = |way: &str| say(&ground, &[node.as_slice(), &["--via", way]].concat());
    with("local").exits(2).complains(&["is no machine, but scenario pair", "--via sim:SCENARIO"]);
    with("sim:no-such").exits(2).complains(&["no scenario is named `no-such`", "lost-gpu"]);
    let missing = said(command(&ground, &node).env("VERIFY_SIMULATOR", "/nowhere/lib.so"));
    missing.exits(2).complains(&["/nowhere/lib.so", "build it: cargo build -p verify-simulator"]);
    let other = ground.path("other.so");
    fs::write(&other, "no library").unwrap();
    let missing = said(command(&ground, &node).env("VERIFY_SIMULATOR", &other));
    missing.exits(2).complains(&["other.so", "cannot be loaded"]);
    assert!(ground.records().is_empty());
}

#[test]
fn the_simulated_node_demands_what_the_real_one_does() {
    let tables_of = |name: &str| {
        let text = fs::read_to_string(checkout(&format!("runners/nodes/{name}.toml"))).unwrap();
        text.parse::<toml::Table>().unwrap()
    };
    let (real, simulated) = (tables_of("nvidia"), tables_of("nvidia-sim"));
    for key in ["has", "variables"] {
        assert_eq!(real[key], simulated[key], "{key}");
    }
}
