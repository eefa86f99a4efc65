//! A known failure that people have agreed to live with until a day.
//!
//! One may name the hardware that it is about. It holds while the machine is that machine: a field that
//! differs or that nobody knows ends it, and so does one card of several that is another one. Days
//! are counted from the start of the run, never from now.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{check::Location, fingerprint::Fingerprint};

/// Holds one waiver. A waiver without reason, owner or expiry does not load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Waiver {
    /// Node it holds on.
    pub node: String,
    /// Check that it excuses.
    pub check: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Last day on which it holds, as `YYYY-MM-DD`.
    pub expires: String,
    /// Whether an unexpected pass is a failure.
    #[serde(default)]
    pub strict: bool,
    /// Hardware that it is about: values of fields of the fingerprint, `*` stands for any part of
    /// both.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub only: BTreeMap<String, String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

impl Waiver {
    /// Tells whether it holds on a day, written as `YYYY-MM-DD`.
    pub fn holds_on(&self, day: &str) -> bool {
        // Days in this spelling compare as texts; the loader accepts no other one.
        self.expires.as_str() >= day
    }

    /// Counts the days from one until it ends: 0 on its last one, negative where it has expired.
    pub fn days_left(&self, day: &str) -> Option<i64> {
        Some(day_number(&self.expires)? - day_number(day)?)
    }

    /// Tells whether a machine is the one that is meant.
    ///
    /// *Errors*: the first field that is another one or is not known, in words.
    pub fn meets(&self, machine: &Fingerprint) -> Result<(), String> {
        for (path, named) in &self.only {
            let mut fields = machine.0.iter().filter(|(known, _)| fits(path, known)).peekable();
            if fields.peek().is_none() {
                return Err(format!("{path} is not known, it names {named}"));
            }
            for (path, value) in fields {
                match value {
                    Some(value) if fits(named, value) => {}
                    Some(value) => return Err(format!("{path} is {value}, it names {named}")),
                    None => return Err(format!("{path} is not known, it names {named}")),
                }
            }
        }
        Ok(())
    }

    /// Says which hardware it is about; nothing where it is about any.
    pub fn scope(&self) -> Option<String> {
        let fields = self.only.iter().map(|(path, named)| format!("{path} is {named}"));
        let fields: Vec<String> = fields.collect();
        (!fields.is_empty()).then(|| fields.join(" and "))
    }
}

/// Tells whether a text is as a pattern says, in which `*` stands for any part.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(tail)
}

/// Numbers a day of the Gregorian calendar, written as `YYYY-MM-DD`.
fn day_number(day: &str) -> Option<i64> {
    let mut parts = day.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    // Counted from March, the day that leap years add is the last one.
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year.checked_mul(365)?.checked_add(leaps + (153 * month.clamp(0, 11) + 2) / 5)?.checked_add(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(expires: &str, only: &[(&str, &str)]) -> Waiver {
        let only = only.iter().map(|(path, value)| ((*path).into(), (*value).into())).collect();
        Waiver {
            node: "n".into(),
            check: "a/b".into(),
            reason: "r".into(),
            owner: "o".into(),
            expires: expires.into(),
            strict: false,
            only,
            location: None,
        }
    }

    #[test]
    fn days_are_counted_over_months_years_and_leap_days() {
        for (expires, day, left) in [
            ("2026-12-31", "2026-12-31", Some(0)),
            ("2027-01-01", "2026-12-31", Some(1)),
            ("2028-03-01", "2028-02-28", Some(2)),
            ("2026-03-01", "2026-02-28", Some(1)),
            ("2100-03-01", "2100-02-28", Some(1)),
            ("2000-03-01", "2000-02-28", Some(2)),
            ("2020-01-01", "2026-11-28", Some(-2523)),
            ("9999-12-31", "2026-11-28", Some(2_912_111)),
            ("soon", "2026-11-28", None),
            ("2026-11-28", "", None),
        ] {
            assert_eq!(until(expires, &[]).days_left(day), left, "{expires} {day}");
        }
    }

    #[test]
    fn a_star_stands_for_any_part() {
        for (pattern, text, fit) in [
            ("94.02*", "94.02.71.40.72", true),
            ("94.02*", "94.03", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("gpu.*.vbios", "gpu.0000:21:00.0.vbios", true),
            ("gpu.*.vbios", "gpu.0000:21:00.0.uuid", false),
            ("2.0", "2.0.1", false),
            ("é*", "é", true),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }

    #[test]
    fn it_holds_only_where_every_field_that_it_names_is_known_and_the_same() {
        let machine = |fields: &[(&str, Option<&str>)]| {
            let field = |(path, value): &(&str, Option<&str>)| {
                ((*path).to_owned(), value.map(str::to_owned))
            };
            Fingerprint(fields.iter().map(field).collect())
        };
        let cards = until("2026-12-31", &[("gpu.*.vbios", "94.02*")]);
        let both = [
            ("gpu.0000:21:00.0.vbios", Some("94.02.1")),
            ("gpu.0000:4b:00.0.vbios", Some("94.02.2")),
        ];
        assert_eq!(cards.meets(&machine(&both)), Ok(()));
        let other = [both[0], ("gpu.0000:4b:00.0.vbios", Some("95.0"))];
        let why = cards.meets(&machine(&other)).unwrap_err();
        assert_eq!(why, "gpu.0000:4b:00.0.vbios is 95.0, it names 94.02*");
        let unknown = [both[0], ("gpu.0000:4b:00.0.vbios", None)];
        assert!(cards.meets(&machine(&unknown)).unwrap_err().contains("is not known"));
        assert!(cards.meets(&machine(&[])).unwrap_err().contains("gpu.*.vbios is not known"));
        assert_eq!(until("2026-12-31", &[]).meets(&machine(&[])), Ok(()));
    }
}
