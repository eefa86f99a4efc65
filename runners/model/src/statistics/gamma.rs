//! The gamma function and its derivatives, for arguments above zero.
//!
//! All use the asymptotic series at sixteen and beyond, where it is exact to the last digit, and come
//! down from there by recurrence.
//!
//! *Source*: Abramowitz and Stegun 6.1.41, 6.3.18, 6.4.12; the coefficients are Bernoulli numbers.

/// From here on the series is exact.
const FAR: f64 = 16.0;

/// Returns the logarithm of the gamma function.
pub(super) fn ln_gamma(mut x: f64) -> f64 {
    let mut product = 1.0;
    while x < FAR {
        product *= x;
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series =
        (((((-691.0 / 360_360.0 * z + 1.0 / 1188.0) * z - 1.0 / 1680.0) * z + 1.0 / 1260.0) * z
            - 1.0 / 360.0)
            * z
            + 1.0 / 12.0)
            / x;
    let half_ln_two_pi = 0.5 * std::f64::consts::TAU.ln();
    (x - 0.5) * x.ln() - x + half_ln_two_pi + series - product.ln()
}

/// Returns gamma(x + 1/2) / gamma(x): a difference of two logarithms would lose digits.
pub(super) fn half_ratio(mut x: f64) -> f64 {
    let mut product = 1.0;
    while x < FAR {
        product *= x / (x + 0.5);
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series = ((((-31.0 / 18_432.0 * z + 17.0 / 14_336.0) * z - 1.0 / 640.0) * z + 1.0 / 192.0)
        * z
        - 1.0 / 8.0)
        / x;
    product * x.sqrt() * series.exp()
}

/// Returns psi, the derivative of the logarithm of gamma.
pub(super) fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < FAR {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series = ((((1.0 / 132.0 * z - 1.0 / 240.0) * z + 1.0 / 252.0) * z - 1.0 / 120.0) * z
        + 1.0 / 12.0)
        * z;
    sum + x.ln() - 0.5 / x - series
}

/// Returns the derivative of psi; it falls from infinity to zero.
pub(super) fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < FAR {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series =
        ((((5.0 / 66.0 * z - 1.0 / 30.0) * z + 1.0 / 42.0) * z - 1.0 / 30.0) * z + 1.0 / 6.0) * z;
    sum + (1.0 + series + 0.5 / x) / x
}

/// Returns where the derivative of psi has a value above zero.
pub(super) fn trigamma_at(value: f64) -> Option<f64> {
    if !(value.is_finite() && value > 0.0) {
        return None;
    }
    let (mut low, mut high) = (f64::MIN_POSITIVE.sqrt(), 1.0 / value + 1.0);
    // Halving in logarithms: both ends may be many powers of ten apart.
    for _ in 0..200 {
        let middle = (low.ln().midpoint(high.ln())).exp();
        if trigamma(middle) > value {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low.midpoint(high))
}
