//! What must hold of single words: cpu lists, quantities and versions.
//!
//! What is read can be shown, and what is shown can be read and means the same.

use std::cmp::Ordering;

use verify_engine::parse::{cpu_list as kernel, isolation_list};
use verify_model::{
    cpu_set::{CpuSet, MAX_CPU},
    metric::{Direction, Metric},
    quantity::{Quantity, display_number},
    unit::Unit,
    version::{Version, VersionReq},
};

fn owned(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) fn cpu_lists() -> Vec<Vec<u8>> {
    owned(&["0-3,6", "0-31:1/2", "N", "all", "nohz,domain,1-7", "ff,00000003", "(null)\n", ""])
}

/// A list that is read is bounded, and its spelling means the same set.
pub(crate) fn cpu_list(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for last in [None, Some(0), Some(63), Some(MAX_CPU)] {
        let Ok(set) = CpuSet::parse_with_last(text, last) else { continue };
        demand_round_trip(&set);
        let known = last.is_some() || !(text.contains('N') || text.contains("all"));
        assert!(known, "`{text}` needs to know the last cpu");
    }
    let _ = (kernel::list(text), kernel::inhabited(text));
    if let Ok(verify_model::value::Value::Cpus(set)) = kernel::mask(text) {
        demand_round_trip(&set);
    }
    let list = isolation_list::IsolationList::parse(text, Some(63));
    if let Ok(set) = &list.cpus {
        demand_round_trip(set);
    }
}

fn demand_round_trip(set: &CpuSet) {
    assert!(set.iter().all(|cpu| cpu <= MAX_CPU), "{set}");
    if !set.is_empty() {
        assert_eq!(CpuSet::parse(&set.to_string()).as_ref(), Ok(set));
    }
    let json = serde_json::to_string(set).expect("a set has a JSON form");
    assert_eq!(serde_json::from_str::<CpuSet>(&json).ok().as_ref(), Some(set));
}

pub(crate) fn quantities() -> Vec<Vec<u8>> {
    owned(&[
        "9.4 Gbit/s",
        "1e3 us",
        "-40 °C",
        "97 %",
        "1_000 B",
        "+.5e-3 s",
        "2x",
        "1.5 GiB/s",
        "7",
    ])
}

/// A quantity is finite in every unit; what is shown is read as nearly the same.
pub(crate) fn quantity(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(quantity) = text.parse::<Quantity>() else { return };
    assert!(quantity.value().is_finite() && quantity.base().is_finite(), "{text}");
    assert_eq!(quantity.compare(quantity), Some(Ordering::Equal), "{text}");
    let json = serde_json::to_string(&quantity).expect("a quantity has a JSON form");
    let read: Quantity = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{json}: {e}"));
    assert_eq!(read.value().to_bits(), quantity.value().to_bits(), "{json}");
    for shown in [quantity, quantity.humanized()] {
        assert_eq!(shown.dimension(), quantity.dimension());
        let again: Quantity =
            shown.to_string().parse().unwrap_or_else(|e| panic!("{text} is shown {shown}: {e}"));
        let (a, b) = (again.base(), quantity.base());
        // Four digits are shown, of a temperature beside its zero more.
        let scale =
            a.abs().max(b.abs()).max(if quantity.unit().symbol() == "°C" { 300.0 } else { 0.0 });
        assert!((a - b).abs() <= 1e-3 * scale, "{text} is shown {shown}");
    }
    assert!(!display_number(quantity.value()).is_empty());
    let metric = Metric::new(quantity.unit(), Direction::Neutral, vec![quantity.value(); 2]);
    let median = metric.ok().and_then(|metric| metric.summary("median"));
    assert_eq!(median, Some(quantity), "{text}");
    assert_eq!(Unit::parse(quantity.unit().symbol()), Some(quantity.unit()));
}

pub(crate) fn versions() -> Vec<Vec<u8>> {
    owned(&["550.54.14\n>= 535", "6.1.0-37-amd64\n6.1", "v12\n>= 12.4, < 13", "1.0\n1", "3.\n= 3"])
}

/// Equal versions are the same in every order and under every requirement.
pub(crate) fn version(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (one, other) = text.split_once('\n').unwrap_or((text, text));
    let requirement = other.parse::<VersionReq>();
    let (Some(one), Some(other)) = (Version::parse(one), Version::parse(other)) else { return };
    assert_eq!(one.cmp(&other), other.cmp(&one).reverse());
    assert_eq!(one == other, one.cmp(&other).is_eq(), "{one} and {other}");
    assert_eq!(Version::parse(&one.to_string()).as_ref(), Some(&one));
    if let Ok(requirement) = requirement
        && one == other
    {
        assert_eq!(requirement.accepts(&one), requirement.accepts(&other), "{one} and {other}");
    }
}
