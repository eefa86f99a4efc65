//! Shows how far a run is: a live view on a terminal, plain lines elsewhere.
//!
//! [`board`] knows what goes on, [`view`] makes lines of it, [`live`] brings them to the terminal and takes
//! them off again, [`log`] says in lines what may take long and what went wrong.

mod board;
mod live;
mod log;
mod view;

use verify_model::{effect::Effect, event::Event, verdict::CheckKey};

pub(crate) use live::{aside, interrupted};

use self::{live::Live, log::Log};

/// Says how progress is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// Whether standard error takes colour.
    pub(crate) color: bool,
    /// Whether every answer gets a line, where lines are written.
    pub(crate) verbose: bool,
}

/// Shows progress.
pub(crate) enum Progress {
    /// On a terminal.
    Live(Live),
    /// Into a log.
    Log(Box<Log>),
}

impl Progress {
    /// Chooses by what standard error is.
    pub(crate) fn new(manner: Manner) -> Self {
        if live::is_possible() {
            Self::Live(Live::new(manner.color))
        } else {
            Self::Log(Box::new(Log::new(manner.verbose)))
        }
    }

    /// Takes an event of the record.
    pub(crate) fn event(&mut self, event: &Event) {
        match self {
            Self::Live(live) => live.with(|board, now| drop(board.event(event, now))),
            Self::Log(log) => log.event(event),
        }
        if let (Self::Live(live), Event::PlanReady { .. }) = (self, event) {
            live.open();
        }
    }

    /// Says that a check is about to be asked.
    pub(crate) fn asking(&mut self, key: &CheckKey, effect: Effect) {
        match self {
            Self::Live(live) => live.with(|board, now| board.asking(key, now)),
            Self::Log(log) => log.asking(key, effect),
        }
    }

    /// Says that some checks are measured again.
    pub(crate) fn looking(&mut self, open: &[&CheckKey]) {
        match self {
            Self::Live(live) => live.with(|board, _| board.looking(open)),
            Self::Log(log) => log.looking(open),
        }
    }

    /// Says that a node is through.
    pub(crate) fn ended(&mut self, node: &str) {
        match self {
            Self::Live(live) => live.with(|board, _| board.ended(node)),
            Self::Log(log) => log.ended(node),
        }
    }

    /// Leaves nothing of it on the screen.
    pub(crate) fn close(self) {
        if let Self::Live(live) = self {
            live.close();
        }
    }
}
