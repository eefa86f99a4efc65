//! What the document of a measured link holds, once every part of it counts.

use std::collections::BTreeMap;

use verify_model::{
    evidence::{Captured, Evidence, Failure, FailureKind},
    finding::FindingCode,
    link::Link,
    observation::AttemptError,
};

use super::Manner;
use crate::{
    parse::{
        between::{Between, Moved, PROTOCOL, Try, is_busy, printed},
        end_survey::{self, DROPS, ERRORS, Survey},
        iperf3::{self, Interval, Told},
        route::Route,
    },
    probe::{failed, gather_error, text_of},
};

/// How far what client and server say arrived may differ.
const AGREEMENT: f64 = 0.01;
/// What counts as busy by itself, not in who ran. *Units*: names.
const OURS: [&str; 2] = ["iperf3", "verify"];

/// Holds one end.
pub(super) struct Side {
    pub(super) who: String,
    pub(super) route: Route,
    pub(super) kind: &'static str,
    pub(super) version: Option<String>,
    pub(super) mtu: Result<u32, String>,
    pub(super) idle: Result<f64, String>,
    /// How idle it was afterwards, and what ran then; absent where nobody looked.
    idle_after: Option<(f64, Vec<String>)>,
    pub(super) ran: Vec<String>,
    pub(super) counted: [BTreeMap<String, u64>; 2],
    /// The same afterwards.
    pub(super) after: Option<[BTreeMap<String, u64>; 2]>,
    /// How busy it was meanwhile, at most.
    pub(super) busy: Option<f64>,
}

/// Holds one transfer.
pub(super) struct Carried {
    pub(super) told: Told,
    /// What arrived, second by second, by who received.
    pub(super) arrived: Vec<Interval>,
}

/// Holds what was measured of a link.
pub(in super::super) struct Measured {
    pub(super) sides: [Side; 2],
    pub(super) loopback: bool,
    /// Several streams: outbound, inbound. Empty where nothing may be sent.
    pub(super) several: Option<[Carried; 2]>,
    /// One stream.
    pub(super) single: Option<[Carried; 2]>,
}

impl Measured {
    /// Reads the document.
    ///
    /// *Errors*: it is no whole answer, or the conditions did not hold.
    pub(in super::super) fn read(
        piece: &Evidence,
        link: Option<&Link>,
        manner: Manner,
    ) -> Result<Self, AttemptError> {
        let text = text_of(piece)?;
        let unreadable =
            |why: String| failed(FindingCode::OutputUnreadable, format!("{}: {why}", piece.ask));
        let document: Between = serde_json::from_str(text)
            .map_err(|error| unreadable(format!("not a document: {error}")))?;
        if document.protocol != PROTOCOL {
            return Err(unreadable(format!("it speaks {}, not {PROTOCOL}", document.protocol)));
        }
        let sides =
            sides(&document, link).map_err(|(who, why)| unreadable(format!("{who}: {why}")))?;
        let mut measured = Self { sides, loopback: link.is_none(), several: None, single: None };
        if !measured.may_send()? {
            return Ok(measured);
        }
        measured.demand_tool()?;
        let mut carried = Vec::new();
        let transfers = manner.transfers();
        for (at, transfer) in transfers.iter().enumerate() {
            let moved = document.moved.get(at).filter(|moved| moved.transfer == *transfer);
            let moved = moved.ok_or_else(|| unreadable("a transfer is missing".to_owned()))?;
            carried.push(measured.carried(moved, manner)?);
        }
        if let Some((who, why)) = measured.disturbed(manner.idle) {
            let message = format!("{who} {why}");
            return Err(failed(FindingCode::ConditionsNotHeld, message));
        }
        let mut carried = carried.into_iter();
        measured.several = carried.next().zip(carried.next()).map(<[Carried; 2]>::from);
        measured.single = carried.next().zip(carried.next()).map(<[Carried; 2]>::from);
        Ok(measured)
    }

    /// Tells whether anything may be sent.
    ///
    /// *Errors*: the peer is the node itself.
    fn may_send(&self) -> Result<bool, AttemptError> {
        let wanted = if self.loopback { "local" } else { "direct" };
        for (side, other) in [(0, 1), (1, 0)] {
            if !self.loopback && self.sides[side].kind == "local" {
                let (here, there) = (&self.sides[side].who, &self.sides[other].who);
                let message = format!(
                    "the address of {there} is one of {here} itself: correct [[link]] in the node files, or the address that the node has"
                );
                return Err(failed(FindingCode::BadParameter, message));
            }
        }
        Ok(self.sides.iter().all(|side| side.kind == wanted))
    }

    fn demand_tool(&self) -> Result<(), AttemptError> {
        match self.sides.iter().find(|side| side.version.is_none()) {
            None => Ok(()),
            Some(side) => {
                let message = format!("{}: `iperf3` is not installed", side.who);
                Err(failed(FindingCode::ToolMissing, message))
            }
        }
    }

    /// Takes one transfer as it ended.
    fn carried(&mut self, moved: &Moved, manner: Manner) -> Result<Carried, AttemptError> {
        let [client, server] = [0, 1].map(|at| self.sides[at].who.clone());
        if let Some(left) = moved.tries.iter().find_map(|tried| left_behind(&tried.gone)) {
            let message = format!("{server}: the server of iperf3 is not cleared away: {left}");
            return Err(failed(FindingCode::ProgramFailed, message));
        }
        let none = || failed(FindingCode::OutputUnreadable, "nothing was transferred");
        let tried = moved.tries.last().ok_or_else(none)?;
        let Some(captured) = &tried.client else {
            let said = said_by(&tried.server).or_else(|| said_by(&tried.listens));
            let said = said.unwrap_or_else(|| "it does not say why".to_owned());
            let message = format!("{server}: no server of iperf3 could be started: {said}");
            return Err(failed(FindingCode::ProgramFailed, message));
        };
        if is_busy(captured) {
            let count = moved.tries.len();
            let message = format!(
                "{server}: somebody else used the server each time, on {count} ports; end what connects to it"
            );
            return Err(failed(FindingCode::ProgramFailed, message));
        }
        let Some((stdout, stderr)) = printed(captured) else {
            return Err(unheard(captured, tried, &client, &server));
        };
        let told = iperf3::client(stdout, stderr, moved.transfer, manner.seconds);
        let told = told.map_err(|(code, why)| match lost(&tried.server) {
            Some(_) => unheard(captured, tried, &client, &server),
            None => failed(code, format!("{client}: {why}")),
        })?;
        let receipt = printed(&tried.server).and_then(|(stdout, _)| iperf3::server(stdout));
        let mut arrived = told.intervals.clone();
        if let Some(receipt) = receipt {
            if told.cookie.is_some() && receipt.cookie.is_some() && told.cookie != receipt.cookie {
                let message =
                    format!("{client} was answered by another server than ours on {server}");
                return Err(failed(FindingCode::ProgramFailed, message));
            }
            if !moved.transfer.inbound {
                if (receipt.received_bytes / told.received_bytes - 1.0).abs() > AGREEMENT {
                    let message = format!(
                        "{client} and {server} disagree on what arrived: {} and {} bytes",
                        told.received_bytes, receipt.received_bytes
                    );
                    return Err(failed(FindingCode::OutputUnreadable, message));
                }
                if !receipt.intervals.is_empty() {
                    arrived = receipt.intervals;
                }
            }
        }
        for (at, captured) in [(0, captured), (1, &tried.server)] {
            if let Some(busy) = busy_of(captured) {
                let known = self.sides[at].busy.unwrap_or(0.0);
                self.sides[at].busy = Some(known.max(busy));
            }
        }
        Ok(Carried { told, arrived })
    }

    /// Says which machine had other work, and which.
    fn disturbed(&self, idle: f64) -> Option<(String, String)> {
        self.sides.iter().find_map(|side| {
            let short = |found: f64, when: &str| {
                let (found, needed) = (found * 100.0, idle * 100.0);
                format!("was not idle {when}: {found:.1} % idle, {needed:.0} % are needed")
            };
            let (found, ran) = match (&side.idle, &side.idle_after) {
                (Ok(found), _) if *found < idle => (short(*found, "before"), &side.ran),
                // Work that began meanwhile took its share as well.
                (Ok(_), Some((found, ran))) if *found < idle => (short(*found, "after"), ran),
                (Ok(_), _) => return None,
                // Where nothing is demanded, nothing need be known.
                (Err(_), _) if idle <= 0.0 => return None,
                (Err(why), _) => (format!("was not idle before: {why}"), &side.ran),
            };
            let theirs = |line: &&String| !OURS.iter().any(|own| line.starts_with(own));
            let ran: Vec<&str> = ran.iter().filter(theirs).map(String::as_str).collect();
            let ran = if ran.is_empty() { String::new() } else { format!("; {}", ran.join(", ")) };
            Some((side.who.clone(), format!("{found}{ran}")))
        })
    }

    /// Demands what kind of iperf3 measured: figures across 3.16 are no measure for each other.
    pub(super) fn demand_threads(&self, wanted: &str) -> Result<(), AttemptError> {
        let found = self.threads();
        if found == wanted || self.several.is_none() {
            return Ok(());
        }
        let version = |at: usize| self.sides[at].version.clone().unwrap_or_default();
        let message = format!(
            "iperf3 {} and {} have their threads {found}, {wanted} is meant: from 3.16 on each stream has its own, and figures across that are no measure for each other",
            version(0),
            version(1)
        );
        Err(failed(FindingCode::ConditionsNotHeld, message))
    }

    /// Says how the two programs divide their work.
    pub(super) fn threads(&self) -> &'static str {
        let threaded = |side: &Side| side.version.as_deref().and_then(iperf3::is_threaded);
        match [&self.sides[0], &self.sides[1]].map(threaded) {
            [Some(false), Some(false)] => "shared",
            [Some(true), Some(true)] => "per-stream",
            _ => "mixed",
        }
    }
}

fn sides(document: &Between, link: Option<&Link>) -> Result<[Side; 2], (String, String)> {
    let one = |at: usize| -> Result<Side, (String, String)> {
        let end = link.map(|link| link.ends[at].clone()).unwrap_or_default();
        let who = if end.node.is_empty() { "the node".to_owned() } else { end.node.clone() };
        let of = |why: String| (who.clone(), why);
        let survey = Survey::read(&document.before[at]).map_err(of)?;
        let route = survey.route().map_err(of)?;
        let kind = if link.is_none() { route.kind } else { end_survey::kind(&route, &end) };
        let counted = |survey: &Survey<'_>| [ERRORS, DROPS].map(|names| survey.counters(names));
        let after = document.after.as_ref().and_then(|after| Survey::read(&after[at]).ok());
        Ok(Side {
            version: survey.version().map_err(of)?.map(str::to_owned),
            mtu: survey.mtu(),
            idle: survey.idle(),
            idle_after: after.as_ref().and_then(|after| Some((after.idle().ok()?, after.ran()))),
            ran: survey.ran(),
            counted: counted(&survey),
            after: after.as_ref().map(counted),
            busy: None,
            who,
            route,
            kind,
        })
    };
    Ok([one(0)?, one(1)?])
}

/// Says what is still there where a server should be gone.
fn left_behind(gone: &Captured) -> Option<String> {
    match gone {
        Captured::Exec { exit: Some(0), .. } => None,
        // An end that cannot be asked any more has its own finding.
        Captured::Failed(failure) if failure.kind.is_of_the_link() => None,
        other => Some(said_by(other).unwrap_or_else(|| "nobody could look".to_owned())),
    }
}

/// Returns the last thing that a program said, or why it did not run.
fn said_by(captured: &Captured) -> Option<String> {
    if let Captured::Failed(failure) = captured {
        return Some(failure.message.clone());
    }
    let (stdout, stderr) = printed(captured)?;
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(stdout)
        && let Some(error) = json.get("error").and_then(serde_json::Value::as_str)
    {
        return Some(error.to_owned());
    }
    let ours = |line: &&str| !line.is_empty() && !line.starts_with("verify: ");
    let last = |text: &str| text.lines().map(str::trim).rfind(ours).map(str::to_owned);
    last(stderr).or_else(|| last(stdout))
}

/// Returns why an end could not be asked any more, where that is the reason.
fn lost(captured: &Captured) -> Option<Failure> {
    match captured {
        Captured::Failed(failure) if failure.kind.is_of_the_link() => Some(failure.clone()),
        _ => None,
    }
}

/// Says why nothing was heard of the client; where the other end was lost, that is the reason.
fn unheard(captured: &Captured, tried: &Try, client: &str, server: &str) -> AttemptError {
    let (who, failure) = match (lost(&tried.server), captured) {
        (Some(failure), _) => (server, failure),
        (None, Captured::Failed(failure)) => (client, failure.clone()),
        (None, _) => {
            return failed(
                FindingCode::OutputUnreadable,
                format!("{client}: no output of a program"),
            );
        }
    };
    let piece = Evidence {
        id: 0,
        node: String::new(),
        ask: verify_model::ask::Ask::exec(["iperf3"]),
        at_ms: 0,
        elapsed_us: 0,
        captured: Captured::Failed(failure.clone()),
    };
    let code = match failure.kind {
        FailureKind::Interrupted => FindingCode::GatherFailed,
        _ => gather_error(&piece, &failure).code,
    };
    failed(code, format!("{who}: {}", failure.message))
}

/// Returns how busy a machine was between the two looks of our script.
fn busy_of(captured: &Captured) -> Option<f64> {
    let (_, said) = printed(captured)?;
    let mut looks = said
        .lines()
        .filter_map(|line| line.strip_prefix("verify: "))
        .filter(|line| line.starts_with("cpu "));
    end_survey::busy(looks.next()?, looks.next()?).ok()
}
