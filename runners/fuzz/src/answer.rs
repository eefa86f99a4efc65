//! What must hold of what a probe reads, whatever text stands in the evidence.
//!
//! The evidence cases of the engine are the seeds: an input names a case and a place in it, and the
//! rest of the input is put there. A place is a captured stream, or a long text within a document
//! that a stream holds, so that what a tool printed is reached through the instrument that ran it.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::OnceLock};

use serde_json::Value as Json;
use verify_engine::{
    probe::{Probe, With},
    probes::{self, PROBES},
};
use verify_model::{
    check::Params,
    evidence::{Captured, Evidence},
    field::FieldKind,
    node::Facts,
    observation::Observation,
};

use crate::headed;

/// Shortest text within a document that is a place of its own. *Units*: B.
const LONG: usize = 40;

/// Holds one evidence case with the places in it that take a text.
struct Case {
    name: String,
    with: Params,
    evidence: Vec<Evidence>,
    places: Vec<Place>,
}

/// Names a text: the piece, the stream in it, and the path within the document of the stream.
#[derive(Clone)]
struct Place {
    piece: usize,
    stream: usize,
    pointer: String,
}

#[derive(serde::Deserialize)]
struct Form {
    with: Params,
    captured: Vec<Captured>,
}

/// Returns the cases of each probe, read once.
fn cases(probe: &str) -> &'static [Case] {
    static CASES: OnceLock<BTreeMap<&'static str, Vec<Case>>> = OnceLock::new();
    let all = CASES
        .get_or_init(|| PROBES.iter().map(|probe| (probe.spec().name, cases_of(*probe))).collect());
    all.get(probe).map(Vec::as_slice).unwrap_or_default()
}

fn cases_of(probe: &dyn Probe) -> Vec<Case> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/evidence");
    let folder = root.join(probe.spec().name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    let read = |name: String| {
        let at = folder.join(&name).join("case.json");
        let text = fs::read_to_string(&at).unwrap_or_else(|e| panic!("{}: {e}", at.display()));
        let form: Form =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", at.display()));
        let asks = probe.asks(With(&form.with), &Facts::default());
        let asks = asks.unwrap_or_else(|e| panic!("{}: {e:?}", at.display()));
        let both = asks.into_iter().zip(form.captured);
        let evidence: Vec<Evidence> = both
            .map(|(ask, captured)| Evidence {
                id: 0,
                node: "node".to_owned(),
                ask,
                at_ms: 0,
                elapsed_us: 1500,
                captured,
            })
            .collect();
        let places = places(&evidence);
        Case { name, with: form.with, evidence, places }
    };
    names.into_iter().map(read).collect()
}

fn places(evidence: &[Evidence]) -> Vec<Place> {
    let mut found = Vec::new();
    for (piece, evidence) in evidence.iter().enumerate() {
        for (stream, text) in texts(&mut evidence.captured.clone()).into_iter().enumerate() {
            found.push(Place { piece, stream, pointer: String::new() });
            if let Ok(document) = serde_json::from_str::<Json>(text) {
                let mut inner = Vec::new();
                long_texts(&document, "", &mut inner);
                found.extend(inner.into_iter().map(|pointer| Place { piece, stream, pointer }));
            }
        }
    }
    found
}

/// Lists where a document holds a long text, as JSON pointers.
fn long_texts(document: &Json, at: &str, found: &mut Vec<String>) {
    match document {
        Json::String(text) if text.len() >= LONG => found.push(at.to_owned()),
        Json::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                long_texts(item, &format!("{at}/{number}"), found);
            }
        }
        Json::Object(fields) => {
            for (name, item) in fields.iter().filter(|(name, _)| !name.contains(['/', '~'])) {
                long_texts(item, &format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Returns the texts of one capture: those of its streams, of a pattern those of the first files.
fn texts(captured: &mut Captured) -> Vec<&mut String> {
    match captured {
        Captured::File(stream) => vec![&mut stream.text],
        Captured::Exec { stdout, stderr, .. } => vec![&mut stdout.text, &mut stderr.text],
        Captured::Files(files) => {
            let read = files.iter_mut().filter_map(|(_, content)| content.as_mut().ok());
            read.take(4).map(|stream| &mut stream.text).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the text at a place.
fn said(evidence: &[Evidence], place: &Place) -> Option<String> {
    let mut captured = evidence.get(place.piece)?.captured.clone();
    let text = std::mem::take(texts(&mut captured).into_iter().nth(place.stream)?);
    if place.pointer.is_empty() {
        return Some(text);
    }
    let document: Json = serde_json::from_str(&text).ok()?;
    document.pointer(&place.pointer)?.as_str().map(str::to_owned)
}

/// Puts a text at a place.
fn put(evidence: &mut [Evidence], place: &Place, new: &str) -> Option<()> {
    let mut texts = texts(&mut evidence.get_mut(place.piece)?.captured);
    let text = texts.get_mut(place.stream)?;
    if place.pointer.is_empty() {
        new.clone_into(text);
    } else {
        let mut document: Json = serde_json::from_str(text).ok()?;
        *document.pointer_mut(&place.pointer)? = Json::String(new.to_owned());
        **text = document.to_string();
    }
    Some(())
}

pub(crate) fn seeds(probe: &str) -> Vec<Vec<u8>> {
    let of_case = |case: &Case| {
        let filled = case.places.iter().enumerate().filter_map(|(number, place)| {
            let text = said(&case.evidence, place)?;
            Some(format!("{} {number}\n{text}", case.name).into_bytes())
        });
        filled.collect::<Vec<_>>()
    };
    cases(probe).iter().flat_map(of_case).collect()
}

pub(crate) fn seeds_of_all() -> Vec<Vec<u8>> {
    let named = |probe: &&'static dyn Probe| {
        let name = probe.spec().name;
        let own = seeds(name).into_iter().map(|seed| [name.as_bytes(), b" ", &seed].concat());
        own.collect::<Vec<_>>()
    };
    PROBES.iter().flat_map(named).collect()
}

/// Tries the probe that the first word names.
pub(crate) fn of_any(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let name = String::from_utf8_lossy(&bytes[..end]);
    let sum: usize = name.bytes().map(usize::from).sum();
    let found = PROBES.iter().find(|probe| probe.spec().name == name);
    let probe = found.unwrap_or(&PROBES[sum % PROBES.len()]);
    of(probe.spec().name, bytes.get(end + 1..).unwrap_or_default());
}

/// Whatever stands in the evidence, what is read is declared, of its kind, and goes into a record.
pub(crate) fn of(name: &str, bytes: &[u8]) {
    let (head, text) = headed(bytes);
    let head = String::from_utf8_lossy(head);
    let (wanted, number) = head.split_once(' ').unwrap_or((&head, ""));
    let sum: usize = head.bytes().map(usize::from).sum();
    let cases = cases(name);
    let found = cases.iter().find(|case| case.name == wanted);
    let Some(case) = found.or_else(|| cases.get(sum % cases.len().max(1))) else { return };
    let at = number.parse().unwrap_or(sum) % case.places.len().max(1);
    let Some(place) = case.places.get(at) else { return };
    let mut evidence = case.evidence.clone();
    if put(&mut evidence, place, &String::from_utf8_lossy(text)).is_none() {
        return;
    }
    let probe = probes::find(name).unwrap_or_else(|| panic!("there is no probe `{name}`"));
    let with = With(&case.with);
    match probe.read(with, &evidence.iter().collect::<Vec<_>>()) {
        Ok(found) => {
            demand_declared(probe, with, &found);
            demand_recorded(&found);
        }
        Err(error) => assert!(!error.message.trim().is_empty(), "{name}: an error says nothing"),
    }
}

/// Every field has the kind that the loader checked demands against, and there is no other.
fn demand_declared(probe: &dyn Probe, with: With<'_>, found: &Observation) {
    let spec = probe.spec();
    for name in found.facts.keys().chain(found.metrics.keys()) {
        let declared = spec
            .fields
            .iter()
            .any(|field| field.path == name || field.path.split('.').next() == Some(name.as_str()));
        assert!(declared, "{} does not declare `{name}`", spec.name);
    }
    for field in spec.fields {
        let kind = probe.kind(field, with);
        if let (FieldKind::Metric(_, direction), Some(metric)) =
            (&kind, found.metrics.get(field.path))
        {
            assert_eq!(metric.direction(), *direction, "{}: {}", spec.name, field.path);
        }
        let value = found.resolve(field.path);
        assert!(!value.to_string().contains("the probe gave no"), "{}: {value}", spec.name);
        let name = kind.name();
        assert!(kind.holds(&value), "{}: {} is no {name}: {value:?}", spec.name, field.path);
    }
}

/// What was read stands in the record as it was, so that it is judged again the same way.
fn demand_recorded(found: &Observation) {
    let line = serde_json::to_string(found).expect("an observation has a JSON form");
    let read: Observation = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
    assert_eq!(serde_json::to_string(&read).ok().as_deref(), Some(line.as_str()));
    for metric in found.metrics.values() {
        assert!(metric.samples().iter().all(|sample| sample.is_finite()), "{metric:?}");
        assert!(metric.summary("median").is_some(), "{metric:?}");
    }
}
