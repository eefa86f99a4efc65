//! Whether a device computes right under load, for a bounded time, while its link is busy, too.
//!
//! Every thread iterates a chaotic map whose every step a CPU computes to the same bit; one wrong
//! bit is another result. Copies run beside it so that the link leaves its idle state.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    context::{Context, Memory, Pinned, Stream},
    device::attribute,
    library::Trouble,
    program::{Program, Word, Wrong},
    timing::Timer,
};

/// Steps of the map in one launch: some milliseconds on any card.
const ROUNDS: u32 = 10_000;
/// Results for each processor: more than its threads.
const RESULTS: usize = 8192;
/// Operations of a step: four chains of a fused multiply-add and a multiplication.
const OPERATIONS: f64 = 12.0;
/// Size of the copies beside it. *Units*: B.
const COPY_BYTES: usize = 16 << 20;
/// Launches between two comparisons.
const BATCH: u32 = 4;

/// Loads a device for some seconds.
pub(super) fn measure(context: &Context<'_>, seconds: u32) -> Result<Value, Trouble> {
    context.enter()?;
    let processors = context.device.amount(context.driver, attribute::PROCESSORS).unwrap_or(1);
    let results = usize::try_from(processors).unwrap_or(1) * RESULTS;
    let program = Program::load(context)?;
    let timer = Timer::take(context)?;
    let (work, copies) = (Stream::take(context)?, Stream::take(context)?);
    let to = Memory::take(context, results * 4)?;
    let (buffer, host) =
        (Memory::take(context, COPY_BYTES)?, Pinned::take(context, COPY_BYTES / 4)?);
    let table = expected(ROUNDS);
    let known = Memory::take(context, 64 * 4)?;
    let mut words = Pinned::take(context, 64)?;
    words.words_mut().copy_from_slice(&table);
    work.copy_to_device(&known, &words)?;
    work.finish()?;

    let arguments = [Word::Long(to.at), Word::Long(to.words()), Word::Short(ROUNDS)];
    let end = now() + Duration::from_secs(u64::from(seconds));
    let (mut busy_s, mut launches) = (0.0, 0_u32);
    let mut wrong: Option<Wrong> = None;
    // At least once, however short the time is.
    while launches == 0 || now() < end {
        program.fill(&work, &to, 0, 0)?;
        copies.copy_to_device(&buffer, &host)?;
        busy_s += timer.time(&program, &work, || {
            (0..BATCH).try_for_each(|_| program.launch(&work, c"burn", &arguments))
        })?;
        launches += BATCH;
        let differs = program.differs(&work, &to, known.at, &table)?;
        wrong = wrong.or(differs);
        copies.finish()?;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let operations = OPERATIONS * f64::from(ROUNDS) * f64::from(launches) * results as f64;
    Ok(json!({
        "launches": launches,
        "results": results,
        "busy-s": busy_s,
        "gflop-per-s": operations / busy_s / 1e9,
        "wrong": wrong.map(Wrong::to_json),
    }))
}

/// Computes what the threads of each class must find.
fn expected(rounds: u32) -> [u32; 64] {
    let mut table = [0_u32; 64];
    let classes = (1_u16..=64).map(f32::from);
    for (word, class) in table.iter_mut().zip(classes) {
        for chain in 0_u16..4 {
            let mut x = (class + 64.0 * f32::from(chain)) / 260.0;
            for _ in 0..rounds {
                x = (-x).mul_add(x, x) * 3.9;
            }
            *word ^= x.to_bits();
        }
    }
    table
}

#[allow(clippy::disallowed_methods, reason = "an instrument reads the clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_neither_dies_nor_repeats_among_its_classes() {
        let table = expected(ROUNDS);
        let distinct: std::collections::BTreeSet<u32> = table.iter().copied().collect();
        assert!(distinct.len() > 32, "{} of 64 differ", distinct.len());
        assert_ne!(expected(ROUNDS - 1), table);
    }
}
