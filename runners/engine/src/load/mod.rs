//! Load: suite and node files to a catalog of checks, every error at once.

pub mod catalog;
mod comparing;
mod demands;
pub mod diagnostic;
pub mod embedded;
mod graph;
pub mod keys;
pub mod link;
pub mod literal;
mod matchers;
mod node;
mod parameters;
mod reader;
pub mod root;
pub mod schema;
pub mod suite;
pub mod trust;
pub mod waiver;
