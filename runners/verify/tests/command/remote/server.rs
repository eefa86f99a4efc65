//! A server of ssh on loopback that a test starts and ends, and the ways to it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use tempfile::TempDir;

use crate::pipe::PATIENCE;

/// Bytes after which the line that is cut carries no more: a login, and a part of a program.
const CARRIED: usize = 400_000;

/// Holds the server, its files, and the temporary folder of whoever logs in.
pub(crate) struct Server {
    folder: TempDir,
    sshd: Child,
}

impl Server {
    /// Starts a server; `None` where the machine has none, or it cannot run for this user.
    pub(crate) fn start() -> Option<Self> {
        let sshd = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
        let program = sshd.iter().find(|path| Path::new(path).exists())?;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        for key in ["host", "other-host", "user", "stranger"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", &at(key)])
                .status();
            made.ok().filter(std::process::ExitStatus::success)?;
        }
        fs::create_dir(folder.path().join("tmp")).unwrap();
        fs::copy(at("user.pub"), at("authorized")).unwrap();
        let [port, closed] = [free_port(), free_port()];
        fs::write(
            at("sshd_config"),
            format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n\
                 PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
                 KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
                 LogLevel VERBOSE\nSetEnv TMPDIR={}\n",
                at("host"),
                at("authorized"),
                at("tmp"),
            ),
        )
        .unwrap();
        let mut child = Command::new(program)
            .args(["-D", "-e", "-f", &at("sshd_config")])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        // It says when it listens, or why it does not; what follows is read so that it can go on.
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let listens = loop {
            line.clear();
            match said.read_line(&mut line) {
                Ok(0) | Err(_) => break false,
                Ok(_) if line.contains("Server listening on") => break true,
                Ok(_) => {}
            }
        };
        if !listens {
            child.wait().unwrap();
            return None;
        }
        let log = folder.path().join("log");
        thread::spawn(move || {
            let mut log = fs::File::create(log).unwrap();
            std::io::copy(&mut said, &mut log)
        });
        let server = Self { folder, sshd: child };
        server.ways(port, closed, line_that_is_cut(port));
        Some(server)
    }

    /// Writes the client's files.
    fn ways(&self, port: u16, closed: u16, cut: u16) {
        let at = |name: &str| self.path(name).display().to_string();
        let key = |name: &str| fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        for (file, name) in [("keys", "host"), ("other-keys", "other-host")] {
            let lines = [port, cut].map(|port| format!("[127.0.0.1]:{port} {}", key(name)));
            fs::write(self.path(file), lines.concat()).unwrap();
        }
        fs::write(self.path("no-keys"), "").unwrap();
        let way = |alias: &str, port: u16, keys: &str, user: &str| {
            format!(
                "Host {alias}\n  HostName 127.0.0.1\n  Port {port}\n  UserKnownHostsFile {}\n  \
                 IdentityFile {}\n",
                at(keys),
                at(user)
            )
        };
        let ways = [
            way("target", port, "keys", "user"),
            way("refused", closed, "keys", "user"),
            way("unknown-key", port, "no-keys", "user"),
            way("changed-key", port, "other-keys", "user"),
            way("stranger", port, "keys", "stranger"),
            way("cut", cut, "keys", "user"),
            "Host *\n  IdentitiesOnly yes\n  IdentityAgent none\n  GlobalKnownHostsFile none\n"
                .into(),
        ];
        fs::write(self.config(), ways.concat()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the client's configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("ssh_config")
    }

    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// Demands that nothing is left in the temporary folder there.
    pub(crate) fn is_clean(&self) {
        assert!(self.left().is_empty(), "{:?}", self.left());
    }

    /// Waits until nothing is left there.
    pub(crate) fn becomes_clean(&self) {
        let until = Instant::now() + PATIENCE;
        while !self.left().is_empty() {
            assert!(Instant::now() < until, "{:?}", self.left());
            thread::yield_now();
        }
    }

    /// Demands that somebody logged in.
    pub(crate) fn was_entered(&self) {
        let log = fs::read_to_string(self.path("log")).unwrap();
        assert!(log.contains("Accepted publickey"), "{log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a line to a port that carries so much to the server and then breaks.
fn line_that_is_cut(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut back_from, mut back_to) =
                (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
            carry(client, server);
        }
    });
    own
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let (mut carried, mut room) = (0, [0; 4096]);
    while carried < CARRIED {
        match from.read(&mut room) {
            Ok(0) | Err(_) => break,
            Ok(length) if to.write_all(&room[..length]).is_ok() => carried += length,
            Ok(_) => break,
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
