//! Decodes waivers: of one node in its file, of any node in `waivers.toml` beside the suites.
//!
//! What the file of a root says is laid on the nodes when all is loaded, one waiver for each check that
//! it names, so that a run and its record know of one kind alone. A check and a node have one waiver, or
//! several that are about different hardware. A waiver that names a check or node that does not exist
//! is no error: a root may be laid over suites that come and go.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use globset::GlobMatcher;
use jiff::civil::Date;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use verify_model::{node::NodeFile, waiver::Waiver};

use super::{
    diagnostic::{Diagnostic, LoadError, Source, did_you_mean},
    keys,
    reader::{Raw, Reader},
    suite::{LoadedCheck, is_id},
};

/// Longest time that a waiver of a file beside the suites may last. *Units*: days. *Source*: ours: a
/// year and a day, after which somebody should look again.
pub const LONGEST: i32 = 366;

/// Holds one waiver of a file beside the suites.
#[derive(Clone, Debug)]
pub struct SharedWaiver {
    /// Pattern of check ids, as written.
    pub check: String,
    /// Node that it is for; absent for every node.
    pub node: Option<String>,
    /// The waiver, without node and check.
    pub waiver: Waiver,
    matcher: GlobMatcher,
    expires: Date,
    source: Arc<Source>,
    /// Where it names its check, its node and its last day.
    spans: [Range<usize>; 3],
}

impl SharedWaiver {
    /// Tells whether it names a check of a node.
    pub fn names(&self, node: &str, check: &str) -> bool {
        self.is_for(node) && self.matcher.is_match(check)
    }

    /// Returns the waiver as a node has it.
    pub fn on(&self, node: &str, check: &str) -> Waiver {
        Waiver { node: node.to_owned(), check: check.to_owned(), ..self.waiver.clone() }
    }

    fn is_for(&self, node: &str) -> bool {
        self.node.as_deref().is_none_or(|own| own == node)
    }

    /// Says that it excuses nothing, if it names no check or no node that there is.
    pub fn idle<'c>(&self, checks: &BTreeMap<&'c str, Vec<&'c str>>) -> Option<Diagnostic> {
        let [check, node, _] = self.spans.clone();
        let say = |span, title: String, label: &str, help: Option<String>| {
            Some(Diagnostic {
                source: Arc::clone(&self.source),
                span,
                title,
                label: label.into(),
                help,
            })
        };
        if let Some(name) = self.node.as_deref().filter(|name| !checks.contains_key(name)) {
            let close = did_you_mean(name, checks.keys().copied());
            let help = close.map(|close| format!("did you mean `{close}`?"));
            return say(node, format!("no node is named `{name}`"), "no such node", help);
        }
        let mine = || checks.iter().filter(|(node, _)| self.is_for(node)).flat_map(|(_, ids)| ids);
        if mine().any(|id| self.matcher.is_match(id)) {
            return None;
        }
        let whose = self.node.as_ref().map_or("no node".into(), |n| format!("node {n}"));
        let no = if self.node.is_some() { "no" } else { "a" };
        let title = format!("{whose} has {no} check `{}` to waive", self.check);
        let close = did_you_mean(&self.check, mine().copied());
        let help = close.map_or_else(
            || "`verify list checks` lists them".to_owned(),
            |close| format!("did you mean `{close}`?"),
        );
        say(check, title, "no such check", Some(help))
    }
}

/// Refuses waivers that last longer than [`LONGEST`] days from a day on.
///
/// *Errors*: every one that does.
pub fn demand_end(waivers: &[SharedWaiver], today: Date) -> Result<(), LoadError> {
    let last = today.saturating_add(jiff::Span::new().days(LONGEST));
    let too_long = waivers.iter().filter(|waiver| waiver.expires > last).map(|waiver| Diagnostic {
        source: Arc::clone(&waiver.source),
        span: waiver.spans[2].clone(),
        title: format!("a waiver until {} lasts too long", waiver.expires),
        label: format!("expected {last} at the latest"),
        help: Some(format!(
            "a waiver lasts at most {LONGEST} days: write a nearer day, and renew it with a reason when it comes"
        )),
    });
    let diagnostics: Vec<Diagnostic> = too_long.collect();
    if diagnostics.is_empty() {
        return Ok(());
    }
    Err(LoadError { diagnostics, general: Vec::new() })
}

/// Decodes `waivers.toml`.
pub(super) fn shared(source: &Arc<Source>) -> (Vec<SharedWaiver>, Vec<Diagnostic>) {
    let (root, syntax) = DeTable::parse_recoverable(&source.text);
    let mut reader = Reader::new(source, None);
    for error in &syntax {
        reader.error(error.span().unwrap_or(0..0), error.message(), "here", None);
    }
    if !syntax.is_empty() {
        return (Vec::new(), reader.errors);
    }
    let table = root.get_ref();
    reader.check_keys(table, keys::WAIVERS, "a file of waivers", 0..0);
    let waivers = tables(&mut reader, table)
        .into_iter()
        .filter_map(|(table, span)| one_shared(&mut reader, table, span))
        .collect();
    (waivers, reader.errors)
}

fn one_shared(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    span: Range<usize>,
) -> Option<SharedWaiver> {
    reader.check_keys(table, keys::SHARED_WAIVER, "[[waiver]]", span.clone());
    let check = reader.text(table, "check")?;
    let node = if table.contains_key("node") { Some(reader.text(table, "node")?) } else { None };
    let spans =
        ["check", "node", "expires"].map(|key| table.get(key).map_or(span.clone(), Spanned::span));
    let glob = globset::GlobBuilder::new(&check).build();
    let (true, Ok(glob)) = (is_id(&check.replace(['*', '?'], "x")), glob) else {
        let title = format!("`{check}` names no check");
        let help = "`gpu/*` names all checks of a group, `*/*` every check".to_owned();
        reader.error(spans[0].clone(), title, "expected `group/name`", Some(help));
        return None;
    };
    let (waiver, expires) = rest(reader, table, &spans[0])?;
    let (matcher, source) = (glob.compile_matcher(), Arc::clone(&reader.source));
    Some(SharedWaiver { check, node, waiver, matcher, expires, source, spans })
}

/// Decodes the waivers of a node file, each with the place where it names its check.
pub(super) fn of_node(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    node: &str,
) -> Vec<(Waiver, Range<usize>)> {
    let mut waivers: Vec<(Waiver, Range<usize>)> = Vec::new();
    for (table, span) in tables(reader, table) {
        let Some(waiver) = one_of_node(reader, table, span.clone(), node) else { continue };
        if let Some((known, _)) = waivers.iter().find(|(known, _)| same(known, &waiver.0)) {
            let title = format!("`{}` is waived twice", known.check);
            reader.error(span, title, "second waiver", Some("keep one".to_owned()));
        }
        waivers.push(waiver);
    }
    waivers
}

fn one_of_node(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    span: Range<usize>,
    node: &str,
) -> Option<(Waiver, Range<usize>)> {
    reader.check_keys(table, keys::WAIVER, "[[waiver]]", span);
    let check = reader.text(table, "check")?;
    let named = table.get("check").map_or(0..0, Spanned::span);
    if !is_id(&check) {
        let title = format!("`{check}` is not the id of a check");
        reader.error(named.clone(), title, "expected `group/name`", None);
    }
    let (waiver, _) = rest(reader, table, &named)?;
    Some((Waiver { node: node.to_owned(), check, ..waiver }, named))
}

/// Tells whether two waivers excuse the same failure: not where each names hardware of its own.
fn same(one: &Waiver, other: &Waiver) -> bool {
    let differ = !one.only.is_empty() && !other.only.is_empty() && one.only != other.only;
    one.check == other.check && !differ
}

/// Decodes what both kinds have.
fn rest(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    named: &Range<usize>,
) -> Option<(Waiver, Date)> {
    for key in ["reason", "owner"] {
        if let Some(value) = table.get(key) {
            reader.demand_no_secret(key, value);
        }
    }
    let reason = reader.text(table, "reason")?;
    let owner = reader.text(table, "owner")?;
    let expires = day(reader, table)?;
    let strict = reader.flag(table, "strict");
    let only = only(reader, table)?;
    let location = Some(reader.location(named));
    let (node, check) = (String::new(), String::new());
    // Written back in one spelling, so that days compare as texts.
    let day = expires.to_string();
    Some((Waiver { node, check, reason, owner, expires: day, strict, only, location }, expires))
}

/// Reads the last day; TOML's own dates are days, too.
fn day(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Date> {
    let value = table.get("expires")?;
    let text = match value.get_ref() {
        DeValue::Datetime(day) => day.to_string(),
        _ => reader.text(table, "expires")?,
    };
    // No other spelling is a day: jiff would take a time behind it, or no dashes.
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    if day.is_none() {
        let (title, label) = (format!("`{text}` is not a day"), "expected `YYYY-MM-DD`");
        reader.error(value.span(), title, label, None);
    }
    day
}

/// Reads the hardware; nothing where it is written wrongly, for a wider waiver was not meant.
fn only(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    let Some(value) = table.get("only") else { return Some(fields) };
    let before = reader.errors.len();
    if let Some(table) = value.get_ref().as_table() {
        flatten(reader, (table, value.span()), "", &mut fields);
    } else {
        reader.wrong_type(value, "a table of fields, such as { \"bios.version\" = \"2.*\" }");
    }
    (reader.errors.len() == before).then_some(fields)
}

/// Joins the keys of nested tables: `only.bios.version` is the field `bios.version`.
fn flatten(
    reader: &mut Reader<'_>,
    (table, span): (&DeTable<'_>, Range<usize>),
    above: &str,
    fields: &mut BTreeMap<String, String>,
) {
    if table.is_empty() {
        let help = "leave it out where any hardware is meant".to_owned();
        let title = format!(
            "`only{}{}` names no field",
            if above.is_empty() { "" } else { "." },
            above.trim_end_matches('.')
        );
        reader.error(span, title, "expected a field", Some(help));
    }
    for (key, value) in table {
        let path = format!("{above}{}", key.get_ref());
        if let Some(table) = value.get_ref().as_table() {
            flatten(reader, (table, value.span()), &format!("{path}."), fields);
            continue;
        }
        match reader.raw(value) {
            Raw::Text(text) if !text.trim().is_empty() && !path.trim().is_empty() => {
                fields.insert(path, text);
            }
            _ => reader.wrong_type(value, "a text that the field must be, `*` allowed"),
        }
    }
}

fn tables<'t>(
    reader: &mut Reader<'_>,
    table: &'t DeTable<'_>,
) -> Vec<(&'t DeTable<'t>, Range<usize>)> {
    let Some(value) = table.get("waiver") else { return Vec::new() };
    let Some(items) = value.get_ref().as_array() else {
        reader.wrong_type(value, "tables `[[waiver]]`");
        return Vec::new();
    };
    let mut tables = Vec::new();
    for item in items {
        match item.get_ref() {
            DeValue::Table(table) => tables.push((table, item.span())),
            _ => reader.wrong_type(item, "a table `[[waiver]]`"),
        }
    }
    tables
}

/// Lays waivers on nodes, one for each check that they name, and says which failures two of them
/// would excuse.
pub(super) fn lay(
    waivers: &[SharedWaiver],
    nodes: &mut BTreeMap<String, NodeFile>,
    checks: &BTreeMap<String, Vec<LoadedCheck>>,
) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for (name, file) in nodes.iter_mut() {
        for check in checks.get(name).map(Vec::as_slice).unwrap_or_default() {
            for shared in waivers.iter().filter(|w| w.names(name, &check.check.id)) {
                let waiver = shared.on(name, &check.check.id);
                match file.waivers.iter().find(|known| same(known, &waiver)) {
                    Some(known) => errors.push(twice(shared, known)),
                    None => file.waivers.push(waiver),
                }
            }
        }
    }
    errors
}

fn twice(shared: &SharedWaiver, known: &Waiver) -> Diagnostic {
    let place =
        known.location.as_ref().map_or_else(String::new, |at| format!("{}:{}", at.file, at.line));
    Diagnostic {
        source: Arc::clone(&shared.source),
        span: shared.spans[0].clone(),
        title: format!("`{}` is waived twice on node {}", known.check, known.node),
        label: format!("the other waiver is that of {place}"),
        help: Some("keep one, or let each name its own hardware in `only`".to_owned()),
    }
}
