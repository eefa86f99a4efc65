//! What a waiver excuses, from node file to exit code.

use crate::ground::{FAILS, Ground, PASSES, of_kind, outcomes};

fn waive(ground: &Ground, check: &str, expires: &str, rest: &str) {
    let text = format!(
        "[[waiver]]\ncheck = \"{check}\"\nreason = \"The part is on order.\"\nowner = \"ops\"\nexpires = \"{expires}\"\n{rest}"
    );
    ground.node("box", &text);
}

#[test]
fn a_valid_waiver_excuses_a_failure_in_the_exit_code_of_run_record_and_junit() {
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", PASSES)]);
    waive(&ground, "a/one", "2999-12-31", "");
    let said = ground.run(&["--report", "junit=out.xml"]).exits(0);
    said.says(&[
        "1 fail (1 waived)",
        "waived by ops until 2999-12-31, ",
        " days left: The part is on order.",
    ]);
    let xml = std::fs::read_to_string(ground.path("out.xml")).unwrap();
    assert!(
        xml.contains("failures=\"0\" errors=\"0\"") && xml.contains("type=\"waived\""),
        "{xml}"
    );
    let lines = ground.last();
    assert_eq!(lines.last().unwrap()["exit"], 0, "the record agrees with the command");
    ground.say(&["judge", "last"]).exits(0);
}

#[test]
fn an_expired_waiver_excuses_nothing() {
    let ground = Ground::with(&[("a/one", FAILS)]);
    waive(&ground, "a/one", "2020-01-01", "");
    ground.run(&[]).exits(1).says(&["the waiver of ops expired on 2020-01-01"]);
}

#[test]
fn a_check_that_passes_again_asks_for_the_waiver_to_be_removed() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    waive(&ground, "a/one", "2999-12-31", "");
    ground
        .run(&[])
        .exits(0)
        .says(&["passes again: the waiver of ops (runners/nodes/box.toml:4) is not needed"]);
}

#[test]
fn a_strict_waiver_makes_an_unexpected_pass_a_failure() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    waive(&ground, "a/one", "2999-12-31", "strict = true\n");
    ground.run(&[]).exits(1).says(&["although the strict waiver of ops says that it fails"]);
    assert_eq!(ground.last().last().unwrap()["exit"], 1, "the record agrees with the command");
}

#[test]
fn a_waived_failure_still_blocks_what_comes_after_it() {
    let after = format!("after = [\"a/one\"]\n{PASSES}");
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", &after), ("a/three", PASSES)]);
    waive(&ground, "a/one", "2999-12-31", "");
    ground.run(&[]).exits(0).says(&["1 fail (1 waived)", "1 blocked"]);
}

#[test]
fn a_waived_failure_does_not_end_a_run_that_fails_fast() {
    let loads = "probe = \"command\"\nwith = { argv = [\"true\"], effect = \"loads\" }\nexpect = { exit-code = 0 }";
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", loads)]);
    waive(&ground, "a/one", "2999-12-31", "");
    ground.run(&["--fail-fast"]).exits(0).says(&["1 pass"]);
    assert!(outcomes(&ground.last()).contains(&("a/two".to_owned(), "pass".to_owned())));
}

#[test]
fn a_day_that_is_none_is_an_error_of_the_file() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    waive(&ground, "a/one", "soon", "");
    ground.run(&[]).exits(2).complains(&["`soon` is not a day", "runners/nodes/box.toml"]);
}

#[test]
fn a_waiver_for_a_check_that_the_node_does_not_have_is_an_error_of_the_file() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    waive(&ground, "a/two", "2999-12-31", "");
    ground.run(&[]).exits(2).complains(&["a/two", "runners/nodes/box.toml"]);
}

/// Writes the file beside the suites; its waiver ends so many days after today.
fn share(ground: &Ground, check: &str, days: i64, rest: &str) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = today.saturating_add(jiff::Span::new().days(days)).to_string();
    let text = format!(
        "[[waiver]]\ncheck = \"{check}\"\nreason = \"The part is on order.\"\nowner = \"ops\"\nexpires = \"{day}\"\n{rest}\n"
    );
    std::fs::write(ground.path("waivers.toml"), text).unwrap();
    day
}

#[test]
fn a_waiver_beside_the_suites_excuses_what_it_names_and_stands_in_every_report() {
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", FAILS), ("b/one", PASSES)]);
    let day = share(&ground, "a/*", 40, "node = \"box\"");
    let said = ground.run(&["--report", "junit=out.xml"]).exits(0);
    said.says(&["2 fail (2 waived)", &format!("waived by ops until {day}, ")]);
    let xml = std::fs::read_to_string(ground.path("out.xml")).unwrap();
    for part in ["type=\"waived\"", "ops", &day, "days left", "The part is on order."] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    let lines = ground.last();
    let node = of_kind(&lines, "named")[0];
    assert_eq!(node["file"]["waivers"][1]["location"]["file"], "waivers.toml", "{node}");
    assert_eq!(lines.last().unwrap()["exit"], 0, "the record agrees with the command");
    std::fs::remove_file(ground.path("waivers.toml")).unwrap();
    ground.say(&["judge", "last"]).exits(0).says(&["2 fail (2 waived)"]);
    ground.run(&[]).exits(1);
}

#[test]
fn an_old_record_is_judged_by_the_day_on_which_it_ran() {
    let ground = Ground::with(&[("a/one", FAILS)]);
    let day = share(&ground, "a/one", 40, "");
    ground.run(&[]).exits(0);
    let path = ground.records().pop().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    // As if it had run on the last day of the waiver, and on the day after.
    let started = text.split("\"started-at\":\"").nth(1).unwrap()[..10].to_owned();
    let on = |day: &str| {
        let moved = text.replacen(
            &format!("\"started-at\":\"{started}"),
            &format!("\"started-at\":\"{day}"),
            1,
        );
        std::fs::write(&path, moved).unwrap();
        ground.say(&["judge", "last"])
    };
    on(&day).exits(0).says(&[", its last day: The part is on order."]);
    let after = day.parse::<jiff::civil::Date>().unwrap().tomorrow().unwrap().to_string();
    on(&after).exits(1).says(&[&format!("expired on {day}")]);
}

#[test]
fn a_waiver_for_other_hardware_excuses_nothing_and_says_why() {
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", PASSES)]);
    share(&ground, "a/*", 40, "strict = true\nonly = { \"no.such.field\" = \"2.0\" }");
    let said = ground.run(&[]).exits(1);
    said.says(&["the waiver of ops (waivers.toml:2) does not apply", "no.such.field is not known"]);
    assert!(outcomes(&ground.last()).contains(&("a/two".to_owned(), "pass".to_owned())));
}

#[test]
fn a_waiver_that_lasts_too_long_or_never_ends_is_an_error_of_the_file() {
    let ground = Ground::with(&[("a/one", FAILS)]);
    share(&ground, "a/one", 367, "");
    for args in [["plan", "--node", "box"], ["run", "--node", "box"], ["list", "waivers", "--json"]]
    {
        ground.say(&args).exits(2).complains(&["lasts too long", "waivers.toml:5"]);
    }
    share(&ground, "a/one", 366, "");
    ground.run(&[]).exits(0);
}

#[test]
fn a_waiver_that_names_nothing_is_a_warning_wherever_it_is_read() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    share(&ground, "a/on", 40, "");
    for args in [["plan", "--node", "box"], ["run", "--node", "box"], ["list", "checks", "--json"]]
    {
        let said = ground.say(&args).exits(0);
        said.complains(&[
            "warning: waivers.toml:2: no node has a check `a/on` to waive; did you mean `a/one`?",
        ]);
    }
}

#[test]
fn a_file_of_waivers_is_trusted_like_a_suite() {
    use std::os::unix::fs::PermissionsExt as _;
    let ground = Ground::with(&[("a/one", FAILS)]);
    share(&ground, "a/one", 40, "");
    let open = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(ground.path("waivers.toml"), open).unwrap();
    let refused = ground.run(&[]).exits(2);
    let refused = refused.complains(&["waivers.toml can be written by everybody"]);
    let words = || refused.err.split_whitespace();
    let digest = words().skip_while(|word| *word != "--trust").nth(1).unwrap().to_owned();
    ground.run(&["--trust", &digest]).exits(0);
    share(&ground, "a/one", 41, "");
    ground.run(&["--trust", &digest]).exits(2).complains(&["have another digest"]);
}

#[test]
fn waivers_are_listed_with_the_days_that_are_left_and_what_they_excuse() {
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", FAILS), ("b/one", FAILS)]);
    ground.say(&["list", "waivers"]).exits(0).says(&["no waivers"]);
    waive(&ground, "b/one", "2020-01-01", "");
    let day = share(&ground, "a/*", 40, "only = { \"gpu.*.vbios\" = \"94.02*\" }");
    let said = ground.say(&["list", "waivers"]).exits(0);
    said.says(&[
        &format!("a/* on every node: until {day}, "),
        "ops: The part is on order.",
        "only where gpu.*.vbios is 94.02*",
        "excuses 2 checks: a/one, a/two",
        "waivers.toml:2",
        "b/one on node box: expired on 2020-01-01, ",
        "runners/nodes/box.toml:4",
    ]);
    let json = ground.say(&["list", "waivers", "--node", "box", "--json"]).exits(0);
    let list: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(list[0]["excuses"][1]["check"], "a/two", "{list}");
    assert!(list[1]["days-left"].as_i64().unwrap() < 0, "{list}");
}
