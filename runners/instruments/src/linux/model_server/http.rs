//! A client of HTTP/1.1 for servers on this machine: one request a connection, no proxy, no TLS.
//!
//! Pieces of a body are handed over as they arrive, each with its time, which is what a stream is
//! measured by. Every wait ends at the deadline of the request. Only loopback is ever connected to.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use super::framing::Framing;

/// Longest head of an answer. *Units*: B.
const HEAD: usize = 64 << 10;
/// Longest body, kept or not. *Units*: B.
const BODY: usize = 16 << 20;
/// Longest wait for a connection on this machine.
const CONNECTING: Duration = Duration::from_secs(2);

/// Reads the clock.
#[allow(clippy::disallowed_methods, reason = "this is what is measured")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Describes one request.
pub(super) struct Request<'a> {
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    /// JSON.
    pub(super) body: Option<&'a str>,
    /// Time for the whole answer.
    pub(super) limit: Duration,
}

/// Holds an answer whose head was read.
pub(super) struct Answer {
    pub(super) status: u16,
    /// When the request began to be sent.
    pub(super) sent: Instant,
    stream: TcpStream,
    deadline: Instant,
    limit: Duration,
    arrived: Vec<u8>,
    /// How much of the body came. *Units*: B.
    came: usize,
    framing: Framing,
}

/// Sends a request and reads the head of the answer.
///
/// *Errors*: no connection, no answer in time, or none of HTTP, in one sentence.
pub(super) fn ask(address: SocketAddr, request: &Request<'_>) -> Result<Answer, String> {
    if !address.ip().is_loopback() {
        return Err(format!("{address} is not on this machine"));
    }
    let deadline = now() + request.limit;
    let stream = connect(address, request.limit.min(CONNECTING))?;
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(request.limit));
    let body = request.body.unwrap_or_default();
    let text = format!(
        "{} {} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: verify\r\nAccept: */*\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        request.method,
        request.path,
        body.len(),
    );
    let sent = now();
    let mut answer = Answer {
        status: 0,
        sent,
        stream,
        deadline,
        limit: request.limit,
        arrived: Vec::new(),
        came: 0,
        framing: Framing::Close,
    };
    answer.stream.write_all(text.as_bytes()).map_err(|error| format!("not sent: {error}"))?;
    answer.head()?;
    Ok(answer)
}

#[allow(clippy::disallowed_methods, reason = "this is the place where a server is connected to")]
fn connect(address: SocketAddr, limit: Duration) -> Result<TcpStream, String> {
    TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1)))
        .map_err(|error| format!("no connection to {address}: {error}"))
}

impl Answer {
    /// Waits for more; tells whether any came.
    fn wait(&mut self) -> Result<bool, String> {
        let late = || format!("no answer within {} s", self.limit.as_secs_f64());
        let left = self.deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(late());
        }
        let _ = self.stream.set_read_timeout(Some(left));
        let mut piece = [0; 16 << 10];
        match self.stream.read(&mut piece) {
            Ok(count) => {
                self.arrived.extend_from_slice(&piece[..count]);
                Ok(count > 0)
            }
            Err(error) => match error.kind() {
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => Err(late()),
                std::io::ErrorKind::Interrupted => Ok(true),
                _ => Err(format!("the connection broke: {error}")),
            },
        }
    }

    fn head(&mut self) -> Result<(), String> {
        loop {
            let end = self.arrived.windows(4).position(|four| four == b"\r\n\r\n");
            // A whole head that is too long was so before its end arrived.
            if end.unwrap_or(self.arrived.len()) > HEAD {
                return Err(format!("the head of its answer is longer than {HEAD} B"));
            }
            if let Some(end) = end {
                let head: Vec<u8> = self.arrived.drain(..end + 4).collect();
                let (status, headers) = parsed(&String::from_utf8_lossy(&head))?;
                if (100..200).contains(&status) {
                    continue;
                }
                self.status = status;
                self.framing = Framing::of(&headers)?;
                return Ok(());
            }
            if !self.wait()? {
                return Err("the connection was closed without an answer".to_owned());
            }
        }
    }

    /// Returns what comes next of the body; nothing at its end.
    ///
    /// *Errors*: it does not end as it says, not in time, or never; in one sentence.
    pub(super) fn next(&mut self) -> Result<Option<(Instant, Vec<u8>)>, String> {
        loop {
            let piece = self.framing.take(&mut self.arrived)?;
            if !piece.is_empty() {
                self.came += piece.len();
                if self.came > BODY {
                    return Err(format!("its body has more than {BODY} bytes"));
                }
                return Ok(Some((now(), piece)));
            }
            if self.framing == Framing::Ended {
                return Ok(None);
            }
            if !self.wait()? {
                return self.framing.broken().map_or(Ok(None), |why| Err(why.to_owned()));
            }
        }
    }

    /// Reads the whole body.
    ///
    /// *Errors*: as [`Answer::next`].
    pub(super) fn text(mut self) -> Result<String, String> {
        let mut whole = Vec::new();
        while let Some((_, piece)) = self.next()? {
            whole.extend(piece);
        }
        Ok(String::from_utf8_lossy(&whole).into_owned())
    }
}

/// Reads the status and the headers, whose names become lower case.
pub(super) fn parsed(head: &str) -> Result<(u16, Vec<(String, String)>), String> {
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let status =
        first.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or_else(|| "it does not speak HTTP".to_owned())?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_lowercase(), value.trim().to_owned()))
    };
    Ok((status, lines.filter_map(header).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_what_is_none_is_refused() {
        let (status, headers) = parsed("HTTP/1.1 200 OK\r\nX-A:  b: c \r\n\r\n").unwrap();
        assert_eq!((status, headers), (200, vec![("x-a".to_owned(), "b: c".to_owned())]));
        assert_eq!(parsed("HTTP/1.0 503\r\n\r\n").unwrap().0, 503);
        for bad in ["SSH-2.0-OpenSSH\r\n", "", "HTTP/1.1 abc\r\n"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_elsewhere_is_connected_to() {
        let request =
            Request { method: "GET", path: "/", body: None, limit: Duration::from_secs(1) };
        let why = ask("192.0.2.1:80".parse().unwrap(), &request).err().unwrap();
        assert_eq!(why, "192.0.2.1:80 is not on this machine");
    }
}
