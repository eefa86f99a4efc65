//! `verify node`: what verify keeps on nodes, and taking it away again.

use std::{fmt::Write as _, path::Path};

use serde_json::{Value, json};
use verify_engine::{
    load::catalog,
    probe::code_of,
    session,
    transport::{Cancel, Kept, Removed},
};
use verify_model::{
    evidence::Failure,
    exit::Situation,
    finding::CATALOGUE,
    node::{NodeFile, Via},
};
use verify_reports::clean;

use crate::{
    cli::{NodeAction, NodeArgs},
    output, place, via,
};

/// Lists or removes what is kept on nodes; a node that cannot be asked does not hold up the others.
///
/// *Errors*: a node that does not exist, or a way that is none.
pub(crate) fn node(root: Option<&Path>, action: &NodeAction) -> anyhow::Result<u8> {
    let (args, cleans) = match action {
        NodeAction::List(args) => (args, false),
        NodeAction::Clean(args) => (args, true),
    };
    let catalog = catalog::load(&place::root(root)?)?;
    let mut nodes = Vec::new();
    for name in &args.nodes {
        let node = session::known_node(&catalog, name)?;
        nodes.push((node, way(args, node)?));
    }
    let (mut exit, mut listed, mut text) = (0, Vec::new(), String::new());
    for (node, via) in nodes {
        let told = if cleans { cleaned(node, &via)? } else { kept(node, &via)? };
        match told {
            Ok((found, said, whole)) => {
                listed.push(found);
                text.push_str(&said);
                exit = exit.max(if whole { 0 } else { Situation::Error.exit() });
            }
            Err(failure) => {
                let next = next(&failure);
                output::say(&format!("error: node {}: {}. {next}", node.name, failure.message));
                listed.push(json!({ "node": node.name, "error": failure.message, "next": next }));
                exit = Situation::Error.exit();
            }
        }
    }
    if args.json {
        text = format!("{}\n", serde_json::to_string_pretty(&listed)?);
    }
    // What nodes said is in it.
    output::print(&clean::block(&text))?;
    Ok(exit)
}

/// Holds what was found: as JSON, as text, and whether it is all that was wanted.
type Found = (Value, String, bool);
type Told = Result<Found, Failure>;

fn way(args: &NodeArgs, node: &NodeFile) -> anyhow::Result<Via> {
    if let Some(scenario) = &node.scenario {
        return Ok(Via::Sim(scenario.clone()));
    }
    via::machine(&args.via, node).ok_or_else(|| {
        anyhow::anyhow!("unknown way `{}`: --via takes `auto`, `local` or `ssh`", args.via)
    })
}

/// Says that nothing is ever kept where no copy is sent.
fn never(node: &NodeFile, via: &Via) -> Found {
    let why = match via {
        Via::Local => {
            "this machine, asked without ssh: nothing is sent, and nothing is kept".to_owned()
        }
        other => format!("{other}, no machine: nothing is kept"),
    };
    let found = json!({ "node": node.name, "via": via.to_string(), "entries": [] });
    (found, format!("{}: {why}\n", node.name), true)
}

fn kept(node: &NodeFile, via: &Via) -> anyhow::Result<Told> {
    let Via::Ssh(alias) = via else { return Ok(Ok(never(node, via))) };
    let ssh = via::ssh(alias, node, &mark())?;
    Ok(ssh.kept(&Cancel::default()).map(|kept| {
        let entries: Vec<Value> = kept
            .entries
            .iter()
            .map(|e| json!({ "hash": e.hash, "bytes": e.bytes, "age-s": e.age_s, "used": e.used }))
            .collect();
        let installed = kept.installed.as_ref().map(|(path, protocol)| {
            json!({ "path": path, "protocol": protocol, "used": kept.uses_installed })
        });
        let found = json!({
            "node": node.name, "via": via.to_string(), "folder": kept.folder,
            "entries": entries, "installed": installed,
        });
        (found, listing(node, via, &kept), true)
    }))
}

fn listing(node: &NodeFile, via: &Via, kept: &Kept) -> String {
    let mut text = match (&kept.folder, kept.entries.len()) {
        (None, _) => {
            format!("{} ({via}): the account has no home folder, so nothing is kept\n", node.name)
        }
        (Some(folder), 0) => format!("{} ({via}): nothing is kept in {folder}\n", node.name),
        (Some(folder), _) => format!("{} ({via}): kept in {folder}\n", node.name),
    };
    for entry in &kept.entries {
        let state = match (entry.bytes, entry.used) {
            (0, _) => "broken",
            (_, true) => "used",
            _ => "unused",
        };
        let (size, age) = (size(entry.bytes), age(entry.age_s));
        let _ = writeln!(text, "  {}  {size:>9}  {age:>9} old  {state}", entry.hash);
    }
    if let Some((path, protocol)) = &kept.installed {
        let state = match (kept.uses_installed, protocol.is_empty()) {
            (true, _) => "used".to_owned(),
            (false, true) => "not used: it says no protocol".to_owned(),
            (false, false) => format!("not used: it speaks {protocol}"),
        };
        let _ = writeln!(text, "  installed: {path}, {state}");
    }
    if let Some(why) = &kept.refused {
        let _ = writeln!(text, "  not sent: {why}");
    }
    text
}

fn cleaned(node: &NodeFile, via: &Via) -> anyhow::Result<Told> {
    let Via::Ssh(alias) = via else { return Ok(Ok(never(node, via))) };
    let ssh = via::ssh(alias, node, &mark())?;
    Ok(ssh.clean(&Cancel::default()).map(|found| {
        let json = json!({
            "node": node.name, "via": via.to_string(), "folder": found.folder,
            "removed": found.removed, "left": found.left,
        });
        (json, removal(node, via, &found), found.left.is_empty())
    }))
}

fn removal(node: &NodeFile, via: &Via, found: &Removed) -> String {
    let folder = found.folder.as_deref().unwrap_or("no home folder");
    let mut text = match found.removed.len() + found.left.len() {
        0 => format!("{} ({via}): nothing was kept ({folder})\n", node.name),
        _ => format!("{} ({via}): {folder}\n", node.name),
    };
    for hash in &found.removed {
        let _ = writeln!(text, "  removed {hash}");
    }
    for hash in &found.left {
        let _ = writeln!(text, "  left {hash}: something else is in it, or it cannot be removed");
    }
    text
}

/// Returns what to do about a failure.
fn next(failure: &Failure) -> &'static str {
    let code = code_of(failure.kind, false);
    CATALOGUE.iter().find(|row| row.code == code).map_or("", |row| row.next)
}

/// Names what runs over there on behalf of this command.
fn mark() -> String {
    format!("node-{}", std::process::id())
}

fn size(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
