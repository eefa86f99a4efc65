//! What counts as a change of a machine, what does not, and how it is said.

#![allow(clippy::unwrap_used, reason = "the test says what must be there")]

use proptest::prelude::*;
use verify_model::fingerprint::{
    Change, Depends, Fingerprint, GROUPS, NONE, changes, differences, is_known,
};

fn print(fields: &[(&str, &str)]) -> Fingerprint {
    let field = |(path, text): &(&str, &str)| {
        assert!(is_known(path), "{path}");
        ((*path).to_owned(), (*text != "?").then(|| (*text).to_owned()))
    };
    Fingerprint(fields.iter().map(field).collect())
}

/// Says what changed, and what is not known.
fn said(then: &[(&str, &str)], now: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let found = differences(&print(then), &print(now));
    (found.causes.iter().map(Change::phrase).collect(), found.unknown)
}

#[track_caller]
fn changed(then: &[(&str, &str)], now: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(said(then, now), (expected.iter().map(|e| (*e).to_owned()).collect(), vec![]));
}

const CARD: [(&str, &str); 6] = [
    ("gpu.count", "1"),
    ("gpu.0000:21:00.0.name", "RTX 3090"),
    ("gpu.0000:21:00.0.uuid", "GPU-1"),
    ("gpu.0000:21:00.0.vbios", "94.02"),
    ("gpu.0000:21:00.0.slot-width", "16"),
    ("gpu.0000:21:00.0.power-limit", "350 W"),
];

fn with(fields: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let kept = CARD.iter().filter(|(path, _)| fields.iter().all(|(other, _)| other != path));
    kept.chain(fields).copied().collect()
}

#[test]
fn a_field_that_changed_is_one_line() {
    changed(&CARD, &CARD, &[]);
    let newer = with(&[("gpu.0000:21:00.0.vbios", "94.03")]);
    changed(&CARD, &newer, &["GPU at 0000:21:00.0, VBIOS: 94.02 -> 94.03"]);
    changed(
        &[("bios.version", "4021")],
        &[("bios.version", "4403")],
        &["BIOS version: 4021 -> 4403"],
    );
    changed(
        &[("driver.nvidia", "570.1")],
        &[("driver.nvidia", NONE)],
        &["NVIDIA driver: 570.1 -> none"],
    );
    changed(&[("tool.fio", "3.36")], &[("tool.fio", "3.38")], &["tool fio: 3.36 -> 3.38"]);
}

#[test]
fn a_module_that_is_missing_is_a_change_and_one_that_nobody_could_list_is_none() {
    let four = [
        ("memory.modules", "4"),
        ("memory.module.DIMM_A1", "32 GiB"),
        ("memory.module.DIMM_A2", "32 GiB"),
        ("memory.module.DIMM_B1", "32 GiB"),
        ("memory.module.DIMM_B2", "32 GiB"),
    ];
    let two = [
        ("memory.modules", "2"),
        ("memory.module.DIMM_A2", "32 GiB"),
        ("memory.module.DIMM_B2", "32 GiB"),
    ];
    changed(&four, &two, &["memory modules: 4 (DIMM_A1, DIMM_B1) -> 2"]);
    changed(&two, &four, &["memory modules: 2 -> 4 (DIMM_A1, DIMM_B1)"]);
    let (lines, unknown) = said(&four, &[("memory.modules", "?")]);
    assert_eq!(lines, Vec::<String>::new());
    assert_eq!(unknown.len(), 5, "{unknown:?}");
    let (lines, _) = said(&four, &[]);
    assert_eq!(lines, Vec::<String>::new(), "nobody looked");
}

#[test]
fn a_card_that_was_exchanged_is_one_line_and_so_is_one_that_moved() {
    let other = with(&[
        ("gpu.0000:21:00.0.name", "RTX 4090"),
        ("gpu.0000:21:00.0.uuid", "GPU-2"),
        ("gpu.0000:21:00.0.vbios", "95.01"),
        ("gpu.0000:21:00.0.power-limit", "450 W"),
    ]);
    changed(&CARD, &other, &["GPU at 0000:21:00.0: RTX 3090 -> RTX 4090"]);
    let twin = with(&[("gpu.0000:21:00.0.uuid", "GPU-2")]);
    changed(&CARD, &twin, &["GPU at 0000:21:00.0: RTX 3090 (GPU-1) -> RTX 3090 (GPU-2)"]);
    let moved = [
        ("gpu.count", "1"),
        ("gpu.0000:05:00.0.name", "RTX 3090"),
        ("gpu.0000:05:00.0.uuid", "GPU-1"),
        ("gpu.0000:05:00.0.vbios", "94.02"),
        ("gpu.0000:05:00.0.slot-width", "4"),
        ("gpu.0000:05:00.0.power-limit", "350 W"),
    ];
    changed(
        &CARD,
        &moved,
        &["GPU moved: 0000:21:00.0, PCIe lanes 16 -> 0000:05:00.0, PCIe lanes 4"],
    );
    changed(&CARD, &[("gpu.count", "0")], &["GPUs: 1 (0000:21:00.0) -> 0"]);
}

#[test]
fn drives_whose_names_were_given_the_other_way_round_are_no_change() {
    let one = [
        ("drive.count", "2"),
        ("drive.nvme0n1.model", "Samsung 980"),
        ("drive.nvme0n1.firmware", "5B2Q"),
        ("drive.nvme1n1.model", "WD SN850"),
        ("drive.nvme1n1.firmware", "6201"),
    ];
    let turned = [
        ("drive.count", "2"),
        ("drive.nvme1n1.model", "Samsung 980"),
        ("drive.nvme1n1.firmware", "5B2Q"),
        ("drive.nvme0n1.model", "WD SN850"),
        ("drive.nvme0n1.firmware", "6201"),
    ];
    changed(&one, &turned, &[]);
    let mut newer = one;
    newer[4].1 = "6202";
    changed(&one, &newer, &["drive nvme1n1, firmware: 6201 -> 6202"]);
}

#[test]
fn of_a_long_line_the_words_that_differ_are_said() {
    let then =
        "root=/dev/nvme0n1p2 ro isolcpus=domain,managed_irq,6,7 nohz_full=6,7 rcu_nocbs=6,7 quiet";
    let now = "root=/dev/nvme0n1p2 ro isolcpus=domain,managed_irq,6,7 nohz_full=6,7 rcu_nocbs=4-7";
    let path = "kernel.command-line";
    let line = "kernel command line: rcu_nocbs=6,7 quiet -> rcu_nocbs=4-7";
    changed(&[(path, then)], &[(path, now)], &[line]);
}

#[test]
fn a_ruler_is_told_from_a_cause_and_only_what_matters_is_compared() {
    let then = print(&[("tool.fio", "3.36"), ("kernel.release", "6.8"), ("bios.version", "1")]);
    let now = print(&[("tool.fio", "3.38"), ("kernel.release", "6.9"), ("bios.version", "2")]);
    let depends = [Depends::ruler("tool.fio"), Depends::cause("kernel"), Depends::cause("drive")];
    let found = changes(&then, &now, &depends);
    let paths = |changes: &[Change]| changes.iter().map(|c| c.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&found.rulers), ["tool.fio"]);
    assert_eq!(paths(&found.causes), ["kernel.release"]);
    assert_eq!(found.unknown, ["drive"], "nobody looked for drives");
    // `tool.fio` is one of all tools, and a ruler all the same.
    let both = [Depends::cause("tool"), Depends::ruler("tool.fio")];
    let found = changes(&then, &now, &both);
    assert_eq!((found.rulers.len(), found.causes.len()), (1, 0));
    assert_eq!(then.of(&depends).0.len(), 2);
}

/// Makes paths of every group, of which some are unknown or not there.
fn prints() -> impl Strategy<Value = Fingerprint> {
    let mut paths: Vec<String> = Vec::new();
    for group in GROUPS {
        let name = group.name;
        paths.extend(
            group.fields.iter().map(|(field, _)| format!("{name}.{}", field.replace('*', "x"))),
        );
        if let Some(things) = &group.things {
            for thing in ["a", "b.c", "d"] {
                let whole = format!("{name}.{}{thing}", things.prefix);
                if things.fields.is_empty() {
                    paths.push(whole);
                } else {
                    paths.extend(things.fields.iter().map(|(field, _)| format!("{whole}.{field}")));
                }
            }
        }
    }
    let value = prop_oneof![
        1 => Just(None),
        1 => Just(Some(None)),
        4 => "[12]".prop_map(|text| Some(Some(text))),
    ];
    proptest::collection::vec(value, paths.len()).prop_map(move |values| {
        let there = paths.iter().cloned().zip(values);
        Fingerprint(there.filter_map(|(path, value)| Some((path, value?))).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn equal_machines_have_no_change(one in prints()) {
        prop_assert_eq!(differences(&one, &one).causes, vec![]);
    }

    #[test]
    fn the_way_back_is_the_same_changes_turned(one in prints(), other in prints()) {
        let (there, back) = (differences(&one, &other), differences(&other, &one));
        let turn = |change: Change| Change { then: change.now, now: change.then, ..change };
        let mut turned: Vec<Change> = back.causes.into_iter().map(turn).collect();
        let mut forth = there.causes;
        for list in [&mut turned, &mut forth] {
            list.sort_by(|a, b| (&a.path, &a.then, &a.now).cmp(&(&b.path, &b.then, &b.now)));
        }
        prop_assert_eq!(forth, turned);
        prop_assert_eq!(there.unknown, back.unknown);
    }

    #[test]
    fn what_is_unknown_on_one_side_never_changes(one in prints(), other in prints()) {
        let nothing = Fingerprint(one.0.keys().map(|path| (path.clone(), None)).collect());
        prop_assert_eq!(differences(&one, &nothing).causes, vec![]);
        prop_assert_eq!(differences(&one, &Fingerprint::default()).causes, vec![]);
        for change in differences(&one, &other).causes {
            prop_assert!(!matches!(one.0.get(&change.path), Some(None)), "{change:?}");
            prop_assert!(!matches!(other.0.get(&change.path), Some(None)), "{change:?}");
            prop_assert!(change.then != change.now && !change.phrase().is_empty());
        }
    }
}
