//! Answers whether a model fits the memory of the GPUs that are to serve it, and what would.
//!
//! Computed before anything starts: a server that runs out of memory says so only after minutes of
//! loading. The memory is the node's own, of which CUDA never sees what the driver reserves. The
//! activation's peak is an estimate; a parameter takes its place. What other programs hold is told
//! apart, for that is no question of size.

mod card;
mod field;
mod format;
mod need;
mod shape;

use serde_json::Value as Json;
use verify_model::{
    ask::{Ask, DEFAULT_CAP},
    effect::Effect,
    evidence::{Evidence, FailureKind},
    field::FieldSpec,
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use self::{
    card::Cards,
    field::{FIELDS, PARAMS},
    format::{Format, stored},
    need::{Need, Setting, divisible, largest, need},
    shape::{Shape, given_twice},
};
use super::nvml;
use crate::{
    gathered::Gathered,
    parse::{instrument, json},
    probe::{Probe, ProbeSpec, With, failed},
};

pub(super) struct ModelFit;

/// How much of an index of safetensors is kept. *Source*: that of a model of 671e9 parameters has
/// 9 MB. *Units*: B.
const INDEX_CAP: u64 = 16 << 20;
/// How far count and index may differ. *Source*: buffers that are stored with the parameters.
const TOLERANCE: f64 = 0.01;
/// Peak of activations with 2048 tokens at a time and what CUDA and NCCL hold. *Source*: 1.26 GiB
/// and, in newer reports, 0.2 GiB (vllm-project/vllm#10511, #14447). *Units*: GiB.
const ACTIVATION: f64 = 1.5;
/// CUDA graphs. *Source*: 0.36 GiB with two GPUs (gpustack/runner#251). *Units*: GiB.
const GRAPHS: f64 = 0.4;
const GIB: f64 = 1_073_741_824.0;
/// Weights that share a scale. *Source*: `AutoAWQ` and `AutoGPTQ`, the default of both.
const GROUP: i64 = 128;
/// Most GPUs, sequences and tokens that are taken.
const MOST: i64 = 1 << 24;

static SPEC: ProbeSpec = ProbeSpec {
    name: "model-fit",
    summary: "Whether a model fits the memory of the GPUs that are to serve it, and what would.",
    effect: Effect::Reads,
    depends: &[],
    params: PARAMS,
    fields: FIELDS,
    example: r#"with = { model = "/srv/models/llama", tensor-parallel = 2, context = 8192, utilisation = "90 %" }
expect = { lacking = "none" }"#,
};

impl Probe for ModelFit {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let mut asks = Vec::new();
        let setting = Wanted::of(with)?;
        if let Some(model) = with.text("model") {
            if !model.starts_with('/') || model.contains(['\0', '*']) {
                return Err(format!("`model` is `{model}`; it must be an absolute path"));
            }
            if let Some(name) = given_twice(with.0) {
                return Err(format!("`{name}` is given beside `model`, which has it"));
            }
            asks.push(Ask::ReadFile { path: config_of(model), cap: DEFAULT_CAP });
            asks.push(Ask::ReadFile { path: index_of(model), cap: INDEX_CAP });
        } else {
            let shape = Shape::of_suite(with)?;
            divisible(&shape, setting.parallel)?;
            if setting.memory.is_some() {
                let why = "nothing would be asked of the node: give `model`, or no `gpu-memory`";
                return Err(why.to_owned());
            }
            if setting.weights == "auto" {
                return Err("without `model`, `weights` must be given".to_owned());
            }
        }
        if setting.memory.is_none() {
            asks.push(nvml::inventory());
        }
        Ok(asks)
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let parameter = |why: String| failed(FindingCode::BadParameter, why);
        let wanted = Wanted::of(with).map_err(parameter)?;
        let model = match with.text("model") {
            None => Model {
                shape: Shape::of_suite(with).map_err(parameter)?,
                stored: None,
                index: Value::Absent("the sizes stand in the suite".to_owned()),
            },
            Some(folder) => match of_files(folder, Gathered(evidence))? {
                Ok(model) => model,
                Err(why) => return Ok(nothing(&why)),
            },
        };
        let cards = match wanted.memory {
            Some(memory) => Cards::given(memory),
            None => match Cards::of(&instrument::gathered(evidence, nvml::NAME)?) {
                Ok(Some(cards)) => cards,
                Ok(None) => return Ok(nothing("no card can be opened")),
                Err(why) => return Err(failed(FindingCode::GatherFailed, why)),
            },
        };
        let setting = wanted.setting(&model).map_err(parameter)?;
        divisible(&model.shape, setting.parallel).map_err(parameter)?;
        let mut seen = observation(&model, &setting, &cards);
        seen.simulated = cards.simulated;
        Ok(seen)
    }
}

fn config_of(model: &str) -> String {
    format!("{}/config.json", model.trim_end_matches('/'))
}

fn index_of(model: &str) -> String {
    format!("{}/model.safetensors.index.json", model.trim_end_matches('/'))
}

/// Holds what a suite wants, read from its parameters.
struct Wanted<'a> {
    weights: &'a str,
    group: Option<u32>,
    cached_bytes: f64,
    parallel: u32,
    context: u32,
    sequences: u32,
    utilisation: f64,
    memory: Option<f64>,
    activation: f64,
    graphs: f64,
}

impl<'a> Wanted<'a> {
    fn of(with: With<'a>) -> Result<Self, String> {
        let counted = |name: &str| match with.integer(name) {
            None => Ok(None),
            Some(number) if (1..=MOST).contains(&number) => Ok(u32::try_from(number).ok()),
            Some(number) => Err(format!("`{name}` is {number}; 1 to {MOST} can be asked for")),
        };
        let demanded = |name: &str| counted(name)?.ok_or(format!("`{name}` is missing"));
        let bytes = |name: &str, default: Option<f64>| match with.quantity(name) {
            None => Ok(default),
            Some(size) if (0.0..=1e15).contains(&size.base()) => Ok(Some(size.base())),
            Some(size) => Err(format!("`{name}` is {size}; 0 B to 1 PB can be asked for")),
        };
        let utilisation = with.quantity("utilisation").ok_or("`utilisation` is missing")?;
        let share = utilisation.base();
        if !(share > 0.0 && share <= 1.0) {
            return Err(format!("`utilisation` is {utilisation}; more than 0 % and at most 100 %"));
        }
        let memory = bytes("gpu-memory", None)?;
        if memory.is_some_and(|memory| memory < 1.0) {
            return Err("`gpu-memory` is 0 B".to_owned());
        }
        Ok(Self {
            weights: with.text("weights").unwrap_or("auto"),
            group: counted("group-size")?,
            cached_bytes: if with.text("kv-cache") == Some("fp8") { 1.0 } else { 2.0 },
            parallel: demanded("tensor-parallel")?,
            context: demanded("context")?,
            sequences: counted("sequences")?.unwrap_or(1),
            utilisation: share,
            memory,
            activation: bytes("activation", Some(ACTIVATION * GIB))?.unwrap_or_default(),
            graphs: bytes("graphs", Some(GRAPHS * GIB))?.unwrap_or_default(),
        })
    }

    fn setting(&self, model: &Model) -> Result<Setting, String> {
        let own = model.stored.map(|(format, _)| format);
        let format = Format::find(self.weights).or(own);
        let format = format.ok_or("without `model`, `weights` must be given")?;
        let stored_group = model.stored.and_then(|(_, group)| group);
        let default = u32::try_from(GROUP).unwrap_or(1);
        Ok(Setting {
            format,
            group: self.group.or(stored_group).unwrap_or(default),
            cached_bytes: self.cached_bytes,
            parallel: self.parallel,
            context: self.context,
            sequences: self.sequences,
            utilisation: self.utilisation,
            activation: self.activation,
            graphs: self.graphs,
        })
    }
}

/// Holds a model as its files or the suite describe it.
struct Model {
    shape: Shape,
    /// How its files hold it, where there are files.
    stored: Option<(&'static Format, Option<u32>)>,
    index: Value,
}

impl Model {
    /// Says why files that are stored in one way cannot be served in another.
    fn unlike(&self, format: &'static Format) -> Option<String> {
        let (stored, _) = self.stored?;
        let convertible = stored.on_the_fly() && stored.word != "fp8" && format.on_the_fly();
        (stored != format && !convertible).then(|| {
            format!(
                "config.json says that the files hold {}, and {} needs files that were converted",
                stored.shown, format.shown
            )
        })
    }
}

/// Reads the files of a model.
///
/// *Errors*: inside, that the model is not there; outside, that it cannot be read.
fn of_files(folder: &str, gathered: Gathered<'_>) -> Result<Result<Model, String>, AttemptError> {
    let path = config_of(folder);
    let file = gathered.file(&path)?;
    if let Some(failure) = file.failure().filter(|it| it.kind == FailureKind::NotFound) {
        return Ok(Err(format!("{path}: {}", failure.message)));
    }
    let unreadable = |why: String| failed(FindingCode::OutputUnreadable, format!("{path}: {why}"));
    let config: Json = serde_json::from_str(gathered.text(&path)?)
        .map_err(|error| unreadable(format!("not JSON: {error}")))?;
    let shape = Shape::of_config(&config).map_err(unreadable)?;
    let stored = stored(&config).map_err(unreadable)?;
    let index = compared(&shape, stored, &index_of(folder), gathered)?;
    Ok(Ok(Model { shape, stored: Some(stored), index }))
}

/// Compares the count with what the index says is stored.
///
/// *Errors*: they differ: then the sizes do not describe these files.
fn compared(
    shape: &Shape,
    (format, group): (&'static Format, Option<u32>),
    path: &str,
    gathered: Gathered<'_>,
) -> Result<Value, AttemptError> {
    let mut total = None;
    let index = gathered.value(path, |text| {
        let size =
            json::at(text, "/metadata/total_size")?.ok_or("it has no metadata.total_size")?;
        total = size.parse::<f64>().ok().filter(|size| *size > 0.0);
        Err(format!("metadata.total_size is `{size}`, a number above zero expected"))
    });
    let Some(total) = total else { return Ok(index) };
    let parameters = shape.parameters();
    let group = group.unwrap_or(u32::try_from(GROUP).unwrap_or(1));
    let counted = parameters.layered * format.bits(group) / 8.0 + parameters.others * 2.0;
    let shown = format!("counted {counted:.0} B, stored {total:.0} B");
    if (counted - total).abs() <= TOLERANCE * total {
        return Ok(Value::Text(shown));
    }
    let why = format!("{path}: {shown}: config.json does not describe these files");
    Err(failed(FindingCode::OutputUnreadable, why))
}

fn observation(model: &Model, setting: &Setting, cards: &Cards) -> Observation {
    let shape = &model.shape;
    let memory = cards.memory;
    let need = need(shape, setting, memory);
    let own = model.stored.map(|(format, _)| format).filter(|format| !format.on_the_fly());
    let shared = shared(shape, setting.parallel, cards);
    let largest = largest(shape, &Setting { parallel: shared, ..*setting }, memory, own);
    let too_few = (shared < setting.parallel).then(|| {
        let count = cards.count.as_ref().map_or(0, |count| *count);
        format!("{} GPUs share the model, {count} can be opened", setting.parallel)
    });
    let sum = need.arithmetic(setting, memory);
    let too_much = (!need.fits()).then(|| sum.clone());
    let lacking: Vec<String> =
        [too_few, model.unlike(setting.format), too_much].into_iter().flatten().collect();
    let fits = lacking.is_empty();
    let lacking = if fits {
        "none".to_owned()
    } else {
        let on = if shared == 1 { "1 GPU".to_owned() } else { format!("{shared} GPUs") };
        format!("{}; what fits {on}: {largest}", lacking.join("; "))
    };
    let parameters = shape.parameters();
    let free = match &cards.free {
        Ok(free) => Value::Bool(*free >= need.budget),
        Err(why) => Value::Absent(why.clone()),
    };
    let gpus = match &cards.count {
        Ok(count) => crate::gathered::count(*count),
        Err(why) => Value::Absent(why.clone()),
    };
    amounts(Observation::default(), &need, memory)
        .fact("fits", Value::Bool(fits))
        .fact("lacking", Value::Text(lacking))
        .fact("arithmetic", Value::Text(sum))
        .fact("largest", Value::Text(largest))
        .fact("architecture", Value::text(shape.architecture()))
        .fact("parameters", integer(parameters.layered + parameters.others))
        .fact("bits-per-weight", Value::Text(setting.format.explained(setting.group)))
        .fact("index", model.index.clone())
        .fact("gpu-memory-from", Value::text(cards.from))
        .fact("gpus", gpus)
        .fact("free", free)
}

/// Says how many GPUs can share the model: as many as are wanted, or as are there.
fn shared(shape: &Shape, wanted: u32, cards: &Cards) -> u32 {
    let there =
        cards.count.as_ref().map_or(wanted, |count| u32::try_from(*count).unwrap_or(wanted));
    let fewer = (1..=wanted.min(there)).rev();
    fewer.into_iter().find(|parallel| divisible(shape, *parallel).is_ok()).unwrap_or(1)
}

fn amounts(seen: Observation, need: &Need, memory: f64) -> Observation {
    let amount = |bytes: f64, unit: &str, scale: f64| {
        Quantity::of(bytes / scale, unit)
            .map_or_else(|error| Value::Unreadable(error.to_string()), Value::Quantity)
    };
    let gib = |bytes: f64| amount(bytes, "GiB", GIB);
    seen.fact("weights", amount(need.weights, "GB", 1e9))
        .fact("kv-per-token", amount(need.token_whole, "KiB", 1024.0))
        .fact("kv-per-token-gpu", amount(need.token, "KiB", 1024.0))
        .fact("tokens", integer(need.room))
        .fact("overhead", gib(need.overhead))
        .fact("need", gib(need.sum))
        .fact("budget", gib(need.budget))
        .fact("gpu-memory", gib(memory))
}

#[expect(clippy::cast_possible_truncation, reason = "floats saturate, and are whole below 2^53")]
fn integer(number: f64) -> Value {
    Value::Integer(number as i64)
}

/// Answers for a model that is not there.
fn nothing(why: &str) -> Observation {
    let absent =
        |seen: Observation, field: &FieldSpec| seen.fact(field.path, Value::Absent(why.to_owned()));
    FIELDS.iter().fold(Observation::default(), absent)
}
