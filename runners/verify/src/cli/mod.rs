//! The command line as data: subcommands, flags, their environment variables and their help.

mod baseline;
mod choice;
mod compare;
mod doctor;
mod health;
pub(crate) mod help;
mod history;
mod learn;
mod listing;
mod node;
#[cfg(feature = "selftest")]
mod selftest;
mod test;
mod version;

use std::path::PathBuf;

use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, builder::Resettable,
    error::ErrorKind, parser::ValueSource,
};

use crate::complete::Shell;

pub(crate) use self::{
    baseline::{AcceptArgs, Accepted, BaselineAction, DiffArgs, DropArgs, MergeArgs, ShowArgs},
    choice::{Choice, OutputArgs, PlanArgs, RunArgs},
    compare::CompareArgs,
    doctor::DoctorArgs,
    health::HealthArgs,
    history::HistoryArgs,
    learn::LearnArgs,
    listing::{FileArgs, FileKind, ListArgs, Listing, RunsAction, SchemaName},
    node::{NodeAction, NodeArgs},
    test::TestArgs,
};

#[cfg(feature = "selftest")]
pub(crate) use self::selftest::{SelftestArgs, Shape};

#[cfg(feature = "history")]
pub(crate) use self::history::{ChosenMetrics, ExportArgs, HistoryAction, Notation};

/// Checks whether a machine is what you built, and says what it lacks.
#[derive(Debug, Parser)]
#[command(name = "verify", version, long_version = version::long(), about, after_help = help::whole())]
pub(crate) struct Cli {
    /// When to use colour; it is one that people who see no red or no green can tell apart.
    #[arg(long, value_enum, default_value_t = When::Auto, global = true, env = "VERIFY_COLOR")]
    pub(crate) color: When,
    /// Folder with `suites/` and `runners/nodes/`, laid over what is embedded, and with `baselines/`
    /// [default: nearest parent that has the first two, else the user's or the machine's
    /// configuration].
    #[arg(long, global = true, value_name = "DIR", env = "VERIFY_ROOT")]
    pub(crate) root: Option<PathBuf>,
    /// Subcommand; none means `run`.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Flags of `run`, for when no subcommand is given.
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

impl Cli {
    /// Reads the command line; a wrong one is explained and ends the command with exit code 2.
    pub(crate) fn read() -> Self {
        let (mut command, matches) = matches();
        // `run` needs no name, so its flags are known before any subcommand and would be lost there.
        let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let lost = command
            .get_arguments()
            .find(|argument| !argument.is_global_set() && typed(argument.get_id().as_str()));
        if let (Some((subcommand, _)), Some(lost)) = (matches.subcommand(), lost) {
            let flag = format!("--{}", lost.get_long().unwrap_or_default());
            let message = format!(
                "{flag} stands before `{subcommand}` and would be ignored; write it behind, if `verify {subcommand} --help` knows it"
            );
            command.error(ErrorKind::ArgumentConflict, message).exit();
        }
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Reads the command line; the help is broken into lines only for who sees it.
fn matches() -> (clap::Command, clap::ArgMatches) {
    let mut command = without_empty_variables(Cli::command());
    match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => (command, matches),
        Err(error) if error.kind() == ErrorKind::DisplayVersion => error.exit(),
        Err(_) => {
            let mut command = help::set(without_empty_variables(Cli::command()));
            let matches = command.get_matches_mut();
            (command, matches)
        }
    }
}

/// Lets an empty variable mean what an absent one means, as CI leaves them.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let variable = argument.get_env().and_then(std::env::var_os);
        if variable.is_some_and(|value| value.is_empty()) {
            argument.env(Resettable::Reset)
        } else {
            argument
        }
    });
    command.mut_subcommands(without_empty_variables)
}

/// Says when to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set; elsewhere where `CLICOLOR_FORCE` is.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask the chosen nodes, judge, record and report (the default).
    #[command(
        after_help = help::with_exits("Examples:\n  verify run --node nvidia --quick\n  verify run --check 'kernel/*' --repeat 5\n  verify run --node nvidia --via replay:last --report junit=out/verify.xml\n  verify run --quiet --report junit=out/verify.xml\n  verify run --format jsonl | jq .")
    )]
    Run(Box<RunArgs>),
    /// Ask the chosen checks as tests of libtest, for cargo, nextest and editors.
    #[command(after_help = test::HELP)]
    Test(Box<TestArgs>),
    /// Show what would be asked and what would be left out; facts are read, nothing else is run.
    #[command(
        after_help = "Examples:\n  verify plan --node nvidia\n  verify plan --tag kernel --quick"
    )]
    Plan(PlanArgs),
    /// Say what nodes lack to answer every check, and how to get it; nothing is measured.
    #[command(after_help = doctor::HELP)]
    Doctor(DoctorArgs),
    /// List what there is.
    #[command(
        after_help = "Examples:\n  verify list checks --node nvidia\n  verify list probes --json"
    )]
    List(ListArgs),
    /// Print a node or suite file, to read or to begin your own from.
    #[command(
        after_help = "Examples:\n  verify show suite gpu\n  verify show node nvidia --shipped > runners/nodes/nvidia.toml"
    )]
    Show(FileArgs),
    /// Explain a check, a probe or a finding: why it matters, how it is judged, what to do.
    #[command(
        after_help = "Examples:\n  verify explain kernel/isolcpus\n  verify explain cpu\n  verify explain tool-missing"
    )]
    Explain {
        /// Id of a check, name of a probe, or code of a finding.
        id: String,
        /// Node whose variables are filled in; may be given several times.
        #[arg(long = "node", env = "VERIFY_NODE", value_delimiter = ',')]
        nodes: Vec<String>,
    },
    /// Say in one line whether this machine is healthy, as Slurm's health check does.
    #[command(after_help = help::with_exits(health::HELP))]
    Health(HealthArgs),
    /// Judge a recorded run again by the checks that it recorded; no node is asked.
    #[command(
        after_help = help::with_exits("Examples:\n  verify judge last\n  verify judge 01K --report junit=out/verify.xml\n  verify judge last --quiet")
    )]
    Judge {
        /// Path, id or beginning of an id, or `last`.
        run: String,
        /// Reports to write beside the one on the terminal.
        #[arg(long = "report", value_name = "FORMAT=PATH")]
        reports: Vec<String>,
        #[command(flatten)]
        show: OutputArgs,
    },
    /// Show a recorded run in a format; no node is asked.
    #[command(
        after_help = "Examples:\n  verify report last\n  verify report last --format junit -o out/verify.xml\n  verify report ./run.jsonl"
    )]
    Report {
        /// Path, id or beginning of an id, or `last`.
        run: String,
        /// Format; `verify list formats` lists them.
        #[arg(long, default_value = "text", env = "VERIFY_FORMAT")]
        format: String,
        /// File to write; standard output unless given.
        #[arg(long, short, value_name = "PATH")]
        output: Option<PathBuf>,
    },
    /// Show and change what is normal.
    #[command(
        after_help = "Baselines stand below baselines/ of the root: per node and suite a summary for people and a\nledger of units. `within` in a suite compares with them.\n\nExamples:\n  verify baseline accept last --reason \"as built\"\n  verify baseline show --node nvidia\n  verify baseline diff last"
    )]
    Baseline {
        #[command(subcommand)]
        action: BaselineAction,
    },
    /// Show what changed from one run to another: in the machine, in outcomes, in what was measured.
    #[command(after_help = compare::HELP)]
    Compare(CompareArgs),
    /// Show how metrics went over all recorded runs, and when they changed.
    #[command(after_help = history::HELP)]
    History(Box<HistoryArgs>),
    /// Propose a suite from a machine as it stands, out of recorded runs.
    #[command(after_help = learn::HELP)]
    Learn(LearnArgs),
    /// List recorded runs, or remove old ones.
    #[command(
        after_help = "Examples:\n  verify runs\n  verify runs prune --keep 20\n\nWhat is removed leaves `verify history`, too."
    )]
    Runs {
        #[command(subcommand)]
        action: Option<RunsAction>,
    },
    /// Put known faults below the checks, and say which are noticed; no machine is asked.
    #[cfg(feature = "selftest")]
    #[command(after_help = selftest::HELP)]
    Selftest(SelftestArgs),
    /// Print a script that teaches a shell to complete `verify` on the Tab key.
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// Shell to teach.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print a manual page, or write all of them into a folder.
    #[command(after_help = help::MAN)]
    Man {
        /// Subcommand that the page is about; none means `verify` itself.
        #[arg(value_name = "SUBCOMMAND")]
        page: Vec<String>,
        /// Folder to write every page to, such as a `man1` below MANPATH.
        #[arg(long, value_name = "DIR", conflicts_with = "page")]
        dir: Option<PathBuf>,
    },
    /// Show or remove what verify keeps on nodes: copies of itself, sent there to measure.
    #[command(after_help = node::HELP)]
    Node {
        #[command(subcommand)]
        action: NodeAction,
    },
    /// Measure with our own code and print JSON, as a run has it done in a process of its own.
    #[command(
        after_help = "Examples:\n  verify instrument                 list them\n  verify instrument scheduling      take SCHED_FIFO and lock memory\n  verify instrument --protocol      what a run elsewhere must speak to use this one\n\n`gather` answers a batch of questions for a run elsewhere: one JSON document on standard input."
    )]
    Instrument {
        /// Print the protocols that this build speaks, and nothing else.
        #[arg(long, conflicts_with_all = ["instrument", "lifeline"])]
        protocol: bool,
        /// End when standard input does: for whoever cannot end this process, such as below sudo.
        #[arg(long)]
        lifeline: bool,
        /// Which one; none lists them.
        #[arg(value_name = "NAME")]
        instrument: Option<String>,
        /// What it takes.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
    /// Print a JSON Schema: of suites, node files, run records or baselines.
    #[command(
        after_help = "Examples:\n  verify schema > suites/suite.schema.json\n  verify schema run"
    )]
    Schema {
        /// Which one.
        #[arg(value_enum, default_value_t = SchemaName::Suite)]
        name: SchemaName,
    },
}
