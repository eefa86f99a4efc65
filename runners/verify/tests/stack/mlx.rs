//! Whether the checks of MLX see what a real one does: on Linux it must fail, for the right reason.
//!
//! There is no Mac here. `mlx[cpu]` computes right on the processor, which is another device than
//! the one that is demanded; its copy is timed and its faults are found all the same.

use crate::{
    Heavy,
    interpreter::{check, check_with, demand},
};

pub(crate) const TESTS: &[Heavy] = &[
    Heavy {
        name: "mlx_on_a_processor_computes_right_and_is_not_the_gpu",
        needs: &["mlx-cpu"],
        run: is_not_the_gpu,
    },
    Heavy {
        name: "mlx_copies_memory_and_a_wrong_copy_has_no_rate",
        needs: &["mlx-cpu"],
        run: copies,
    },
    Heavy {
        name: "an_interpreter_without_mlx_fails_where_it_is_asked_for",
        needs: &["torch"],
        run: missing,
    },
];

fn suite(with: &str, expect: &str) -> String {
    format!(
        r#"[suite]
title = "MLX"
nodes = ["box"]

[[check]]
id     = "mlx/try"
title  = "It is tried"
probe  = "mlx"
with   = {{ {with} }}
limit  = "2 min"
why    = "It is a test."
source = "It is a test."
fix    = "None."
[check.expect]
{expect}
"#
    )
}

const RIGHT: &str = "state = \"ok\"\ntrouble = \"none\"\nwrong = { count = 0 }\n";

fn is_not_the_gpu(python: &str) -> Result<(), String> {
    let shipped = suite("", &format!("{RIGHT}device = \"Device(gpu, 0)\""));
    let words = ["expected device: Device(gpu, 0)", "observed Device(cpu, 0)"];
    let (code, text) = check(python, &shipped, &[])?;
    if text.matches("expected  ").count() != 1 {
        return Err(format!("more than the device was missed: {text}"));
    }
    demand((code, text), 1, &words)?;
    demand(check(python, &suite("", RIGHT), &[])?, 0, &["1 pass"])?;
    let fault = [("VERIFY_SCRIPT_FAULT", "wrong-device")];
    let wrong = check_with(python, &suite("", RIGHT), &[], &fault)?;
    demand(wrong, 1, &["1048576 of 1048576 wrong"])
}

fn copies(python: &str) -> Result<(), String> {
    let with = "copy = true, size = \"256 MiB\", passes = 5";
    let suite =
        suite(with, "copy-wrong = 0\ncopy = { at-least = \"10 MB/s\" }\nbuffer-size = \"256 MiB\"");
    demand(check(python, &suite, &[])?, 0, &["1 pass"])?;
    let fault = [("VERIFY_SCRIPT_FAULT", "wrong-copy")];
    demand(check_with(python, &suite, &[], &fault)?, 1, &["`copy` is absent"])
}

/// Another interpreter, whose packages are not those of the environment.
fn missing(_python: &str) -> Result<(), String> {
    let words = ["import-failed", "No module named 'mlx'"];
    demand(check("python3", &suite("", RIGHT), &[])?, 1, &words)
}
