//! How tool and driver versions compare.
//!
//! Versions in the field are not `SemVer` (`550.54.14`, `6.1.0-37-amd64`, `12.2.0-14+deb12u1`), so
//! only the leading dotted numbers count; a missing part is zero. Suffixes are shown, never compared.

use std::{cmp::Ordering, fmt, str::FromStr};

/// Holds the leading dotted numbers of a version text.
#[derive(Clone, Debug)]
pub struct Version(Vec<u64>);

impl Version {
    /// Reads a version from the start of a text, a leading `v` allowed; `None` without a digit.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let parts: Result<Vec<u64>, _> =
            text[..end].trim_end_matches('.').split('.').map(str::parse).collect();
        parts.ok().map(Self)
    }
}

/// Equal as they compare: `6.1` and `6.1.0` are one version.
impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.0.len().max(other.0.len());
        let part = |v: &Self, i: usize| v.0.get(i).copied().unwrap_or(0);
        (0..length)
            .map(|i| part(self, i).cmp(&part(other, i)))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// Holds comma-separated conditions that must all hold, such as `>= 14, < 16`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionReq(Vec<(Op, Version)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    AtLeast,
    AtMost,
    Above,
    Below,
    Equal,
}

const OPS: [(&str, Op); 5] =
    [(">=", Op::AtLeast), ("<=", Op::AtMost), (">", Op::Above), ("<", Op::Below), ("=", Op::Equal)];

impl VersionReq {
    /// Tells whether a version meets every condition; `= 14` accepts `14.2` (given parts only).
    pub fn accepts(&self, version: &Version) -> bool {
        self.0.iter().all(|(op, wanted)| {
            let order = version.cmp(wanted);
            match op {
                Op::AtLeast => order.is_ge(),
                Op::AtMost => order.is_le(),
                Op::Above => order.is_gt(),
                Op::Below => order.is_lt(),
                Op::Equal => version.0.starts_with(&wanted.0) || order.is_eq(),
            }
        })
    }
}

impl FromStr for VersionReq {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let conditions = text.split(',').map(|part| {
            let part = part.trim();
            let (op, rest) = OPS
                .iter()
                .find_map(|(sign, op)| part.strip_prefix(sign).map(|rest| (*op, rest)))
                .unwrap_or((Op::Equal, part));
            let wrong = || {
                format!("expected a condition such as `>= 14` or `>= 12.4, < 13`, found `{part}`")
            };
            let digits_only = rest.trim().chars().all(|c| c.is_ascii_digit() || c == '.');
            let version = Version::parse(rest).filter(|_| digits_only).ok_or_else(wrong)?;
            Ok((op, version))
        });
        conditions.collect::<Result<Vec<_>, String>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_numbers_not_by_letters() {
        let version = |t: &str| Version::parse(t).unwrap();
        assert!(version("14.10") > version("14.9.9"));
        assert!(version("6.1.0-37-amd64") == version("6.1.0"));
        assert_eq!(version("14"), version("14.0"));
        assert_ne!(version("14"), version("14.1"));
        assert!(Version::parse("none").is_none());
        assert!(Version::parse("").is_none());
    }

    #[test]
    fn requirements_state_ranges_and_bad_ones_are_refused() {
        let req: VersionReq = ">= 14, < 16".parse().unwrap();
        assert!(req.accepts(&Version::parse("15.2.0").unwrap()));
        assert!(!req.accepts(&Version::parse("12.2.0").unwrap()));
        assert!("= 14".parse::<VersionReq>().unwrap().accepts(&Version::parse("14.2").unwrap()));
        for bad in ["", ">= ", "newer", ">= 14-rc1", "1..2"] {
            assert!(bad.parse::<VersionReq>().is_err(), "{bad}");
        }
    }
}
