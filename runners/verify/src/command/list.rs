//! `verify list`: nodes, suites, checks, probes, formats, capabilities, findings.

use std::path::Path;

use serde_json::{Value, json};
use verify_engine::{
    capability,
    load::{
        catalog::{self, Catalog},
        waiver,
    },
    probes::PROBES,
    session,
};
use verify_model::finding::CATALOGUE;
use verify_reports::{FORMATS, terminal::paint::Paint};

use crate::{
    cli::{ListArgs, Listing},
    command::{run, waivers},
    output::{self, Ability},
    place,
};

/// Holds one line: name, detail.
type Row = (String, String);

/// Prints a list.
pub(crate) fn list(root: Option<&Path>, args: &ListArgs, out: Ability) -> anyhow::Result<u8> {
    let catalog = || -> anyhow::Result<Catalog> {
        let catalog = catalog::load(&place::root(root)?)?;
        waiver::demand_end(&catalog.waivers, run::today())?;
        run::warn_of_idle(&catalog);
        for node in &args.nodes {
            session::known_node(&catalog, node)?;
        }
        Ok(catalog)
    };
    let nodes_wanted = args.nodes.as_slice();
    let rows = match args.what {
        Listing::Nodes => nodes(&catalog()?),
        Listing::Suites => suites(&catalog()?, nodes_wanted),
        Listing::Checks => checks(&catalog()?, nodes_wanted),
        Listing::Probes => {
            PROBES.iter().map(|p| (p.spec().name.to_owned(), p.spec().summary.to_owned())).collect()
        }
        Listing::Formats => FORMATS
            .iter()
            .map(|f| (f.spec().name.to_owned(), f.spec().summary.to_owned()))
            .collect(),
        Listing::Capabilities => capabilities(),
        Listing::Waivers => {
            return waivers::list(&catalog()?, nodes_wanted, args.json, run::today(), out);
        }
        Listing::Findings => {
            CATALOGUE.iter().map(|row| (row.name.to_owned(), row.title.to_owned())).collect()
        }
    };
    output::print(&if args.json { json(&rows)? } else { table(&rows, out) })?;
    Ok(0)
}

fn nodes(catalog: &Catalog) -> Vec<Row> {
    let count = |name: &String| catalog.checks.get(name).map_or(0, Vec::len);
    catalog
        .nodes
        .values()
        .map(|n| (n.name.clone(), format!("{} ({} checks)", n.title, count(&n.name))))
        .collect()
}

/// Tells whether one of the names is wanted; an empty list wants everything.
fn is_wanted(wanted: &[String], names: &[String]) -> bool {
    wanted.is_empty() || names.iter().any(|name| wanted.contains(name))
}

fn suites(catalog: &Catalog, wanted_on: &[String]) -> Vec<Row> {
    let wanted = catalog.suites.values().filter(|s| is_wanted(wanted_on, &s.nodes));
    wanted
        .map(|s| {
            (s.source.name.clone(), format!("{} (for {})", s.source.title, s.nodes.join(", ")))
        })
        .collect()
}

fn checks(catalog: &Catalog, wanted_on: &[String]) -> Vec<Row> {
    let wanted =
        catalog.checks.iter().filter(|(name, _)| is_wanted(wanted_on, std::slice::from_ref(*name)));
    wanted
        .flat_map(|(name, checks)| {
            checks.iter().map(move |check| {
                let place = if wanted_on.len() == 1 { String::new() } else { format!("{name}: ") };
                (check.id.clone(), format!("{place}{}", check.title))
            })
        })
        .collect()
}

fn capabilities() -> Vec<Row> {
    let tool =
        ("tool:NAME".to_owned(), "The program NAME is in PATH or where people have it.".to_owned());
    let known =
        capability::CAPABILITIES.iter().map(|(name, doc)| ((*name).to_owned(), (*doc).to_owned()));
    let port = (
        "listens:PORT".to_owned(),
        "Something accepts connections on the TCP port PORT of 127.0.0.1.".to_owned(),
    );
    let python = (
        "python:NAME".to_owned(),
        "The interpreter of the node file has the distribution NAME, such as torch.".to_owned(),
    );
    known.chain([tool, python, port]).collect()
}

fn table(rows: &[Row], out: Ability) -> String {
    let widths = rows.iter().map(|(name, _)| name.chars().count());
    let column = widths.max().unwrap_or(0) + 2;
    let mut page = output::page(out);
    for (name, detail) in rows {
        page.lead(0, &[(Paint::Bold, name)], column, (Paint::Plain, detail));
    }
    page.finish()
}

fn json(rows: &[Row]) -> anyhow::Result<String> {
    let list: Vec<Value> =
        rows.iter().map(|(name, detail)| json!({ "name": name, "detail": detail })).collect();
    Ok(format!("{}\n", serde_json::to_string_pretty(&list)?))
}
