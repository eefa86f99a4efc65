//! Memory modules, drives, graphics cards and the bridges between them, by the probes for them.
//!
//! Cards are asked over NVML where our instrument is at hand, else of `nvidia-smi`; both give the same
//! fields. A card that cannot be opened leaves the number of cards unknown, so that no other one
//! seems to be gone.

use std::collections::BTreeMap;

use verify_model::{
    ask::Ask, check::Params, evidence::Evidence, node::Facts, observation::Observation,
    quantity::display_number, value::Value,
};

use super::{
    Wanted, Way, asks_of,
    core::is_missing,
    page::{Page, known},
    read_by,
};
use crate::gathered::Gathered;

const NVML: &str = "nvml";
const SMI: &str = "nvidia-smi";
/// Calls of nvidia-smi that are needed: the cards, and what lies between them.
const SMI_NEEDED: [&[&str]; 2] = [&[SMI, "-q", "-x"], &[SMI, "topo", "-m"]];
/// Firmware of NVMe drives, and of those that speak SCSI.
const FIRMWARE: [&str; 2] = ["/sys/block/*/device/firmware_rev", "/sys/block/*/device/rev"];
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// Returns what to gather.
pub(super) fn asks(wanted: &Wanted, facts: &Facts, way: Way) -> Vec<Ask> {
    let none = Params::default();
    let mut asks = Vec::new();
    if wanted.has("memory") {
        asks.extend(asks_of("memory-modules", &none, facts));
    }
    if wanted.has("drive") {
        let of_drives = |ask: &Ask| matches!(ask, Ask::List { .. } | Ask::ReadFiles { .. });
        asks.extend(asks_of("storage", &none, facts).into_iter().filter(of_drives));
        asks.extend(FIRMWARE.map(Ask::files));
    }
    if wants_cards(wanted) && !is_missing(facts, "nvidia-gpu") {
        if way != Way::Far {
            asks.extend(asks_of(NVML, &none, facts));
        }
        if way != Way::Near {
            let is_needed = |ask: &Ask| matches!(ask, Ask::Exec { argv, .. } if SMI_NEEDED.iter().any(|n| argv == n));
            asks.extend(asks_of(SMI, &none, facts).into_iter().filter(is_needed));
        }
    }
    asks
}

fn wants_cards(wanted: &Wanted) -> bool {
    ["gpu", "bridge", "cuda"].iter().any(|group| wanted.has(group))
}

/// Reads it.
pub(super) fn read(page: &mut Page, wanted: &Wanted, facts: &Facts, evidence: &[&Evidence]) {
    if wanted.has("memory") {
        let seen = read_by("memory-modules", &Params::default(), facts, evidence);
        modules(page, seen.as_ref());
    }
    if wanted.has("drive") {
        drives(page, facts, evidence);
    }
    if wants_cards(wanted) {
        cards(page, facts, evidence);
    }
}

/// Returns the elements of a list that is known.
fn list(observation: &Observation, path: &str) -> Option<Vec<Value>> {
    match observation.resolve(path) {
        Value::List(items) => Some(items),
        _ => None,
    }
}

fn modules(page: &mut Page, seen: Option<&Observation>) {
    let column = |name: &str| seen.and_then(|seen| list(seen, &format!("modules.{name}")));
    let Some(slots) = column("slot") else { return page.put("memory.modules", None) };
    page.put("memory.modules", Some(slots.len().to_string()));
    let columns = ["kind", "configured", "part"].map(column);
    let sizes = column("size").unwrap_or_default();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (at, slot) in slots.iter().enumerate() {
        let slot = known(slot).unwrap_or_else(|| "unnamed".to_owned());
        let time = times.entry(slot.clone()).or_default();
        *time += 1;
        let name = if *time == 1 { slot } else { format!("{slot} #{time}") };
        let size = match sizes.get(at) {
            Some(Value::Quantity(size)) => {
                Some(format!("{} GiB", display_number(size.base() / GIB)))
            }
            _ => None,
        };
        let rest = columns.iter().filter_map(|column| known(column.as_ref()?.get(at)?));
        let words: Vec<String> = size.into_iter().chain(rest).collect();
        page.put(&format!("memory.module.{name}"), Some(words.join(" ")));
    }
}

fn drives(page: &mut Page, facts: &Facts, evidence: &[&Evidence]) {
    let seen = read_by("storage", &Params::default(), facts, evidence);
    let drives = seen.as_ref().and_then(|seen| list(seen, "drives"));
    let Some(drives) = drives else { return page.put("drive.count", None) };
    page.put("drive.count", Some(drives.len().to_string()));
    let firmware = FIRMWARE.map(|pattern| (pattern, Gathered(evidence).files(pattern)));
    for drive in drives {
        let Some(name) = known(&drive.at(&["name"])) else { continue };
        page.put(&format!("drive.{name}.model"), known(&drive.at(&["model"])));
        let own = firmware.iter().find_map(|(pattern, files)| {
            let path = pattern.replace('*', &name);
            let (_, text) = files.as_ref().ok()?.iter().find(|(found, _)| *found == path)?;
            text.as_ref().ok().map(|text| (*text).to_owned())
        });
        page.put(&format!("drive.{name}.firmware"), own);
    }
}

fn cards(page: &mut Page, facts: &Facts, evidence: &[&Evidence]) {
    if is_missing(facts, "nvidia-gpu") {
        let none = Some("0".to_owned());
        page.put("gpu.count", none.clone());
        return page.put("bridge.count", none);
    }
    let none = Params::default();
    let answers = |name: &str| {
        read_by(name, &none, facts, evidence).filter(|seen| list(seen, "gpus").is_some())
    };
    let Some(seen) = answers(NVML).or_else(|| answers(SMI)) else {
        page.put("gpu.count", None);
        page.put("bridge.count", None);
        return page.put("cuda.version", None);
    };
    page.put("cuda.version", known(&seen.resolve("cuda.version")));
    let gpus = list(&seen, "gpus").unwrap_or_default();
    let addresses: Vec<Option<String>> = gpus.iter().map(address).collect();
    let is_whole = list(&seen, "lost").is_some_and(|lost| lost.is_empty())
        && addresses.iter().all(Option::is_some);
    page.put("gpu.count", is_whole.then(|| gpus.len().to_string()));
    for (gpu, address) in gpus.iter().zip(&addresses) {
        let Some(address) = address else { continue };
        let fields: [(&str, &[&str]); 5] = [
            ("name", &["name"]),
            ("uuid", &["uuid"]),
            ("vbios", &["vbios"]),
            ("slot-width", &["pcie", "width"]),
            ("power-limit", &["power", "limit"]),
        ];
        for (field, path) in fields {
            page.put(&format!("gpu.{address}.{field}"), known(&gpu.at(path)));
        }
    }
    let addresses: Option<Vec<String>> = addresses.into_iter().collect();
    let bridges = addresses.filter(|_| is_whole).and_then(|all| bridges(&seen, &gpus, &all));
    page.put("bridge.count", bridges.as_ref().map(|all| all.len().to_string()));
    for (pair, links) in bridges.unwrap_or_default() {
        page.put(&format!("bridge.{pair}"), Some(format!("{links} links")));
    }
}

/// Returns the address of a card, as the kernel writes it.
fn address(gpu: &Value) -> Option<String> {
    let text = known(&gpu.at(&["bus-id"]))?.to_ascii_lowercase();
    let domain = text.split(':').next()?.len();
    // NVML's has a domain of eight digits in some versions.
    Some(if domain == 8 { text.strip_prefix("0000").unwrap_or(&text).to_owned() } else { text })
}

/// Lists pairs of cards that have a bridge, with the number of its links.
fn bridges(seen: &Observation, gpus: &[Value], all: &[String]) -> Option<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    if all.len() < 2 {
        return Some(found);
    }
    for (from, one) in all.iter().enumerate() {
        for (to, other) in all.iter().enumerate().skip(from + 1) {
            let links = match gpus[from].at(&["links-remote"]) {
                // NVML names the other end of each active link.
                Value::List(remote) => {
                    let remote = remote.iter().map(known).collect::<Option<Vec<String>>>()?;
                    remote.iter().filter(|end| end.eq_ignore_ascii_case(other)).count()
                }
                Value::Absent(_) => 0,
                _ => bonded(seen, from, to)?,
            };
            if links > 0 {
                found.insert(format!("{}-{}", one.min(other), one.max(other)), links);
            }
        }
    }
    Some(found)
}

/// Returns the number of links by the matrix of nvidia-smi: `NV4` is four, any other word none.
fn bonded(seen: &Observation, from: usize, to: usize) -> Option<usize> {
    let cards = format!("{from}-{to}");
    let pairs = list(seen, "pairs")?;
    let pair = pairs.iter().find(|pair| known(&pair.at(&["cards"])).as_ref() == Some(&cards))?;
    let word = known(&pair.at(&["link"]))?;
    word.strip_prefix("NV").map_or(Some(0), |number| number.parse().ok())
}
