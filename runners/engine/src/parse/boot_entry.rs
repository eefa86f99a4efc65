//! One boot entry as systemd-boot and GRUB's `blscfg` read it from `loader/entries/*.conf`.
//!
//! *Source*: Boot Loader Specification, type 1, uapi-group.org.

/// Holds an entry that starts a Linux kernel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BootEntry {
    /// Title in the menu.
    pub title: String,
    /// Path of the kernel.
    pub linux: String,
    /// Version of the kernel.
    pub version: String,
    /// Parameters; several lines are joined.
    pub options: String,
}

impl BootEntry {
    /// Reads an entry; none where it starts no Linux kernel.
    pub fn parse(text: &str) -> Option<Self> {
        let mut entry = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            let value = value.trim();
            match key {
                "title" => value.clone_into(&mut entry.title),
                "linux" => value.clone_into(&mut entry.linux),
                "version" => value.clone_into(&mut entry.version),
                "options" => {
                    let blank = if entry.options.is_empty() { "" } else { " " };
                    entry.options = format!("{}{blank}{value}", entry.options);
                }
                _ => {}
            }
        }
        (!entry.linux.is_empty()).then_some(entry)
    }

    /// Tells whether the entry is for repairs.
    pub fn is_recovery(&self) -> bool {
        format!("{} {} {}", self.title, self.linux, self.version).contains("rescue")
    }

    /// Tells whether it starts this kernel.
    pub fn starts(&self, release: &str) -> bool {
        !release.is_empty() && (self.version == release || self.linux.contains(release))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_joined_and_other_systems_are_left_out() {
        let text = "# made\ntitle Debian\nversion\t6.12\nlinux /6.12/linux\noptions root=a ro\noptions isolcpus=2\n";
        let entry = BootEntry::parse(text).unwrap();
        assert_eq!(entry.options, "root=a ro isolcpus=2");
        assert!(entry.starts("6.12") && !entry.starts("6.1.0") && !entry.starts(""));
        assert!(!entry.is_recovery());
        assert_eq!(BootEntry::parse("title Windows\nefi /EFI/bootmgfw.efi\n"), None);
    }
}
