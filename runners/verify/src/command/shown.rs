//! What standard output gets of a run: the report for people, what needs somebody, or another format.

use std::path::Path;

use anyhow::bail;
use verify_model::run::Run;
use verify_reports::{
    Format,
    terminal::{self, Style},
};

use crate::{
    cli::OutputArgs,
    failure, link,
    output::{self, Ability},
    target,
};

/// Says what is shown.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    /// Format that is not the report for people.
    format: Option<&'static dyn Format>,
    /// Whether only what needs somebody is said.
    pub(crate) quiet: bool,
    verbose: bool,
}

impl Shown {
    /// Reads what was asked for, before anything runs.
    ///
    /// *Errors*: there is no such format; two flags contradict each other.
    pub(crate) fn choose(args: &OutputArgs, verbose: bool) -> anyhow::Result<Self> {
        if args.quiet && verbose {
            bail!("--quiet and --verbose exclude each other");
        }
        let format = target::format(&args.format)?;
        let format = Some(format).filter(|format| format.spec().name != target::TEXT);
        Ok(Self { format, quiet: args.quiet, verbose })
    }

    /// Shows a run.
    ///
    /// *Errors*: standard output cannot be written, or the format failed.
    pub(crate) fn show(&self, run: &Run, root: Option<&Path>, out: Ability) -> anyhow::Result<()> {
        let shown = match self.format {
            Some(format) => output::print_bytes(&format.render(run)?),
            None => output::print(&self.report(run, root, out)),
        };
        shown.or_else(|error| if failure::is_closed_pipe(&error) { Ok(()) } else { Err(error) })
    }

    fn report(&self, run: &Run, root: Option<&Path>, out: Ability) -> String {
        let style = Style { color: out.color, width: output::width(), verbose: self.verbose };
        if self.quiet {
            return terminal::brief(run, &style);
        }
        terminal::render_linked(run, &style, &link::links(run, root, out))
    }

    /// Tells whether it is said where record and reports are; where nobody is needed, nobody looks.
    pub(crate) fn names_files(&self, run: &Run) -> bool {
        !self.quiet || run.exit_code() != 0
    }
}
