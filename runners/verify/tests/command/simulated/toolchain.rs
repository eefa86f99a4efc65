//! What scenarios say of compilers and of what is built: all well, but for the one that is about it.

use super::{asked, outcome};
use crate::ground::outcomes;

#[test]
fn every_compiler_of_the_reference_compiles_and_what_it_builds_fits() {
    let (said, lines) =
        asked("pair", &["--suite", "toolchain", "--suite", "build", "--allow-mutation"]);
    said.exits(0);
    let judged = outcomes(&lines);
    for id in [
        "toolchain/gcc",
        "toolchain/gcc-works",
        "toolchain/clang",
        "toolchain/clang-works",
        "cuda/nvcc",
        "cuda/nvcc-works",
        "build/cross-compile",
        "build/cross-compile-works",
    ] {
        assert!(judged.contains(&(id.to_owned(), "pass".to_owned())), "{id}: {judged:?}");
    }
    assert!(outcome::seen(&lines).into_values().all(|(_, findings)| findings.is_empty()));
}

#[test]
fn a_toolkit_that_the_driver_cannot_serve_is_red_and_names_both_versions() {
    let (said, lines) = asked("toolkit-too-new", &["--suite", "toolchain"]);
    said.exits(1).says(&["beyond: nvcc 13.5.37, driver up to CUDA 12.8"]);
    let seen = outcome::seen(&lines);
    assert_eq!(seen["cuda/nvcc"].0, "fail");
    assert_eq!(seen["cuda/nvcc-works"].0, "blocked");
    assert_eq!(seen["toolchain/gcc-works"].0, "pass");
}
