//! Whether a build of torch holds code that a device can run.
//!
//! Binary code for `sm_XY` runs on devices of the same major version X whose minor version is at
//! least Y: a 3090 (8.6) runs `sm_80` and `sm_86`, not `sm_89` or `sm_90`. PTX (`compute_XY`) is
//! assembled by the driver for any device of at least X.Y. Code with the suffix `a` runs on that
//! version alone, its PTX as well; `f` stays within the major version.
//! *Source*: CUDA C++ Programming Guide, binary compatibility, PTX compatibility, family-specific
//! features.

/// Compute capability of a device: major and minor version.
pub(super) type Capability = (i64, i64);

/// Tells whether any of the architectures serves the device.
pub(super) fn served<'a>(device: Capability, mut build: impl Iterator<Item = &'a str>) -> bool {
    build.any(|architecture| runs(device, architecture))
}

fn runs((major, minor): Capability, architecture: &str) -> bool {
    let Some((form, version)) = architecture.split_once('_') else { return false };
    let digits = version.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let suffix = &version[digits.len()..];
    // The last digit is the minor version: 120 is 12.0.
    let number: Option<i64> = digits.parse().ok().filter(|number| (10..1000).contains(number));
    let Some(number) = number else { return false };
    let (built_major, built_minor) = (number / 10, number % 10);
    let same = major == built_major && minor == built_minor;
    let family = major == built_major && minor >= built_minor;
    match (form, suffix) {
        ("sm" | "compute", "a") => same,
        ("sm", "" | "f") | ("compute", "f") => family,
        ("compute", "") => (major, minor) >= (built_major, built_minor),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_3090_runs_code_of_its_major_version_up_to_its_minor_and_older_ptx() {
        let card = (8, 6);
        for good in ["sm_80", "sm_86", "compute_86", "compute_75", "compute_52"] {
            assert!(served(card, [good].into_iter()), "{good}");
        }
        for bad in
            ["sm_75", "sm_87", "sm_89", "sm_90", "compute_89", "sm_90a", "gfx1100", "sm_", "8.6"]
        {
            assert!(!served(card, [bad].into_iter()), "{bad}");
        }
        assert!(!served(card, std::iter::empty()));
        assert!(served((12, 0), ["sm_120"].into_iter()));
        assert!(!served((10, 3), ["sm_100a", "compute_100a"].into_iter()));
        assert!(served((10, 3), ["sm_100f"].into_iter()));
    }
}
