//! Which parsers read text from outside, and what must hold of each for any bytes.
//!
//! A target is a name, its seeds and a function that panics where its promise is broken; "does not
//! panic" alone is no promise. `cargo test` walks the seeds, some damage to them and what was ever
//! found; `.ci/fuzz` hands the same table to libFuzzer. A new parser of outside text is a row here.
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a broken promise is a panic, which libFuzzer keeps"
)]

mod answer;
mod baseline;
mod damage;
mod file;
mod record;
mod shown;
mod stream;
mod word;

pub use damage::damaged;

/// Describes one target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Name, as `.ci/fuzz` takes it.
    pub name: &'static str,
    /// Tries one input.
    ///
    /// *Panics* where a promise is broken.
    pub run: fn(&[u8]),
    /// Makes the inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, run, seeds }
}

/// Makes the target of one probe: what it reads of evidence with any text in it.
macro_rules! probe {
    ($name:literal) => {
        target($name, |bytes| answer::of($name, bytes), || answer::seeds($name))
    };
}

/// Holds every target, sorted by name.
pub const TARGETS: &[Target] = &[
    target("answers", answer::of_any, answer::seeds_of_all),
    probe!("bench-import"),
    target("clean", shown::clean, shown::seeds),
    target("cpu-list", word::cpu_list, word::cpu_lists),
    target("frames", stream::frames, stream::frame_seeds),
    probe!("http"),
    probe!("iperf3"),
    probe!("journal"),
    target("ledger", baseline::ledger, baseline::ledgers),
    probe!("model-server"),
    probe!("net-interface"),
    target("node", file::node, file::nodes),
    probe!("nvidia-smi"),
    target("quantity", word::quantity, word::quantities),
    target("record", record::lines, record::seeds),
    probe!("smart"),
    target("sse", stream::events, stream::event_seeds),
    probe!("ssh-login"),
    probe!("storage-throughput"),
    target("suite", file::suite, file::suites),
    target("summary", baseline::summary, baseline::summaries),
    probe!("tensorrt"),
    target("version", word::version, word::versions),
    target("waivers", file::waivers, file::waiver_seeds),
];

/// Finds a target by its name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Takes the first line of an input off, which says how the rest is tried.
fn headed(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
