//! Flags of `verify selftest`, and what its exit codes mean.

use clap::{Args, ValueEnum};

/// What stands below the flags.
pub(super) const HELP: &str = "\
Examples:
  verify selftest                         every fault, under every check that ships
  verify selftest --fault missing-bridge  one fault; `*` allowed
  verify selftest --check 'gpu/*'         what is tried on some checks
  verify selftest --node macmini          what is tried on the checks of a node
  verify selftest --list                  the catalogue: faults and damages
  verify selftest --format json           for a program

A fault is injected into the answers of a machine that lacks nothing: the check must turn red, for
the reason that the catalogue names. Beside it stands a control: the same run on the healthy answers
must be green, or its red says nothing. Plan, probe, judge and settle are those of a real run; the
answers are recorded, so no machine is asked, nothing is written and no record is kept.

Then broken answers - empty, garbled, cut, killed, NaN for every number - are given to every check,
one kind after the other: none of them may pass, and where nobody answered, none may blame the node.

It is the suites within the program that are tested, wherever it is called. With --root those of the
root are. A demand that is taken out lets its fault through; a limit that is loosened does only where
the fault lies beyond the old limit and not beyond the new one.

Exit codes:
  0  every fault was noticed, for the reason that it should be
  1  a fault or a damaged answer was not noticed, or taken for something else
  2  bad usage, a pattern that chooses nothing, or a bad input file
  3  a fault could not be injected, or a check is not green on a healthy machine
  4  nothing was tried";

#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    /// Only faults of this node; may be given several times.
    #[arg(long = "node", short = 'n', value_name = "NODE", value_delimiter = ',')]
    pub(crate) nodes: Vec<String>,
    /// Only faults that a check must notice whose id matches; may be given several times.
    #[arg(long = "check", short = 'c', value_name = "GLOB", value_delimiter = ',')]
    pub(crate) checks: Vec<String>,
    /// Only faults and damages whose name matches; may be given several times.
    #[arg(long = "fault", short = 'f', value_name = "GLOB", value_delimiter = ',')]
    pub(crate) faults: Vec<String>,
    /// How it is printed.
    #[arg(long = "format", value_enum, default_value_t = Shape::Text, value_name = "FORMAT")]
    pub(crate) shape: Shape,
    /// Show the catalogue; nothing is tried.
    #[arg(long)]
    pub(crate) list: bool,
}

/// Says how the outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// A table for people.
    Text,
    /// One document for programs.
    Json,
}
