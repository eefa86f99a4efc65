//! Decodes a node file.

use std::{ops::Range, sync::Arc};

use toml::{Spanned, de::DeTable};
use verify_model::{
    check::Params,
    matcher::Literal,
    node::{NodeFile, NodeRole},
};

use super::{
    diagnostic::{Diagnostic, Source},
    keys, link,
    reader::{Raw, Reader},
    waiver,
};
use crate::capability;

/// Holds a node file as it was decoded.
pub struct LoadedNode {
    /// The node.
    pub file: NodeFile,
    /// Where each of its waivers names its check.
    pub waiver_spans: Vec<Range<usize>>,
    /// Where each of its links is named.
    pub link_spans: Vec<Range<usize>>,
}

/// Decodes a node file.
pub fn node(source: &Arc<Source>, name: &str) -> (LoadedNode, Vec<Diagnostic>) {
    let (root, syntax) = DeTable::parse_recoverable(&source.text);
    let mut reader = Reader::new(source, None);
    for error in &syntax {
        reader.error(error.span().unwrap_or(0..0), error.message(), "here", None);
    }
    if !syntax.is_empty() {
        let (file, waiver_spans) = (NodeFile::default(), Vec::new());
        return (LoadedNode { file, waiver_spans, link_spans: Vec::new() }, reader.errors);
    }
    let table = root.get_ref();
    reader.check_keys(table, keys::NODE, "a node file", 0..0);
    let title = reader.text(table, "title").unwrap_or_default();
    let hostnames = reader.texts(table, "hostnames").into_iter().map(|(name, _)| name).collect();
    let ssh = reader.text(table, "ssh");
    let scenario = reader.text(table, "scenario");
    let python = python(&mut reader, table);
    let sudo = reader.flag(table, "sudo");
    let busy = reader.flag(table, "busy");
    let role = role(&mut reader, table);
    let has = reader.texts(table, "has");
    for (capability, span) in &has {
        if let Some(help) = capability::instead_of(capability) {
            reader.error(
                span.clone(),
                format!("unknown capability `{capability}`"),
                "nothing provides it",
                Some(help),
            );
        }
    }
    let mut variables = variables(&mut reader, table);
    let links = link::links(&mut reader, table, name);
    link::variables(&links, &mut variables);
    let (links, link_spans): (Vec<_>, _) = links.into_iter().unzip();
    let (waivers, waiver_spans) = waiver::of_node(&mut reader, table, name).into_iter().unzip();
    let file = NodeFile {
        name: name.to_owned(),
        title,
        hostnames,
        ssh,
        scenario,
        python,
        sudo,
        busy,
        role,
        has: has.into_iter().map(|(capability, _)| capability).collect(),
        variables,
        links: links.into(),
        waivers,
        location: reader.location(&(0..0)),
    };
    (LoadedNode { file, waiver_spans, link_spans }, reader.errors)
}

/// Reads the interpreter; a relative path would depend on where the command is typed.
fn python(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<String> {
    let text = reader.text(table, "python")?;
    let is_name = !text.is_empty() && !text.contains('/') && !text.starts_with('-');
    if is_name || text.starts_with('/') {
        return Some(text);
    }
    let span = table.get("python").map_or(0..0, Spanned::span);
    let help = "write the absolute path of the interpreter, such as /opt/ai/bin/python3";
    reader.error(
        span,
        format!("`{text}` is no interpreter"),
        "neither a name nor a path",
        Some(help.to_owned()),
    );
    None
}

fn role(reader: &mut Reader<'_>, table: &DeTable<'_>) -> NodeRole {
    match reader.text(table, "role").as_deref() {
        None | Some("workstation") => NodeRole::Workstation,
        Some("production") => NodeRole::Production,
        Some(other) => {
            let span = table.get("role").map_or(0..0, Spanned::span);
            reader.error(
                span,
                format!("unknown role `{other}`"),
                "expected `workstation` or `production`",
                None,
            );
            NodeRole::Production
        }
    }
}

fn variables(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Params {
    let mut variables = Params::new();
    let Some(value) = table.get("variables") else { return variables };
    let Some(given) = value.get_ref().as_table() else {
        reader.wrong_type(value, "a table of variables");
        return variables;
    };
    for (name, value) in given {
        let raw = reader.raw(value);
        reader.demand_no_secret(name.get_ref(), value);
        match variable(&raw) {
            Some(literal) => {
                variables.insert(name.get_ref().to_string(), literal);
            }
            None => {
                reader.wrong_type(value, "a text, whole number, true or false, or a list of them");
            }
        }
    }
    variables
}

fn variable(raw: &Raw) -> Option<Literal> {
    match raw {
        Raw::Text(text) => Some(Literal::Text(text.clone())),
        Raw::Integer(number) => Some(Literal::Integer(*number)),
        Raw::Bool(flag) => Some(Literal::Bool(*flag)),
        Raw::List(items) => {
            items.iter().map(variable).collect::<Option<Vec<_>>>().map(Literal::List)
        }
        Raw::Float(_) | Raw::Other(_) => None,
    }
}
