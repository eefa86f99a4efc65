//! What holds for every picture, on every run of the corpus, and how those of one run look.

use std::collections::BTreeSet;

use quick_xml::{Reader, events::Event};
use verify_model::{
    effect::Effect,
    finding::FindingCode,
    matcher::{Literal, Matcher},
    metric::Direction,
    observation::Observation,
    run::Run,
    value::Value,
    waiver::Waiver,
};

use super::{Picture, STYLE, corpus, of_check, of_node, of_run};
use corpus::{
    build::{Builder, expect, failed},
    measured,
};

/// Draws all that there is to draw.
fn pictures(run: &Run) -> Vec<Picture> {
    let mut all = of_run(run);
    all.extend(run.nodes.iter().flat_map(|node| of_node(run, node)));
    all.extend(run.checks.iter().flat_map(|check| of_check(run, check)));
    all
}

/// Demands what must hold of every picture.
fn demand_sound(name: &str, pictures: &[Picture]) {
    let mut ids = BTreeSet::new();
    for picture in pictures {
        let what = format!("{name}: {}", picture.title);
        assert!(!picture.title.is_empty() && !picture.summary.is_empty(), "{what}");
        let mut reader = Reader::from_str(&picture.svg);
        loop {
            let event = reader.read_event().unwrap_or_else(|error| panic!("{what}: {error}"));
            let (Event::Start(tag) | Event::Empty(tag)) = event else {
                if matches!(event, Event::Eof) {
                    break;
                }
                continue;
            };
            let element = String::from_utf8(tag.name().as_ref().to_vec()).unwrap();
            let known = "svg title desc g line path polygon rect circle text";
            assert!(known.split(' ').any(|one| one == element), "{what}: <{element}>");
            for attribute in tag.attributes() {
                let attribute = attribute.unwrap_or_else(|error| panic!("{what}: {error}"));
                let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                let value = String::from_utf8(attribute.value.to_vec()).unwrap();
                let known = "class id role aria-labelledby viewBox x y x1 y1 x2 y2 width height rx cx cy r d points";
                assert!(known.split(' ').any(|one| one == key), "{what}: {key}");
                if "x y x1 y1 x2 y2 width height rx cx cy r".split(' ').any(|one| one == key) {
                    assert!(value.parse().is_ok_and(f64::is_finite), "{what}: {key} {value}");
                }
                if key == "id" {
                    assert!(ids.insert(value.clone()), "{what}: two of id {value}");
                }
                if key == "class" {
                    for class in value.split(' ').filter(|class| *class != "draw") {
                        assert!(STYLE.contains(&format!(".{class}")), "{what}: class {class}");
                    }
                }
            }
        }
        let odd = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!picture.svg.contains(odd), "{what}");
        assert!(picture.svg.len() < 120_000, "{what}: {} bytes", picture.svg.len());
    }
}

#[test]
fn every_picture_of_every_run_is_sound() {
    for (name, run) in corpus::all().into_iter().chain([("measured", measured::measured())]) {
        demand_sound(name, &pictures(&run));
    }
}

#[test]
fn no_colour_is_named_but_those_of_the_page() {
    assert!(!STYLE.contains('#') && !STYLE.contains("rgb") && !STYLE.contains("url("));
    for colour in STYLE.split("var(").skip(1) {
        let name = colour.split(')').next().unwrap();
        let known = "--ink --muted --line --panel --paper --accent --good --bad --warn --aside";
        assert!(known.split(' ').any(|one| one == name), "{name}");
    }
}

#[test]
fn the_pictures_of_a_run_look_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../tests/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (at, picture) in pictures(&measured::measured()).iter().enumerate() {
            let text = format!("{}\n{}\n\n{}", picture.title, picture.summary, picture.svg);
            let name = format!("draw.{at:02}");
            insta::assert_snapshot!(name, text.replace("><", ">\n<"));
        }
    });
}

#[test]
fn the_same_run_gives_the_same_pictures() {
    let text = || -> Vec<String> {
        pictures(&measured::measured()).into_iter().map(|picture| picture.svg).collect()
    };
    assert_eq!(text(), text());
}

#[test]
fn odd_numbers_are_drawn_and_none_is_lost() {
    let mut run = Builder::new();
    let odd = [
        ("one", vec![7.0; 25]),
        ("zero", vec![0.0; 25]),
        ("below", (0..25).map(|n| f64::from(n) - 30.0).collect()),
        ("huge", (0..25).map(|n| 1e290 * f64::from(n)).collect()),
        ("both", (0..25).map(|n| if n % 2 == 0 { 1e290 } else { -1e290 }).collect()),
        ("tiny", (0..25).map(|n| 1e-290 * f64::from(n + 1)).collect()),
    ];
    for (name, values) in odd {
        let rate = measured::samples("Gbit/s", Direction::HigherIsBetter, values.clone());
        let found = Observation::default()
            .metric("latency", measured::samples("s", Direction::LowerIsBetter, values))
            .metric("outbound-intervals", rate);
        let id = format!("lat/{name}");
        measured::asked(&mut run, (&id, "iperf3", Effect::Loads), &[], (0, 0), found);
    }
    let run = run.finish();
    let all = pictures(&run);
    demand_sound("odd", &all);
    assert_eq!(all.iter().filter(|p| p.title.starts_with("latency by")).count(), 6);
    assert_eq!(all.iter().filter(|p| p.title.starts_with("Throughput")).count(), 6);
}

#[test]
fn hostile_words_are_only_words() {
    let hostile = "<script>alert(1)</script>\u{202e}\u{1b}[31m]]>\"'&\n";
    let mut run = Builder::new();
    run.hostile_node(hostile);
    let text = || Value::text(hostile.repeat(2000));
    let found = Observation::default()
        .fact("present", Value::Cpus(verify_model::cpu_set::CpuSet::parse("0-3").unwrap()))
        .fact("model", text());
    measured::asked(&mut run, ("cpu/model", "cpu", Effect::Reads), &[], (0, 5), found);
    let found = Observation::default().fact("name", text()).fact("driver", text());
    measured::asked(&mut run, ("net/state", "net-interface", Effect::Reads), &[], (0, 5), found);
    let found = Observation::default()
        .fact("histogram", Value::List(vec![text()]))
        .fact("link", text())
        .fact("peer", text());
    measured::asked(&mut run, ("net/rate", "iperf3", Effect::Loads), &[], (0, 5), found.clone());
    measured::asked(&mut run, ("cpu/jitter", "tsc", Effect::Loads), &[], (0, 5), found);
    let all = pictures(&run.finish());
    demand_sound("hostile", &all);
    assert!(all.iter().any(|picture| picture.svg.contains("&lt;script&gt;")));
}

#[test]
fn a_histogram_that_cannot_be_read_is_said_and_not_drawn() {
    let mut run = Builder::new();
    let found = Observation::default().fact("histogram", Value::List(vec![Value::text("x")]));
    measured::asked(&mut run, ("cpu/jitter", "tsc", Effect::Loads), &[], (0, 5), found);
    let all = pictures(&run.finish());
    let said = |picture: &&Picture| picture.summary.contains("1 histogram cannot be read");
    assert_eq!(all.iter().filter(said).count(), 1);
}

#[test]
fn of_a_machine_of_which_nothing_is_known_there_is_no_picture() {
    for run in [corpus::all_pass(), corpus::nothing_answered(), corpus::no_checks()] {
        assert!(run.nodes.iter().all(|node| of_node(&run, node).is_empty()));
    }
}

#[test]
fn ten_thousand_checks_and_a_hundred_nodes_give_a_bounded_picture() {
    let mut run = Builder::new();
    let one = measured::passed_at(0);
    for node in 0..150_u32 {
        run.node(&format!("node-{node:03}"), "host");
        run.run.nodes.last_mut().unwrap().file.links = Box::default();
        if node == 0 {
            run.check("cpu/one", "One", Vec::new(), one.clone());
        }
    }
    let mut run = run.finish();
    let template = run.checks[0].clone();
    run.checks = (0..10_000_u32)
        .map(|at| {
            let mut check = template.clone();
            check.planned.node = format!("node-{:03}", at % 150);
            check.planned.check.id = format!("cpu/check-{at}");
            check.answer = measured::passed_at(u64::from(at));
            check
        })
        .collect();
    demand_sound("many", &of_run(&run));
}

/// Adds a link that was measured over an interface.
fn link(run: &mut Builder, id: &str, device: &str, rate: f64) {
    let out = Value::record([("device", Value::text(device))]);
    let rate = measured::samples("Gbit/s", Direction::HigherIsBetter, vec![rate]);
    let found = Observation::default()
        .fact("peer", Value::text(format!("peer-of-{device}")))
        .fact("route", Value::record([("out", out)]))
        .metric("outbound", rate);
    let demands = [("outbound", "at-least", "9 Gbit/s")];
    measured::asked(run, (id, "iperf3", Effect::Loads), &demands, (0, 5), found);
}

/// Draws the one machine of a run.
fn machine(run: Builder) -> Picture {
    let run = run.finish();
    let mut all = of_node(&run, &run.nodes[0]);
    demand_sound("machine", &all);
    all.pop().unwrap()
}

fn number_of(picture: &Picture, part: &str) -> usize {
    picture.svg.matches(part).count()
}

/// Line of a cable that was measured and whose check holds.
const SOUND: &str = r#"<line class="link" x1="131""#;
/// Line of a cable that missed a demand.
const BROKEN: &str = r#"<line class="link broken" x1="131""#;

#[test]
fn every_link_is_judged_by_its_own_check_and_stands_at_its_own_interface() {
    let mut run = Builder::new();
    let found = Observation::default()
        .fact("name", Value::text("enp5s0"))
        .fact("driver", Value::text("ixgbe"))
        .fact("speed", Value::Quantity("10 Gbit/s".parse().unwrap()));
    measured::asked(&mut run, ("net/state", "net-interface", Effect::Reads), &[], (0, 5), found);
    link(&mut run, "net/good", "enp5s0", 9.4);
    link(&mut run, "net/one", "enp6s0", 3.7);
    link(&mut run, "net/other", "enp7s0", 3.7);
    let picture = machine(run);
    assert_eq!((number_of(&picture, SOUND), number_of(&picture, BROKEN)), (1, 2));
    for said in [
        "enp6s0 to peer-of-enp6s0: failed: net/one",
        "enp7s0 to peer-of-enp7s0: failed: net/other",
        "enp5s0 to peer-of-enp5s0: line 10 Gbit/s, out 9.4 Gbit/s",
        "enp6s0 to peer-of-enp6s0: line rate unknown, out 3.7 Gbit/s",
    ] {
        assert!(picture.summary.contains(said), "{said} in {}", picture.summary);
    }
    assert_eq!(number_of(&picture, ">failed: net/o"), 2);
    assert_eq!(number_of(&picture, ">ixgbe<"), 1);
}

#[test]
fn a_link_without_an_answer_or_with_an_excuse_is_not_drawn_as_sound() {
    let mut run = Builder::new();
    link(&mut run, "net/waived", "enp6s0", 3.7);
    run.run.nodes[0].file.waivers = vec![Waiver {
        node: "nvidia".into(),
        check: "net/waived".into(),
        reason: "the vendor sends a new cable".into(),
        owner: "ana".into(),
        expires: "2026-02-01".into(),
        strict: false,
        only: std::collections::BTreeMap::new(),
        location: None,
    }];
    run.check("net/silent", "A link", Vec::new(), failed(FindingCode::TimedOut, "no answer", 0));
    run.run.checks.last_mut().unwrap().planned.check.probe = "iperf3".into();
    let picture = machine(run);
    assert_eq!((number_of(&picture, SOUND), number_of(&picture, BROKEN)), (0, 1));
    assert_eq!(number_of(&picture, r#"<line class="link unknown" x1="131""#), 1);
    for said in [">failed, waived: net/waived<", ">no answer: net/silent<"] {
        assert_eq!(number_of(&picture, said), 1, "{said}");
    }
    assert!(picture.summary.contains("no answer: net/silent"), "{}", picture.summary);
}

#[test]
fn of_many_links_none_that_failed_is_left_out() {
    let mut run = Builder::new();
    for at in 0..6 {
        link(&mut run, &format!("net/good-{at}"), &format!("up{at}"), 9.4);
    }
    link(&mut run, "net/bad", "down", 1.0);
    let picture = machine(run);
    assert_eq!(number_of(&picture, BROKEN), 1);
    assert!(picture.svg.contains("and 3 more not drawn"));
}

/// Adds what the driver says of cards, each by the lanes of its slot.
fn cards(run: &mut Builder, id: &str, lanes: &[i64], demands: &[(&str, &str, &str)]) {
    let card = |lanes: &i64| {
        let pcie = [("generation-max", Value::Integer(4)), ("width", Value::Integer(*lanes))];
        Value::record([("name", Value::text("A card")), ("pcie", Value::record(pcie))])
    };
    let found = Observation::default()
        .fact("opened", Value::Integer(i64::try_from(lanes.len()).unwrap()))
        .fact("gpus", Value::List(lanes.iter().map(card).collect()));
    measured::asked(run, (id, "nvml", Effect::Reads), demands, (0, 5), found);
}

#[test]
fn a_card_that_is_not_there_has_a_place_and_is_said() {
    for (lanes, missing) in [(&[8][..], 1), (&[], 2)] {
        let mut run = Builder::new();
        cards(&mut run, "gpu/count", lanes, &[("opened", "is", "2")]);
        let picture = machine(run);
        let said = format!("{missing} of 2 GPUs missing");
        assert_eq!(number_of(&picture, ">missing<"), missing);
        assert!(picture.summary.contains(&format!("{said}; GPUs: failed: gpu/count")));
        assert!(picture.svg.contains(&said) && picture.svg.contains(">failed: gpu/count<"));
    }
}

#[test]
fn a_demand_for_very_many_cards_gives_a_bounded_picture() {
    let mut run = Builder::new();
    cards(&mut run, "gpu/count", &[8; 6], &[("opened", "is", &i64::MAX.to_string())]);
    let picture = machine(run);
    assert_eq!(number_of(&picture, ">missing<"), 2);
}

#[test]
fn what_is_wrong_with_a_part_stands_below_it_whatever_check_found_it() {
    let mut run = Builder::new();
    cards(&mut run, "gpu/count", &[8, 8], &[("opened", "is", "2")]);
    let present = || Value::Cpus(verify_model::cpu_set::CpuSet::parse("0-3").unwrap());
    let found = Observation::default().fact("present", present()).fact("cores", Value::Integer(2));
    let demands = [("cores", "is", "4")];
    measured::asked(&mut run, ("cpu/model", "cpu", Effect::Reads), &demands, (0, 5), found);
    for id in ["gpu/health", "storage/health"] {
        run.check(id, "Health", Vec::new(), failed(FindingCode::TimedOut, "no answer", 0));
    }
    let picture = machine(run);
    for said in ["cpus: failed: cpu/model", "GPUs: no answer: gpu/health"] {
        assert!(picture.summary.contains(said), "{said} in {}", picture.summary);
    }
    assert!(picture.summary.contains("drives: no answer: storage/health"));
    assert_eq!(number_of(&picture, "bad-text"), 3);
}

#[test]
fn a_slot_is_marked_where_it_is_known_to_have_missed_a_demand() {
    let of = |field: &str, every: bool| {
        let mut run = Builder::new();
        cards(&mut run, "gpu/pcie-link", &[16, 4], &[]);
        let mut demand = expect(field, "at-least", "8");
        if every {
            demand.matchers = vec![Matcher::Every(demand.matchers)];
        } else {
            demand.matchers = vec![Matcher::None(vec![Matcher::Is(Literal::Integer(4))])];
        }
        run.run.checks.last_mut().unwrap().planned.check.expect = vec![demand];
        machine(run)
    };
    let bad = r#"<line class="link broken" x1="351" y1="0" x2="351""#;
    let (known, unknown) = (of("gpus.pcie.width", true), of("gpus.pcie.width", false));
    assert_eq!(number_of(&known, r#"class="link broken""#), 2, "the slot and the legend");
    assert_eq!(number_of(&known, bad), 1);
    assert!(known.summary.contains("slot of GPU 1: failed: gpu/pcie-link"), "{}", known.summary);
    assert_eq!(number_of(&unknown, r#"class="link broken""#), 1, "the legend");
    assert_eq!(number_of(&unknown, ">failed: gpu/pcie-link<"), 1);
}
