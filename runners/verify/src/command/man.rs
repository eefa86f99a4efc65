//! `verify man`: manual pages, made from the help and the exit table.
//!
//! What stands below the flags in the help is taken apart by paragraph: examples, exit codes, and
//! the rest as notes. So a page says nothing that the help does not say, apart from where files are.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, bail};
use clap::{Command, CommandFactory as _};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};
use verify_engine::load::diagnostic::did_you_mean;

use crate::{
    cli::{Cli, help},
    output, target,
};

/// Variables that no flag stands for.
const VARIABLES: [(&str, &str); 5] = [
    ("VERIFY_STATE", "Folder below which runs are recorded, in runs/; an absolute path."),
    (
        "VERIFY_LOCKS",
        "Folder in which all users see whose run loads this machine; /run/lock or /tmp unless set.",
    ),
    ("XDG_STATE_HOME", "The user's folder for state; ~/.local/state unless set."),
    ("XDG_CONFIG_HOME", "The user's folder for configuration; ~/.config unless set."),
    ("NO_COLOR", "No colour, unless --color asks for it."),
];

/// Files that are read or written.
const FILES: [(&str, &str); 5] = [
    ("suites/*.toml", "What is asked; below the root."),
    ("runners/nodes/*.toml", "Which machines there are; below the root."),
    (
        "~/.config/verify, /etc/verify",
        "Roots where no folder above the current one is one. Without any, what the binary carries is used.",
    ),
    ("~/.local/state/verify/runs/ID/run.jsonl", "Record of a run, for its user's eyes only."),
    (
        "~/.local/state/verify/history.sqlite",
        "Index of the values of all records, built from them; may be removed at any time.",
    ),
];

/// Prints one page, or writes all of them into a folder.
///
/// *Errors*: there is no such page, or the folder does not take them.
pub(crate) fn man(page: &[String], dir: Option<&Path>) -> anyhow::Result<u8> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match dir {
        Some(dir) => write_all(&command, dir)?,
        None => output::print(&render(&command, find(&command, page)?)?)?,
    }
    Ok(0)
}

fn find<'c>(command: &'c Command, page: &[String]) -> anyhow::Result<&'c Command> {
    let mut found = command;
    for word in page {
        let Some(next) = found.find_subcommand(word).filter(|next| !next.is_hide_set()) else {
            let names: Vec<&str> = shown(found).map(Command::get_name).collect();
            let about = found.get_bin_name().unwrap_or_else(|| name(found));
            let hint = match (did_you_mean(word, names.iter().copied()), names.is_empty()) {
                (Some(close), _) => format!("did you mean `{close}`?"),
                (None, true) => format!("`{about}` has no subcommands"),
                (None, false) => format!("subcommands are: {}", names.join(", ")),
            };
            bail!("`{about}` has no manual page `{word}`; {hint}");
        };
        found = next;
    }
    Ok(found)
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

fn write_all(command: &Command, dir: &Path) -> anyhow::Result<()> {
    let path = dir.display();
    if dir.try_exists().is_ok_and(|there| there) && !dir.is_dir() {
        bail!("cannot write manual pages to {path}: it is a file; name a folder");
    }
    let mut pages = BTreeMap::new();
    render_all(command, command, &mut pages)?;
    std::fs::create_dir_all(dir)
        .with_context(|| format!("cannot write manual pages to {path}: it cannot be made"))?;
    for (name, text) in &pages {
        target::write(&dir.join(name), text.as_bytes())?;
    }
    output::say(&format!("{} manual pages: {path}", pages.len()));
    Ok(())
}

fn render_all(
    root: &Command,
    command: &Command,
    pages: &mut BTreeMap<String, String>,
) -> anyhow::Result<()> {
    pages.insert(format!("{}.1", name(command)), render(root, command)?);
    shown(command).try_for_each(|sub| render_all(root, sub, pages))
}

fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn render(root: &Command, command: &Command) -> anyhow::Result<String> {
    let man = Man::new(command.clone());
    // The crate leaves out an empty date, and what follows would be taken for it.
    let title = name(command).to_uppercase();
    let version = env!("CARGO_PKG_VERSION");
    let mut bytes =
        format!(".TH \"{title}\" 1 \"\" \"verify {version}\" \"User Commands\"\n").into_bytes();
    man.render_name_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    man.render_options_section(&mut bytes)?;
    if shown(command).next().is_some() {
        man.render_subcommands_section(&mut bytes)?;
    }
    let is_root = command.get_name() == root.get_name();
    let mut page = Roff::new();
    write_help(&mut page, command);
    write_environment(&mut page, command, is_root);
    if is_root {
        section(&mut page, "FILES", FILES.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }
    write_others(&mut page, root, command);
    page.to_writer(&mut bytes)?;
    let text = String::from_utf8(bytes)?;
    Ok(text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect())
}

fn section(page: &mut Roff, heading: &str, items: impl IntoIterator<Item = (String, String)>) {
    page.control("SH", [heading]);
    for (term, text) in items {
        page.control("TP", []).text([bold(term)]).text([roman(text)]);
    }
}

/// Writes whole command lines, each with what it is for below it.
fn write_examples(page: &mut Roff, lines: impl IntoIterator<Item = (String, String)>) {
    page.control("SH", ["EXAMPLES"]);
    for (place, (line, text)) in lines.into_iter().enumerate() {
        separate(page, place);
        page.text([bold(line)]);
        if !text.is_empty() {
            page.control("RS", ["4"]).text([roman(text)]).control("RE", []);
        }
    }
}

/// Begins another paragraph; a heading has begun the first.
fn separate(page: &mut Roff, place: usize) {
    if place > 0 {
        page.control("PP", []);
    }
}

/// Writes what stands below the flags in the help.
fn write_help(page: &mut Roff, command: &Command) {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut notes = Vec::new();
    let mut exits = None;
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let (heading, rest) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        let lines = || rest.lines().map(in_two);
        match heading {
            "Examples:" => write_examples(page, lines()),
            help::EXITS => exits = Some(paragraph.to_owned()),
            _ => notes.push(paragraph.replace('\n', " ")),
        }
    }
    if !notes.is_empty() {
        page.control("SH", ["NOTES"]);
        for (place, note) in notes.into_iter().enumerate() {
            separate(page, place);
            page.text([roman(note)]);
        }
    }
    let exits = exits.unwrap_or_else(help::plain_exits);
    section(page, "EXIT STATUS", exits.lines().skip(1).map(in_two));
}

/// Parts a line where two spaces stand: what, and what about it.
fn in_two(line: &str) -> (String, String) {
    let line = line.trim();
    let (what, about) = line.split_once("  ").unwrap_or((line, ""));
    (what.to_owned(), about.trim().to_owned())
}

fn write_environment(page: &mut Roff, command: &Command, is_root: bool) {
    let arguments = command.get_arguments().filter_map(|argument| {
        let variable = argument.get_env()?.to_string_lossy().into_owned();
        Some((variable, format!("Stands for --{}.", argument.get_long()?)))
    });
    let mut variables: Vec<(String, String)> = arguments.collect();
    variables.sort();
    if is_root {
        variables.extend(VARIABLES.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }
    section(page, "ENVIRONMENT", variables);
}

fn write_others(page: &mut Roff, root: &Command, command: &Command) {
    let mut names: Vec<String> = [root].into_iter().chain(shown(root)).map(own_name).collect();
    names.retain(|other| other != name(command));
    names.sort();
    let mut line = Vec::new();
    for (place, name) in names.into_iter().enumerate() {
        line.push(roman(if place == 0 { "" } else { ", " }));
        line.extend([bold(name), roman("(1)")]);
    }
    page.control("SH", ["SEE ALSO"]).text(line);
}

fn own_name(command: &Command) -> String {
    name(command).to_owned()
}
