//! Which kernel parameters the boot loader is configured to give, and which the next boot gets.
//!
//! `written` is the file that a person edits, `generated` what the boot loader reads; where there
//! is no second file, both come from the entry. A file that may not be read makes its stage
//! unknown, never empty. Which loader started the machine is told by its EFI variable where there
//! is one, else by the files. Parameters inside a unified kernel image are not read.
//!
//! *Source*: `grub-mkconfig` and `10_linux.in` of GNU GRUB, Debian's drop-ins in `grub.d`;
//! kernel-install(8), bootctl(1), `systemd.io/BOOT_LOADER_INTERFACE`.

mod disagreement;
mod loader;

pub(crate) use disagreement::Disagreements;
pub(crate) use loader::{Boot, Stage, asks, read};
