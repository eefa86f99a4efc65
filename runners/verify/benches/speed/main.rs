//! How fast is the harness itself? Start-up and planning, the cost of a check, ten thousand checks.
//!
//! A plain program and no criterion: most figures are of whole processes, and each is compared
//! with its yardstick in turns within one run, so that a busy machine disturbs both alike. Targets
//! are printed, never asserted. `just bench` measures all, `just bench files` one group: `start`,
//! `commands` or `files`. See [`table`] for the columns.
#![allow(clippy::print_stdout, reason = "the table is what this program is for")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and starts processes")]
#![allow(clippy::unwrap_used, reason = "a bench that does not work ends")]

mod subject;
mod table;

use std::{path::Path, time::Duration};

use subject::{COMMANDS, FILES, Scratch, command_engine, plan_in_process};
use table::{Figure, Table, Target, in_turns};

/// Repeats of a figure that takes milliseconds.
const MANY: usize = 60;
/// Repeats of a figure that takes a tenth of a second or more.
const FEW: usize = 15;

fn main() -> std::io::Result<()> {
    // `cargo test --all-targets` starts benches too, without this argument.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `--bench`: use `just bench`");
        return Ok(());
    }
    let names: Vec<String> = std::env::args().skip(1).filter(|name| name != "--bench").collect();
    let wanted = |group: &str| names.is_empty() || names.iter().any(|name| name == group);
    let scratch = Scratch::new()?;
    let mut table = Table::default();
    if wanted("start") {
        start_up(&scratch, &mut table);
    }
    if wanted("commands") {
        command_checks(&scratch, &mut table)?;
    }
    if wanted("files") {
        file_checks(&scratch, &mut table)?;
    }
    table.print();
    Ok(())
}

/// Measures start-up and planning of all shipped suites.
fn start_up(scratch: &Scratch, table: &mut Table) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let plan = ["plan", "--node", "local", "--node", "nvidia", "--via", "local"];
    let mut checks = 0;
    let [planning, process, version] = in_turns(
        MANY,
        [
            &mut || checks = plan_in_process(&root, &["local", "nvidia"]),
            &mut || scratch.verify(&root, &plan),
            &mut || scratch.verify(&root, &["--version"]),
        ],
    );
    table.note(format!("start: all shipped suites, {checks} checks planned on two nodes"));
    let beyond = process.minus(&version);
    table.push(&Figure::new("load, facts and plan, in process", planning));
    table.push(&Figure::new("process: verify --version", version));
    table.push(&Figure::new("process: verify plan", process));
    let target = Target::AtMost(Duration::from_millis(5));
    table.push(&Figure::new("process: plan beyond --version", beyond).target(target));
}

/// Measures what the engine adds to the start and end of a program.
fn command_checks(scratch: &Scratch, table: &mut Table) -> std::io::Result<()> {
    let mut alone = command_engine(scratch, true)?;
    let mut pooled = command_engine(scratch, false)?;
    let [bare, serial, bare_pool, pool] = in_turns(
        FEW,
        [
            &mut subject::bare_spawns,
            &mut || alone.run(),
            &mut subject::bare_spawns_in_threads,
            &mut || pooled.run(),
        ],
    );
    let each = |samples: table::Samples| samples.divided_by(COMMANDS);
    let (bare, bare_pool) = (each(bare), each(bare_pool));
    table.note(format!("commands: {COMMANDS} checks of `true`, time of each, recorded"));
    table.push(&Figure::new("bare spawn, one at a time", bare.clone()));
    let target = Target::Ratio(1.20);
    table
        .push(&Figure::new("command check, each waits", each(serial)).against(bare).target(target));
    table.push(&Figure::new("bare spawn, four threads", bare_pool.clone()));
    table.push(&Figure::new("command check, pool", each(pool)).against(bare_pool).target(target));
    Ok(())
}

/// Measures ten thousand file checks in one suite, as a process.
fn file_checks(scratch: &Scratch, table: &mut Table) -> std::io::Result<()> {
    let root = scratch.file_root()?;
    let ask = ["run", "--suite", "files", "--via", "local"];
    let [plan, run] = in_turns(
        FEW,
        [
            &mut || scratch.verify(&root, &["plan", "--suite", "files", "--via", "local"]),
            &mut || scratch.verify(&root, &ask),
        ],
    );
    table.note(format!("files: {FILES} checks in one suite, whole process"));
    table.push(&Figure::new("process: plan", plan));
    let target = Target::AtMost(Duration::from_secs(1));
    table.push(&Figure::new("process: run", run).target(target));
    match scratch.peak_memory(&root, &ask)? {
        Some(bytes) => table.memory("process: peak memory of run", bytes, 100_000_000),
        None => table.note("peak memory: not known without /proc".to_owned()),
    }
    Ok(())
}
