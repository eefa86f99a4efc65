//! `verify show`: a node or suite file as it stands, to read and to begin one's own from.
//!
//! The text is that of the file, comments and all, and nothing is loaded: a root in which something
//! does not load is where this is needed.

use std::{collections::BTreeMap, io::IsTerminal as _, path::Path, sync::Arc};

use verify_engine::load::{
    diagnostic::{LoadError, Source, did_you_mean},
    root::Root,
};

use verify_reports::clean;

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
    let Some(source) = files.get(&args.name) else {
        // The one that cannot be read may be the one that is meant.
        let missing =
            if unreadable.is_empty() { unknown(word, &args.name, &files) } else { unreadable };
        return Err(missing.into());
    };
    // An embedded file stands below the one that cannot be read and has its name.
    let meant = format!("/{}.toml", args.name);
    if unreadable.general.iter().any(|message| message.contains(&meant)) {
        return Err(unreadable.into());
    }
    for message in &unreadable.general {
        output::say(&format!("note: {message}"));
    }
    if std::io::stdout().is_terminal() {
        // Whoever wrote it gives the terminal no command.
        output::print(&clean::block(&source.text))?;
    } else {
        output::print(&source.text)?;
    }
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
