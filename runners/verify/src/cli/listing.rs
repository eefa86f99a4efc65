//! Flags and words of the subcommands that only show something.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What to list.
    #[arg(value_enum)]
    pub(crate) what: Listing,
    /// Only what is for this node; may be given several times.
    #[arg(long = "node", env = "VERIFY_NODE", value_delimiter = ',')]
    pub(crate) nodes: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    /// Nodes that can be asked.
    Nodes,
    /// Suites.
    Suites,
    /// Checks.
    Checks,
    /// Probes.
    Probes,
    /// Report formats.
    Formats,
    /// Capabilities for `when` and `has`.
    Capabilities,
    /// Codes of findings.
    Findings,
    /// Known failures that are excused, with the days that are left.
    Waivers,
}

#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// What kind of file.
    #[arg(value_enum)]
    pub(crate) kind: FileKind,
    /// Its name; `verify list nodes` and `verify list suites` know them.
    #[arg(id = "file", value_name = "NAME")]
    pub(crate) name: String,
    /// Print the file that is shipped in the binary, whatever a root holds.
    #[arg(long)]
    pub(crate) shipped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileKind {
    /// A machine: its names, its variables and what it must have.
    Node,
    /// Checks.
    Suite,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsAction {
    /// List recorded runs, newest last.
    List,
    /// Remove the oldest runs.
    Prune {
        /// How many of the newest stay.
        #[arg(long, default_value_t = 100)]
        keep: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// Suite files.
    Suite,
    /// Node files.
    Node,
    /// Files of waivers.
    Waivers,
    /// Lines of a run record.
    Run,
    /// Summaries of baselines.
    Baseline,
    /// Lines of a baseline's ledger.
    Ledger,
    /// The catalogue of probes, as Markdown.
    Probes,
}
