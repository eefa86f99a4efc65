//! Opens and holds the connection that carries the exchanges of a node, and logs in to it.
//!
//! A master is a session that waits for the end of its own standard input, so it ends with this
//! process. Its socket stands in a private folder; where none can be made, every exchange is a login.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use crossbeam_channel::bounded;
use verify_model::evidence::{Failure, FailureKind};

use super::{
    super::{
        Cancel,
        shell::{
            answer::Side,
            exchange::{self, End, Running},
            frame::{Cutter, Piece},
            nonce,
            script::sweep as left,
        },
        warden::Watched,
    },
    LINE, LOGINS, Login, OPENING, Right, Ssh, gate, now, trouble,
};

/// Longest path of a socket that ssh can make, with room for the name that it has at first.
/// *Source*: unix(7), 108 bytes; ssh adds a dot and 16 characters.
const LONGEST: usize = 90;
/// Says how far the master connection is.
pub(super) enum Master {
    /// Not wanted: one exchange is all there is, or no socket can be made.
    Without,
    /// Not tried yet; among many nodes, the first exchange may be all there is.
    Unopened { alone: bool },
    /// It is there.
    Open(Open),
}

/// Holds a master connection and its socket; one that is ended in a hurry leaves the socket to us.
pub(super) struct Open {
    running: Option<Running>,
    socket: PathBuf,
    _watched: Watched,
    _right: Right,
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.running.take());
        let _ = fs::remove_file(&self.socket);
    }
}

impl Ssh {
    /// Opens the master where it is wanted and not there yet; returns the options of an exchange.
    pub(super) fn carried(&self, cancel: &Cancel) -> Result<Vec<String>, Failure> {
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
    pub(super) fn entry(&self, cancel: &Cancel) -> Option<Login> {
        let carried = matches!(*self.master(), Master::Open(_));
        if carried { None } else { self.login(cancel) }
    }

    /// Waits until a login may begin; `None` where any number may.
    pub(super) fn login(&self, cancel: &Cancel) -> Option<Login> {
        if self.gate.is_wide() {
            return None;
        }
        let door = self.door.get_or_init(|| {
            self.ssh().map_or_else(|_| self.alias.clone(), |ssh| gate::door(&ssh, &self.alias))
        });
        Some(self.gate.login(door, &self.logins, cancel))
    }

    pub(super) fn open(&self, cancel: &Cancel) -> Result<Master, Failure> {
        let Some(right) = self.gate.master() else { return Ok(Master::Without) };
        let Some(socket) = socket() else { return Ok(Master::Without) };
        let own = ["ControlMaster=yes".to_owned(), format!("ControlPath={}", socket.display())];
        let argv = self.argv(&own)?;
        let watched = Watched::file(&socket);
        for login in 1.. {
            let nonce = nonce();
            // It ends with its standard input, which is open for as long as this process lives, and
            // then ends what the exchanges that were through have left: nobody else will.
            let script = format!(
                "main() {{\nprintf '\\n%s z\\n' {nonce}; cat >/dev/null\n{{ {}; }} >/dev/null 2>&1\n}}\nmain\n",
                left(&self.mark)
            );
            let under_way = self.login(cancel);
            let running = Running::start(LINE, &argv, script)
                .map_err(|error| Failure::new(FailureKind::Other, format!("ssh: {error}")))?;
            let greeted = greeted(running, &nonce, cancel);
            drop(under_way);
            match greeted {
                Ok(running) => {
                    let running = Some(running);
                    return Ok(Master::Open(Open {
                        running,
                        socket,
                        _watched: watched,
                        _right: right,
                    }));
                }
                Err(End::Crowded(failure)) if login >= LOGINS => return Err(failure),
                Err(End::Crowded(_)) => pause(login, cancel),
                Err(End::Broken(failure)) => return Err(failure),
                Err(_) => break,
            }
        }
        Err(Failure::new(FailureKind::Interrupted, "the run was interrupted"))
    }
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
    // ssh takes the path for several words, or for a pattern, where it holds anything else.
    let is_plain = |folder: &PathBuf| {
        folder.to_str().is_some_and(|text| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        })
    };
    let places = places.filter(is_plain);
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
pub(super) fn pause(login: u32, cancel: &Cancel) {
    let spread = u64::from(nonce().bytes().map(u32::from).sum::<u32>() % 100);
    let (_keep, never) = bounded::<()>(0);
    let until = now() + Duration::from_millis(u64::from(login) * 150 + spread);
    while now() < until && !cancel.requested() {
        let _ = never
            .recv_timeout(Duration::from_millis(50).min(until.saturating_duration_since(now())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_its_users_alone_takes_no_socket() {
        let folder = tempfile::tempdir().unwrap();
        let uid = rustix::process::getuid().as_raw();
        let made = folder.path().join("made");
        assert!(is_private(&made, uid), "it is made");
        assert!(!is_private(&made, uid + 1), "somebody else's");
        let open = folder.path().join("open");
        fs::DirBuilder::new().mode(0o755).create(&open).unwrap();
        assert!(!is_private(&open, uid), "others may look into it");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&made, &link).unwrap();
        assert!(!is_private(&link, uid), "it leads elsewhere");
        assert!(!is_private(Path::new("made"), uid), "it depends on where the command is typed");
        assert!(!is_private(Path::new("/proc/none"), uid), "it cannot be made");
    }
}
