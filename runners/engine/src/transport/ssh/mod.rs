//! Answers asks on another machine, through the system's ssh as its user has set it up.
//!
//! All asks of a batch travel as one script in one exchange. Where a node is asked more than once, a
//! master connection carries the exchanges, unless there are too many ([`Gate`]); it is a session
//! that waits for the end of its own standard input, so it ends with this process, however that ends. Host keys are the user's
//! affair: nothing is sent to a host whose key is not known. Which ssh configuration counts can be
//! said by [`CONFIG`].

mod batch;
mod echo;
mod gate;
mod kept;
mod look;
mod master;
mod payload;
mod refusal;
mod stage;
mod trouble;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use verify_model::{
    ask::Ask,
    evidence::{Captured, Failure, FailureKind},
    node::Via,
};

pub(super) use self::gate::Login;
use self::{
    gate::Right,
    master::{Master, pause},
    stage::Staging,
};
pub use self::{
    gate::{Gate, leads_elsewhere},
    kept::{Kept, Removed},
    look::PROTOCOLS,
    payload::{PAYLOADS, Payloads},
};
use super::{
    Cancel, Transport, locate,
    shell::{
        exchange::{self, End, Line},
        nonce, refuse,
        script::{self, Last, Manner},
        sweep,
        tool::Tool,
    },
};
use crate::parse::ssh::is_alias;

/// Says what ssh is and what its words mean.
const LINE: Line = Line {
    name: "ssh",
    opening: OPENING,
    trouble: trouble::of_ssh,
    is_crowded: trouble::is_crowded,
    of_silence: trouble::of_shell,
    ended: "the connection ended before the answer was whole",
    leave: Duration::ZERO,
    grace: Duration::from_millis(300),
};

/// Names the variable that says which configuration ssh reads instead of the user's.
pub const CONFIG: &str = "VERIFY_SSH_CONFIG";

/// What is the same for every call. *Source*: `ssh_config(5)`; the user's own settings of the
/// same name would break the frames, wait for a person, or open doors that nobody asked for.
const OPTIONS: &[&str] = &[
    "BatchMode=yes",
    // Under `no`, a command runs although the key has changed.
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "LogLevel=INFO",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "RemoteCommand=none",
    "RequestTTY=no",
    "PermitLocalCommand=no",
    "ControlPersist=no",
];
/// How often a login is tried where the server has too many at once.
const LOGINS: u32 = 5;
/// Time until a session must have answered: the key exchange, start files of the login shell.
const OPENING: Duration = Duration::from_secs(30);

/// Asks one node by ssh.
pub struct Ssh {
    alias: String,
    mark: String,
    config: Option<String>,
    gate: Arc<Gate>,
    /// Where the alias leads, once that mattered.
    door: OnceLock<String>,
    master: Mutex<Master>,
    /// Whether an exchange ended before its end, so that something may be left over there.
    is_broken: AtomicBool,
    /// Logins that wait or are under way.
    logins: Arc<AtomicUsize>,
    staging: Staging,
}

impl Ssh {
    /// Builds the transport; `several` says whether more than one exchange is to be expected.
    ///
    /// *Errors*: the alias could be taken for an option or for several words, in one sentence.
    pub fn new(alias: &str, mark: &str, several: bool) -> Result<Self, String> {
        if !is_alias(alias) {
            return Err(format!(
                "`{alias}` is no alias of ssh: letters, digits and any of . _ - @ : are"
            ));
        }
        let master = if several { Master::Unopened { alone: true } } else { Master::Without };
        let config = std::env::var(CONFIG).ok().filter(|path| !path.is_empty());
        Ok(Self {
            alias: alias.to_owned(),
            mark: mark.to_owned(),
            config,
            gate: Arc::new(Gate::new(1)),
            door: OnceLock::new(),
            master: Mutex::new(master),
            is_broken: AtomicBool::new(false),
            logins: Arc::default(),
            staging: Staging::new(),
        })
    }

    /// Shares logins and masters with the other nodes of the run.
    #[must_use]
    pub fn through(mut self, gate: Arc<Gate>) -> Self {
        self.gate = gate;
        self
    }

    /// Names the configuration that ssh reads instead of the user's.
    #[must_use]
    pub fn with_config(mut self, path: impl Into<String>) -> Self {
        self.config = Some(path.into());
        self
    }

    /// Says where programs for the node are, for a node that has none of its own.
    #[must_use]
    pub fn with_payloads(mut self, payloads: Payloads) -> Self {
        self.staging.payloads = payloads;
        self
    }

    /// Lets what needs root ask for it by sudo, on behalf of an installed program alone.
    #[must_use]
    pub fn with_sudo(mut self, allowed: bool) -> Self {
        self.staging.sudo = allowed;
        self
    }

    /// Has the shell answer everything that it can, though a program of ours could.
    #[must_use]
    pub fn by_shell_alone(mut self) -> Self {
        self.staging.gathers = false;
        self
    }

    fn master(&self) -> MutexGuard<'_, Master> {
        self.master.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the beginning of every call of ssh.
    fn ssh(&self) -> Result<Vec<String>, Failure> {
        let ssh = locate::which("ssh")
            .ok_or_else(|| Failure::new(FailureKind::NotFound, locate::not_found("ssh")))?;
        let mut argv = vec![ssh.to_string_lossy().into_owned()];
        if let Some(config) = &self.config {
            argv.extend(["-F".to_owned(), config.clone()]);
        }
        Ok(argv)
    }

    /// Returns the argument vector of an ssh that runs `/bin/sh -s`.
    fn argv(&self, own: &[String]) -> Result<Vec<String>, Failure> {
        let mut argv = self.ssh()?;
        argv.push("-T".to_owned());
        for option in OPTIONS.iter().map(|option| (*option).to_owned()).chain(own.iter().cloned()) {
            argv.extend(["-o".to_owned(), option]);
        }
        argv.extend(["--", &self.alias, "/bin/sh", "-s"].map(str::to_owned));
        Ok(argv)
    }

    /// Has words sent back, by the master where there is one.
    fn echo(&self, rounds: u32, limit: Duration, cancel: &Cancel) -> Captured {
        match self.carried(cancel).and_then(|own| self.argv(&own)) {
            Ok(argv) => {
                let _entry = self.entry(cancel);
                echo::run(&argv, &nonce(), rounds, limit, cancel)
            }
            Err(failure) => Captured::Failed(failure),
        }
    }

    /// Has the shell answer one ask.
    fn one(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        let mut captured = None;
        self.converse(&[(0, ask)], None, cancel, &mut |_, found, _| captured = Some(found));
        captured.unwrap_or_else(unanswered)
    }

    /// Sends asks by one exchange.
    ///
    /// *Errors*: nothing was sent.
    fn send(
        &self,
        asks: &[(usize, &Ask)],
        tool: Option<&Tool>,
        cancel: &Cancel,
        hear: exchange::Hear<'_>,
    ) -> Result<End, Failure> {
        let nonce = nonce();
        let argv = self.carried(cancel).and_then(|own| self.argv(&own))?;
        let alone = !matches!(*self.master(), Master::Open(_));
        let manner = Manner { tool, alone, last: Last::Kill };
        // Its own mark: what it ends at its end is not what another one runs beside it.
        let mark = format!("{}/{nonce}", self.mark);
        let input = script::write(&nonce, &mark, asks, manner).into();
        let entry = self.entry(cancel);
        if cancel.requested() {
            return Err(Failure::new(FailureKind::Interrupted, "the run was interrupted"));
        }
        let sent = exchange::Sent { line: LINE, argv: &argv, nonce: &nonce, input, asks, entry };
        let (end, begun) = exchange::run(sent, cancel, hear);
        if begun && !matches!(end, End::Through) {
            self.is_broken.store(true, Ordering::SeqCst);
        }
        Ok(end)
    }

    /// Sends asks until every one is answered, one exchange after the other.
    fn converse(
        &self,
        asks: &[(usize, &Ask)],
        tool: Option<&Tool>,
        cancel: &Cancel,
        hear: exchange::Hear<'_>,
    ) {
        let mut rest = asks;
        let mut logins = 0;
        while !rest.is_empty() {
            let mut answered = 0;
            let mut count = |at: usize, captured: Captured, elapsed: Duration| {
                answered += 1;
                hear(at, captured, elapsed);
            };
            let end = match self.send(rest, tool, cancel, &mut count) {
                Ok(end) => end,
                Err(failure) => return refuse(rest, &failure, hear),
            };
            rest = &rest[answered.min(rest.len())..];
            match end {
                End::Through if rest.is_empty() => return,
                End::TimedOut => {}
                End::Interrupted => {
                    let failure = Failure::new(FailureKind::Interrupted, "the run was interrupted");
                    return refuse(rest, &failure, hear);
                }
                End::Crowded(failure) => {
                    logins += 1;
                    if logins >= LOGINS {
                        return refuse(rest, &failure, hear);
                    }
                    pause(logins, cancel);
                }
                End::Through => {
                    let failure = Failure::new(FailureKind::ConnectionLost, "an answer is missing");
                    return refuse(rest, &failure, hear);
                }
                End::Broken(failure) => {
                    // The ask that it broke in has no answer; the others may have one still.
                    let lost = answered > 0 && failure.kind == FailureKind::ConnectionLost;
                    if !lost {
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
}

fn unanswered() -> Captured {
    Captured::Failed(Failure::new(FailureKind::ConnectionLost, "there was no answer"))
}

impl Transport for Ssh {
    fn via(&self) -> Via {
        Via::Ssh(self.alias.clone())
    }

    fn gather(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        let mut captured = None;
        self.gather_all(std::slice::from_ref(ask), cancel, &mut |_, found, _| {
            captured = Some(found);
        });
        captured.unwrap_or_else(unanswered)
    }

    fn is_batched(&self) -> bool {
        true
    }

    fn is_costly(&self) -> bool {
        self.gate.is_crowded()
    }

    fn is_waiting(&self) -> bool {
        self.logins.load(Ordering::SeqCst) > 0
    }

    fn gather_all(
        &self,
        asks: &[Ask],
        cancel: &Cancel,
        hear: &mut dyn FnMut(usize, Captured, Duration),
    ) {
        let is_echo = |ask: &Ask| matches!(ask, Ask::Echo { .. });
        let sent = asks.iter().enumerate().filter(|(_, ask)| !is_echo(ask)).collect();
        self.answer(sent, asks.len(), cancel, hear);
        // By itself, when nothing of ours is busy over there.
        for (at, ask) in asks.iter().enumerate() {
            if let Ask::Echo { rounds, limit_ms } = ask {
                let begun = now();
                let captured = self.echo(*rounds, Duration::from_millis(*limit_ms), cancel);
                hear(at, captured, begun.elapsed());
            }
        }
    }

    fn sweep(&self) -> Vec<String> {
        let is_open = matches!(*self.master(), Master::Open(_));
        // The last words of every script end what it left; a login for that alone is for trouble.
        if !is_open && !self.is_broken.swap(false, Ordering::SeqCst) {
            return Vec::new();
        }
        let ask = sweep(&self.mark);
        let found = self.gather(&ask, &Cancel::default());
        *self.master() = Master::Without;
        match found {
            Captured::Exec { stdout, .. } => stdout.text.lines().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "limits are kept by the clock of the transport")]
fn now() -> Instant {
    Instant::now()
}
