//! How the live view comes to a terminal and off it again.
//!
//! A frame is written over the last one, in one piece and only where something differs, at most five
//! times a second. The cursor waits on an empty line below, so that the `^C` of an interrupt and the prompt
//! of a shell stand on a line of their own. No line reaches the right edge; where a narrower terminal
//! wraps those that stand there, their rows are counted. The bars of `indicatif` fill each line up to the
//! edge, so such rows would stay: they do not serve here.

use std::{
    io::{IsTerminal, Write as _},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use verify_reports::clean;

use super::{
    board::Board,
    view::{self, Size},
};

/// Time between two frames.
const FRAME: Duration = Duration::from_millis(200);
/// What a terminal has that does not say.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// The view that stands on the terminal, for whoever says something meanwhile.
static SHOWN: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

/// Shows a board.
pub(crate) struct Live {
    shared: Arc<Shared>,
    drawing: Option<JoinHandle<()>>,
}

struct Shared {
    started: Instant,
    color: bool,
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Default)]
struct State {
    board: Board,
    /// The frame that stands on the terminal.
    frame: Vec<String>,
    /// Columns of the terminal when it was drawn.
    columns: usize,
    is_over: bool,
}

/// Tells whether standard error is a terminal that can take a line back.
pub(super) fn is_possible() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Writes a text above the view; tells whether there is one.
pub(crate) fn aside(text: &str) -> bool {
    let Some(shared) = shown() else { return false };
    let mut state = shared.lock();
    write(&format!("{}{}\r\n", state.erased(size().columns), text.replace('\n', "\r\n")));
    shared.draw(&mut state);
    true
}

/// Says in the view that the run is about to end; tells whether there is one.
pub(crate) fn interrupted() -> bool {
    let Some(shared) = shown() else { return false };
    let mut state = shared.lock();
    state.board.interrupted = true;
    shared.draw(&mut state);
    true
}

fn shown() -> Option<Arc<Shared>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
}

impl Live {
    #[allow(clippy::disallowed_methods, reason = "what a person watches is time; none is recorded")]
    pub(super) fn new(color: bool) -> Self {
        let (state, over) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { started: Instant::now(), color, state, over });
        Self { shared, drawing: None }
    }

    /// Changes the board.
    pub(super) fn with(&self, change: impl FnOnce(&mut Board, Duration)) {
        change(&mut self.shared.lock().board, self.shared.started.elapsed());
    }

    /// Begins to draw.
    pub(super) fn open(&mut self) {
        if self.drawing.is_some() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&shared);
        let drawing = std::thread::Builder::new().spawn(move || {
            let mut state = shared.lock();
            while !state.is_over {
                shared.draw(&mut state);
                let waited = shared.over.wait_timeout_while(state, FRAME, |state| !state.is_over);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        self.drawing = drawing.ok();
    }

    /// Takes the view off the terminal.
    pub(super) fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(drawing) = self.drawing.take() else { return };
        self.shared.lock().is_over = true;
        self.shared.over.notify_all();
        let _ = drawing.join();
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Weak::new();
        write(&self.shared.lock().erased(size().columns));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, state: &mut State) {
        let size = size();
        let frame = view::lines(&state.board, self.started.elapsed(), size, self.color);
        write(&state.drawn(frame, size.columns));
    }
}

impl State {
    /// Returns what brings a frame to the terminal, over the last one; nothing where it stands there.
    fn drawn(&mut self, frame: Vec<String>, columns: usize) -> String {
        if self.is_over || (frame == self.frame && columns == self.columns) {
            return String::new();
        }
        let mut out = up(self.rows(columns));
        for line in &frame {
            out.push_str(line);
            out.push_str("\u{1b}[K\r\n");
        }
        out.push_str("\u{1b}[J");
        (self.frame, self.columns) = (frame, columns);
        out
    }

    /// Returns what takes the frame off the terminal.
    fn erased(&mut self, columns: usize) -> String {
        let rows = self.rows(columns);
        self.frame.clear();
        if rows == 0 { String::new() } else { format!("{}\u{1b}[J", up(rows)) }
    }

    /// Counts the rows that the frame takes, wrapped where the terminal is narrower by now.
    fn rows(&self, columns: usize) -> usize {
        let rows =
            |line: &String| clean::width_of(&clean::clean(line)).div_ceil(columns.max(1)).max(1);
        self.frame.iter().map(rows).sum()
    }
}

fn up(rows: usize) -> String {
    if rows == 0 { "\r".to_owned() } else { format!("\r\u{1b}[{rows}A") }
}

fn write(out: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(out.as_bytes()).and_then(|()| stderr.flush());
}

fn size() -> Size {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(USUAL, |s| Size { columns: usize::from(s.ws_col), rows: usize::from(s.ws_row) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_frame_is_written_over_the_last_one_and_only_where_it_differs() {
        let mut state = State::default();
        assert_eq!(state.drawn(frame(&["a", "b"]), 80), "\ra\u{1b}[K\r\nb\u{1b}[K\r\n\u{1b}[J");
        assert_eq!(state.drawn(frame(&["a", "b"]), 80), "");
        assert_eq!(state.drawn(frame(&["c"]), 80), "\r\u{1b}[2Ac\u{1b}[K\r\n\u{1b}[J");
        assert_eq!(state.erased(80), "\r\u{1b}[1A\u{1b}[J");
        assert_eq!(state.erased(80), "");
    }

    #[test]
    fn rows_that_a_narrower_terminal_wraps_are_taken_off_too() {
        let mut state = State::default();
        state.drawn(frame(&["\u{1b}[1m0123456789\u{1b}[0m", "", "日本語"]), 80);
        assert_eq!(state.erased(5), "\r\u{1b}[5A\u{1b}[J");
    }
}
