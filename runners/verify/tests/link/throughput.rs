//! What links carry: healthy ones, slow ones, lossy ones, one-sided ones.

use std::{fs, io::Write as _, time::Duration};

use crate::{
    lab::{
        Lab, Measured,
        Side::{A, B},
    },
    route::{ANY, DIRECT},
};

#[test]
fn a_healthy_link_passes_and_leaves_nothing() {
    let Some(lab) = Lab::new() else { return };
    lab.shape(A, "100mbit");
    lab.shape(B, "100mbit");
    lab.expect(
        "seconds = 2, streams = 2, single = true, idle = \"0 %\"",
        "throughput = { at-least = \"70 Mbit/s\" }\n\"route.direct\" = true\nzero-intervals = { count = 0 }\n\
         single-outbound = { at-most = \"105 Mbit/s\" }\nsingle-inbound = { at-most = \"105 Mbit/s\" }",
    );
    let measured = lab.measure().gives(0, &["pass net/throughput"]);
    let seen = measured.observed();
    assert!(seen["facts"]["retransmits"]["record"]["outbound"]["integer"].is_i64(), "{seen}");
    assert!(seen["facts"]["version"]["record"]["server"]["text"].is_string(), "{seen}");
    let samples = seen["metrics"]["inbound-intervals"]["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 2, "{seen}");
    lab.is_empty_within(Duration::from_secs(1));
}

#[test]
fn a_link_that_fell_back_to_1_gigabit_fails() {
    let Some(lab) = Lab::new() else { return };
    lab.nodes("10 Gbit/s");
    lab.shape(A, "1gbit");
    lab.shape(B, "1gbit");
    lab.expect("seconds = 1, idle = \"0 %\"", "throughput = { at-least = \"9.4 Gbit/s\" }");
    lab.measure().gives(1, &["fail net/throughput", "at least 9.4 Gbit/s"]);
}

#[test]
fn the_slow_direction_is_named() {
    let Some(lab) = Lab::new() else { return };
    lab.shape(A, "100mbit");
    lab.shape(B, "20mbit");
    lab.expect(
        "seconds = 1, streams = 2, idle = \"0 %\"",
        "slower = \"outbound\"\ninbound = { at-most = \"25 Mbit/s\" }\noutbound = { at-least = \"40 Mbit/s\" }",
    );
    lab.measure().gives(1, &["expected slower: outbound", "observed inbound"]);
}

#[test]
fn loss_is_recorded_as_what_is_sent_again() {
    let Some(lab) = Lab::new() else { return };
    let rules = "add table inet lab\nadd chain inet lab in { type filter hook prerouting priority -300; }\n\
                 add rule inet lab in meta iif != \"lo\" numgen random mod 100 < 1 drop\n";
    let file = lab.write("loss", rules);
    let nft = lab.inside(B, &["nft", "-f", file.to_str().unwrap()]).output();
    if !nft.is_ok_and(|output| output.status.success()) {
        writeln!(std::io::stderr(), "skipped: needs nft, and a kernel that has it").unwrap();
        return;
    }
    // Packets of real size: one that stands for fifty is rarely lost.
    let _ = lab.inside(A, &["ethtool", "-K", "veth-a", "tso", "off", "gso", "off"]).output();
    lab.shape(A, "100mbit");
    lab.expect(
        "seconds = 2, idle = \"0 %\"",
        "throughput = { above = \"0 Gbit/s\" }\n\"retransmits.outbound\" = { above = 0 }",
    );
    lab.measure().gives(0, &["pass net/throughput"]);
}

#[test]
fn a_machine_with_other_work_is_left_unjudged() {
    let Some(lab) = Lab::new() else { return };
    lab.shape(A, "100mbit");
    lab.shape(B, "100mbit");
    lab.expect("seconds = 1, idle = \"100 %\"", "throughput = { at-least = \"90 Gbit/s\" }");
    let busy = "while :; do :; done";
    let mut busy = lab.inside(A, &["sh", "-c", busy]).spawn().unwrap();
    let measured = lab.measure();
    busy.kill().unwrap();
    busy.wait().unwrap();
    measured.gives(3, &["unjudged net/throughput", "was not idle before"]);
}

#[test]
fn ten_gigabit_is_told_from_a_little_less_where_the_machine_is_idle() {
    let Some(lab) = Lab::new() else { return };
    lab.nodes("10 Gbit/s");
    let judged = |rate: &str| -> Measured {
        lab.shape(A, rate);
        lab.shape(B, rate);
        lab.expect("seconds = 2, omit = 1", "throughput = { at-least = \"9.4 Gbit/s\" }");
        let suite = lab.dir().join("root/suites/lab.toml");
        let text = fs::read_to_string(&suite).unwrap().replace("omit = 0, ", "");
        fs::write(suite, text).unwrap();
        lab.measure()
    };
    let (healthy, less) = (judged("9840mbit"), judged("9700mbit"));
    if healthy.code == Some(3) || less.code == Some(3) {
        writeln!(std::io::stderr(), "skipped: needs a machine that is 97 % idle").unwrap();
        return;
    }
    // Other work may begin in the middle; then a healthy link looks slow, but a slow one never healthy.
    less.gives(1, &["fail net/throughput"]);
    if healthy.code != Some(0) {
        writeln!(std::io::stderr(), "skipped: needs a machine that stays idle").unwrap();
    }
}

#[test]
fn both_ends_are_asked_over_ssh() {
    let Some(lab) = Lab::new() else { return };
    lab.shape(A, "100mbit");
    lab.shape(B, "100mbit");
    let a = "ssh = \"box-a\"\nhostnames = [\"box-a\"]\n";
    lab.node("a", a, ["10.0.0.1", "10.0.0.2"], "1 Gbit/s");
    lab.expect(
        "seconds = 1, streams = 2, idle = \"0 %\"",
        "throughput = { at-least = \"60 Mbit/s\" }\n\"route.out.device\" = \"veth-a\"",
    );
    let output = lab.verify_beside(&["--node", "a"]).output().unwrap();
    Measured::of(&lab, &output).gives(0, &["a: ", "via ssh box-a", "pass net/throughput"]);
    lab.is_empty_within(Duration::from_secs(2));
}

#[test]
fn a_link_is_measured_though_its_other_end_is_through_with_its_own_checks() {
    let Some(lab) = Lab::new() else { return };
    lab.expect(ANY, DIRECT);
    let other = "[suite]\ntitle = \"Other\"\nnodes = [\"b\"]\n\n[[check]]\nid = \"other/root\"\ntitle = \"t\"\nwhy = \"w\"\n\
                 source = \"s\"\nfix = \"f\"\nprobe = \"file\"\nwith = { path = \"/\" }\nexpect = { exists = true }\n";
    lab.write("root/suites/other.toml", other);
    let both = lab.verify(&["--node", "a", "--node", "b"]).output().unwrap();
    Measured::of(&lab, &both).gives(0, &["pass net/throughput", "pass other/root"]);
}
