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
mod payload;
mod refusal;
mod stage;
mod trouble;

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::bounded;
use verify_model::{
    ask::Ask,
    evidence::{Captured, Failure, FailureKind},
    node::Via,
};

pub(super) use self::gate::Login;
use self::{gate::Right, stage::Staging};
pub use self::{
    gate::{Gate, leads_elsewhere},
    kept::{Kept, Removed},
    look::PROTOCOLS,
    payload::{PAYLOADS, Payloads},
};
use super::{
    Cancel, Transport, locate,
    shell::{
        answer::Side,
        exchange::{self, End, Line, Running},
        frame::{Cutter, Piece},
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
/// Longest path of a socket that ssh can make, with room for the name that it has at first.
/// *Source*: unix(7), 108 bytes; ssh adds a dot and 16 characters.
const LONGEST: usize = 90;
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
    staging: Staging,
}

/// Says how far the master connection is.
enum Master {
    /// Not wanted: one exchange is all there is, or no socket can be made.
    Without,
    /// Not tried yet; among many nodes, the first exchange may be all there is.
    Unopened { alone: bool },
    /// It is there.
    Open(Open),
}

/// Holds a master connection and its socket; one that is ended in a hurry leaves the socket to us.
struct Open {
    running: Option<Running>,
    socket: PathBuf,
    _right: Right,
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.running.take());
        let _ = fs::remove_file(&self.socket);
    }
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

    /// Opens the master where it is wanted and not there yet; returns the options of an exchange.
    fn carried(&self, cancel: &Cancel) -> Result<Vec<String>, Failure> {
        let mut master = self.master();
        match *master {
            Master::Unopened { alone: true } if self.gate.is_crowded() => {
                *master = Master::Unopened { alone: false };
            }
            Master::Unopened { .. } => *master = self.open(cancel)?,
            Master::Without | Master::Open(_) => {}
        }
        Ok(match &*master {
            Master::Open(Open { socket, .. }) => {
                vec!["ControlMaster=no".to_owned(), format!("ControlPath={}", socket.display())]
            }
            _ => vec!["ControlMaster=no".to_owned(), "ControlPath=none".to_owned()],
        })
    }

    /// Waits until an exchange may begin; through the master it needs no login.
    fn entry(&self, cancel: &Cancel) -> Option<Login> {
        let carried = matches!(*self.master(), Master::Open(_));
        if carried { None } else { self.login(cancel) }
    }

    /// Waits until a login may begin; `None` where any number may.
    fn login(&self, cancel: &Cancel) -> Option<Login> {
        if self.gate.is_wide() {
            return None;
        }
        let door = self.door.get_or_init(|| {
            self.ssh().map_or_else(|_| self.alias.clone(), |ssh| gate::door(&ssh, &self.alias))
        });
        Some(self.gate.login(door, cancel))
    }

    fn open(&self, cancel: &Cancel) -> Result<Master, Failure> {
        let Some(right) = self.gate.master() else { return Ok(Master::Without) };
        let Some(socket) = socket() else { return Ok(Master::Without) };
        let own = ["ControlMaster=yes".to_owned(), format!("ControlPath={}", socket.display())];
        let argv = self.argv(&own)?;
        for login in 1.. {
            let nonce = nonce();
            // It ends with its standard input, which is open for as long as this process lives.
            let script = format!("printf '\\n%s z\\n' {nonce}; exec cat >/dev/null\n");
            let under_way = self.login(cancel);
            let running = Running::start(LINE, &argv, script)
                .map_err(|error| Failure::new(FailureKind::Other, format!("ssh: {error}")))?;
            let greeted = greeted(running, &nonce, cancel);
            drop(under_way);
            match greeted {
                Ok(running) => {
                    let running = Some(running);
                    return Ok(Master::Open(Open { running, socket, _right: right }));
                }
                Err(End::Crowded(failure)) if login >= LOGINS => return Err(failure),
                Err(End::Crowded(_)) => pause(login, cancel),
                Err(End::Broken(failure)) => return Err(failure),
                Err(_) => break,
            }
        }
        Err(Failure::new(FailureKind::Interrupted, "the run was interrupted"))
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
            let nonce = nonce();
            let argv = self.carried(cancel).and_then(|own| self.argv(&own));
            let argv = match argv {
                Ok(argv) => argv,
                Err(failure) => return refuse(rest, &failure, hear),
            };
            let alone = !matches!(*self.master(), Master::Open(_));
            let manner = Manner { tool, alone, last: Last::Kill };
            let text = script::write(&nonce, &self.mark, rest, manner);
            let mut answered = 0;
            let mut count = |at: usize, captured: Captured, elapsed: Duration| {
                answered += 1;
                hear(at, captured, elapsed);
            };
            let entry = self.entry(cancel);
            let sent = exchange::Sent {
                line: LINE,
                argv: &argv,
                nonce: &nonce,
                input: text.into(),
                asks: rest,
                entry,
            };
            let end = exchange::run(sent, cancel, &mut count);
            if !matches!(end, End::Through) {
                self.is_broken.store(true, Ordering::SeqCst);
            }
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

/// Waits until a session says its first word.
fn greeted(mut running: Running, nonce: &str, cancel: &Cancel) -> Result<Running, End> {
    let mut cutter = Cutter::new(nonce);
    let (mut words, mut open) = (Vec::new(), 2);
    let deadline = now() + OPENING;
    while open > 0 && now() < deadline {
        if cancel.requested() {
            return Err(End::Interrupted);
        }
        match running.heard().recv_timeout(Duration::from_millis(50)) {
            Ok((Side::Out, Some(bytes))) => {
                let mut through = false;
                cutter.push(&bytes, &mut |piece| through |= piece == Piece::Through);
                if through {
                    return Ok(running);
                }
            }
            Ok((Side::Err, Some(bytes))) => {
                let room = exchange::WORDS.saturating_sub(words.len());
                words.extend(bytes.into_iter().take(room));
            }
            Ok((_, None)) => open -= 1,
            Err(_) => {}
        }
    }
    let _ = running.has_ended();
    cutter.close(&mut |_| {});
    let said = String::from_utf8_lossy(&words).into_owned();
    let failure = trouble::of_ssh(&said);
    Err(match failure {
        Some(failure) if trouble::is_crowded(&said) => End::Crowded(failure),
        None if trouble::is_crowded(&said) => {
            End::Crowded(Failure::new(FailureKind::LoginRefused, said.trim()))
        }
        Some(failure) => End::Broken(failure),
        None => End::Broken(trouble::of_shell(&cutter.noise(), &said)),
    })
}

/// Names a socket in a private folder, where its path is short enough. The folder is one for all
/// runs of a user: one for each would be left behind by a run that is killed.
fn socket() -> Option<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let runtime =
        std::env::var_os("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("verify"));
    let shared = [std::env::temp_dir(), PathBuf::from("/tmp")];
    let shared = shared.map(|folder| folder.join(format!("verify-{uid}")));
    let places = runtime.into_iter().chain(shared);
    let name = &nonce()[..12];
    let mut sockets =
        places.filter(|folder| is_private(folder, uid)).map(|folder| folder.join(name));
    sockets.find(|socket| socket.as_os_str().len() < LONGEST)
}

/// Makes a folder that is its user's alone; false where something else stands there.
fn is_private(folder: &Path, uid: u32) -> bool {
    if !folder.is_absolute() {
        return false;
    }
    let _ = fs::DirBuilder::new().mode(0o700).create(folder);
    fs::symlink_metadata(folder)
        .is_ok_and(|meta| meta.is_dir() && meta.uid() == uid && meta.mode() & 0o777 == 0o700)
}

/// Waits a little before the next login, not all at the same moment.
fn pause(login: u32, cancel: &Cancel) {
    let spread = u64::from(nonce().bytes().map(u32::from).sum::<u32>() % 100);
    let (_keep, never) = bounded::<()>(0);
    let until = now() + Duration::from_millis(u64::from(login) * 150 + spread);
    while now() < until && !cancel.requested() {
        let _ = never
            .recv_timeout(Duration::from_millis(50).min(until.saturating_duration_since(now())));
    }
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
        if !is_open && !self.is_broken.load(Ordering::SeqCst) {
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
