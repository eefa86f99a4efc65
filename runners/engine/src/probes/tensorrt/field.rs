//! The fields of `tensorrt`.

use verify_model::{
    field::{
        FieldKind::{self, Integer, Metric, Text, Version},
        FieldSpec,
    },
    metric::Direction::{HigherIsBetter, LowerIsBetter, Neutral},
};

use crate::probe::{field, texts};

const BY: &str = "trtexec in verify instrument tensorrt";
const SUMMARY: &str = "summary of trtexec";
const EXPORT: &str = "trtexec --exportTimes";

fn time() -> FieldKind {
    Metric("us", LowerIsBetter)
}

pub(super) static FIELDS: &[FieldSpec] = &[
    field("version", || Version, "first line of trtexec --help", "Version of TensorRT."),
    field("device", || Text, BY, "Name of the card, as trtexec selected it."),
    field("precision", || Text, BY, "Arithmetic, as trtexec names it; FP32 includes TF32."),
    field("options", texts, BY, "Options by which it was asked, which differ by version."),
    field(
        "conditions",
        texts,
        BY,
        "What every version must measure with: transfers, no overlap, spin wait, CUDA graph.",
    ),
    field("queries", || Integer, EXPORT, "Queries that were timed, warm-up not counted."),
    field(
        "warnings",
        texts,
        BY,
        "What trtexec warns of; bound by enqueue time is usual for a model this small.",
    ),
    field("gpu", time, EXPORT, "Kernels of a query on the card; a sample a query."),
    field(
        "latency",
        time,
        EXPORT,
        "Transfer in, kernels and transfer out; a sample a query. The host's part is not in it.",
    ),
    field("gpu-p99", time, EXPORT, "99th percentile of `gpu`, by trtexec's own rule."),
    field("latency-p99", time, EXPORT, "99th percentile of `latency`, by trtexec's own rule."),
    field("enqueue-p99", time, SUMMARY, "99th percentile of the time to submit a query."),
    field(
        "host-mean",
        time,
        SUMMARY,
        "Mean time from submitting a query to submitting the next, which waits for the answer.",
    ),
    field(
        "host-p99",
        time,
        BY,
        "`latency-p99`, and the mean of all that latency omits, and the spread of submitting; an estimate.",
    ),
    field("throughput", || Metric("/s", HigherIsBetter), SUMMARY, "Queries in a second."),
    field(
        "resolution",
        || Metric("us", Neutral),
        EXPORT,
        "Least step between two different times of `gpu`: finer, nothing is known.",
    ),
    field(
        "spread",
        || Metric("%", LowerIsBetter),
        EXPORT,
        "Coefficient of variance of `gpu`; over 2.5 % trtexec calls it unstable.",
    ),
];
