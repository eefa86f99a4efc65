//! What a terminal shows while a run goes on, what is left of it, and what standard output gets.
//!
//! The command runs on a terminal of its own, made by `script`. What it wrote is set as a terminal sets it.

use std::{
    io::{Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use verify_reports::clean::{clean, width_of};

use crate::{
    ground::{ERRS, FAILS, Ground, PASSES, SKIPS, said, shell},
    pipe::{PATIENCE, Pipe},
};

/// Ends a command that does not end. *Units*: s.
const LIMIT: &str = "120";

/// Holds a command on a terminal.
struct Terminal {
    child: Child,
    input: ChildStdin,
    output: Receiver<String>,
    /// Everything that it wrote so far.
    seen: String,
}

impl Terminal {
    /// Starts the command; `None`, said aloud, where there is no `script`.
    fn start(ground: &Ground, args: &str, size: &str) -> Option<Self> {
        let from = ground.command(&[]);
        let program = from.get_program().to_str().unwrap();
        let line = format!("stty {size}; tty > tty; exec '{program}' {args}");
        std::fs::write(ground.path("start.sh"), line).unwrap();
        let mut command = Command::new("timeout");
        command.args([LIMIT, "script", "-qec", "sh start.sh", "/dev/null"]);
        command.current_dir(ground.path("")).env_clear();
        command.envs(from.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", "/usr/bin:/bin").env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR").env("VERIFY_HYPERLINKS", "never");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let there = Command::new("script").arg("--version").output();
        if !there.is_ok_and(|output| output.status.success()) {
            // Not `eprintln!`: what a passing test prints is swallowed.
            writeln!(std::io::stderr(), "skipped: needs script").unwrap();
            return None;
        }
        let mut child = command.spawn().unwrap();
        let (input, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, output) = channel();
        thread::spawn(move || {
            let (mut bytes, mut rest) = ([0; 4096], Vec::new());
            while let Ok(length) = out.read(&mut bytes) {
                rest.extend(&bytes[..length]);
                // A character may come in two parts.
                let whole = match std::str::from_utf8(&rest) {
                    Ok(text) => text.len(),
                    Err(error) => error.valid_up_to(),
                };
                let text: Vec<u8> = rest.drain(..whole).collect();
                if length == 0 || sender.send(String::from_utf8(text).unwrap()).is_err() {
                    break;
                }
            }
        });
        Some(Self { child, input, output, seen: String::new() })
    }

    /// Waits until all words were written, after the first `from` bytes.
    ///
    /// *Panics* when they do not come.
    fn until(&mut self, from: usize, words: &[&str]) {
        while !words.iter().all(|word| self.seen[from..].contains(word)) {
            let more = self.output.recv_timeout(PATIENCE);
            self.seen += &more.unwrap_or_else(|_| panic!("no {words:?} in\n{}", self.seen));
        }
    }

    fn press(&mut self, key: &str) {
        self.input.write_all(key.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Waits for the end; returns the exit code and what stands on the terminal.
    fn end(mut self) -> (Option<i32>, String) {
        while let Ok(more) = self.output.recv_timeout(PATIENCE) {
            self.seen += &more;
        }
        let code = self.child.wait().unwrap().code();
        (code, screen(&self.seen))
    }
}

/// Sets what a program wrote as a terminal of endless height does that wraps no line.
///
/// *Panics* at a control sequence that nothing here should write.
fn screen(text: &str) -> String {
    let mut rows: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                rows.resize_with(rows.len().max(row + 1), Vec::new);
            }
            '\u{1b}' => {
                assert_eq!(rest.next(), Some('['), "{text:?}");
                let mut number = String::new();
                let end = loop {
                    match rest.next().unwrap() {
                        end if end.is_ascii_alphabetic() => break end,
                        other => number.push(other),
                    }
                };
                match end {
                    'A' => row = row.saturating_sub(number.parse().unwrap()),
                    'K' => rows[row].truncate(column),
                    'J' => {
                        rows[row].truncate(column);
                        rows.truncate(row + 1);
                    }
                    'm' => {}
                    _ => panic!("{number:?}{end:?} in {text:?}"),
                }
            }
            other => {
                let line = &mut rows[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = other;
                column += 1;
            }
        }
    }
    let lines = rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Makes a ground on which `a/reads` passes, `b/long` does not end, and `c/after` waits for it.
fn with_a_long_check() -> (Ground, Pipe) {
    let ground = Ground::empty();
    let pipe = Pipe::new(&ground, "pipe");
    let line = format!("{} exec sleep 900", pipe.opened());
    let long = shell(&line, "limit = \"900 s\"\nexpect = { exit-code = 0 }");
    let long = long.replace("with = {", "with = { effect = \"loads\",");
    let after = format!("after = [\"b/long\"]\n{PASSES}");
    ground.suite("things", &[("a/reads", PASSES), ("b/long", &long), ("c/after", &after)]);
    (ground, pipe)
}

#[test]
fn the_view_shows_what_runs_and_leaves_nothing_on_a_resized_terminal_after_ctrl_c() {
    let (ground, pipe) = with_a_long_check();
    let Some(mut terminal) = Terminal::start(&ground, "--node box", "cols 80 rows 24") else {
        return;
    };
    pipe.line();
    terminal
        .until(0, &["s of 900 s", "b/long", "1 of 3 checks", " · 1 wait · ", "✓ pass", "a/reads"]);
    let wide = terminal.seen.len();
    let tty = std::fs::read_to_string(ground.path("tty")).unwrap();
    let resized = Command::new("stty").args(["-F", tty.trim(), "cols", "44", "rows", "9"]).status();
    assert!(resized.unwrap().success());
    terminal.until(wide, &[" ✓ 1\u{1b}", " | 0\u{1b}", "\u{1b}[J"]);
    let frame = terminal.seen.rsplit("\u{1b}[J").nth(1).unwrap();
    assert!(clean(frame).lines().all(|line| width_of(line) < 44), "{frame}");
    terminal.press("\u{3}");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(130), "{screen}");
    pipe.ends();
    for gone in ["━", "─", "▸", "of 900 s", "wait · ", "\u{7}"] {
        assert!(!screen.contains(gone), "`{gone}` is left on\n{screen}");
    }
    assert!(screen.contains("pass     a/reads") && screen.contains("The run was interrupted"));
    assert!(screen.contains("record: "), "{screen}");
}

#[test]
fn a_run_on_a_terminal_ends_with_the_report_and_nothing_else() {
    let ground = Ground::with(&[("a/one", PASSES), ("b/two", FAILS)]);
    let Some(terminal) = Terminal::start(&ground, "--node box", "cols 80 rows 24") else { return };
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(1), "{shown}");
    let report = said(ground.command(&["judge", "last"]).env("VERIFY_HYPERLINKS", "never")).out;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let shown: Vec<&str> = shown.lines().filter(|line| !line.starts_with("record: ")).collect();
    assert_eq!(words(&shown.join("\n")), words(&report));
}

#[test]
fn lines_stand_where_there_is_no_terminal_and_no_control_sequence_does() {
    let checks = [("a/one", PASSES), ("b/two", FAILS), ("c/three", ERRS), ("d/four", SKIPS)];
    let ground = Ground::with(&checks);
    let quiet = ground.run(&["--color", "auto"]).exits(1);
    assert!(!format!("{}{}", quiet.out, quiet.err).contains('\u{1b}'));
    let lines: Vec<&str> = quiet.err.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "fail b/two: exists: no expected, yes observed");
    assert!(lines[1].starts_with("error c/three: ") && lines[2].starts_with("record: "));
    let all = ground.run(&["--verbose", "--color", "always"]).exits(1);
    assert!(!all.err.contains('\u{1b}') && all.out.contains("\u{1b}[36m"));
    all.complains(&["pass a/one fail b/two", "skip d/four: "]);
}

#[test]
fn quiet_says_counts_and_verdict_and_what_needs_somebody() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    for args in [&["--quiet"][..], &["-q"]] {
        let said = ground.run(args).exits(0);
        assert_eq!(said.err, "");
        let counts =
            "counts    1 pass · 0 fail (0 waived) · 0 error · 0 skip · 0 unjudged · 0 blocked";
        assert_eq!(said.out, format!("{counts}\nThe one answered check passed. Exit code 0.\n"));
    }
    let ground = Ground::with(&[("a/one", PASSES), ("b/two", FAILS)]);
    let said = ground.run(&["-q"]).exits(1);
    assert!(!said.out.contains("a/one"), "{}", said.out);
    let said = said.says(&["✗ fail b/two on box: ", "next Fix of b/two.", "1 pass · 1 fail"]);
    assert!(said.out.ends_with("1 check failed on box. 1 check passed. Exit code 1.\n"));
    let lines: Vec<&str> = said.err.lines().collect();
    assert!(lines.len() == 1 && lines[0].starts_with("record: "), "{lines:?}");
    let judged = ground.say(&["judge", "last", "--quiet"]).exits(1);
    assert_eq!(judged.out, said.out);
    ground.run(&["-q", "-v"]).exits(2).complains(&["--quiet and --verbose exclude each other"]);
}

#[test]
fn a_format_has_standard_output_for_itself_byte_by_byte() {
    let ground = Ground::with(&[("a/one", PASSES), ("b/two", FAILS)]);
    let said = ground.run(&["--format", "junit", "--report", "junit=out.xml"]).exits(1);
    assert_eq!(said.out, std::fs::read_to_string(ground.path("out.xml")).unwrap());
    said.complains(&["fail b/two", "report: out.xml", "record: "]);
    let judged = ground.say(&["judge", "last", "--format", "junit", "-q"]).exits(1);
    assert_eq!(judged.out, std::fs::read_to_string(ground.path("out.xml")).unwrap());
    let from_variable =
        crate::ground::said(ground.command(&["judge", "last"]).env("VERIFY_FORMAT", "junit"));
    assert_eq!(from_variable.out, judged.out);
    ground.run(&["--format", "junti"]).exits(2).complains(&["unknown report format `junti`"]);
    assert_eq!(ground.records().len(), 1, "a wrong format is told before anything runs");
}

#[test]
fn the_format_of_a_report_is_known_by_its_ending_where_there_is_one_alone() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let specs = || verify_reports::FORMATS.iter().map(|format| format.spec());
    let alone =
        specs().find(|spec| specs().filter(|other| other.extension == spec.extension).count() == 1);
    let path = format!("deep/er/out.{}", alone.unwrap().extension);
    ground.run(&["--report", &path]).exits(0).complains(&[&format!("report: {path}")]);
    assert!(ground.path(&path).is_file());
    let records = ground.records().len();
    for (report, complaint) in [
        ("out.xml", "write `junit=out.xml` or `junit-strict=out.xml`"),
        ("out.zip", "--report takes FORMAT=PATH"),
        ("junit=", "name a file behind it, as `junit=PATH`"),
        ("junit=-", "for standard output, take `--format junit`"),
        ("junit=deep/", "it is a folder; name a file"),
    ] {
        ground.run(&["--report", report]).exits(2).complains(&[complaint]);
    }
    assert_eq!(ground.records().len(), records, "a slip is told before anything runs");
}

#[test]
fn paths_are_links_where_a_terminal_takes_them_and_their_text_is_the_same() {
    let ground = Ground::with(&[("b/two", FAILS)]);
    let run = |wanted: &str| {
        let mut command = ground.command(&["judge", "last", "--color", "never"]);
        said(command.env("VERIFY_HYPERLINKS", wanted)).out
    };
    let said = said(ground.command(&["--node", "box"]).env("VERIFY_HYPERLINKS", "always"));
    assert!(said.err.contains("record: \u{1b}]8;;file://"), "{:?}", said.err);
    let (plain, linked) = (run("auto"), run("always"));
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let place = "suites/things.toml:";
    let (_, rest) = linked.split_once("\u{1b}]8;;file://").unwrap();
    let (address, rest) = rest.split_once("\u{1b}\\").unwrap();
    assert!(address.ends_with("/suites/things.toml") && rest.starts_with(place), "{linked:?}");
    assert_eq!(clean(&linked), plain);
}

#[test]
fn nothing_that_is_listed_or_explained_is_wider_than_a_terminal() {
    let ground = Ground::with(&[("a/one", PASSES), ("b/two", FAILS), ("d/four", SKIPS)]);
    ground.run(&[]).exits(1);
    let mut pages: Vec<Vec<&str>> = vec![
        vec!["plan", "--node", "box"],
        vec!["doctor", "box"],
        vec!["runs"],
        vec!["--help"],
        vec!["-h"],
    ];
    let lists = ["nodes", "suites", "checks", "probes", "formats", "capabilities", "findings"];
    pages.extend(lists.map(|list| vec!["list", list]));
    let below = [
        "run",
        "test",
        "plan",
        "doctor",
        "list",
        "show",
        "explain",
        "health",
        "judge",
        "report",
        "baseline",
        "compare",
        "history",
        "learn",
        "runs",
        "completions",
        "man",
        "node",
        "instrument",
        "schema",
    ];
    pages.extend(below.map(|name| vec![name, "--help"]));
    for page in pages {
        let text = ground.say(&page).out;
        assert!(text.lines().count() > 0, "{page:?}");
        for line in text.lines() {
            // One word, such as a path, is not broken.
            let is_one_word = line.split_whitespace().count() <= 2;
            assert!(line.chars().count() <= 80 || is_one_word, "{page:?}: {line}");
        }
    }
}
