//! What the stand-in remembers: contexts, memory, streams and events, under one lock.

use std::{
    cell::Cell,
    collections::BTreeMap,
    env,
    sync::{Mutex, MutexGuard, PoisonError},
};

use toml::Value;

use super::{
    NO_DEVICE, UNKNOWN,
    content::{Content, Flaw},
};
use crate::scenario::{Scenario, current};

/// Holds a piece of device memory.
pub(super) struct Block {
    pub(super) card: usize,
    pub(super) bytes: u64,
    pub(super) content: Content,
}

/// Holds everything; numbers are handles.
pub(super) struct State {
    /// By address.
    pub(super) blocks: BTreeMap<u64, Block>,
    /// Memory of the host that stays in its place: address and length.
    pub(super) pinned: BTreeMap<usize, usize>,
    /// The card and the time of each stream. *Units*: ns.
    pub(super) streams: BTreeMap<usize, (usize, f64)>,
    /// The time of each event. *Units*: ns.
    pub(super) events: BTreeMap<usize, f64>,
    /// Pairs of cards of which the first reaches the second.
    pub(super) reaching: Vec<(usize, usize)>,
    /// Whether the load was started in this process.
    pub(super) loaded: bool,
    next: usize,
}

/// Distance of one address to the next: larger than any card.
const ROOM: u64 = 1 << 40;

thread_local! {
    /// The card whose context is current.
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Locks the state.
pub(super) fn state() -> MutexGuard<'static, State> {
    static LOCK: Mutex<State> = Mutex::new(State {
        blocks: BTreeMap::new(),
        pinned: BTreeMap::new(),
        streams: BTreeMap::new(),
        events: BTreeMap::new(),
        reaching: Vec::new(),
        loaded: false,
        next: 0,
    });
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells whether the cards of this process compute: from the first start of the load on.
pub(crate) fn is_loaded() -> bool {
    state().loaded
}

impl State {
    /// Returns a number that no handle has.
    pub(super) fn handle(&mut self) -> usize {
        self.next += 1;
        // Beyond the handles of contexts and kernels.
        self.next + 0x1_0000
    }

    /// Takes memory of a card.
    pub(super) fn allocate(&mut self, card: usize, bytes: u64) -> u64 {
        let at = (self.handle() as u64) * ROOM;
        self.blocks.insert(at, Block { card, bytes, content: Content::Unknown });
        at
    }

    /// Finds the block around an address, and how many bytes into it that is.
    pub(super) fn block(&mut self, at: u64) -> Option<(&mut Block, u64)> {
        let (start, block) = self.blocks.range_mut(..=at).next_back()?;
        let into = at - *start;
        (into < block.bytes).then_some((block, into))
    }

    /// Lets time pass on a stream.
    pub(super) fn spend(&mut self, stream: usize, ns: f64) -> bool {
        let found = self.streams.get_mut(&stream);
        found.map(|(_, now_ns)| *now_ns += ns).is_some()
    }
}

/// Sets the current card of the calling thread.
pub(super) fn enter(card: Option<usize>) {
    CURRENT.set(card);
}

/// Returns the current card of the calling thread.
pub(super) fn entered() -> Option<usize> {
    CURRENT.get()
}

/// Returns the scenario, where it has anything of CUDA.
pub(super) fn scenario() -> Result<&'static Scenario, i32> {
    current().map_err(|_| UNKNOWN)
}

/// Returns an entry of a card's table `cuda`.
pub(super) fn entry(card: usize, key: &str) -> Option<&'static Value> {
    scenario().ok()?.card(card, "cuda")?.get(key)
}

/// Returns a rate of a card. *Units*: B/ns, which is GB/s.
#[expect(clippy::cast_precision_loss, reason = "rates of scenarios are small numbers")]
pub(super) fn rate(card: usize, key: &str) -> f64 {
    let value = entry(card, key);
    let number = value.and_then(|v| v.as_float().or(v.as_integer().map(|n| n as f64)));
    number.filter(|rate| *rate > 0.0).unwrap_or(1.0)
}

/// Returns what a scenario lets come out wrong: `wrong.KEY = [word, bits]`.
pub(super) fn flaw(card: usize, key: &str) -> Option<Flaw> {
    let pair = entry(card, "wrong")?.get(key)?;
    let number = |at: usize| pair.get(at).and_then(Value::as_integer);
    Some(Flaw { word: u64::try_from(number(0)?).ok()?, bits: u32::try_from(number(1)?).ok()? })
}

/// Lists the cards that a program sees, in the driver's order.
///
/// `CUDA_VISIBLE_DEVICES` hides the rest from the first one on that it does not know, as the driver
/// does; the order is the scenario's `cuda.order` unless the bus is asked for.
pub(super) fn cards() -> Result<Vec<usize>, i32> {
    let scenario = scenario()?;
    let all: Vec<usize> = (0..scenario.count()).collect();
    let by_bus = env::var("CUDA_DEVICE_ORDER").is_ok_and(|order| order == "PCI_BUS_ID");
    let order = scenario.entry("cuda", "order").and_then(Value::as_array).filter(|_| !by_bus);
    let ordered: Vec<usize> = match order {
        Some(order) => {
            let numbers = order.iter().filter_map(Value::as_integer);
            numbers.filter_map(|n| usize::try_from(n).ok()).filter(|n| all.contains(n)).collect()
        }
        None => all,
    };
    let Ok(visible) = env::var("CUDA_VISIBLE_DEVICES") else { return Ok(ordered) };
    let known = visible.split(',').map_while(|name| {
        let name = name.trim();
        let by_uuid = |card: &usize| {
            let uuid = scenario.card(*card, "UUID").and_then(Value::as_str);
            name.starts_with("GPU-") && uuid.is_some_and(|uuid| uuid.starts_with(name))
        };
        let by_number = name.parse::<usize>().ok().and_then(|at| ordered.get(at).copied());
        by_number.or_else(|| ordered.iter().copied().find(by_uuid))
    });
    Ok(known.collect())
}

/// Returns the card at a place of the driver's order.
pub(super) fn card_at(device: i32) -> Result<usize, i32> {
    let cards = cards()?;
    let place = usize::try_from(device).ok();
    place.and_then(|at| cards.get(at).copied()).ok_or(super::INVALID_DEVICE)
}

/// Says what the driver answers at its start.
pub(super) fn begun() -> i32 {
    let Ok(scenario) = scenario() else { return UNKNOWN };
    let init = scenario.entry("cuda", "init").and_then(Value::as_integer);
    match init.and_then(|code| i32::try_from(code).ok()) {
        Some(code) => code,
        None if cards().is_ok_and(|cards| cards.is_empty()) => NO_DEVICE,
        None => 0,
    }
}
