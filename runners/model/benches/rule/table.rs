//! Tables, as text that a document can hold.

/// Holds one goal and what was measured.
pub(crate) struct Goal {
    pub(crate) id: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) what: String,
    pub(crate) measured: String,
    /// The same in other ways; empty where not asked.
    pub(crate) beside: [String; 3],
    pub(crate) met: bool,
}

/// Prints the table of goals.
pub(crate) fn goals(goals: &[Goal]) {
    head(
        "Goals",
        &[
            "id",
            "unit",
            "goal",
            "measured",
            "met",
            "no drift guard",
            "no guard, key 2 at 5 %",
            "prior wrong by e^0.4",
        ],
    );
    for Goal { id, unit, what, measured, met, beside: [unguarded, loose, wrong] } in goals {
        let met = if *met { "yes" } else { "**no**" };
        println!(
            "| {id} | {unit} | {what} | {measured} | {met} | {unguarded} | {loose} | {wrong} |"
        );
    }
}

/// Prints a heading and the head of a table.
pub(crate) fn head(title: &str, columns: &[&str]) {
    println!("\n### {title}\n\n| {} |", columns.join(" | "));
    println!("|{}", "---|".repeat(columns.len()));
}

/// Prints a row.
pub(crate) fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

/// Returns a percentage as short as it is exact.
pub(crate) fn percent(value: f64) -> String {
    let digits = if value == 0.0 || value >= 99.995 { 0 } else { usize::from(value < 99.0) };
    let digits =
        if value > 0.0 && value < 1.0 || value > 99.0 && value < 99.995 { 2 } else { digits };
    format!("{value:.digits$} %")
}
