//! Ways that are not the cable: nothing is sent, and the check says which way it would have been.

use std::time::Duration;

use crate::lab::{
    Lab,
    Side::{A, B},
};

pub(crate) const ANY: &str = "seconds = 1, idle = \"0 %\"";
pub(crate) const DIRECT: &str = "\"route.direct\" = true\nthroughput = { at-least = \"1 kbit/s\" }";

fn sent(lab: &Lab) -> String {
    let file = "/sys/class/net/veth-a/statistics/tx_packets";
    let output = lab.inside(A, &["cat", file]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_peer_behind_a_gateway_fails_before_a_packet_is_sent() {
    let Some(lab) = Lab::new() else { return };
    lab.expect(ANY, DIRECT);
    lab.on(A, "ip route add 10.0.0.2/32 via 10.0.0.254 dev veth-a");
    let before = sent(&lab);
    let words = ["fail net/throughput", "a reaches b over the gateway 10.0.0.254 on veth-a"];
    lab.measure().gives(1, &words);
    assert_eq!(sent(&lab), before, "something was sent");
    lab.on(A, "ip route del 10.0.0.2/32");
    // The way back alone is a detour as well.
    lab.on(B, "ip route add 10.0.0.1/32 via 10.0.0.254 dev veth-b");
    lab.measure().gives(1, &["b reaches a over the gateway 10.0.0.254 on veth-b"]);
    assert_eq!(sent(&lab), before, "something was sent");
}

#[test]
fn no_route_a_blackhole_and_a_name_are_three_findings() {
    let Some(lab) = Lab::new() else { return };
    lab.expect(ANY, DIRECT);
    lab.on(A, "ip route add blackhole 10.0.0.2/32");
    lab.measure().gives(1, &["a has no route to b: Invalid argument"]);
    lab.on(A, "ip addr flush dev veth-a");
    lab.on(A, "ip route flush table main");
    lab.measure().gives(1, &["a has no route to b: Network is unreachable"]);
    lab.node("b", "", ["peer", "10.0.0.1"], "1 Gbit/s");
    lab.measure().gives(2, &["`peer` is no address of one machine", "expected an IP address"]);
}

#[test]
fn a_peer_that_is_the_node_itself_is_a_mistake_of_the_configuration() {
    let Some(lab) = Lab::new() else { return };
    lab.expect(ANY, DIRECT);
    lab.on(A, "ip addr add 10.0.0.2/32 dev lo");
    lab.measure().gives(3, &["error net/throughput", "the address of b is one of a itself"]);
}

#[test]
fn a_peer_that_cannot_be_asked_is_an_error_of_its_check_alone() {
    let Some(lab) = Lab::new() else { return };
    lab.node(
        "b",
        "ssh = \"box-c\"\nhostnames = [\"box-c\"]\n",
        ["10.0.0.2", "10.0.0.1"],
        "1 Gbit/s",
    );
    lab.expect(ANY, DIRECT);
    let other = "\n[[check]]\nid = \"net/other\"\ntitle = \"t\"\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\nprobe = \"file\"\n\
                 with = { path = \"/\" }\nexpect = { exists = true }\n";
    let suite = lab.dir().join("root/suites/lab.toml");
    let text = std::fs::read_to_string(&suite).unwrap();
    std::fs::write(suite, text + other).unwrap();
    let words =
        ["error net/throughput", "b: ", "Could not resolve hostname box-c", "pass net/other"];
    lab.measure().gives(3, &words);
    lab.is_empty_within(Duration::from_secs(1));
}

#[test]
fn what_a_driver_says_of_its_speed_is_believed_where_it_negotiates_one() {
    let Some(lab) = Lab::new() else { return };
    let tap = "ip tuntap add t0 mode tap && ethtool -s t0 speed 1000 && ip link set t0 up";
    let made = lab.inside(A, &["sh", "-c", tap]).output();
    if !made.is_ok_and(|output| output.status.success()) {
        use std::io::Write as _;
        writeln!(std::io::stderr(), "skipped: needs ethtool and /dev/net/tun").unwrap();
        return;
    }
    let suite = "[suite]\ntitle = \"Lab\"\nnodes = [\"a\"]\n\n[[check]]\nid = \"net/state\"\ntitle = \"t\"\nwhy = \"w\"\n\
                 source = \"s\"\nfix = \"f\"\nprobe = \"net-interface\"\nwith = { name = \"t0\" }\n\
                 expect = { speed = { at-least = \"10 Gbit/s\" } }\n";
    lab.write("root/suites/lab.toml", suite);
    lab.measure().gives(1, &["fail net/state", "1 Gbit/s"]);
}

#[test]
fn a_peer_in_production_is_not_loaded_unasked() {
    let Some(lab) = Lab::new() else { return };
    let b = "role = \"production\"\nssh = \"box-b\"\nhostnames = [\"box-b\"]\n";
    lab.node("b", b, ["10.0.0.2", "10.0.0.1"], "1 Gbit/s");
    lab.expect(ANY, DIRECT);
    lab.measure().gives(4, &["skipped 1: loads b, too, and b is in production", "net/throughput"]);
    let allowed = lab.verify(&["--node", "a", "--allow-load", "b"]).output().unwrap();
    crate::lab::Measured::of(&lab, &allowed).gives(0, &["pass net/throughput"]);
}
