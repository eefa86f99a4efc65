//! `verify run`: ask, judge, record, report.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Instant};

use anyhow::Context as _;
use verify_engine::{
    baseline::Shelf,
    execute::Context,
    load::{
        catalog::{self, Catalog},
        diagnostic::LoadError,
        root::{EMBEDDED, Root},
        trust, waiver,
    },
    plan::{self, Permissions, Selection},
    record::{self, RecordError},
    redact,
    session::{self, Chosen, Prepared, Request},
    transport::{Cancel, Gate, Transport},
};
use verify_model::{
    exit::Situation,
    node::NodeFile,
    run::{Header, RUN_FORMAT, Run},
};

use crate::{
    cli::{Choice, RunArgs},
    cluster,
    command::{history, shown::Shown},
    observe::Recorder,
    output::{self, Ability, Terminal},
    place, progress, signal,
    target::Target,
    via,
};

/// Node that is meant where none is named.
const LOCAL: &str = "local";
/// Name that stands for every machine.
const ALL: &str = "all";

/// Runs checks and returns the exit code.
pub(crate) fn run(root: Option<&Path>, args: &RunArgs, terminal: Terminal) -> anyhow::Result<u8> {
    let shown = Shown::choose(&args.show, args.verbose)?;
    let targets = Target::parse_all(&args.reports)?;
    let manner = Manner {
        fail_fast: args.fail_fast,
        until_decided: args.until_decided,
        earlier: &args.with,
    };
    let ready = chosen(root, &args.choice, manner)?;
    signal::install(&ready.context.cancel)?;
    let header =
        Header { until_decided: args.until_decided, ..header(&ready, args.require_baseline) };
    let writer = place::store()?.create(&ready.id).context("the run cannot be recorded")?;
    let record = writer.path().to_path_buf();
    let mut recorder = Recorder::new(Some(writer)).with_trends();
    if !args.show.quiet {
        let manner = progress::Manner { color: terminal.err.color, verbose: args.verbose };
        recorder = recorder.with_progress(manner);
    }
    session::run(header, &ready.plan, &ready.context, &mut recorder);
    let root = ready.root.dir.clone();
    drop(ready);
    let closed = recorder.close();
    let (run, lost) = closed.context("a defect of verify: the run does not fold")?;
    // The exit code of a run outlives a reader (`| head`) that has seen enough.
    let printed = shown.show(&run, root.as_deref(), terminal.out);
    let named = Named { err: terminal.err, files: shown.names_files(&run) };
    Ok(finish(&run, printed, &targets, named, (&record, lost.as_ref())))
}

/// Says whether it is told where files are, and how.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    /// What standard error takes.
    pub(crate) err: Ability,
    /// Whether it is told.
    pub(crate) files: bool,
}

impl Named {
    fn say(self, word: &str, path: &Path) {
        if self.files {
            output::say_place(word, path, self.err);
        }
    }
}

/// Writes every report that can be written; tells whether all were.
pub(crate) fn write_reports(run: &Run, targets: &[Target], named: Named) -> bool {
    let mut complete = true;
    for target in targets {
        match target.write(run) {
            Ok(()) => named.say("report", target.path()),
            Err(error) => {
                complete = false;
                output::say(&format!("error: {error:#}"));
            }
        }
    }
    complete
}

fn finish(
    run: &Run,
    shown: anyhow::Result<()>,
    targets: &[Target],
    named: Named,
    (record, lost): (&Path, Option<&RecordError>),
) -> u8 {
    let mut complete = shown.is_ok();
    if let Err(error) = shown {
        output::say(&format!("error: {error:#}"));
    }
    complete &= write_reports(run, targets, named);
    match lost {
        None => {
            named.say("record", record);
            history::keep(run, record);
        }
        Some(error) => {
            complete = false;
            output::say(&format!(
                "error: the record is not whole: {error}; free some space and run again"
            ));
        }
    }
    let exit = run.exit_code();
    // A report or record that is missing is never a success.
    if complete || exit != 0 { exit } else { Situation::Error.exit() }
}

/// Holds everything that is known before the first check is asked; the plan is of files alone, or of
/// nodes that were asked for their facts.
pub(crate) struct Ready<P> {
    /// Id of the run.
    pub(crate) id: String,
    /// Start, RFC 3339.
    pub(crate) started_at: String,
    /// Root that was chosen.
    pub(crate) root: Root,
    /// What all nodes share.
    pub(crate) context: Context,
    /// Plan for all nodes.
    pub(crate) plan: P,
}

/// Says how a run goes on, beside what is chosen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner<'a> {
    /// Whether it ends at the first failure.
    pub(crate) fail_fast: bool,
    /// Whether what compares is measured until it is decided.
    pub(crate) until_decided: bool,
    /// Earlier runs whose sessions count beside this one, by name.
    pub(crate) earlier: &'a [String],
}

/// Loads and chooses; no node is asked.
pub(crate) fn chosen(
    root: Option<&Path>,
    choice: &Choice,
    manner: Manner<'_>,
) -> anyhow::Result<Ready<Chosen>> {
    begun(root, choice, manner, |catalog, request, _| session::choose(catalog, request))
}

/// Loads, chooses, asks nodes for their facts and plans.
pub(crate) fn ready(root: Option<&Path>, choice: &Choice) -> anyhow::Result<Ready<Prepared>> {
    begun(root, choice, Manner::default(), session::prepare)
}

fn begun<P>(
    root: Option<&Path>,
    choice: &Choice,
    manner: Manner<'_>,
    plan: impl FnOnce(&Catalog, &Request, &Context) -> Result<P, LoadError>,
) -> anyhow::Result<Ready<P>> {
    let root = place::root(root)?;
    // Read once: what is trusted is what is run.
    let (nodes, suites, waivers) = (root.nodes()?, root.suites()?, root.waivers()?);
    trust::demand(&root, &nodes, &suites, waivers.as_ref(), choice.trust.as_deref())?;
    let mut catalog = match meant(choice) {
        Some(meant) => catalog::load_for(&meant, &nodes, &suites, waivers.as_ref())?,
        None => catalog::load_all(&nodes, &suites, waivers.as_ref())?,
    };
    let (id, started_at, started) = begin();
    waiver::demand_end(&catalog.waivers, day_of(&started_at))?;
    let context = Context {
        started_at: started_at.clone(),
        ..Context::new(started, Cancel::default(), manner.fail_fast)
    };
    let context = context.claiming(place::claims(&id, &started_at));
    let mut request = request(&mut catalog, choice, &id, root.shelf())?;
    request.until_decided = manner.until_decided;
    for name in manner.earlier {
        request.earlier.push(record::read_whole(&place::store()?.find(name)?)?);
    }
    if catalog.is_part && session::demand_known(&catalog, &request).is_err() {
        // What is not there may be elsewhere, and that is said.
        catalog = catalog::load_all(&nodes, &suites, waivers.as_ref())?;
    }
    warn_of_idle(&catalog);
    let plan = plan(&catalog, &request, &context)?;
    Ok(Ready { id, started_at, root, context, plan })
}

/// Returns the day on which the command is typed, in UTC.
pub(crate) fn today() -> jiff::civil::Date {
    day_of(&begin().1)
}

/// Returns the day of a start, in UTC.
fn day_of(started_at: &str) -> jiff::civil::Date {
    let day = started_at.get(..10).and_then(|day| day.parse().ok());
    day.unwrap_or(jiff::civil::Date::MIN)
}

/// Says which waivers excuse nothing; another root may have what they name.
pub(crate) fn warn_of_idle(catalog: &Catalog) {
    for idle in catalog.idle_waivers() {
        let at = idle.source.location(idle.span.start);
        let help = idle.help.map(|help| format!("; {help}")).unwrap_or_default();
        output::say(&format!("warning: {}:{}: {}{help}", at.file, at.line, idle.title));
    }
}

#[allow(clippy::disallowed_methods, reason = "the start of the run is the one \"now\" there is")]
fn begin() -> (String, String, Instant) {
    let now = jiff::Timestamp::now();
    let rounded = now.round(jiff::Unit::Millisecond).unwrap_or(now);
    (ulid::Ulid::generate().to_string(), rounded.to_string(), Instant::now())
}

/// Names the nodes that are meant, where they are known before anything is loaded.
fn meant(choice: &Choice) -> Option<BTreeSet<String>> {
    if choice.slurm.is_some() || choice.nodes.iter().any(|name| name == ALL) {
        return None;
    }
    let local = [LOCAL.to_owned()];
    let names = if choice.nodes.is_empty() { &local[..] } else { &choice.nodes };
    Some(names.iter().cloned().collect())
}

fn request(
    catalog: &mut Catalog,
    choice: &Choice,
    id: &str,
    shelf: Option<Shelf>,
) -> anyhow::Result<Request> {
    let selection = Selection {
        suites: choice.suites.clone(),
        checks: choice.checks.clone(),
        tags: choice.tags.clone(),
        even_nothing: choice.even_nothing,
    };
    let names = names(catalog, &choice.nodes, &selection)?;
    let gate = Arc::new(Gate::new(names.len()));
    let several = names.len() > 1 || choice.nodes.iter().any(|name| name == ALL);
    let nodes: Vec<(String, Arc<dyn Transport>)> = if let Some(spec) = &choice.slurm {
        cluster::nodes(catalog, spec, choice, &names, id)?
    } else {
        let way = |(at, name): (usize, String)| {
            let file = session::known_node(catalog, &name)?;
            // A mark for each: a node that is through ends its own strays, and no other one's.
            let mark = format!("{id}.{at}");
            let way = if several { via::elsewhere(&choice.via, file) } else { choice.via.as_str() };
            let transport = via::transport(way, file, &mark, &gate)?;
            anyhow::Ok((name, transport))
        };
        names.into_iter().enumerate().map(way).collect::<anyhow::Result<_>>()?
    };
    for name in &choice.allow_load {
        session::known_node(catalog, name)?;
    }
    let peers = via::peers(catalog, id, &gate);
    Ok(Request {
        nodes,
        peers: Some(peers),
        selection,
        permissions: Permissions {
            quick: choice.quick,
            mutation: choice.allow_mutation,
            load: choice.allow_load.iter().cloned().collect(),
        },
        repeat: choice.repeat,
        until_decided: false,
        earlier: Vec::new(),
        shelf,
    })
}

/// Lists the nodes that are meant, each once.
///
/// *Errors*: a pattern of check ids is none.
fn names(
    catalog: &Catalog,
    given: &[String],
    selection: &Selection,
) -> Result<Vec<String>, LoadError> {
    let mut names: Vec<String> = Vec::new();
    let local = [LOCAL.to_owned()];
    for name in if given.is_empty() { &local } else { given } {
        let meant = if name == ALL { all(catalog, selection)? } else { vec![name.clone()] };
        for name in meant {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Lists every machine of which something is wanted: those of the root where it has any, else those
/// that are shipped.
fn all(catalog: &Catalog, selection: &Selection) -> Result<Vec<String>, LoadError> {
    let machines = || catalog.nodes.values().filter(|file| file.is_machine());
    let is_shipped = |file: &NodeFile| file.location.file.starts_with(EMBEDDED);
    let own = machines().any(|file| !is_shipped(file));
    let mut names = Vec::new();
    for file in machines().filter(|file| !(own && is_shipped(file))) {
        let checks = catalog.checks.get(&file.name).map(Vec::as_slice).unwrap_or_default();
        if plan::select(checks, selection)?.is_empty() {
            output::say(&format!("node {} is left out: no check of it is selected", file.name));
        } else {
            names.push(file.name.clone());
        }
    }
    if names.is_empty() {
        return Err(LoadError::general(
            "`--node all` means no node here: no node file with `hostnames` or `ssh` has a check that is selected; `verify list nodes` lists what there is",
        ));
    }
    Ok(names)
}

/// Says what is known when the run starts.
pub(crate) fn header<P>(ready: &Ready<P>, require_baseline: bool) -> Header {
    Header {
        format: RUN_FORMAT.to_owned(),
        id: ready.id.clone(),
        started_at: ready.started_at.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        root: ready.root.label(),
        command: redact::words(
            std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect(),
        ),
        require_baseline,
        until_decided: false,
        orchestrator: place::hostname(),
    }
}
