//! What `sysctl` of macOS prints, asked for several names at once: `name: value`, a line each.
//!
//! A name that the kernel does not know is complained of on standard error and makes the exit
//! status 1, while all others are answered; so the status decides nothing. *Source*: sysctl(8) of
//! macOS; Apple's `system_cmds`, sysctl.c: `unknown oid`.

use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence},
    observation::AttemptError,
    value::Value,
};

use crate::probe::text_of;

/// Asks for several names at once.
pub(crate) fn ask(names: &[&str]) -> Ask {
    Ask::exec(["sysctl"].iter().chain(names).copied())
}

/// Returns the value of one name.
///
/// *Errors*: `Absent` where the kernel knows no such name, `Unreadable` where nobody could tell.
pub(crate) fn value<'e>(evidence: &'e Evidence, name: &str) -> Result<&'e str, Value> {
    let (stdout, stderr) = match &evidence.captured {
        // One unknown name among several gives status 1; a signal ended it before it had told all.
        Captured::Exec { exit: Some(_), stdout, stderr, .. } if stdout.truncated == 0 => {
            (stdout, stderr)
        }
        _ => return Err(Value::Unreadable(why(evidence))),
    };
    let said = |line: &'e str| line.strip_prefix(name)?.strip_prefix(": ").map(str::trim);
    match stdout.text.lines().find_map(said) {
        Some(value) if !value.is_empty() => Ok(value),
        Some(_) => Err(Value::Unreadable(format!("{name} is empty"))),
        None if stderr.text.contains(&format!("unknown oid '{name}'")) => {
            Err(Value::Absent(format!("the kernel knows no {name}")))
        }
        None => Err(Value::Unreadable(format!("{}: it does not tell {name}", evidence.ask))),
    }
}

/// Returns why the whole answer is missing, where it is: the program did not run.
pub(crate) fn missing(evidence: &Evidence) -> Option<AttemptError> {
    evidence.failure().and_then(|_| text_of(evidence).err())
}

fn why(evidence: &Evidence) -> String {
    text_of(evidence).err().map_or_else(|| format!("{}: no text", evidence.ask), |e| e.message)
}

#[cfg(test)]
mod tests {
    use verify_model::evidence::Stream;

    use super::*;

    #[test]
    fn one_unknown_name_takes_no_answer_from_the_others() {
        let evidence = Evidence {
            id: 0,
            node: "mac".to_owned(),
            ask: ask(&["hw.model", "hw.none"]),
            at_ms: 0,
            elapsed_us: 0,
            captured: Captured::Exec {
                exit: Some(1),
                signal: None,
                stdout: Stream::whole(b"hw.model: Mac16,11\nhw.modelname: x\nhw.empty: \n"),
                stderr: Stream::whole(b"sysctl: unknown oid 'hw.none'\n"),
            },
        };
        assert_eq!(value(&evidence, "hw.model"), Ok("Mac16,11"));
        assert!(matches!(value(&evidence, "hw.none"), Err(Value::Absent(_))));
        assert!(matches!(value(&evidence, "hw.other"), Err(Value::Unreadable(_))));
        assert!(matches!(value(&evidence, "hw.empty"), Err(Value::Unreadable(_))));
    }
}
