//! What probes find when their asks are really answered: by curl, df and ip of this machine.
//!
//! The server is one thread on loopback that answers one connection badly or well; what every
//! other answer means is shown by the evidence cases.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::explicit_write,
    reason = "the test plays the server"
)]

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpListener,
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

use verify_engine::{
    probe::With,
    probes,
    transport::{Cancel, Local, Transport},
};
use verify_model::{
    ask::Ask,
    check::Params,
    evidence::{Captured, Evidence},
    finding::FindingCode,
    matcher::Literal,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

fn local() -> Local {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Local::new(format!("asked-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Tells whether a program is there; says so where it is not.
fn has(tool: &str) -> bool {
    let ask = Ask::Which { tool: tool.to_owned() };
    let found = matches!(local().gather(&ask, &Cancel::default()), Captured::Found(_));
    if !found {
        // Not `eprintln!`: what a passing test prints is swallowed.
        writeln!(std::io::stderr(), "skipped: needs {tool}").unwrap();
    }
    found
}

fn ask(name: &str, params: &[(&str, Literal)]) -> Result<Observation, AttemptError> {
    let probe = probes::find(name).unwrap();
    let with: Params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    let transport = local();
    let asks = probe.asks(With(&with), &Facts::default()).unwrap();
    let gather = |ask: Ask| Evidence {
        id: 0,
        node: "here".to_owned(),
        at_ms: 0,
        elapsed_us: 0,
        captured: transport.gather(&ask, &Cancel::default()),
        ask,
    };
    let evidence: Vec<Evidence> = asks.into_iter().map(gather).collect();
    probe.read(With(&with), &evidence.iter().collect::<Vec<_>>())
}

fn text(text: impl Into<String>) -> Literal {
    Literal::Text(text.into())
}

/// Serves one connection with these bytes; returns the URL. With `hold` the connection stays open
/// until the sender is dropped.
fn serve(
    answer: Vec<u8>,
    hold: Option<mpsc::Receiver<()>>,
) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut piece) = (Vec::new(), [0; 1024]);
        while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut piece) {
                Ok(count) if count > 0 => asked.extend(&piece[..count]),
                _ => break,
            }
        }
        // Whoever stops reading early closes the connection.
        let _ = stream.write_all(&answer);
        if let Some(hold) = hold {
            let _ = hold.recv();
        }
        String::from_utf8_lossy(&asked).into_owned()
    });
    (url, server)
}

fn get(answer: impl Into<Vec<u8>>, more: &[(&str, Literal)]) -> Result<Observation, AttemptError> {
    let (url, server) = serve(answer.into(), None);
    let found = ask("http", &[&[("url", text(url))], more].concat());
    server.join().unwrap();
    found
}

#[test]
fn a_value_is_found_in_the_body_and_a_status_is_an_answer() {
    if !has("curl") {
        return;
    }
    let answer = "HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"ready\":[false]}";
    let found = get(answer, &[("pointer", text("/ready/0")), ("as", text("bool"))]).unwrap();
    assert_eq!(found.resolve("status"), Value::Integer(500));
    assert_eq!(found.resolve("value"), Value::Bool(false));
    assert_eq!(found.resolve("content-type"), Value::text("application/json"));
    assert!(matches!(found.resolve("elapsed"), Value::Quantity(_)));
}

#[test]
fn nothing_but_what_was_given_is_sent() {
    if !has("curl") {
        return;
    }
    let (url, server) = serve(b"HTTP/1.1 204 No\r\n\r\n".to_vec(), None);
    let url = format!("{url}a[1-3]{{x,y}}");
    let header = Literal::List(vec![text("X-Asked: by verify")]);
    let found = ask("http", &[("url", text(url)), ("headers", header)]).unwrap();
    let asked = server.join().unwrap();
    assert!(asked.starts_with("GET /a[1-3]{x,y} HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nX-Asked: by verify\r\n") && !asked.contains("Accept-Encoding"));
    assert_eq!(found.resolve("status"), Value::Integer(204));
}

#[test]
fn each_way_to_fail_has_its_own_code() {
    if !has("curl") {
        return;
    }
    let code = |found: Result<Observation, AttemptError>| found.unwrap_err().code;
    let refused = ask("http", &[("url", text("http://127.0.0.1:1/"))]);
    assert_eq!(code(refused), FindingCode::ConnectionRefused);
    assert_eq!(code(get("", &[])), FindingCode::GatherFailed, "an empty answer");
    assert_eq!(code(get("SSH-2.0-x\r\n", &[])), FindingCode::OutputUnreadable, "not HTTP");
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    assert_eq!(code(get(cut, &[])), FindingCode::OutputUnreadable, "a body that was cut");
    let (release, hold) = mpsc::channel();
    let (url, server) = serve(Vec::new(), Some(hold));
    let timeout = Literal::Quantity("200 ms".parse().unwrap());
    let silent = ask("http", &[("url", text(url)), ("timeout", timeout)]);
    drop(release);
    server.join().unwrap();
    assert_eq!(code(silent), FindingCode::TimedOut);
}

#[test]
fn a_body_over_the_limit_is_never_judged() {
    if !has("curl") {
        return;
    }
    let body = "1".repeat(3 * 1024 * 1024);
    for head in ["", "Content-Length: 3145728\r\n"] {
        let found = get(format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}"), &[]).unwrap();
        assert_eq!(found.resolve("status"), Value::Integer(200));
        for field in ["body", "value", "json"] {
            assert!(matches!(found.resolve(field), Value::Unreadable(_)), "{field}, {head}");
        }
    }
}

#[test]
fn urls_and_headers_with_secrets_or_tricks_are_refused() {
    let probe = probes::find("http").unwrap();
    let refused = |params: &[(&str, Literal)]| {
        let with: Params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        probe.asks(With(&with), &Facts::default()).is_err()
    };
    for url in [
        "-o/etc/passwd",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "127.0.0.1:80",
        "http://",
        "http://:80/",
        "http://user:secret@127.0.0.1/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/ x",
        "http://127.0.0.1/\n",
        "http://127.0.0.1\\@example.com/",
        "http://127.0.0.1/?a=1&token=x",
        "http://127.0.0.1/?key=x",
        "http://127.0.0.1/?client_secret=x",
        "http://127.0.0.1/?X-Amz-Signature=x",
    ] {
        assert!(refused(&[("url", text(url))]), "{url}");
    }
    let url = ("url", text("http://127.0.0.1:8000/?max_tokens=1#a@b"));
    assert!(!refused(std::slice::from_ref(&url)));
    for header in [
        "@/etc/passwd",
        "Authorization: Bearer x",
        "X-Auth: x",
        "X-Api-Key: x",
        "A:b",
        "A: b\r\nC: d",
    ] {
        assert!(
            refused(&[url.clone(), ("headers", Literal::List(vec![text(header)]))]),
            "{header}"
        );
    }
    let both = [url.clone(), ("pointer", text("/a")), ("match", text("b"))];
    assert!(refused(&both) && refused(&[url, ("pointer", text("a"))]));
}

#[test]
fn a_check_of_loopback_records_no_other_address() {
    let probe = probes::find("net-interface").unwrap();
    let with = Params::from([("name".to_owned(), text("lo"))]);
    let asks = probe.asks(With(&with), &Facts::default()).unwrap();
    let programs: Vec<String> = asks
        .iter()
        .filter_map(
            |ask| if let Ask::Exec { argv, .. } = ask { Some(argv.join(" ")) } else { None },
        )
        .collect();
    assert_eq!(programs, ["ip -j -s -s -d address show dev lo"]);
}

#[test]
fn brew_is_asked_on_linux_only_by_name() {
    let probe = probes::find("package").unwrap();
    let asks = |manager: Option<&str>, os: &str| {
        let facts = Facts { capabilities: BTreeSet::from([os.to_owned()]), ..Facts::default() };
        let name = [("name".to_owned(), text("curl"))];
        let manager = manager.map(|manager| ("manager".to_owned(), text(manager)));
        let with: Params = name.into_iter().chain(manager).collect();
        probe.asks(With(&with), &facts).unwrap().len()
    };
    assert_eq!((asks(None, "linux"), asks(None, "macos")), (2, 3));
    assert_eq!(asks(Some("brew"), "linux"), 1);
}

#[test]
fn the_root_of_this_machine_is_mounted_and_has_a_size() {
    if !has("df") {
        return;
    }
    let found = ask("storage", &[]).unwrap();
    assert!(matches!(found.resolve("mount-point"), Value::Text(point) if point.starts_with('/')));
    assert!(matches!(found.resolve("size"), Value::Quantity(size) if size.value() > 0.0));
    let found = ask("storage", &[("path", text("/no/such/folder"))]).unwrap();
    assert!(matches!(found.resolve("mount-point"), Value::Absent(_)));
}

#[test]
fn loopback_is_found_and_the_machine_itself_is_no_peer() {
    if !has("ip") {
        return;
    }
    let found = ask("net-interface", &[("name", text("lo"))]).unwrap();
    assert_eq!(found.resolve("exists"), Value::Bool(true));
    let Ok(found) = ask("net-interface", &[("peer", text("127.0.0.1"))]) else {
        writeln!(std::io::stderr(), "skipped: needs an ip that speaks JSON").unwrap();
        return;
    };
    assert_eq!(found.resolve("route.kind"), Value::text("local"));
    assert_eq!(found.resolve("route.direct"), Value::Bool(false));
}
