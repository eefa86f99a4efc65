//! What two series of the same thing say, by the rule of this project, and the table of it.
//!
//! Both series are taken in turns, so what disturbs one disturbs the other; the first of each is not
//! counted. The tool alone is the baseline, `verify` is the new side.

use verify_model::statistics::{FIXED, FWER, Question, Scale, Transform, Word, class, floor};

/// What is tolerated. *Source*: the tolerance that the shipped suites give a throughput. *Units*: share.
const TOLERANCE: f64 = 0.02;

/// Holds one line of the table.
pub(crate) struct Row(Vec<String>);

const HEAD: [&str; 8] = [
    "part",
    "what",
    "verify",
    "the tool alone",
    "difference",
    "95 % interval",
    "could have seen",
    "answer",
];

impl Row {
    /// Says that a part could not be measured.
    pub(crate) fn left_out(part: &str, why: &str) -> Self {
        let mut cells = vec![part.to_owned(), format!("skipped: needs {why}")];
        cells.resize(HEAD.len(), "-".to_owned());
        Self(cells)
    }

    /// Shows two figures beside each other, of which no series was taken.
    pub(crate) fn shown(part: &str, what: &str, [own, theirs]: [String; 2], said: &str) -> Self {
        let dash = || "-".to_owned();
        Self(vec![part.into(), what.into(), own, theirs, dash(), dash(), dash(), said.into()])
    }

    /// Compares two series in which higher is better.
    pub(crate) fn compared(
        part: &str,
        what: &str,
        class_name: &str,
        (own, theirs): (&[f64], &[f64]),
        shown: impl Fn(f64) -> String,
    ) -> Self {
        let figures = [shown(median(own)), shown(median(theirs))];
        let Some(found) = compare(class_name, own, theirs) else {
            return Self::shown(part, what, figures, "no answer: too few numbers");
        };
        let percent = |share: f64| format!("{:+.2} %", share * 100.0);
        let [own, theirs] = figures;
        Self(vec![
            part.to_owned(),
            format!("{what}, {} and {} runs in turns", found.runs.0, found.runs.1),
            own,
            theirs,
            percent(found.change),
            format!("{} to {}", percent(found.low), percent(found.high)),
            percent(found.seen),
            found.said,
        ])
    }
}

struct Compared {
    runs: (usize, usize),
    change: f64,
    low: f64,
    high: f64,
    seen: f64,
    said: String,
}

fn compare(class_name: &str, own: &[f64], theirs: &[f64]) -> Option<Compared> {
    let transform = Transform { scale: Scale::Log, sign: -1.0 };
    let series =
        |values: &[f64]| values.iter().map(|x| transform.y(*x)).collect::<Option<Vec<_>>>();
    let tol = transform.tol(TOLERANCE);
    let question = Question {
        baseline: vec![series(theirs)?],
        new: vec![series(own)?],
        prior: class(class_name)?.prior,
        floor: floor(None, median(theirs), Scale::Log),
        tol,
        interleaved: true,
    };
    let found = question.estimate()?;
    // One comparison, looked at once: the level of the family is its own.
    let alpha = FWER * FIXED.largest_spend();
    let (low, high) = found.interval();
    let word = match found.word(found.p <= alpha, tol) {
        Word::Same => format!("same within {} %", TOLERANCE * 100.0),
        Word::Regressed => "verify is lower".to_owned(),
        Word::Improved => "verify is higher".to_owned(),
        Word::Inconclusive if found.p > alpha => {
            "no difference beyond noise; more runs to call it same".to_owned()
        }
        Word::Inconclusive => "a difference, of a size that matters or not: more runs".to_owned(),
    };
    Some(Compared {
        runs: (own.len(), theirs.len()),
        change: transform.change(found.est),
        low: transform.change(high),
        high: transform.change(low),
        seen: transform.change(found.detectable(alpha, tol)),
        said: format!("{word} (p {:.2})", found.p),
    })
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Takes two series in turns, the order turned each time; the first of each is not counted.
pub(crate) fn in_turns(
    turns: usize,
    mut own: impl FnMut() -> f64,
    mut theirs: impl FnMut() -> f64,
) -> (Vec<f64>, Vec<f64>) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for turn in 0..=turns {
        let (a, b) = if turn % 2 == 0 {
            let a = own();
            (a, theirs())
        } else {
            let b = theirs();
            (own(), b)
        };
        if turn > 0 {
            first.push(a);
            second.push(b);
        }
    }
    (first, second)
}

/// Prints the table as Markdown, so that it can stand in the book as it is.
pub(crate) fn print(rows: &[Row]) {
    let head: Vec<String> = HEAD.iter().map(|word| (*word).to_owned()).collect();
    let rule = vec!["---".to_owned(); HEAD.len()];
    for cells in [&head, &rule].into_iter().chain(rows.iter().map(|row| &row.0)) {
        println!("| {} |", cells.join(" | "));
    }
}
