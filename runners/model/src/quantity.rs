//! How a number and its unit are read, compared and shown.
//!
//! A quantity is always finite: NaN and infinities cannot be built, parsed or read from a record,
//! so a comparison never has to ask. Comparison happens in the base unit of the dimension and is
//! refused across dimensions. Display keeps the digits a person can use: four significant ones for
//! fractions, all of them for whole numbers.

use std::{cmp::Ordering, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::unit::{Dimension, Unit};

/// Holds a finite value in a unit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawQuantity", into = "RawQuantity")]
pub struct Quantity {
    value: f64,
    unit: Unit,
}

/// Mirrors [`Quantity`] on the wire: `{"value": 9.4, "unit": "Gbit/s"}`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Quantity")]
struct RawQuantity {
    value: f64,
    unit: String,
}

impl JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        RawQuantity::json_schema(generator)
    }
}

/// Says why a text or a number is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The value is NaN or infinite.
    #[error("the value is not a finite number")]
    NotFinite,
    /// The text does not start with a number.
    #[error("expected a number followed by a unit, such as `9.4 Gbit/s`, found `{0}`")]
    NoNumber(String),
    /// The unit is not in the table.
    #[error("unknown unit `{symbol}`{}", .suggestion.as_ref().map(|s| format!("; write {s}")).unwrap_or_default())]
    UnknownUnit {
        /// What stood there.
        symbol: String,
        /// What to write instead, where that is known.
        suggestion: Option<String>,
    },
}

impl Quantity {
    /// Builds a quantity from a value and a unit.
    ///
    /// *Errors*: [`QuantityError::NotFinite`].
    pub fn new(value: f64, unit: Unit) -> Result<Self, QuantityError> {
        if value.is_finite() && unit.to_base(value).is_finite() {
            Ok(Self { value, unit })
        } else {
            Err(QuantityError::NotFinite)
        }
    }

    /// Builds a quantity from a value and a unit symbol.
    ///
    /// *Errors*: [`QuantityError::NotFinite`], [`QuantityError::UnknownUnit`].
    pub fn of(value: f64, symbol: &str) -> Result<Self, QuantityError> {
        let unit = Unit::parse(symbol).ok_or_else(|| QuantityError::UnknownUnit {
            symbol: symbol.to_owned(),
            suggestion: Unit::suggestion(symbol).map(str::to_owned),
        })?;
        Self::new(value, unit)
    }

    /// Returns the value in the quantity's own unit.
    pub fn value(self) -> f64 {
        self.value
    }

    /// Returns the unit.
    pub fn unit(self) -> Unit {
        self.unit
    }

    /// Returns what the quantity measures.
    pub fn dimension(self) -> Dimension {
        self.unit.dimension()
    }

    /// Returns the value in the base unit of the dimension.
    pub fn base(self) -> f64 {
        self.unit.to_base(self.value)
    }

    /// Returns the value as a difference, in the base unit: 5 K between two temperatures are 5 °C.
    pub fn difference(self) -> f64 {
        self.value * self.unit.scale()
    }

    /// Returns the value as a difference, in another unit; `None` across dimensions.
    pub fn difference_in(self, unit: Unit) -> Option<f64> {
        (unit.dimension() == self.dimension()).then(|| self.difference() / unit.scale())
    }

    /// Converts to another unit; `None` across dimensions, or where the number would overflow.
    pub fn to(self, unit: Unit) -> Option<Self> {
        if unit.dimension() != self.dimension() {
            return None;
        }
        Self::new(unit.from_base(self.base()), unit).ok()
    }

    /// Compares two quantities; `None` across dimensions.
    ///
    /// Two values closer than 1 part in 10^12 are equal, so that 9.4 Gbit/s equals 9400 Mbit/s.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        if self.dimension() != other.dimension() {
            return None;
        }
        let (a, b) = (self.base(), other.base());
        if (a - b).abs() <= 1e-12 * a.abs().max(b.abs()) {
            return Some(Ordering::Equal);
        }
        a.partial_cmp(&b)
    }

    /// Chooses the unit of the same family in which the value reads best (1 to 1000).
    ///
    /// SI stays SI, IEC stays IEC, bits stay bits; other families keep their unit.
    #[must_use]
    pub fn humanized(self) -> Self {
        const FAMILIES: &[&[&str]] = &[
            &["B", "kB", "MB", "GB", "TB", "PB"],
            &["B", "KiB", "MiB", "GiB", "TiB", "PiB"],
            &["B/s", "kB/s", "MB/s", "GB/s", "TB/s"],
            &["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"],
            &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"],
            &["ns", "us", "ms", "s", "min", "h", "d"],
            &["Hz", "kHz", "MHz", "GHz"],
            &["mW", "W", "kW"],
            &["op/s", "kop/s", "Mop/s"],
            &["T/s", "MT/s", "GT/s"],
            &["token/s", "ktoken/s"],
        ];
        let Some(family) = FAMILIES.iter().find(|f| f.contains(&self.unit.symbol())) else {
            return self;
        };
        if self.value == 0.0 {
            return self;
        }
        let mut candidates = family.iter().filter_map(|symbol| self.to(Unit::parse(symbol)?));
        candidates.rfind(|q| q.value.abs() >= 1.0).unwrap_or_else(|| {
            Unit::parse(family[0]).and_then(|smallest| self.to(smallest)).unwrap_or(self)
        })
    }
}

/// Writes a number with the digits that matter: whole numbers in full, fractions to four digits.
pub fn display_number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs();
    if (value - value.round()).abs() < 1e-9 * magnitude && magnitude < 1e15 {
        return format!("{value:.0}");
    }
    if !(1e-4..1e15).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let mut decimals = 0_usize;
    let mut scaled = magnitude;
    while scaled < 1000.0 && decimals < 8 {
        scaled *= 10.0;
        decimals += 1;
    }
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = display_number(self.value);
        match self.unit.symbol() {
            "" => f.write_str(&number),
            symbol => write!(f, "{number} {symbol}"),
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other) == Some(Ordering::Equal)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let end = number_end(text);
        let number = text[..end].replace('_', "");
        let value: f64 = number.parse().map_err(|_| QuantityError::NoNumber(text.to_owned()))?;
        Self::of(value, text[end..].trim())
    }
}

/// Finds where the number at the start of a text ends, an exponent included.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    while end < bytes.len() && (bytes[end].is_ascii_digit() || matches!(bytes[end], b'.' | b'_')) {
        end += 1;
    }
    if end > 0 && matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let digits = bytes[end + 1 + sign..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            end += 1 + sign + digits;
        }
    }
    end
}

impl TryFrom<RawQuantity> for Quantity {
    type Error = QuantityError;

    fn try_from(raw: RawQuantity) -> Result<Self, Self::Error> {
        Self::of(raw.value, &raw.unit)
    }
}

impl From<Quantity> for RawQuantity {
    fn from(quantity: Quantity) -> Self {
        Self { value: quantity.value, unit: quantity.unit.symbol().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn q(text: &str) -> Quantity {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn bits_and_bytes_per_second_compare_and_si_and_iec_differ() {
        assert_eq!(q("8 Gbit/s"), q("1 GB/s"));
        assert_eq!(q("9.4 Gbit/s"), q("9400 Mbit/s"));
        assert_eq!(q("1 GiB").compare(q("1 GB")), Some(Ordering::Greater));
        assert_eq!(q("1 GiB").compare(q("1 s")), None);
    }

    #[test]
    fn a_difference_of_temperatures_knows_no_zero() {
        let unit = |symbol: &str| Unit::parse(symbol).unwrap();
        assert_eq!((q("5 K").difference(), q("5 °C").difference()), (5.0, 5.0));
        assert_eq!(q("5 K").difference_in(unit("°C")), Some(5.0));
        assert_eq!(q("1 s").difference_in(unit("ms")), Some(1000.0));
        assert_eq!(q("5 K").difference_in(unit("us")), None);
    }

    #[test]
    fn ambiguous_units_are_refused_with_a_suggestion() {
        let error = "9.4 Gbps".parse::<Quantity>().err();
        assert_eq!(
            error.map(|e| e.to_string()).as_deref(),
            Some("unknown unit `Gbps`; write Gbit/s")
        );
        assert!("GiB".parse::<Quantity>().is_err());
        assert!("NaN s".parse::<Quantity>().is_err());
        assert!("1e999 s".parse::<Quantity>().is_err());
    }

    #[test]
    fn numbers_show_sensible_digits() {
        for (value, text) in [
            (9.412_345, "9.412"),
            (0.001_234_6, "0.001235"),
            (123_456.7, "123457"),
            (2.0, "2"),
            (0.0, "0"),
            (1e-7, "1.000e-7"),
            (52.300_000_1, "52.3"),
        ] {
            assert_eq!(display_number(value), text);
        }
        assert_eq!(q("25769803776 B").humanized().to_string(), "25.77 GB");
        assert_eq!(q("32768 MiB").humanized().to_string(), "32 GiB");
        assert_eq!(q("300 K").to(Unit::parse("°C").unwrap()).unwrap().to_string(), "26.85 °C");
    }
}
