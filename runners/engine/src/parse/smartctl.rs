//! What `smartctl --json -a` says of one drive: NVMe, ATA and SCSI.
//!
//! The exit status is a set of bits, and some of them are set for drives that are well. A drive
//! passes only where its own status says so; silence is never health.
//!
//! *Source*: smartctl(8), exit status; NVM Express Base 2.0, figure 207 (log page 2).

use serde_json::Value as Json;

/// Bits of the exit status.
const NOT_PARSED: i64 = 1;
const NOT_OPENED: i64 = 1 << 1;
const FAILING: i64 = 1 << 3;
const BELOW_THRESHOLD: i64 = 1 << 4;
/// Bits that tell of the past, with what they say.
const NOTES: [(i64, &str); 3] = [
    (1 << 5, "an attribute was below its threshold in the past"),
    (1 << 6, "the error log has entries"),
    (1 << 7, "a self-test has failed"),
];
/// Bits of an NVMe drive's critical warning.
const WARNINGS: [&str; 6] = [
    "spare space is below its threshold",
    "a temperature is beyond its threshold",
    "reliability is degraded by media or internal errors",
    "the media is read-only",
    "the backup of volatile memory has failed",
    "the persistent memory region is unreliable",
];
/// Attributes that count sectors which cannot be read: pending, uncorrectable.
const UNREADABLE_SECTORS: [i64; 2] = [197, 198];
/// How smartctl says that a drive gives no health, such as behind USB or virtio.
const UNSUPPORTED: [&str; 5] = [
    "Unable to detect device type",
    "Unknown USB bridge",
    "please specify device type",
    "Unsupported USB bridge",
    "Device does not support SMART",
];

/// Says why nothing is known about a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It has no such thing.
    Unsupported(String),
    /// The user who asks may not.
    Denied(String),
    /// It should have answered.
    Failed(String),
}

impl Unknown {
    /// Returns the reason.
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Unsupported(why) | Self::Denied(why) | Self::Failed(why) => why,
        }
    }
}

/// Holds what a drive says of itself; what it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Health {
    /// Reasons to replace it; none where it passed.
    pub(crate) failing: Vec<String>,
    /// What happened in the past.
    pub(crate) notes: Vec<String>,
    /// *Units*: °C.
    pub(crate) temperature: Option<f64>,
    /// Share of the rated endurance; above 100 where it lives on. *Units*: %.
    pub(crate) used: Option<f64>,
    /// *Units*: %.
    pub(crate) spare: Option<f64>,
    /// Errors that could not be corrected.
    pub(crate) media_errors: Option<i64>,
    /// *Units*: h.
    pub(crate) hours: Option<f64>,
}

/// Reads what smartctl said, with its exit status.
pub(crate) fn read(output: &str, exit: Option<i64>) -> Result<Health, Unknown> {
    let Some(exit) = exit else {
        return Err(Unknown::Failed("smartctl was ended by a signal".to_owned()));
    };
    let json: Json = serde_json::from_str(output).map_err(|error| {
        let first = output.lines().map(str::trim).find(|line| !line.is_empty());
        let said: String = first.unwrap_or("nothing").chars().take(60).collect();
        Unknown::Failed(format!(
            "smartctl gave no JSON (it can since 7.0): {error}; it said: {said}"
        ))
    })?;
    let messages = messages(&json);
    if UNSUPPORTED.iter().any(|text| messages.contains(text)) {
        return Err(Unknown::Unsupported(messages));
    }
    if exit & (NOT_PARSED | NOT_OPENED) != 0 {
        let why =
            if messages.is_empty() { format!("smartctl ended with {exit}") } else { messages };
        let denied = ["Permission denied", "Operation not permitted"];
        let denied = denied.iter().any(|text| why.contains(text));
        return Err(if denied { Unknown::Denied(why) } else { Unknown::Failed(why) });
    }
    let flag = |at: &str| json.pointer(at).and_then(Json::as_bool);
    if flag("/smart_support/available") == Some(false) {
        return Err(Unknown::Unsupported("the drive has no SMART".to_owned()));
    }
    if flag("/smart_support/enabled") == Some(false) {
        let why = "SMART is switched off: `smartctl -s on` switches it on";
        return Err(Unknown::Failed(why.to_owned()));
    }
    let Some(passed) = flag("/smart_status/passed") else {
        let why = format!("the drive does not say whether it passes; {messages}");
        return Err(Unknown::Failed(why.trim_end_matches(['?', ';', ' ']).to_owned()));
    };
    Ok(health(&json, exit, passed))
}

fn health(json: &Json, exit: i64, passed: bool) -> Health {
    let number = |at: &str| json.pointer(at).and_then(Json::as_f64).filter(|n| *n >= 0.0);
    let log = |name: &str| number(&format!("/nvme_smart_health_information_log/{name}"));
    let warning = json.pointer("/nvme_smart_health_information_log/critical_warning");
    let mut failing = Vec::new();
    if !passed || exit & FAILING != 0 {
        failing.push("the drive says that it is failing".to_owned());
    }
    if exit & BELOW_THRESHOLD != 0 {
        failing.push("an attribute that foretells failure is below its threshold".to_owned());
    }
    let bits = warning.and_then(Json::as_u64).unwrap_or(0);
    let set = WARNINGS.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    failing.extend(set.map(|(_, text)| (*text).to_owned()));
    if bits >> WARNINGS.len() != 0 {
        failing.push(format!("critical warning {bits:#x}"));
    }
    let notes = NOTES.iter().filter(|(bit, _)| exit & bit != 0);
    let temperature = json.pointer("/temperature/current").and_then(Json::as_f64);
    Health {
        failing,
        notes: notes.map(|(_, text)| (*text).to_owned()).collect(),
        temperature,
        used: log("percentage_used").or_else(|| number("/endurance_used/current_percent")),
        spare: log("available_spare"),
        media_errors: json
            .pointer("/nvme_smart_health_information_log/media_errors")
            .and_then(Json::as_i64)
            .filter(|errors| *errors >= 0)
            .or_else(|| unreadable_sectors(json)),
        hours: number("/power_on_time/hours"),
    }
}

/// Counts the sectors of an ATA drive that cannot be read; `None` where it counts none of them.
fn unreadable_sectors(json: &Json) -> Option<i64> {
    let table = json.pointer("/ata_smart_attributes/table")?.as_array()?;
    let counted = |row: &&Json| {
        let id = row.get("id").and_then(Json::as_i64);
        id.is_some_and(|id| UNREADABLE_SECTORS.contains(&id))
    };
    let raw = |row: &Json| row.pointer("/raw/value").and_then(Json::as_i64);
    let counts: Option<Vec<i64>> = table.iter().filter(counted).map(raw).collect();
    // The same sector may stand in both counts.
    counts?.into_iter().max()
}

/// Joins what smartctl complains about.
fn messages(json: &Json) -> String {
    let list = json.pointer("/smartctl/messages").and_then(Json::as_array);
    let texts = list.into_iter().flatten();
    let texts = texts.filter_map(|message| message.get("string").and_then(Json::as_str));
    texts.collect::<Vec<_>>().join("; ")
}
