//! How answers are made wrong: what is changed in what was captured.
//!
//! An edit that changes nothing is an error, so that a fault whose ground moved is never taken for one
//! that was injected.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use verify_model::evidence::{Captured, Evidence, Failure, FailureKind, Stream};

/// Names every answer.
const ALL: &str = "*";

/// Says what is changed in some answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Edit {
    /// Part of the question as people read it, such as ``run `df``; `*` is every question.
    pub of: String,
    /// Texts that are put in the place of others.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
    /// Values that are set in a JSON document, by pointer.
    #[serde(default)]
    pub set: BTreeMap<String, Json>,
    /// Values that are taken out of it, by pointer.
    #[serde(default)]
    pub remove: Vec<String>,
    /// The whole text; of a program, what it prints on standard output.
    pub text: Option<String>,
    /// What a program prints on standard error.
    pub stderr: Option<String>,
    /// Part of the names of files, and of entries of a folder, that are not there.
    pub without: Option<String>,
    /// Way in which the gathering fails instead.
    pub fails: Option<FailureKind>,
    /// Exit status.
    pub exit: Option<i32>,
    /// Share of the text that is kept; the rest is marked as left out.
    pub keep: Option<f64>,
}

impl Edit {
    /// Changes the answers to the questions that it names.
    ///
    /// *Errors*: no answer is named, or one of its changes changes none; in one sentence.
    pub fn apply(&self, evidence: &mut [Evidence]) -> Result<(), String> {
        let named = |piece: &&mut Evidence| {
            self.of == ALL || piece.ask.to_string().contains(self.of.as_str())
        };
        let mut named: Vec<&mut Evidence> = evidence.iter_mut().filter(named).collect();
        if named.is_empty() {
            return Err(format!("nothing healthy is asked as `{}`", self.of));
        }
        let before: Vec<Captured> = named.iter().map(|piece| piece.captured.clone()).collect();
        for (from, to) in &self.replace {
            let replace = |text: &str| text.contains(from.as_str()).then(|| text.replace(from, to));
            change(&mut named, &replace)
                .ok_or_else(|| self.missed(&format!("the text `{from}`")))?;
        }
        for (pointer, value) in &self.set {
            let set = |text: &str| in_json(text, |document| put(document, pointer, value.clone()));
            change(&mut named, &set).ok_or_else(|| self.missed(&format!("a value {pointer}")))?;
        }
        for pointer in &self.remove {
            let remove = |text: &str| in_json(text, |document| take(document, pointer));
            change(&mut named, &remove)
                .ok_or_else(|| self.missed(&format!("a value {pointer}")))?;
        }
        for piece in &mut named {
            if let Some(whole) = &self.text {
                main_text(&mut piece.captured, &mut |stream| stream.text.clone_from(whole));
            }
            if let (Some(said), Captured::Exec { stderr, .. }) = (&self.stderr, &mut piece.captured)
            {
                stderr.text.clone_from(said);
            }
            if let Some(gone) = &self.without {
                take_away(&mut piece.captured, gone);
            }
            if let Some(kept) = self.keep {
                each(&mut piece.captured, &mut |stream| cut(stream, kept));
            }
            if let (Some(status), Captured::Exec { exit, .. }) = (self.exit, &mut piece.captured) {
                *exit = Some(status);
            }
            if let Some(kind) = self.fails {
                piece.captured = Captured::Failed(Failure::new(kind, "injected by a fault"));
            }
        }
        let changed = before.iter().zip(&named).any(|(before, now)| *before != now.captured);
        changed.then_some(()).ok_or_else(|| self.missed("anything else"))
    }

    fn missed(&self, what: &str) -> String {
        format!("no answer to `{}` holds {what}", self.of)
    }
}

/// Changes every text for which there is another one; `None` where there is none at all.
fn change(named: &mut [&mut Evidence], to: &dyn Fn(&str) -> Option<String>) -> Option<()> {
    let mut changed = None;
    for piece in named {
        each(&mut piece.captured, &mut |stream| {
            if let Some(new) = to(&stream.text) {
                stream.text = new;
                changed = Some(());
            }
        });
    }
    changed
}

/// Walks the texts of an answer.
pub(super) fn each(captured: &mut Captured, with: &mut dyn FnMut(&mut Stream)) {
    match captured {
        Captured::File(stream) => with(stream),
        Captured::Exec { stdout, stderr, .. } => {
            with(stdout);
            with(stderr);
        }
        Captured::Files(files) => {
            files.iter_mut().filter_map(|(_, file)| file.as_mut().ok()).for_each(with);
        }
        _ => {}
    }
}

/// Takes away files and entries of a folder by a part of their names.
fn take_away(captured: &mut Captured, gone: &str) {
    match captured {
        Captured::Files(files) => files.retain(|(path, _)| !path.contains(gone)),
        Captured::Listing(names) => names.retain(|name| !name.contains(gone)),
        _ => {}
    }
}

/// Walks the texts of an answer without what a program says on standard error.
fn main_text(captured: &mut Captured, with: &mut dyn FnMut(&mut Stream)) {
    match captured {
        Captured::Exec { stdout, .. } => with(stdout),
        other => each(other, with),
    }
}

/// Leaves out the end of a text, and says so.
pub(super) fn cut(stream: &mut Stream, kept: f64) {
    let share = |length: usize| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a length of a text that is part of the program"
        )]
        let wanted = (length as f64 * kept.clamp(0.0, 1.0)) as usize;
        wanted
    };
    let mut at = share(stream.text.len());
    while !stream.text.is_char_boundary(at) {
        at -= 1;
    }
    let left_out = stream.text.len() - at;
    stream.text.truncate(at);
    stream.truncated += left_out as u64;
}

/// Changes the first JSON document of a text; what stands before and behind it stays.
fn in_json(text: &str, with: impl FnOnce(&mut Json) -> Option<()>) -> Option<String> {
    let from = text.find(['{', '['])?;
    let mut documents = serde_json::Deserializer::from_str(&text[from..]).into_iter::<Json>();
    let mut document = documents.next()?.ok()?;
    let behind = &text[from + documents.byte_offset()..];
    with(&mut document)?;
    Some(format!("{}{document}{behind}", &text[..from]))
}

fn put(document: &mut Json, pointer: &str, value: Json) -> Option<()> {
    if let Some(known) = document.pointer_mut(pointer) {
        *known = value;
        return Some(());
    }
    let (parent, key) = pointer.rsplit_once('/')?;
    document.pointer_mut(parent)?.as_object_mut()?.insert(key.to_owned(), value);
    Some(())
}

fn take(document: &mut Json, pointer: &str) -> Option<()> {
    let (parent, key) = pointer.rsplit_once('/')?;
    match document.pointer_mut(parent)? {
        Json::Object(fields) => fields.shift_remove(key).map(drop),
        Json::Array(items) => {
            let at: usize = key.parse().ok().filter(|at| *at < items.len())?;
            items.remove(at);
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use verify_model::ask::Ask;

    use super::*;

    fn said(text: &str) -> Vec<Evidence> {
        let captured = Captured::File(Stream::whole(text.as_bytes()));
        let (ask, node) = (Ask::file("/proc/x"), "box".to_owned());
        vec![Evidence { id: 0, node, ask, at_ms: 0, elapsed_us: 0, captured }]
    }

    fn edited(edit: &str, text: &str) -> Result<String, String> {
        let edit: Edit = toml::from_str(edit).unwrap();
        let mut evidence = said(text);
        edit.apply(&mut evidence)?;
        let Captured::File(stream) = &evidence[0].captured else { return Ok("failed".into()) };
        Ok(format!("{} -{}", stream.text, stream.truncated))
    }

    #[test]
    fn an_edit_changes_what_it_names_and_nothing_else() {
        let json = "mark {\"a\":{\"b\":[1,2]}}\n";
        for (edit, text, expected) in [
            ("of = \"/proc/x\"\nreplace = { a = \"b\" }", "abc", "bbc -0"),
            ("of = \"*\"\ntext = \"\"", "abc", " -0"),
            ("of = \"*\"\nkeep = 0.5", "abcd", "ab -2"),
            ("of = \"*\"\nset = { \"/a/b/1\" = 9 }", json, "mark {\"a\":{\"b\":[1,9]}}\n -0"),
            ("of = \"*\"\nset = { \"/a/c\" = 9 }", json, "mark {\"a\":{\"b\":[1,2],\"c\":9}}\n -0"),
            ("of = \"*\"\nremove = [\"/a/b/0\"]", json, "mark {\"a\":{\"b\":[2]}}\n -0"),
            ("of = \"*\"\nfails = \"timed-out\"", json, "failed"),
        ] {
            assert_eq!(edited(edit, text).as_deref(), Ok(expected), "{edit}");
        }
    }

    #[test]
    fn an_edit_that_changes_nothing_is_an_error() {
        for edit in [
            "of = \"/proc/y\"\ntext = \"x\"",
            "of = \"*\"\nreplace = { z = \"b\" }",
            "of = \"*\"\ntext = \"{}\"",
            "of = \"*\"\nset = { \"/no/such\" = 1 }",
            "of = \"*\"\nremove = [\"/no\"]",
        ] {
            assert!(edited(edit, "{}").is_err(), "{edit}");
        }
    }
}
