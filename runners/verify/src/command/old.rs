//! `verify judge` and `verify report`: recorded runs, without any node.

use std::path::{Path, PathBuf};

use verify_engine::record::{self, Recorded};
use verify_model::exit::Situation;
use verify_reports::terminal::Style;

use crate::{
    cli::OutputArgs,
    command::{
        run::{self, Named},
        shown::Shown,
    },
    link,
    output::{self, Terminal},
    place,
    target::{self, Target},
};

/// Judges a recorded run again and returns its exit code.
pub(crate) fn judge(
    root: Option<&Path>,
    name: &str,
    reports: &[String],
    show: &OutputArgs,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let shown = Shown::choose(show, false)?;
    let targets = Target::parse_all(reports)?;
    let recorded = read(name)?;
    shown.show(&recorded.run, dir(root).as_deref(), terminal.out)?;
    let named = Named { err: terminal.err, files: shown.names_files(&recorded.run) };
    let written = run::write_reports(&recorded.run, &targets, named);
    let exit = recorded.run.exit_code();
    Ok(if written || exit != 0 { exit } else { Situation::Error.exit() })
}

/// Shows a recorded run in a format.
pub(crate) fn report(
    root: Option<&Path>,
    name: &str,
    format: &str,
    output: Option<&Path>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let format = target::format(format)?;
    let recorded = read(name)?;
    if let Some(path) = output {
        Target::new(format, path).write(&recorded.run)?;
        output::say_place("report", path, terminal.err);
    } else if format.spec().name == target::TEXT {
        let style = Style { color: terminal.out.color, width: output::width(), verbose: true };
        let links = link::links(&recorded.run, dir(root).as_deref(), terminal.out);
        output::print(&verify_reports::terminal::render_linked(&recorded.run, &style, &links))?;
    } else {
        output::print_bytes(&format.render(&recorded.run)?)?;
    }
    Ok(0)
}

/// Finds the folder in which the files of a run may lie; none is no error, nothing of it is needed.
fn dir(root: Option<&Path>) -> Option<PathBuf> {
    place::root(root).ok()?.dir
}

fn read(name: &str) -> anyhow::Result<Recorded> {
    let path = place::store()?.find(name)?;
    let recorded = record::read(&path)?;
    if recorded.torn {
        output::say(&format!(
            "warning: {}: the last line is torn; {} whole lines are shown, what is missing counts as an error",
            path.display(),
            recorded.lines
        ));
    }
    Ok(recorded)
}
