//! Our Python programs: what only the interpreter of a node can tell.
//!
//! Each is one small file, embedded here and given to the interpreter on its standard input, so
//! that nothing is installed on a node or left there. It answers with one marked line, which
//! `parse::script` reads; whatever else a package prints is ignored. A program needs
//! nothing but what it tests. The loader keeps the text as `SOURCE`, for those that start others.

use verify_model::ask::Ask;

/// Opens the line that holds the answer.
pub const MARK: &str = "verify-script/1 ";
/// Interpreter, where a node file names none.
pub const INTERPRETER: &str = "python3";

/// What the interpreter runs: no module is taken from the working directory, which is nobody's.
const LOADER: &str = "import sys; sys.path[:] = [p for p in sys.path if p]; \
     SOURCE = sys.stdin.read(); exec(compile(SOURCE, '<verify>', 'exec'))";

/// Holds one program.
#[derive(Debug)]
pub struct Script {
    /// Name, kebab-case.
    pub name: &'static str,
    text: &'static str,
}

/// Holds every program, sorted by name.
pub static SCRIPTS: &[Script] = &[
    Script {
        name: "mlx-device",
        text: concat!(include_str!("bound.py"), "\n\n", include_str!("mlx_device.py")),
    },
    Script { name: "module", text: include_str!("module.py") },
    Script {
        name: "torch-device",
        text: concat!(include_str!("bound.py"), "\n\n", include_str!("torch_device.py")),
    },
    Script {
        name: "torch-parallel",
        text: concat!(include_str!("bound.py"), "\n\n", include_str!("torch_parallel.py")),
    },
];

const OPENING: &str = include_str!("opening.py");

/// Finds a program by name.
pub fn find(name: &str) -> Option<&'static Script> {
    SCRIPTS.iter().find(|script| script.name == name)
}

impl Script {
    /// Returns the whole text: what all share, then its own.
    pub fn source(&self) -> String {
        format!("{OPENING}\n\n{}", self.text)
    }
}

/// Asks for one program; an empty interpreter is the usual one.
pub fn ask(interpreter: &str, name: &str, args: Vec<String>, limit_ms: u64) -> Ask {
    let interpreter = if interpreter.is_empty() { INTERPRETER } else { interpreter };
    Ask::Script { interpreter: interpreter.to_owned(), name: name.to_owned(), args, limit_ms }
}

/// Returns the argument vector: the interpreter, what reads the program, its arguments.
pub fn argv(interpreter: &str, args: &[String]) -> Vec<String> {
    let fixed = [interpreter, "-c", LOADER].map(str::to_owned);
    fixed.into_iter().chain(args.iter().cloned()).collect()
}

/// Variables set for it: neither a package that is imported nor CUDA leaves compiled files behind.
pub const ENVIRONMENT: &[(&str, &str)] =
    &[("PYTHONDONTWRITEBYTECODE", "1"), ("CUDA_CACHE_DISABLE", "1")];
