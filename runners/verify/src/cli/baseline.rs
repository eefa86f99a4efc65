//! Flags of `verify baseline`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineAction {
    /// Make what a run measured part of what is normal.
    #[command(
        after_help = "Takes every attempt that is a measure of normal, and says which are not and why: those that\nerrored, were disturbed, simulated or replayed, or miss a fixed limit.\n\nExamples:\n  verify baseline accept last --reason \"as built, 2 x 64 GiB\"\n  verify baseline accept last --check 'net/*' --new-epoch --reason \"new transceiver\""
    )]
    Accept(AcceptArgs),
    /// Show what is normal.
    #[command(
        after_help = "Examples:\n  verify baseline show --node nvidia\n  verify baseline show --check system/spawn"
    )]
    Show(ShowArgs),
    /// Show how a run compares, and what accepting it would change; nothing is written.
    #[command(
        after_help = "Examples:\n  verify baseline diff last\n  verify baseline diff 01K --check 'memory/*'"
    )]
    Diff(DiffArgs),
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
    /// Path, id or beginning of an id, or `last`.
    pub(crate) run: String,
    /// Why these values are normal; kept with them for whoever reviews the change.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Begin anew: from now on only this run and later ones count, the first ones ever stay as
    /// the anchor.
    #[arg(long)]
    pub(crate) new_epoch: bool,
    /// Accept what a scenario answered: for trying, it says nothing about hardware.
    #[arg(long)]
    pub(crate) allow_simulated: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Path, id or beginning of an id, or `last`.
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) chosen: Chosen,
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
