//! `verify show`: a node or suite file as it stands, to read and to begin one's own from.
//!
//! The text is that of the file, comments and all, and nothing is loaded: a root in which something
//! does not load is where this is needed.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use verify_engine::load::{
    diagnostic::{LoadError, Source, did_you_mean},
    root::Root,
};

use crate::{
    cli::{FileArgs, FileKind},
    output, place,
};

/// Prints one file.
///
/// *Errors*: there is no file of that name, or it cannot be read.
pub(crate) fn show(root: Option<&Path>, args: &FileArgs) -> anyhow::Result<u8> {
    let root = if args.shipped { Root { dir: None, home: None } } else { place::root(root)? };
    let (word, (files, unreadable)) = match args.kind {
        FileKind::Node => ("node", root.readable_nodes()),
        FileKind::Suite => ("suite", root.readable_suites()),
    };
    if !unreadable.is_empty() {
        return Err(unreadable.into());
    }
    let source = files.get(&args.name).ok_or_else(|| unknown(word, &args.name, &files))?;
    output::print(&source.text)?;
    Ok(0)
}

fn unknown(word: &str, name: &str, files: &BTreeMap<String, Arc<Source>>) -> LoadError {
    let hint = did_you_mean(name, files.keys().map(String::as_str)).map_or_else(
        || {
            let known: Vec<&str> = files.keys().map(String::as_str).collect();
            format!("known are: {}", known.join(", "))
        },
        |close| format!("did you mean `{close}`?"),
    );
    LoadError::general(format!("there is no {word} `{name}`; {hint}"))
}
