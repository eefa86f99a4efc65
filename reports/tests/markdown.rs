//! Markdown through a parser that we did not write: tables keep their columns, text stays text, and
//! nothing that a node says becomes a link, an element, a mention or a reference.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;

use corpus::build::{Builder, expect, fact};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use verify_model::{run::Run, value::Value};
use verify_reports::{clean::one_line, find};

/// Elements that the format writes itself.
const OWN: [&str; 6] = ["<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>"];

/// What a page shows.
#[derive(Default)]
struct Seen {
    text: String,
    html: Vec<String>,
    links: usize,
    tables: Vec<Vec<usize>>,
}

fn page(run: &Run) -> String {
    String::from_utf8(find("markdown").unwrap().render(run).unwrap()).unwrap()
}

fn seen(page: &str) -> Seen {
    let mut seen = Seen::default();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH;
    for event in Parser::new_ext(page, options) {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_)) => {
                seen.links += 1;
            }
            Event::Start(Tag::Table(_)) => seen.tables.push(Vec::new()),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                seen.tables.last_mut().unwrap().push(0);
            }
            Event::End(TagEnd::TableCell) => {
                *seen.tables.last_mut().unwrap().last_mut().unwrap() += 1;
                seen.text.push(' ');
            }
            Event::Text(text) => seen.text += &text,
            Event::Html(html) | Event::InlineHtml(html) => seen.html.push(html.into_string()),
            Event::SoftBreak | Event::HardBreak => seen.text.push('\n'),
            Event::InlineMath(math) | Event::DisplayMath(math) => panic!("{math}"),
            _ => {}
        }
    }
    seen
}

/// Splits what the parser gives as one piece into elements.
fn elements(html: &str) -> Vec<String> {
    let starts = html.split('<').skip(1);
    starts.map(|part| format!("<{}>", part.split('>').next().unwrap())).collect()
}

fn shows_text_as_text(run: &Run, about: &str) {
    let page = page(run);
    assert!(page.len() <= 65_536, "{about}: {} bytes", page.len());
    let seen = seen(&page);
    assert_eq!(seen.links, 0, "{about}: {page}");
    for element in seen.html.iter().flat_map(|html| elements(html)) {
        assert!(OWN.contains(&element.as_str()), "{about}: {element}");
    }
    for table in &seen.tables {
        assert!(table.iter().all(|cells| *cells == table[0]), "{about}: {table:?}\n{page}");
    }
    let mut last = ' ';
    for character in page.chars() {
        let ping = last == '@' && (character.is_alphanumeric() || character == '_');
        // An entity is a hash that is followed by a number, too.
        assert!(!ping, "{about}: {page}");
        last = character;
    }
    for hash in seen.text.split('#').skip(1) {
        assert!(hash.starts_with('\u{200b}') || hash.is_empty(), "{about}: {hash}");
    }
    assert!(!seen.text.contains("://"), "{about}");
}

#[test]
fn every_run_of_the_corpus_shows_text_as_text_and_each_check() {
    for (name, run) in corpus::all() {
        shows_text_as_text(&run, name);
        let page = page(&run);
        let seen = seen(&page);
        let shown = format!("{}{}", seen.text, seen.html.concat());
        for check in &run.checks {
            let id = one_line(&check.planned.check.id, 400);
            assert!(shown.contains(&id), "{name}: {id} in {shown}");
        }
        assert!(page.contains(&format!("exit code {}", run.exit_code())), "{name}");
        for outcome in ["pass", "fail", "error", "skip", "unjudged", "blocked"] {
            assert!(page.contains(&format!(" {outcome}")), "{name}: {outcome}");
        }
    }
}

#[test]
fn what_a_node_says_stays_what_it_said() {
    for said in [
        "a | b",
        "`code` ``",
        "*bold* __under__ ~~gone~~ $x^2$",
        "[link](http://evil) ![image](x) <http://evil> http://evil www.evil.org",
        "<script>alert(1)</script> <img src=x onerror=y> &lt; &#64;",
        "@ana and @org/team, #12, o/r#13, GH-14, mail@evil.org",
        "\\| \\` \\",
        "</details></code>",
    ] {
        let run = corpus::hostile::run_of(said, said, said);
        shows_text_as_text(&run, said);
        let seen = seen(&page(&run)).text.replace('\u{200b}', "");
        // Pairs of backticks in a message are code.
        let plain = said.replace('`', "");
        assert!(seen.contains(said) && seen.replace('`', "").contains(&plain), "{said} in {seen}");
    }
}

#[test]
fn ten_thousand_checks_are_cut_and_counted() {
    let mut run = Builder::new();
    for at in 0..10_000 {
        let demand = vec![expect("count", "is", "4")];
        run.check(&format!("a/check-{at}"), "It is four", demand, fact("count", Value::Integer(3)));
    }
    let run = run.finish();
    shows_text_as_text(&run, "large");
    let page = page(&run);
    assert!(page.contains("10000 fail"), "{page}");
    assert!(page.contains("left out.**"), "{page}");
    let end = page.lines().last().unwrap();
    assert!(end.contains("verify report 01JGXB4T8ZQ5W7M2N3P4R6S8VA --format html"), "{end}");
}

#[test]
fn what_needs_somebody_is_told_however_much_changed() {
    let mut run = corpus::compared();
    let changes = |at: usize| format!("driver {at}: 570 -> 575");
    run.baselines[0].changed = (0..5_000).map(changes).collect();
    let text = page(&run);
    assert!(text.contains("driver 0: 570") && text.contains("### What needs somebody"), "{text}");
    assert!(text.contains("<details>") && text.contains("more rows did not fit"), "{text}");
}

#[test]
fn a_baseline_of_an_unknown_machine_is_no_sign_that_nothing_changed() {
    let mut run = corpus::compared();
    let node = run.baselines[0].key.node.clone();
    for baseline in &mut run.baselines {
        baseline.changed.clear();
        baseline.machine_unknown = baseline.key.node == node;
    }
    let text = page(&run);
    assert!(text.contains("is not recorded with the baseline"), "{text}");
    assert!(!text.contains("no change of the machine is known"), "{text}");
}
