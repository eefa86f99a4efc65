//! What is always known: machine, firmware, processor, memory, kernel, driver, system.
//!
//! The facts have read most of it already; two small files are asked for beside them.

use verify_model::{ask::Ask, evidence::Evidence, fingerprint::NONE, node::Facts, value::Value};

use super::page::Page;
use crate::{
    capability::UNKNOWN,
    gathered::Gathered,
    parse::{cpu_list, version},
};

const BIOS_DATE: &str = "/sys/class/dmi/id/bios_date";
const ONLINE: &str = "/sys/devices/system/cpu/online";
/// Words of a kernel command line that name the kernel, which is a field of its own.
const KERNEL_WORDS: [&str; 2] = ["BOOT_IMAGE=", "initrd="];

/// Returns what to gather beside the facts.
pub fn asks() -> Vec<Ask> {
    [BIOS_DATE, ONLINE].map(Ask::file).to_vec()
}

/// Reads it.
pub(super) fn read(page: &mut Page, facts: &Facts, evidence: &[&Evidence]) {
    let gathered = Gathered(evidence);
    let core = |name: &str| facts.core.get(name).cloned();
    let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    page.put("machine.product", core("system"));
    page.put("machine.board", core("board"));
    page.put("bios.version", core("bios-version"));
    page.put("bios.date", gathered.text(BIOS_DATE).ok().map(str::to_owned));
    page.put("cpu.model", said(&facts.cpu));
    page.put("cpu.microcode", core("microcode"));
    page.put("cpu.count", cpus(gathered));
    page.put("memory.total", core("memory"));
    page.put("kernel.release", said(&facts.kernel));
    page.put("kernel.command-line", core("kernel-command-line").map(|line| arguments(&line)));
    page.put("driver.nvidia", driver(facts));
    page.put("os.name", said(&facts.os));
    if let Some(build) = core("os-build") {
        page.put("os.build", Some(build));
    }
}

fn cpus(gathered: Gathered<'_>) -> Option<String> {
    match gathered.value(ONLINE, cpu_list::inhabited) {
        Value::Cpus(cpus) => Some(cpus.iter().count().to_string()),
        _ => None,
    }
}

fn arguments(line: &str) -> String {
    let of_kernel = |word: &&str| !KERNEL_WORDS.iter().any(|start| word.starts_with(start));
    line.split_whitespace().filter(of_kernel).collect::<Vec<_>>().join(" ")
}

/// Returns the version of the driver, or that there is none.
fn driver(facts: &Facts) -> Option<String> {
    match facts.core.get("nvidia-driver") {
        Some(line) => version::first(line),
        None => is_missing(facts, "nvidia-driver").then(|| NONE.to_owned()),
    }
}

/// Tells whether the node is known to lack a capability.
pub(super) fn is_missing(facts: &Facts, capability: &str) -> bool {
    facts.missing.get(capability).is_some_and(|why| !why.starts_with(UNKNOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_kernel_is_not_another_command_line() {
        let line = "BOOT_IMAGE=/boot/vmlinuz-6.8.0-40 root=/dev/sda1 ro initrd=/boot/a quiet";
        assert_eq!(arguments(line), "root=/dev/sda1 ro quiet");
    }

    #[test]
    fn a_driver_that_is_not_loaded_is_none_and_one_that_nobody_could_look_for_is_unknown() {
        let mut facts = Facts::default();
        assert_eq!(driver(&facts), None);
        facts.missing.insert("nvidia-driver".to_owned(), format!("{UNKNOWN}denied"));
        assert_eq!(driver(&facts), None);
        facts.missing.insert("nvidia-driver".to_owned(), "read x: no such file".to_owned());
        assert_eq!(driver(&facts).as_deref(), Some(NONE));
        let line = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release";
        facts.core.insert("nvidia-driver".to_owned(), line.to_owned());
        assert_eq!(driver(&facts).as_deref(), Some("570.124.06"));
    }
}
