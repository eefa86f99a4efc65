//! Answers asks on a node of a cluster, by one step of srun a node and exchange.
//!
//! What is said is what ssh says: one framed script on standard input. A step has one task, so that
//! no two outputs can mix. srun forwards the end of standard input, so the work ends with this
//! process, however that ends; jobs carry the name of the run, so that the sweep finds them. Within
//! an allocation (`salloc`), steps are taken from it. Account, reservation and quality of service
//! are srun's own variables.

mod cluster;
mod state;
mod trouble;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use verify_model::{
    ask::{Ask, DEFAULT_CAP, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Failure, FailureKind},
    node::Via,
};

use super::{
    Cancel, Transport,
    exec::Exec,
    locate,
    shell::{
        exchange::{self, End, Line},
        nonce, refuse,
        script::{self, Last, Manner},
        sweep,
    },
    ssh::Gate,
    warden::{self, Watched},
};

pub use cluster::{Cluster, ClusterError};
pub use state::ClusterNode;

/// Time beyond the wait for a place until the first frame: launching, a prolog of the cluster.
const OPENING: Duration = Duration::from_secs(30);
/// Number of the ask that ends what the others left.
const SWEEP: usize = usize::MAX;
/// Longest time that a step is asked for; its own limits are kept here. *Units*: min.
const LONGEST_MIN: u64 = 24 * 60;
/// Variables of srun that would break the frames or give the step another shape. *Source*:
/// srun(1), "INPUT ENVIRONMENT VARIABLES", 22.05.
const UNSET: &[&str] = &[
    "SLURM_LABELIO",
    "SLURM_UNBUFFEREDIO",
    "SLURM_STDINMODE",
    "SLURM_STDOUTMODE",
    "SLURM_STDERRMODE",
    "SLURM_SPLIT",
    "SLURM_MULTI_PROG",
    "SLURM_TASK_PROLOG",
    "SLURM_TASK_EPILOG",
    "SLURM_NTASKS_PER_NODE",
    "SLURM_TRES_PER_TASK",
    "SLURM_CPUS_PER_TASK",
    "SLURM_EXACT",
    "SLURM_EXCLUSIVE",
    "SLURM_OVERLAP",
    "SLURM_WAIT",
    "SLURM_DEBUG",
    "SRUN_EXPORT_ENV",
    "SRUN_CPUS_PER_TASK",
];

/// Asks one node of a cluster.
pub struct Slurm {
    node: ClusterNode,
    mark: String,
    wait_s: u32,
    /// Whether the next asks need the node for themselves.
    alone: AtomicBool,
    /// Whether an exchange did not end by itself.
    cut_short: AtomicBool,
    exec: Exec,
    gate: Arc<Gate>,
    /// Steps that wait for a place or are being launched.
    steps: Arc<AtomicUsize>,
}

impl Slurm {
    /// Builds the transport; a place on the node is waited for so long. *Units*: s.
    pub fn new(node: ClusterNode, run: &str, wait_s: u32) -> Self {
        // Several nodes of Slurm may be one machine: each sweeps what is its own.
        let mark = format!("{run}-{}", node.name);
        let exec = Exec::new(format!("{mark}-here"));
        let (alone, cut_short) = (AtomicBool::new(false), AtomicBool::new(false));
        let gate = Arc::new(Gate::new(1));
        Self { node, mark, wait_s, alone, cut_short, exec, gate, steps: Arc::default() }
    }

    /// Shares the launching of steps with the other nodes of the run.
    #[must_use]
    pub fn through(mut self, gate: Arc<Gate>) -> Self {
        self.gate = gate;
        self
    }

    fn line(&self) -> Line {
        Line {
            name: "srun",
            opening: OPENING + Duration::from_secs(u64::from(self.wait_s)),
            trouble: trouble::of_srun,
            is_crowded: |_| false,
            of_silence: trouble::of_silence,
            ended: "Slurm ended the step before the answer was whole",
            leave: Duration::from_secs(2),
            // It tells the node first, and has the job taken down.
            grace: Duration::from_secs(5),
        }
    }

    /// Returns the name of the run's jobs on this node.
    fn job(&self) -> String {
        format!("{}{}", warden::JOB, self.mark)
    }

    /// Returns the argument vector of a step that runs `/bin/sh -s`.
    fn argv(&self, asks: &[(usize, &Ask)]) -> Vec<String> {
        let mut argv = vec!["env".to_owned()];
        argv.extend(UNSET.iter().flat_map(|name| ["-u".to_owned(), (*name).to_owned()]));
        argv.push("srun".to_owned());
        argv.extend(["-N1", "-n1", "--chdir=/", "--mpi=none"].map(str::to_owned));
        // The node's own limits are looked at, and of the environment here only who somebody is.
        argv.extend(["--propagate=NONE", "--export=HOME,USER,LOGNAME"].map(str::to_owned));
        argv.push(format!("--nodelist={}", self.node.name));
        if std::env::var_os("SLURM_PARTITION").is_none() {
            argv.push(format!("--partition={}", self.node.partition));
        }
        argv.push(format!("--immediate={}", self.wait_s));
        argv.push(format!("--job-name={}", self.job()));
        argv.push(format!("--time={}", minutes(asks)));
        let own_gres = std::env::var_os("SLURM_GRES").is_some();
        if self.alone.load(Ordering::SeqCst) {
            argv.extend(["--exclusive", "--mem=0", "--cpu-bind=none"].map(str::to_owned));
            argv.push(format!("--cpus-per-task={}", self.node.cpus));
        } else {
            argv.extend(["--oversubscribe", "--overlap"].map(str::to_owned));
        }
        // A step that asks for no GPU sees none where devices are fenced in.
        if !self.node.gpus.is_empty() && !own_gres {
            argv.push(format!("--gres={}", self.node.gpus));
        }
        argv.extend(["/bin/sh", "-s"].map(str::to_owned));
        argv
    }

    /// Sends asks until every one is answered, one step after the other.
    fn converse(&self, asks: &[(usize, &Ask)], cancel: &Cancel, hear: exchange::Hear<'_>) {
        let sweep = sweep(&self.mark);
        let _watched = Watched::job(&self.job());
        let mut rest = asks;
        if locate::which("srun").is_none() {
            let failure = Failure::new(FailureKind::NotScheduled, locate::not_found("srun"));
            return refuse(rest, &failure, hear);
        }
        while !rest.is_empty() {
            let argv = self.argv(rest);
            let mut sent = rest.to_vec();
            if rest.iter().any(|(_, ask)| starts_something(ask)) {
                sent.push((SWEEP, &sweep));
            }
            let nonce = nonce();
            let manner = Manner { last: Last::Exit, ..Manner::default() };
            let text = script::write(&nonce, &self.mark, &sent, manner);
            let mut answered = 0;
            let mut count = |at: usize, captured: Captured, elapsed: Duration| {
                if at != SWEEP {
                    answered += 1;
                    hear(at, captured, elapsed);
                }
            };
            let step = exchange::Sent {
                line: self.line(),
                argv: &argv,
                nonce: &nonce,
                input: text.into(),
                asks: &sent,
                // More at once launch no faster, and each costs memory here.
                entry: Some(self.gate.login("slurm", &self.steps, cancel)),
            };
            let (end, begun) = exchange::run(step, cancel, &mut count);
            rest = &rest[answered.min(rest.len())..];
            if !matches!(end, End::Through) {
                self.cut_short.fetch_or(begun, Ordering::SeqCst);
                self.take_down();
            }
            match end {
                End::TimedOut => {}
                End::Interrupted => {
                    let failure = Failure::new(FailureKind::Interrupted, "the run was interrupted");
                    return refuse(rest, &failure, hear);
                }
                End::Through => {
                    let failure = Failure::new(FailureKind::ConnectionLost, "an answer is missing");
                    return refuse(rest, &failure, hear);
                }
                End::Crowded(failure) | End::Broken(failure) => {
                    // The ask that it broke in has no answer; the others may have one still.
                    if answered == 0 || failure.kind != FailureKind::ConnectionLost {
                        return refuse(rest, &failure, hear);
                    }
                    if let Some((broken, others)) = rest.split_first() {
                        hear(broken.0, Captured::Failed(failure), Duration::ZERO);
                        rest = others;
                    }
                }
            }
        }
    }

    /// Has Slurm take down what is left of this run on the node.
    fn take_down(&self) {
        let argv = ["scancel", "--name", &self.job(), "--nodelist", &self.node.name];
        let argv = argv.map(str::to_owned);
        let _ = self.exec.run(&argv, &[], DEFAULT_LIMIT_MS, DEFAULT_CAP, &Cancel::default());
    }
}

/// Tells whether an ask starts a program that could leave something.
fn starts_something(ask: &Ask) -> bool {
    matches!(ask, Ask::Exec { .. } | Ask::Script { .. } | Ask::Instrument { .. })
}

/// Returns how long a step is asked for: all limits one after the other, in the whole minutes to
/// which Slurm rounds up anyway. *Units*: min.
fn minutes(asks: &[(usize, &Ask)]) -> u64 {
    (script::all_limits(asks).div_ceil(60) + 1).min(LONGEST_MIN)
}

impl Transport for Slurm {
    fn via(&self) -> Via {
        Via::Slurm(self.node.name.clone())
    }

    fn unavailable(&self) -> Option<String> {
        self.node.unavailable.clone()
    }

    fn make_room(&self, effect: Effect) {
        self.alone.store(effect != Effect::Reads, Ordering::SeqCst);
    }

    fn gather(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        let mut captured = None;
        self.gather_all(std::slice::from_ref(ask), cancel, &mut |_, found, _| {
            captured = Some(found);
        });
        captured.unwrap_or_else(|| {
            Captured::Failed(Failure::new(FailureKind::ConnectionLost, "there was no answer"))
        })
    }

    fn is_batched(&self) -> bool {
        true
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn is_waiting(&self) -> bool {
        self.steps.load(Ordering::SeqCst) > 0
    }

    fn gather_all(
        &self,
        asks: &[Ask],
        cancel: &Cancel,
        hear: &mut dyn FnMut(usize, Captured, Duration),
    ) {
        let sent: Vec<(usize, &Ask)> = asks.iter().enumerate().collect();
        self.converse(&sent, cancel, hear);
    }

    fn sweep(&self) -> Vec<String> {
        // Every step sweeps at its end; only one that was cut short did not.
        if !self.cut_short.swap(false, Ordering::SeqCst) {
            return Vec::new();
        }
        self.make_room(Effect::Reads);
        let found = self.gather(&sweep(&self.mark), &Cancel::default());
        self.take_down();
        match found {
            Captured::Exec { stdout, .. } => stdout.text.lines().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> ClusterNode {
        ClusterNode {
            name: "n1".into(),
            partition: "debug".into(),
            cpus: 64,
            gpus: "gpu:a100:8".into(),
            unavailable: None,
        }
    }

    #[test]
    fn time_is_asked_for_in_whole_minutes_and_has_a_bound() {
        let ask = |limit_ms| Ask::Exec { argv: vec!["a".into()], env: vec![], limit_ms, cap: 1 };
        for (limit_ms, expected) in [(1, 2), (60_000, 2), (60_001, 3), (u64::MAX, LONGEST_MIN)] {
            assert_eq!(minutes(&[(0, &ask(limit_ms)), (1, &ask(0))]), expected, "{limit_ms}");
        }
    }

    #[test]
    fn a_load_has_the_node_for_itself_and_state_does_not() {
        let slurm = Slurm::new(node(), "run", 5);
        let ask = Ask::exec(["true"]);
        let words = || slurm.argv(&[(0, &ask)]).join(" ");
        assert!(words().contains("--overlap") && !words().contains("--exclusive"), "{}", words());
        slurm.make_room(Effect::Loads);
        assert!(words().contains("--exclusive --mem=0"), "{}", words());
        assert!(words().contains("--cpus-per-task=64 --gres=gpu:a100:8"), "{}", words());
        slurm.make_room(Effect::Reads);
        assert!(!words().contains("--exclusive"), "{}", words());
    }
}
