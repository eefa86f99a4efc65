//! A stand-in for `libcuda.so.1`, in the same library: what the control flow of an instrument needs.
//!
//! Nothing is computed. Memory of a device is remembered by what was written into it (a pattern, a
//! result), and so that a copy of 256 MiB costs nothing; memory of the host is the caller's own and
//! is really written. Time of a stream is counted from the rates of the scenario's table `cuda` of
//! each card. A call that the scenario makes fail gives the number that stands there.

mod content;
mod device;
mod kernel;
mod memory;
mod state;
mod stream;

pub(crate) use state::is_loaded;

/// Answer of every call that is well. *Source*: `cuda.h`, `CUresult`.
const SUCCESS: i32 = 0;
const INVALID_VALUE: i32 = 1;
const NO_DEVICE: i32 = 100;
const INVALID_DEVICE: i32 = 101;
const INVALID_HANDLE: i32 = 400;
const NOT_FOUND: i32 = 500;
const PEER_ALREADY_ENABLED: i32 = 704;
const PEER_UNSUPPORTED: i32 = 217;
const OUT_OF_MEMORY: i32 = 2;
const UNKNOWN: i32 = 999;

/// Names of the answers that a scenario may give.
const NAMES: [(i32, &std::ffi::CStr); 13] = [
    (SUCCESS, c"CUDA_SUCCESS"),
    (INVALID_VALUE, c"CUDA_ERROR_INVALID_VALUE"),
    (OUT_OF_MEMORY, c"CUDA_ERROR_OUT_OF_MEMORY"),
    (NO_DEVICE, c"CUDA_ERROR_NO_DEVICE"),
    (INVALID_DEVICE, c"CUDA_ERROR_INVALID_DEVICE"),
    (PEER_UNSUPPORTED, c"CUDA_ERROR_PEER_ACCESS_UNSUPPORTED"),
    (222, c"CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
    (INVALID_HANDLE, c"CUDA_ERROR_INVALID_HANDLE"),
    (NOT_FOUND, c"CUDA_ERROR_NOT_FOUND"),
    (PEER_ALREADY_ENABLED, c"CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED"),
    (719, c"CUDA_ERROR_LAUNCH_FAILED"),
    (803, c"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
    (UNKNOWN, c"CUDA_ERROR_UNKNOWN"),
];
