//! The complete record of a run, as reports and judgement see it.
//!
//! A run holds every planned check exactly once. It is folded from the recorded events, so a run
//! that was cut short is still whole: what was not answered is an Error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    baseline::Baseline,
    check::Check,
    evidence::Evidence,
    exit::{self, Situation},
    fingerprint::Fingerprint,
    judge::judge,
    node::{Facts, NodeFile, Via},
    outcome::Counts,
    settle::{Looks, settle},
    trend::Trend,
    verdict::{Answer, CheckKey, Verdict},
};

/// Names the format of the record; a reader refuses what it does not know.
pub const RUN_FORMAT: &str = "verify-run/1";

/// Holds what is known when a run starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Header {
    /// Format and version of the record.
    pub format: String,
    /// Run id, sorts by time.
    pub id: String,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// Version of verify.
    pub version: String,
    /// Root that suites and nodes came from.
    pub root: String,
    /// Command line, as typed.
    pub command: Vec<String>,
    /// Whether a missing baseline is an error.
    pub require_baseline: bool,
    /// Whether more runs were taken until everything was decided.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_decided: bool,
    /// Host name of the machine that asks.
    pub orchestrator: String,
}

impl Header {
    /// Says at how many units comparisons are looked at.
    pub fn looks(&self) -> Looks {
        if self.until_decided { Looks::UntilDecided } else { Looks::Once }
    }
}

/// Holds one node of a run: its file, the way it was asked, and what was found out before planning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunNode {
    /// Node file.
    pub file: NodeFile,
    /// How it was asked.
    pub via: Via,
    /// What was found out.
    pub facts: Facts,
    /// What the machine is made of.
    #[serde(default, skip_serializing_if = "Fingerprint::is_empty")]
    pub fingerprint: Fingerprint,
}

/// Holds one suite file that the run used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SuiteSource {
    /// Name.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Path relative to the root, or `embedded`.
    pub file: String,
    /// SHA-256 of its bytes, in hex.
    pub digest: String,
}

/// Holds one planned check with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedCheck {
    /// Name of the node.
    pub node: String,
    /// The check, its variables filled in.
    pub check: Check,
}

impl PlannedCheck {
    /// Returns the key.
    pub fn key(&self) -> CheckKey {
        CheckKey::new(&self.node, &self.check.id)
    }
}

/// Holds one check of a run: the question, the answer, the verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct RunCheck {
    /// The question.
    pub planned: PlannedCheck,
    /// What became of it.
    pub answer: Answer,
    /// How it was judged.
    pub verdict: Verdict,
}

/// Holds the complete record of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What was known at the start.
    pub header: Header,
    /// Nodes, in the order in which they were named.
    pub nodes: Vec<RunNode>,
    /// Suites that were used.
    pub suites: Vec<SuiteSource>,
    /// Every planned check once, in plan order.
    pub checks: Vec<RunCheck>,
    /// Baselines that were compared with.
    pub baselines: Vec<Baseline>,
    /// What earlier runs measured, for people: nothing is judged by it.
    pub trends: Vec<Trend>,
    /// Everything that was captured, by id.
    pub evidence: Vec<Evidence>,
    /// Duration. *Units*: ms.
    pub elapsed_ms: u64,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// Whether the record has its end.
    pub complete: bool,
}

impl Run {
    /// Judges every check again from answers and baselines, then settles the family.
    pub fn judge_all(&mut self) {
        let today: String = self.header.started_at.chars().take(10).collect();
        self.baselines.sort_by(Baseline::order);
        let judged = |check: &RunCheck| {
            let planned = &check.planned;
            let own = Baseline::of(&self.baselines, &planned.key());
            judge(&planned.node, &planned.check, &check.answer, own)
        };
        let mut verdicts: Vec<Verdict> = self.checks.iter().map(judged).collect();
        settle(&mut verdicts, self.header.looks(), &self.nodes, &today);
        for (check, verdict) in self.checks.iter_mut().zip(verdicts) {
            check.verdict = verdict;
        }
    }

    /// Walks the verdicts in plan order.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> + Clone {
        self.checks.iter().map(|c| &c.verdict)
    }

    /// Counts the outcomes.
    pub fn counts(&self) -> Counts {
        Counts::of(self.verdicts().map(|v| v.outcome))
    }

    /// Computes the exit code. A record that is cut short is never a success.
    pub fn exit_code(&self) -> u8 {
        let code = exit::exit_code(self.verdicts(), self.header.require_baseline, self.interrupted);
        if code == 0 && !self.complete { Situation::Error.exit() } else { code }
    }

    /// Finds evidence by id.
    pub fn evidence(&self, id: u32) -> Option<&Evidence> {
        // A record that this version wrote is in the order of ids; another one need not be.
        match self.evidence.binary_search_by_key(&id, |e| e.id) {
            Ok(at) => self.evidence.get(at),
            Err(_) => self.evidence.iter().find(|e| e.id == id),
        }
    }
}
