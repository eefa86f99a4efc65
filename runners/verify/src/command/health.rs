//! `verify health`: one line about this machine, for Slurm's health check.
//!
//! Only a failure drains a node. What was not answered says nothing of it, and a node that somebody has
//! drained already keeps its reason.

use std::{path::Path, sync::mpsc::channel, time::Duration};

use anyhow::Context as _;
use verify_engine::{session, transport::Cluster};
use verify_model::{
    exit::{self, Situation},
    outcome::Outcome,
    run::Run,
};
use verify_reports::clean::one_line;

use crate::{cli::HealthArgs, command::run, observe::Recorder, output, place, signal};

/// Time for all checks; with what Slurm is asked then, it stays below Slurm's own 60 s.
/// *Source*: slurm.conf(5), `HealthCheckProgram`.
const LIMIT: Duration = Duration::from_secs(40);
/// Longest line. *Units*: characters.
const LINE: usize = 200;
/// Longest part of it that one check may take. *Units*: characters.
const PART: usize = 90;
/// Names the variable in which slurmd says which node it is.
const NODE: &str = "SLURMD_NODENAME";

/// Asks, prints the line, drains where that is wanted; returns the exit code.
pub(crate) fn health(root: Option<&Path>, args: &HealthArgs) -> anyhow::Result<u8> {
    let ready = run::chosen(root, &args.choice(), run::Manner::default())?;
    signal::install(&ready.context.cancel)?;
    let mut recorder = Recorder::new(None);
    let (done, ended) = channel::<()>();
    let cancel = ready.context.cancel.clone();
    let watch = std::thread::spawn(move || {
        let late = ended
            .recv_timeout(LIMIT)
            .is_err_and(|why| why == std::sync::mpsc::RecvTimeoutError::Timeout);
        if late {
            cancel.request();
        }
        late
    });
    session::run(run::header(&ready, false), &ready.plan, &ready.context, &mut recorder);
    drop(done);
    let late = watch.join().unwrap_or(false);
    let (run, _) = recorder.close().context("a defect of verify: the run does not fold")?;
    let exit = if run.interrupted && !late { run.exit_code() } else { code(&run, late) };
    let line = line(&run, late);
    output::print(&format!("{line}\n"))?;
    if args.drain && exit == Situation::Fail.exit() {
        drain(&line);
    }
    Ok(exit)
}

/// Returns the exit code of what was answered; what was not in time is an error.
fn code(run: &Run, late: bool) -> u8 {
    let code = exit::exit_code(run.verdicts(), false, false);
    if late && code == 0 { Situation::Error.exit() } else { code }
}

/// Says in one line what is wrong, failures first.
fn line(run: &Run, late: bool) -> String {
    let of = |outcome: Outcome| {
        run.verdicts().filter(move |v| v.outcome == outcome && !v.is_waived()).collect::<Vec<_>>()
    };
    let (failed, errors) = (of(Outcome::Fail), of(Outcome::Error));
    let grave = if failed.is_empty() { &errors } else { &failed };
    let said: Vec<String> = grave
        .iter()
        .map(|verdict| {
            let why = verdict.main_finding().map_or("", |finding| finding.message.as_str());
            one_line(&format!("{}: {why}", verdict.key.check), PART)
        })
        .collect();
    let passed = of(Outcome::Pass).len();
    let head = match (failed.len(), errors.len()) {
        (0, 0) if passed == 0 => "nothing was answered".to_owned(),
        (0, 0) => format!("healthy, {passed} passed"),
        (0, errors) if late => format!("{errors} not answered within {} s: ", LIMIT.as_secs()),
        (0, errors) => format!("{errors} not answered: "),
        (failed, _) => format!("{failed} failed: "),
    };
    one_line(&format!("verify: {head}{}", said.join("; ")), LINE)
}

/// Has Slurm drain this node; what goes wrong is said, and changes no verdict.
fn drain(line: &str) {
    let host = place::hostname();
    let short = host.split('.').next().unwrap_or(&host).to_owned();
    let node = std::env::var(NODE).ok().filter(|name| !name.is_empty()).unwrap_or(short);
    match Cluster::drain(&node, line, "health") {
        Ok(None) => output::say(&format!("drained: {node}")),
        Ok(Some(state)) => {
            let state = one_line(&state, LINE);
            output::say(&format!("left as it is: {node} ({state})"));
        }
        Err(error) => output::say(&format!("error: {node} is not drained: {error}")),
    }
}
