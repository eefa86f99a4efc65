//! Answers to which machines the node can log in by ssh with a key alone, and why not to others.
//!
//! ssh runs as the user has set it up, but asks nobody and takes no key of a host on trust: a peer
//! is reached where `true` ran there and ended well. A second call without any way to prove who is
//! there lists the ways that the server would take, so that passwords still offered show; a server
//! that lets that call in is open. Addresses and user names stay out of the answer.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    gathered::Gathered,
    parse::ssh,
    probe::{
        ParamKind, ParamSpec, Probe, ProbeSpec, With, code_of, failed, field, gather_error, texts,
    },
};

pub(super) struct SshLogin;

/// Settings of every call: nobody is asked, nothing is forwarded, no master is left behind.
const SETTINGS: [&str; 12] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ControlMaster=no",
    "ControlPath=none",
    "LogLevel=INFO",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "RemoteCommand=none",
    "RequestTTY=no",
    "PermitLocalCommand=no",
];
const BY_KEY: &str = "PreferredAuthentications=publickey";
const BY_NOTHING: &str = "PreferredAuthentications=none";
/// Connecting has 10 s, and a slow start file some more. *Units*: ms.
const LIMIT_MS: u64 = 25_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: "ssh-login",
    summary: "To which machines the node can log in by ssh with a key alone, and why not to others.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "peers",
            kind: ParamKind::Texts,
            required: true,
            doc: "Machines, as ssh knows them.",
        },
        ParamSpec {
            name: "ssh-config",
            kind: ParamKind::Text,
            required: false,
            doc: "Configuration of ssh instead of the user's own.",
        },
    ],
    fields: &[
        field("reached", texts, "ssh PEER true", "Peers where a command ran."),
        field(
            "unreached",
            texts,
            "ssh PEER true",
            "Peers where none ran: the name, the kind of trouble, and what ssh said.",
        ),
        field(
            "password-offered",
            texts,
            "ssh -o PreferredAuthentications=none",
            "Reached peers whose server still takes passwords.",
        ),
        field(
            "open",
            texts,
            "ssh -o PreferredAuthentications=none",
            "Peers that let in whoever comes.",
        ),
        field(
            "unchecked",
            texts,
            "ssh -G",
            "Peers whose key the user's own settings do not check (`StrictHostKeyChecking no`).",
        ),
    ],
    example: r#"with = { peers = ["nvidia", "macmini"] }
expect = { unreached = { count = 0 }, open = { count = 0 } }"#,
};

impl Probe for SshLogin {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let peers = with.texts("peers");
        if peers.is_empty() || peers.len() > 64 {
            return Err("`peers` names 1 to 64 machines".to_owned());
        }
        if let Some(bad) = peers.iter().find(|peer| !ssh::is_alias(peer)) {
            return Err(format!("`{bad}` in `peers` is not the name of a host"));
        }
        let config = with.text("ssh-config");
        let calls = peers.into_iter().flat_map(|peer| {
            [login(config, BY_KEY, peer), login(config, BY_NOTHING, peer), settings(config, peer)]
        });
        Ok(calls.map(|argv| Ask::exec(argv).limited_to(LIMIT_MS)).collect())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let config = with.text("ssh-config");
        let mut found = Found::default();
        for peer in with.texts("peers") {
            let piece = |argv: &[String]| {
                gathered.program(&argv.iter().map(String::as_str).collect::<Vec<_>>())
            };
            let did = reached(piece(&login(config, BY_KEY, peer))?)?;
            let offer = piece(&login(config, BY_NOTHING, peer))?;
            found.unchecked.push((peer, checks(piece(&settings(config, peer))?)));
            match did {
                Ok(()) => {
                    found.reached.push(Value::text(peer));
                    found.offers.push((peer, offers(offer)));
                }
                Err(why) => found.unreached.push(Value::Text(format!("{peer}: {why}"))),
            }
        }
        Ok(found.observation())
    }
}

fn call(config: Option<&str>, rest: &[&str]) -> Vec<String> {
    let own = config.into_iter().flat_map(|path| ["-F", path]);
    ["ssh"].into_iter().chain(own).chain(rest.iter().copied()).map(str::to_owned).collect()
}

fn login(config: Option<&str>, how: &str, peer: &str) -> Vec<String> {
    let settings = SETTINGS.iter().chain([&how]).flat_map(|setting| ["-o", setting]);
    let words: Vec<&str> =
        ["-T", "-n"].into_iter().chain(settings).chain(["--", peer, "true"]).collect();
    call(config, &words)
}

fn settings(config: Option<&str>, peer: &str) -> Vec<String> {
    call(config, &["-G", "--", peer])
}

/// Tells whether a command ran there, or the kind of trouble and the words for it.
///
/// *Errors*: ssh itself did not run, or was ended by a signal, so that nobody was asked.
fn reached(evidence: &Evidence) -> Result<Result<(), String>, AttemptError> {
    let named = |code: FindingCode, words: &str| Ok(Err(format!("{}: {words}", code.row().name)));
    let (exit, stdout, stderr) = match &evidence.captured {
        Captured::Exec { exit: Some(exit), stdout, stderr, .. } => (*exit, stdout, stderr),
        Captured::Exec { signal, .. } => {
            let by = signal.map_or("something".to_owned(), |signal| format!("signal {signal}"));
            let what = format!("{}: ended by {by}, so that nobody was asked", evidence.ask);
            return Err(failed(FindingCode::ProgramFailed, what));
        }
        Captured::Failed(failure) => return Err(gather_error(evidence, failure)),
        _ => {
            return Err(failed(
                FindingCode::OutputUnreadable,
                format!("{}: no answer", evidence.ask),
            ));
        }
    };
    if exit == 0 {
        return Ok(Ok(()));
    }
    if exit == 255
        && let Some(trouble) = ssh::trouble(&stderr.text)
    {
        return named(code_of(trouble.kind, false), &trouble.message);
    }
    let mut said = stderr.text.lines().chain(stdout.text.lines()).map(str::trim);
    let line = said.find(|line| !line.is_empty()).unwrap_or("without a word");
    match exit {
        255 => named(FindingCode::ProgramFailed, line),
        // ssh has other troubles by 255: this one is of the shell, which ran no `true`.
        _ => named(FindingCode::ShellBroken, line),
    }
}

/// Holds what a server takes from somebody who proves nothing.
enum Offer {
    /// It let the call in.
    Open,
    Methods(Vec<String>),
}

fn offers(evidence: &Evidence) -> Result<Offer, String> {
    let Captured::Exec { exit, stderr, .. } = &evidence.captured else {
        return Err(format!("{}: no answer", evidence.ask));
    };
    if *exit == Some(0) {
        return Ok(Offer::Open);
    }
    let list =
        stderr.text.rsplit_once("Permission denied (").and_then(|(_, rest)| rest.split_once(')'));
    let (list, _) = list.ok_or_else(|| format!("{}: it lists no ways", evidence.ask))?;
    Ok(Offer::Methods(list.split(',').map(|word| word.trim().to_owned()).collect()))
}

/// Tells whether the user's settings check the key of a peer. *Source*: ssh(1), `-G`.
fn checks(evidence: &Evidence) -> Result<bool, String> {
    let Captured::Exec { exit: Some(0), stdout, .. } = &evidence.captured else {
        return Err(format!("{}: no answer", evidence.ask));
    };
    let mut lines = stdout.text.lines();
    let word = lines.find_map(|line| line.strip_prefix("stricthostkeychecking "));
    let word = word.ok_or_else(|| format!("{}: it tells no such setting", evidence.ask))?;
    Ok(!matches!(word.trim(), "no" | "off" | "false"))
}

/// Collects what was found of each peer.
#[derive(Default)]
struct Found<'a> {
    reached: Vec<Value>,
    unreached: Vec<Value>,
    offers: Vec<(&'a str, Result<Offer, String>)>,
    unchecked: Vec<(&'a str, Result<bool, String>)>,
}

impl Found<'_> {
    fn observation(self) -> Observation {
        let password = |offer: &Offer| match offer {
            Offer::Open => false,
            Offer::Methods(all) => {
                all.iter().any(|way| way == "password" || way == "keyboard-interactive")
            }
        };
        let offered = those(&self.offers, password);
        let open = those(&self.offers, |offer| matches!(offer, Offer::Open));
        Observation::default()
            .fact("reached", Value::List(self.reached))
            .fact("unreached", Value::List(self.unreached))
            .fact("password-offered", offered)
            .fact("open", open)
            .fact("unchecked", those(&self.unchecked, |checks| !checks))
    }
}

/// Lists the peers of which something holds; one of which nobody knows makes the list unreadable.
fn those<T>(all: &[(&str, Result<T, String>)], holds: impl Fn(&T) -> bool) -> Value {
    let mut found = Vec::new();
    for (peer, answer) in all {
        match answer {
            Ok(answer) if holds(answer) => found.push(Value::text(*peer)),
            Ok(_) => {}
            Err(why) => return Value::Unreadable(why.clone()),
        }
    }
    Value::List(found)
}
