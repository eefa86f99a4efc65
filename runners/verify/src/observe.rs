//! Hears what happens during a run: appends it to the record, folds it, shows progress.

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

use crate::{
    command::history::Before,
    progress::{Manner, Progress},
};

/// Records, folds and shows events.
pub(crate) struct Recorder {
    /// Absent where the run is not recorded.
    writer: Option<Writer>,
    /// Every event so far, folded into the run that is reported.
    folded: Result<Fold, FoldError>,
    /// The first failure to write the record; the run goes on and says so at its end.
    lost: Option<RecordError>,
    /// Absent where nothing is said before the end.
    progress: Option<Progress>,
    /// Absent where nobody asks what was measured before.
    before: Option<Before>,
}

impl Recorder {
    /// Builds the observer; it records where there is a writer, and shows no progress.
    pub(crate) fn new(writer: Option<Writer>) -> Self {
        Self { writer, folded: Ok(Fold::default()), lost: None, progress: None, before: None }
    }

    /// Shows progress: a live view on a terminal, plain lines elsewhere.
    pub(crate) fn with_progress(self, manner: Manner) -> Self {
        Self { progress: Some(Progress::new(manner)), ..self }
    }

    /// Puts into the record what earlier runs measured.
    pub(crate) fn with_trends(self) -> Self {
        Self { before: Some(Before::default()), ..self }
    }

    /// Closes the record, takes the progress off the screen and returns the run, with the failure
    /// to record it.
    ///
    /// *Errors*: the events do not make a run, a defect of verify.
    pub(crate) fn close(mut self) -> Result<(Run, Option<RecordError>), FoldError> {
        if let Some(progress) = self.progress.take() {
            progress.close();
        }
        if let Some(Err(error)) = self.writer.as_mut().map(Writer::finish) {
            self.lost.get_or_insert(error);
        }
        Ok((self.folded?.finish()?, self.lost))
    }
}

impl Observer for Recorder {
    fn event(&mut self, event: Event) {
        if let Some(before) = &mut self.before {
            before.hear(&event);
        }
        if matches!(event, Event::Finished { .. })
            && let Some(before) = self.before.take()
        {
            // Nothing waits for it any more, and the end stays the last line.
            for trend in before.told() {
                self.event(Event::Trend(trend));
            }
        }
        if self.lost.is_none()
            && let Some(Err(error)) = self.writer.as_mut().map(|writer| writer.append(&event))
        {
            self.lost = Some(error);
        }
        if let Some(progress) = &mut self.progress {
            progress.event(&event);
        }
        if let Ok(fold) = &mut self.folded
            && let Err(error) = fold.take(event)
        {
            self.folded = Err(error);
        }
    }

    fn asking(&mut self, key: &CheckKey, effect: Effect) {
        if let Some(progress) = &mut self.progress {
            progress.asking(key, effect);
        }
    }

    fn looking(&mut self, open: &[&CheckKey]) {
        if let Some(progress) = &mut self.progress {
            progress.looking(open);
        }
    }

    fn ended(&mut self, node: &str) {
        if let Some(progress) = &mut self.progress {
            progress.ended(node);
        }
    }
}
