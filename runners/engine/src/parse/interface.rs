//! Whether a text can be the name of a network interface.

/// Tells whether the kernel would take a text as a name. *Source*: `dev_valid_name`, `IFNAMSIZ`.
pub(crate) fn is_name(name: &str) -> bool {
    (1..16).contains(&name.len())
        && !matches!(name, "." | "..")
        && !name.starts_with('-')
        && !name
            .contains(|c: char| matches!(c, '/' | ':' | '*') || c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_paths_and_options_are_no_names() {
        assert!(is_name("enp5s0") && is_name("veth-a") && is_name("eth0.100"));
        for bad in ["", "..", "a/b", "a b", "*", "-j", "eth0:1", "sixteen-letters-"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
