//! iperf3 through `verify` beside iperf3 typed by hand, on a cable of a known rate between namespaces.
//!
//! The rate is one of a token bucket, so the truth is known: the payload of 1 Gbit/s. Addresses are those
//! of the lab of the tests, in namespaces that reach nothing else.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    lab::{
        Lab,
        Side::{A, B},
        until,
    },
    pair::{Row, in_turns},
};

/// Turns that count, and the length of each measurement. *Units*: s.
const TURNS: usize = 6;
const SECONDS: &str = "2";
const RATE: &str = "1gbit";
/// A port that the probe does not take.
const PORT: &str = "5299";

pub(crate) fn rows() -> Result<Vec<Row>, String> {
    let lab = Lab::new().ok_or("network namespaces, tc and iperf3")?;
    lab.shape(A, RATE);
    lab.shape(B, RATE);
    lab.expect(
        &format!("seconds = {SECONDS}, streams = 1, idle = \"0 %\""),
        "throughput = { at-least = \"1 Mbit/s\" }",
    );
    let own = || through_verify(&lab);
    let theirs = || by_hand(&lab);
    let (own, theirs) = in_turns(TURNS, own, theirs);
    let shown = |rate: f64| format!("{:.1} Mbit/s", rate / 1e6);
    let what = format!("iperf3 over veth shaped to {RATE}, outbound, {SECONDS} s");
    Ok(vec![Row::compared("link", &what, "network-throughput", (&own, &theirs), shown)])
}

fn through_verify(lab: &Lab) -> f64 {
    let measured = lab.measure();
    let seen = measured.observed();
    let rate = &seen["metrics"]["outbound"]["samples"][0];
    rate.as_f64().unwrap_or_else(|| panic!("no rate in {seen}\n{}", measured.page))
}

/// Ends the server when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn by_hand(lab: &Lab) -> f64 {
    let mut server = lab.inside(B, &["iperf3", "-s", "-1", "-p", PORT]);
    let _server = Server(quiet(&mut server).spawn().unwrap());
    let listens = || {
        let said = lab.inside(B, &["ss", "-Hltn", "sport", "=", PORT]).output().unwrap();
        !said.stdout.is_empty()
    };
    until(Duration::from_secs(10), "iperf3 to listen", listens);
    let words = ["iperf3", "-c", "10.0.0.2", "-p", PORT, "-t", SECONDS, "-P", "1", "--json"];
    let said = lab.inside(A, &words).output().unwrap();
    let document: Value = serde_json::from_slice(&said.stdout).unwrap();
    document["end"]["sum_received"]["bits_per_second"].as_f64().unwrap()
}
