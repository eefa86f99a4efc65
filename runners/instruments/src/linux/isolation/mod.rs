//! Whether cpus are left alone: what interrupts a program that has one of them to itself.
//!
//! Ticks, interrupts, softirqs and other tasks are counted around a window in which the cpus are
//! kept busy. How long each interruption lasts is measured elsewhere. The last cpus that the system
//! has for itself are never taken.

mod spinner;
mod window;

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{Arguments, Instrument, Refusal, cpu::Cpus, cpu_list};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "isolation",
    summary: "Counts what interrupts a busy program on given cpus.",
    arguments: "--cpus LIST       the cpus, such as 2,4-6\n\
                --window-ms N     how long is counted, 100 to 60000 (3000)",
    run,
};

/// *Units*: ms. *Source*: at 250 Hz 750 ticks, so that one is told from many.
const WINDOW_MS: u64 = 3000;

/// Cpus that are not measured, each with the reason.
type Refused = Vec<(u32, Refusal)>;

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let wanted = cpu_list::given(given, "--cpus")?.ok_or("`--cpus` says which, and is missing")?;
    let window_ms = given.number("--window-ms", 100..=60_000)?.unwrap_or(WINDOW_MS);
    let mut refused = Refused::new();
    let measured = Cpus::read().map_err(|refusal| refusal.why).and_then(|cpus| {
        let taken;
        (taken, refused) = choose(&wanted, &cpus);
        window::measure(&cpus, &taken, &mut refused, Duration::from_millis(window_ms))
    });
    let mut said = measured.unwrap_or_else(|why| json!({ "broken": why }));
    let refused = refused.iter().map(|(cpu, refusal)| {
        let mut said = refusal.to_json();
        said["cpu"] = json!(cpu);
        said
    });
    said["not-measured"] = refused.collect();
    Ok(said)
}

/// Sorts out which cpus can be measured; the others each with the reason.
fn choose(wanted: &BTreeSet<u32>, cpus: &Cpus) -> (BTreeSet<u32>, Refused) {
    let refusal = |cpu: &u32| Some((*cpu, cpus.refusal(*cpu, wanted)?));
    let refused: Refused = wanted.iter().filter_map(refusal).collect();
    let out: BTreeSet<u32> = refused.iter().map(|(cpu, _)| *cpu).collect();
    (wanted.difference(&out).copied().collect(), refused)
}

#[cfg(test)]
mod tests {
    use super::{
        super::cpu::tests::{cpus, list},
        *,
    };

    #[test]
    fn arguments_that_it_does_not_take_are_named() {
        for (bad, named) in [
            ("", "--cpus"),
            ("--cpus", "--cpus"),
            ("--cpus x", "`x`"),
            ("--cpus 1 --window-ms 5", "`5`"),
            ("--now 1", "--now"),
        ] {
            let said = INSTRUMENT.tried(bad).unwrap_err();
            assert!(said.contains(named), "{bad}: {said}");
        }
    }

    #[test]
    fn each_cpu_is_taken_or_refused_with_its_own_reason() {
        let chosen = |wanted: &str, cpus: Cpus| {
            let (taken, refused) = choose(&list(wanted), &cpus);
            let whys = refused.iter().map(|(cpu, refusal)| {
                assert!(refusal.why.contains(&format!("cpu {cpu} ")), "{}", refusal.why);
                refusal.why.clone()
            });
            (cpu_list::show(&taken), whys.collect::<Vec<_>>().join("; "))
        };
        assert_eq!(chosen("2-3", cpus("0-3", "0-3", "2-3")), ("2-3".to_owned(), String::new()));
        let (taken, why) = chosen("2-4", cpus("0-3", "0-2", "2-3"));
        assert_eq!(taken, "2");
        assert!(why.contains("cpu 3 is offline") && why.contains("cpu 4 does not exist"), "{why}");
        let (taken, why) = chosen("0,2-3", cpus("0-3", "0-3", "1-3"));
        assert!(taken == "2-3" && why.contains("the system needs one"), "{why}");
        assert_eq!(chosen("1", cpus("0-3", "0-3", "2-3")).0, "1");
    }

    #[test]
    fn a_cpu_is_measured_or_says_why_not() {
        let said = INSTRUMENT.tried("--cpus 1,7000 --window-ms 100").unwrap();
        let not: Vec<u64> = said["not-measured"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["cpu"].as_u64())
            .collect();
        assert!(not.contains(&7000), "{said}");
        let measured = &said["cpus"][0];
        if !not.contains(&1) {
            assert!(said["window-ms"].as_u64().unwrap() >= 100 && measured["cpu"] == 1, "{said}");
            assert!(
                measured["tasks"].is_array() || measured["tasks"]["hidden"].is_string(),
                "{said}"
            );
        }
    }
}
