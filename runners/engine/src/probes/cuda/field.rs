//! The fields of `cuda`, and from which part of the result each rate comes.

use verify_model::{
    field::{
        FieldKind::{self, Bool, Integer, List, Metric, Quantity, Text},
        FieldSpec,
    },
    metric::Direction::{HigherIsBetter, LowerIsBetter},
};

use crate::probe::{field, texts};

const BY: &str = "verify instrument cuda";

/// Says where the samples of a metric are: the part of the result, the key, the field, the unit.
pub(super) struct Row {
    pub(super) group: &'static str,
    pub(super) key: &'static str,
    pub(super) field: &'static str,
    pub(super) unit: &'static str,
    /// Whether more is better.
    pub(super) more: bool,
    /// Factor from the key's unit to the field's.
    pub(super) scale: f64,
}

const fn rate(group: &'static str, key: &'static str, field: &'static str) -> Row {
    Row { group, key, field, unit: "GB/s", more: true, scale: 1.0 }
}

/// Every metric.
pub(super) const ROWS: &[Row] = &[
    rate("memory", "copy-gb-per-s", "copy"),
    rate("memory", "read-gb-per-s", "read"),
    rate("memory", "triad-gb-per-s", "triad"),
    rate("host", "pinned-to-device-gb-per-s", "to-device"),
    rate("host", "pinned-from-device-gb-per-s", "from-device"),
    rate("host", "pinned-both-ways-gb-per-s", "both-ways"),
    rate("host", "pageable-to-device-gb-per-s", "pageable-to-device"),
    rate("host", "pageable-from-device-gb-per-s", "pageable-from-device"),
    rate("peers", "one-way-gb-per-s", "peer-one-way"),
    rate("peers", "both-ways-gb-per-s", "peer-both-ways"),
    Row {
        group: "peers",
        key: "latency-ns",
        field: "peer-latency",
        unit: "ns",
        more: false,
        scale: 1.0,
    },
    Row { group: "launch", key: "launch-us", field: "launch", unit: "us", more: false, scale: 1.0 },
    Row {
        group: "burn",
        key: "gflop-per-s",
        field: "arithmetic",
        unit: "Gop/s",
        more: true,
        scale: 1.0,
    },
];

/// What the driver says, during the load.
const NVML: &str = "NVML, during `burn`";

fn counts() -> FieldKind {
    List(Box::new(Integer))
}

fn more() -> FieldKind {
    Metric("GB/s", HigherIsBetter)
}

pub(super) const FIELDS: &[FieldSpec] = &[
    field("count", || Integer, "cuDeviceGetCount", "Cards that CUDA shows to a program."),
    field(
        "driver",
        || Text,
        "cuDriverGetVersion",
        "Newest version of CUDA that the driver can run.",
    ),
    field("visible", || Text, "CUDA_VISIBLE_DEVICES", "Which cards a program is shown."),
    field("cards.name", texts, "cuDeviceGetName", "Name of each card, in CUDA's order."),
    field("cards.uuid", texts, "cuDeviceGetUuid_v2", "Identity of each, as NVML has it."),
    field("cards.capability", texts, "cuDeviceGetAttribute", "Compute capability, such as 8.6."),
    field(
        "cards.memory",
        || List(Box::new(Quantity("B"))),
        "cuDeviceTotalMem_v2",
        "Memory of each card.",
    ),
    field("copy", more, BY, "Copy within the slowest card: bytes read and bytes written."),
    field("read", more, BY, "Read of the slowest card's memory."),
    field("triad", more, BY, "a = b + 3 c on the slowest card, 12 B an element."),
    field("to-device", more, BY, "Copy from pinned memory of the host, slowest card."),
    field("from-device", more, BY, "Copy to pinned memory of the host, slowest card."),
    field("both-ways", more, BY, "Both at once, the sum of both, slowest card."),
    field("pageable-to-device", more, BY, "Copy from ordinary memory of the host, slowest card."),
    field("pageable-from-device", more, BY, "Copy to ordinary memory of the host, slowest card."),
    field("peer-one-way", more, BY, "Copy from one card to another, slowest pair."),
    field("peer-both-ways", more, BY, "Both ways at once, the sum of both, slowest pair."),
    field(
        "peer-latency",
        || Metric("ns", LowerIsBetter),
        BY,
        "One access to another card's memory, slowest pair; absent without access.",
    ),
    field(
        "launch",
        || Metric("us", LowerIsBetter),
        BY,
        "Start of an empty kernel until the host knows its end, slowest card.",
    ),
    field(
        "arithmetic",
        || Metric("Gop/s", HigherIsBetter),
        BY,
        "Single-precision operations of the compared load, slowest card.",
    ),
    field("pairs.cards", texts, BY, "Each ordered pair, such as `0 to 1`."),
    field(
        "pairs.access",
        || List(Box::new(Bool)),
        "cuDeviceCanAccessPeer",
        "Whether the first may read the memory of the second; else copies go through the host.",
    ),
    field("wrong", texts, BY, "Data that came out wrong: where, what was expected and found."),
    field("unmeasured", texts, BY, "What could not be measured, and why."),
    field(
        "loaded.uuid",
        texts,
        NVML,
        "Identity of each card that NVML was asked for during `burn`.",
    ),
    field("loaded.pcie.generation", counts, NVML, "Generation of its link while it computes."),
    field("loaded.pcie.generation-max", counts, NVML, "Greatest generation of card and slot."),
    field("loaded.pcie.width", counts, NVML, "Lanes of its link while it computes."),
    field(
        "loaded.pcie.width-max",
        counts,
        "/sys/bus/pci/devices",
        "Lanes that card and slot both have.",
    ),
    field("loaded.power.draw", || List(Box::new(Quantity("W"))), NVML, "Power while it computes."),
    field("loaded.clock.sm", || List(Box::new(Quantity("Hz"))), NVML, "Clock while it computes."),
    field("loaded.temperature.now", || List(Box::new(Quantity("°C"))), NVML, "Temperature then."),
    field(
        "loaded.temperature.below-slowdown",
        || List(Box::new(Bool)),
        NVML,
        "Whether that is below its slowdown threshold.",
    ),
    field(
        "loaded.slowed",
        || List(Box::new(Bool)),
        NVML,
        "Whether the hardware slows it down; not readable where a reason has no name.",
    ),
    field("loaded.throttle", || List(Box::new(texts())), NVML, "Reasons for its clocks then."),
];
