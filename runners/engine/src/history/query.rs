//! What the index says of metrics: which there are, and the values of one.
//!
//! Values come newest first from the disk and oldest first to the reader. What is simulated,
//! replayed, disturbed or errored is left out and counted, unless it is asked for.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Row, params};
use verify_model::{
    fingerprint::Fingerprint, metric::Direction, outcome::Outcome, quantity::Quantity,
};

use super::{
    entry::Flags,
    index::{HistoryError, Index},
    insert::{of_mark, of_way},
};

/// Names one metric of one node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// Id of the check.
    pub check: String,
    /// Field of its answer.
    pub field: String,
    /// Name of the node.
    pub node: String,
    id: i64,
}

/// Says which values are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those of this machine, by host name.
    pub machine: Option<String>,
    /// Only those of runs that started then or later. *Units*: ms since 1970.
    pub since_ms: Option<i64>,
    /// At most so many, the newest.
    pub last: Option<usize>,
    /// Those that were simulated, replayed, disturbed or errored, too.
    pub all: bool,
}

/// Holds one value with what it needs to be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Id of the run.
    pub run: String,
    /// When the run started. *Units*: ms since 1970.
    pub started_ms: i64,
    /// What was read.
    pub quantity: Quantity,
    /// Which way is better.
    pub direction: Direction,
    /// Digest of probe and parameters.
    pub definition: String,
    /// What the suite tolerates against a baseline, as a share.
    pub tolerance: Option<f64>,
    /// Outcome of the check.
    pub outcome: Outcome,
    /// What kept it from being a plain measurement.
    pub flags: Flags,
    /// Host name of the machine that answered.
    pub machine: String,
    /// Boot of that machine; empty where nobody knows.
    pub boot: String,
    /// By what way it was asked.
    pub via: String,
    /// Version of verify.
    pub version: String,
    /// Number of the fingerprint, for [`Index::fingerprint`]; 0 where none was gathered.
    pub fingerprint: i64,
}

/// Holds the values of one metric, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Values.
    pub points: Vec<Point>,
    /// How many were left out, by why.
    pub left_out: BTreeMap<&'static str, usize>,
    /// Whether there are older ones that were not asked for.
    pub more: bool,
}

const POINTS: &str = "
    SELECT run.ulid, value.started_ms, value.value, shape.unit, shape.direction, shape.definition,
        shape.tolerance, value.mark, machine.text, boot.text, via.text, version.text,
        part.fingerprint
    FROM value
    JOIN part ON part.id = value.part
    JOIN run ON run.id = part.run
    JOIN shape ON shape.id = value.shape
    JOIN word AS machine ON machine.id = part.machine
    JOIN word AS boot ON boot.id = part.boot
    JOIN word AS via ON via.id = part.via
    JOIN word AS version ON version.id = run.version
    WHERE value.series = ?1 AND value.started_ms >= ?2
    ORDER BY value.started_ms DESC, value.part DESC";

impl Index {
    /// Lists every metric, sorted.
    ///
    /// *Errors*: the file is damaged.
    pub fn series(&self) -> Result<Vec<Series>, HistoryError> {
        let mut all = self.db.prepare(
            "SELECT check_id.text, field.text, node.text, series.id FROM series
             JOIN word AS node ON node.id = series.node
             JOIN word AS check_id ON check_id.id = series.check_id
             JOIN word AS field ON field.id = series.field
             WHERE EXISTS (SELECT 1 FROM value WHERE series = series.id)",
        )?;
        let rows = all.query_map([], |row| {
            Ok(Series {
                check: row.get(0)?,
                field: row.get(1)?,
                node: row.get(2)?,
                id: row.get(3)?,
            })
        })?;
        let mut series = rows.collect::<Result<Vec<_>, _>>()?;
        series.sort();
        Ok(series)
    }

    /// Finds one metric of one node.
    ///
    /// *Errors*: the file is damaged.
    pub fn one(
        &self,
        node: &str,
        check: &str,
        field: &str,
    ) -> Result<Option<Series>, HistoryError> {
        let mut one = self.db.prepare(
            "SELECT series.id FROM series
             JOIN word AS node ON node.id = series.node
             JOIN word AS check_id ON check_id.id = series.check_id
             JOIN word AS field ON field.id = series.field
             WHERE node.text = ?1 AND check_id.text = ?2 AND field.text = ?3",
        )?;
        let id = one.query_row(params![node, check, field], |row| row.get(0)).optional()?;
        Ok(id.map(|id| Series {
            check: check.to_owned(),
            field: field.to_owned(),
            node: node.to_owned(),
            id,
        }))
    }

    /// Counts the values of a metric, whatever they are.
    ///
    /// *Errors*: the file is damaged.
    pub fn count(&self, series: &Series) -> Result<usize, HistoryError> {
        let sql = "SELECT count(*) FROM value WHERE series = ?1";
        let count: i64 = self.db.query_row(sql, [series.id], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// Counts runs that were read.
    ///
    /// *Errors*: the file is damaged.
    pub fn runs(&self) -> Result<usize, HistoryError> {
        let sql = "SELECT count(*) FROM run WHERE fault IS NULL";
        let count: i64 = self.db.query_row(sql, [], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// Returns the values of a metric that are wanted.
    ///
    /// *Errors*: the file is damaged.
    pub fn points(&self, series: &Series, wanted: &Wanted) -> Result<Known, HistoryError> {
        let mut newest = self.db.prepare(POINTS)?;
        let since = wanted.since_ms.unwrap_or(i64::MIN);
        let mut rows = newest.query(params![series.id, since])?;
        let mut known = Known::default();
        while let Some(row) = rows.next()? {
            let point = point(row)?;
            if wanted.machine.as_ref().is_some_and(|machine| *machine != point.machine) {
                continue;
            }
            if wanted.last.is_some_and(|last| known.points.len() >= last) {
                known.more = true;
                break;
            }
            match point.flags.word().filter(|_| !wanted.all) {
                Some(why) => *known.left_out.entry(why).or_default() += 1,
                None => known.points.push(point),
            }
        }
        let order = |a: &Point, b: &Point| (a.started_ms, &a.run).cmp(&(b.started_ms, &b.run));
        known.points.sort_by(order);
        Ok(known)
    }

    /// Returns a fingerprint by its number; empty where none was gathered.
    ///
    /// *Errors*: the file is damaged.
    pub fn fingerprint(&self, id: i64) -> Result<Fingerprint, HistoryError> {
        let sql = "SELECT fields FROM fingerprint WHERE id = ?1";
        let fields: Option<String> = self.db.query_row(sql, [id], |row| row.get(0)).optional()?;
        let Some(fields) = fields else { return Ok(Fingerprint::default()) };
        serde_json::from_str(&fields).map_err(|_| HistoryError::Odd("a broken fingerprint".into()))
    }
}

impl Flags {
    /// Says why a value does not stand beside others; `None` where it does.
    pub fn word(self) -> Option<&'static str> {
        [
            (self.simulated, "simulated"),
            (self.replayed, "replayed"),
            (self.errored, "errored"),
            (self.disturbed, "disturbed"),
        ]
        .into_iter()
        .find_map(|(set, word)| set.then_some(word))
    }
}

fn point(row: &Row<'_>) -> Result<Point, HistoryError> {
    let odd = |what: &str| HistoryError::Odd(what.to_owned());
    let (value, unit): (f64, String) = (row.get(2)?, row.get(3)?);
    let quantity = Quantity::of(value, &unit).map_err(|_| odd("a value that is no quantity"))?;
    let (outcome, flags) = of_mark(row.get(7)?).ok_or_else(|| odd("an outcome that is none"))?;
    let tolerance: f64 = row.get(6)?;
    Ok(Point {
        run: row.get(0)?,
        started_ms: row.get(1)?,
        quantity,
        direction: of_way(row.get(4)?),
        definition: row.get(5)?,
        tolerance: (tolerance >= 0.0).then_some(tolerance),
        outcome,
        flags,
        machine: row.get(8)?,
        boot: row.get(9)?,
        via: row.get(10)?,
        version: row.get(11)?,
        fingerprint: row.get(12)?,
    })
}
