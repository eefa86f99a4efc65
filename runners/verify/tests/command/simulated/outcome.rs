//! What each scenario must give: every finding about GPUs and what runs on them, and only those.
//!
//! What stands here neither as found nor as blocked must pass without a word.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ground::of_kind;

/// Holds what one scenario gives.
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    /// Check, outcome and findings, each `code field`.
    found: &'static [(&'static str, &'static str, &'static [&'static str])],
    /// Checks that wait for one of those.
    blocked: &'static [&'static str],
}

const ALL: &[&str] = &[
    "gpu/driver",
    "gpu/count",
    "gpu/witnesses",
    "gpu/topology",
    "gpu/nvlink-links",
    "gpu/power-limits",
    "gpu/thermals",
    "gpu/errors",
    "gpu/health",
    "gpu/pcie-link",
    "gpu/memory-bandwidth",
    "gpu/nvlink-bandwidth",
    "gpu/pcie-link-works",
    "gpu/compute",
    "gpu/thermals-works",
    "tensorrt/latency",
    "vllm/fit",
    "vllm/serve",
];
/// What no scenario answers, and what it waits for.
const UNANSWERED: (&str, &[&str]) =
    ("gpu/nvidia-smi", &["gpu/driver", "gpu/count", "gpu/topology", "gpu/nvlink-links"]);
/// What waits for the driver: all but itself.
const DRIVER: &[&str] = ALL.split_at(1).1;
/// What waits for the cards.
const COUNT: &[&str] = ALL.split_at(2).1;

const fn row(
    scenario: &'static str,
    found: &'static [(&'static str, &'static str, &'static [&'static str])],
    blocked: &'static [&'static str],
) -> Row {
    Row { scenario, found, blocked }
}

const BUSY: &[&str] = &["conditions-not-held"];

/// Holds every shipped scenario, sorted.
pub(crate) static TABLE: &[Row] = &[
    row(
        "after-slot-change",
        &[("gpu/pcie-link", "fail", &["expectation-missed gpus.pcie.width"])],
        &["gpu/pcie-link-works"],
    ),
    row(
        "busy",
        &[
            ("gpu/count", "pass", &["advice-missed busy"]),
            ("gpu/memory-bandwidth", "unjudged", BUSY),
            ("gpu/nvlink-bandwidth", "unjudged", BUSY),
            ("gpu/pcie-link-works", "unjudged", BUSY),
            ("gpu/compute", "unjudged", BUSY),
            ("gpu/thermals-works", "unjudged", BUSY),
            ("tensorrt/latency", "unjudged", BUSY),
            ("vllm/fit", "pass", &["advice-missed free"]),
        ],
        &[],
    ),
    row("display-gpu", &[], &[]),
    row(
        "driver-mismatch",
        &[(
            "gpu/driver",
            "fail",
            &[
                "expectation-missed state",
                "expectation-missed trouble",
                "expectation-missed module.version",
                "value-absent library.version",
                "value-absent cuda.major",
                "advice-unanswered driver.branch",
                "advice-unanswered cuda.version",
            ],
        )],
        DRIVER,
    ),
    row("ecc-remap", &[("gpu/count", "fail", &["expectation-missed gpus.name"])], COUNT),
    row(
        "gen1-under-load",
        &[(
            "gpu/pcie-link-works",
            "fail",
            &[
                "expectation-missed loaded.pcie.generation",
                "expectation-missed to-device",
                "expectation-missed from-device",
            ],
        )],
        &[],
    ),
    row(
        "hung-call",
        &[("gpu/driver", "fail", &["expectation-missed state", "expectation-missed trouble"])],
        DRIVER,
    ),
    // Of the cards nothing; of the cable to the second node see `link.rs`.
    row("link-detour", &[], &[]),
    row(
        "link-down",
        &[("gpu/nvlink-links", "fail", &["expectation-missed gpus.links-active"])],
        &["gpu/nvlink-bandwidth"],
    ),
    row(
        "link-errors",
        &[("gpu/nvlink-links", "fail", &["expectation-missed gpus.link-error-rise"])],
        &["gpu/nvlink-bandwidth"],
    ),
    row("link-fallback-1g", &[], &[]),
    row("link-lossy", &[], &[]),
    row("link-one-way", &[], &[]),
    row(
        "lost-gpu",
        &[("gpu/count", "fail", &["expectation-missed opened", "expectation-missed lost"])],
        COUNT,
    ),
    row(
        "no-bridge",
        &[
            (
                "gpu/topology",
                "fail",
                &["expectation-missed pairs.read", "expectation-missed pairs.write"],
            ),
            (
                "gpu/nvlink-links",
                "fail",
                &["expectation-missed gpus.links-active", "expectation-missed gpus.links-lead"],
            ),
        ],
        &["gpu/nvlink-bandwidth"],
    ),
    row(
        "no-permission",
        &[(
            "gpu/driver",
            "fail",
            &[
                "expectation-missed state",
                "expectation-missed trouble",
                "value-unreadable module.version",
                "value-unreadable library.version",
                "value-unreadable cuda.major",
                "advice-unanswered driver.branch",
                "advice-unanswered cuda.version",
            ],
        )],
        DRIVER,
    ),
    row("not-loaded", &[("gpu/driver", "fail", &["expected-capability-missing"])], DRIVER),
    row("old-driver", &[("gpu/driver", "pass", &["advice-unanswered driver.branch"])], &[]),
    row("one-gpu-serves", &[("vllm/serve", "fail", &["expectation-missed gpus-used"])], &[]),
    row("pair", &[], &[]),
    row(
        "peer-corrupts",
        &[
            ("gpu/nvlink-bandwidth", "fail", &["expectation-missed wrong"]),
            ("gpu/pcie-link-works", "fail", &["expectation-missed wrong"]),
            ("gpu/compute", "fail", &["expectation-missed wrong"]),
        ],
        &["gpu/thermals-works"],
    ),
    row(
        "slow-tensorrt",
        &[(
            "tensorrt/latency",
            "fail",
            &["expectation-missed gpu-p99", "expectation-missed host-p99"],
        )],
        &[],
    ),
    row(
        "throttling",
        &[(
            "gpu/thermals",
            "fail",
            &[
                "expectation-missed gpus.temperature.below-slowdown",
                "expectation-missed gpus.slowed",
            ],
        )],
        &["gpu/thermals-works"],
    ),
    // Of the cards nothing; of the compilers see `toolchain.rs`.
    row("toolkit-too-new", &[], &[]),
    row("torch-blind", &[], &[]),
    row("torch-computes-wrong", &[], &[]),
    row("torch-detour", &[], &[]),
    row(
        "unknown-throttle-bit",
        &[("gpu/thermals", "error", &["value-unreadable gpus.slowed"])],
        &["gpu/thermals-works"],
    ),
    row("unstable-tensorrt", &[("tensorrt/latency", "unjudged", &["conditions-not-held"])], &[]),
    row(
        "vendor-limits",
        &[(
            "gpu/power-limits",
            "fail",
            &["expectation-missed power.share", "advice-missed power.share"],
        )],
        &[],
    ),
    row("workstation", &[("gpu/driver", "fail", &["expected-capability-missing"])], DRIVER),
    row(
        "wrong-partner",
        &[("gpu/nvlink-links", "fail", &["expectation-missed gpus.links-lead"])],
        &["gpu/nvlink-bandwidth"],
    ),
    row(
        "x4-slot",
        &[("gpu/pcie-link", "fail", &["expectation-missed gpus.pcie.width"])],
        &["gpu/pcie-link-works"],
    ),
];

type Said = BTreeMap<String, (String, Vec<String>)>;

impl Row {
    /// Says how each check is to be judged, and by which findings.
    pub(crate) fn expected(&self) -> Said {
        let mut all: Said = BTreeMap::new();
        for id in ALL {
            let blocked = self.blocked.contains(id);
            let outcome = if blocked { "blocked" } else { "pass" };
            all.insert((*id).to_owned(), (outcome.to_owned(), Vec::new()));
        }
        for (id, outcome, findings) in self.found {
            let findings = findings.iter().map(|finding| (*finding).to_owned()).collect();
            all.insert((*id).to_owned(), ((*outcome).to_owned(), findings));
        }
        let (id, above) = UNANSWERED;
        let bad = above.iter().any(|id| all[*id].0 != "pass");
        let outcome = if bad { "blocked" } else { "skip" };
        all.insert(id.to_owned(), (outcome.to_owned(), Vec::new()));
        all
    }
}

/// Says how each check was judged, and by which findings; notes only explain.
pub(crate) fn seen(lines: &[Value]) -> Said {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let verdicts = of_kind(lines, "verdict");
    let one = |verdict: &&Value| {
        let findings = verdict["findings"].as_array().unwrap().iter();
        let weighty = findings.filter(|finding| finding["severity"] != "note");
        let named = weighty.map(|finding| {
            format!("{} {}", text(&finding["code"]), text(&finding["field"])).trim().to_owned()
        });
        let outcome = (text(&verdict["outcome"]), named.collect());
        (text(&verdict["key"]["check"]), outcome)
    };
    verdicts.iter().map(one).collect()
}
