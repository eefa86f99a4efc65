//! `verify list waivers`: what is excused, until when, by whom, and what it meets.
//!
//! Days are counted from today, for nothing is run here. Whether a machine is the hardware that a waiver
//! names is known to a run alone.

use std::fmt::Write as _;

use serde_json::{Value, json};
use verify_engine::load::{catalog::Catalog, root::WAIVERS_FILE};
use verify_model::waiver::Waiver;
use verify_reports::{clean::one_line, terminal::paint::Paint};

use crate::output::{self, Ability};

/// Longest text of a waiver on a line. *Units*: characters.
const LONGEST: usize = 500;

/// Bounds how many checks are named in a line.
const NAMED: usize = 4;

/// Holds one waiver with the checks that it meets, by node.
struct Row<'c> {
    check: &'c str,
    node: Option<&'c str>,
    waiver: &'c Waiver,
    meets: Vec<(&'c str, &'c str)>,
}

/// Prints every waiver.
pub(crate) fn list(
    catalog: &Catalog,
    nodes: &[String],
    as_json: bool,
    today: jiff::civil::Date,
    out: Ability,
) -> anyhow::Result<u8> {
    let wanted = |node: &str| nodes.is_empty() || nodes.iter().any(|name| name == node);
    let mut rows = rows(catalog);
    rows.retain(|row| {
        row.node.is_none_or(wanted) || row.meets.iter().any(|(node, _)| wanted(node))
    });
    let day = today.to_string();
    let text = if as_json {
        let list: Vec<Value> = rows.iter().map(|row| data(row, &day)).collect();
        format!("{}\n", serde_json::to_string_pretty(&list)?)
    } else if rows.is_empty() {
        format!("no waivers: neither in {WAIVERS_FILE} beside the suites nor in a node file\n")
    } else {
        let mut page = output::page(out);
        let text: String = rows.iter().map(|row| shown(row, &day)).collect();
        text.lines().for_each(|line| page.text(Paint::Plain, 4, line));
        page.finish()
    };
    output::print(&text)?;
    Ok(0)
}

fn rows(catalog: &Catalog) -> Vec<Row<'_>> {
    let shared = catalog.waivers.iter().map(|shared| {
        let meets = catalog.checks.iter().flat_map(|(node, checks)| {
            let ids = checks.iter().map(|check| check.id.as_str());
            ids.filter(|id| shared.names(node, id)).map(|id| (node.as_str(), id))
        });
        Row {
            check: &shared.check,
            node: shared.node.as_deref(),
            waiver: &shared.waiver,
            meets: meets.collect(),
        }
    });
    let own = catalog.nodes.values().flat_map(|file| file.waivers.iter()).filter(|waiver| {
        waiver.location.as_ref().is_none_or(|location| location.file != WAIVERS_FILE)
    });
    let own = own.map(|waiver| Row {
        check: &waiver.check,
        node: Some(&waiver.node),
        waiver,
        meets: vec![(waiver.node.as_str(), waiver.check.as_str())],
    });
    shared.chain(own).collect()
}

fn shown(row: &Row<'_>, day: &str) -> String {
    let Row { check, node, waiver, meets } = row;
    // A file of somebody else's is no more to be trusted than a node.
    let plain = |text: &str| one_line(text, LONGEST);
    let check = &plain(check);
    let whose =
        node.map_or_else(|| "every node".to_owned(), |node| format!("node {}", plain(node)));
    let strict = if waiver.strict { ", strict" } else { "" };
    let mut text = format!("{check} on {whose}: {}{strict}\n", ends(waiver, day));
    let _ = writeln!(text, "  {}: {}", plain(&waiver.owner), plain(&waiver.reason));
    if let Some(scope) = waiver.scope() {
        let _ = writeln!(text, "  only where {}", plain(&scope));
    }
    let mut names: Vec<&str> = meets.iter().map(|(_, check)| *check).collect();
    names.dedup();
    let excused = match (meets.len(), names.as_slice()) {
        (0, _) => "excuses nothing: no check is called so there".to_owned(),
        (_, [name]) if name == check => String::new(),
        (count, _) => {
            let more = if names.len() > NAMED { ", ..." } else { "" };
            names.truncate(NAMED);
            format!("excuses {count} checks: {}{more}", names.join(", "))
        }
    };
    if !excused.is_empty() {
        let _ = writeln!(text, "  {excused}");
    }
    if let Some(at) = &waiver.location {
        let _ = writeln!(text, "  {}:{}", at.file, at.line);
    }
    text
}

fn ends(waiver: &Waiver, day: &str) -> String {
    let expires = &waiver.expires;
    match waiver.days_left(day) {
        Some(0) => format!("until {expires}, its last day"),
        Some(1) => format!("until {expires}, 1 day left"),
        Some(-1) => format!("expired on {expires}, 1 day ago"),
        Some(days) if days < 0 => format!("expired on {expires}, {} days ago", -days),
        Some(days) => format!("until {expires}, {days} days left"),
        None => format!("until {expires}"),
    }
}

fn data(row: &Row<'_>, day: &str) -> Value {
    let Row { check, node, waiver, meets } = row;
    let meets: Vec<Value> =
        meets.iter().map(|(node, check)| json!({ "node": node, "check": check })).collect();
    json!({
        "check": check,
        "node": node,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires,
        "days-left": waiver.days_left(day),
        "strict": waiver.strict,
        "only": waiver.only,
        "excuses": meets,
        "location": waiver.location,
    })
}
