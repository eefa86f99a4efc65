//! What is shown of the costs: one line a tool, each beside `verify` in the same turns.
//!
//! Columns: how many runs; median, tenth and ninetieth percentile and least of the time; processor time of the whole
//! tree, its median; the largest process; the median time over that of `verify`, as the median of the
//! ratios of each turn; the goal. The processor time tells of work where a busy machine stretches time.

use crate::{
    measure::{Costs, Subject},
    times::{Samples, held, short},
};

/// Says how many times as long a peer should take at least.
pub(crate) type Goal<'g> = (&'g str, f64);

/// Prints a group of subjects; the first is what the others are compared with.
pub(crate) fn print(title: &str, subjects: &[Subject<'_>], costs: &[Costs], goals: &[Goal<'_>]) {
    println!("\n{title}");
    println!(
        "  {:<40} {:>3} {:>8}  {:<19} {:>8} {:>8} {:>8} {:>7}  goal",
        "", "n", "median", "p10-p90", "least", "CPU", "memory", "ratio"
    );
    let Some((own, every)) = costs.first().zip(subjects.first().map(|subject| subject.every))
    else {
        return;
    };
    for (subject, costs) in subjects.iter().zip(costs) {
        let ratio = ratio(own, every, costs, subject.every);
        let goal = goals.iter().find(|(name, _)| *name == subject.name);
        let goal = goal.map_or_else(String::new, |(_, goal)| {
            held(&format!("ratio {goal} or more"), goal / ratio)
        });
        let (wall, cpu) = (Samples(costs.wall.clone()), Samples(costs.cpu.clone()));
        let spread = format!("{}-{}", short(wall.quantile(0.1)), short(wall.quantile(0.9)));
        let line = format!(
            "  {:<40} {:>3} {:>8}  {spread:<19} {:>8} {:>8} {:>8} {:>6.1}x  {goal}",
            subject.name,
            costs.wall.len(),
            short(wall.median()),
            short(wall.quantile(0.0)),
            short(cpu.median()),
            megabytes(costs.memory),
            ratio,
        );
        println!("{}", line.trim_end());
    }
}

/// Computes how many times as long as the first a subject took, turn by turn.
fn ratio(own: &Costs, every: usize, costs: &Costs, rarer: usize) -> f64 {
    // A subject that runs in every third turn is beside every third sample of the other.
    let beside =
        (1..).map(|run| run * rarer / every - 1).filter_map(|at| own.wall.get(at).copied());
    let (other, own): (Vec<f64>, Vec<f64>) =
        costs.wall.iter().copied().zip(beside.take(costs.wall.len())).unzip();
    Samples(other).over(&Samples(own)).median()
}

#[expect(clippy::cast_precision_loss, reason = "memory of a process")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
