//! What sysfs says of one interface, as a table of facts: its driver, its speed, its slot.
//!
//! A driver that does not know says so in many ways; none of them is a number.

use verify_model::{quantity::Quantity, value::Value};

use crate::gathered::Gathered;

pub(super) const NET: &str = "/sys/class/net";
pub(super) const INDICES: &str = "/sys/class/net/*/ifindex";
pub(super) const SPEEDS: &str = "/sys/class/net/*/speed";
pub(super) const DUPLEXES: &str = "/sys/class/net/*/duplex";
pub(super) const DEVICES: &str = "/sys/class/net/*/device/uevent";
pub(super) const PCIE: &str = "/sys/class/net/*/device/*_link_*";
/// Reads one value.
type Parse = fn(&str) -> Result<Value, String>;

const PCIE_FILES: [(&str, &str, Parse); 4] = [
    ("speed", "current_link_speed", pcie_speed),
    ("width", "current_link_width", pcie_width),
    ("max-speed", "max_link_speed", pcie_speed),
    ("max-width", "max_link_width", pcie_width),
];

pub(super) type FromSysfs = fn(Gathered<'_>, &str) -> Value;

pub(super) const SYSFS_FACTS: [(&str, FromSysfs); 5] = [
    ("speed", |sysfs, name| file(sysfs, SPEEDS, name, speed)),
    ("duplex", |sysfs, name| file(sysfs, DUPLEXES, name, duplex)),
    ("driver", |sysfs, name| file(sysfs, DEVICES, name, driver)),
    ("kind", |sysfs, name| match file(sysfs, DEVICES, name, |_| Ok(Value::text("physical"))) {
        Value::Absent(_) => Value::text("virtual"),
        kind => kind,
    }),
    ("pcie", pcie),
];

/// Says why sysfs cannot be believed about an interface, if it cannot.
pub(super) fn is_of_another_namespace(
    gathered: Gathered<'_>,
    name: &str,
    index: Option<i64>,
) -> Option<String> {
    let shown = file(gathered, INDICES, name, |text| {
        text.parse().map(Value::Integer).map_err(|_| format!("not a number: `{text}`"))
    });
    match (index, shown) {
        // Without `ip` there is nothing to compare with.
        (None, _) => None,
        (Some(index), Value::Integer(shown)) if index == shown => None,
        (Some(_), Value::Unreadable(why)) => Some(why),
        (Some(_), _) => Some(format!("{NET} shows another network namespace, without this {name}")),
    }
}

/// Reads one file of sysfs about an interface; what a driver refuses to say is absent.
fn file(
    gathered: Gathered<'_>,
    pattern: &str,
    name: &str,
    parse: fn(&str) -> Result<Value, String>,
) -> Value {
    let files = match gathered.files(pattern) {
        Ok(files) => files,
        Err(why) => return why,
    };
    let path = pattern.replace('*', name);
    match files.into_iter().find(|(found, _)| *found == path) {
        Some((_, Ok(text))) => parse(text).unwrap_or_else(Value::Unreadable),
        // EINVAL: the interface is down, or it is of a kind that has no such thing.
        Some((_, Err(why))) if why.contains("Invalid argument") => Value::Absent(why),
        Some((_, Err(why))) => Value::Unreadable(why),
        None => Value::Absent(format!("there is no {path}")),
    }
}

/// Reads a speed in Mbit/s. *Source*: `SPEED_UNKNOWN` in the kernel's `ethtool.h`, -1.
fn speed(text: &str) -> Result<Value, String> {
    match text.parse::<i64>() {
        Ok(-1 | 0 | 0xffff_ffff) => {
            Ok(Value::Absent(format!("the driver does not know: it says {text}")))
        }
        Ok(number @ 1..=100_000_000) => {
            #[expect(clippy::cast_precision_loss, reason = "within 1..=1e8")]
            let speed = Quantity::of(number as f64, "Mbit/s");
            speed.map(Value::Quantity).map_err(|error| error.to_string())
        }
        _ => Err(format!("expected a speed in Mbit/s, found `{text}`")),
    }
}

fn duplex(text: &str) -> Result<Value, String> {
    match text {
        "full" | "half" => Ok(Value::text(text)),
        "unknown" => Ok(Value::Absent("the driver does not know".to_owned())),
        _ => Err(format!("expected full or half, found `{text}`")),
    }
}

fn driver(text: &str) -> Result<Value, String> {
    match text.lines().find_map(|line| line.strip_prefix("DRIVER=")) {
        Some("") => Err("the driver has no name".to_owned()),
        Some(driver) => Ok(Value::text(driver)),
        None => Ok(Value::Absent("its device has no driver".to_owned())),
    }
}

/// Reads what the slot gives its device, and what the device could take.
fn pcie(gathered: Gathered<'_>, name: &str) -> Value {
    let value = |file_name: &str, parse: Parse| {
        let files = match gathered.files(PCIE) {
            Ok(files) => files,
            Err(Value::Absent(_)) => return Value::Absent(format!("{name} is no PCIe device")),
            Err(why) => return why,
        };
        let path = format!("{NET}/{name}/device/{file_name}");
        match files.into_iter().find(|(found, _)| *found == path) {
            Some((_, Ok(text))) => parse(text).unwrap_or_else(Value::Unreadable),
            Some((_, Err(why))) => Value::Unreadable(why),
            None => Value::Absent(format!("{name} is no PCIe device: there is no {path}")),
        }
    };
    let facts = PCIE_FILES.map(|(fact, file_name, parse)| (fact, value(file_name, parse)));
    Value::record(facts)
}

/// Reads `8.0 GT/s PCIe`. *Source*: the kernel's `pci_speed_string`; `Unknown` where it is not known.
fn pcie_speed(text: &str) -> Result<Value, String> {
    if text.starts_with("Unknown") {
        return Ok(Value::Absent("the kernel does not know".to_owned()));
    }
    let speed = text.split_once(" GT/s").and_then(|(number, _)| number.parse::<f64>().ok());
    let speed = speed.filter(|speed| *speed > 0.0).map(|speed| Quantity::of(speed, "GT/s"));
    match speed {
        Some(Ok(speed)) => Ok(Value::Quantity(speed)),
        _ => Err(format!("expected a speed in GT/s, found `{text}`")),
    }
}

fn pcie_width(text: &str) -> Result<Value, String> {
    match text.parse::<i64>() {
        Ok(0 | 255) => Ok(Value::Absent("the kernel does not know".to_owned())),
        Ok(lanes @ 1..=32) => Ok(Value::Integer(lanes)),
        _ => Err(format!("expected a number of lanes, found `{text}`")),
    }
}
