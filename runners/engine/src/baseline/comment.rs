//! What people wrote into a summary, carried into the one that replaces it.
//!
//! A summary is computed anew at every accept; the words beside its numbers are not, and nobody has
//! them a second time. Both sides of a merge that version control left undone are read. Comments
//! inside of an array are left out: nobody writes one between run ids.

use toml_edit::{ArrayOfTables, Decor, DocumentMut, Item, RawString, Table};

/// Puts the comments of an older text into a summary that is to replace it.
pub(super) fn carry(old: &str, new: &mut DocumentMut) {
    for side in sides(&old.replace("\r\n", "\n")) {
        carry_one(&side, new);
    }
}

/// Reads a text, or what both sides of each conflict in it make of it.
fn sides(text: &str) -> Vec<DocumentMut> {
    if let Ok(document) = text.parse() {
        return vec![document];
    }
    let side = |wanted: char| -> Option<DocumentMut> {
        let mut within = None;
        let kept = text.split_inclusive('\n').filter(|line| {
            let mark = ['<', '|', '=', '>'].into_iter().find(|mark| {
                let run = line.trim_end().split(' ').next().unwrap_or_default();
                run.len() == 7 && run.chars().all(|c| c == *mark)
            });
            match mark {
                Some('>') => within = None,
                Some(mark) => within = Some(mark),
                None => return within.is_none_or(|within| within == wanted),
            }
            false
        });
        kept.collect::<String>().parse().ok()
    };
    ['<', '='].into_iter().filter_map(side).collect()
}

fn carry_one(old: &DocumentMut, new: &mut DocumentMut) {
    let trailing = joined(new.trailing().as_str(), old.trailing().as_str());
    keys(old.as_table(), new.as_table_mut());
    let mut gone = String::new();
    rows(old.get("check"), new.get_mut("check"), "id", &mut gone, |old, new| {
        let mut loose = String::new();
        rows(old.get("metric"), new.get_mut("metric"), "field", &mut loose, |_, _| {});
        add(new.decor_mut(), &loose);
    });
    if let Some(text) = joined(trailing.as_deref(), Some(&gone)).or(trailing) {
        new.set_trailing(text);
    }
}

/// Carries the comments of tables to those of the same name; what has none is collected.
fn rows(
    old: Option<&Item>,
    new: Option<&mut Item>,
    name: &str,
    gone: &mut String,
    below: impl Fn(&Table, &mut Table),
) {
    let named = |table: &Table| table.get(name).and_then(Item::as_str).map(str::to_owned);
    let old = old.and_then(Item::as_array_of_tables).map(ArrayOfTables::iter);
    let mut new = new.and_then(Item::as_array_of_tables_mut);
    for old in old.into_iter().flatten() {
        let same = new.as_mut().and_then(|new| {
            new.iter_mut().find(|new| named(old).is_some() && named(new) == named(old))
        });
        if let Some(new) = same {
            keys(old, new);
            below(old, new);
        } else {
            *gone += &comments(old.decor().prefix());
        }
    }
}

/// Carries the comments of a table and its keys; those of a key that is gone go above the table.
fn keys(old: &Table, new: &mut Table) {
    for (name, item) in old {
        let Some(key) = old.key(name) else { continue };
        let above = comments(key.leaf_decor().prefix());
        let behind = item.as_value().map(|value| comments(value.decor().suffix()));
        let behind = behind.unwrap_or_default();
        let Some(kept) = new.get_mut(name) else {
            add(new.decor_mut(), &(above + &behind));
            continue;
        };
        if let Some(value) = kept.as_value_mut().filter(|_| !behind.is_empty()) {
            value.decor_mut().set_suffix(format!(" {}", behind.trim()));
        }
        if let Some(mut key) = new.key_mut(name) {
            add(key.leaf_decor_mut(), &above);
        }
    }
    add(new.decor_mut(), &comments(old.decor().prefix()));
    let behind = comments(old.decor().suffix());
    if !behind.is_empty() {
        new.decor_mut().set_suffix(format!(" {}", behind.trim()));
    }
}

/// Puts comments above what is there.
fn add(decor: &mut Decor, comments: &str) {
    let there = decor.prefix().and_then(RawString::as_str);
    if let Some(text) = joined(there, Some(comments)) {
        decor.set_prefix(text);
    }
}

/// Returns what is there with the lines of another text that are new; `None` where none is.
fn joined(there: Option<&str>, other: Option<&str>) -> Option<String> {
    let there = there.unwrap_or_default();
    let other = other.unwrap_or_default();
    let has = |text: &str, line: &str| text.lines().any(|known| known.trim() == line.trim());
    let said = |text: &'_ str| -> Vec<String> {
        text.lines().filter(|l| l.contains('#')).map(|l| l.trim().to_owned()).collect()
    };
    let new: Vec<String> = said(other).into_iter().filter(|line| !has(there, line)).collect();
    if new.is_empty() {
        return None;
    }
    // Whoever wrote between our lines meant that order.
    if said(there).iter().all(|line| has(other, line)) {
        let blank = there.len() - there.trim_start_matches('\n').len();
        return Some(format!("{}{}\n", &there[..blank], said(other).join("\n")));
    }
    Some(format!("{there}{}\n", new.join("\n")))
}

/// Returns the lines of a decoration that say something, each with its end.
fn comments(decor: Option<&RawString>) -> String {
    let text = decor.and_then(RawString::as_str).unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with('#'));
    lines.flat_map(|line| [line, "\n"]).collect()
}
