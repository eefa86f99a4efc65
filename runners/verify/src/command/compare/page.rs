//! Two runs side by side, as a page of 80 columns.

use std::fmt::Write as _;

use verify_reports::clean::{block, one_line};

use super::{
    data::{Check, Comparison, Header, Node},
    value::{Row, Said},
};

/// Width of the page, where nothing that must stay whole is wider. *Units*: columns.
const WIDTH: usize = 80;
/// Longest name. *Units*: characters.
const LONGEST: usize = 200;
/// Longest value. *Units*: characters.
const SHOWN: usize = 60;

/// Writes the page.
pub(super) fn text(compared: &Comparison, all: bool) -> String {
    let mut text = String::new();
    for (word, run) in [("then", &compared.then), ("now", &compared.now)] {
        let Header { run, started_at, version, exit } = run;
        let _ = writeln!(text, "{word:<5} {run}  {started_at}  exit {exit}  verify {version}");
    }
    if compared.then.version != compared.now.version {
        text += "      another version measured: compare with care\n";
    }
    for node in &compared.nodes {
        write_node(&mut text, node, all);
    }
    for (names, word) in [(&compared.only_then, "then"), (&compared.only_now, "now")] {
        if !names.is_empty() {
            let _ = writeln!(text, "\nasked only {word}: {}", names.join(", "));
        }
    }
    text += "\nNothing is judged here, and two runs cannot tell a change from chance.\n";
    write_wrapped(&mut text, "next: ", &compared.next);
    block(&text)
}

fn write_node(text: &mut String, node: &Node, all: bool) {
    let [then, now] = &node.machine;
    let machine = if then == now { now.clone() } else { format!("{then}, then {now}") };
    let _ = writeln!(text, "\nnode {} on {}", node.name, one_line(&machine, LONGEST));
    for why in &node.not_comparable {
        write_wrapped(text, "  NOT COMPARABLE: ", why);
    }
    for note in &node.notes {
        write_wrapped(text, "  note: ", note);
    }
    write_machine(text, node);
    if node.checks.is_empty() {
        let _ = writeln!(text, "  no check differs, of {}", node.asked);
        return;
    }
    text.push_str("  checks\n");
    let width = |cells: &dyn Fn(&Row) -> usize| {
        let rows = node.checks.iter().flat_map(|check| &check.values);
        rows.filter(|row| !is_alone(row)).map(cells).max().unwrap_or(0)
    };
    let widths = [
        width(&|row| row.field.chars().count()).min(32),
        width(&|row| values(row).chars().count()).min(32),
        width(&|row| row.change().chars().count()),
    ];
    for check in &node.checks {
        write_check(text, check, widths);
    }
    if !all && node.equal > 0 {
        let _ = writeln!(
            text,
            "  {} of {} checks do not differ; --all shows them",
            node.equal, node.asked
        );
    }
}

fn write_machine(text: &mut String, node: &Node) {
    match node.gathered {
        [true, true] => {}
        [false, false] => {
            return text.push_str("  what the machine is made of was not recorded in either run\n");
        }
        [one, _] => {
            let which = if one { "second" } else { "first" };
            let _ =
                writeln!(text, "  what the machine is made of was not recorded in the {which} run");
            return;
        }
    }
    if node.changes.is_empty() {
        text.push_str("  nothing changed in the machine, as far as is known\n");
    } else {
        text.push_str("  changed in the machine\n");
        for told in &node.changes {
            write_wrapped(text, "    ", &one_line(&told.phrase, 2 * LONGEST));
        }
    }
    if !node.unknown.is_empty() {
        write_wrapped(text, "  not known in one or both: ", &node.unknown.join(", "));
    }
}

fn write_check(text: &mut String, check: &Check, widths: [usize; 3]) {
    let id = one_line(&check.id, LONGEST);
    let outcome = match (check.then, check.now) {
        (Some(then), Some(now)) if then == now => now.to_owned(),
        (Some(then), Some(now)) => format!("{then} -> {now}"),
        (Some(then), None) => format!("{then} -> not asked: no longer in the run"),
        (None, Some(now)) => format!("new in the run -> {now}"),
        (None, None) => String::new(),
    };
    let _ = writeln!(text, "    {id}  {outcome}");
    if let Some(why) = &check.not_comparable {
        write_wrapped(text, "      NOT COMPARABLE: ", &one_line(why, 2 * LONGEST));
    }
    let [field, value, change] = widths;
    if check.other_demands {
        text.push_str("      note: judged by other demands\n");
    }
    for (said, head) in [(Said::Vanished, "only then: "), (Said::Appeared, "only now: ")] {
        let alone = check.values.iter().filter(|row| row.verdict == said);
        let alone: Vec<String> = alone
            .map(|row| {
                let value = row.then.as_ref().or(row.now.as_ref());
                format!("{} {}", row.field, one_line(value.map_or("", String::as_str), SHOWN))
            })
            .collect();
        if !alone.is_empty() {
            let words = one_line(&alone.join(", "), usize::MAX);
            write_wrapped(text, &format!("      {head}"), &words);
        }
    }
    for row in check.values.iter().filter(|row| !is_alone(row)) {
        let line = format!(
            "      {:<field$}  {:<value$}  {:>change$}  {}",
            one_line(&row.field, LONGEST),
            values(row),
            row.change(),
            row.verdict.words()
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// Tells whether only one run has it.
fn is_alone(row: &Row) -> bool {
    matches!(row.verdict, Said::Vanished | Said::Appeared)
}

/// Writes both values of a row.
fn values(row: &Row) -> String {
    let shown = |value: &Option<String>| {
        value.as_ref().map_or_else(|| "-".to_owned(), |value| one_line(value, SHOWN))
    };
    let (then, now) = (shown(&row.then), shown(&row.now));
    if row.is_equal() { now } else { format!("{then} -> {now}") }
}

/// Writes words behind a head, further lines below the first word, or a little to the right of a
/// long head.
fn write_wrapped(text: &mut String, head: &str, words: &str) {
    let start = head.chars().count();
    let indent = if start > 20 { head.len() - head.trim_start().len() + 2 } else { start };
    let (mut line, mut is_first) = (head.to_owned(), true);
    for word in words.split_whitespace() {
        let width = line.chars().count() + word.chars().count() + usize::from(!is_first);
        if width > WIDTH && !is_first {
            let _ = writeln!(text, "{}", line.trim_end());
            line = " ".repeat(indent);
        } else if !is_first {
            line.push(' ');
        }
        line += word;
        is_first = false;
    }
    let _ = writeln!(text, "{}", line.trim_end());
}
