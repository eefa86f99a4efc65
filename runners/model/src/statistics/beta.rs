//! The regularised incomplete beta function.
//!
//! Student's t and the Harrell-Davis quantile are both made of it. The continued fraction converges
//! on one side of the mean; the other side follows by symmetry. What is not defined is NaN, which every
//! caller refuses.
//!
//! *Source*: Lentz's method; Abramowitz and Stegun 26.5.8.

use super::gamma::ln_gamma;

/// More steps than any call that converges takes: it needs about the root of the larger parameter.
const STEPS: u32 = 20_000;

/// Returns the share of the beta distribution below x; `front` is x^a (1-x)^b / B(a, b).
///
/// `rest` is 1 - x, given apart so that neither end loses digits.
pub(super) fn below(a: f64, b: f64, x: f64, rest: f64, front: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if rest <= 0.0 {
        return 1.0;
    }
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, rest) / b
    }
}

/// Returns the share of the beta distribution below x.
pub(super) fn beta_below(a: f64, b: f64, x: f64) -> f64 {
    let rest = 1.0 - x;
    let front = a * x.ln() + b * rest.ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    below(a, b, x, rest, front.exp())
}

/// Computes the continued fraction; NaN where it does not converge.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut upper = 1.0;
    let mut lower = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut product = lower;
    for step in 1..=STEPS {
        let step = f64::from(step);
        let (even, odd) = (a + 2.0 * step, a + 2.0 * step + 1.0);
        let mut factor = 1.0;
        for term in [
            step * (b - step) * x / ((even - 1.0) * even),
            -(a + step) * (a + b + step) * x / (even * odd),
        ] {
            lower = 1.0 / away(1.0 + term * lower);
            upper = away(1.0 + term / upper);
            factor = lower * upper;
            product *= factor;
        }
        if (factor - 1.0).abs() <= f64::EPSILON {
            return product;
        }
        if !product.is_finite() {
            break;
        }
    }
    f64::NAN
}
