//! The fields of the probe: what each is, and where it stands. Named as those of the probe `nvml`.

use verify_model::field::{
    FieldKind::{Bool, Integer, Quantity as Amount, Text},
    FieldSpec,
};

use crate::probe::{each, field, texts};

const BY: &str = "nvidia-smi -q -x";
const LINKS: &str = "nvidia-smi nvlink -s";

pub(super) static FIELDS: &[FieldSpec] = &[
    field(
        "state",
        || Text,
        BY,
        "`ok`, or why the tool has no whole answer: `driver-not-loaded`, `no-library`, `version-mismatch`, `gpu-lost`, `no-devices`, `no-permission`, `no-power`, `inforom-corrupted`, `interrupt-fault`, `function-missing`, `bad-argument`, `unavailable`, `driver-error`.",
    ),
    field("trouble", || Text, BY, "What it said, what that means and what to do; `none` if `ok`."),
    field("driver.version", || Text, BY, "Version of the driver."),
    field("cuda.version", || Text, BY, "CUDA version that the driver can do; not the toolkit's."),
    field("count", || Integer, BY, "Cards that the driver counts, lost ones included."),
    field("opened", || Integer, BY, "Cards that answer."),
    field("lost", texts, BY, "Cards that do not answer, as the tool reports them."),
    field("gpus.index", || each(Integer), BY, "Number of the card, in the order of the bus."),
    field("gpus.uuid", texts, BY, "Identity, by which cards are joined."),
    field("gpus.name", texts, BY, "Model."),
    field("gpus.serial", texts, BY, "Serial number; GeForce cards offer none."),
    field("gpus.vbios", texts, BY, "Version of the card's firmware."),
    field("gpus.bus-id", texts, BY, "Address on the bus, as the kernel writes it."),
    field("gpus.memory", || each(Amount("MiB")), BY, "Memory in all."),
    field("gpus.memory-free", || each(Amount("MiB")), BY, "Memory that is free."),
    field(
        "gpus.bar1",
        || each(Amount("MiB")),
        BY,
        "Window through which the host sees the memory.",
    ),
    field("gpus.pcie.generation", || each(Integer), BY, "Generation now; 1 is normal while idle."),
    field("gpus.pcie.generation-max", || each(Integer), BY, "Greatest of card and slot together."),
    field("gpus.pcie.width", || each(Integer), BY, "Lanes now."),
    field(
        "gpus.pcie.width-max",
        || each(Integer),
        BY,
        "Greatest number of lanes; says 16 in slots with eight, which `nvml` reads from /sys.",
    ),
    field("gpus.pcie.replays", || each(Integer), BY, "Packets sent again."),
    field("gpus.power.draw", || each(Amount("W")), BY, "Mean draw; the newest name that has one."),
    field("gpus.power.limit", || each(Amount("W")), BY, "Limit in force."),
    field("gpus.power.limit-default", || each(Amount("W")), BY, "Limit of the maker."),
    field("gpus.temperature.now", || each(Amount("°C")), BY, "Temperature of the chip."),
    field("gpus.temperature.slowdown", || each(Amount("°C")), BY, "From here on it slows down."),
    field("gpus.temperature.below-slowdown", || each(Bool), BY, "Whether it is cooler than that."),
    field("gpus.temperature.memory", || each(Amount("°C")), BY, "Not offered by GeForce cards."),
    field("gpus.throttle", || each(texts()), BY, "Reasons for its clocks that are active."),
    field("gpus.slowed", || each(Bool), BY, "Whether the hardware slows it down."),
    field("gpus.performance-state", || each(Integer), BY, "0 is fastest, 8 idle."),
    field("gpus.clock.sm", || each(Amount("MHz")), BY, "Clock of the processors now."),
    field("gpus.clock.memory", || each(Amount("MHz")), BY, "Clock of the memory now."),
    field("gpus.ecc.mode", || each(Bool), BY, "Whether errors of the memory are corrected."),
    field("gpus.ecc.corrected", || each(Integer), BY, "Corrected errors since the driver loaded."),
    field("gpus.ecc.uncorrected", || each(Integer), BY, "Errors that were not corrected."),
    field(
        "gpus.memory-health",
        texts,
        BY,
        "`ok`, `remap-pending`, `remap-failed`, `uncorrected-errors`, or `not-offered`.",
    ),
    field("gpus.remapped", || each(Integer), BY, "Rows that were remapped."),
    field("gpus.persistence", || each(Bool), BY, "Whether the driver stays loaded without users."),
    field("gpus.compute-mode", texts, BY, "`default`, `prohibited`, `exclusive-process`."),
    field("gpus.mig", || each(Bool), BY, "Whether the card is divided; absent where it cannot be."),
    field("gpus.display", || each(Bool), BY, "Whether a display is driven."),
    field("gpus.links-active", || each(Integer), LINKS, "NVLink links that are active."),
    field(
        "gpus.links-inactive",
        || each(texts()),
        LINKS,
        "Those that are not: `link 2`, or `all`.",
    ),
    field("gpus.link-speed", || each(Amount("GB/s")), LINKS, "Slowest active link, one direction."),
    field("pairs.cards", texts, BY, "Numbers of two cards: `0-1` is from 0 to 1."),
    field(
        "pairs.link",
        texts,
        "nvidia-smi topo -m",
        "What lies between them: `NV4` is four NVLink links; `PIX`, `PXB`, `PHB`, `NODE`, `SYS` is PCI Express, ever farther.",
    ),
    field("pairs.read", texts, "nvidia-smi topo -p2p r", "Peer reads: `ok` or why not."),
    field("pairs.write", texts, "nvidia-smi topo -p2p w", "Peer writes: `ok` or why not."),
];
