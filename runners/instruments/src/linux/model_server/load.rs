//! How fast completions come, with a set number of them under way at a time.
//!
//! Every request has a prompt that begins like no other, of this run or an earlier one, so that no
//! cache of prompts answers it. Throughput is tokens by time of the clock, ramps included. What
//! failed is counted and said, and what is not asked for any more after time-outs is, too.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Barrier, LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use super::{
    completion::{Endpoint, Streamed, Trouble},
    http::now,
};

/// Words of prompts. *Source*: each is one token of most vocabularies.
const WORDS: [&str; 32] = [
    "time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world",
    "school", "state", "family", "student", "group", "country", "problem", "hand", "part", "place",
    "case", "week", "company", "system", "program", "question", "work", "number", "night", "point",
    "home",
];
/// How many words differ from run to run; some 10^9 ways.
const SALTED: usize = 6;
/// Time-outs in a row after which nobody waits for another.
const LATE: usize = 3;

/// Chance of this run.
static SALT: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));

/// How many failures are told in words.
const TOLD: usize = 5;

/// Says how much is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    /// Completions under way at a time.
    pub(super) concurrency: usize,
    pub(super) requests: usize,
    /// Words of a prompt.
    pub(super) words: usize,
    /// Tokens of a completion.
    pub(super) tokens: u64,
}

/// Writes a prompt that begins like no other, and is the same for the rest of this run.
pub(super) fn prompt(number: usize, words: usize) -> String {
    salted(*SALT, number, words)
}

/// Writes first words by chance, the number, and words that are the same in each run.
fn salted(salt: u64, number: usize, words: usize) -> String {
    let first = words.min(SALTED);
    let begin = chosen(salt ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), first);
    format!("{begin} {number} {}", chosen(number as u64, words - first)).trim_end().to_owned()
}

/// Chooses words.
fn chosen(mut state: u64, words: usize) -> String {
    let word = |_| {
        // *Source*: Knuth, MMIX.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        WORDS[usize::try_from(state >> 59).unwrap_or(0)]
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

/// Asks for completions and says how fast they came. Numbers of prompts begin at `first`.
pub(super) fn measure(endpoint: &Endpoint, amount: Amount, first: usize) -> Value {
    let (next, late) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let gathered: Mutex<Vec<(usize, Result<Streamed, String>)>> = Mutex::default();
    let together = Barrier::new(amount.concurrency + 1);
    let mut begun = now();
    std::thread::scope(|scope| {
        for _ in 0..amount.concurrency {
            scope.spawn(|| {
                together.wait();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= amount.requests {
                        break;
                    }
                    let prompt = prompt(first + number, amount.words);
                    let one =
                        in_time(endpoint, &late, || endpoint.streamed(&prompt, amount.tokens));
                    gathered.lock().unwrap_or_else(PoisonError::into_inner).push((number, one));
                }
            });
        }
        begun = now();
        together.wait();
    });
    let seconds = begun.elapsed().as_secs_f64();
    let mut all = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by_key(|(number, _)| *number);
    counted(endpoint, &mut all, amount, first);
    document(&all, amount, seconds)
}

/// Asks for a completion, unless too many in a row were late.
fn in_time<T>(
    endpoint: &Endpoint,
    late: &AtomicUsize,
    ask: impl FnOnce() -> Result<T, Trouble>,
) -> Result<T, String> {
    if late.load(Ordering::Relaxed) >= LATE {
        return Err(format!("not asked for: {LATE} in a row were not there in time"));
    }
    let begun = now();
    let one = ask();
    if one.is_err() && begun.elapsed() >= endpoint.limit {
        late.fetch_add(1, Ordering::Relaxed);
    } else {
        late.store(0, Ordering::Relaxed);
    }
    one.map_err(|trouble| trouble.to_string())
}

/// Where a stream has no usage: the same prompt is completed once more in one piece, whose usage
/// counts where its text is the same, or where both say that they ended at the length asked for
/// (a text that is cut inside a character differs).
fn counted(
    endpoint: &Endpoint,
    all: &mut [(usize, Result<Streamed, String>)],
    amount: Amount,
    first: usize,
) {
    let late = AtomicUsize::new(0);
    for (number, one) in all {
        if let Ok(streamed) = one
            && streamed.usage.is_none()
        {
            let prompt = prompt(first + *number, amount.words);
            let whole = in_time(endpoint, &late, || endpoint.whole(&prompt, amount.tokens));
            let whole = whole.ok().filter(|whole| {
                let length = whole.usage.map(|usage| usage.completion) == Some(amount.tokens);
                whole.text == streamed.text || (whole.full && streamed.full && length)
            });
            streamed.usage = whole.and_then(|whole| whole.usage);
        }
    }
}

fn document(all: &[(usize, Result<Streamed, String>)], amount: Amount, seconds: f64) -> Value {
    let good: Vec<&Streamed> = all.iter().filter_map(|(_, one)| one.as_ref().ok()).collect();
    let bad = all.iter().filter_map(|(_, one)| one.as_ref().err());
    let told: Vec<&String> = bad.clone().take(TOLD).collect();
    let counted: Option<Vec<_>> = good.iter().map(|one| one.usage).collect();
    let counted = counted.filter(|all| !all.is_empty());
    let tokens: Option<u64> =
        counted.as_ref().map(|all| all.iter().map(|usage| usage.completion).sum());
    let prompted: Option<u64> =
        counted.as_ref().and_then(|all| all.iter().map(|usage| usage.prompt).sum());
    let per_token: Vec<f64> = good.iter().filter_map(|one| per_token_ms(one)).collect();
    #[allow(clippy::cast_precision_loss, reason = "no run makes 2^53 tokens")]
    let throughput = tokens.map(|tokens| tokens as f64 / seconds);
    json!({
        "concurrency": amount.concurrency,
        "requests": amount.requests,
        "completed": good.len(),
        "failed": bad.count(),
        "failures": told,
        "seconds": rounded(seconds),
        "output-tokens": tokens,
        "prompt-tokens": prompted,
        "tokens-per-second": throughput.map(rounded),
        "done": good.iter().filter(|one| one.done).count(),
        "first-ms": good.iter().map(|one| rounded(one.first_ms)).collect::<Vec<_>>(),
        "gap-ms": good.iter().flat_map(|one| &one.gaps_ms).map(|ms| rounded(*ms)).collect::<Vec<_>>(),
        "whole-ms": good.iter().map(|one| rounded(one.whole_ms)).collect::<Vec<_>>(),
        "token-ms": per_token.into_iter().map(rounded).collect::<Vec<_>>(),
    })
}

/// Time of each token after the first; there is none where there is one token.
fn per_token_ms(one: &Streamed) -> Option<f64> {
    let later = one.usage?.completion.checked_sub(1).filter(|later| *later > 0)?;
    #[allow(clippy::cast_precision_loss, reason = "no completion has 2^53 tokens")]
    let later = later as f64;
    Some((one.whole_ms - one.first_ms) / later)
}

/// Keeps microseconds of a time in ms.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::super::completion::Usage;
    use super::*;

    fn streamed(completion: Option<u64>) -> Streamed {
        Streamed {
            first_ms: 10.0,
            gaps_ms: vec![5.0, 15.0],
            whole_ms: 30.0,
            usage: completion.map(|completion| Usage { prompt: Some(3), completion }),
            text: String::new(),
            full: true,
            done: true,
        }
    }

    const AMOUNT: Amount = Amount { concurrency: 1, requests: 2, words: 4, tokens: 5 };

    #[test]
    fn tokens_are_those_of_usage_and_never_chunks() {
        let all = [(0, Ok(streamed(Some(5)))), (1, Ok(streamed(Some(1))))];
        let said = document(&all, AMOUNT, 2.0);
        assert_eq!((&said["output-tokens"], &said["tokens-per-second"]), (&json!(6), &json!(3.0)));
        // 20 ms for four tokens after the first; one token has no time between tokens.
        assert_eq!(said["token-ms"], json!([5.0]));
        let unknown = [(0, Ok(streamed(Some(5)))), (1, Ok(streamed(None)))];
        let said = document(&unknown, AMOUNT, 2.0);
        assert_eq!(said["output-tokens"], Value::Null);
        assert_eq!(said["tokens-per-second"], Value::Null);
        assert_eq!(said["gap-ms"], json!([5.0, 15.0, 5.0, 15.0]));
    }

    #[test]
    fn what_failed_is_counted_and_told() {
        let all = [(0, Ok(streamed(Some(5)))), (1, Err("status 500: no".to_owned()))];
        let said = document(&all, AMOUNT, 2.0);
        assert_eq!((&said["completed"], &said["failed"]), (&json!(1), &json!(1)));
        assert_eq!(said["failures"], json!(["status 500: no"]));
        let none = document(&[(0, Err("x".to_owned()))], AMOUNT, 2.0);
        assert_eq!((&none["output-tokens"], &none["completed"]), (&Value::Null, &json!(0)));
    }

    #[test]
    fn prompts_differ_in_their_first_words_from_each_other_and_from_run_to_run() {
        for words in [1, 3, 6, 8, 256] {
            assert_eq!(prompt(7, words).split(' ').count(), words + 1);
        }
        let first = |salt, number| {
            let prompt = salted(salt, number, 8);
            prompt.split(' ').take(SALTED).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_ne!(first(1, 7), first(1, 8));
        assert_ne!(first(1, 7), first(2, 7));
        assert_eq!(prompt(3, 8), prompt(3, 8));
        // What follows is the same in each run, so that it has the same tokens.
        let rest = |salt| salted(salt, 7, 64).split(' ').skip(SALTED).collect::<Vec<_>>().join(" ");
        assert_eq!(rest(1), rest(2));
    }
}
