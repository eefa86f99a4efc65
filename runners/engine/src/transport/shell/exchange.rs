//! Sends one script over one process of ssh or srun and hears the answers as they come.
//!
//! The limits are kept here: the clock of an ask starts with its first frame. Closing our end of
//! standard input is what ends the work over there, so a killed harness leaves nothing; ours here is
//! a process group of its own.

use std::{
    collections::VecDeque,
    io::Read,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    thread::Builder,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::process::{Pid, Signal, kill_process_group};
use verify_model::{
    ask::{Ask, DEFAULT_LIMIT_MS},
    evidence::{Captured, Failure, FailureKind},
};

use super::{
    super::{
        Cancel,
        ssh::Login,
        stray,
        warden::{self, Watched},
    },
    answer::{Answer, Side},
    frame::{Cutter, Piece},
    input::Input,
};

/// Says which program carries an exchange, and what its own words mean.
#[derive(Clone, Copy)]
pub(in crate::transport) struct Line {
    /// Name of the program.
    pub(in crate::transport) name: &'static str,
    /// Time until the first frame: being let in, start files of a login shell.
    pub(in crate::transport) opening: Duration,
    /// Names what it complained of; `None` where its words tell nothing.
    pub(in crate::transport) trouble: fn(&str) -> Option<Failure>,
    /// Tells whether it was turned away only for now.
    pub(in crate::transport) is_crowded: fn(&str) -> bool,
    /// Names the end of one that never said a first word, from its output and its complaints.
    pub(in crate::transport) of_silence: fn(&str, &str) -> Failure,
    /// Says that it ended in the middle, where it has no words for that itself.
    pub(in crate::transport) ended: &'static str,
    /// Time to end by itself after the last frame, before it is told to.
    pub(in crate::transport) leave: Duration,
    /// Time between TERM and KILL.
    pub(in crate::transport) grace: Duration,
}

/// Bounds what is held of answers that have begun and are not whole. *Units*: B.
const HELD: usize = 256 * 1024 * 1024;
/// Time that a script may take to end after its last frame.
const CLOSING: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(50);
/// Chunks of up to 64 KiB that wait to be read.
const QUEUE: usize = 64;
/// Bounds what is kept of the carrier's own words. *Units*: B.
pub(in crate::transport) const WORDS: usize = 16 * 1024;

/// Says how an exchange ended.
#[derive(Debug)]
pub(in crate::transport) enum End {
    /// Every ask was answered.
    Through,
    /// An ask was not answered in time, and that was heard; those after it were not begun.
    TimedOut,
    Interrupted,
    /// The server had too many logins at once.
    Crowded(Failure),
    /// Nobody was there, or the connection was lost; asks that were not answered have this reason.
    Broken(Failure),
}

/// Hears of each answer: its number, what was captured, and how long it took.
pub(in crate::transport) type Hear<'h> = &'h mut dyn FnMut(usize, Captured, Duration);

/// Holds what one exchange sends, and by what.
pub(in crate::transport) struct Sent<'a> {
    pub(in crate::transport) line: Line,
    pub(in crate::transport) argv: &'a [String],
    pub(in crate::transport) nonce: &'a str,
    pub(in crate::transport) input: Input,
    pub(in crate::transport) asks: &'a [(usize, &'a Ask)],
    /// Dropped with the first frame: the node has let us in.
    pub(in crate::transport) entry: Option<Login>,
}

/// Runs a script that answers these asks; tells how it ended, and whether it ever began over there.
pub(in crate::transport) fn run(sent: Sent<'_>, cancel: &Cancel, hear: Hear<'_>) -> (End, bool) {
    let Sent { line, argv, nonce, input, asks, entry } = sent;
    let running = match Running::start(line, argv, input) {
        Ok(running) => running,
        Err(error) => {
            let failure = Failure::new(FailureKind::Other, format!("{}: {error}", line.name));
            return (End::Broken(failure), false);
        }
    };
    let mut talk = Talk::new(line, nonce, asks, entry);
    let end = talk.listen(running, cancel, hear);
    (end, talk.cutters.iter().any(Cutter::has_begun))
}

/// Holds one process of the carrier and what is heard of it.
pub(in crate::transport) struct Running {
    child: Child,
    heard: Receiver<(Side, Option<Vec<u8>>)>,
    grace: Duration,
    /// What else goes to standard input, or that what is held back may go; dropped, it closes our end.
    say: Sender<String>,
    holds_back: bool,
    _watched: Option<Watched>,
}

impl Running {
    #[allow(clippy::disallowed_methods, reason = "the transport starts ssh and srun")]
    pub(in crate::transport) fn start(
        line: Line,
        argv: &[String],
        input: impl Into<Input>,
    ) -> std::io::Result<Self> {
        let input = input.into();
        let (program, rest) = argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(program)
            .args(rest)
            .env("LC_ALL", "C")
            .env(stray::VARIABLE, warden::carriers())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let watched = pid.map(Watched::group);
        // Bounded: a node that floods what nobody reads is held up, and fills no memory.
        let (say, heard) = bounded(QUEUE);
        let (more, said) = bounded(1);
        let holds_back = input.holds_back();
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // Dropped, it ends what was started: also where no thread can be.
        let running =
            Self { child, heard, grace: line.grace, say: more, holds_back, _watched: watched };
        if let Some(stdin) = stdin {
            Builder::new().spawn(move || input.write(stdin, &said))?;
        }
        if let Some(stdout) = stdout {
            let say = say.clone();
            Builder::new().spawn(move || read(stdout, Side::Out, &say))?;
        }
        if let Some(stderr) = stderr {
            Builder::new().spawn(move || read(stderr, Side::Err, &say))?;
        }
        Ok(running)
    }

    /// Sends what follows the script, which runs by now; tells whether it did, which is once.
    pub(in crate::transport) fn feed(&mut self) -> bool {
        let held_back = std::mem::take(&mut self.holds_back);
        if held_back {
            self.say(String::new());
        }
        held_back
    }

    /// Writes more to standard input; where nobody reads it, that is heard as an end.
    pub(in crate::transport) fn say(&self, text: String) {
        let _ = self.say.send(text);
    }

    pub(in crate::transport) fn heard(&self) -> &Receiver<(Side, Option<Vec<u8>>)> {
        &self.heard
    }

    /// Tells whether the process has ended.
    pub(in crate::transport) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits so long for the process to end by itself.
    fn settle(&mut self, patience: Duration) {
        let until = now() + patience;
        let (_keep, never) = bounded::<()>(0);
        while !self.has_ended() && now() < until {
            let _ = never.recv_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // On TERM a master removes its socket.
        for signal in [Signal::TERM, Signal::KILL] {
            if self.has_ended() {
                return;
            }
            if let Some(pid) = pid {
                let _ = kill_process_group(pid, signal);
            }
            self.settle(self.grace);
        }
        let _ = self.child.wait();
    }
}

fn read(mut from: impl Read, side: Side, say: &Sender<(Side, Option<Vec<u8>>)>) {
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(length) if length > 0 => {
                if say.send((side, Some(buffer[..length].to_vec()))).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    let _ = say.send((side, None));
}

/// Holds what is known of one exchange.
struct Talk<'a> {
    line: Line,
    asks: &'a [(usize, &'a Ask)],
    cutters: [Cutter; 2],
    /// Answers that have begun and are not whole, oldest first: one stream may be ahead of the other.
    open: VecDeque<(usize, Answer<'a>, Instant)>,
    /// Which answer each stream is at.
    at: [Option<usize>; 2],
    /// How many answers each stream has ended.
    ended: [usize; 2],
    /// What the carrier says before and after the frames.
    words: Vec<u8>,
    answered: usize,
    through: [bool; 2],
    closed: [bool; 2],
    /// Held until the node has let us in.
    entry: Option<Login>,
}

impl<'a> Talk<'a> {
    fn new(line: Line, nonce: &str, asks: &'a [(usize, &'a Ask)], entry: Option<Login>) -> Self {
        Self {
            line,
            asks,
            cutters: [Cutter::new(nonce), Cutter::new(nonce)],
            open: VecDeque::new(),
            at: [None; 2],
            ended: [0; 2],
            words: Vec::new(),
            answered: 0,
            through: [false; 2],
            closed: [false; 2],
            entry,
        }
    }

    fn listen(&mut self, mut running: Running, cancel: &Cancel, hear: Hear<'_>) -> End {
        let mut deadline = now() + self.line.opening;
        loop {
            if cancel.requested() {
                return End::Interrupted;
            }
            if let Some((number, begun)) = self.open.front().map(|(n, _, begun)| (*n, *begun)) {
                deadline = begun + self.limit(number);
                if now() >= deadline {
                    // What is held back for a mark is its last words.
                    self.close(Side::Err);
                    self.close(Side::Out);
                    let last = self.open.front().and_then(|(_, answer, _)| answer.last_line());
                    hear(number, self.timed_out(number, last), begun.elapsed());
                    return End::TimedOut;
                }
            } else if now() >= deadline {
                return self.silent(&mut running);
            }
            match running.heard().recv_timeout(TICK.min(deadline.saturating_duration_since(now())))
            {
                Ok((side, Some(bytes))) => {
                    if self.take(side, &bytes, hear) {
                        deadline = now() + CLOSING;
                    }
                    if self.cutters[0].has_begun() {
                        running.feed();
                    }
                }
                Ok((side, None)) => self.close(side),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.closed = [true; 2],
            }
            if self.open.iter().map(|(_, answer, _)| answer.held()).sum::<usize>() > HELD {
                let message = "it said more than is kept before any of it was whole";
                return End::Broken(Failure::new(FailureKind::Other, message));
            }
            if self.through == [true; 2] {
                running.settle(self.line.leave);
                return End::Through;
            }
            if self.closed == [true; 2] {
                return self.lost();
            }
        }
    }

    fn limit(&self, number: usize) -> Duration {
        let ask = self.asks.iter().find(|(known, _)| *known == number);
        let ms = ask.and_then(|(_, ask)| ask.limit_ms()).unwrap_or(DEFAULT_LIMIT_MS);
        Duration::from_millis(ms)
    }

    fn timed_out(&self, number: usize, last: Option<String>) -> Captured {
        let ms = self.limit(number).as_millis();
        let said = last.map_or_else(String::new, |line| format!("; its last line was: {line}"));
        let message = format!("no end within {ms} ms, ended with its children{said}");
        Captured::Failed(Failure::new(FailureKind::TimedOut, message))
    }

    /// Takes bytes of one stream; tells whether an answer is whole now.
    fn take(&mut self, side: Side, bytes: &[u8], hear: Hear<'_>) -> bool {
        let at = usize::from(side == Side::Err);
        if side == Side::Err && !self.cutters[at].has_begun() {
            self.keep(bytes);
        }
        let mut pieces = Vec::new();
        self.cutters[at].push(bytes, &mut |piece| pieces.push(piece));
        let before = self.answered;
        for piece in pieces {
            self.piece(side, piece, hear);
        }
        self.answered > before
    }

    fn piece(&mut self, side: Side, piece: Piece, hear: Hear<'_>) {
        if self.through[usize::from(side == Side::Err)] {
            return;
        }
        match piece {
            Piece::Begin(number) => self.begin(side, number),
            Piece::File(path) => {
                if let Some((_, answer, _)) = self.current(side) {
                    answer.file(side, path);
                }
            }
            Piece::Bytes(bytes) => match self.current(side) {
                Some((_, answer, _)) => answer.push(side, &bytes),
                None if side == Side::Err => self.keep(&bytes),
                None => {}
            },
            Piece::End(number, how) => {
                let stream = usize::from(side == Side::Err);
                if self.at[stream] != Some(number) {
                    return;
                }
                self.at[stream] = None;
                self.ended[stream] += 1;
                let open = self.open.iter_mut().find(|(open, ..)| *open == number);
                let whole = open.is_some_and(|(_, answer, _)| answer.end(side, how));
                // Both streams give their answers in one order, so the oldest is whole first.
                if whole && let Some((number, answer, begun)) = self.open.pop_front() {
                    self.answered += 1;
                    hear(number, answer.captured(), begun.elapsed());
                }
            }
            Piece::Through => self.through[usize::from(side == Side::Err)] = true,
        }
    }

    /// Begins an answer where it is the next one of its stream; anything else is not ours. A node that
    /// begins it twice gets no second limit.
    fn begin(&mut self, side: Side, number: usize) {
        let stream = usize::from(side == Side::Err);
        let Some((next, ask)) = self.asks.get(self.ended[stream]) else { return };
        if *next != number || self.at[stream].is_some() {
            return;
        }
        self.entry = None;
        self.at[stream] = Some(number);
        match self.open.iter_mut().find(|(open, ..)| *open == number) {
            // Complaints may be ahead by many asks: the clock of one starts with its output.
            Some((_, _, begun)) if side == Side::Out => *begun = now(),
            Some(_) => {}
            None => self.open.push_back((number, Answer::new(ask), now())),
        }
    }

    fn current(&mut self, side: Side) -> Option<&mut (usize, Answer<'a>, Instant)> {
        let number = self.at[usize::from(side == Side::Err)]?;
        self.open.iter_mut().find(|(open, ..)| *open == number)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = WORDS.saturating_sub(self.words.len()).min(bytes.len());
        self.words.extend_from_slice(&bytes[..room]);
    }

    fn close(&mut self, side: Side) {
        let at = usize::from(side == Side::Err);
        let mut rest = Vec::new();
        self.cutters[at].close(&mut |piece| rest.push(piece));
        for piece in rest {
            let Piece::Bytes(bytes) = piece else { continue };
            match self.current(side) {
                Some((_, answer, _)) => answer.push(side, &bytes),
                None if side == Side::Err => self.keep(&bytes),
                None => {}
            }
        }
        self.closed[at] = true;
    }

    /// Says why nothing was heard for so long.
    fn silent(&self, running: &mut Running) -> End {
        let _ = running.has_ended();
        if self.answered > 0 || self.cutters[0].has_begun() {
            let message = "nothing more was heard of the node";
            return End::Broken(Failure::new(FailureKind::ConnectionLost, message));
        }
        let seconds = self.line.opening.as_secs();
        let noise = self.cutters[0].noise();
        let message = format!("no answer within {seconds} s of the login; it said: {noise}");
        End::Broken(Failure::new(FailureKind::ShellBroken, message))
    }

    /// Says why the streams ended before the script was through.
    fn lost(&self) -> End {
        let said = String::from_utf8_lossy(&self.words).into_owned();
        let begun = self.cutters[0].has_begun() || self.cutters[1].has_begun();
        match (self.line.trouble)(&said) {
            Some(failure) if !begun && (self.line.is_crowded)(&said) => End::Crowded(failure),
            Some(failure) if begun => {
                End::Broken(Failure::new(FailureKind::ConnectionLost, failure.message))
            }
            Some(failure) => End::Broken(failure),
            None if !begun && (self.line.is_crowded)(&said) => {
                End::Crowded(Failure::new(FailureKind::LoginRefused, said.trim()))
            }
            None if begun => {
                End::Broken(Failure::new(FailureKind::ConnectionLost, self.line.ended))
            }
            None => End::Broken((self.line.of_silence)(&self.cutters[0].noise(), &said)),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "limits are kept by the clock of the transport")]
fn now() -> Instant {
    Instant::now()
}
