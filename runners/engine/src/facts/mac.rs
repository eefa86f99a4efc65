//! What is found out about a Mac beyond its files: macOS has no /proc.
//!
//! Asked only where the file of its version is there, in an exchange of its own, so that no other
//! system starts a program for it. Written from documents: it was never run on a Mac.

use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence},
    value::Value,
};

use crate::{
    capability::{MACOS, UNKNOWN, content},
    gathered::{Gathered, reason},
    parse::mac_sysctl,
};

const KERNEL: &str = "kern.osrelease";
const HOSTNAME: &str = "kern.hostname";
const ARCH: &str = "hw.machine";
const MODEL: &str = "hw.model";
const CPU: &str = "machdep.cpu.brand_string";
const MEMORY: &str = "hw.memsize";
const BOOT: &str = "kern.bootsessionuuid";
const BUILD: &str = "kern.osversion";
/// 1 in a virtual machine. *Source*: xnu, `kern_sysctl.c`; Apple, Virtualization framework.
const VIRTUAL: &str = "kern.hv_vmm_present";
const NAMES: [&str; 9] = [KERNEL, HOSTNAME, ARCH, MODEL, CPU, MEMORY, BOOT, BUILD, VIRTUAL];
const UID: [&str; 2] = ["id", "-u"];

/// Returns what to ask once the files are read: nothing on another system.
pub(super) fn asks(evidence: &[&Evidence]) -> Vec<Ask> {
    match content(Gathered(evidence), MACOS) {
        Ok(_) => vec![mac_sysctl::ask(&NAMES), Ask::exec(UID)],
        Err(_) => Vec::new(),
    }
}

/// Answers from what was asked.
#[derive(Clone, Copy)]
pub(super) struct Mac<'e> {
    node: Gathered<'e>,
    kernel: &'e Evidence,
}

impl<'e> Mac<'e> {
    /// Finds the answers; `None` where nothing was asked, for it is no Mac.
    pub(super) fn of(node: Gathered<'e>) -> Option<Self> {
        let argv: Vec<&str> = ["sysctl"].into_iter().chain(NAMES).collect();
        node.program(&argv).ok().map(|kernel| Self { node, kernel })
    }

    fn text(self, name: &str) -> Option<String> {
        mac_sysctl::value(self.kernel, name).ok().map(str::to_owned)
    }

    pub(super) fn kernel(self) -> Option<String> {
        self.text(KERNEL)
    }

    pub(super) fn hostname(self) -> Option<String> {
        self.text(HOSTNAME)
    }

    pub(super) fn arch(self) -> Option<String> {
        self.text(ARCH)
    }

    pub(super) fn cpu(self) -> Option<String> {
        self.text(CPU)
    }

    pub(super) fn boot(self) -> Option<String> {
        self.text(BOOT)
    }

    pub(super) fn system(self) -> Option<String> {
        self.text(MODEL).map(|model| format!("Apple {model}"))
    }

    pub(super) fn build(self) -> Option<String> {
        self.text(BUILD)
    }

    /// *Units*: KiB.
    pub(super) fn memory(self) -> Option<u64> {
        self.text(MEMORY)?.parse::<u64>().ok().map(|bytes| bytes / 1024)
    }

    /// Tells whether it is a virtual machine; the error says that nobody knows.
    pub(super) fn is_virtual(self) -> Result<bool, String> {
        let unknown = |why: String| format!("{UNKNOWN}{why}");
        match mac_sysctl::value(self.kernel, VIRTUAL) {
            Ok("1") => Ok(true),
            // Kernels before macOS 11 have no such name, and no Apple silicon.
            Ok("0") | Err(Value::Absent(_)) => Ok(false),
            Ok(other) => Err(unknown(format!("{VIRTUAL} is `{other}`"))),
            Err(why) => Err(unknown(reason(why))),
        }
    }

    /// Returns the uid whose rights count; `id` tells the effective one.
    pub(super) fn uid(self) -> Result<u32, String> {
        let evidence = self.node.program(&UID).map_err(|error| error.message)?;
        let Captured::Exec { exit: Some(0), stdout, .. } = &evidence.captured else {
            return Err(format!("{}: no answer", evidence.ask));
        };
        stdout.text.trim().parse().map_err(|_| format!("{}: no number", evidence.ask))
    }
}
