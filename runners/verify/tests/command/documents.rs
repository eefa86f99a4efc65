//! Whether the generated documents are fresh, and whether what verify reads and writes fits them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::ground::{ERRS, FAILS, Ground, PASSES, SKIPS, lines, shell};

/// Returns a path below the root of the checkout.
pub(crate) fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Lists the TOML files of a folder of the checkout by name and text.
pub(crate) fn toml_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(checkout(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    found.sort();
    found
}

fn validator(path: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&fs::read_to_string(checkout(path)).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn demand_valid(validator: &jsonschema::Validator, value: &Value, what: &str) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{value}");
}

fn json(toml: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Value>(toml).unwrap()).unwrap()
}

#[test]
fn every_generated_file_is_what_the_command_prints() {
    let ground = Ground::empty();
    // The list that `just gen` and CI go by: name and path, one document a line.
    let list = fs::read_to_string(checkout(".ci/generated.txt")).unwrap();
    assert_eq!(list.lines().count(), 7);
    for line in list.lines() {
        let (name, path) = line.split_once(' ').unwrap();
        let printed = ground.say(&["schema", name]).exits(0).out;
        let written = fs::read_to_string(checkout(path)).unwrap_or_default();
        assert!(written == printed, "{path} is stale: `just gen` writes it anew");
    }
}

#[test]
fn the_printed_schemas_are_json() {
    let ground = Ground::empty();
    for name in ["suite", "waivers", "run", "node", "baseline", "ledger"] {
        let printed = ground.say(&["schema", name]).exits(0).out;
        let schema: Value = serde_json::from_str(&printed).unwrap();
        assert!(schema["$schema"].is_string() && printed.ends_with("}\n"), "{name}");
    }
}

#[test]
fn a_file_of_waivers_that_loads_fits_its_schema() {
    let text = "[[waiver]]\ncheck = \"gpu/*\"\nnode = \"box\"\nreason = \"r\"\nowner = \"o\"\nexpires = \"2026-12-31\"\nstrict = true\nonly = { \"bios.version\" = \"2.*\", kernel.release = \"6.8*\" }";
    let schema = validator("suites/waivers.schema.json");
    demand_valid(&schema, &json(text), "waivers.toml");
    for wrong in ["owner = \"o\"", "expires = \"2026-12-31\"", "check = \"gpu/*\""] {
        assert!(!schema.is_valid(&json(&text.replace(wrong, ""))), "{wrong}");
    }
}

#[test]
fn shipped_suites_and_nodes_fit_their_schemas() {
    for (folder, schema) in [
        ("suites", "suites/suite.schema.json"),
        ("runners/nodes", "runners/nodes/node.schema.json"),
    ] {
        let validator = validator(schema);
        for (name, text) in toml_files(folder) {
            demand_valid(&validator, &json(&text), &name);
        }
    }
}

#[test]
fn a_baseline_fits_its_schemas() {
    let folder = "runners/engine/tests/baseline/v1/box";
    let text = |name: &str| fs::read_to_string(checkout(&format!("{folder}/{name}"))).unwrap();
    let summary = validator("baselines/baseline.schema.json");
    demand_valid(&summary, &json(&text("disk.toml")), "the summary");
    let ledger = validator("baselines/ledger.schema.json");
    for line in text("disk.runs.jsonl").lines() {
        demand_valid(&ledger, &serde_json::from_str(line).unwrap(), "a line of the ledger");
        let other = line.replace("\"metrics\"", "\"metric\"");
        assert!(!ledger.is_valid(&serde_json::from_str(&other).unwrap()));
    }
}

#[test]
fn what_the_loader_refuses_the_schema_refuses() {
    let validator = validator("suites/suite.schema.json");
    let suite = |lines: &str| {
        let head = "[suite]\ntitle = \"x\"\nnodes = [\"box\"]\n";
        format!("{head}{}", crate::ground::check("a/one", lines))
    };
    demand_valid(&validator, &json(&suite(PASSES)), "the sound one");
    for lines in [
        format!("afer = []\n{PASSES}"),
        format!("after = \"a/two\"\n{PASSES}"),
        format!("limit = \"3\"\n{PASSES}"),
        format!("repeat = 0\n{PASSES}"),
        PASSES.replace("\"file\"", "\"fiel\""),
        PASSES.replace("path =", "pth ="),
        PASSES.replace("exists =", "exist ="),
        PASSES.replace("exists = true", "exists = { iss = true }"),
        PASSES.replace("exists = true", ""),
        "probe = \"file\"\nwith = { path = \"/\" }".to_owned(),
    ] {
        let text = suite(&lines);
        assert!(!validator.is_valid(&json(&text)), "the schema takes\n{lines}");
        let ground = Ground::empty();
        ground.suite_text("things", text);
        ground.run(&[]).exits(2);
    }
}

#[test]
fn fields_below_fields_may_be_quoted_or_dotted_in_loader_and_schema() {
    let validator = validator("suites/suite.schema.json");
    let asks = "probe = \"command\"\nwith = { argv = [\"true\"] }\nexpect = ";
    for expect in [
        "{ elapsed = { below = \"1 min\" } }",
        "{ elapsed.p99 = { below = \"1 min\" } }",
        "{ \"elapsed.p99.9\" = { below = \"1 min\" } }",
        "{ \"elapsed.max\" = { below = \"1 min\" } }",
    ] {
        let ground = Ground::with(&[("a/one", &format!("{asks}{expect}"))]);
        let text = fs::read_to_string(ground.path("suites/things.toml")).unwrap();
        demand_valid(&validator, &json(&text), expect);
        ground.run(&[]).exits(0);
    }
}

#[test]
fn every_line_of_a_record_fits_its_schema() {
    let validator = validator("reports/run.schema.json");
    let after = format!("after = [\"a/fails\"]\n{PASSES}");
    let slow = shell("exec sleep 600", "limit = \"10 ms\"\nexpect = { exit-code = 0 }");
    let within = "probe = \"command\"\nwith = { argv = [\"true\"] }\nrepeat = 2\nexpect = { elapsed = { within = \"50 %\" } }";
    let ground = Ground::with(&[
        ("a/passes", PASSES),
        ("a/fails", FAILS),
        ("a/errs", ERRS),
        ("a/skips", SKIPS),
        ("a/blocked", &after),
        ("a/slow", &slow),
        ("a/unjudged", within),
    ]);
    ground.node(
        "box",
        "[variables]\nlist = [\"a\", 1]\n[[waiver]]\ncheck = \"a/fails\"\nreason = \"r\"\nowner = \"o\"\nexpires = \"2999-01-01\"",
    );
    ground.run(&["--report", "jsonl=out.jsonl"]).exits(3);
    ground.suite_text("things", "[suite]\ntitle = \"none\"\nnodes = [\"box\"]\n[[check]]\nid = \"a/new\"\ntitle = \"t\"\nprobe = \"file\"\nwith = { path = \"/new\" }\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\nrecord = [\"mode\"]\n");
    ground.node("box", "");
    ground.run(&["--via", "replay:last"]).exits(3);
    let reports = vec![ground.path("out.jsonl")];
    for path in ground.records().into_iter().chain(reports) {
        for line in lines(&path) {
            demand_valid(&validator, &line, path.to_str().unwrap());
        }
    }
}
