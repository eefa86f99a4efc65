//! How a comparison is said: the sentence, the numbers behind it, and what it could not have seen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use sample::q;
use verify_model::{
    comparison::{AtFirst, Comparison, Count, Standing},
    quantity::Quantity,
};

const STANDINGS: [Standing; 5] = [
    Standing::Same,
    Standing::Improved,
    Standing::Regressed,
    Standing::Possible,
    Standing::Inconclusive,
];

/// Builds a latency that rose by a tenth, of a baseline that is not thin.
fn compared(standing: Standing) -> Comparison {
    let mut comparison = Comparison::default();
    comparison.field = "latency".into();
    comparison.standing = standing;
    comparison.then = Some(q("50 us"));
    comparison.now = Some(q("55 us"));
    comparison.tolerance = Some(q("5 %"));
    comparison.relative = true;
    comparison.worse_up = true;
    (comparison.change, comparison.low, comparison.high) = (0.1, -0.005, 0.125);
    comparison.adjusted = 0.25;
    comparison.baseline = Count { sessions: 5, runs: 10 };
    comparison.new = Count { sessions: 1, runs: 3 };
    comparison.class = "device-bandwidth".into();
    comparison
}

#[test]
fn each_standing_has_its_name_and_its_sentence() {
    assert_eq!(
        STANDINGS.map(Standing::name),
        ["same", "improved", "regressed", "possibly regressed", "inconclusive"]
    );
    let interval = "[-0.50 %, +12.5 %]";
    let more = "more runs, a longer baseline or less noise may tell";
    let said = STANDINGS.map(|standing| compared(standing).sentence());
    assert_eq!(
        said,
        [
            format!("`latency` is 55 us, as its baseline 50 us {interval}"),
            format!("`latency` is 55 us, 10.0 % worse than its baseline 50 us {interval}"),
            format!("`latency` is 55 us, 10.0 % worse than its baseline 50 us {interval}"),
            format!(
                "`latency` is 55 us, perhaps 10.0 % worse than its baseline 50 us {interval}; how \
                 much sessions differ here is not known yet (5 sessions (10 runs) v 1 session (3 \
                 runs)); {more}"
            ),
            format!("`latency` is 55 us, and its baseline 50 us {interval}: too uncertain; {more}"),
        ]
    );
}

#[test]
fn worse_is_up_or_down_as_the_metric_has_it() {
    for (change, worse_up, word) in [
        (0.1, true, "worse"),
        (-0.1, true, "better"),
        (0.1, false, "better"),
        (-0.1, false, "worse"),
    ] {
        let mut comparison = compared(Standing::Regressed);
        (comparison.change, comparison.worse_up) = (change, worse_up);
        let said = comparison.sentence();
        assert!(said.contains(&format!("10.0 % {word} than")), "{change} {worse_up}: {said}");
    }
}

#[test]
fn the_first_accepted_units_are_named_where_they_say_the_same_grave_thing() {
    let first = |standing, own| {
        let mut comparison = compared(own);
        comparison.at_first = Some(AtFirst {
            standing,
            then: Some(q("40 us")),
            change: 0.375,
            low: 0.25,
            high: 0.5,
            adjusted: 0.001,
        });
        comparison
    };
    let words = "; against the first accepted units, 40 us: +37.5 % [+25.0 %, +50.0 %]";
    for own in STANDINGS {
        for standing in STANDINGS {
            let grave = own == standing && matches!(own, Standing::Regressed | Standing::Possible);
            let said = first(standing, own).sentence();
            assert_eq!(said.contains(words), grave, "{own:?} {standing:?}: {said}");
        }
    }
    let lines = first(Standing::Regressed, Standing::Same).lines();
    let line = lines.iter().find(|(label, _)| *label == "at first").unwrap();
    assert_eq!(line.1, "regressed, 40 us: +37.5 % [+25.0 %, +50.0 %]; adjusted p 0.001");
}

#[test]
fn what_changed_stands_beside_what_is_grave() {
    for standing in STANDINGS {
        let mut comparison = compared(standing);
        comparison.changed = vec!["bios: 2, was 1".into(), "kernel: 6, was 5".into()];
        let said = comparison.sentence();
        let grave = matches!(standing, Standing::Regressed | Standing::Possible);
        let words = "; changed since then: bios: 2, was 1, kernel: 6, was 5";
        assert_eq!(said.contains(words), grave, "{standing:?}: {said}");
        assert_eq!(comparison.lines().last().unwrap().0, "changed");
        assert!(!compared(standing).sentence().contains("changed since"), "{standing:?}");
        assert_eq!(compared(standing).lines().last().unwrap().0, "sees");
    }
}

#[test]
fn the_numbers_are_said_a_line_each() {
    let mut comparison = compared(Standing::Same);
    let lines = comparison.lines();
    let labels: Vec<_> = lines.iter().map(|(label, _)| *label).collect();
    assert_eq!(labels, ["compared", "evidence", "sees"]);
    assert_eq!(
        lines[0].1,
        "latency same, 50 us -> 55 us, +10.0 % [-0.50 %, +12.5 %], tolerance 5 %"
    );
    assert_eq!(lines[0].1, comparison.headline());
    assert_eq!(lines[1].1, "5 sessions (10 runs) v 1 session (3 runs)");
    comparison.level = 0.05;
    let level = "adjusted p 0.25, limit 0.05; 5 sessions (10 runs) v 1 session (3 runs)";
    assert_eq!(comparison.lines()[1].1, level);
    comparison.look = Some((2, 4));
    comparison.level = 0.0;
    assert!(comparison.lines()[1].1.starts_with("adjusted p 0.25, limit 0, look 2 of 4; 5 "));
    assert_eq!(comparison.shift(), "+10.0 %");
}

#[test]
fn a_thin_baseline_says_what_may_hide() {
    let mut comparison = compared(Standing::Same);
    comparison.detectable = Some(0.2);
    let plain =
        "latency 55 us, same: +10.0 % [-0.50 %, +12.5 %] of the baseline 50 us, tolerance 5 %";
    assert_eq!(comparison.glance(), plain);
    assert_eq!(comparison.sight(), "a loss of 20.0 % would be seen");
    comparison.baseline.runs = 9;
    assert_eq!(
        comparison.glance(),
        format!("{plain}; thin baseline, a loss below 20.0 % may hide")
    );
    assert_eq!(comparison.sight(), "a loss of 20.0 % would be seen; thin baseline (9 runs)");
    comparison.baseline.runs = 1;
    comparison.detectable = None;
    assert_eq!(comparison.glance(), plain);
    assert_eq!(comparison.sight(), "no loss would be seen; thin baseline (1 run)");
}

#[test]
fn what_weakens_a_comparison_is_said() {
    let mut comparison = compared(Standing::Same);
    (comparison.provisional, comparison.drifts, comparison.gated) = (true, true, 1);
    (comparison.goal, comparison.needed) = (Some(0.02), Some(1));
    assert_eq!(
        comparison.sight(),
        "no loss would be seen; provisional: the spread is that of class device-bandwidth; the \
         baseline drifts, so less is concluded; 1 run disturbed and left out; to see 2.0 %: 1 more run"
    );
    comparison.gated = 2;
    assert!(comparison.sight().contains("2 runs disturbed"));
    for (by_session, needed, said) in [
        (false, Some(0), "nothing more is needed"),
        (false, Some(4), "4 more runs"),
        (true, Some(1), "1 more session"),
        (true, Some(4), "4 more sessions"),
        (true, None, "not reachable with more runs: longer baseline or less noise"),
    ] {
        (comparison.by_session, comparison.needed) = (by_session, needed);
        assert!(comparison.sight().ends_with(&format!("to see 2.0 %: {said}")), "{said}");
    }
}

#[test]
fn what_is_uncertain_says_what_would_tell() {
    let ends = |comparison: &Comparison, words: &str| {
        let said = comparison.sentence();
        assert!(said.ends_with(&format!("too uncertain; {words}")), "{said}");
    };
    let mut comparison = compared(Standing::Inconclusive);
    comparison.new.runs = 2;
    ends(&comparison, "2 runs of at least 3");
    comparison.new.runs = 1;
    ends(&comparison, "1 run of at least 3");
    comparison.new.runs = 3;
    for (by_session, needed, goal, said) in [
        (false, None, None, "more runs, a longer baseline or less noise may tell"),
        (true, None, None, "more sessions, a longer baseline or less noise may tell"),
        (true, Some(0), None, "more sessions, a longer baseline or less noise may tell"),
        (false, Some(4), None, "4 more runs would show 10.0 %"),
        (true, Some(1), Some(0.03), "1 more session would show 3.0 %"),
    ] {
        (comparison.by_session, comparison.needed, comparison.goal) = (by_session, needed, goal);
        ends(&comparison, said);
    }
    (comparison.by_session, comparison.needed, comparison.goal) = (false, Some(2), None);
    comparison.relative = false;
    comparison.tolerance = Some(q("1 ms"));
    assert!(comparison.sentence().ends_with("; 2 more runs would show 2000 us"));
    comparison.tolerance = Some(q("2 K"));
    comparison.then = Some(q("50 °C"));
    assert!(comparison.sentence().ends_with("; 2 more runs would show 4 °C"));
    // Without a baseline's unit nothing can be named.
    comparison.then = None;
    assert!(comparison.sentence().ends_with("less noise may tell"));
    comparison.then = Some(q("50 us"));
    comparison.tolerance = None;
    assert!(comparison.sentence().ends_with("less noise may tell"));
}

#[test]
fn sizes_have_the_digits_that_matter_and_changes_their_sign() {
    let shift = |change: f64| {
        let mut comparison = compared(Standing::Same);
        comparison.change = change;
        comparison.shift()
    };
    for (change, said) in [
        (0.0, "0 %"),
        (0.000_01, "0 %"),
        (-0.000_01, "0 %"),
        (0.000_1, "+0.01 %"),
        (-0.009_94, "-0.99 %"),
        (0.01, "+1.0 %"),
        (-0.01, "-1.0 %"),
        (0.999, "+99.9 %"),
        (1.0, "+100 %"),
        (-2.344, "-234 %"),
    ] {
        assert_eq!(shift(change), said, "{change}");
    }
    let absolute = |then: Option<Quantity>, change: f64| {
        let mut comparison = compared(Standing::Same);
        (comparison.relative, comparison.then, comparison.change) = (false, then, change);
        comparison.shift()
    };
    assert_eq!(absolute(Some(q("50 us")), 2.5), "+2.5 us");
    assert_eq!(absolute(Some(q("50 us")), -2.5), "-2.5 us");
    assert_eq!(absolute(Some(q("50 us")), 0.0), "0 us");
    assert_eq!(absolute(None, -2.5), "?");
    let mut unknown = compared(Standing::Same);
    (unknown.now, unknown.then) = (None, None);
    assert!(unknown.sentence().starts_with("`latency` is ?, as its baseline ? "));
}

#[test]
fn what_is_as_its_baseline_stays_open_while_the_first_units_are_uncertain() {
    for own in STANDINGS {
        assert_eq!(compared(own).is_open(), own == Standing::Inconclusive, "{own:?}");
        for standing in STANDINGS {
            let mut comparison = compared(own);
            comparison.at_first = Some(AtFirst { standing, ..AtFirst::default() });
            let grave = matches!(own, Standing::Regressed | Standing::Possible);
            let uncertain = standing == Standing::Inconclusive;
            let open = own == Standing::Inconclusive || (uncertain && !grave);
            assert_eq!(comparison.is_open(), open, "{own:?} {standing:?}");
        }
    }
}
