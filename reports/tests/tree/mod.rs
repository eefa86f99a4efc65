//! A JUnit file as a tree, and the cases in it: how the tests look at what both dialects wrote.
//!
//! It refuses what the dialects never need (comments, document types), so that nothing in a file
//! goes unseen.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use quick_xml::{Reader, escape::resolve_xml_entity, events::BytesStart, events::Event};

/// Holds one element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// Its own text, without that of its children.
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Finds the element that says that a case did not pass.
    pub(crate) fn result(&self) -> Option<&Element> {
        self.children.iter().find(|c| ["failure", "error", "skipped"].contains(&c.name.as_str()))
    }

    /// Lists the cases below.
    pub(crate) fn cases(&self) -> Vec<&Element> {
        self.named("testsuite").flat_map(|suite| suite.named("testcase")).collect()
    }

    /// Joins the output of a case or suite.
    pub(crate) fn output(&self) -> String {
        self.named("system-out").map(|out| out.text.as_str()).collect()
    }
}

/// Reads a document.
pub(crate) fn parse(xml: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|e| e.to_string())?;
        match event {
            Event::Eof => break,
            Event::Decl(_) if open.len() == 1 && open[0].children.is_empty() => {}
            Event::Start(tag) => open.push(element(&tag)?),
            Event::Empty(tag) => last(&mut open).children.push(element(&tag)?),
            Event::End(_) => {
                let done = open.pop().unwrap_or_default();
                last(&mut open).children.push(done);
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|e| e.to_string())?;
                if text.contains("]]>") {
                    return Err("`]]>` in text".into());
                }
                last(&mut open).text.push_str(&text);
            }
            Event::CData(text) => {
                last(&mut open).text.push_str(&text.decode().map_err(|e| e.to_string())?);
            }
            Event::GeneralRef(name) => {
                let name = name.decode().map_err(|e| e.to_string())?;
                let text = resolve_xml_entity(&name).ok_or(format!("unknown entity {name}"))?;
                last(&mut open).text.push_str(text);
            }
            other => return Err(format!("unexpected {other:?}")),
        }
    }
    let document = open.pop().filter(|_| open.is_empty()).ok_or("an element is not closed")?;
    let [root] = document.children.try_into().map_err(|_| "not one root element")?;
    if document.text.trim().is_empty() { Ok(root) } else { Err("text beside the root".into()) }
}

fn last(open: &mut [Element]) -> &mut Element {
    open.last_mut().unwrap()
}

fn element(tag: &BytesStart<'_>) -> Result<Element, String> {
    let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
        let raw = String::from_utf8_lossy(&attribute.value).into_owned();
        if raw.contains(['<', '\n', '\t', '\r']) {
            return Err(format!("{key} holds a raw `<` or a line break"));
        }
        let value = quick_xml::escape::unescape(&raw).map_err(|e| e.to_string())?.into_owned();
        attributes.push((key, value));
    }
    Ok(Element { name, attributes, ..Element::default() })
}
