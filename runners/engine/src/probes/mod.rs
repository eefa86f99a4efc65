//! The table of probes: one file each, one line each.

mod af_xdp;
mod bench_import;
mod clock;
mod command;
mod compile;
mod cpu;
mod cross_compile;
mod cuda;
mod file;
mod gpu_beside;
mod gpu_witness;
mod http;
mod huge_page;
mod hugepages;
mod io_uring;
mod iperf3;
mod isolation;
mod journal;
mod kernel_isolation;
mod links;
mod mac_interface;
mod mac_system;
mod mac_thermal;
mod mac_thunderbolt;
mod memory;
mod memory_bandwidth;
mod memory_modules;
mod mlx;
mod model_fit;
mod model_server;
mod net_interface;
mod nvidia_smi;
mod nvml;
mod os_release;
mod package;
mod port;
mod process;
mod programs;
mod python_module;
mod rcu_nocbs;
mod round_trip;
mod sandbox;
mod scheduling;
mod service;
mod smart;
mod ssh_login;
mod storage;
mod storage_throughput;
mod sysctl;
mod sysfs;
mod tensorrt;
mod toolchain;
mod torch_device;
mod torch_parallel;
mod tsc;
mod verify_version;

use crate::probe::Probe;

/// Holds every probe, sorted by name.
pub static PROBES: &[&dyn Probe] = &[
    &af_xdp::AfXdp,
    &bench_import::BenchImport,
    &clock::Clock,
    &command::Command,
    &compile::Compile,
    &cpu::Cpu,
    &cross_compile::CrossCompile,
    &cuda::Cuda,
    &file::File,
    &gpu_witness::GpuWitness,
    &http::Http,
    &huge_page::HugePage,
    &hugepages::Hugepages,
    &io_uring::IoUring,
    &iperf3::Iperf3,
    &isolation::Isolation,
    &journal::Journal,
    &kernel_isolation::KernelIsolation,
    &links::Links,
    &mac_interface::MacInterface,
    &mac_system::MacSystem,
    &mac_thermal::MacThermal,
    &mac_thunderbolt::MacThunderbolt,
    &memory::Memory,
    &memory_bandwidth::MemoryBandwidth,
    &memory_modules::MemoryModules,
    &mlx::Mlx,
    &model_fit::ModelFit,
    &model_server::ModelServer,
    &net_interface::NetInterface,
    &nvidia_smi::NvidiaSmi,
    &nvml::Nvml,
    &os_release::OsRelease,
    &package::Package,
    &port::Port,
    &process::Process,
    &programs::Programs,
    &python_module::PythonModule,
    &rcu_nocbs::RcuNocbs,
    &round_trip::RoundTrip,
    &sandbox::Sandbox,
    &scheduling::Scheduling,
    &service::Service,
    &smart::Smart,
    &ssh_login::SshLogin,
    &storage::Storage,
    &storage_throughput::StorageThroughput,
    &sysctl::Sysctl,
    &sysfs::Sysfs,
    &tensorrt::TensorRt,
    &toolchain::Toolchain,
    &torch_device::TorchDevice,
    &torch_parallel::TorchParallel,
    &tsc::Tsc,
    &verify_version::VerifyVersion,
];

/// Finds a probe by name.
pub fn find(name: &str) -> Option<&'static dyn Probe> {
    PROBES.iter().copied().find(|probe| probe.spec().name == name)
}
