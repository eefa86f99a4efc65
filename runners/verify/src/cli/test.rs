//! Flags of `verify test`.

use std::ffi::OsString;

use clap::Args;

use super::choice::{Choice, switch};

/// What stands below the flags.
pub(super) const HELP: &str = "\
Examples:
  verify test                             the checks of node `local`, as libtest shows tests
  verify test --node nvidia -- --list     their names
  verify test -- kernel/                  names that contain `kernel/`, and what they are after
  verify test -- --help                   what libtest takes

Names are check ids, behind `NODE::` where several nodes are chosen, and behind `load::` where
the check loads or changes the node: such checks never run beside others. Everything is asked as
in `verify run`; --test-threads only bears on how libtest waits. The run is recorded, so `verify
report last` shows it. --no-capture is taken and means nothing; --report-time, --shuffle and
--format junit do not exist here.

What libtest shows:
  ok        pass
  FAILED    all that makes `verify run` exit 1 or 3, the outcome as its first word; blocked,
            where the cause is not shown; --ignored on what cannot be asked (`skip: …`)
  ignored   skip, flagged before anything is asked where that is known; blocked, waived, and
            unjudged for want of a baseline

Under nextest (NEXTEST=1) each check is a process of its own, asked with what it is after; none
leaves a record. nextest takes what is ignored only while it runs for a PASS. So skip, blocked,
waived and no baseline are FAILED there, except for what is known when it lists and shown as
skipped: a skip, and any check under a valid waiver, which is not asked then. nextest passes no
flags: use VERIFY_NODE and its siblings.

Exit codes:
    0  none FAILED, at least one was answered
    2  bad command line or input file
    3  output or record could not be written
    4  nothing was answered (see --allow-none)
  101  at least one FAILED
  130  interrupted";

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// A check without a baseline is an error instead of being left unjudged.
    #[arg(long, env = "VERIFY_REQUIRE_BASELINE", value_parser = switch)]
    pub(crate) require_baseline: bool,
    /// Exit 0 where FILTER, --skip or --ignored of libtest leave nothing to answer, as cargo expects
    /// of a test target; never under nextest.
    #[arg(long, env = "VERIFY_ALLOW_NONE", value_parser = switch)]
    pub(crate) allow_none: bool,
    /// Leave no record of the run.
    #[arg(long, env = "VERIFY_NO_RECORD", value_parser = switch)]
    pub(crate) no_record: bool,
    /// What libtest takes: FILTER, --list, --exact, --skip, --ignored, --format …
    #[arg(last = true, value_name = "LIBTEST-ARGS")]
    pub(crate) libtest: Vec<OsString>,
}
