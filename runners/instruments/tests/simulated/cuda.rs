//! What the instrument `cuda` measures in each scenario: rates, wrong data, and what it lacks.

use std::io::Write as _;

use serde_json::Value;

use crate::stand_in::{CURRENT, OLD, answered, instrument, library};

type Test = (&'static str, fn());

/// The tests, by sentences. A number is that of the trap in the notes on GPUs.
pub(crate) const TESTS: &[Test] = &[
    ("a_healthy_pair_is_measured_as_the_scenario_says", healthy),
    ("only_the_tests_that_are_asked_for_are_made", asked_for),
    ("trap_10_both_ways_are_the_sum_of_both", both_ways),
    ("trap_13_without_a_grant_the_rate_is_that_of_the_host_and_says_so", staged),
    ("trap_14_a_grant_does_not_hide_data_that_came_through_wrong", wrong_data),
    ("trap_27_cuda_may_order_the_cards_by_speed_and_their_identity_tells", order),
    ("a_result_that_is_one_bit_off_is_found_with_its_place", wrong_result),
    ("cards_that_are_hidden_are_not_measured_and_the_variable_is_named", hidden),
    ("trap_3_links_clocks_and_heat_are_read_while_the_cards_compute", under_load),
    ("trap_28_a_card_that_is_in_use_is_left_alone_and_its_user_named", in_use),
    ("a_driver_without_cards_is_an_answer", no_device),
    ("a_driver_that_refuses_the_kernels_says_so_for_each_card", refused_kernels),
    ("too_little_free_memory_is_said_and_not_measured_with_less", little_memory),
    ("a_library_that_is_none_and_one_that_lacks_everything_are_told_apart", no_library),
];

fn of(scenario: &str, tests: &str) -> Value {
    let args = ["--tests", tests, "--passes", "3", "--seconds", "1"];
    let result = answered(&mut instrument("cuda", &library(CURRENT), scenario, &args));
    assert_eq!(result["simulated"], scenario, "{result}");
    assert!(result.get("trouble").is_none(), "{result}");
    result
}

/// Returns the first sample, which all of a simulated card resemble.
fn first(part: &Value, key: &str) -> f64 {
    let samples = part[key].as_array().unwrap_or_else(|| panic!("{key}: {part}"));
    assert_eq!(samples.len(), 3, "{part}");
    samples[0].as_f64().unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found / expected - 1.0).abs() < 1e-3, "{found} is not {expected}");
}

fn healthy() {
    let result = of("pair", "device,memory,launch,peer");
    assert_eq!(result["missing-symbols"], serde_json::json!([]));
    assert_eq!(result["devices"][1]["uuid"], "GPU-00000000-0000-4000-8000-000000000001");
    assert_eq!(result["devices"][1]["pci"], "00000000:0a:00.0");
    for card in result["memory"].as_array().unwrap() {
        near(first(card, "copy-gb-per-s"), 835.0);
        near(first(card, "read-gb-per-s"), 860.0);
        near(first(card, "triad-gb-per-s"), 840.0);
        assert_eq!(card["wrong"], serde_json::json!({}));
    }
    assert_eq!(result["launch"][0]["launch-us"].as_array().unwrap().len(), 200);
    let pairs = result["peers"].as_array().unwrap();
    assert_eq!(pairs.len(), 2);
    for pair in pairs {
        assert_eq!(pair["access"], true);
        near(first(pair, "one-way-gb-per-s"), 52.4);
        near(first(pair, "latency-ns"), 1050.0);
        assert_eq!(pair["wrong"], serde_json::json!({}));
    }
}

fn asked_for() {
    let result = of("pair", "device");
    for group in ["memory", "host", "peers", "launch", "burn"] {
        assert!(result.get(group).is_none(), "{group}: {result}");
    }
}

fn both_ways() {
    let result = of("pair", "host,peer");
    let pair = &result["peers"][0];
    near(first(pair, "both-ways-gb-per-s"), 2.0 * first(pair, "one-way-gb-per-s"));
    let host = &result["host"][0];
    near(first(host, "pinned-to-device-gb-per-s"), 12.6);
    near(first(host, "pinned-from-device-gb-per-s"), 13.1);
    // The slower way ends last.
    near(first(host, "pinned-both-ways-gb-per-s"), 2.0 * 12.6);
    assert!(first(host, "pageable-to-device-gb-per-s") < 6.0);
    assert!(first(host, "pageable-from-device-gb-per-s") < 6.2);
}

fn staged() {
    let result = of("no-bridge", "peer");
    let pair = &result["peers"][0];
    assert_eq!(pair["access"], false);
    assert_eq!(pair["granted"]["access-supported"], 0);
    near(first(pair, "one-way-gb-per-s"), 5.9);
    assert_eq!(pair["latency-ns"], Value::Null);
}

fn wrong_data() {
    let result = of("peer-corrupts", "peer");
    let wrong = &result["peers"][0]["wrong"]["one-way"];
    assert_eq!(wrong["words"], 1);
    assert_eq!(wrong["first-byte"], 4 * 4_194_304);
    assert_eq!(wrong["differing-bits"], "0x00000100");
    assert!(result["peers"][1]["wrong"].get("one-way").is_none(), "the other way is sound");
}

fn order() {
    let library = library(CURRENT);
    let mut command = instrument("cuda", &library, "peer-corrupts", &["--tests", "device"]);
    let by_speed = answered(&mut command);
    let by_bus = answered(command.env("CUDA_DEVICE_ORDER", "PCI_BUS_ID"));
    assert_eq!(by_bus["order"], "PCI_BUS_ID");
    assert_eq!(by_speed["devices"][0]["uuid"], by_bus["devices"][1]["uuid"]);
    assert_eq!(by_bus["devices"][0]["pci"], "00000000:09:00.0");
}

fn wrong_result() {
    let result = of("peer-corrupts", "burn");
    let cards = result["burn"].as_array().unwrap();
    let wrong: Vec<&Value> = cards.iter().filter(|card| !card["wrong"].is_null()).collect();
    assert_eq!(wrong.len(), 1, "{result}");
    assert_eq!(wrong[0]["wrong"]["first-byte"], 4 * 77);
    assert!(cards.iter().all(|card| card["gflop-per-s"].as_f64().unwrap() > 19_000.0));
}

fn hidden() {
    let library = library(CURRENT);
    let mut command = instrument("cuda", &library, "pair", &["--tests", "device"]);
    let uuid = "GPU-00000000-0000-4000-8000-000000000001";
    let one = answered(command.env("CUDA_VISIBLE_DEVICES", uuid));
    assert_eq!(one["visible"], uuid);
    assert_eq!(one["devices"].as_array().unwrap().len(), 1);
    assert_eq!(one["devices"][0]["uuid"], uuid);
    let none = answered(command.env("CUDA_VISIBLE_DEVICES", "-1"));
    assert_eq!(none["trouble"]["name"], "CUDA_ERROR_NO_DEVICE");
}

fn under_load() {
    let result = of("pair", "burn");
    let card = &result["under-load"]["cards"][0];
    assert_eq!(card["pcie-generation"]["value"], 4, "{card}");
    let stuck = of("gen1-under-load", "burn");
    assert_eq!(stuck["under-load"]["cards"][0]["pcie-generation"]["value"], 1);
    assert_eq!(stuck["under-load"]["cards"][1]["pcie-generation"]["value"], 4);
}

fn in_use() {
    let result = of("busy", "memory");
    assert_eq!(result["others"][0]["pid"], 4242);
    assert_eq!(result["others"][0]["name"], "python3");
    assert!(result.get("devices").is_none() && result.get("memory").is_none(), "{result}");
    assert_eq!(of("busy", "device")["devices"].as_array().unwrap().len(), 2);
}

fn no_device() {
    let result =
        answered(&mut instrument("cuda", &library(CURRENT), "not-loaded", &["--tests", "device"]));
    assert_eq!(result["trouble"]["call"], "cuInit");
    assert_eq!(result["trouble"]["code"], 100);
    assert!(result.get("devices").is_none());
}

/// Measures with a card that differs from the healthy pair's in one line.
fn differing(line: &str, tests: &str) -> Value {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "base = \"pair\"\n[card]\n{line}\n").unwrap();
    let scenario = file.path().to_str().unwrap();
    answered(&mut instrument("cuda", &library(CURRENT), scenario, &["--tests", tests]))
}

fn refused_kernels() {
    let result = differing("cuda = { module = 222 }", "memory");
    for card in result["memory"].as_array().unwrap() {
        assert_eq!(card["trouble"]["call"], "cuModuleLoadData");
        assert_eq!(card["trouble"]["name"], "CUDA_ERROR_UNSUPPORTED_PTX_VERSION");
    }
}

fn little_memory() {
    let result =
        differing("MemoryInfo_v2 = { total = 25_769_803_776, free = 700_000_000 }", "memory");
    let little: Vec<&str> = result["memory"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|card| card["too-little-memory"].as_str())
        .collect();
    assert!(little.iter().any(|why| why.contains("are free")), "{result}");
}

fn no_library() {
    let args = ["--tests", "device"];
    let file = tempfile::NamedTempFile::new().unwrap();
    let none = answered(&mut instrument("cuda", file.path(), "pair", &args));
    assert_eq!(none["trouble"]["call"], "dlopen");
    let other = answered(&mut instrument("cuda", &library(OLD), "pair", &args));
    assert_eq!(other["trouble"]["call"], "cuInit");
    assert!(other["trouble"]["name"].as_str().unwrap().contains("has no `cuInit`"), "{other}");
}
