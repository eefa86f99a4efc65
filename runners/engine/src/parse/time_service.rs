//! What each time service says of itself, in one form.
//!
//! Offsets are in seconds with one sign for all: above zero, the clock of the node is behind. A
//! service that follows nothing but the node's own clock (`local`, `LOCAL(0)`) is not synchronised,
//! whatever it calls itself.
//!
//! *Source*: chronyc(1), `tracking`; busctl(1); ntpq(1), `rv`; pmc(8).

use std::{collections::BTreeMap, net::IpAddr};

use serde::Deserialize;
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

/// Holds the answer to `GetAll`, which returns one map of properties.
#[derive(Deserialize)]
struct Properties {
    data: (Timesyncd,),
}

#[derive(Deserialize)]
struct Timesyncd {
    #[serde(rename = "NTPMessage")]
    answer: Property<Answer>,
    #[serde(rename = "ServerName")]
    name: Property<String>,
    #[serde(rename = "ServerAddress")]
    address: Property<(i32, Vec<u8>)>,
}

#[derive(Deserialize)]
struct Property<T> {
    #[serde(rename = "type")]
    kind: String,
    data: T,
}

/// Holds the last answer of the server. JSON gives a list, so the order of the fields counts.
#[derive(Deserialize)]
struct Answer {
    leap: u32,
    _version: u32,
    _mode: u32,
    stratum: i64,
    _precision: i32,
    _root_delay_us: u64,
    _root_dispersion_us: u64,
    _reference: Vec<u8>,
    origin_us: u64,
    receive_us: u64,
    transmit_us: u64,
    destination_us: u64,
    // An outlier, which did not steer the clock. It counts here all the same, as in timedatectl:
    // the service takes none for one that is off by more than its round trip.
    _ignored: bool,
    packets: u64,
    _jitter_us: u64,
}

/// The types of [`Answer`] in the notation of D-Bus.
const ANSWER: &str = "(uuuuittayttttbtt)";

/// Reads what `busctl --json=short call` returns for `GetAll` of `org.freedesktop.timesync1`. The
/// service goes on showing its last answer when its server is gone: whether it still counts is for
/// the kernel's flag to say.
///
/// *Errors*: it is not such a reply.
pub(crate) fn timesyncd(text: &str) -> Result<Claim, String> {
    let Properties { data: (timesyncd,) } =
        serde_json::from_str(text).map_err(|error| format!("not a reply of busctl: {error}"))?;
    let Timesyncd { answer: Property { kind, data: answer }, name, address } = timesyncd;
    if kind != ANSWER {
        return Err(format!("NTPMessage is of the type `{kind}`, not `{ANSWER}`"));
    }
    let Some(server) = server(&name.data, &address.data.1)? else {
        return Ok(Claim::lost("systemd-timesyncd has no server"));
    };
    match answer.leap {
        _ if answer.packets == 0 => {
            return Ok(Claim::lost("systemd-timesyncd has had no answer"));
        }
        0..=2 if (1..16).contains(&answer.stratum) => {}
        0..=3 => {
            return Ok(Claim::lost("the server of systemd-timesyncd is not synchronised"));
        }
        leap => return Err(format!("NTPMessage gives the leap status {leap}")),
    }
    let offset_us = answer.offset_us().ok_or("the times in NTPMessage are not all there")?;
    Claim::follows(offset_us / 1e3, "ms", Value::Integer(answer.stratum), &server)
}

impl Answer {
    /// Returns how far the clock is behind. *Units*: us. *Source*: RFC 5905, section 8.
    #[expect(clippy::cast_precision_loss, reason = "2^53 us are 285 years")]
    fn offset_us(&self) -> Option<f64> {
        // Zero, or below zero and wrapped around, is a time that was never set.
        let times_us = [self.receive_us, self.origin_us, self.transmit_us, self.destination_us];
        let set = |us: u64| i64::try_from(us).ok().filter(|us| *us > 0).map(i128::from);
        let [Some(receive), Some(origin), Some(transmit), Some(destination)] = times_us.map(set)
        else {
            return None;
        };
        Some(((receive - origin) + (transmit - destination)) as f64 / 2.0)
    }
}

/// Names the server as timedatectl does, by address and name.
///
/// *Errors*: the address is of no known length.
fn server(name: &str, address: &[u8]) -> Result<Option<String>, String> {
    let address: IpAddr = match address.len() {
        0 if name.is_empty() => return Ok(None),
        0 => return Ok(Some(name.to_owned())),
        4 => <[u8; 4]>::try_from(address).map_err(|error| error.to_string())?.into(),
        16 => <[u8; 16]>::try_from(address).map_err(|error| error.to_string())?.into(),
        other => return Err(format!("ServerAddress has {other} bytes")),
    };
    let address = address.to_string();
    let alone = name.is_empty() || name == address;
    Ok(Some(if alone { address } else { format!("{address} ({name})") }))
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
    fn a_pmc_that_got_no_answer_and_one_that_says_nothing_are_two_things() {
        assert_eq!(ptp4l("sending: GET PORT_DATA_SET\n").unwrap().map(|_| ()), None);
        for nothing in ["", "pmc: command not found\n"] {
            assert_eq!(ptp4l(nothing).map(|_| ()).unwrap_err(), "pmc says nothing");
        }
    }

    #[test]
    fn a_reply_of_timesyncd_is_read_whole_or_not_at_all() {
        let reply = |answer: &str, server: &str| {
            let kind = ANSWER;
            timesyncd(&format!(
                r#"{{"type":"a{{sv}}","data":[{{{server},"NTPMessage":{{"type":"{kind}","data":[{answer}]}}}}]}}"#
            ))
        };
        let server = r#""ServerName":{"type":"s","data":"ntp.example.com"},
            "ServerAddress":{"type":"(iay)","data":[2,[192,0,2,1]]}"#;
        let good = "0,4,4,2,-20,3906,7812,[192,0,2,1],1000000,1002000,1002010,1000030,false,1,0";
        let claim = reply(good, server).unwrap();
        assert!(claim.synchronised && claim.offset.to_string() == "1.99 ms", "{claim:?}");
        assert_eq!(claim.reference.to_string(), "192.0.2.1 (ntp.example.com)");
        let v6 = server.replace("2,[192,0,2,1]", "10,[32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1]");
        let claim = reply(good, &v6).unwrap();
        assert_eq!(claim.reference.to_string(), "2001:db8::1 (ntp.example.com)");

        let none = server.replace("ntp.example.com", "").replace("192,0,2,1", "");
        let lost = |answer: &str, server: &str| !reply(answer, server).unwrap().synchronised;
        assert!(lost(good, &none));
        assert!(lost(&good.replace("false,1,", "false,0,"), server));
        assert!(lost(&good.replacen('0', "3", 1), server));
        assert!(lost(&good.replace("4,4,2", "4,4,0"), server));
        assert!(lost(&good.replace("4,4,2", "4,4,16"), server));

        let unset = "18444535084909551616";
        for bad in [
            good.replacen('0', "4", 1),
            good.replace("1002000", "0"),
            good.replace("1002010", unset),
            good.replace(",false", ""),
            format!("{good},0"),
        ] {
            assert!(reply(&bad, server).is_err(), "{bad}");
        }
        assert!(reply(good, &server.replace("192,0,2,1", "192,0,2")).is_err());
        assert!(reply(good, r#""ServerName":{"type":"s","data":"x"}"#).is_err());
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
