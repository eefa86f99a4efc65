//! What earlier runs say of the metrics that a run measured, for its record.
//!
//! Only values of one kind stand together: of the same machine, probe and parameters, and either all
//! measured or all simulated. The index is only read, and nobody waits for it: where it is missing,
//! damaged, of another version or in use, there are no trends, and nothing else is different.

use std::{collections::BTreeMap, time::Duration};

use rusqlite::{Connection, OpenFlags};
use verify_model::{
    event::Event,
    node::Via,
    quantity::Quantity,
    trend::{METRICS, POINTS, Trend, TrendChange, TrendPoint},
    unit::Unit,
    verdict::CheckKey,
};

use super::{
    change::{Course, course, places},
    index::{self, HistoryError, Index},
    query::{Point, Wanted},
    schema,
};
use crate::{baseline::definition, record::Store};

/// How long another process is waited for.
const BUSY: Duration = Duration::from_millis(100);
/// Characters of a run's id that are kept: those that hold its time.
const ID: usize = 10;
/// Values that are looked at, of which some may be of another kind.
const LOOKED_AT: usize = 3 * POINTS;

impl Index {
    /// Opens the index only to read it, if it can be read as it is.
    pub fn glance(store: &Store) -> Option<Self> {
        let path = index::path(store);
        if !path.try_exists().unwrap_or_default() {
            return None;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).ok()?;
        db.busy_timeout(BUSY).ok()?;
        let number = |name: &str| -> Option<i32> {
            db.pragma_query_value(None, name, |row| row.get(0)).ok()
        };
        let ours = number("application_id")? == schema::APPLICATION_ID
            && number("user_version")? == schema::VERSION;
        ours.then_some(Self { db })
    }
}

/// Holds who answers for a node.
#[derive(Clone, Debug, Default)]
struct Answering {
    machine: String,
    simulated: bool,
    replayed: bool,
}

/// Hears a run and gathers what its metrics were before.
#[derive(Debug, Default)]
pub struct Trends {
    nodes: BTreeMap<String, Answering>,
    definitions: BTreeMap<CheckKey, String>,
    measured: BTreeMap<(CheckKey, String), Unit>,
}

impl Trends {
    /// Notes what is planned, who answers, and what was measured.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Node(node) => {
                let answering = Answering {
                    machine: node.facts.hostname.clone(),
                    simulated: node.facts.simulated.is_some() || matches!(node.via, Via::Sim(_)),
                    replayed: matches!(node.via, Via::Replay(_)),
                };
                self.nodes.insert(node.file.name.clone(), answering);
            }
            Event::Planned(planned) => {
                self.definitions.insert(planned.key(), definition(&planned.check));
            }
            Event::Verdict(verdict) => {
                for reading in &verdict.readings {
                    // Of what was read and not measured, nobody wants to see the course.
                    if let Some(quantity) = reading.quantity.filter(|_| reading.samples > 0) {
                        let place = (verdict.key.clone(), reading.field.clone());
                        self.measured.insert(place, quantity.unit());
                    }
                }
            }
            _ => {}
        }
    }

    /// Asks the index for what was measured before.
    ///
    /// *Errors*: the file is damaged.
    pub fn told(&self, index: &Index) -> Result<Vec<Trend>, HistoryError> {
        let mut found: Vec<(Trend, Vec<Point>)> = Vec::new();
        for ((key, field), unit) in self.measured.iter().take(METRICS) {
            let Some(node) = self.nodes.get(&key.node).filter(|node| !node.replayed) else {
                continue;
            };
            let points = self.points(index, key, field, *unit, node)?;
            if !points.is_empty() {
                let trend = Trend {
                    key: key.clone(),
                    field: field.clone(),
                    unit: unit.symbol().to_owned(),
                    simulated: node.simulated,
                    points: points.iter().filter_map(|point| shown(point, *unit)).collect(),
                    changes: Vec::new(),
                };
                found.push((trend, points));
            }
        }
        // The level of one change depends on how many places are looked at together.
        let looked_at = found.iter().map(|(_, points)| places(points)).sum();
        let with_changes = |(mut trend, points): (Trend, Vec<Point>)| {
            if let Course::Judged { changes, .. } = course(&points, looked_at) {
                trend.changes = changes
                    .iter()
                    .map(|one| TrendChange {
                        at: one.at,
                        change: one.change,
                        worse: one.worse,
                        possible: one.possible,
                    })
                    .collect();
            }
            trend
        };
        Ok(found.into_iter().map(with_changes).collect())
    }

    /// Returns the newest values of one kind, oldest first.
    fn points(
        &self,
        index: &Index,
        key: &CheckKey,
        field: &str,
        unit: Unit,
        node: &Answering,
    ) -> Result<Vec<Point>, HistoryError> {
        let Some(series) = index.one(&key.node, &key.check, field)? else { return Ok(Vec::new()) };
        let wanted = Wanted {
            machine: Some(node.machine.clone()),
            since_ms: None,
            last: Some(LOOKED_AT),
            all: node.simulated,
        };
        let mut points = index.points(&series, &wanted)?.points;
        let definition = self.definitions.get(key);
        points.retain(|point| {
            let flags = point.flags;
            Some(&point.definition) == definition
                && flags.simulated == node.simulated
                && !flags.replayed
                && !flags.disturbed
                && !flags.errored
                && point.quantity.dimension() == unit.dimension()
        });
        let old = points.len().saturating_sub(POINTS);
        points.drain(..old);
        Ok(points)
    }
}

fn shown(point: &Point, unit: Unit) -> Option<TrendPoint> {
    Some(TrendPoint {
        at: point.started_ms.div_euclid(1000),
        value: point.quantity.to(unit).map(Quantity::value)?,
        run: point.run.chars().take(ID).collect(),
        outcome: point.outcome,
    })
}
