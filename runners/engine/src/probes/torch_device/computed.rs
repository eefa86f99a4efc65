//! What came of the computation on each device.
//!
//! A device is counted only where everything was computed and nothing differed. That nothing was
//! asked for is said, and no device is never "nothing wrong".

use serde_json::Value as Json;
use verify_model::{observation::Observation, quantity::Quantity, value::Value};

use super::uuid;
use crate::{gathered::count, parse::script::trouble};

/// Why nothing was computed, where there is nothing to compute on.
const NO_DEVICE: &str = "PyTorch shows no device";

/// Holds what came of it on all devices.
pub(super) struct Computed {
    /// Why nothing was computed anywhere.
    none: Option<&'static str>,
    /// Whether there is a device at all.
    any: bool,
    right: usize,
    wrong: Vec<String>,
    /// What could not be described or computed, by device.
    pub(super) failed: Vec<String>,
    /// Largest error over its bound.
    share: Option<f64>,
}

impl Computed {
    pub(super) fn of(devices: &[Json], asked: bool) -> Self {
        let any = !devices.is_empty();
        let none = match (asked, any) {
            (false, _) => Some("not asked for"),
            (true, false) => Some(NO_DEVICE),
            (true, true) => None,
        };
        let mut all = Self { none, any, right: 0, wrong: vec![], failed: vec![], share: None };
        for (at, device) in devices.iter().enumerate() {
            let name = name(at, device);
            match (asked, trouble(device)) {
                (true, _) => all.take(&name, device.get("computed")),
                (false, Some(why)) => all.failed.push(format!("{name}: {why}")),
                (false, None) => {}
            }
        }
        all
    }

    fn take(&mut self, name: &str, computed: Option<&Json>) {
        let Some(computed) = computed else {
            return self.failed.push(format!("{name}: our program did not compute on it"));
        };
        if let Some(why) = trouble(computed) {
            return self.failed.push(format!("{name}: {why}"));
        }
        let texts = |list: &Json| -> Option<Vec<String>> {
            list.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        };
        match computed.get("wrong").and_then(texts) {
            None => self.failed.push(format!("{name}: our program does not say what came of it")),
            Some(wrong) if wrong.is_empty() => self.right += 1,
            Some(wrong) => self.wrong.extend(wrong.iter().map(|what| format!("{name}: {what}"))),
        }
        if let Some(share) = computed.get("bound-used").and_then(Json::as_f64) {
            self.share = Some(self.share.map_or(share, |known| known.max(share)));
        }
    }

    /// Adds the fields.
    pub(super) fn add(self, seen: Observation) -> Observation {
        let list = |all: Vec<String>| Value::List(all.into_iter().map(Value::Text).collect());
        let absent = |why: &str| Value::Absent(why.to_owned());
        let failed = if self.any { list(self.failed) } else { absent(NO_DEVICE) };
        let share = match self.share.map(|share| Quantity::of(share * 100.0, "%")) {
            Some(Ok(share)) => Value::Quantity(share),
            Some(Err(error)) => Value::Unreadable(error.to_string()),
            None => absent("no product was computed"),
        };
        let (computed, wrong, share) = match self.none {
            None => (count(self.right), list(self.wrong), share),
            Some(NO_DEVICE) => (count(0), absent(NO_DEVICE), absent(NO_DEVICE)),
            Some(why) => (absent(why), absent(why), absent(why)),
        };
        seen.fact("computed", computed)
            .fact("wrong", wrong)
            .fact("failed", failed)
            .fact("error-share", share)
    }
}

/// Names a device by torch's number and its identity.
fn name(at: usize, device: &Json) -> String {
    match uuid(device) {
        Some(uuid) => format!("device {at} ({uuid})"),
        None => format!("device {at}"),
    }
}
