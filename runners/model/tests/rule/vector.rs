//! Walks every reference vector.
//!
//! Numbers agree to 1e-9, words are equal. The number of cases is counted, so that a file that lost half
//! of them does not pass.

use std::{env, fs, io::Write as _, path::PathBuf};

use serde_json::Value;
use verify_model::{
    metric::Direction,
    statistics::{
        Estimate, Guard, Keys, Prior, Question, RUNS, Scale, Transform, UnitKind, Word, adjusted,
        both, fit_prior, floor, sequence,
    },
};

/// How many cases the file holds.
const CASES: usize = 267;

/// One vector, with what is read from it.
struct Case<'v> {
    id: &'v str,
    input: &'v Value,
    expect: &'v Value,
}

impl Case<'_> {
    fn number(&self, key: &str) -> f64 {
        number(self.input, key)
    }

    /// Demands a number of the expectation.
    fn demand(&self, key: &str, found: f64) {
        self.close(key, number(self.expect, key), found);
    }

    fn close(&self, what: &str, expected: f64, found: f64) {
        let off = (found - expected).abs();
        let close = off <= 1e-9 * expected.abs() || off <= 1e-12;
        assert!(close, "{}: {what} is {found:e}, not {expected:e}", self.id);
    }

    fn word(&self, key: &str, found: Word) {
        self.text(key, word(found));
    }

    fn text(&self, key: &str, found: &str) {
        let expected = self.expect[key].as_str().expect("a word");
        assert_eq!(found, expected, "{}: {key}", self.id);
    }

    fn levels(&self) -> Keys {
        Keys { red: self.number("beta_red"), same: self.number("beta_same") }
    }

    /// A question of units without sessions, from the object that holds the two sides.
    fn question(&self, of: &Value, baseline: &str, new: &str) -> Question {
        let own = |key: &str| of.get(key).unwrap_or(&self.input[key]).as_f64();
        assert_eq!(self.number("d_cap").to_bits(), 8.0_f64.to_bits(), "{}", self.id);
        Question {
            baseline: vec![numbers(&of[baseline])],
            new: vec![numbers(&of[new])],
            prior: super::prior(own("s0").expect("s0"), self.number("d0")),
            floor: own("floor").expect("floor"),
            tol: own("tol").expect("tol"),
            interleaved: false,
        }
    }

    fn estimate(&self, question: &Question) -> Estimate {
        question.estimate().unwrap_or_else(|| panic!("{}: no estimate", self.id))
    }

    /// The rule for one metric alone.
    fn unguarded(&self, question: &Question) -> Estimate {
        question.unguarded().unwrap_or_else(|| panic!("{}: no estimate", self.id))
    }

    fn main_numbers(&self, found: &Estimate) {
        for (key, number) in
            [("est", found.est), ("se", found.se), ("df", found.df), ("p", found.p)]
        {
            self.demand(key, number);
        }
    }
}

fn number(of: &Value, key: &str) -> f64 {
    of[key].as_f64().unwrap_or_else(|| panic!("no number `{key}` in {of}"))
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn sessions(list: &Value) -> Vec<Vec<f64>> {
    list.as_array().expect("a list of lists").iter().map(numbers).collect()
}

fn word(word: Word) -> &'static str {
    match word {
        Word::Regressed => "regressed",
        Word::Improved => "improved",
        Word::Same => "same",
        Word::Inconclusive => "inconclusive",
    }
}

fn rule(case: &Case) {
    let question = case.question(case.input, "baseline", "new");
    let found = case.unguarded(&question);
    for (key, number) in [
        ("m_b", found.baseline.mean),
        ("v_b", found.baseline.variance),
        ("f_b", found.baseline.free),
        ("m_n", found.new.mean),
        ("v_n", found.new.variance),
        ("f_n", found.new.free),
    ] {
        case.demand(key, number);
    }
    case.main_numbers(&found);
    let (levels, alpha, tol) = (case.levels(), case.number("alpha"), question.tol);
    case.word("verdict", found.word_by(levels, found.p <= alpha, tol));
    case.demand("mde", found.detectable_by(levels, alpha, tol));
    let needed = found.needed_by(levels, alpha, tol, 1.05_f64.ln());
    let expected = case.expect["needed"].as_u64().and_then(|n| u32::try_from(n).ok());
    assert_eq!(needed, expected, "{}: needed", case.id);
}

fn unit(case: &Case) {
    let question = Question {
        baseline: sessions(&case.input["baseline"]),
        new: sessions(&case.input["new"]),
        prior: Prior {
            s_run: case.number("s_run"),
            s_sess: case.number("s_sess"),
            d0: case.number("d0"),
            d_s: case.number("d_s"),
            learned: false,
        },
        floor: case.number("floor"),
        tol: case.number("tol"),
        interleaved: case.input["interleaved"].as_bool().expect("interleaved"),
    };
    let found = case.estimate(&question);
    case.text("unit", if found.unit == UnitKind::Session { "session" } else { "run" });
    assert_eq!(Some(found.provisional), case.expect["provisional"].as_bool(), "{}", case.id);
    case.demand("s0", found.expected);
    case.demand("w", found.between);
    case.main_numbers(&found);
    case.word(
        "verdict",
        found.word_by(case.levels(), found.p <= case.number("alpha"), question.tol),
    );
    if let Some(units) = case.expect.get("units_b") {
        let again = |side: &str| sessions(&case.input[side]);
        for (key, side) in [("units_b", again("baseline")), ("units_n", again("new"))] {
            let expected = numbers(&case.expect[key]);
            assert_eq!(expected.len(), side.len(), "{}: {units}", case.id);
            for (expected, runs) in expected.iter().zip(side) {
                let value = verify_model::statistics::Side::of(&runs).expect("runs").mean;
                case.close(key, *expected, value);
            }
        }
    }
}

fn drift(case: &Case) {
    let question = case.question(case.input, "baseline", "new");
    let found = case.estimate(&question);
    let guard = match found.guard {
        Guard::TooFew => "too-few",
        Guard::Quiet => "quiet",
        Guard::Fired => "fired",
    };
    case.text("guard", guard);
    match case.expect["r1"].as_f64() {
        Some(expected) => case.close("r1", expected, found.lag.expect("a correlation")),
        None => assert_eq!(found.lag, None, "{}", case.id),
    }
    case.demand("factor", found.inflation);
    case.main_numbers(&found);
    case.word(
        "verdict",
        found.word_by(case.levels(), found.p <= case.number("alpha"), question.tol),
    );
    let without = case.unguarded(&question);
    case.word(
        "verdict_without_guard",
        without.word_by(case.levels(), without.p <= case.number("alpha"), question.tol),
    );
}

fn suite(case: &Case) {
    let metrics = case.input["metrics"].as_array().expect("metrics");
    let questions: Vec<Question> =
        metrics.iter().map(|metric| case.question(metric, "baseline", "new")).collect();
    let found: Vec<Estimate> = questions.iter().map(|question| case.unguarded(question)).collect();
    let p: Vec<f64> = found.iter().map(|estimate| estimate.p).collect();
    let adjusted = adjusted(&p);
    for (key, list) in [("p", &p), ("p_adjusted", &adjusted)] {
        let expected = numbers(&case.expect[key]);
        assert_eq!(expected.len(), list.len());
        expected.iter().zip(list).for_each(|(expected, found)| case.close(key, *expected, *found));
    }
    for (at, estimate) in found.iter().enumerate() {
        let key1 = adjusted[at] <= case.number("level");
        assert_eq!(Some(key1), case.expect["accepted"][at].as_bool(), "{}", case.id);
        let called = word(estimate.word_by(case.levels(), key1, questions[at].tol));
        assert_eq!(Some(called), case.expect["verdicts"][at].as_str(), "{}", case.id);
    }
}

fn looks(case: &Case) {
    let expected: Vec<f64> = RUNS.looks.iter().map(|look| f64::from(*look)).collect();
    assert_eq!(numbers(&case.input["looks"]), expected);
    assert_eq!(numbers(&case.input["spend"]), RUNS.spend);
    let metrics = case.input["metrics"].as_array().expect("metrics");
    let questions: Vec<Question> =
        metrics.iter().map(|metric| case.question(metric, "baseline", "new")).collect();
    for (at, decision) in sequence(&questions, &RUNS, Question::unguarded).into_iter().enumerate() {
        let expected = case.expect["verdicts"][at].as_str();
        assert_eq!(Some(word(decision.word)), expected, "{} {at}", case.id);
        let units = case.expect["runs"][at].as_u64();
        assert_eq!(Some(u64::from(decision.units)), units, "{} {at}", case.id);
    }
}

fn transform(case: &Case) {
    let direction = match case.input["direction"].as_str() {
        Some("lower") => Direction::LowerIsBetter,
        Some("higher") => Direction::HigherIsBetter,
        other => panic!("{other:?}"),
    };
    let scale = match case.input["scale"].as_str() {
        Some("log") => Scale::Log,
        Some("linear") => Scale::Linear,
        other => panic!("{other:?}"),
    };
    let transform = Transform::of(direction, scale).expect("a direction");
    let side = |key: &str| -> Vec<f64> {
        numbers(&case.input[key]).iter().map(|x| transform.y(*x).expect("y")).collect()
    };
    let mut question = Question {
        baseline: vec![side("baseline")],
        new: vec![side("new")],
        prior: super::prior(case.number("s0"), case.number("d0")),
        floor: 0.0,
        tol: transform.tol(case.number("tolerance")),
        interleaved: false,
    };
    let centre = transform.value(question.centre().expect("a centre"));
    question.floor = floor(case.input["step"].as_f64(), centre, scale);
    case.demand("tol", question.tol);
    case.demand("floor", question.floor);
    let found = case.unguarded(&question);
    case.main_numbers(&found);
    case.word(
        "verdict",
        found.word_by(case.levels(), found.p <= case.number("alpha"), question.tol),
    );
    case.demand("change", transform.change(found.est));
    let (one, other) = found.interval();
    let (one, other) = (transform.change(one), transform.change(other));
    case.demand("change_low", one.min(other));
    case.demand("change_high", one.max(other));
}

fn anchor(case: &Case) {
    let against = |key: &str| {
        let question = case.question(case.input, key, "new");
        let found = case.unguarded(&question);
        let key1 = found.p <= case.number("alpha") / 2.0;
        (found.est, found.word_by(case.levels(), key1, question.tol))
    };
    let ((est, current), (est_anchor, anchor)) = (against("current"), against("anchor"));
    case.demand("est_current", est);
    case.demand("est_anchor", est_anchor);
    case.word("against_current", current);
    case.word("against_anchor", anchor);
    case.word("verdict", both(current, anchor));
}

fn prior_fit(case: &Case) {
    let variances = numbers(&case.input["variances"]);
    let df = vec![case.number("df"); variances.len()];
    let fit = fit_prior(&variances, &df).expect("a fit");
    case.demand("s0", fit.s0);
    case.demand("d0_raw", fit.d0_raw);
    case.demand("d0", fit.d0);
}

#[test]
fn every_reference_vector_is_met() {
    let Some(samples) = env::var_os("VERIFY_SAMPLES") else {
        let _ = writeln!(std::io::stderr(), "skipped: needs VERIFY_SAMPLES");
        return;
    };
    let file = PathBuf::from(samples).join("statistics/rule_vectors.json");
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list of vectors");
    let mut compared = 0;
    for value in &cases {
        let case = Case {
            id: value["id"].as_str().expect("id"),
            input: &value["input"],
            expect: &value["expect"],
        };
        match value["kind"].as_str() {
            Some("rule") => rule(&case),
            Some("unit") => unit(&case),
            Some("drift") => drift(&case),
            Some("suite") => suite(&case),
            Some("sequence") => looks(&case),
            Some("transform") => transform(&case),
            Some("anchor") => anchor(&case),
            Some("prior-fit") => prior_fit(&case),
            other => panic!("{}: a kind that nobody compares: {other:?}", case.id),
        }
        compared += 1;
    }
    assert_eq!(compared, CASES);
}
