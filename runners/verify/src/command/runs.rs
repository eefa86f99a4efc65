//! `verify runs`: what was recorded, and clearing it out.

use verify_engine::record;
use verify_model::{number_of, outcome::Outcome};

use verify_reports::terminal::paint::Paint;

use crate::{
    cli::RunsAction,
    command::history,
    output::{self, Ability},
    place,
};

/// Lists or prunes recorded runs.
pub(crate) fn runs(action: Option<&RunsAction>, out: Ability) -> anyhow::Result<u8> {
    let store = place::store()?;
    match action {
        None | Some(RunsAction::List) => {
            // A record holds what nodes said: the page cleans it.
            let mut page = output::page(out);
            for listed in store.list()? {
                let line = match record::read(&listed.path) {
                    Ok(recorded) => describe(&recorded.run),
                    Err(error) => format!("unreadable: {error}"),
                };
                let hang = listed.id.chars().count() + 2;
                page.lead(0, &[(Paint::Bold, &listed.id)], hang, (Paint::Plain, &line));
            }
            let mut text = page.finish();
            if text.is_empty() {
                text = format!("no runs are recorded in {}\n", store.dir.display());
            }
            output::print(&text)?;
        }
        Some(RunsAction::Prune { keep }) => {
            let removed = store.prune(*keep)?;
            history::forget(&store, &removed);
            output::print(&format!(
                "removed {}, kept the newest {keep}\n",
                number_of(removed.len(), "run")
            ))?;
        }
    }
    Ok(0)
}

fn describe(run: &verify_model::run::Run) -> String {
    let nodes: Vec<String> =
        run.nodes.iter().map(|n| format!("{} on {}", n.file.name, n.facts.hostname)).collect();
    let counts = run.counts();
    let counts: Vec<String> = Outcome::ALL
        .iter()
        .filter(|outcome| counts.get(**outcome) > 0)
        .map(|outcome| format!("{} {outcome}", counts.get(*outcome)))
        .collect();
    let state = if !run.complete {
        ", cut short"
    } else if run.interrupted {
        ", interrupted"
    } else {
        ""
    };
    format!(
        "{} · {} · exit {}{state} · {}",
        run.header.started_at,
        nodes.join(", "),
        run.exit_code(),
        counts.join(", ")
    )
}
