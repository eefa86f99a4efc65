//! Flags of `verify baseline`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const ACCEPT: &str = "\
Takes every attempt that is a measure of normal, and says which are not and why. Refused is what
errored, was disturbed, simulated or replayed; a metric that misses a fixed limit, in all repeats of
the run; what runs of two machines or with two definitions would mix; and a metric that is worse than
at first by more than its suite tolerates, unless --rebase-anchor names its check. Other checks that
failed do not matter.

Accept all runs that you made, not those that you like: picking runs makes the spread look smaller
than it is, and false alarms follow.

Examples:
  verify baseline accept last --reason \"as built, 2 x 64 GiB\"
  verify baseline accept 01KA 01KB 01KC --reason \"three boots, as built\"
  verify baseline accept last --dry-run
  verify baseline accept last --rebase-anchor 'net/*' --reason \"10 GbE to the old switch\"
  verify baseline accept last --check 'net/*' --new-epoch --reason \"new transceiver\"";

const DROP: &str = "\
Removes units from the ledger and writes the summary anew. What is gone stays in version control; a
merge with a ledger that still has it brings it back.

Examples:
  verify baseline drop --check net/throughput --node nvidia --reason \"the cable was loose\"
  verify baseline drop --check 'net/*' --run 01KA --reason \"a backup ran beside it\"";

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineAction {
    /// Make what runs measured part of what is normal.
    #[command(after_help = ACCEPT)]
    Accept(AcceptArgs),
    /// Show what is normal.
    #[command(
        after_help = "Examples:\n  verify baseline show --node nvidia\n  verify baseline show --check system/spawn"
    )]
    Show(ShowArgs),
    /// Show how runs compare, and what accepting them would change; nothing is written.
    #[command(
        after_help = "The same as `accept --dry-run`.\n\nExamples:\n  verify baseline diff last\n  verify baseline diff 01K --check 'memory/*'"
    )]
    Diff(DiffArgs),
    /// Take out what was accepted of a check.
    #[command(after_help = DROP)]
    Drop(DropArgs),
    /// Bring ledgers together and write their summaries anew.
    #[command(
        after_help = "Without a ledger it repairs: every summary is written from the ledger beside it, as after a merge\nby version control that left the two apart.\n\nExamples:\n  verify baseline merge\n  verify baseline merge --node nvidia --suite memory theirs/memory.runs.jsonl"
    )]
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Only checks whose id matches; may be given several times.
    #[arg(
        long = "check",
        short = 'c',
        value_name = "GLOB",
        env = "VERIFY_CHECK",
        value_delimiter = ','
    )]
    pub(crate) checks: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// Why these values are normal; kept with them for whoever reviews the change.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
    /// Show what would change; nothing is written.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) what: Accepted,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) what: Accepted,
}

/// Which runs are accepted, and on which terms.
#[derive(Debug, Args)]
pub(crate) struct Accepted {
    /// Path, id or beginning of an id, or `last`; several are accepted together or not at all.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<String>,
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Begin anew: from now on only these runs and later ones count, the first ones ever stay as
    /// the anchor.
    #[arg(long)]
    pub(crate) new_epoch: bool,
    /// Let a worse value be the new normal: the anchor and what counts begin anew with these runs, for
    /// checks that match; without a pattern, for those that would be refused.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, default_missing_value = "", value_delimiter = ',')]
    pub(crate) rebase_anchor: Vec<String>,
    /// Accept what a scenario answered: for trying, it says nothing about hardware.
    #[arg(long)]
    pub(crate) allow_simulated: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DropArgs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Only baselines of this node; may be given several times.
    #[arg(long = "node", short = 'n', value_name = "NODE", value_delimiter = ',')]
    pub(crate) nodes: Vec<String>,
    /// Only baselines of this suite; may be given several times.
    #[arg(long = "suite", value_name = "SUITE", value_delimiter = ',')]
    pub(crate) suites: Vec<String>,
    /// Only what this run measured: its id, or the beginning of it.
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Why; printed for the message of the commit.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Only baselines of this node; may be given several times.
    #[arg(
        long = "node",
        short = 'n',
        value_name = "NODE",
        env = "VERIFY_NODE",
        value_delimiter = ','
    )]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Ledgers to add, each a `.runs.jsonl`.
    #[arg(value_name = "LEDGER", requires_all = ["node", "suite"])]
    pub(crate) ledgers: Vec<PathBuf>,
    /// Node whose baselines are meant [default: all].
    #[arg(long, short = 'n', value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// Suite whose baselines are meant [default: all].
    #[arg(long, value_name = "SUITE")]
    pub(crate) suite: Option<String>,
}
