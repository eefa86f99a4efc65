//! How the memory of a card does: what ECC counted, and rows that were remapped.

use verify_model::value::Value;

use crate::parse::nvidia_smi::{Zero, integer, query::Part, switch};

/// Adds counters up; those that the card does not offer are left out, if it offers one.
fn sum(gpu: &Part, names: &[&str]) -> Value {
    let mut sum = None;
    let mut none = Value::Absent("this nvidia-smi does not count them".to_owned());
    for name in names {
        // Where the card has none, the folder itself says so.
        let folder = name.rsplit_once('/').map_or(*name, |(folder, _)| folder);
        match gpu.read(&[*name, folder], |word| integer(word, Zero::Usual)) {
            Value::Integer(number) => sum = Some(sum.unwrap_or(0_i64).saturating_add(number)),
            Value::Absent(why) => none = Value::Absent(why),
            unreadable => return unreadable,
        }
    }
    sum.map_or(none, Value::Integer)
}

/// Says what ECC counted.
pub(super) fn ecc(gpu: &Part) -> Value {
    const FOLDER: &str = "ecc_errors/volatile";
    let counters = |wanted: fn(&str) -> bool| {
        let names: Vec<String> = gpu
            .under(FOLDER)
            .filter(|(path, _)| wanted(path))
            .map(|(path, _)| format!("{FOLDER}/{path}"))
            .collect();
        sum(gpu, &names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    Value::record([
        ("mode", gpu.read(&["ecc_mode/current_ecc"], switch)),
        // Before driver 450 or so: bits instead of what became of them.
        ("corrected", counters(|path| path.contains("_correctable") || path == "single_bit/total")),
        (
            "uncorrected",
            counters(|path| path.contains("_uncorrectable") || path == "double_bit/total"),
        ),
    ])
}

/// Says how the memory does, as the probe `nvml` does.
pub(super) fn memory_health(gpu: &Part) -> Value {
    let row = |name: &str| gpu.read(&[&format!("remapped_rows/{name}"), "remapped_rows"], switch);
    let errors = match ecc(gpu).at(&["uncorrected"]) {
        Value::Integer(0) => Value::text("ok"),
        Value::Integer(_) => Value::text("uncorrected-errors"),
        none => none,
    };
    let rows = match (row("remapped_row_failure"), row("remapped_row_pending")) {
        (Value::Bool(true), _) => Value::text("remap-failed"),
        (_, Value::Bool(true)) => Value::text("remap-pending"),
        (Value::Bool(false), Value::Bool(false)) => Value::text("ok"),
        (Value::Unreadable(why), _) | (_, Value::Unreadable(why)) => Value::Unreadable(why),
        (none, _) => none,
    };
    match (&rows, &errors) {
        (Value::Absent(_), Value::Absent(_)) => Value::text("not-offered"),
        (Value::Unreadable(_), _) | (_, Value::Absent(_)) => rows,
        (Value::Text(word), Value::Text(_)) if word != "ok" => rows,
        _ => errors,
    }
}

/// Counts rows that were remapped, for corrected and uncorrected errors.
pub(super) fn remapped(gpu: &Part) -> Value {
    sum(gpu, &["remapped_rows/remapped_row_corr", "remapped_rows/remapped_row_unc"])
}
