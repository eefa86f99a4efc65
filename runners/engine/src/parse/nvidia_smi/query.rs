//! Reads the document of `nvidia-smi -q -x`, whatever its generation calls things.
//!
//! Elements were renamed time and again, so that a card is kept as a table of paths and every value
//! is looked for under all its names, newest first. A document that does not reach its end is
//! refused whole: a card that is missing from it would look like one that is not there.

use std::collections::BTreeMap;

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use verify_model::value::Value;

use super::said;

const ROOT: &str = "nvidia_smi_log";
/// Bounds how deep elements stand in each other; five are known.
const DEPTH: usize = 16;

/// Holds what is said of the system and of each card.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub system: Part,
    pub gpus: Vec<Part>,
}

/// Holds texts by the path of their element, such as `pci/replay_counter`; the first one counts.
#[derive(Debug, Default)]
pub(crate) struct Part(BTreeMap<String, String>);

impl Part {
    /// Returns the first value among the names of one thing, else why there is none.
    pub(crate) fn first(&self, names: &[&str]) -> Result<&str, Value> {
        let mut none = None;
        for text in names.iter().filter_map(|name| self.0.get(*name)) {
            match said(text) {
                Ok(value) => return Ok(value),
                Err(why) => none = none.or(Some(why)),
            }
        }
        // A generation that does not have the element does not offer the value.
        let shown = names.first().copied().unwrap_or_default();
        Err(none.unwrap_or_else(|| Value::Absent(format!("this nvidia-smi has no `{shown}`"))))
    }

    /// Reads the first value among the names of one thing.
    pub(crate) fn read(&self, names: &[&str], read: impl FnOnce(&str) -> Value) -> Value {
        self.first(names).map_or_else(|none| none, read)
    }

    /// Lists what stands under an element: name and text of each.
    pub(crate) fn under<'a>(
        &'a self,
        folder: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        let inside = move |(path, text): (&'a String, &'a String)| {
            Some((path.strip_prefix(folder)?.strip_prefix('/')?, text.as_str()))
        };
        self.0.iter().filter_map(inside)
    }
}

/// Splits what was printed into the document and the lines around it.
pub(crate) fn split(text: &str) -> (&str, String) {
    let start = text.find("<?xml").or_else(|| text.find("<nvidia_smi_log"));
    let Some((before, rest)) = start.and_then(|at| text.split_at_checked(at)) else {
        return ("", text.to_owned());
    };
    let end = rest.rfind('>').map_or(rest.len(), |at| at + 1);
    let (document, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    (document, format!("{before}\n{after}"))
}

/// Reads the document.
///
/// *Errors*: it is not one, or it does not reach its end.
pub(crate) fn read(document: &str) -> Result<Log, String> {
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let mut log = Log::default();
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut leaf = false;
    let mut whole = false;
    loop {
        let event = reader.read_event().map_err(|why| format!("not XML: {why}"))?;
        match event {
            Event::Start(element) => {
                open(&mut log, &mut path, &element)?;
                text.clear();
                leaf = true;
            }
            Event::End(_) => {
                whole = close(&mut log, &mut path, leaf.then_some(&text));
                leaf = false;
            }
            Event::Text(part) => {
                text.push_str(&part.decode().map_err(|why| format!("not text: {why}"))?);
            }
            Event::GeneralRef(name) => {
                let known = match name.resolve_char_ref() {
                    Ok(Some(c)) => c.to_string(),
                    _ => name
                        .decode()
                        .ok()
                        .and_then(|name| resolve_predefined_entity(&name))
                        .unwrap_or("?")
                        .to_owned(),
                };
                text.push_str(&known);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if whole { Ok(log) } else { Err(format!("the document ends before </{ROOT}>")) }
}

fn open(log: &mut Log, path: &mut Vec<String>, element: &BytesStart<'_>) -> Result<(), String> {
    let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
    if path.is_empty() && name != ROOT {
        return Err(format!("the document is <{name}>, not <{ROOT}>"));
    }
    if path.len() >= DEPTH {
        return Err(format!("elements stand more than {DEPTH} deep"));
    }
    path.push(name);
    if is_gpu(path) && path.len() == 2 {
        let mut gpu = Part::default();
        if let Ok(Some(id)) = element.try_get_attribute("id") {
            gpu.0.insert("@id".to_owned(), String::from_utf8_lossy(&id.value).into_owned());
        }
        log.gpus.push(gpu);
    }
    Ok(())
}

/// Keeps the text of an element that ends and holds no other; tells whether it was the root.
fn close(log: &mut Log, path: &mut Vec<String>, text: Option<&String>) -> bool {
    let (part, from) =
        if is_gpu(path) { (log.gpus.last_mut(), 2) } else { (Some(&mut log.system), 1) };
    if let (Some(part), Some(names), Some(text)) = (part, path.get(from..), text) {
        part.0.entry(names.join("/")).or_insert_with(|| text.trim().to_owned());
    }
    path.pop();
    path.is_empty()
}

fn is_gpu(path: &[String]) -> bool {
    path.get(1).is_some_and(|name| name == "gpu")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "<?xml version=\"1.0\" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM \"x.dtd\">\n\
        <nvidia_smi_log><driver_version>1.2</driver_version>\
        <gpu id=\"0:01\"><uuid>A &amp; B &#x43;</uuid><old>N/A</old><deep><in>7 W</in></deep></gpu>\
        <gpu id=\"0:02\"><uuid> C </uuid><uuid>D</uuid><none/></gpu></nvidia_smi_log>";

    #[test]
    fn every_card_is_a_table_of_its_own() {
        let log = read(LOG).unwrap();
        assert_eq!(log.system.first(&["driver_version"]), Ok("1.2"));
        let [one, two] = log.gpus.as_slice() else { panic!("{log:?}") };
        assert_eq!(one.first(&["@id"]), Ok("0:01"));
        assert_eq!(one.first(&["uuid"]), Ok("A & B C"));
        assert_eq!(one.under("deep").collect::<Vec<_>>(), [("in", "7 W")]);
        assert_eq!(two.first(&["uuid"]), Ok("C"), "the first one counts");
        assert!(matches!(two.first(&["none"]), Err(Value::Unreadable(_))), "an empty one");
    }

    #[test]
    fn a_name_with_a_value_wins_and_one_that_is_not_there_is_absent() {
        let log = read(LOG).unwrap();
        assert_eq!(log.gpus[0].first(&["new", "old", "deep/in"]), Ok("7 W"));
        assert!(matches!(log.gpus[0].first(&["new", "old"]), Err(Value::Absent(_))));
        assert!(matches!(log.gpus[0].first(&["new"]), Err(Value::Absent(_))));
    }

    #[test]
    fn lines_around_the_document_are_told_from_it() {
        let (document, rest) = split("WARNING: x\n<?xml version=\"1.0\" ?>\n<a></a>\nlost\n");
        assert_eq!(document, "<?xml version=\"1.0\" ?>\n<a></a>");
        assert_eq!(rest, "WARNING: x\n\n\nlost\n");
        assert_eq!(split("NVIDIA-SMI has failed"), ("", "NVIDIA-SMI has failed".to_owned()));
    }

    #[test]
    fn what_does_not_reach_its_end_is_refused_wherever_it_was_cut() {
        for at in 0..LOG.len() - 1 {
            assert!(read(&LOG[..at]).is_err(), "{at}");
        }
        for bad in ["", "text", "<html></html>", "<nvidia_smi_log></gpu>", "<a><b></a></b>"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&format!("<{ROOT}>{}", "<a>".repeat(5000))).is_err());
    }
}
