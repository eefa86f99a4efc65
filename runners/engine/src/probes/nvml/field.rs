//! The fields of the probe: what each is, and which call or file it comes from.

use verify_model::field::{
    FieldKind::{self, Bool, Integer, List, Quantity as Amount, Text},
    FieldSpec,
};

use crate::probe::field;

const BY: &str = "verify instrument nvml";
const PEER: &str = "nvmlDeviceGetP2PStatus";

fn texts() -> FieldKind {
    each(Text)
}

/// What each card or pair has: a list of one value for each.
fn each(kind: FieldKind) -> FieldKind {
    List(Box::new(kind))
}

pub(super) static FIELDS: &[FieldSpec] = &[
    field(
        "state",
        || Text,
        BY,
        "`ok`, or why the cards could not be asked: `no-library`, `not-a-library`, `library-refused`, `symbol-missing`, `driver-not-loaded`, `version-mismatch`, `gpu-lost`, `no-permission`, `hung-call`, `crashed`, `driver-error`, `not-asked`.",
    ),
    field("trouble", || Text, BY, "What happened; `none` where the state is `ok`."),
    field(
        "driver.version",
        || Text,
        "nvmlSystemGetDriverVersion",
        "Version of the driver, as it says itself.",
    ),
    field(
        "driver.branch",
        || Text,
        "nvmlSystemGetDriverBranch",
        "Branch of the driver; absent before series 560.",
    ),
    field(
        "module.version",
        || Text,
        "/proc/driver/nvidia/version",
        "Version of the loaded kernel module.",
    ),
    field(
        "library.version",
        || Text,
        "nvmlSystemGetNVMLVersion",
        "Version of the library, without the CUDA series before it.",
    ),
    field(
        "library.cuda-major",
        || Integer,
        "nvmlSystemGetNVMLVersion",
        "CUDA series of the library.",
    ),
    field(
        "cuda.version",
        || Text,
        "nvmlSystemGetCudaDriverVersion_v2",
        "CUDA version that the driver can do, such as `12.8`; not the toolkit's.",
    ),
    field("cuda.major", || Integer, "nvmlSystemGetCudaDriverVersion_v2", "Series of that version."),
    field(
        "count",
        || Integer,
        "nvmlDeviceGetCount_v2",
        "Cards that the driver counts, lost ones included.",
    ),
    field("opened", || Integer, "nvmlDeviceGetHandleByIndex_v2", "Cards that can be opened."),
    field(
        "lost",
        texts,
        "nvmlDeviceGetHandleByIndex_v2",
        "Cards that cannot be opened, with the error.",
    ),
    field(
        "busy",
        texts,
        "nvmlDeviceGetComputeRunningProcesses_v3",
        "Processes that compute on any card: `card 1: python3 (4242)`.",
    ),
    field(
        "gpus.index",
        || each(Integer),
        BY,
        "Number of the card, in the order of the bus; CUDA's may differ.",
    ),
    field("gpus.uuid", || each(Text), "nvmlDeviceGetUUID", "Identity, by which cards are joined."),
    field("gpus.name", || each(Text), "nvmlDeviceGetName", "Model."),
    field(
        "gpus.serial",
        || each(Text),
        "nvmlDeviceGetSerial",
        "Serial number; GeForce cards offer none.",
    ),
    field(
        "gpus.vbios",
        || each(Text),
        "nvmlDeviceGetVbiosVersion",
        "Version of the card's firmware.",
    ),
    field("gpus.board", || each(Text), "nvmlDeviceGetBoardPartNumber", "Part number of the board."),
    field("gpus.bus-id", || each(Text), "nvmlDeviceGetPciInfo_v3", "Address on the bus."),
    field("gpus.memory", || each(Amount("B")), "nvmlDeviceGetMemoryInfo_v2", "Memory in all."),
    field(
        "gpus.memory-free",
        || each(Amount("B")),
        "nvmlDeviceGetMemoryInfo_v2",
        "Memory that is free.",
    ),
    field(
        "gpus.bar1",
        || each(Amount("B")),
        "nvmlDeviceGetBAR1MemoryInfo",
        "Window through which the host sees the memory: 256 MiB without resizable BAR.",
    ),
    field(
        "gpus.pcie.generation",
        || each(Integer),
        "nvmlDeviceGetCurrPcieLinkGeneration",
        "Generation now; 1 is normal while idle.",
    ),
    field(
        "gpus.pcie.generation-max",
        || each(Integer),
        "nvmlDeviceGetMaxPcieLinkGeneration",
        "Greatest generation of card and slot together.",
    ),
    field("gpus.pcie.width", || each(Integer), "nvmlDeviceGetCurrPcieLinkWidth", "Lanes now."),
    field("gpus.pcie.width-card", || each(Integer), "/sys/bus/pci/devices", "Lanes of the card."),
    field(
        "gpus.pcie.width-slot",
        || each(Integer),
        "/sys/bus/pci/devices",
        "Lanes of the bridge above the card.",
    ),
    field(
        "gpus.pcie.width-max",
        || each(Integer),
        "/sys/bus/pci/devices",
        "Lanes that card and slot both have.",
    ),
    field(
        "gpus.pcie.replays",
        || each(Integer),
        "nvmlDeviceGetPcieReplayCounter",
        "Packets sent again since the driver was loaded.",
    ),
    field(
        "gpus.pcie.replay-rise",
        || each(Integer),
        "nvmlDeviceGetPcieReplayCounter",
        "Packets sent again within the window.",
    ),
    field(
        "gpus.power.draw",
        || each(Amount("W")),
        "nvmlDeviceGetPowerUsage",
        "Mean of the last second.",
    ),
    field(
        "gpus.power.limit",
        || each(Amount("W")),
        "nvmlDeviceGetEnforcedPowerLimit",
        "Limit in force.",
    ),
    field(
        "gpus.power.limit-default",
        || each(Amount("W")),
        "nvmlDeviceGetPowerManagementDefaultLimit",
        "Limit of the maker.",
    ),
    field(
        "gpus.temperature.now",
        || each(Amount("°C")),
        "nvmlDeviceGetTemperature",
        "Temperature of the chip.",
    ),
    field(
        "gpus.temperature.slowdown",
        || each(Amount("°C")),
        "nvmlDeviceGetTemperatureThreshold",
        "From here on the hardware slows down.",
    ),
    field("gpus.temperature.below-slowdown", || each(Bool), BY, "Whether it is cooler than that."),
    field(
        "gpus.temperature.memory",
        || each(Amount("°C")),
        "nvmlDeviceGetFieldValues 82",
        "Temperature of the memory; not measurable on GeForce cards.",
    ),
    field(
        "gpus.throttle",
        || each(texts()),
        "nvmlDeviceGetCurrentClocksEventReasons",
        "Reasons for its clocks; a bit without a name is `unknown-0x...`.",
    ),
    field(
        "gpus.throttle-mask",
        || each(Text),
        "nvmlDeviceGetCurrentClocksEventReasons",
        "The same as the driver gives it.",
    ),
    field(
        "gpus.slowed",
        || each(Bool),
        "nvmlDeviceGetCurrentClocksEventReasons",
        "Whether the hardware slows it down; not readable where a reason has no name.",
    ),
    field(
        "gpus.performance-state",
        || each(Integer),
        "nvmlDeviceGetPerformanceState",
        "0 is fastest, 8 idle.",
    ),
    field(
        "gpus.clock.sm",
        || each(Amount("MHz")),
        "nvmlDeviceGetClockInfo",
        "Clock of the processors now.",
    ),
    field(
        "gpus.clock.memory",
        || each(Amount("MHz")),
        "nvmlDeviceGetClockInfo",
        "Clock of the memory now.",
    ),
    field(
        "gpus.memory-health",
        || each(Text),
        "nvmlDeviceGetRemappedRows, nvmlDeviceGetTotalEccErrors",
        "`ok`, `remap-pending`, `remap-failed`, `uncorrected-errors`, or `not-offered`.",
    ),
    field(
        "gpus.remapped",
        || each(Integer),
        "nvmlDeviceGetRemappedRows",
        "Rows that were remapped, for corrected and uncorrected errors.",
    ),
    field(
        "gpus.persistence",
        || each(Bool),
        "nvmlDeviceGetPersistenceMode",
        "Whether the driver stays loaded without users.",
    ),
    field(
        "gpus.compute-mode",
        || each(Text),
        "nvmlDeviceGetComputeMode",
        "`default`, `exclusive-thread`, `prohibited`, `exclusive-process`.",
    ),
    field(
        "gpus.mig",
        || each(Bool),
        "nvmlDeviceGetMigMode",
        "Whether the card is divided; absent where it cannot be.",
    ),
    field(
        "gpus.display",
        || each(Bool),
        "nvmlDeviceGetDisplayActive",
        "Whether a display is driven.",
    ),
    field(
        "gpus.links-active",
        || each(Integer),
        "nvmlDeviceGetNvLinkState",
        "NVLink links that are active.",
    ),
    field(
        "gpus.links-version",
        || each(texts()),
        "nvmlDeviceGetNvLinkVersion",
        "NVLink versions of the active links, decoded.",
    ),
    field(
        "gpus.links-lead",
        || each(Text),
        "nvmlDeviceGetNvLinkRemotePciInfo_v2",
        "Where active links lead: `to-peers`, `elsewhere` if one does, `nowhere` if none is active.",
    ),
    field(
        "gpus.links-remote",
        || each(texts()),
        "nvmlDeviceGetNvLinkRemotePciInfo_v2",
        "Addresses at the other ends of active links.",
    ),
    field(
        "gpus.link-errors",
        || each(Integer),
        "nvmlDeviceGetNvLinkErrorCounter",
        "Errors of all links since the driver was loaded.",
    ),
    field(
        "gpus.link-error-rise",
        || each(Integer),
        "nvmlDeviceGetNvLinkErrorCounter",
        "Errors of all links within the window.",
    ),
    field("pairs.cards", || each(Text), BY, "Numbers of two cards: `0-1` is from 0 to 1."),
    field(
        "pairs.ancestor",
        || each(Text),
        "nvmlDeviceGetTopologyCommonAncestor",
        "Where they meet on PCI Express: `internal`, `single-switch`, `multiple-switches`, `host-bridge`, `node`, `system`.",
    ),
    field(
        "pairs.linked",
        || each(Bool),
        BY,
        "Whether an active NVLink link of the first leads to the second.",
    ),
    field("pairs.read", || each(Text), PEER, "Peer reads: `ok` or why not."),
    field("pairs.write", || each(Text), PEER, "Peer writes: `ok` or why not."),
    field("pairs.nvlink", || each(Text), PEER, "Peer access over NVLink: `ok` or why not."),
    field("pairs.atomics", || each(Text), PEER, "Peer atomics: `ok` or why not."),
    field(
        "pairs.prop",
        || each(Text),
        PEER,
        "Peer access over PCI Express alone: `ok` or why not.",
    ),
    field(
        "power.limits",
        || Amount("W"),
        "nvmlDeviceGetEnforcedPowerLimit",
        "Limits of all cards together.",
    ),
    field("power.share", || Amount("%"), BY, "Limits and `beside` as a share of `supply`."),
];
