//! `verify test`: the checks of `verify run` as trials of libtest, for cargo, nextest and editors.
//!
//! libtest chooses by name and shows; what is asked and how it is judged is the run's. Counts of
//! libtest know no outcome, so the exit code is taken from the answers themselves.

use std::{collections::BTreeSet, ffi::OsString, path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use clap::Parser;
use libtest_mimic::{Arguments, ColorSetting, Completion, Failed, Trial};
use verify_engine::session::Prepared;
use verify_model::{
    exit::{BAD_USAGE, INTERRUPTED, Situation, nothing_answered},
    outcome::Outcome,
    run::{Run, RunCheck},
    verdict::CheckKey,
};
use verify_reports::sentence::sentence;

use crate::{
    cli::TestArgs,
    command::{
        history,
        run::{self, Ready},
    },
    output::{self, Terminal},
    place,
    progress::Manner,
    signal,
    trial::{
        self, Planned,
        answer::{Audience, answer},
        asking::{Asked, Asking, Work},
        page::{self, Page},
    },
};

/// Exit code of libtest where a trial failed.
const FAILED: u8 = 101;

/// Holds what stands behind `--`.
#[derive(Debug, Parser)]
#[command(about = "What libtest takes, as far as it has a meaning here.")]
struct Libtest {
    #[command(flatten)]
    known: Arguments,
    /// Further filters: a trial is shown that one of them fits.
    #[arg(value_name = "FILTER")]
    more: Vec<String>,
}

/// Holds what was wanted of libtest.
struct Wanted<'a> {
    args: &'a TestArgs,
    /// As it was given.
    libtest: Arguments,
    /// All filters.
    filters: Vec<String>,
    /// Whether each trial is a process of its own that knows no skip.
    nextest: bool,
    /// How progress is shown.
    manner: Manner,
}

/// Shows the chosen checks as tests and returns the exit code.
pub(crate) fn test(root: Option<&Path>, args: &TestArgs, terminal: Terminal) -> anyhow::Result<u8> {
    let libtest = match libtest(args, terminal.out.color) {
        Ok(libtest) => libtest,
        Err(said) => {
            let _ = said.print();
            return Ok(u8::try_from(said.exit_code()).unwrap_or(BAD_USAGE));
        }
    };
    page::demand_logfile(libtest.known.logfile.as_deref())?;
    let nextest = std::env::var_os("NEXTEST").is_some_and(|value| value == "1");
    let filters = libtest.known.filter.iter().chain(&libtest.more).cloned().collect();
    let manner = Manner { color: terminal.err.color, verbose: false };
    let wanted = Wanted { args, libtest: libtest.known, filters, nextest, manner };
    let ready = run::ready(root, &args.choice)?;
    let today = ready.started_at.get(..10).filter(|_| nextest);
    let planned = trial::plan(&ready.plan, today)?;
    let chosen: Vec<&Planned> = planned.iter().filter(|trial| wanted.chooses(trial)).collect();
    if wanted.libtest.list || chosen.is_empty() {
        let page = page::show(&wanted.told(&planned), planned.iter().map(idle).collect());
        let listed = if wanted.libtest.list { 0 } else { wanted.nothing() };
        return Ok(if is_lost(&page) { Situation::Error.exit() } else { listed });
    }
    let shown: BTreeSet<CheckKey> = chosen.iter().map(|trial| trial.key.clone()).collect();
    let work = work(ready, &wanted, &shown)?;
    signal::install(&work.context.cancel)?;
    let asking = Arc::new(Asking::new(work));
    let audience = Arc::new(Audience { nextest, shown });
    let trials = planned.iter().map(|planned| {
        let (asking, audience) = (Arc::clone(&asking), Arc::clone(&audience));
        let (key, forced) = (planned.key.clone(), planned.ignored.is_some());
        flagged(planned, move || {
            let run = &asking.asked()?.run;
            answer(run, find(run, &key)?, &audience, forced)
        })
    });
    let page = page::show(&wanted.told(&planned), trials.collect());
    let asked = asking.asked().map_err(|broken| anyhow!(broken.to_owned()))?;
    Ok(wanted.finish(asked, &chosen, &audience, &page))
}

/// Reads what stands behind `--`; `color` where it does not say.
fn libtest(args: &TestArgs, color: bool) -> Result<Libtest, clap::Error> {
    // Newer libtest spells it so; here nothing is ever captured.
    let spelled = |arg: &OsString| {
        if arg == "--no-capture" { "--nocapture".into() } else { arg.clone() }
    };
    let name = "verify test --".into();
    let mut read =
        Libtest::try_parse_from(std::iter::once(name).chain(args.libtest.iter().map(spelled)))?;
    let setting = if color { ColorSetting::Always } else { ColorSetting::Never };
    read.known.color.get_or_insert(setting);
    Ok(read)
}

fn flagged<R>(planned: &Planned, runner: R) -> Trial
where
    R: FnOnce() -> Result<Completion, Failed> + Send + 'static,
{
    // No kind: it would become part of the name.
    Trial::ignorable_test(&planned.name, runner).with_ignored_flag(planned.ignored.is_some())
}

/// Makes a trial to list or to filter; asked, it fails.
fn idle(planned: &Planned) -> Trial {
    flagged(planned, || Err("error: a defect of verify: an idle trial was asked".into()))
}

fn find<'r>(run: &'r Run, key: &CheckKey) -> Result<&'r RunCheck, String> {
    let found = run.checks.iter().find(|check| check.verdict.key == *key);
    found.ok_or_else(|| format!("error: a defect of verify: {} is not in the run", key.check))
}

/// Prepares the run of the shown checks and what they are after.
fn work(
    ready: Ready<Prepared>,
    wanted: &Wanted<'_>,
    shown: &BTreeSet<CheckKey>,
) -> anyhow::Result<Work> {
    let header = run::header(&ready, wanted.args.require_baseline);
    let Ready { id, context, plan: mut prepared, .. } = ready;
    trial::narrow(&mut prepared, shown);
    let keeps = !wanted.nextest && !wanted.args.no_record;
    let writer = if keeps {
        Some(place::store()?.create(&id).context("the run cannot be recorded")?)
    } else {
        None
    };
    let progress = (!wanted.is_sequential()).then_some(wanted.manner);
    Ok(Work { header, prepared, context, writer, progress })
}

impl Wanted<'_> {
    /// Tells whether libtest shows a trial; nothing is asked for what it shows as ignored.
    fn chooses(&self, planned: &Planned) -> bool {
        let Arguments { bench, ignored, include_ignored, .. } = self.libtest;
        // A process of nextest is there for its one trial and leaves no record that could hold more.
        let idly = self.nextest && planned.ignored.is_some() && !ignored && !include_ignored;
        !bench && !idly && self.fits(planned)
    }

    /// Tells whether libtest begins the line of a trial before it asks.
    fn is_sequential(&self) -> bool {
        let one = || std::thread::available_parallelism().is_ok_and(|n| n.get() == 1);
        self.libtest.test_threads.map_or_else(one, |threads| threads == 1)
    }

    /// Tells whether libtest lists a trial.
    fn fits(&self, planned: &Planned) -> bool {
        let trial = idle(planned);
        let fits = |filter: Option<&String>| {
            let one = Arguments { filter: filter.cloned(), ..self.libtest.clone() };
            !one.is_filtered_out(&trial)
        };
        self.filters.iter().any(|filter| fits(Some(filter)))
            || self.filters.is_empty() && fits(None)
    }

    /// Says to libtest, which knows one filter only, what to leave out.
    fn told(&self, planned: &[Planned]) -> Arguments {
        let unfit = planned.iter().filter(|planned| !self.fits(planned));
        let skip = unfit.map(|planned| planned.name.clone()).collect();
        Arguments { filter: None, exact: true, skip, ..self.libtest.clone() }
    }

    /// Tells whether libtest asks for a trial that it shows.
    fn asks(&self, planned: &Planned) -> bool {
        planned.ignored.is_none() || self.libtest.ignored || self.libtest.include_ignored
    }

    /// Returns the exit code where nothing was answered.
    fn nothing(&self) -> u8 {
        let Arguments { filter, skip, ignored, bench, .. } = &self.libtest;
        let narrowed = filter.is_some() || !skip.is_empty() || *ignored || *bench;
        // nextest asks for names that it was told of: one that is gone is no success.
        let allowed = self.args.allow_none && narrowed && !self.nextest;
        if allowed {
            return 0;
        }
        output::say("error: nothing was answered; `verify test -- --list` lists what there is");
        Situation::NothingAnswered.exit()
    }

    /// Says what libtest has no words for, and chooses the exit code.
    fn finish(&self, asked: &Asked, chosen: &[&Planned], audience: &Audience, page: &Page) -> u8 {
        let run = &asked.run;
        for (name, why) in chosen.iter().filter_map(|t| Some((&t.name, t.ignored.as_ref()?))) {
            output::say(&format!("ignored {name}: {why}"));
        }
        output::say(&sentence(run));
        let counts = run.counts();
        let counts = Outcome::ALL.map(|outcome| format!("{} {outcome}", counts.get(outcome)));
        output::say(&format!("counts: {}", counts.join(" · ")));
        if let Some(record) = asked.record.as_ref().filter(|_| asked.lost.is_none()) {
            output::say(&format!("record: {}", record.display()));
            history::keep(run, record);
        }
        if let Some(error) = &asked.lost {
            output::say(&format!(
                "error: the record is not whole: {error}; free some space and run again"
            ));
        }
        let failed = |trial: &&&Planned| {
            let found = find(run, &trial.key);
            found.map_or(true, |c| answer(run, c, audience, trial.ignored.is_some()).is_err())
        };
        let verdicts = chosen.iter().filter_map(|t| Some(&find(run, &t.key).ok()?.verdict));
        let is_lost = is_lost(page);
        if run.interrupted {
            INTERRUPTED
        } else if chosen.iter().filter(|trial| self.asks(trial)).any(|trial| failed(&trial)) {
            FAILED
        } else if is_lost || asked.lost.is_some() {
            Situation::Error.exit()
        } else if nothing_answered(verdicts) {
            self.nothing()
        } else {
            0
        }
    }
}

/// Tells whether the page did not reach its place, and says so.
fn is_lost(page: &Page) -> bool {
    match page {
        Page::Shown => false,
        Page::Lost(words) => {
            output::say(&format!("error: the results cannot be written: {words}"));
            true
        }
    }
}
