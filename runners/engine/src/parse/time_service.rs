//! What each time service says of itself, in one form.
//!
//! Offsets are in seconds with one sign for all: above zero, the clock of the node is behind. A
//! service that follows nothing but the node's own clock (`local`, `LOCAL(0)`) is not synchronised,
//! whatever it calls itself.
//!
//! *Source*: chronyc(1), `tracking`; timedatectl(1); ntpq(1), `rv`; pmc(8).

use std::collections::BTreeMap;

use verify_model::{quantity::Quantity, value::Value};

/// Holds what one service says.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Whether it follows a source.
    pub(crate) synchronised: bool,
    /// How far the clock is behind.
    pub(crate) offset: Value,
    /// How far it is from a reference clock.
    pub(crate) stratum: Value,
    /// What it follows.
    pub(crate) reference: Value,
}

impl Claim {
    fn follows(offset: f64, unit: &str, stratum: Value, reference: &str) -> Result<Self, String> {
        let offset = Quantity::of(offset, unit).map_err(|error| error.to_string())?;
        let (offset, reference) = (Value::Quantity(offset), Value::text(reference));
        Ok(Self { synchronised: true, offset, stratum, reference })
    }

    /// Builds the claim of a service that runs and keeps nothing right.
    pub(crate) fn lost(why: &str) -> Self {
        let absent = || Value::Absent(why.to_owned());
        Self { synchronised: false, offset: absent(), stratum: absent(), reference: absent() }
    }
}

/// Reads `chronyc -c tracking` and `chronyc -c sources`. The first goes on as before when every
/// source is gone, so the second must name one that is selected and reached.
///
/// *Errors*: tracking is not one line of 14 values, or a source is not one of 10.
pub(crate) fn chrony(tracking: &str, sources: &str) -> Result<Claim, String> {
    let line = tracking.trim_end();
    let fields: Vec<&str> = line.split(',').collect();
    let wrong = || format!("expected 14 values of chronyc tracking, found `{line}`");
    let [id, name, stratum, _, offset, .., leap] = fields.as_slice() else {
        return Err(wrong());
    };
    if fields.len() != 14 {
        return Err(wrong());
    }
    match *leap {
        "Not synchronised" => return Ok(Claim::lost("chrony follows no source")),
        "Normal" | "Insert second" | "Delete second" => {}
        _ => return Err(wrong()),
    }
    let stratum = stratum.parse().ok().filter(|n| (1..16).contains(n)).ok_or_else(wrong)?;
    let offset_s = offset.parse().map_err(|_| wrong())?;
    // The reference of `local`. *Source*: `NTP_REFID_LOCAL` in chrony's `ntp.h`.
    if *id == "7F7F0101" {
        return Ok(Claim::lost("chrony follows its own clock (`local`)"));
    }
    let mut followed = false;
    for source in sources.lines() {
        let source: Vec<&str> = source.split(',').collect();
        let [_, state, _, _, _, reach, ..] = source.as_slice() else {
            return Err(format!("not a source of chrony: `{}`", source.join(",")));
        };
        followed |= *state == "*" && *reach != "0";
    }
    if !followed {
        return Ok(Claim::lost("the sources of chrony do not answer any more"));
    }
    let reference = if name.is_empty() { id } else { name };
    Claim::follows(offset_s, "s", Value::Integer(stratum), reference)
}

/// Reads the variables of the system that ntpq shows.
///
/// *Errors*: leap, stratum or offset is missing.
pub(crate) fn ntpd(text: &str) -> Result<Claim, String> {
    let pairs = text.split([',', '\n']).filter_map(|pair| pair.trim().split_once('='));
    let found: BTreeMap<&str, &str> = pairs.map(|(k, v)| (k, v.trim_matches('"'))).collect();
    let get = |key: &str| found.get(key).copied().ok_or_else(|| format!("ntpq gives no `{key}`"));
    let number = |key: &str| get(key)?.parse::<i64>().map_err(|_| format!("`{key}` is no number"));
    let (leap, stratum, reference) = (get("leap")?, number("stratum")?, get("refid")?);
    if !matches!(leap, "00" | "01" | "10" | "11") {
        return Err(format!("ntpq gives the leap status `{leap}`"));
    }
    // The status word: the source was lost, though leap and stratum stand as before.
    if leap == "11" || !(1..16).contains(&stratum) || text.contains("sync_unspec") {
        return Ok(Claim::lost("ntpd follows no source"));
    }
    if ["127.127.1.", "LOCAL(", "LOCL"].iter().any(|start| reference.starts_with(start)) {
        return Ok(Claim::lost("ntpd follows its own clock"));
    }
    let offset_ms = get("offset")?.parse().map_err(|_| "`offset` is no number".to_owned())?;
    Claim::follows(offset_ms, "ms", Value::Integer(stratum), reference)
}

/// Reads `timedatectl timesync-status`. The service goes on showing its last answer when its
/// server is gone: whether it still counts is for the kernel's flag to say.
///
/// *Errors*: it is not such a status.
pub(crate) fn timesyncd(text: &str) -> Result<Claim, String> {
    let pairs = text.lines().filter_map(|line| line.trim().split_once(": "));
    let found: BTreeMap<&str, &str> = pairs.collect();
    let get = |key: &str| {
        found.get(key).copied().ok_or_else(|| format!("timesync-status gives no `{key}`"))
    };
    let packets: u64 =
        get("Packet count")?.parse().map_err(|_| "no count of packets".to_owned())?;
    if packets == 0 {
        return Ok(Claim::lost("systemd-timesyncd has had no answer"));
    }
    let stratum = get("Stratum")?.parse().ok().filter(|n| (0..=16).contains(n));
    let stratum: i64 = stratum.ok_or_else(|| "the stratum is no number".to_owned())?;
    if get("Leap")?.starts_with("not ") || !(1..16).contains(&stratum) {
        return Ok(Claim::lost("the server of systemd-timesyncd is not synchronised"));
    }
    let offset = get("Offset")?;
    let offset_s = timespan_s(offset).ok_or_else(|| format!("`{offset}` is not an offset"))?;
    Claim::follows(offset_s, "s", Value::Integer(stratum), get("Server")?)
}

/// Reads a time span such as `-1min 2.5s`. *Units*: s. *Source*: systemd.time(7).
fn timespan_s(text: &str) -> Option<f64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if text == "0" {
        return Some(0.0);
    }
    let mut total_s = 0.0;
    for part in text.split(' ') {
        let unit = part.find(|c: char| c.is_ascii_alphabetic())?;
        let scale = match &part[unit..] {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total_s += part[..unit].parse::<f64>().ok().filter(|n| *n >= 0.0)? * scale;
    }
    Some(sign * total_s)
}

/// Reads what pmc got from ptp4l, with how packets are stamped; `None` where nobody answered.
///
/// *Errors*: an answer lacks what it should hold.
pub(crate) fn ptp4l(text: &str) -> Result<Option<(Claim, Option<&str>)>, String> {
    let mut answers = text.split("RESPONSE MANAGEMENT ");
    // pmc names what it sends and then waits; nothing else means that it did not get so far.
    let sent = answers.next().is_some_and(|head| head.contains("sending: GET"));
    let answers: Vec<&str> = answers.collect();
    match (answers.is_empty(), sent) {
        (true, true) => return Ok(None),
        (true, false) => return Err("pmc says nothing".to_owned()),
        _ => {}
    }
    // One answer a port, so there can be several of a name.
    let values = |answer: &str, key: &str| -> Vec<&str> {
        let named = answers.iter().filter(|text| text.trim_start().starts_with(answer));
        let lines = named.flat_map(|text| text.lines()).map(str::trim);
        let pairs = lines.filter_map(|line| line.split_once(' '));
        pairs.filter(|(name, _)| *name == key).map(|(_, value)| value.trim()).collect()
    };
    let one = |key: &str| {
        let found = values("TIME_STATUS_NP", key).into_iter().next();
        found.ok_or_else(|| format!("ptp4l gives no `{key}`"))
    };
    let stamping = values("PORT_PROPERTIES_NP", "timestamping").into_iter().next();
    let states = values("PORT_DATA_SET", "portState");
    if states.is_empty() {
        return Err("ptp4l gives no `portState`".to_owned());
    }
    let present = match one("gmPresent")? {
        "true" => true,
        "false" => false,
        other => return Err(format!("ptp4l gives gmPresent `{other}`")),
    };
    if !present || !states.contains(&"SLAVE") {
        let why = format!("ptp4l follows no master: its ports are {}", states.join(", "));
        return Ok(Some((Claim::lost(&why), stamping)));
    }
    let ahead_ns: f64 = one("master_offset")?.parse().map_err(|_| "no offset".to_owned())?;
    let stratum = Value::Absent("PTP has no strata".to_owned());
    let claim = Claim::follows(-ahead_ns, "ns", stratum, one("gmIdentity")?)?;
    Ok(Some((claim, stamping)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_read_whole_or_not_at_all() {
        for (text, seconds) in
            [("+1.5ms", 0.0015), ("-12us", -12e-6), ("0", 0.0), ("+1min 2s", 62.0), ("-0", 0.0)]
        {
            assert!((timespan_s(text).unwrap() - seconds).abs() < 1e-12, "{text}");
        }
        for bad in ["", "1", "1parsec", "+-1s", "nans", "1s x"] {
            assert!(timespan_s(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_service_that_follows_its_own_clock_is_not_synchronised() {
        let local = "7F7F0101,,10,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Normal\n";
        assert!(!chrony(local, "^,*,192.0.2.1,1,6,377,1,0,0,0\n").unwrap().synchronised);
        let rv = "leap=00, stratum=6,\nrefid=LOCAL(0), offset=0.000,";
        assert!(!ntpd(rv).unwrap().synchronised);
        let rv = rv.replace("LOCAL(0)", "192.0.2.1").replace("0.000", "-1.5");
        let claim = ntpd(&rv).unwrap();
        assert!(claim.synchronised && claim.offset.to_string() == "-1.5 ms");
        assert!(!ntpd(&format!("status=c016 leap_none, sync_unspec,\n{rv}")).unwrap().synchronised);
        assert!(chrony("Normal\n", "").is_err() && ntpd("stratum=1").is_err());
    }

    #[test]
    fn chrony_without_a_source_that_answers_is_not_synchronised() {
        let tracking = "C0000201,192.0.2.1,2,1.0,0.5,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Normal\n";
        let with = |sources: &str| chrony(tracking, sources).map(|claim| claim.synchronised);
        assert_eq!(with("^,-,192.0.2.9,1,6,377,1,0,0,0\n^,*,192.0.2.1,1,6,17,1,0,0,0\n"), Ok(true));
        assert_eq!(with("^,?,192.0.2.1,1,6,0,900,0,0,0\n"), Ok(false));
        assert_eq!(with("^,*,192.0.2.1,1,6,0,900,0,0,0\n"), Ok(false));
        assert_eq!(with(""), Ok(false));
        assert!(with("506 Cannot talk to daemon\n").is_err());
    }
}
