//! The parts of one machine and what joins them: cpus, cards, network, drives.
//!
//! A link has two numbers, what it could carry and what was measured; one that nobody knows is written
//! as unknown. Below each part stands what did not come out well of the checks about it, whatever it
//! was. Of a machine of which nothing was observed there is no picture.

mod cable;

use verify_model::{
    cpu_set::CpuSet,
    quantity::display_number,
    run::{Run, RunNode},
    value::Value,
};

use super::{
    Picture, card,
    machine::{Machine, Part, Told},
    mark::{Sample, hatch, legend},
    source::{list, quantity, text},
    svg::{Anchor, Svg, WIDTH, fitted},
};
use crate::sentence::count;

/// Most cpus that are drawn one by one.
const CPUS: usize = 256;
/// Width and height of a cpu. *Units*: px.
const CPU: (f64, f64) = (25.0, 20.0);
/// Most drives.
const DRIVES: usize = 8;
/// Probe of the processor.
const CPU_PROBE: &str = "cpu";
/// Probe of what the kernel keeps free.
const ISOLATION: &str = "kernel-isolation";
/// What is about the cpus.
const CPU_PART: Part =
    Part { group: "cpu/", probes: &[CPU_PROBE, ISOLATION, "isolation", "rcu-nocbs", "memory"] };
/// What is about the drives.
const DRIVE_PART: Part =
    Part { group: "storage/", probes: &["storage", "smart", "storage-throughput"] };

/// Draws a node.
pub(super) fn of_node(run: &Run, node: &RunNode) -> Option<Picture> {
    let machine = Machine::of(run, &node.file.name);
    let mut svg = Svg::default();
    let mut told = Told::default();
    let mut entries = Vec::new();
    let mut top = cpus(&mut svg, &machine, node, &mut told, &mut entries);
    let before = told.seen.len();
    top = card::draw(&mut svg, &machine, top, &mut told, &mut entries);
    top = cable::draw(&mut svg, &machine, top, &mut told);
    let has_links = told.seen.len() > before;
    top = drives(&mut svg, &machine, top, &mut told);
    if told.seen.is_empty() {
        return None;
    }
    if has_links {
        entries.push((Sample::Line("link"), "measured".to_owned()));
        entries.push((Sample::Line("link unknown"), "not measured, or not known".to_owned()));
        entries.push((Sample::Line("link broken"), "missed a demand".to_owned()));
    }
    let bottom = legend(&mut svg, top + 4.0, &entries);
    let simulated = machine.simulated || node.facts.simulated.is_some();
    let noted = if simulated { " (simulated)" } else { "" };
    let title = format!("What {} is made of{noted}", node.file.name);
    let summary = told.sentence();
    Some(svg.finish(&[&node.file.name, "topology"], &title, &summary, bottom + 4.0))
}

fn cpus<'r>(
    svg: &mut Svg,
    machine: &Machine<'r>,
    node: &RunNode,
    told: &mut Told<'r>,
    entries: &mut Vec<(Sample, String)>,
) -> f64 {
    let present = machine.cpus(CPU_PROBE, "present");
    let online = machine.cpus(CPU_PROBE, "online").or_else(|| machine.cpus(ISOLATION, "online"));
    let Some(all) = present.or_else(|| online.clone()).filter(|all| !all.is_empty()) else {
        return rest(svg, machine, &CPU_PART, ("cpus", false), 0.0, told);
    };
    let isolated = machine.cpus(ISOLATION, "isolated-online");
    let model = machine.text(CPU_PROBE, "model").unwrap_or_else(|| node.facts.cpu.clone());
    let model = if model.is_empty() { "model unknown".to_owned() } else { model };
    let cores = machine.whole(CPU_PROBE, "cores");
    let cores = cores.map_or_else(String::new, |n| format!(" on {}", count(n as usize, "core")));
    let head = format!("{}{cores}", count(all.len(), "cpu"));
    svg.text("strong", Anchor::Start, (0.0, 14.0), &fitted(&model, 250.0));
    svg.text("tick", Anchor::End, (WIDTH, 14.0), &head);
    let bottom = grid(svg, machine, (&all, online.as_ref(), isolated.as_ref()), 24.0);
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
    told.seen.push(format!("{head}, {free}"));
    let y = rest(svg, machine, &CPU_PART, ("cpus", true), bottom + 14.0, told);
    y.max(bottom + 24.0)
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

/// Writes what is wrong with a part and was not said yet, below what was drawn of it.
fn rest<'r>(
    svg: &mut Svg,
    machine: &Machine<'r>,
    part: &Part,
    (name, drawn): (&str, bool),
    top: f64,
    told: &mut Told<'r>,
) -> f64 {
    let rest = told.rest(machine.troubles(part));
    if rest.is_empty() {
        return top;
    }
    let mut top = top;
    if !drawn {
        top += 16.0;
        svg.text("strong", Anchor::Start, (0.0, top), &format!("{name}: none seen"));
    }
    told.write(svg, (Anchor::Start, 0.0, top), name, &rest) + 10.0
}

fn drives<'r>(svg: &mut Svg, machine: &Machine<'r>, top: f64, told: &mut Told<'r>) -> f64 {
    let value = machine.value("storage", "drives").unwrap_or(Value::List(Vec::new()));
    let all = list(&value);
    if all.is_empty() {
        return rest(svg, machine, &DRIVE_PART, ("drives", false), top, told);
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
    told.seen.push(format!("{}{more}", count(all.len(), "drive")));
    let bottom = top + 10.0 + f64::from(u32::try_from(rows).unwrap_or(0)) * 46.0;
    rest(svg, machine, &DRIVE_PART, ("drives", true), bottom, told).max(bottom + 6.0)
}
