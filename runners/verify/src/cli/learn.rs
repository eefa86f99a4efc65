//! Flags of `verify learn`, and what stands below them.

use std::path::PathBuf;

use clap::Args;

pub(super) const HELP: &str = "\
Reads records; no node is asked. Prints a difference to suites/learned-NODE.toml of the root that a
person edits and applies there. Facts are expected that were the same in every run and do not change
by themselves; a metric gets a limit from five runs on, from their spread. What is left out is said,
with the reason. Nothing is learned of what failed, erred, was disturbed or simulated.

Examples:
  verify run --node nvidia                 five times, over days and boots
  verify learn nvidia > learned.diff
  git apply learned.diff
  verify learn nvidia --runs 01KA 01KB     these runs alone
  verify learn nvidia --output suites/learned-nvidia.toml";

#[derive(Debug, Args)]
pub(crate) struct LearnArgs {
    /// Node to learn.
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// Runs to learn from: paths, ids or beginnings of ids [default: the newest 20 of the node].
    #[arg(long, value_name = "RUN", num_args = 1..)]
    pub(crate) runs: Vec<String>,
    /// Learn from what a scenario answered, marked as such: for trying.
    #[arg(long)]
    pub(crate) allow_simulated: bool,
    /// File to write the suite to, whole, instead of printing a difference.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}
