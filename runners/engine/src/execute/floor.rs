//! Which machines are being asked at the moment, so that no two askings disturb each other.
//!
//! Whoever asks takes all the machines that it needs at once or waits, so nobody holds one while it
//! waits for another. A link between two machines is a taking of both.

use std::{
    collections::BTreeSet,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::transport::Cancel;

/// Longest wait between two looks at the interrupt flag.
const TICK: Duration = Duration::from_millis(100);

/// Holds the machines that are taken.
#[derive(Debug, Default)]
pub struct Floor {
    taken: Mutex<BTreeSet<String>>,
    freed: Condvar,
}

/// Holds machines; dropped, they are free again.
#[derive(Debug)]
pub struct Taken<'f> {
    floor: &'f Floor,
    machines: BTreeSet<String>,
}

impl Floor {
    /// Takes machines when all of them are free. An interrupted run waits for nobody: it asks no more.
    pub fn take(&self, machines: &[String], cancel: &Cancel) -> Taken<'_> {
        let machines: BTreeSet<String> = machines.iter().cloned().collect();
        let mut taken = self.taken();
        while !taken.is_disjoint(&machines) {
            if cancel.requested() {
                return Taken { floor: self, machines: BTreeSet::new() };
            }
            let waited = self.freed.wait_timeout(taken, TICK);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        taken.extend(machines.iter().cloned());
        Taken { floor: self, machines }
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.floor.taken().retain(|machine| !self.machines.contains(machine));
        self.floor.freed.notify_all();
    }
}
