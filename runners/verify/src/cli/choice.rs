//! Flags that choose: which nodes, which checks, by what way, and what may be done to a node.

use clap::Args;

/// Reads a switch as the environment writes it; a slip never permits anything.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("expected `1`, `true`, `yes` or `on`, or `0`, `false`, `no` or `off`".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// Node to ask; may be given several times, and `all` is every machine that has a node file
    /// [default: local]. Nodes are asked side by side.
    #[arg(
        long = "node",
        short = 'n',
        value_name = "NODE",
        env = "VERIFY_NODE",
        value_delimiter = ','
    )]
    pub(crate) nodes: Vec<String>,
    /// How nodes are asked: `auto`, `local`, `ssh`, `replay:RUN` to answer today's checks from
    /// a recorded run, or `sim:SCENARIO` to ask no machine at all.
    #[arg(long, default_value = "auto", value_name = "WAY", env = "VERIFY_VIA")]
    pub(crate) via: String,
    /// Ask the nodes of a Slurm partition, or of a list such as `n[1-64]`, each by a step of srun; `--node`
    /// then names the node file that describes them all [default: local].
    #[arg(long, value_name = "PARTITION|NODES", env = "VERIFY_SLURM")]
    pub(crate) slurm: Option<String>,
    /// How long a place on a node of the cluster is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, env = "VERIFY_SLURM_WAIT", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) slurm_wait: u32,
    /// Only checks of this suite; may be given several times.
    #[arg(long = "suite", value_name = "SUITE", env = "VERIFY_SUITE", value_delimiter = ',')]
    pub(crate) suites: Vec<String>,
    /// Only checks whose id matches, with what they are after; may be given several times.
    #[arg(
        long = "check",
        short = 'c',
        value_name = "GLOB",
        env = "VERIFY_CHECK",
        value_delimiter = ','
    )]
    pub(crate) checks: Vec<String>,
    /// Only checks with this tag; may be given several times.
    #[arg(long = "tag", value_name = "TAG", env = "VERIFY_TAG", value_delimiter = ',')]
    pub(crate) tags: Vec<String>,
    /// Only read state: no check that loads or changes a node.
    #[arg(long, env = "VERIFY_QUICK", value_parser = switch)]
    pub(crate) quick: bool,
    /// Let checks run that change the node.
    #[arg(long, env = "VERIFY_ALLOW_MUTATION", value_parser = switch)]
    pub(crate) allow_mutation: bool,
    /// Let a production node be loaded.
    #[arg(long, value_name = "NODE", env = "VERIFY_ALLOW_LOAD", value_delimiter = ',')]
    pub(crate) allow_load: Vec<String>,
    /// Run suites and node files only if they have this digest. Those that somebody else owns or can
    /// write are not run without it; the refusal says what it is.
    #[arg(long, value_name = "DIGEST", env = "VERIFY_TRUST")]
    pub(crate) trust: Option<String>,
    /// Whether a node without checks is no mistake; set by commands, not by people.
    #[arg(skip)]
    pub(crate) even_nothing: bool,
    /// Measure every check this often [default: what its suite says].
    #[arg(long, value_name = "N", env = "VERIFY_REPEAT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: Option<u32>,
}

/// Says what standard output gets.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// What standard output gets instead of the report for people, and nothing else; `verify list
    /// formats` lists what there is.
    #[arg(long, value_name = "FORMAT", default_value = "text", env = "VERIFY_FORMAT")]
    pub(crate) format: String,
    /// Say only what needs somebody, the counts and the verdict; show no progress.
    #[arg(long, short, env = "VERIFY_QUIET", value_parser = switch)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) show: OutputArgs,
    /// Report to write, such as `junit=out/verify.xml`; the format may be left out where the ending
    /// tells it. May be given several times.
    #[arg(long = "report", value_name = "FORMAT=PATH", env = "VERIFY_REPORT")]
    pub(crate) reports: Vec<String>,
    /// A check without a baseline is an error instead of being left unjudged.
    #[arg(long, env = "VERIFY_REQUIRE_BASELINE", value_parser = switch)]
    pub(crate) require_baseline: bool,
    /// Ask nothing more after the first failure.
    #[arg(long, env = "VERIFY_FAIL_FAST", value_parser = switch)]
    pub(crate) fail_fast: bool,
    /// Measure what compares with a baseline until it is decided: 3, 5, 7, 10, 14 and at most 20 runs,
    /// and no further than each needs.
    #[arg(long, env = "VERIFY_UNTIL_DECIDED", conflicts_with = "repeat", value_parser = switch)]
    pub(crate) until_decided: bool,
    /// Earlier run whose session counts beside this one, where nothing changed between: several sessions
    /// tell what one cannot. May be given several times.
    #[arg(
        long,
        value_name = "RUN",
        env = "VERIFY_WITH",
        value_delimiter = ',',
        conflicts_with = "until_decided"
    )]
    pub(crate) with: Vec<String>,
    /// Show every reading of every check.
    #[arg(long, short, env = "VERIFY_VERBOSE", value_parser = switch)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) choice: Choice,
}
