//! Toolkits, compilers and the tools that measure, by what each says of its version.
//!
//! A program that is not installed is known to be `none`; one that does not say its version is
//! unknown. Python packages are read from their metadata, and nothing is imported.

use std::collections::BTreeSet;

use verify_model::{
    ask::Ask,
    check::Params,
    evidence::{Captured, Evidence, FailureKind},
    fingerprint::NONE,
    matcher::Literal,
    node::Facts,
    value::Value,
};

use super::{
    Wanted, asks_of,
    page::{Page, known},
    read_by,
};
use crate::{gathered::Gathered, parse::version, probe::text_of, python};

/// Groups of which the interpreter tells.
const OF_PYTHON: [&str; 2] = ["torch", "python"];
/// Fields by the name of the distribution; CUDA's carry the major version in their name, or none.
const DISTRIBUTIONS: [(&str, &str); 10] = [
    ("torch", "torch.version"),
    ("triton", "torch.triton"),
    ("nvidia-nccl-cu12", "torch.nccl"),
    ("nvidia-nccl-cu13", "torch.nccl"),
    ("nvidia-cuda-runtime", "torch.cuda-runtime"),
    ("nvidia-cuda-runtime-cu12", "torch.cuda-runtime"),
    ("tensorrt", "python.tensorrt"),
    ("vllm", "python.vllm"),
    ("transformers", "python.transformers"),
    ("mlx", "python.mlx"),
];
/// Begins with its version whatever it is asked, and uses no card for this.
const TRTEXEC: [&str; 2] = ["trtexec", "--help"];

fn wants_python(wanted: &Wanted) -> bool {
    OF_PYTHON.iter().any(|group| wanted.has(group))
}

/// Returns what to gather.
pub(super) fn asks(wanted: &Wanted, facts: &Facts) -> Vec<Ask> {
    let mut asks = Vec::new();
    if wants_python(wanted) {
        asks.extend(python::asks(&facts.python, &BTreeSet::from(["torch".to_owned()])));
    }
    if wanted.has("tensorrt") {
        asks.push(Ask::exec(TRTEXEC));
    }
    for compiler in &wanted.compilers {
        if compiler.starts_with('/') {
            asks.push(Ask::exec([compiler.as_str(), "--version"]));
        } else {
            let is_plain = |ask: &Ask| !matches!(ask, Ask::Instrument { .. });
            asks.extend(asks_of("toolchain", &kind(compiler), facts).into_iter().filter(is_plain));
        }
    }
    asks.extend(wanted.tools().map(|tool| Ask::exec([tool, "--version"])));
    asks
}

/// Returns the parameters by which the newest compiler of a kind is looked for.
fn kind(compiler: &str) -> Params {
    Params::from([("tool".to_owned(), Literal::Text(compiler.to_owned()))])
}

/// Reads it.
pub(super) fn read(page: &mut Page, wanted: &Wanted, facts: &Facts, evidence: &[&Evidence]) {
    if wants_python(wanted) {
        distributions(page, evidence);
    }
    if wanted.has("tensorrt") {
        page.put("tensorrt.version", said(evidence, &TRTEXEC, tensorrt));
    }
    for compiler in &wanted.compilers {
        let version = if compiler.starts_with('/') {
            said(evidence, &[compiler, "--version"], version::first)
        } else {
            read_by("toolchain", &kind(compiler), facts, evidence).and_then(|seen| {
                let newest = seen.resolve("newest");
                let none = matches!(newest, Value::Absent(_));
                if none { Some(NONE.to_owned()) } else { known(&newest) }
            })
        };
        page.put(&format!("compiler.{compiler}"), version);
    }
    for tool in wanted.tools() {
        let version = said(evidence, &[tool, "--version"], version::first);
        page.put(&format!("tool.{tool}"), version);
    }
}

/// Returns what a program says of its version, or that there is no such program.
fn said(evidence: &[&Evidence], argv: &[&str], read: fn(&str) -> Option<String>) -> Option<String> {
    let piece = Gathered(evidence).program(argv).ok()?;
    match &piece.captured {
        Captured::Failed(failure) if failure.kind == FailureKind::NotFound => Some(NONE.to_owned()),
        _ => read(text_of(piece).ok()?),
    }
}

/// Reads `[TensorRT v101302]`: from 10 on, minor and patch have two digits each.
///
/// *Source*: NVIDIA/TensorRT, include/NvInferVersion.h and samples/common/logging.h.
fn tensorrt(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("[TensorRT v")?;
    let number = rest.split_once(']')?.0;
    if number.contains('.') {
        return version::first(number);
    }
    match number.parse::<u32>().ok()? {
        n @ 100_000..=999_999 => Some(format!("{}.{}.{}", n / 10_000, n / 100 % 100, n % 100)),
        n @ 1_000..=9_999 => Some(format!("{}.{}.{}", n / 1_000, n / 100 % 10, n % 100)),
        _ => None,
    }
}

fn distributions(page: &mut Page, evidence: &[&Evidence]) {
    let Some(answer) = evidence.iter().find_map(|piece| python::versions(piece)) else {
        page.put("python.version", None);
        return DISTRIBUTIONS.iter().for_each(|(_, path)| page.put(path, None));
    };
    let paths: BTreeSet<&str> = DISTRIBUTIONS.iter().map(|(_, path)| *path).collect();
    for path in paths {
        let names = DISTRIBUTIONS.iter().filter(|(_, own)| *own == path);
        let told: Vec<_> = names.map(|(name, _)| answer.modules.get(*name)).collect();
        let version = told.iter().find_map(|told| told.and_then(Option::clone));
        // One of which nothing could be read may be there.
        let none = told.iter().all(Option::is_some).then(|| NONE.to_owned());
        page.put(path, version.or(none));
    }
    page.put("python.version", answer.python);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_tensorrt_is_in_the_first_line() {
        let line = |number: &str| {
            format!("&&&& RUNNING TensorRT.trtexec [TensorRT v{number}] # trtexec --help\n")
        };
        for (number, expected) in [("101302", "10.13.2"), ("8601", "8.6.1"), ("11.1.0", "11.1.0")] {
            assert_eq!(tensorrt(&line(number)).as_deref(), Some(expected));
        }
        for bad in ["", "x", "12345678", "1"] {
            assert_eq!(tensorrt(&line(bad)), None, "{bad}");
        }
    }
}
