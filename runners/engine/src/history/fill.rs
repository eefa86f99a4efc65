//! Brings the index to what the records say: what is missing is read, what is gone leaves.
//!
//! A record that cannot be read is named and remembered, so that it is not read again until it
//! changes. A record without its end, of a run that was killed or goes on, is read again once it has
//! grown. What is known is looked up before the records are listed, so a run that another process
//! records meanwhile is never taken for one that is gone.

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    entry::Entry,
    index::{HistoryError, Index},
    insert::Inserter,
};
use crate::record::{self, Listed, Store};

/// Says how far it is.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Records that were read.
    pub done: usize,
    /// Records that are to be read.
    pub of: usize,
}

/// Says what was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Runs that were read into the index.
    pub read: usize,
    /// Runs that left it, since their records are gone.
    pub gone: usize,
    /// Records that cannot be read: id of the run, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Holds what the index knows of a record.
struct Kept {
    size: u64,
    whole: bool,
    fault: Option<String>,
}

impl Index {
    /// Reads every record that the index lacks.
    ///
    /// *Errors*: the index cannot be written, or the records cannot be listed.
    pub fn catch_up(
        &self,
        store: &Store,
        tell: &mut dyn FnMut(Step),
    ) -> Result<Filled, HistoryError> {
        self.fill(store, false, tell)
    }

    /// Reads every record anew.
    ///
    /// *Errors*: as [`Index::catch_up`].
    pub fn rebuild(
        &self,
        store: &Store,
        tell: &mut dyn FnMut(Step),
    ) -> Result<Filled, HistoryError> {
        let filled = self.fill(store, true, tell)?;
        self.inserter()?.tidy()?;
        self.db.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(filled)
    }

    fn fill(
        &self,
        store: &Store,
        all: bool,
        tell: &mut dyn FnMut(Step),
    ) -> Result<Filled, HistoryError> {
        let mut kept = self.kept()?;
        let mut filled = Filled::default();
        let mut wanted = Vec::new();
        for listed in store.list()? {
            let known = kept.remove(&listed.id);
            // What could not be read is tried again: rights, a disk or a newer verify may read it now.
            let is_settled = known.as_ref().is_some_and(|known| {
                known.fault.is_none()
                    && (known.whole || size(&listed.path).is_some_and(|size| size == known.size))
            });
            match known {
                Some(known) if is_settled && !all => {
                    filled.unreadable.extend(known.fault.map(|why| (listed.id, why)));
                }
                _ => wanted.push(listed),
            }
        }
        let mut inserter = self.inserter()?;
        let of = wanted.len();
        for (done, listed) in wanted.into_iter().enumerate() {
            tell(Step { done, of });
            match take(&mut inserter, &listed, all)? {
                None => filled.read += 1,
                Some(why) => filled.unreadable.push((listed.id, why)),
            }
        }
        for (id, _) in kept {
            inserter.forget(&id)?;
            filled.gone += 1;
        }
        tell(Step { done: of, of });
        Ok(filled)
    }

    /// Returns what is known of every record.
    fn kept(&self) -> Result<BTreeMap<String, Kept>, HistoryError> {
        let mut all = self.db.prepare("SELECT ulid, size, complete, fault FROM run")?;
        let rows = all.query_map([], |row| {
            let size: i64 = row.get(1)?;
            let size = u64::try_from(size).unwrap_or_default();
            Ok((row.get(0)?, Kept { size, whole: row.get(2)?, fault: row.get(3)? }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Reads one record into the index; returns why it cannot be read.
fn take(
    inserter: &mut Inserter<'_>,
    listed: &Listed,
    anew: bool,
) -> Result<Option<String>, HistoryError> {
    let Listed { id, path } = listed;
    // Before it is read: what is appended meanwhile is found at the next look.
    let size = size(path).unwrap_or_default();
    let read = record::read(path).map_err(|error| error.to_string());
    let entry = read.and_then(|recorded| {
        let mut entry = Entry::of(&recorded.run)?;
        // The folder's name is what finds it again; a record may have been copied.
        id.clone_into(&mut entry.ulid);
        Ok(entry)
    });
    match entry {
        Ok(entry) if anew => inserter.put_anew(&entry, size).map(|()| None),
        Ok(entry) => inserter.put(&entry, size).map(|()| None),
        Err(why) => inserter.put_fault(id, size, &why).map(|()| Some(why)),
    }
}

fn size(path: &Path) -> Option<u64> {
    Some(fs::metadata(path).ok()?.len())
}
