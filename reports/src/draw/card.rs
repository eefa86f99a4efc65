//! The cards of a machine: their slots, the bridges between them, and those that should be there.
//!
//! The rates that were measured are of the slowest card and the slowest pair, as the probe says them,
//! so they stand once and not at each card. What is wrong with the cards stands below them.

use verify_model::quantity::{Quantity, display_number};

use super::{
    machine::{self, Bridge, Card, Culprits, LINE, Machine, Part, Told},
    mark::Sample,
    svg::{Anchor, Svg, WIDTH, fitted},
    topology::line_class,
};
use crate::sentence::count;

/// Most cards that are drawn.
const CARDS: usize = 8;
/// Cards in a row.
const ROW: usize = 4;
/// Most bridges that are written below the cards.
const BRIDGES: usize = 8;
/// Space between two cards. *Units*: px.
const GAP: f64 = 22.0;
/// What is about the cards.
const PART: Part = Part { group: "gpu/", probes: &["nvml", "cuda", "gpu-witness", "nvidia-smi"] };
/// Looks of a card that is not there.
const MISSING: &str = "box unknown bad-edge";

/// Says where cards stand.
struct Places {
    number: usize,
    left: f64,
    top: f64,
    width: f64,
}

impl Places {
    fn of(number: usize, top: f64) -> Self {
        let columns = number.min(ROW);
        #[expect(clippy::cast_precision_loss, reason = "up to four columns")]
        let columns = columns as f64;
        let width = ((WIDTH - GAP * (columns - 1.0)) / columns).min(200.0);
        let left = (WIDTH - width * columns - GAP * (columns - 1.0)) / 2.0;
        Self { number, left, top, width }
    }

    #[expect(clippy::cast_precision_loss, reason = "up to eight cards")]
    fn corner(&self, at: usize) -> (f64, f64) {
        let (column, row) = ((at % ROW) as f64, (at / ROW) as f64);
        (self.left + column * (self.width + GAP), self.top + 48.0 + row * 106.0)
    }

    fn bottom(&self) -> f64 {
        self.corner(self.number.saturating_sub(1)).1 + 52.0
    }
}

/// Draws the cards below what is there; returns where they end.
pub(super) fn draw<'r>(
    svg: &mut Svg,
    machine: &Machine<'r>,
    top: f64,
    told: &mut Told<'r>,
    entries: &mut Vec<(Sample, String)>,
) -> f64 {
    let cards = machine.cards();
    let missing = machine.missing_cards(cards.len());
    let mut bottom = top;
    if cards.len() + missing > 0 {
        let all = cards.len().saturating_add(missing);
        let places = Places::of(all.min(CARDS), top);
        bottom = slots(svg, machine, &cards, &places, told);
        if missing > 0 {
            bottom = gone(svg, &places, (cards.len(), missing), bottom, told);
            entries.push((Sample::Box(MISSING, false), "card that is missing".to_owned()));
        }
        bottom = bridges(svg, machine, &cards, &places, bottom, told);
    }
    let rest = told.rest(machine.troubles(&PART));
    if rest.is_empty() {
        return if bottom > top { bottom + 12.0 } else { top };
    }
    if bottom <= top {
        bottom += 14.0;
        svg.text("strong", Anchor::Middle, (WIDTH / 2.0, bottom), "GPUs: none seen");
    }
    told.write(svg, (Anchor::Middle, WIDTH / 2.0, bottom), "GPUs", &rest) + 12.0
}

/// Draws the cards that were seen, each at its slot.
fn slots<'r>(
    svg: &mut Svg,
    machine: &Machine<'r>,
    cards: &[Card],
    places: &Places,
    told: &mut Told<'r>,
) -> f64 {
    if cards.is_empty() {
        told.seen.push("no GPU seen".to_owned());
        return places.bottom();
    }
    let fields = ["to-device", "from-device", "both-ways", "loaded.pcie", "gpus.pcie"];
    let mut misses = machine.missed("cuda", &fields);
    misses.extend(machine.missed("nvml", &fields));
    let culprits = Culprits::of(&misses, &fields, cards.len());
    let (up, down) =
        (machine.quantity("cuda", "to-device"), machine.quantity("cuda", "from-device"));
    let known = up.is_some() || down.is_some();
    let shown = &cards[..cards.len().min(CARDS)];
    for (at, card) in shown.iter().enumerate() {
        slot(svg, card, places.corner(at), places.width, slot_class(&culprits, at, known));
    }
    let middle = WIDTH / 2.0;
    let mut bottom = places.bottom() + LINE;
    let was = rates(up, down);
    svg.text("tick", Anchor::Middle, (middle, bottom), &format!("slots, slowest card: {was}"));
    bottom =
        told.write(svg, (Anchor::Middle, middle, bottom), &slots_said(&culprits, cards), &misses);
    let more = cards.len() - shown.len();
    let more = if more > 0 { format!(", {more} of them not drawn") } else { String::new() };
    let mut slots: Vec<String> = Vec::new();
    for slot in shown.iter().map(|card| slot_words(card).join(", ")) {
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    let slots = slots.join(" and ");
    told.seen.push(format!("{}{more}, slot {slots}, {was}", count(cards.len(), "GPU")));
    bottom
}

/// Chooses the look of a slot: sound only where no demand may have been missed there.
fn slot_class(culprits: &Culprits, at: usize, known: bool) -> &'static str {
    line_class(culprits.has(at), known && !culprits.others)
}

/// Says of which slots it is known that they missed a demand.
fn slots_said(culprits: &Culprits, cards: &[Card]) -> String {
    let known = cards.iter().enumerate().filter(|(at, _)| culprits.has(*at));
    let names: Vec<String> =
        known.take(CARDS).map(|(_, card)| format!("GPU {}", card.number)).collect();
    if names.is_empty() { "slots".to_owned() } else { format!("slot of {}", names.join(", ")) }
}

fn slot(svg: &mut Svg, card: &Card, corner: (f64, f64), width: f64, class: &'static str) {
    let middle = corner.0 + width / 2.0;
    svg.line(class, (middle, corner.1 - 48.0), (middle, corner.1));
    for (words, up) in slot_words(card).iter().zip([30.0, 14.0]) {
        let words = fitted(words, width / 2.0 + 12.0);
        svg.text("tick", Anchor::Start, (middle + 6.0, corner.1 - up), &words);
    }
    svg.rect("box", corner, (width, 52.0));
    let head = format!("GPU {}", card.number);
    svg.text("strong", Anchor::Middle, (middle, corner.1 + 15.0), &head);
    let name = card.name.clone().unwrap_or_else(|| "model unknown".to_owned());
    svg.text("small", Anchor::Middle, (middle, corner.1 + 30.0), &fitted(&name, width * 1.12));
    let memory = card.memory.map_or_else(|| "memory unknown".to_owned(), binary);
    svg.text("tick", Anchor::Middle, (middle, corner.1 + 45.0), &memory);
}

/// Draws the cards that were demanded and not seen, after those that were.
fn gone(
    svg: &mut Svg,
    places: &Places,
    (seen, missing): (usize, usize),
    bottom: f64,
    told: &mut Told<'_>,
) -> f64 {
    for at in (seen..seen.saturating_add(missing)).take_while(|at| *at < CARDS) {
        let corner = places.corner(at);
        let middle = corner.0 + places.width / 2.0;
        svg.rect(MISSING, corner, (places.width, 52.0));
        svg.text("strong", Anchor::Middle, (middle, corner.1 + 22.0), "GPU");
        svg.text("tick bad-text", Anchor::Middle, (middle, corner.1 + 38.0), "missing");
    }
    let said = format!("{missing} of {} missing", count(seen.saturating_add(missing), "GPU"));
    let bottom = bottom + LINE;
    svg.text("tick bad-text", Anchor::Middle, (WIDTH / 2.0, bottom), &said);
    told.bad.push(said);
    bottom
}

/// Says what the slot is, and what it could carry.
fn slot_words(card: &Card) -> [String; 2] {
    let Some((generation, lanes, how)) = card.slot else {
        return ["slot unknown".to_owned(), "rate unknown".to_owned()];
    };
    let how = if how == "at most" { "≤ " } else { "" };
    let rate = machine::physical(generation, lanes)
        .map_or_else(|| "rate unknown".to_owned(), |rate| format!("{how}{rate:.1} GB/s"));
    [format!("{how}gen {generation} x{lanes}"), rate]
}

fn rates(up: Option<Quantity>, down: Option<Quantity>) -> String {
    let word = |rate: Option<Quantity>| {
        rate.map_or_else(|| "?".to_owned(), |rate| rate.humanized().to_string())
    };
    match (up, down) {
        (None, None) => "copies not measured".to_owned(),
        _ => format!("measured {} to it, {} from it", word(up), word(down)),
    }
}

/// Writes memory as makers of cards do.
fn binary(memory: Quantity) -> String {
    let gib = memory.base() / 1_073_741_824.0;
    if gib.is_finite() {
        format!("{} GiB", display_number((gib * 10.0).round() / 10.0))
    } else {
        memory.to_string()
    }
}

/// Draws the bridges: a line between neighbours, words for all.
fn bridges<'r>(
    svg: &mut Svg,
    machine: &Machine<'r>,
    cards: &[Card],
    places: &Places,
    bottom: f64,
    told: &mut Told<'r>,
) -> f64 {
    let all = machine::bridges(cards);
    let mut misses = machine.missed("cuda", &["peer-", "pairs."]);
    misses.extend(machine.missed("nvml", &["pairs.", "gpus.links"]));
    let measured = machine.quantity("cuda", "peer-one-way");
    if cards.len() < 2 || (all.is_empty() && measured.is_none() && misses.is_empty()) {
        return bottom;
    }
    // Of several bridges nobody knows which missed the demand: then none looks sound.
    let (bad, known) = (!misses.is_empty(), measured.is_some());
    let class = line_class(bad && all.len() == 1, known && !bad);
    for bridge in all.iter().filter(|b| b.ends.1 == b.ends.0 + 1 && b.ends.1 < ROW) {
        let (x, y) = places.corner(bridge.ends.1);
        svg.line(class, (x - GAP + 1.0, y + 26.0), (x - 1.0, y + 26.0));
    }
    let mut at = bottom;
    let was = measured.map_or_else(
        || "copies not measured".to_owned(),
        |rate| format!("measured {} one way", rate.humanized()),
    );
    let mut lines: Vec<String> =
        all.iter().take(BRIDGES).map(|bridge| words(bridge, cards)).collect();
    if all.is_empty() {
        lines.push("GPU to GPU: no link is known".to_owned());
    }
    if all.len() > BRIDGES {
        lines.push(format!("and {} more pairs", all.len() - BRIDGES));
    }
    if let [one] = &mut lines[..] {
        *one = format!("{one}, {was}");
    } else {
        lines.push(format!("slowest pair: {was}"));
    }
    for line in &lines {
        at += LINE;
        svg.text("tick", Anchor::Middle, (WIDTH / 2.0, at), line);
    }
    told.seen.push(lines.join(", "));
    told.write(svg, (Anchor::Middle, WIDTH / 2.0, at), "GPU to GPU", &misses)
}

fn words(bridge: &Bridge, cards: &[Card]) -> String {
    let rate = bridge
        .physical
        .map_or_else(|| "rate unknown".to_owned(), |rate| format!("{} GB/s", display_number(rate)));
    let number = |at: usize| cards.get(at).map_or(at, |card| card.number);
    let (one, other) = (number(bridge.ends.0), number(bridge.ends.1));
    format!("GPU {one} to {other}: NVLink, {}, {rate}", count(bridge.links, "link"))
}
