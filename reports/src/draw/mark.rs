//! Marks that differ in shape, so that no colour is needed to tell them apart, and the legend.

use super::svg::{Anchor, Svg, WIDTH, width_of};

/// Shapes, in the order in which series take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
}

/// Shapes with the class of their colour, as series and causes take them; after the last the first.
pub(super) const SHAPES: [(Shape, &str); 5] = [
    (Shape::Circle, "accent"),
    (Shape::Square, "aside"),
    (Shape::Triangle, "warn"),
    (Shape::Diamond, "ink"),
    (Shape::Cross, "muted"),
];

/// Lines with their dash, as series take them.
pub(super) const LINES: [&str; 4] = ["series", "series second", "series third", "series fourth"];

/// Returns the shape of a series.
pub(super) fn shape(at: usize) -> (Shape, &'static str) {
    SHAPES[at % SHAPES.len()]
}

/// Draws a mark.
pub(super) fn mark(svg: &mut Svg, (shape, class): (Shape, &str), (x, y): (f64, f64), r: f64) {
    let fill = format!("mark {class}");
    match shape {
        Shape::Circle => svg.circle(&fill, (x, y), r),
        Shape::Square => svg.rect(&fill, (x - r * 0.9, y - r * 0.9), (r * 1.8, r * 1.8)),
        Shape::Triangle => {
            svg.area(&fill, &[(x, y - r * 1.2), (x + r * 1.1, y + r), (x - r * 1.1, y + r)]);
        }
        Shape::Diamond => {
            svg.area(
                &fill,
                &[(x, y - r * 1.3), (x + r * 1.3, y), (x, y + r * 1.3), (x - r * 1.3, y)],
            );
        }
        Shape::Cross => {
            let class = format!("stroke {class}");
            svg.line(&class, (x - r, y - r), (x + r, y + r));
            svg.line(&class, (x - r, y + r), (x + r, y - r));
        }
    }
}

/// Holds what stands before a word of the legend.
pub(super) enum Sample {
    /// A mark.
    Mark((Shape, &'static str)),
    /// A line of a class.
    Line(&'static str),
    /// A box of a class, with strokes across where `true`.
    Box(&'static str, bool),
}

/// Height of a line of the legend. *Units*: px.
const LINE: f64 = 18.0;

/// Writes a legend below `top`; returns where it ends.
pub(super) fn legend(svg: &mut Svg, top: f64, entries: &[(Sample, String)]) -> f64 {
    let (mut x, mut y) = (0.0, top);
    for (sample, words) in entries {
        let width = 30.0 + width_of(words) + 14.0;
        if x > 0.0 && x + width > WIDTH {
            x = 0.0;
            y += LINE;
        }
        let middle = y + LINE / 2.0;
        match sample {
            Sample::Mark(shape) => mark(svg, *shape, (x + 12.0, middle), 4.0),
            Sample::Line(class) => svg.line(class, (x, middle), (x + 24.0, middle)),
            Sample::Box(class, crossed) => {
                svg.rect(class, (x + 4.0, middle - 6.0), (16.0, 12.0));
                if *crossed {
                    hatch(svg, (x + 4.0, middle - 6.0), (16.0, 12.0));
                }
            }
        }
        svg.text("tick", Anchor::Start, (x + 30.0, middle + 4.0), words);
        x += width;
    }
    if entries.is_empty() { top } else { y + LINE }
}

/// Strokes a box, so that it differs without colour.
pub(super) fn hatch(svg: &mut Svg, (x, y): (f64, f64), (w, h): (f64, f64)) {
    let step = 6.0;
    let mut at = step;
    while at < w + h {
        let (from, to) =
            ((x + (at - h).max(0.0), y + at.min(h)), (x + at.min(w), y + (at - w).max(0.0)));
        svg.line("hatch", from, to);
        at += step;
    }
}
