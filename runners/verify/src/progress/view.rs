//! The lines of the live view: how far the run is, what every node does, what came out last.
//!
//! The number of lines hangs on the number of nodes and on the terminal alone, so nothing jumps. With more
//! nodes than lines, one counts them and the others show what takes longest. No line wraps.

use std::time::Duration;

use verify_model::{exit::Situation, outcome::Outcome, verdict::CheckKey};
use verify_reports::{
    clean::{clean, fit, width_of},
    terminal::paint::{Paint, Sign},
};

use super::board::{Board, Done, Node, Running};

/// Nodes that have a line of their own.
const NODES: usize = 12;
/// Last answers that are shown.
const RECENT: usize = 4;
/// Those of them that are kept for what needs somebody.
const GRAVE: usize = 2;
/// Undecided checks that are named.
const OPEN: usize = 4;
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
        let shown = if width_of(text) <= self.room {
            text.to_owned()
        } else {
            let rest = text.trim_start_matches(' ');
            let lead = (text.len() - rest.len()).min(self.room);
            format!("{}{}", " ".repeat(lead), fit(rest, self.room - lead))
        };
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
        let open = usize::from(board.look > 1);
        lines.extend((0..open).map(|_| still_open(line(), board)));
        let shares = Shares { recent: shares.recent - open, ..shares };
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
        let checks = if open == 1 { "check" } else { "checks" };
        let text = format!("look {look}: {again} of {open} open {checks} measured again");
        line.add(Paint::Bold, &text)
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
    let line = line.plain(&format!("  {}", clean(&first.check)));
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
    let line = line.plain(&clean(&format!("{}{on}", done.key.check)));
    if done.reason.is_empty() {
        return line;
    }
    line.add(Paint::Dim, &format!("  {}", done.reason))
}

/// Names what is not decided yet.
fn still_open(line: Line, board: &Board) -> Line {
    let several = board.nodes.len() > 1;
    let named = |key: &CheckKey| {
        if several { format!("{} on {}", key.check, key.node) } else { key.check.clone() }
    };
    let listed: Vec<String> = board.open.iter().take(OPEN).map(named).collect();
    let more = board.open.len().saturating_sub(OPEN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    line.plain("  ? ").plain("open       ").plain(&clean(&format!("{}{more}", listed.join(", "))))
}

/// Writes how long the run goes on: `43 s`, `12 min 3 s`.
fn time(now: Duration) -> String {
    match now.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn planned(board: &mut Board, node: &str, check: &str) {
        let key = CheckKey::new(node, check);
        board.plan(&key, 60 * SECOND, 1);
    }

    fn board(nodes: usize) -> Board {
        let mut board = Board::default();
        for node in 0..nodes {
            for check in ["a/one", "b/two", "c/three"] {
                planned(&mut board, &format!("node-{node:03}"), check);
            }
        }
        board
    }

    fn text(board: &Board, seconds: u32, columns: usize, rows: usize) -> String {
        lines(board, SECOND * seconds, Size { columns, rows }, false).join("\n")
    }

    fn done(key: &CheckKey, situation: Situation, reason: &str) -> Done {
        let grave = situation.exit() != 0;
        Done { key: key.clone(), sign: Sign::of(situation), grave, reason: reason.to_owned() }
    }

    #[test]
    fn what_runs_stands_with_its_time_its_limit_and_the_queue() {
        let mut board = board(1);
        let key = CheckKey::new("node-000", "b/two");
        board.asking(&key, 10 * SECOND);
        board.answered(&CheckKey::new("node-000", "a/one"), Outcome::Fail);
        board.recent.push_back(done(&key, Situation::Fail, "2 expected, 1 observed"));
        let expected = "\
\u{20} ━━━━━━──────────────  1 of 3 checks · 1 wait · 22 s
\u{20} ✓ 0 pass  ✗ 1 fail  ! 0 error  - 0 skip  ? 0 unjudged  | 0 blocked
\u{20} ▸ node-000    1/3       12 s of 60 s  b/two

\u{20} ✗ fail     b/two  2 expected, 1 observed


";
        assert_eq!(text(&board, 22, 80, 24), expected);
    }

    #[test]
    fn of_many_nodes_one_line_counts_them_and_the_slow_ones_stand_below() {
        let mut board = board(100);
        board.asking(&CheckKey::new("node-007", "a/one"), 5 * SECOND);
        board.asking(&CheckKey::new("node-042", "b/two"), 2 * SECOND);
        board.ended("node-001");
        let text = text(&board, 9, 80, 24);
        let expected = "  1 of 100 nodes are through, 2 are asked, 97 wait; the slowest:";
        let shown: Vec<&str> = text.lines().skip(2).take(4).collect();
        assert_eq!(shown[0], expected);
        assert!(shown[1].contains("node-042") && shown[1].contains("7 s of 60 s  b/two"));
        assert!(shown[2].contains("node-007") && shown[2].contains("4 s of 60 s  a/one"));
        assert_eq!(shown[3], "");
    }

    #[test]
    fn no_line_reaches_the_edge_and_no_number_of_lines_changes_while_a_run_goes_on() {
        let hostile =
            "\u{1b}]0;x\u{7}日本語日本語 \u{202e}abc\u{1b}[2J very long words of a node".repeat(9);
        for nodes in [1, 3, 12, 100] {
            let quiet = board(nodes);
            let mut loud = board(nodes);
            for node in loud.nodes.keys().cloned().collect::<Vec<_>>() {
                loud.asking(&CheckKey::new(&node, "b/two"), SECOND);
                let key = CheckKey::new(&node, "a/one");
                loud.recent.push_back(done(&key, Situation::Error, &hostile));
            }
            loud.interrupted = nodes == 3;
            for columns in [1, 2, 7, 20, 40, 44, 60, 80, 200] {
                for rows in [1, 2, 3, 4, 5, 9, 24, 60] {
                    let size = Size { columns, rows };
                    let shown = lines(&loud, 9 * SECOND, size, true);
                    let before = lines(&quiet, Duration::ZERO, size, false);
                    assert_eq!(shown.len(), before.len(), "{nodes} {size:?}");
                    assert!(shown.len() < rows.max(2), "{nodes} {size:?}: {}", shown.len());
                    for line in shown.iter().map(|line| clean(line)) {
                        assert!(width_of(&line) < columns.max(2), "{size:?}: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_needs_somebody_stays_while_passes_go_by() {
        let mut board = board(1);
        let key = |id: &str| CheckKey::new("node-000", id);
        board.recent.push_back(done(&key("x/bad"), Situation::Fail, "bad"));
        for id in ["p/1", "p/2", "p/3", "p/4", "p/5"] {
            board.recent.push_back(done(&key(id), Situation::Pass, ""));
        }
        let shown: Vec<&str> = recent(&board, 4).iter().map(|d| d.key.check.as_str()).collect();
        assert_eq!(shown, ["x/bad", "p/3", "p/4", "p/5"]);
    }

    #[test]
    fn a_node_that_failed_is_never_marked_as_passed() {
        let mut board = board(1);
        board.answered(&CheckKey::new("node-000", "a/one"), Outcome::Pass);
        board.ended("node-000");
        assert!(text(&board, 1, 80, 24).contains("- node-000"), "two have no answer");
        board.answered(&CheckKey::new("node-000", "b/two"), Outcome::Skip);
        board.answered(&CheckKey::new("node-000", "c/three"), Outcome::Pass);
        assert!(text(&board, 1, 80, 24).contains("✓ node-000"));
        board.answered(&CheckKey::new("node-000", "c/three"), Outcome::Fail);
        assert!(text(&board, 1, 80, 24).contains("✗ node-000"));
    }

    #[test]
    fn from_the_second_look_on_what_is_open_is_counted() {
        let mut board = board(1);
        let open = CheckKey::new("node-000", "b/two");
        board.look = 1;
        board.looking(&[&open]);
        board.asking(&open, SECOND);
        let text = text(&board, 4, 80, 24);
        assert!(text.contains("look 2: 0 of 1 open check measured again · 0 wait"), "{text}");
        assert!(text.contains("open       b/two"), "{text}");
    }
}
