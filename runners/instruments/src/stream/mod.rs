//! How fast memory is read and written: STREAM's copy, scale, add and triad, per node and in all.
//!
//! Arrays are at least four times the last-level caches of the cpus used, each part is touched
//! first by the thread that computes, threads are pinned, the first pass is not counted, and what
//! was computed is checked. It takes at most half of the memory to spare, else it does not measure.

mod kernel;
mod place;
mod team;

use std::path::Path;

use rustix::thread::{CpuSet, sched_getaffinity};
use serde_json::{Map, Value, json};

use crate::Instrument;
use kernel::{ELEMENT_BYTES, KERNELS};
use place::Group;

pub(crate) const INSTRUMENT: Instrument = Instrument {
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

struct Arguments {
    passes: u32,
    array_bytes: Option<u64>,
    cpus: Option<Vec<u32>>,
}

fn run(args: &[String]) -> Result<Value, String> {
    let arguments = parse(args)?;
    let root = Path::new("/");
    let mut cpus = allowed()?;
    if let Some(wanted) = &arguments.cpus {
        if let Some(other) = wanted.iter().find(|cpu| !cpus.contains(cpu)) {
            let may = place::show(&cpus);
            return Err(format!("cpu {other} cannot be used: this process may run on {may}"));
        }
        cpus.clone_from(wanted);
    }
    let mut groups = Vec::new();
    for group in place::groups(root, &cpus) {
        let rest = match too_little(root, &group, &arguments)? {
            Some(why) => json!({ "too-little-memory": why }),
            None => {
                measure(root, &group, &arguments).unwrap_or_else(|why| json!({ "unmeasured": why }))
            }
        };
        groups.push(described(&group, rest));
    }
    Ok(json!({ "passes": arguments.passes, "cpus": place::show(&cpus), "groups": groups }))
}

fn parse(args: &[String]) -> Result<Arguments, String> {
    let mut found = Arguments { passes: 10, array_bytes: None, cpus: None };
    let mut rest = args.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("`{name}` lacks its value"))?;
        let wrong = |wanted: &str| format!("`{name}` takes {wanted}, found `{value}`");
        match name.as_str() {
            "--passes" => {
                let passes = value.parse().ok().filter(|n| (5..=100).contains(n));
                found.passes = passes.ok_or_else(|| wrong("a number from 5 to 100"))?;
            }
            "--array-bytes" => {
                let bytes = value.parse().ok().filter(|n| *n >= SMALLEST_ARRAY);
                let wanted = format!("a number from {SMALLEST_ARRAY}");
                found.array_bytes = Some(bytes.ok_or_else(|| wrong(&wanted))?);
            }
            "--cpus" => {
                let cpus = place::cpu_list(value).filter(|cpus| !cpus.is_empty());
                found.cpus = Some(cpus.ok_or_else(|| wrong("a list of cpus such as 0-3"))?);
            }
            _ => return Err(format!("it takes no argument `{name}`")),
        }
    }
    Ok(found)
}

/// Returns the cpus that this process may use.
fn allowed() -> Result<Vec<u32>, String> {
    let set = sched_getaffinity(None).map_err(|error| format!("sched_getaffinity: {error}"))?;
    let all = (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu));
    Ok(all.filter_map(|cpu| u32::try_from(cpu).ok()).collect())
}

/// Returns what is said of a group, with what else is known.
fn described(group: &Group, rest: Value) -> Value {
    let mut all = Map::new();
    all.insert("name".to_owned(), json!(group.name));
    all.insert("cpus".to_owned(), json!(place::show(&group.cpus)));
    if let Value::Object(rest) = rest {
        all.extend(rest);
    }
    Value::Object(all)
}

/// Returns the size of an array and where it comes from.
fn sized(root: &Path, group: &Group, arguments: &Arguments) -> (u64, String, Option<u64>) {
    let caches = place::last_level_bytes(root, &group.cpus);
    match (arguments.array_bytes, caches) {
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
fn too_little(root: &Path, group: &Group, arguments: &Arguments) -> Result<Option<String>, String> {
    let (array_bytes, sized_from, _) = sized(root, group, arguments);
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

fn measure(root: &Path, group: &Group, arguments: &Arguments) -> Result<Value, String> {
    let (array_bytes, sized_from, caches) = sized(root, group, arguments);
    let outcome = team::run(&group.cpus, array_bytes, arguments.passes)?;
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

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_small_run_gives_every_sample_of_every_kernel_and_no_wrong_element() {
        let result = run(&words("--passes 5 --array-bytes 4194304")).unwrap();
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
        let result = run(&words("--array-bytes 1000000000000000")).unwrap();
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
            let why = run(&words(bad)).unwrap_err();
            assert!(why.contains(named), "{bad}: {why}");
        }
    }
}
