//! `verify learn`: a suite proposed from recorded runs, as a difference that a person applies.
//!
//! The difference is one that `git apply` and `patch -p1` take at the root. Nothing is written unless a
//! file is named, for what is proposed is no more than what a machine once was.

use std::path::Path;

use anyhow::{Context as _, bail};
use verify_engine::{
    learn::{self, FEWEST_RUNS, Learned},
    load::{
        catalog,
        root::{self, Root, SUITES_DIR},
    },
    record, session,
    whole::Unfinished,
};
use verify_model::{
    node::Via,
    run::{Run, RunNode},
};

use crate::{cli::LearnArgs, output, place};

/// Newest runs of a node that are learned from.
const NEWEST: usize = 20;
/// Most records that are opened to find them.
const LOOKED_AT: usize = 400;

/// Proposes a suite; returns the exit code.
pub(crate) fn learn(root: Option<&Path>, args: &LearnArgs) -> anyhow::Result<u8> {
    let root = place::root(root)?;
    let node = &args.node;
    session::known_node(&catalog::load(&root)?, node)?;
    let runs =
        if args.runs.is_empty() { newest(node, args.allow_simulated)? } else { given(&args.runs)? };
    if !runs.iter().any(|run| run.nodes.iter().any(|asked| asked.file.name == *node)) {
        bail!(
            "no recorded run asked node {node}: `verify run --node {node}` makes one; {FEWEST_RUNS} of them, over days and boots, are enough for limits"
        );
    }
    let learned = learn::learn(&runs, node, args.allow_simulated)?;
    let name = format!("{SUITES_DIR}/{}.toml", learned.suite);
    let used = learned.runs.len();
    output::say(&format!("{} checks from {used} runs of node {node}", learned.checks));
    if used < FEWEST_RUNS {
        let missing = FEWEST_RUNS - used;
        output::say(&format!("no limits for metrics yet: {missing} more runs"));
    }
    if let Some(path) = &args.output {
        write(path, &learned.text)?;
        output::say(&format!("wrote {}", path.display()));
        return Ok(0);
    }
    let old = old(&root, &name)?;
    let text = difference(&name, old.as_deref(), &learned);
    if text.is_empty() {
        output::say(&format!("{name} is as proposed: nothing to change"));
    } else {
        let place = root.dir.as_deref().map_or_else(
            || "a root of your own (a folder with suites/)".to_owned(),
            |dir| dir.display().to_string(),
        );
        output::say(&format!(
            "read it, edit it, then in {place}: git apply FILE, or patch -p1 < FILE"
        ));
    }
    output::print(&text)?;
    Ok(0)
}

/// Reads the newest runs that asked a node.
fn newest(node: &str, simulated: bool) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    for listed in place::store()?.list()?.into_iter().rev().take(LOOKED_AT) {
        // What is cut or damaged is no run to learn from, and no reason not to learn.
        let Ok(run) = record::read_whole(&listed.path) else { continue };
        // What measured nothing takes no place of what did.
        let counts = |asked: &RunNode| match &asked.via {
            Via::Replay(_) => false,
            _ => simulated || asked.facts.simulated.is_none(),
        };
        if run.nodes.iter().any(|asked| asked.file.name == node && counts(asked)) {
            runs.push(run);
        }
        if runs.len() == NEWEST {
            break;
        }
    }
    Ok(runs)
}

fn given(names: &[String]) -> anyhow::Result<Vec<Run>> {
    let store = place::store()?;
    names.iter().map(|name| Ok(record::read_whole(&store.find(name)?)?)).collect()
}

/// Reads the file that the difference is against, if it is there.
fn old(root: &Root, name: &str) -> anyhow::Result<Option<String>> {
    let Some(path) = root.dir.as_ref().map(|dir| dir.join(name)) else { return Ok(None) };
    if !path.try_exists().with_context(|| format!("cannot look at {}", path.display()))? {
        return Ok(None);
    }
    root::read(&path).map(Some).map_err(anyhow::Error::msg)
}

/// Returns a unified difference; empty where nothing differs.
fn difference(name: &str, old: Option<&str>, learned: &Learned) -> String {
    let before = old.map_or_else(|| "/dev/null".to_owned(), |_| format!("a/{name}"));
    let texts = similar::TextDiff::from_lines(old.unwrap_or_default(), &learned.text);
    texts.unified_diff().header(&before, &format!("b/{name}")).to_string()
}

/// Writes a file, whole or not at all.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = Unfinished::beside(path, text.as_bytes()).and_then(Unfinished::place);
    written
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(|error| error.context(output::Lost("the suite was not written".to_owned())))
}
