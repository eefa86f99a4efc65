//! How an error that ends the command is shown, and its exit code.

use std::{io::Write, process::ExitCode};

use verify_engine::{load::diagnostic::LoadError, transport::ClusterError};
use verify_model::exit::{BAD_USAGE, Situation};

use crate::{
    cli::When,
    output::{self, Lost},
};

/// Prints the chain once on standard error. Such an error is bad usage or a bad input file, unless
/// it says that output was lost or that a cluster gave no answer.
pub(crate) fn report(error: &anyhow::Error, when: When) -> ExitCode {
    let color = output::color_choice(when, &std::io::stderr());
    let mut err = anstream::AutoStream::new(std::io::stderr(), choice(color));
    // A closed pipe is not worth a second error.
    if let Some(load) = error.downcast_ref::<LoadError>() {
        let _ = write!(err, "{}", load.render(color));
        let _ = writeln!(err, "error: nothing was run: {load}");
        return ExitCode::from(BAD_USAGE);
    }
    if is_closed_pipe(error) {
        return ExitCode::from(0);
    }
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    output::say(&format!("error: {}", chain.join(": ")));
    let lost = error.downcast_ref::<Lost>().is_some();
    // Asked, and not answered: that is no mistake of who typed it.
    let silent = matches!(error.downcast_ref(), Some(ClusterError::Silent(_)));
    ExitCode::from(if lost || silent { Situation::Error.exit() } else { BAD_USAGE })
}

fn choice(color: bool) -> anstream::ColorChoice {
    if color { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never }
}

/// Tells whether somebody (`| head`) has seen enough.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(io)
}
