//! The parameters and the fields of `model-fit`.

use verify_model::field::{
    FieldKind::{Bool, Integer, Quantity as Amount, Text},
    FieldSpec,
};

use super::format::WORDS;
use crate::probe::{ParamKind, ParamSpec, field};

const BY: &str = "computed from config.json or the suite";
const BOTH: &str = "computed; memory from verify instrument nvml or the suite";

const fn whole(name: &'static str, required: bool, doc: &'static str) -> ParamSpec {
    ParamSpec { name, kind: ParamKind::Integer, required, doc }
}

pub(super) static PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "model",
        kind: ParamKind::Text,
        required: false,
        doc: "Absolute path of the model's folder; without it, its sizes must be given.",
    },
    ParamSpec {
        name: "architecture",
        kind: ParamKind::Text,
        required: false,
        doc: "As in config.json; `LlamaForCausalLM` unless given.",
    },
    whole("hidden-size", false, "`hidden_size` of config.json."),
    whole("layers", false, "`num_hidden_layers` of config.json."),
    whole("attention-heads", false, "`num_attention_heads` of config.json."),
    whole(
        "kv-heads",
        false,
        "Heads of keys and values in config.json; as attention-heads unless given.",
    ),
    whole(
        "head-dim",
        false,
        "`head_dim` of config.json; hidden-size by attention-heads unless given.",
    ),
    whole("intermediate-size", false, "`intermediate_size`, with experts that of one of them."),
    whole("vocabulary", false, "`vocab_size` of config.json."),
    ParamSpec {
        name: "tied-embeddings",
        kind: ParamKind::Bool,
        required: false,
        doc: "`tie_word_embeddings` of config.json; as the architecture has it unless given.",
    },
    whole("experts", false, "Number of experts of a layer, of an architecture that has them."),
    ParamSpec {
        name: "weights",
        kind: ParamKind::Choice(WORDS),
        required: false,
        doc: "How they are to be held; `auto`, as config.json says, unless given.",
    },
    whole("group-size", false, "Weights that share a scale, with awq and gptq; 128 unless given."),
    ParamSpec {
        name: "kv-cache",
        kind: ParamKind::Choice(&["auto", "fp8"]),
        required: false,
        doc: "`auto`, 16 bits, unless given; fp8 takes half.",
    },
    whole("tensor-parallel", true, "GPUs that share the model."),
    whole("context", true, "Tokens of a sequence, as `--max-model-len`."),
    whole("sequences", false, "Sequences of that length that fit at a time; 1 unless given."),
    ParamSpec {
        name: "utilisation",
        kind: ParamKind::Quantity("%"),
        required: true,
        doc: "Share of the memory that the server may take, as `--gpu-memory-utilization`.",
    },
    ParamSpec {
        name: "gpu-memory",
        kind: ParamKind::Quantity("B"),
        required: false,
        doc: "Memory of one GPU; what the driver says of the node's unless given.",
    },
    ParamSpec {
        name: "activation",
        kind: ParamKind::Quantity("B"),
        required: false,
        doc: "Peak of activations and what is no weight otherwise, on one GPU; 1.5 GiB unless given.",
    },
    ParamSpec {
        name: "graphs",
        kind: ParamKind::Quantity("B"),
        required: false,
        doc: "What CUDA graphs take on one GPU; 0.4 GiB unless given.",
    },
];

pub(super) static FIELDS: &[FieldSpec] = &[
    field("fits", || Bool, BOTH, "Whether the need of a GPU is within its budget."),
    field("lacking", || Text, BOTH, "`none`, or the sum that is too large and what would fit."),
    field("arithmetic", || Text, BOTH, "The whole sum in one line."),
    field("largest", || Text, BOTH, "The most bits a weight, and tokens, that fit these GPUs."),
    field("architecture", || Text, BY, "Architecture that was counted."),
    field("parameters", || Integer, BY, "Parameters of the model."),
    field("bits-per-weight", || Text, BY, "Bits of a weight of a layer, and what they hold."),
    field(
        "index",
        || Text,
        "metadata.total_size of model.safetensors.index.json",
        "How the count compares with what is stored.",
    ),
    field("weights", || Amount("GB"), BY, "Weights of the whole model."),
    field("kv-per-token", || Amount("KiB"), BY, "Cache that a token takes, on all GPUs together."),
    field("kv-per-token-gpu", || Amount("KiB"), BY, "Cache that a token takes on one GPU."),
    field("tokens", || Integer, BOTH, "Tokens for which a GPU has room beside its weights."),
    field(
        "overhead",
        || Amount("GiB"),
        BY,
        "Activations and graphs on one GPU: an estimate, or what the suite says.",
    ),
    field("need", || Amount("GiB"), BY, "Need of one GPU."),
    field("budget", || Amount("GiB"), BOTH, "What the server may take of one GPU."),
    field(
        "gpu-memory",
        || Amount("GiB"),
        BOTH,
        "Memory of the smallest GPU, without what the driver reserves.",
    ),
    field("gpu-memory-from", || Text, BOTH, "Who says how much memory there is."),
    field("gpus", || Integer, "verify instrument nvml", "GPUs that can be opened."),
    field(
        "free",
        || Bool,
        "verify instrument nvml",
        "Whether each GPU has its budget free now, which vLLM demands at its start.",
    ),
];
