//! One line of the run record, and how lines fold into a run.
//!
//! Lines are appended as things happen, those of several nodes in any order. Folding accepts any
//! prefix of a record that holds at least the header and the plan; what has no answer by then is
//! `NotReached`. What a node turns out to need beyond the plan is planned behind it, and stands
//! before the other checks of its node. Whatever the order of lines, the run is in that of the plan.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    baseline::Baseline,
    evidence::Evidence,
    judge::blank,
    observation::Attempt,
    run::{Header, PlannedCheck, RUN_FORMAT, Run, RunCheck, RunNode, SuiteSource},
    trend::Trend,
    verdict::{Answer, CheckKey, Verdict},
};

/// Holds one line of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// First line.
    Started(Header),
    /// A node takes part; nothing is known of it yet but its file.
    Named(RunNode),
    /// A node was asked for its facts.
    Node(RunNode),
    /// A suite is used.
    Suite(SuiteSource),
    /// A check is planned.
    Planned(PlannedCheck),
    /// A baseline is compared with.
    Baseline(Baseline),
    /// The plan is complete, as far as files tell. Holds the number of checks so far.
    PlanReady {
        /// Number of planned checks.
        checks: usize,
    },
    /// Something was gathered.
    Evidence(Evidence),
    /// An attempt at a check ended.
    Attempted {
        /// Which check.
        key: CheckKey,
        /// What it brought.
        attempt: Attempt,
    },
    /// A check will not be asked any more: its answer is final.
    Answered {
        /// Which check.
        key: CheckKey,
        /// The answer; absent where the attempts are the answer.
        answer: Option<Answer>,
    },
    /// A check was judged. Kept for readers of the record; folding judges again.
    Verdict(Verdict),
    /// What earlier runs measured of a metric; judging does not look at it.
    Trend(Trend),
    /// Last line.
    Finished {
        /// Duration. *Units*: ms.
        elapsed_ms: u64,
        /// Whether the run was interrupted.
        interrupted: bool,
        /// Exit code.
        exit: u8,
    },
}

/// Says why lines do not make a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first line is not a header.
    #[error("the record does not begin with a `started` line")]
    NoHeader,
    /// The format is another one.
    #[error("the record has the format `{0}`, and this version reads `{RUN_FORMAT}`")]
    Format(String),
    /// The plan is not complete.
    #[error("the record ends before the plan is complete")]
    NoPlan,
    /// A check is named that was not planned, or planned twice.
    #[error("the record is inconsistent: {0}")]
    Inconsistent(String),
}

/// Folds events into a run, and judges it.
///
/// *Errors*: no header, another format, no complete plan, or keys that contradict the plan.
pub fn fold(events: impl IntoIterator<Item = Event>) -> Result<Run, FoldError> {
    let mut fold = Fold::default();
    for event in events {
        fold.take(event)?;
    }
    fold.finish()
}

/// Folds events into a run as they come, so that nobody has to keep them.
#[derive(Debug, Default)]
pub struct Fold {
    run: Option<Run>,
    index: BTreeMap<CheckKey, usize>,
    answered: BTreeSet<usize>,
    planned: Option<usize>,
}

fn empty(header: Header) -> Run {
    Run {
        header,
        nodes: Vec::new(),
        suites: Vec::new(),
        checks: Vec::new(),
        baselines: Vec::new(),
        trends: Vec::new(),
        evidence: Vec::new(),
        elapsed_ms: 0,
        interrupted: false,
        complete: false,
    }
}

/// Puts into the order of the plan what several nodes said side by side; `planned` checks were known
/// before any node was asked.
fn in_order(run: &mut Run, planned: usize) {
    let place = |node: &str| run.nodes.iter().position(|known| known.file.name == node);
    let places: BTreeMap<String, Option<usize>> =
        run.nodes.iter().map(|n| (n.file.name.clone(), place(&n.file.name))).collect();
    let place = |node: &str| places.get(node).copied().flatten();
    let mut checks: Vec<_> = std::mem::take(&mut run.checks).into_iter().enumerate().collect();
    checks.sort_by_key(|(at, check)| (place(&check.planned.node), *at < planned));
    run.checks = checks.into_iter().map(|(_, check)| check).collect();
    run.evidence.sort_by_key(|piece| piece.id);
}

impl Fold {
    /// Takes the next event.
    ///
    /// *Errors*: no header, another format, or keys that contradict the plan. After an error the
    /// fold is of no more use.
    pub fn take(&mut self, event: Event) -> Result<(), FoldError> {
        let Some(run) = &mut self.run else {
            let Event::Started(header) = event else { return Err(FoldError::NoHeader) };
            if header.format != RUN_FORMAT {
                return Err(FoldError::Format(header.format));
            }
            self.run = Some(empty(header));
            return Ok(());
        };
        match event {
            Event::Started(_) => return Err(FoldError::Inconsistent("two headers".into())),
            Event::Named(node) | Event::Node(node) => {
                match run.nodes.iter_mut().find(|n| n.file.name == node.file.name) {
                    Some(known) => *known = node,
                    None => run.nodes.push(node),
                }
            }
            Event::Suite(suite) => run.suites.push(suite),
            Event::Baseline(baseline) => run.baselines.push(baseline),
            Event::Trend(trend) => run.trends.push(trend),
            Event::Planned(planned) => self.plan(planned)?,
            Event::PlanReady { checks } => self.planned = Some(checks),
            Event::Evidence(evidence) => run.evidence.push(evidence),
            Event::Attempted { key, attempt } => match &mut self.check(&key)?.answer {
                Answer::Attempted(attempts) => attempts.push(attempt),
                _ => {
                    return Err(FoldError::Inconsistent(format!(
                        "{} was answered before it was attempted",
                        key.check
                    )));
                }
            },
            Event::Answered { key, answer } => {
                let check = self.check(&key)?;
                match (answer, &mut check.answer) {
                    (Some(answer), kept) => *kept = answer,
                    // No attempt comes any more, and most checks have one.
                    (None, Answer::Attempted(attempts)) => attempts.shrink_to_fit(),
                    (None, _) => {}
                }
                self.answered.extend(self.index.get(&key));
            }
            Event::Verdict(_) => {}
            Event::Finished { elapsed_ms, interrupted, .. } => {
                run.elapsed_ms = elapsed_ms;
                run.interrupted = interrupted;
                run.complete = true;
            }
        }
        Ok(())
    }

    /// Returns the run, judged; what was not answered is not reached.
    ///
    /// *Errors*: no header, or no complete plan.
    pub fn finish(self) -> Result<Run, FoldError> {
        let mut run = self.run.ok_or(FoldError::NoHeader)?;
        let Some(planned) = self.planned.filter(|planned| *planned <= run.checks.len()) else {
            return Err(FoldError::NoPlan);
        };
        for (at, check) in run.checks.iter_mut().enumerate() {
            if !self.answered.contains(&at) {
                check.answer = Answer::NotReached;
            }
        }
        in_order(&mut run, planned);
        run.judge_all();
        Ok(run)
    }

    fn plan(&mut self, planned: PlannedCheck) -> Result<(), FoldError> {
        let run = self.run.as_mut().ok_or(FoldError::NoHeader)?;
        let key = planned.key();
        let answer = Answer::Attempted(Vec::new());
        let verdict = blank(&planned.node, &planned.check);
        let place = run.checks.len();
        if self.index.insert(key, place).is_some() {
            return Err(FoldError::Inconsistent(format!("{} is planned twice", planned.check.id)));
        }
        run.checks.push(RunCheck { planned, answer, verdict });
        Ok(())
    }

    fn check(&mut self, key: &CheckKey) -> Result<&mut RunCheck, FoldError> {
        let place = self.index.get(key).copied();
        place
            .and_then(|at| self.run.as_mut()?.checks.get_mut(at))
            .ok_or_else(|| FoldError::Inconsistent(format!("{} was not planned", key.check)))
    }
}
