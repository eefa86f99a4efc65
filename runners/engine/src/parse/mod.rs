//! Text formats of the kernel and of the system that more than one reader needs.
//!
//! One format a file, text in and values out. What a probe alone reads stays in the probe.

pub(crate) mod between;
pub(crate) mod boot_entry;
pub mod cmdline;
pub mod cpu_list;
pub mod cpuinfo;
pub(crate) mod df;
pub(crate) mod end_survey;
pub(crate) mod grub;
pub(crate) mod hugepage_request;
pub(crate) mod ifconfig;
pub(crate) mod import;
pub(crate) mod instrument;
pub(crate) mod interface;
pub(crate) mod ip_address;
pub(crate) mod iperf3;
pub(crate) mod isa;
pub mod isolation_list;
pub(crate) mod json;
pub(crate) mod kernel_log;
pub(crate) mod key_value;
pub(crate) mod mac_sysctl;
pub mod meminfo;
pub(crate) mod memory_device;
pub(crate) mod mountinfo;
pub(crate) mod netstat;
pub(crate) mod nvidia_smi;
pub mod os_release;
pub(crate) mod route;
pub(crate) mod script;
pub mod shell;
pub(crate) mod smartctl;
pub(crate) mod ssh;
pub(crate) mod time_service;
pub(crate) mod toolchain;
pub(crate) mod trtexec;
pub(crate) mod version;
pub(crate) mod write_out;
