//! What faults of torch give on the simulated workstation, and that a right one gives nothing.

use super::{asked, outcome};

/// What one scenario gives: each check that is not a pass without a word, and its findings.
type Row = (&'static str, &'static [(&'static str, &'static str, &'static [&'static str])]);

const BLOCKED: &[&str] = &[];

static TABLE: &[Row] = &[
    ("pair", &[]),
    (
        "torch-blind",
        &[
            (
                "torch/device-count",
                "fail",
                &[
                    "expectation-missed trouble",
                    "value-absent unsupported",
                    "expectation-missed unseen",
                    "expectation-missed failed",
                    "advice-unanswered devices.name",
                    "advice-unanswered devices.uuid",
                    "advice-unanswered devices.capability",
                ],
            ),
            ("torch/device-count-works", "blocked", BLOCKED),
            ("torch/tensor-parallel", "blocked", BLOCKED),
        ],
    ),
    (
        "torch-computes-wrong",
        &[
            (
                "torch/device-count-works",
                "fail",
                &["expectation-missed computed", "expectation-missed wrong"],
            ),
            ("torch/tensor-parallel", "blocked", BLOCKED),
        ],
    ),
    (
        "torch-detour",
        &[(
            "torch/tensor-parallel",
            "fail",
            &[
                "expectation-missed differing",
                "expectation-missed speed-up",
                "off-baseline speed-up",
                "advice-missed speed-up",
                "advice-missed path",
            ],
        )],
    ),
    ("busy", &[("torch/tensor-parallel", "unjudged", &["conditions-not-held"])]),
    (
        "lost-gpu",
        &[
            ("torch/device-count", "blocked", BLOCKED),
            ("torch/device-count-works", "blocked", BLOCKED),
            ("torch/tensor-parallel", "blocked", BLOCKED),
        ],
    ),
];

#[test]
fn each_fault_of_pytorch_gives_these_findings_and_no_others() {
    for (scenario, found) in TABLE {
        let (_, lines) = asked(scenario, &["--check", "torch/*"]);
        let seen = outcome::seen(&lines);
        for id in ["torch/device-count", "torch/device-count-works", "torch/tensor-parallel"] {
            let known = found.iter().find(|(known, ..)| *known == id);
            let (outcome, findings) = known.map_or(("pass", BLOCKED), |(_, o, f)| (*o, *f));
            let findings: Vec<String> = findings.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(seen[id], (outcome.to_owned(), findings), "{scenario}: {id}");
        }
    }
}
