//! Broken answers, given to every check: whatever comes back, it is never a pass.
//!
//! The catalogue names a reason for each fault; here the same is demanded of all checks alike, and where
//! nobody answered, that the node is not blamed. What a check is after is taken away, so that it must
//! notice by itself.

use serde_json::Value;
use verify_model::{
    check::Check,
    evidence::{Captured, Evidence, Failure, FailureKind},
    outcome::Outcome,
};

use super::{
    crew,
    edit::{cut, each},
    proof::{Ground, Seen, Stand, seen},
};
use crate::{probe::With, probes};

/// Describes one way in which an answer can be broken.
pub struct Damage {
    /// Name, kebab-case.
    pub id: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Whether nobody answered, so that the node must not be blamed: an error, unjudged or blocked.
    pub is_unanswered: bool,
    strike: fn(&mut Captured),
}

/// Lists every damage.
pub static DAMAGES: &[Damage] = &[
    unanswered("missing", "no such file or program", |it| fail(it, FailureKind::NotFound)),
    unanswered("denied", "permission denied", |it| fail(it, FailureKind::PermissionDenied)),
    unanswered("silent", "the time limit passed", |it| fail(it, FailureKind::TimedOut)),
    unanswered("lost", "the connection was lost", |it| fail(it, FailureKind::ConnectionLost)),
    answered("empty", "an empty answer", |it| each(it, &mut |stream| stream.text.clear())),
    answered("garbled", "bytes that are no answer", |it| {
        each(it, &mut |stream| GARBAGE.clone_into(&mut stream.text));
    }),
    answered("cut", "half of the answer", |it| each(it, &mut |stream| cut(stream, 0.5))),
    answered("not-a-number", "NaN where numbers were", |it| {
        each(it, &mut |stream| stream.text = without_numbers(&stream.text));
    }),
    unanswered("killed", "the program was killed", kill),
];

const fn unanswered(id: &'static str, title: &'static str, strike: fn(&mut Captured)) -> Damage {
    Damage { id, title, is_unanswered: true, strike }
}

const fn answered(id: &'static str, title: &'static str, strike: fn(&mut Captured)) -> Damage {
    Damage { id, title, is_unanswered: false, strike }
}

/// Neither UTF-8 as it was sent, nor JSON, nor a number.
const GARBAGE: &str = "\u{fffd}\u{fffd}PNG\r\n\u{1a}\n\u{fffd}\u{202e}=:{[<\"";

/// Damages that a check need not notice, or that are the answer to what it asks, and why; none is added
/// without a reason. Node, check and the probe that it asks.
static KNOWN: &[Known] = &[
    Known(
        ["local", "gpu/driver", "file"],
        &["empty", "garbled", "cut", "not-a-number"],
        "it asks whether the file is there, and not what it says",
    ),
    Known(["local", "net/loopback", "net-interface"], &["not-a-number"], NO_NUMBER),
    Known(["local", "os/certificates", "package"], &["not-a-number"], NO_NUMBER),
    Known(["local", "os/release", "os-release"], &["not-a-number"], NO_NUMBER),
    Known(
        ["local", "system/spawn", "command"],
        &["garbled"],
        "it asks how the program ends, and not what it prints",
    ),
    Known(["macbook", "cluster/ssh", "ssh-login"], &["not-a-number"], NO_NUMBER),
    Known(["nvidia", "kernel/af-xdp", "af-xdp"], &["not-a-number"], NO_NUMBER),
];
/// Why a check may pass over numbers.
const NO_NUMBER: &str = "what it demands holds no number";

/// Checks that fail where nobody answers, and why that is an answer to what they ask.
static ANSWERED: &[Known] = &[
    Known(["linode", "os/release", "os-release"], &["missing"], CAPABILITY),
    Known(
        ["linode", "storage/space", "storage"],
        &["missing"],
        "it asks about a path, and there is none",
    ),
    Known(["local", "gpu/driver", "file"], &["missing"], THERE),
    Known(["local", "kernel/cgroups", "file"], &["missing"], CAPABILITY),
    Known(["local", "kernel/isolcpus", "kernel-isolation"], &["missing"], CAPABILITY),
    Known(["local", "memory/hugepages", "hugepages"], &["missing"], CAPABILITY),
    Known(["local", "os/release", "os-release"], &["missing"], CAPABILITY),
    Known(["local", "toolchain/gcc", "toolchain"], &["missing"], CAPABILITY),
    Known(["local", "toolchain/python", "toolchain"], &["missing"], CAPABILITY),
    Known(["macbook", "cluster/tools", "programs"], &["missing"], THERE),
    Known(
        ["macbook", "cluster/tools", "programs"],
        &["killed"],
        "it asks whether programs work, and one that a signal ends does not",
    ),
    Known(["nvidia", "cuda/nvcc", "toolchain"], &["missing"], THERE),
    Known(
        ["nvidia", "kernel/clock", "clock"],
        &["missing"],
        "a kernel without the file has no clock source",
    ),
    Known(["nvidia", "kernel/hugepages", "hugepages"], &["missing"], CAPABILITY),
    Known(["nvidia", "kernel/isolcpus", "kernel-isolation"], &["missing"], CAPABILITY),
    Known(["nvidia", "kernel/rcu-nocbs", "rcu-nocbs"], &["missing"], CAPABILITY),
    Known(
        ["nvidia", "storage/throughput", "storage"],
        &["missing"],
        "it asks about a path, and there is none",
    ),
    Known(["nvidia", "toolchain/clang", "toolchain"], &["missing"], THERE),
    Known(["nvidia", "toolchain/gcc", "toolchain"], &["missing"], THERE),
];
/// Why a node without a file or program fails or is skipped: its `when` looks for that very thing.
const CAPABILITY: &str = "what is missing is the capability that the check needs";
/// Why a node without a file or program fails.
const THERE: &str = "it asks whether the thing is there";

struct Known([&'static str; 3], &'static [&'static str], &'static str);

impl Known {
    fn why(all: &[Self], place: [&str; 3], damage: &Damage) -> Option<&'static str> {
        let is_it = |known: &&Self| known.0 == place && known.1.contains(&damage.id);
        all.iter().find(is_it).map(|known| known.2)
    }
}

/// Says what one damage did to one check.
pub struct Struck<'g> {
    /// Node.
    pub node: &'g str,
    /// Check.
    pub check: &'g str,
    /// Which damage.
    pub damage: &'static Damage,
    /// How it came out.
    pub hit: Hit,
}

/// Says how a damaged answer was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    /// It is no pass, or the pass says what it could not read.
    Noticed(Seen),
    /// It passes, as if nothing were wrong.
    Passed(Seen),
    /// The node is blamed, or the check is left out, though nobody answered what it asks.
    Misjudged(Seen),
    /// It passes, and may: with the reason.
    NotApplied(Seen, &'static str),
    /// None of its answers can be damaged so.
    NothingToDamage,
    /// It could not be tried; in one sentence.
    Broken(String),
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
        let of = |hit: &dyn Fn(&'static Damage) -> Hit| {
            damages.iter().map(|damage| Struck { node, check, damage, hit: hit(damage) }).collect()
        };
        match self.alone(node, stand, check) {
            Ok(alone) => of(&|damage| alone.hit(damage).unwrap_or_else(Hit::Broken)),
            Err(why) => of(&|_| Hit::Broken(why.clone())),
        }
    }

    /// Prepares one check that waits for no other one.
    fn alone<'g>(&'g self, node: &'g str, stand: &'g Stand, id: &str) -> Result<Alone<'g>, String> {
        let known = self.checks(node)?.iter().find(|check| check.id == id);
        let mut check = known.cloned().ok_or_else(|| format!("{node} has no check {id}"))?;
        check.after.clear();
        let probe =
            probes::find(&check.probe).ok_or_else(|| format!("no probe {}", check.probe))?;
        let asks = probe.asks(With(&check.with), stand.facts())?;
        let questions: Vec<_> = asks.into_iter().map(|ask| ask.limited_to(0)).collect();
        let is_own = |piece: &Evidence| questions.contains(&piece.ask.clone().limited_to(0));
        let own = stand.evidence.iter().map(is_own).collect();
        let mut alone = Alone { ground: self, node, stand, check, own, before: None };
        alone.before = Some(alone.run(&stand.evidence)?);
        Ok(alone)
    }
}

/// Holds one check that is struck again and again.
struct Alone<'g> {
    ground: &'g Ground<'g>,
    node: &'g str,
    stand: &'g Stand,
    check: Check,
    /// Which pieces of evidence answer it.
    own: Vec<bool>,
    /// What the same run finds where nothing is wrong.
    before: Option<Seen>,
}

impl Alone<'_> {
    fn run(&self, evidence: &[Evidence]) -> Result<Seen, String> {
        let (stand, id) = (self.stand, self.check.id.as_str());
        let mut play =
            self.ground.play(self.node, evidence, stand.remote, &stand.units, Some(id))?;
        play.checks = vec![self.check.clone()];
        let run = play.run()?;
        let verdict = run.verdicts().find(|verdict| verdict.key.check == id);
        // A node that does not answer is one error, and the check waits for it.
        let verdict = verdict.ok_or_else(|| format!("{id} stands in no run"))?;
        Ok(seen(verdict, None))
    }

    fn hit(&self, damage: &'static Damage) -> Result<Hit, String> {
        let mut evidence: Vec<Evidence> = self.stand.evidence.clone();
        let mut changed = false;
        for (piece, before) in evidence
            .iter_mut()
            .zip(&self.stand.evidence)
            .zip(&self.own)
            .filter_map(|(pair, own)| own.then_some(pair))
        {
            (damage.strike)(&mut piece.captured);
            changed |= piece.captured != before.captured;
        }
        if !changed {
            return Ok(Hit::NothingToDamage);
        }
        let seen = self.run(&evidence)?;
        let place = [self.node, self.check.id.as_str(), self.check.probe.as_str()];
        Ok(match seen.outcome {
            Outcome::Pass if seen.finding.is_some() && Some(&seen) != self.before.as_ref() => {
                Hit::Noticed(seen)
            }
            Outcome::Pass => match Known::why(KNOWN, place, damage) {
                Some(why) => Hit::NotApplied(seen, why),
                None => Hit::Passed(seen),
            },
            Outcome::Fail | Outcome::Skip
                if damage.is_unanswered && Known::why(ANSWERED, place, damage).is_none() =>
            {
                Hit::Misjudged(seen)
            }
            _ => Hit::Noticed(seen),
        })
    }
}

fn fail(captured: &mut Captured, kind: FailureKind) {
    *captured = Captured::Failed(Failure::new(kind, "injected by a fault"));
}

/// Ends a program by a signal; what it had printed stays, so that who looks at the text alone is found.
fn kill(captured: &mut Captured) {
    match captured {
        Captured::Exec { exit, signal, .. } => {
            *exit = None;
            *signal = Some(9);
        }
        other => fail(other, FailureKind::Other),
    }
}

/// Puts what is no number in the place of every one: in JSON, so that it stays JSON, else `nan`.
fn without_numbers(text: &str) -> String {
    let Some(from) = text.find(['{', '[']) else { return plain_nan(text) };
    let mut documents = serde_json::Deserializer::from_str(&text[from..]).into_iter::<Value>();
    let Some(Ok(mut document)) = documents.next() else { return plain_nan(text) };
    let behind = &text[from + documents.byte_offset()..];
    no_numbers(&mut document);
    // What stands before it names the form, such as `verify-script/1`.
    format!("{}{document}{}", &text[..from], without_numbers(behind))
}

/// Numbers become the text `NaN`; in a text the words that are one.
fn no_numbers(value: &mut Value) {
    match value {
        Value::Number(_) => *value = Value::String("NaN".to_owned()),
        Value::Array(items) => items.iter_mut().for_each(no_numbers),
        Value::Object(fields) => fields.values_mut().for_each(no_numbers),
        Value::String(text) if text.contains(['{', '[']) => *text = without_numbers(text),
        Value::String(text) => {
            let word = |word: &str| {
                if word.parse::<f64>().is_ok() { "NaN".to_owned() } else { word.to_owned() }
            };
            *text = text.split(' ').map(word).collect::<Vec<_>>().join(" ");
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn plain_nan(text: &str) -> String {
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
    without
}
