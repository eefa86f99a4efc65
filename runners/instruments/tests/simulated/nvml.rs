//! Scenarios in which the library answers: what a card, a link or a pair says.

use serde_json::{Value, json};

use crate::stand_in::{CURRENT, OLD, asked, library, of};

type Test = (&'static str, fn());

/// The tests, by sentences. A number is that of the trap in the notes on GPUs.
pub(crate) const TESTS: &[Test] = &[
    ("a_healthy_pair_answers_everything_a_3090_answers", healthy),
    ("trap_1_a_lost_card_is_counted_and_cannot_be_opened", lost),
    ("trap_3_an_idle_link_is_at_generation_1_and_so_is_one_that_is_stuck_under_load", generation),
    ("trap_4_an_idle_power_cap_is_kept_as_the_mask_that_it_is", idle_cap),
    ("trap_5_eight_lanes_of_a_slot_of_eight_are_told_from_the_sixteen_of_the_card", lanes),
    ("trap_6_the_version_of_a_link_stays_the_number_that_the_driver_gives", link_version),
    ("trap_7_one_link_of_four_is_down", link_down),
    ("trap_8_links_that_are_active_may_lead_to_another_card", wrong_partner),
    ("trap_9_without_a_bridge_all_links_are_there_and_inactive", no_bridge),
    ("trap_23_limits_of_the_maker_above_350_w_are_read_not_assumed", vendor_limits),
    ("trap_24_a_memory_temperature_that_is_not_offered_is_not_supported", memory_temperature),
    ("trap_25_a_bit_without_a_name_is_kept", unknown_bit),
    ("trap_28_a_foreign_process_is_named", busy),
    ("a_display_takes_memory_and_draws_but_does_not_compute", display),
    ("counters_are_read_again_after_the_window", window),
    ("a_data_centre_card_tells_its_remapped_rows_and_a_geforce_does_not", remapped),
    ("a_driver_535_lacks_later_functions_and_answers_the_rest", old_driver),
    ("a_card_in_another_slot_is_told_by_bus_number_and_lanes", slot_change),
    ("a_card_and_the_bridge_above_it_are_read_from_the_kernel_too", slot),
];

fn card(result: &Value, index: usize) -> &Value {
    &result["cards"][index]
}

/// Counts the links of a card that are active.
fn active(card: &Value) -> usize {
    let links = card["links"]["value"].as_array().unwrap();
    links.iter().filter(|link| link["state"]["value"] == 1).count()
}

fn healthy() {
    let result = of("pair");
    assert_eq!(result["state"], "ok");
    assert_eq!(result["system"]["count"]["value"], 2);
    let mut not_supported = Vec::new();
    for (key, said) in result["cards"][0].as_object().unwrap() {
        assert!(said.get("error").is_none() && said.get("no-symbol").is_none(), "{key}: {said}");
        if said.get("not-supported").is_some() {
            not_supported.push(key.as_str());
        }
    }
    let expected = [
        "serial",
        "memory-temperature-c",
        "ecc-mode",
        "ecc-corrected",
        "ecc-uncorrected",
        "remapped-rows",
        "mig-mode",
    ];
    assert_eq!(not_supported, expected);
    let first = card(&result, 0);
    assert_eq!(first["memory"]["value"]["total-bytes"], 24_u64 << 30);
    assert_eq!(
        first["power-limit-range-mw"]["value"],
        json!({ "least": 100_000, "most": 366_000 })
    );
    assert_eq!(first["links-sent-kib"]["value"], 1_048_576, "the sum of the links, not link 0");
    assert_eq!(result["pairs"].as_array().unwrap().len(), 2);
    let pair = &result["pairs"][0];
    assert_eq!((&pair["nvlink"]["value"], &pair["prop"]["value"]), (&json!(0), &json!(2)));
}

fn lost() {
    let result = of("lost-gpu");
    assert_eq!((&result["state"], &result["system"]["count"]["value"]), (&json!("ok"), &json!(2)));
    let opened = &card(&result, 1)["opened"];
    assert_eq!(opened["error"], "NVML_ERROR_GPU_IS_LOST");
    assert_eq!(card(&result, 1).as_object().unwrap().len(), 1, "nothing is made up for it");
    assert_eq!(card(&result, 0)["opened"]["value"], true);
    assert_eq!(result["pairs"], json!([]));
}

fn generation() {
    let (idle, load) = (of("pair"), of("gen1-under-load"));
    let said = |result: &Value| {
        let card = card(result, 0);
        (card["pcie-generation"]["value"].clone(), card["performance-state"]["value"].clone())
    };
    assert_eq!(said(&idle), (json!(1), json!(8)));
    assert_eq!(said(&load), (json!(1), json!(2)));
    assert_eq!(card(&load, 1)["pcie-generation"]["value"], 4);
}

fn idle_cap() {
    let mask = card(&of("pair"), 0)["throttle-mask"].clone();
    assert_eq!(mask["value"], 5, "idle and power cap");
}

fn lanes() {
    let result = of("pair");
    let card = card(&result, 0);
    assert_eq!(
        (&card["pcie-width"]["value"], &card["pcie-width-max"]["value"]),
        (&json!(8), &json!(16))
    );
    assert_eq!(card["kernel-link"]["slot"]["max-width"]["value"], "8");
    let narrow = of("x4-slot");
    assert_eq!(narrow["cards"][1]["kernel-link"]["slot"]["max-width"]["value"], "4");
}

fn link_version() {
    let result = of("pair");
    assert_eq!(card(&result, 0)["links"]["value"][0]["version"]["value"], 5);
    assert_eq!(card(&result, 0)["links"]["value"][0]["remote-type"]["value"], 0);
}

fn link_down() {
    let result = of("link-down");
    assert_eq!((active(card(&result, 0)), active(card(&result, 1))), (3, 3));
    assert_eq!(card(&result, 0)["links"]["value"].as_array().unwrap().len(), 4);
    assert_eq!(active(card(&of("pair"), 0)), 4);
}

fn wrong_partner() {
    let result = of("wrong-partner");
    assert_eq!(active(card(&result, 0)), 4);
    assert_eq!(card(&result, 0)["links"]["value"][0]["remote"]["value"], "0000:42:00.0");
    assert_eq!(card(&result, 1)["bus-id"]["value"], "0000:0a:00.0");
}

fn no_bridge() {
    let result = of("no-bridge");
    assert_eq!((active(card(&result, 0)), active(card(&result, 1))), (0, 0));
    assert_eq!(card(&result, 0)["links"]["value"].as_array().unwrap().len(), 4);
    assert_eq!(result["pairs"][0]["read"]["value"], 2);
}

fn vendor_limits() {
    let result = of("vendor-limits");
    assert_eq!(card(&result, 0)["power-limit-enforced-mw"]["value"], 450_000);
    assert_eq!(card(&result, 0)["power-limit-default-mw"]["value"], 420_000);
}

fn memory_temperature() {
    let said = card(&of("pair"), 0)["memory-temperature-c"].clone();
    assert_eq!(said, json!({ "not-supported": "nvmlDeviceGetFieldValues" }));
}

fn unknown_bit() {
    let said = card(&of("unknown-throttle-bit"), 1)["throttle-mask"].clone();
    assert_eq!(said["value"], 0x4000_0000_0001_u64);
}

fn busy() {
    let result = of("busy");
    let process = &card(&result, 1)["compute-processes"]["value"][0];
    assert_eq!((&process["pid"], &process["name"]["value"]), (&json!(4242), &json!("python3")));
    assert_eq!(card(&result, 0)["compute-processes"]["value"], json!([]));
}

fn display() {
    let result = of("display-gpu");
    let first = card(&result, 0);
    assert_eq!(first["display-active"]["value"], 1);
    assert_eq!(first["graphics-processes"]["value"][0]["pid"], 1711);
    assert_eq!(first["compute-processes"]["value"], json!([]));
}

fn window() {
    let result =
        asked(&library(CURRENT), "link-errors", &["--window-ms", "50", "--call-limit-ms", "100"]);
    let first = card(&result, 0);
    assert_eq!(first["links"]["value"][1]["errors"]["crc-flit"]["value"], 3);
    assert_eq!(first["later"]["link-errors"][1]["crc-flit"]["value"], 8);
    assert!(card(&of("link-errors"), 0).get("later").is_none());
}

fn remapped() {
    let rows = card(&of("ecc-remap"), 0)["remapped-rows"]["value"].clone();
    assert_eq!(rows, json!({ "corrected": 2, "uncorrected": 1, "pending": true, "failed": false }));
    assert!(card(&of("pair"), 0)["remapped-rows"].get("not-supported").is_some());
}

fn old_driver() {
    let result = asked(&library(OLD), "old-driver", &[]);
    let missing = json!({ "no-symbol": "nvmlSystemGetDriverBranch" });
    assert_eq!(result["system"]["driver-branch"], missing);
    let first = card(&result, 0);
    assert_eq!(
        first["temperature-margin-c"],
        json!({ "no-symbol": "nvmlDeviceGetMarginTemperature" })
    );
    assert_eq!(first["temperature-c"]["value"], 34);
    assert_eq!(result["state"], "ok");
}

fn slot_change() {
    let result = of("after-slot-change");
    assert_eq!(card(&result, 1)["bus-id"]["value"], "0000:05:00.0");
    assert_eq!(card(&result, 1)["pcie-width"]["value"], 4);
    assert_eq!(card(&result, 0)["links"]["value"][3]["remote"]["value"], "0000:05:00.0");
}

fn slot() {
    let result = of("pair");
    let link = &card(&result, 1)["kernel-link"];
    assert_eq!(link["card"]["max-speed"]["value"], "16.0 GT/s PCIe");
    assert_eq!(link["card"]["current-speed"]["value"], "2.5 GT/s PCIe");
}
