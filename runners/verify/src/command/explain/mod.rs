//! `verify explain`: one check, probe or finding in full, for reading.
//!
//! Prose in lines of at most 80 columns under headings; what is copied is never broken.

mod check;
mod probe;
mod prose;

use std::{collections::BTreeSet, path::Path};

use anyhow::bail;
use verify_engine::{
    load::{
        catalog::{self, Catalog},
        diagnostic::did_you_mean,
    },
    plan::promise_id,
    probes, session,
};
use verify_model::{
    finding::{CATALOGUE, FindingRow, Severity},
    node::NodeFile,
};
use verify_reports::terminal::{Style, page::Page, paint::Paint};

use crate::{
    output::{self, Ability},
    place,
};

/// Column of what stands under a heading.
const INDENT: usize = 2;
/// Widest name in a list of names, beside which its text stands.
const WIDEST: usize = 20;

/// Prints everything that is known about an id.
pub(crate) fn explain(
    root: Option<&Path>,
    id: &str,
    nodes: &[String],
    out: Ability,
) -> anyhow::Result<u8> {
    let catalog = catalog::load(&place::root(root)?)?;
    for node in nodes {
        session::known_node(&catalog, node)?;
    }
    let style = Style { color: out.color, width: output::prose_width(), verbose: true };
    let mut page = Page::new(&style).whole();
    if !write(&mut page, &catalog, id, nodes) {
        bail!("nothing is called `{id}`; {}", hint(&catalog, id));
    }
    output::print(page.finish().trim_start_matches('\n'))?;
    Ok(0)
}

/// Writes everything that has this id; tells whether there is anything.
fn write(page: &mut Page, catalog: &Catalog, id: &str, nodes: &[String]) -> bool {
    let is_wanted = |name: &String| nodes.is_empty() || nodes.contains(name);
    let mut seen = BTreeSet::new();
    let mut found = false;
    for (name, checks) in catalog.checks.iter().filter(|(name, _)| is_wanted(name)) {
        for one in checks.iter().filter(|check| check.id == id) {
            // The same declaration with the same values is said once, whatever the number of nodes.
            if seen.insert(format!("{:?}", (&one.location, &one.with, &one.expect))) {
                check::write(page, name, one);
                found = true;
            }
        }
    }
    for node in catalog.nodes.values().filter(|node| is_wanted(&node.name)) {
        for capability in node.has.iter().filter(|capability| promise_id(capability) == id) {
            promise(page, node, capability);
            found = true;
        }
    }
    if let Some(one) = probes::find(id) {
        probe::write(page, one.spec());
        found = true;
    }
    if let Some(row) = CATALOGUE.iter().find(|row| row.name == id) {
        finding(page, row);
        found = true;
    }
    found
}

fn hint(catalog: &Catalog, id: &str) -> String {
    let checks = catalog.checks.values().flatten().map(|c| c.id.as_str());
    let probes = probes::PROBES.iter().map(|p| p.spec().name);
    let findings = CATALOGUE.iter().map(|row| row.name);
    did_you_mean(id, checks.chain(probes).chain(findings)).map_or_else(
        || {
            "`verify list checks`, `list probes` and `list findings` list what can be explained"
                .to_owned()
        },
        |close| format!("did you mean `{close}`?"),
    )
}

/// Begins what is said of one id.
fn title(page: &mut Page, id: &str, text: &str, facts: &str) {
    page.blank();
    page.text(Paint::Bold, 0, id);
    page.text(Paint::Plain, 0, text);
    page.text(Paint::Dim, 0, facts);
}

fn heading(page: &mut Page, text: &str) {
    page.blank();
    page.text(Paint::Bold, 0, text);
}

fn paragraph(page: &mut Page, text: &str) {
    page.lead(INDENT, &[], INDENT, (Paint::Plain, text));
}

/// Writes a heading and a paragraph, unless there is nothing to say.
fn section(page: &mut Page, name: &str, text: &str) {
    if !text.is_empty() {
        heading(page, name);
        paragraph(page, text);
    }
}

/// Returns the column of what stands beside names.
fn column_beside<'n>(names: impl Iterator<Item = &'n str>) -> usize {
    let widths = names.map(|name| name.chars().count());
    INDENT + widths.filter(|width| *width <= WIDEST).max().unwrap_or_default() + 2
}

/// Writes a name and what is said of it, at a column.
fn named(page: &mut Page, column: usize, name: &str, text: &str) {
    page.lead(INDENT, &[(Paint::Bold, name)], column, (Paint::Plain, text));
}

fn promise(page: &mut Page, node: &NodeFile, capability: &str) {
    let file = &node.location.file;
    let facts = format!("promise of node {} · {file}:{}", node.name, node.location.line);
    title(page, &promise_id(capability), &format!("The node must have `{capability}`"), &facts);
    heading(page, "Why");
    paragraph(page, &format!("{file} lists `{capability}` under `has`."));
    heading(page, "When it is judged");
    paragraph(page, "By itself only where no planned check needs it.");
    paragraph(page, "`verify list capabilities` says what each capability is.");
}

fn finding(page: &mut Page, row: &FindingRow) {
    let weight = match row.severity {
        Severity::Failure => "a failure",
        Severity::Error => "an error",
        Severity::Unjudged => "leaves the check unjudged",
        Severity::Advice => "advice: changes no outcome",
        Severity::Note => "a note",
    };
    title(page, row.name, row.title, &format!("finding · {weight}"));
    section(page, "What to do", row.next);
}

#[cfg(test)]
mod tests {
    use verify_engine::load::root::Root;
    use verify_reports::clean::width_of;

    use super::*;

    fn ids(catalog: &Catalog) -> BTreeSet<String> {
        let checks = catalog.checks.values().flatten().map(|check| check.id.clone());
        let promises = catalog.nodes.values().flat_map(|node| &node.has).map(|one| promise_id(one));
        let probes = probes::PROBES.iter().map(|probe| probe.spec().name.to_owned());
        let findings = CATALOGUE.iter().map(|row| row.name.to_owned());
        checks.chain(promises).chain(probes).chain(findings).collect()
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_unless_it_is_one_word_or_an_example() {
        let catalog = catalog::load(&Root { dir: None, home: None }).unwrap();
        let mut wide = Vec::new();
        for id in ids(&catalog) {
            let style = Style { color: false, width: 80, verbose: true };
            let mut page = Page::new(&style).whole();
            assert!(write(&mut page, &catalog, &id, &[]), "{id}");
            let text = page.finish();
            let is_one_word = |line: &str| line.trim_start().split(' ').nth(1).is_none();
            // What is copied stands four columns in.
            let is_example = |line: &str| line.starts_with("    ") && line.contains(" = ");
            let long = text
                .lines()
                .filter(|line| width_of(line) > 80 && !is_one_word(line) && !is_example(line));
            wide.extend(long.map(|line| format!("{id}: {line}")));
        }
        assert!(wide.is_empty(), "{wide:#?}");
    }
}
