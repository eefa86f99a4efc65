//! How does the time grow, with checks and with nodes? The cost of one more in each decade, and the slope.

use std::path::Path;

use crate::{
    lab::Lab,
    measure::{Costs, Subject, in_turns},
    times::{Samples, short},
    tools::{self, Tools},
    world::World,
};

/// Prints how `verify` and its peers grow from ten to so many checks on this machine.
pub(crate) fn checks(scratch: &Path, world: &World, tools: &Tools, most: usize) {
    let sizes: Vec<usize> = [10, 100, 1000, 10_000].into_iter().filter(|n| *n <= most).collect();
    let mut rows: Vec<(String, Vec<(usize, Costs)>)> = Vec::new();
    for &size in &sizes {
        let (name, checks) = (format!("scale{size}"), world.many(size));
        let mut subjects = vec![tools.verify(&name, &checks)];
        subjects.extend(tools.goss(&name, &checks));
        subjects.push(tools.script(&name, &checks));
        if size <= 1000 {
            let title = ("testinfra", name.as_str());
            subjects.extend(tools.testinfra(title, &checks, &[]));
        }
        keep(&mut rows, size, scratch, &subjects);
    }
    println!("\nscaling in checks, local: two fifths each of file and content, one of command");
    print(&rows);
}

/// Prints how `verify` and clush grow from one to so many nodes on loopback.
pub(crate) fn nodes(scratch: &Path, lab: &Lab, most: usize) {
    let sizes: Vec<usize> = [1, 10, 100].into_iter().filter(|n| *n <= most).collect();
    let checks = crate::checks::few(&lab.folder());
    let mut rows: Vec<(String, Vec<(usize, Costs)>)> = Vec::new();
    for &size in &sizes {
        let names: Vec<String> = (0..size).map(|number| format!("n{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let root = lab.root(&format!("nodes{size}"), &checks.suite(&names), &names);
        let all = checks.count() * size;
        let command = || lab.command(&root, &["--node", "all"]);
        let mut subjects = vec![tools::subject("verify", command, tools::count_verify, all)];
        if crate::lab::is_there("clush") {
            let command = move || lab.clush_command(size);
            subjects.push(tools::subject("clush `true`", command, |_| Some(0), 0));
        }
        keep(&mut rows, size, scratch, &subjects);
    }
    println!("\nscaling in nodes, over ssh on loopback: {} checks each", checks.count());
    print(&rows);
}

/// Measures subjects of one size and puts each with what is known of it.
fn keep(
    rows: &mut Vec<(String, Vec<(usize, Costs)>)>,
    size: usize,
    scratch: &Path,
    subjects: &[Subject<'_>],
) {
    // Small sizes are short, and noise is larger beside them.
    let turns = if size <= 10 { 9 } else { 3 };
    for (subject, costs) in subjects.iter().zip(in_turns(turns, scratch, subjects)) {
        match rows.iter_mut().find(|(name, _)| *name == subject.name) {
            Some((_, row)) => row.push((size, costs)),
            None => rows.push((subject.name.clone(), vec![(size, costs)])),
        }
    }
}

fn print(rows: &[(String, Vec<(usize, Costs)>)]) {
    for (name, row) in rows {
        let times: Vec<(usize, f64)> = row.iter().map(|(n, c)| (*n, least(&c.wall))).collect();
        let work: Vec<(usize, f64)> = row.iter().map(|(n, c)| (*n, least(&c.cpu))).collect();
        println!("  {name}");
        line("least time", &times);
        line("least CPU", &work);
    }
}

fn least(samples: &[f64]) -> f64 {
    Samples(samples.to_vec()).quantile(0.0)
}

/// Prints the figures of one row, what one more costs in each decade, and the exponent of growth.
fn line(what: &str, row: &[(usize, f64)]) {
    let figures: Vec<String> =
        row.iter().map(|(size, time)| format!("{size}: {}", short(*time))).collect();
    let steps = row.iter().zip(row.iter().skip(1));
    let more: Vec<String> = steps.map(|(a, b)| short((b.1 - a.1) / (float(b.0 - a.0)))).collect();
    let slope = match (row.len(), exponent(row.get(1..).unwrap_or_default())) {
        (3.., slope) => format!("; exponent from {} on {slope:.2}", row[1].0),
        _ => String::new(),
    };
    println!("    {what:<10} {}; one more: {}{slope}", figures.join(", "), more.join(", "));
}

/// Fits the exponent of growth: the slope of least squares through the logarithms.
fn exponent(row: &[(usize, f64)]) -> f64 {
    let points: Vec<(f64, f64)> = row.iter().map(|(n, time)| (float(*n).ln(), time.ln())).collect();
    let count = float(points.len());
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let both: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    both / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bench")]
fn float(count: usize) -> f64 {
    count as f64
}
