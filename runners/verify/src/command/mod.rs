//! One file a subcommand.

mod baseline;
mod compare;
mod completions;
mod doctor;
mod explain;
mod health;
#[cfg(feature = "history")]
pub(crate) mod history;
#[cfg(not(feature = "history"))]
#[path = "no_history.rs"]
pub(crate) mod history;
mod instrument;
mod learn;
mod list;
mod man;
mod node;
mod old;
mod plan;
mod run;
mod runs;
mod schema;
#[cfg(feature = "selftest")]
mod selftest;
mod show;
mod shown;
mod test;
mod waivers;

use verify_engine::transport;

use crate::{
    cli::{Cli, Command},
    output::Terminal,
};

/// Runs the subcommand; returns its exit code.
///
/// *Errors*: bad usage or bad input; nothing was run.
pub(crate) fn dispatch(cli: &Cli, terminal: Terminal) -> anyhow::Result<u8> {
    let root = cli.root.as_deref();
    // It only starts with the first thing to watch over.
    if let Ok(program) = std::env::current_exe() {
        transport::appoint(program);
    }
    match &cli.command {
        None => run::run(root, &cli.run, terminal),
        Some(Command::Run(args)) => run::run(root, args, terminal),
        Some(Command::Test(args)) => test::test(root, args, terminal),
        Some(Command::Plan(args)) => plan::plan(root, args, terminal.out),
        Some(Command::Doctor(args)) => doctor::doctor(root, args, terminal.out),
        Some(Command::List(args)) => list::list(root, args, terminal.out),
        Some(Command::Show(args)) => show::show(root, args),
        Some(Command::Explain { id, nodes }) => explain::explain(root, id, nodes, terminal.out),
        Some(Command::Health(args)) => health::health(root, args),
        Some(Command::Judge { run, reports, show }) => {
            old::judge(root, run, reports, show, terminal)
        }
        Some(Command::Report { run, format, output }) => {
            old::report(root, run, format, output.as_deref(), terminal)
        }
        Some(Command::Baseline { action }) => baseline::baseline(root, action),
        Some(Command::Compare(args)) => compare::compare(args),
        Some(Command::History(args)) => history::history(args),
        Some(Command::Learn(args)) => learn::learn(root, args),
        Some(Command::Runs { action }) => runs::runs(action.as_ref(), terminal.out),
        Some(Command::Completions { shell }) => completions::completions(*shell),
        Some(Command::Man { page, dir }) => man::man(page, dir.as_deref()),
        Some(Command::Node { action }) => node::node(root, action),
        Some(Command::Instrument { protocol: true, .. }) => instrument::protocol(),
        Some(Command::Instrument { instrument, arguments, lifeline, .. }) => {
            instrument::instrument(instrument.as_deref(), arguments, *lifeline)
        }
        #[cfg(feature = "selftest")]
        Some(Command::Selftest(args)) => selftest::selftest(root, args, terminal.out),
        Some(Command::Schema { name }) => schema::schema(*name),
    }
}
