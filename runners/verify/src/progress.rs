//! Shows how far a run is: bars on a terminal, plain lines elsewhere.
//!
//! With a few nodes each has a line of its own, so that a slow one is seen; with many, one line counts
//! them. Lines are for logs: only what may take long is said, and each node once it is through.

use std::{collections::BTreeMap, io::IsTerminal, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use verify_model::{effect::Effect, event::Event, outcome::Outcome, verdict::CheckKey};

use crate::output;

/// Nodes that have a line of their own.
const LINES: usize = 12;
/// Longest text beside a bar: the echo of a Ctrl-C must not break a line that is to be cleared.
const WIDTH: usize = 40;

/// Holds what is shown.
#[derive(Default)]
pub(crate) struct Progress {
    nodes: BTreeMap<String, Node>,
    screen: Option<Screen>,
    through: usize,
    /// Whether every check was answered once, and some are measured again.
    again: bool,
}

/// Holds how far one node is.
#[derive(Default)]
struct Node {
    planned: u64,
    counts: BTreeMap<&'static str, usize>,
    bar: Option<ProgressBar>,
}

/// Holds the bars of a terminal.
struct Screen {
    bars: MultiProgress,
    /// Counts the checks of all nodes, where there are too many for a line each.
    all: Option<ProgressBar>,
}

impl Progress {
    /// Takes an event of the record.
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Planned(planned) => {
                let node = self.nodes.entry(planned.node.clone()).or_default();
                node.planned += 1;
                // Planned late: the bar is there already.
                node.bar.iter().for_each(|bar| bar.inc_length(1));
                self.all().iter().for_each(|bar| bar.inc_length(1));
            }
            Event::PlanReady { .. } => self.open(),
            Event::Verdict(verdict) if !self.again => {
                let node = self.nodes.entry(verdict.key.node.clone()).or_default();
                *node.counts.entry(verdict.outcome.name()).or_default() += 1;
                node.bar.iter().for_each(|bar| bar.inc(1));
                self.all().iter().for_each(|bar| bar.inc(1));
            }
            _ => {}
        }
    }

    fn all(&self) -> Option<&ProgressBar> {
        self.screen.as_ref()?.all.as_ref()
    }

    /// Opens the bars once it is known how many nodes there are.
    fn open(&mut self) {
        if !std::io::stderr().is_terminal() || self.screen.is_some() {
            return;
        }
        let bars = MultiProgress::new();
        let mut all = None;
        if self.nodes.len() > LINES {
            let planned = self.nodes.values().map(|node| node.planned).sum();
            all = Some(bars.add(bar(planned, "")));
        } else {
            let several = self.nodes.len() > 1;
            for (name, node) in &mut self.nodes {
                node.bar = Some(bars.add(bar(node.planned, if several { name } else { "" })));
            }
        }
        self.screen = Some(Screen { bars, all });
    }

    /// Says that a check is about to be asked.
    pub(crate) fn asking(&mut self, key: &CheckKey, effect: Effect) {
        let several = self.nodes.len() > 1;
        let own = self.nodes.get(&key.node).and_then(|node| node.bar.as_ref());
        let named =
            if several { format!("{} on {}", key.check, key.node) } else { key.check.clone() };
        match (own, self.all()) {
            (Some(bar), _) => bar.set_message(cut(&key.check)),
            (None, Some(all)) => all.set_message(cut(&named)),
            (None, None) if effect != Effect::Reads => output::say(&format!("asking {named}")),
            (None, None) => {}
        }
    }

    /// Says that some checks are measured again.
    pub(crate) fn looking(&mut self, open: usize) {
        self.again = true;
        if self.screen.is_none() {
            let (checks, are) = if open == 1 { ("check", "is") } else { ("checks", "are") };
            output::say(&format!("{open} {checks} {are} not decided yet: more runs"));
        }
    }

    /// Says that a node is through.
    pub(crate) fn ended(&mut self, name: &str) {
        if self.again {
            return;
        }
        self.through += 1;
        let (through, nodes) = (self.through, self.nodes.len());
        let Some(node) = self.nodes.get_mut(name).filter(|_| nodes > 1) else { return };
        let count = |outcome: Outcome| {
            let number = node.counts.get(outcome.name()).copied().unwrap_or_default();
            (number > 0).then(|| format!("{number} {outcome}"))
        };
        let counts: Vec<String> = Outcome::ALL.into_iter().filter_map(count).collect();
        let counts = counts.join(" \u{b7} ");
        match (&node.bar, &self.screen) {
            (Some(bar), _) => bar.finish_with_message(cut(&counts)),
            (None, Some(_)) => {}
            (None, None) => output::say(&format!("{through} of {nodes} nodes: {name}: {counts}")),
        }
    }

    /// Takes all bars off the screen.
    pub(crate) fn close(self) {
        if let Some(Screen { bars, .. }) = self.screen {
            let _ = bars.clear();
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(WIDTH).collect()
}

fn bar(length: u64, name: &str) -> ProgressBar {
    let bar = ProgressBar::new(length).with_prefix(name.to_owned());
    let shown = if name.is_empty() { "" } else { "{prefix:12} " };
    let template = format!("{shown}{{bar:24}} {{pos}}/{{len}} {{elapsed}} {{msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
