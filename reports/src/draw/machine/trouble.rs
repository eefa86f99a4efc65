//! What did not come out well of the checks behind a picture, so that no picture looks calmer than its run.
//!
//! Every situation but a pass and a skip has its words. A blocked check is a trouble only of the thing
//! that it alone is about; elsewhere its cause says it.

use verify_model::{
    exit::Situation,
    run::{Run, RunCheck},
};

use crate::{
    clean::one_line,
    draw::svg::{Anchor, Svg},
    sentence::situation_of,
};

/// Words of each situation, the worst first.
const WORDS: [(Situation, &str); 7] = [
    (Situation::Fail, "failed"),
    (Situation::Error, "no answer"),
    (Situation::Unjudged, "not judged"),
    (Situation::BaselineRequired, "lacks its baseline"),
    (Situation::Waived, "failed, waived"),
    (Situation::Blocked, "blocked"),
    (Situation::NoBaseline, "no baseline yet"),
];
/// Room for the names of checks behind one word. *Units*: characters.
const NAMES: usize = 56;
/// Longest name of a check. *Units*: characters.
const NAME: usize = 33;
/// Longest name of a thing in the sentence. *Units*: characters.
const THING: usize = 60;
/// Height of a line. *Units*: px.
pub(in crate::draw) const LINE: f64 = 16.0;

/// Holds a check that did not come out well.
#[derive(Clone, Copy)]
pub(in crate::draw) struct Trouble<'r> {
    pub(in crate::draw) check: &'r RunCheck,
    situation: Situation,
}

impl<'r> Trouble<'r> {
    /// Looks at a check; `None` where it passed or was not to be asked.
    pub(in crate::draw) fn of(run: &Run, check: &'r RunCheck) -> Option<Self> {
        let situation = situation_of(run, check);
        WORDS.iter().any(|(known, _)| *known == situation).then_some(Self { check, situation })
    }

    /// Tells whether a demand was missed, excused or not.
    pub(in crate::draw) fn is_miss(self) -> bool {
        matches!(self.situation, Situation::Fail | Situation::Waived)
    }

    /// Tells whether it only waits for another one.
    pub(in crate::draw) fn waits(self) -> bool {
        self.situation == Situation::Blocked
    }

    /// Tells whether nothing is known that counts: no answer, or one that could not be judged.
    pub(in crate::draw) fn is_open(self) -> bool {
        !self.is_miss() && self.situation != Situation::NoBaseline
    }

    fn id(self) -> &'r str {
        &self.check.planned.check.id
    }
}

/// Holds what a picture says, and which checks it has spoken of.
#[derive(Default)]
pub(in crate::draw) struct Told<'r> {
    /// What was seen.
    pub(in crate::draw) seen: Vec<String>,
    /// What did not come out well.
    pub(in crate::draw) bad: Vec<String>,
    checks: Vec<&'r RunCheck>,
}

impl<'r> Told<'r> {
    /// Writes the troubles of a thing below `top`; returns where they end.
    pub(in crate::draw) fn write(
        &mut self,
        svg: &mut Svg,
        (anchor, x, top): (Anchor, f64, f64),
        thing: &str,
        troubles: &[Trouble<'r>],
    ) -> f64 {
        let mut y = top;
        let lines = lines(troubles);
        for (grave, line) in &lines {
            y += LINE;
            let class = if *grave { "tick bad-text" } else { "tick" };
            svg.text(class, anchor, (x, y), line);
        }
        if !lines.is_empty() {
            let words: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
            self.bad.push(format!("{}: {}", one_line(thing, THING), words.join(", ")));
        }
        self.checks.extend(troubles.iter().map(|trouble| trouble.check));
        y
    }

    /// Leaves those of which nothing was said yet.
    pub(in crate::draw) fn rest(&self, troubles: Vec<Trouble<'r>>) -> Vec<Trouble<'r>> {
        let is_new = |trouble: &Trouble<'_>| {
            !self.checks.iter().any(|one| std::ptr::eq(*one, trouble.check))
        };
        troubles.into_iter().filter(is_new).collect()
    }

    /// Says all in one sentence, what is bad first, so that no cut can lose it.
    pub(in crate::draw) fn sentence(self) -> String {
        let all: Vec<String> = self.bad.into_iter().chain(self.seen).collect();
        format!("{}.", all.join("; "))
    }
}

/// Writes a line for each situation, the worst first, and whether it is one that somebody must see to.
fn lines(troubles: &[Trouble<'_>]) -> Vec<(bool, String)> {
    let mut lines = Vec::new();
    for (situation, word) in WORDS {
        let own = troubles.iter().filter(|trouble| trouble.situation == situation);
        let ids: Vec<String> = own.map(|trouble| one_line(trouble.id(), NAME)).collect();
        if !ids.is_empty() {
            lines.push((situation.exit() != 0, format!("{word}: {}", names(&ids))));
        }
    }
    lines
}

/// Writes as many names as there is room for, and how many there are more.
fn names(ids: &[String]) -> String {
    let mut said = String::new();
    for (at, id) in ids.iter().enumerate() {
        if at > 0 && said.chars().count() + id.chars().count() > NAMES {
            return format!("{said} and {} more", ids.len() - at);
        }
        let joint = if at > 0 { ", " } else { "" };
        said.push_str(joint);
        said.push_str(id);
    }
    said
}
