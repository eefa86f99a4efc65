//! Which values fit an argument: names from the root, runs from the store, formats, files.
//!
//! Arguments are known by their id, so that a new subcommand that takes `--node` completes nodes
//! without a word here. A test demands that every argument is decided.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    sync::{Arc, OnceLock},
};

use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};
use verify_engine::{
    load::catalog::{self, Catalog},
    plan::promise_id,
    probes::PROBES,
};
use verify_instruments::INSTRUMENTS;
use verify_model::{check::Check, finding::CATALOGUE, number_of};
use verify_reports::FORMATS;

use super::at_home;
use crate::place;

/// Most runs that are offered, the newest. *Units*: runs.
const RUNS: usize = 200;

type Candidates = Vec<CompletionCandidate>;
type Finder = fn(&Line, &str) -> Candidates;

/// Finds values by the id of the argument.
const FINDERS: &[(&str, Finder)] = &[
    ("allow_load", |line, _| line.nodes()),
    ("checks", |line, _| line.checks()),
    ("dir", |_, typed| PathCompleter::dir().complete(OsStr::new(typed))),
    #[cfg(feature = "selftest")]
    ("faults", |_, _| faults()),
    ("file", |line, _| line.nodes().into_iter().chain(line.suites()).collect()),
    ("format", |_, _| formats("")),
    ("id", |line, _| line.explained()),
    ("instrument", |_, _| INSTRUMENTS.iter().map(|one| item(one.name, one.summary)).collect()),
    ("ledgers", |_, typed| PathCompleter::file().complete(OsStr::new(typed))),
    ("metrics", |line, _| line.checks()),
    ("node", |line, _| line.nodes()),
    ("nodes", |line, _| line.nodes()),
    ("now", |_, typed| runs_or_files(typed)),
    ("output", |_, typed| PathCompleter::file().complete(OsStr::new(typed))),
    ("page", |_, _| pages()),
    ("rebase_anchor", |line, _| line.checks()),
    ("reports", |_, typed| reports(typed)),
    ("root", |_, typed| PathCompleter::dir().complete(OsStr::new(typed))),
    ("run", |_, typed| runs_or_files(typed)),
    ("runs", |_, typed| runs_or_files(typed)),
    ("with", |_, typed| runs_or_files(typed)),
    ("suite", |line, _| line.suites()),
    ("suites", |line, _| line.suites()),
    ("tags", |line, _| line.tags()),
    ("then", |_, typed| runs_or_files(typed)),
    ("via", |_, typed| ways(typed)),
];

/// Gives every argument its values.
pub(super) fn with_values(command: clap::Command, line: &Arc<Line>) -> clap::Command {
    let command = command.mut_args(|argument| {
        let id = argument.get_id().as_str();
        let Some((_, finder)) = FINDERS.iter().find(|(name, _)| *name == id) else {
            return argument;
        };
        let line = Arc::clone(line);
        argument.add(ArgValueCompleter::new(move |typed: &OsStr| {
            let Some(typed) = typed.to_str() else { return Vec::new() };
            let mut found = finder(&line, typed);
            found.retain(|c| c.get_value().to_str().is_some_and(|value| value.starts_with(typed)));
            found
        }))
    });
    command.mut_subcommands(|command| with_values(command, line))
}

/// Holds what the words before the cursor say about the values behind it.
pub(super) struct Line {
    root: Option<String>,
    nodes: Vec<String>,
    catalog: OnceLock<Catalog>,
}

impl Line {
    /// Reads the words; what they leave open, the environment says.
    pub(super) fn of(words: &[String]) -> Arc<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let root = given(words, &["--root"]).pop().or_else(|| variable("VERIFY_ROOT"));
        let mut nodes = given(words, &["--node", "-n"]);
        if nodes.is_empty() {
            nodes.extend(variable("VERIFY_NODE"));
        }
        let nodes = nodes.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
        Arc::new(Self { root, nodes, catalog: OnceLock::new() })
    }

    /// Loads what can be read; a root that is none has no names.
    fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| {
            let given = self.root.as_deref().map(at_home);
            let root = place::root(given.as_deref());
            root.map_or_else(|_| Catalog::default(), |root| catalog::readable(&root))
        })
    }

    fn nodes(&self) -> Candidates {
        self.catalog().nodes.iter().map(|(name, node)| item(name, &node.title)).collect()
    }

    fn suites(&self) -> Candidates {
        let suites = self.catalog().suites.iter();
        let wanted = suites.filter(|(_, suite)| {
            self.nodes.is_empty() || suite.nodes.iter().any(|node| self.nodes.contains(node))
        });
        wanted.map(|(name, suite)| item(name, &suite.source.title)).collect()
    }

    /// Returns the checks of the nodes that were named, else of all.
    fn wanted(&self) -> impl Iterator<Item = &Check> {
        let all = self.catalog().checks.iter();
        let wanted = all.filter(|(node, _)| self.nodes.is_empty() || self.nodes.contains(node));
        wanted.flat_map(|(_, checks)| checks)
    }

    fn ids(&self) -> BTreeMap<&str, &str> {
        self.wanted().map(|check| (check.id.as_str(), check.title.as_str())).collect()
    }

    fn checks(&self) -> Candidates {
        let ids = self.ids();
        let groups = grouped(ids.keys().filter_map(|id| Some((id.split_once('/')?.0, *id))));
        let groups = groups.into_iter().filter(|(_, ids)| ids.len() > 1);
        let groups = groups.map(|(group, ids)| item(format!("{group}/*"), &counted(ids.len())));
        groups.chain(ids.iter().map(|(id, title)| item(*id, title))).collect()
    }

    fn tags(&self) -> Candidates {
        let tags = self.wanted().flat_map(|check| check.tags.iter().map(|tag| (tag, &check.id)));
        let tags = grouped(tags.map(|(tag, id)| (tag.as_str(), id.as_str())));
        tags.into_iter().map(|(tag, ids)| item(tag, &counted(ids.len()))).collect()
    }

    fn explained(&self) -> Candidates {
        let nodes = self.catalog().nodes.iter();
        let promises = nodes.flat_map(|(name, node)| {
            node.has.iter().map(move |one| (promise_id(one), format!("promise of node {name}")))
        });
        let promises: BTreeMap<String, String> = promises.collect();
        let ids = self.ids();
        let checks = ids.iter().map(|(id, title)| item(*id, title));
        let promises = promises.iter().map(|(id, help)| item(id, help));
        let probes = PROBES.iter().map(|probe| item(probe.spec().name, probe.spec().summary));
        let findings = CATALOGUE.iter().map(|row| item(row.name, row.title));
        checks.chain(promises).chain(probes).chain(findings).collect()
    }
}

/// Gathers ids below what they share, each once.
fn grouped<'n>(
    pairs: impl Iterator<Item = (&'n str, &'n str)>,
) -> BTreeMap<&'n str, BTreeSet<&'n str>> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (group, id) in pairs {
        groups.entry(group).or_default().insert(id);
    }
    groups
}

fn counted(checks: usize) -> String {
    number_of(checks, "check")
}

/// Returns the values of a flag: `--flag value`, `--flag=value`, `-f value`, `-fvalue`.
fn given(words: &[String], names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        for name in names {
            match word.strip_prefix(name) {
                Some("") => found.extend(words.next().cloned()),
                Some(rest) if rest.starts_with('=') => found.push(rest[1..].to_owned()),
                Some(rest) if !name.starts_with("--") => found.push(rest.to_owned()),
                _ => {}
            }
        }
    }
    found
}

fn item(value: impl Into<String>, help: &str) -> CompletionCandidate {
    CompletionCandidate::new(value.into()).help(Some(help.to_owned().into()))
}

fn formats(end: &str) -> Candidates {
    let specs = FORMATS.iter().map(|format| format.spec());
    specs.map(|spec| item(format!("{}{end}", spec.name), spec.summary)).collect()
}

fn reports(typed: &str) -> Candidates {
    let Some((format, path)) = typed.split_once('=') else { return formats("=") };
    let files = PathCompleter::file().complete(OsStr::new(path)).into_iter();
    files.map(|file| file.add_prefix(format!("{format}="))).collect()
}

fn ways(typed: &str) -> Candidates {
    if typed.starts_with("replay:") {
        return runs().into_iter().map(|run| run.add_prefix("replay:")).collect();
    }
    vec![
        item("auto", "this machine, if it is the node; else over ssh"),
        item("local", "this machine, whatever its name"),
        item("ssh", "over ssh"),
        item("replay:", "answers of a recorded run"),
        item("sim:", "no machine: a scenario answers, such as pair"),
    ]
}

fn runs_or_files(typed: &str) -> Candidates {
    let mut found = if typed.contains(['/', '~']) { Vec::new() } else { runs() };
    if !typed.is_empty() {
        found.extend(PathCompleter::file().complete(OsStr::new(typed)));
    }
    found
}

fn runs() -> Candidates {
    let Some(listed) = place::store().ok().and_then(|store| store.list().ok()) else {
        return Vec::new();
    };
    let newest = listed.iter().rev().take(RUNS);
    let last = listed.last().map(|run| item("last", &began(&run.id)));
    last.into_iter().chain(newest.map(|run| item(&run.id, &began(&run.id)))).collect()
}

/// Says when a run began, which its id holds.
fn began(id: &str) -> String {
    let at = ulid::Ulid::from_string(id).ok().and_then(|id| {
        let milliseconds = i64::try_from(id.timestamp_ms()).ok()?;
        jiff::Timestamp::from_millisecond(milliseconds).ok()
    });
    at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[cfg(feature = "selftest")]
fn faults() -> Candidates {
    let Ok(catalogue) = verify_engine::fault::Catalogue::shipped() else { return Vec::new() };
    let named = catalogue.faults().map(|fault| item(&fault.id, &fault.title));
    let damages = verify_engine::fault::DAMAGES.iter().map(|one| item(one.id, one.title));
    named.chain(damages).collect()
}

fn pages() -> Candidates {
    use clap::CommandFactory as _;
    let command = crate::cli::Cli::command();
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let about = |sub: &clap::Command| sub.get_about().map(ToString::to_string).unwrap_or_default();
    shown.map(|sub| item(sub.get_name(), &about(sub))).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{FINDERS, given};

    /// Values that nobody can guess.
    const FREE: [&str; 11] = [
        "arguments",
        "keep",
        "last",
        "libtest",
        "machine",
        "reason",
        "repeat",
        "since",
        "slurm",
        "slurm_wait",
        "trust",
    ];

    fn undecided(command: &clap::Command) -> Vec<String> {
        let mut found = Vec::new();
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            let listed = !argument.get_possible_values().is_empty();
            let takes = argument.get_action().takes_values() && !listed;
            if takes && !FREE.contains(&id) && !FINDERS.iter().any(|(name, _)| *name == id) {
                found.push(format!("{} {id}", command.get_name()));
            }
        }
        found.extend(command.get_subcommands().flat_map(undecided));
        found
    }

    #[test]
    fn every_argument_completes_or_is_known_not_to() {
        let undecided = undecided(&crate::cli::Cli::command());
        assert!(undecided.is_empty(), "add to FINDERS or FREE: {undecided:?}");
    }

    #[test]
    fn a_flag_is_read_in_every_notation() {
        let words =
            ["verify", "--node", "a", "--node=b", "-n", "c", "-nd", "--nodes", "-", "--node"];
        let words = words.map(str::to_owned);
        assert_eq!(given(&words, &["--node", "-n"]), ["a", "b", "c", "d"]);
    }
}
