//! Which version a trtexec is: the number in its first line, which every run begins with.
//!
//! `[TensorRT v8601]` is 8.6.1, `[TensorRT v101302]` 10.13.2: from 10 on, minor and patch have two
//! digits each. Before 8.2 the line has no number, and such a trtexec is not known.
//!
//! *Source*: NVIDIA/TensorRT, include/NvInferVersion.h and samples/common/logging.h.

use std::fmt;

/// Holds a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// Reads the version out of what trtexec prints.
    pub(super) fn said(text: &str) -> Option<Self> {
        let mut places = text.lines().filter_map(|line| line.split_once("[TensorRT v"));
        let (_, rest) = places.next()?;
        let number = rest.split_once(']')?.0;
        if number.contains('.') {
            let mut parts = number.split('.').map(|part| part.parse().ok());
            return Self::sensible(parts.next()??, parts.next()??, parts.next()??);
        }
        match number.parse::<u32>().ok()? {
            // Two digits for minor and patch.
            number @ 100_000..=999_999 => {
                Self::sensible(number / 10_000, number / 100 % 100, number % 100)
            }
            number @ 1_000..=9_999 => {
                Self::sensible(number / 1_000, number / 100 % 10, number % 100)
            }
            _ => None,
        }
    }

    fn sensible(major: u32, minor: u32, patch: u32) -> Option<Self> {
        (8..100).contains(&major).then_some(Self { major, minor, patch })
    }

    /// Tells whether the times of the warm-up are exported as well.
    pub(super) fn exports_warm_up(self) -> bool {
        (self.major, self.minor) < (8, 5)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(number: &str) -> Option<String> {
        let text =
            format!("\n&&&& RUNNING TensorRT.trtexec [TensorRT v{number}] [b17] # trtexec\n");
        Version::said(&text).map(|version| version.to_string())
    }

    #[test]
    fn both_ways_of_counting_are_read() {
        for (number, expected) in [
            ("8201", "8.2.1"),
            ("8401", "8.4.1"),
            ("8601", "8.6.1"),
            ("9300", "9.3.0"),
            ("100000", "10.0.0"),
            ("100300", "10.3.0"),
            ("101302", "10.13.2"),
            ("110100", "11.1.0"),
            ("11.1.0.106", "11.1.0"),
        ] {
            assert_eq!(read(number).as_deref(), Some(expected), "{number}");
        }
    }

    #[test]
    fn what_is_no_version_is_not_guessed_at() {
        for number in ["", "x", "0", "7203", "12345", "999999999999", "-8601", "10.x.1", "10.1"] {
            assert_eq!(read(number), None, "{number}");
        }
        // Before 8.2.
        assert_eq!(Version::said("&&&& RUNNING TensorRT.trtexec # trtexec --help"), None);
        assert_eq!(Version::said("TensorRT v8601"), None);
        assert_eq!(Version::said("[TensorRT v8601"), None);
    }

    #[test]
    fn the_warm_up_is_exported_up_to_8_4() {
        let exports = |number: &str| {
            Version::said(&format!("[TensorRT v{number}]")).unwrap().exports_warm_up()
        };
        assert!(exports("8201") && exports("8403"));
        assert!(!exports("8501") && !exports("100000") && !exports("110000"));
    }
}
