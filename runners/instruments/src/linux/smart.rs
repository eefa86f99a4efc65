//! What the drives say of their own health: `smartctl --json -a` for each of them.
//!
//! Which drives there are is known only here, so one instrument asks for all. What smartctl says
//! is passed on as it stands; its exit status is a set of bits that the reader interprets. A hung
//! drive hangs smartctl: the limit is the transport's.

use std::{fs, io, path::Path};

use serde_json::{Value, json};

use super::{Arguments, Instrument, tool};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "smart",
    summary: "Asks every drive for its health with smartctl.",
    arguments: "",
    run,
};

/// How names of block devices begin that have a device and no health of their own.
const NO_DRIVES: [&str; 3] = ["sr", "fd", "mtdblock"];
/// Bounds how many drives are asked.
const MOST: usize = 64;

fn run(_given: &Arguments<'_>) -> Result<Value, String> {
    let names = drives(Path::new("/sys/block")).map_err(|error| format!("/sys/block: {error}"))?;
    let drives: Vec<Value> = names.iter().take(MOST).map(|name| health(name)).collect();
    Ok(json!({ "drives": drives, "left-out": names.len().saturating_sub(MOST) }))
}

/// Lists the drives by name: they have a device, hold something, and are not hidden.
///
/// *Errors*: nobody can look.
fn drives(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let says = |file: &str, word: &str| {
            fs::read_to_string(entry.path().join(file)).is_ok_and(|text| text.trim() == word)
        };
        let device = entry.path().join("device").try_exists()?;
        let other = NO_DRIVES.iter().any(|start| name.starts_with(start));
        if device && !other && !says("hidden", "1") && !says("size", "0") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn health(name: &str) -> Value {
    // sysfs writes `!` where the device's name has a slash.
    let path = format!("/dev/{}", name.replace('!', "/"));
    let asked = tool::run("smartctl", &["--json".to_owned(), "-a".to_owned(), path]);
    let mut found = match asked {
        Ok(said) => said.to_json(&said.stdout),
        Err(error) if error.kind() == io::ErrorKind::NotFound => json!({ "missing": "smartctl" }),
        Err(error) => json!({ "failed": error.to_string() }),
    };
    found["name"] = json!(name);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drives_are_asked() {
        let root = tempfile::tempdir().unwrap();
        for (name, device, size, hidden) in [
            ("nvme0n1", true, "1000", ""),
            ("nvme0c0n1", true, "1000", "1"),
            ("sda", true, "8", "0"),
            ("sdb", true, "0", "0"),
            ("sr0", true, "8", "0"),
            ("loop0", false, "8", "0"),
        ] {
            let folder = root.path().join(name);
            fs::create_dir_all(folder.join(if device { "device" } else { "queue" })).unwrap();
            #[allow(clippy::disallowed_methods, reason = "the test makes its own machine")]
            for (file, text) in [("size", size), ("hidden", hidden)] {
                fs::write(folder.join(file), text).unwrap();
            }
        }
        assert_eq!(drives(root.path()).unwrap(), ["nvme0n1", "sda"]);
        assert!(drives(&root.path().join("nowhere")).is_err());
    }

    #[test]
    fn every_drive_of_this_machine_is_answered_for() {
        let result = INSTRUMENT.tried("").unwrap();
        for drive in result["drives"].as_array().unwrap() {
            let answered = drive["missing"] == "smartctl"
                || drive["output"].as_str().is_some_and(|output| output.contains("smartctl"));
            assert!(answered, "{drive}");
        }
        assert!(INSTRUMENT.tried("now").is_err());
    }
}
