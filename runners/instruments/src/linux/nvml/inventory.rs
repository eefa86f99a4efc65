//! What is asked of each card and of each pair: one table, a row a field.
//!
//! Numbers and masks stand as the driver gives them, so that what has no name yet is not lost.

use std::{sync::mpsc, time::Duration};

use nvml_wrapper_sys::bindings::{
    nvmlBAR1Memory_t, nvmlDevice_t, nvmlMarginTemperature_t, nvmlMemory_v2_t, nvmlPciInfo_t,
    nvmlProcessInfo_t, nvmlViolationTime_t,
};
use serde_json::{Map, Value, json};

use super::{
    call::{Asker, INSUFFICIENT_SIZE, OneBy, SUCCESS, Said, Symbol, Trouble, shown, symbol, taken},
    link,
};

type Card = nvmlDevice_t;
type Row = (&'static str, fn(&Asker<'_>, Card) -> Value);

/// Stands for all links together in a field value. *Source*: `nvml.h`, `nvmlFieldValue_t`.
const ALL_LINKS: u32 = u32::MAX;
/// Most processes that are listed of one card.
const PROCESSES: usize = 1024;

/// What is asked of a card. *Units*: as the names end; others are numbers of `nvml.h`.
static ROWS: &[Row] = &[
    ("name", |a, c| a.text(symbol!(a, nvmlDeviceGetName), c)),
    ("uuid", |a, c| a.text(symbol!(a, nvmlDeviceGetUUID), c)),
    ("serial", |a, c| a.text(symbol!(a, nvmlDeviceGetSerial), c)),
    ("vbios", |a, c| a.text(symbol!(a, nvmlDeviceGetVbiosVersion), c)),
    ("board-part", |a, c| a.text(symbol!(a, nvmlDeviceGetBoardPartNumber), c)),
    ("board-id", |a, c| a.number(symbol!(a, nvmlDeviceGetBoardId), c)),
    ("architecture", |a, c| a.number(symbol!(a, nvmlDeviceGetArchitecture), c)),
    ("cores", |a, c| a.number(symbol!(a, nvmlDeviceGetNumGpuCores), c)),
    ("minor", |a, c| a.number(symbol!(a, nvmlDeviceGetMinorNumber), c)),
    ("memory", memory),
    ("bar1", bar1),
    ("pcie-generation", |a, c| a.number(symbol!(a, nvmlDeviceGetCurrPcieLinkGeneration), c)),
    ("pcie-width", |a, c| a.number(symbol!(a, nvmlDeviceGetCurrPcieLinkWidth), c)),
    ("pcie-generation-max", |a, c| a.number(symbol!(a, nvmlDeviceGetMaxPcieLinkGeneration), c)),
    ("pcie-width-max", |a, c| a.number(symbol!(a, nvmlDeviceGetMaxPcieLinkWidth), c)),
    ("pcie-generation-card", |a, c| a.number(symbol!(a, nvmlDeviceGetGpuMaxPcieLinkGeneration), c)),
    ("pcie-replays", |a, c| a.number(symbol!(a, nvmlDeviceGetPcieReplayCounter), c)),
    ("power-mw", |a, c| a.number(symbol!(a, nvmlDeviceGetPowerUsage), c)),
    // 186 is NVML_FI_DEV_POWER_INSTANT: since Ampere, the other one is a mean over a second.
    ("power-instant-mw", |a, c| a.field(c, 186, 0)),
    ("power-limit-enforced-mw", |a, c| a.number(symbol!(a, nvmlDeviceGetEnforcedPowerLimit), c)),
    ("power-limit-mw", |a, c| a.number(symbol!(a, nvmlDeviceGetPowerManagementLimit), c)),
    ("power-limit-default-mw", |a, c| {
        a.number(symbol!(a, nvmlDeviceGetPowerManagementDefaultLimit), c)
    }),
    ("power-limit-range-mw", |a, c| {
        range(a.two(symbol!(a, nvmlDeviceGetPowerManagementLimitConstraints), c))
    }),
    ("energy-mj", |a, c| a.number(symbol!(a, nvmlDeviceGetTotalEnergyConsumption), c)),
    ("temperature-c", |a, c| a.number_by(symbol!(a, nvmlDeviceGetTemperature), c, 0)),
    // 82 is NVML_FI_DEV_MEMORY_TEMP: what GeForce cards do not offer.
    ("memory-temperature-c", |a, c| a.field(c, 82, 0)),
    ("temperature-shutdown-c", |a, c| threshold(a, c, 0)),
    ("temperature-slowdown-c", |a, c| threshold(a, c, 1)),
    ("temperature-max-c", |a, c| threshold(a, c, 3)),
    ("temperature-target-c", |a, c| threshold(a, c, 5)),
    ("temperature-margin-c", margin),
    ("fan-percent", |a, c| a.number(symbol!(a, nvmlDeviceGetFanSpeed), c)),
    ("clock-graphics-mhz", |a, c| clock(a, c, symbol!(a, nvmlDeviceGetClockInfo), 0)),
    ("clock-sm-mhz", |a, c| clock(a, c, symbol!(a, nvmlDeviceGetClockInfo), 1)),
    ("clock-memory-mhz", |a, c| clock(a, c, symbol!(a, nvmlDeviceGetClockInfo), 2)),
    ("clock-sm-max-mhz", |a, c| clock(a, c, symbol!(a, nvmlDeviceGetMaxClockInfo), 1)),
    ("clock-memory-max-mhz", |a, c| clock(a, c, symbol!(a, nvmlDeviceGetMaxClockInfo), 2)),
    ("performance-state", |a, c| a.number(symbol!(a, nvmlDeviceGetPerformanceState), c)),
    ("throttle-mask", |a, c| {
        let later = a.one(symbol!(a, nvmlDeviceGetCurrentClocksEventReasons), c, 0);
        or_before(later, || a.number(symbol!(a, nvmlDeviceGetCurrentClocksThrottleReasons), c))
    }),
    ("throttle-mask-supported", |a, c| {
        let later = a.one(symbol!(a, nvmlDeviceGetSupportedClocksEventReasons), c, 0);
        or_before(later, || a.number(symbol!(a, nvmlDeviceGetSupportedClocksThrottleReasons), c))
    }),
    ("held-by-power-ns", |a, c| violation(a, c, 0)),
    ("held-by-heat-ns", |a, c| violation(a, c, 1)),
    ("ecc-mode", |a, c| {
        shown(
            a.two(symbol!(a, nvmlDeviceGetEccMode), c)
                .map(|m| json!({ "current": m[0], "pending": m[1] })),
        )
    }),
    ("ecc-corrected", |a, c| {
        shown(a.one_by_two(symbol!(a, nvmlDeviceGetTotalEccErrors), c, (0, 1)))
    }),
    ("ecc-uncorrected", |a, c| {
        shown(a.one_by_two(symbol!(a, nvmlDeviceGetTotalEccErrors), c, (1, 1)))
    }),
    ("remapped-rows", remapped_rows),
    ("persistence", |a, c| a.number(symbol!(a, nvmlDeviceGetPersistenceMode), c)),
    ("compute-mode", |a, c| a.number(symbol!(a, nvmlDeviceGetComputeMode), c)),
    ("mig-mode", |a, c| {
        shown(
            a.two(symbol!(a, nvmlDeviceGetMigMode), c)
                .map(|m| json!({ "current": m[0], "pending": m[1] })),
        )
    }),
    ("display-active", |a, c| a.number(symbol!(a, nvmlDeviceGetDisplayActive), c)),
    ("compute-processes", |a, c| {
        processes(a, c, symbol!(a, nvmlDeviceGetComputeRunningProcesses_v3))
    }),
    ("graphics-processes", |a, c| {
        processes(a, c, symbol!(a, nvmlDeviceGetGraphicsRunningProcesses_v3))
    }),
    ("links", link::links),
    // 91 is NVML_FI_DEV_NVLINK_LINK_COUNT.
    ("link-count", |a, c| a.field(c, 91, 0)),
    // 138 and 139 are NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX and _RX, in KiB.
    ("links-sent-kib", |a, c| a.field(c, 138, ALL_LINKS)),
    ("links-received-kib", |a, c| a.field(c, 139, ALL_LINKS)),
];

/// Peer access that is asked for. *Source*: `nvml.h`, `nvmlGpuP2PCapsIndex_t`.
const PEER: [(&str, u32); 5] =
    [("read", 0), ("write", 1), ("nvlink", 2), ("atomics", 3), ("prop", 4)];

/// Asks every card for every row.
pub(super) fn cards(asker: &Asker<'_>, cards: &[(usize, Card)]) {
    for (index, card) in cards {
        let put = |key: &str, value: Value| asker.progress.put_at("cards", *index, key, value);
        let pci = pci(asker, *card);
        put("bus-id", shown(pci.clone().map(|(bus, _)| bus)));
        put("pci-device-id", shown(pci.clone().map(|(_, ids)| ids)));
        if let Ok((bus, _)) = &pci {
            let entries = asker.files.link(bus).map(|(of, link)| (of.to_owned(), link));
            put("kernel-link", Value::Object(entries.into_iter().collect()));
        }
        for (key, row) in ROWS {
            put(key, row(asker, *card));
        }
    }
}

/// Asks for each ordered pair: peer access need not be the same both ways.
pub(super) fn pairs(asker: &Asker<'_>, cards: &[(usize, Card)]) {
    let mut at = 0;
    asker.progress.put("pairs", json!([]));
    for (from, card) in cards {
        for (to, other) in cards.iter().filter(|(to, _)| to != from) {
            let put = |key: &str, value: Value| asker.progress.put_at("pairs", at, key, value);
            put("from", json!(from));
            put("to", json!(to));
            put("ancestor", shown(ancestor(asker, *card, *other)));
            for (name, capability) in PEER {
                put(name, shown(peer(asker, (*card, *other), capability)));
            }
            at += 1;
        }
    }
}

/// Waits, and reads once more what counts errors.
pub(super) fn again(asker: &Asker<'_>, cards: &[(usize, Card)], window: Duration) {
    // Slices count as calls: a wait is no call that hangs.
    const SLICE: Duration = Duration::from_millis(40);
    let (_open, nothing) = mpsc::channel::<()>();
    let mut left = window;
    while !left.is_zero() {
        asker.progress.calling("waiting");
        let _ = nothing.recv_timeout(left.min(SLICE));
        left = left.saturating_sub(SLICE);
    }
    for (index, card) in cards {
        let links = match link::links(asker, *card).get("value").and_then(Value::as_array) {
            Some(links) => links.iter().map(|link| link["errors"].clone()).collect(),
            None => Vec::new(),
        };
        let replays = asker.number(symbol!(asker, nvmlDeviceGetPcieReplayCounter), *card);
        let later = json!({ "pcie-replays": replays, "link-errors": links });
        asker.progress.put_at("cards", *index, "later", later);
    }
}

/// Returns the version that a structure must say of itself. *Source*: `nvml.h`, `NVML_STRUCT_VERSION`.
pub(super) fn versioned<T>(version: u32) -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(0) | version << 24
}

/// Returns an address on the bus as the kernel writes it.
pub(super) fn bus_id(pci: &nvmlPciInfo_t) -> String {
    format!("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device)
}

fn pci(asker: &Asker<'_>, card: Card) -> Said<(String, String)> {
    let blank = nvmlPciInfo_t {
        busIdLegacy: [0; 16],
        domain: 0,
        bus: 0,
        device: 0,
        pciDeviceId: 0,
        pciSubSystemId: 0,
        busId: [0; 32],
    };
    let pci = asker.one(symbol!(asker, nvmlDeviceGetPciInfo_v3), card, blank)?;
    Ok((bus_id(&pci), format!("{:08x} {:08x}", pci.pciDeviceId, pci.pciSubSystemId)))
}

fn memory(asker: &Asker<'_>, card: Card) -> Value {
    let blank = nvmlMemory_v2_t {
        version: versioned::<nvmlMemory_v2_t>(2),
        total: 0,
        reserved: 0,
        free: 0,
        used: 0,
    };
    let memory = asker.one(symbol!(asker, nvmlDeviceGetMemoryInfo_v2), card, blank);
    shown(memory.map(|memory| {
        json!({
            "total-bytes": memory.total,
            "reserved-bytes": memory.reserved,
            "free-bytes": memory.free,
            "used-bytes": memory.used,
        })
    }))
}

fn bar1(asker: &Asker<'_>, card: Card) -> Value {
    let blank = nvmlBAR1Memory_t { bar1Total: 0, bar1Free: 0, bar1Used: 0 };
    let bar1 = asker.one(symbol!(asker, nvmlDeviceGetBAR1MemoryInfo), card, blank);
    shown(bar1.map(|bar1| json!({ "total-bytes": bar1.bar1Total, "used-bytes": bar1.bar1Used })))
}

fn range(said: Said<[u32; 2]>) -> Value {
    shown(said.map(|[least, most]| json!({ "least": least, "most": most })))
}

fn threshold(asker: &Asker<'_>, card: Card, which: u32) -> Value {
    asker.number_by(symbol!(asker, nvmlDeviceGetTemperatureThreshold), card, which)
}

fn clock(asker: &Asker<'_>, card: Card, symbol: Symbol<'_, OneBy<u32>>, which: u32) -> Value {
    asker.number_by(symbol, card, which)
}

/// Returns the answer of a function, or of the one before it where the library lacks it.
fn or_before(later: Said<u64>, before: impl FnOnce() -> Value) -> Value {
    if matches!(later, Err(Trouble::NoSymbol(_))) { before() } else { shown(later) }
}

fn margin(asker: &Asker<'_>, card: Card) -> Value {
    let version = versioned::<nvmlMarginTemperature_t>(1);
    let blank = nvmlMarginTemperature_t { version, marginTemperature: 0 };
    let margin = asker.one(symbol!(asker, nvmlDeviceGetMarginTemperature), card, blank);
    shown(margin.map(|margin| margin.marginTemperature))
}

fn violation(asker: &Asker<'_>, card: Card, policy: u32) -> Value {
    let blank = nvmlViolationTime_t { referenceTime: 0, violationTime: 0 };
    let time = asker.one_by(symbol!(asker, nvmlDeviceGetViolationStatus), card, policy, blank);
    shown(time.map(|time| time.violationTime))
}

fn remapped_rows(asker: &Asker<'_>, card: Card) -> Value {
    let symbol = symbol!(asker, nvmlDeviceGetRemappedRows);
    let function = match asker.begin(symbol) {
        Ok(function) => function,
        Err(trouble) => return trouble.to_json(),
    };
    let [mut corrected, mut uncorrected, mut pending, mut failed] = [0_u32; 4];
    // SAFETY: the function has this form, `card` came from the library, the places are ours.
    let code = unsafe {
        function(card, &raw mut corrected, &raw mut uncorrected, &raw mut pending, &raw mut failed)
    };
    if code != SUCCESS {
        return Trouble::Code(symbol.0, code).to_json();
    }
    json!({ "value": {
        "corrected": corrected,
        "uncorrected": uncorrected,
        "pending": pending != 0,
        "failed": failed != 0,
    } })
}

type Processes = unsafe extern "C" fn(nvmlDevice_t, *mut u32, *mut nvmlProcessInfo_t) -> u32;

/// Lists processes; more room is offered until all fit.
fn processes(asker: &Asker<'_>, card: Card, symbol: Symbol<'_, Processes>) -> Value {
    let function = match asker.begin(symbol) {
        Ok(function) => function,
        Err(trouble) => return trouble.to_json(),
    };
    let blank =
        nvmlProcessInfo_t { pid: 0, usedGpuMemory: 0, gpuInstanceId: 0, computeInstanceId: 0 };
    let mut room = 32;
    loop {
        let mut infos = vec![blank; room];
        let mut count = u32::try_from(room).unwrap_or(0);
        // SAFETY: there is room for as many as is said.
        let code = unsafe { function(card, &raw mut count, infos.as_mut_ptr()) };
        if code == INSUFFICIENT_SIZE && room < PROCESSES {
            room *= 2;
            continue;
        }
        if code != SUCCESS {
            return Trouble::Code(symbol.0, code).to_json();
        }
        infos.truncate(count as usize);
        let listed: Vec<Value> = infos.iter().map(|info| process(asker, info)).collect();
        return json!({ "value": listed });
    }
}

fn process(asker: &Asker<'_>, info: &nvmlProcessInfo_t) -> Value {
    let symbol = symbol!(asker, nvmlSystemGetProcessName);
    let name = asker.begin(symbol).and_then(|function| {
        // SAFETY: the function has this form, and is told the true length of the buffer.
        taken(symbol.0, |out, length| unsafe { function(info.pid, out, length) })
    });
    let mut listed = Map::new();
    listed.insert("pid".to_owned(), json!(info.pid));
    listed.insert("name".to_owned(), shown(name));
    // All ones stand for a number that the driver cannot tell.
    let used = (info.usedGpuMemory != u64::MAX).then_some(info.usedGpuMemory);
    listed.insert("used-bytes".to_owned(), json!(used));
    Value::Object(listed)
}

fn ancestor(asker: &Asker<'_>, one: Card, other: Card) -> Said<u32> {
    let symbol = symbol!(asker, nvmlDeviceGetTopologyCommonAncestor);
    let function = asker.begin(symbol)?;
    let mut level = 0;
    // SAFETY: the function has this form, both cards came from the library, the place is ours.
    let code = unsafe { function(one, other, &raw mut level) };
    if code == SUCCESS { Ok(level) } else { Err(Trouble::Code(symbol.0, code)) }
}

fn peer(asker: &Asker<'_>, (one, other): (Card, Card), capability: u32) -> Said<u32> {
    let symbol = symbol!(asker, nvmlDeviceGetP2PStatus);
    let function = asker.begin(symbol)?;
    let mut status = 0;
    // SAFETY: as in `ancestor`.
    let code = unsafe { function(one, other, capability, &raw mut status) };
    if code == SUCCESS { Ok(status) } else { Err(Trouble::Code(symbol.0, code)) }
}
