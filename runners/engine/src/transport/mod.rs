//! Where asks are answered: the only place that starts processes, connects or reads node files.
//!
//! A transport turns one ask into what was captured. It never interprets: "no such file" is an
//! answer here, and what it means is the probe's and the suite's affair.

mod capped;
mod connect;
mod exec;
mod files;
mod local;
mod locate;
mod pair;
mod replay;
mod serve;
mod shell;
mod sim;
mod sim_link;
mod slurm;
mod ssh;
mod stray;
mod warden;
mod wire;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use verify_model::{ask::Ask, effect::Effect, evidence::Captured, node::Via};

pub use local::Local;
pub use pair::{Factory, Paired, Peers};
pub use replay::Replay;
pub use serve::serve;
pub(crate) use shell::tried as shell_tried;
pub use sim::Sim;
pub use slurm::{Cluster, ClusterError, ClusterNode, Slurm};
pub use ssh::{
    CONFIG as SSH_CONFIG, Gate, Kept, PAYLOADS, PROTOCOLS, Payloads, Removed, Ssh, leads_elsewhere,
};
pub use warden::{WARDEN, Watched, appoint, dismiss, obey};

/// Answers asks on one node.
pub trait Transport: Send + Sync {
    /// Says by what way the node is asked.
    fn via(&self) -> Via;

    /// Returns the scenario that answers, where no machine does.
    fn simulated(&self) -> Option<String> {
        None
    }

    /// Names the machine of another node that an ask is about.
    fn machine_of(&self, node: &str) -> String {
        format!("node {node}")
    }

    /// Tells whether another machine answers than the one that asks, and carries words to and fro.
    fn is_remote(&self) -> bool {
        matches!(self.via(), Via::Ssh(_))
    }

    /// Returns why the node is not to be asked, where its cluster says so.
    fn unavailable(&self) -> Option<String> {
        None
    }

    /// Hears what the next asks do to the node, before they come.
    fn make_room(&self, _effect: Effect) {}

    /// Gathers one thing. Returns within the ask's limit and some grace, unless the kernel hangs.
    fn gather(&self, ask: &Ask, cancel: &Cancel) -> Captured;

    /// Tells whether asks are better gathered together than one by one by several threads.
    fn is_batched(&self) -> bool {
        false
    }

    /// Tells whether each gathering is felt, so that as much as possible shall go in the first one.
    fn is_costly(&self) -> bool {
        false
    }

    /// Tells whether a place is waited for, so that nothing can be heard; it has limits of its own.
    fn is_waiting(&self) -> bool {
        false
    }

    /// Gathers several things; hears of each by its place, what was captured and how long it took.
    fn gather_all(
        &self,
        asks: &[Ask],
        cancel: &Cancel,
        hear: &mut dyn FnMut(usize, Captured, Duration),
    ) {
        for (at, ask) in asks.iter().enumerate() {
            hear(at, self.gather(ask, cancel), Duration::ZERO);
        }
    }

    /// Ends what the run may have left behind on the node; returns how it is named.
    fn sweep(&self) -> Vec<String>;
}

/// Tells everyone that the run shall end, and that it shall not wait for anybody.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    requested: Arc<AtomicBool>,
    urgent: Arc<AtomicBool>,
}

impl Cancel {
    /// Asks for the end; asked again, programs get no time to end by themselves.
    pub fn request(&self) {
        if self.requested.swap(true, Ordering::SeqCst) {
            self.urgent.store(true, Ordering::SeqCst);
        }
    }

    /// Tells whether the end was asked for.
    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Tells whether the end was asked for twice.
    pub fn urgent(&self) -> bool {
        self.urgent.load(Ordering::SeqCst)
    }

    /// Returns the flag of the second request, for a signal handler.
    pub fn urgent_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.urgent)
    }
}
