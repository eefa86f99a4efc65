//! Brings a program of ours to a node: looked for, copied once, checked by its hash, proved.
//!
//! A copy goes to a name of its own beside its place, is checked by size and hash there, must say
//! our protocol, and only then takes its place. What was there before is checked by its hash once
//! a run. Nothing that a node answers is run here, or becomes part of a path here.

use std::{
    fs::File,
    sync::{Mutex, MutexGuard, PoisonError},
};

use verify_model::{
    ask::Ask,
    evidence::{Captured, Failure, FailureKind},
};

use super::{
    super::{
        Cancel,
        shell::{
            exchange::{self, End},
            input::{Input, Then},
            nonce, script,
            tool::{Root, Tool},
        },
        stray,
    },
    LINE, Ssh,
    look::{self, Look, PROTOCOLS, WHERE},
    payload::{Payload, Payloads},
    refusal::{self, Refused},
};

/// Time for a copy. *Units*: ms.
const COPY_MS: u64 = 100_000;
/// Time for a check by hash. *Units*: ms.
const CHECK_MS: u64 = 30_000;
/// Bounds what checks and copies say. *Units*: B.
const CAP: u64 = 16 * 1024;

/// Shell functions: the hash of a file in `$X`, and whether a folder is the account's own.
const PARTS: &str = r#"digest() {
  if command -v sha256sum >/dev/null; then X=$(sha256sum < "$1"); X=${X%% *}
  elif command -v shasum >/dev/null; then X=$(shasum -a 256 < "$1"); X=${X%% *}
  elif command -v openssl >/dev/null; then X=$(openssl dgst -sha256 < "$1"); X=${X##* }
  else return 1; fi
}
own() { [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]; }
"#;

/// Checks what is kept: ends with 0 where it is what its name says, and nobody else can change it.
const CHECK: &str = r#"D=$C/$1; F=$D/verify
[ -n "$C" ] && own "$C" && own "$D" && [ -f "$F" ] && [ ! -L "$F" ] && [ -O "$F" ] || exit 10
for W in "$C" "$D" "$F"; do case $(ls -ld -- "$W") in ?????w*|????????w*) exit 10;; esac; done
digest "$F" || exit 10
[ "$X" = "$1" ] || exit 10
printf '%s\n' "$F"
"#;

/// Takes so many bytes from standard input, once it has said its first word.
const COPY: &str = r#"umask 077
LC_ALL=C; export LC_ALL
exec 3<&0 </dev/null
m() { printf '\n%s %s\n' "$N" "$1"; printf '\n%s %s\n' "$N" "$1" >&2; }
copy() {
  [ -n "$C" ] || return 2
  digest /dev/null || return 8
  D=$C/$H
  mkdir -p -- "$D" || return 3
  own "$C" && own "$D" || return 4
  chmod 700 "$C" "$D" || return 3
  find "$D" -name '.new-*' -mmin +10 -exec rm -f -- {} + 2>/dev/null
  T=$D/.new-$N
  head -c "$Z" <&3 > "$T" || return 3
  { trap '' TERM; cat <&3; kill -TERM 0; sleep 1; kill -KILL 0; } >/dev/null 2>&1 &
  [ "$(wc -c < "$T")" -eq "$Z" ] || return 5
  digest "$T" && [ "$X" = "$H" ] || return 6
  chmod 700 "$T" || return 3
  "$T" instrument --protocol || return 7
  mv -f -- "$T" "$D/verify" || return 3
  printf '%s\n' "$D/verify"
}
T=; D=
trap '[ -z "$T" ] || rm -f -- "$T"; rmdir -- "$D" "$C" 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM PIPE
m 'b 0'
copy; S=$?
[ -z "$T" ] || rm -f -- "$T"
[ $S = 0 ] || rmdir -- "$D" "$C" 2>/dev/null
m "e 0 $S"; m z
kill -KILL 0
"#;

/// Holds what a transport knows of the programs of ours on its node.
pub(super) struct Staging {
    pub(super) payloads: Payloads,
    pub(super) sudo: bool,
    /// Whether a whole batch may be answered by the program there.
    pub(super) gathers: bool,
    /// Held while a program is brought there: the others wait for it.
    bringing: Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
pub(super) struct Known {
    pub(super) look: Option<Look>,
    pub(super) tool: Option<Result<Tool, Failure>>,
    /// Whether a program there left a batch unanswered, or a look on the way did not end.
    pub(super) broken: bool,
}

impl Staging {
    pub(super) fn new() -> Self {
        Self {
            payloads: Payloads::default(),
            sudo: false,
            gathers: true,
            bringing: Mutex::default(),
            known: Mutex::default(),
        }
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ssh {
    /// Returns the program that measures on the node; brings it there where none is.
    ///
    /// *Errors*: there is none for such a machine, or it cannot be kept there.
    pub(super) fn tool(&self, cancel: &Cancel) -> Result<Tool, Failure> {
        let _one = self.staging.bringing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.staging.known().tool.clone() {
            return known;
        }
        let found = self.look(cancel).and_then(|look| self.found(&look, cancel));
        let passes = |failure: &Failure| {
            failure.kind.is_of_the_link() || failure.kind == FailureKind::Interrupted
        };
        if !found.as_ref().is_err_and(passes) {
            self.staging.known().tool = Some(found.clone());
        }
        found
    }

    /// Looks at the node, once.
    pub(super) fn look(&self, cancel: &Cancel) -> Result<Look, Failure> {
        if let Some(look) = self.staging.known().look.clone() {
            return Ok(look);
        }
        let mut captured = self.one(&look::ask(true, self.staging.sudo), cancel);
        if matches!(&captured, Captured::Failed(f) if f.kind == FailureKind::TimedOut) {
            // Another program of that name may wait for something.
            captured = self.one(&look::ask(false, self.staging.sudo), cancel);
        }
        let look = match captured {
            Captured::Exec { stdout, .. } => look::read(&stdout.text),
            Captured::Failed(failure) => return Err(failure),
            _ => Look::default(),
        };
        self.staging.known().look = Some(look.clone());
        Ok(look)
    }

    fn found(&self, look: &Look, cancel: &Cancel) -> Result<Tool, Failure> {
        let root = self.root(look);
        if let Some(path) = look.usable() {
            return Ok(Tool { path: path.to_owned(), gathers: look.gathers(), root });
        }
        let mut refused = Vec::new();
        for payload in self.staging.payloads.for_triples(look.triples()) {
            match self.brought(look, &payload, cancel) {
                Ok(path) => return Ok(Tool { path, gathers: true, root }),
                Err(Refused::Final(failure)) => return Err(failure),
                Err(Refused::Other(why)) => {
                    refused.push(format!("{}: {why}", payload.path.display()));
                }
            }
        }
        Err(refusal::none(look, &self.staging.payloads, &refused))
    }

    fn root(&self, look: &Look) -> Root {
        if !self.staging.sudo || look.root {
            return Root::Account;
        }
        match (&look.sudo, look.usable()) {
            (Some(Ok(path)), Some(_)) => Root::Sudo(path.clone(), look.user.clone()),
            (Some(Err(open)), Some(_)) => Root::Refused(refusal::open_to_others(open)),
            _ => Root::Refused(refusal::none_for_sudo(look)),
        }
    }

    /// Returns where a payload is kept over there; copies it where it is not there as it must be.
    fn brought(&self, look: &Look, payload: &Payload, cancel: &Cancel) -> Result<String, Refused> {
        let (digest, size) = payload.digest().map_err(|error| Refused::Other(error.to_string()))?;
        if look.kept.contains(&digest)
            && let Some(path) = self.checked(&digest, cancel)?
        {
            return Ok(path);
        }
        self.copied(payload, &digest, size, cancel)
    }

    /// Returns where something is kept over there, if it is what its name says.
    pub(super) fn checked(&self, digest: &str, cancel: &Cancel) -> Result<Option<String>, Refused> {
        let argv = ["sh", "-c", &format!("{WHERE}{PARTS}{CHECK}"), "check", digest];
        let argv = argv.map(str::to_owned).to_vec();
        let ask = Ask::Exec { argv, env: vec![], limit_ms: CHECK_MS, cap: CAP };
        match self.one(&ask, cancel) {
            Captured::Exec { exit: Some(0), stdout, .. } => Ok(kept_at(&stdout.text, digest)),
            Captured::Failed(failure) => Err(Refused::Final(failure)),
            _ => Ok(None),
        }
    }

    fn copied(
        &self,
        payload: &Payload,
        digest: &str,
        size: u64,
        cancel: &Cancel,
    ) -> Result<String, Refused> {
        let file = File::open(&payload.path).map_err(|error| Refused::Other(error.to_string()))?;
        let argv = self.carried(cancel).and_then(|own| self.argv(&own)).map_err(Refused::Final)?;
        let nonce = nonce();
        let input = Input::new(copy(&nonce, &self.mark, digest, size), Then::File(file, size));
        // What the script prints between its marks is read like the output of a program.
        let ask = Ask::Exec { argv: vec![], env: vec![], limit_ms: COPY_MS, cap: CAP };
        let mut captured = None;
        let mut hear = |_, found, _| captured = Some(found);
        let sent = exchange::Sent {
            line: LINE,
            argv: &argv,
            nonce: &nonce,
            input,
            asks: &[(0, &ask)],
            entry: self.entry(cancel),
        };
        let (end, _) = exchange::run(sent, cancel, &mut hear);
        let said = captured.ok_or_else(|| refusal::unheard(end))?;
        let Captured::Exec { exit, stdout, stderr, .. } = said else {
            return Err(refusal::late(said, size));
        };
        let last = stdout.text.lines().last().unwrap_or_default();
        let proved = stdout.text.lines().next() == Some(PROTOCOLS);
        match (exit, kept_at(last, digest)) {
            (Some(0), Some(path)) if proved => Ok(path),
            (Some(0), _) => Err(Refused::Other("it speaks another protocol".to_owned())),
            _ => Err(refusal::of_copy(exit, &stderr.text)),
        }
    }
}

/// Reads where something is kept: a path that ends as it must.
fn kept_at(said: &str, digest: &str) -> Option<String> {
    let path = said.trim_end_matches('\n');
    let ends = path.ends_with(&format!("/verify/{digest}/verify"));
    (path.starts_with('/') && ends && !path.chars().any(char::is_control)).then(|| path.to_owned())
}

/// Writes the script that takes a copy.
fn copy(nonce: &str, mark: &str, digest: &str, size: u64) -> String {
    let (folders, variable) = (script::folders(), stray::VARIABLE);
    format!(
        "main() {{\nN={nonce}; H={digest}; Z={size}\nPATH=$PATH{folders}; export PATH\n\
         {variable}='{mark}/stage'; export {variable}\n{WHERE}{PARTS}{COPY}}}\nmain\n"
    )
}

/// Says that an exchange was not answered, where that passes by itself.
pub(super) fn of_end(end: End) -> Failure {
    match end {
        End::Broken(failure) | End::Crowded(failure) => failure,
        End::Interrupted => Failure::new(FailureKind::Interrupted, "the run was interrupted"),
        End::Through | End::TimedOut => {
            Failure::new(FailureKind::ConnectionLost, "an answer is missing")
        }
    }
}
