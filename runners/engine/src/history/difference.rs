//! What lies between two values of one metric: machine, definition, unit, way, version, parts.
//!
//! Only what is known on both sides is compared: a field that was not gathered is unknown, which is
//! never a change.

use verify_model::fingerprint::{self, Fingerprint};

use super::{
    index::{HistoryError, Index},
    query::Point,
};

/// Holds one thing that differs. Both texts are empty where only the fact is worth a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub what: String,
    /// How it was.
    pub before: String,
    /// How it is.
    pub after: String,
}

impl Point {
    /// Tells whether another value of the metric measures the same on the same machine.
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.machine == other.machine
            && self.definition == other.definition
            && self.quantity.dimension() == other.quantity.dimension()
    }
}

/// Lists what differs between the surroundings of two values.
///
/// *Errors*: the file is damaged.
pub fn differences(
    index: &Index,
    before: &Point,
    after: &Point,
) -> Result<Vec<Difference>, HistoryError> {
    let mut all = Vec::new();
    let mut differ = |what: &str, before: &str, after: &str| {
        if before != after {
            let [before, after] = [before, after].map(str::to_owned);
            all.push(Difference { what: what.to_owned(), before, after });
        }
    };
    differ("another machine", &before.machine, &after.machine);
    let kinds = [before, after].map(|point| point.quantity.dimension());
    if kinds[0] != kinds[1] {
        differ("another kind of quantity", kinds[0].name(), kinds[1].name());
    }
    differ("asked", &before.via, &after.via);
    differ("verify", &before.version, &after.version);
    if before.definition != after.definition {
        let what = "another definition of the check: not comparable".to_owned();
        all.push(Difference { what, before: String::new(), after: String::new() });
    }
    if before.fingerprint != after.fingerprint {
        let of = |point: &Point| index.fingerprint(point.fingerprint);
        all.extend(parts(&of(before)?, &of(after)?));
    }
    Ok(all)
}

/// Compares what two machines are made of.
fn parts(before: &Fingerprint, after: &Fingerprint) -> Vec<Difference> {
    let said = |value: Option<String>| value.unwrap_or_else(|| "not there".to_owned());
    let changes = fingerprint::differences(before, after).causes.into_iter();
    let said = changes.map(|change| Difference {
        what: change.title,
        before: said(change.then),
        after: said(change.now),
    });
    said.collect()
}
