//! Axes: where a value stands, which values are marked, and what stands beside the marks.
//!
//! Marks are round numbers in a unit in which the greatest value reads well. Where labels would lie on
//! each other, some are left out; their marks stay. Values may be anything finite.

use verify_model::{
    quantity::{Quantity, display_number},
    unit::Unit,
};

use super::svg::{Anchor, Svg, WIDTH, width_of};

/// Marks on an axis, about.
const TICKS: f64 = 5.0;
/// Decades of an axis that are all marked.
const DECADES: i32 = 6;

/// Says where a value stands between two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Equal steps.
    Linear(f64, f64),
    /// Equal ratios, between two powers of ten.
    Log(f64, f64),
}

/// Holds one mark.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// Its value.
    pub(super) value: f64,
    /// What stands beside it.
    pub(super) label: String,
}

/// Least span of an axis around values, as a share of the largest.
const LEAST_SPAN: f64 = 0.02;

impl Scale {
    /// Spans values from zero, or from below it where one is.
    pub(super) fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = ends(values).unwrap_or((0.0, 1.0));
        let (low, high) = (low.min(0.0), high.max(0.0));
        if high > low {
            Self::Linear(low, high + (high - low) * 0.08)
        } else {
            Self::Linear(0.0, 1.0)
        }
    }

    /// Spans values with some room.
    pub(super) fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = ends(values).unwrap_or((0.0, 1.0));
        if low == 0.0 && high == 0.0 {
            return Self::Linear(0.0, 1.0);
        }
        // Rounding is no course: what differs by less than that fills no axis.
        let least = low.abs().max(high.abs()) * LEAST_SPAN;
        let room = ((high - low) * 0.1).max((least - (high - low)) / 2.0);
        // A quantity that is never negative does not get an axis that is.
        let floor = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
        Self::Linear((low - room).max(floor), high + room)
    }

    /// Spans values by ratio where they are far apart and above zero.
    pub(super) fn wide(values: impl IntoIterator<Item = f64> + Clone) -> Self {
        match ends(values.clone()) {
            Some((low, high)) if low > 0.0 && high / low > 30.0 => {
                Self::Log(low.log10().floor(), high.log10().ceil())
            }
            Some((low, _)) if low >= 0.0 => Self::from_zero(values),
            _ => Self::around(values),
        }
    }

    /// Says where a value stands, from 0 to 1 between the ends.
    pub(super) fn at(self, value: f64) -> f64 {
        let (value, low, high) = match self {
            Self::Linear(low, high) => (value, low, high),
            Self::Log(low, high) => (value.max(1e-300).log10(), low, high),
        };
        // Halved, so that no difference of great values overflows.
        let part = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        if part.is_finite() { part.clamp(-0.02, 1.02) } else { 0.5 }
    }

    /// Lists round values between the ends.
    pub(super) fn values(self) -> Vec<f64> {
        match self {
            Self::Linear(low, high) => linear(low, high),
            Self::Log(low, high) => decades(low, high),
        }
    }
}

fn ends(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().fold(None, |ends, value| match ends {
        None => Some((value, value)),
        Some((low, high)) => Some((low.min(value), high.max(value))),
    })
}

fn linear(low: f64, high: f64) -> Vec<f64> {
    let raw = high / TICKS - low / TICKS;
    if !raw.is_finite() || raw <= 0.0 {
        return vec![low];
    }
    let decade = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|n| n * decade).find(|step| *step >= raw);
    let step = step.unwrap_or(10.0 * decade);
    let first = (low / step).ceil();
    (0..12)
        .map(|n| (first + f64::from(n)) * step)
        .filter(|value| value.is_finite())
        .take_while(|value| *value <= high + step * 1e-6)
        .collect()
}

fn decades(low: f64, high: f64) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "powers of ten of doubles")]
    let (low, high) = (low as i32, high as i32);
    let each = ((high - low) / DECADES).max(0) + 1;
    (low..=high).filter(|power| (power - low) % each == 0).map(|p| 10_f64.powi(p)).collect()
}

/// Holds the unit of the values and the one in which they are shown.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    of: Unit,
    /// Unit in which marks of a linear axis are written.
    pub(super) shown: Unit,
}

impl Measure {
    /// Chooses the unit in which the greatest value reads well.
    pub(super) fn new(of: Unit, values: impl IntoIterator<Item = f64>) -> Self {
        let most = values.into_iter().map(f64::abs).fold(0.0, f64::max);
        let shown = Quantity::new(most, of).map_or(of, |quantity| quantity.humanized().unit());
        Self { of, shown }
    }

    /// Converts a value for a linear axis.
    pub(super) fn of(&self, value: f64) -> f64 {
        if self.of == self.shown {
            return value;
        }
        let converted = self.shown.from_base(self.of.to_base(value));
        if converted.is_finite() { converted } else { value }
    }

    /// Writes a value with its unit, as reports do.
    pub(super) fn words(&self, value: f64) -> String {
        Quantity::new(value, self.of)
            .map_or_else(|_| display_number(value), |quantity| quantity.humanized().to_string())
    }

    /// Writes a value that was converted.
    pub(super) fn shown(&self, value: f64) -> String {
        Quantity::new(value, self.shown)
            .map_or_else(|_| display_number(value), |quantity| quantity.humanized().to_string())
    }

    /// Marks an axis of converted values; each mark has its unit where they span decades.
    pub(super) fn ticks(&self, scale: Scale) -> Vec<Tick> {
        let label = |value: f64| match scale {
            Scale::Linear(..) => tick_number(value),
            Scale::Log(..) => self.shown(value),
        };
        scale.values().into_iter().map(|value| Tick { value, label: label(value) }).collect()
    }

    /// Names an axis: what, and the unit.
    pub(super) fn title(&self, what: &str, scale: Scale) -> String {
        match (scale, self.shown.symbol()) {
            (Scale::Log(..), _) | (_, "") => what.to_owned(),
            (_, symbol) => format!("{what}, {symbol}"),
        }
    }
}

/// Writes a round number without the dust of its computation.
fn tick_number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1e6 || (magnitude > 0.0 && magnitude < 1e-4) {
        let text = format!("{value:.1e}");
        return text.replace(".0e", "e");
    }
    let text = format!("{value:.5}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Holds a field in which values are drawn.
#[derive(Clone, Copy)]
pub(super) struct Plot {
    /// Left and upper end. *Units*: px.
    pub(super) corner: (f64, f64),
    /// Width and height. *Units*: px.
    pub(super) size: (f64, f64),
    /// To the right.
    pub(super) x: Scale,
    /// Upwards.
    pub(super) y: Scale,
}

impl Plot {
    /// Says where a pair of values stands.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.px(x), self.py(y))
    }

    /// Says where a value stands to the right.
    pub(super) fn px(&self, x: f64) -> f64 {
        self.corner.0 + self.x.at(x) * self.size.0
    }

    /// Says where a value stands upwards.
    pub(super) fn py(&self, y: f64) -> f64 {
        self.corner.1 + (1.0 - self.y.at(y)) * self.size.1
    }

    /// Returns the lower end.
    pub(super) fn bottom(&self) -> f64 {
        self.corner.1 + self.size.1
    }

    /// Returns the right end.
    pub(super) fn right(&self) -> f64 {
        self.corner.0 + self.size.0
    }

    /// Draws both axes with their marks; the names stand above the left one and below the right end.
    pub(super) fn draw(&self, svg: &mut Svg, x: (&[Tick], &str), y: (&[Tick], &str)) {
        let (left, bottom, right) = (self.corner.0, self.bottom(), self.right());
        let mut last = f64::INFINITY;
        for tick in y.0 {
            let at = self.py(tick.value);
            svg.line("grid", (left, at), (right, at));
            if last - at >= 13.0 {
                svg.text("tick", Anchor::End, (left - 6.0, at + 4.0), &tick.label);
                last = at;
            }
        }
        svg.line("axis", (left, bottom), (right, bottom));
        let mut free = 0.0;
        for tick in x.0 {
            let at = self.px(tick.value);
            svg.line("axis", (at, bottom), (at, bottom + 4.0));
            let half = width_of(&tick.label) / 2.0;
            let from = (at - half).min(WIDTH - 2.0 * half);
            if from >= free {
                svg.text("tick", Anchor::Middle, (from + half, bottom + 17.0), &tick.label);
                free = from + 2.0 * half + 8.0;
            }
        }
        svg.text("name", Anchor::Start, (0.0, self.corner.1 - 10.0), y.1);
        svg.text("name", Anchor::End, (right, bottom + 34.0), x.1);
    }
}

/// Writes a share with as many nines as it has.
pub(super) fn nines(count: u32) -> String {
    match count {
        0 => "0 %".to_owned(),
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        more => format!("99.{} %", "9".repeat(usize::try_from(more - 2).unwrap_or(1).min(16))),
    }
}
