//! Whether the kernels assemble for every architecture from `sm_80` on, by the assembler of CUDA.
//!
//! `ptxas` comes with CUDA, or with the package `nvidia-cuda-nvcc` beside a Python on the path. What
//! it says of registers is looked at, too: a kernel that spills measures its own memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "the test starts the assembler")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const KERNELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/linux/cuda/kernel.ptx");
const ARCHITECTURES: [&str; 5] = ["sm_80", "sm_86", "sm_89", "sm_90", "sm_120"];

/// Looks for the assembler on the path, in CUDA's usual place, and in Python environments.
fn assembler() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let plain = folders.iter().map(|folder| folder.join("ptxas"));
    let usual = [PathBuf::from("/usr/local/cuda/bin/ptxas")];
    let packed = folders.iter().filter_map(|folder| {
        let libraries = fs::read_dir(folder.parent()?.join("lib")).ok()?.flatten();
        let mut found = libraries
            .map(|python| python.path().join("site-packages/nvidia/cu13/bin/ptxas"))
            .filter(|file| file.is_file());
        found.next()
    });
    plain.chain(usual).chain(packed).find(|file| file.is_file())
}

/// Assembles a text and returns what is said of it.
fn assembled(assembler: &Path, architecture: &str, file: &Path) -> Result<String, String> {
    let out = tempfile::NamedTempFile::new().unwrap();
    let run = Command::new(assembler)
        .args(["-v", "-arch", architecture, "-o"])
        .arg(out.path())
        .arg(file)
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&run.stderr).into_owned() + &String::from_utf8_lossy(&run.stdout);
    if run.status.success() { Ok(said) } else { Err(said) }
}

#[test]
#[allow(clippy::print_stderr, reason = "says aloud that it is skipped")]
fn the_kernels_assemble_for_every_architecture_and_spill_nothing() {
    let Some(assembler) = assembler() else {
        eprintln!("skipped: needs ptxas (pip install --no-deps nvidia-cuda-nvcc)");
        return;
    };
    for architecture in ARCHITECTURES {
        let said = assembled(&assembler, architecture, Path::new(KERNELS)).unwrap();
        let spills = said.lines().filter(|line| line.contains("spill stores"));
        let spills: Vec<&str> =
            spills.filter(|line| !line.contains("0 bytes spill stores")).collect();
        assert!(spills.is_empty(), "{architecture}: {spills:?}");
        assert_eq!(said.matches("spill stores").count(), 9, "{architecture}: {said}");
    }
    let mut broken = fs::read_to_string(KERNELS).unwrap();
    broken = broken.replace("ld.global.v4.u32", "ld.globl.v4.u32");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), broken).unwrap();
    assert!(
        assembled(&assembler, "sm_86", file.path()).is_err(),
        "a text that is wrong is refused"
    );
}

#[test]
fn the_header_is_one_that_every_driver_since_cuda_11_takes() {
    let text = fs::read_to_string(KERNELS).unwrap();
    let mut lines = text.lines().filter(|line| line.starts_with('.'));
    assert_eq!(lines.next(), Some(".version 7.0"));
    assert_eq!(lines.next(), Some(".target sm_80"));
    assert_eq!(lines.next(), Some(".address_size 64"));
}
