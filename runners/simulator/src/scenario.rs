//! What a scenario file says: a base and what differs from it.
//!
//! `[system]` answers `nvmlSystemGet*`, `[card]` what every card answers to `nvmlDeviceGet*`,
//! `[gpu.N]` where card N differs, `[file]` the files of the node by path (`false`: not there),
//! `[command]` its programs by the whole line, `[instrument]` and `[script]` what our own programs
//! answer there, `[link]` what its cable carries. A key of the others is the name of the function without that prefix, a value what
//! it gives: a number, a text, a table of fields, a table by argument (`"*"` for any other), `{ then = [..] }` for successive calls. A text
//! `NVML_ERROR_*` is returned as that error; `hang` never returns. Tables merge key by key.
//! `load` of a card holds what it answers while it computes, `cuda` what it does when CUDA asks.

use std::{
    collections::BTreeMap,
    env, fs,
    sync::{Mutex, OnceLock, PoisonError},
};

use nvml_wrapper_sys::bindings::nvmlReturn_t;
use serde_json::{Map, Value as Json, json};
use toml::{Table, Value};

/// Names the variable that says which scenario.
const VARIABLE: &str = "VERIFY_SIM_SCENARIO";
/// How deep a base may have a base of its own.
const DEPTH: usize = 4;

/// The shipped scenarios.
const SHIPPED: &[(&str, &str)] = &[
    ("after-slot-change", include_str!("../scenarios/after-slot-change.toml")),
    ("busy", include_str!("../scenarios/busy.toml")),
    ("display-gpu", include_str!("../scenarios/display-gpu.toml")),
    ("driver-mismatch", include_str!("../scenarios/driver-mismatch.toml")),
    ("ecc-remap", include_str!("../scenarios/ecc-remap.toml")),
    ("gen1-under-load", include_str!("../scenarios/gen1-under-load.toml")),
    ("hung-call", include_str!("../scenarios/hung-call.toml")),
    ("link-detour", include_str!("../scenarios/link-detour.toml")),
    ("link-down", include_str!("../scenarios/link-down.toml")),
    ("link-errors", include_str!("../scenarios/link-errors.toml")),
    ("link-fallback-1g", include_str!("../scenarios/link-fallback-1g.toml")),
    ("link-lossy", include_str!("../scenarios/link-lossy.toml")),
    ("link-one-way", include_str!("../scenarios/link-one-way.toml")),
    ("lost-gpu", include_str!("../scenarios/lost-gpu.toml")),
    ("no-bridge", include_str!("../scenarios/no-bridge.toml")),
    ("no-permission", include_str!("../scenarios/no-permission.toml")),
    ("not-loaded", include_str!("../scenarios/not-loaded.toml")),
    ("old-driver", include_str!("../scenarios/old-driver.toml")),
    ("one-gpu-serves", include_str!("../scenarios/one-gpu-serves.toml")),
    ("pair", include_str!("../scenarios/pair.toml")),
    ("peer-corrupts", include_str!("../scenarios/peer-corrupts.toml")),
    ("slow-tensorrt", include_str!("../scenarios/slow-tensorrt.toml")),
    ("throttling", include_str!("../scenarios/throttling.toml")),
    ("toolkit-too-new", include_str!("../scenarios/toolkit-too-new.toml")),
    ("torch-blind", include_str!("../scenarios/torch-blind.toml")),
    ("torch-computes-wrong", include_str!("../scenarios/torch-computes-wrong.toml")),
    ("torch-detour", include_str!("../scenarios/torch-detour.toml")),
    ("unknown-throttle-bit", include_str!("../scenarios/unknown-throttle-bit.toml")),
    ("unstable-tensorrt", include_str!("../scenarios/unstable-tensorrt.toml")),
    ("vendor-limits", include_str!("../scenarios/vendor-limits.toml")),
    ("workstation", include_str!("../scenarios/workstation.toml")),
    ("wrong-partner", include_str!("../scenarios/wrong-partner.toml")),
    ("x4-slot", include_str!("../scenarios/x4-slot.toml")),
];

/// Holds one scenario, its bases merged in.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) root: Table,
    cards: Vec<Table>,
    /// How often each answer that changes was given.
    given: Mutex<BTreeMap<String, usize>>,
}

/// Returns the scenario of this process, read once.
///
/// *Errors*: the variable is not set, or the file cannot be read; in one sentence.
pub(crate) fn current() -> Result<&'static Scenario, &'static str> {
    static READ: OnceLock<Result<Scenario, String>> = OnceLock::new();
    READ.get_or_init(|| {
        let name = env::var(VARIABLE).map_err(|_| format!("{VARIABLE} names no scenario"))?;
        Scenario::read(&name)
    })
    .as_ref()
    .map_err(String::as_str)
}

impl Scenario {
    /// Reads a shipped scenario or a file.
    ///
    /// *Errors*: it cannot be read or is not a scenario; in one sentence.
    pub(crate) fn read(name: &str) -> Result<Self, String> {
        let root = merged(name, DEPTH)?;
        let cards = cards(&root)?;
        let stem = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".toml");
        Ok(Self { name: stem.to_owned(), root, cards, given: Mutex::default() })
    }

    /// Returns how many cards there are.
    pub(crate) fn count(&self) -> usize {
        self.cards.len()
    }

    /// Looks up what a card answers.
    pub(crate) fn card(&self, index: usize, key: &str) -> Option<&Value> {
        self.cards.get(index)?.get(key)
    }

    /// Looks up an entry of a table at the top.
    pub(crate) fn entry(&self, table: &str, key: &str) -> Option<&Value> {
        self.root.get(table)?.get(key)
    }

    /// Returns what is no card's: files and commands of the node, `false` for what is not there.
    pub(crate) fn beside_the_cards(&self) -> Json {
        let table = |name: &str| {
            let entries = self.root.get(name).and_then(Value::as_table).into_iter().flatten();
            let entries = entries.map(|(key, value)| {
                let missing = value.as_str().is_some_and(|text| return_of(text).is_some());
                (key.clone(), if missing { json!(false) } else { json!(value) })
            });
            entries.collect::<Map<String, Json>>()
        };
        let (file, command) = (table("file"), table("command"));
        let library = self.root.get("library").and_then(Value::as_str);
        let (instrument, script) = (table("instrument"), table("script"));
        json!({
            "name": self.name,
            "library": library,
            "file": file,
            "command": command,
            "instrument": instrument,
            "script": script,
            "link": self.root.get("link"),
        })
    }

    /// Returns the next of several successive answers; the last one stays.
    pub(crate) fn next<'a>(&self, key: String, answers: &'a [Value]) -> Option<&'a Value> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let at = given.entry(key).or_default();
        let answer = answers.get(*at).or(answers.last());
        *at += 1;
        answer
    }
}

fn merged(name: &str, depth: usize) -> Result<Table, String> {
    let shipped = SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    let text = match shipped {
        Some(text) => text.to_owned(),
        None if !name.contains(['/', '.']) => {
            let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "no scenario is named `{name}`; give a path, or one of: {}",
                names.join(", ")
            ));
        }
        None => fs::read_to_string(name).map_err(|error| format!("scenario {name}: {error}"))?,
    };
    let own: Table = text.parse().map_err(|error| format!("scenario {name}: {error}"))?;
    let Some(base) = own.get("base").and_then(Value::as_str) else { return Ok(own) };
    let depth =
        depth.checked_sub(1).ok_or_else(|| format!("scenario {name}: bases in a circle"))?;
    let mut base = merged(base, depth)?;
    merge(&mut base, &own);
    Ok(base)
}

/// Lays a table over another, key by key.
fn merge(under: &mut Table, over: &Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            _ => drop(under.insert(key.clone(), value.clone())),
        }
    }
}

fn cards(root: &Table) -> Result<Vec<Table>, String> {
    let empty = Table::new();
    let common = root.get("card").and_then(Value::as_table).unwrap_or(&empty);
    let each = root.get("gpu").and_then(Value::as_table).unwrap_or(&empty);
    (0..each.len())
        .map(|index| {
            let own = each.get(&index.to_string()).and_then(Value::as_table);
            let own = own.ok_or_else(|| format!("[gpu.{index}] is missing: cards count from 0"))?;
            let mut card = common.clone();
            merge(&mut card, own);
            Ok(card)
        })
        .collect()
}

/// Returns the number of a return code's name, such as `NVML_ERROR_GPU_IS_LOST` or `NVML_ERROR_47`.
pub(crate) fn return_of(name: &str) -> Option<nvmlReturn_t> {
    let known = RETURNS.iter().position(|known| name == format!("NVML_ERROR_{known}"));
    let number = name.strip_prefix("NVML_ERROR_").and_then(|rest| rest.parse().ok());
    let unknown = (name == "NVML_ERROR_UNKNOWN").then_some(999);
    unknown.or(number).or_else(|| Some(u32::try_from(known?).ok()? + 1))
}

/// Names of the return codes from 1 on. *Source*: `nvml.h`, `nvmlReturn_enum`.
const RETURNS: [&str; 30] = [
    "UNINITIALIZED",
    "INVALID_ARGUMENT",
    "NOT_SUPPORTED",
    "NO_PERMISSION",
    "ALREADY_INITIALIZED",
    "NOT_FOUND",
    "INSUFFICIENT_SIZE",
    "INSUFFICIENT_POWER",
    "DRIVER_NOT_LOADED",
    "TIMEOUT",
    "IRQ_ISSUE",
    "LIBRARY_NOT_FOUND",
    "FUNCTION_NOT_FOUND",
    "CORRUPTED_INFOROM",
    "GPU_IS_LOST",
    "RESET_REQUIRED",
    "OPERATING_SYSTEM",
    "LIB_RM_VERSION_MISMATCH",
    "IN_USE",
    "MEMORY",
    "NO_DATA",
    "VGPU_ECC_NOT_SUPPORTED",
    "INSUFFICIENT_RESOURCES",
    "FREQ_NOT_SUPPORTED",
    "ARGUMENT_VERSION_MISMATCH",
    "DEPRECATED",
    "NOT_READY",
    "GPU_NOT_FOUND",
    "INVALID_STATE",
    "RESET_TYPE_NOT_SUPPORTED",
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    #[test]
    fn every_scenario_of_the_folder_is_shipped_and_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let there: BTreeSet<String> =
            entries.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        let shipped: BTreeSet<String> =
            SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, shipped);
        for name in shipped {
            let scenario = Scenario::read(&name).unwrap();
            let title = scenario.root.get("title").and_then(Value::as_str);
            assert!(title.is_some_and(|title| title.ends_with('.')), "{name}");
            assert_eq!(scenario.count() > 0, name != "workstation", "{name}");
        }
    }

    #[test]
    fn a_scenario_holds_its_base_and_what_differs() {
        let scenario = Scenario::read("link-down").unwrap();
        let state = |gpu| scenario.card(gpu, "NvLinkState").and_then(|s| s.get("2")?.as_integer());
        assert_eq!((state(0), state(1)), (Some(0), Some(0)));
        assert_eq!(scenario.card(1, "Name"), Scenario::read("pair").unwrap().card(1, "Name"));
    }

    #[test]
    fn a_file_that_is_no_scenario_says_why() {
        assert!(Scenario::read("/nowhere.toml").err().unwrap().contains("/nowhere.toml"));
        assert!(Scenario::read("/proc/self/status").err().unwrap().contains("TOML"));
    }

    #[test]
    fn errors_are_written_by_name_or_number() {
        assert_eq!(return_of("NVML_ERROR_GPU_IS_LOST"), Some(15));
        assert_eq!(return_of("NVML_ERROR_LIB_RM_VERSION_MISMATCH"), Some(18));
        assert_eq!(return_of("NVML_ERROR_UNKNOWN"), Some(999));
        assert_eq!(return_of("NVML_ERROR_47"), Some(47));
        assert_eq!(return_of("Xorg"), None);
    }
}
