//! Answers how fast memory is read and written, by the instrument `stream`.
//!
//! Every pass is a sample: the best one (`triad.max`) is what the memory can do and what STREAM
//! reports, the median what it did. A group whose results were wrong has no figures at all. Where
//! memory is too little for arrays beyond the caches nothing is measured, and `state` says so.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    cpu_set::CpuSet,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Cpus, Integer, List, Metric as Measured, Quantity as Amount, Text},
    finding::FindingCode,
    fingerprint::Depends,
    metric::{Direction, Metric},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

use crate::{
    gathered::count,
    parse::instrument,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field},
};

pub(super) struct MemoryBandwidth;

const NAME: &str = "stream";
const BY: &str = "verify instrument stream";
/// Limit of the instrument; ten passes take a second on most machines. *Units*: ms.
const LIMIT_MS: u64 = 120_000;
const KERNELS: [&str; 4] = ["copy", "scale", "add", "triad"];
/// Unit of the rates. *Units*: decimal, as STREAM's.
const RATE: &str = "GB/s";

fn rate() -> FieldKind {
    Measured(RATE, Direction::HigherIsBetter)
}

fn rates() -> FieldKind {
    List(Box::new(Amount(RATE)))
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "memory-bandwidth",
    summary: "How fast memory is read and written by STREAM's kernels, per NUMA node and in all.",
    effect: Effect::Loads,
    depends: &[
        Depends::cause("memory"),
        Depends::cause("cpu"),
        Depends::cause("bios"),
        Depends::cause("kernel"),
    ],
    params: &[ParamSpec {
        name: "passes",
        kind: ParamKind::Integer,
        required: false,
        doc: "Counted passes, 5 to 100; 10 unless given.",
    }],
    fields: &[
        field(
            "state",
            || Text,
            BY,
            "`measured`; else `too little memory`, `unmeasured` or `wrong results`, and why.",
        ),
        field(
            "copy",
            rate,
            BY,
            "Rate of c = a with all threads, 16 B an element; a sample a pass.",
        ),
        field("scale", rate, BY, "Rate of b = 3 c, 16 B an element."),
        field("add", rate, BY, "Rate of c = a + b, 24 B an element."),
        field("triad", rate, BY, "Rate of a = b + 3 c, 24 B an element; `triad.max` is the best."),
        field("wrong-elements", || Integer, BY, "Elements that hold something else than computed."),
        field("cpus", || Cpus, BY, "Cpus that were used, one thread on each."),
        field("array-size", || Amount("B"), BY, "Size of each of the three arrays."),
        field(
            "cache-size",
            || Amount("B"),
            "/sys/devices/system/cpu/cpu*/cache",
            "Last-level caches of these cpus together.",
        ),
        field(
            "nodes.name",
            || List(Box::new(Text)),
            BY,
            "NUMA nodes that were measured alone; `all` where there is one.",
        ),
        field("nodes.copy", rates, BY, "Best copy of each, by its own cpus."),
        field("nodes.triad", rates, BY, "Best triad of each, by its own cpus."),
    ],
    example: r#"with = { passes = 10 }
expect = { state = "measured", "triad.max" = { between = ["25.6 GB/s", "51.2 GB/s"] } }"#,
};

impl Probe for MemoryBandwidth {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let passes = with.integer("passes").unwrap_or(10);
        if !(5..=100).contains(&passes) {
            return Err(format!("`passes` is {passes}; 5 to 100 can be counted"));
        }
        let argv = [NAME, "--passes", &passes.to_string()].map(str::to_owned).to_vec();
        Ok(vec![Ask::Instrument { argv, limit_ms: LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let result = instrument::result(piece, NAME)?;
        let unreadable =
            |why: String| failed(FindingCode::OutputUnreadable, format!("{}: {why}", piece.ask));
        let groups = result.get("groups").and_then(Json::as_array);
        let groups = groups.ok_or_else(|| unreadable("it names no groups of cpus".to_owned()))?;
        let groups: Result<Vec<Group>, String> = groups.iter().map(Group::read).collect();
        let groups = groups.map_err(unreadable)?;
        let all = groups.iter().find(|group| group.name == "all");
        let all = all.ok_or_else(|| unreadable("it has no group `all`".to_owned()))?;
        Ok(observe(all, &groups))
    }
}

/// Holds what was found about the cpus of one node, or about all.
struct Group {
    name: String,
    cpus: CpuSet,
    figures: Result<Figures, String>,
}

struct Figures {
    array: Quantity,
    cache: Option<Quantity>,
    wrong: i64,
    rates: [Metric; KERNELS.len()],
}

impl Group {
    fn read(json: &Json) -> Result<Self, String> {
        let text = |key: &str| {
            let found = json.get(key).and_then(Json::as_str);
            found.ok_or_else(|| format!("a group has no `{key}`"))
        };
        let said =
            |key: &str| json.get(key).map(|why| why.as_str().unwrap_or("it does not say why"));
        let figures = match (said("too-little-memory"), said("unmeasured")) {
            (Some(why), _) => Err(format!("too little memory: {why}")),
            (None, Some(why)) => Err(format!("unmeasured: {why}")),
            (None, None) => Ok(Figures::read(json)?),
        };
        Ok(Self { name: text("name")?.to_owned(), cpus: CpuSet::parse(text("cpus")?)?, figures })
    }

    /// Says how it came out, in one line.
    fn state(&self) -> String {
        match &self.figures {
            Err(why) => why.clone(),
            Ok(figures) if figures.wrong != 0 => {
                format!("wrong results: {} elements of {}", figures.wrong, self.name)
            }
            Ok(_) => "measured".to_owned(),
        }
    }

    /// Returns the figures that count; the error says why there are none.
    fn sound(&self) -> Result<&Figures, String> {
        self.figures.as_ref().ok().filter(|figures| figures.wrong == 0).ok_or_else(|| self.state())
    }

    fn best(&self, kernel: &str) -> Value {
        let found = self.sound().map(|figures| {
            let at = KERNELS.iter().position(|name| *name == kernel);
            at.and_then(|at| figures.rates[at].summary("max"))
        });
        match found {
            Ok(Some(best)) => Value::Quantity(best),
            Ok(None) => Value::Unreadable(format!("no rate of {kernel}")),
            Err(why) => Value::Absent(why),
        }
    }
}

impl Figures {
    fn read(json: &Json) -> Result<Self, String> {
        let size = |key: &str| -> Result<Quantity, String> {
            let bytes = json.get(key).and_then(Json::as_f64).filter(|bytes| *bytes > 0.0);
            let bytes = bytes.ok_or_else(|| format!("a group has no `{key}`"))?;
            Quantity::of(bytes, "B").map_err(|error| error.to_string())
        };
        let wrong = json.get("wrong-elements").and_then(Json::as_i64).filter(|n| *n >= 0);
        let cache = match json.get("last-level-cache-bytes") {
            None | Some(Json::Null) => None,
            Some(_) => Some(size("last-level-cache-bytes")?),
        };
        let [copy, scale, add, triad] = KERNELS.map(|kernel| samples(json, kernel));
        Ok(Self {
            array: size("array-bytes")?,
            cache,
            wrong: wrong.ok_or("a group does not say whether its results were right")?,
            rates: [copy?, scale?, add?, triad?],
        })
    }
}

fn samples(json: &Json, kernel: &str) -> Result<Metric, String> {
    let key = format!("{kernel}-gb-per-s");
    let list = json.get(&key).and_then(Json::as_array);
    let list = list.ok_or_else(|| format!("a group has no `{key}`"))?;
    let rates: Option<Vec<f64>> =
        list.iter().map(|rate| rate.as_f64().filter(|rate| *rate > 0.0)).collect();
    let rates = rates.ok_or_else(|| format!("`{key}` holds something that is no rate"))?;
    let unit = Unit::parse(RATE).ok_or("an unknown unit")?;
    Metric::new(unit, Direction::HigherIsBetter, rates).map_err(|error| error.to_string())
}

fn observe(all: &Group, groups: &[Group]) -> Observation {
    let alone: Vec<&Group> = groups.iter().filter(|group| group.name != "all").collect();
    let nodes = if alone.is_empty() { vec![all] } else { alone };
    let bad = groups.iter().map(Group::state).find(|state| state != "measured");
    let list =
        |of: &dyn Fn(&Group) -> Value| Value::List(nodes.iter().map(|group| of(group)).collect());
    let about = |of: &dyn Fn(&Figures) -> Value| match &all.figures {
        Ok(figures) => of(figures),
        Err(_) => Value::Absent(all.state()),
    };
    let no_cache = || Value::Absent("the kernel shows no cache".to_owned());
    let mut found = Observation::default()
        .fact("state", Value::Text(bad.unwrap_or_else(|| "measured".to_owned())))
        .fact("wrong-elements", wrong(groups))
        .fact("cpus", Value::Cpus(all.cpus.clone()))
        .fact("array-size", about(&|figures| Value::Quantity(figures.array)))
        .fact("cache-size", about(&|f| f.cache.map_or_else(no_cache, Value::Quantity)))
        .fact(
            "nodes",
            Value::record([
                ("name", list(&|group| Value::text(group.name.as_str()))),
                ("copy", list(&|group| group.best("copy"))),
                ("triad", list(&|group| group.best("triad"))),
            ]),
        );
    for (at, kernel) in KERNELS.into_iter().enumerate() {
        found = match all.sound() {
            Ok(figures) => found.metric(kernel, figures.rates[at].clone()),
            Err(why) => found.fact(kernel, Value::Absent(why)),
        };
    }
    found
}

/// Counts wrong elements; where nothing was measured, nothing was checked.
fn wrong(groups: &[Group]) -> Value {
    let measured = groups.iter().filter_map(|group| group.figures.as_ref().ok());
    let all: Vec<i64> = measured.map(|figures| figures.wrong).collect();
    match (all.as_slice(), groups.first()) {
        ([], Some(group)) => Value::Absent(group.state()),
        ([], None) => Value::Unreadable("no group".to_owned()),
        _ => all
            .iter()
            .try_fold(0_i64, |sum, n| sum.checked_add(*n))
            .map_or_else(|| count(usize::MAX), Value::Integer),
    }
}
