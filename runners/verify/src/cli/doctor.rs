//! Flags of `verify doctor`, and what its exit codes mean.

use clap::Args;

/// What stands below the flags.
pub(super) const HELP: &str = "\
Examples:
  verify doctor                  this machine
  verify doctor nvidia macmini   two nodes, each by the way that is its own
  verify doctor nvidia --json    for a program

Programs are looked for and not started, files are read that a check would read, and over ssh two
logins are tried, one by key and one by nothing. No check is run, nothing is loaded or changed.

Exit codes:
  0  nothing is missing that could be there
  1  something is missing: a check of the suites cannot be answered, or the node file promises more
  2  bad usage or bad input file
  3  a node cannot be asked
Of several nodes, 1 goes before 3.";

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Node to look at; may be given several times [default: local].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// How nodes are asked: `auto`, `local`, `ssh` or `sim:SCENARIO`.
    #[arg(long, default_value = "auto", value_name = "WAY", env = "VERIFY_VIA")]
    pub(crate) via: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Run suites and node files only if they have this digest. Those that somebody else owns or can
    /// write are not run without it; the refusal says what it is.
    #[arg(long, value_name = "DIGEST", env = "VERIFY_TRUST")]
    pub(crate) trust: Option<String>,
}
