//! How a run is followed where there is no terminal: a line for what loads a node, for what went wrong,
//! and for each node that is through.
//!
//! For logs: nothing is redrawn, a line once written stays as it is. What passes is not said unless
//! everything is wanted; what many checks say alike, since a node is away, is said once.

use std::{collections::BTreeSet, time::Duration};

use verify_model::{effect::Effect, event::Event, verdict::CheckKey};

use super::board::{Board, Done};
use crate::output;

/// Writes lines.
pub(crate) struct Log {
    board: Board,
    verbose: bool,
    said: BTreeSet<(String, &'static str, String)>,
    through: usize,
}

impl Log {
    pub(super) fn new(verbose: bool) -> Self {
        Self { board: Board::default(), verbose, said: BTreeSet::new(), through: 0 }
    }

    pub(super) fn event(&mut self, event: &Event) {
        let Some(done) = self.board.event(event, Duration::ZERO) else { return };
        if self.verbose || (done.grave && self.is_new(&done)) {
            let reason =
                if done.reason.is_empty() { String::new() } else { format!(": {}", done.reason) };
            output::say(&format!("{} {}{reason}", done.sign.word, self.named(&done.key)));
        }
    }

    fn is_new(&mut self, done: &Done) -> bool {
        self.said.insert((done.key.node.clone(), done.sign.word, done.reason.clone()))
    }

    fn named(&self, key: &CheckKey) -> String {
        if self.board.nodes.len() > 1 {
            format!("{} on {}", key.check, key.node)
        } else {
            key.check.clone()
        }
    }

    pub(super) fn asking(&mut self, key: &CheckKey, effect: Effect) {
        self.board.asking(key, Duration::ZERO);
        if effect == Effect::Reads {
            return;
        }
        let node = self.board.nodes.get(&key.node);
        let limit = node.and_then(|node| node.running.last()).map_or(0, |one| one.limit.as_secs());
        output::say(&format!("asking {}, limit {limit} s", self.named(key)));
    }

    pub(super) fn looking(&mut self, open: &[&CheckKey]) {
        self.board.looking(open);
        let (checks, are) = if open.len() == 1 { ("check", "is") } else { ("checks", "are") };
        output::say(&format!("{} {checks} {are} not decided yet: more runs", open.len()));
    }

    pub(super) fn ended(&mut self, name: &str) {
        self.board.ended(name);
        let nodes = self.board.nodes.len();
        if self.board.look > 1 || nodes < 2 {
            return;
        }
        self.through += 1;
        if let Some(node) = self.board.nodes.get(name) {
            let (through, counts) = (self.through, node.counts());
            output::say(&format!("{through} of {nodes} nodes: {name}: {counts}"));
        }
    }
}
