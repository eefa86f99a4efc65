//! The page as a machine reads it: complete, self-contained, and safe whatever a node sends.
//!
//! How it looks and behaves in a browser is tried in `browser/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod markup;

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use markup::{Element, parse};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use verify_model::{
    outcome::Outcome,
    run::{Run, RunCheck},
    value::Value,
};
use verify_reports::{
    clean::{clean, one_line},
    find,
    sentence::sentence,
};

fn bytes(run: &Run) -> String {
    String::from_utf8(find("html").unwrap().render(run).unwrap()).unwrap()
}

fn page(run: &Run) -> Element {
    parse(&bytes(run)).unwrap()
}

fn one<'e>(page: &'e Element, class: &str) -> &'e Element {
    let found = page.of_class(class);
    assert_eq!(found.len(), 1, "{class}");
    found[0]
}

#[test]
fn every_check_stands_there_once_with_its_outcome() {
    for (name, run) in corpus::all() {
        let page = page(&run);
        let checks = page.of_class("check");
        assert_eq!(checks.len(), run.checks.len(), "{name}");
        let mut seen: Vec<(String, String)> = checks.iter().map(|check| said(check)).collect();
        let mut held: Vec<(String, String)> = run.checks.iter().map(held).collect();
        seen.sort();
        held.sort();
        assert_eq!(seen, held, "{name}");
    }
}

/// Returns the id of a check and what is shown of its outcome.
fn said(check: &Element) -> (String, String) {
    let outcome = check.attribute("data-outcome").unwrap();
    let words = check.of_class("badge")[0].words();
    let word = words.split(' ').next_back().unwrap();
    (one(check, "id").words(), format!("{outcome} {word}"))
}

fn held(check: &RunCheck) -> (String, String) {
    let outcome = check.verdict.outcome.name();
    let word = if check.verdict.is_waived() { "waived" } else { outcome };
    (one_line(&check.planned.check.id, 200), format!("{outcome} {word}"))
}

#[test]
fn sentence_exit_code_and_all_six_counts_are_said_first() {
    for (name, run) in corpus::all() {
        let page = page(&run);
        let verdict = page.by_id("verdict").unwrap();
        assert_eq!(verdict.of_name("h1")[0].words(), one_line(&sentence(&run), 2000), "{name}");
        let title = page.of_name("title")[0].words();
        assert!(title.contains(&one_line(&sentence(&run), 2000)), "{name}: {title}");
        let exit = format!("Exit code {}:", run.exit_code());
        assert!(one(verdict, "exit").words().starts_with(&exit), "{name}");
        let waived = run.verdicts().filter(|v| v.is_waived()).count();
        let counts = verdict.of_class("count");
        assert_eq!(counts.len(), Outcome::ALL.len(), "{name}");
        for (seen, outcome) in counts.iter().zip(Outcome::ALL) {
            let mut words = seen.words();
            if outcome == Outcome::Fail && waived > 0 {
                words = words.replace(&format!(" ({waived} waived)"), "");
                assert_ne!(words, seen.words(), "{name}");
            }
            let number = run.counts().get(outcome);
            assert!(words.starts_with(&format!("{number} ")), "{name}: {words}");
            assert!(words.ends_with(outcome.name()), "{name}: {words}");
        }
        let first = page.of_name("main")[0].children.first().unwrap();
        assert_eq!(first.attribute("id"), Some("verdict"), "{name}");
    }
}

#[test]
fn what_must_not_be_overlooked_has_a_banner() {
    let banners = |run: &Run| {
        let page = page(run);
        page.of_class("banner").iter().map(|banner| banner.words()).collect::<Vec<_>>().join(" ")
    };
    assert!(banners(&corpus::interrupted()).contains("was interrupted"));
    assert!(banners(&corpus::incomplete()).contains("record ends before"));
    let mut simulated = corpus::all_pass();
    assert_eq!(banners(&simulated), "");
    simulated.nodes[0].facts.simulated = Some("lost-gpu".into());
    assert!(banners(&simulated).contains("Simulated by scenario lost-gpu: no machine was asked."));
}

#[test]
fn nothing_is_loaded_from_elsewhere_and_nothing_but_its_own_style_and_script_applies() {
    for (name, run) in corpus::all() {
        let page = page(&run);
        for element in page.all() {
            for (attribute, value) in &element.attributes {
                let about = format!("{name}: <{} {attribute}={value:?}>", element.name);
                assert!(attribute != "style" && !attribute.starts_with("on"), "{about}");
                let leads = ["href", "src", "srcset", "action", "data", "xlink:href", "formaction"];
                if leads.contains(&attribute.as_str()) {
                    assert!(value.starts_with('#'), "{about}");
                }
            }
            let loads =
                ["link", "img", "iframe", "object", "embed", "base", "form", "image", "use"];
            assert!(!loads.contains(&element.name.as_str()), "{name}: <{}>", element.name);
        }
        let (style, script) = (page.of_name("style"), page.of_name("script"));
        assert_eq!((style.len(), script.len()), (1, 1), "{name}");
        for loads in ["url(", "@import", "expression("] {
            assert!(!style[0].text.contains(loads), "{loads}");
        }
        let policy = page.of_name("meta");
        let policy = policy.iter().find(|m| m.attribute("http-equiv").is_some()).unwrap();
        let hash = |element: &Element| STANDARD.encode(Sha256::digest(&element.text));
        let wanted = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
             form-action 'none'",
            hash(style[0]),
            hash(script[0])
        );
        assert_eq!(policy.attribute("content"), Some(wanted.as_str()), "{name}");
    }
}

#[test]
fn every_id_is_unique_and_every_link_leads_somewhere() {
    for (name, run) in corpus::all() {
        let page = page(&run);
        let mut ids = BTreeSet::new();
        for id in page.all().iter().filter_map(|element| element.attribute("id")) {
            assert!(ids.insert(id), "{name}: {id}");
            assert!(!id.contains(char::is_whitespace), "{name}: {id}");
        }
        for element in page.all() {
            let link = element.attribute("href").and_then(|href| href.strip_prefix('#'));
            let named = ["for", "aria-labelledby", "aria-describedby"];
            let named = named.iter().filter_map(|name| element.attribute(name));
            let named = named.flat_map(str::split_whitespace);
            // A count is a link to a state of the filter.
            for id in link.into_iter().filter(|id| !id.contains('=')).chain(named) {
                assert!(ids.contains(id), "{name}: {id}");
            }
        }
    }
}

#[test]
fn a_baseline_of_an_unknown_machine_is_no_sign_that_nothing_changed() {
    let mut run = corpus::compared();
    run.baselines.iter_mut().for_each(|baseline| baseline.changed.clear());
    assert!(page(&run).text.contains("No change of the machine is known."));
    run.baselines.iter_mut().for_each(|baseline| baseline.machine_unknown = true);
    let text = page(&run).text;
    assert!(text.contains("is not recorded with the baseline"), "{text}");
    assert!(!text.contains("No change"), "{text}");
}

#[test]
fn headings_go_down_one_step_at_a_time_and_landmarks_are_there() {
    for (name, run) in corpus::all() {
        let page = page(&run);
        let mut level = 0;
        for element in page.all() {
            let Some(now) = element.name.strip_prefix('h').and_then(|n| n.parse::<u8>().ok())
            else {
                continue;
            };
            assert!(now <= level + 1, "{name}: {} follows h{level}", element.words());
            level = now;
        }
        for landmark in ["header", "nav", "main", "footer", "h1"] {
            assert_eq!(page.of_name(landmark).len(), 1, "{name}: {landmark}");
        }
        assert_eq!(page.of_name("html")[0].attribute("lang"), Some("en"));
        for table in page.of_name("table") {
            assert_eq!(table.of_name("caption").len(), 1, "{name}");
            assert!(table.of_name("th").iter().all(|th| th.attribute("scope").is_some()), "{name}");
        }
    }
}

#[test]
fn what_needs_somebody_says_what_to_do_and_what_it_blocks() {
    let page = page(&corpus::every_outcome());
    let causes = page.of_class("cause");
    let of = |id: &str| {
        let named = |cause: &&&Element| cause.of_class("of")[0].words().starts_with(id);
        causes.iter().find(named).unwrap().words()
    };
    let count = of("gpu/count");
    for said in ["4 expected, 3 observed", "Do next", "why", "suites/machine.toml:20", "gpu/p2p"] {
        assert!(count.contains(said), "{said} in {count}");
    }
    assert!(of("gpu/ecc").contains("GPU is lost"));
    assert!(causes[0].words().contains("fail"), "the worst comes first");
}

#[test]
fn that_nothing_needs_somebody_is_said_only_where_it_is_so() {
    let said = |run: &Run| page(run).by_id("findings").unwrap().words();
    assert!(said(&corpus::all_pass()).contains("Nothing: no check failed"));
    for run in [corpus::nothing_answered(), corpus::no_checks(), corpus::interrupted_at_the_end()] {
        assert!(said(&run).contains("the verdict says what is wrong"), "{}", said(&run));
    }
    let mut new = corpus::baseline_required();
    new.header.require_baseline = false;
    new.checks.truncate(1);
    assert!(said(&new).contains("Nothing now. What is waived or has no baseline yet"));
}

#[test]
fn what_changed_is_said_and_so_is_that_nothing_was_compared() {
    let said = |run: &Run| page(run).by_id("changed").unwrap().words();
    let compared = said(&corpus::compared());
    for words in ["memory: 4 -> 2 modules", "regressed memory/lost", "improved memory/gained"] {
        assert!(compared.contains(words), "{words} in {compared}");
    }
    let all_pass = said(&corpus::all_pass());
    assert!(all_pass.contains("Nothing was compared"), "{all_pass}");
}

#[test]
fn a_loss_is_shown_with_baseline_change_and_interval() {
    let page = page(&corpus::compared());
    let lost = page.by_id("check-nvidia-memory-lost").unwrap();
    let row = one(lost, "readings").words();
    for said in ["38 GB/s", "51.2 GB/s", "-25.8 %", "regressed", "✗ missed"] {
        assert!(row.contains(said), "{said} in {row}");
    }
}

#[test]
fn evidence_is_cut_and_says_what_is_left_out_and_where_it_is() {
    let mut run = corpus::build::Builder::new();
    let long = format!("begin\n{}end", "x".repeat(999_991));
    run.exec(&["cat", "long"], 0, &long);
    for _ in 0..400 {
        run.exec(&["cat", "much"], 0, &"y".repeat(16 * 1024));
    }
    let run = run.finish();
    let text = bytes(&run);
    assert!(text.len() < 6 * 1024 * 1024, "{}", text.len());
    let page = parse(&text).unwrap();
    let first = page.by_id("evidence-1").unwrap().words();
    assert!(first.contains("begin x") && first.contains("xend"), "head and tail");
    assert!(first.contains("961 KiB of the middle not shown here"), "what is left out");
    let all = page.by_id("evidence").unwrap().words();
    assert!(all.contains("The page holds at most 4 MiB of it: 145 of 401 pieces"), "the budget");
    assert!(page.by_id("evidence-401").unwrap().words().contains("--format jsonl has it"));
}

#[test]
fn a_line_of_ten_megabytes_makes_no_large_page() {
    let mut run = corpus::all_pass();
    let long = "0123456789".repeat(1_000_000);
    let answer = corpus::build::fact("version", Value::text(&long));
    run.checks[0].answer = answer;
    run.judge_all();
    let text = bytes(&run);
    assert!(text.len() < 200_000, "{}", text.len());
    assert!(page(&run).of_class("cause")[0].words().contains('…'));
}

/// Tells whether a reader is safe from every character.
fn is_calm(text: &str) -> bool {
    text.chars().all(|c| {
        matches!(c, '\n' | '\t' | '\r')
            || !(c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    })
}

#[test]
fn hostile_text_is_shown_as_text() {
    let run = corpus::hostile();
    let page = page(&run);
    let text = page.words();
    assert!(is_calm(&bytes(&run)));
    for said in
        ["]]> <script>alert(1)</script> &amp; \"quoted\"", "\u{fffd}gpj.exe", "größe 日本語 🦀"]
    {
        assert!(text.contains(&clean(said)), "{said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_node_sends_is_text_of_the_page(
        observed in corpus::hostile::hostile_text(),
        message in corpus::hostile::hostile_text(),
        title in corpus::hostile::hostile_text(),
    ) {
        let text = bytes(&corpus::hostile::run_of(&observed, &message, &title));
        prop_assert!(is_calm(&text));
        let page = parse(&text);
        prop_assert!(page.is_ok(), "{:?}", page.err());
        let page = page.unwrap();
        prop_assert_eq!(page.of_class("check").len(), 4);
        prop_assert_eq!(page.of_name("script").len(), 1);
    }
}
