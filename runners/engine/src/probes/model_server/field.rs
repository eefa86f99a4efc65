//! The parameters and the fields of `model-server`, of which some are there for each concurrency.

use verify_model::{
    field::{
        FieldKind::{self, Bool, Integer, Metric, Quantity as Amount, Text},
        FieldSpec,
    },
    metric::Direction::{HigherIsBetter, LowerIsBetter},
};

use crate::probe::{ParamKind, ParamSpec, field, texts};

/// Numbers of completions under way at a time that can be asked for.
pub(super) const LEVELS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// Says where the samples of a field of a level are: the end of its name, the key, the unit.
pub(super) const ROWS: [(&str, &str, &str); 5] = [
    ("ttft", "first-ms", "ms"),
    ("itl", "gap-ms", "ms"),
    ("tpot", "token-ms", "ms"),
    ("latency", "whole-ms", "ms"),
    ("throughput", "tokens-per-second", "token/s"),
];

const BY: &str = "verify instrument model-server";
const NVML: &str = "NVML, while a completion is under way";
const METRICS: &str = "GET /metrics";

fn time() -> FieldKind {
    Metric("ms", LowerIsBetter)
}

fn rate() -> FieldKind {
    Metric("token/s", HigherIsBetter)
}

/// Lists the fields: those of each level, and those of the server.
macro_rules! fields {
    ([$($level:literal)*] $($rest:expr,)*) => {
        &[
            $(
                field(concat!("at-", $level, ".ttft"), time, BY, concat!("Time from sending to the first chunk, with ", $level, " under way.")),
                field(concat!("at-", $level, ".itl"), time, BY, concat!("Time between chunks, with ", $level, " under way; a chunk may hold several tokens.")),
                field(concat!("at-", $level, ".tpot"), time, BY, concat!("Time for each token after the first, by the server's own count, with ", $level, " under way.")),
                field(concat!("at-", $level, ".latency"), time, BY, concat!("Time from sending to the last chunk, with ", $level, " under way.")),
                field(concat!("at-", $level, ".throughput"), rate, BY, concat!("Tokens by time of the clock, ramps included, with ", $level, " under way.")),
            )*
            $($rest,)*
        ]
    };
}

pub(super) static FIELDS: &[FieldSpec] = fields!(
    ["1" "2" "4" "8" "16" "32"]
    field("ready", || Bool, BY, "Whether it became ready: well by `/health`, and one real completion."),
    field("trouble", || Text, BY, "`none`, or why it is not ready or ended, with its last words."),
    field("ready-after", || Amount("s"), BY, "How long it took to become ready."),
    field("health", || Text, "GET /health", "`200`, or that it does not offer it."),
    field("model", || Text, "GET /v1/models", "The model that it lists: the one that is asked for, if that is among them."),
    field("requests", || Integer, BY, "Completions that were asked for."),
    field("completed", || Integer, BY, "Completions that came whole."),
    field("failed", || Integer, BY, "Completions that did not."),
    field("failures", texts, BY, "Why not, some of them."),
    field("tokens", || Integer, BY, "Tokens of all completions, by the server's own `usage`."),
    field("counted", || Integer, METRICS, "Tokens that the server counted meanwhile."),
    field("preemptions", || Integer, METRICS, "Sequences that were put back meanwhile for want of cache."),
    field("greedy", || Text, BY, "What it completes without chance."),
    field("deterministic", || Bool, BY, "Whether it completes the same prompt twice alike."),
    field("as-reference", || Bool, BY, "Whether that is what the suite says."),
    field("gpus-used", texts, NVML, "GPUs on which the server's own processes hold memory."),
    field("gpu-balance", || Amount("x"), NVML, "Memory held on the least used of them, by that on the most used."),
    field("link-traffic", || Amount("MiB"), NVML, "What the NVLink of the least busy of them carried during one completion."),
    field("command", || Text, BY, "What was started, or where it was found."),
    field("torn-down", || Bool, BY, "Whether all that was started has ended and its port is free again."),
    field("ended-by", || Text, BY, "`TERM`, or `KILL` where that was not enough."),
    field("left", texts, BY, "Processes that could not be ended."),
);

const fn text(name: &'static str, doc: &'static str) -> ParamSpec {
    ParamSpec { name, kind: ParamKind::Text, required: false, doc }
}

const fn number(name: &'static str, doc: &'static str) -> ParamSpec {
    ParamSpec { name, kind: ParamKind::Integer, required: false, doc }
}

const fn texts_of(name: &'static str, doc: &'static str) -> ParamSpec {
    ParamSpec { name, kind: ParamKind::Texts, required: false, doc }
}

const fn span(name: &'static str, doc: &'static str) -> ParamSpec {
    ParamSpec { name, kind: ParamKind::Quantity("s"), required: false, doc }
}

pub(super) static PARAMS: &[ParamSpec] = &[
    text("model", "Model that is served and asked for; needed unless `url` or `command` lists it."),
    text(
        "url",
        "A server that runs already, on the node itself: `http://127.0.0.1:8000`. It is never ended.",
    ),
    texts_of(
        "command",
        "A server to start, word by word; {port} stands for its port, {python} for the node's interpreter. vLLM with `model` unless given.",
    ),
    number("tensor-parallel", "GPUs that share the model, for vLLM; 1 unless given."),
    number("context", "Tokens of a sequence, for vLLM; as the model has it unless given."),
    ParamSpec {
        name: "utilisation",
        kind: ParamKind::Quantity("%"),
        required: false,
        doc: "Share of the memory, for vLLM; 90 % unless given.",
    },
    ParamSpec {
        name: "weights",
        kind: ParamKind::Choice(&["auto", "bfloat16", "float16", "fp8", "int8", "awq", "gptq"]),
        required: false,
        doc: "How weights are held, for vLLM; as the model's files have it unless it is float16, bfloat16 or fp8.",
    },
    texts_of("arguments", "More words for vLLM, such as `--enforce-eager`."),
    number("port", "Port of a server that is started; one that is free unless given."),
    span("ready-limit", "Until it must be ready, at most 1 h; 15 min unless given."),
    span("completion-limit", "For one completion, at most 1 h; 2 min unless given."),
    span("grace", "Between TERM and KILL, at most 1 min; 10 s unless given."),
    texts_of(
        "concurrency",
        "Completions under way at a time, of 1, 2, 4, 8, 16 and 32; 1, 4 and 8 unless given.",
    ),
    number("requests", "Completions for each of those, 1 to 256; 16 unless given."),
    number("words", "Words of a prompt, 1 to 8192; 256 unless given."),
    number("tokens", "Tokens of a completion, 1 to 4096; 128 unless given."),
    text("reference", "What `greedy` must be, such as what one GPU says."),
];
