//! A connection from a process to the test, which ends when the process does: nobody has to wait
//! and look.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};

/// Longest that a test waits for a process. It is over at once, unless something is broken.
const PATIENCE: Duration = Duration::from_mins(1);

/// Hears from processes.
pub(crate) struct Notices(TcpListener);

impl Notices {
    pub(crate) fn listen() -> Self {
        Self(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
    }

    pub(crate) fn port(&self) -> String {
        self.0.local_addr().unwrap().port().to_string()
    }

    /// Waits for a process to say that it is there.
    pub(crate) fn next(&self) -> Alive {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        Alive { reader, pid: line.trim().parse().unwrap() }
    }
}

/// A process that is there.
pub(crate) struct Alive {
    reader: BufReader<TcpStream>,
    pub(crate) pid: u32,
}

impl Alive {
    /// Waits until it has ended.
    pub(crate) fn ends(mut self) {
        let read = self.reader.read_to_end(&mut Vec::new());
        let ended = read.is_ok()
            || read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
        assert!(ended, "process {} lives on", self.pid);
    }
}

/// Says from a process that it is there, for as long as it is.
pub(crate) fn here(port: &str) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse().unwrap())).unwrap();
    stream.write_all(format!("{}\n", std::process::id()).as_bytes()).unwrap();
    // Open until the process ends.
    std::mem::forget(stream);
}
