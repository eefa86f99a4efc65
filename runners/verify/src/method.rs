//! How a probe that loads the machine measures, and how its numbers mislead: from the page `METHOD.md`.
//!
//! The page stands beside the instruments and is part of the binary, so that the binary alone tells
//! it. A section carries the name of its probe; what comes before its first heading is the short form.

use verify_instruments::METHOD;

/// Returns the section of a probe; `None` where it has none.
pub(crate) fn whole(probe: &str) -> Option<&'static str> {
    let found = sections().find(|(name, _)| *name == probe);
    found.map(|(_, text)| text)
}

/// Returns the first part of a probe's section: what is measured, and what misleads.
pub(crate) fn short(probe: &str) -> Option<&'static str> {
    let text = whole(probe)?;
    Some(text.split("\n### ").next().unwrap_or(text).trim())
}

fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = METHOD.split("\n## ").skip(1);
    parts.filter_map(|part| part.split_once('\n')).map(|(name, text)| (name, text.trim()))
}

#[cfg(test)]
mod tests {
    use verify_engine::{probe::ProbeSpec, probes::PROBES};
    use verify_model::effect::Effect;

    use super::*;

    fn loading() -> impl Iterator<Item = &'static ProbeSpec> {
        PROBES.iter().map(|probe| probe.spec()).filter(|spec| spec.effect == Effect::Loads)
    }

    #[test]
    fn every_probe_that_loads_says_how_it_measures_and_what_misleads() {
        assert!(loading().count() > 0);
        for spec in loading() {
            let text = short(spec.name).unwrap_or_else(|| panic!("METHOD.md lacks {}", spec.name));
            let (measured, misleads) = text.split_once("\n\nMisleads:\n\n- ").unwrap_or_default();
            assert!(measured.starts_with("Measured: "), "{}: {text}", spec.name);
            assert!(misleads.contains("\n- ") && !text.contains('#'), "{}: {text}", spec.name);
            assert!(whole(spec.name).unwrap().contains("*Source*:"), "{} has no source", spec.name);
        }
    }

    #[test]
    fn every_section_belongs_to_a_probe_that_loads() {
        for (name, _) in sections() {
            assert!(loading().any(|spec| spec.name == name), "METHOD.md explains `{name}`");
        }
        assert_eq!(short("sysctl"), None);
    }
}
