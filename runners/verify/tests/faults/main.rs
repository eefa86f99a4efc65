//! What is left when a run is killed, stopped or starved at any moment: a record that can be read, no
//! process, no file.
//!
//! `cargo test` tries a sample; `just faults 1000` tries many and prints the table. Chance comes from a
//! seed, which is printed, so that a fault is found again; `VERIFY_FAULTS_SEED` sets it. What was left
//! behind is found by what it carries in its environment, by its command line, and by its group.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "drives the command and writes files for it")]
#![allow(clippy::explicit_write, reason = "what a passing test prints with a macro is swallowed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chance;
mod child;
mod clock;
#[path = "../command/ground.rs"]
#[allow(dead_code, reason = "the tests of the command use all of it")]
mod ground;
mod kill;
#[path = "../../../engine/tests/ssh/server.rs"]
#[allow(dead_code, reason = "the tests of the transport use all of it")]
mod lab;
mod left;
mod memory;
mod race;
mod record;
mod scene;
mod starve;
mod stop;
mod table;
