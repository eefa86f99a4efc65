//! How fast a device and the host exchange data: from pinned and from pageable memory, each way,
//! and both ways at once.
//!
//! A rate counts the bytes that crossed the link; both ways together count both. What arrived is
//! compared after every pass, here or on the device.

use serde_json::Value;

use super::{
    context::{Context, Event, Memory, Pinned, Stream},
    library::Trouble,
    memory::Found,
    program::{FACTOR, Program, Wrong, pattern},
    timing::{Timer, by_host},
};

/// Size of a copy. *Source*: beyond it the rate of `PCIe` 4.0 x16 no longer grows. *Units*: B.
const BYTES: usize = 64 << 20;
const WORDS: usize = BYTES / 4;

/// Measures the link of a device.
pub(super) fn measure(context: &Context<'_>, passes: u32) -> Result<Value, Trouble> {
    let program = Program::load(context)?;
    let timer = Timer::take(context)?;
    let (down, up) = (Stream::take(context)?, Stream::take(context)?);
    let up_done = Event::take(context)?;
    let (here, there) = (Memory::take(context, BYTES)?, Memory::take(context, BYTES)?);
    let (mut out, mut back) = (Pinned::take(context, WORDS)?, Pinned::take(context, WORDS)?);
    let (mut pageable_out, mut pageable_back) = (vec![0_u32; WORDS], vec![0_u32; WORDS]);
    let mut found = Found::default();
    for pass in 0..=passes {
        let counted = |bytes| (pass > 0).then_some(bytes);
        write(out.words_mut(), pass);
        let seconds = timer.time(&program, &down, || down.copy_to_device(&here, &out))?;
        let wrong = program.wrong(&down, &here, pass, FACTOR)?;
        found.add("pinned-to-device", counted(BYTES), (seconds, wrong));

        program.fill(&up, &there, !pass, FACTOR)?;
        back.words_mut().fill(0);
        let seconds = timer.time(&program, &up, || up.copy_from_device(&mut back, &there))?;
        let wrong = Wrong::of_host(back.words(), !pass);
        found.add("pinned-from-device", counted(BYTES), (seconds, wrong));

        write(out.words_mut(), pass ^ 0x5555);
        back.words_mut().fill(0);
        let seconds = timer.time_both(&program, [&down, &up], &up_done, || {
            down.copy_to_device(&here, &out)?;
            up.copy_from_device(&mut back, &there)
        })?;
        let wrong = program.wrong(&down, &here, pass ^ 0x5555, FACTOR)?;
        let wrong = wrong.or_else(|| Wrong::of_host(back.words(), !pass));
        found.add("pinned-both-ways", counted(2 * BYTES), (seconds, wrong));

        write(&mut pageable_out, pass ^ 0x3333);
        let seconds = by_host(|| {
            down.copy_in(&here, pageable_out.as_ptr().cast(), BYTES)?;
            down.finish()
        })?;
        let wrong = program.wrong(&down, &here, pass ^ 0x3333, FACTOR)?;
        found.add("pageable-to-device", counted(BYTES), (seconds, wrong));

        pageable_back.fill(0);
        let seconds = by_host(|| {
            up.copy_out(pageable_back.as_mut_ptr().cast(), BYTES, &there)?;
            up.finish()
        })?;
        let wrong = Wrong::of_host(&pageable_back, !pass);
        found.add("pageable-from-device", counted(BYTES), (seconds, wrong));
    }
    Ok(found.said(BYTES))
}

/// Writes a pattern into memory of the host.
fn write(words: &mut [u32], seed: u32) {
    for (at, word) in words.iter_mut().enumerate() {
        *word = pattern(seed, FACTOR, at as u64);
    }
}
