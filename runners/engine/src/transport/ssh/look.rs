//! What kind of machine a node is, and what of ours it has: one look, answered by its shell.
//!
//! Every line is read as a claim: what is not of the expected shape is left out. An installed
//! program counts only if it speaks our protocol; with root's rights only if nobody but root can
//! change it, up to the root of its file system.

use verify_model::ask::Ask;

use super::payload::{self, is_digest};

/// Names what an instrument prints and what gathers, as `verify instrument --protocol` says it.
pub const PROTOCOLS: &str = "verify-instrument/1 verify-gather/1";
/// Time for a look. *Units*: ms.
const LIMIT_MS: u64 = 10_000;
/// Bounds what a look brings. *Units*: B.
const CAP: u64 = 64 * 1024;

/// Finds the folder in which verify keeps what it copies: `$C`; empty where there is no home.
pub(super) const WHERE: &str = r#"C=
case ${XDG_CACHE_HOME:-} in
  /*) C=$XDG_CACHE_HOME/verify;;
  *) [ -n "${HOME:-}" ] && [ -d "$HOME" ] && C=$HOME/.cache/verify;;
esac
"#;

const SCRIPT: &str = r#"
echo "system $(uname -sm)"
echo "id $(id)"
L=none
for F in /lib/ld-musl-*; do [ -e "$F" ] && L=musl; done
for F in /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* /lib/*/ld-linux-*.so.*; do [ -e "$F" ] && L=gnu; done
echo "libc $L"
for D in "$C"/*; do [ -f "$D/verify" ] && echo "kept ${D##*/}"; done
V=$(command -v verify)
case $1$V in ask/*) echo "installed $V"; echo "protocol $("$V" instrument --protocol 2>/dev/null | head -n 1)";; esac
[ "$2" = sudo ] || exit 0
safe() {
  set -- "$1" $(ls -ldn -- "$1")
  [ "$4" = 0 ] || return 1
  case $2 in d????????[tT]*) ;; ?????w*|????????w*) return 1;; esac
}
W=$(readlink -f -- "$V") && echo "real $W"
while [ -n "$W" ]; do
  safe "$W" || { echo "unsafe $W"; exit 0; }
  [ "$W" = / ] && { echo safe; exit 0; }
  W=${W%/*}; W=${W:-/}
done
"#;

/// Holds what a node says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) system: String,
    pub(super) machine: String,
    pub(super) libc: String,
    /// Whether the account is root.
    pub(super) root: bool,
    pub(super) user: String,
    /// Hashes of what is kept there, unchecked.
    pub(super) kept: Vec<String>,
    /// The program that is installed, and the protocols that it claims.
    pub(super) installed: Option<(String, String)>,
    /// The installed program, links followed, where only root can change it; else what others can.
    pub(super) sudo: Option<Result<String, String>>,
}

impl Look {
    /// Returns what could run there.
    pub(super) fn triples(&self) -> &'static [&'static str] {
        payload::triples(&self.system, &self.machine, &self.libc)
    }

    /// Returns the installed program, if it speaks our protocol for instruments.
    pub(super) fn usable(&self) -> Option<&str> {
        let (path, protocol) = self.installed.as_ref()?;
        (protocol.split(' ').next() == PROTOCOLS.split(' ').next()).then_some(path)
    }

    /// Tells whether the installed program gathers, too.
    pub(super) fn gathers(&self) -> bool {
        self.installed.as_ref().is_some_and(|(_, protocol)| protocol == PROTOCOLS)
    }
}

/// Asks for a look; `ask` says whether an installed program is asked for its protocol.
pub(super) fn ask(ask: bool, sudo: bool) -> Ask {
    let words = [if ask { "ask" } else { "leave" }, if sudo { "sudo" } else { "user" }];
    let script = format!("{WHERE}{SCRIPT}");
    let argv = ["sh", "-c", &script, "look"].into_iter().chain(words);
    Ask::Exec { argv: argv.map(str::to_owned).collect(), env: vec![], limit_ms: LIMIT_MS, cap: CAP }
}

/// Reads what a look brought.
pub(super) fn read(text: &str) -> Look {
    let mut look = Look::default();
    let mut real = None;
    for line in text.lines() {
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        let is_path = rest.starts_with('/') && !rest.chars().any(char::is_control);
        match key {
            "system" => {
                let (system, machine) = rest.split_once(' ').unwrap_or((rest, ""));
                (look.system, look.machine) = (system.to_owned(), machine.to_owned());
            }
            "id" => (look.root, look.user) = account(rest),
            "libc" => rest.clone_into(&mut look.libc),
            "kept" if is_digest(rest) => look.kept.push(rest.to_owned()),
            "installed" if is_path => look.installed = Some((rest.to_owned(), String::new())),
            "protocol" => {
                if let Some((_, protocol)) = &mut look.installed {
                    rest.clone_into(protocol);
                }
            }
            "real" if is_path => real = Some(rest.to_owned()),
            "safe" => look.sudo = real.clone().map(Ok),
            "unsafe" => look.sudo = Some(Err(rest.to_owned())),
            _ => {}
        }
    }
    look
}

/// Reads `uid=0(root) gid=…`.
fn account(text: &str) -> (bool, String) {
    let first = text.split(' ').next().unwrap_or_default();
    let name = first.split_once('(').map_or("", |(_, name)| name.trim_end_matches(')'));
    (first.starts_with("uid=0(") || first == "uid=0", name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_the_expected_shape_is_left_out() {
        let digest = "a".repeat(64);
        let text = format!(
            "system Linux x86_64\nid uid=1000(lab) gid=1000(lab) groups=1000(lab)\nlibc gnu\n\
             kept {digest}\nkept ../../etc\nkept *\ninstalled relative\nprotocol x\n\
             installed /opt/a b/verify\nprotocol {PROTOCOLS}\nreal /opt/a b/verify\nunsafe /opt\nnonsense\n"
        );
        let look = read(&text);
        assert_eq!((look.root, look.user.as_str(), look.kept.len()), (false, "lab", 1));
        assert_eq!(look.usable(), Some("/opt/a b/verify"));
        assert!(look.gathers());
        assert_eq!(look.sudo, Some(Err("/opt".to_owned())));
        assert!(read("id uid=0(root) gid=0(root)\n").root);
        assert_eq!(read("\0\u{1b}[31m\nsystem\nsafe\n"), Look::default());
    }

    #[test]
    fn another_protocol_is_not_used() {
        for (said, usable, gathers) in [
            (PROTOCOLS, true, true),
            ("verify-instrument/1", true, false),
            ("verify-instrument/1 verify-gather/2", true, false),
            ("verify-instrument/2 verify-gather/1", false, false),
            ("", false, false),
        ] {
            let look = read(&format!("installed /usr/bin/verify\nprotocol {said}\n"));
            assert_eq!((look.usable().is_some(), look.gathers()), (usable, gathers), "{said}");
        }
    }
}
