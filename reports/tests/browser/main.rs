//! The page in a real browser: headless Chromium, through its own driver.
//!
//! `just test-heavy` runs them with the interpreter that `VERIFY_BROWSER_PYTHON` names, which has
//! selenium, and the file `axe.js` of axe-core that `VERIFY_AXE` names. Elsewhere each is shown as
//! ignored; what it needs and lacks is said aloud. What can be said without a browser is in `page.rs`.

#![allow(clippy::disallowed_methods, reason = "writes pages and starts the program that looks")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../corpus/mod.rs"]
mod corpus;
mod large;

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use verify_model::run::Run;
use verify_reports::find;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/look.py");

/// Holds every test; the program has a function of each name.
const TESTS: [&str; 11] = [
    "every_page_opens_without_an_error_and_asks_nobody",
    "a_small_and_a_large_screen_never_scroll_sideways",
    "axe_finds_nothing_serious_in_light_and_in_dark",
    "a_page_is_dark_where_people_want_it_dark",
    "on_paper_every_check_is_unfolded_and_no_control_is_shown",
    "checks_are_found_by_words_outcome_node_and_suite",
    "what_is_filtered_can_be_linked",
    "the_keyboard_is_enough",
    "without_script_everything_is_there_and_no_control",
    "hostile_text_is_only_text",
    "ten_thousand_checks_open_and_are_filtered",
];

fn main() -> ExitCode {
    let trials = TESTS.map(|name| {
        let run = move || match needs() {
            Err(lacking) => Ok(Completion::ignored_with(format!("skipped: needs {lacking}"))),
            Ok(needs) => look(name, &needs).map(|()| Completion::Completed).map_err(Failed::from),
        };
        Trial::ignorable_test(name, run).with_ignored_flag(true)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

/// Holds what the tests need.
struct Needs {
    python: String,
    axe: PathBuf,
}

/// Finds what the tests need.
///
/// *Errors*: what is lacking.
fn needs() -> Result<Needs, String> {
    let variable = |name: &str, what: &str| env::var(name).map_err(|_| format!("{what} in {name}"));
    let python = variable("VERIFY_BROWSER_PYTHON", "an interpreter with selenium")?;
    let axe = PathBuf::from(variable("VERIFY_AXE", "the file axe.js of axe-core")?);
    if !axe.is_file() {
        return Err(format!("the file {}", axe.display()));
    }
    let lacking = "import selenium, shutil, sys\n\
        sys.exit(not (shutil.which('chromedriver') and shutil.which('chromium')))";
    let mut asked = Command::new(&python);
    let asked = asked.args(["-c", lacking]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match asked {
        Ok(status) if status.success() => Ok(Needs { python, axe }),
        _ => Err(format!("selenium for {python}, chromium and chromedriver")),
    }
}

/// Lets the program look at the pages that a test is about.
fn look(name: &str, needs: &Needs) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(said)?;
    if name.starts_with("ten_thousand") {
        write(folder.path(), "large", &large::run(10_000))?;
    } else {
        for (of, run) in corpus::all() {
            write(folder.path(), of, &run)?;
        }
        write(folder.path(), "long-line", &large::long_line())?;
    }
    let mut looked = Command::new(&needs.python);
    let looked = looked.arg(PROGRAM).arg(name).arg(folder.path()).arg(&needs.axe).output();
    let looked = looked.map_err(said)?;
    let text = String::from_utf8_lossy(&looked.stdout);
    // Figures are told, never judged.
    let _ = write!(std::io::stderr(), "{text}");
    if looked.status.success() {
        return Ok(());
    }
    Err(format!("{text}{}", String::from_utf8_lossy(&looked.stderr)))
}

fn write(folder: &Path, name: &str, run: &Run) -> Result<(), String> {
    let bytes = find("html").unwrap().render(run).map_err(|error| error.to_string())?;
    fs::write(folder.join(format!("{name}.html")), bytes).map_err(|error| error.to_string())
}
