//! Answers what a kernel parameter under `/proc/sys` is set to.
//!
//! Reads the file, never the `sysctl` program: it is there on every Linux and needs no rights.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::{FieldKind, FieldSpec},
    node::Facts,
    observation::{AttemptError, Observation},
};

use crate::{
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, value_of},
    scalar,
};

pub(super) struct Sysctl;

static SPEC: ProbeSpec = ProbeSpec {
    name: "sysctl",
    summary: "What a kernel parameter is set to.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "key",
            kind: ParamKind::Text,
            required: true,
            doc: "Name, such as `vm.swappiness`; a dot within a part is written as a slash.",
        },
        scalar::AS,
        scalar::UNIT,
    ],
    fields: &[FieldSpec {
        path: "value",
        kind: || FieldKind::Any,
        doc: "The value; its kind follows `as` and `unit`.",
        source: "/proc/sys",
    }],
    example: r#"with = { key = "vm.swappiness", as = "integer" }
expect = { value = { at-most = 10 } }"#,
};

impl Probe for Sysctl {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        scalar::usable(with)?;
        let key = with.required("key")?;
        let path = below_proc_sys(key);
        let named = |c: char| c.is_ascii_alphanumeric() || "._-@:".contains(c);
        let part = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(named);
        if !path.split('/').all(part) {
            return Err(format!("`{key}` is not the name of a kernel parameter"));
        }
        Ok(vec![Ask::file(format!("/proc/sys/{path}"))])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let value = value_of(evidence[0], |text| scalar::parse(with, text));
        Ok(Observation::default().fact("value", value))
    }

    fn kind(&self, _field: &FieldSpec, with: With<'_>) -> FieldKind {
        scalar::kind(with)
    }
}

/// Turns a name into a path as sysctl(8) does: where a dot stands first, dots and slashes swap
/// places, so that `net.ipv4.conf.eth0/100.rp_filter` names the interface `eth0.100`.
fn below_proc_sys(key: &str) -> String {
    if key.find(['.', '/']).is_some_and(|at| key[at..].starts_with('/')) {
        return key.to_owned();
    }
    let swapped = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    key.chars().map(swapped).collect()
}

#[cfg(test)]
mod tests {
    use verify_model::{check::Params, matcher::Literal};

    use super::*;

    fn asked(key: &str) -> Result<Vec<Ask>, String> {
        let params = Params::from([("key".to_owned(), Literal::Text(key.to_owned()))]);
        Sysctl.asks(With(&params), &Facts::default())
    }

    #[test]
    fn a_name_becomes_a_path_as_sysctl_does_it() {
        for (key, path) in [
            ("vm.swappiness", "/proc/sys/vm/swappiness"),
            ("kernel/hostname", "/proc/sys/kernel/hostname"),
            ("net.ipv4.conf.eth0/100.rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
            ("net/ipv4/conf/eth0.100/rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
        ] {
            assert_eq!(asked(key), Ok(vec![Ask::file(path)]), "{key}");
        }
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        for bad in [
            "",
            ".",
            "..",
            "/",
            "/etc/passwd",
            "vm..x",
            "a/../b",
            "vm.//.x",
            "vm.",
            "vm/./x",
            "vm.swap piness",
            "vm.*",
            "vm\0",
        ] {
            assert!(asked(bad).is_err(), "{bad}");
        }
    }
}
