//! The table for people: what was injected, who noticed, and last what nobody did.

use verify_engine::fault::{Catalogue, DAMAGES, Expected, Fault, Found, Hit, Proof, Seen};
use verify_model::{exit::Situation, finding::FindingCode, outcome::Outcome};
use verify_reports::{
    clean::one_line,
    terminal::{
        page::Page,
        paint::{Paint, Sign},
    },
};

use super::{Tried, chosen::Chosen};
use crate::output::{self, Ability};

/// Widest name of a fault that has a column. *Units*: columns.
const NAME: usize = 27;
/// Widest id of a check that has a column. *Units*: columns.
const CHECK: usize = 25;
/// Longest message that is shown. *Units*: characters.
const LONGEST: usize = 300;
/// Where the texts under a fault that nobody noticed begin. *Units*: columns.
const HANG: usize = 15;
/// Title of the damages.
const DAMAGED: &str = "Broken answers, given to every check";

/// Writes the catalogue.
pub(super) fn list(catalogue: &Catalogue, chosen: &Chosen<'_>, out: Ability) -> String {
    let mut page = output::page(out);
    for group in &catalogue.groups {
        let is_wanted = |fault: &&Fault| chosen.faults.iter().any(|known| known.id == fault.id);
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
    if !chosen.damages.is_empty() {
        page.blank();
        page.text(Paint::Bold, 0, DAMAGED);
    }
    for damage in &chosen.damages {
        let name = format!("{:NAME$}", damage.id);
        page.lead(2, &[(Paint::Plain, &name)], NAME + 3, (Paint::Plain, damage.title));
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
    if let Some(root) = &tried.root {
        page.text(Paint::Aside, 0, &format!("suites of {}", root.display()));
    }
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
            row(&mut page, tried, proof);
        }
    }
    damages(&mut page, tried);
    trouble(&mut page, tried);
    counts(&mut page, tried);
    page.finish()
}

fn row(page: &mut Page, tried: &Tried<'_>, proof: &Proof<'_>) {
    let fault = proof.fault;
    let (situation, said) = match &proof.found {
        Found::Noticed(_) => (Situation::Pass, short(&fault.expect)),
        Found::Otherwise(seen) => {
            (Situation::Fail, format!("expected {}, found {}", short(&fault.expect), found(seen)))
        }
        Found::NoControl(seen) => {
            (Situation::Error, format!("control not green: healthy gives {}", found(seen)))
        }
        Found::NotHere(_) if tried.root.is_some() => {
            (Situation::Skip, "not in this root".to_owned())
        }
        Found::NotHere(why) | Found::Broken(why) => {
            (Situation::Error, format!("not injected: {why}"))
        }
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
    page.text(Paint::Bold, 0, DAMAGED);
    for damage in DAMAGES {
        let of = |wanted: fn(&Hit) -> bool| {
            let own = tried.struck.iter().filter(|struck| struck.damage.id == damage.id);
            own.filter(|struck| wanted(&struck.hit)).count()
        };
        let beside = of(is_beside);
        let (all, noticed) = (of(|_| true) - beside, of(|hit| matches!(hit, Hit::Noticed(_))));
        if all + beside == 0 {
            continue;
        }
        let slipped = of(|hit| matches!(hit, Hit::Passed(_) | Hit::Misjudged(_)));
        let situation = match (slipped, noticed == all) {
            (0, true) => Situation::Pass,
            (0, false) => Situation::Error,
            _ => Situation::Fail,
        };
        let beside = if beside == 0 { String::new() } else { format!(", {beside} do not apply") };
        line(
            page,
            situation,
            [damage.id, damage.title],
            &format!("{noticed} of {all} noticed{beside}"),
        );
    }
}

/// Tells whether a check need not look at what was damaged.
fn is_beside(hit: &Hit) -> bool {
    matches!(hit, Hit::NotApplied(..) | Hit::NothingToDamage)
}

/// Names what needs somebody, with what to do.
fn trouble(page: &mut Page, tried: &Tried<'_>) {
    for proof in &tried.proofs {
        of_fault(page, tried, proof);
    }
    for (struck, seen) in tried.slips() {
        let (word, hint) = match struck.hit {
            Hit::Misjudged(_) => (
                "misjudged",
                "nobody answered: let the probe say so (an error), and not blame or skip the node",
            ),
            _ => (
                "passes",
                "let the check demand what was damaged: as it stands, no answer is a pass",
            ),
        };
        head(page, word, struck.damage.id, struck.damage.title);
        under(page, "check", &format!("{}, {}", struck.node, struck.check));
        under(page, "found", &told(seen));
        under(page, "do", hint);
    }
    for struck in &tried.struck {
        if let Hit::Broken(why) = &struck.hit {
            head(page, "not injected", struck.damage.id, struck.damage.title);
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

fn of_fault(page: &mut Page, tried: &Tried<'_>, proof: &Proof<'_>) {
    let fault = proof.fault;
    let (word, lines) = match &proof.found {
        Found::NotHere(_) if tried.root.is_some() => return,
        Found::Noticed(_) => return,
        Found::Otherwise(seen) => (
            "not noticed",
            vec![
                ("expected", demanded(&fault.expect)),
                ("found", told(seen)),
                ("do", weak(tried, fault)),
            ],
        ),
        Found::NoControl(seen) => (
            "control not green",
            vec![
                ("healthy", told(seen)),
                ("do", "mend the control: a check that is always red notices nothing".to_owned()),
            ],
        ),
        Found::NotHere(why) | Found::Broken(why) => {
            let hint = if tried.root.is_some() {
                "nothing: the check of this root asks something else than the one that ships, so the fault does not fit it"
            } else {
                "what the check asks has changed: correct the fault in runners/faults"
            };
            ("not injected", vec![("why", why.clone()), ("do", hint.to_owned())])
        }
    };
    head(page, word, &fault.id, &fault.title);
    under(page, "check", &format!("{}, {}", fault.node, fault.check));
    for (label, text) in &lines {
        under(page, label, text);
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

fn weak(tried: &Tried<'_>, fault: &Fault) -> String {
    let root = tried.root.as_ref();
    let root = root.map(|root| format!(" --root {}", root.display())).unwrap_or_default();
    format!(
        "`verify explain {}{root}` says what it demands: give it back what would notice",
        fault.check
    )
}

fn counts(page: &mut Page, tried: &Tried<'_>) {
    let of = |wanted: fn(&Found) -> bool| tried.proofs.iter().filter(|p| wanted(&p.found)).count();
    let noticed = of(|found| matches!(found, Found::Noticed(_)));
    let otherwise = of(|found| matches!(found, Found::Otherwise(_)));
    let no_control = of(|found| matches!(found, Found::NoControl(_)));
    let elsewhere = if tried.root.is_some() { of(|f| matches!(f, Found::NotHere(_))) } else { 0 };
    let lost = of(|found| matches!(found, Found::Broken(_) | Found::NotHere(_))) - elsewhere;
    let red = tried.red_controls().count();
    page.blank();
    let mut line = |label: &str, parts: &[(usize, &str)]| {
        let said = |(count, what): &(usize, &str)| format!("{count} {what}");
        let text = parts.iter().map(said).collect::<Vec<_>>().join(" · ");
        page.lead(0, &[(Paint::Dim, label)], 10, (Paint::Plain, &text));
    };
    // What is not there is left out, but for the two that everybody looks for.
    let with = |first: &[(usize, &'static str)], more: &[(usize, &'static str)]| {
        let more = more.iter().filter(|(count, _)| *count > 0);
        first.iter().chain(more).copied().collect::<Vec<_>>()
    };
    let injected = noticed + otherwise;
    line(
        "faults",
        &with(
            &[(injected, "injected"), (noticed, "noticed"), (otherwise, "not noticed")],
            &[
                (no_control, "control not green"),
                (lost, "not injected"),
                (elsewhere, "not in this root"),
            ],
        ),
    );
    let (all, green) = (tried.controls.len(), tried.controls.len() - red);
    let what = if all == 1 { "check on healthy answers" } else { "checks on healthy answers" };
    line("controls", &[(all, what), (green, "green")]);
    if !tried.struck.is_empty() {
        let of = |wanted: fn(&Hit) -> bool| tried.struck.iter().filter(|s| wanted(&s.hit)).count();
        let beside = of(is_beside);
        let lost = of(|hit| matches!(hit, Hit::Broken(_)));
        let noticed = of(|hit| matches!(hit, Hit::Noticed(_)));
        line(
            "damages",
            &with(
                &[
                    (tried.struck.len() - beside - lost, "injected"),
                    (noticed, "noticed"),
                    (tried.slips().count(), "not noticed"),
                ],
                &[(beside, "do not apply"), (lost, "not injected")],
            ),
        );
    }
    let exit = tried.exit();
    let (paint, verdict) = match exit {
        0 => (Paint::Good, praise(tried, noticed)),
        4 => (Paint::Doubtful, "Nothing was tried.".to_owned()),
        1 => (Paint::Bad, "Something slips through.".to_owned()),
        _ => (Paint::Bad, "Something could not be tried.".to_owned()),
    };
    page.text(paint, 0, &format!("{verdict} Exit code {exit}."));
}

/// Says what was proven, and no more than what was tried.
fn praise(tried: &Tried<'_>, faults: usize) -> String {
    let damages = tried.struck.iter().filter(|s| matches!(s.hit, Hit::Noticed(_))).count();
    match (&tried.root, tried.is_whole) {
        (None, true) => "What ships notices what it is for.".to_owned(),
        (Some(root), true) => {
            format!("The suites of {} notice what was injected.", root.display())
        }
        (_, false) => {
            let counted = |count: usize, what: &str| match count {
                0 => None,
                1 => Some(format!("1 {what}")),
                _ => Some(format!("{count} {what}s")),
            };
            let parts = [counted(faults, "fault"), counted(damages, "broken answer")];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            if parts.is_empty() {
                return "Nothing had to be noticed.".to_owned();
            }
            format!("{} noticed.", parts.join(" and "))
        }
    }
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
    let fields: Vec<&str> = expected.fields().collect();
    let field =
        if fields.is_empty() { String::new() } else { format!(" of {}", fields.join(", ")) };
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
