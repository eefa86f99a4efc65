//! Flags of `verify health`.

use clap::Args;

use super::{Choice, choice::switch};

/// What stands below the flags.
pub(super) const HELP: &str = "\
Examples:
  verify health                            one line: healthy, or which checks failed
  verify health --node gpu-node --drain    and have Slurm drain this node where one failed

As Slurm's health check, in slurm.conf (the program takes no arguments there, so it is a script of
two lines: `#!/bin/sh` and `exec /usr/local/bin/verify health --node gpu-node --drain`):
  HealthCheckProgram=/usr/local/sbin/verify-health
  HealthCheckInterval=300

Only checks that read are asked, on this machine, and no record is kept. Slurm ends the program after
60 s; this ends by itself after 40 s and says what was not answered. Only a failure drains: what could
not be asked (exit code 3) is no reason to take a node away. A node that is drained or down already is
left as it is, with its administrator's reason, and nothing is ever resumed.";

#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// Node file that describes this machine [default: local].
    #[arg(long = "node", short = 'n', value_name = "NODE", env = "VERIFY_NODE")]
    pub(crate) node: Option<String>,
    /// Only checks of this suite; may be given several times.
    #[arg(long = "suite", value_name = "SUITE", env = "VERIFY_SUITE", value_delimiter = ',')]
    pub(crate) suites: Vec<String>,
    /// Only checks whose id matches, with what they are after; may be given several times.
    #[arg(
        long = "check",
        short = 'c',
        value_name = "GLOB",
        env = "VERIFY_CHECK",
        value_delimiter = ','
    )]
    pub(crate) checks: Vec<String>,
    /// Only checks with this tag; may be given several times.
    #[arg(long = "tag", value_name = "TAG", env = "VERIFY_TAG", value_delimiter = ',')]
    pub(crate) tags: Vec<String>,
    /// Run suites and node files only if they have this digest.
    #[arg(long, value_name = "DIGEST", env = "VERIFY_TRUST")]
    pub(crate) trust: Option<String>,
    /// Where a check fails, have Slurm drain this node with the line as its reason.
    #[arg(long, env = "VERIFY_DRAIN", value_parser = switch)]
    pub(crate) drain: bool,
}

impl HealthArgs {
    /// Returns what a run of these checks would be asked with.
    pub(crate) fn choice(&self) -> Choice {
        Choice {
            nodes: self.node.iter().cloned().collect(),
            via: "local".to_owned(),
            slurm: None,
            slurm_wait: 1,
            suites: self.suites.clone(),
            checks: self.checks.clone(),
            tags: self.tags.clone(),
            quick: true,
            allow_mutation: false,
            allow_load: Vec::new(),
            trust: self.trust.clone(),
            even_nothing: false,
            repeat: None,
        }
    }
}
