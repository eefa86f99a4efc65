//! Writes asks as one `sh` script: what a POSIX shell with nothing installed can answer.
//!
//! The script goes to `/bin/sh -s` on standard input, so no login shell ever parses it. It frames
//! every answer on both of its streams by lines that begin with a nonce. Whatever comes from a
//! suite is quoted. The whole is one function: a shell has read all of it before it runs any, and
//! what is left of standard input tells a watchdog that the other end is gone; it ends the group. Where a
//! cable is cut nobody says so: then the time that the asks have together tells it.

use std::fmt::Write as _;

use verify_model::ask::{Ask, DEFAULT_LIMIT_MS};

use super::{
    super::{locate, stray},
    reader,
    tool::{Call, Tool},
};
use crate::script;

/// What every script begins with, after its nonce and the mark of its children.
const PRELUDE: &str = r#"umask 077
LC_ALL=C; export LC_ALL
exec 3<&0 </dev/null
d() { trap '' TERM; "$@"; kill -TERM 0; sleep 1; x; kill -KILL 0; }
d cat <&3 >/dev/null 2>&1 &
W=$!
exec 3<&-
b() { printf '\n%s b %s\n' "$N" "$1"; printf '\n%s b %s\n' "$N" "$1" >&2; }
e() { printf '\n%s e %s %s\n' "$N" "$I" "$1"; printf '\n%s e %s %s\n' "$N" "$I" "$1" >&2; }
w() {
  case $1 in */*) R=$1; [ -f "$R" ]; return;; esac
  O=$IFS; IFS=:
  for D in $PATH; do R=$D/$1; [ -f "$R" ] && [ -x "$R" ] && { IFS=$O; return 0; }; done
  IFS=$O; return 1
}
f() {
  if [ -d "$1" ]; then e folder; return; fi
  if [ -e "$1" ] && [ ! -f "$1" ]; then e special; return; fi
  head -c "$2" -- "$1"; e $?
}
g() {
  [ -d "$2" ] && [ -r "$2" ] || { ls -- "$2" >/dev/null; e $?; return; }
  C=$1; shift 2
  for F do
    [ -e "$F" ] || continue
    printf '\n%s f %s\n' "$N" "$F"; printf '\n%s f %s\n' "$N" "$F" >&2
    if [ -f "$F" ]; then head -c "$C" -- "$F"; else echo 'expected a file, found something else' >&2; fi
  done
  e 0
}
s() { stat -L -c '%F|%a|%u|%s' -- "$1" 2>/dev/null || stat -L -f '%HT|%Lp|%u|%z' -- "$1" 2>/dev/null || ls -d -- "$1"; e $?; }
"#;

/// Says how a script ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::transport) enum Last {
    /// With all that is left in its group, the watchdog included.
    #[default]
    Kill,
    /// By itself, where the carrier takes a task that was killed for one that gave no answer.
    Exit,
}

/// Says how a script is sent.
#[derive(Clone, Copy, Default)]
pub(in crate::transport) struct Manner<'t> {
    /// The program that measures there; without one, an instrument is asked of whatever `verify` is
    /// found.
    pub(in crate::transport) tool: Option<&'t Tool>,
    /// Whether no other script comes behind it: then it also ends what left its group.
    pub(in crate::transport) alone: bool,
    pub(in crate::transport) last: Last,
}

/// Writes the script for some asks, of which those for files are best the first; `ask` and its number
/// stand in every frame.
pub(in crate::transport) fn write(
    nonce: &str,
    mark: &str,
    asks: &[(usize, &Ask)],
    manner: Manner<'_>,
) -> String {
    let Manner { tool, alone, last } = manner;
    // The path comes first: the watchdog is a program, too.
    let mut text = format!("main() {{\nN={nonce}\nPATH=$PATH{}; export PATH\n", folders());
    let by_sudo = |ask| tool.is_some_and(|tool| matches!(tool.call(ask), Call::Sudo(_)));
    if asks.iter().any(|(_, ask)| by_sudo(ask)) {
        text.push_str("exec 5<&0\n");
    }
    // Whoever left the group is ended, too, when the other end is gone.
    let _ = writeln!(text, "x() {{ {}; }}", sweep(mark));
    text.push_str(PRELUDE);
    let is_program =
        |ask: &Ask| matches!(ask, Ask::Exec { .. } | Ask::Script { .. } | Ask::Instrument { .. });
    // Elsewhere the carrier has a limit of its own, and waits for all that was started.
    if last == Last::Kill && asks.iter().any(|(_, ask)| is_program(ask)) {
        let _ = writeln!(
            text,
            "d sleep {} </dev/null >/dev/null 2>&1 &",
            all_limits(asks).saturating_add(GRACE)
        );
    }
    text.push_str(reader::WORDS);
    let plain = |(number, ask): &(usize, &Ask)| {
        let marked = format!("{}={}", stray::VARIABLE, quoted(&format!("{mark}/{number}")));
        format!("I={number}; b $I\n{}\n", command(ask, &marked, tool))
    };
    let reads = asks.iter().take_while(|(_, ask)| reader::reads(ask)).count();
    let (files, others) = asks.split_at(reads);
    if !files.is_empty() {
        text.push_str(&reader::write(files, &files.iter().map(plain).collect::<String>()));
    }
    text.extend(others.iter().map(plain));
    if alone && asks.iter().any(|(_, ask)| is_program(ask)) {
        text.push_str("x >/dev/null 2>&1\n");
    }
    text.push_str("printf '\\n%s z\\n' \"$N\"; printf '\\n%s z\\n' \"$N\" >&2\n");
    text.push_str(match last {
        Last::Kill => "kill -KILL 0\n}\nmain\n",
        Last::Exit => "kill -KILL $W; exit 0\n}\nmain\n",
    });
    text
}

/// Time that a node gives the other end beyond all limits before it takes it for gone. *Units*: s.
const GRACE: u64 = 10;

/// Returns how long asks may take one after the other. *Units*: s.
pub(in crate::transport) fn all_limits(asks: &[(usize, &Ask)]) -> u64 {
    let limits = asks.iter().map(|(_, ask)| ask.limit_ms().unwrap_or(DEFAULT_LIMIT_MS));
    limits.fold(0_u64, u64::saturating_add).div_ceil(1000)
}

/// How often the processes of a node are looked at for what a run left: one that was told to end
/// may still be there, and may have started another before it heard.
const LOOKS: u32 = 5;

/// Writes what ends every process that a run left behind, and prints its name.
pub(in crate::transport) fn sweep(mark: &str) -> String {
    // The mark is of our own making, and nothing in it is special.
    let mark = format!("{}={mark}/", stray::VARIABLE);
    format!(
        "K={LOOKS}; D=; while [ $K -gt 0 ]; do K=$((K - 1)); S=; \
         for F in $(grep -a -l -F '{mark}' /proc/[0-9]*/environ 2>/dev/null); do \
         P=${{F#/proc/}}; P=${{P%/environ}}; [ \"$P\" = $$ ] && continue; S=1; \
         case \" $D \" in *\" $P \"*) ;; *) D=\"$D $P\"; cat /proc/$P/comm;; esac; kill -KILL $P; done; \
         [ \"$S\" ] || break; done"
    )
}

/// Returns what is added to the PATH of a node, for its shell.
pub(in crate::transport) fn folders() -> String {
    let usual = locate::USUAL.iter().map(|folder| format!(":{folder}"));
    let below =
        locate::BELOW.iter().map(|(name, folder)| format!("${{{name}:+:${name}/{folder}}}"));
    usual.chain(below).collect()
}

fn command(ask: &Ask, marked: &str, tool: Option<&Tool>) -> String {
    match ask {
        Ask::Exec { argv, env, .. } => {
            let (name, rest) = split(argv);
            run(&name, &rest, marked, env.iter().map(|(k, v)| (k.as_str(), v.as_str())), "")
        }
        Ask::Script { interpreter, name, args, .. } => {
            let source = script::find(name).map(script::Script::source).unwrap_or_default();
            let (name, rest) = split(&script::argv(interpreter, args));
            let input = format!("printf %s {} | ", quoted(&source));
            run(&name, &rest, marked, script::ENVIRONMENT.iter().copied(), &input)
        }
        Ask::ReadFile { path, cap } => {
            format!("f {} {}", quoted(path), cap.saturating_add(1))
        }
        Ask::ReadFiles { pattern, cap } => {
            let folder = quoted(folder_of(pattern));
            format!("g {} {folder} {}", cap.saturating_add(1), pattern_of(pattern))
        }
        // Two nodes answer that one; it is taken apart before it comes here.
        Ask::Between { .. } => "e absent".to_owned(),
        Ask::List { path } => format!("ls -1A -- {}; e $?", quoted(path)),
        Ask::Stat { path } => format!("s {}", quoted(path)),
        Ask::Which { tool } => {
            let tool = quoted(tool);
            format!("if w {tool}; then printf '%s\\n' \"$R\"; e 0; else e absent; fi")
        }
        Ask::Connect { host, port, .. } => {
            let open = r#"exec 3<>"/dev/tcp/$0/$1""#;
            let host = quoted(host);
            format!("if w bash; then \"$R\" -c '{open}' {host} {port}; e $?; else e no-bash; fi")
        }
        Ask::Echo { .. } => "e none".to_owned(),
        Ask::Instrument { argv, .. } => {
            let call = tool.map_or(Call::Plain("verify"), |tool| tool.call(ask));
            measure(&call, argv, marked)
        }
    }
}

/// Calls an instrument. Nobody may end what sudo runs: it ends when its standard input does, which
/// is that of the session.
fn measure(call: &Call<'_>, argv: &[String], marked: &str) -> String {
    let (words, input) = match *call {
        Call::Plain(path) => (vec![path, "instrument"], ""),
        Call::Sudo(path) => (vec!["sudo", "-n", "--", path, "instrument", "--lifeline"], " <&5"),
    };
    let words = words.into_iter().map(str::to_owned);
    let (name, rest) = split(&words.chain(argv.iter().cloned()).collect::<Vec<_>>());
    run(&name, &format!("{rest}{input}"), marked, std::iter::empty(), "")
}

fn split(argv: &[String]) -> (String, String) {
    let name = argv.first().map(|name| quoted(name)).unwrap_or_default();
    let mut rest = String::new();
    for word in argv.iter().skip(1) {
        let _ = write!(rest, " {}", quoted(word));
    }
    (name, rest)
}

/// Runs a program that is looked for first, so that "not installed" is told from its own 127.
fn run<'a>(
    name: &str,
    rest: &str,
    marked: &str,
    env: impl Iterator<Item = (&'a str, &'a str)>,
    input: &str,
) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut variables = String::new();
    for (key, value) in env.filter(|(key, _)| key.chars().all(plain)) {
        let _ = write!(variables, " {key}={}", quoted(value));
    }
    // A shell tells on standard error of a signal, but not of one that it waits for by number.
    format!(
        "if w {name}; then ( exec 4>&2 2>/dev/null; {input}{marked}{variables} \"$R\"{rest} 2>&4 4>&- & \
         wait $!; exit $? ); e $?; else e absent; fi"
    )
}

/// Quotes a text for `sh`: in single quotes nothing is special but the quote itself.
pub(in crate::transport) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Returns the folder in which the first star of a pattern stands.
pub(super) fn folder_of(pattern: &str) -> &str {
    let before = pattern.split('*').next().unwrap_or(pattern);
    before.rfind('/').map_or("/", |at| &before[..at.max(1)])
}

/// Quotes a pattern, but for its stars.
pub(super) fn pattern_of(pattern: &str) -> String {
    let parts: Vec<String> = pattern
        .split('*')
        .map(|part| if part.is_empty() { String::new() } else { quoted(part) })
        .collect();
    parts.join("*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_special_to_the_shell() {
        assert_eq!(quoted("a;b $(c) `d` \"e\""), "'a;b $(c) `d` \"e\"'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!((folder_of("/a/b/c*/d*"), folder_of("/*")), ("/a/b", "/"));
        assert_eq!(pattern_of("/sys/a b/*/x'*"), "'/sys/a b/'*'/x'\\'''*");
    }

    #[test]
    fn a_variable_whose_name_is_not_one_is_left_out() {
        let ask = Ask::Exec {
            argv: vec!["true".into()],
            env: vec![("A;id".into(), "1".into()), ("LC_ALL".into(), "C".into())],
            limit_ms: 1,
            cap: 1,
        };
        let text = write("n", "m", &[(0, &ask)], Manner::default());
        assert!(text.contains(" LC_ALL='C'") && !text.contains("id="), "{text}");
    }
}
