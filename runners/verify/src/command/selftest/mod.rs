//! `verify selftest`: faults of the published catalogue, injected below the checks, and what came of it.
//!
//! No machine is asked and nothing is written. What was not tried never counts as noticed.

mod chosen;
mod data;
mod page;

use std::path::{Path, PathBuf};

use verify_engine::{
    fault::{Catalogue, Found, Ground, Hit, Machine, Proof, Seen, Struck},
    load::{catalog, root::Root},
    session,
};
use verify_model::{exit::Situation, outcome::Outcome};

use self::chosen::Chosen;
use crate::{
    cli::{SelftestArgs, Shape},
    output::{self, Ability},
    place,
};

/// Holds what was tried, and how it came out.
struct Tried<'t> {
    catalogue: &'t Catalogue,
    /// Folder whose suites are tried; absent where those that ship are.
    root: Option<PathBuf>,
    /// Whether nothing was left out.
    is_whole: bool,
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
    let mut machines = Machine::shipped().map_err(defect)?;
    let chosen = Chosen::of(args, &catalogue, &loaded, &machines)?;
    if args.list {
        let text = match args.shape {
            Shape::Text => page::list(&catalogue, &chosen, out),
            Shape::Json => data::list(&catalogue, &chosen)?,
        };
        output::print(&text)?;
        return Ok(0);
    }
    machines.retain(|machine| chosen.asks(&machine.node));
    let ground = Ground::new(&loaded, &machines).map_err(defect)?;
    let mut controls = ground.controls();
    controls.retain(|(node, check, _)| chosen.wants(node, check));
    let checks: Vec<(&str, &str)> =
        controls.iter().map(|(node, check, _)| (*node, *check)).collect();
    let proofs = ground.prove_all(&chosen.faults);
    let struck = ground.strike_all(&checks, &chosen.damages);
    controls.retain(|(node, check, _)| chosen.uses(node, check));
    let is_whole = args.nodes.is_empty() && args.checks.is_empty() && args.faults.is_empty();
    let tried = Tried { catalogue: &catalogue, root: root.dir, is_whole, proofs, controls, struck };
    output::print(&match args.shape {
        Shape::Text => page::page(&tried, out),
        Shape::Json => data::document(&tried)?,
    })?;
    Ok(tried.exit())
}

impl Tried<'_> {
    /// Says how it ends: what slipped through before what could not be tried.
    fn exit(&self) -> u8 {
        let any = |wanted: &dyn Fn(&Found) -> bool| self.proofs.iter().any(|p| wanted(&p.found));
        let struck = |wanted: &dyn Fn(&Hit) -> bool| self.struck.iter().any(|s| wanted(&s.hit));
        let slipped =
            any(&|found| matches!(found, Found::Otherwise(_))) || self.slips().next().is_some();
        let is_broken = |found: &Found| match found {
            Found::NoControl(_) | Found::Broken(_) => true,
            // Another root may have other suites; in those that ship it is a defect.
            Found::NotHere(_) => self.root.is_none(),
            Found::Noticed(_) | Found::Otherwise(_) => false,
        };
        let broken = any(&is_broken)
            || self.red_controls().next().is_some()
            || struck(&|hit| matches!(hit, Hit::Broken(_)));
        let nothing = !any(&|found| matches!(found, Found::Noticed(_)))
            && !struck(&|hit| matches!(hit, Hit::Noticed(_) | Hit::NotApplied(..)));
        match (slipped, broken) {
            (true, _) => Situation::Fail.exit(),
            (false, true) => Situation::Error.exit(),
            (false, false) if nothing => Situation::NothingAnswered.exit(),
            (false, false) => 0,
        }
    }

    /// Walks what was damaged and taken for an answer.
    fn slips(&self) -> impl Iterator<Item = (&Struck<'_>, &Seen)> {
        self.struck.iter().filter_map(|struck| match &struck.hit {
            Hit::Passed(seen) | Hit::Misjudged(seen) => Some((struck, seen)),
            Hit::Noticed(_) | Hit::NotApplied(..) | Hit::NothingToDamage | Hit::Broken(_) => None,
        })
    }

    /// Walks the checks that find fault with a healthy machine.
    fn red_controls(&self) -> impl Iterator<Item = &(&str, &str, Seen)> {
        self.controls.iter().filter(|(_, _, seen)| seen.outcome != Outcome::Pass)
    }
}

fn defect(why: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("a defect of verify, or of the suites of the root: {why}")
}
