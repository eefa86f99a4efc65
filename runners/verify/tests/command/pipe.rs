//! How a program that a check starts says where it is: a named pipe that it holds open.
//!
//! What the program writes arrives as lines; the end arrives when the last process that inherited
//! the pipe has ended. So a test waits for what happens, not for a time.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::Command,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use crate::ground::Ground;

/// Longest that a test waits for something that should happen soon.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Holds the reading end.
pub(crate) struct Pipe {
    path: PathBuf,
    lines: Receiver<String>,
}

impl Pipe {
    pub(crate) fn new(ground: &Ground, name: &str) -> Self {
        let path = ground.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (sender, lines) = channel();
        let reading = path.clone();
        thread::spawn(move || {
            // Waits until somebody opens the other end.
            let file = BufReader::new(File::open(reading).unwrap());
            for line in file.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { path, lines }
    }

    /// Returns shell that opens the pipe for itself and its children, and says its process id.
    pub(crate) fn opened(&self) -> String {
        format!("exec 9>{}; echo $$ >&9;", self.path.to_str().unwrap())
    }

    /// Waits for the next line.
    ///
    /// *Panics* when none comes.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    /// Waits until every process that held the pipe has ended.
    ///
    /// *Panics* when one does not.
    pub(crate) fn ends(&self) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("a process still holds {}", self.path.display())
                }
            }
        }
    }
}
