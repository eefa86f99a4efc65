//! Whether a text is an IP address, as opposed to a name that somebody would have to look up.

use std::net::IpAddr;

/// Tells whether a text is an IPv4 or IPv6 address and nothing more.
pub(crate) fn is_one(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_prefixes_and_options_are_no_addresses() {
        assert!(is_one("10.0.0.2") && is_one("fd00::2") && is_one("::ffff:10.0.0.2"));
        for bad in
            ["peer", "10.0.0.0/24", "10.0.0.999", "-j", "", "10.0.0.2 dev lo", "fe80::1%eth0"]
        {
            assert!(!is_one(bad), "{bad}");
        }
    }
}
