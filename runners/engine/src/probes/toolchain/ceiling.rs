//! Whether a CUDA toolkit fits the driver: which series of CUDA the driver runs programs of.
//!
//! A driver runs programs of its own series of CUDA and of older ones. Within the series a newer
//! toolkit works by minor-version compatibility, except for what needs a newer driver (PTX among
//! it). *Source*: NVIDIA, CUDA Compatibility.

use verify_model::{observation::Observation, value::Value, version::Version};

/// Adds the ceiling, and how the toolkit in use stands to it.
pub(super) fn facts(observation: Observation, ceiling: Value) -> Observation {
    let of = |name: &str| observation.facts.get(name).cloned();
    // What people start; without it the newest of those that they would have to start by its path.
    let toolkit = of("version").filter(|version| !matches!(version, Value::Absent(_)));
    let toolkit = toolkit.or_else(|| of("newest"));
    let toolkit =
        toolkit.unwrap_or_else(|| Value::Unreadable("the compiler's version is not known".into()));
    let fit = match (&toolkit, &ceiling) {
        (Value::Text(toolkit), Value::Text(ceiling)) => fit(toolkit, ceiling),
        (Value::Text(_), none) | (none, _) => none.clone(),
    };
    observation.fact("driver-ceiling", ceiling).fact("driver-fit", fit)
}

fn fit(toolkit: &str, ceiling: &str) -> Value {
    let parts = |text: &str| {
        let version = Version::parse(text)?.to_string();
        let mut numbers = version.split('.').map(|part| part.parse::<u64>().ok());
        Some((numbers.next()??, numbers.next().flatten().unwrap_or(0)))
    };
    let (Some(own), Some(most)) = (parts(toolkit), parts(ceiling)) else {
        return Value::Unreadable(format!("not two versions: {toolkit} and {ceiling}"));
    };
    let word = if own.0 > most.0 {
        "beyond"
    } else if own > most {
        "newer-minor"
    } else {
        "within"
    };
    Value::text(format!("{word}: nvcc {toolkit}, driver up to CUDA {ceiling}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_decides_and_a_newer_release_of_it_is_named() {
        for (toolkit, ceiling, word) in [
            ("12.4.131", "12.8", "within:"),
            ("12.8.93", "12.8", "within:"),
            ("11.8.89", "12.8", "within:"),
            ("12.9.41", "12.8", "newer-minor:"),
            ("12.10.20", "12.8", "newer-minor:"),
            ("13.0.48", "12.8", "beyond:"),
            ("13.5.37", "13.5", "within:"),
        ] {
            let found = fit(toolkit, ceiling).to_string();
            assert!(found.starts_with(word), "{found}");
            assert!(found.contains(toolkit) && found.contains(ceiling), "{found}");
        }
        assert!(fit("x", "12.8").unreadable().is_some());
    }
}
