//! What all recorded runs say of one metric: an index of values beside the records.
//!
//! The records are the truth. The index is one SQLite file that can be thrown away at any moment: what
//! it lacks is read from the records, what they no longer hold leaves it, and a file that is damaged
//! or of a newer version is kept aside and built anew. So no run ever depends on it.

mod aside;
mod change;
mod difference;
mod entry;
mod fill;
mod index;
mod insert;
mod query;
mod schema;
mod trend;

pub use self::{
    change::{Change, Course, MOST, SIDE, course, places},
    difference::{Difference, differences},
    entry::{Entry, Flags, Part, Value},
    fill::{Filled, Step},
    index::{FILE, HistoryError, Index, Opened},
    insert::Inserter,
    query::{Known, Point, Series, Wanted},
    trend::Trends,
};
