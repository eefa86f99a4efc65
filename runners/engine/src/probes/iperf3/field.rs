//! The fields of `iperf3`.

use verify_model::{
    field::{
        FieldKind::{self, Bool, Integer, Metric, Quantity, Text, Version},
        FieldSpec,
    },
    metric::Direction::HigherIsBetter,
};

use crate::probe::{field, texts};

const LINK: &str = "[[link]] of the node file";
const ROUTE: &str = "ip -j route get PEER on both ends; route -n get on macOS";
const CLIENT: &str = "iperf3 -c PEER -B OWN -J on the first end, with -R for inbound";
const SERVER: &str = "iperf3 -s -1 -B PEER -J on the other end";
const VERSION: &str = "iperf3 --version on both ends";
const STAT: &str = "/proc/stat on both ends; top on macOS";
const COUNTED: &str = "ip -j -s -s link show on both ends, before and after";

fn rate() -> FieldKind {
    Metric("Gbit/s", HigherIsBetter)
}

fn percent() -> FieldKind {
    Quantity("%")
}

pub(super) static FIELDS: &[FieldSpec] = &[
    field("link", || Text, LINK, "Name of the link."),
    field("peer", || Text, LINK, "Name of the node at the other end."),
    field("route.direct", || Bool, ROUTE, "Whether both ends reach each other without a gateway."),
    field(
        "route.kind",
        || Text,
        ROUTE,
        "`direct`, `local`, `gateway`, `other-interface`, `other-address` (not the declared ones), `none`, `blackhole`, `prohibited`: of the first end that is not direct.",
    ),
    field("route.why", || Text, ROUTE, "Why nothing is sent, in words; absent where it may be."),
    field("route.out.kind", || Text, ROUTE, "The same, from this end."),
    field("route.out.device", || Text, ROUTE, "Interface by which this end reaches the other."),
    field("route.out.gateway", || Text, ROUTE, "Gateway from this end, where there is one."),
    field("route.back.kind", || Text, ROUTE, "The same, from the other end."),
    field("route.back.device", || Text, ROUTE, "Interface by which the other end reaches this."),
    field("route.back.gateway", || Text, ROUTE, "Gateway from the other end, where there is one."),
    field("version.client", || Version, VERSION, "Version of iperf3 at this end."),
    field("version.server", || Version, VERSION, "Version of iperf3 at the other end."),
    field(
        "threads",
        || Text,
        VERSION,
        "`shared` by all streams (up to 3.15), `per-stream`, or `mixed` where the ends differ.",
    ),
    field("mtu.own", || Integer, COUNTED, "Largest packet of this end in bytes."),
    field("mtu.peer", || Integer, COUNTED, "Largest packet of the other end in bytes."),
    field(
        "ceiling",
        || Quantity("Gbit/s"),
        LINK,
        "What the declared speed leaves for data at the smaller MTU, TCP with time stamps.",
    ),
    field("throughput", rate, CLIENT, "What arrived in the slower direction, over the whole time."),
    field("outbound", rate, CLIENT, "What arrived at the other end."),
    field("inbound", rate, CLIENT, "What arrived at this end."),
    field("slower", || Text, CLIENT, "`outbound` or `inbound`."),
    field("share", || Metric("%", HigherIsBetter), CLIENT, "Throughput as a share of the ceiling."),
    field("outbound-intervals", rate, SERVER, "What arrived at the other end, second by second."),
    field("inbound-intervals", rate, CLIENT, "What arrived at this end, second by second."),
    field("single-outbound", rate, CLIENT, "One connection alone; absent unless `single`."),
    field("single-inbound", rate, CLIENT, "One connection alone; absent unless `single`."),
    field("retransmits.outbound", || Integer, CLIENT, "Segments that were sent again."),
    field("retransmits.inbound", || Integer, CLIENT, "Segments that were sent again."),
    field("congestion.outbound", || Text, CLIENT, "Congestion control of who sends."),
    field("congestion.inbound", || Text, CLIENT, "Congestion control of who sends."),
    field(
        "zero-intervals",
        texts,
        CLIENT,
        "Seconds of a complete run in which nothing arrived: a fault that the mean hides.",
    ),
    field("idle.own", percent, STAT, "How idle this machine was before."),
    field("idle.peer", percent, STAT, "How idle the other machine was before."),
    field("cpu.own", percent, STAT, "How busy this machine was meanwhile, of all its cpus."),
    field("cpu.peer", percent, STAT, "How busy the other machine was meanwhile."),
    field("cpu.client", percent, CLIENT, "What the client itself took, of one cpu."),
    field("cpu.server", percent, CLIENT, "What the server itself took, of one cpu."),
    field("counters.rose", texts, COUNTED, "Error counters that rose on either end, by how much."),
    field("counters.dropped", texts, COUNTED, "Counters of dropped packets that rose."),
];
