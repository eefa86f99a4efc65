//! `verify doctor`: what nodes lack to answer every check of their suites, and how to get it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use verify_engine::{
    doctor::{self, Diagnosis, Need, Patient},
    execute::{Gatherer, Ids},
    probe::With,
    probes,
    session::{Prepared, PreparedNode},
    transport::{Local, SSH_CONFIG},
};
use verify_model::{
    exit::Situation,
    matcher::Literal,
    node::{Facts, Via},
    value::Value,
};
use verify_reports::{
    clean::one_line,
    terminal::{page::Page, paint::Paint},
};

use crate::{
    cli::{Choice, DoctorArgs},
    command::run::{self, Ready},
    output::{self, Ability},
    via,
};

/// Longest text of a node that is shown. *Units*: characters.
const WIDTH: usize = 300;
/// Checks that are named before the rest is counted.
const NAMED: usize = 6;

/// Looks at the nodes and returns the exit code.
pub(crate) fn doctor(root: Option<&Path>, args: &DoctorArgs, out: Ability) -> anyhow::Result<u8> {
    let choice = Choice {
        nodes: args.nodes.clone(),
        via: args.via.clone(),
        suites: Vec::new(),
        checks: Vec::new(),
        tags: Vec::new(),
        quick: false,
        // Nothing is run: leave is given so that none of a check hides what it lacks.
        allow_mutation: true,
        allow_load: args.nodes.clone(),
        repeat: None,
        slurm: None,
        slurm_wait: 0,
        trust: args.trust.clone(),
        even_nothing: true,
    };
    let ready = run::ready(root, &choice)?;
    let mut found = BTreeMap::new();
    let (mut lacking, mut silent) = (false, false);
    let mut page = output::page(out);
    for node in &ready.plan.nodes {
        let (diagnosis, ssh) = examine(&ready, node)?;
        lacking |= !diagnosis.needs.is_empty();
        silent |= diagnosis.unreachable.is_some();
        write_node(&mut page, node, &diagnosis, &ssh);
        node.transport.sweep();
        found.insert(node.node.file.name.clone(), diagnosis);
    }
    let text = if args.json { serde_json::to_string_pretty(&found)? + "\n" } else { page.finish() };
    output::print(text.trim_start_matches('\n'))?;
    Ok(match (lacking, silent) {
        (true, _) => Situation::Fail.exit(),
        (false, true) => Situation::Error.exit(),
        (false, false) => 0,
    })
}

/// Asks what the diagnosis needs beyond the facts; over ssh, how the login stands, too.
fn examine(
    ready: &Ready<Prepared>,
    node: &PreparedNode,
) -> anyhow::Result<(Diagnosis, Vec<String>)> {
    let facts = &node.node.facts;
    let system = if facts.capabilities.contains("macos") { "Darwin" } else { "Linux" };
    let needs_own =
        matches!(node.node.via, Via::Ssh(_)) && !via::payloads()?.has_for(system, &facts.arch);
    let patient =
        Patient { node: &node.node.file, facts: &node.node.facts, steps: &node.steps, needs_own };
    if doctor::diagnose(&patient, &[]).unreachable.is_some() {
        return Ok((doctor::diagnose(&patient, &[]), Vec::new()));
    }
    let name = node.node.file.name.as_str();
    let evidence = node.gatherer(&ready.context).gather(&doctor::asks(&patient), |_| {});
    let ssh = match &node.node.via {
        Via::Ssh(alias) => login(ready, name, alias),
        _ => Vec::new(),
    };
    Ok((doctor::diagnose(&patient, &evidence), ssh))
}

/// Says how the login stands, by the probe that checks it from the laptop.
fn login(ready: &Ready<Prepared>, node: &str, alias: &str) -> Vec<String> {
    let Some(probe) = probes::find("ssh-login") else { return Vec::new() };
    let mut with = BTreeMap::from([(
        "peers".to_owned(),
        Literal::List(vec![Literal::Text(alias.to_owned())]),
    )]);
    if let Ok(config) = std::env::var(SSH_CONFIG)
        && !config.is_empty()
    {
        with.insert("ssh-config".to_owned(), Literal::Text(config));
    }
    let Ok(asks) = probe.asks(With(&with), &Facts::default()) else { return Vec::new() };
    let transport = Arc::new(Local::new(&ready.id));
    let gatherer = Gatherer { context: &ready.context, node, transport, ids: Ids::new(0, 1) };
    let evidence = gatherer.gather(&asks, |_| {});
    let seen = match probe.read(With(&with), &evidence.iter().collect::<Vec<_>>()) {
        Ok(seen) => seen,
        Err(error) => return vec![format!("the login could not be looked at: {}", error.message)],
    };
    let holds = |name: &str| match seen.resolve(name) {
        Value::List(items) => !items.is_empty(),
        _ => false,
    };
    let mut said = Vec::new();
    if holds("reached") {
        said.push("it lets this user in by key alone, and its host key is known".to_owned());
    }
    for (field, words) in [
        ("open", "it lets in whoever comes, without a key: close it"),
        (
            "password-offered",
            "it takes passwords as well: set PasswordAuthentication no and KbdInteractiveAuthentication no in its sshd_config, once every user has a key",
        ),
        (
            "unchecked",
            "your ssh does not check its key (StrictHostKeyChecking no): verify does all the same, other programs do not",
        ),
    ] {
        if holds(field) {
            said.push(words.to_owned());
        }
    }
    said
}

fn write_node(page: &mut Page, node: &PreparedNode, diagnosis: &Diagnosis, ssh: &[String]) {
    page.blank();
    page.text(Paint::Bold, 2, &format!("node {}, via {}", node.node.file.name, node.node.via));
    if let Some((why, next)) = &diagnosis.unreachable {
        page.lead(
            2,
            &[(Paint::Bold, "cannot be asked")],
            19,
            (Paint::Plain, &one_line(why, WIDTH)),
        );
        page.lead(2, &[(Paint::Bold, "do")], 19, (Paint::Plain, next));
        return;
    }
    let mut labelled = |label: &str, text: &str| {
        page.lead(2, &[(Paint::Dim, label)], 11, (Paint::Plain, &one_line(text, WIDTH)));
    };
    for line in ssh {
        labelled("ssh", line);
    }
    if !diagnosis.there.is_empty() {
        labelled("there", &diagnosis.there.join(", "));
    }
    let (ready, elsewhere) = (diagnosis.ready.len(), diagnosis.elsewhere.len());
    let all = node.steps.len();
    for need in &diagnosis.needs {
        write_need(page, need);
    }
    let text = format!(
        "  {ready} of {all} checks lack nothing, {} lack something, {elsewhere} are for other machines",
        all - ready - elsewhere
    );
    page.text(Paint::Bold, 2, &text);
}

fn write_need(page: &mut Page, need: &Need) {
    let promised = if need.promised { " (the node file promises it)" } else { "" };
    let missing = if need.known { "missing" } else { "unknown" };
    let text = format!("{}{promised}", one_line(&need.what, WIDTH));
    page.lead(2, &[(Paint::Bad, missing)], 11, (Paint::Plain, &text));
    let named: Vec<&str> = need.checks.iter().take(NAMED).map(String::as_str).collect();
    let more = need.checks.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let costs = format!("{}{more}", named.join(", "));
    for (label, paint, text) in [
        ("why", Paint::Dim, need.why.as_str()),
        ("costs", Paint::Dim, costs.as_str()),
        ("do", Paint::Bold, need.remedy.as_str()),
    ] {
        page.lead(4, &[(paint, label)], 11, (Paint::Plain, &one_line(text, WIDTH)));
    }
}
