//! How fast memory is read and written: STREAM's copy, scale, add and triad, per node and in all.
//!
//! Arrays are at least four times the last-level caches of the cpus used, each part is touched
//! first by the thread that computes, threads are pinned, the first pass is not counted, and what
//! was computed is checked. It takes at most half of the memory to spare, else it does not measure.

mod kernel;
mod place;
mod team;

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Arguments, Instrument, affinity, cpu_list};
use kernel::{ELEMENT_BYTES, KERNELS};
use place::Group;

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "stream",
    summary: "Measures memory bandwidth by STREAM's four kernels, per NUMA node and in all.",
    arguments: "--passes N        counted passes, 5 to 100; 10 unless given\n--array-bytes N   size of each array; 4 times the last-level caches unless given\n--cpus LIST       cpus to use, such as 0-3; all that it may use unless given",
    run,
};

/// How many times the last-level caches an array is. *Source*: STREAM's rules for runs.
const CACHES: u64 = 4;
/// Size of an array where the kernel shows no cache: four times 128 MiB. *Units*: B.
const UNKNOWN_ARRAY: u64 = 512 << 20;
/// Smallest array that a caller may ask for; small ones are good for tests only. *Units*: B.
const SMALLEST_ARRAY: u64 = 1 << 20;
/// Arrays that are held at once.
const ARRAYS: u64 = 3;

struct Wanted {
    passes: u32,
    array_bytes: Option<u64>,
}

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let wanted = Wanted {
        passes: given.number("--passes", 5..=100)?.unwrap_or(10),
        array_bytes: given.number("--array-bytes", SMALLEST_ARRAY..=u64::MAX)?,
    };
    let chosen = cpu_list::given(given, "--cpus")?;
    let allowed = affinity::allowed().map_err(|refusal| refusal.to_string())?;
    let cpus = chosen.unwrap_or_else(|| allowed.clone());
    if let Some(other) = cpus.difference(&allowed).next() {
        let may = cpu_list::show(&allowed);
        return Err(format!("cpu {other} cannot be used: this process may run on {may}"));
    }
    let root = Path::new("/");
    let mut groups = Vec::new();
    for group in place::groups(root, &cpus) {
        let rest = match too_little(root, &group, &wanted)? {
            Some(why) => json!({ "too-little-memory": why }),
            None => {
                measure(root, &group, &wanted).unwrap_or_else(|why| json!({ "unmeasured": why }))
            }
        };
        groups.push(described(&group, rest));
    }
    Ok(json!({ "passes": wanted.passes, "cpus": cpu_list::show(&cpus), "groups": groups }))
}

/// Returns what is said of a group, with what else is known.
fn described(group: &Group, rest: Value) -> Value {
    let mut all = Map::new();
    all.insert("name".to_owned(), json!(group.name));
    all.insert("cpus".to_owned(), json!(cpu_list::show(&group.cpus)));
    if let Value::Object(rest) = rest {
        all.extend(rest);
    }
    Value::Object(all)
}

/// Returns the size of an array and where it comes from.
fn sized(root: &Path, group: &Group, wanted: &Wanted) -> (u64, String, Option<u64>) {
    let caches = place::last_level_bytes(root, &group.cpus);
    match (wanted.array_bytes, caches) {
        (Some(bytes), _) => (bytes, "as asked for".to_owned(), caches),
        (None, Some(caches)) => {
            let bytes = (CACHES * caches).max(SMALLEST_ARRAY);
            (bytes, format!("{CACHES} times the last-level caches"), Some(caches))
        }
        (None, None) => (UNKNOWN_ARRAY, "the kernel shows no cache".to_owned(), None),
    }
}

/// Says how much memory is missing, where the arrays would take more than half of what is spare.
///
/// *Errors*: the kernel does not say how much is spare.
fn too_little(root: &Path, group: &Group, wanted: &Wanted) -> Result<Option<String>, String> {
    let (array_bytes, sized_from, _) = sized(root, group, wanted);
    let needed = ARRAYS.saturating_mul(array_bytes);
    let spare = place::available_bytes(root)?;
    let mib = |bytes: u64| bytes >> 20;
    Ok((needed > spare / 2).then(|| {
        format!(
            "it needs {} MiB ({ARRAYS} arrays, {sized_from}), and of {} MiB to spare it takes at most half",
            mib(needed),
            mib(spare)
        )
    }))
}

fn measure(root: &Path, group: &Group, wanted: &Wanted) -> Result<Value, String> {
    let (array_bytes, sized_from, caches) = sized(root, group, wanted);
    let outcome = team::run(&group.cpus, array_bytes, wanted.passes)?;
    let mut rest = Map::new();
    rest.insert("threads".to_owned(), json!(group.cpus.len()));
    rest.insert("last-level-cache-bytes".to_owned(), json!(caches));
    rest.insert("array-bytes".to_owned(), json!(outcome.elements * 8));
    rest.insert("sized-from".to_owned(), json!(sized_from));
    rest.insert("wrong-elements".to_owned(), json!(outcome.wrong_elements));
    for (kernel, seconds) in outcome.seconds.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "2^53 elements are 64 PiB")]
        let bytes = outcome.elements as f64 * f64::from(ELEMENT_BYTES[kernel]);
        let rates: Vec<f64> = seconds.iter().map(|seconds| bytes / seconds / 1e9).collect();
        rest.insert(format!("{}-gb-per-s", KERNELS[kernel]), json!(rates));
    }
    Ok(Value::Object(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_gives_every_sample_of_every_kernel_and_no_wrong_element() {
        let result = INSTRUMENT.tried("--passes 5 --array-bytes 4194304").unwrap();
        let groups = result["groups"].as_array().unwrap();
        let all = groups.last().unwrap();
        assert_eq!(all["name"], "all");
        assert_eq!(all["wrong-elements"], 0, "{all}");
        for kernel in KERNELS {
            let rates = all[format!("{kernel}-gb-per-s")].as_array().unwrap();
            assert_eq!(rates.len(), 5, "{all}");
            assert!(rates.iter().all(|rate| rate.as_f64().unwrap() > 0.0), "{all}");
        }
    }

    #[test]
    fn more_than_half_of_the_memory_to_spare_is_never_taken() {
        let result = INSTRUMENT.tried("--array-bytes 1000000000000000").unwrap();
        let why = result["groups"][0]["too-little-memory"].as_str().unwrap();
        assert!(why.contains("at most half"), "{why}");
    }

    #[test]
    fn arguments_that_it_cannot_use_are_refused_by_name() {
        for (bad, named) in [
            ("--passes 4", "5 to 100"),
            ("--passes", "lacks its value"),
            ("--array-bytes 5", "1048576"),
            ("--cpus 70000", "a list of cpus"),
            ("--cpus 65000", "cpu 65000 cannot be used"),
            ("--now 1", "--now"),
        ] {
            let why = INSTRUMENT.tried(bad).unwrap_err();
            assert!(why.contains(named), "{bad}: {why}");
        }
    }
}
