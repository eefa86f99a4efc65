//! What trtexec says: the times that it exports, and its text in the forms of every version.
//!
//! *Source*: NVIDIA/TensorRT, samples/common/sampleReporting.cpp of 8.2 to 11.1.

pub(crate) mod log;
pub(crate) mod percentile;
pub(crate) mod times;
