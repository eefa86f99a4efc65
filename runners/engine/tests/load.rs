//! What a suite or node file may say, and what is said about everything else.

#![allow(
    clippy::expect_used,
    clippy::format_push_string,
    reason = "the test says what it expected"
)]

use std::{collections::BTreeMap, sync::Arc};

use verify_engine::load::{
    catalog::{Catalog, load_all, load_for, load_sources},
    diagnostic::{LoadError, SHOWN, Source},
    root::Root,
};
use verify_model::{matcher::Matcher, node::NodeRole};

const NODE: &str = "title = \"a node\"\n[variables]\nwanted = 2\ncpus = \"6,7\"\n";

fn load(suite: &str) -> Result<Catalog, LoadError> {
    load_with(NODE, suite)
}

fn load_with(node: &str, suite: &str) -> Result<Catalog, LoadError> {
    let nodes: BTreeMap<String, Arc<Source>> =
        [("n".to_owned(), Source::new("runners/nodes/n.toml", node))].into();
    let suites: BTreeMap<String, Arc<Source>> =
        [("s".to_owned(), Source::new("suites/s.toml", suite))].into();
    load_sources(&nodes, &suites)
}

/// Builds a suite around the lines of one check.
fn suite(lines: &str) -> String {
    let mut check = String::from("[suite]\ntitle = \"t\"\nnodes = [\"n\"]\n\n[[check]]\n");
    let defaults = [
        ("id", "\"a/b\""),
        ("title", "\"t\""),
        ("probe", "\"sysctl\""),
        ("why", "\"w\""),
        ("source", "\"s\""),
        ("fix", "\"f\""),
        ("with", "{ key = \"vm.swappiness\", as = \"integer\" }"),
        ("expect", "{ value = 1 }"),
    ];
    for (key, value) in defaults {
        let given = lines.lines().any(|l| {
            l.starts_with(&format!("{key} ="))
                || l.starts_with(&format!("{key}."))
                || l == format!("-{key}")
        });
        if !given {
            check += &format!("{key} = {value}\n");
        }
    }
    let kept: Vec<&str> = lines.lines().filter(|l| !l.starts_with('-')).collect();
    check + &kept.join("\n") + "\n"
}

fn errors(lines: &str) -> String {
    load(&suite(lines)).expect_err(lines).render(false)
}

#[test]
fn a_full_check_loads_with_its_variables_filled_in() {
    let catalog = load(&suite(
        "repeat = 3\nlimit = \"1 min\"\nretries = 2\ntags = [\"x\"]\nexpect = { value = { between = [1, \"${wanted}\"] } }\nadvise = { value = \"${wanted}\" }\nrecord = [\"value\"]",
    ))
    .unwrap();
    let check = &catalog.checks["n"][0];
    assert_eq!((check.repeat, check.limit_ms, check.retries), (3, 60_000, 2));
    let Matcher::Between(low, high) = &check.expect[0].matchers[0] else { panic!("{check:?}") };
    assert_eq!((low.to_string(), high.to_string()), ("1".to_owned(), "2".to_owned()));
    assert_eq!(check.advise[0].matchers[0].to_string(), "2");
    assert_eq!((check.location.file.as_str(), check.location.line), ("suites/s.toml", 5));
}

#[test]
fn each_mistake_is_named_with_what_to_do() {
    for (lines, expected) in [
        ("expects = 1", "did you mean `expect`?"),
        ("colour = 1", "known keys are: id, title"),
        ("-why", "[[check]] has no `why`"),
        ("id = \"nogroup\"", "expected kebab-case `group/name`"),
        ("id = \"A/b\"", "expected kebab-case `group/name`"),
        ("title = \"\"", "`title` is empty"),
        ("title = 3", "expected a text, found integer"),
        ("probe = \"sysctrl\"", "did you mean `sysctl`?"),
        ("probe = \"crystal-ball\"", "`verify list probes` lists them"),
        ("with = { kee = \"vm.x\" }", "did you mean `key`?"),
        ("with = { key = 3 }", "expected a text, found 3"),
        ("with = {}", "needs the parameter `key`"),
        ("with = { key = \"../etc\" }", "is not the name of a kernel parameter"),
        ("with = { key = \"vm.x\", as = \"number\" }", "expected one of `text`, `integer`"),
        ("expect = { valu = 1 }", "did you mean `value`?"),
        ("expect = {}", "`expect` is empty"),
        ("expect = { value = {} }", "an expectation that demands nothing"),
        ("-expect", "a check with neither `expect` nor `record`"),
        ("record = []", "`record` is empty"),
        ("record = [\"vlue\"]", "did you mean `value`?"),
        ("expect = { value = { atleast = 1 } }", "did you mean `at-least`?"),
        ("expect = { value = { at-least = \"1 GiB\" } }", "expected a count"),
        ("expect = { value = \"one\" }", "expected a whole number, found \"one\""),
        ("expect = { value = { matches = \"a\" } }", "does not apply to a whole number"),
        ("expect = { value = { matches = \"a\" } }", "it takes: is, is-not, at-least"),
        ("expect = { value = { between = [3, 1] } }", "nothing lies between"),
        ("expect = { value = { between = [3] } }", "expected two values, found 1"),
        ("expect = { value = { one-of = [] } }", "expected at least one value"),
        ("expect = { value = { agrees-with = \"other\" } }", "the probe has no field `other`"),
        ("expect = { value = \"${wnted}\" }", "did you mean `${wanted}`?"),
        ("expect = { value = \"${wanted\" }", "a variable is not closed"),
        ("after = [\"a/c\"]", "comes after `a/c`, which does not exist"),
        ("after = [\"a/b\"]", "a/b -> a/b"),
        ("when = [\"linx\"]", "did you mean `linux`?"),
        ("when = [\"tool:\"]", "write `tool:NAME`"),
        ("when = [\"listens:0\"]", "write `listens:PORT`"),
        ("repeat = 0", "expected a number from 1 to 1000"),
        ("limit = \"60\"", "expected a time"),
        ("limit = \"60 Gbit/s\"", "expected a time"),
        ("limit = \"0 s\"", "`limit` is out of range"),
        ("limit = 1.5", "1.5 needs a unit"),
    ] {
        let text = errors(lines);
        assert!(text.contains(expected), "{lines}\nexpected: {expected}\nfound:\n{text}");
        assert!(text.contains("suites/s.toml:"), "no place in:\n{text}");
    }
}

#[test]
fn units_must_fit_and_the_error_names_those_that_do() {
    let with = "with = { key = \"vm.x\", unit = \"kB\" }\n";
    for (value, expected) in [
        ("\"5 s\"", "expected a data size"),
        ("5", "found a number without a unit"),
        ("\"5 Gb\"", "unknown unit `Gb`"),
        ("\"5 KB\"", "write kB (1000 B) or KiB (1024 B)"),
        ("5.5", "5.5 needs a unit"),
        ("true", "expected a quantity"),
    ] {
        let text = errors(&format!("{with}expect = {{ value = {{ at-least = {value} }} }}"));
        assert!(text.contains(expected), "{value}: {text}");
    }
    assert!(
        load(&suite(&format!("{with}expect = {{ value = {{ at-least = \"5 MiB\" }} }}"))).is_ok()
    );
}

#[test]
fn fields_agree_with_their_like_only() {
    for (probe, field, other, refused) in [
        ("with = {}\nprobe = \"clock\"", "offset", "stratum", true),
        ("with = {}\nprobe = \"clock\"", "clocksource", "offset", true),
        ("with = {}\nprobe = \"clock\"", "offset", "offset-size", false),
        // A metric in ns, and a quantity in s.
        (BENCH, "age", "time", false),
        (BENCH, "age", "samples", true),
    ] {
        let lines = format!("{probe}\nexpect = {{ {field} = {{ agrees-with = \"{other}\" }} }}");
        if refused {
            let text = errors(&lines);
            assert!(text.contains(&format!("`{other}` is a ")), "{lines}: {text}");
        } else {
            load(&suite(&lines)).unwrap();
        }
    }
}

const BENCH: &str = "probe = \"bench-import\"\nwith = { file = \"/b.json\", format = \"google\" }";

#[test]
fn what_stands_beside_within_is_checked() {
    for (keys, expected) in [
        ("within = \"0 %\"", "expected a ratio above zero"),
        ("within = \"0 ns\"", "expected a ratio above zero"),
        ("within = \"-3 %\"", "expected a ratio above zero"),
        ("within = \"3 %\", class = \"latency-p98\"", "did you mean `latency-p99`?"),
        ("within = \"3 %\", class = \"weather\"", "classes are: "),
        ("within = \"3 %\", detect = \"0 %\"", "`detect` cannot be used"),
        ("within = \"3 %\", disaster = \"5 GB\"", "`disaster` cannot be used"),
        ("within = \"3 %\", resolution = \"3 %\"", "`resolution` cannot be used"),
        ("class = \"latency-p99\", at-most = \"1 s\"", "there is no `within` here"),
    ] {
        let text = errors(&format!("{BENCH}\nexpect = {{ time = {{ {keys} }} }}"));
        assert!(text.contains(expected), "{keys}\nexpected: {expected}\nfound:\n{text}");
    }
    let neutral = "probe = \"tsc\"\nwith = {}\nexpect = { frequency = { within = \"3 %\" } }";
    assert!(errors(neutral).contains("`within` cannot be asked of this field"));
    let keys = "within = \"3 %\", class = \"latency-p99\", detect = \"5 %\", disaster = \"50 %\", resolution = \"1 ns\"";
    let catalog = load(&suite(&format!("{BENCH}\nexpect = {{ time = {{ {keys} }} }}"))).unwrap();
    let comparing = &catalog.checks["n"][0].expect[0].comparing;
    assert_eq!(comparing.class.as_deref(), Some("latency-p99"));
    let shown = [comparing.detect, comparing.disaster, comparing.resolution]
        .map(|value| value.unwrap().to_string());
    assert_eq!(shown, ["5 %", "50 %", "1 ns"]);
}

#[test]
fn all_errors_of_a_file_are_reported_at_once_with_the_line_quoted() {
    let text = errors("probe = \"sysctrl\"\nwhen = [\"linx\"]\nlimit = \"x\"\nid = \"nope\"");
    for expected in [
        "unknown probe `sysctrl`",
        "unknown capability `linx`",
        "`limit` is not a time",
        "`nope` is not an id",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    assert!(text.contains("probe = \"sysctrl\"") && text.contains("^^^^^^^^^"), "{text}");
}

#[test]
fn duplicate_keys_and_broken_syntax_are_errors() {
    assert!(errors("repeat = 2\nrepeat = 3").contains("duplicate key"));
    assert!(
        load("[suite\ntitle = 1").expect_err("syntax").render(false).contains("suites/s.toml:1")
    );
    let text =
        load("[suite]\ntitle = \"t\"\nnodes = [\"n\"]\n").expect_err("no check").render(false);
    assert!(text.contains("the suite has no check"), "{text}");
    assert!(load("").expect_err("empty").render(false).contains("no `[suite]`"));
    assert!(load("[suit]\n").expect_err("typo").render(false).contains("did you mean `suite`?"));
}

#[test]
fn ids_are_unique_and_after_has_no_circle() {
    let one = suite("");
    let twice = format!("{one}\n{}", one.split("\n\n").nth(1).unwrap());
    assert!(load(&twice).expect_err("twice").render(false).contains("declared twice"));
    let second = suite("id = \"a/c\"\nafter = [\"a/b\"]");
    let circle =
        format!("{}\n{}", suite("after = [\"a/c\"]"), second.split("\n\n").nth(1).unwrap());
    let text = load(&circle).expect_err("circle").render(false);
    assert!(text.contains("a/b -> a/c -> a/b"), "{text}");
    assert_eq!(text.matches("goes round in a circle").count(), 1, "{text}");
}

#[test]
fn a_suite_with_ten_thousand_errors_is_still_one_page() {
    let mut text = String::from("[suite]\ntitle = \"t\"\nnodes = [\"n\"]\n");
    for number in 0..10_000 {
        text += &format!(
            "[[check]]\nid = \"a/c{number}\"\ntitle = \"t\"\nprobe = \"sysctl\"\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\nwith = {{ key = \"vm.x\" }}\nexpect = {{ valeu = 1 }}\n"
        );
    }
    let error = load(&text).expect_err("errors");
    assert_eq!(error.len(), 10_000);
    let shown = error.render(false);
    assert!(shown.contains(&format!("and {} more errors in suites/s.toml", 10_000 - SHOWN)));
    assert!(shown.lines().count() < 200, "{}", shown.lines().count());
}

#[test]
fn errors_that_are_all_shown_leave_none_to_count() {
    let key = |number| format!("colour-{number} = 1\n");
    let lines: String = (0..SHOWN).map(key).collect();
    let error = load(&suite(&lines)).expect_err("errors");
    assert_eq!(error.len(), SHOWN);
    assert!(!error.render(false).contains("more errors"), "{}", error.render(false));
}

#[test]
fn unknown_nodes_in_a_suite_are_errors_and_patterns_are_not() {
    let text = load(&suite("").replace("[\"n\"]", "[\"m\"]")).expect_err("node").render(false);
    assert!(text.contains("no node is named `m`") && text.contains("did you mean `n`?"), "{text}");
    assert_eq!(load(&suite("").replace("[\"n\"]", "[\"*\"]")).unwrap().checks["n"].len(), 1);
}

#[test]
fn what_is_wrong_for_several_nodes_or_in_several_places_is_said_once() {
    let nodes: BTreeMap<String, Arc<Source>> = ["one", "two", "nvidia"]
        .map(|name| {
            (name.to_owned(), Source::new(format!("runners/nodes/{name}.toml"), "title = \"t\"\n"))
        })
        .into();
    let said = |nodes_of_suite: &str, lines: &str| {
        let text = suite(lines).replace("[\"n\"]", nodes_of_suite);
        let suites = [("s".to_owned(), Source::new("suites/s.toml", text))].into();
        let error = load_sources(&nodes, &suites).unwrap_err();
        (error.len(), error.render(false))
    };
    let (count, text) = said("[\"*\"]", "limit = \"x\"");
    assert_eq!(count, 1, "{text}");
    let asks = "with = { key = \"${key}\", as = \"integer\" }\nexpect = { value = \"${key}\" }";
    let (count, text) = said("[\"one\"]", asks);
    assert_eq!(count, 1, "{text}");
    assert!(text.contains("node one has no variable `key`, for which 2 places ask"), "{text}");
    let memory = "expect = { value = \"${memory-min}\" }";
    let shipped = "the shipped one has it: `verify show node nvidia --shipped`";
    assert!(said("[\"nvidia\"]", memory).1.contains(shipped));
    assert!(!said("[\"nvidia\"]", asks).1.contains("the shipped one"));
    assert!(!said("[\"one\"]", memory).1.contains("the shipped one"));
    // A pattern may meet no node; what is wrong is said all the same.
    let (_, text) = said("[\"z*\"]", "limit = \"x\"\nexpect = { value = \"${key}\" }");
    assert!(
        text.contains("`limit` is not a time") && text.contains("node any has no variable"),
        "{text}"
    );
}

#[test]
fn node_files_are_checked_like_suites() {
    let node = "title = \"t\"\nrole = \"production\"\nhas = [\"linux\"]\n[[waiver]]\ncheck = \"a/b\"\nreason = \"r\"\nowner = \"o\"\nexpires = \"2026-12-31\"\n";
    let catalog = load_with(node, &suite("")).unwrap();
    assert_eq!(catalog.nodes["n"].role, NodeRole::Production);
    assert_eq!(catalog.nodes["n"].waivers[0].expires, "2026-12-31");
    for (from, to, expected) in [
        ("role = \"production\"", "role = \"prod\"", "unknown role `prod`"),
        ("\"linux\"", "\"linus\"", "did you mean `linux`?"),
        ("2026-12-31", "2026-13-31", "is not a day"),
        ("reason = \"r\"\n", "", "[[waiver]] has no `reason`"),
        ("check = \"a/b\"", "check = \"ab\"", "is not the id of a check"),
        ("title", "titel", "did you mean `title`?"),
        ("role", "python = \"bin/python3\"\nrole", "`bin/python3` is no interpreter"),
        ("role", "python = \"-c\"\nrole", "`-c` is no interpreter"),
        ("role", "python = \"\"\nrole", "`python` is empty"),
    ] {
        let text = load_with(&node.replace(from, to), &suite("")).expect_err(to).render(false);
        assert!(text.contains(expected) && text.contains("runners/nodes/n.toml:"), "{to}: {text}");
    }
    for python in ["python3.12", "/opt/ai/bin/python3"] {
        let catalog = load_with(&format!("python = \"{python}\"\n{node}"), &suite("")).unwrap();
        assert_eq!(catalog.nodes["n"].python.as_deref(), Some(python));
    }
    let twice = format!("{node}{}", &node[node.find("[[waiver]]").unwrap()..]);
    assert!(
        load_with(&twice, &suite("")).expect_err("twice").render(false).contains("waived twice")
    );
}

#[test]
fn what_ships_for_others_is_left_out_unless_a_suite_of_ones_own_meets_it() {
    let root = Root { dir: None, home: None };
    let (nodes, mut suites) = (root.nodes().unwrap(), root.suites().unwrap());
    let meant = ["local".to_owned()].into();
    let part = load_for(&meant, &nodes, &suites, None).unwrap();
    let whole = load_all(&nodes, &suites, None).unwrap();
    assert!(part.is_part && part.checks["local"] == whole.checks["local"]);
    assert!(!part.checks.contains_key("nvidia") && whole.checks.contains_key("nvidia"));
    let own = |after: &str| {
        let text = format!(
            "[suite]\ntitle = \"t\"\nnodes = [\"nvidia\"]\n\n[[check]]\nid = \"own/one\"\ntitle = \"t\"\nwhy = \"w\"\n\
             source = \"s\"\nfix = \"f\"\nprobe = \"file\"\nafter = [\"{after}\"]\nwith = {{ path = \"/\" }}\nexpect = {{ exists = true }}\n"
        );
        Source::new("suites/own.toml", text)
    };
    suites.insert("own".to_owned(), own("gpu/count"));
    assert!(!load_for(&meant, &nodes, &suites, None).unwrap().is_part);
    suites.insert("own".to_owned(), own("gpu/nothing"));
    load_for(&meant, &nodes, &suites, None).unwrap_err();
}
