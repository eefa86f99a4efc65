//! `verify instrument`: our own measuring code, one JSON document out.

use std::fmt::Write as _;

use anyhow::bail;
use verify_instruments::{INSTRUMENTS, find};

use crate::output;

/// Runs one instrument, or lists them.
///
/// *Errors*: there is none of that name, or it does not take the arguments.
pub(crate) fn instrument(name: Option<&str>, args: &[String]) -> anyhow::Result<u8> {
    let Some(name) = name else {
        output::print(&list())?;
        return Ok(0);
    };
    let Some(found) = find(name) else {
        bail!("this build has no instrument `{name}`; {}", has());
    };
    end_with_parent();
    let document = match found.document(args) {
        Ok(document) => document,
        Err(why) => bail!("instrument {name}: {why}; `verify instrument` lists what each takes"),
    };
    output::print(&format!("{document}\n"))?;
    Ok(0)
}

/// Has this process end when who started it does: a run that is killed leaves no measurement behind.
/// By TERM, on which an instrument that has started something tears it down.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        let before = getppid();
        let _ = set_parent_process_death_signal(Some(Signal::TERM));
        if getppid() != before {
            let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::TERM);
        }
    }
}

/// Says which instruments this build has.
fn has() -> String {
    if INSTRUMENTS.is_empty() {
        let system = std::env::consts::OS;
        return format!("instruments ask Linux, and this build is for {system}");
    }
    let names: Vec<&str> = INSTRUMENTS.iter().map(|one| one.name).collect();
    format!("it has: {}", names.join(", "))
}

fn list() -> String {
    if INSTRUMENTS.is_empty() {
        return format!("{}\n", has());
    }
    let width = INSTRUMENTS.iter().map(|one| one.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for one in INSTRUMENTS {
        let _ = writeln!(text, "{:<width$}  {}", one.name, one.summary);
        for line in one.arguments.lines() {
            let _ = writeln!(text, "{:<width$}    {line}", "");
        }
    }
    text
}
