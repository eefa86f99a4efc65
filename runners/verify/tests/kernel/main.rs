//! Runs the shipped checks in real kernels, each booted for its purpose, and demands what they say.
//!
//! A recorded answer shows that a probe reads it well; only a kernel shows that the kernel says so.
//! `cargo test -p verify --test kernel` boots six; `-- --ignored` the others. Where QEMU or a
//! kernel is missing, every boot is shown as ignored and says what it needs.
#![allow(clippy::disallowed_methods, reason = "builds and boots, and writes files for it")]
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

mod archive;
mod command_line;
mod disturbance;
mod elsewhere;
mod fixture;
mod lab;
mod machine;
mod restriction;
mod verdict;

use std::{
    io::Write as _,
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use fixture::{CHECKS, Effort, Fixture, Outcome};
use lab::Lab;

type Demanded = fn() -> Result<(), String>;
type Once = Arc<OnceLock<Result<Lab, String>>>;

fn main() -> ExitCode {
    let missing = lab::missing();
    if let Some(what) = &missing {
        // Once for all of them, where nobody reads what each says.
        let _ = writeln!(std::io::stderr(), "skipped: needs {what}");
    }
    let lab = Once::default();
    let trials = fixture::all().map(|fixture| {
        let carried = || fixture.machine.carries.iter().find_map(|carried| carried.missing());
        let (lab, missing) = (lab.clone(), missing.clone().or_else(carried));
        // Ignored from the start: nextest takes what is ignored only while it runs for a pass.
        let ignored = fixture.effort == Effort::Heavy || missing.is_some();
        let boot = move || match missing {
            Some(what) => Ok(Completion::ignored_with(format!("needs {what}"))),
            None => boot(&lab, fixture),
        };
        Trial::ignorable_test(format!("boot::{}", fixture.name), boot).with_ignored_flag(ignored)
    });
    let mut trials: Vec<Trial> = trials.collect();
    let tests: [(&str, Demanded); 3] = [
        ("every_numbered_fixture_is_booted_or_held_by_a_test_that_is_there", elsewhere::numbers),
        ("every_shipped_check_of_a_machine_is_asked", elsewhere::shipped),
        ("a_record_that_is_not_as_demanded_is_found", verdict::find_each_difference),
    ];
    trials
        .extend(tests.map(|(name, test)| Trial::test(name, move || test().map_err(Failed::from))));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn boot(lab: &Once, fixture: &Fixture) -> Result<Completion, Failed> {
    let lab = lab.get_or_init(Lab::prepare).as_ref()?;
    let checks = [CHECKS, fixture.also].concat();
    let sent = fixture.machine.run(lab, &checks);
    match (sent, fixture.outcome) {
        (Ok(sent), Outcome::Red(shared, own)) => {
            verdict::compare(&sent, &checks, &[shared, own].concat())?;
        }
        (Err(why), Outcome::NoVerdict(words)) if why.contains(words) => {}
        (Ok(sent), Outcome::Refused(exit, words)) => verdict::refused(&sent, exit, words)?,
        (Ok(sent), Outcome::NoVerdict(_)) => {
            return Err(format!("a verdict came: exit {}\n{}", sent.exit, sent.printed).into());
        }
        (Err(why), _) => return Err(why.into()),
    }
    Ok(Completion::Completed)
}
