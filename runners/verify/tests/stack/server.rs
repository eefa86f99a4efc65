//! Whether real model servers are made ready, measured and ended: two that are on the package index.
//!
//! Their models are random and made here, of some 100,000 parameters. Neither server is vLLM, which
//! needs CUDA; what is vLLM's own is tried on a stub beside the instrument.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{Heavy, interpreter::check};

pub(crate) const TESTS: &[Heavy] = &[
    Heavy {
        name: "transformers_serve_is_made_ready_measured_and_ended",
        needs: &["torch", "transformers", "fastapi"],
        run: transformers,
    },
    Heavy {
        name: "the_server_of_llama_cpp_is_made_ready_measured_and_ended",
        needs: &["llama-cpp-python", "fastapi"],
        run: llama,
    },
    Heavy {
        name: "a_model_that_does_not_exist_is_told_with_the_servers_last_words",
        needs: &["llama-cpp-python", "fastapi"],
        run: nothing,
    },
];

const LLAMA: &str = include_str!("tiny_llama.py");
const GGUF: &str = include_str!("tiny_gguf.py");

/// Makes a model by one of our programs.
fn made(python: &str, program: &str, at: &Path) -> Result<(), String> {
    let mut maker = Command::new(python);
    maker.args(["-c", program]).arg(at).env("HF_HUB_OFFLINE", "1");
    let made = maker.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&made.stderr);
    if made.status.success() { Ok(()) } else { Err(format!("no model could be made: {said}")) }
}

/// Writes a suite of one check.
fn suite(command: &[&str], model: &str, concurrency: &str) -> String {
    let command: Vec<String> = command.iter().map(|word| format!("{word:?}")).collect();
    format!(
        r#"
[suite]
title = "Servers"
nodes = ["box"]

[[check]]
id     = "server/serves"
title  = "It becomes ready, completes, and ends without a trace"
probe  = "model-server"
limit  = "10 min"
why    = "It is a test."
source = "It is a test."
fix    = "None."
record = ["ready-after", "health", "greedy", "at-1.ttft", "at-1.tpot", "at-1.itl", "at-1.throughput"]
[check.with]
command     = [{}]
model       = {model:?}
concurrency = [{concurrency}]
requests    = 4
words       = 8
tokens      = 16
ready-limit = "5 min"
grace       = "5 s"
[check.expect]
ready         = true
trouble       = "none"
completed     = {{ agrees-with = "requests" }}
failed        = 0
tokens        = {{ at-least = 4 }}
deterministic = true
ended-by      = "TERM"
left          = {{ count = 0 }}
torn-down     = true
"#,
        command.join(", ")
    )
}

fn passes(python: &str, suite: &str) -> Result<(), String> {
    let (code, text) = check(python, suite, &[])?;
    if code == 0 { Ok(()) } else { Err(format!("exit {code}: {text}")) }
}

fn transformers(python: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let model = folder.path().join("llama");
    made(python, LLAMA, &model)?;
    let program = Path::new(python).with_file_name("transformers");
    let home = format!("HF_HOME={}", folder.path().join("home").display());
    let (program, model) = (program.to_string_lossy(), model.to_string_lossy());
    let command = [
        "env",
        "HF_HUB_OFFLINE=1",
        &home,
        &program,
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        "{port}",
    ];
    passes(python, &suite(&command, &model, r#""1", "4""#))
}

/// Writes the command of llama.cpp's server. It does one completion at a time.
fn of_llama(model: &str) -> [&str; 10] {
    let port = "{port}";
    let host = "127.0.0.1";
    [
        "{python}",
        "-m",
        "llama_cpp.server",
        "--model",
        model,
        "--host",
        host,
        "--port",
        port,
        "--n_ctx=512",
    ]
}

fn llama(python: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let model = folder.path().join("tiny.gguf");
    made(python, GGUF, &model)?;
    let model = model.to_string_lossy();
    passes(python, &suite(&of_llama(&model), &model, r#""1""#))
}

fn nothing(python: &str) -> Result<(), String> {
    let model = "/nowhere/model.gguf";
    let (code, text) = check(python, &suite(&of_llama(model), model, r#""1""#), &[])?;
    // A report breaks its lines at blanks.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if code == 1 && text.contains("the server ended: exit status 1 (the model does not exist)") {
        return Ok(());
    }
    Err(format!("exit {code}: {text}"))
}
