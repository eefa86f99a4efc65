//! How fast a device's own memory is: copied, read, and STREAM's triad.
//!
//! Rates count every byte that is read and every byte that is written: a copy of N bytes counts
//! 2 N, a triad 3 N. Buffers are far beyond the last cache, the first pass is not counted, and what
//! was written is compared with what it must be after every pass.

use serde_json::{Value, json};

use super::{
    context::{Context, Memory, Stream},
    device::attribute,
    library::Trouble,
    program::{FACTOR, Program, Word, Wrong},
    timing::{Timer, rate},
};

/// Smallest buffer. *Source*: the field notes: at least 256 MiB, since caches hold up to 50 MiB.
const LEAST_BYTES: usize = 256 << 20;
/// Buffers are at least so many times the last cache.
const CACHES: usize = 16;
/// Buffers that are held at once.
const BUFFERS: usize = 3;

const ONE: u32 = 0x3f80_0000;
const TWO: u32 = 0x4000_0000;
const SCALE: f32 = 3.0;
/// 1 + 3 x 2 as a float's bits.
const SEVEN: u32 = 0x40e0_0000;

/// Says how large the buffers are, where there is room for them.
fn sized(context: &Context<'_>) -> Result<Result<usize, String>, Trouble> {
    let cache = context.device.amount(context.driver, attribute::L2_BYTES).unwrap_or(0);
    let cache = usize::try_from(cache).unwrap_or(usize::MAX / CACHES);
    let bytes = LEAST_BYTES.max(cache.saturating_mul(CACHES)).next_multiple_of(4096);
    let free = context.free_bytes()?;
    if free / BUFFERS < bytes {
        let mib = |bytes: usize| bytes >> 20;
        return Ok(Err(format!(
            "it needs {BUFFERS} buffers of {} MiB, and {} MiB are free",
            mib(bytes),
            mib(free)
        )));
    }
    Ok(Ok(bytes))
}

/// Measures a device.
pub(super) fn measure(context: &Context<'_>, passes: u32) -> Result<Value, Trouble> {
    let bytes = match sized(context)? {
        Ok(bytes) => bytes,
        Err(why) => return Ok(json!({ "too-little-memory": why })),
    };
    let program = Program::load(context)?;
    let timer = Timer::take(context)?;
    let stream = Stream::take(context)?;
    let buffers = [
        Memory::take(context, bytes)?,
        Memory::take(context, bytes)?,
        Memory::take(context, bytes)?,
    ];
    let bench = Bench { program: &program, timer: &timer, stream: &stream, buffers: &buffers };
    let mut found = Found::default();
    for pass in 0..=passes {
        let counted = pass > 0;
        found.add("copy", counted.then_some(2 * bytes), bench.copy(pass)?);
        found.add("read", counted.then_some(bytes), (bench.read()?, None));
        found.add("triad", counted.then_some(3 * bytes), bench.triad()?);
    }
    Ok(found.said(bytes))
}

struct Bench<'a, 'c> {
    program: &'a Program<'c>,
    timer: &'a Timer<'c>,
    stream: &'a Stream<'c>,
    buffers: &'a [Memory<'c>; BUFFERS],
}

impl Bench<'_, '_> {
    fn copy(&self, seed: u32) -> Result<(f64, Option<Wrong>), Trouble> {
        let [from, to, _] = self.buffers;
        // Another pattern each time, so that what was not copied is found.
        self.program.fill(self.stream, from, seed, FACTOR)?;
        self.program.fill(self.stream, to, 0, 0)?;
        let seconds =
            self.timer.time(self.program, self.stream, || self.stream.copy_on_device(to, from))?;
        Ok((seconds, self.program.wrong(self.stream, to, seed, FACTOR)?))
    }

    fn read(&self) -> Result<f64, Trouble> {
        let [from, to, _] = self.buffers;
        let words = [Word::Long(from.at), Word::Long(from.bytes as u64 / 16), Word::Long(to.at)];
        self.timer
            .time(self.program, self.stream, || self.program.launch(self.stream, c"read", &words))
    }

    fn triad(&self) -> Result<(f64, Option<Wrong>), Trouble> {
        let [left, right, to] = self.buffers;
        self.program.fill(self.stream, left, ONE, 0)?;
        self.program.fill(self.stream, right, TWO, 0)?;
        self.program.fill(self.stream, to, 0, 0)?;
        let words = [
            Word::Long(to.at),
            Word::Long(left.at),
            Word::Long(right.at),
            Word::Long(to.bytes as u64 / 16),
            Word::Real(SCALE),
        ];
        let seconds = self.timer.time(self.program, self.stream, || {
            self.program.launch(self.stream, c"triad", &words)
        })?;
        Ok((seconds, self.program.wrong(self.stream, to, SEVEN, 0)?))
    }
}

/// Collects rates by name, and the first thing that was wrong with each.
#[derive(Default)]
pub(super) struct Found {
    rates: Vec<(&'static str, Vec<f64>)>,
    wrong: Vec<(&'static str, Wrong)>,
}

impl Found {
    /// Adds a pass; without bytes it is not counted, but what is wrong is.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        bytes: Option<usize>,
        (seconds, wrong): (f64, Option<Wrong>),
    ) {
        if let Some(bytes) = bytes {
            let rate = rate(bytes, seconds);
            match self.rates.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rates)) => rates.push(rate),
                None => self.rates.push((name, vec![rate])),
            }
        }
        if let Some(wrong) = wrong.filter(|_| self.wrong.iter().all(|(known, _)| *known != name)) {
            self.wrong.push((name, wrong));
        }
    }

    /// Writes it for the document.
    pub(super) fn said(self, bytes: usize) -> Value {
        let rates = self.rates.into_iter();
        let mut all: serde_json::Map<String, Value> =
            rates.map(|(name, rates)| (format!("{name}-gb-per-s"), json!(rates))).collect();
        all.insert("bytes".to_owned(), json!(bytes));
        let wrong = self.wrong.into_iter();
        let wrong = wrong.map(|(name, wrong)| (name.to_owned(), wrong.to_json())).collect();
        all.insert("wrong".to_owned(), Value::Object(wrong));
        Value::Object(all)
    }
}
