//! What a file of waivers may say, which checks and nodes it is laid on, and what is said of the rest.

#![allow(
    clippy::expect_used,
    clippy::format_push_string,
    clippy::unwrap_used,
    reason = "the test says what it expected"
)]

use std::{collections::BTreeMap, sync::Arc};

use verify_engine::load::{
    catalog::{Catalog, load_all},
    diagnostic::{LoadError, Source},
    waiver::demand_end,
};

const SUITE: &str = "[suite]\ntitle = \"t\"\nnodes = [\"*\"]\n";

fn check(id: &str) -> String {
    format!(
        "[[check]]\nid = \"{id}\"\ntitle = \"t\"\nprobe = \"sysctl\"\nwith = {{ key = \"k\", as = \"integer\" }}\nexpect = {{ value = 1 }}\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\n"
    )
}

/// Loads two nodes with three checks; the first node may have lines of its own.
fn load(node: &str, waivers: &str) -> Result<Catalog, LoadError> {
    let source = |name: &str, text: String| {
        let short = name.rsplit('/').next().unwrap().trim_end_matches(".toml").to_owned();
        (short, Source::new(name, text))
    };
    let nodes: BTreeMap<String, Arc<Source>> = [
        source("runners/nodes/one.toml", format!("title = \"t\"\n{node}")),
        source("runners/nodes/two.toml", "title = \"t\"\n".to_owned()),
    ]
    .into();
    let checks: String = ["gpu/clock", "gpu/power", "net/link"].map(check).concat();
    let suites = [source("suites/s.toml", format!("{SUITE}{checks}"))].into();
    load_all(&nodes, &suites, Some(&Source::new("waivers.toml", waivers)))
}

fn waiver(lines: &str) -> String {
    let mut text = "[[waiver]]\n".to_owned();
    for (key, value) in [
        ("check", "gpu/clock"),
        ("reason", "on order"),
        ("owner", "ops"),
        ("expires", "2026-12-31"),
    ] {
        if !lines.lines().any(|line| line.starts_with(&format!("{key} =")))
            && !lines.contains(&format!("-{key}"))
        {
            text += &format!("{key} = \"{value}\"\n");
        }
    }
    let kept = lines.lines().filter(|line| !line.starts_with('-'));
    text + &kept.collect::<Vec<_>>().join("\n") + "\n"
}

fn waived(catalog: &Catalog, node: &str) -> Vec<String> {
    catalog.nodes[node].waivers.iter().map(|waiver| waiver.check.clone()).collect()
}

fn wrong(node: &str, waivers: &str) -> String {
    load(node, waivers).map(|_| ()).expect_err(waivers).render(false)
}

#[test]
fn a_pattern_is_laid_on_every_check_and_node_that_it_names() {
    let all = load("", &waiver("check = \"gpu/*\"")).unwrap();
    for node in ["one", "two"] {
        assert_eq!(waived(&all, node), ["gpu/clock", "gpu/power"]);
    }
    let waiver_of = &all.nodes["two"].waivers[1];
    let place = waiver_of.location.as_ref().unwrap();
    assert_eq!((waiver_of.node.as_str(), place.file.as_str()), ("two", "waivers.toml"));
    let one = load("", &waiver("node = \"two\"\ncheck = \"*/*\"")).unwrap();
    assert_eq!((waived(&one, "one").len(), waived(&one, "two").len()), (0, 3));
    assert!(load("", "").unwrap().waivers.is_empty(), "a file without waivers waives nothing");
}

#[test]
fn hardware_may_be_named_by_path_or_by_nested_tables() {
    for only in [
        "only = { \"bios.version\" = \"2.*\", \"gpu.0000:21:00.0.vbios\" = \"94.02*\" }",
        "[waiver.only]\nbios.version = \"2.*\"\n\"gpu.0000:21:00.0.vbios\" = \"94.02*\"",
    ] {
        let catalog = load("", &waiver(only)).unwrap();
        let scope = catalog.nodes["one"].waivers[0].scope().unwrap();
        assert_eq!(scope, "bios.version is 2.* and gpu.0000:21:00.0.vbios is 94.02*");
    }
}

#[test]
fn whatever_is_missing_or_wrong_is_an_error_with_its_place_and_what_to_do() {
    for (lines, expected) in [
        ("-expires", "[[waiver]] has no `expires`"),
        ("-expires", "add `expires = ...`: Last day on which it holds"),
        ("-reason", "[[waiver]] has no `reason`"),
        ("-owner", "[[waiver]] has no `owner`"),
        ("-check", "[[waiver]] has no `check`"),
        ("expires = \"soon\"", "`soon` is not a day"),
        ("expires = \"2026-02-30\"", "`2026-02-30` is not a day"),
        ("expires = \"20261231\"", "expected `YYYY-MM-DD`"),
        ("expires = \"2026-12-31T10:00\"", "expected `YYYY-MM-DD`"),
        ("expires = 5", "expected a text"),
        ("check = \"gpu\"", "`gpu` names no check"),
        ("check = \"*\"", "`*/*` every check"),
        ("owner = \" \"", "`owner` is empty"),
        ("until = \"2026-12-31\"", "unknown key `until` in [[waiver]]"),
        ("strict = \"yes\"", "expected true or false"),
        ("only = {}", "`only` names no field"),
        ("only = { bios = {}, x = \"1\" }", "`only.bios` names no field"),
        ("only = { \"bios.version\" = 2 }", "expected a text that the field must be"),
        ("only = \"bios\"", "expected a table of fields"),
    ] {
        let text = wrong("", &waiver(lines));
        assert!(text.contains(expected) && text.contains("waivers.toml:"), "{lines}: {text}");
    }
    assert!(wrong("", "waiver = 1").contains("expected tables `[[waiver]]`"));
    assert!(wrong("", "[waivers]").contains("unknown key `waivers` in a file of waivers"));
    assert!(wrong("", "[[waiver]").contains("waivers.toml:1"));
    assert!(load("", &waiver("expires = 2026-12-31")).is_ok(), "TOML has days of its own");
}

#[test]
fn one_failure_has_one_waiver_unless_each_names_its_own_hardware() {
    let own = waiver("check = \"gpu/power\"");
    let both = wrong(&own, &waiver("check = \"gpu/*\""));
    for expected in [
        "`gpu/power` is waived twice on node one",
        "the other waiver is that of runners/nodes/one.toml:6",
        "waivers.toml:5",
    ] {
        assert!(both.contains(expected), "{both}");
    }
    let twice = wrong("", &(waiver("") + &waiver("check = \"gpu/*\"\nnode = \"two\"")));
    assert!(twice.contains("`gpu/clock` is waived twice on node two"), "{twice}");
    let only = |version: &str| waiver(&format!("only = {{ bios.version = \"{version}\" }}"));
    assert!(load("", &(only("1.0") + &only("2.0"))).is_ok());
    assert!(wrong("", &(only("1.0") + &only("1.0"))).contains("waived twice"));
    assert!(wrong("", &(only("1.0") + &waiver(""))).contains("waived twice"));
}

#[test]
fn a_waiver_lasts_a_year_at_most() {
    let catalog = load("", &waiver("expires = \"2027-11-30\"")).unwrap();
    let day = |text: &str| text.parse().unwrap();
    assert!(demand_end(&catalog.waivers, day("2026-11-29")).is_ok());
    let text = demand_end(&catalog.waivers, day("2026-11-28")).unwrap_err().render(false);
    for expected in [
        "a waiver until 2027-11-30 lasts too long",
        "expected 2027-11-29 at the latest",
        "waivers.toml:5",
        "a waiver lasts at most 366 days",
    ] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_names_no_check_or_no_node_is_said_and_is_no_error() {
    for (lines, title, help) in [
        ("node = \"on\"", "no node is named `on`", Some("did you mean `one`?")),
        (
            "check = \"gpu/clocks\"",
            "no node has a check `gpu/clocks` to waive",
            Some("did you mean `gpu/clock`?"),
        ),
        (
            "check = \"disk/*\"\nnode = \"one\"",
            "node one has no check `disk/*` to waive",
            Some("`verify list checks` lists them"),
        ),
    ] {
        let idle = load("", &waiver(lines)).unwrap().idle_waivers();
        let [only] = idle.as_slice() else { panic!("{lines}: {idle:?}") };
        assert_eq!((only.title.as_str(), only.help.as_deref()), (title, help));
    }
    assert!(load("", &waiver("check = \"gpu/*\"")).unwrap().idle_waivers().is_empty());
}

#[test]
fn a_machine_of_a_cluster_has_the_waivers_of_its_template_and_those_that_name_it() {
    let text = waiver("node = \"one\"") + &waiver("node = \"c17\"\ncheck = \"net/*\"");
    let mut catalog = load("", &text).unwrap();
    catalog.adopt("one", "c17");
    catalog.adopt("one", "c18");
    assert_eq!(waived(&catalog, "c17"), ["gpu/clock", "net/link"]);
    assert_eq!(waived(&catalog, "c18"), ["gpu/clock"]);
    assert!(catalog.nodes["c17"].waivers.iter().all(|waiver| waiver.node == "c17"));
    assert!(catalog.idle_waivers().is_empty());
}
