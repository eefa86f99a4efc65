//! Keeps the index beside the records, whatever state it is found in; no run depends on it.

use std::{fmt::Write as _, io::IsTerminal as _, path::Path};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use verify_engine::{
    history::{Entry, FILE, Filled, HistoryError, Index, Opened, Step},
    record::Store,
};
use verify_model::run::Run;
use verify_reports::clean::one_line;

use crate::output::{self, Lost};

/// Longest reason on a line. *Units*: characters.
const REASON: usize = 300;
/// Records that cannot be read and are named; more are counted.
const NAMED: usize = 3;
/// Records between two lines of progress, where there is no terminal.
const LINE_EACH: usize = 1000;
/// Records that are read without a word.
const QUIET: usize = 100;

/// Indexes a run that has ended. What goes wrong is one warning: the record is there.
pub(crate) fn keep(run: &Run, record: &Path) {
    if let Err(error) = try_keep(run, record) {
        output::say(&format!(
            "warning: the run is recorded, but not in the index of runs: {error}; `verify history` reads it from the record"
        ));
    }
}

fn try_keep(run: &Run, record: &Path) -> Result<(), HistoryError> {
    let store = crate::place::store().map_err(|error| HistoryError::Odd(error.to_string()))?;
    let entry = Entry::of(run).map_err(HistoryError::Odd)?;
    let size = std::fs::metadata(record).map_or(0, |meta| meta.len());
    let put = |index: &Index| index.inserter()?.put(&entry, size);
    let index = opened(Index::open(&store)?);
    match put(&index) {
        Err(error) if error.is_damage() => put(&opened(Index::replace(&store, &error)?)),
        done => done,
    }
}

/// Takes pruned runs out of the index, if there is one. What goes wrong is found at the next look.
pub(crate) fn forget(store: &Store, ids: &[String]) {
    let there = store.dir.with_file_name(FILE).try_exists().unwrap_or_default();
    if !there || ids.is_empty() {
        return;
    }
    let Ok(opening) = Index::open(store) else { return };
    let index = opened(opening);
    let Ok(mut inserter) = index.inserter() else { return };
    for id in ids {
        let _ = inserter.forget(id);
    }
}

/// Says what was done to open the index.
fn opened(opened: Opened) -> Index {
    if let Some(note) = &opened.note {
        output::say(&format!("warning: {note}"));
    }
    opened.index
}

/// Asks the index, after what it lacks was read.
///
/// *Errors*: the records cannot be listed, or what is asked is no question.
pub(super) fn with_index<T>(
    store: &Store,
    mut ask: impl FnMut(&Index) -> Result<T, HistoryError>,
) -> anyhow::Result<T> {
    let mut asked = |index: &Index| {
        let filled = catch_up(index, store)?;
        ask(index).map(|answer| (answer, filled))
    };
    let kept = Index::open(store).map(opened).and_then(|index| match asked(&index) {
        Err(error) if error.is_damage() => {
            drop(index);
            asked(&opened(Index::replace(store, &error)?))
        }
        done => done,
    });
    let (answer, filled) = match kept {
        Err(HistoryError::Record(error)) => return Err(error.into()),
        Err(error @ HistoryError::Unknown(_)) => return Err(error.into()),
        Err(error) => {
            output::say(&format!(
                "warning: {error}; the records are read for this once, without an index"
            ));
            asked(&Index::in_memory()?)?
        }
        Ok(done) => done,
    };
    warn(&filled);
    Ok(answer)
}

/// Reads every record anew.
///
/// *Errors*: the index cannot be written.
pub(super) fn rebuild(store: &Store) -> anyhow::Result<u8> {
    let failed = || Lost("the index of runs cannot be written".to_owned());
    let anew = |index: &Index| {
        index.demand_sound()?;
        let mut progress = Progress::new(true);
        let filled = index.rebuild(store, &mut |step| progress.tell(step))?;
        Ok((filled, index.runs()?))
    };
    let index = Index::open(store).map(opened).with_context(failed)?;
    let done = match anew(&index) {
        Err(error) if HistoryError::is_damage(&error) => {
            drop(index);
            Index::replace(store, &error).map(opened).and_then(|index| anew(&index))
        }
        done => done,
    };
    let (filled, runs) = done.with_context(failed)?;
    let mut text = format!("{runs} runs are in the index");
    if filled.gone > 0 {
        let _ = write!(text, ", {} left it, since their records are gone", filled.gone);
    }
    text += "\n";
    for (id, why) in &filled.unreadable {
        let (id, why) = (one_line(id, super::NAME), one_line(why, REASON));
        let _ = writeln!(text, "not read: {id}: {why}");
    }
    output::print(&text)?;
    Ok(0)
}

fn catch_up(index: &Index, store: &Store) -> Result<Filled, HistoryError> {
    let mut progress = Progress::new(false);
    index.catch_up(store, &mut |step| progress.tell(step))
}

fn warn(filled: &Filled) {
    let unreadable = &filled.unreadable;
    if unreadable.is_empty() {
        return;
    }
    let named = unreadable
        .iter()
        .take(NAMED)
        .map(|(id, why)| format!("\n  {}: {}", one_line(id, super::NAME), one_line(why, REASON)));
    let more = unreadable.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    output::say(&format!(
        "warning: records that cannot be read are left out: {}{}{more}",
        unreadable.len(),
        named.collect::<String>()
    ));
}

/// Shows how many records are read: a bar on a terminal, lines elsewhere, nothing for a few.
struct Progress {
    always: bool,
    bar: Option<ProgressBar>,
    said: usize,
}

impl Progress {
    fn new(always: bool) -> Self {
        Self { always, bar: None, said: 0 }
    }

    fn tell(&mut self, Step { done, of }: Step) {
        if of == 0 || (of <= QUIET && !self.always) {
            return;
        }
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| bar(of));
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
            if done == of {
                bar.finish_and_clear();
            }
        } else if done >= self.said + LINE_EACH || (done == of && of > QUIET) {
            self.said = done;
            output::say(&format!("read {done} of {of} records"));
        }
    }
}

fn bar(of: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(of).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} records {elapsed}") {
        bar.set_style(style);
    }
    bar
}
