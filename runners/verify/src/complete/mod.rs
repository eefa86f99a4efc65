//! What could stand where the cursor is, for a shell that asks on the Tab key.
//!
//! The scripts below are thin: they hand over the words of the line and take whole words back, one
//! a line, with a tab before the description. What fits is found by `clap_complete`'s engine; its
//! own scripts are not used, because in bash they break at `:` and expand what they offer. No
//! error is ever shown, no node is asked, and nothing is run.

mod value;
mod word;

use std::{ffi::OsString, fmt::Write as _, path::PathBuf};

use clap::ValueEnum;
use clap_complete::engine::{CompletionCandidate, complete};
use verify_reports::clean::one_line;

use crate::output;

/// First argument of a call that a script makes.
pub(crate) const ASKED: &str = "__complete";
/// Longest description. *Units*: characters.
const HELP_WIDTH: usize = 100;
/// Flags that may stand before a subcommand, with a value each.
const GLOBAL: [&str; 2] = ["--root", "--color"];

/// Names a shell that can be taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// Bash.
    Bash,
    /// Zsh, after `compinit`.
    Zsh,
    /// Fish.
    Fish,
}

impl Shell {
    /// Returns the script that the shell reads.
    pub(crate) fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("verify.bash"),
            Self::Zsh => include_str!("verify.zsh"),
            Self::Fish => include_str!("verify.fish"),
        }
    }
}

/// Returns the words behind [`ASKED`], if a script asks: the shell, then the line up to the cursor.
pub(crate) fn asked() -> Option<Vec<OsString>> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == ASKED).then(|| arguments.collect())
}

/// Prints what fits; whatever goes wrong, it prints nothing.
pub(crate) fn answer(command: clap::Command, mut asked: Vec<OsString>) {
    if asked.len() < 3 {
        return;
    }
    let shell = asked.remove(0);
    let mut words: Vec<String> =
        asked.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    // Bash hands over what was typed, fish does so with the last word; zsh removes its own quotes.
    let last = words.len() - 1;
    let raw = if shell == "bash" { 0 } else { last + usize::from(shell != "fish") };
    for word in words.iter_mut().skip(raw) {
        *word = word::unquoted(word);
    }
    let _ = output::print(&offer(command, &words));
}

fn offer(command: clap::Command, words: &[String]) -> String {
    let (before, current) = words.split_at(words.len() - 1);
    let mut command = value::with_values(command, &value::Line::of(before));
    let chosen = before[1..].iter().any(|word| command.find_subcommand(word).is_some());
    let arguments = words.iter().map(OsString::from).collect();
    let here = std::env::current_dir().ok();
    let Ok(mut found) = complete(&mut command, arguments, before.len(), here.as_deref()) else {
        return String::new();
    };
    if !chosen && has_own_flag(&before[1..]) {
        // `verify --node box plan` is refused, so it is not offered.
        found.retain(|candidate| !is_command(candidate));
    }
    let flag =
        |candidate: &CompletionCandidate| text(candidate).is_some_and(|t| t.starts_with('-'));
    if current.concat().is_empty() && !found.iter().all(flag) {
        found.retain(|candidate| !flag(candidate));
    }
    let mut lines = String::new();
    for candidate in &found {
        let Some(text) = text(candidate).filter(|text| !text.chars().any(char::is_control)) else {
            continue;
        };
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let help = one_line(help.lines().next().unwrap_or_default(), HELP_WIDTH);
        let _ = writeln!(lines, "{text}\t{help}");
    }
    lines
}

fn text(candidate: &CompletionCandidate) -> Option<&str> {
    candidate.get_value().to_str()
}

fn is_command(candidate: &CompletionCandidate) -> bool {
    candidate.get_id().is_some_and(|id| id.starts_with("command::"))
}

/// Tells whether a flag stands there that belongs to `run`.
fn has_own_flag(words: &[String]) -> bool {
    let name = |word: &String| word.split('=').next().unwrap_or_default().to_owned();
    words.iter().any(|word| word.starts_with('-') && !GLOBAL.contains(&name(word).as_str()))
}

/// Puts the home folder for a leading `~`, which no shell did yet.
fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(below), Some(home)) => PathBuf::from(home).join(below),
        _ => PathBuf::from(path),
    }
}
