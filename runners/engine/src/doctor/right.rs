//! Which rights and settings of the kernel some probes need, and what is said where they lack.
//!
//! Only for probes that a planned check uses. Read from files, without trying: a right that a
//! program would have by its own capabilities is not seen here, so that a lack says what to look at.

use verify_model::{ask::Ask, node::Facts};

use crate::{capability::content, gathered::Gathered};

const LIMITS: &str = "/proc/self/limits";
const LINUX: &str = "linux";

/// Says what a row demands.
enum Demand {
    /// A file holds one of these words; a kernel without the file demands nothing.
    Holds(&'static str, &'static [&'static str]),
    /// A soft limit of the user is at least so high.
    Limit(&'static str, u64),
    /// The user is root.
    Root,
}

/// Holds one right: what probes need it, what is demanded, its name, and how to get it.
struct Right {
    probes: &'static [&'static str],
    demand: Demand,
    what: &'static str,
    remedy: &'static str,
}

/// *Source*: the findings of the instruments of those names, which say the same when they meet it.
const RIGHTS: &[Right] = &[
    Right {
        probes: &["scheduling"],
        demand: Demand::Limit("Max realtime priority", 1),
        what: "a real-time priority (RLIMIT_RTPRIO)",
        remedy: "add `@realtime - rtprio 99` to /etc/security/limits.d/realtime.conf, the user to that group, and log in anew",
    },
    Right {
        probes: &["scheduling"],
        demand: Demand::Limit("Max locked memory", 64 * 1024 * 1024),
        what: "memory that may be locked (RLIMIT_MEMLOCK of 64 MiB)",
        remedy: "add `@realtime - memlock unlimited` to /etc/security/limits.d/realtime.conf, the user to that group, and log in anew",
    },
    Right {
        probes: &["io-uring"],
        demand: Demand::Holds("/proc/sys/kernel/io_uring_disabled", &["0"]),
        what: "io_uring (kernel.io_uring_disabled)",
        remedy: "sudo sysctl kernel.io_uring_disabled=0",
    },
    Right {
        probes: &["memory-modules"],
        demand: Demand::Root,
        what: "root, for dmidecode",
        remedy: "ask as root: the tables of the firmware are root's alone",
    },
    Right {
        probes: &["smart"],
        demand: Demand::Root,
        what: "root, for smartctl",
        remedy: "ask as root: drives answer no one else",
    },
];

/// Holds a right that is missing, or of which nobody knows.
pub(super) struct Lack {
    pub(super) what: String,
    pub(super) why: String,
    pub(super) known: bool,
    pub(super) remedy: String,
}

fn of(probe: &str) -> impl Iterator<Item = &'static Right> {
    RIGHTS.iter().filter(move |right| right.probes.contains(&probe))
}

/// Returns the files that tell.
pub(super) fn asks(probe: &str) -> Vec<Ask> {
    let path = |right: &Right| match right.demand {
        Demand::Holds(path, _) => Some(path),
        Demand::Limit(..) => Some(LIMITS),
        Demand::Root => None,
    };
    of(probe).filter_map(path).map(Ask::file).collect()
}

/// Returns what a probe lacks; root lacks nothing, and a scenario has no rights.
pub(super) fn lacks(probe: &str, node: Gathered<'_>, facts: &Facts) -> Vec<Lack> {
    let is_asked = facts.capabilities.contains(LINUX) && facts.simulated.is_none();
    if facts.user == "root" || !is_asked {
        return Vec::new();
    }
    of(probe).filter_map(|right| lack(right, node, facts)).collect()
}

fn lack(right: &Right, node: Gathered<'_>, facts: &Facts) -> Option<Lack> {
    let lack = |known: bool, why: String| {
        let (what, remedy) = (right.what.to_owned(), right.remedy.to_owned());
        Some(Lack { what, why, known, remedy })
    };
    match right.demand {
        Demand::Root => lack(true, format!("the user who asks is {}", facts.user)),
        Demand::Holds(path, words) => match content(node, path) {
            Ok(found) if words.contains(&found) => None,
            Ok(found) => lack(true, format!("{path} says `{found}`")),
            // A kernel that has no such switch has it switched on.
            Err(why) if why.starts_with("looked for") => None,
            Err(why) => lack(false, why),
        },
        Demand::Limit(name, least) => match content(node, LIMITS).map(|text| soft(text, name)) {
            Ok(Some(limit)) if limit.is_none_or(|limit| limit >= least) => None,
            Ok(Some(limit)) => {
                let shown = limit.map_or_else(|| "unlimited".to_owned(), |l| l.to_string());
                lack(true, format!("{LIMITS}: {name} is {shown}"))
            }
            Ok(None) => lack(false, format!("{LIMITS} has no `{name}`")),
            Err(why) => lack(false, why),
        },
    }
}

/// Reads a soft limit; the inner `None` is no limit. *Source*: `proc_pid_limits(5)`.
#[expect(clippy::option_option, reason = "a line that is missing is no limit that is endless")]
fn soft(text: &str, name: &str) -> Option<Option<u64>> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    match rest.split_whitespace().next()? {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soft_limit_is_told_from_a_missing_line_and_from_none() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         8388608              8388608              bytes\nMax realtime priority     unlimited            0\n";
        assert_eq!(soft(text, "Max locked memory"), Some(Some(8_388_608)));
        assert_eq!(soft(text, "Max realtime priority"), Some(None));
        assert_eq!(soft(text, "Max nothing"), None);
        assert_eq!(soft("Max locked memory   many", "Max locked memory"), None);
    }
}
