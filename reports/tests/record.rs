//! The recorded lines fold back into the run that they were written from.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;

use verify_model::event::{Event, fold};
use verify_model::run::Run;
use verify_reports::find;

/// Lists every run of the corpus, and the one that holds all that a record can hold.
fn all() -> impl Iterator<Item = (&'static str, Run)> {
    corpus::all().into_iter().chain([("measured", corpus::measured::measured())])
}

fn lines(run: &Run) -> String {
    String::from_utf8(find("jsonl").unwrap().render(run).unwrap()).unwrap()
}

fn events(text: &str) -> Vec<Event> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_record_folds_back_into_an_equal_run() {
    for (name, run) in all() {
        let text = lines(&run);
        let folded = fold(events(&text)).unwrap();
        assert_eq!(folded, run, "{name}");
        assert_eq!(lines(&folded), text, "{name}");
    }
}

#[test]
fn an_awkward_number_survives_the_record_to_the_last_bit() {
    use corpus::build::{Builder, expect, metric};
    use verify_model::{metric::Direction, verdict::Answer};
    let samples = [
        0.1 + 0.2,
        1.0 / 3.0,
        8.41e21,
        5e-324,
        9_007_199_254_740_993.0,
        -1.234_567_890_123_456_7e-9,
    ];
    let mut run = Builder::new();
    let answer = metric("p99", "us", Direction::LowerIsBetter, &samples);
    run.check("lat/odd", "Odd numbers", vec![expect("p99", "at-least", "0 us")], answer);
    let run = run.finish();
    let folded = fold(events(&lines(&run))).unwrap();
    let Answer::Attempted(attempts) = &folded.checks[0].answer else { panic!("not attempted") };
    let observation = attempts[0].result.as_ref().unwrap();
    let bits = |numbers: &[f64]| numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(observation.metrics["p99"].samples()), bits(&samples));
}

#[test]
fn any_prefix_with_a_plan_keeps_every_planned_check_once() {
    for (name, run) in all() {
        let events = events(&lines(&run));
        let plan = events.iter().position(|e| matches!(e, Event::PlanReady { .. })).unwrap();
        for end in 0..=events.len() {
            let folded = fold(events[..end].iter().cloned());
            if end <= plan {
                assert!(folded.is_err(), "{name}: a prefix of {end} has no plan");
                continue;
            }
            let folded = folded.unwrap();
            let keys = |run: &Run| run.checks.iter().map(|c| c.planned.key()).collect::<Vec<_>>();
            assert_eq!(keys(&folded), keys(&run), "{name} cut at {end}");
            assert_eq!(folded.complete, run.complete && end == events.len(), "{name} cut at {end}");
            for format in verify_reports::FORMATS {
                assert!(format.render(&folded).is_ok(), "{name} cut at {end}");
            }
        }
    }
}
