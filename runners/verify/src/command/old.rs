//! `verify judge` and `verify report`: recorded runs, without any node.

use std::path::Path;

use verify_engine::record::{self, Recorded};
use verify_model::exit::Situation;
use verify_reports::terminal::{self, Style};

use crate::{
    command::run,
    output, place,
    target::{self, Target},
};

/// Judges a recorded run again and returns its exit code.
pub(crate) fn judge(name: &str, reports: &[String], color: bool) -> anyhow::Result<u8> {
    let targets = Target::parse_all(reports)?;
    let recorded = read(name)?;
    run::show(&recorded.run, color, false)?;
    let written = run::write_reports(&recorded.run, &targets);
    let exit = recorded.run.exit_code();
    Ok(if written || exit != 0 { exit } else { Situation::Error.exit() })
}

/// Shows a recorded run in a format.
pub(crate) fn report(
    name: &str,
    format: &str,
    output: Option<&Path>,
    color: bool,
) -> anyhow::Result<u8> {
    let format = target::format(format)?;
    let recorded = read(name)?;
    if let Some(path) = output {
        target::write(path, &format.render(&recorded.run)?)?;
        output::say(&format!("report: {}", path.display()));
    } else if format.spec().name == "text" {
        let style = Style { color, width: output::width(), verbose: true };
        output::print(&terminal::render(&recorded.run, &style))?;
    } else {
        output::print(&String::from_utf8_lossy(&format.render(&recorded.run)?))?;
    }
    Ok(0)
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
