//! Answers whether a program that is built here fits another machine, and starts it there if asked.
//!
//! What it needs is read from its ELF file and from the compiler; what the other machine has is
//! given as parameters, which a node file holds. With `ssh` it is started there from a folder that
//! is removed at once, which changes that machine for a moment: so it needs leave. A binary says
//! little of the CPU that it needs; the flags of its build do.

mod field;
mod need;
mod remote;

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldSpec,
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use super::compile::{
    self,
    ended::{Ended, State},
    wanted,
};
use crate::{
    parse::{instrument, ssh},
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed},
};

pub(super) struct CrossCompile;

const NAME: &str = "cross-compile";
/// A cold compiler three times, and a slow line. *Units*: ms.
const LIMIT_MS: u64 = 240_000;

const fn optional(name: &'static str, kind: ParamKind, doc: &'static str) -> ParamSpec {
    ParamSpec { name, kind, required: false, doc }
}

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "Whether a program that is built here fits another machine, and starts there.",
    effect: Effect::Loads,
    depends: &[],
    params: &[
        optional(
            "compiler",
            ParamKind::Text,
            "`g++`, `clang++` or an absolute path, as of `compile`.",
        ),
        optional("flags", ParamKind::Texts, "Flags of the build, such as `-march=x86-64-v3`."),
        optional("binary", ParamKind::Text, "A program that is there, instead of a compiler."),
        optional("glibc", ParamKind::Text, "Version of glibc that the target has, such as `2.39`."),
        optional("glibcxx", ParamKind::Text, "Newest GLIBCXX that the target's libstdc++ has."),
        optional(
            "cpu",
            ParamKind::Texts,
            "What the target's CPU has: levels such as `x86-64-v3`, and flags of /proc/cpuinfo.",
        ),
        optional(
            "ssh",
            ParamKind::Text,
            "Host on which it is started, as ssh knows it; changes it.",
        ),
        optional("ssh-config", ParamKind::Text, "Configuration of ssh instead of the user's own."),
        optional(
            "args",
            ParamKind::Texts,
            "Arguments of `binary` there, which it needs with `ssh`.",
        ),
    ],
    fields: field::FIELDS,
    example: r#"with = { compiler = "g++", flags = ["-march=x86-64-v3"], glibc = "2.39", cpu = ["x86-64-v3"] }
expect = { state = "ok", glibc-fits = true, cpu-flags-missing = { count = 0 } }"#,
};

impl Probe for CrossCompile {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn effect(&self, with: With<'_>) -> Effect {
        if with.text("ssh").is_some() { Effect::Mutates } else { Effect::Loads }
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        let mut argv = vec![NAME.to_owned()];
        let mut add = |name: &str, value: &str| argv.extend([name.to_owned(), value.to_owned()]);
        match (with.text("compiler"), with.text("binary")) {
            (Some(_), None) => {
                let wanted = wanted::wanted(with, facts)?;
                if wanted.family == "nvcc" {
                    return Err("`compiler` is nvcc, which makes no program of ours".to_owned());
                }
                add("--family", wanted.family);
                add("--names", &wanted.names);
                let flags = wanted::flags(with)?;
                if !flags.is_empty() {
                    add("--flags", &flags);
                }
            }
            (None, Some(binary)) if binary.starts_with('/') => add("--binary", binary),
            (None, Some(binary)) => {
                return Err(format!("`binary` is `{binary}`; an absolute path expected"));
            }
            _ => return Err("either `compiler` or `binary` says what is asked about".to_owned()),
        }
        if let Some(alias) = with.text("ssh") {
            if !ssh::is_alias(alias) {
                return Err(format!("`ssh` is `{alias}`, which is not the name of a host"));
            }
            // Whatever a program does without arguments, it does in production.
            if with.text("binary").is_some() && with.texts("args").is_empty() {
                return Err("`binary` with `ssh` needs `args`, such as `--version`".to_owned());
            }
            add("--ssh", alias);
            if let Some(config) = with.text("ssh-config") {
                add("--ssh-config", config);
            }
            if !with.texts("args").is_empty() {
                add("--program-args", &with.texts("args").join(" "));
            }
        }
        Ok(vec![Ask::Instrument { argv, limit_ms: LIMIT_MS }])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let result = instrument::gathered(evidence, NAME)?;
        let compiler = with.text("compiler").unwrap_or_default();
        if let Some(why) = compile::absent(&result, compiler)? {
            return Ok(without(Observation::default(), &why));
        }
        let seen = built(&result)?;
        let (word, trouble, elf) = match program(&result)? {
            Program::There(elf) => (State::Ok.name(), "none".to_owned(), elf),
            Program::Not(word, why) => {
                let seen = seen.fact("state", Value::text(word)).fact("trouble", Value::text(&why));
                return Ok(without(seen, &why));
            }
        };
        let seen = seen.fact("state", Value::text(word)).fact("trouble", Value::text(trouble));
        let seen = need::of_cpu(need::of_file(seen, with, elf), with, &result);
        there(seen, with, &result)
    }
}

/// Fills what nobody can know, because there is no program.
fn without(seen: Observation, why: &str) -> Observation {
    let fill = |seen: Observation, field: &FieldSpec| {
        let known = seen.facts.contains_key(field.path);
        if known { seen } else { seen.fact(field.path, Value::Absent(why.to_owned())) }
    };
    field::FIELDS.iter().fold(seen, fill)
}

/// Adds the compiler, where one built the program.
fn built(result: &Json) -> Result<Observation, AttemptError> {
    let [path, version] = if result.get("compile").is_some() {
        compile::compiler(result)
    } else if result.get("elf").is_some() {
        ["path", "version"].map(|_| Value::Absent("nothing was compiled".to_owned()))
    } else {
        return Err(failed(FindingCode::OutputUnreadable, "it says of no program"));
    };
    Ok(Observation::default().fact("compiler", path).fact("version", version))
}

enum Program<'a> {
    There(&'a Json),
    Not(&'static str, String),
}

/// Says whether there is a program, or what came instead.
fn program(result: &Json) -> Result<Program<'_>, AttemptError> {
    let unreadable = |why: String| failed(FindingCode::OutputUnreadable, why);
    if let Some(compile) = result.get("compile") {
        if let Some(why) = instrument::refusal(compile) {
            return Err(failed(FindingCode::GatherFailed, why));
        }
        let ended = Ended::read(Some(compile)).map_err(unreadable)?;
        let made = compile.get("bytes").and_then(Json::as_u64).is_some_and(|bytes| bytes > 0);
        if let Err((state, why)) = ended.compiled(made) {
            return Ok(Program::Not(state.name(), why));
        }
    }
    let elf =
        result.get("elf").ok_or_else(|| unreadable("it says nothing of the file".to_owned()))?;
    let text = |key: &str| elf.get(key).and_then(Json::as_str);
    if let Some(why) = text("unread") {
        return Ok(Program::Not("unread", why.to_owned()));
    }
    if let Some(why) = text("not-elf") {
        return Ok(Program::Not("not-elf", format!("it is no ELF file: {why}")));
    }
    if let Some(why) = text("broken") {
        return Err(unreadable(format!("its ELF file cannot be read: {why}")));
    }
    Ok(Program::There(elf))
}

/// Adds how it did on the other machine.
fn there(seen: Observation, with: With<'_>, result: &Json) -> Result<Observation, AttemptError> {
    if with.text("ssh").is_none() {
        return Ok(without(seen, "it was not started elsewhere: `ssh` is not given"));
    }
    let silent = || failed(FindingCode::OutputUnreadable, "nobody says how it did there");
    let remote = result.get("remote").ok_or_else(silent)?;
    let (word, trouble) = remote::did(remote, with.text("binary").is_none())?;
    Ok(seen
        .fact("started", Value::Bool(word == "ok"))
        .fact("target-state", Value::text(word))
        .fact("target-trouble", Value::text(trouble)))
}
