//! Flags of `verify history`.
#![cfg_attr(not(feature = "history"), allow(dead_code, reason = "such a build only says so"))]

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What stands below the flags.
pub(super) const HELP: &str = "\
Examples:
  verify history                            which metrics there are, with their last values
  verify history memory/bandwidth           every metric of that check
  verify history 'net/*:throughput'         one field of several checks, by globs
  verify history --node nvidia --last 100 'memory/*'
  verify history --changes                  when metrics changed for good, and what changed with them
  verify history export --format csv -o values.csv
  verify history rebuild                    read every record anew

A metric is the id of a check, or CHECK:FIELD. What was simulated, replayed, disturbed or errored is
left out and counted. A line across the table marks where values are not of one kind: another machine,
another definition of the check, another version of verify, or parts of the machine that changed.

The records of runs are the truth. The index of their values, history.sqlite beside the folder of
records, is built from them, brought up to date at each look, and may be removed at any time. What
`verify runs prune` removes leaves it, too: export values first, if they shall stay.";

/// Says how the subcommand is called; `rebuild` and `export` are actions, all else is a metric.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct HistoryArgs {
    #[command(subcommand)]
    pub(crate) action: Option<HistoryAction>,
    #[command(flatten)]
    pub(crate) chosen: ChosenMetrics,
    /// Values to show of each metric, the newest.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=100_000), conflicts_with = "changes")]
    pub(crate) last: u32,
    /// Show when metrics changed for good, judged as against a baseline, and what of the machine
    /// changed with them.
    #[arg(long)]
    pub(crate) changes: bool,
    /// Draw with plain characters [default: where the locale is not UTF-8].
    #[arg(long)]
    pub(crate) ascii: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ChosenMetrics {
    /// Metrics: ids of checks or CHECK:FIELD, globs allowed; none means all there are.
    #[arg(value_name = "METRIC")]
    pub(crate) metrics: Vec<String>,
    /// Only values of this node; may be given several times.
    #[arg(
        long = "node",
        short = 'n',
        value_name = "NODE",
        env = "VERIFY_NODE",
        value_delimiter = ','
    )]
    pub(crate) nodes: Vec<String>,
    /// Only values of the machine with this host name.
    #[arg(long, value_name = "HOST")]
    pub(crate) machine: Option<String>,
    /// Only runs that started on this day (UTC) or later, as YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    pub(crate) since: Option<String>,
    /// What was simulated, replayed, disturbed or errored, too.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryAction {
    /// Read every record anew into the index; records that cannot be read are named.
    #[command(after_help = "Examples:\n  verify history rebuild")]
    Rebuild,
    /// Print values for other programs, each with its unit.
    #[command(
        after_help = "Examples:\n  verify history export --format csv -o values.csv\n  verify history export --format json 'memory/*' --since 2026-01-01\n\nText that a spreadsheet would take for a formula gets an apostrophe before it."
    )]
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Format.
    #[arg(long = "format", value_enum)]
    pub(crate) notation: Notation,
    #[command(flatten)]
    pub(crate) chosen: ChosenMetrics,
    /// File to write; standard output unless given.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Notation {
    /// A table for spreadsheets, by RFC 4180.
    Csv,
    /// A list of objects.
    Json,
}
