//! Where programs are: `PATH`, then the folders where people have them although `PATH` lacks them.

use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Folders looked in after `PATH`: a service's or an ssh login's `PATH` often lacks them.
pub(super) const USUAL: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/cuda/bin",
    "/usr/src/tensorrt/bin",
    "/opt/cuda/bin",
    "/opt/homebrew/bin",
    "/opt/homebrew/sbin",
    "/opt/local/bin",
    "/run/current-system/sw/bin",
    "/snap/bin",
];

/// Folders below what a variable names, looked in last: installers put programs there for one user
/// or name the place in a profile that a service never reads.
pub(super) const BELOW: &[(&str, &str)] =
    &[("HOME", ".cargo/bin"), ("CUDA_HOME", "bin"), ("CUDA_PATH", "bin"), ("TENSORRT_HOME", "bin")];

/// Returns the folders in which programs are looked for, in order.
fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).filter(|p| p.is_absolute()).collect();
    let below = BELOW.iter().filter_map(|(variable, folder)| {
        Some(PathBuf::from(env::var_os(variable)?).join(folder)).filter(|path| path.is_absolute())
    });
    for usual in USUAL.iter().map(PathBuf::from).chain(below) {
        if !folders.contains(&usual) {
            folders.push(usual);
        }
    }
    folders
}

/// Finds a program; a name with a slash is taken as it is.
pub(super) fn which(tool: &str) -> Option<PathBuf> {
    if tool.contains('/') {
        let path = PathBuf::from(tool);
        return path.is_file().then_some(path);
    }
    let candidates = folders().into_iter().map(|folder| folder.join(tool));
    candidates.into_iter().find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Returns `PATH` for children, so that what they start is found in the same folders.
pub(super) fn path_for_children() -> std::ffi::OsString {
    env::join_paths(folders()).unwrap_or_else(|_| env::var_os("PATH").unwrap_or_default())
}

/// Says that a program was not found, and where it was looked for.
pub(super) fn not_found(tool: &str) -> String {
    if tool.contains('/') {
        return format!("there is no program {tool}");
    }
    let below: Vec<String> =
        BELOW.iter().map(|(variable, folder)| format!("${variable}/{folder}")).collect();
    let below = below.join(", ");
    format!("`{tool}` is not installed: looked in PATH and in {}, {below}", USUAL.join(", "))
}
