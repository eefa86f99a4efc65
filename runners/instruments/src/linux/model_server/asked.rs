//! What the instrument was asked to do: which server, how it is found ready, how much it is loaded.

use std::{net::SocketAddr, time::Duration};

use crate::Arguments;

pub(super) const ARGUMENTS: &str = "\
--command JSON      server to start: a list of words; {port} stands for the port
--url URL           server that runs already, on this machine: http://127.0.0.1:8000
--port N            port of the server that is started; one that is free unless given
--model NAME        model that is asked for; the first that the server lists unless given
--ready TIME        until it must be ready, 1s to 3600s; 900s unless given
--limit TIME        for one completion, 1s to 3600s; 120s unless given
--grace TIME        between TERM and KILL, 100ms to 60s; 10s unless given
--concurrency LIST  completions under way at a time, 1 to 64 each; 1,4,8 unless given
--requests N        completions for each of those, 1 to 256; 16 unless given
--words N           words of a prompt, 1 to 8192; 256 unless given
--tokens N          tokens of a completion, 1 to 4096; 128 unless given
--reference TEXT    what the greedy completion must be; only compared with itself unless given
--nvml PATH         what is asked for the cards; libnvidia-ml.so.1 unless given";

/// Most tokens of one load. *Source*: each has a time in the document.
const TOKENS: u64 = 50_000;

/// Says which server.
#[derive(Debug, PartialEq)]
pub(super) enum Server {
    Start { argv: Vec<String>, port: Option<u16> },
    Attach(SocketAddr),
}

/// Holds what was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) server: Server,
    pub(super) model: Option<String>,
    pub(super) ready: Duration,
    pub(super) limit: Duration,
    pub(super) grace: Duration,
    pub(super) concurrency: Vec<usize>,
    pub(super) requests: usize,
    pub(super) words: usize,
    pub(super) tokens: u64,
    pub(super) reference: Option<String>,
    pub(super) nvml: Option<String>,
}

impl Asked {
    pub(super) fn read(given: &Arguments<'_>) -> Result<Self, String> {
        let words = |text: &str| {
            let words: Vec<String> = serde_json::from_str(text).ok()?;
            Some(words).filter(|words| words.first().is_some_and(|word| !word.is_empty()))
        };
        let argv = given.value("--command", "a JSON list of words", words)?;
        let url =
            given.value("--url", "http://127.0.0.1:PORT or another loopback address", loopback)?;
        let port = given.number("--port", 1..=u16::MAX)?;
        let server = match (argv, url) {
            (Some(argv), None) => Server::Start { argv, port },
            (None, Some(address)) if port.is_none() => Server::Attach(address),
            (None, Some(_)) => return Err("`--port` belongs to `--command`".to_owned()),
            _ => return Err("one of `--command` and `--url` says which server".to_owned()),
        };
        let time = |name: &str, most: u64, default: u64| {
            let ns = given.time_ns(name, 100_000_000..=most * 1_000_000_000)?;
            Ok::<_, String>(Duration::from_nanos(ns.unwrap_or(default * 1_000_000_000)))
        };
        let list = |text: &str| {
            let all: Option<Vec<usize>> = text.split(',').map(|one| one.parse().ok()).collect();
            all.filter(|all| all.iter().all(|one| (1..=64).contains(one)))
        };
        let requests = given.number("--requests", 1..=256)?.unwrap_or(16);
        let tokens = given.number("--tokens", 1..=4096)?.unwrap_or(128);
        if tokens * requests as u64 > TOKENS {
            return Err(format!("`--requests` x `--tokens` is more than {TOKENS}"));
        }
        Ok(Self {
            server,
            model: given.text("--model").map(str::to_owned),
            ready: time("--ready", 3600, 900)?,
            limit: time("--limit", 3600, 120)?,
            grace: time("--grace", 60, 10)?,
            concurrency: given
                .value("--concurrency", "a list of numbers from 1 to 64", list)?
                .unwrap_or_else(|| vec![1, 4, 8]),
            requests,
            words: given.number("--words", 1..=8192)?.unwrap_or(256),
            tokens,
            reference: given.text("--reference").map(str::to_owned),
            nvml: given.text("--nvml").map(str::to_owned),
        })
    }
}

/// Reads the address of a server on this machine.
fn loopback(url: &str) -> Option<SocketAddr> {
    let rest = url.strip_prefix("http://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let rest = rest.replace("localhost:", "127.0.0.1:");
    rest.parse()
        .ok()
        .filter(|address: &SocketAddr| address.ip().is_loopback() && address.port() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Asked, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Asked::read(&Arguments::parse(ARGUMENTS, &words)?)
    }

    #[test]
    fn only_this_machine_is_attached_to() {
        for good in ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"] {
            assert!(matches!(read(&["--url", good]).unwrap().server, Server::Attach(_)), "{good}");
        }
        for bad in [
            "http://192.0.2.1:8000",
            "http://example.org:8000",
            "https://127.0.0.1:8000",
            "http://127.0.0.1",
            "http://127.0.0.1:8000/v1",
            "http://127.0.0.1:0",
            "127.0.0.1:8000",
        ] {
            assert!(read(&["--url", bad]).unwrap_err().contains("loopback"), "{bad}");
        }
    }

    #[test]
    fn one_server_is_named_and_no_more_is_asked_than_can_be_told() {
        let command = ["--command", r#"["python3","-m","x","--port","{port}"]"#];
        assert_eq!(read(&command).unwrap().concurrency, [1, 4, 8]);
        for (bad, said) in [
            (vec![], "one of `--command` and `--url`"),
            (vec!["--command", "python3"], "a JSON list"),
            (vec!["--command", "[]"], "a JSON list"),
            (vec!["--command", "[\"\"]"], "a JSON list"),
            (vec!["--url", "http://127.0.0.1:1", "--port", "3"], "`--port` belongs"),
            (vec!["--url", "http://127.0.0.1:1", "--concurrency", "0"], "from 1 to 64"),
            (vec!["--url", "http://127.0.0.1:1", "--concurrency", "1,,2"], "from 1 to 64"),
            (vec!["--url", "http://127.0.0.1:1", "--tokens", "4096"], "more than 50000"),
            (vec!["--url", "http://127.0.0.1:1", "--ready", "900"], "with its unit"),
        ] {
            let why = read(&bad).unwrap_err();
            assert!(why.contains(said), "{bad:?}: {why}");
        }
    }
}
