//! Answers whether a TCP port accepts connections, and how fast.

use verify_model::{
    ask::{Ask, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Evidence, FailureKind},
    field::{FieldKind, FieldSpec},
    finding::FindingCode,
    fingerprint::Depends,
    metric::{Direction, Metric},
    node::Facts,
    observation::{AttemptError, Observation},
    unit::Unit,
    value::Value,
};

use crate::probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, gather_error};

pub(super) struct Port;

static SPEC: ProbeSpec = ProbeSpec {
    name: "port",
    summary: "Whether a TCP port accepts connections, and how fast.",
    effect: Effect::Reads,
    depends: &[Depends::cause("cpu"), Depends::cause("nic"), Depends::cause("kernel")],
    params: &[
        ParamSpec {
            name: "port",
            kind: ParamKind::Integer,
            required: true,
            doc: "Port, 1 to 65535.",
        },
        ParamSpec {
            name: "host",
            kind: ParamKind::Text,
            required: false,
            doc: "Host name or address, as the node sees it; `127.0.0.1` unless given.",
        },
    ],
    fields: &[
        FieldSpec {
            path: "open",
            kind: || FieldKind::Bool,
            doc: "Whether a connection was accepted.",
            source: "connect(2)",
        },
        FieldSpec {
            path: "elapsed",
            kind: || FieldKind::Metric("ms", Direction::LowerIsBetter),
            doc: "Time until the connection stood; absent where the port is closed.",
            source: "CLOCK_MONOTONIC",
        },
    ],
    example: r"with = { port = 22 }
expect = { open = true }",
};

impl Probe for Port {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let number = with.integer("port").unwrap_or(0);
        let port = u16::try_from(number).ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| format!("{number} is not a port: expected 1 to 65535"))?;
        let host = with.text("host").unwrap_or("127.0.0.1").to_owned();
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!("`{host}` is not a host name or address"));
        }
        Ok(vec![Ask::Connect { host, port, limit_ms: DEFAULT_LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let Some(piece) = evidence.first() else {
            return Err(failed(FindingCode::GatherFailed, "nothing was gathered"));
        };
        match &piece.captured {
            Captured::Connected => {
                #[expect(clippy::cast_precision_loss, reason = "a day has 8.64e10 us")]
                let elapsed_ms = piece.elapsed_us as f64 / 1e3;
                let observation = Observation::default().fact("open", Value::Bool(true));
                let metric = Unit::parse("ms").and_then(|ms| {
                    Metric::new(ms, Direction::LowerIsBetter, vec![elapsed_ms]).ok()
                });
                Ok(match metric {
                    Some(metric) => observation.metric("elapsed", metric),
                    None => observation,
                })
            }
            Captured::Failed(failure) if failure.kind == FailureKind::Refused => {
                Ok(Observation::default()
                    .fact("open", Value::Bool(false))
                    .fact("elapsed", Value::Absent("the connection was refused".to_owned())))
            }
            Captured::Failed(failure) => Err(gather_error(piece, failure)),
            _ => Err(failed(
                FindingCode::OutputUnreadable,
                format!("{}: not an answer to connect", piece.ask),
            )),
        }
    }
}
