//! `verify selftest`: faults of the published catalogue, put below the checks, and what came of it.
//!
//! No machine is asked and nothing is written. What was not tried never counts as noticed.

mod data;
mod page;

use std::path::Path;

use anyhow::bail;
use verify_engine::{
    fault::{Catalogue, DAMAGES, Damage, Fault, Found, Ground, Machine, Proof, Seen, Struck},
    load::{catalog, diagnostic::did_you_mean, root::Root},
    plan::globs,
    session,
};
use verify_model::exit::Situation;

use crate::{
    cli::{SelftestArgs, Shape},
    output::{self, Ability},
    place,
};

/// Holds what was tried, and how it came out.
struct Tried<'t> {
    catalogue: &'t Catalogue,
    proofs: Vec<Proof<'t>>,
    /// Checks that must be green where nothing is wrong: node, check, what was found.
    controls: Vec<(&'t str, &'t str, Seen)>,
    struck: Vec<Struck<'t>>,
}

/// Tries what is chosen and returns the exit code.
pub(crate) fn selftest(
    root: Option<&Path>,
    args: &SelftestArgs,
    out: Ability,
) -> anyhow::Result<u8> {
    let catalogue = Catalogue::shipped().map_err(defect)?;
    // A root that lies around is another matter: what ships is tried, unless somebody asks.
    let root = match root {
        Some(given) => place::root(Some(given))?,
        None => Root { dir: None, home: None },
    };
    let loaded = catalog::load(&root)?;
    for node in &args.nodes {
        session::known_node(&loaded, node)?;
    }
    let chosen = Chosen::of(args, &catalogue)?;
    if args.list {
        let text = match args.shape {
            Shape::Text => page::list(&catalogue, &chosen.faults, out),
            Shape::Json => data::list(&catalogue, &chosen.faults)?,
        };
        output::print(&text)?;
        return Ok(0);
    }
    let mut machines = Machine::shipped().map_err(defect)?;
    machines.retain(|machine| chosen.asks(&machine.node));
    let ground = Ground::new(&loaded, &machines).map_err(defect)?;
    let mut controls = ground.controls();
    controls.retain(|(node, check, _)| chosen.wants(node, check));
    let checks: Vec<(&str, &str)> =
        controls.iter().map(|(node, check, _)| (*node, *check)).collect();
    let proofs = ground.prove_all(&chosen.faults);
    let struck = ground.strike_all(&checks, &chosen.damages);
    if !args.faults.is_empty() {
        let is_used = |node: &str, check: &str| {
            chosen.faults.iter().any(|fault| fault.node == node && fault.check == check)
        };
        controls.retain(|(node, check, _)| !chosen.damages.is_empty() || is_used(node, check));
    }
    let tried = Tried { catalogue: &catalogue, proofs, controls, struck };
    output::print(&match args.shape {
        Shape::Text => page::page(&tried, out),
        Shape::Json => data::document(&tried)?,
    })?;
    Ok(tried.exit())
}

impl Tried<'_> {
    /// Says how it ends: what slipped through before what could not be tried.
    fn exit(&self) -> u8 {
        let slipped = self.proofs.iter().any(|proof| matches!(proof.found, Found::Otherwise(_)))
            || self.slips().next().is_some();
        let is_broken =
            |proof: &Proof| matches!(proof.found, Found::NoControl(_) | Found::Broken(_));
        let broken = self.proofs.iter().any(is_broken)
            || self.red_controls().next().is_some()
            || self.struck.iter().any(|struck| struck.seen.is_err());
        match (slipped, broken) {
            (true, _) => Situation::Fail.exit(),
            (false, true) => Situation::Error.exit(),
            (false, false) if self.proofs.is_empty() && self.struck.is_empty() => {
                Situation::NothingAnswered.exit()
            }
            (false, false) => 0,
        }
    }

    /// Walks what was damaged and passed.
    fn slips(&self) -> impl Iterator<Item = &Struck<'_>> {
        self.struck
            .iter()
            .filter(|struck| struck.seen.is_ok() && !struck.is_noticed() && struck.known.is_none())
    }

    /// Walks the checks that find fault with a healthy machine.
    fn red_controls(&self) -> impl Iterator<Item = &(&str, &str, Seen)> {
        let is_red = |(_, _, seen): &&(&str, &str, Seen)| {
            seen.outcome != verify_model::outcome::Outcome::Pass
        };
        self.controls.iter().filter(is_red)
    }
}

/// Holds what is wanted.
struct Chosen<'c> {
    faults: Vec<&'c Fault>,
    damages: Vec<&'static Damage>,
    nodes: Vec<String>,
    checks: Vec<String>,
}

impl<'c> Chosen<'c> {
    /// Chooses from the catalogue.
    ///
    /// *Errors*: a pattern is none, or means no fault.
    fn of(args: &SelftestArgs, catalogue: &'c Catalogue) -> anyhow::Result<Self> {
        for pattern in &args.faults {
            let own = globs(std::slice::from_ref(pattern))?;
            let names = catalogue.faults().map(|fault| fault.id.as_str());
            let names: Vec<&str> = names.chain(DAMAGES.iter().map(|damage| damage.id)).collect();
            if !names.iter().any(|name| own.is_match(name)) {
                let close = did_you_mean(pattern, names);
                let hint = close.map_or_else(
                    || "`verify selftest --list` lists them".to_owned(),
                    |close| format!("did you mean `{close}`?"),
                );
                bail!("no fault matches `{pattern}`; {hint}");
            }
        }
        let (faults, _) = (globs(&args.faults)?, globs(&args.checks)?);
        let named = |name: &str| args.faults.is_empty() || faults.is_match(name);
        let mut chosen = Self {
            faults: Vec::new(),
            damages: DAMAGES.iter().filter(|damage| named(damage.id)).collect(),
            nodes: args.nodes.clone(),
            checks: args.checks.clone(),
        };
        let wanted = catalogue.faults().filter(|fault| named(&fault.id));
        chosen.faults = wanted.filter(|fault| chosen.wants(&fault.node, &fault.check)).collect();
        Ok(chosen)
    }

    /// Tells whether something is tried on a node.
    fn asks(&self, node: &str) -> bool {
        let by_fault = self.faults.iter().any(|fault| fault.node == node);
        by_fault || !self.damages.is_empty() && self.wants_node(node)
    }

    fn wants_node(&self, node: &str) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|wanted| wanted == node)
    }

    fn wants(&self, node: &str, check: &str) -> bool {
        self.wants_node(node)
            && (self.checks.is_empty()
                || globs(&self.checks).is_ok_and(|globs| globs.is_match(check)))
    }
}

fn defect(why: String) -> anyhow::Error {
    anyhow::anyhow!("a defect of verify, or of the suites of the root: {why}")
}
