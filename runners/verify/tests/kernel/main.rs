//! Runs the shipped checks in real kernels, each booted for its purpose, and demands what they say.
//!
//! A recorded answer shows that a probe reads it well; only a kernel shows that the kernel says so.
//! `cargo test -p verify --test kernel` boots six; `-- --ignored` the others. Where QEMU or a
//! kernel is missing, every boot is shown as ignored and says what it needs.
#![allow(clippy::disallowed_methods, reason = "builds and boots, and writes files for it")]
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

mod archive;
mod fixture;
mod lab;
mod machine;
mod verdict;

use std::{
    io::Write as _,
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use fixture::{CHECKS, ELSEWHERE, Effort, FIXTURES, Fixture, Outcome};
use lab::Lab;

type Once = Arc<OnceLock<Result<Lab, String>>>;

fn main() -> ExitCode {
    let missing = lab::missing();
    if let Some(what) = &missing {
        // Once for all of them, where nobody reads what each says.
        let _ = writeln!(std::io::stderr(), "skipped: needs {what}");
    }
    let lab = Once::default();
    let trials = FIXTURES.iter().map(|fixture| {
        let (lab, missing) = (lab.clone(), missing.clone());
        // Ignored from the start: nextest takes what is ignored only while it runs for a pass.
        let ignored = fixture.effort == Effort::Heavy || missing.is_some();
        let boot = move || match missing {
            Some(what) => Ok(Completion::ignored_with(format!("needs {what}"))),
            None => boot(&lab, fixture),
        };
        Trial::ignorable_test(format!("boot::{}", fixture.name), boot).with_ignored_flag(ignored)
    });
    let complete = Trial::test("every_numbered_fixture_is_booted_or_says_what_it_takes", numbers);
    let mut trials: Vec<Trial> = trials.collect();
    trials.push(complete);
    trials.push(Trial::test("a_record_that_is_not_as_demanded_is_found", || {
        verdict::find_each_difference().map_err(Failed::from)
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// How many fixtures the field notes number.
const NUMBERED: u8 = 36;

fn numbers() -> Result<(), Failed> {
    let named = FIXTURES.iter().map(|fixture| fixture.number).filter(|number| *number > 0);
    let mut named: Vec<u8> = named.chain(ELSEWHERE.iter().map(|(number, _)| *number)).collect();
    named.sort_unstable();
    let each: Vec<u8> = (1..=NUMBERED).collect();
    if named == each { Ok(()) } else { Err(format!("not each once: {named:?}").into()) }
}

fn boot(lab: &Once, fixture: &Fixture) -> Result<Completion, Failed> {
    let lab = lab.get_or_init(Lab::prepare).as_ref()?;
    let checks = [CHECKS, fixture.also].concat();
    let sent = fixture.machine.run(lab, &checks);
    match (sent, fixture.outcome) {
        (Ok(sent), Outcome::Red(demands)) => verdict::compare(&sent, &checks, demands)?,
        (Err(why), Outcome::NoVerdict(words)) if why.contains(words) => {}
        (Ok(sent), Outcome::NoVerdict(_)) => {
            return Err(format!("a verdict came: exit {}\n{}", sent.exit, sent.printed).into());
        }
        (Err(why), _) => return Err(why.into()),
    }
    Ok(Completion::Completed)
}
