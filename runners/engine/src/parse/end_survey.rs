//! What one end of a link says of itself: route, iperf3, interface, how busy it is.
//!
//! The sections come from our script; their content is the system's own. A section that is missing
//! or empty is not known, never zero.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use verify_model::{
    evidence::{Captured, Stream},
    link::End,
};

use super::{
    netstat,
    route::{self, Route},
};

/// Holds the sections by name.
#[derive(Debug)]
pub(crate) struct Survey<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Survey<'a> {
    /// Cuts the output into its sections.
    ///
    /// *Errors*: there is none, or its end is missing; in one sentence.
    pub(crate) fn read(captured: &'a Captured) -> Result<Self, String> {
        let stdout = match captured {
            Captured::Exec { stdout: Stream { text, truncated: 0, .. }, .. } => text,
            Captured::Exec { .. } => return Err("it said more than is kept".to_owned()),
            Captured::Failed(failure) => return Err(failure.message.clone()),
            _ => return Err("no output of a program".to_owned()),
        };
        let sections = stdout.split("== ").skip(1);
        let cut = sections.map(|part| part.split_once('\n').unwrap_or((part, "")));
        let sections: BTreeMap<&str, &str> = cut.map(|(name, text)| (name, text.trim())).collect();
        if sections.contains_key("end") {
            return Ok(Self(sections));
        }
        let said = match captured {
            Captured::Exec { stderr, .. } => stderr.text.trim(),
            _ => "",
        };
        Err(format!("its answer is not whole: {said}"))
    }

    fn section(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied().filter(|text| !text.is_empty())
    }

    /// Returns the version of iperf3; `None` where it is not installed.
    ///
    /// *Errors*: it says no version.
    pub(crate) fn version(&self) -> Result<Option<&'a str>, String> {
        let Some(said) = self.section("iperf3") else { return Ok(None) };
        let version = said.strip_prefix("iperf ").and_then(|rest| rest.split_whitespace().next());
        version.map(Some).ok_or_else(|| format!("`iperf3 --version` said: {said}"))
    }

    /// Returns the way to the other end.
    ///
    /// *Errors*: it cannot be read.
    pub(crate) fn route(&self) -> Result<Route, String> {
        let exit = self.section("route-exit").and_then(|text| text.parse().ok());
        let exit = exit.ok_or("it does not say how asking for the route ended")?;
        let said = self.section("route-said").unwrap_or_default();
        match (self.section("route"), self.section("route-macos")) {
            (_, Some(text)) => route::macos(exit, text, said),
            (text, None) if self.0.contains_key("route") => {
                route::linux(exit, text.unwrap_or_default(), said)
            }
            _ if self.0.contains_key("route-macos") => route::macos(exit, "", said),
            _ => Err("it does not say what the route is".to_owned()),
        }
    }

    /// Returns the ports that are listened on.
    pub(crate) fn listening(&self) -> Vec<u16> {
        // `0100007F:1451` of Linux; `127.0.0.1.5201` and `::1.5201` of macOS.
        let port = |word: &str| match word.rsplit_once('.') {
            Some((_, decimal)) => decimal.parse().ok(),
            None => u16::from_str_radix(word.rsplit_once(':')?.1, 16).ok(),
        };
        self.section("listening").unwrap_or_default().split_whitespace().filter_map(port).collect()
    }

    /// Returns how idle the machine was. *Units*: share of all its cpus.
    ///
    /// *Errors*: it is not known.
    pub(crate) fn idle(&self) -> Result<f64, String> {
        if let Some(text) = self.section("top") {
            let line = text.lines().rev().find(|line| line.starts_with("CPU usage:"));
            let word = line.and_then(|line| {
                let (before, _) = line.split_once("% idle")?;
                before.rsplit(' ').next()?.parse::<f64>().ok()
            });
            let share = word.map(|percent| percent / 100.0);
            return share.ok_or_else(|| "`top` says nothing of idleness".to_owned());
        }
        let mut lines = self.section("cpu").unwrap_or_default().lines();
        match (lines.next(), lines.next()) {
            (Some(one), Some(other)) => Ok(1.0 - busy(one, other)?),
            _ => Err("it does not say how busy it is".to_owned()),
        }
    }

    /// Names what ran meanwhile, most first.
    pub(crate) fn ran(&self) -> Vec<String> {
        let named = |line: &str| {
            let (ticks, name) = line.split_once(' ')?;
            let ticks: u32 = ticks.parse().ok()?;
            // A tick is 10 ms, so in one second it is a percent of one cpu.
            Some(format!("{name} {ticks} %"))
        };
        self.section("ran").unwrap_or_default().lines().filter_map(named).collect()
    }

    /// Returns the largest packet of the interface. *Units*: B.
    ///
    /// *Errors*: it is not known.
    pub(crate) fn mtu(&self) -> Result<u32, String> {
        let known = match self.section("ifconfig") {
            Some(text) => text
                .split_once(" mtu ")
                .and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<u32>().ok()),
            None => self.link().and_then(|link| u32::try_from(link.get("mtu")?.as_u64()?).ok()),
        };
        known.filter(|mtu| *mtu > 0).ok_or_else(|| "the interface has no readable MTU".to_owned())
    }

    /// Returns counters of the interface by name; empty where they are not known.
    pub(crate) fn counters(&self, names: &[(&str, &str)]) -> BTreeMap<String, u64> {
        if let Some(table) = self.section("netstat") {
            return mac_counters(table, names);
        }
        let Some(link) = self.link() else { return BTreeMap::new() };
        let count =
            |side: &str, key: &str| link.pointer(&format!("/stats64/{side}/{key}"))?.as_u64();
        let known = names.iter().filter_map(|(side, key)| {
            Some((format!("{side} {}", key.replace('_', " ")), count(side, key)?))
        });
        known.collect()
    }

    fn link(&self) -> Option<Json> {
        let links: Vec<Json> = serde_json::from_str(self.section("link")?).ok()?;
        links.into_iter().find(|link| link.get("ifname").is_some())
    }
}

/// Returns what macOS counts of a link, under the names that Linux gives.
fn mac_counters(table: &str, names: &[(&str, &str)]) -> BTreeMap<String, u64> {
    let columns = [("rx errors", "Ierrs"), ("tx errors", "Oerrs"), ("tx dropped", "Drop")];
    let counted = netstat::counters(table, None).unwrap_or_default();
    let known = names.iter().filter_map(|(side, key)| {
        let name = format!("{side} {}", key.replace('_', " "));
        let (_, column) = columns.iter().find(|(ours, _)| *ours == name)?;
        let (_, value) = counted.iter().find(|(known, _)| known == column)?;
        Some((name, value.parse().ok()?))
    });
    known.collect()
}

/// What must not rise while something is transferred. *Source*: `rtnl_link_stats64`.
pub(crate) const ERRORS: &[(&str, &str)] = &[
    ("rx", "errors"),
    ("rx", "crc_errors"),
    ("rx", "frame_errors"),
    ("rx", "over_errors"),
    ("tx", "errors"),
    ("tx", "carrier_errors"),
    ("tx", "carrier_changes"),
];
/// What may rise on a healthy link: a packet of a protocol that nobody speaks is dropped, too.
pub(crate) const DROPS: &[(&str, &str)] = &[("rx", "dropped"), ("tx", "dropped")];

/// Returns the share of time that was not idle between two first lines of /proc/stat.
///
/// *Errors*: they are not such lines, or no time passed.
///
/// *Source*: `proc_stat(5)`: user nice system idle iowait irq softirq steal; guest is in user.
pub(crate) fn busy(one: &str, other: &str) -> Result<f64, String> {
    let times = |line: &str| -> Option<Vec<u64>> {
        let rest = line.strip_prefix("cpu ")?;
        rest.split_whitespace().take(8).map(|word| word.parse().ok()).collect()
    };
    let unreadable = || format!("no time of cpus: `{one}`, `{other}`");
    let (one, two) = times(one).zip(times(other)).ok_or_else(unreadable)?;
    if one.len() < 5 || one.len() != two.len() {
        return Err(unreadable());
    }
    let spent: Vec<u64> = one.iter().zip(&two).map(|(a, b)| b.saturating_sub(*a)).collect();
    let all = spent.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
    if all == 0 {
        return Err("no time passed between two looks at the cpus".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
    let share = 1.0 - (spent[3].saturating_add(spent[4])) as f64 / all as f64;
    Ok(share)
}

/// Names the kind of a way, held against what is declared: `direct` only where all fits.
pub(crate) fn kind(route: &Route, own: &End) -> &'static str {
    let other = |found: Option<&String>, wanted: Option<&String>| matches!((found, wanted), (Some(found), Some(wanted)) if found != wanted);
    match route.kind {
        "direct" if other(route.device.as_ref(), own.interface.as_ref()) => "other-interface",
        "direct" if other(route.source.as_ref(), Some(&own.address)) => "other-address",
        kind => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Captured {
        let stream = |text: &str| serde_json::json!({ "text": text });
        let exec = serde_json::json!({ "exec": {
            "exit": 0, "signal": null, "stdout": stream(text), "stderr": stream("gone"),
        } });
        serde_json::from_value(exec).unwrap()
    }

    fn whole(text: &str) -> Captured {
        said(&format!("{text}\n== end\n"))
    }

    #[test]
    fn an_answer_without_its_end_is_none() {
        for text in ["", "== listening\n", "end"] {
            assert_eq!(Survey::read(&said(text)).unwrap_err(), "its answer is not whole: gone");
        }
        Survey::read(&said("== end\n")).unwrap().mtu().unwrap_err();
    }

    #[test]
    fn ports_are_read_as_linux_and_as_macos_write_them() {
        let ports = |text: &str| Survey::read(&whole(text)).unwrap().listening();
        assert_eq!(ports("== listening\n0100007F:1451\n00000000:0016"), [5201, 22]);
        assert_eq!(ports("== listening\n*.5201\n127.0.0.1.22\n::1.631"), [5201, 22, 631]);
        assert!(ports("== listening\nsl local_address\n*.*\n:zz").is_empty());
        assert!(ports("").is_empty());
    }

    #[test]
    fn idleness_is_a_share_of_the_time_that_passed() {
        let idle = |text: &str| Survey::read(&whole(text)).unwrap().idle();
        let share = idle("== cpu\ncpu 10 0 10 100 0 0 0 0 0 0\ncpu 20 0 20 170 10 0 0 0 0 0");
        assert!((share.unwrap() - 0.8).abs() < 1e-9);
        let top = "== top\nCPU usage: 3% idle\nCPU usage: 5.0% user, 5.0% sys, 90.0% idle";
        assert!((idle(top).unwrap() - 0.9).abs() < 1e-9);
        let once = "== cpu\ncpu 1 1 1 1 1";
        let again = |line: &str| format!("{once}\n{line}");
        let short = "== cpu\ncpu 1 1 1 1\ncpu 2 2 2 2";
        let [same, more, less] = ["cpu 1 1 1 1 1", "cpu 2 2 2 2 2 2", "cpu 2 2 2 2"].map(again);
        for nothing in [once, &same, &more, &less, short, "== top\nload", ""] {
            idle(nothing).unwrap_err();
        }
    }

    #[test]
    fn an_mtu_is_above_zero_or_unknown() {
        let mtu = |text: &str| Survey::read(&whole(text)).unwrap().mtu();
        assert_eq!(mtu("== link\n[{},{\"ifname\":\"a\",\"mtu\":9000}]"), Ok(9000));
        assert_eq!(mtu("== ifconfig\nen0: flags=8863<UP> mtu 1500\n\tether"), Ok(1500));
        let zero = "== link\n[{\"ifname\":\"a\",\"mtu\":0}]";
        for unknown in [zero, "== link\n[{}]", "== ifconfig\nen0:", ""] {
            mtu(unknown).unwrap_err();
        }
    }
}
