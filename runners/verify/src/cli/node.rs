//! Flags of `verify node`.

use clap::{Args, Subcommand};

/// What stands below the flags.
pub(super) const HELP: &str = "\
Over ssh, an instrument runs from an installed verify of the same protocol, where there is one; else
a copy is sent, once for each content, to ~/.cache/verify/SHA256/verify of the account (below
$XDG_CACHE_HOME where the account sets it; the same on a Mac). Its hash is checked there after the
copy and once in every run. What is sent is verify-TRIPLE from $VERIFY_PAYLOADS or beside this
program (`just payloads` builds them), else this program itself where the machine is alike.

Examples:
  verify node list nvidia                 what is kept there, and what a run would use
  verify node clean nvidia macmini        remove it; the next run that measures copies anew

Exit codes:
  0    done
  2    bad command line or input file, such as a node that does not exist
  3    a node could not be asked, or something there could not be removed";

#[derive(Debug, Subcommand)]
pub(crate) enum NodeAction {
    /// List what is kept on nodes: hash, size, age, and whether a run would use it now.
    List(NodeArgs),
    /// Remove what is kept on nodes, and nothing that verify did not put there.
    Clean(NodeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// Nodes; `verify list nodes` lists them.
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// How the nodes are asked: `auto`, `local` or `ssh`.
    #[arg(long, default_value = "auto", env = "VERIFY_VIA")]
    pub(crate) via: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
