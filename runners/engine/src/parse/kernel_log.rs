//! The lines of the kernel's log, from its ring (`dmesg -k`) or from journald (JSON, a line each).
//!
//! Anyone who may write to /dev/kmsg can write lines there; those carry another facility, and
//! neither reader gives them out. A message of several lines stays one. Both readers state the
//! kernel's own time of a message, so that what the ring has lost can be taken from the journal.

use serde_json::Value;

/// Holds one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// When, since boot. *Units*: us.
    pub at_us: u64,
    /// The message; lines after the first begin after a line end.
    pub text: String,
}

/// Holds what one reader gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// The messages, in order.
    pub lines: Vec<Line>,
    /// Whether a message could not be given out, so that something is missing in between.
    pub has_gap: bool,
}

impl Log {
    /// Tells whether the log begins where the kernel began to write.
    ///
    /// A few lines stand before the kernel's first own: of the microcode loader, of ARM's start.
    pub fn begins_at_boot(&self) -> bool {
        const BEFORE: usize = 5;
        self.lines.iter().take(BEFORE).any(|line| line.text.starts_with("Linux version "))
    }
}

/// Reads what `dmesg` prints: `[seconds.micros] text`; lines after the first of a message are
/// indented.
///
/// *Errors*: a line that is neither.
pub(crate) fn ring(text: &str) -> Result<Log, String> {
    let mut lines: Vec<Line> = Vec::new();
    for line in text.lines() {
        if let Some((at_us, text)) = stamped(line) {
            lines.push(Line { at_us, text: text.to_owned() });
        } else if let (Some(last), true) =
            (lines.last_mut(), line.is_empty() || line.starts_with([' ', '\t']))
        {
            last.text.push('\n');
            last.text.push_str(line.trim());
        } else {
            return Err(format!("expected a line with its time, found `{line}`"));
        }
    }
    Ok(Log { lines, has_gap: false })
}

/// Takes the time off a line. *Units*: us.
fn stamped(line: &str) -> Option<(u64, &str)> {
    let (stamp, text) = line.strip_prefix('[')?.split_once(']')?;
    let (seconds, micros) = stamp.trim().split_once('.')?;
    if micros.len() != 6 {
        return None;
    }
    let (seconds, micros): (u64, u64) = (seconds.parse().ok()?, micros.parse().ok()?);
    let at_us = seconds.checked_mul(1_000_000)?.checked_add(micros)?;
    let text = without_caller(text);
    Some((at_us, text.strip_prefix(' ').unwrap_or(text)))
}

/// Takes off who wrote: `[    T1]` or `[   C0]`. *Source*: `CONFIG_PRINTK_CALLER`, which some
/// distributions set; `print_caller` in the kernel's `printk.c`.
fn without_caller(text: &str) -> &str {
    let end_of_caller = || {
        let start = text.len() - text.trim_start().len();
        let (caller, _) = text.get(start..)?.strip_prefix('[')?.split_once(']')?;
        let number = caller.trim_start().strip_prefix(['T', 'C'])?;
        let is_one = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        is_one.then_some(start + caller.len() + 2)
    };
    end_of_caller().and_then(|end| text.get(end..)).unwrap_or(text)
}

/// Reads what `journalctl -k -o json` prints. Lines of another facility than the kernel's are left
/// out.
///
/// *Errors*: a line that is not JSON or has no time.
pub(crate) fn journal(text: &str) -> Result<Log, String> {
    let mut log = Log::default();
    // `-- No entries --` stands there in any format.
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("-- ")) {
        let entry: Value =
            serde_json::from_str(line).map_err(|e| format!("not JSON at column {}", e.column()))?;
        let number = |name: &str| entry.get(name).and_then(Value::as_str)?.parse::<u64>().ok();
        if number("SYSLOG_FACILITY").is_some_and(|facility| facility != 0) {
            continue;
        }
        // The kernel's own time; journald's, which is later, where it gives none.
        let at_us = number("_SOURCE_MONOTONIC_TIMESTAMP").or(number("__MONOTONIC_TIMESTAMP"));
        let at_us = at_us.ok_or("an entry has no monotonic time")?;
        match entry.get("MESSAGE").and_then(message) {
            Some(text) => log.lines.push(Line { at_us, text }),
            None => log.has_gap = true,
        }
    }
    Ok(log)
}

/// Reads a message: a text, or the bytes of one that is not UTF-8; `null` stands for one too long.
fn message(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(bytes) => {
            let bytes: Option<Vec<u8>> =
                bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            Some(String::from_utf8_lossy(&bytes?).into_owned())
        }
        _ => None,
    }
}

/// Joins the ring with what the journal has from before it; the second tells whether nothing since
/// boot is missing, as far as both can tell.
pub(crate) fn joined(ring: Log, journal: Log) -> (Vec<Line>, bool) {
    let Some(first) = ring.lines.first().map(|line| line.at_us) else {
        let is_whole = journal.begins_at_boot() && !journal.has_gap;
        return (journal.lines, is_whole);
    };
    if ring.begins_at_boot() {
        return (ring.lines, true);
    }
    // A journal that ends before the ring begins has lost what was in between.
    let meets = journal.lines.last().is_some_and(|last| last.at_us >= first);
    let is_whole = journal.begins_at_boot() && meets && !journal.has_gap;
    // Of several messages of one time the ring may have lost the first.
    let of_first: Vec<&Line> = ring.lines.iter().take_while(|line| line.at_us == first).collect();
    let is_lost =
        |line: &Line| line.at_us < first || (line.at_us == first && !of_first.contains(&line));
    let before: Vec<Line> = journal.lines.into_iter().filter(is_lost).collect();
    (before.into_iter().chain(ring.lines).collect(), is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    fn at(times: &[(u64, &str)]) -> Log {
        let line = |(at_us, text): &(u64, &str)| Line { at_us: *at_us, text: (*text).to_owned() };
        Log { lines: times.iter().map(line).collect(), has_gap: false }
    }

    #[test]
    fn a_message_of_several_lines_stays_one() {
        let log =
            ring("[    1.000002] NVRM: The GPU\n               NVRM: has\n\n[12.000000] [x] y\n");
        let log = log.unwrap();
        assert_eq!(texts(&log.lines), ["NVRM: The GPU\nNVRM: has\n", "[x] y"]);
        assert_eq!(log.lines[0].at_us, 1_000_002);
        for bad in ["plain\n", "[1.5] x\n", "  first\n", "[a.000000] x\n"] {
            assert!(ring(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn who_wrote_a_line_is_no_part_of_it() {
        for caller in ["[    T0]", " [      T0]", " [   C12]"] {
            let log = ring(&format!("[    0.000000]{caller} Linux version 6.8\n")).unwrap();
            assert!(log.begins_at_boot(), "{caller}: {:?}", log.lines);
        }
        for text in ["[Txx] a", "[T] a", "[Hardware Error]: a", "[T1 a", "[T1"] {
            assert_eq!(ring(&format!("[0.000000] {text}\n")).unwrap().lines[0].text, text);
        }
    }

    #[test]
    fn lines_that_a_user_wrote_are_not_the_kernels() {
        let entry = |facility: &str, message: &str| {
            format!(
                "{{\"SYSLOG_FACILITY\":\"{facility}\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"7\",\"MESSAGE\":{message}}}\n"
            )
        };
        let text = entry("0", "\"a\"") + &entry("1", "\"fake\"") + &entry("0", "[98,255]");
        let log = journal(&text).unwrap();
        assert_eq!(texts(&log.lines), ["a", "b\u{fffd}"]);
        assert!(!log.has_gap && journal(&entry("0", "null")).unwrap().has_gap);
        assert_eq!(journal("-- No entries --\n"), Ok(Log::default()));
        assert!(journal("No entries\n").is_err() && journal("{}\n").is_err());
    }

    #[test]
    fn the_journal_fills_what_the_ring_has_lost_only_where_they_meet() {
        let boot = (0, "Linux version 6.1");
        let whole = at(&[boot, (5, "a")]);
        assert_eq!(joined(whole.clone(), Log::default()), (whole.lines.clone(), true));
        let ring = at(&[(10, "b"), (20, "c")]);
        let (lines, is_whole) = joined(ring.clone(), at(&[boot, (5, "a"), (10, "b")]));
        assert_eq!((texts(&lines), is_whole), (vec![boot.1, "a", "b", "c"], true));
        let (lines, _) = joined(ring.clone(), at(&[boot, (10, "lost"), (10, "b"), (20, "c")]));
        assert_eq!(texts(&lines), [boot.1, "lost", "b", "c"]);
        assert!(!joined(ring.clone(), at(&[boot, (5, "a")])).1, "what lies between is lost");
        assert!(!joined(ring.clone(), at(&[(5, "a"), (20, "c")])).1, "the beginning is lost");
        assert!(!joined(ring, Log::default()).1);
        assert!(joined(Log::default(), whole.clone()).1);
        assert!(!joined(Log::default(), Log { has_gap: true, ..whole }).1);
    }
}
