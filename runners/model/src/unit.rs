//! Which units are known, and what each of them measures.
//!
//! One table. A unit belongs to exactly one dimension and converts to that dimension's base unit
//! by `value * scale + offset`. Bits and bytes per second share a dimension (a link limit may be
//! written either way); GB and GiB are different units of the same dimension.
//! Ambiguous spellings (`Gbps`, `KB`, `M`) are not units: they are answered with a suggestion.

use std::fmt;

/// Names what a quantity measures; quantities of different dimensions never compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// Amount of data. *Units*: base B.
    Data,
    /// Data per time, in bits or bytes. *Units*: base B/s.
    DataRate,
    /// Time. *Units*: base s.
    Time,
    /// Frequency. *Units*: base Hz.
    Frequency,
    /// Temperature. *Units*: base °C.
    Temperature,
    /// Electrical power. *Units*: base W.
    Power,
    /// Ratio of two like quantities. *Units*: base 1 (written `x`), `%`, `ppm`.
    Ratio,
    /// Plain count of things. *Units*: none.
    Count,
    /// Events per time. *Units*: base /s.
    EventRate,
    /// Storage or program operations per time. *Units*: base op/s.
    OperationRate,
    /// Bus or memory transfers per time. *Units*: base T/s.
    TransferRate,
    /// Tokens per time. *Units*: base token/s.
    TokenRate,
}

impl Dimension {
    /// Names the dimension in words, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data size",
            Self::DataRate => "data rate",
            Self::Time => "time",
            Self::Frequency => "frequency",
            Self::Temperature => "temperature",
            Self::Power => "power",
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::EventRate => "event rate",
            Self::OperationRate => "operation rate",
            Self::TransferRate => "transfer rate",
            Self::TokenRate => "token rate",
        }
    }

    /// Lists the symbols of the units of this dimension, in table order.
    pub fn symbols(self) -> Vec<&'static str> {
        UNITS.iter().filter(|row| row.dimension == self).map(|row| row.symbol).collect()
    }
}

/// Describes one unit: its symbol, dimension and conversion to the base unit.
#[derive(Debug)]
pub struct UnitRow {
    symbol: &'static str,
    dimension: Dimension,
    scale: f64,
    offset: f64,
}

impl UnitRow {
    /// Returns the symbol; empty for a plain count.
    pub const fn symbol(&self) -> &'static str {
        self.symbol
    }
}

const fn row(symbol: &'static str, dimension: Dimension, scale: f64) -> UnitRow {
    UnitRow { symbol, dimension, scale, offset: 0.0 }
}

const KI: f64 = 1024.0;

/// Holds every unit that suites, probes and reports may use.
pub static UNITS: &[UnitRow] = &[
    row("B", Dimension::Data, 1.0),
    row("kB", Dimension::Data, 1e3),
    row("MB", Dimension::Data, 1e6),
    row("GB", Dimension::Data, 1e9),
    row("TB", Dimension::Data, 1e12),
    row("PB", Dimension::Data, 1e15),
    row("KiB", Dimension::Data, KI),
    row("MiB", Dimension::Data, KI * KI),
    row("GiB", Dimension::Data, KI * KI * KI),
    row("TiB", Dimension::Data, KI * KI * KI * KI),
    row("PiB", Dimension::Data, KI * KI * KI * KI * KI),
    row("B/s", Dimension::DataRate, 1.0),
    row("kB/s", Dimension::DataRate, 1e3),
    row("MB/s", Dimension::DataRate, 1e6),
    row("GB/s", Dimension::DataRate, 1e9),
    row("TB/s", Dimension::DataRate, 1e12),
    row("KiB/s", Dimension::DataRate, KI),
    row("MiB/s", Dimension::DataRate, KI * KI),
    row("GiB/s", Dimension::DataRate, KI * KI * KI),
    row("TiB/s", Dimension::DataRate, KI * KI * KI * KI),
    row("bit/s", Dimension::DataRate, 0.125),
    row("kbit/s", Dimension::DataRate, 0.125e3),
    row("Mbit/s", Dimension::DataRate, 0.125e6),
    row("Gbit/s", Dimension::DataRate, 0.125e9),
    row("Tbit/s", Dimension::DataRate, 0.125e12),
    row("ns", Dimension::Time, 1e-9),
    row("us", Dimension::Time, 1e-6),
    row("ms", Dimension::Time, 1e-3),
    row("s", Dimension::Time, 1.0),
    row("min", Dimension::Time, 60.0),
    row("h", Dimension::Time, 3600.0),
    row("d", Dimension::Time, 86_400.0),
    row("Hz", Dimension::Frequency, 1.0),
    row("kHz", Dimension::Frequency, 1e3),
    row("MHz", Dimension::Frequency, 1e6),
    row("GHz", Dimension::Frequency, 1e9),
    row("°C", Dimension::Temperature, 1.0),
    UnitRow { symbol: "K", dimension: Dimension::Temperature, scale: 1.0, offset: -273.15 },
    row("mW", Dimension::Power, 1e-3),
    row("W", Dimension::Power, 1.0),
    row("kW", Dimension::Power, 1e3),
    row("x", Dimension::Ratio, 1.0),
    row("%", Dimension::Ratio, 1e-2),
    row("ppm", Dimension::Ratio, 1e-6),
    row("", Dimension::Count, 1.0),
    row("/s", Dimension::EventRate, 1.0),
    row("/min", Dimension::EventRate, 1.0 / 60.0),
    row("op/s", Dimension::OperationRate, 1.0),
    row("kop/s", Dimension::OperationRate, 1e3),
    row("Mop/s", Dimension::OperationRate, 1e6),
    row("Gop/s", Dimension::OperationRate, 1e9),
    row("T/s", Dimension::TransferRate, 1.0),
    row("MT/s", Dimension::TransferRate, 1e6),
    row("GT/s", Dimension::TransferRate, 1e9),
    row("token/s", Dimension::TokenRate, 1.0),
    row("ktoken/s", Dimension::TokenRate, 1e3),
];

/// Spellings people use that are ambiguous or not ours, with what to write instead.
static NOT_UNITS: &[(&str, &str)] = &[
    ("Gbps", "Gbit/s"),
    ("Mbps", "Mbit/s"),
    ("kbps", "kbit/s"),
    ("Gb/s", "Gbit/s"),
    ("Mb/s", "Mbit/s"),
    ("KB", "kB (1000 B) or KiB (1024 B)"),
    ("K", "KiB or kB"),
    ("G", "GiB or GB"),
    ("M", "MiB or MB"),
    ("gb", "GB or GiB"),
    ("sec", "s"),
    ("secs", "s"),
    ("seconds", "s"),
    ("second", "s"),
    ("minutes", "min"),
    ("m", "min"),
    ("usec", "us"),
    ("msec", "ms"),
    ("days", "d"),
    ("hours", "h"),
    ("C", "°C"),
    ("degC", "°C"),
    ("percent", "%"),
    ("IOPS", "op/s"),
    ("tok/s", "token/s"),
    ("tokens/s", "token/s"),
];

/// Refers to one row of [`UNITS`]; copying it copies the reference.
#[derive(Clone, Copy, Debug)]
pub struct Unit(&'static UnitRow);

impl Unit {
    /// Finds a unit by its exact symbol; `µs` is accepted for `us`.
    pub fn parse(symbol: &str) -> Option<Self> {
        let symbol = if symbol == "µs" || symbol == "μs" { "us" } else { symbol };
        UNITS.iter().find(|row| row.symbol == symbol).map(Self)
    }

    /// Suggests what to write for a spelling that is not a unit.
    pub fn suggestion(symbol: &str) -> Option<&'static str> {
        NOT_UNITS.iter().find(|(wrong, _)| *wrong == symbol).map(|(_, right)| *right)
    }

    /// Returns the symbol; empty for a plain count.
    pub fn symbol(self) -> &'static str {
        self.0.symbol
    }

    /// Returns what the unit measures.
    pub fn dimension(self) -> Dimension {
        self.0.dimension
    }

    /// Converts a value in this unit to the base unit of its dimension.
    pub fn to_base(self, value: f64) -> f64 {
        value * self.0.scale + self.0.offset
    }

    /// Returns how many of the base unit a difference of one of this unit is.
    pub fn scale(self) -> f64 {
        self.0.scale
    }

    /// Converts a value in the base unit of the dimension to this unit.
    pub fn from_base(self, base: f64) -> f64 {
        (base - self.0.offset) / self.0.scale
    }
}

impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        self.0.symbol == other.0.symbol
    }
}

impl Eq for Unit {}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.symbol)
    }
}
