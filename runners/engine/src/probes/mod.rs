//! The table of probes: one file each, one line each.

mod command;
mod cpu;
mod file;
mod hugepages;
mod kernel_isolation;
mod memory;
mod os_release;
mod port;
mod process;
mod sysctl;
mod sysfs;

use crate::probe::Probe;

/// Holds every probe, sorted by name.
pub static PROBES: &[&dyn Probe] = &[
    &command::Command,
    &cpu::Cpu,
    &file::File,
    &hugepages::Hugepages,
    &kernel_isolation::KernelIsolation,
    &memory::Memory,
    &os_release::OsRelease,
    &port::Port,
    &process::Process,
    &sysctl::Sysctl,
    &sysfs::Sysfs,
];

/// Finds a probe by name.
pub fn find(name: &str) -> Option<&'static dyn Probe> {
    PROBES.iter().copied().find(|probe| probe.spec().name == name)
}
