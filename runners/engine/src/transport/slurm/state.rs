//! Reads what `sinfo` says of the nodes of a cluster.
//!
//! One line a node and partition, fields parted by `|`, the administrator's words last, because they
//! may hold anything. A mark behind the state says more than the state: `*` is a node that does not
//! answer. The text is asked for, not JSON, in which the state was a word once and is a list now.
//! *Source*: sinfo(1), "NODE STATE CODES", Slurm 22.05 and 24.05.

/// Format of a line, for `sinfo -N -h -o`.
pub(super) const FORMAT: &str = "%N|%P|%T|%c|%G|%E";

/// States in which a node takes no work, whatever it is asked. What is not listed is asked: the
/// answer tells then.
const OUT: &[&str] = &[
    "down",
    "drain",
    "drained",
    "draining",
    "error",
    "fail",
    "failing",
    "future",
    "inval",
    "maint",
    "no_respond",
    "powered_down",
    "powering_down",
    "powering_up",
    "power_down",
    "power_up",
    "reboot",
    "reboot_issued",
    "reboot_requested",
    "unknown",
];

/// Marks behind a state and what they mean for somebody who asks.
const MARKS: &[(char, &str)] = &[
    ('*', "not responding"),
    ('~', "powered down"),
    ('#', "powering up"),
    ('!', "about to be powered down"),
    ('%', "powering down"),
    ('$', "in a maintenance reservation"),
    ('^', "rebooting"),
    ('@', "about to be rebooted"),
    ('-', ""),
    ('+', ""),
];

/// Holds one node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterNode {
    /// Name by which Slurm knows it.
    pub name: String,
    /// Partition by which it is reached.
    pub partition: String,
    /// Logical CPUs.
    pub cpus: u32,
    /// GPUs as `--gres` takes them; empty where there are none.
    pub gpus: String,
    /// Why it takes no work; absent where it does.
    pub unavailable: Option<String>,
}

/// Reads every line; a node that several partitions have is kept once, in the default one if it is
/// there.
///
/// *Errors*: a line that is none, or a name that no host has, in one sentence.
pub(super) fn read(text: &str) -> Result<Vec<ClusterNode>, String> {
    let mut nodes: Vec<ClusterNode> = Vec::new();
    let mut default = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (node, is_default) =
            of_line(line).ok_or_else(|| format!("sinfo said what is no node: `{line}`"))?;
        match nodes.iter().position(|known| known.name == node.name) {
            None => {
                nodes.push(node);
                default.push(is_default);
            }
            Some(at) if is_default && !default[at] => {
                nodes[at] = node;
                default[at] = true;
            }
            Some(_) => {}
        }
    }
    Ok(nodes)
}

fn of_line(line: &str) -> Option<(ClusterNode, bool)> {
    let mut fields = line.splitn(6, '|').map(str::trim);
    let mut next = || fields.next();
    let (name, partition, state) = (next()?, next()?, next()?);
    let (cpus, gres, reason) = (next()?, next()?, next()?);
    if !is_name(name) {
        return None;
    }
    let node = ClusterNode {
        name: name.to_owned(),
        partition: partition.trim_end_matches('*').to_owned(),
        cpus: cpus.trim_end_matches('+').parse().ok()?,
        gpus: gpus(gres),
        unavailable: unavailable(state, reason),
    };
    Some((node, partition.ends_with('*')))
}

/// Tells whether a text is a host's name and nothing else: it becomes an argument and a folder.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Returns the GPUs of a list of generic resources, without the sockets that they are at.
fn gpus(gres: &str) -> String {
    let mut depth = 0;
    let bare: String = gres
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '(');
            let keep = depth == 0;
            depth -= i32::from(*c == ')');
            keep
        })
        .collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || ":._-".contains(c);
    let is_gpu = |one: &&str| one.starts_with("gpu:") && one.chars().all(plain);
    bare.split(',').filter(is_gpu).collect::<Vec<_>>().join(",")
}

fn unavailable(state: &str, reason: &str) -> Option<String> {
    let base = state.trim_end_matches(|c| MARKS.iter().any(|(mark, _)| *mark == c));
    let marks = state[base.len()..].chars();
    let said = marks.filter_map(|c| MARKS.iter().find(|(mark, _)| *mark == c));
    let said: Vec<&str> = said.map(|(_, words)| *words).filter(|words| !words.is_empty()).collect();
    let word = base.to_ascii_lowercase();
    // Newer versions join states: `idle+drain`.
    let out = word.split('+').any(|part| OUT.contains(&part));
    if !out && said.is_empty() {
        return None;
    }
    let mut why = format!("Slurm: {word}");
    for words in said {
        why = format!("{why}, {words}");
    }
    if !reason.is_empty() && !reason.eq_ignore_ascii_case("none") {
        why = format!("{why}: {reason}");
    }
    Some(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_with_and_without_a_mark_says_whether_the_node_is_asked() {
        for (state, reason, expected) in [
            ("idle", "none", None),
            ("mixed", "none", None),
            ("allocated+", "none", None),
            ("mixed-", "none", None),
            ("completing", "none", None),
            ("idle*", "none", Some("Slurm: idle, not responding")),
            ("down*", "Not responding", Some("Slurm: down, not responding: Not responding")),
            ("drained", "bad DIMM | slot 3", Some("Slurm: drained: bad DIMM | slot 3")),
            ("DRAINING", "", Some("Slurm: draining")),
            ("idle+drain", "fan", Some("Slurm: idle+drain: fan")),
            ("idle~", "none", Some("Slurm: idle, powered down")),
            ("idle$", "none", Some("Slurm: idle, in a maintenance reservation")),
            ("maint", "none", Some("Slurm: maint")),
        ] {
            assert_eq!(unavailable(state, reason).as_deref(), expected, "{state}");
        }
    }

    #[test]
    fn a_node_of_several_partitions_is_one_in_the_default_one() {
        let text = "n1|big|idle|4|gpu:a100:8(S:0-1),nvme:1|none\nn1|debug*|idle|4|(null)|none\n\nn2|big|idle|64+|gpu:a100:8(S:0,1)|none\n";
        let nodes = read(text).unwrap();
        assert_eq!(nodes.len(), 2);
        assert_eq!((nodes[0].partition.as_str(), nodes[0].gpus.as_str()), ("debug", ""));
        assert_eq!((nodes[1].cpus, nodes[1].gpus.as_str()), (64, "gpu:a100:8"));
    }

    #[test]
    fn what_is_no_name_of_a_host_is_no_node() {
        for bad in ["../etc|d|idle|4|x|none", "-w|d|idle|4|x|none", "a b|d|idle|4|x|y", "n1|idle"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(read(""), Ok(Vec::new()));
    }
}
