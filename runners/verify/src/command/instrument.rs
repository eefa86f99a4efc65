//! `verify instrument`: our own measuring code, one JSON document out.

use std::{fmt::Write as _, sync::Arc};

use anyhow::{Context as _, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use verify_engine::transport::{self, PROTOCOLS, WARDEN};
use verify_instruments::{INSTRUMENTS, find};

use crate::output;

/// Name of what answers a whole batch, by the code that answers one here.
const GATHER: &str = "gather";

/// Prints what this build speaks.
pub(crate) fn protocol() -> anyhow::Result<u8> {
    output::print(&format!("{PROTOCOLS}\n"))?;
    Ok(0)
}

/// Runs one instrument, or lists them.
///
/// *Errors*: there is none of that name, or it does not take the arguments.
pub(crate) fn instrument(
    name: Option<&str>,
    args: &[String],
    lifeline: bool,
) -> anyhow::Result<u8> {
    let Some(name) = name else {
        output::print(&list())?;
        return Ok(0);
    };
    if name == GATHER {
        return gather(args);
    }
    if name == WARDEN {
        return watch_over();
    }
    let Some(found) = find(name) else {
        bail!("this build has no instrument `{name}`; {}", has());
    };
    end_with_parent();
    if lifeline {
        end_with_input();
    }
    let document = match found.document(args) {
        Ok(document) => document,
        Err(why) => bail!("instrument {name}: {why}; `verify instrument` lists what each takes"),
    };
    output::print(&format!("{document}\n"))?;
    Ok(0)
}

/// Answers a batch for a run elsewhere. Its standard input says how long that run lasts.
fn gather(args: &[String]) -> anyhow::Result<u8> {
    if !args.is_empty() {
        bail!("instrument {GATHER} takes no arguments: the questions come by standard input");
    }
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let input = std::io::BufReader::new(std::io::stdin());
    transport::serve(input, &mut std::io::stdout(), program)
        .map_err(|why| anyhow::anyhow!("instrument {GATHER}: {why}"))?;
    Ok(0)
}

/// Waits for the end of a run that starts and makes things, and ends what is left of them.
fn watch_over() -> anyhow::Result<u8> {
    // Whoever ends a run by its name or its group shall not end this, too: it leaves by itself.
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::default())?;
    }
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"warden");
    transport::obey(std::io::stdin().lock());
    Ok(0)
}

/// Has this process end when its standard input does: first by TERM, as below.
fn end_with_input() {
    use rustix::process::{Signal, getpid, kill_process};
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = kill_process(getpid(), Signal::TERM);
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(std::time::Duration::from_secs(1));
        let _ = kill_process(getpid(), Signal::KILL);
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_another_build_begins_with_what_this_one_prints() {
        assert_eq!(PROTOCOLS.split(' ').next(), Some(verify_instruments::PROTOCOL));
        assert!(find(GATHER).is_none(), "an instrument hides `{GATHER}`");
    }
}
