//! What iperf3 prints with `-J`, client and server, in every version from 3.9 on.
//!
//! The exit status decides nothing: 3.12 ends with 0 on errors, 3.19 on signals. A result counts
//! only where it is whole: one object, no error, received bytes, the time that was asked for, all
//! intervals. Keys are looked up by name, since buffers stand twice in it with several streams and
//! new ones come with each version. *Source*: outputs of 3.9 to 3.21.

use serde_json::{Deserializer, Value as Json};
use verify_model::{finding::FindingCode, link::Transfer};

/// Shortest interval that counts; the last one may be a few ms long. *Units*: s.
const SHORT_S: f64 = 0.1;
/// Shortest interval that can show that nothing came. *Units*: s.
const WHOLE_S: f64 = 0.5;
/// How far the measured time may be from the one asked for.
const TIME: std::ops::RangeInclusive<f64> = 0.9..=1.2;

/// Holds one interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    /// Start and end. *Units*: s.
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// *Units*: bit/s.
    pub(crate) rate: f64,
}

impl Interval {
    pub(crate) fn is_zero(&self) -> bool {
        self.rate <= 0.0 && self.end - self.start >= WHOLE_S
    }
}

/// Holds a whole result, as the client tells it.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) cookie: Option<String>,
    /// What arrived, over the whole time. *Units*: bit/s.
    pub(crate) received: f64,
    /// *Units*: B.
    pub(crate) received_bytes: f64,
    pub(crate) retransmits: Option<u64>,
    pub(crate) intervals: Vec<Interval>,
    /// Share of one cpu that the processes took: client, server. *Units*: %.
    pub(crate) cpu: [Option<f64>; 2],
    pub(crate) congestion: Option<String>,
}

/// Holds what the server tells.
#[derive(Debug, PartialEq)]
pub(crate) struct Served {
    pub(crate) cookie: Option<String>,
    /// What it received; 0 where it sends. *Units*: B.
    pub(crate) received_bytes: f64,
    pub(crate) intervals: Vec<Interval>,
}

/// Why there is no result.
pub(crate) type Trouble = (FindingCode, String);

/// Reads what a client printed.
///
/// *Errors*: it is no whole result of what was asked for.
pub(crate) fn client(
    stdout: &str,
    stderr: &str,
    asked: Transfer,
    seconds: u32,
) -> Result<Told, Trouble> {
    let json = object(stdout, stderr)?;
    if let Some(said) = json.get("error") {
        let said = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
        return Err((FindingCode::ProgramFailed, format!("iperf3: {said}")));
    }
    let unreadable = |why: String| (FindingCode::OutputUnreadable, format!("iperf3: {why}"));
    let number = |at: &str| json.pointer(at).and_then(Json::as_f64);
    let Some(received_bytes) = number("/end/sum_received/bytes") else {
        // 3.9 says neither `error` nor anything at the end.
        let said = last_line(stderr);
        let why = if said.is_empty() { "it does not say why" } else { said };
        let why = format!("iperf3 ended without a result: {why}");
        return Err((FindingCode::ProgramFailed, why));
    };
    if received_bytes <= 0.0 {
        let why = "iperf3: nothing was received, whatever was sent".to_owned();
        return Err((FindingCode::ProgramFailed, why));
    }
    is_what_was_asked(&json, asked, seconds).map_err(unreadable)?;
    let measured = number("/end/sum_received/seconds").unwrap_or_default();
    let wanted = f64::from(seconds);
    if !TIME.contains(&(measured / wanted)) {
        let why = format!("measured for {measured:.1} s where {wanted} s were asked for");
        return Err((FindingCode::ProgramFailed, format!("iperf3: {why}")));
    }
    let received = number("/end/sum_received/bits_per_second").filter(|rate| *rate > 0.0);
    let received = received.ok_or_else(|| unreadable("it gives no received rate".to_owned()))?;
    let by_bytes = received_bytes * 8.0 / measured;
    if (received / by_bytes - 1.0).abs() > 0.02 {
        return Err(unreadable("its received rate does not follow from its bytes".to_owned()));
    }
    let intervals = intervals(&json);
    let count = intervals.len();
    if count.abs_diff(usize::try_from(seconds).unwrap_or(usize::MAX)) > 1 || count == 0 {
        return Err(unreadable(format!("it gives {count} intervals for {seconds} s")));
    }
    let text = |at: &str| json.pointer(at).and_then(Json::as_str).map(str::to_owned);
    let percent = |at: &str| number(&format!("/end/cpu_utilization_percent/{at}"));
    Ok(Told {
        cookie: text("/start/cookie"),
        received,
        received_bytes,
        retransmits: json.pointer("/end/sum_sent/retransmits").and_then(Json::as_u64),
        intervals,
        cpu: [percent("host_total"), percent("remote_total")],
        congestion: text("/end/sender_tcp_congestion"),
    })
}

/// Reads what a server printed; `None` where that is no whole result.
pub(crate) fn server(stdout: &str) -> Option<Served> {
    let json = object(stdout, "").ok()?;
    if json.get("error").is_some() {
        return None;
    }
    let received_bytes = json.pointer("/end/sum_received/bytes").and_then(Json::as_f64)?;
    let cookie = json.pointer("/start/cookie").and_then(Json::as_str).map(str::to_owned);
    Some(Served { cookie, received_bytes, intervals: intervals(&json) })
}

/// Takes the one object that was asked for.
fn object(stdout: &str, stderr: &str) -> Result<Json, Trouble> {
    let unreadable = |why: &str| (FindingCode::OutputUnreadable, format!("iperf3 {why}"));
    let said = last_line(stderr);
    if stdout.trim().is_empty() {
        let said = if said.is_empty() { "nothing at all" } else { said };
        return Err((
            FindingCode::ProgramFailed,
            format!("iperf3 printed no result; it said: {said}"),
        ));
    }
    if !stdout.trim_start().starts_with('{') {
        let first = stdout.trim().lines().next().unwrap_or_default();
        return Err(unreadable(&format!("printed text where JSON was asked for: {first}")));
    }
    let mut objects = Deserializer::from_str(stdout).into_iter::<Json>();
    match (objects.next(), objects.next()) {
        (Some(Ok(one)), None) if one.get("event").is_none() => Ok(one),
        (Some(Ok(one)), _) if one.get("event").is_some() => {
            Err(unreadable("printed a stream of events where one object was asked for"))
        }
        (Some(Ok(_)), _) => Err(unreadable("printed more than one object")),
        _ => Err(unreadable("printed JSON that is not whole")),
    }
}

fn is_what_was_asked(json: &Json, asked: Transfer, seconds: u32) -> Result<(), String> {
    let start = json.pointer("/start/test_start").ok_or("it does not say what it measured")?;
    let number = |key: &str| start.get(key).and_then(Json::as_u64);
    if start.get("protocol").and_then(Json::as_str) != Some("TCP") {
        return Err("it did not measure TCP".to_owned());
    }
    // Both at once is never asked for: its sums stand twice under one name.
    if number("bidir").is_some_and(|flag| flag > 0)
        || json.pointer("/end/sum_received_bidir_reverse").is_some()
    {
        return Err("it measured both directions at once".to_owned());
    }
    let wanted = [
        ("num_streams", u64::from(asked.streams)),
        ("reverse", u64::from(asked.inbound)),
        ("duration", u64::from(seconds)),
    ];
    for (key, wanted) in wanted {
        let found = number(key).ok_or_else(|| format!("it does not say its `{key}`"))?;
        if found != wanted {
            return Err(format!("its `{key}` is {found}, not {wanted}"));
        }
    }
    Ok(())
}

/// Lists the intervals that are not omitted, all streams together.
fn intervals(json: &Json) -> Vec<Interval> {
    let all = json.get("intervals").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |item: &Json| {
        let sum = item.get("sum")?;
        let number = |key: &str| sum.get(key).and_then(Json::as_f64);
        let kept = sum.get("omitted").and_then(Json::as_bool) == Some(false);
        let (start, end) = (number("start")?, number("end")?);
        let interval = Interval { start, end, rate: number("bits_per_second")? };
        (kept && end - start >= SHORT_S).then_some(interval)
    };
    all.iter().filter_map(read).collect()
}

/// Tells whether a version runs a thread for each stream: from 3.16 on.
///
/// *Source*: esnet/iperf#1591.
pub(crate) fn is_threaded(version: &str) -> Option<bool> {
    let mut numbers = version.split(['.', '+', '-']).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor) >= (3, 16)),
        _ => None,
    }
}

fn last_line(text: &str) -> &str {
    let ours = |line: &&str| !line.is_empty() && !line.starts_with("verify: ");
    text.lines().map(str::trim).rfind(ours).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECONDS: u32 = 10;
    const ASKED: Transfer = Transfer { streams: 4, inbound: false };

    /// Makes a whole result of ten seconds at 8 Gbit/s.
    fn whole() -> Json {
        let interval = |second: u32| {
            let (start, end) = (f64::from(second), f64::from(second + 1));
            json!({ "sum": { "start": start, "end": end, "omitted": false, "bits_per_second": 8e9 } })
        };
        json!({
            "start": { "cookie": "c", "test_start": {
                "protocol": "TCP", "num_streams": 4, "reverse": 0, "duration": SECONDS, "bidir": 0,
            } },
            "intervals": (0..SECONDS).map(interval).collect::<Vec<_>>(),
            "end": { "sum_received": { "seconds": 10.0, "bytes": 1e10, "bits_per_second": 8e9 } },
        })
    }

    fn said(change: impl Fn(&mut Json)) -> Result<Told, String> {
        let mut json = whole();
        change(&mut json);
        client(&json.to_string(), "", ASKED, SECONDS).map_err(|(_, why)| why)
    }

    fn refused(expected: &str, change: impl Fn(&mut Json)) {
        let why = said(change).unwrap_err();
        assert!(why.contains(expected), "{expected}: {why}");
    }

    #[test]
    fn a_whole_result_of_what_was_asked_for_counts() {
        let told = said(|_| ()).unwrap();
        assert!((told.received - 8e9).abs() < 1.0);
        assert_eq!((told.intervals.len(), told.cookie.as_deref()), (10, Some("c")));
        said(|json| json["start"]["test_start"]["bidir"] = Json::Null).unwrap();
        let more = |sum: Json| {
            let told =
                said(|json| json["intervals"].as_array_mut().unwrap().push(json!({ "sum": sum })));
            told.unwrap().intervals.len()
        };
        let one = json!({ "start": 10.0, "end": 11.0, "omitted": false, "bits_per_second": 8e9 });
        assert_eq!(more(one.clone()), 11);
        for (key, value) in [("omitted", json!(true)), ("end", json!(10.05))] {
            let mut sum = one.clone();
            sum[key] = value;
            assert_eq!(more(sum), 10, "{key}");
        }
    }

    #[test]
    fn what_was_not_asked_for_is_no_result() {
        let start = |key: &'static str, value: u64| {
            move |json: &mut Json| json["start"]["test_start"][key] = json!(value)
        };
        refused("both directions at once", start("bidir", 1));
        refused("both directions at once", start("bidir", 2));
        refused("both directions at once", |json| {
            json["end"]["sum_received_bidir_reverse"] = json!({});
        });
        refused("num_streams", start("num_streams", 1));
        refused("reverse", start("reverse", 1));
        refused("duration", start("duration", 5));
        refused("did not measure TCP", |json| {
            json["start"]["test_start"]["protocol"] = json!("UDP");
        });
    }

    #[test]
    fn numbers_that_contradict_each_other_are_no_result() {
        let end = |key: &'static str, value: f64| {
            move |json: &mut Json| json["end"]["sum_received"][key] = json!(value)
        };
        said(end("bits_per_second", 8.1e9)).unwrap();
        for rate in [8.3e9, 7.7e9] {
            refused("does not follow from its bytes", end("bits_per_second", rate));
        }
        refused("gives no received rate", end("bits_per_second", 0.0));
        refused("nothing was received", end("bytes", 0.0));
        refused("measured for 8.0 s where 10 s", end("seconds", 8.0));
        refused("measured for 12.5 s where 10 s", end("seconds", 12.5));
        let keep = |count: usize| {
            move |json: &mut Json| {
                let one = json["intervals"][0].clone();
                json["intervals"] = vec![one; count].into();
            }
        };
        for count in [9, 11] {
            said(keep(count)).unwrap();
        }
        for count in [0, 8, 12] {
            refused(&format!("gives {count} intervals for 10 s"), keep(count));
        }
    }
}
