//! The command: argv in, bytes and an exit code out.
//!
//! Only this crate knows the command line, the terminal, the environment and exit codes. Each
//! subcommand is one file under `command/`.

mod cli;
mod cluster;
mod command;
mod complete;
mod failure;
mod link;
mod method;
mod observe;
mod output;
mod place;
mod progress;
mod signal;
mod target;
mod trial;
mod via;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(words) = complete::asked() {
        complete::answer(<cli::Cli as clap::CommandFactory>::command(), words);
        return ExitCode::SUCCESS;
    }
    let args = cli::Cli::read();
    let done = command::dispatch(&args, output::Terminal::look(args.color));
    verify_engine::transport::dismiss();
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => failure::report(&error, args.color),
    }
}
