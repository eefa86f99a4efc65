//! What the comments above the blocks of the README would say: it has none, for it is read as plain
//! text more often than the book is.

const SHOWN: &str = "not run: needs the machine that it was printed on";
const BUILD: &str = "not run: needs a clone of the repository, and the minutes of a build";

/// First line of a block, and its note; a line that no block begins with is a fault.
pub(crate) const NOTES: [(&str, &str); 21] = [
    ("cargo run --release", BUILD),
    ("cargo test --workspace", BUILD),
    ("local: box, via local · root ~/verify · suites local", SHOWN),
    (
        "nvidia: box (not nvidia, the host of the node file), via local · root ~/verify · suites kernel,",
        SHOWN,
    ),
    ("verify instrument                 # lists them", "not run: needs seven cpus"),
    // The stage answers for cargo; few checks are asked of the simulated workstation.
    ("cargo build -p verify -p verify-simulator", "exits 0 0 1 1"),
    ("cargo build -p verify -p verify-simulator", "with VERIFY_CHECK=gpu/count,gpu/pcie-link"),
    (
        "    ✗ fail     gpu/pcie-link         Each GPU has the lanes that its slot was bought for",
        SHOWN,
    ),
    ("    ✗ fail     vllm/fit  The model that is configured fits the memory of the GPUs", SHOWN),
    ("#:schema ./suite.schema.json", "file suites/mine.toml"),
    ("error: the probe `memory` has no field `totl`", SHOWN),
    (
        "ssh -o BatchMode=yes tower true && ssh -o BatchMode=yes mini true",
        "not run: needs two machines that take a key",
    ),
    ("[suite]", "file ~/mine/suites/desk.toml"),
    ("    ! error    node/reachable  The node nvidia can be asked", SHOWN),
    ("    ? unjudged disk/copy  elapsed 123.2 ms, no baseline yet", SHOWN),
    ("$ verify baseline accept last --reason \"as built\"", SHOWN),
    ("    ✗ fail     disk/copy  The work takes as long as ever", SHOWN),
    (
        "verify --until-decided                  # 3 to 20 runs of what compares, as many as it needs",
        "not run: needs an accepted baseline of disk/copy",
    ),
    (
        "verify plan --node nvidia         # what would be asked, and what is left out and why",
        "with VERIFY_CHECK=memory/size",
    ),
    (
        " suites/            runners/                                    baselines/         reports/",
        SHOWN,
    ),
    ("# ~/mine/runners/nodes/mini.toml", "file ~/mine/runners/nodes/mini.toml"),
];
