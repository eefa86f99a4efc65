//! The memory modules that the firmware describes (SMBIOS type 17), from two programs.
//!
//! `dmidecode` reads the tables themselves, which only root may; `udev` has decoded them at boot
//! into a file that everybody may read. Both say the same. An empty slot is a slot without a size.
//!
//! *Source*: SMBIOS 3.6, 7.18; systemd's `dmi_memory_id` (since 248).

use std::collections::BTreeMap;

/// Holds one slot; what the firmware does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Device {
    /// Name of the slot on the board.
    pub(crate) locator: Option<String>,
    /// Size; `None` where the slot is empty. *Units*: B.
    pub(crate) bytes: Option<f64>,
    /// Kind, such as `DDR4`.
    pub(crate) kind: Option<String>,
    /// What the module can do. *Units*: MT/s.
    pub(crate) rated: Option<f64>,
    /// What it runs at. *Units*: MT/s.
    pub(crate) configured: Option<f64>,
    /// Maker and part.
    pub(crate) part: Option<String>,
}

/// Reads the output of `dmidecode -t memory`.
///
/// *Errors*: there is no such table, or a size is not one.
pub(crate) fn dmidecode(text: &str) -> Result<Vec<Device>, String> {
    let mut devices = Vec::new();
    for block in text.split("\n\n") {
        let mut lines = block.lines().map(str::trim);
        if !lines.any(|line| line == "Memory Device") {
            continue;
        }
        let facts: BTreeMap<&str, &str> = lines.filter_map(|line| line.split_once(": ")).collect();
        let known = |key: &str| said(facts.get(key).copied());
        let bytes = match known("Size") {
            None | Some("No Module Installed") => None,
            Some(size) => Some(size_of(size)?),
        };
        devices.push(Device {
            locator: known("Locator").map(str::to_owned),
            bytes,
            kind: known("Type").map(str::to_owned),
            rated: known("Speed").map(speed).transpose()?,
            configured: known("Configured Memory Speed")
                .or_else(|| known("Configured Clock Speed"))
                .map(speed)
                .transpose()?,
            part: part(known("Manufacturer"), known("Part Number")),
        });
    }
    if devices.is_empty() {
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        return Err(format!("no memory is described: {}", last.unwrap_or("nothing was said")));
    }
    Ok(devices)
}

/// Reads udev's file about the firmware.
///
/// *Errors*: it says nothing of memory, or a number is none.
pub(crate) fn udev(text: &str) -> Result<Vec<Device>, String> {
    let mut slots: BTreeMap<u32, BTreeMap<&str, &str>> = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("E:MEMORY_DEVICE_")) {
        let found = line.split_once('=').and_then(|(key, value)| {
            let (number, name) = key.split_once('_')?;
            Some((number.parse().ok()?, name, value))
        });
        if let Some((number, name, value)) = found {
            slots.entry(number).or_default().insert(name, value);
        }
    }
    if slots.is_empty() {
        return Err("udev says nothing of memory (it does since systemd 248)".to_owned());
    }
    let number = |text: &str| {
        let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
        number.ok_or_else(|| format!("expected a number, found `{text}`"))
    };
    let device = |facts: &BTreeMap<&str, &str>| {
        let known = |key: &str| said(facts.get(key).copied());
        let there = known("PRESENT") != Some("0");
        Ok(Device {
            locator: known("LOCATOR").map(str::to_owned),
            bytes: known("SIZE").filter(|_| there).map(number).transpose()?,
            kind: known("TYPE").map(str::to_owned),
            rated: known("SPEED_MTS").map(number).transpose()?,
            configured: known("CONFIGURED_SPEED_MTS").map(number).transpose()?,
            part: part(known("MANUFACTURER"), known("PART_NUMBER")),
        })
    };
    slots.values().map(device).collect()
}

/// Returns what is said; firmware has many words for nothing.
fn said(text: Option<&str>) -> Option<&str> {
    const NOTHING: [&str; 7] =
        ["", "Unknown", "Not Specified", "Not Provided", "NO DIMM", "None", "<OUT OF SPEC>"];
    text.map(str::trim).filter(|text| !NOTHING.contains(text))
}

fn part(maker: Option<&str>, part: Option<&str>) -> Option<String> {
    let words: Vec<&str> = maker.into_iter().chain(part).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Reads a size such as `16 GB`, by which dmidecode means GiB. *Units*: B.
fn size_of(text: &str) -> Result<f64, String> {
    let wrong = || format!("expected the size of a module, found `{text}`");
    let (number, unit) = text.split_once(' ').ok_or_else(wrong)?;
    let scale = match unit {
        "kB" => 1024.0,
        "MB" => 1024.0 * 1024.0,
        "GB" => 1024.0 * 1024.0 * 1024.0,
        "TB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Some(number * scale).filter(|bytes| *bytes > 0.0 && bytes.is_finite()).ok_or_else(wrong)
}

/// Reads a speed such as `3200 MT/s`; old versions say `MHz` and mean the same.
fn speed(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix(" MT/s").or_else(|| text.strip_suffix(" MHz"));
    let number = number.and_then(|number| number.parse::<f64>().ok());
    let number = number.filter(|number| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| format!("expected a speed in MT/s, found `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_of_powers_of_two_and_above_zero() {
        let sizes = ["2048 kB", "512 MB", "16 GB", "2 TB"].map(|text| size_of(text).unwrap());
        let powers = [21_i32, 29, 34, 41].map(|power| 2_f64.powi(power));
        assert!(sizes.iter().zip(powers).all(|(size, power)| (size - power).abs() < 0.5));
        for wrong in ["0 MB", "-1 GB", "inf GB", "NaN GB", "16", "16 PB", "16 gb", "x GB", ""] {
            assert_eq!(
                size_of(wrong).unwrap_err(),
                format!("expected the size of a module, found `{wrong}`")
            );
        }
    }

    #[test]
    fn a_speed_is_counted_in_transfers_and_above_zero() {
        let speeds = ["3200 MT/s", "1600 MHz"].map(|text| speed(text).unwrap());
        assert!((speeds[0] - 3200.0).abs() < 0.5 && (speeds[1] - 1600.0).abs() < 0.5);
        for wrong in ["0 MT/s", "-1 MT/s", "inf MHz", "3200", "fast MT/s", ""] {
            speed(wrong).unwrap_err();
        }
    }
}
