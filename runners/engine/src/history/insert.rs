//! Puts a run into the index, all of it or nothing, and takes one out.
//!
//! Words and shapes are looked up once and remembered, as long as nobody else changed the file
//! meanwhile. A run that is there already is replaced, unless what is there knows more: somebody may
//! have read a record before its end.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Statement, params};
use verify_model::{metric::Direction, outcome::Outcome};

use super::{
    entry::{Entry, Flags, Part, Value},
    index::{HistoryError, Index},
};

/// Tolerance where the suite states none.
pub(super) const NO_TOLERANCE: f64 = -1.0;

/// Puts runs into the index, one transaction each.
pub struct Inserter<'i> {
    db: &'i Connection,
    words: BTreeMap<String, i64>,
    prints: BTreeMap<String, i64>,
    series: BTreeMap<(i64, i64, i64), i64>,
    shapes: BTreeMap<(String, String, i64, u64), i64>,
    /// Changes by other processes, as SQLite counts them.
    seen: i64,
    statements: Statements<'i>,
}

struct Statements<'i> {
    word: [Statement<'i>; 2],
    print: [Statement<'i>; 2],
    series: [Statement<'i>; 2],
    shape: [Statement<'i>; 2],
    part: Statement<'i>,
    value: Statement<'i>,
    others: Statement<'i>,
}

impl Index {
    /// Prepares to put runs in.
    ///
    /// *Errors*: the file is damaged.
    pub fn inserter(&self) -> Result<Inserter<'_>, HistoryError> {
        let db = &self.db;
        let prepare = |sql: &str| db.prepare(sql);
        let statements = Statements {
            word: [
                prepare("SELECT id FROM word WHERE text = ?1")?,
                prepare("INSERT INTO word (text) VALUES (?1)")?,
            ],
            print: [
                prepare("SELECT id FROM fingerprint WHERE digest = ?1")?,
                prepare("INSERT INTO fingerprint (digest, fields) VALUES (?1, ?2)")?,
            ],
            series: [
                prepare("SELECT id FROM series WHERE node = ?1 AND check_id = ?2 AND field = ?3")?,
                prepare("INSERT INTO series (node, check_id, field) VALUES (?1, ?2, ?3)")?,
            ],
            shape: [
                prepare(
                    "SELECT id FROM shape WHERE unit = ?1 AND definition = ?2 AND direction = ?3 AND tolerance = ?4",
                )?,
                prepare(
                    "INSERT INTO shape (unit, definition, direction, tolerance) VALUES (?1, ?2, ?3, ?4)",
                )?,
            ],
            part: prepare(
                "INSERT INTO part (run, node, machine, boot, via, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            value: prepare("INSERT INTO value VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            others: prepare("PRAGMA data_version")?,
        };
        let (words, prints) = (BTreeMap::new(), BTreeMap::new());
        let (series, shapes) = (BTreeMap::new(), BTreeMap::new());
        Ok(Inserter { db, words, prints, series, shapes, seen: -1, statements })
    }
}

impl Inserter<'_> {
    /// Puts a run in whose record had a size when it was read.
    ///
    /// *Errors*: the disk is full, or the file is damaged; then the index is as before.
    pub fn put(&mut self, entry: &Entry, size: u64) -> Result<(), HistoryError> {
        self.at_once(|own| own.put_all(entry, size, false))
    }

    /// Puts a run in, whatever is known of it.
    ///
    /// *Errors*: as [`Inserter::put`].
    pub(super) fn put_anew(&mut self, entry: &Entry, size: u64) -> Result<(), HistoryError> {
        self.at_once(|own| own.put_all(entry, size, true))
    }

    /// Remembers that the record of a run cannot be read, and why.
    ///
    /// *Errors*: as [`Inserter::put`].
    pub(super) fn put_fault(
        &mut self,
        ulid: &str,
        size: u64,
        why: &str,
    ) -> Result<(), HistoryError> {
        self.at_once(|own| {
            if let Some((known, ..)) = own.known(ulid)? {
                own.take_out(known)?;
            }
            let row = params![ulid, 0, 0, false, false, number(size), why];
            own.db.execute(RUN, row)?;
            Ok(())
        })
    }

    /// Takes a run out.
    ///
    /// *Errors*: as [`Inserter::put`].
    pub fn forget(&mut self, ulid: &str) -> Result<(), HistoryError> {
        self.at_once(|own| own.known(ulid)?.map_or(Ok(()), |(known, ..)| own.take_out(known)))
    }

    /// Takes out words, shapes, fingerprints and metrics that no run has any more.
    ///
    /// *Errors*: as [`Inserter::put`].
    pub(super) fn tidy(&mut self) -> Result<(), HistoryError> {
        self.seen = -1;
        self.at_once(|own| {
            own.db.execute_batch(
                "
                DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM value WHERE series = series.id);
                DELETE FROM shape WHERE id NOT IN (SELECT shape FROM value);
                DELETE FROM fingerprint WHERE id NOT IN (SELECT fingerprint FROM part);
                DELETE FROM word WHERE id NOT IN (
                    SELECT node FROM series UNION SELECT check_id FROM series
                    UNION SELECT field FROM series UNION SELECT version FROM run
                    UNION SELECT node FROM part UNION SELECT machine FROM part
                    UNION SELECT boot FROM part UNION SELECT via FROM part);
                ",
            )?;
            Ok(())
        })
    }

    /// Does all of it or nothing.
    fn at_once(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        // At once for writing: to read first and then to find another writer cannot be waited for.
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let done = self.look_for_others().and_then(|()| work(self));
        let done = done.and_then(|()| Ok(self.db.execute_batch("COMMIT")?));
        if done.is_err() {
            let _ = self.db.execute_batch("ROLLBACK");
            self.forget_ids();
        }
        done
    }

    fn look_for_others(&mut self) -> Result<(), HistoryError> {
        let seen: i64 = self.statements.others.query_row([], |row| row.get(0))?;
        if seen != self.seen {
            self.forget_ids();
            self.seen = seen;
        }
        Ok(())
    }

    fn forget_ids(&mut self) {
        self.words.clear();
        self.prints.clear();
        self.series.clear();
        self.shapes.clear();
    }

    /// Returns the number of a run, the size of its record, and whether it was whole.
    fn known(&self, ulid: &str) -> Result<Option<(i64, i64, bool)>, HistoryError> {
        let sql = "SELECT id, size, complete FROM run WHERE ulid = ?1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(self.db.query_row(sql, [ulid], row).optional()?)
    }

    fn put_all(&mut self, entry: &Entry, size: u64, anew: bool) -> Result<(), HistoryError> {
        if let Some((known, its_size, complete)) = self.known(&entry.ulid)? {
            let knows_more = complete || its_size > number(size);
            if !anew && !entry.complete && knows_more {
                return Ok(());
            }
            self.take_out(known)?;
        }
        let version = self.word(&entry.version)?;
        let none: Option<&str> = None;
        self.db.execute(
            RUN,
            params![
                entry.ulid,
                entry.started_ms,
                version,
                entry.interrupted,
                entry.complete,
                number(size),
                none
            ],
        )?;
        let run = self.db.last_insert_rowid();
        for part in &entry.parts {
            self.put_part(run, entry.started_ms, part)?;
        }
        Ok(())
    }

    fn put_part(&mut self, run: i64, started_ms: i64, part: &Part) -> Result<(), HistoryError> {
        let node = self.word(&part.node)?;
        let (machine, boot) = (self.word(&part.machine)?, self.word(&part.boot)?);
        let (via, print) = (self.word(&part.via)?, self.print(part)?);
        self.statements.part.execute(params![run, node, machine, boot, via, print])?;
        let id = self.db.last_insert_rowid();
        for value in &part.values {
            let (check, field) = (self.word(&value.check)?, self.word(&value.field)?);
            let series = self.series(node, check, field)?;
            let shape = self.shape(value)?;
            let number = value.quantity.value();
            self.statements.value.execute(params![
                series,
                started_ms,
                id,
                number,
                shape,
                mark(value.outcome, value.flags)
            ])?;
        }
        Ok(())
    }

    fn take_out(&self, run: i64) -> Result<(), HistoryError> {
        // By the metrics of its node: a value is found by its place, without an index of its own.
        let sql = "DELETE FROM value WHERE (series, started_ms, part) IN (
            SELECT series.id, run.started_ms, part.id FROM run JOIN part ON part.run = run.id
            JOIN series ON series.node = part.node WHERE run.id = ?1)";
        self.db.execute(sql, [run])?;
        self.db.execute("DELETE FROM part WHERE run = ?1", [run])?;
        self.db.execute("DELETE FROM run WHERE id = ?1", [run])?;
        Ok(())
    }

    fn word(&mut self, text: &str) -> Result<i64, HistoryError> {
        if let Some(id) = self.words.get(text) {
            return Ok(*id);
        }
        let id = found_or_made(self.db, &mut self.statements.word, params![text], params![text])?;
        self.words.insert(text.to_owned(), id);
        Ok(id)
    }

    /// Returns the number of a fingerprint; 0 where none was gathered.
    fn print(&mut self, part: &Part) -> Result<i64, HistoryError> {
        if part.digest.is_empty() {
            return Ok(0);
        }
        if let Some(id) = self.prints.get(&part.digest) {
            return Ok(*id);
        }
        let new = params![part.digest, part.fields];
        let id = found_or_made(self.db, &mut self.statements.print, params![part.digest], new)?;
        self.prints.insert(part.digest.clone(), id);
        Ok(id)
    }

    fn series(&mut self, node: i64, check: i64, field: i64) -> Result<i64, HistoryError> {
        let key = (node, check, field);
        if let Some(id) = self.series.get(&key) {
            return Ok(*id);
        }
        let (one, same) = (params![node, check, field], params![node, check, field]);
        let id = found_or_made(self.db, &mut self.statements.series, one, same)?;
        self.series.insert(key, id);
        Ok(id)
    }

    fn shape(&mut self, value: &Value) -> Result<i64, HistoryError> {
        let unit = value.quantity.unit().symbol();
        let (way, tolerance) = (way(value.direction), value.tolerance.unwrap_or(NO_TOLERANCE));
        let key = (unit.to_owned(), value.definition.clone(), way, tolerance.to_bits());
        if let Some(id) = self.shapes.get(&key) {
            return Ok(*id);
        }
        let (one, same) = (
            params![unit, value.definition, way, tolerance],
            params![unit, value.definition, way, tolerance],
        );
        let id = found_or_made(self.db, &mut self.statements.shape, one, same)?;
        self.shapes.insert(key, id);
        Ok(id)
    }
}

const RUN: &str = "INSERT INTO run (ulid, started_ms, version, interrupted, complete, size, fault) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

fn found_or_made(
    db: &Connection,
    [find, make]: &mut [Statement<'_>; 2],
    key: &[&dyn rusqlite::ToSql],
    new: &[&dyn rusqlite::ToSql],
) -> Result<i64, HistoryError> {
    if let Some(id) = find.query_row(key, |row| row.get(0)).optional()? {
        return Ok(id);
    }
    make.execute(new)?;
    Ok(db.last_insert_rowid())
}

fn number(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn way(direction: Direction) -> i64 {
    match direction {
        Direction::HigherIsBetter => 1,
        Direction::LowerIsBetter => -1,
        Direction::Neutral => 0,
    }
}

/// Names the flags, each with its bit.
const FLAGS: [i64; 4] = [8, 16, 32, 64];

fn mark(outcome: Outcome, flags: Flags) -> i64 {
    let place = Outcome::ALL.iter().position(|known| *known == outcome).unwrap_or_default();
    let set = [flags.simulated, flags.replayed, flags.disturbed, flags.errored];
    let bits = FLAGS.iter().zip(set).filter(|(_, set)| *set).map(|(bit, _)| bit);
    i64::try_from(place).unwrap_or_default() + bits.sum::<i64>()
}

/// Reads a mark; `None` where nobody wrote it.
pub(super) fn of_mark(mark: i64) -> Option<(Outcome, Flags)> {
    let outcome = Outcome::ALL.get(usize::try_from(mark % 8).ok()?)?;
    let [simulated, replayed, disturbed, errored] = FLAGS.map(|bit| mark & bit != 0);
    Some((*outcome, Flags { simulated, replayed, disturbed, errored }))
}

/// Reads which way is better.
pub(super) fn of_way(way: i64) -> Direction {
    match way {
        1 => Direction::HigherIsBetter,
        -1 => Direction::LowerIsBetter,
        _ => Direction::Neutral,
    }
}
