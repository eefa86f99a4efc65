//! Measures links between two network namespaces that the tests make themselves, with or without root.
//!
//! The reference addresses 10.0.0.1 and 10.0.0.2 exist inside them alone. The second node is asked
//! by a stand-in for ssh that enters its namespace: what ends the connection ends the work, as over
//! the real one. No rate is asserted but as far above or below what is shaped that other work on
//! the machine cannot matter.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "drives the command and makes namespaces for it")]
#![allow(clippy::explicit_write, reason = "what a passing test prints with a macro is swallowed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken;
mod cut;
mod lab;
mod route;
mod throughput;
