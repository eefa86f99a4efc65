//! Which tables the index has, and how an older file becomes one of today.
//!
//! Small on purpose: words stand once in `word`, what the values of a metric share stands once in
//! `shape`, and a value is a row of small numbers. Values lie in the order in which they are read:
//! one metric of one node, by time. The version of the file is SQLite's `user_version`.

use rusqlite_migration::{M, Migrations};

/// Marks the file as ours: the letters `VeHi`.
pub(super) const APPLICATION_ID: i32 = 0x5665_4869;

/// Newest version that is known here.
pub(super) const VERSION: i32 = 1;

/// What each version adds, oldest first. A version that was released is never changed.
const STEPS: &[M<'static>] = &[M::up(
    "
    CREATE TABLE word (
        id INTEGER PRIMARY KEY,
        text TEXT NOT NULL UNIQUE
    );
    -- One line of a fingerprint's fields as JSON, each set once.
    CREATE TABLE fingerprint (
        id INTEGER PRIMARY KEY,
        digest TEXT NOT NULL UNIQUE,
        fields TEXT NOT NULL
    );
    -- One recorded run. `size` is that of its record when it was read; `fault` says why it could not be.
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        ulid TEXT NOT NULL UNIQUE,
        started_ms INTEGER NOT NULL,
        version INTEGER NOT NULL,
        interrupted INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        size INTEGER NOT NULL,
        fault TEXT
    );
    -- One node of a run: who answered, in which boot, what the machine was made of.
    CREATE TABLE part (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL,
        node INTEGER NOT NULL,
        machine INTEGER NOT NULL,
        boot INTEGER NOT NULL,
        via INTEGER NOT NULL,
        fingerprint INTEGER NOT NULL
    );
    CREATE INDEX part_of_run ON part (run);
    -- One metric of one node.
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        node INTEGER NOT NULL,
        check_id INTEGER NOT NULL,
        field INTEGER NOT NULL,
        UNIQUE (node, check_id, field)
    );
    -- What many values share. Values of two definitions are not comparable. `direction` is 1 where
    -- more is better, -1 where less is. `tolerance` is `within` of the suite, in the base unit.
    CREATE TABLE shape (
        id INTEGER PRIMARY KEY,
        unit TEXT NOT NULL,
        direction INTEGER NOT NULL,
        definition TEXT NOT NULL,
        tolerance REAL NOT NULL,
        UNIQUE (unit, direction, definition, tolerance)
    );
    -- One value, in the unit of its shape. `mark` holds the outcome (0 to 5) and from 8 on the flags.
    CREATE TABLE value (
        series INTEGER NOT NULL,
        started_ms INTEGER NOT NULL,
        part INTEGER NOT NULL,
        value REAL NOT NULL,
        shape INTEGER NOT NULL,
        mark INTEGER NOT NULL,
        PRIMARY KEY (series, started_ms, part)
    ) WITHOUT ROWID;
    ",
)];

/// Returns the steps.
pub(super) fn migrations() -> Migrations<'static> {
    Migrations::from_slice(STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_can_be_taken_and_the_version_is_the_number_of_steps() {
        migrations().validate().unwrap();
        assert_eq!(STEPS.len(), usize::try_from(VERSION).unwrap());
    }
}
