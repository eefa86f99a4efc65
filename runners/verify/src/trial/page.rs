//! How libtest's words reach their place: libtest panics where they cannot be written, we do not.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use libtest_mimic::{Arguments, Trial};

/// Whether libtest could not write.
static UNWRITTEN: AtomicBool = AtomicBool::new(false);

/// Says what became of the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// Written, or its reader (`| head`) has seen enough.
    Shown,
    /// Not written, with libtest's own words.
    Lost(String),
}

/// Lets libtest run and show trials.
pub(crate) fn show(args: &Arguments, trials: Vec<Trial>) -> Page {
    let before = take_hook();
    set_hook(Box::new(move |info| {
        // A trial that panics is libtest's to report; its printer has no other way to say no.
        if info.location().is_some_and(|place| place.file().contains("libtest-mimic")) {
            UNWRITTEN.store(true, Ordering::SeqCst);
        } else {
            before(info);
        }
    }));
    let shown = catch_unwind(AssertUnwindSafe(|| {
        // Its counts know no outcome.
        let _ = libtest_mimic::run(args, trials);
    }));
    let Err(panic) = shown else { return Page::Shown };
    if !UNWRITTEN.load(Ordering::SeqCst) {
        resume_unwind(panic);
    }
    let words = panic.downcast_ref::<String>().cloned().unwrap_or_default();
    if words.contains("BrokenPipe") { Page::Shown } else { Page::Lost(words) }
}

/// Makes sure that a log file can be written, before anything is asked.
///
/// *Errors*: it cannot.
pub(crate) fn demand_logfile(path: Option<&str>) -> anyhow::Result<()> {
    if let Some(path) = path {
        std::fs::File::create(path).with_context(|| format!("cannot write log file {path}"))?;
    }
    Ok(())
}
