//! The cards of a machine: their slots, and the bridges between them.
//!
//! The rates that were measured are of the slowest card and the slowest pair, as the probe says them,
//! so they stand once and not at each card.

use verify_model::quantity::{Quantity, display_number};

use super::{
    machine::{self, Bridge, Card, Machine, physical},
    svg::{Anchor, Svg, WIDTH, fitted},
    topology::{bad_words, broken, line_class},
};
use crate::sentence::count;

/// Most cards that are drawn.
const CARDS: usize = 8;
/// Cards in a row.
const ROW: usize = 4;
/// Most bridges that are written below the cards.
const BRIDGES: usize = 8;

/// Draws the cards below what is there; returns where they end.
pub(super) fn draw(svg: &mut Svg, machine: &Machine<'_>, top: f64, said: &mut Vec<String>) -> f64 {
    let cards = machine.cards();
    if cards.is_empty() {
        return top;
    }
    let slot_bad = machine
        .missed("cuda", &["to-device", "from-device", "both-ways", "loaded.pcie"])
        .or_else(|| machine.missed("nvml", &["gpus.pcie"]));
    let shown: Vec<&Card> = cards.iter().take(CARDS).collect();
    let columns = shown.len().min(ROW);
    let gap = 22.0;
    #[expect(clippy::cast_precision_loss, reason = "up to four columns")]
    let width = ((WIDTH - gap * (columns as f64 - 1.0)) / columns as f64).min(200.0);
    #[expect(clippy::cast_precision_loss, reason = "up to four columns")]
    let left = (WIDTH - width * columns as f64 - gap * (columns as f64 - 1.0)) / 2.0;
    let (up, down) =
        (machine.quantity("cuda", "to-device"), machine.quantity("cuda", "from-device"));
    let known = up.is_some() || down.is_some();
    let class = line_class(slot_bad.is_some(), known);
    let mut bottom = top;
    for (at, card) in shown.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "up to eight cards")]
        let (column, row) = ((at % ROW) as f64, (at / ROW) as f64);
        let corner = (left + column * (width + gap), top + 48.0 + row * 106.0);
        let middle = corner.0 + width / 2.0;
        svg.line(class, (middle, corner.1 - 48.0), (middle, corner.1));
        let [slot, could] = slot_words(card);
        let beside = middle + 6.0;
        svg.text(
            "tick",
            Anchor::Start,
            (beside, corner.1 - 30.0),
            &fitted(&slot, width / 2.0 + 12.0),
        );
        svg.text(
            "tick",
            Anchor::Start,
            (beside, corner.1 - 14.0),
            &fitted(&could, width / 2.0 + 12.0),
        );
        svg.rect("box", corner, (width, 52.0));
        svg.text("strong", Anchor::Middle, (middle, corner.1 + 15.0), &format!("GPU {at}"));
        let name = card.name.clone().unwrap_or_else(|| "model unknown".to_owned());
        svg.text("small", Anchor::Middle, (middle, corner.1 + 30.0), &fitted(&name, width * 1.12));
        let memory = card.memory.map_or_else(|| "memory unknown".to_owned(), binary);
        svg.text("tick", Anchor::Middle, (middle, corner.1 + 45.0), &memory);
        bottom = corner.1 + 52.0;
    }
    let was = rates(up, down);
    bottom += 16.0;
    svg.text("tick", Anchor::Middle, (WIDTH / 2.0, bottom), &format!("slots, slowest card: {was}"));
    if let Some(id) = slot_bad {
        bottom += 16.0;
        broken(svg, (WIDTH / 2.0, bottom), id);
    }
    let more = cards.len().saturating_sub(CARDS);
    let more = if more > 0 { format!(", {more} of them not drawn") } else { String::new() };
    let mut slots: Vec<String> = Vec::new();
    for slot in shown.iter().map(|card| slot_words(card).join(", ")) {
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    let slots = slots.join(" and ");
    said.push(format!(
        "{}{more}, slot {slots}, {was}{}",
        count(cards.len(), "GPU"),
        bad_words(slot_bad)
    ));
    bridges(svg, machine, &cards, (left, top + 74.0, width, gap), bottom, said)
}

/// Says what the slot is, and what it could carry.
fn slot_words(card: &Card) -> [String; 2] {
    let Some((generation, lanes, how)) = card.slot else {
        return ["slot unknown".to_owned(), "rate unknown".to_owned()];
    };
    let how = if how == "at most" { "≤ " } else { "" };
    let rate = physical(generation, lanes)
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
fn bridges(
    svg: &mut Svg,
    machine: &Machine<'_>,
    cards: &[Card],
    (left, y, width, gap): (f64, f64, f64, f64),
    bottom: f64,
    said: &mut Vec<String>,
) -> f64 {
    let all = machine::bridges(cards);
    let bad = machine
        .missed("cuda", &["peer-", "pairs."])
        .or_else(|| machine.missed("nvml", &["pairs.", "gpus.links"]));
    let measured = machine.quantity("cuda", "peer-one-way");
    if cards.len() < 2 || (all.is_empty() && measured.is_none() && bad.is_none()) {
        return bottom + 12.0;
    }
    let class = line_class(bad.is_some(), measured.is_some());
    for bridge in all.iter().filter(|b| b.ends.1 == b.ends.0 + 1 && b.ends.1 < ROW) {
        #[expect(clippy::cast_precision_loss, reason = "up to four columns")]
        let x = left + bridge.ends.0 as f64 * (width + gap) + width;
        svg.line(class, (x + 1.0, y), (x + gap - 1.0, y));
    }
    let mut at = bottom;
    let was = measured.map_or_else(
        || "copies not measured".to_owned(),
        |rate| format!("measured {} one way", rate.humanized()),
    );
    let mut lines: Vec<String> = all.iter().take(BRIDGES).map(words).collect();
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
        at += 16.0;
        svg.text("tick", Anchor::Middle, (WIDTH / 2.0, at), line);
    }
    if let Some(id) = bad {
        at += 16.0;
        broken(svg, (WIDTH / 2.0, at), id);
    }
    said.push(format!("{}{}", lines.join(", "), bad_words(bad)));
    at + 12.0
}

fn words(bridge: &Bridge) -> String {
    let rate = bridge
        .physical
        .map_or_else(|| "rate unknown".to_owned(), |rate| format!("{} GB/s", display_number(rate)));
    let (one, other) = bridge.ends;
    format!("GPU {one} to {other}: NVLink, {}, {rate}", count(bridge.links, "link"))
}
