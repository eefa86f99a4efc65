//! Answers a batch: what a program of ours on the node can answer goes to it, the rest to its shell.
//!
//! The program is used only where it is known to be there: the first batch asks for that on the
//! way. Whatever it leaves unanswered, the shell is asked, so that a program that breaks costs time
//! and no answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crossbeam_channel::RecvTimeoutError;
use verify_model::{
    ask::{Ask, DEFAULT_CAP, DEFAULT_LIMIT_MS},
    evidence::{Captured, Failure, FailureKind},
};

use super::{
    super::{
        Cancel,
        shell::{
            answer::Side,
            exchange::{Hear, Running},
            frame::{Cutter, Piece},
            input::{Input, Then},
            nonce, reader, refuse, script,
            tool::Tool,
        },
        stray,
        wire::{Answer, Document, PROTOCOL},
    },
    LINE, Login, Master, Ssh, look, now,
};

/// Fewest asks for which a program is started there. A load asks for few things, and in their order.
const FEW: usize = 8;
/// Time until the program's first word.
const OPENING: Duration = Duration::from_secs(10);
/// Time beyond the longest limit in which nothing need be heard.
const GRACE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(50);
/// Bounds one answer. *Units*: B.
const LONGEST: usize = 64 * 1024 * 1024;

/// Room for the rest of an answer. *Units*: B.
const SPARE: usize = 64 * 1024;

type Asks<'a> = Vec<(usize, &'a Ask)>;

impl Ssh {
    /// Answers asks by whatever can answer them.
    ///
    /// `free` is a number that none of them has.
    pub(super) fn answer(&self, asks: Asks<'_>, free: usize, cancel: &Cancel, hear: Hear<'_>) {
        let mut rest = asks;
        let mut tool = None;
        if rest.iter().any(|(_, ask)| measures(ask)) {
            match self.tool(cancel) {
                Ok(found) => {
                    rest.retain(|(at, ask)| match found.refusal(ask) {
                        Some(failure) => {
                            hear(*at, Captured::Failed(failure), Duration::ZERO);
                            false
                        }
                        None => true,
                    });
                    tool = Some(found);
                }
                Err(failure) => {
                    let all = failure.kind.is_of_the_link();
                    let (lost, others): (Asks<'_>, Asks<'_>) =
                        rest.into_iter().partition(|(_, ask)| all || measures(ask));
                    refuse(&lost, &failure, hear);
                    rest = others;
                }
            }
        }
        let states = rest.iter().filter(|(_, ask)| !measures(ask)).count();
        if states >= FEW
            && let Some(gatherer) = self.gatherer(cancel)
        {
            let wanted: Asks<'_> = rest.iter().copied().filter(|(_, ask)| !measures(ask)).collect();
            let answered = self.served(&gatherer, &wanted, cancel, hear);
            if answered.len() < wanted.len() {
                // Once is enough: the shell answers the batches to come.
                self.staging.known().broken = true;
            }
            rest.retain(|(at, _)| !answered.contains(at));
        }
        self.by_shell(&rest, free, tool.as_ref(), cancel, hear);
    }

    /// Has the shell answer; a first batch brings a look at the node on the way.
    fn by_shell(
        &self,
        asks: &[(usize, &Ask)],
        free: usize,
        tool: Option<&Tool>,
        cancel: &Cancel,
        hear: Hear<'_>,
    ) {
        let look = look::ask(true, self.staging.sudo);
        let several = !matches!(*self.master(), Master::Without);
        // Where one exchange is all there is, nobody comes back to use it.
        let several = several && !self.gate.is_crowded();
        let wanted = several && asks.len() >= FEW && self.staging.gathers;
        // Those for files stand together, so that one program reads them. The look comes before
        // the last of the others: who waits for those knows by then what is there.
        let (mut all, others): (Asks<'_>, Asks<'_>) =
            asks.iter().copied().partition(|(_, ask)| reader::reads(ask));
        let known = self.staging.known();
        if wanted && known.look.is_none() && !known.broken {
            all.push((free, &look));
        }
        drop(known);
        all.extend(others);
        let mut hear = |at: usize, captured: Captured, elapsed: Duration| match (at, captured) {
            (at, Captured::Exec { stdout, .. }) if at == free => {
                self.staging.known().look = Some(look::read(&stdout.text));
            }
            // A look that hangs is not asked for again on the way.
            (at, _) if at == free => self.staging.known().broken = true,
            (at, captured) => {
                let ask = asks.iter().find(|(known, _)| *known == at).map(|(_, ask)| *ask);
                let captured = match (tool, ask) {
                    (Some(tool), Some(ask)) => tool.settled(ask, captured),
                    _ => captured,
                };
                hear(at, captured, elapsed);
            }
        };
        self.converse(&all, tool, cancel, &mut hear);
    }

    /// Returns a program that answers batches, where one is known to be there.
    fn gatherer(&self, cancel: &Cancel) -> Option<Tool> {
        if !self.staging.gathers || cancel.requested() {
            return None;
        }
        let look = {
            let known = self.staging.known();
            match &known.tool {
                _ if known.broken => return None,
                Some(tool) => return tool.clone().ok().filter(|tool| tool.gathers),
                None => known.look.clone()?,
            }
        };
        let is_kept = || {
            let best = self.staging.payloads.for_triples(look.triples()).into_iter().next();
            let digest = best.and_then(|payload| payload.digest().ok());
            digest.is_some_and(|(digest, _)| look.kept.contains(&digest))
        };
        let installed = look.usable().is_some();
        let there = if installed { look.gathers() } else { !look.kept.is_empty() && is_kept() };
        if there { self.tool(cancel).ok().filter(|tool| tool.gathers) } else { None }
    }

    /// Has the program answer; returns what it answered.
    fn served(
        &self,
        tool: &Tool,
        asks: &[(usize, &Ask)],
        cancel: &Cancel,
        hear: Hear<'_>,
    ) -> BTreeSet<usize> {
        let nonce = nonce();
        let document = Document {
            protocol: PROTOCOL.to_owned(),
            nonce: nonce.clone(),
            mark: self.mark.clone(),
            asks: asks.iter().map(|(at, ask)| (*at, (*ask).clone())).collect(),
        };
        let Ok(json) = serde_json::to_string(&document) else { return BTreeSet::new() };
        let Ok(argv) = self.carried(cancel).and_then(|own| self.argv(&own)) else {
            return BTreeSet::new();
        };
        let entry = self.entry(cancel);
        let input = Input::new(start(&nonce, &self.mark, tool), Then::Text(json + "\n"));
        let Ok(running) = Running::start(LINE, &argv, input) else { return BTreeSet::new() };
        let mut talk = Talk {
            cutter: Cutter::new(&nonce),
            waiting: asks.iter().copied().collect(),
            answered: BTreeSet::new(),
            open: None,
            through: false,
            entry,
        };
        talk.listen(running, cancel, hear);
        talk.answered
    }
}

fn measures(ask: &Ask) -> bool {
    matches!(ask, Ask::Instrument { .. })
}

/// Writes the script that becomes the program, which reads what follows the script.
fn start(nonce: &str, mark: &str, tool: &Tool) -> String {
    let (folders, variable) = (script::folders(), stray::VARIABLE);
    let path = script::quoted(&tool.path);
    format!(
        "main() {{\nPATH=$PATH{folders}; export PATH\numask 077\nLC_ALL=C; export LC_ALL\n\
         {variable}='{mark}/gather'; export {variable}\n\
         printf '\\n%s r\\n' {nonce}\nexec {path} instrument gather\n}}\nmain\n"
    )
}

/// Holds what is known of one exchange with the program.
struct Talk<'a> {
    cutter: Cutter,
    waiting: BTreeMap<usize, &'a Ask>,
    answered: BTreeSet<usize>,
    open: Option<(usize, Vec<u8>)>,
    through: bool,
    /// Held until the node has let us in.
    entry: Option<Login>,
}

impl Talk<'_> {
    fn listen(&mut self, mut running: Running, cancel: &Cancel, hear: Hear<'_>) {
        let mut deadline = now() + OPENING;
        let mut closed = 0;
        while !self.through && closed < 2 && !cancel.requested() && now() < deadline {
            match running.heard().recv_timeout(TICK) {
                Ok((Side::Out, Some(bytes))) => {
                    let mut pieces = Vec::new();
                    self.cutter.push(&bytes, &mut |piece| pieces.push(piece));
                    if self.cutter.has_begun() && self.entry.take().is_some() | running.feed() {
                        deadline = now() + self.patience();
                    }
                    // Only a whole answer is a sign of life.
                    if pieces.iter().any(|piece| matches!(piece, Piece::End(..))) {
                        deadline = now() + self.patience();
                    }
                    if !pieces.into_iter().all(|piece| self.take(piece, hear)) {
                        return;
                    }
                }
                Ok((Side::Err, Some(_))) | Err(RecvTimeoutError::Timeout) => {}
                Ok((_, None)) => closed += 1,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Returns how long nothing need be heard.
    fn patience(&self) -> Duration {
        let limits = self.waiting.values().map(|ask| ask.limit_ms().unwrap_or(DEFAULT_LIMIT_MS));
        Duration::from_millis(limits.max().unwrap_or_default()) + GRACE
    }

    /// Takes a piece; tells whether it is one that may come.
    fn take(&mut self, piece: Piece, hear: Hear<'_>) -> bool {
        match piece {
            Piece::Begin(number) => self.open = Some((number, Vec::new())),
            Piece::Bytes(bytes) => {
                if let Some((number, held)) = &mut self.open {
                    held.extend_from_slice(&bytes);
                    let most = self.waiting.get(number).map_or(0, |ask| longest(ask));
                    return held.len() <= most;
                }
            }
            Piece::End(number, _) => {
                let Some((begun, held)) = self.open.take() else { return false };
                let Some(ask) = self.waiting.remove(&number).filter(|_| begun == number) else {
                    return false;
                };
                let Ok(mut answer) = serde_json::from_slice::<Answer>(&held) else { return false };
                unmark(&mut answer.captured);
                if fits(ask, &answer.captured) {
                    self.answered.insert(number);
                    hear(number, answer.captured, Duration::from_micros(answer.us));
                }
            }
            Piece::File(_) => return false,
            Piece::Through => self.through = true,
        }
        true
    }
}

/// Bounds the text of one answer by what was asked for; JSON may write a byte as six. *Units*: B.
fn longest(ask: &Ask) -> usize {
    let kept = match ask {
        Ask::Exec { cap, .. } => cap.saturating_mul(2),
        Ask::ReadFile { cap, .. } => *cap,
        Ask::Script { .. } => 2 * DEFAULT_CAP,
        _ => return LONGEST,
    };
    usize::try_from(kept.saturating_mul(6)).unwrap_or(LONGEST).saturating_add(SPARE).min(LONGEST)
}

/// Takes away what a node says of what was taken out: that is ours to say.
fn unmark(captured: &mut Captured) {
    match captured {
        Captured::Exec { stdout, stderr, .. } => {
            stdout.redacted = 0;
            stderr.redacted = 0;
        }
        Captured::File(file) => file.redacted = 0,
        Captured::Files(files) => {
            files
                .iter_mut()
                .filter_map(|(_, read)| read.as_mut().ok())
                .for_each(|f| f.redacted = 0);
        }
        _ => {}
    }
}

/// Tells whether it is an answer to such an ask. What is said of the link is never the node's word.
fn fits(ask: &Ask, captured: &Captured) -> bool {
    match (ask, captured) {
        (_, Captured::Failed(Failure { kind, .. })) => {
            !kind.is_of_the_link()
                && !matches!(
                    kind,
                    FailureKind::Interrupted | FailureKind::NotRecorded | FailureKind::NotSimulated
                )
        }
        (Ask::Exec { .. } | Ask::Script { .. }, Captured::Exec { .. })
        | (Ask::ReadFile { .. }, Captured::File(_))
        | (Ask::ReadFiles { .. }, Captured::Files(_))
        | (Ask::List { .. }, Captured::Listing(_))
        | (Ask::Stat { .. }, Captured::Stat { .. })
        | (Ask::Which { .. }, Captured::Found(_))
        | (Ask::Connect { .. }, Captured::Connected) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_fits_no_ask_is_none() {
        let failed = |kind| Captured::Failed(Failure::new(kind, ""));
        let file = Ask::file("/x");
        assert!(fits(&file, &Captured::File(verify_model::evidence::Stream::default())));
        assert!(fits(&file, &failed(FailureKind::NotFound)));
        for captured in [
            Captured::Connected,
            Captured::Listing(vec![]),
            failed(FailureKind::HostKeyChanged),
            failed(FailureKind::NotRecorded),
        ] {
            assert!(!fits(&file, &captured), "{captured:?}");
        }
    }
}
