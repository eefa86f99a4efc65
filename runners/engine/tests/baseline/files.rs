//! That the two files of a baseline never lie: cut, edited, half written, raced for.

use std::thread;

use verify_engine::{
    baseline::{Ledger, ShelfError, Summary, accept},
    load::diagnostic::{LoadError, Source},
};

use crate::{
    Ground, disk,
    run::{CHECK, accepted, at, because, everything, id},
};

#[track_caller]
fn complains(error: &LoadError, words: &[&str]) {
    let text = error.render(false);
    for word in words {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
}

/// Holds two accepted runs.
fn two() -> Ground {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    accepted(&ground.shelf, &at(2, 4.0));
    ground
}

#[test]
fn a_number_that_was_changed_by_hand_is_found_with_its_line() {
    let ground = two();
    let text = ground.read("disk.toml");
    for (from, to, words) in [
        (
            "centre = \"3 GB/s\"",
            "centre = \"2 GB/s\"",
            "is `2 GB/s`, and its ledger gives `3 GB/s`",
        ),
        ("reason = \"it is so\"", "reason = \"trust me\"", "is `trust me`"),
        ("units = 2", "units = 20", "is `20`"),
        ("better = \"higher\"", "better = \"lower\"", "is `lower`"),
        ("machine = \"tower\"", "machine = \"tower2\"", "is `tower2`"),
        ("field = \"rate\"", "field = \"rates\"", "other fields than its ledger"),
        ("id = \"disk/read\"", "id = \"disk/reads\"", "its ledger has no unit of it"),
        ("verify-baseline/1", "verify-baseline/9", "a newer verify may read it"),
        ("spread = \"1 GB/s\"", "spread = \"2 GB/s\"", "`spread` of disk/read, rate is `2 GB/s`"),
        ("spread = \"1 GB/s\"\n", "", "is `nothing`, and its ledger gives `1 GB/s`"),
        (
            "spread = \"1 GB/s\"",
            "anchor = \"9 GB/s\"\nspread = \"1 GB/s\"",
            "`anchor` of disk/read",
        ),
        (&format!("epoch = \"{}\"", id(1)), &format!("epoch = \"{}\"", id(2)), "`epoch` of"),
        (&format!("runs = [\"{}\", ", id(1)), "runs = [", "`runs` of disk/read"),
        ("definition = \"", "definition = \"0", "`definition` of disk/read"),
        ("digest = \"", "digest = \"0", "does not match its ledger"),
    ] {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "{from}");
        ground.write("disk.toml", &edited);
        let error = ground.shelf.read(&disk()).unwrap_err();
        complains(&error, &["baselines/box/disk.toml:", words, "verify baseline merge"]);
    }
}

#[test]
fn nonsense_in_a_summary_is_found_with_its_line() {
    let ground = two();
    let text = ground.read("disk.toml");
    for (nonsense, words) in [
        (text.replace("units = 2", "units = two"), "disk.toml:"),
        (text.replace("units = 2", "units = -2"), "disk.toml:"),
        (text.replace("units = 2", "unit = 2"), "unknown field `unit`"),
        (text.replace("centre = \"3 GB/s\"\n", ""), "missing field `centre`"),
        (text.replace("units = 2", "units = 2\nunits = 2"), "duplicate key"),
        (String::new(), "missing field `format`"),
    ] {
        ground.write("disk.toml", &nonsense);
        complains(&ground.shelf.read(&disk()).unwrap_err(), &["error", words]);
    }
    let whole = text.split_once("[[check]]").unwrap().1;
    ground.write("disk.toml", &format!("{text}\n[[check]]{whole}"));
    complains(&ground.shelf.read(&disk()).unwrap_err(), &["stands here twice"]);
}

#[test]
fn a_ledger_that_is_cut_anywhere_is_found_and_nothing_is_written_over_it() {
    let ground = two();
    let whole = ground.read("disk.runs.jsonl");
    let second = whole.find('\n').unwrap() + 1;
    let cuts = [1, second / 2, second - 1, second, second + 5, whole.len() - 1];
    for at in cuts {
        ground.write("disk.runs.jsonl", &whole[..at]);
        let error = ground.shelf.read(&disk()).unwrap_err();
        let words = if at == second { "does not match its ledger" } else { "ends in the middle" };
        complains(&error, &[words]);
        let refused = accept(&ground.shelf, &everything(&crate::run::at(3, 2.0)), &because("x"));
        assert!(matches!(refused, Err(ShelfError::Load(_))), "{refused:?}");
        assert_eq!(ground.read("disk.runs.jsonl"), whole[..at]);
        assert_eq!(ground.names(), ["disk.runs.jsonl", "disk.toml"]);
    }
}

#[test]
fn nonsense_in_a_ledger_is_found_with_its_line() {
    let ground = two();
    let whole = ground.read("disk.runs.jsonl");
    let (first, second) = whole.split_once('\n').unwrap();
    for (nonsense, words) in [
        ("{}".to_owned(), "it has no `format`"),
        (first.replace(&format!("\"run\":\"{}\"", id(1)), "\"run\":\"zz\""), "`run` is no id"),
        (first.replace(&format!("\"epoch\":\"{}\"", id(1)), "\"epoch\":\"\""), "`epoch` is no id"),
        ("not json".to_owned(), "not a unit of a baseline"),
        (first.replace("verify-ledger/1", "verify-ledger/9"), "a newer verify may read it"),
        (first.replace("\"n\":1", "\"n\":0"), "has no sample"),
        (first.replace("GB/s", "GBps"), "unknown unit `GBps`"),
        (first.replace("\"repeat\":1", "\"repeat\":1,\"extra\":2"), "unknown field `extra`"),
        (second.trim().replace("\"at-ms\":5", "\"at-ms\":6"), "with two contents"),
    ] {
        ground.write("disk.runs.jsonl", &format!("{nonsense}\n{second}"));
        complains(&ground.shelf.read(&disk()).unwrap_err(), &["disk.runs.jsonl:", words]);
    }
}

#[test]
fn a_line_that_was_added_taken_out_or_changed_does_not_match_the_digest() {
    let ground = two();
    let whole = ground.read("disk.runs.jsonl");
    let lines: Vec<&str> = whole.lines().collect();
    let more = lines[1].replace(&id(2), &id(9));
    for changed in [
        format!("{}\n", lines[0]),
        format!("{whole}{more}\n"),
        whole.replacen("\"median\":2.0", "\"median\":2.5", 1),
    ] {
        assert_ne!(changed, whole);
        ground.write("disk.runs.jsonl", &changed);
        complains(&ground.shelf.read(&disk()).unwrap_err(), &["does not match its ledger"]);
    }
    // Order and repetition are what a merge by version control leaves; they say the same.
    ground.write("disk.runs.jsonl", &format!("{}\n\n{}\n{}\n", lines[1], lines[0], lines[1]));
    assert_eq!(ground.shelf.read(&disk()).unwrap().render(), whole);
}

#[test]
fn one_file_without_the_other_is_found() {
    let ground = two();
    let (summary, ledger) = (ground.read("disk.toml"), ground.read("disk.runs.jsonl"));
    let folder = ground.shelf.dir().join("box");
    std::fs::remove_file(folder.join("disk.runs.jsonl")).unwrap();
    complains(&ground.shelf.read(&disk()).unwrap_err(), &["disk.toml has no ledger beside it"]);
    std::fs::remove_file(folder.join("disk.toml")).unwrap();
    assert!(ground.shelf.read(&disk()).unwrap().is_empty());
    ground.write("disk.runs.jsonl", &ledger);
    complains(&ground.shelf.read(&disk()).unwrap_err(), &["has no summary", "baseline merge"]);
    ground.write("disk.toml", &summary);
    assert!(ground.shelf.read(&disk()).is_ok());
}

#[test]
fn a_check_that_the_summary_lost_is_found() {
    let ground = two();
    let mut other = at(3, 2.0);
    other.checks[0].planned.check.id = "disk/write".into();
    accepted(&ground.shelf, &other);
    let text = ground.read("disk.toml");
    let cut = text.rfind("[[check]]").unwrap();
    ground.write("disk.toml", &text[..cut]);
    let words = ["the ledger has units of `disk/write`, and the summary has not"];
    complains(&ground.shelf.read(&disk()).unwrap_err(), &words);
}

#[test]
fn a_summary_that_cannot_be_replaced_leaves_the_newer_ledger_and_says_so() {
    let ground = two();
    let ledger = ground.shelf.read(&disk()).unwrap();
    let whole = ground.read("disk.runs.jsonl");
    let (summary, path) = (ground.shelf.summary_path(&disk()), ground.shelf.ledger_path(&disk()));
    std::fs::remove_file(&summary).unwrap();
    std::fs::create_dir(&summary).unwrap();
    std::fs::remove_file(&path).unwrap();
    let lock = ground.shelf.lock().unwrap();
    let error = ground.shelf.write(&lock, &[(disk(), ledger)]).unwrap_err();
    assert!(matches!(error, ShelfError::Half { .. }), "{error}");
    assert!(error.to_string().contains("verify baseline merge"), "{error}");
    assert_eq!(ground.read("disk.runs.jsonl"), whole);
    assert_eq!(ground.names(), ["disk.runs.jsonl", "disk.toml"]);
}

#[test]
fn a_crash_between_the_two_files_is_found_and_repaired_from_the_ledger() {
    let ground = two();
    let old = ground.read("disk.toml");
    accepted(&ground.shelf, &at(3, 5.0));
    let new = ground.read("disk.toml");
    // The ledger is replaced first: this is what a crash leaves.
    ground.write("disk.toml", &old);
    complains(&ground.shelf.read(&disk()).unwrap_err(), &["does not match its ledger"]);
    let ledger = ground.shelf.read_ledger(&ground.shelf.ledger_path(&disk())).unwrap();
    let lock = ground.shelf.lock().unwrap();
    ground.shelf.write(&lock, &[(disk(), ledger)]).unwrap();
    assert_eq!(ground.read("disk.toml"), new);
}

#[test]
fn what_a_killed_writer_left_goes_with_the_next_one() {
    let ground = two();
    ground.write(".verify-x7.new", "half a");
    ground.write("notes.txt", "ours");
    accepted(&ground.shelf, &at(3, 4.0));
    assert_eq!(ground.names(), ["disk.runs.jsonl", "disk.toml", "notes.txt"]);
}

#[test]
fn a_ledger_that_could_not_be_read_again_is_not_written() {
    let ground = two();
    let before = (ground.read("disk.toml"), ground.read("disk.runs.jsonl"));
    let mut vast = at(3, 2.0);
    let bytes = usize::try_from(verify_engine::baseline::MAX_LEDGER).unwrap();
    vast.checks[0].planned.check.id = "x".repeat(bytes);
    let refused = accept(&ground.shelf, &everything(&vast), &because("x")).unwrap_err();
    assert!(refused.to_string().contains("split the suite"), "{refused}");
    assert_eq!((ground.read("disk.toml"), ground.read("disk.runs.jsonl")), before);
    assert_eq!(ground.names(), ["disk.runs.jsonl", "disk.toml"]);
    let path = ground.shelf.ledger_path(&disk());
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(verify_engine::baseline::MAX_LEDGER + 1).unwrap();
    complains(&ground.shelf.read(&disk()).unwrap_err(), &["bytes: expected at most"]);
}

#[test]
fn a_first_write_that_fails_leaves_no_folder() {
    let (source, ground) = (two(), Ground::new());
    let ledger = source.shelf.read(&disk()).unwrap();
    let wrong = verify_engine::baseline::Place { suite: "a/b".into(), ..disk() };
    let lock = ground.shelf.lock().unwrap();
    ground.shelf.write(&lock, &[(disk(), ledger.clone()), (wrong, ledger)]).unwrap_err();
    assert_eq!(std::fs::read_dir(ground.shelf.dir()).unwrap().count(), 0);
}

#[test]
fn accepts_at_once_lose_nothing() {
    let ground = Ground::new();
    thread::scope(|scope| {
        for number in 1..=8 {
            let shelf = &ground.shelf;
            scope.spawn(move || accepted(shelf, &at(number, 2.0)));
        }
    });
    let ledger = ground.shelf.read(&disk()).unwrap();
    assert_eq!(ledger.history(CHECK).unwrap().current.len(), 8);
    assert_eq!(ground.names(), ["disk.runs.jsonl", "disk.toml"]);
}

#[test]
fn a_reader_never_sees_a_writer_between_its_two_files() {
    let ground = two();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 3..40 {
                accepted(&ground.shelf, &at(number, 4.0));
            }
        });
        while !writer.is_finished() {
            assert!(!ground.shelf.read(&disk()).unwrap().is_empty());
        }
    });
}

#[test]
fn the_same_units_give_the_same_bytes() {
    let (one, other) = (Ground::new(), Ground::new());
    for number in [1, 2, 3] {
        accepted(&one.shelf, &at(number, 2.0));
        accepted(&other.shelf, &at(number, 2.0));
    }
    for file in ["disk.toml", "disk.runs.jsonl"] {
        assert_eq!(one.read(file), other.read(file));
    }
}

#[test]
fn a_name_that_is_a_path_is_never_written_to() {
    let ground = Ground::new();
    for name in ["../disk", "a/b", "..", ".", "", "/etc/disk"] {
        let mut run = at(1, 2.0);
        run.checks[0].planned.check.suite = name.into();
        let change = accept(&ground.shelf, &everything(&run), &because("x")).unwrap();
        assert!(change.taken.is_empty() && change.ledgers.is_empty(), "{name}");
        assert!(change.refused[0].why.contains("is no name of a file"), "{:?}", change.refused);
        let ledger = two().shelf.read(&disk()).unwrap();
        let place = verify_engine::baseline::Place { suite: name.into(), ..disk() };
        let lock = ground.shelf.lock().unwrap();
        ground.shelf.write(&lock, &[(place, ledger)]).unwrap_err();
    }
    assert_eq!(std::fs::read_dir(ground.shelf.dir()).unwrap().count(), 0);
}

#[test]
fn the_first_format_is_read_for_ever() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/baseline/v1");
    let shelf = verify_engine::baseline::Shelf::new(folder);
    let ledger = shelf.read(&disk()).unwrap();
    assert_eq!(ledger.history(CHECK).unwrap().current.len(), 3);
    let summary = Summary::of(&ledger);
    let [check] = &summary.check[..] else { panic!("{summary:?}") };
    let fields: Vec<(&str, &str)> =
        check.metric.iter().map(|m| (m.field.as_str(), m.centre.as_str())).collect();
    assert_eq!(fields, [("latency", "105 us"), ("latency.p99", "391.3 us"), ("rate", "3 GB/s")]);
    let text = std::fs::read_to_string(shelf.ledger_path(&disk())).unwrap();
    assert_eq!(Ledger::parse(&Source::new("x", text.as_str())).unwrap().render(), text);
}

#[test]
fn a_unit_keeps_what_its_probe_depends_on_and_nothing_else() {
    let ground = Ground::new();
    let mut run = at(1, 2.0);
    // The probe of these tests is none that measures, so nothing is kept of it.
    let fields = [("cpu.model", Some("A")), ("bios.version", None), ("tool.fio", Some("3.36"))];
    let fields = fields.map(|(path, text)| (path.to_owned(), text.map(str::to_owned)));
    run.nodes[0].fingerprint.0.extend(fields);
    let plain = everything(&run);
    let unit = &plain.units[&disk()][0];
    assert!(unit.fingerprint.is_empty() && unit.format == "verify-ledger/1");
    run.checks[0].planned.check.probe = "memory-bandwidth".into();
    accept(&ground.shelf, &everything(&run), &because("x")).unwrap();
    let text = std::fs::read_to_string(ground.shelf.ledger_path(&disk())).unwrap();
    let kept = r#""fingerprint":{"bios.version":null,"cpu.model":"A"}"#;
    assert!(text.contains(kept) && text.contains("verify-ledger/2"), "{text}");
    let ledger = ground.shelf.read(&disk()).unwrap();
    let summary = Summary::of(&ledger).render("");
    assert!(summary.contains("verify-baseline/2") && summary.contains("\nfingerprint = \""));
    // What the first format has not is refused in its lines.
    let old = text.replace("verify-ledger/2", "verify-ledger/1");
    assert!(Ledger::parse(&Source::new("x", old.as_str())).is_err());
}
