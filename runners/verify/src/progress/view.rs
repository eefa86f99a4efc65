//! The lines of the live view: how far the run is, what every node does, what came out last.
//!
//! The number of lines hangs on the number of nodes and on the terminal alone, so nothing jumps. With more
//! nodes than lines, one counts them and the others show what takes longest. No line wraps.

use std::time::Duration;

use verify_model::{exit::Situation, outcome::Outcome};
use verify_reports::{
    clean::{fit, width_of},
    terminal::paint::{Paint, Sign},
};

use super::board::{Board, Done, Node, Running};

/// Nodes that have a line of their own.
const NODES: usize = 12;
/// Last answers that are shown.
const RECENT: usize = 4;
/// Those of them that are kept for what needs somebody.
const GRAVE: usize = 2;
/// Longest name of a node. *Units*: columns.
const NAME: usize = 16;
/// Columns of `1234 s of 1800 s`.
const TIME: usize = 15;
/// Columns of the bar.
const BAR: usize = 20;
/// Columns below which the bar is left out.
const ROOMY: usize = 60;

/// Holds the size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Puts pieces together that fit a line.
struct Line {
    text: String,
    room: usize,
    color: bool,
}

impl Line {
    fn new(size: Size, color: bool) -> Self {
        // The last column is left free: a terminal wraps behind it.
        Self { text: String::new(), room: size.columns.saturating_sub(1), color }
    }

    fn add(mut self, paint: Paint, text: &str) -> Self {
        // What is to be padded stays so; only what is too long is cut.
        let shown =
            if width_of(text) <= self.room { text.to_owned() } else { fit(text, self.room) };
        self.room -= width_of(&shown);
        self.text.push_str(&paint.on(&shown, self.color));
        self
    }

    fn plain(self, text: &str) -> Self {
        self.add(Paint::Plain, text)
    }
}

/// Says how many lines each part gets.
#[derive(Debug, PartialEq, Eq)]
struct Shares {
    head: usize,
    nodes: usize,
    recent: usize,
}

fn shares(rows: usize, nodes: usize) -> Shares {
    // One row is for the cursor.
    let room = rows.saturating_sub(1).max(1);
    let head = room.min(2);
    let nodes = nodes.min(NODES).min(room - head);
    // An empty line stands before the answers.
    let recent = (room - head - nodes).saturating_sub(1).min(RECENT);
    Shares { head, nodes, recent }
}

/// Makes the lines of a board.
pub(super) fn lines(board: &Board, now: Duration, size: Size, color: bool) -> Vec<String> {
    let shares = shares(size.rows, board.nodes.len());
    let line = || Line::new(size, color);
    let mut lines = vec![far(line(), board, now, size)];
    if shares.head > 1 {
        lines.push(counts(line(), board, size));
    }
    lines.extend(nodes(board, now, shares.nodes, &line));
    if shares.recent > 0 {
        lines.push(line());
        let said = recent(board, shares.recent);
        let several = board.nodes.len() > 1;
        lines.extend((0..shares.recent).map(|at| match said.get(at) {
            Some(done) => answer(line(), done, several),
            None => line(),
        }));
    }
    lines.into_iter().map(|line| line.text.trim_end().to_owned()).collect()
}

fn far(line: Line, board: &Board, now: Duration, size: Size) -> Line {
    let (done, planned) = (board.done(), board.planned());
    let mut line = line.plain("  ");
    if size.columns >= ROOMY {
        let full = (done * BAR).checked_div(planned).unwrap_or_default().min(BAR);
        line = line.add(Paint::Good, &"━".repeat(full)).add(Paint::Dim, &"─".repeat(BAR - full));
        line = line.plain("  ");
    }
    line = if board.look > 1 {
        let (look, again, open) = (board.look, board.again, board.open.len());
        line.add(Paint::Bold, &format!("look {look}: {again} of {open} open checks measured again"))
    } else {
        line.add(Paint::Bold, &format!("{done} of {planned} checks"))
    };
    if board.interrupted {
        return line.add(Paint::Bad, " · interrupted: ending what runs");
    }
    line.plain(&format!(" · {} wait · {}", board.waiting(), time(now)))
}

fn counts(line: Line, board: &Board, size: Size) -> Line {
    let narrow = size.columns < ROOMY;
    let all = Outcome::ALL.into_iter().map(|outcome| (outcome, board.count(outcome)));
    all.fold(line.plain(" "), |line, (outcome, number)| {
        let Sign { mark, paint, .. } = sign(outcome);
        let paint = if number == 0 { Paint::Dim } else { paint };
        let text = if narrow {
            format!(" {mark} {number}")
        } else {
            format!(" {mark} {number} {outcome} ")
        };
        line.add(paint, &text)
    })
}

fn sign(outcome: Outcome) -> Sign {
    Sign::of(match outcome {
        Outcome::Pass => Situation::Pass,
        Outcome::Fail => Situation::Fail,
        Outcome::Error => Situation::Error,
        Outcome::Skip => Situation::Skip,
        Outcome::Unjudged => Situation::Unjudged,
        Outcome::Blocked => Situation::Blocked,
    })
}

fn nodes(board: &Board, now: Duration, room: usize, line: &impl Fn() -> Line) -> Vec<Line> {
    let all: Vec<(&String, &Node)> = board.nodes.iter().collect();
    if all.len() <= room {
        let width = all.iter().map(|(name, _)| width_of(name)).max().unwrap_or_default().min(NAME);
        return all
            .into_iter()
            .map(|(name, node)| of_node(line(), name, node, width, now))
            .collect();
    }
    let Some(room) = room.checked_sub(1) else { return Vec::new() };
    let ended = all.iter().filter(|(_, node)| node.ended).count();
    let asked = all.iter().filter(|(_, node)| !node.running.is_empty()).count();
    let waiting = all.len() - ended - asked;
    let text = format!(
        "  {ended} of {} nodes are through, {asked} are asked, {waiting} wait; the slowest:",
        all.len()
    );
    let mut lines = vec![line().plain(&text)];
    let mut slow: Vec<(&String, &Node)> =
        all.into_iter().filter(|(_, node)| !node.running.is_empty()).collect();
    slow.sort_by_key(|(_, node)| node.running.first().map(|one| one.since));
    slow.truncate(room);
    let width = slow.iter().map(|(name, _)| width_of(name)).max().unwrap_or_default().min(NAME);
    lines.extend(slow.into_iter().map(|(name, node)| of_node(line(), name, node, width, now)));
    lines.resize_with(room + 1, line);
    lines
}

/// Shows one node: what it is asked and how long that may take, or what came out of it.
fn of_node(line: Line, name: &str, node: &Node, width: usize, now: Duration) -> Line {
    let name = fit(name, width);
    let name = format!("{name}{}", " ".repeat(width.saturating_sub(width_of(&name))));
    let far = format!("{:>4}/{:<4}", node.done(), node.planned());
    let line = line.plain("  ");
    let Some(first) = node.running.first() else {
        let (mark, paint, text) = if node.ended {
            let Sign { mark, paint, .. } = sign(worst(node));
            (mark, paint, node.counts())
        } else {
            ('·', Paint::Dim, "waits".to_owned())
        };
        let line = line.add(paint, &format!("{mark} ")).plain(&name);
        return line.add(Paint::Dim, &format!(" {far} ")).add(Paint::Dim, &text);
    };
    let line = line.add(Paint::Bold, "▸ ").plain(&name).add(Paint::Dim, &format!(" {far} "));
    let line = line.add(Paint::Bold, &format!("{:>TIME$}", spent(first, now)));
    let line = line.plain(&format!("  {}", first.check));
    let more = match node.running.len() - 1 {
        0 if first.repeat > 1 => {
            format!(", run {} of {}", first.attempt.min(first.repeat), first.repeat)
        }
        0 if first.attempt > 1 => format!(", run {}", first.attempt),
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    line.add(Paint::Dim, &more)
}

/// Finds the gravest outcome of a node that is through; nothing passed is no pass.
fn worst(node: &Node) -> Outcome {
    let order = [Outcome::Fail, Outcome::Error, Outcome::Unjudged, Outcome::Blocked];
    let found = order.into_iter().find(|outcome| node.count(*outcome) > 0);
    let nothing = node.count(Outcome::Pass) == 0 || node.done() < node.planned();
    found.unwrap_or(if nothing { Outcome::Skip } else { Outcome::Pass })
}

/// Says how long an attempt goes on, and how long it may: `12 s of 60 s`.
fn spent(running: &Running, now: Duration) -> String {
    let spent = now.saturating_sub(running.since).as_secs();
    format!("{spent} s of {} s", running.limit.as_millis().div_ceil(1000))
}

/// Chooses the last answers; what needs somebody stays longer than the rest.
fn recent(board: &Board, room: usize) -> Vec<&Done> {
    let newest: Vec<usize> = (0..board.recent.len()).rev().take(room).collect();
    let grave = (0..board.recent.len()).rev().filter(|at| board.recent[*at].grave);
    let grave = grave.take(GRAVE.min(room));
    let mut chosen: Vec<usize> = grave.collect();
    for at in newest {
        if chosen.len() < room && !chosen.contains(&at) {
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|at| &board.recent[at]).collect()
}

fn answer(line: Line, done: &Done, several: bool) -> Line {
    let Sign { mark, word, paint } = done.sign;
    let on = if several { format!(" on {}", done.key.node) } else { String::new() };
    let line = line.plain("  ").add(paint, &format!("{mark} {word:<9}"));
    let line = line.plain(&format!("{}{on}", done.key.check));
    if done.reason.is_empty() {
        return line;
    }
    line.add(Paint::Dim, &format!("  {}", done.reason))
}

/// Writes how long the run goes on: `43 s`, `12 min 3 s`.
fn time(now: Duration) -> String {
    match now.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
