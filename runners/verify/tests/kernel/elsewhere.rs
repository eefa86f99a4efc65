//! Where the numbered fixtures are held that no boot here answers, and that nothing is left out.
//!
//! A test that is named must be there by that name: one that is renamed is found.

use std::{collections::BTreeSet, fs, path::Path};

use crate::fixture::{self, CHECKS};

/// How many fixtures the field notes number.
const NUMBERED: u8 = 36;

/// Says what holds a fixture instead of a boot.
enum Holder {
    /// A test: the file and the name of the function.
    Test(&'static str, &'static str),
    /// An answer that was captured, and is read in the tests of probes.
    Case(&'static str),
    /// Nothing asks for it, and why.
    Nobody(&'static str),
}

use Holder::{Case, Nobody, Test};

const ELSEWHERE: &[(u8, &[Holder])] = &[
    (26, &[Nobody("loading a module would change the node; sandbox tells the switches")]),
    (
        28,
        &[
            Case("scheduling/denied"),
            Nobody("needs RT_GROUP_SCHED; a plain user's EPERM stands in"),
        ],
    ),
    (31, &[Case("tsc/ok-smi"), Nobody("a boot that tried gave no verdict; why is not known")]),
    (
        32,
        &[
            Test(
                "instruments/src/linux/tsc/spin.rs",
                "a_gap_without_room_is_counted_as_lost_and_still_summed",
            ),
            Case("tsc/garbled-lost"),
        ],
    ),
    (33, &[Case("tsc/truncated"), Case("tsc/truncated-document")]),
    (
        34,
        &[Test(
            "verify/tests/command/surroundings.rs",
            "a_reader_that_leaves_early_changes_neither_exit_code_nor_record",
        )],
    ),
    (35, &[Case("storage-throughput/ok-note"), Case("storage-throughput/job-error-28")]),
    (
        36,
        &[Test("instruments/src/linux/counter_table.rs", "a_cpu_that_is_offline_shifts_no_column")],
    ),
];

/// Demands that each number is booted or held elsewhere, and that what holds it is there.
///
/// *Errors*: what is not so.
pub(crate) fn numbers() -> Result<(), String> {
    let booted = fixture::all().map(|fixture| fixture.number).filter(|number| *number > 0);
    let mut named: Vec<u8> = booted.chain(ELSEWHERE.iter().map(|(number, _)| *number)).collect();
    named.sort_unstable();
    let each: Vec<u8> = (1..=NUMBERED).collect();
    if named != each {
        return Err(format!("not each once: {named:?}"));
    }
    ELSEWHERE.iter().flat_map(|(_, holders)| *holders).try_for_each(there)
}

fn there(holder: &Holder) -> Result<(), String> {
    let runners = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match holder {
        Test(file, name) => {
            let text =
                fs::read_to_string(runners.join(file)).map_err(|e| format!("{file}: {e}"))?;
            let found = text.contains(&format!("fn {name}()"));
            if found { Ok(()) } else { Err(format!("{file} has no test `{name}`")) }
        }
        Case(name) => {
            let case = runners.join("engine/tests/evidence").join(name).join("case.json");
            if case.is_file() { Ok(()) } else { Err(format!("{} is not there", case.display())) }
        }
        Nobody("") => Err("a fixture that nobody holds".to_owned()),
        Nobody(_) => Ok(()),
    }
}

/// Demands that every check of the shipped suites on a machine itself is asked in some boot.
///
/// *Errors*: the checks that are not.
pub(crate) fn shipped() -> Result<(), String> {
    let suites = [
        include_str!("../../../../suites/cpu.toml"),
        include_str!("../../../../suites/kernel.toml"),
        include_str!("../../../../suites/memory.toml"),
        include_str!("../../../../suites/storage.toml"),
    ];
    let id = |line: &'static str| line.strip_prefix("id ")?.split('"').nth(1);
    let shipped: BTreeSet<&str> =
        suites.into_iter().flat_map(|suite| suite.lines().filter_map(id)).collect();
    let asked: BTreeSet<&str> =
        fixture::all().flat_map(|one| one.also).chain(CHECKS).copied().collect();
    let left: Vec<_> = shipped.difference(&asked).collect();
    match (shipped.is_empty(), left.is_empty()) {
        (false, true) => Ok(()),
        (true, _) => Err("the suites declare nothing".to_owned()),
        (_, false) => Err(format!("asked in no boot: {left:?}")),
    }
}
