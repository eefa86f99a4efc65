//! What the ELF file and the compiler's macros ask for, compared with what the target has.

use serde_json::Value as Json;
use verify_model::{observation::Observation, value::Value, version::Version};

use crate::{parse::isa, probe::With};

fn texts<'a>(part: &'a Json, key: &str) -> Result<Vec<&'a str>, Value> {
    let list = part.get(key).and_then(Json::as_array);
    let texts = list.and_then(|list| list.iter().map(Json::as_str).collect::<Option<Vec<_>>>());
    texts.ok_or_else(|| Value::Unreadable(format!("the instrument does not say `{key}`")))
}

fn list(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| Value::text(*text)).collect())
}

/// Adds what the file says.
pub(super) fn of_file(seen: Observation, with: With<'_>, elf: &Json) -> Observation {
    let text = |key: &str| match elf.get(key).and_then(Json::as_str) {
        Some(text) => Value::text(text),
        None => Value::Unreadable(format!("the instrument does not say `{key}`")),
    };
    let interpreter = match elf.get("interpreter") {
        Some(Json::String(path)) => Value::text(path),
        Some(Json::Null) => Value::Absent("it names no loader".to_owned()),
        _ => Value::Unreadable("the instrument does not say `interpreter`".to_owned()),
    };
    let class = elf.get("class").and_then(Json::as_i64);
    let class = class.map_or_else(|| Value::Unreadable("of no class".to_owned()), Value::Integer);
    let needed = texts(elf, "needed");
    let whole = match (&needed, &interpreter) {
        (Ok(needed), Value::Absent(_)) => Value::Bool(needed.is_empty()),
        (Ok(_), Value::Text(_)) => Value::Bool(false),
        (Err(none), _) | (_, none) => none.clone(),
    };
    let level = match elf.get("isa-needed") {
        Some(Json::Null) | None => Value::Absent("it has no such note".to_owned()),
        Some(mask) => match mask.as_u64().and_then(isa::of_mask) {
            Some(level) => Value::Integer(level),
            None => Value::Unreadable(format!("a mask of no level: {mask}")),
        },
    };
    let seen = seen
        .fact("class", class)
        .fact("machine", text("machine"))
        .fact("kind", text("kind"))
        .fact("interpreter", interpreter)
        .fact("libraries", needed.map_or_else(|none| none, |needed| list(&needed)))
        .fact("search-paths", texts(elf, "paths").map_or_else(|none| none, |paths| list(&paths)))
        .fact("static", whole)
        .fact("isa-level", level);
    versions(seen, with, &texts(elf, "versions"))
}

/// Features that a loader must have, and the first version of glibc whose loader has it.
///
/// *Source*: glibc, NEWS of 2.36.
const ABI: &[(&str, &str)] = &[("ABI_DT_RELR", "2.36")];

/// Adds the newest version of each library of symbols, and whether the target's is new enough.
fn versions(seen: Observation, with: With<'_>, all: &Result<Vec<&str>, Value>) -> Observation {
    let newest = |prefix: &str| -> Value {
        let all = match all {
            Ok(all) => all,
            Err(none) => return none.clone(),
        };
        let of = all.iter().filter_map(|name| name.strip_prefix(prefix)?.strip_prefix('_'));
        let mut best: Option<(Version, &str)> = None;
        for text in of {
            let text = ABI.iter().find(|(name, _)| *name == text).map_or(text, |(_, of)| of);
            match (Version::parse(text), text) {
                // What is inside glibc has no number and fits no other build of it.
                (_, "PRIVATE") | (None, _) if prefix == "GLIBC" => {
                    return Value::Unreadable(format!("{prefix}_{text} is no version"));
                }
                (Some(version), text) if best.as_ref().is_none_or(|(best, _)| version > *best) => {
                    best = Some((version, text));
                }
                _ => {}
            }
        }
        match best {
            Some((_, text)) => Value::text(text),
            None => Value::Absent(format!("it needs no symbol of {prefix}")),
        }
    };
    let fits = |needed: &Value, name: &str| match (needed, with.text(name)) {
        (_, None) => Value::Absent(format!("`{name}` is not given")),
        (Value::Absent(_), Some(_)) => Value::Bool(true),
        (Value::Text(needed), Some(there)) => {
            match (Version::parse(needed), Version::parse(there)) {
                (Some(needed), Some(there)) => Value::Bool(needed <= there),
                _ => Value::Unreadable(format!("not two versions: {needed} and {there}")),
            }
        }
        (none, _) => none.clone(),
    };
    let (glibc, glibcxx) = (newest("GLIBC"), newest("GLIBCXX"));
    let (of_c, of_cxx) = (fits(&glibc, "glibc"), fits(&glibcxx, "glibcxx"));
    seen.fact("glibc-needed", glibc)
        .fact("glibcxx-needed", glibcxx)
        .fact("cxxabi-needed", newest("CXXABI"))
        .fact("glibc-fits", of_c)
        .fact("glibcxx-fits", of_cxx)
}

/// Adds what is asked of the CPU, and what of it the target lacks.
pub(super) fn of_cpu(seen: Observation, with: With<'_>, result: &Json) -> Observation {
    let flags = flags(result);
    let missing = match (&flags, with.texts("cpu").as_slice()) {
        (Err(none), _) => none.clone(),
        (Ok(_), []) => Value::Absent("`cpu` is not given".to_owned()),
        (Ok(flags), there) => {
            let there: Vec<&str> = there
                .iter()
                .flat_map(|word| isa::level(word).unwrap_or_else(|| vec![word]))
                .collect();
            list(&flags.iter().copied().filter(|flag| !there.contains(flag)).collect::<Vec<_>>())
        }
    };
    seen.fact("cpu-flags", flags.map_or_else(|none| none, |flags| list(&flags)))
        .fact("cpu-flags-missing", missing)
}

fn flags(result: &Json) -> Result<Vec<&'static str>, Value> {
    let unreadable = |why: String| Value::Unreadable(why);
    let machine = result.pointer("/elf/machine").and_then(Json::as_str);
    if machine != Some("x86-64") {
        return Err(unreadable("features are known of x86-64 only".to_owned()));
    }
    let Some(cpu) = result.get("cpu") else {
        // Nor does its note: the C library's own start code brings one that says level 1.
        let why = "a binary does not say it; give the compiler and flags of its build";
        return Err(unreadable(why.to_owned()));
    };
    if let Some(why) = cpu.get("unknown").and_then(Json::as_str) {
        return Err(unreadable(format!("the compiler does not say what it uses: {why}")));
    }
    let (defines, added) = (texts(cpu, "defines")?, texts(cpu, "added")?);
    let unknown = isa::unknown(added.into_iter());
    if let Some(name) = unknown.first() {
        return Err(unreadable(format!(
            "the compiler enables {name}, of which no table says what it needs"
        )));
    }
    let flags = isa::needed(defines.into_iter());
    if flags.is_empty() {
        return Err(unreadable("the compiler names no feature, not even SSE2".to_owned()));
    }
    Ok(flags)
}
