//! What changed in a machine between two runs.
//!
//! One line for people each: what a machine lost, a card that was exchanged, a version that rose.
//! What was not known then or is not known now is no change, and is named as unknown.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Depends, Fingerprint, Role,
    group::{GROUPS, Group, Place},
    thing,
};

/// Longest value that is shown whole; of a longer one the words that differ. *Units*: characters.
const WHOLE: usize = 60;

/// Holds one thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Path of the field, or of what changed as a whole.
    pub path: String,
    /// What people call it.
    pub title: String,
    /// What it was; `None` where it was not there.
    pub then: Option<String>,
    /// What it is; `None` where it is gone.
    pub now: Option<String>,
}

impl Change {
    /// Says it in one line.
    pub fn phrase(&self) -> String {
        let title = &self.title;
        match (&self.then, &self.now) {
            (Some(then), Some(now)) => {
                let (then, now) = apart(then, now);
                format!("{title}: {then} -> {now}")
            }
            (Some(then), None) => format!("{title}: {then} -> gone"),
            (None, Some(now)) => format!("{title}: new, {now}"),
            (None, None) => title.clone(),
        }
    }
}

/// Returns two texts, or of long ones the words in which they differ.
fn apart(then: &str, now: &str) -> (String, String) {
    if then.chars().count().max(now.chars().count()) <= WHOLE {
        return (then.to_owned(), now.to_owned());
    }
    let only = |text: &str, other: &str| {
        let other: BTreeSet<&str> = other.split_whitespace().collect();
        let words: Vec<&str> =
            text.split_whitespace().filter(|word| !other.contains(word)).collect();
        if words.is_empty() { "(no other word)".to_owned() } else { words.join(" ") }
    };
    (only(then, now), only(now, then))
}

/// Holds what changed, by what it means for a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Changes {
    /// With what it is measured: the two are not comparable.
    pub rulers: Vec<Change>,
    /// What is measured: the two are compared, and these may be why they differ.
    pub causes: Vec<Change>,
    /// Paths of what is not known of either; a group of which nothing is known by its name.
    pub unknown: Vec<String>,
}

/// Compares what a metric depends on.
pub fn changes(then: &Fingerprint, now: &Fingerprint, depends: &[Depends]) -> Changes {
    let by = |role: Role, path: &str| {
        let mut covering = depends.iter().filter(|depends| depends.covers(path));
        // What is both is a ruler.
        let ruler = covering.clone().any(|depends| depends.role == Role::Ruler);
        covering.any(|depends| depends.role == role) && ruler == (role == Role::Ruler)
    };
    let mut found = Changes::default();
    let mut unknown = BTreeSet::new();
    for group in GROUPS {
        found.rulers.extend(compare(then, now, group, &|p| by(Role::Ruler, p), &mut unknown));
        found.causes.extend(compare(then, now, group, &|p| by(Role::Cause, p), &mut unknown));
    }
    let nobody =
        |depends: &&Depends| !then.0.keys().chain(now.0.keys()).any(|path| depends.covers(path));
    unknown.extend(depends.iter().filter(nobody).map(|depends| depends.group.to_owned()));
    found.unknown = unknown.into_iter().collect();
    found
}

/// Compares all that was gathered, whatever depends on it; every change is a cause.
pub fn differences(then: &Fingerprint, now: &Fingerprint) -> Changes {
    let mut found = Changes::default();
    let mut unknown = BTreeSet::new();
    for group in GROUPS {
        found.causes.extend(compare(then, now, group, &|_| true, &mut unknown));
    }
    found.unknown = unknown.into_iter().collect();
    found
}

/// Compares one group.
fn compare(
    then: &Fingerprint,
    now: &Fingerprint,
    group: &Group,
    is_wanted: &dyn Fn(&str) -> bool,
    unknown: &mut BTreeSet<String>,
) -> Vec<Change> {
    let of_group = |path: &&str| group.place(path).is_some() && is_wanted(path);
    let paths = then.0.keys().chain(now.0.keys()).map(String::as_str).filter(of_group);
    let paths: BTreeSet<&str> = paths.collect();
    let mut found = Vec::new();
    let mut holds_things = false;
    for path in paths {
        let Some(Place::Own(field)) = group.place(path) else {
            holds_things = true;
            continue;
        };
        match (then.get(path), now.get(path)) {
            (Some(old), Some(new)) if old != new => found.push(Change {
                path: path.to_owned(),
                title: group.title(field).unwrap_or_default(),
                then: Some(old.to_owned()),
                now: Some(new.to_owned()),
            }),
            (Some(_), Some(_)) => {}
            _ => _ = unknown.insert(path.to_owned()),
        }
    }
    if let Some(things) = group.things.as_ref().filter(|_| holds_things) {
        found.extend(thing::compare(then, now, group, things, unknown));
    }
    found
}
