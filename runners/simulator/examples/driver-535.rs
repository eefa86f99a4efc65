//! The stand-in as a driver of series 535 has it: the functions that came later are not there.
//!
//! Left out, not answered with an error: a caller finds no symbol, as with the real library.

#![allow(missing_docs, reason = "the exported functions are documented by NVML")]

#[path = "../src/answer.rs"]
mod answer;
/// No card computes: this stand-in has no CUDA.
mod cuda {
    pub(crate) fn is_loaded() -> bool {
        false
    }
}
#[path = "../src/device.rs"]
mod device;
#[path = "../src/link.rs"]
mod link;
#[path = "../src/own.rs"]
mod own;
#[path = "../src/scenario.rs"]
mod scenario;
#[path = "../src/system.rs"]
mod system;
