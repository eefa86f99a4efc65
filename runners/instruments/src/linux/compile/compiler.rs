//! Which compiler is meant: the newest of those that some names or patterns lead to.
//!
//! GCC and Clang are asked for the macros that they define, by which they also tell which of the two
//! they are, whatever they are called; nvcc is asked for its version. Which names there are is not
//! known here: whoever asks gives them.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::linux::tool::{self, Said};

/// Bounds how many are asked.
const MOST: usize = 64;

/// Names the kinds of compilers that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linux) enum Family {
    Gcc,
    Clang,
    Nvcc,
    /// GCC or Clang.
    Cxx,
}

impl Family {
    /// Finds a kind by its word.
    pub(in crate::linux) fn named(word: &str) -> Option<Self> {
        match word {
            "gcc" => Some(Self::Gcc),
            "clang" => Some(Self::Clang),
            "nvcc" => Some(Self::Nvcc),
            "c++" => Some(Self::Cxx),
            _ => None,
        }
    }
}

/// Holds a compiler that answers.
pub(in crate::linux) struct Compiler {
    pub(in crate::linux) path: String,
    pub(in crate::linux) version: Vec<u64>,
}

impl Compiler {
    /// Returns it as a part of a document.
    pub(in crate::linux) fn to_json(&self) -> Value {
        json!({ "path": self.path, "version": dotted(&self.version) })
    }
}

fn dotted(version: &[u64]) -> String {
    version.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// Finds the newest compiler of a kind.
///
/// *Errors*: none is there or answers; what was found instead, each in one sentence.
pub(in crate::linux) fn newest(family: Family, names: &[&str]) -> Result<Compiler, Vec<String>> {
    let mut best: Option<Compiler> = None;
    let mut others = Vec::new();
    for path in names.iter().flat_map(|name| found(name)).take(MOST) {
        let path = path.to_string_lossy().into_owned();
        match version(family, &path) {
            // Of equal ones the first stays: the bare name, which is what people start.
            Ok(version) if best.as_ref().is_none_or(|best| version > best.version) => {
                best = Some(Compiler { path, version });
            }
            Ok(_) => {}
            Err(why) => others.push(format!("{path}: {why}")),
        }
    }
    best.ok_or(others)
}

/// Returns the programs that a name or a pattern leads to.
fn found(name: &str) -> Vec<PathBuf> {
    let program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|of| of.is_file() && of.permissions().mode() & 0o111 != 0)
    };
    if name.starts_with('/') {
        return expanded(name).into_iter().filter(program).collect();
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut paths = env::split_paths(&folders).filter(|folder| folder.is_absolute());
    paths.find_map(|folder| Some(folder.join(name)).filter(program)).into_iter().collect()
}

/// Expands `*`, which stands for any part of one component.
fn expanded(pattern: &str) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let Some((start, end)) = part.split_once('*') else {
            for path in &mut paths {
                path.push(part);
            }
            continue;
        };
        let fits = |name: &str| {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        };
        let below = |path: PathBuf| {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let mut names: Vec<String> = names.filter(|name| fits(name)).collect();
            names.sort();
            names.into_iter().map(move |name| path.join(name)).collect::<Vec<_>>()
        };
        paths = paths.into_iter().flat_map(below).collect();
    }
    paths
}

/// Asks a program which compiler it is.
fn version(family: Family, path: &str) -> Result<Vec<u64>, String> {
    let args: &[&str] = match family {
        Family::Nvcc => &["--version"],
        _ => &["-dM", "-E", "-x", "c++", "/dev/null"],
    };
    let args: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
    let said = tool::run(path, &args).map_err(|error| format!("cannot be started: {error}"))?;
    if said.exit != Some(0) {
        return Err(format!("{}: {}", ended(&said), first(&said.stderr)));
    }
    match family {
        Family::Nvcc => release(&said.stdout),
        _ => macros_version(family, &said.stdout),
    }
}

fn ended(said: &Said) -> String {
    match (said.exit, said.signal) {
        (Some(exit), _) => format!("exit status {exit}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit status".to_owned(),
    }
}

fn first(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no message")
}

/// Reads `Cuda compilation tools, release 12.4, V12.4.131`.
fn release(text: &str) -> Result<Vec<u64>, String> {
    let line = text.lines().find(|line| line.starts_with("Cuda compilation tools, release"));
    let numbers = line.and_then(|line| line.rsplit_once(", V"));
    let numbers = numbers.map(|(_, version)| version.trim().split('.').map(str::parse).collect());
    match numbers {
        Some(Ok(version)) => Ok(version),
        _ => Err(format!("says no version, but: {}", first(text))),
    }
}

fn macros_version(family: Family, text: &str) -> Result<Vec<u64>, String> {
    let number = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("#define "));
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.trim().parse().ok())
    };
    let numbers = |names: [&str; 3]| names.into_iter().map(number).collect::<Option<Vec<u64>>>();
    let clang = numbers(["__clang_major__", "__clang_minor__", "__clang_patchlevel__"]);
    let gcc = numbers(["__GNUC__", "__GNUC_MINOR__", "__GNUC_PATCHLEVEL__"]);
    // Clang claims to be an old GCC as well.
    let known = clang.map(|version| (Family::Clang, "Clang", version));
    match known.or(gcc.map(|version| (Family::Gcc, "GCC", version))) {
        Some((kind, _, version)) if family == kind || family == Family::Cxx => Ok(version),
        Some((_, name, version)) => Err(format!("it is {name} {}", dotted(&version))),
        None => Err(format!("says no version, but: {}", first(text))),
    }
}

/// Returns the names in capitals that a compiler defines as 1 under some flags: by these it says
/// what it lets itself use.
///
/// *Errors*: it refuses the flags, in one sentence.
pub(in crate::linux) fn defines(
    compiler: &Path,
    flags: &[&str],
    setting: tool::Setting<'_>,
) -> Result<Vec<String>, String> {
    let words = flags.iter().chain(&["-dM", "-E", "-x", "c++", "/dev/null"]);
    let words: Vec<String> = words.map(|word| (*word).to_owned()).collect();
    let said = tool::run_in(&compiler.to_string_lossy(), &words, setting);
    let said = said.map_err(|error| format!("cannot be started: {error}"))?;
    if said.exit != Some(0) {
        return Err(format!("{}: {}", ended(&said), first(&said.stderr)));
    }
    let lines = said.stdout.lines().filter_map(|line| line.strip_prefix("#define "));
    let names = lines.filter_map(|line| line.strip_suffix(" 1"));
    // The one family that is written otherwise is AMD's 3DNow.
    let capitals = |name: &&str| {
        let rest = name.strip_prefix("__").map(|rest| rest.trim_start_matches("3dNOW"));
        rest.is_some_and(|rest| !rest.contains(|c: char| c.is_ascii_lowercase()))
    };
    let mut names: Vec<String> = names.filter(capitals).map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_is_what_its_macros_say_and_not_what_it_is_called() {
        let clang = "#define __GNUC__ 4\n#define __GNUC_MINOR__ 2\n#define __GNUC_PATCHLEVEL__ 1\n\
                     #define __clang_major__ 18\n#define __clang_minor__ 1\n#define __clang_patchlevel__ 3\n";
        let gcc = "#define __GNUC__ 14\n#define __GNUC_MINOR__ 2\n#define __GNUC_PATCHLEVEL__ 0\n";
        assert_eq!(macros_version(Family::Gcc, gcc), Ok(vec![14, 2, 0]));
        assert_eq!(macros_version(Family::Clang, clang), Ok(vec![18, 1, 3]));
        assert_eq!(macros_version(Family::Cxx, clang), Ok(vec![18, 1, 3]));
        assert_eq!(macros_version(Family::Gcc, clang), Err("it is Clang 18.1.3".to_owned()));
        assert_eq!(macros_version(Family::Clang, gcc), Err("it is GCC 14.2.0".to_owned()));
        assert!(macros_version(Family::Cxx, "#define __GNUC__ x").is_err());
        let nvcc = "nvcc: NVIDIA (R)\nCuda compilation tools, release 12.4, V12.4.131\nBuild x\n";
        assert_eq!(release(nvcc), Ok(vec![12, 4, 131]));
        assert!(release("nvcc wrapper").is_err());
    }

    #[test]
    fn a_pattern_stands_for_parts_of_names() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["cuda-12.4/bin", "cuda-9/bin", "other/bin"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let found = expanded(&format!("{}/cuda*/bin", root.path().display()));
        let ends: Vec<bool> = found.iter().map(|path| path.ends_with("bin")).collect();
        assert_eq!(ends, [true, true]);
        assert!(expanded("/no/such*/folder").is_empty());
    }

    #[test]
    fn what_is_not_there_is_not_found_and_what_answers_otherwise_is_named() {
        assert!(newest(Family::Gcc, &["no-such-compiler-of-ours"]).err().unwrap().is_empty());
        let others = newest(Family::Gcc, &["/bin/false", "/bin/echo"]).err().unwrap();
        assert!(others[0].contains("exit status 1"), "{others:?}");
        assert!(others[1].contains("says no version, but: -dM"), "{others:?}");
    }
}
