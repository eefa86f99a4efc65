//! How many logins and masters there are at the moment, over all nodes of a run.
//!
//! A server turns logins away when too many are under way (`MaxStartups 10:30:100`), and then a node
//! looks dead that is only busy. So at most eight are under way to one address; nodes behind one jump
//! host are one address. Where that cannot matter nobody asks ssh what an alias means.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use verify_model::evidence::Captured;

use super::super::{Cancel, exec::Exec, locate};

/// Logins under way to one address. *Source*: `sshd_config(5)`, `MaxStartups`: from 10 on some are
/// refused; measured, 8 at a time lost none of 500.
pub const LOGINS_AT_ONCE: usize = 8;
/// Master connections of a run: each costs memory here and two processes over there.
pub const MASTERS: usize = 49;

/// Time for ssh to say what an alias means: its configuration may run programs. *Units*: ms.
const MEANING_MS: u64 = 5_000;
/// Bounds what it says. *Units*: B.
const MEANING: u64 = 64 * 1024;
const TICK: Duration = Duration::from_millis(100);

/// Counts logins and masters of all nodes of a run.
#[derive(Debug, Default)]
pub struct Gate {
    /// How many nodes are asked by ssh in this run.
    nodes: usize,
    doors: Mutex<BTreeMap<String, Door>>,
    freed: Condvar,
    masters: AtomicUsize,
}

/// Holds who is at one door: how many logins are under way, and who waits, in the order of coming.
#[derive(Debug, Default)]
struct Door {
    inside: usize,
    waiting: VecDeque<u64>,
    next: u64,
}

/// Holds one login that is under way; dropped, it is through.
#[derive(Debug)]
pub(in crate::transport) struct Login {
    gate: Arc<Gate>,
    door: String,
    /// Counts those of one node that wait or are under way.
    own: Arc<AtomicUsize>,
}

/// Holds the right to one master connection.
#[derive(Debug)]
pub(super) struct Right(Arc<Gate>);

impl Gate {
    /// Builds the gate of a run that asks so many nodes by ssh.
    pub fn new(nodes: usize) -> Self {
        Self { nodes, ..Self::default() }
    }

    /// Tells whether so many nodes are asked that a login more for each is felt.
    pub fn is_crowded(&self) -> bool {
        self.nodes > MASTERS
    }

    /// Tells whether all logins may be under way at the same time, wherever they lead.
    pub(super) fn is_wide(&self) -> bool {
        self.nodes <= LOGINS_AT_ONCE
    }

    /// Waits for a place at a door, first come, first served; an interrupted run waits for nobody. `own`
    /// counts the login for as long as it waits or is under way.
    pub(in crate::transport) fn login(
        self: &Arc<Self>,
        door: &str,
        own: &Arc<AtomicUsize>,
        cancel: &Cancel,
    ) -> Login {
        own.fetch_add(1, Ordering::SeqCst);
        let mut doors = self.doors();
        let at = doors.entry(door.to_owned()).or_default();
        let ticket = at.next;
        at.next += 1;
        at.waiting.push_back(ticket);
        loop {
            let at = doors.entry(door.to_owned()).or_default();
            let first = at.waiting.front() == Some(&ticket) && at.inside < LOGINS_AT_ONCE;
            if first || cancel.requested() {
                at.waiting.retain(|other| *other != ticket);
                at.inside += 1;
                self.freed.notify_all();
                let (gate, own) = (Arc::clone(self), Arc::clone(own));
                return Login { gate, door: door.to_owned(), own };
            }
            let waited = self.freed.wait_timeout(doors, TICK);
            doors = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns the right to a master, where there are not too many.
    pub(super) fn master(self: &Arc<Self>) -> Option<Right> {
        let more = |open: usize| (open < MASTERS).then_some(open + 1);
        let taken = self.masters.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        taken.ok().map(|_| Right(Arc::clone(self)))
    }

    fn doors(&self) -> MutexGuard<'_, BTreeMap<String, Door>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        self.own.fetch_sub(1, Ordering::SeqCst);
        if let Some(door) = self.gate.doors().get_mut(&self.door) {
            door.inside = door.inside.saturating_sub(1);
        }
        self.gate.freed.notify_all();
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        self.0.masters.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Names the door that an alias leads to, as ssh itself understands it; `ssh` is its call up to the
/// destination.
pub(super) fn door(ssh: &[String], alias: &str) -> String {
    meant(&meaning(ssh, alias)).unwrap_or_else(|| alias.to_owned())
}

/// Returns what ssh makes of an alias; nothing where it does not say so in time.
fn meaning(ssh: &[String], alias: &str) -> String {
    let argv: Vec<String> =
        ssh.iter().cloned().chain(["-G", "--", alias].map(str::to_owned)).collect();
    let exec = Exec::new(format!("meaning-{}", std::process::id()));
    match exec.run(&argv, &[], MEANING_MS, MEANING, &Cancel::default()) {
        Captured::Exec { exit: Some(0), stdout, .. } => stdout.text,
        _ => String::new(),
    }
}

/// Tells whether ssh's configuration makes of an alias another host than its name: by a pattern, or in
/// a file that another one includes.
pub fn leads_elsewhere(alias: &str) -> bool {
    let Some(ssh) = locate::which("ssh") else { return false };
    let mut argv = vec![ssh.to_string_lossy().into_owned()];
    if let Some(config) = std::env::var(super::CONFIG).ok().filter(|path| !path.is_empty()) {
        argv.extend(["-F".to_owned(), config]);
    }
    let said = meaning(&argv, alias);
    let value = |key: &str| {
        let lines = said.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(name, _)| *name == key).map(|(_, value)| value.trim().to_owned()).next()
    };
    let is_set = |key: &str| value(key).is_some_and(|value| value != "none");
    value("hostname").is_some_and(|host| !host.eq_ignore_ascii_case(alias))
        || is_set("proxyjump")
        || is_set("proxycommand")
}

/// Reads what `ssh -G` says. *Source*: `ssh(1)`, `-G`; `ssh_config(5)`.
fn meant(said: &str) -> Option<String> {
    let value = |key: &str| {
        let lines = said.lines().filter_map(|line| line.split_once(' '));
        let value = lines.filter(|(name, _)| *name == key).map(|(_, value)| value.trim()).next();
        value.filter(|value| !value.is_empty() && *value != "none")
    };
    // Of several jumps the first one sees every login.
    if let Some(jump) = value("proxyjump").and_then(|jumps| jumps.split(',').next()) {
        return Some(format!("jump {jump}"));
    }
    if let Some(command) = value("proxycommand") {
        return Some(format!("command {command}"));
    }
    let host = value("hostname")?;
    // All addresses of the loopback interface are this one machine.
    let host = if host.starts_with("127.") || host == "::1" { "localhost" } else { host };
    Some(format!("{host} {}", value("port").unwrap_or("22")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_behind_one_jump_host_share_its_door() {
        let said = "hostname 192.0.2.7\nport 22\nproxyjump bastion,second\n";
        assert_eq!(meant(said).unwrap(), "jump bastion");
        assert_eq!(meant("hostname 192.0.2.7\nport 2222\n").unwrap(), "192.0.2.7 2222");
        assert_eq!(meant("hostname 127.0.0.9\nport 22\nproxyjump none\n").unwrap(), "localhost 22");
        assert_eq!(
            meant("proxycommand nc %h %p\nhostname x\n").unwrap(),
            "command nc %h %p",
            "a command may lead anywhere, and to one place"
        );
        assert_eq!(meant(""), None);
    }

    #[test]
    fn no_more_than_eight_logins_are_under_way_to_one_door() {
        let gate = Arc::new(Gate::new(100));
        let (cancel, own) = (Cancel::default(), Arc::new(AtomicUsize::new(0)));
        let login = |door: &str| gate.login(door, &own, &cancel);
        let mut held: Vec<_> = (0..LOGINS_AT_ONCE).map(|_| login("a")).collect();
        assert_eq!(own.load(Ordering::SeqCst), LOGINS_AT_ONCE);
        // Another door is free, and the ninth at this one gets in when one is through.
        drop(login("b"));
        let ninth = std::thread::spawn({
            let (gate, cancel, own) = (Arc::clone(&gate), cancel.clone(), Arc::clone(&own));
            move || drop(gate.login("a", &own, &cancel))
        });
        assert!(!ninth.is_finished());
        held.pop();
        ninth.join().unwrap();
        // Interrupted, nobody waits.
        cancel.request();
        held.push(login("a"));
        drop(login("a"));
    }

    #[test]
    fn fewer_than_fifty_masters_are_open() {
        let gate = Arc::new(Gate::new(100));
        let mut rights: Vec<_> = std::iter::repeat_with(|| gate.master()).take(50).collect();
        assert_eq!(rights.iter().flatten().count(), 49);
        rights.truncate(1);
        assert!(gate.master().is_some());
    }
}
