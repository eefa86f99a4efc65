//! The parts of one machine and what joins them: cpus, cards, network, drives.
//!
//! A link has two numbers, what it could carry and what was measured; one that nobody knows is written
//! as unknown. A link that missed a demand has a broken line and says which check. Of a machine of which
//! nothing was observed there is no picture.

use verify_model::{
    cpu_set::CpuSet,
    observation::Observation,
    quantity::{Quantity, display_number},
    run::{Run, RunCheck, RunNode},
    value::Value,
};

use super::{
    Picture, card,
    machine::Machine,
    mark::{Sample, hatch, legend},
    source::{list, quantity, text},
    svg::{Anchor, Svg, WIDTH, fitted},
};
use crate::sentence::count;

/// Most cpus that are drawn one by one.
const CPUS: usize = 256;
/// Width and height of a cpu. *Units*: px.
const CPU: (f64, f64) = (25.0, 20.0);
/// Most cables.
const CABLES: usize = 4;
/// Most drives.
const DRIVES: usize = 8;
/// Probe of the processor.
const CPU_PROBE: &str = "cpu";
/// Probe of what the kernel keeps free.
const ISOLATION: &str = "kernel-isolation";

/// Draws a node.
pub(super) fn of_node(run: &Run, node: &RunNode) -> Option<Picture> {
    let machine = Machine::of(run, &node.file.name);
    let mut svg = Svg::default();
    let mut said = Vec::new();
    let mut entries = Vec::new();
    let mut top = 0.0;
    top = cpus(&mut svg, &machine, node, top, &mut said, &mut entries);
    let before = said.len();
    top = card::draw(&mut svg, &machine, top, &mut said);
    top = network(&mut svg, &machine, top, &mut said);
    let has_links = said.len() > before;
    top = drives(&mut svg, &machine, top, &mut said);
    if said.is_empty() {
        return None;
    }
    if has_links {
        entries.push((Sample::Line("link"), "measured".to_owned()));
        entries.push((Sample::Line("link unknown"), "not measured".to_owned()));
        entries.push((Sample::Line("link broken"), "missed a demand".to_owned()));
    }
    let bottom = legend(&mut svg, top + 4.0, &entries);
    let simulated = machine.simulated || node.facts.simulated.is_some();
    let noted = if simulated { " (simulated)" } else { "" };
    let title = format!("What {} is made of{noted}", node.file.name);
    let summary = format!("{}.", said.join("; "));
    Some(svg.finish(&[&node.file.name, "topology"], &title, &summary, bottom + 4.0))
}

fn cpus(
    svg: &mut Svg,
    machine: &Machine<'_>,
    node: &RunNode,
    top: f64,
    said: &mut Vec<String>,
    entries: &mut Vec<(Sample, String)>,
) -> f64 {
    let present = machine.cpus(CPU_PROBE, "present");
    let online = machine.cpus(CPU_PROBE, "online").or_else(|| machine.cpus(ISOLATION, "online"));
    let Some(all) = present.or_else(|| online.clone()).filter(|all| !all.is_empty()) else {
        return top;
    };
    let isolated = machine.cpus(ISOLATION, "isolated-online");
    let model = machine.text(CPU_PROBE, "model").unwrap_or_else(|| node.facts.cpu.clone());
    let model = if model.is_empty() { "model unknown".to_owned() } else { model };
    let cores = machine.whole(CPU_PROBE, "cores");
    let cores = cores.map_or_else(String::new, |n| format!(" on {}", count(n as usize, "core")));
    let head = format!("{}{cores}", count(all.len(), "cpu"));
    svg.text("strong", Anchor::Start, (0.0, top + 14.0), &fitted(&model, 250.0));
    svg.text("tick", Anchor::End, (WIDTH, top + 14.0), &head);
    let bottom = grid(svg, machine, (&all, online.as_ref(), isolated.as_ref()), top + 24.0);
    let free = match &isolated {
        None => "isolation not known".to_owned(),
        Some(set) if set.is_empty() => "none isolated".to_owned(),
        Some(set) => format!("isolated: {set}"),
    };
    if isolated.as_ref().is_some_and(|set| !set.is_empty()) {
        entries.push((Sample::Box("box isolated", true), "isolated cpu".to_owned()));
    }
    if online.as_ref().is_some_and(|online| !online.is_superset(&all)) {
        entries.push((Sample::Box("box unknown", false), "cpu that does not run".to_owned()));
    }
    svg.text("tick", Anchor::Start, (0.0, bottom + 14.0), &free);
    said.push(format!("{head}, {free}"));
    bottom + 24.0
}

/// Draws the cpus of each memory node in rows, those of a core side by side.
fn grid(
    svg: &mut Svg,
    machine: &Machine<'_>,
    (all, online, isolated): (&CpuSet, Option<&CpuSet>, Option<&CpuSet>),
    top: f64,
) -> f64 {
    let nodes = machine.sets("memory", "node-cpus");
    let nodes = if nodes.len() > 1 { nodes } else { vec![all.clone()] };
    let cores = machine.sets(CPU_PROBE, "siblings");
    let several = nodes.len() > 1;
    let left = if several { 58.0 } else { 0.0 };
    let (mut y, mut drawn) = (top, 0);
    for (number, of_node) in nodes.iter().enumerate() {
        if several {
            svg.text("tick", Anchor::Start, (0.0, y + 14.0), &format!("NUMA {number}"));
        }
        let mut x = left;
        for core in cores_of(of_node, &cores) {
            #[expect(clippy::cast_precision_loss, reason = "a few cpus")]
            let width = core.len() as f64 * CPU.0;
            if x > left && x + width > WIDTH {
                x = left;
                y += CPU.1 + 5.0;
            }
            for cpu in core {
                if drawn < CPUS {
                    let runs = online.is_none_or(|online| online.contains(cpu));
                    let is_free = isolated.is_some_and(|set| set.contains(cpu));
                    cell(svg, (x, y), cpu, runs, is_free);
                    x += CPU.0;
                }
                drawn += 1;
            }
            x += 4.0;
        }
        y += CPU.1 + 6.0;
    }
    if drawn > CPUS {
        let more = format!("and {} more", drawn - CPUS);
        svg.text("tick", Anchor::Start, (left, y + 10.0), &more);
        y += 16.0;
    }
    y
}

/// Lists the cores of a memory node; a cpu of which no core is known stands alone.
fn cores_of(of_node: &CpuSet, cores: &[CpuSet]) -> Vec<Vec<u32>> {
    let mut listed: Vec<Vec<u32>> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for cpu in of_node.iter() {
        if !seen.insert(cpu) {
            continue;
        }
        let core = cores.iter().find(|core| core.contains(cpu) && core.len() <= 8);
        let beside = core.into_iter().flat_map(CpuSet::iter).filter(|one| of_node.contains(*one));
        let mut all: Vec<u32> = beside.collect();
        all.retain(|one| *one == cpu || seen.insert(*one));
        listed.push(if all.is_empty() { vec![cpu] } else { all });
    }
    listed
}

fn cell(svg: &mut Svg, at: (f64, f64), cpu: u32, runs: bool, is_free: bool) {
    let size = (CPU.0 - 2.0, CPU.1);
    let (class, words) = match (runs, is_free) {
        (false, _) => ("box unknown", "does not run"),
        (true, true) => ("box isolated", "isolated"),
        (true, false) => ("box", "ordinary"),
    };
    svg.begin(&format!("cpu {cpu}: {words}"));
    svg.rect(class, at, size);
    if is_free {
        hatch(svg, at, size);
    }
    svg.text("small", Anchor::Middle, (at.0 + size.0 / 2.0, at.1 + 14.0), &cpu.to_string());
    svg.end();
}

/// Holds one cable as it is drawn.
struct Cable<'r> {
    peer: String,
    ceiling: Option<Quantity>,
    measured: [Option<Quantity>; 2],
    bad: Option<&'r str>,
}

fn cables<'r>(machine: &Machine<'r>) -> Vec<Cable<'r>> {
    let missed = machine.missed("iperf3", &["throughput", "outbound", "inbound", "route"]);
    let one = |(check, found): (&RunCheck, &Observation)| {
        let value = |path: &str| quantity(&found.resolve(path));
        Cable {
            peer: text(&found.resolve("peer")).unwrap_or("peer unknown").to_owned(),
            ceiling: value("ceiling"),
            measured: [value("outbound"), value("inbound")],
            bad: missed.filter(|id| *id == check.planned.check.id),
        }
    };
    machine.links().take(CABLES).map(one).collect()
}

/// Draws each link that was measured, or the interface of which the state was read.
fn network(svg: &mut Svg, machine: &Machine<'_>, top: f64, said: &mut Vec<String>) -> f64 {
    let name = machine.text("net-interface", "name");
    let state = machine.missed("net-interface", &["speed", "state", "carrier", "duplex"]);
    let mut rows = cables(machine);
    if rows.is_empty() && name.is_some() {
        let peer = "peer unknown".to_owned();
        rows.push(Cable { peer, ceiling: None, measured: [None, None], bad: None });
    }
    let own = name.unwrap_or_else(|| "interface unknown".to_owned());
    let mut top = top;
    for mut cable in rows {
        cable.bad = cable.bad.or(state);
        draw_cable(svg, machine, &own, &cable, top, said);
        top += if cable.bad.is_some() { 74.0 } else { 62.0 };
    }
    top
}

fn draw_cable(
    svg: &mut Svg,
    machine: &Machine<'_>,
    own: &str,
    cable: &Cable<'_>,
    top: f64,
    said: &mut Vec<String>,
) {
    let driver = machine.text("net-interface", "driver");
    device(svg, (0.0, top + 14.0), 130.0, own, driver.as_deref().unwrap_or("driver unknown"));
    device(svg, (WIDTH - 130.0, top + 14.0), 130.0, &cable.peer, "peer");
    let known = cable.measured.iter().any(Option::is_some);
    let class = line_class(cable.bad.is_some(), known);
    svg.line(class, (131.0, top + 34.0), (WIDTH - 131.0, top + 34.0));
    let line = machine.quantity("net-interface", "speed").or(cable.ceiling);
    let could =
        line.map_or_else(|| "line rate unknown".to_owned(), |q| format!("line {}", q.humanized()));
    let word = |rate: Option<Quantity>| {
        rate.map_or_else(|| "?".to_owned(), |rate| rate.humanized().to_string())
    };
    let [out, back] = cable.measured.map(word);
    let was = if known { format!("out {out}, in {back}") } else { "not measured".to_owned() };
    let middle = WIDTH / 2.0;
    svg.text("tick", Anchor::Middle, (middle, top + 26.0), &could);
    svg.text("tick", Anchor::Middle, (middle, top + 50.0), &was);
    if let Some(id) = cable.bad {
        broken(svg, (middle, top + 66.0), id);
    }
    let peer = &cable.peer;
    said.push(format!("{own} to {peer}: {could}, {was}{}", bad_words(cable.bad)));
}

/// Draws a box with a name and a line below it.
pub(super) fn device(svg: &mut Svg, at: (f64, f64), width: f64, name: &str, below: &str) {
    svg.rect("box", at, (width, 40.0));
    let middle = at.0 + width / 2.0;
    svg.text("strong", Anchor::Middle, (middle, at.1 + 17.0), &fitted(name, width - 8.0));
    svg.text("tick", Anchor::Middle, (middle, at.1 + 33.0), &fitted(below, width - 8.0));
}

/// Chooses the look of a link.
pub(super) fn line_class(bad: bool, known: bool) -> &'static str {
    match (bad, known) {
        (true, _) => "link broken",
        (false, true) => "link",
        (false, false) => "link unknown",
    }
}

/// Says which check a link missed.
pub(super) fn broken(svg: &mut Svg, at: (f64, f64), id: &str) {
    svg.text("tick bad-text", Anchor::Middle, at, &format!("failed: {}", fitted(id, 220.0)));
}

/// Says the same in a sentence.
pub(super) fn bad_words(bad: Option<&str>) -> String {
    bad.map_or_else(String::new, |id| format!(", failed {id}"))
}

fn drives(svg: &mut Svg, machine: &Machine<'_>, top: f64, said: &mut Vec<String>) -> f64 {
    let value = machine.value("storage", "drives").unwrap_or(Value::List(Vec::new()));
    let all = list(&value);
    if all.is_empty() {
        return top;
    }
    let width = (WIDTH - 10.0) / 2.0;
    for (at, drive) in all.iter().take(DRIVES).enumerate() {
        let row = f64::from(u32::try_from(at / 2).unwrap_or(0));
        let x = if at % 2 == 0 { 0.0 } else { width + 10.0 };
        let said = |path: &str| text(&drive.at(&[path])).map(str::to_owned);
        let name = said("name").unwrap_or_else(|| "drive".to_owned());
        let size = quantity(&drive.at(&["size"])).map(|q| q.humanized().to_string());
        let speed = quantity(&drive.at(&["link-speed"]));
        let lanes = super::source::whole(&drive.at(&["link-width"]));
        let link = match (speed, lanes) {
            (Some(speed), Some(lanes)) => {
                format!("{} {} x{lanes}", display_number(speed.value()), speed.unit())
            }
            _ => "link unknown".to_owned(),
        };
        let head = format!("{name}  {}", size.unwrap_or_else(|| "size unknown".to_owned()));
        let below =
            format!("{}, {link}", said("model").unwrap_or_else(|| "model unknown".to_owned()));
        device(svg, (x, top + 8.0 + row * 46.0), width, &head, &below);
    }
    let rows = all.len().min(DRIVES).div_ceil(2);
    let more = all.len().saturating_sub(DRIVES);
    let more = if more > 0 { format!(", {more} of them not drawn") } else { String::new() };
    said.push(format!("{}{more}", count(all.len(), "drive")));
    top + 16.0 + f64::from(u32::try_from(rows).unwrap_or(0)) * 46.0
}
