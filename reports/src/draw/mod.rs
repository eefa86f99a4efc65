//! Pictures of a run, as SVG that stands in the page: what people would rather look at than read.
//!
//! Each is a pure function of the run and has a title and a sentence for those who do not see it. No
//! colour is named here: classes are, and [`STYLE`] gives them the colours of the page. All text of a
//! node is cleaned and escaped.

mod axis;
mod histogram;
mod jitter;
mod mark;
mod percentile;
mod source;
mod style;
mod svg;
mod throughput;
mod timeline;

#[allow(unused_imports, reason = "the page that uses it follows")]
pub(crate) use style::STYLE;

use verify_model::run::{Run, RunCheck, RunNode};

/// Holds one picture.
pub(crate) struct Picture {
    /// What it shows, in a few clean words.
    pub(crate) title: String,
    /// What it says, in a clean sentence: the text alternative.
    pub(crate) summary: String,
    /// The `<svg>` element, safe to stand in the page as it is.
    pub(crate) svg: String,
}

/// Draws the run: when what ran, and the nodes with the links between them.
pub(crate) fn of_run(run: &Run) -> Vec<Picture> {
    timeline::of_run(run).into_iter().collect()
}

/// Draws a node: its CPUs, GPUs, links and network.
pub(crate) fn of_node(_run: &Run, _node: &RunNode) -> Vec<Picture> {
    Vec::new()
}

/// Draws what a check measured.
pub(crate) fn of_check(run: &Run, check: &RunCheck) -> Vec<Picture> {
    let mut pictures = percentile::of_check(run, check);
    pictures.extend(jitter::of_check(run, check));
    pictures.extend(throughput::of_check(check));
    pictures
}
