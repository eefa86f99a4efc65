//! Answers what a service says over HTTP: status, body, a value in it, and how long it took.
//!
//! Asked through the node's own curl, without its configuration file, proxies and cookies, so that
//! a remote node is asked as this one is. Any status is an answer; no connection, a lost one and a
//! body that was cut are errors. What is sent stands in the record: secrets are refused.

use verify_model::{
    ask::{Ask, DEFAULT_CAP},
    effect::Effect,
    evidence::{Captured, Evidence, Stream},
    field::{
        FieldKind::{self, Any, Bool, Integer, Quantity as Amount, Text},
        FieldSpec,
    },
    finding::FindingCode,
    fingerprint::Depends,
    metric::{Direction, Metric},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

use crate::{
    parse::write_out::{self, Report},
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, gather_error},
    scalar,
};

pub(super) struct Http;

/// Time for the whole answer, unless given. *Units*: s. *Source*: half of a check's own limit.
const DEFAULT_TIMEOUT_S: f64 = 5.0;
/// How much longer than its own limit curl may take to end. *Units*: ms.
const SPARE_MS: u64 = 2000;
/// Longest chain of redirects that is followed.
const REDIRECTS: &str = "5";
/// Body and report are bounded alike.
const CAP: u64 = DEFAULT_CAP;

/// Exit status of a curl that ended because the body is over its limit.
const TOO_LARGE: i32 = 63;
/// Exit statuses that are about TLS. *Source*: curl(1), exit codes.
const TLS: [i32; 13] = [35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 82, 83, 91];

/// Words in the names of headers whose values are secrets.
const SECRET_HEADERS: [&str; 7] =
    ["auth", "cookie", "token", "secret", "api-key", "apikey", "password"];
/// Parameters of a query whose values are secrets.
const SECRET_PARAMETERS: [&str; 6] = ["auth", "key", "jwt", "passwd", "pwd", "sig"];
/// Ends of the names of such parameters; `max_tokens` is none.
const SECRET_ENDS: [&str; 7] =
    ["token", "secret", "password", "_key", "-key", "apikey", "signature"];

const CURL: &str = "curl";

static SPEC: ProbeSpec = ProbeSpec {
    name: "http",
    summary: "What a service says over HTTP, and how fast.",
    effect: Effect::Reads,
    depends: &[
        Depends::ruler("tool.curl"),
        Depends::cause("cpu"),
        Depends::cause("nic"),
        Depends::cause("kernel"),
    ],
    params: &[
        param(
            "url",
            ParamKind::Text,
            true,
            "Address, `http` or `https`; without user or password.",
        ),
        param(
            "method",
            ParamKind::Choice(&["GET", "HEAD"]),
            false,
            "`GET` unless given; the answer to `HEAD` has no body.",
        ),
        param("headers", ParamKind::Texts, false, "Headers to send, each as `Name: value`."),
        param("follow", ParamKind::Bool, false, "Follows up to 5 redirects; not unless given."),
        param("timeout", ParamKind::Quantity("s"), false, "Time for the answer; 5 s unless given."),
        param(
            "pointer",
            ParamKind::Text,
            false,
            "JSON pointer of `value` (RFC 6901): `/data/0/id`.",
        ),
        param("match", ParamKind::Regex, false, "Regular expression whose first group is `value`."),
        scalar::AS,
        scalar::UNIT,
    ],
    fields: &[
        field("status", || Integer, CURL, "Status of the answer, such as 200."),
        field("body", || Text, CURL, "Body as a text, without a byte order mark; UTF-8 only."),
        field("content-type", || Text, CURL, "Type that the service gives for the body."),
        field("size", || Amount("B"), CURL, "Size of the body as it was sent."),
        field("redirect", || Text, CURL, "Where a redirect leads that was not followed."),
        field("json", || Bool, "the body", "Whether the body is valid JSON."),
        field(
            "value",
            || Any,
            "the body",
            "What `pointer` or `match` finds, else the whole body; its kind follows `as` and `unit`.",
        ),
        field(
            "elapsed",
            || FieldKind::Metric("ms", Direction::LowerIsBetter),
            CURL,
            "Time from looking up the name to the last byte.",
        ),
    ],
    example: r#"with = { url = "http://127.0.0.1:8000/v1/models", pointer = "/data/0/id" }
expect = { status = 200, value = { matches = "Llama" } }"#,
};

const fn param(
    name: &'static str,
    kind: ParamKind,
    required: bool,
    doc: &'static str,
) -> ParamSpec {
    ParamSpec { name, kind, required, doc }
}

impl Probe for Http {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let url = with.required("url")?;
        usable_url(url)?;
        scalar::usable(with)?;
        if with.text("pointer").is_some() && with.text("match").is_some() {
            return Err("only one of `pointer` and `match` can say where the value is".to_owned());
        }
        if with.text("pointer").is_some_and(|at| !at.is_empty() && !at.starts_with('/')) {
            return Err("`pointer` is not a JSON pointer: write it as `/a/b/0`".to_owned());
        }
        let timeout_s = with.quantity("timeout").map_or(DEFAULT_TIMEOUT_S, Quantity::base);
        if !(0.001..=3600.0).contains(&timeout_s) {
            return Err("`timeout` is out of range: from 1 ms to 1 h".to_owned());
        }
        let argv = arguments(with, url, timeout_s)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within 1 ms..=1 h"
        )]
        let limit_ms = (timeout_s * 1e3).ceil() as u64 + SPARE_MS;
        Ok(vec![Ask::Exec { argv, env: Vec::new(), limit_ms, cap: CAP }])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let Some(piece) = evidence.first() else {
            return Err(failed(FindingCode::GatherFailed, "nothing was gathered"));
        };
        let (exit, stdout, stderr) = match &piece.captured {
            Captured::Exec { exit: Some(exit), stdout, stderr, .. } => (*exit, stdout, stderr),
            Captured::Exec { stderr, .. } => {
                let message =
                    format!("curl was ended by a signal: {}", write_out::words(&stderr.text));
                return Err(failed(FindingCode::ProgramFailed, message));
            }
            Captured::Failed(failure) => return Err(gather_error(piece, failure)),
            _ => return Err(failed(FindingCode::OutputUnreadable, "not a program's output")),
        };
        let url = with.text("url").unwrap_or_default();
        if exit != 0 && exit != TOO_LARGE {
            return Err(transfer_error(url, exit, write_out::words(&stderr.text)));
        }
        let report = write_out::report(&stderr.text)
            .map_err(|why| failed(FindingCode::ProgramFailed, format!("{url}: {why}")))?;
        if !(100..=999).contains(&report.status) {
            let message = format!("{url}: {} is not a status of HTTP", report.status);
            return Err(failed(FindingCode::OutputUnreadable, message));
        }
        Ok(observe(with, &report, exit == 0, &body(with, exit, stdout)))
    }

    fn kind(&self, field: &FieldSpec, with: With<'_>) -> FieldKind {
        if field.path == "value" { scalar::kind(with) } else { (field.kind)() }
    }
}

fn arguments(with: With<'_>, url: &str, timeout_s: f64) -> Result<Vec<String>, String> {
    // -q only counts as the first; -g keeps brackets and braces of the URL from being expanded.
    let fixed = ["curl", "-q", "-g", "-sS", "--noproxy", "*", "--proto", "=http,https"];
    let mut argv: Vec<String> = fixed.map(str::to_owned).into();
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["--max-time", &timeout_s.to_string(), "--max-filesize", &CAP.to_string()]);
    if with.text("method") == Some("HEAD") {
        // Else curl would print the headers where the body is looked for.
        add(&["--head", "--output", "/dev/null"]);
    }
    if with.flag("follow") {
        add(&["--location", "--max-redirs", REDIRECTS, "--proto-redir", "=http,https"]);
    }
    for header in with.texts("headers") {
        usable_header(header)?;
        add(&["--header", header]);
    }
    add(&["--write-out", write_out::FORMAT, "--url", url]);
    Ok(argv)
}

fn usable_url(url: &str) -> Result<(), String> {
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
    let rest = rest.ok_or_else(|| format!("`{url}` does not begin with http:// or https://"))?;
    if url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(format!(
            "`{}` holds a blank, a backslash or a control character",
            url.escape_debug()
        ));
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err(format!("`{url}` names no host"));
    }
    if host.contains('@') {
        return Err("the URL holds a user or password, which would stand in the record".to_owned());
    }
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let mut names = query.split(['&', ';']).filter_map(|pair| pair.split('=').next());
    let is_secret = |name: &&str| {
        SECRET_PARAMETERS.contains(name) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
    };
    if let Some(name) = names.find(is_secret) {
        return Err(format!("the URL holds a `{name}`, which would stand in the record"));
    }
    Ok(())
}

fn usable_header(header: &str) -> Result<(), String> {
    let wrong =
        || format!("`{}` is not a header: write it as `Name: value`", header.escape_debug());
    let (name, value) = header.split_once(": ").ok_or_else(wrong)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) || value.is_empty() {
        return Err(wrong());
    }
    if value.contains(char::is_control) {
        return Err(wrong());
    }
    let lower = name.to_ascii_lowercase();
    if SECRET_HEADERS.iter().any(|secret| lower.contains(secret)) {
        return Err(format!("the header `{name}` holds a secret, which would stand in the record"));
    }
    Ok(())
}

/// Says what went wrong by curl's exit status. *Source*: curl(1), exit codes.
fn transfer_error(url: &str, exit: i32, words: &str) -> AttemptError {
    let unreachable = ["unreachable", "No route to host", "timed out"];
    let (code, what) = match exit {
        1 if words.contains("Protocol") => {
            (FindingCode::GatherFailed, "a redirect leads to something else than HTTP")
        }
        1 | 8 => (FindingCode::OutputUnreadable, "what answers does not speak HTTP"),
        3 => (FindingCode::BadParameter, "the URL is not usable"),
        6 => (FindingCode::GatherFailed, "the name is unknown"),
        7 if unreachable.iter().any(|word| words.contains(word)) => {
            (FindingCode::GatherFailed, "the host is not reached")
        }
        7 => (FindingCode::ConnectionRefused, "nothing accepts the connection"),
        18 => (FindingCode::OutputUnreadable, "the body was cut short"),
        28 => (FindingCode::TimedOut, "no whole answer in time"),
        47 => (FindingCode::GatherFailed, "the redirects do not end"),
        52 => (FindingCode::GatherFailed, "the connection was closed without an answer"),
        55 | 56 => (FindingCode::GatherFailed, "the connection was lost"),
        61 => (FindingCode::OutputUnreadable, "the body is encoded in an unknown way"),
        tls if TLS.contains(&tls) => (FindingCode::GatherFailed, "TLS failed"),
        _ => (FindingCode::ProgramFailed, "curl failed"),
    };
    failed(code, format!("{url}: {what}: {words}"))
}

/// Returns the body, or why there is none to judge.
fn body<'a>(with: With<'_>, exit: i32, stdout: &'a Stream) -> Result<&'a str, Value> {
    if with.text("method") == Some("HEAD") {
        return Err(Value::Absent("the answer to HEAD has no body".to_owned()));
    }
    if exit == TOO_LARGE {
        return Err(Value::Unreadable(format!("the body is larger than {CAP} bytes")));
    }
    if stdout.truncated > 0 {
        return Err(Value::Unreadable(format!(
            "{} bytes of the body were left out",
            stdout.truncated
        )));
    }
    if stdout.lossy {
        return Err(Value::Unreadable("the body is not a text in UTF-8".to_owned()));
    }
    Ok(stdout.text.strip_prefix('\u{feff}').unwrap_or(&stdout.text))
}

fn observe(
    with: With<'_>,
    report: &Report,
    whole: bool,
    body: &Result<&str, Value>,
) -> Observation {
    let of = |read: &dyn Fn(&str) -> Value| match body {
        Ok(text) => read(text),
        Err(why) => why.clone(),
    };
    let given = |text: &Option<String>, none: &str| {
        let text = text.as_ref().filter(|text| !text.is_empty());
        text.map_or_else(|| Value::Absent(none.to_owned()), |text| Value::text(text.as_str()))
    };
    let size = match body {
        Err(why @ Value::Absent(_)) => why.clone(),
        Err(why) if !whole => why.clone(),
        _ => Quantity::of(report.size_b, "B")
            .map_or_else(|error| Value::Unreadable(error.to_string()), Value::Quantity),
    };
    let seen = Observation::default()
        .fact("status", Value::Integer(i64::from(report.status)))
        .fact("content-type", given(&report.content_type, "the service names no type"))
        .fact("redirect", given(&report.redirect_url, "the answer is no redirect"))
        .fact("size", size)
        .fact("body", of(&|text| Value::text(text)))
        .fact("json", of(&|text| Value::Bool(is_json(text))))
        .fact("value", of(&|text| find(with, text)));
    let time_ms = vec![report.time_s * 1e3];
    let metric = Unit::parse("ms")
        .filter(|_| whole)
        .and_then(|ms| Metric::new(ms, Direction::LowerIsBetter, time_ms).ok());
    let none = || Value::Unreadable("there is no time of a whole answer".to_owned());
    match metric {
        Some(metric) => seen.metric("elapsed", metric),
        None => seen.fact("elapsed", none()),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn find(with: With<'_>, text: &str) -> Value {
    match (with.text("pointer"), with.text("match")) {
        (Some(pointer), _) => scalar::at_pointer(with, text, pointer),
        (None, Some(pattern)) => scalar::at_match(with, text, pattern, "the body"),
        (None, None) => scalar::parse(with, text).unwrap_or_else(Value::Unreadable),
    }
}
