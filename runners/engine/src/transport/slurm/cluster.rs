//! Finds out which nodes a partition or a list of nodes is, and which of them take work.
//!
//! Everything that can be wrong with the names is said before anything is asked of a node. Only
//! `sinfo` and `scontrol` are called, and they only read but where a node is to be drained.

use verify_model::evidence::Captured;

use super::{
    super::{Cancel, exec::Exec},
    state::{self, ClusterNode, FORMAT, is_name},
};
use crate::load::diagnostic::did_you_mean;

/// Bounds one call. *Units*: ms. *Source*: Slurm's own `MessageTimeout` is 10 s, tried again once.
const LIMIT_MS: u64 = 30_000;
/// The same where a health check waits that Slurm ends. *Units*: ms.
const HURRY_MS: u64 = 6_000;
/// Bounds what a call may say: 100,000 lines of nodes. *Units*: B.
const CAP: u64 = 16 * 1024 * 1024;

/// Says why nothing is known of the nodes.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The names are wrong.
    #[error("{0}")]
    Name(String),
    /// Slurm gave no answer.
    #[error("{0}")]
    Silent(String),
}

/// Holds the nodes that were named, in Slurm's order.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The nodes.
    pub nodes: Vec<ClusterNode>,
}

impl Cluster {
    /// Asks Slurm for the nodes of a partition or of a list such as `n[1-64]`.
    ///
    /// *Errors*: no such partition or node, or Slurm gives no answer.
    pub fn find(spec: &str, mark: &str) -> Result<Self, ClusterError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-,[]".contains(c);
        if spec.is_empty() || spec.starts_with('-') || !spec.chars().all(plain) {
            let why = format!(
                "`{spec}` is neither a partition nor a list of nodes: expected such as `debug`, `n1,n2` or `n[1-64]`"
            );
            return Err(ClusterError::Name(why));
        }
        let asking = Asking { exec: Exec::new(mark.to_owned()), limit_ms: LIMIT_MS };
        let partitions = asking.lines("sinfo", &["-h", "-o", "%R"])?;
        if partitions.iter().any(|known| known == spec) {
            let nodes = asking.nodes(&["-p", spec])?;
            return if nodes.is_empty() {
                Err(ClusterError::Name(format!("the partition {spec} has no nodes")))
            } else {
                Ok(Self { nodes })
            };
        }
        let names = asking.lines("scontrol", &["show", "hostnames", spec])?;
        let known = asking.nodes(&["-n", spec])?;
        let mut nodes = Vec::new();
        for name in &names {
            let Some(node) = known.iter().find(|node| node.name == *name) else {
                return Err(ClusterError::Name(unknown(spec, name, &names, &partitions)));
            };
            if !nodes.contains(node) {
                nodes.push(node.clone());
            }
        }
        Ok(Self { nodes })
    }

    /// Takes a node out of service with a reason; one that is out already is left so, and that state
    /// is returned.
    ///
    /// *Errors*: there is no such node, or Slurm gives no answer or refuses.
    pub fn drain(node: &str, reason: &str, mark: &str) -> Result<Option<String>, ClusterError> {
        if !is_name(node) {
            return Err(ClusterError::Name(format!("`{node}` is no name of a node")));
        }
        let asking = Asking { exec: Exec::new(mark.to_owned()), limit_ms: HURRY_MS };
        let known = asking.nodes(&["-n", node])?;
        let Some(known) = known.iter().find(|known| known.name == node) else {
            return Err(ClusterError::Name(format!("Slurm knows no node `{node}`")));
        };
        if known.unavailable.is_some() {
            return Ok(known.unavailable.clone());
        }
        let words = [format!("nodename={node}"), format!("reason={reason}")];
        asking.lines("scontrol", &["update", &words[0], "state=drain", &words[1]])?;
        Ok(None)
    }
}

fn unknown(spec: &str, name: &str, names: &[String], partitions: &[String]) -> String {
    let known = partitions.join(", ");
    if names.len() == 1 && is_name(spec) {
        let hint = did_you_mean(spec, partitions.iter().map(String::as_str)).map_or_else(
            || format!("partitions are: {known}"),
            |close| format!("did you mean `{close}`?"),
        );
        return format!("Slurm knows neither a partition nor a node `{spec}`; {hint}");
    }
    format!(
        "Slurm knows no node `{name}` of `{spec}`; `sinfo -N` lists nodes, and partitions are: {known}"
    )
}

/// Calls the programs of Slurm.
struct Asking {
    exec: Exec,
    limit_ms: u64,
}

impl Asking {
    fn nodes(&self, which: &[&str]) -> Result<Vec<ClusterNode>, ClusterError> {
        let words: Vec<&str> = ["-N", "-h", "-o", FORMAT].iter().chain(which).copied().collect();
        let lines = self.lines("sinfo", &words)?;
        state::read(&lines.join("\n")).map_err(ClusterError::Silent)
    }

    fn lines(&self, program: &str, words: &[&str]) -> Result<Vec<String>, ClusterError> {
        let argv: Vec<String> =
            [program].iter().chain(words).map(|word| (*word).to_owned()).collect();
        match self.exec.run(&argv, &[], self.limit_ms, CAP, &Cancel::default()) {
            Captured::Exec { exit: Some(0), stdout, .. } if stdout.truncated == 0 => {
                Ok(stdout.text.lines().map(|line| line.trim().to_owned()).collect())
            }
            Captured::Exec { exit: Some(0), .. } => {
                Err(ClusterError::Name(format!("{program} named more nodes than can be asked")))
            }
            Captured::Exec { stderr, .. } => {
                let said = stderr.text.lines().rev().find(|line| !line.trim().is_empty());
                let said = said.unwrap_or("it said nothing").trim().to_owned();
                Err(ClusterError::Silent(format!(
                    "Slurm gave no answer: {said}; `{}` by hand says the same",
                    argv.join(" ")
                )))
            }
            Captured::Failed(failure) => Err(ClusterError::Silent(format!(
                "Slurm cannot be asked from here: {}; run verify on a login node, where `sinfo` works",
                failure.message
            ))),
            _ => Err(ClusterError::Silent(format!("{program} gave no answer"))),
        }
    }
}
