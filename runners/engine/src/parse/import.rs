//! How a Python package started in one of our programs: imported, refused, or deadly.
//!
//! All three are answers about the package. An interpreter that was ended from outside is none: the
//! kernel does that when memory runs out, and people do.

use serde_json::Value as Json;
use verify_model::{finding::FindingCode, observation::AttemptError};

use super::script::{Ending, signal_name, trouble};
use crate::probe::failed;

/// Signals that come from outside. *Source*: signal(7).
const OUTSIDE: [i32; 5] = [1, 2, 3, 9, 15];

/// Says how the package started.
#[derive(Debug)]
pub(crate) enum Start {
    /// It was imported; holds the answer.
    Imported(Json),
    /// The import raised an exception: what it was, and the answer beside it.
    Failed(String, Json),
    /// The interpreter died: how, and its last line.
    Aborted(String),
}

impl Start {
    /// Reads how it started.
    ///
    /// *Errors*: somebody ended the interpreter.
    pub(crate) fn of(ending: Ending) -> Result<Self, AttemptError> {
        match ending {
            Ending::Said(said) => Ok(match said.get("import").and_then(trouble) {
                Some(why) => Self::Failed(why, said),
                None => Self::Imported(said),
            }),
            Ending::Killed(signal, last) => {
                let how = format!("ended by {}: {last}", signal_name(signal));
                if OUTSIDE.contains(&signal) {
                    let why = format!("the interpreter was {how}");
                    return Err(failed(FindingCode::ProgramFailed, why));
                }
                Ok(Self::Aborted(how))
            }
        }
    }

    /// Names it in one word.
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Self::Imported(_) => "ok",
            Self::Failed(..) => "import-failed",
            Self::Aborted(_) => "aborted",
        }
    }

    /// Says what went wrong; `none` where nothing did.
    pub(crate) fn trouble(&self) -> &str {
        match self {
            Self::Imported(_) => "none",
            Self::Failed(why, _) | Self::Aborted(why) => why,
        }
    }
}
