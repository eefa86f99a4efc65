//! The network of one machine: each link that was measured or should have been, at its own interface.
//!
//! A link is judged by its own check alone, and by that of the interface which it says it used. What it
//! did not say is unknown, and no other interface stands in for it.

use verify_model::{link::Link, observation::Observation, quantity::Quantity, run::RunCheck};

use super::{device, line_class, rest};
use crate::draw::{
    machine::{LINE, Machine, Part, Told, Trouble},
    source::{quantity, text},
    svg::{Anchor, Svg, WIDTH},
};

/// Most cables.
const CABLES: usize = 4;
/// What is about the network.
const PART: Part = Part { group: "net/", probes: &["net-interface", "iperf3"] };

/// Holds one cable as it is drawn.
struct Cable<'r> {
    own: Option<String>,
    driver: Option<String>,
    peer: String,
    /// What it could carry, in words.
    could: String,
    measured: [Option<Quantity>; 2],
    troubles: Vec<Trouble<'r>>,
}

/// Draws the links, and the interfaces that none of them used.
pub(super) fn draw<'r>(svg: &mut Svg, machine: &Machine<'r>, top: f64, told: &mut Told<'r>) -> f64 {
    let faces: Vec<_> = machine
        .checks("net-interface")
        .filter_map(|(check, found)| Some((check, found?)))
        .collect();
    let mut rows: Vec<Cable<'r>> = machine
        .checks("iperf3")
        .filter_map(|(check, found)| cable(machine, &faces, check, found))
        .collect();
    for (check, found) in &faces {
        let Some(name) = said(found, "name") else { continue };
        if !rows.iter().any(|row| row.own.as_ref() == Some(&name)) {
            rows.push(alone(machine, check, found, name));
        }
    }
    // The worst first, so that none of them is left out.
    rows.sort_by_key(|row| (!row.troubles.iter().any(|t| t.is_miss()), row.troubles.is_empty()));
    let mut y = top;
    for row in rows.iter().take(CABLES) {
        y = draw_cable(svg, row, y, told);
    }
    if rows.len() > CABLES {
        let more = format!("and {} more not drawn", rows.len() - CABLES);
        y += LINE;
        svg.text("tick", Anchor::Middle, (WIDTH / 2.0, y), &more);
        told.seen.push(format!("{more} of the network"));
    }
    rest(svg, machine, &PART, ("network", !rows.is_empty()), y, told)
}

/// Reads a link; `None` where it was neither measured nor to be measured.
fn cable<'r>(
    machine: &Machine<'r>,
    faces: &[(&'r RunCheck, &'r Observation)],
    check: &'r RunCheck,
    found: Option<&'r Observation>,
) -> Option<Cable<'r>> {
    let trouble = machine.trouble(check);
    if found.is_none() && trouble.is_none() {
        return None;
    }
    let own = found.and_then(|found| said(found, "route.out.device"));
    let named = |(_, face): &&(&RunCheck, &Observation)| own.is_some() && said(face, "name") == own;
    let faces: Vec<_> = faces.iter().filter(named).collect();
    let mut troubles: Vec<Trouble<'_>> = trouble.into_iter().collect();
    troubles.extend(faces.iter().filter_map(|(check, _)| machine.trouble(check)));
    let face = faces.first().map(|(_, face)| *face);
    let value = |path: &str| quantity(&found?.resolve(path));
    let link = check.planned.check.with.get("link").and_then(Link::of);
    let declared = || Some(link?.ends[1].node.clone()).filter(|node| !node.is_empty());
    let speed = face.and_then(|face| quantity(&face.resolve("speed")));
    Some(Cable {
        driver: face.and_then(|face| said(face, "driver")),
        peer: found
            .and_then(|found| said(found, "peer"))
            .or_else(declared)
            .unwrap_or_else(|| "peer unknown".to_owned()),
        could: could(speed, value("ceiling")),
        measured: [value("outbound"), value("inbound")],
        own,
        troubles,
    })
}

/// Reads an interface that no link used.
fn alone<'r>(
    machine: &Machine<'r>,
    check: &'r RunCheck,
    found: &Observation,
    name: String,
) -> Cable<'r> {
    Cable {
        own: Some(name),
        driver: said(found, "driver"),
        peer: "peer unknown".to_owned(),
        could: could(quantity(&found.resolve("speed")), None),
        measured: [None, None],
        troubles: machine.trouble(check).into_iter().collect(),
    }
}

fn said(found: &Observation, path: &str) -> Option<String> {
    text(&found.resolve(path)).map(str::to_owned)
}

fn could(speed: Option<Quantity>, ceiling: Option<Quantity>) -> String {
    match (speed, ceiling) {
        (Some(speed), _) => format!("line {}", speed.humanized()),
        (None, Some(ceiling)) => format!("at most {} of data", ceiling.humanized()),
        (None, None) => "line rate unknown".to_owned(),
    }
}

fn draw_cable<'r>(svg: &mut Svg, cable: &Cable<'r>, top: f64, told: &mut Told<'r>) -> f64 {
    let own = cable.own.as_deref().unwrap_or("interface unknown");
    let driver = cable.driver.as_deref().unwrap_or("driver unknown");
    device(svg, (0.0, top + 14.0), 130.0, own, driver);
    device(svg, (WIDTH - 130.0, top + 14.0), 130.0, &cable.peer, "peer");
    let measured = cable.measured.iter().any(Option::is_some);
    let bad = cable.troubles.iter().any(|trouble| trouble.is_miss());
    let sound = measured && !cable.troubles.iter().any(|trouble| trouble.is_open());
    svg.line(line_class(bad, sound), (131.0, top + 34.0), (WIDTH - 131.0, top + 34.0));
    let word = |rate: Option<Quantity>| {
        rate.map_or_else(|| "?".to_owned(), |rate| rate.humanized().to_string())
    };
    let [out, back] = cable.measured.map(word);
    let was = if measured { format!("out {out}, in {back}") } else { "not measured".to_owned() };
    let (middle, could) = (WIDTH / 2.0, &cable.could);
    svg.text("tick", Anchor::Middle, (middle, top + 26.0), could);
    svg.text("tick", Anchor::Middle, (middle, top + 50.0), &was);
    let thing = format!("{own} to {}", cable.peer);
    told.seen.push(format!("{thing}: {could}, {was}"));
    let bottom = told.write(svg, (Anchor::Middle, middle, top + 50.0), &thing, &cable.troubles);
    bottom + 8.0 + 4.0
}
