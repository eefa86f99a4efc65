//! `verify explain`: one check, probe or finding in full.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use anyhow::bail;
use verify_engine::{
    catalogue,
    load::{
        catalog::{self, Catalog},
        diagnostic::did_you_mean,
    },
    plan::promise_id,
    probe::ProbeSpec,
    probes, session,
};
use verify_model::{
    check::{Check, Expectation},
    finding::{CATALOGUE, FindingRow},
    matcher,
    node::NodeFile,
};

use crate::{method, output, place};

/// Prints everything that is known about an id.
pub(crate) fn explain(
    root: Option<&Path>,
    id: &str,
    nodes: &[String],
    _out: output::Ability,
) -> anyhow::Result<u8> {
    let catalog = catalog::load(&place::root(root)?)?;
    for node in nodes {
        session::known_node(&catalog, node)?;
    }
    let mut text = String::new();
    let mut seen = BTreeSet::new();
    for (name, checks) in
        catalog.checks.iter().filter(|(name, _)| nodes.is_empty() || nodes.contains(*name))
    {
        for check in checks.iter().filter(|c| c.id == id) {
            // The same declaration with the same values is said once, whatever the number of nodes.
            if seen.insert(format!("{:?}", (&check.location, &check.with, &check.expect))) {
                write_check(&mut text, name, check);
            }
        }
    }
    for node in catalog.nodes.values().filter(|n| nodes.is_empty() || nodes.contains(&n.name)) {
        for capability in node.has.iter().filter(|capability| promise_id(capability) == id) {
            write_promise(&mut text, node, capability);
        }
    }
    if let Some(probe) = probes::find(id) {
        write_probe(&mut text, probe.spec());
    }
    if let Some(row) = CATALOGUE.iter().find(|row| row.name == id) {
        write_finding(&mut text, row);
    }
    if text.is_empty() {
        bail!("nothing is called `{id}`; {}", hint(&catalog, id));
    }
    output::print(&text)?;
    Ok(0)
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

fn write_check(text: &mut String, node: &str, check: &Check) {
    let _ = writeln!(text, "{} (suite {}, node {node})", check.id, check.suite);
    let _ = writeln!(text, "  {}\n", check.title);
    for (name, value) in [("why", &check.why), ("source", &check.source), ("fix", &check.fix)] {
        let _ = writeln!(text, "{name:>8}  {value}");
    }
    let _ = writeln!(text, "{:>8}  {}{}", "asks", check.probe, with(check));
    for expectation in &check.expect {
        write_demand(text, "expects", expectation);
    }
    for expectation in &check.advise {
        write_demand(text, "advises", expectation);
    }
    for field in &check.record {
        let _ = writeln!(text, "{:>8}  {field}", "records");
    }
    for (name, list) in [("after", &check.after), ("when", &check.when), ("tags", &check.tags)] {
        if !list.is_empty() {
            let _ = writeln!(text, "{name:>8}  {}", list.join(", "));
        }
    }
    let _ = writeln!(
        text,
        "{:>8}  {}, limit {} ms, measured {} time(s), {} retries\n{:>8}  {}:{}\n",
        "how",
        check.effect.name(),
        check.limit_ms,
        check.repeat,
        check.retries,
        "declared",
        check.location.file,
        check.location.line,
    );
    if let Some(how) = method::short(&check.probe) {
        write_method(text, how);
        let _ = writeln!(text, "  `verify explain {}` says more.\n", check.probe);
    }
}

fn write_method(text: &mut String, how: &str) {
    for line in how.lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
    text.push('\n');
}

fn with(check: &Check) -> String {
    let params: Vec<String> =
        check.with.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    if params.is_empty() { String::new() } else { format!(" with {}", params.join(", ")) }
}

fn write_demand(text: &mut String, word: &str, expectation: &Expectation) {
    let _ =
        write!(text, "{word:>8}  {} {}", expectation.field, matcher::phrase(&expectation.matchers));
    let _ = match &expectation.source {
        Some(source) => writeln!(text, " (source: {source})"),
        None => writeln!(text),
    };
}

fn write_promise(text: &mut String, node: &NodeFile, capability: &str) {
    let file = &node.location.file;
    let _ = writeln!(text, "{} (node {})", promise_id(capability), node.name);
    let _ = writeln!(text, "  {file} lists `{capability}` under `has`, so the node must have it.");
    let _ = writeln!(text, "  It is judged by itself only where no planned check needs it.");
    let _ = writeln!(text, "  `verify list capabilities` says what each capability is.\n");
}

fn write_probe(text: &mut String, spec: &ProbeSpec) {
    let _ = writeln!(
        text,
        "probe {}: {}\n  it {} the node\n",
        spec.name,
        spec.summary,
        spec.effect.name()
    );
    if let Some(depends) = catalogue::depends(spec) {
        let _ = writeln!(text, "  {}\n", depends.replace('`', ""));
    }
    for param in spec.params {
        let need = if param.required { "required" } else { "optional" };
        let _ = writeln!(text, "  with    {:<20} {need}: {}", param.name, param.doc);
    }
    for field in spec.fields {
        let _ = writeln!(
            text,
            "  field   {:<20} {}: {} From {}.",
            field.path,
            (field.kind)().name(),
            field.doc,
            field.source
        );
    }
    let _ = writeln!(text, "\n  example\n    {}\n", spec.example.replace('\n', "\n    "));
    if let Some(how) = method::whole(spec.name) {
        write_method(text, how);
    }
}

fn write_finding(text: &mut String, row: &FindingRow) {
    let _ = writeln!(text, "finding {}\n  {}\n  next: {}\n", row.name, row.title, row.next);
}
