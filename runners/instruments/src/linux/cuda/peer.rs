//! How fast each pair of devices exchanges data, and how long one access takes.
//!
//! Without a grant the driver stages the copy through the host and says nothing: the rate stands
//! beside the grant. One way counts the bytes that crossed, both ways the sum of both. What arrived
//! is compared after every pass, since a grant is no proof that data comes through whole.

use serde_json::{Value, json};

use super::{
    context::{Context, Event, Memory, Pinned, Stream},
    library::Trouble,
    memory::Found,
    program::{FACTOR, Program, Word},
    timing::Timer,
};

/// Size of a copy. *Source*: the field notes; nvbandwidth copies so much. *Units*: B.
const BYTES: usize = 256 << 20;
/// Size of the chain of addresses. *Units*: B.
const CHAIN_BYTES: usize = 2 << 20;
/// Distance of one link of the chain to the next: not a whole page, and no power of two.
const CHAIN_STEP: usize = 4224;
const HOPS: u32 = 10_000;

/// Measures from one device to another; both contexts are of different devices.
pub(super) fn measure(from: &Context<'_>, to: &Context<'_>, passes: u32) -> Result<Value, Trouble> {
    let driver = from.driver;
    let reaches = from.device.reaches(driver, to.device)?;
    let back = to.device.reaches(driver, from.device)?;
    if reaches {
        from.reach(to)?;
    }
    if back {
        to.reach(from)?;
    }
    let mut said = copies(from, to, passes)?;
    let latency = if reaches { json!(latency_ns(from, to, passes)?) } else { Value::Null };
    if let Value::Object(all) = &mut said {
        all.insert("from".to_owned(), json!(from.device.0));
        all.insert("to".to_owned(), json!(to.device.0));
        all.insert("access".to_owned(), json!(reaches));
        all.insert("granted".to_owned(), from.device.granted(driver, to.device));
        all.insert("latency-ns".to_owned(), latency);
    }
    Ok(said)
}

fn copies(from: &Context<'_>, to: &Context<'_>, passes: u32) -> Result<Value, Trouble> {
    let (near, far) = (Program::load(from)?, Program::load(to)?);
    let timer = Timer::take(from)?;
    let (there, back) = (Stream::take(from)?, Stream::take(to)?);
    let back_done = Event::take(to)?;
    let sent = [Memory::take(from, BYTES)?, Memory::take(to, BYTES)?];
    let received = [Memory::take(from, BYTES)?, Memory::take(to, BYTES)?];
    let mut found = Found::default();
    for pass in 0..=passes {
        let counted = |bytes| (pass > 0).then_some(bytes);
        near.fill(&there, &sent[0], pass, FACTOR)?;
        far.fill(&back, &sent[1], !pass, FACTOR)?;
        far.fill(&back, &received[1], 0, 0)?;
        back.finish()?;
        let seconds = timer.time(&near, &there, || there.copy_to_peer(&received[1], &sent[0]))?;
        let wrong = far.wrong(&back, &received[1], pass, FACTOR)?;
        found.add("one-way", counted(BYTES), (seconds, wrong));

        near.fill(&there, &received[0], 0, 0)?;
        far.fill(&back, &received[1], 0, 0)?;
        back.finish()?;
        let seconds = timer.time_both(&near, [&there, &back], &back_done, || {
            there.copy_to_peer(&received[1], &sent[0])?;
            back.copy_to_peer(&received[0], &sent[1])
        })?;
        let wrong = far.wrong(&back, &received[1], pass, FACTOR)?;
        let wrong = match wrong {
            Some(wrong) => Some(wrong),
            None => near.wrong(&there, &received[0], !pass, FACTOR)?,
        };
        found.add("both-ways", counted(2 * BYTES), (seconds, wrong));
    }
    Ok(found.said(BYTES))
}

/// Follows a chain that lies on the other device. *Units*: ns a hop.
fn latency_ns(from: &Context<'_>, to: &Context<'_>, passes: u32) -> Result<Vec<f64>, Trouble> {
    let program = Program::load(from)?;
    let timer = Timer::take(from)?;
    let (near, far) = (Stream::take(from)?, Stream::take(to)?);
    let (chain, last) = (Memory::take(to, CHAIN_BYTES)?, Memory::take(from, 8)?);
    let mut links = Pinned::take(to, CHAIN_BYTES / 4)?;
    for start in (0..CHAIN_BYTES).step_by(8) {
        let next = chain.at + ((start + CHAIN_STEP) % CHAIN_BYTES) as u64;
        let words = &mut links.words_mut()[start / 4..start / 4 + 2];
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of an address")]
        words.copy_from_slice(&[next as u32, (next >> 32) as u32]);
    }
    far.copy_to_device(&chain, &links)?;
    far.finish()?;
    let words = [Word::Long(chain.at), Word::Short(HOPS), Word::Long(last.at)];
    let pass = |_: u32| -> Result<f64, Trouble> {
        let seconds =
            timer.time(&program, &near, || program.launch_one(&near, c"follow", &words))?;
        Ok(seconds / f64::from(HOPS) * 1e9)
    };
    let all: Vec<f64> = (0..=passes).map(pass).collect::<Result<_, _>>()?;
    // The first one is not counted.
    Ok(all[1..].to_vec())
}
