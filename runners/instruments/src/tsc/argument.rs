//! What was asked of the TSC instrument: cpu, window, priority, threshold, room for gaps.

/// Arguments with their defaults, one a line.
pub(super) const HELP: &str = "\
--cpu N          cpu to measure on; the last one that may be used, unless given
--beside LIST    cpus that others measure at the same time: they are left to no ordinary task
--for TIME       window, such as 10s or 200ms, up to 600s (10s)
--warm-up TIME   loop before the window, which is not counted (1s)
--priority N     SCHED_FIFO priority, or none (80)
--threshold TIME what counts as a gap (8 times the loop's minimum, at most 1us)
--ring N         gaps that are kept with their time; more are counted as lost (262144)
--gaps N         longest gaps that are printed (32)
--trace auto     private trace instance that tells what caused each gap, or none (auto)";

/// Longest window. *Units*: ns. *Source*: the longest command that the harness waits for.
const WINDOW_LIMIT_NS: u64 = 600_000_000_000;
/// Shortest window. *Units*: ns. *Source*: below it a calibration is off by more than 0.3 ppm.
const WINDOW_LEAST_NS: u64 = 10_000_000;
/// Most gaps that are kept. *Source*: 16 B each, 64 MiB of locked memory.
const RING_LIMIT: usize = 1 << 22;

/// Holds what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub cpu: Option<usize>,
    /// A list of cpus, as the kernel writes it.
    pub beside: String,
    pub window_ns: u64,
    pub warm_up_ns: u64,
    pub priority: Option<i32>,
    pub threshold_ns: Option<u64>,
    pub ring: usize,
    pub gaps: usize,
    pub trace: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            cpu: None,
            beside: String::new(),
            window_ns: 10_000_000_000,
            warm_up_ns: 1_000_000_000,
            // *Source*: `rt-tests` measure at 80, above threaded interrupts at 50.
            priority: Some(80),
            threshold_ns: None,
            ring: 1 << 18,
            gaps: 32,
            trace: true,
        }
    }
}

impl Asked {
    /// Reads the words after the instrument's name.
    ///
    /// *Errors*: an argument that is not taken or out of range, in one sentence.
    pub(super) fn parse(args: &[String]) -> Result<Self, String> {
        let mut asked = Self::default();
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.as_str(), None),
            };
            let known = HELP.lines().any(|line| line.split_whitespace().next() == Some(name));
            if !known {
                return Err(format!("it takes no argument `{word}`"));
            }
            let value = inline.or_else(|| words.next().map(String::as_str));
            let value = value.ok_or_else(|| format!("`{name}` needs a value"))?;
            asked.set(name, value).map_err(|why| format!("{name} {value}: {why}"))?;
        }
        Ok(asked)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "--cpu" => self.cpu = Some(whole(value, 0, 1 << 20)?),
            "--beside" => {
                let listed = value.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '-'));
                listed
                    .then(|| value.clone_into(&mut self.beside))
                    .ok_or("expected a list of cpus")?;
            }
            "--for" => self.window_ns = within(value, WINDOW_LEAST_NS, WINDOW_LIMIT_NS)?,
            "--warm-up" => self.warm_up_ns = within(value, WINDOW_LEAST_NS, WINDOW_LIMIT_NS)?,
            "--threshold" => self.threshold_ns = Some(within(value, 1, 1_000_000_000)?),
            "--ring" => self.ring = whole(value, 1, RING_LIMIT)?,
            "--gaps" => self.gaps = whole(value, 0, RING_LIMIT)?,
            "--priority" if value == "none" => self.priority = None,
            "--priority" => {
                let priority = whole(value, 1, 99)?;
                self.priority = Some(i32::try_from(priority).map_err(|why| why.to_string())?);
            }
            _ => {
                self.trace = match value {
                    "auto" => true,
                    "none" => false,
                    _ => return Err("expected `auto` or `none`".to_owned()),
                }
            }
        }
        Ok(())
    }
}

fn whole(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("expected a whole number from {least} to {most}"))
}

fn within(text: &str, least_ns: u64, most_ns: u64) -> Result<u64, String> {
    let time_ns = nanoseconds(text)?;
    if (least_ns..=most_ns).contains(&time_ns) {
        return Ok(time_ns);
    }
    Err(format!("expected from {least_ns}ns to {most_ns}ns"))
}

fn nanoseconds(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale: u64 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return Err("expected a whole number with the unit ns, us, ms or s".to_owned()),
    };
    let number: Option<u64> = number.parse().ok();
    number.and_then(|number| number.checked_mul(scale)).ok_or_else(|| "not a time".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Asked, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Asked::parse(&words)
    }

    #[test]
    fn every_argument_is_read_in_both_spellings() {
        let asked = parse(
            "--cpu 6 --beside 6-7 --for=200ms --warm-up 50ms --priority none --threshold 1us --ring 8 --gaps=0 --trace none",
        );
        let expected = Asked {
            cpu: Some(6),
            beside: "6-7".to_owned(),
            window_ns: 200_000_000,
            warm_up_ns: 50_000_000,
            priority: None,
            threshold_ns: Some(1_000),
            ring: 8,
            gaps: 0,
            trace: false,
        };
        assert_eq!(asked, Ok(expected));
        assert_eq!(parse(""), Ok(Asked::default()));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_was_expected() {
        for (line, part) in [
            ("--cpu", "needs a value"),
            ("--cpu six", "whole number"),
            ("--beside all", "list of cpus"),
            ("--for 5", "unit"),
            ("--for 1ms", "expected from"),
            ("--for 99999999999999999999s", "not a time"),
            ("--for 9999999999999s", "not a time"),
            ("--priority 100", "1 to 99"),
            ("--trace all", "`auto` or `none`"),
            ("ring", "no argument"),
        ] {
            let why = parse(line).unwrap_err();
            assert!(why.contains(part), "{line}: {why}");
        }
    }
}
