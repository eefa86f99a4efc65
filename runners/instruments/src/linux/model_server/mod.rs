//! A model server that speaks as that of `OpenAI`: started or found, made ready, loaded, and ended.
//!
//! What it says of itself is kept as it says it. What was started ends with all that it started,
//! whatever happens to this process, and whether nothing is left is looked at and said. What was
//! running already is never ended. Only this machine is spoken with, and nothing is judged.

mod asked;
mod completion;
mod event;
mod family;
mod framing;
mod gpu;
mod http;
mod keeper;
mod load;
mod log;
pub mod outside;
mod prometheus;
mod ready;

use std::{
    io::{self, PipeReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use self::{
    asked::{ARGUMENTS, Asked, Server},
    completion::{DIALECTS, Endpoint},
    keeper::{Keeper, Start},
    load::Amount,
    log::Log,
};
use super::compile::Folder;
use crate::{Arguments, Instrument};

pub(crate) const INSTRUMENT: Instrument = Instrument {
    name: "model-server",
    summary: "Starts a model server or finds one, waits until it is ready, loads it, and ends it.",
    arguments: ARGUMENTS,
    run,
};

/// Tokens of the completion during which the cards are looked at, and of the greedy one.
const WATCHED_TOKENS: u64 = 64;
const GREEDY_TOKENS: u64 = 32;
const GREEDY: &str = "The first ten prime numbers are";
/// How long the keeper may take beyond the grace to say how it ended.
const ENDING: Duration = Duration::from_secs(20);
/// How long what the server wrote may take to arrive once it has ended.
const WORDS: Duration = Duration::from_secs(2);
/// Prompts of different loads begin this far apart.
const APART: usize = 1000;

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let asked = Asked::read(given)?;
    Ok(match &asked.server {
        Server::Attach(address) => attached(&asked, *address),
        Server::Start { argv, port } => started(&asked, argv, *port),
    })
}

fn attached(asked: &Asked, address: SocketAddr) -> Value {
    let mut said = json!({ "mode": "attached", "address": address.to_string() });
    measure(asked, address, None, None, &mut said);
    said
}

fn started(asked: &Asked, argv: &[String], port: Option<u16>) -> Value {
    let mut said = json!({ "mode": "started" });
    let port = match free(port) {
        Ok(port) => port,
        Err(why) => {
            said["taken"] = json!(why);
            return said;
        }
    };
    let port_text = port.to_string();
    let argv: Vec<String> = argv.iter().map(|word| word.replace("{port}", &port_text)).collect();
    said["argv"] = json!(argv);
    said["port"] = json!(port);
    // Forks, and so comes before every thread. What is behind `_folder` goes when the keeper, which
    // holds its line as well, has ended.
    let (_folder, reader, mut keeper) = match kept(&argv, asked.grace) {
        Ok(begun) => begun,
        Err(why) => {
            said["unstarted"] = json!(why);
            return said;
        }
    };
    let others = gpu::busy(&gpu::ask(asked.nvml.as_deref()));
    if !others.is_empty() {
        // It would lack the memory that they hold, and each would disturb the other.
        said["others"] = json!(others);
        return said;
    }
    let log = Log::default();
    let heard = log.follow(reader);
    let words = words_of(&keeper);
    keeper.begin();
    match words.recv_timeout(ENDING) {
        Ok(first) if first["started"].is_u64() => {
            let server = first["started"].as_u64().and_then(|pid| u32::try_from(pid).ok());
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let family = server.zip(keeper.pid());
            measure(asked, address, Some(&words), family, &mut said);
            keeper.end();
            said["teardown"] = ended(&words, asked.grace, port);
        }
        Ok(first) => {
            said["unstarted"] = first["unstarted"].clone();
            said["missing"] = first["missing"].clone();
        }
        Err(_) => said["unstarted"] = json!("its keeper says nothing"),
    }
    drop(keeper);
    // Whoever could not be ended may hold the pipe for ever.
    let _ = heard.recv_timeout(WORDS);
    said["last-lines"] = json!(log.last());
    said["cause"] = json!(log.cause());
    said
}

/// Makes the keeper, and the folder for what its server writes for a while.
fn kept(argv: &[String], grace: Duration) -> Result<(Folder, PipeReader, Keeper), String> {
    let folder = Folder::make().map_err(|refusal| format!("no folder: {refusal}"))?;
    let (reader, log) = io::pipe().map_err(|error| format!("pipe: {error}"))?;
    let keeper = Keeper::start(Start { argv, log, folder: folder.path(), grace })?;
    Ok((folder, reader, keeper))
}

/// Finds a port that nobody listens on; a port that is given must be one.
#[allow(clippy::disallowed_methods, reason = "what is taken is known only by taking it")]
fn free(port: Option<u16>) -> Result<u16, String> {
    let found = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    let number = found.and_then(|listener| Ok(listener.local_addr()?.port()));
    number.map_err(|error| match port {
        Some(port) => {
            let who = family::listener(port).map(family::named);
            format!("port {port} is taken by {}: {error}", who.as_deref().unwrap_or("somebody"))
        }
        None => format!("no port is free: {error}"),
    })
}

/// Hears the keeper in a thread of its own.
fn words_of(keeper: &Keeper) -> Receiver<Value> {
    let (say, hear) = mpsc::channel();
    if let Ok(said) = keeper.said() {
        thread::spawn(move || {
            said.into_iter().take_while(|word| say.send(word.clone()).is_ok()).count()
        });
    }
    hear
}

/// Waits until the server is ended, and looks whether its port is free.
fn ended(words: &Receiver<Value>, grace: Duration, port: u16) -> Value {
    let mut said = loop {
        match words.recv_timeout(grace + ENDING) {
            Ok(word) if word.get("ended").is_some() => break word["ended"].clone(),
            Ok(_) => {}
            Err(_) => break json!({ "unknown": "its keeper did not say how it ended" }),
        }
    };
    said["port-free"] = json!(free(Some(port)).is_ok());
    said
}

/// Waits until the server is ready, and measures. Of a server that was started, the family is known:
/// itself and its keeper.
fn measure(
    asked: &Asked,
    address: SocketAddr,
    keeper: Option<&Receiver<Value>>,
    family: Option<(u32, u32)>,
    said: &mut Value,
) {
    let model = asked.model.clone().unwrap_or_default();
    let mut endpoint = Endpoint { address, model, dialect: DIALECTS[0], limit: asked.limit };
    if asked.model.is_none() {
        // Without a name, the one that it lists is asked for; it lists it once it is up.
        let named = first_listed(&endpoint, keeper, asked.ready);
        match named {
            Ok(name) => endpoint.model = name,
            Err(why) => {
                said["not-ready"] = json!({ "how": "time", "why": why });
                return;
            }
        }
    }
    match ready::wait(&mut endpoint, keeper, asked.ready) {
        Ok(ready) => {
            let keeper = family.map(|(_, keeper)| keeper);
            if let Some(who) = keeper.and_then(|of| family::foreign(address.port(), of)) {
                let why =
                    format!("{who} listens on port {}, and is not of the server", address.port());
                said["not-ready"] = json!({ "how": "foreign", "why": why });
                return;
            }
            said["ready"] = json!({ "health": ready.health, "after-ms": ready.after_ms });
        }
        Err(not) => {
            said["not-ready"] = json!({ "how": not.how, "why": not.why, "ended": not.ended });
            return;
        }
    }
    said["model"] = json!(endpoint.model);
    said["dialect"] = json!({
        "ignore-eos": endpoint.dialect.whole_length,
        "usage-at-end": endpoint.dialect.usage_at_end,
    });
    said["listed"] = match ready::models(&endpoint) {
        Ok(models) => json!(models),
        Err(why) => json!({ "absent": why }),
    };
    let server =
        family.map_or_else(|| family::listener(address.port()), |(server, _)| Some(server));
    said["gpus"] = watched(asked, &endpoint, server);
    said["greedy"] = greedy(&endpoint, asked.reference.as_deref());
    said["counted-before"] = ready::counted(&endpoint);
    let mut loads = Vec::new();
    for (at, concurrency) in asked.concurrency.iter().enumerate() {
        let amount = Amount {
            concurrency: *concurrency,
            requests: asked.requests.max(*concurrency),
            words: asked.words,
            tokens: asked.tokens,
        };
        loads.push(load::measure(&endpoint, amount, (at + 1) * APART));
    }
    said["loads"] = json!(loads);
    said["counted-after"] = ready::counted(&endpoint);
    // A server that has died meanwhile is told even where its last completion came.
    if let Some(keeper) = keeper {
        let exited = keeper.try_iter().find_map(|word| word.get("exited").cloned());
        said["exited"] = json!(exited);
    }
}

/// Waits for the first model that a server lists.
fn first_listed(
    endpoint: &Endpoint,
    keeper: Option<&Receiver<Value>>,
    limit: Duration,
) -> Result<String, String> {
    let until = http::now() + limit;
    let tick = Duration::from_millis(200);
    loop {
        let last = match ready::models(endpoint) {
            Ok(models) => match models.into_iter().next() {
                Some(model) => return Ok(model),
                None => "GET /v1/models: it lists none".to_owned(),
            },
            Err(why) => why,
        };
        let over = keeper.is_none() || http::now() >= until;
        match keeper.map(|keeper| keeper.recv_timeout(tick)) {
            Some(Ok(word)) => {
                if let Some(how) = word.get("exited").map(ready::in_words) {
                    return Err(format!("the server ended: {how}"));
                }
            }
            Some(Err(RecvTimeoutError::Disconnected)) => {
                return Err("its keeper is gone".to_owned());
            }
            Some(Err(RecvTimeoutError::Timeout)) | None => {}
        }
        if over {
            return Err(format!("no model is named, and the server names none: {last}"));
        }
    }
}

/// Looks at the cards while a completion is under way.
fn watched(asked: &Asked, endpoint: &Endpoint, server: Option<u32>) -> Value {
    let before = gpu::ask(asked.nvml.as_deref());
    thread::scope(|scope| {
        let prompt = load::prompt(0, asked.words);
        let work = scope.spawn(move || endpoint.streamed(&prompt, WATCHED_TOKENS));
        let mut during = gpu::ask(asked.nvml.as_deref());
        let _ = work.join();
        // Counters of links are read once more when all has been sent.
        let after = gpu::ask(asked.nvml.as_deref());
        for (index, card) in during["cards"].as_array_mut().into_iter().flatten().enumerate() {
            for key in ["links-sent-kib", "links-received-kib"] {
                card[key] = after["cards"][index][key].clone();
            }
        }
        gpu::used(&before, &during, server)
    })
}

/// Completes the same prompt twice, without chance: both must be the same.
fn greedy(endpoint: &Endpoint, reference: Option<&str>) -> Value {
    let once = || endpoint.whole(GREEDY, GREEDY_TOKENS).map(|whole| whole.text);
    match (once(), once()) {
        // Nothing is no answer, however often it comes.
        (Ok(text), _) | (_, Ok(text)) if text.trim().is_empty() => {
            json!({ "trouble": "the greedy completion is blank" })
        }
        (Ok(first), Ok(second)) => json!({
            "text": first,
            "same-twice": first == second,
            "second": (first != second).then_some(second),
            "as-reference": reference.map(|reference| first == reference),
        }),
        (Err(trouble), _) | (_, Err(trouble)) => json!({ "trouble": trouble.to_string() }),
    }
}
