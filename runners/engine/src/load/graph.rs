//! Checks the `after` graph of one node: ids unique, targets exist, no cycles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    diagnostic::{Diagnostic, did_you_mean},
    suite::LoadedCheck,
};

/// Adds every error of the graph.
pub fn check(checks: &[LoadedCheck], errors: &mut Vec<Diagnostic>) {
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, loaded) in checks.iter().enumerate() {
        if let Some(first) = by_id.insert(&loaded.check.id, at) {
            let other = &checks[first].check.location;
            errors.push(Diagnostic {
                source: Arc::clone(&loaded.source),
                span: loaded.id_span.clone(),
                title: format!("the id `{}` is declared twice on one node", loaded.check.id),
                label: format!("first declared at {}:{}", other.file, other.line),
                help: Some("give each check of a node its own id".to_owned()),
            });
        }
    }
    for loaded in checks {
        for (id, span) in loaded.check.after.iter().zip(&loaded.after_spans) {
            if by_id.contains_key(id.as_str()) {
                continue;
            }
            let help = did_you_mean(id, by_id.keys().copied()).map_or_else(
                || {
                    "`verify list checks` lists them; both must be declared for the same node"
                        .to_owned()
                },
                |close| format!("did you mean `{close}`?"),
            );
            errors.push(Diagnostic {
                source: Arc::clone(&loaded.source),
                span: span.clone(),
                title: format!("`{}` comes after `{id}`, which does not exist", loaded.check.id),
                label: "no such check".to_owned(),
                help: Some(help),
            });
        }
    }
    cycles(checks, &by_id, errors);
}

/// Reports each cycle once, at the `after` that closes it. Iterative, since chains may be long.
fn cycles(checks: &[LoadedCheck], by_id: &BTreeMap<&str, usize>, errors: &mut Vec<Diagnostic>) {
    let mut done: BTreeSet<usize> = BTreeSet::new();
    for start in 0..checks.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        let mut on_path: BTreeSet<usize> = BTreeSet::from([start]);
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if done.contains(&at) || *next >= checks[at].check.after.len() {
                done.insert(at);
                on_path.remove(&at);
                path.pop();
                continue;
            }
            let edge = *next;
            *next += 1;
            let Some(&target) = by_id.get(checks[at].check.after[edge].as_str()) else { continue };
            if on_path.contains(&target) {
                let from = path.iter().position(|(p, _)| *p == target).unwrap_or(0);
                let names: Vec<&str> =
                    path[from..].iter().map(|(p, _)| checks[*p].check.id.as_str()).collect();
                errors.push(Diagnostic {
                    source: Arc::clone(&checks[at].source),
                    span: checks[at].after_spans[edge].clone(),
                    title: "`after` goes round in a circle".to_owned(),
                    label: format!("{} -> {}", names.join(" -> "), checks[target].check.id),
                    help: Some(
                        "take one of these out: none of them could ever be asked".to_owned(),
                    ),
                });
            } else if !done.contains(&target) {
                on_path.insert(target);
                path.push((target, 0));
            }
        }
    }
}
