//! From a measured value to y, its cost, and back to what a person reads.
//!
//! On the log scale a difference of y is a ratio, so 2 % is the same for every size. Values that may be
//! zero or negative, and the spread, which is a logarithm already, are compared as they are.

use serde::{Deserialize, Serialize};

use crate::metric::Direction;

/// Says how values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// As ratios; every value is above zero.
    Log,
    /// As differences in the metric's unit.
    Linear,
}

/// Turns values of one metric into y, which is higher where it is worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    /// How values are compared.
    pub scale: Scale,
    /// +1 where lower is better, -1 where higher is.
    pub sign: f64,
}

impl Transform {
    /// Returns the transform; a metric without a better direction is recorded, not judged.
    pub fn of(direction: Direction, scale: Scale) -> Option<Self> {
        let sign = match direction {
            Direction::LowerIsBetter => 1.0,
            Direction::HigherIsBetter => -1.0,
            Direction::Neutral => return None,
        };
        Some(Self { scale, sign })
    }

    /// Returns y of a value; none of what is not finite, nor of zero and below on the log scale.
    pub fn y(&self, x: f64) -> Option<f64> {
        let y = match self.scale {
            Scale::Log if x > 0.0 => self.sign * x.ln(),
            Scale::Log => return None,
            Scale::Linear => self.sign * x,
        };
        y.is_finite().then_some(y)
    }

    /// Returns the value of a y.
    pub fn value(&self, y: f64) -> f64 {
        match self.scale {
            Scale::Log => (self.sign * y).exp(),
            Scale::Linear => self.sign * y,
        }
    }

    /// Returns a difference of y as a change of the value.
    ///
    /// *Units*: a fraction on the log scale (-0.05 is 5 % less), the metric's unit on the linear one.
    pub fn change(&self, shift: f64) -> f64 {
        match self.scale {
            Scale::Log => (self.sign * shift).exp_m1(),
            Scale::Linear => self.sign * shift,
        }
    }

    /// Returns a tolerance or a goal as a difference of y.
    ///
    /// *Units*: a fraction on the log scale (0.02 is 2 %), the metric's unit on the linear one. For the
    /// spread, which is linear but a logarithm, [`Transform::ratio`] is meant.
    pub fn tol(&self, tolerance: f64) -> f64 {
        match self.scale {
            Scale::Log => Self::ratio(tolerance),
            Scale::Linear => tolerance,
        }
    }

    /// Returns a fraction as a difference of logarithms.
    pub fn ratio(fraction: f64) -> f64 {
        fraction.ln_1p()
    }
}

/// No log value is taken to scatter less than this, whatever was seen.
const LEAST: f64 = 0.0005;

/// Returns phi, the least sd of y: what rounding to steps hides.
///
/// *Units*: resolution and centre in the metric's unit; the centre is the value at the middle of the
/// baseline. NaN, which no question accepts, where either is not usable.
pub fn floor(resolution: Option<f64>, centre: f64, scale: Scale) -> f64 {
    let uniform = 12.0_f64.sqrt();
    let resolution = match resolution {
        Some(step) if !(step.is_finite() && step >= 0.0) => return f64::NAN,
        other => other,
    };
    match (scale, resolution) {
        (Scale::Log, None) => LEAST,
        (Scale::Log, Some(_)) if !(centre.is_finite() && centre > 0.0) => f64::NAN,
        (Scale::Log, Some(step)) => ((step / centre).ln_1p() / uniform).max(LEAST),
        (Scale::Linear, None) => 0.0,
        (Scale::Linear, Some(step)) => step / uniform,
    }
}
