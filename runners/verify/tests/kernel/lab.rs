//! What a boot needs: QEMU, a static busybox, a kernel, and `verify` without a loader.
//!
//! The first three come from outside and may be missing; then the boots are skipped. The static
//! `verify` is built here from the sources that are tested, in a folder of its own below `target/`,
//! so that a second run only looks whether anything changed. That it does not build is a failure.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const TARGET: &str = "x86_64-unknown-linux-gnu";
const PROFILE: &str = "kernel-lab";
/// Bounds the build, which takes one or two minutes on two cores. *Units*: s.
const BUILD_LIMIT_S: &str = "900";

/// Names a kernel other than the one that `.ci/kernel` unpacks.
const KERNEL: &str = "VERIFY_KERNEL";

/// Programs and the package of each.
const TOOLS: [(&str, &str); 6] = [
    ("dmesg", "util-linux"),
    ("ldd", "libc-bin"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("setpriv", "util-linux"),
    ("timeout", "coreutils"),
];

/// Names what some boots take along, and only they.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// The task of the bench `tsc` that takes a cpu at known times.
    Hog,
    /// A module of the kernel, which `.ci/kernel` unpacks beside it.
    Module(&'static str),
}

impl Carried {
    /// Returns its file name.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Hog => "hog".to_owned(),
            Self::Module(name) => format!("{name}.ko"),
        }
    }

    /// Names what is not here and has to come from outside.
    pub(crate) fn missing(self) -> Option<String> {
        let Self::Module(_) = self else { return None };
        let file = kernel().with_file_name(self.name());
        (!file.is_file()).then(|| format!("{} (`bash .ci/kernel` unpacks it)", file.display()))
    }
}

/// Holds what every boot uses.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) kernel: PathBuf,
    pub(crate) busybox: Vec<u8>,
    pub(crate) verify: Vec<u8>,
    /// `dmesg` of util-linux and what it loads, by path: busybox's cannot tell the kernel's lines
    /// from those that users wrote.
    pub(crate) dmesg: Vec<(PathBuf, Vec<u8>)>,
    /// Built for the first boot that takes it along.
    hog: OnceLock<Result<Vec<u8>, String>>,
}

/// Names what is not here and has to come from outside.
pub(crate) fn missing() -> Option<String> {
    let mut missing: Vec<String> = TOOLS
        .iter()
        .filter(|(tool, _)| on_path(tool).is_none())
        .map(|(tool, package)| format!("{tool} (package {package})"))
        .collect();
    if !cfg!(all(target_arch = "x86_64", target_env = "gnu", target_os = "linux")) {
        missing.push("x86-64 Linux with glibc".to_owned());
    }
    if needs_loader(&busybox()) {
        missing.push("a static busybox (package busybox-static)".to_owned());
    }
    // A kernel in /boot is often there and not readable.
    if fs::File::open(kernel()).is_err() {
        missing.push(format!("a kernel (`bash .ci/kernel` fetches one; or {KERNEL}=VMLINUZ)"));
    }
    if missing.is_empty() { None } else { Some(missing.join(", ")) }
}

impl Lab {
    /// Builds `verify` and takes the rest from where it is.
    ///
    /// *Errors*: something is missing, or `verify` does not build.
    pub(crate) fn prepare() -> Result<Self, String> {
        let kernel = kernel().canonicalize().map_err(|error| error.to_string())?;
        let verify = program(&["--package", "verify", "--bin", "verify", "--no-default-features"])?;
        let (busybox, dmesg) = (busybox(), with_libraries("dmesg")?);
        Ok(Self { kernel, busybox, verify, dmesg, hog: OnceLock::new() })
    }

    /// Returns what a boot takes along.
    ///
    /// *Errors*: it is not there, or does not build.
    pub(crate) fn carried(&self, carried: Carried) -> Result<Vec<u8>, String> {
        let bench = ["--package", "verify-instruments", "--bench", "tsc"];
        match carried {
            Carried::Hog => self.hog.get_or_init(|| program(&bench)).clone(),
            Carried::Module(_) => {
                let file = self.kernel.with_file_name(carried.name());
                fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
            }
        }
    }
}

fn kernel() -> PathBuf {
    let unpacked = || Path::new(ROOT).join("target/kernel/vmlinuz");
    env::var_os(KERNEL).map_or_else(unpacked, PathBuf::from)
}

fn busybox() -> Vec<u8> {
    on_path("busybox").and_then(|path| fs::read(path).ok()).unwrap_or_default()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Returns a program, to lie in `/usr/bin`, and its libraries, to lie where it looks for them.
fn with_libraries(program: &str) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
    let read = |at: &Path| fs::read(at).map_err(|error| format!("{}: {error}", at.display()));
    let found = on_path(program).ok_or_else(|| format!("{program} is not there"))?;
    let output = Command::new("ldd").arg(&found).output().map_err(|error| error.to_string())?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new);
    let mut files = vec![(Path::new("/usr/bin").join(program), read(&found)?)];
    for library in libraries {
        files.push((library.to_owned(), read(library)?));
    }
    Ok(files)
}

/// Whether a 64-bit ELF file names a loader, which the archive does not hold.
fn needs_loader(elf: &[u8]) -> bool {
    /// Type of a program header, elf(5).
    const INTERPRETER: u32 = 3;
    let number = |at: usize, length: usize| {
        let bytes = elf.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)))
    };
    let (Some(start), Some(size), Some(count)) = (number(32, 8), number(54, 2), number(56, 2))
    else {
        return false;
    };
    (0..count).any(|at| number(start + at * size, 4) == Some(INTERPRETER as usize))
}

/// Builds a program without a loader.
fn program(which: &[&str]) -> Result<Vec<u8>, String> {
    let output = build(which)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("no static {which:?} is built ({}):\n{said}", output.status));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let built =
        messages.filter_map(|said| said["executable"].as_str().map(PathBuf::from)).next_back();
    let program = built.ok_or_else(|| format!("cargo names no program of {which:?}"))?;
    let bytes = fs::read(&program).map_err(|error| error.to_string())?;
    if bytes.is_empty() || needs_loader(&bytes) {
        return Err(format!("{} is not static", program.display()));
    }
    Ok(bytes)
}

fn build(which: &[&str]) -> Result<Output, String> {
    Command::new("timeout")
        .args(["-k", "5", BUILD_LIMIT_S, env!("CARGO"), "build", "--offline", "--locked"])
        .args(["--quiet", "--message-format", "json", "--profile", PROFILE])
        .args(which)
        // Named although it is the host's: flags are for it alone then, and not for build scripts.
        .args(["--target", TARGET, "--target-dir"])
        .arg(Path::new(ROOT).join("target/kernel/build"))
        .current_dir(ROOT)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))
}
