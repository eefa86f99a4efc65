//! Looks of the pictures: classes and the page's own colours, so that light, dark and print follow.

/// Style of the pictures, for the one style sheet of the page.
pub(crate) const STYLE: &str = "\
svg.draw{display:block;width:100%;max-width:40rem;height:auto;overflow:visible;font-family:inherit}
svg.draw text{font-size:13px;fill:var(--ink)}
svg.draw text.tick,svg.draw text.name{font-size:12px;fill:var(--muted)}
svg.draw text.inside,svg.draw text.small{font-size:11px}
svg.draw text.strong{font-weight:600}
svg.draw text.mid{text-anchor:middle}
svg.draw text.end{text-anchor:end}
svg.draw text.bad-text{fill:var(--bad);font-weight:600}
svg.draw text.muted-text{fill:var(--muted)}
svg.draw line,svg.draw path{fill:none;stroke:var(--muted);stroke-width:1}
svg.draw .axis{stroke:var(--muted)}
svg.draw .grid{stroke:var(--line)}
svg.draw .stem{stroke:var(--muted);stroke-width:1}
svg.draw .hatch{stroke:var(--ink);stroke-opacity:.35;stroke-width:1}
svg.draw .series{stroke:var(--accent);stroke-width:2;stroke-linejoin:round}
svg.draw .second{stroke:var(--aside);stroke-dasharray:7 3}
svg.draw .third{stroke:var(--warn);stroke-dasharray:2 3}
svg.draw .fourth{stroke:var(--ink);stroke-dasharray:8 3 2 3}
svg.draw .behind{stroke:var(--muted);stroke-width:4;stroke-opacity:.45}
svg.draw .limit{stroke:var(--bad);stroke-width:2;stroke-dasharray:10 4}
svg.draw .ceiling{stroke:var(--muted);stroke-width:1.5;stroke-dasharray:2 4}
svg.draw .mark{stroke:var(--paper);stroke-width:1}
svg.draw .accent{fill:var(--accent)}
svg.draw .aside{fill:var(--aside)}
svg.draw .warn{fill:var(--warn)}
svg.draw .ink{fill:var(--ink)}
svg.draw .muted{fill:var(--muted)}
svg.draw .good{fill:var(--good)}
svg.draw .bad{fill:var(--bad)}
svg.draw .stroke{stroke:var(--ink);stroke-width:2}
svg.draw .hollow{fill:var(--paper);stroke:var(--accent);stroke-width:2}
svg.draw .hollow.bad{stroke:var(--bad)}
svg.draw .band{fill:var(--aside);fill-opacity:.18}
svg.draw .bar{stroke:var(--panel);stroke-width:.5}
svg.draw .bar.reads{fill:var(--aside);fill-opacity:.55}
svg.draw .bar.loads{fill:var(--accent);fill-opacity:.55}
svg.draw .bar.bad-edge{stroke:var(--bad);stroke-width:2.5}
svg.draw .box{fill:var(--panel);stroke:var(--muted);stroke-width:1}
svg.draw .box.isolated{stroke:var(--accent);stroke-width:1.5}
svg.draw .box.unknown{stroke-dasharray:3 3}
svg.draw .box.bad-edge{stroke:var(--bad);stroke-width:2.5}
svg.draw .link{stroke:var(--good);stroke-width:3}
svg.draw .link.unknown{stroke:var(--muted);stroke-dasharray:3 4;stroke-width:2}
svg.draw .link.broken{stroke:var(--bad);stroke-dasharray:9 5}
@media print{svg.draw{break-inside:avoid}}
";
