//! Hears what happens during a run: appends it to the record, folds it, shows progress.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use verify_engine::{
    execute::Observer,
    record::{RecordError, Writer},
};
use verify_model::{
    effect::Effect,
    event::{Event, Fold, FoldError},
    run::Run,
    verdict::CheckKey,
};

use crate::output;

/// Records, folds and shows events.
pub(crate) struct Recorder {
    /// Absent where the run is not recorded.
    writer: Option<Writer>,
    /// Every event so far, folded into the run that is reported.
    folded: Result<Fold, FoldError>,
    /// The first failure to write the record; the run goes on and says so at its end.
    lost: Option<RecordError>,
    bar: Option<ProgressBar>,
    several_nodes: bool,
    /// Whether nothing is said before the end.
    silent: bool,
}

impl Recorder {
    /// Builds the observer; it records where there is a writer, and shows no progress.
    pub(crate) fn new(writer: Option<Writer>, several_nodes: bool) -> Self {
        let folded = Ok(Fold::default());
        Self { writer, folded, lost: None, bar: None, several_nodes, silent: true }
    }

    /// Shows progress: a bar on a terminal, plain lines elsewhere.
    pub(crate) fn with_progress(self, checks: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(checks));
        Self { bar, silent: false, ..self }
    }

    /// Closes the record, takes the progress off the screen and returns the run, with the failure
    /// to record it.
    ///
    /// *Errors*: the events do not make a run, a defect of verify.
    pub(crate) fn close(mut self) -> Result<(Run, Option<RecordError>), FoldError> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if let Some(Err(error)) = self.writer.as_mut().map(Writer::finish) {
            self.lost.get_or_insert(error);
        }
        Ok((self.folded?.finish()?, self.lost))
    }
}

fn bar(checks: usize) -> ProgressBar {
    let bar = ProgressBar::new(checks as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

impl Observer for Recorder {
    fn event(&mut self, event: Event) {
        if self.lost.is_none()
            && let Some(Err(error)) = self.writer.as_mut().map(|writer| writer.append(&event))
        {
            self.lost = Some(error);
        }
        if let (Event::Verdict(_), Some(bar)) = (&event, &self.bar) {
            bar.inc(1);
        }
        if let Ok(fold) = &mut self.folded
            && let Err(error) = fold.take(event)
        {
            self.folded = Err(error);
        }
    }

    fn asking(&mut self, key: &CheckKey, effect: Effect) {
        let name = if self.several_nodes {
            format!("{} on {}", key.check, key.node)
        } else {
            key.check.clone()
        };
        match &self.bar {
            // Short, so that the echo of a Ctrl-C does not break the line that is to be cleared.
            Some(bar) => bar.set_message(name.chars().take(40).collect::<String>()),
            // Plain lines for logs, and only for what may take long.
            None if effect != Effect::Reads && !self.silent => {
                output::say(&format!("asking {name}"));
            }
            None => {}
        }
    }
}
