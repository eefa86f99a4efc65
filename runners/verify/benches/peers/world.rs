//! What the checks are about: files, programs that run, ports on which something listens.
//!
//! All of it is made here and passes everywhere, and no two checks of a suite ask the same: equal asks
//! are gathered once by one tool and many times by another, and that is not what is compared.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::checks::{self, Checks, Question};

/// Processes that run, ports that are open.
const OTHERS: usize = 10;

/// Holds what is asked about.
pub(crate) struct World {
    folder: String,
    processes: Vec<Child>,
    ports: Vec<u16>,
}

impl World {
    /// Starts what must run.
    pub(crate) fn new(scratch: &Path) -> Self {
        let folder = scratch.join("asked");
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.display().to_string();
        let processes = (0..OTHERS).map(|number| start(&folder, &name(number))).collect();
        let ports = (0..OTHERS).map(|_| listen()).collect();
        Self { folder, processes, ports }
    }

    /// Builds a hundred: 20 each of file, content, command and kernel value, 10 each of process and port.
    pub(crate) fn mixed(&self) -> Checks {
        let mut all = self.of(20, 20, 20);
        all.extend(checks::values(20));
        all.extend((0..OTHERS).map(|number| Question::Runs { name: name(number) }));
        all.extend(self.ports.iter().map(|port| Question::Listens { port: *port, open: true }));
        Checks(all)
    }

    /// Builds any number: two fifths each of file and content, one of command.
    pub(crate) fn many(&self, count: usize) -> Checks {
        Checks(self.of(count * 2 / 5, count * 2 / 5, count / 5))
    }

    fn of(&self, files: usize, contents: usize, commands: usize) -> Vec<Question> {
        let mut all = Vec::new();
        all.extend((0..files).map(|n| Question::Exists { path: self.file(n).0 }));
        all.extend((files..files + contents).map(|n| {
            let (path, text) = self.file(n);
            Question::Holds { path, text }
        }));
        all.extend((0..commands).map(checks::command));
        all
    }

    fn file(&self, number: usize) -> (String, String) {
        checks::file(&self.folder, number)
    }
}

fn name(number: usize) -> String {
    format!("peer-proc-{number}")
}

/// Starts a program that waits, under a name of its own.
fn start(folder: &str, name: &str) -> Child {
    let path = format!("{folder}/{name}");
    fs::copy("/bin/sleep", &path).unwrap();
    let none = Stdio::null;
    Command::new(path).arg("3600").stdin(none()).stdout(none()).stderr(none()).spawn().unwrap()
}

/// Listens and takes whoever comes: what nobody takes fills the queue in the end.
fn listen() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    port
}

impl Drop for World {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
