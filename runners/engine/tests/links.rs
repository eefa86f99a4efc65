//! What node files may say of links, what is said about everything else, and what a check gets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use verify_engine::{
    load::{
        catalog::{Catalog, load_sources},
        diagnostic::{LoadError, Source},
    },
    probe::With,
    probes,
};
use verify_model::{ask::Ask, link::Link, node::Facts};

const CHECK: &str = "id = \"a/b\"\ntitle = \"t\"\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\n";

/// Writes one `[[link]]`; what is given stands instead of what is usual.
fn link(given: &[(&str, &str)]) -> String {
    let usual = [
        ("name", "\"a-b\""),
        ("peer", "\"b\""),
        ("address", "\"10.0.0.1\""),
        ("peer-address", "\"10.0.0.2\""),
        ("speed", "\"10 Gbit/s\""),
    ];
    let of = |key: &str| given.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let mut text = "\n[[link]]\n".to_owned();
    for (key, value) in usual {
        let _ = writeln!(text, "{key} = {}", of(key).unwrap_or(value));
    }
    for (key, value) in given.iter().filter(|(key, _)| usual.iter().all(|(known, _)| known != key))
    {
        let _ = writeln!(text, "{key} = {value}");
    }
    text
}

fn load(files: &[(&str, String)], nodes: &str, check: &str) -> Result<Catalog, LoadError> {
    let suite =
        format!("[suite]\ntitle = \"t\"\nnodes = [\"{nodes}\"]\n[[check]]\n{CHECK}{check}\n");
    let files: BTreeMap<String, Arc<Source>> = files
        .iter()
        .map(|(name, text)| {
            let text = format!("title = \"t\"\n{text}");
            ((*name).to_owned(), Source::new(format!("runners/nodes/{name}.toml"), text))
        })
        .collect();
    let suites = [("s".to_owned(), Source::new("suites/s.toml", suite))].into();
    load_sources(&files, &suites)
}

const MEASURES: &str = "probe = \"iperf3\"\nwith = { link = \"a-b\" }\nexpect = { throughput = { at-least = \"9.4 Gbit/s\" } }";
const OTHER: [(&str, &str); 3] =
    [("peer", "\"a\""), ("address", "\"10.0.0.2\""), ("peer-address", "\"10.0.0.1\"")];

fn other(more: &[(&str, &str)]) -> String {
    link(&[&OTHER[..], more].concat())
}

#[test]
fn a_check_gets_its_link_as_its_own_node_sees_it() {
    let a = link(&[("interface", "\"enp5s0\""), ("mtu", "1500")]);
    let b = other(&[("mtu", "1500")]);
    let catalog = load(&[("a", a), ("b", b)], "*", MEASURES).unwrap();
    let of = |node: &str| Link::of(&catalog.checks[node][0].with["link"]).unwrap();
    assert_eq!((of("a").ends[0].node.as_str(), of("a").mtu), ("a", Some(1500)));
    assert_eq!(of("b"), of("a").turned());
    assert_eq!(of("b").ends[1].interface.as_deref(), Some("enp5s0"));
    let variables = &catalog.nodes["a"].variables;
    assert_eq!(variables["a-b.peer-address"].to_string(), "10.0.0.2");
    let probe = probes::find("iperf3").unwrap();
    let asks = probe.asks(With(&catalog.checks["a"][0].with), &Facts::default()).unwrap();
    assert_eq!(asks[0].nodes(), ["a", "b"]);
    assert_eq!(Ask::file("/").nodes(), Vec::<&str>::new());
}

#[test]
fn a_node_that_is_no_end_asks_for_every_link() {
    let every = "probe = \"links\"\nwith = { links = \"*\" }\nrecord = [\"links.share\"]";
    let files = [("a", link(&[])), ("b", String::new()), ("c", String::new())];
    let catalog = load(&files, "c", every).unwrap();
    let probe = probes::find("links").unwrap();
    let asks = probe.asks(With(&catalog.checks["c"][0].with), &Facts::default()).unwrap();
    assert_eq!(asks.len(), 1);
    assert_eq!(asks[0].nodes(), ["a", "b"]);
    let none = load(&[("c", String::new())], "c", every).unwrap_err().render(false);
    assert!(none.contains("no node file declares a link `*`"), "{none}");
}

#[test]
fn each_mistake_in_a_link_is_named_with_its_place() {
    let nothing = "probe = \"file\"\nwith = { path = \"/\" }\nexpect = { exists = true }";
    let cases: [(&[(&str, &str)], &str); 11] = [
        (&[("peer", "\"bb\"")], "did you mean `b`?"),
        (&[("peer", "\"a\"")], "a link of a to itself"),
        (&[("peer-address", "\"10.0.0.1\"")], "both ends have the address 10.0.0.1"),
        (&[("peer-address", "\"peer\"")], "`peer` is no address of one machine"),
        (&[("address", "\"127.0.0.1\"")], "`127.0.0.1` is no address of one machine"),
        (&[("address", "\"fd00::1\"")], "one end is IPv6, the other IPv4"),
        (&[("speed", "\"10 GB\"")], "`speed` is not usable"),
        (&[("speed", "\"0 Gbit/s\"")], "`speed` is not above 0"),
        (&[("mtu", "1")], "`mtu` is out of range"),
        (&[("interface", "\"a b\"")], "`a b` cannot be the name of an interface"),
        (&[("nmae", "\"x\"")], "did you mean `name`?"),
    ];
    for (given, said) in cases {
        let errors = load(&[("a", link(given)), ("b", String::new())], "b", nothing).unwrap_err();
        let errors = errors.render(false);
        assert!(errors.contains(said), "{said}:\n{errors}");
        assert!(errors.contains("runners/nodes/a.toml"), "{errors}");
    }
    let twice = format!("{}{}", link(&[]), link(&[]));
    let errors = load(&[("a", twice), ("b", String::new())], "b", nothing).unwrap_err();
    assert!(errors.render(false).contains("there are two links `a-b`"));
}

#[test]
fn two_files_that_disagree_about_a_link_are_an_error_of_the_second() {
    let wrong: [(&[(&str, &str)], &str); 4] = [
        (&[("address", "\"10.0.0.3\"")], "address of b is 10.0.0.3 here, 10.0.0.2"),
        (&[("speed", "\"1 Gbit/s\"")], "speed is 1 Gbit/s here, 10 Gbit/s"),
        (&[("mtu", "9000")], "mtu is 9000 here, none"),
        (&[("peer", "\"c\"")], "link `a-b` leads from a to b, too"),
    ];
    for (given, said) in wrong {
        let of_b: Vec<(&str, &str)> = given.iter().chain(&OTHER).copied().collect();
        let files = [("a", link(&[])), ("b", link(&of_b)), ("c", String::new())];
        let errors = load(&files, "a", MEASURES).unwrap_err().render(false);
        assert!(errors.contains(said) && errors.contains("nodes/b.toml"), "{said}:\n{errors}");
    }
}

#[test]
fn a_link_that_the_node_does_not_have_is_named() {
    let errors =
        load(&[("a", link(&[])), ("b", String::new()), ("c", String::new())], "c", MEASURES);
    assert!(errors.unwrap_err().render(false).contains("node c has no link"));
}
