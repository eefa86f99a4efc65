//! How a picture is written: elements with escaped text, one decimal of a pixel, no colour.
//!
//! Positions are attributes, looks are classes, and nothing else is written: no style, script, link or
//! foreign content can come from here. The ids that name title and description follow from what is
//! drawn, so that they are unique in a page and the same in every run of the writer.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::Picture;
use crate::clean::one_line;

/// Width of every picture. *Units*: px at full size; at 360 px a label is still 9 px high.
pub(super) const WIDTH: f64 = 480.0;
/// Mean width of a character of a label. *Units*: px.
pub(super) const CHARACTER: f64 = 6.6;
/// Longest label, whatever the place. *Units*: characters.
const LABEL: usize = 80;
/// Longest title or summary. *Units*: characters.
const SENTENCE: usize = 600;

/// Says which end of a text stands at its position.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Holds the elements of a picture.
#[derive(Default)]
pub(super) struct Svg {
    body: String,
}

/// Writes a position: finite, one decimal, no trailing zero.
pub(super) fn number(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(-1e5, 1e5) } else { 0.0 };
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Escapes clean text for a place between tags or in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Measures a label, roughly.
pub(super) fn width_of(text: &str) -> f64 {
    let wide = |c: char| if c.is_ascii() { 1.0 } else { 1.3 };
    text.chars().map(wide).sum::<f64>() * CHARACTER
}

/// Cuts a label so that it fits a width.
pub(super) fn fitted(text: &str, width: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a width of some hundred pixels"
    )]
    let most = (width / CHARACTER).clamp(1.0, 200.0) as usize;
    one_line(text, most)
}

impl Svg {
    /// Draws a line.
    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let _ =
            write!(self.body, r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#);
    }

    /// Draws a line through points.
    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut d = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            let letter = if at == 0 { 'M' } else { 'L' };
            let _ = write!(d, "{letter}{} {}", number(*x), number(*y));
        }
        let _ = write!(self.body, r#"<path class="{class}" d="{d}"/>"#);
    }

    /// Fills what lies between points.
    pub(super) fn area(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> =
            points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let points = points.join(" ");
        let _ = write!(self.body, r#"<polygon class="{class}" points="{points}"/>"#);
    }

    /// Draws a box.
    pub(super) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64)) {
        let [x, y, w, h] = [corner.0, corner.1, size.0.max(0.0), size.1.max(0.0)].map(number);
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{x}" y="{y}" width="{w}" height="{h}" rx="2"/>"#
        );
    }

    /// Draws a circle.
    pub(super) fn circle(&mut self, class: &str, centre: (f64, f64), radius: f64) {
        let [x, y, r] = [centre.0, centre.1, radius].map(number);
        let _ = write!(self.body, r#"<circle class="{class}" cx="{x}" cy="{y}" r="{r}"/>"#);
    }

    /// Writes a label.
    pub(super) fn text(&mut self, class: &str, anchor: Anchor, at: (f64, f64), text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " mid",
            Anchor::End => " end",
        };
        let (x, y) = (number(at.0), number(at.1));
        let text = escaped(&one_line(text, LABEL));
        let _ = write!(self.body, r#"<text class="{class}{anchor}" x="{x}" y="{y}">{text}</text>"#);
    }

    /// Opens a group whose parts say together what the title says; `end` closes it.
    pub(super) fn begin(&mut self, title: &str) {
        let title = escaped(&one_line(title, SENTENCE));
        let _ = write!(self.body, "<g><title>{title}</title>");
    }

    /// Closes the group.
    pub(super) fn end(&mut self) {
        self.body.push_str("</g>");
    }

    /// Makes it a picture; `key` names what is drawn, and of what.
    pub(super) fn finish(self, key: &[&str], title: &str, summary: &str, height: f64) -> Picture {
        let (title, summary) = (one_line(title, SENTENCE), one_line(summary, SENTENCE));
        let id = id(key);
        let (width, height) = (number(WIDTH), number(height));
        let mut svg = String::with_capacity(self.body.len() + 512);
        let _ = write!(
            svg,
            r#"<svg class="draw" role="img" aria-labelledby="{id}-t {id}-d" viewBox="0 0 {width} {height}">"#
        );
        let _ = write!(svg, r#"<title id="{id}-t">{}</title>"#, escaped(&title));
        let _ = write!(svg, r#"<desc id="{id}-d">{}</desc>"#, escaped(&summary));
        svg.push_str(&self.body);
        svg.push_str("</svg>");
        Picture { title, summary, svg }
    }
}

/// Makes an id of what is drawn, whatever its name holds and however long it is.
fn id(key: &[&str]) -> String {
    let digest = Sha256::digest(key.join("\n").as_bytes());
    let mut id = "draw-".to_owned();
    for byte in digest.iter().take(8) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}
