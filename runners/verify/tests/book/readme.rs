//! What the comments above the blocks of the README would say: it has none, for it is read as plain
//! text more often than the book is.

const SHOWN: &str = "not run: needs the machine that it was printed on";
const BUILD: &str = "not run: needs a clone of the repository, and the minutes of a build";

/// First line of a block, and its note; a line that no block begins with is a fault.
pub(crate) const NOTES: [(&str, &str); 12] = [
    ("cargo run --release", BUILD),
    ("cargo test --workspace", BUILD),
    ("local: box, via local · root ~/verify · suites local", SHOWN),
    ("verify instrument                 # lists them", "not run: needs seven cpus"),
    // The stage answers for cargo; few checks are asked of the simulated workstation.
    ("cargo build -p verify -p verify-simulator", "exits 0 0 1 1"),
    ("cargo build -p verify -p verify-simulator", "with VERIFY_CHECK=gpu/count,gpu/pcie-link"),
    ("    ✗ fail     vllm/fit  The model that is configured fits the memory of the GPUs", SHOWN),
    ("#:schema ./suite.schema.json", "file suites/mine.toml"),
    (
        "verify --until-decided                  # 3 to 20 runs of what compares, as many as it needs",
        "not run: needs an accepted baseline of disk/copy",
    ),
    (
        "verify --report out.html --report junit=out/verify.xml --report markdown=out/verify.md",
        "with VERIFY_CHECK=memory/size",
    ),
    (
        "verify plan --node nvidia         # what would be asked, and what is left out and why",
        "with VERIFY_CHECK=memory/size",
    ),
    (
        " suites/            runners/                                    baselines/         reports/",
        SHOWN,
    ),
];
