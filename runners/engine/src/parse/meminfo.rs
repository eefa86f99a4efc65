//! What `/proc/meminfo` and the `meminfo` of a NUMA node say.
//!
//! Both write `kB` and mean 1024 B. The lines of a node begin with `Node 0 `. `HugePages_*` are
//! counts of the default size only and are not read here.

use verify_model::{quantity::Quantity, value::Value};

/// Names the file for the whole machine.
pub const PATH: &str = "/proc/meminfo";

/// Returns an amount in KiB; `None` where the file has no such line.
///
/// *Errors*: the line is not an amount.
pub fn kib(text: &str, key: &str) -> Result<Option<u64>, String> {
    let amounts = text.lines().filter_map(|line| line.split_once(':'));
    let mut named = amounts.filter(|(name, _)| name.split(' ').next_back() == Some(key));
    let Some((_, amount)) = named.next() else {
        return Ok(None);
    };
    let number = amount.trim().strip_suffix(" kB").and_then(|number| number.parse().ok());
    number.map(Some).ok_or_else(|| format!("expected `{key}` in kB, found `{}`", amount.trim()))
}

/// Returns an amount as a value; a missing line is `Absent`.
///
/// *Errors*: the line is not an amount.
pub fn value(text: &str, key: &str) -> Result<Value, String> {
    match kib(text, key)? {
        Some(kib) => quantity(kib),
        None => Ok(Value::Absent(format!("no line `{key}`"))),
    }
}

/// Builds an amount of memory. *Units*: KiB.
///
/// *Errors*: never for an amount that a machine can have.
#[expect(clippy::cast_precision_loss, reason = "no machine has 2^53 KiB")]
pub fn quantity(kib: u64) -> Result<Value, String> {
    Quantity::of(kib as f64, "KiB").map(Value::Quantity).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_and_node_are_read_alike() {
        assert_eq!(kib("MemTotal:       24684092 kB\n", "MemTotal"), Ok(Some(24_684_092)));
        assert_eq!(kib("Node 0 MemTotal:   5335252 kB\n", "MemTotal"), Ok(Some(5_335_252)));
        assert_eq!(kib("MemFree: 1 kB\n", "MemTotal"), Ok(None));
        for bad in ["MemTotal: 12", "MemTotal: -1 kB", "MemTotal: 1 MB", "MemTotal:"] {
            assert!(kib(bad, "MemTotal").is_err(), "{bad}");
        }
    }
}
