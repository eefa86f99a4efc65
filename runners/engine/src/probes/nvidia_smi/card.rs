//! What is said of each card, under the names of every generation of the driver.

use std::collections::BTreeMap;

use verify_model::value::Value;

use super::{
    link::Active,
    memory::{ecc, memory_health, remapped},
};
use crate::parse::nvidia_smi::{Zero, integer, quantity, query::Part, switch, text as word};

/// Reasons for a card's clocks, as the document and as the probe `nvml` calls them.
const REASONS: [(&str, &str); 9] = [
    ("gpu_idle", "idle"),
    ("applications_clocks_setting", "application-clocks"),
    ("sw_power_cap", "power-cap"),
    ("hw_slowdown", "hardware-slowdown"),
    ("sync_boost", "sync-boost"),
    ("sw_thermal_slowdown", "software-thermal"),
    ("hw_thermal_slowdown", "hardware-thermal"),
    ("hw_power_brake_slowdown", "power-brake"),
    ("display_clocks_setting", "display-clocks"),
];
const HARDWARE: [&str; 3] = ["hardware-slowdown", "hardware-thermal", "power-brake"];
/// Folders of the reasons: since driver 535, and before.
const FOLDERS: [&str; 2] = ["clocks_event_reasons", "clocks_throttle_reasons"];
const COMPUTE_MODES: [(&str, &str); 4] = [
    ("Default", "default"),
    ("Exclusive_Thread", "exclusive-thread"),
    ("Prohibited", "prohibited"),
    ("Exclusive_Process", "exclusive-process"),
];
const GENERATION: &str = "pci/pci_gpu_link_info/pcie_gen";
const WIDTH: &str = "pci/pci_gpu_link_info/link_widths";

/// Tells whether a card is listed and says of itself that it is lost.
pub(super) fn is_lost(gpu: &Part) -> bool {
    ["uuid", "product_name", "fb_memory_usage/total"].iter().any(|name| {
        matches!(gpu.first(&[*name]), Err(Value::Unreadable(why))
            if why.to_ascii_lowercase().contains("gpu is lost"))
    })
}

/// Reads every card that answers.
pub(super) fn gpus(open: &[&Part], lost: &[String], links: &Active) -> Value {
    let one = |(at, gpu): (usize, &&Part)| {
        let index = if lost.is_empty() {
            i64::try_from(at).map_or_else(|e| Value::Unreadable(e.to_string()), Value::Integer)
        } else {
            Value::Unreadable("a card is lost, so that the others' numbers are not known".into())
        };
        read(gpu, index, links)
    };
    Value::List(open.iter().enumerate().map(one).collect())
}

fn read(gpu: &Part, index: Value, links: &Active) -> Value {
    let text = |name: &str| gpu.read(&[name], word);
    let memory = |name: &str, zero| gpu.read(&[name], |word| quantity(word, "MiB", zero));
    let clock = |name: &str| gpu.read(&[name], |word| quantity(word, "MHz", Zero::Impossible));
    let uuid = text("uuid");
    let throttle = throttle(gpu);
    let whole = memory("fb_memory_usage/total", Zero::Impossible);
    // A card can be full; but where its size is not believed, neither is this.
    let free = match &whole {
        Value::Quantity(_) => memory("fb_memory_usage/free", Zero::Usual),
        none => none.clone(),
    };
    let mut record: BTreeMap<String, Value> = BTreeMap::new();
    let parts = [
        ("index", index),
        ("name", text("product_name")),
        ("serial", text("serial")),
        ("vbios", text("vbios_version")),
        ("bus-id", gpu.read(&["pci/pci_bus_id", "@id"], bus_id)),
        ("memory", whole),
        ("memory-free", free),
        ("bar1", memory("bar1_memory_usage/total", Zero::Impossible)),
        ("pcie", pcie(gpu)),
        ("power", power(gpu)),
        ("temperature", temperature(gpu)),
        ("slowed", slowed(&throttle)),
        ("throttle", throttle),
        ("performance-state", gpu.read(&["performance_state"], performance)),
        (
            "clock",
            Value::record([
                ("sm", clock("clocks/sm_clock")),
                ("memory", clock("clocks/mem_clock")),
            ]),
        ),
        ("ecc", ecc(gpu)),
        ("memory-health", memory_health(gpu)),
        ("remapped", remapped(gpu)),
        ("persistence", gpu.read(&["persistence_mode"], switch)),
        ("compute-mode", gpu.read(&["compute_mode"], |word| named(word, &COMPUTE_MODES))),
        ("mig", gpu.read(&["mig_mode/current_mig"], switch)),
        ("display", gpu.read(&["display_active"], switch)),
    ];
    record.extend(parts.map(|(name, value)| (name.to_owned(), value)));
    record.extend(links.of(&uuid).map(|(name, value)| (name.to_owned(), value)));
    record.insert("uuid".to_owned(), uuid);
    Value::Record(record)
}

/// Writes an address as the kernel does: `00000000:0A:00.0` is 0000:0a:00.0.
fn bus_id(word: &str) -> Value {
    let lower = word.to_ascii_lowercase();
    let valid =
        lower.len() >= 7 && lower.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c));
    match lower.strip_prefix("0000") {
        _ if !valid => Value::Unreadable(format!("expected an address on the bus, found `{word}`")),
        Some(rest) if rest.split(':').next().is_some_and(|domain| domain.len() == 4) => {
            Value::text(rest)
        }
        _ => Value::Text(lower),
    }
}

fn named(word: &str, words: &[(&str, &str)]) -> Value {
    let known = words.iter().find(|(written, _)| *written == word);
    known.map_or_else(
        || Value::Text(format!("unknown-{}", word.to_ascii_lowercase())),
        |(_, name)| Value::text(*name),
    )
}

fn performance(word: &str) -> Value {
    let number = word.strip_prefix('P').and_then(|number| number.parse::<u8>().ok());
    number.map_or_else(
        || Value::Unreadable(format!("expected P0 to P15, found `{word}`")),
        |number| Value::Integer(i64::from(number)),
    )
}

fn pcie(gpu: &Part) -> Value {
    let at = |folder: &str, name: &str| {
        gpu.read(&[&format!("{folder}/{name}")], |word| integer(word, Zero::Impossible))
    };
    Value::record([
        ("generation", at(GENERATION, "current_link_gen")),
        ("generation-max", at(GENERATION, "max_link_gen")),
        ("width", at(WIDTH, "current_link_width")),
        ("width-max", at(WIDTH, "max_link_width")),
        ("replays", gpu.read(&["pci/replay_counter"], |word| integer(word, Zero::Usual))),
    ])
}

fn power(gpu: &Part) -> Value {
    let watts = |names: &[&str]| gpu.read(names, |word| quantity(word, "W", Zero::Impossible));
    Value::record([
        (
            "draw",
            watts(&[
                "gpu_power_readings/average_power_draw",
                "gpu_power_readings/power_draw",
                "power_readings/power_draw",
                "gpu_power_readings/instant_power_draw",
            ]),
        ),
        (
            "limit",
            watts(&[
                "gpu_power_readings/current_power_limit",
                "gpu_power_readings/enforced_power_limit",
                "power_readings/enforced_power_limit",
                "power_readings/power_limit",
            ]),
        ),
        (
            "limit-default",
            watts(&[
                "gpu_power_readings/default_power_limit",
                "power_readings/default_power_limit",
            ]),
        ),
    ])
}

fn temperature(gpu: &Part) -> Value {
    let degrees = |name: &str| gpu.read(&[name], |word| quantity(word, "°C", Zero::Impossible));
    let now = degrees("temperature/gpu_temp");
    let slowdown = degrees("temperature/gpu_temp_slow_threshold");
    let below = match (&now, &slowdown) {
        (Value::Quantity(now), Value::Quantity(slowdown)) => {
            Value::Bool(now.base() < slowdown.base())
        }
        (Value::Quantity(_), none) | (none, _) => none.clone(),
    };
    Value::record([
        ("now", now),
        ("slowdown", slowdown),
        ("below-slowdown", below),
        ("memory", degrees("temperature/memory_temp")),
    ])
}

/// Lists the reasons that are active; one without a name is kept as it is.
fn throttle(gpu: &Part) -> Value {
    let Some(folder) = FOLDERS.iter().find(|folder| gpu.under(folder).next().is_some()) else {
        return gpu.first(&FOLDERS).map_or_else(
            |none| none,
            |word| Value::Unreadable(format!("expected reasons, found `{word}`")),
        );
    };
    let mut reasons = Vec::new();
    for (path, word) in gpu.under(folder) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let name = ["clocks_event_reason_", "clocks_throttle_reason_"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name);
        match switch(word) {
            Value::Bool(true) => {
                let known = REASONS.iter().find(|(written, _)| *written == name);
                reasons.push(known.map_or_else(
                    || Value::Text(format!("unknown-{name}")),
                    |(_, name)| Value::text(*name),
                ));
            }
            // A reason that the card does not offer is not one of its reasons.
            Value::Bool(false) | Value::Absent(_) => {}
            none => return none,
        }
    }
    Value::List(reasons)
}

/// Tells whether the hardware slows the card down; a reason without a name may say so, too.
fn slowed(throttle: &Value) -> Value {
    let Value::List(reasons) = throttle else { return throttle.clone() };
    let any = |is: &dyn Fn(&str) -> bool| {
        reasons.iter().any(|reason| matches!(reason, Value::Text(name) if is(name)))
    };
    if any(&|name| HARDWARE.contains(&name)) {
        Value::Bool(true)
    } else if any(&|name| name.starts_with("unknown-")) {
        Value::Unreadable(format!("a reason without a name: {throttle}"))
    } else {
        Value::Bool(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_the_kernel_writes_them() {
        for (written, wanted) in [
            ("00000000:0A:00.0", "0000:0a:00.0"),
            ("0000:0A:00.0", "0000:0a:00.0"),
            ("00000018:01:00.0", "0018:01:00.0"),
            ("00010000:01:00.0", "00010000:01:00.0"),
        ] {
            assert_eq!(bus_id(written), Value::text(wanted), "{written}");
        }
        for bad in ["", "GPU-1", "é:01", "1"] {
            assert!(!bus_id(bad).is_present(), "{bad}");
        }
    }

    #[test]
    fn every_reason_of_hardware_is_one_that_can_be_named() {
        for name in HARDWARE {
            assert!(REASONS.iter().any(|(_, known)| *known == name), "{name}");
        }
    }
}
