//! What a simulated link answers for both of its ends: the document of a measurement, from a few
//! numbers of the scenario.
//!
//! The form is that of iperf3 and iproute2, so that the probe reads it as it would the real one.
//! Nothing is sent, and no time passes: the numbers are the scenario's, and marked as such.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use verify_model::{
    ask::Ask,
    evidence::{Captured, Stream},
    link::{End, Transfer},
};

use crate::parse::between::{Between, Moved, PROTOCOL, Try};

/// Version of iperf3 that is pretended on both ends.
const VERSION: &str = "3.16";

/// Holds what a scenario says of the link.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    /// What arrives at the other end, and at this one. *Units*: Gbit/s.
    outbound: f64,
    inbound: f64,
    /// Segments that are sent again in each transfer.
    #[serde(default)]
    retransmits: u64,
    /// Gateway over which the other end is reached.
    gateway: Option<String>,
}

impl Link {
    /// Answers an ask about a link; `None` for any other.
    pub(super) fn answer(&self, ask: &Ask) -> Option<Captured> {
        let Ask::Between { ends, transfers, seconds, .. } = ask else { return None };
        let [one, other] = ends;
        if one == other {
            return None;
        }
        let look = || [self.survey(one, other, true), self.survey(other, one, false)];
        let moved = |transfer: &Transfer| self.moved(*transfer, *seconds);
        let sent = self.gateway.is_none();
        let document = Between {
            protocol: PROTOCOL.to_owned(),
            before: look(),
            moved: transfers.iter().filter(|_| sent).map(moved).collect(),
            after: sent.then(look),
        };
        serde_json::to_string(&document).ok().map(|text| printed(&text, ""))
    }

    fn survey(&self, own: &End, other: &End, is_own: bool) -> Captured {
        let device = if is_own { "enp5s0" } else { "en0" };
        let mut route = json!({ "dst": other.address, "dev": device, "prefsrc": own.address });
        if let Some(gateway) = self.gateway.as_ref().filter(|_| is_own) {
            route["gateway"] = json!(gateway);
        }
        let none = json!({ "errors": 0, "dropped": 0 });
        let link =
            json!([{ "ifname": device, "mtu": 1500, "stats64": { "rx": none, "tx": none } }]);
        let text = format!(
            "== system\nLinux\n== iperf3\niperf {VERSION}\n== route\n{}\n== route-said\n\n== route-exit\n0\n\
             == link\n{link}\n== listening\n\n== cpu\ncpu  0 0 0 0 0 0 0 0\ncpu  1 0 0 199 0 0 0 0\n== ran\n== end\n",
            json!([route])
        );
        printed(&text, "")
    }

    fn moved(&self, transfer: Transfer, seconds: u32) -> Moved {
        let rate = if transfer.inbound { self.inbound } else { self.outbound } * 1e9;
        let client = self.told(transfer, seconds, rate);
        let cpu = "verify: cpu  0 0 0 0 0 0 0 0\nverify: cpu  30 0 20 150 0 0 0 0\n";
        let tried = Try {
            port: 24_000,
            server: printed(&client.to_string(), cpu),
            listens: printed("listens\n", ""),
            client: Some(printed(&client.to_string(), cpu)),
            gone: printed("free\n", ""),
        };
        Moved { transfer, tries: vec![tried] }
    }

    fn told(&self, transfer: Transfer, seconds: u32, rate: f64) -> Json {
        let (length, bytes) = (f64::from(seconds), rate * f64::from(seconds) / 8.0);
        let interval = |second: u32| {
            let (start, end) = (f64::from(second), f64::from(second) + 1.0);
            json!({ "sum": { "start": start, "end": end, "bits_per_second": rate, "omitted": false } })
        };
        let sum = json!({ "seconds": length, "bytes": bytes, "bits_per_second": rate });
        let mut sent = sum.clone();
        sent["retransmits"] = json!(self.retransmits);
        json!({
            "start": {
                "version": format!("iperf {VERSION}"),
                "cookie": "simulated",
                "test_start": {
                    "protocol": "TCP",
                    "num_streams": transfer.streams,
                    "duration": seconds,
                    "reverse": u8::from(transfer.inbound),
                },
            },
            "intervals": (0..seconds).map(interval).collect::<Vec<_>>(),
            "end": {
                "sum_sent": sent,
                "sum_received": sum,
                "cpu_utilization_percent": { "host_total": 40.0, "remote_total": 45.0 },
                "sender_tcp_congestion": "cubic",
            },
        })
    }
}

fn printed(stdout: &str, stderr: &str) -> Captured {
    let stream = |text: &str| Stream::whole(text.as_bytes());
    Captured::Exec { exit: Some(0), signal: None, stdout: stream(stdout), stderr: stream(stderr) }
}
