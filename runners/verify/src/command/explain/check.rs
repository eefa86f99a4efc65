//! One check as it is declared: why, what is asked, what is expected, when it is not asked, what to do.

use verify_engine::probes;
use verify_model::{
    check::{Check, Expectation},
    effect::Effect,
    matcher,
};
use verify_reports::terminal::{page::Page, paint::Paint};

use super::{INDENT, column_beside, heading, named, paragraph, prose, section, title};
use crate::method;

pub(super) fn write(page: &mut Page, node: &str, check: &Check) {
    let place = &check.location;
    let facts =
        format!("check · suite {} · node {node} · {}:{}", check.suite, place.file, place.line);
    title(page, &check.id, &check.title, &facts);
    section(page, "Why", &check.why);
    asks(page, check);
    demands(page, "What is expected", &check.expect);
    demands(page, "What is advised: a miss changes no outcome", &check.advise);
    section(page, "What is recorded beside it", &check.record.join(", "));
    section(page, "Where the limits come from", &check.source);
    section(page, "What to do when it fails", &check.fix);
    when(page, check);
    heading(page, "How it is asked");
    for text in manner(check) {
        paragraph(page, &text);
    }
    if let Some(how) = method::short(&check.probe) {
        heading(page, "How it is measured, and what misleads");
        prose::write(page, how);
        page.blank();
        paragraph(page, &format!("`verify explain {}` says more.", check.probe));
    }
}

fn asks(page: &mut Page, check: &Check) {
    heading(page, "What is asked");
    let summary = probes::find(&check.probe).map_or("", |probe| probe.spec().summary);
    paragraph(page, &format!("Probe {}: {summary}", check.probe));
    let column = column_beside(check.with.keys().map(String::as_str));
    for (name, value) in &check.with {
        named(page, column, name, &value.to_string());
    }
}

fn demands(page: &mut Page, name: &str, expectations: &[Expectation]) {
    if expectations.is_empty() {
        return;
    }
    heading(page, name);
    let column = column_beside(expectations.iter().map(|one| one.field.as_str()));
    for expectation in expectations {
        named(page, column, &expectation.field, &matcher::phrase(&expectation.matchers));
        if let Some(source) = &expectation.source {
            page.lead(column, &[], column, (Paint::Dim, &format!("Source: {source}")));
        }
    }
}

fn when(page: &mut Page, check: &Check) {
    if check.when.is_empty() && check.after.is_empty() {
        return;
    }
    heading(page, "When it is not asked");
    if !check.when.is_empty() {
        let text = format!("Skipped where the node lacks one of: {}.", check.when.join(", "));
        paragraph(page, &text);
    }
    if !check.after.is_empty() {
        let text = format!(
            "Blocked where one of these does not pass, skipped where one is skipped: {}.",
            check.after.join(", ")
        );
        page.lead(INDENT, &[], INDENT, (Paint::Plain, &text));
    }
}

fn manner(check: &Check) -> Vec<String> {
    let effect = match check.effect {
        Effect::Reads => "It reads: nothing on the node is loaded or changed.",
        Effect::Loads => "It loads the node, and is asked alone.",
        Effect::Mutates => "It changes the node, and is asked only with --allow-mutation.",
    };
    let limit = match check.limit_ms {
        ms if ms.is_multiple_of(1000) => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    };
    let often = match check.repeat {
        1 => "once".to_owned(),
        many => format!("{many} times, of which the median counts"),
    };
    let again = match check.retries {
        0 => String::new(),
        tries => format!(" After an error it is tried again up to {tries} times."),
    };
    let mut texts =
        vec![format!("{effect} Each question may take {limit}; it is asked {often}.{again}")];
    if !check.tags.is_empty() {
        texts.push(format!("Tags: {}.", check.tags.join(", ")));
    }
    texts
}
