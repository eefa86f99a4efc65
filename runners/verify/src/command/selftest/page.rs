//! The table for people: what was put there, who noticed, and last what nobody did.

use verify_engine::fault::{Catalogue, DAMAGES, Expected, Fault, Found, Proof, Seen};
use verify_model::{exit::Situation, finding::FindingCode, outcome::Outcome};
use verify_reports::{
    clean::one_line,
    terminal::{
        page::Page,
        paint::{Paint, Sign},
    },
};

use super::Tried;
use crate::output::{self, Ability};

/// Widest name of a fault that has a column. *Units*: columns.
const NAME: usize = 27;
/// Widest id of a check that has a column. *Units*: columns.
const CHECK: usize = 25;
/// Longest message that is shown. *Units*: characters.
const LONGEST: usize = 300;
/// Where the texts under a fault that nobody noticed begin. *Units*: columns.
const HANG: usize = 15;

/// Writes the catalogue.
pub(super) fn list(catalogue: &Catalogue, wanted: &[&Fault], out: Ability) -> String {
    let mut page = output::page(out);
    for group in &catalogue.groups {
        let is_wanted = |fault: &&Fault| wanted.iter().any(|known| known.id == fault.id);
        let mut faults = group.faults.iter().filter(is_wanted).peekable();
        if faults.peek().is_none() {
            continue;
        }
        page.blank();
        page.text(Paint::Bold, 0, &group.title);
        for fault in faults {
            let name = format!("{:NAME$}", fault.id);
            page.lead(2, &[(Paint::Plain, &name)], NAME + 3, (Paint::Plain, &fault.title));
            let place = format!("{}, {}", fault.node, fault.check);
            let what = format!("{place}: {}", demanded(&fault.expect));
            page.lead(2, &[(Paint::Dim, " ")], NAME + 3, (Paint::Dim, &what));
        }
    }
    page.finish().trim_start_matches('\n').to_owned()
}

/// Writes what was tried.
pub(super) fn page(tried: &Tried<'_>, out: Ability) -> String {
    let mut page = output::page(out);
    page.text(
        Paint::Aside,
        0,
        "injected: recorded answers, made wrong on purpose; no machine was asked",
    );
    if !tried.proofs.is_empty() {
        let legend = "Each fault, the check that must notice it, and the field that must fail, or what else must be said.";
        page.text(Paint::Dim, 0, legend);
    }
    for group in &tried.catalogue.groups {
        let is_of =
            |proof: &&Proof<'_>| group.faults.iter().any(|fault| fault.id == proof.fault.id);
        let proofs: Vec<&Proof<'_>> = tried.proofs.iter().filter(is_of).collect();
        if proofs.is_empty() {
            continue;
        }
        page.blank();
        page.text(Paint::Bold, 0, &group.title);
        for proof in proofs {
            row(&mut page, proof);
        }
    }
    damages(&mut page, tried);
    trouble(&mut page, tried);
    counts(&mut page, tried);
    page.finish()
}

fn row(page: &mut Page, proof: &Proof<'_>) {
    let fault = proof.fault;
    let (situation, said) = match &proof.found {
        Found::Noticed(_) => (Situation::Pass, short(&fault.expect)),
        Found::Otherwise(seen) => {
            (Situation::Fail, format!("expected {}, found {}", short(&fault.expect), found(seen)))
        }
        Found::NoControl(seen) => {
            (Situation::Error, format!("no control: healthy gives {}", found(seen)))
        }
        Found::Broken(why) => (Situation::Error, format!("not put there: {why}")),
    };
    line(page, situation, [&fault.id, &fault.check], &said);
}

/// Writes a line of the table: a mark, two names, what is said.
fn line(page: &mut Page, situation: Situation, [name, check]: [&str; 2], said: &str) {
    let sign = Sign::of(situation);
    let paint = if situation == Situation::Pass { Paint::Plain } else { Paint::Bold };
    page.lead(
        2,
        &[
            (sign.paint, &sign.mark.to_string()),
            (Paint::Plain, &format!("{name:NAME$}")),
            (Paint::Dim, &format!("{check:CHECK$}")),
        ],
        4 + NAME + CHECK + 2,
        (paint, &one_line(said, LONGEST)),
    );
}

fn damages(page: &mut Page, tried: &Tried<'_>) {
    if tried.struck.is_empty() {
        return;
    }
    page.blank();
    page.text(Paint::Bold, 0, "Answers that are none, put under every check");
    for damage in DAMAGES {
        let own = || tried.struck.iter().filter(|struck| struck.damage.id == damage.id);
        let (all, noticed) = (own().count(), own().filter(|struck| struck.is_noticed()).count());
        if all == 0 {
            continue;
        }
        let known = own().filter(|struck| !struck.is_noticed() && struck.known.is_some()).count();
        let situation = if noticed + known == all { Situation::Pass } else { Situation::Fail };
        let beside = match known {
            0 => String::new(),
            known => format!(", {known} not its matter"),
        };
        let said = format!("{noticed} of {all} noticed{beside}");
        line(page, situation, [damage.id, damage.title], &said);
    }
}

/// Names what needs somebody, with what to do.
fn trouble(page: &mut Page, tried: &Tried<'_>) {
    for proof in &tried.proofs {
        let fault = proof.fault;
        let (word, lines) = match &proof.found {
            Found::Noticed(_) => continue,
            Found::Otherwise(seen) => (
                "not noticed",
                vec![
                    ("expected", demanded(&fault.expect)),
                    ("found", told(seen)),
                    ("do", weak(fault)),
                ],
            ),
            Found::NoControl(seen) => (
                "proves nothing",
                vec![
                    ("healthy", told(seen)),
                    (
                        "do",
                        "see to the control: a check that is always red notices nothing".to_owned(),
                    ),
                ],
            ),
            Found::Broken(why) => (
                "not put there",
                vec![
                    ("why", why.clone()),
                    (
                        "do",
                        "what the check asks has changed: correct the fault in runners/faults"
                            .to_owned(),
                    ),
                ],
            ),
        };
        head(page, word, &fault.id, &fault.title);
        under(page, "check", &format!("{}, {}", fault.node, fault.check));
        lines.iter().for_each(|(label, text)| under(page, label, text));
    }
    for struck in tried.slips() {
        head(page, "passes", struck.damage.id, struck.damage.title);
        under(page, "check", &format!("{}, {}", struck.node, struck.check));
        under(
            page,
            "do",
            "let the check demand what was damaged: as it stands, no answer is a pass",
        );
    }
    for struck in &tried.struck {
        if let Err(why) = &struck.seen {
            head(page, "not tried", struck.damage.id, struck.damage.title);
            under(page, "check", &format!("{}, {}", struck.node, struck.check));
            under(page, "why", why);
        }
    }
    for (node, check, seen) in tried.red_controls() {
        head(page, "red though healthy", check, "");
        under(page, "check", &format!("{node}, {check}"));
        under(page, "found", &told(seen));
    }
}

fn head(page: &mut Page, word: &str, id: &str, title: &str) {
    page.blank();
    page.lead(0, &[(Paint::Bad, word), (Paint::Bold, id)], HANG, (Paint::Plain, title));
}

fn under(page: &mut Page, label: &str, text: &str) {
    let paint = if label == "do" { Paint::Bold } else { Paint::Dim };
    page.lead(2, &[(paint, label)], HANG, (Paint::Plain, &one_line(text, LONGEST)));
}

fn weak(fault: &Fault) -> String {
    format!("`verify explain {}` says what it demands: give it back what would notice", fault.check)
}

fn counts(page: &mut Page, tried: &Tried<'_>) {
    let of = |wanted: fn(&Found) -> bool| tried.proofs.iter().filter(|p| wanted(&p.found)).count();
    let noticed = of(|found| matches!(found, Found::Noticed(_)));
    let otherwise = of(|found| matches!(found, Found::Otherwise(_)));
    let broken = tried.proofs.len() - noticed - otherwise;
    let red = tried.red_controls().count();
    page.blank();
    let mut line = |label: &str, text: String| {
        page.lead(0, &[(Paint::Dim, label)], 10, (Paint::Plain, &text));
    };
    line(
        "faults",
        format!(
            "{} put there · {noticed} noticed · {otherwise} not noticed · {broken} prove nothing",
            tried.proofs.len()
        ),
    );
    line(
        "controls",
        format!(
            "{} checks on healthy answers · {} green",
            tried.controls.len(),
            tried.controls.len() - red
        ),
    );
    if !tried.struck.is_empty() {
        let noticed = tried.struck.iter().filter(|struck| struck.is_noticed()).count();
        let known = tried.struck.iter().filter(|s| !s.is_noticed() && s.known.is_some()).count();
        line(
            "damages",
            format!(
                "{} put under {} checks · {noticed} noticed · {known} not the matter of the check · {} passed",
                tried.struck.len(),
                tried.controls.len(),
                tried.slips().count()
            ),
        );
    }
    let exit = tried.exit();
    let (paint, verdict) = match exit {
        0 => (Paint::Good, "What ships notices what it is for."),
        4 => (Paint::Doubtful, "Nothing was tried."),
        1 => (Paint::Bad, "Something slips through."),
        _ => (Paint::Bad, "Something could not be tried."),
    };
    page.text(paint, 0, &format!("{verdict} Exit code {exit}."));
}

/// Says in a few words what must be found: of a failure the field alone, for most are.
fn short(expected: &Expected) -> String {
    let outcome = outcome_word(expected.outcome);
    match (&expected.field, expected.finding) {
        (Some(field), _) if expected.outcome == Outcome::Fail => field.clone(),
        (Some(field), _) => format!("{outcome} {field}"),
        (None, FindingCode::Blocked) => outcome.to_owned(),
        (None, code) => format!("{outcome} {}", code.row().name),
    }
}

fn found(seen: &Seen) -> String {
    let what = seen.field.as_deref().or(seen.finding.map(|code| code.row().name));
    format!("{} {}", outcome_word(seen.outcome), what.unwrap_or_default()).trim_end().to_owned()
}

/// Says in full what must be found.
fn demanded(expected: &Expected) -> String {
    let field = expected.field.as_ref().map(|field| format!(" of {field}")).unwrap_or_default();
    let by = expected.shown_by.as_ref().map(|check| format!(", shown by {check}"));
    let code = expected.finding.row().name;
    format!("{}, {code}{field}{}", outcome_word(expected.outcome), by.unwrap_or_default())
}

fn told(seen: &Seen) -> String {
    let message =
        if seen.message.is_empty() { String::new() } else { format!(": {}", seen.message) };
    format!("{}{message}", found(seen))
}

fn outcome_word(outcome: Outcome) -> &'static str {
    outcome.name()
}
