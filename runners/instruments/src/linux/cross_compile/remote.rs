//! Starts a program on another machine over ssh, where nothing of it stays.
//!
//! The program goes over standard input to a small script, which puts it into a folder of its own,
//! compares its size and digest, starts it with a time limit and removes the folder whatever
//! happens. Host keys are never taken on trust, and no connection stays open in the background.
//! What ssh and the script said is passed on as it stands.

use std::{fs::File, path::Path};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::linux::{
    compile::{Folder, ended, within},
    tool::{self, Setting},
};

/// Settings that go before those of the user's files.
const SETTINGS: &[&str] = &[
    "BatchMode=yes",
    // Unknown and changed keys end the connection, whatever the user's files say.
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "ConnectTimeout=10",
    "ConnectionAttempts=1",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=4",
    // A connection that others share would outlive this process.
    "ControlMaster=no",
    "ControlPath=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RequestTTY=no",
    "LogLevel=ERROR",
];

/// Longest time that the program may run there. *Units*: s.
const SECONDS: u32 = 20;

/// Commands of the script, which a login shell of any kind hands to `sh`: no quote of the one kind
/// and no line end stands in them. SIZE, DIGEST, SECONDS and ARGS are replaced.
const SCRIPT: &[&str] = &[
    "umask 077",
    // Programs may be forbidden in /tmp.
    r#"for t in "${TMPDIR:-/var/tmp}" /var/tmp /tmp; do d=$(mktemp -d "$t/verify-XXXXXXXX" 2> /dev/null) && break; done"#,
    r#"[ -n "$d" ] || { echo verify-remote folder; exit 0; }"#,
    r#"trap "rm -rf \"$d\"" EXIT"#,
    r#"trap "exit 1" HUP INT TERM PIPE"#,
    r#"cd "$d" || { echo verify-remote folder; exit 0; }"#,
    "head -c SIZE > program",
    "n=$(wc -c < program)",
    r#"[ "$n" -eq SIZE ] || { echo verify-remote size $n; exit 0; }"#,
    "s=$(sha256sum < program 2> /dev/null)",
    r#"[ -z "$s" ] || [ "${s%% *}" = DIGEST ] || { echo verify-remote digest; exit 0; }"#,
    "chmod 700 program",
    "command -v timeout > /dev/null || { echo verify-remote no-timeout; exit 0; }",
    // It leaves no core file and fills no disk; 512 or 1024 bytes each.
    "ulimit -c 0; ulimit -f 2048",
    "timeout -s KILL SECONDS ./program ARGS < /dev/null > out 2> err",
    "echo verify-remote exit $?",
    r#"head -c 4096 out | sed "s/^/verify-out /""#,
    "echo",
    r#"head -c 4096 err | sed "s/^/verify-err /""#,
];

/// Names another machine, and how it is reached.
pub(super) struct Target<'a> {
    pub(super) alias: &'a str,
    /// Configuration of ssh instead of the user's own.
    pub(super) config: Option<&'a str>,
}

/// Tells whether ssh takes a name as that of a host and not as an option or two words.
pub(super) fn is_alias(alias: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ':');
    !alias.is_empty() && alias.len() <= 255 && !alias.starts_with('-') && alias.chars().all(plain)
}

/// Tells whether a word is one to the shell as well.
pub(super) fn is_word(word: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '=' | '/' | ',');
    !word.is_empty() && word.chars().all(plain)
}

/// Starts a program there and says what ssh said.
pub(super) fn start(target: &Target<'_>, program: &Path, args: &[&str], folder: &Folder) -> Value {
    let unread =
        |error: std::io::Error| json!({ "unread": format!("{}: {error}", program.display()) });
    let bytes = match std::fs::read(program) {
        Ok(bytes) => bytes,
        Err(error) => return unread(error),
    };
    let input = match File::open(program) {
        Ok(input) => input,
        Err(error) => return unread(error),
    };
    let mut words: Vec<String> = Vec::new();
    if let Some(config) = target.config {
        words.extend(["-F", config].map(str::to_owned));
    }
    for setting in SETTINGS {
        words.extend(["-o", setting].map(str::to_owned));
    }
    words.extend(["-T", "--", target.alias].map(str::to_owned));
    words.push(command(&bytes, args));
    let said = tool::run_in("ssh", &words, Setting { input: Some(input), ..within(folder) });
    if said.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return json!({ "missing": "ssh" });
    }
    let mut found = ended(said);
    found["seconds-at-most"] = json!(SECONDS);
    found
}

fn command(bytes: &[u8], args: &[&str]) -> String {
    let digest = format!("{:x}", Sha256::digest(bytes));
    let args = [&[""], args].concat().join(" ");
    let script = SCRIPT.join("; ");
    let script = script
        .replace("SIZE", &bytes.len().to_string())
        .replace("DIGEST", &digest)
        .replace("SECONDS", &SECONDS.to_string())
        .replace(" ARGS", &args);
    format!("exec sh -c '{script}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_ssh_would_take_otherwise_is_none() {
        for good in ["linode", "user@host.example", "10.0.0.2", "::1", "a_b-c"] {
            assert!(is_alias(good), "{good}");
        }
        for bad in ["", "-oProxyCommand=x", "a b", "a;b", "a'b", "a\nb", "$(a)"] {
            assert!(!is_alias(bad), "{bad}");
            assert!(!is_word(bad) || bad.starts_with('-'), "{bad}");
        }
    }

    #[test]
    fn the_script_is_one_line_in_one_pair_of_quotes() {
        let command = command(b"abc", &["--version"]);
        assert_eq!(command.matches('\'').count(), 2, "{command}");
        assert!(!command.contains('\n') && !command.contains('!'), "{command}");
        assert!(
            command.contains("head -c 3 > program") && command.contains("./program --version <")
        );
        for word in ["SIZE", "DIGEST", "SECONDS", "ARGS"] {
            assert!(!command.contains(word), "{command}");
        }
        assert!(command.contains("ba7816bf"), "{command}");
    }
}
