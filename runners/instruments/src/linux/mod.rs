//! The instruments of Linux, and what they share.

mod affinity;
mod child;
mod compile;
mod counter_table;
mod cpu;
mod cpu_list;
mod cross_compile;
mod cuda;
mod fio;
mod guard;
mod huge_page;
mod io_ring;
mod isolation;
mod kernel_file;
mod mapping;
mod model_server;
mod netdev;
mod nvml;
mod real_time;
mod refusal;
mod sandbox;
mod scenario;
mod scheduling;
mod scratch;
mod smart;
mod stream;
mod task;
mod tensorrt;
mod tool;
mod tsc;
mod xdp_socket;

pub use model_server::outside;

use crate::{Arguments, Instrument};
use refusal::Refusal;

/// Holds every instrument of this build, sorted by name.
pub static INSTRUMENTS: &[Instrument] = &[
    xdp_socket::INSTRUMENT,
    compile::INSTRUMENT,
    cross_compile::INSTRUMENT,
    cuda::INSTRUMENT,
    fio::INSTRUMENT,
    huge_page::INSTRUMENT,
    io_ring::INSTRUMENT,
    isolation::INSTRUMENT,
    model_server::INSTRUMENT,
    nvml::INSTRUMENT,
    sandbox::INSTRUMENT,
    scenario::INSTRUMENT,
    scheduling::INSTRUMENT,
    smart::INSTRUMENT,
    stream::INSTRUMENT,
    tensorrt::INSTRUMENT,
    tsc::INSTRUMENT,
];
