//! Network cards: those that have a device, with their driver, speed and firmware.
//!
//! Firmware is asked of `ethtool` for interfaces at the end of a cable that a node file declares; of
//! another one nobody knows it. A cable that is out leaves the speed unknown. No MAC address is kept.

use verify_model::{ask::Ask, evidence::Evidence, node::Facts, value::Value};

use super::{Wanted, page::Page};
use crate::{gathered::Gathered, probe::text_of};

const NET: &str = "/sys/class/net/";
const DEVICES: &str = "/sys/class/net/*/device/uevent";
const SPEEDS: &str = "/sys/class/net/*/speed";

fn ethtool(interface: &str) -> [&str; 3] {
    ["ethtool", "-i", interface]
}

/// Returns what to gather.
pub(super) fn asks(wanted: &Wanted) -> Vec<Ask> {
    if !wanted.has("nic") {
        return Vec::new();
    }
    let programs = wanted.interfaces.iter().map(|interface| Ask::exec(ethtool(interface)));
    [DEVICES, SPEEDS].map(Ask::files).into_iter().chain(programs).collect()
}

/// Reads it.
pub(super) fn read(page: &mut Page, wanted: &Wanted, facts: &Facts, evidence: &[&Evidence]) {
    if !wanted.has("nic") {
        return;
    }
    let gathered = Gathered(evidence);
    let devices = match gathered.files(DEVICES) {
        Ok(devices) => devices,
        // Another system has no such folder, and network cards all the same.
        Err(Value::Absent(_)) if facts.capabilities.contains("linux") => Vec::new(),
        Err(_) => return page.put("nic.count", None),
    };
    page.put("nic.count", Some(devices.len().to_string()));
    let speeds = gathered.files(SPEEDS).unwrap_or_default();
    for (path, device) in devices {
        let Some(name) = path.strip_prefix(NET).and_then(|rest| rest.split('/').next()) else {
            continue;
        };
        let driver = device.ok().and_then(|text| field(text, "DRIVER="));
        page.put(&format!("nic.{name}.driver"), driver);
        let own = SPEEDS.replace('*', name);
        let speed = speeds.iter().find(|(path, _)| *path == own);
        let speed = speed.and_then(|(_, text)| text.as_ref().ok()?.parse::<u32>().ok());
        // The kernel says -1, or all ones, where it does not know.
        let speed = speed.filter(|speed| (1..=100_000_000).contains(speed));
        page.put(&format!("nic.{name}.speed"), speed.map(|speed| format!("{speed} Mbit/s")));
        let said = gathered.program(&ethtool(name)).ok().and_then(|piece| text_of(piece).ok());
        let firmware = said.and_then(|text| field(text, "firmware-version:"));
        page.put(&format!("nic.{name}.firmware"), firmware);
    }
}

fn field(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned())
}
