//! The kernels on a device, and the patterns with which they prove what was copied and computed.

use std::{
    ffi::{CStr, c_void},
    ptr,
};

use serde_json::{Value, json};

use super::{
    context::{Context, Memory, Pinned, Stream},
    library::{Address, Handle, Trouble},
};

/// What runs on the device, as text that the driver assembles for whatever it has.
const PTX: &str = concat!(include_str!("kernel.ptx"), "\0");

/// Distance of the words of a pattern. *Source*: 2^32 divided by the golden ratio, so that words
/// near each other share no bits by rule.
pub(super) const FACTOR: u32 = 0x9E37_79B9;

/// Threads of a block; every device takes so many.
const THREADS: u32 = 256;
/// Blocks for each processor: enough to keep memory busy on all of them.
const BLOCKS: u32 = 16;

/// Holds one argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    Long(u64),
    Short(u32),
    Real(f32),
}

/// Holds the kernels of one device.
pub(super) struct Program<'c> {
    context: &'c Context<'c>,
    module: Handle,
    blocks: u32,
    found: Memory<'c>,
}

impl<'c> Program<'c> {
    /// Has the driver assemble the kernels for a device.
    pub(super) fn load(context: &'c Context<'c>) -> Result<Self, Trouble> {
        let processors =
            context.device.amount(context.driver, super::device::attribute::PROCESSORS);
        let processors = processors.and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
        // Taken first, so that nothing is left behind if there is no memory.
        let found = Memory::take(context, 16)?;
        context.enter()?;
        let mut module: Handle = ptr::null_mut();
        context.driver.call("cuModuleLoadData", &context.driver.functions.module_load, |load| {
            // SAFETY: `module` is a valid place, and the text ends with a NUL.
            unsafe { load(&raw mut module, PTX.as_ptr().cast::<c_void>()) }
        })?;
        let blocks = processors.saturating_mul(BLOCKS);
        Ok(Self { context, module, blocks, found })
    }

    /// Enqueues a kernel over the whole device.
    pub(super) fn launch(
        &self,
        stream: &Stream<'_>,
        name: &CStr,
        words: &[Word],
    ) -> Result<(), Trouble> {
        self.launch_on(stream, name, self.blocks, THREADS, words)
    }

    /// Enqueues a kernel of one thread.
    pub(super) fn launch_one(
        &self,
        stream: &Stream<'_>,
        name: &CStr,
        words: &[Word],
    ) -> Result<(), Trouble> {
        self.launch_on(stream, name, 1, 1, words)
    }

    fn launch_on(
        &self,
        stream: &Stream<'_>,
        name: &CStr,
        blocks: u32,
        threads: u32,
        words: &[Word],
    ) -> Result<(), Trouble> {
        self.context.enter()?;
        let driver = self.context.driver;
        let mut function: Handle = ptr::null_mut();
        driver.call("cuModuleGetFunction", &driver.functions.module_function, |get| {
            // SAFETY: `function` is a valid place, the module lives, and the name ends with a NUL.
            unsafe { get(&raw mut function, self.module, name.as_ptr()) }
        })?;
        let mut places: Vec<*mut c_void> = words
            .iter()
            .map(|word| match word {
                Word::Long(word) => ptr::from_ref(word).cast_mut().cast(),
                Word::Short(word) => ptr::from_ref(word).cast_mut().cast(),
                Word::Real(word) => ptr::from_ref(word).cast_mut().cast(),
            })
            .collect();
        driver.call("cuLaunchKernel", &driver.functions.launch, |launch| {
            let (arguments, extra) = (places.as_mut_ptr(), ptr::null_mut());
            // SAFETY: the kernel takes these arguments, which the driver copies before it returns.
            unsafe {
                launch(function, blocks, 1, 1, threads, 1, 1, 0, stream.handle, arguments, extra)
            }
        })
    }

    /// Fills memory with a pattern; factor 0 is one word everywhere.
    pub(super) fn fill(
        &self,
        stream: &Stream<'_>,
        to: &Memory<'_>,
        seed: u32,
        factor: u32,
    ) -> Result<(), Trouble> {
        let words =
            [Word::Long(to.at), Word::Long(to.words()), Word::Short(seed), Word::Short(factor)];
        self.launch(stream, c"fill", &words)
    }

    /// Compares memory with a pattern, on the device; `None` is all right.
    pub(super) fn wrong(
        &self,
        stream: &Stream<'_>,
        from: &Memory<'_>,
        seed: u32,
        factor: u32,
    ) -> Result<Option<Wrong>, Trouble> {
        let words = [
            Word::Long(from.at),
            Word::Long(from.words()),
            Word::Short(seed),
            Word::Short(factor),
            Word::Long(self.found.at),
        ];
        let expected = |at: u64| pattern(seed, factor, at);
        self.compared(stream, from, |program| program.launch(stream, c"check", &words), expected)
    }

    /// Compares memory with a table of 64 words, over and over.
    pub(super) fn differs(
        &self,
        stream: &Stream<'_>,
        from: &Memory<'_>,
        at: Address,
        table: &[u32; 64],
    ) -> Result<Option<Wrong>, Trouble> {
        let words = [
            Word::Long(from.at),
            Word::Long(from.words()),
            Word::Long(at),
            Word::Long(self.found.at),
        ];
        let expected = |at: u64| table[usize::try_from(at % 64).unwrap_or(0)];
        self.compared(stream, from, |program| program.launch(stream, c"same", &words), expected)
    }

    fn compared(
        &self,
        stream: &Stream<'_>,
        from: &Memory<'_>,
        compare: impl FnOnce(&Self) -> Result<(), Trouble>,
        expected: impl Fn(u64) -> u32,
    ) -> Result<Option<Wrong>, Trouble> {
        let mut seen = Pinned::take(self.context, 4)?;
        // No wrong word so far, and the first one beyond all.
        seen.words_mut().copy_from_slice(&[0, 0, u32::MAX, u32::MAX]);
        stream.copy_to_device(&self.found, &seen)?;
        compare(self)?;
        stream.copy_from_device(&mut seen, &self.found)?;
        stream.finish()?;
        let long =
            |at: usize| u64::from(seen.words()[at]) | (u64::from(seen.words()[at + 1]) << 32);
        let (count, first) = (long(0), long(2));
        if count == 0 {
            return Ok(None);
        }
        if first >= from.words() {
            return Err(Trouble::unmade("compare", "words are wrong, and none is the first"));
        }
        let mut word = Pinned::take(self.context, 1)?;
        stream.copy_word(&mut word, from.at + first * 4)?;
        stream.finish()?;
        Ok(Some(Wrong { count, first, expected: expected(first), found: word.words()[0] }))
    }
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        if self.context.enter().is_ok() {
            let unload = &self.context.driver.functions.module_unload;
            let _ = self.context.driver.call("cuModuleUnload", unload, |unload| {
                // SAFETY: it was loaded once by `load`, and every stream that used it has ended.
                unsafe { unload(self.module) }
            });
        }
    }
}

/// Returns word `at` of a pattern.
pub(super) fn pattern(seed: u32, factor: u32, at: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the device takes the low half, too")]
    let low = at as u32;
    seed ^ low.wrapping_mul(factor)
}

/// Says what of some memory is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) count: u64,
    /// Place of the first one, in words of 4 B.
    pub(super) first: u64,
    pub(super) expected: u32,
    pub(super) found: u32,
}

impl Wrong {
    /// Compares memory of the host with a pattern.
    pub(super) fn of_host(words: &[u32], seed: u32) -> Option<Self> {
        let differs = |(at, word): (usize, &u32)| {
            let expected = pattern(seed, FACTOR, at as u64);
            (*word != expected).then_some((at as u64, expected, *word))
        };
        let mut all = words.iter().enumerate().filter_map(differs);
        let (first, expected, found) = all.next()?;
        Some(Self { count: 1 + all.count() as u64, first, expected, found })
    }

    /// Writes it for the document.
    pub(super) fn to_json(self) -> Value {
        json!({
            "words": self.count,
            "first-byte": self.first * 4,
            "expected": format!("0x{:08x}", self.expected),
            "found": format!("0x{:08x}", self.found),
            "differing-bits": format!("0x{:08x}", self.expected ^ self.found),
        })
    }
}
