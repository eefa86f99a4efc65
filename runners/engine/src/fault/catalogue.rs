//! What can go wrong, as data: each fault with what happens in the world, how it is put below the
//! checks, and what must be said of it. The files stand in `runners/faults/`, one a topic.

use std::collections::BTreeMap;

use serde::Deserialize;
use verify_model::{
    finding::{Finding, FindingCode, Severity},
    outcome::Outcome,
    verdict::Verdict,
};

use super::{edit::Edit, embedded};

/// Holds every fault, by topic.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Topics, in the order in which they are shown.
    pub groups: Vec<Group>,
}

/// Holds the faults of one topic.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Group {
    /// One line for people.
    pub title: String,
    /// Faults, in the order of the file.
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
}

/// Holds one fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// Name, kebab-case.
    pub id: String,
    /// What is wrong, in a few words.
    pub title: String,
    /// What really happens in the world, and why nobody sees it.
    pub happens: String,
    /// Node whose healthy answers it changes.
    pub node: String,
    /// Check that must notice.
    pub check: String,
    /// What must be said.
    pub expect: Expected,
    /// Recorded answers, `probe/case`, that stand in the place of the healthy ones.
    pub answers: Option<String>,
    /// Parameters of the check that are other ones: what is configured is part of the world.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
    /// What is changed in the answers.
    #[serde(default, rename = "edit")]
    pub edits: Vec<Edit>,
    /// What was accepted as normal before.
    pub baseline: Option<Before>,
    /// A waiver of the check.
    pub waiver: Option<Excuse>,
}

/// Says what must be found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expected {
    /// Outcome.
    pub outcome: Outcome,
    /// Finding that decides it, or that stands beside a pass.
    pub finding: FindingCode,
    /// Field that the finding is about; any where it is not said.
    pub field: Option<String>,
    /// Further fields that must be found with it: one damage often misses several demands.
    #[serde(default)]
    pub also: Vec<String>,
    /// Check that shows it, where that is another one than the one that is asked.
    pub shown_by: Option<String>,
}

impl Expected {
    /// Tells whether a finding is the one that is meant.
    pub(super) fn is_about(&self, finding: &Finding) -> bool {
        finding.code == self.finding
            && self.field.as_ref().is_none_or(|field| finding.field.as_ref() == Some(field))
    }

    /// Tells whether a verdict is the one that is meant: the outcome, and what decides it.
    pub(super) fn is_met_by(&self, verdict: &Verdict) -> bool {
        let decides = |finding: &&Finding| match finding.severity {
            Severity::Failure => verdict.outcome == Outcome::Fail,
            Severity::Error => verdict.outcome == Outcome::Error,
            Severity::Unjudged => verdict.outcome == Outcome::Unjudged,
            Severity::Advice => verdict.outcome == Outcome::Pass,
            // It is about the verdict as a whole: excused, blocked, not asked.
            Severity::Note => true,
        };
        let deciding = || verdict.findings.iter().filter(decides);
        let is_there = |field: &String| {
            deciding()
                .any(|found| found.code == self.finding && found.field.as_ref() == Some(field))
        };
        verdict.outcome == self.outcome
            && deciding().any(|finding| self.is_about(finding))
            && self.also.iter().all(is_there)
    }

    /// Walks the fields that it demands a finding of.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.field.iter().chain(&self.also).map(String::as_str)
    }
}

/// Says what was accepted as normal, from what the healthy machine measures.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Before {
    /// Share of what the healthy machine measures.
    pub factor: Option<f64>,
    /// Host name of the machine that it was taken on.
    pub machine: Option<String>,
    /// Digest of the question that was asked.
    pub definition: Option<String>,
    /// Whether nothing was ever accepted.
    #[serde(default)]
    pub none: bool,
}

/// Holds what a waiver says that excuses the check.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Excuse {
    /// Last day on which it holds.
    pub expires: String,
    /// Whether an unexpected pass is a failure.
    #[serde(default)]
    pub strict: bool,
}

impl Catalogue {
    /// Reads the catalogue that is part of the program.
    ///
    /// *Errors*: a file is none, or two faults have one name; a defect of verify.
    pub fn shipped() -> Result<Self, String> {
        let read = |(name, text): &(&str, &str)| {
            toml::from_str::<Group>(text).map_err(|why| format!("faults/{name}.toml: {why}"))
        };
        let groups = embedded::FAULTS.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let catalogue = Self { groups };
        let mut ids: Vec<&str> = catalogue.faults().map(|fault| fault.id.as_str()).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("the fault `{}` stands there twice", pair[0])),
            None => Ok(catalogue),
        }
    }

    /// Walks all faults.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.groups.iter().flat_map(|group| &group.faults)
    }
}
