//! A private sshd on loopback: own keys, own configuration, accounts with any login shell.
//!
//! Accounts are made up by `libnss_wrapper`, so no account of the machine is read or changed. What
//! is missing is named, and the test says that it is skipped.

use std::{
    fs,
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Holds a server; it ends with the value, and so do the sessions below it.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    child: Child,
}

/// Folders in which a distribution may keep programs and libraries.
const PROGRAMS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const LIBRARIES: [&str; 4] =
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];

/// Finds a program of the system.
pub(crate) fn program(name: &str) -> Option<String> {
    let mut places = PROGRAMS.iter().map(|folder| format!("{folder}/{name}"));
    places.find(|path| Path::new(path).is_file())
}

fn wrapper() -> Option<String> {
    let mut places = LIBRARIES.iter().map(|folder| format!("{folder}/libnss_wrapper.so"));
    places.find(|path| Path::new(path).is_file())
}

/// Says on standard error what a test needs.
pub(crate) fn skipped(needs: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: needs {needs}");
}

impl Server {
    /// Starts a server with one account `lab`; nothing where something is missing. In options
    /// `{home}` stands for the account's folder.
    pub(crate) fn start(shell: &str, options: &str) -> Option<Self> {
        Self::start_as(rustix::process::getuid().as_raw(), shell, options, "")
    }

    /// Starts a server whose account has a user id; a shell runs `before` in a mount namespace of
    /// the server's own, with the account's folder as its first argument.
    pub(crate) fn start_as(uid: u32, shell: &str, options: &str, before: &str) -> Option<Self> {
        let (Some(sshd), Some(wrapper)) = (program("sshd"), wrapper()) else {
            skipped("sshd and libnss_wrapper");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("v").tempdir_in("/tmp").unwrap();
        let path = |name: &str| folder.path().join(name);
        // As root, sshd separates its rights in a folder that the distribution makes at boot.
        if rustix::process::geteuid().is_root() {
            let _ = fs::create_dir_all("/run/sshd");
        }
        for key in ["host", "id"] {
            let key = path(key);
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&key)
                .status();
            assert!(made.unwrap().success());
        }
        fs::create_dir(path("home")).unwrap();
        let gid = rustix::process::getgid().as_raw();
        let home = path("home").display().to_string();
        if uid != rustix::process::getuid().as_raw() {
            let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(folder.path(), mode(0o755)).unwrap();
            std::os::unix::fs::chown(&home, Some(uid), None).unwrap();
        }
        let options = options.replace("{home}", &home);
        let accounts = format!(
            "lab:x:{uid}:{gid}::{home}:{shell}\nsshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
        );
        fs::write(path("passwd"), accounts).unwrap();
        fs::write(path("group"), format!("lab:x:{gid}:\nnogroup:x:65534:\ntty:x:5:\n")).unwrap();
        let port = free_port();
        let here = folder.path().display();
        let server = format!(
            "{options}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {here}/host\nPidFile none\nAuthorizedKeysFile {here}/id.pub\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nPrintMotd no\nUseDNS no\n"
        );
        fs::write(path("sshd_config"), server).unwrap();
        let key = fs::read_to_string(path("host.pub")).unwrap();
        fs::write(path("known"), format!("lab {key}")).unwrap();
        let mut command = Command::new(if before.is_empty() { &sshd } else { "unshare" });
        if !before.is_empty() {
            let script = format!("{before}; shift; exec \"$@\"");
            command.args(["-m", "sh", "-ec", &script, "sh", &home, &sshd]);
        }
        let child = command
            .args(["-D", "-f"])
            .arg(path("sshd_config"))
            .arg("-E")
            .arg(path("log"))
            .env("LD_PRELOAD", wrapper)
            .env("NSS_WRAPPER_PASSWD", path("passwd"))
            .env("NSS_WRAPPER_GROUP", path("group"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { folder, child };
        server.write_config(port, "");
        server.wait_until_it_listens(port);
        Some(server)
    }

    fn wait_until_it_listens(&self, port: u16) {
        let (_keep, wait) = std::sync::mpsc::channel::<()>();
        for _ in 0..250 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return;
            }
            let _ = wait.recv_timeout(Duration::from_millis(20));
        }
        panic!(
            "sshd does not listen: {}",
            fs::read_to_string(self.path("log")).unwrap_or_default()
        );
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the configuration with which ssh finds the server.
    pub(crate) fn config(&self) -> String {
        self.path("config").display().to_string()
    }

    fn write_config(&self, port: u16, first: &str) {
        let here = self.folder.path().display();
        let text = format!(
            "Host lab\n{first}\n  HostName 127.0.0.1\n  Port {port}\n  User lab\n  HostKeyAlias lab\n  IdentityFile {here}/id\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {here}/known\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n"
        );
        fs::write(self.path("config"), text).unwrap();
    }

    /// Puts lines before all others of the configuration.
    pub(crate) fn configure(&self, lines: &str) {
        let text = fs::read_to_string(self.path("config")).unwrap();
        fs::write(
            self.path("config"),
            text.replacen("Host lab\n", &format!("Host lab\n{lines}\n"), 1),
        )
        .unwrap();
    }

    /// Writes a file into the account's home folder.
    pub(crate) fn home(&self, name: &str, text: &str) {
        fs::write(self.path("home").join(name), text).unwrap();
    }

    /// Writes a program into the folder `bin` of the account, links as they stand.
    pub(crate) fn program(&self, name: &str, text: &str) -> PathBuf {
        let folder = self.path("home").join("bin");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
        path
    }

    /// Waits until a program of this name runs in a session.
    pub(crate) fn wait_for(&self, name: &str) {
        let (_keep, wait) = std::sync::mpsc::channel::<()>();
        let named = |pid: &i32| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
        };
        for _ in 0..1000 {
            if self.sessions().iter().any(named) {
                return;
            }
            let _ = wait.recv_timeout(Duration::from_millis(20));
        }
        panic!("{name} never ran");
    }

    /// Lists the processes of the server's sessions, by pid.
    pub(crate) fn sessions(&self) -> Vec<i32> {
        let mut all = Vec::new();
        below(i32::try_from(self.child.id()).unwrap(), &mut all);
        all
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Collects the processes below one.
fn below(pid: i32, all: &mut Vec<i32>) {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    for child in children.unwrap_or_default().split_whitespace().filter_map(|p| p.parse().ok()) {
        all.push(child);
        below(child, all);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in self.sessions() {
            end(pid);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends one process.
pub(crate) fn end(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}
