//! Reads a page by the rules of HTML5 into a tree, and refuses what a browser would have to mend.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use html5gum::{DefaultEmitter, Token, Tokenizer};

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "input", "br", "link"];

/// Elements that stand in a line with what follows.
const INLINE: [&str; 6] = ["a", "bdi", "code", "kbd", "span", "strong"];

/// Holds one element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// Its text and that of all below it, in order.
    pub(crate) text: String,
}

impl Element {
    /// Returns an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Tells whether it is of a class.
    pub(crate) fn is(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|classes| classes.split(' ').any(|c| c == class))
    }

    /// Lists it and all below it, in order.
    pub(crate) fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(Self::all));
        all
    }

    /// Lists all of a class below it.
    pub(crate) fn of_class(&self, class: &str) -> Vec<&Self> {
        self.all().into_iter().filter(|element| element.is(class)).collect()
    }

    /// Lists all of a name below it.
    pub(crate) fn of_name(&self, name: &str) -> Vec<&Self> {
        self.all().into_iter().filter(|element| element.name == name).collect()
    }

    /// Finds the element of an id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Self> {
        self.all().into_iter().find(|element| element.attribute("id") == Some(id))
    }

    /// Returns its text with every gap as one space.
    pub(crate) fn words(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Reads a page; the root has no name.
///
/// *Errors*: a parse error of HTML5, or an element that is not closed in order.
pub(crate) fn parse(page: &str) -> Result<Element, String> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut open = vec![Element::default()];
    for token in Tokenizer::new_with_emitter(page, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                let name = text(&tag.name);
                let attributes = tag.attributes.iter();
                let attributes = attributes.map(|(name, value)| (text(name), text(value)));
                let attributes = attributes.collect();
                let ends = VOID.contains(&name.as_str()) || tag.self_closing;
                open.push(Element { name, attributes, ..Element::default() });
                if ends {
                    close(&mut open);
                }
            }
            Token::EndTag(tag) => {
                let (name, inner) = (text(&tag.name), open.last().map(|e| e.name.clone()));
                if inner.as_deref() != Some(&name) || open.len() < 2 {
                    return Err(format!("</{name}> closes {inner:?}"));
                }
                close(&mut open);
            }
            Token::String(said) => {
                let said = text(&said);
                if let Some(inner) = open.last_mut() {
                    inner.text.push_str(&said);
                }
            }
            Token::Comment(_) => return Err("a comment".to_owned()),
            Token::Doctype(_) => {}
            Token::Error(error) => return Err(format!("{error:?}")),
        }
    }
    let unclosed: Vec<String> = open.iter().skip(1).map(|element| element.name.clone()).collect();
    if !unclosed.is_empty() {
        return Err(format!("{unclosed:?} are not closed"));
    }
    open.pop().ok_or_else(|| "nothing".to_owned())
}

fn close(open: &mut Vec<Element>) {
    if let Some(element) = open.pop()
        && let Some(outer) = open.last_mut()
    {
        outer.text.push_str(&element.text);
        if !INLINE.contains(&element.name.as_str()) {
            outer.text.push(' ');
        }
        outer.children.push(element);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
