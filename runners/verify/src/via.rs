//! By what way a node is asked.

use std::{env, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use verify_engine::{
    load::catalog::Catalog,
    record,
    session::auto_via,
    transport::{
        Factory, Gate, Local, PAYLOADS, Payloads, Replay, Sim, Ssh, Transport, leads_elsewhere,
    },
};
use verify_model::node::{NodeFile, Via};

use crate::place;

/// Names the variable that says where the stand-in library is.
const SIMULATOR: &str = "VERIFY_SIMULATOR";
/// Names the variable that, set to `shell`, has the shell of a node answer all that it can.
const GATHER: &str = "VERIFY_GATHER";
/// File that holds the stand-in library.
const LIBRARY: &str = "libverify_simulator.so";

/// Builds the transport for a node; `mark` is on all that it starts, `gate` is that of the run.
///
/// *Errors*: the way is unknown, not possible yet, or the recorded run cannot be replayed.
pub(crate) fn transport(
    way: &str,
    node: &NodeFile,
    mark: &str,
    gate: &Arc<Gate>,
) -> anyhow::Result<Arc<dyn Transport>> {
    if let Some(run) = way.strip_prefix("replay:") {
        return replay(run, &node.name);
    }
    if let Some(scenario) = way.strip_prefix("sim:") {
        return simulated(scenario, mark);
    }
    if let Some(scenario) = &node.scenario {
        if way != "auto" {
            bail!(
                "node {} is no machine, but scenario {scenario}: it cannot be asked with --via {way}; leave --via out, or choose a scenario with --via sim:SCENARIO",
                node.name
            );
        }
        return simulated(scenario, mark);
    }
    let Some(via) = machine(way, node) else {
        bail!(
            "unknown way `{way}`: --via takes `auto`, `local`, `ssh`, `replay:RUN` or `sim:SCENARIO`"
        );
    };
    match via {
        Via::Local => Ok(Arc::new(Local::new(mark).with_instruments(this_program()?))),
        Via::Ssh(alias) => Ok(Arc::new(ssh(&alias, node, mark)?.through(Arc::clone(gate)))),
        Via::Slurm(_) => bail!("nodes of a cluster are asked with --slurm"),
        Via::Replay(run) => replay(&run, &node.name),
        Via::Sim(scenario) => simulated(&scenario, mark),
    }
}

/// Builds what asks a node that is only the other end of a link: as its file says.
pub(crate) fn peers(catalog: &Catalog, run_id: &str, gate: &Arc<Gate>) -> Arc<Factory> {
    let (nodes, run_id, gate) = (catalog.nodes.clone(), run_id.to_owned(), Arc::clone(gate));
    Arc::new(move |name: &str| {
        let node = nodes.get(name).ok_or_else(|| format!("no node is named `{name}`"))?;
        // None of the run's own nodes is named by a letter.
        let mark = format!(
            "{run_id}.peer-{}",
            node.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        );
        transport(elsewhere("auto", node), node, &mark, &gate).map_err(|error| format!("{error:#}"))
    })
}

/// Says by what way a node is asked that is one of several: never this machine, unless it is meant. Of
/// one that ssh does not know, it is an error to hear, and no answer of another machine.
pub(crate) fn elsewhere<'w>(way: &'w str, node: &NodeFile) -> &'w str {
    let anywhere = node.hostnames.is_empty() && node.ssh.is_none();
    let here = anywhere || place::is_this_host(&node.hostnames);
    if way == "auto" && !here && node.scenario.is_none() { "ssh" } else { way }
}

/// Says by what way a machine is asked; nothing where the way leads to none.
pub(crate) fn machine(way: &str, node: &NodeFile) -> Option<Via> {
    match way {
        "local" => Some(Via::Local),
        "ssh" => Some(Via::Ssh(node.ssh.clone().unwrap_or_else(|| node.name.clone()))),
        "auto" => {
            let knows = |alias: &str| {
                place::ssh_aliases().iter().any(|known| known == alias) || leads_elsewhere(alias)
            };
            Some(auto_via(&node.hostnames, node.ssh.as_deref(), &place::hostname(), knows))
        }
        _ => None,
    }
}

/// Builds the transport to a node by ssh.
///
/// *Errors*: the alias is none.
pub(crate) fn ssh(alias: &str, node: &NodeFile, mark: &str) -> anyhow::Result<Ssh> {
    let ssh = Ssh::new(alias, mark, true).map_err(anyhow::Error::msg);
    let ssh = ssh.with_context(|| format!("node {}", node.name))?;
    let ssh = ssh.with_payloads(payloads()?).with_sudo(node.sudo);
    let by_shell = env::var_os(GATHER).is_some_and(|how| how == "shell");
    Ok(if by_shell { ssh.by_shell_alone() } else { ssh })
}

/// Says which programs could be sent: those of a folder, those beside this one, and this one.
pub(crate) fn payloads() -> anyhow::Result<Payloads> {
    let program = this_program()?;
    let given = env::var_os(PAYLOADS).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let beside = program.parent().map(PathBuf::from);
    let own = (program, env!("VERIFY_BUILD_TARGET").to_owned());
    Ok(Payloads::new(given.into_iter().chain(beside).collect(), Some(own)))
}

fn this_program() -> anyhow::Result<PathBuf> {
    env::current_exe().context("this program does not know where it is")
}

fn simulated(scenario: &str, mark: &str) -> anyhow::Result<Arc<dyn Transport>> {
    let program = this_program()?;
    let library = match env::var_os(SIMULATOR).filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => program.with_file_name(LIBRARY),
    };
    if !library.is_file() {
        bail!(
            "a scenario needs the simulator, and there is no {}; build it: cargo build -p verify-simulator",
            library.display()
        );
    }
    // A name without a slash would be looked for in the folders of the system.
    let library = library.canonicalize().context("the simulator")?;
    let sim = Sim::open(mark, program, library, scenario);
    Ok(Arc::new(sim.map_err(anyhow::Error::msg).context("cannot simulate")?))
}

fn replay(name: &str, node: &str) -> anyhow::Result<Arc<dyn Transport>> {
    let path = place::store()?.find(name)?;
    let run = record::read_whole(&path).context("cannot replay")?;
    let Some(asked) = run.nodes.iter().find(|n| n.file.name == node) else {
        let names: Vec<&str> = run.nodes.iter().map(|n| n.file.name.as_str()).collect();
        bail!(
            "run {} did not ask node {node}, but {}; choose one with --node",
            run.header.id,
            names.join(", ")
        );
    };
    let replay = Replay::new(run.header.id.clone(), node, &run.evidence);
    Ok(Arc::new(replay.of_scenario(asked.facts.simulated.clone())))
}
