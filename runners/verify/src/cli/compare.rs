//! Flags of `verify compare`.

use clap::Args;

/// What stands below the flags.
pub(super) const HELP: &str = "\
Shows what changed in each machine, then every check and metric that
differs, in percent and in words. Nothing is judged: `verify baseline diff`
says how a run stands to what was accepted as normal. Values of another
machine, another definition, or taken with another version of the tool that
measures are shown and marked as not comparable.

Examples:
  verify compare last~1 last        the last two runs
  verify compare 01K3 last --all    with what is equal, too
  verify compare before.jsonl after.jsonl --json

Exit codes:
  0  shown, whatever it is
  2  bad usage, no such run, or two runs that have no node in common";

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Earlier run: path, id or beginning of an id, `last`, or `last~N` for the N-th before it.
    #[arg(value_name = "RUN-A")]
    pub(crate) then: String,
    /// Later run, named likewise.
    #[arg(value_name = "RUN-B")]
    pub(crate) now: String,
    /// Only checks whose id matches; may be given several times.
    #[arg(
        long = "check",
        short = 'c',
        value_name = "GLOB",
        env = "VERIFY_CHECK",
        value_delimiter = ','
    )]
    pub(crate) checks: Vec<String>,
    /// Show what is equal, too, and the facts that checks record.
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
