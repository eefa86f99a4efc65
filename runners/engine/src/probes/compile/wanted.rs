//! Which compilers a parameter means: a kind, of which the newest is taken, or a path.

use verify_model::node::Facts;

use super::super::toolchain::{
    names::{TOOLKITS, names},
    toolkits::wheel,
};
use crate::probe::With;

/// Holds what the instruments are told of compilers.
pub(in crate::probes) struct Wanted {
    /// Kind, as they name it.
    pub(in crate::probes) family: &'static str,
    /// Names and paths, with commas.
    pub(in crate::probes) names: String,
}

/// Reads the parameter `compiler`.
///
/// *Errors*: it is neither a kind nor a path, in one sentence.
pub(in crate::probes) fn wanted(with: With<'_>, facts: &Facts) -> Result<Wanted, String> {
    let compiler = with.required("compiler")?;
    if compiler.starts_with('/') {
        if compiler.contains([',', '*', '\0']) {
            return Err(format!("`compiler` is `{compiler}`, which is not one path"));
        }
        let cuda = compiler.ends_with("/nvcc");
        let family = if cuda { "nvcc" } else { "c++" };
        return Ok(Wanted { family, names: compiler.to_owned() });
    }
    let family = match compiler {
        "g++" => "gcc",
        "clang++" => "clang",
        "nvcc" => "nvcc",
        _ => {
            let kinds = "`g++`, `clang++`, `nvcc` or an absolute path expected";
            return Err(format!("`compiler` is `{compiler}`; {kinds}"));
        }
    };
    let mut all = names(compiler).map_or_else(Vec::new, |names| names.all());
    if family == "nvcc" {
        all.extend(TOOLKITS.iter().map(|kit| format!("{kit}/bin/nvcc")));
        all.extend(wheel(&facts.python));
    }
    Ok(Wanted { family, names: all.join(",") })
}

/// Reads the parameter `flags`.
///
/// *Errors*: one is no flag, or says where the program goes, in one sentence.
pub(in crate::probes) fn flags(with: With<'_>) -> Result<String, String> {
    let flags = with.texts("flags");
    let bad = flags.iter().find(|flag| {
        !flag.starts_with('-') || flag.starts_with("-o") || flag.contains([' ', '\t', '\n', '\0'])
    });
    match bad {
        Some(bad) => Err(format!(
            "`{bad}` is not usable: a flag begins with `-`, has no blank and is not `-o`"
        )),
        None => Ok(flags.join(" ")),
    }
}
