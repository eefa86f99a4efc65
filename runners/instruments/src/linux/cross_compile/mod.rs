//! What a program that is built here needs of the machine that it is to run on.
//!
//! Our tiny program, compiled with the compiler and the flags of the build, or a binary that is
//! there: its ELF file is read, and the compiler is asked which features of the CPU it lets itself
//! use. With a name of another machine it is started there as well.

mod elf;
mod remote;

use std::path::PathBuf;

use serde_json::{Value, json};

use self::remote::Target;
use super::{
    Arguments, Instrument,
    compile::{self, CXX, Compiler, Family, Folder, PROGRAM},
};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "cross-compile",
    summary: "Says what a program that is built here needs of another machine, and starts it there.",
    arguments: "--family WORD    `gcc`, `clang` or `c++` for either\n--names LIST     names or paths of compilers, with commas\n--flags LIST     flags of the build, with blanks; none unless given\n--binary PATH    a program that is there, instead of a compiler\n--ssh NAME       host to start it on, as ssh knows it; not started unless given\n--ssh-config PATH  configuration of ssh instead of the user's own\n--program-args LIST  arguments of the program there, with blanks",
    run,
};

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let target = target(given)?;
    let args: Vec<&str> =
        given.text("--program-args").unwrap_or_default().split_whitespace().collect();
    if let Some(bad) = args.iter().find(|word| !remote::is_word(word)) {
        return Err(format!("`--program-args` holds `{bad}`, which a shell may take for more"));
    }
    let absolute = |text: &str| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    let binary = given.value("--binary", "an absolute path", absolute)?;
    let compiler = match binary {
        Some(_) => None,
        None => match found(given)? {
            Ok(compiler) => Some(compiler),
            Err(missing) => return Ok(missing),
        },
    };
    let folder = match Folder::make() {
        Ok(folder) => folder,
        Err(refusal) => return Ok(refusal.to_json()),
    };
    let mut document = json!({});
    let program = binary.unwrap_or_else(|| folder.path().join(PROGRAM));
    if let Some(compiler) = compiler {
        let flags = compile::words(given);
        document["compiler"] = compiler.to_json();
        document["compile"] = compile::compiled(&compiler, &CXX, &flags, &folder);
        document["cpu"] = enabled(&compiler, &flags, &folder);
        if document["compile"]["exit"] != 0 {
            return Ok(document);
        }
    }
    document["elf"] = elf::needs(&program);
    if let (Some(target), Some(_)) = (target, document["elf"].get("class")) {
        document["remote"] = remote::start(&target, &program, &args, &folder);
    }
    Ok(document)
}

fn target<'a>(given: &Arguments<'a>) -> Result<Option<Target<'a>>, String> {
    let wanted = "a name of a host without blanks that does not begin with `-`";
    let alias = given.value("--ssh", wanted, |text| remote::is_alias(text).then_some(()))?;
    let config = given.text("--ssh-config");
    Ok(alias.and(given.text("--ssh")).map(|alias| Target { alias, config }))
}

/// Finds the compiler; the error is the document that says there is none.
fn found(given: &Arguments<'_>) -> Result<Result<Compiler, Value>, String> {
    let family = compile::family(given)?;
    if family == Family::Nvcc {
        return Err("`--family` is `nvcc`, which makes no program".to_owned());
    }
    let names = compile::listed(given, "--names")?;
    let found = compile::newest(family, &names);
    Ok(found.map_err(|others| json!({ "missing": names, "others": others })))
}

/// Says what the compiler lets itself use under the flags, and which of it comes with them.
fn enabled(compiler: &Compiler, flags: &[String], folder: &Folder) -> Value {
    // Of the machine and the standard: what is about warnings, files and the linker adds no macro.
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let path = PathBuf::from(&compiler.path);
    let of = |flags: &[&str]| compile::defines(&path, flags, compile::within(folder));
    match (of(&flags), of(&[])) {
        (Ok(with), Ok(without)) => {
            let added: Vec<&String> = with.iter().filter(|name| !without.contains(name)).collect();
            json!({ "defines": with, "added": added })
        }
        (Err(why), _) | (_, Err(why)) => json!({ "unknown": why }),
    }
}

#[cfg(test)]
mod tests;
