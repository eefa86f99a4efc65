//! Exchanges words with a node one after the other: how long one takes, and what time it is there.
//!
//! One session carries all rounds, so no login and no start of a program is in a round. A shell over
//! there answers each line by it and its own time; the offset of its clock lies within half of the
//! quickest round. What reads the lines ends with its standard input, as this process does.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use verify_model::evidence::{Captured, Failure, FailureKind, Round};

use super::{
    super::{
        Cancel,
        shell::{
            answer::Side,
            exchange::{Running, WORDS},
        },
    },
    LINE, trouble,
};

/// Bounds what is kept of a line that does not end. *Units*: B.
const LONGEST: usize = 4096;
const TICK: Duration = Duration::from_millis(50);
/// Time until the first word: a login, and start files of the login shell.
const OPENING: Duration = Duration::from_secs(30);

/// Answers every line by itself and the time, with what the system has: bash 5 and zsh know the time
/// without starting a program, macOS has zsh and perl, and `date` is a program a round.
const SCRIPT: &str = r#"main() {
LC_ALL=C; export LC_ALL
has() { command -v "$1" >/dev/null 2>&1; }
if has bash && [ -n "$(bash -c 'echo "$EPOCHREALTIME"')" ]; then
  printf '\n%s b\n' "$N"
  exec bash -c 'while read -r L; do echo "$L $EPOCHREALTIME"; done'
elif has zsh && zsh -fc 'zmodload zsh/datetime' 2>/dev/null; then
  printf '\n%s b\n' "$N"
  exec zsh -fc 'zmodload zsh/datetime; while read -r L; do print -r -- "$L $EPOCHREALTIME"; done'
elif has perl && perl -MTime::HiRes -e 1 2>/dev/null; then
  printf '\n%s b\n' "$N"
  exec perl -MTime::HiRes=time -ne 'BEGIN { $| = 1 } chomp; printf "%s %.6f\n", $_, time'
elif date +%s.%N | grep -q '^[0-9]*\.[0-9]*$'; then
  printf '\n%s b\n' "$N"
  while read -r L; do echo "$L $(date +%s.%N)"; done
else
  printf '\n%s none\n' "$N"
fi
}
main
"#;

/// Writes the script that answers.
pub(super) fn script(nonce: &str) -> String {
    format!("N={nonce}\n{SCRIPT}")
}

/// Makes so many rounds through one ssh process.
pub(super) fn run(
    argv: &[String],
    nonce: &str,
    rounds: u32,
    limit: Duration,
    cancel: &Cancel,
) -> Captured {
    let running = match Running::start(LINE, argv, script(nonce)) {
        Ok(running) => running,
        Err(error) => return failed(FailureKind::Other, format!("ssh: {error}")),
    };
    let mut talk = Talk { running, lines: Vec::new(), words: Vec::new(), open: 2 };
    match talk.rounds(nonce, rounds, limit, cancel) {
        Ok(rounds) => Captured::Rounds(rounds),
        Err(failure) => Captured::Failed(failure),
    }
}

fn failed(kind: FailureKind, message: impl Into<String>) -> Captured {
    Captured::Failed(Failure::new(kind, message))
}

struct Talk {
    running: Running,
    /// What was heard and not read yet.
    lines: Vec<u8>,
    /// What ssh and start files say.
    words: Vec<u8>,
    open: usize,
}

impl Talk {
    fn rounds(
        &mut self,
        nonce: &str,
        rounds: u32,
        limit: Duration,
        cancel: &Cancel,
    ) -> Result<Vec<Round>, Failure> {
        let (first, clockless) = (format!("{nonce} b"), format!("{nonce} none"));
        let opening = now() + OPENING;
        loop {
            let line = self.line(opening, cancel)?;
            if line == first {
                break;
            }
            if line == clockless {
                let message = "nothing there tells the time finely enough: bash 5, zsh, perl or a `date` that knows %N does";
                return Err(Failure::new(FailureKind::Unsupported, message));
            }
            self.keep(line.as_bytes());
        }
        let until = now() + limit;
        let mut found = Vec::new();
        for number in 0..rounds {
            let word = format!("{nonce}{number}");
            let (sent_us, sent) = (wall_us(), now());
            self.running.say(format!("{word}\n"));
            let line = self.line(until, cancel)?;
            let elapsed = sent.elapsed();
            let said = line.strip_prefix(&word).map(str::trim).and_then(micros);
            let Some(said_us) = said else {
                let cut: String = line.chars().take(100).collect();
                let message = format!("it answered a round by: {cut}");
                return Err(Failure::new(FailureKind::Other, message));
            };
            let elapsed_ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
            found.push(Round { sent_us, elapsed_ns, said_us });
        }
        Ok(found)
    }

    /// Returns the next line of the answer.
    fn line(&mut self, until: Instant, cancel: &Cancel) -> Result<String, Failure> {
        loop {
            if let Some(end) = self.lines.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.lines.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim().to_owned());
            }
            if cancel.requested() {
                return Err(Failure::new(FailureKind::Interrupted, "the run was interrupted"));
            }
            let now = now();
            if now >= until {
                let message = "a round did not come back in time";
                return Err(Failure::new(FailureKind::TimedOut, message));
            }
            if self.open == 0 || self.lines.len() > LONGEST {
                let said = String::from_utf8_lossy(&self.words).into_owned();
                return Err(trouble::of_ssh(&said).unwrap_or_else(|| {
                    trouble::of_shell(&String::from_utf8_lossy(&self.lines), &said)
                }));
            }
            match self.running.heard().recv_timeout(TICK.min(until.saturating_duration_since(now)))
            {
                Ok((Side::Out, Some(bytes))) => self.lines.extend(bytes),
                Ok((Side::Err, Some(bytes))) => self.keep(&bytes),
                Ok((_, None)) => self.open = self.open.saturating_sub(1),
                Err(_) => {}
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = WORDS.saturating_sub(self.words.len()).min(bytes.len());
        self.words.extend_from_slice(&bytes[..room]);
    }
}

/// Reads seconds with a fraction as microseconds.
fn micros(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)
}

#[allow(clippy::disallowed_methods, reason = "the clock of this machine is what is compared with")]
fn wall_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[allow(clippy::disallowed_methods, reason = "rounds are timed")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_to_the_microsecond_and_nothing_else_is_one() {
        assert_eq!(micros("1790000000.123456"), Some(1_790_000_000_123_456));
        assert_eq!(micros("1790000000.1234567890"), Some(1_790_000_000_123_456));
        assert_eq!(micros("1790000000.5"), Some(1_790_000_000_500_000));
        for wrong in
            ["1790000000", "1790000000.N", "", ".5", "-1.5", "1,5", "99999999999999999999.0"]
        {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
    }
}
