//! Answers that are none, under every check: whatever comes back, it is never a pass.
//!
//! The catalogue names a reason for each fault; here only one thing is demanded of all checks alike.
//! What a check is after is taken away, so that it must notice by itself.

use verify_model::{
    evidence::{Captured, Evidence, Failure, FailureKind},
    outcome::Outcome,
};

use super::{
    crew,
    edit::{cut, each},
    proof::{Ground, Seen, Stand, seen},
};
use crate::{probe::With, probes};

/// Describes one way in which an answer can be none.
pub struct Damage {
    /// Name, kebab-case.
    pub id: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    strike: fn(&mut Captured),
}

/// Lists every damage.
pub static DAMAGES: &[Damage] = &[
    Damage {
        id: "missing",
        title: "no such file or program",
        strike: |it| fail(it, FailureKind::NotFound),
    },
    Damage {
        id: "denied",
        title: "permission denied",
        strike: |it| fail(it, FailureKind::PermissionDenied),
    },
    Damage {
        id: "silent",
        title: "the time limit passed",
        strike: |it| fail(it, FailureKind::TimedOut),
    },
    Damage {
        id: "lost",
        title: "the connection was lost",
        strike: |it| fail(it, FailureKind::ConnectionLost),
    },
    Damage {
        id: "empty",
        title: "an empty answer",
        strike: |it| each(it, &mut |stream| stream.text.clear()),
    },
    Damage {
        id: "garbled",
        title: "bytes that are no answer",
        strike: |it| each(it, &mut |stream| GARBAGE.clone_into(&mut stream.text)),
    },
    Damage {
        id: "cut",
        title: "half of the answer",
        strike: |it| each(it, &mut |stream| cut(stream, 0.5)),
    },
    Damage {
        id: "not-a-number",
        title: "NaN where numbers were",
        strike: |it| each(it, &mut |stream| no_numbers(&mut stream.text)),
    },
    Damage { id: "killed", title: "the program was killed", strike: kill },
];

/// Neither UTF-8 as it was sent, nor JSON, nor a number.
const GARBAGE: &str = "\u{fffd}\u{fffd}PNG\r\n\u{1a}\n\u{fffd}\u{202e}=:{[<\"";

/// Damages that a check need not notice, and why; none is added without a reason.
static KNOWN: &[(&str, &str, &[&str], &str)] = &[
    (
        "local",
        "gpu/driver",
        &["empty", "garbled", "cut", "not-a-number"],
        "it asks whether the file is there, and not what it says",
    ),
    ("local", "os/certificates", &["not-a-number"], NO_NUMBER),
    ("local", "os/release", &["not-a-number"], NO_NUMBER),
    ("local", "system/spawn", &["garbled"], "it asks how the program ends, and not what it prints"),
    ("macbook", "cluster/ssh", &["not-a-number"], NO_NUMBER),
];
/// Why a check may pass over numbers.
const NO_NUMBER: &str = "what it demands holds no number";

/// Says what one damage did to one check.
pub struct Struck<'g> {
    /// Node.
    pub node: &'g str,
    /// Check.
    pub check: &'g str,
    /// Which damage.
    pub damage: &'static Damage,
    /// What was found; an error where it could not be tried.
    pub seen: Result<Seen, String>,
    /// Why nothing need be said of it, where that is known.
    pub known: Option<&'static str>,
    is_noticed: bool,
}

impl Struck<'_> {
    /// Tells whether the check noticed: it is no pass, or the pass says what it could not read.
    pub fn is_noticed(&self) -> bool {
        self.is_noticed
    }
}

impl Ground<'_> {
    /// Strikes every check of these nodes in some ways; those that are not green before are left out.
    pub fn strike_all(
        &self,
        checks: &[(&str, &str)],
        damages: &[&'static Damage],
    ) -> Vec<Struck<'_>> {
        let struck = |(node, check): &(&str, &str)| self.strike(node, check, damages);
        crew::each(checks, struck).into_iter().flatten().collect()
    }

    fn strike<'g>(
        &'g self,
        node: &str,
        check: &str,
        damages: &[&'static Damage],
    ) -> Vec<Struck<'g>> {
        let Some((node, stand)) = self.machines().find(|(name, _)| *name == node) else {
            return Vec::new();
        };
        let control = stand.verdicts().find(|verdict| verdict.key.check == check);
        let Some(control) = control.filter(|verdict| verdict.outcome == Outcome::Pass) else {
            return Vec::new();
        };
        let check = control.key.check.as_str();
        let before = seen(control, None);
        let struck = |damage: &&'static Damage| {
            let found = self.struck(node, stand, check, damage).transpose()?;
            let is_noticed = found.as_ref().is_ok_and(|seen| {
                seen.outcome != Outcome::Pass || seen.finding.is_some() && *seen != before
            });
            let is_it = |known: &&(&str, &str, &[&str], &str)| {
                (known.0, known.1) == (node, check) && known.2.contains(&damage.id)
            };
            let known = KNOWN.iter().find(is_it).map(|(_, _, _, why)| *why);
            Some(Struck { node, check, damage, seen: found, known, is_noticed })
        };
        damages.iter().filter_map(struck).collect()
    }

    /// Strikes a check in one way; nothing where none of its answers can be struck so.
    fn struck(
        &self,
        node: &str,
        stand: &Stand,
        id: &str,
        damage: &Damage,
    ) -> Result<Option<Seen>, String> {
        let known = self.checks(node)?.iter().find(|check| check.id == id);
        let mut check = known.cloned().ok_or_else(|| format!("{node} has no check {id}"))?;
        check.after.clear();
        let probe =
            probes::find(&check.probe).ok_or_else(|| format!("no probe {}", check.probe))?;
        let asks = probe.asks(With(&check.with), stand.facts())?;
        let questions: Vec<_> = asks.into_iter().map(|ask| ask.limited_to(0)).collect();
        let mut evidence: Vec<Evidence> = stand.evidence.clone();
        for piece in &mut evidence {
            if questions.contains(&piece.ask.clone().limited_to(0)) {
                (damage.strike)(&mut piece.captured);
            }
        }
        if evidence == stand.evidence {
            return Ok(None);
        }
        let mut play = self.play(node, &evidence, stand.remote, &stand.units, Some(id))?;
        play.checks = vec![check];
        let run = play.run()?;
        let verdict = run.verdicts().find(|verdict| verdict.key.check == id);
        // A node that does not answer is one error, and the check waits for it.
        let verdict = verdict.ok_or_else(|| format!("{id} stands in no run"))?;
        Ok(Some(seen(verdict, None)))
    }
}

fn fail(captured: &mut Captured, kind: FailureKind) {
    *captured = Captured::Failed(Failure::new(kind, "put there by a fault"));
}

fn kill(captured: &mut Captured) {
    match captured {
        Captured::Exec { exit, signal, .. } => {
            *exit = None;
            *signal = Some(9);
            each(captured, &mut |stream| stream.text.clear());
        }
        other => fail(other, FailureKind::Other),
    }
}

/// Puts `nan` in the place of every number.
fn no_numbers(text: &mut String) {
    let mut without = String::with_capacity(text.len());
    let mut inside = false;
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            if !inside {
                without.push_str("nan");
            }
            inside = true;
        } else {
            inside = inside && letter == '.';
            if !inside {
                without.push(letter);
            }
        }
    }
    *text = without;
}
