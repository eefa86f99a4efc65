//! A stand-in for `libnvidia-ml.so.1` that answers from a scenario file.
//!
//! `VERIFY_SIM_SCENARIO` names the file, or one of the shipped scenarios. Layouts are those of the
//! bindings, so that who asks cannot tell it from the driver's library but by two functions of its
//! own, with which an instrument learns that it is simulated. It reads that one file, writes
//! nothing, and never touches hardware. A call that a scenario does not mention is not supported,
//! as a driver answers for what a card lacks.

mod answer;
mod cuda;
mod device;
mod later;
mod link;
mod own;
mod scenario;
mod system;
