//! Whether a compiler compiles: a tiny program of ours, in a folder that is removed afterwards.
//!
//! A C++23 program is started as well and prints what it computed; of CUDA a kernel is compiled for
//! an architecture and not started. What the compiler said is passed on as it stands, with how it
//! and the program ended: which of that is right, the reader of the document decides.

mod compiler;
mod folder;

use std::{io, time::Instant};

use serde_json::{Value, json};

pub(in crate::linux) use self::{
    compiler::{Compiler, Family, defines, newest},
    folder::Folder,
};
use super::{
    Arguments, Instrument,
    tool::{self, Said, Setting},
};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "compile",
    summary: "Compiles a tiny program with the newest of some compilers, and starts it.",
    arguments: "--language WORD  `c++23`, which is started as well, or `cuda`\n--family WORD    `gcc`, `clang` or `c++` for either, of `c++23`; `nvcc` of `cuda`\n--names LIST     names or paths of compilers, with commas; `*` in a path stands for any part\n--flags LIST     further flags, with blanks; none unless given\n--arch WORD      architecture of `cuda`, such as `sm_86`",
    run,
};

/// Bounds what is kept of what a compiler or program said. *Units*: B.
const KEPT: usize = 16 << 10;

/// Name of the program in its folder.
pub(in crate::linux) const PROGRAM: &str = "program";

/// Holds what is compiled.
pub(in crate::linux) struct Source {
    name: &'static str,
    text: &'static str,
    /// What the compiler makes of it.
    product: &'static str,
    /// Arguments before the flags.
    opens: &'static [&'static str],
}

pub(in crate::linux) const CXX: Source = Source {
    name: "program.cpp",
    text: include_str!("program.cpp"),
    product: PROGRAM,
    opens: &["-std=c++23"],
};
const CUDA: Source = Source {
    name: "kernel.cu",
    text: include_str!("kernel.cu"),
    product: "kernel.o",
    opens: &["-c"],
};

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let language = given.text("--language").unwrap_or_default();
    let family = family(given)?;
    let names = listed(given, "--names")?;
    let mut flags = words(given);
    let source = match (language, family) {
        ("c++23", Family::Gcc | Family::Clang | Family::Cxx) => CXX,
        ("cuda", Family::Nvcc) => {
            let arch = given.text("--arch").unwrap_or("sm_86");
            flags.insert(0, format!("-arch={arch}"));
            CUDA
        }
        _ => return Err(format!("`--language` is `{language}`, which such compilers do not have")),
    };
    let compiler = match newest(family, &names) {
        Ok(compiler) => compiler,
        Err(others) => return Ok(json!({ "missing": names, "others": others })),
    };
    let folder = match Folder::make() {
        Ok(folder) => folder,
        Err(refusal) => return Ok(refusal.to_json()),
    };
    let mut document = json!({ "compiler": compiler.to_json() });
    document["compile"] = compiled(&compiler, &source, &flags, &folder);
    if language == "c++23" && document["compile"]["exit"] == 0 {
        document["run"] = started(&folder);
    }
    Ok(document)
}

/// Reads which kind of compiler is meant.
pub(in crate::linux) fn family(given: &Arguments<'_>) -> Result<Family, String> {
    let found = given.value("--family", "`gcc`, `clang`, `c++` or `nvcc`", Family::named)?;
    found.ok_or_else(|| "`--family` says which compilers, and is missing".to_owned())
}

/// Reads a list that must name something.
pub(in crate::linux) fn listed<'a>(
    given: &Arguments<'a>,
    name: &str,
) -> Result<Vec<&'a str>, String> {
    let list = given.text(name).unwrap_or_default().split(',').filter(|word| !word.is_empty());
    let list: Vec<&str> = list.collect();
    if list.is_empty() { Err(format!("`{name}` names nothing")) } else { Ok(list) }
}

/// Reads the flags.
pub(in crate::linux) fn words(given: &Arguments<'_>) -> Vec<String> {
    given.text("--flags").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Compiles the program and says how that ended.
#[allow(clippy::disallowed_methods, reason = "how long it takes is what is measured")]
pub(in crate::linux) fn compiled(
    compiler: &Compiler,
    source: &Source,
    flags: &[String],
    folder: &Folder,
) -> Value {
    if let Err(refusal) = folder.put(source.name, source.text) {
        return refusal.to_json();
    }
    let opens = source.opens.iter().map(|word| (*word).to_owned());
    let closes = ["-o", source.product, source.name].map(str::to_owned);
    let args: Vec<String> = opens.chain(flags.iter().cloned()).chain(closes).collect();
    let began = Instant::now();
    let said = tool::run_in(&compiler.path, &args, within(folder));
    let mut found = ended(said);
    found["seconds"] = json!(began.elapsed().as_secs_f64());
    let line: Vec<&str> =
        [compiler.path.as_str()].into_iter().chain(args.iter().map(String::as_str)).collect();
    found["argv"] = json!(line);
    let bytes = std::fs::metadata(folder.path().join(source.product)).map(|of| of.len());
    found["bytes"] = json!(bytes.ok());
    found
}

/// Starts what was compiled and says how it ended.
pub(in crate::linux) fn started(folder: &Folder) -> Value {
    let path = folder.path().join(PROGRAM);
    ended(tool::run_in(&path.to_string_lossy(), &[], within(folder)))
}

/// Has a program at work in the folder, and ended with this process.
pub(in crate::linux) fn within(folder: &Folder) -> Setting<'_> {
    let (folder, guard) = (Some(folder.path()), Some(folder.guard()));
    Setting { folder, guard, ..Setting::default() }
}

/// Says how a program ended, or why it could not be started.
pub(in crate::linux) fn ended(said: io::Result<Said>) -> Value {
    match said {
        Ok(said) => json!({
            "exit": said.exit,
            "signal": said.signal,
            "stdout": kept(&said.stdout),
            "stderr": kept(&said.stderr),
        }),
        Err(error) => json!({ "unstarted": error.to_string() }),
    }
}

fn kept(text: &str) -> &str {
    &text[..text.floor_char_boundary(KEPT)]
}

#[cfg(test)]
mod tests;
