//! `verify compare`: what changed from one run to another.
//!
//! First the machine, then what was asked of it, side by side. It judges nothing, and what cannot be
//! compared is said and marked, never left out.

mod data;
mod page;
mod value;

use anyhow::bail;
use verify_engine::{plan, record};
use verify_model::run::Run;

use self::data::Comparison;
use crate::{cli::CompareArgs, output, place};

/// Shows the difference.
pub(crate) fn compare(args: &CompareArgs) -> anyhow::Result<u8> {
    let (then, now) = (read(&args.then)?, read(&args.now)?);
    let globs = plan::globs(&args.checks)?;
    let is_wanted = |id: &str| args.checks.is_empty() || globs.is_match(id);
    let compared = Comparison::of(&then, &now, &is_wanted, args.all);
    if compared.nodes.is_empty() {
        let names = |run: &Run| -> String {
            let names: Vec<&str> = run.nodes.iter().map(|node| node.file.name.as_str()).collect();
            names.join(", ")
        };
        let (one, other) = (names(&then), names(&now));
        bail!("the two runs have no node in common: the first asked {one}, the second {other}");
    }
    if compared.nodes.iter().all(|node| node.asked == 0) && !args.checks.is_empty() {
        let patterns = args.checks.join("`, `");
        bail!(
            "no check of either run matches `{patterns}`; `verify report RUN` shows which there are"
        );
    }
    if args.json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&compared)?))?;
    } else {
        output::print(&page::text(&compared, args.all))?;
    }
    Ok(0)
}

fn read(name: &str) -> anyhow::Result<Run> {
    let recorded = record::read(&place::store()?.find(name)?)?;
    if recorded.torn || !recorded.run.complete {
        output::say(&format!(
            "warning: {} is cut short; what is missing counts as an error",
            recorded.path.display()
        ));
    }
    Ok(recorded.run)
}
