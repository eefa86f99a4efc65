//! Interfaces as `ifconfig -a` of macOS lists them.
//!
//! An interface begins at the left edge, `en0: flags=8863<UP,...> mtu 1500`, and its lines are
//! indented. The speed stands in the line `media:`, spelled in several ways by drivers:
//! `1000baseT`, `10Gbase-T`, `2.5GBase-T`. *Source*: ifconfig(8) of macOS; xnu, `net/if_media.h`.

/// Holds one interface.
#[derive(Debug)]
pub(crate) struct Interface<'t> {
    pub(crate) name: &'t str,
    first: &'t str,
    lines: Vec<&'t str>,
}

/// Says what the line `media:` tells of the speed.
#[derive(Debug, PartialEq)]
pub(crate) enum Speed {
    /// *Units*: Mbit/s.
    Mbits(f64),
    /// There is no signal, or the interface has no such thing.
    None,
    /// Nobody can read it.
    Strange(String),
}

/// Splits the list; `None` where it is none.
pub(crate) fn parse(text: &str) -> Option<Vec<Interface<'_>>> {
    let mut all: Vec<Interface<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with([' ', '\t']) {
            all.last_mut()?.lines.push(line.trim());
        } else {
            let (name, first) = line.split_once(": flags=")?;
            all.push(Interface { name, first, lines: Vec::new() });
        }
    }
    (!all.is_empty()).then_some(all)
}

impl<'t> Interface<'t> {
    fn line(&self, key: &str) -> Option<&'t str> {
        self.lines.iter().find_map(|line| Some(line.strip_prefix(key)?.trim()))
    }

    /// Returns `active` or `inactive`; interfaces without a medium have none.
    pub(crate) fn status(&self) -> Option<&'t str> {
        self.line("status:")
    }

    pub(crate) fn media(&self) -> Option<&'t str> {
        self.line("media:")
    }

    /// *Units*: B.
    pub(crate) fn mtu(&self) -> Option<i64> {
        self.first.split_once(" mtu ")?.1.split_whitespace().next()?.parse().ok()
    }

    /// Returns the addresses, IPv4 and IPv6, without what stands behind them.
    pub(crate) fn addresses(&self) -> Vec<&'t str> {
        let address = |line: &&'t str| {
            let rest = line.strip_prefix("inet ").or_else(|| line.strip_prefix("inet6 "))?;
            rest.split_whitespace().next()
        };
        self.lines.iter().filter_map(address).collect()
    }

    /// Returns `full` or `half`.
    pub(crate) fn duplex(&self) -> Option<&'static str> {
        let media = self.media()?;
        let said = [("full-duplex", "full"), ("half-duplex", "half")];
        said.into_iter().find(|(word, _)| media.contains(word)).map(|(_, duplex)| duplex)
    }

    pub(crate) fn speed(&self) -> Speed {
        let Some(media) = self.media() else { return Speed::None };
        // What stands in parentheses is in force, what stands before is the setting.
        let force = media.split_once('(').map_or(media, |(_, rest)| rest);
        let force = force.trim_end_matches(')');
        let lower = force.to_ascii_lowercase();
        let Some((before, _)) = lower.split_once("base") else {
            let none = matches!(lower.trim(), "none" | "autoselect" | "");
            return if none { Speed::None } else { Speed::Strange(media.to_owned()) };
        };
        let word = before.rsplit([' ', '<']).next().unwrap_or_default();
        let (number, factor) = word.strip_suffix('g').map_or((word, 1.0), |n| (n, 1000.0));
        match number.parse::<f64>() {
            Ok(speed) if speed > 0.0 && speed < 1e7 => Speed::Mbits(speed * factor),
            _ => Speed::Strange(media.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(media: &str) -> Speed {
        let text = format!("en0: flags=8863<UP> mtu 1500\n\tmedia: {media}\n\tstatus: active\n");
        parse(&text).unwrap()[0].speed()
    }

    #[test]
    fn every_spelling_of_a_speed_is_read() {
        for (media, mbits) in [
            ("autoselect (10Gbase-T <full-duplex,flow-control>)", 10_000.0),
            ("autoselect (10GbaseT <full-duplex>)", 10_000.0),
            ("autoselect (2500Base-T <full-duplex>)", 2500.0),
            ("autoselect (2.5GBase-T <full-duplex>)", 2500.0),
            ("autoselect (1000baseT <full-duplex>)", 1000.0),
            ("100baseTX <half-duplex>", 100.0),
            ("autoselect (10baseT/UTP <half-duplex>)", 10.0),
        ] {
            assert_eq!(speed(media), Speed::Mbits(mbits), "{media}");
        }
        assert_eq!(speed("autoselect (none)"), Speed::None);
        assert_eq!(speed("autoselect"), Speed::None);
        for media in ["autoselect (<unknown type>)", "(xGbase-T)", "(0base-T)"] {
            assert!(matches!(speed(media), Speed::Strange(_)), "{media}");
        }
    }

    #[test]
    fn lines_belong_to_the_interface_above_them() {
        let text = "lo0: flags=8049<UP,LOOPBACK> mtu 16384\n\tinet 127.0.0.1 netmask 0xff000000\nen0: flags=8863<UP> mtu 9000\n\tinet6 fe80::1%en0 prefixlen 64\n\tinet 10.0.0.2 netmask 0xffffff00\n\tmedia: autoselect (1000baseT <full-duplex>)\n\tstatus: active\n";
        let all = parse(text).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(
            (all[0].status(), all[0].mtu(), all[0].speed()),
            (None, Some(16384), Speed::None)
        );
        assert_eq!(all[1].addresses(), ["fe80::1%en0", "10.0.0.2"]);
        assert_eq!((all[1].status(), all[1].duplex()), (Some("active"), Some("full")));
        assert!(parse("\tindented first\n").is_none() && parse("").is_none());
    }
}
