//! One run for all trials of a process: the first trial that is asked starts it, all wait for it.
//!
//! So what several checks are after is asked once, load checks go alone whatever the number of test
//! threads, waivers are settled over the whole run, and the record is that of `verify run`.

use std::{
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
};

use verify_engine::{
    execute::Context,
    record::{RecordError, Writer},
    session::{self, Prepared},
};
use verify_model::run::{Header, Run};

use crate::{observe::Recorder, progress::Manner};

/// Holds all that a run needs.
pub(crate) struct Work {
    pub(crate) header: Header,
    pub(crate) prepared: Prepared,
    pub(crate) context: Context,
    /// Where it is recorded, if it is.
    pub(crate) writer: Option<Writer>,
    /// How progress is shown, if it is.
    pub(crate) progress: Option<Manner>,
}

/// Holds what came of it.
pub(crate) struct Asked {
    pub(crate) run: Run,
    /// The failure to record it.
    pub(crate) lost: Option<RecordError>,
    /// Where it is recorded, if it is.
    pub(crate) record: Option<PathBuf>,
}

/// Holds the run, before and after.
pub(crate) struct Asking {
    work: Mutex<Option<Work>>,
    asked: OnceLock<Result<Asked, String>>,
}

impl Asking {
    pub(crate) fn new(work: Work) -> Self {
        Self { work: Mutex::new(Some(work)), asked: OnceLock::new() }
    }

    /// Returns the run; whoever comes first makes it.
    ///
    /// *Errors*: a defect of verify, in words.
    pub(crate) fn asked(&self) -> Result<&Asked, &str> {
        let asked = self.asked.get_or_init(|| {
            let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
            work.map_or_else(|| Err("error: a defect of verify: the run broke".into()), execute)
        });
        asked.as_ref().map_err(String::as_str)
    }
}

fn execute(work: Work) -> Result<Asked, String> {
    let Work { header, mut prepared, context, writer, progress } = work;
    let record = writer.as_ref().map(|writer| writer.path().to_path_buf());
    let mut recorder = Recorder::new(writer);
    if let Some(manner) = progress {
        // Not before: it would stand where libtest writes how many trials there are.
        recorder = recorder.with_progress(manner);
    }
    session::execute(header, &mut prepared, &context, &mut recorder);
    drop(prepared);
    let closed = recorder.close();
    let failed = |error| format!("error: a defect of verify: the run does not fold: {error}");
    closed.map(|(run, lost)| Asked { run, lost, record }).map_err(failed)
}
