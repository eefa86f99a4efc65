//! Drives the real command, each test on its own root of suites and nodes and its own records.
//!
//! One binary for all of it, since linking costs more than the tests. Nothing waits by the clock:
//! a program that a check starts says where it is through a named pipe, and what has ended is seen
//! by the end of that pipe.
#![allow(clippy::disallowed_methods, reason = "drives the command and writes files for it")]
#![allow(clippy::explicit_write, reason = "what a passing test prints with a macro is swallowed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alone;
mod bad_input;
mod baseline;
mod busy;
mod compare;
#[cfg(target_os = "linux")]
mod compile;
mod completion;
mod decided;
mod doctor;
mod documents;
mod green;
mod ground;
mod history;
mod hostile;
mod interrupt;
#[path = "../../../engine/tests/ssh/server.rs"]
#[allow(dead_code, reason = "the tests of the transport use all of it")]
mod lab;
mod learn;
mod left_over_ssh;
mod login;
mod mac;
mod nextest;
mod nodes;
mod outcome;
mod paper;
mod parser;
mod pipe;
mod private;
mod records;
mod remote;
mod repeated;
mod replay;
mod scrub;
mod secrets;
mod selection;
mod selftest;
mod several;
mod shipped;
mod simulated;
mod surroundings;
mod tensorrt;
mod terminal;
mod trial;
mod trust;
mod unreachable;
mod waiver;
