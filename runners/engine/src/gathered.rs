//! What was captured for a path or pattern, found by its ask and never by its place.
//!
//! A probe that asks for twenty files reads better by path than by index, and cannot panic when a
//! piece is missing. Captures of which a part was left out are refused here, so that nothing cut
//! is ever judged. Interpreting the text stays with the probe.

use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence, FailureKind},
    finding::FindingCode,
    observation::AttemptError,
    value::Value,
};

use crate::probe::{failed, text_of, value_of};

/// Holds all evidence of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Gathered<'a>(pub &'a [&'a Evidence]);

/// Holds one file of a pattern: its path, and its text or why there is none.
pub type FileText<'a> = (&'a str, Result<&'a str, String>);

/// Holds one file of a pattern by the number in its path.
pub type NumberedText<'a> = (u32, Result<&'a str, String>);

impl<'a> Gathered<'a> {
    fn find(self, wanted: impl Fn(&Ask) -> bool, name: &str) -> Result<&'a Evidence, AttemptError> {
        self.0
            .iter()
            .copied()
            .find(|evidence| wanted(&evidence.ask))
            .ok_or_else(|| failed(FindingCode::NotRecorded, format!("{name} was not gathered")))
    }

    /// Returns the evidence of one file.
    ///
    /// *Errors*: the file was not asked for.
    pub fn file(self, path: &str) -> Result<&'a Evidence, AttemptError> {
        self.find(|ask| matches!(ask, Ask::ReadFile { path: asked, .. } if asked == path), path)
    }

    /// Returns the text of one file that was captured whole.
    ///
    /// *Errors*: it was not gathered, or it was cut.
    pub fn text(self, path: &str) -> Result<&'a str, AttemptError> {
        text_of(self.file(path)?)
    }

    /// Reads one value from a file: a missing file is `Absent`, trouble is `Unreadable`.
    pub fn value(self, path: &str, parse: impl FnOnce(&str) -> Result<Value, String>) -> Value {
        match self.file(path) {
            Ok(evidence) => value_of(evidence, parse),
            Err(error) => Value::Unreadable(error.message),
        }
    }

    /// Returns the files of a pattern, each with its text without line end.
    ///
    /// *Errors*: `Absent` where no file fits, `Unreadable` where nobody could look.
    pub fn files(self, pattern: &str) -> Result<Vec<FileText<'a>>, Value> {
        let wanted =
            |ask: &Ask| matches!(ask, Ask::ReadFiles { pattern: asked, .. } if asked == pattern);
        let evidence =
            self.find(wanted, pattern).map_err(|error| Value::Unreadable(error.message))?;
        match &evidence.captured {
            Captured::Files(files) if files.is_empty() => {
                Err(Value::Absent(format!("{}: no such file", evidence.ask)))
            }
            Captured::Files(files) => Ok(files
                .iter()
                .map(|(path, content)| {
                    let text = match content {
                        Ok(stream) if stream.truncated == 0 => Ok(stream.text.trim_end()),
                        Ok(stream) => Err(format!("{path}: {} bytes cut out", stream.truncated)),
                        Err(failure) => Err(format!("{path}: {}", failure.message)),
                    };
                    (path.as_str(), text)
                })
                .collect()),
            Captured::Failed(failure) if failure.kind == FailureKind::NotFound => {
                Err(Value::Absent(format!("{}: {}", evidence.ask, failure.message)))
            }
            Captured::Failed(failure) => {
                Err(Value::Unreadable(format!("{}: {}", evidence.ask, failure.message)))
            }
            _ => Err(Value::Unreadable(format!("{}: not a set of files", evidence.ask))),
        }
    }

    /// Returns the files of a pattern in the order of the number in their path: `cpu2` before
    /// `cpu10`. Files without such a number are left out.
    ///
    /// *Errors*: as [`Gathered::files`].
    pub fn numbered(self, pattern: &str, prefix: &str) -> Result<Vec<NumberedText<'a>>, Value> {
        let mut files: Vec<NumberedText<'_>> = self
            .files(pattern)?
            .into_iter()
            .filter_map(|(path, text)| Some((number_in(path, prefix)?, text)))
            .collect();
        if files.is_empty() {
            return Err(Value::Absent(format!("read {pattern}: none has a number")));
        }
        files.sort_by_key(|(number, _)| *number);
        Ok(files)
    }

    /// Returns the evidence of one program, by its arguments.
    ///
    /// *Errors*: the program was not asked for.
    pub fn program(self, argv: &[&str]) -> Result<&'a Evidence, AttemptError> {
        let wanted = |ask: &Ask| matches!(ask, Ask::Exec { argv: asked, .. } if asked == argv);
        self.find(wanted, &argv.join(" "))
    }

    /// Returns the names in a folder.
    ///
    /// *Errors*: `Absent` where there is no such folder, `Unreadable` where nobody could look.
    pub fn names(self, path: &str) -> Result<Vec<&'a str>, Value> {
        let wanted = |ask: &Ask| matches!(ask, Ask::List { path: asked } if asked == path);
        let evidence = self.find(wanted, path).map_err(|e| Value::Unreadable(e.message))?;
        match &evidence.captured {
            Captured::Listing(names) => Ok(names.iter().map(String::as_str).collect()),
            Captured::Failed(failure) if failure.kind == FailureKind::NotFound => {
                Err(Value::Absent(format!("{}: {}", evidence.ask, failure.message)))
            }
            Captured::Failed(failure) => {
                Err(Value::Unreadable(format!("{}: {}", evidence.ask, failure.message)))
            }
            _ => Err(Value::Unreadable(format!("{}: not a list of names", evidence.ask))),
        }
    }

    /// Tells whether something stands at a path.
    ///
    /// *Errors*: nobody could look, in one sentence.
    pub fn stands(self, path: &str) -> Result<bool, String> {
        let wanted = |ask: &Ask| matches!(ask, Ask::Stat { path: asked } if asked == path);
        let evidence = self.find(wanted, path).map_err(|error| error.message)?;
        match &evidence.captured {
            Captured::Stat { .. } => Ok(true),
            Captured::Failed(failure) if failure.kind == FailureKind::NotFound => Ok(false),
            Captured::Failed(failure) => Err(format!("{}: {}", evidence.ask, failure.message)),
            _ => Err(format!("{}: not an answer to that", evidence.ask)),
        }
    }
}

/// Returns why a value is missing, without the word for how.
pub fn reason(why: Value) -> String {
    match why {
        Value::Absent(why) | Value::Unreadable(why) => why,
        other => other.to_string(),
    }
}

/// Finds the number in the path component that is the prefix and digits, such as `cpu12`.
fn number_in(path: &str, prefix: &str) -> Option<u32> {
    path.split('/').find_map(|part| part.strip_prefix(prefix)?.parse().ok())
}

/// Builds a list of which every element was read; one unreadable element makes it unreadable.
pub fn list(files: Vec<NumberedText<'_>>, parse: impl Fn(&str) -> Result<Value, String>) -> Value {
    let items: Result<Vec<Value>, String> =
        files.into_iter().map(|(_, text)| parse(text?)).collect();
    items.map_or_else(Value::Unreadable, Value::List)
}

/// Counts things as a value.
pub fn count(number: usize) -> Value {
    i64::try_from(number)
        .map_or_else(|_| Value::Unreadable(format!("{number} is too many")), Value::Integer)
}
