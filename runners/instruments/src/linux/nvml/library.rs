//! How the library is opened, and what stands between it and the first card.
//!
//! Each way to fail has its own word, for each has its own cure.

use std::{fs, io::ErrorKind, path::Path, time::Duration};

use nvml_wrapper_sys::bindings::{NvmlLib, nvmlDevice_t, nvmlReturn_t};
use serde_json::{Value, json};

use super::{
    call::{Asker, SUCCESS, Trouble, name, shown, symbol, taken},
    file::Files,
    inventory,
    progress::Progress,
};

pub(super) const NAME: &str = "libnvidia-ml.so.1";
/// Most cards that are asked. *Source*: no machine has more than 16.
const CARDS: u32 = 64;

/// Asks for everything and adds it to what was read.
pub(super) fn ask(path: &str, window: Duration, progress: &Progress) {
    progress.calling("dlopen");
    // SAFETY: loading runs the library's own start code, which is why all this is in a child.
    let library = match unsafe { NvmlLib::new(path) } {
        Ok(library) => library,
        Err(error) => {
            progress.put("module-version", Files::Host.module_version());
            let why = why_not_loaded(path, &error.to_string());
            return fail(progress, why, &error.to_string());
        }
    };
    let (files, scenario) = Files::of(&library);
    if let Some(scenario) = scenario {
        progress.put("simulated", json!(scenario));
    }
    progress.put("module-version", files.module_version());
    let asker = Asker { library: &library, files, progress };
    match begin(&asker) {
        Ok(()) => {
            progress.put("state", json!("ok"));
            everything(&asker, window);
            end(&asker);
        }
        Err(Trouble::NoSymbol(call)) => {
            fail(progress, "symbol-missing", &format!("the library has no {call}"));
        }
        Err(Trouble::Code(call, code)) => {
            fail(progress, word(code), &format!("{call}: {}", name(code)));
        }
    }
    // Unloading would run end code that may hang as well; the process ends soon.
    std::mem::forget(library);
}

fn fail(progress: &Progress, state: &str, trouble: &str) {
    progress.put("state", json!(state));
    progress.put("trouble", json!(trouble));
}

/// Tells apart a library that is not there, a file that is none, and one that is refused.
fn why_not_loaded(path: &str, error: &str) -> &'static str {
    if path.contains('/') {
        let head = fs::read(path).map(|bytes| bytes.starts_with(b"\x7fELF"));
        return match head {
            Err(error) if error.kind() == ErrorKind::NotFound => "no-library",
            Err(error) if error.kind() == ErrorKind::PermissionDenied => "no-permission",
            Ok(false) => "not-a-library",
            _ if Path::new(path).is_dir() => "not-a-library",
            _ => "library-refused",
        };
    }
    // Only the loader knows which file it found. Its words are in English without a locale, which
    // this program never sets.
    if error.contains("No such file or directory") {
        "no-library"
    } else if ["file too short", "invalid ELF header", "wrong ELF class"]
        .iter()
        .any(|words| error.contains(words))
    {
        "not-a-library"
    } else {
        "library-refused"
    }
}

/// Returns the word for why nothing can be asked. *Source*: `nvml.h`, `nvmlInit_v2`.
fn word(code: nvmlReturn_t) -> &'static str {
    match code {
        4 => "no-permission",
        9 => "driver-not-loaded",
        15 => "gpu-lost",
        18 => "version-mismatch",
        _ => "driver-error",
    }
}

fn begin(asker: &Asker<'_>) -> Result<(), Trouble> {
    let symbol = symbol!(asker, nvmlInit_v2);
    let function = asker.begin(symbol)?;
    // SAFETY: the function has this form and takes nothing.
    let code = unsafe { function() };
    if code == SUCCESS { Ok(()) } else { Err(Trouble::Code(symbol.0, code)) }
}

fn end(asker: &Asker<'_>) {
    if let Ok(function) = asker.begin(symbol!(asker, nvmlShutdown)) {
        // SAFETY: the function has this form and takes nothing; nothing is asked after it.
        unsafe { function() };
    }
}

fn everything(asker: &Asker<'_>, window: Duration) {
    let put = |key: &str, value: Value| asker.progress.put_in("system", key, value);
    put("driver-version", shown(asker.own_text(symbol!(asker, nvmlSystemGetDriverVersion))));
    put("library-version", shown(asker.own_text(symbol!(asker, nvmlSystemGetNVMLVersion))));
    put("cuda-version", shown(cuda_version(asker)));
    put("driver-branch", shown(branch(asker)));
    let counted = count(asker);
    put("count", shown(counted.clone()));
    let Ok(counted) = counted else { return };
    // Even of none, the list is there: a missing one would look like one that was not read.
    asker.progress.put("cards", json!([]));
    let cards: Vec<(usize, nvmlDevice_t)> = (0..counted.min(CARDS))
        .filter_map(|index| {
            let opened = handle(asker, index);
            let said = opened.clone().map(|_| true);
            let index = index as usize;
            asker.progress.put_at("cards", index, "opened", shown(said));
            Some((index, opened.ok()?))
        })
        .collect();
    inventory::cards(asker, &cards);
    inventory::pairs(asker, &cards);
    if !window.is_zero() {
        inventory::again(asker, &cards, window);
    }
}

fn count(asker: &Asker<'_>) -> Result<u32, Trouble> {
    let symbol = symbol!(asker, nvmlDeviceGetCount_v2);
    let function = asker.begin(symbol)?;
    let mut count = 0;
    // SAFETY: the function has this form, and the place is ours.
    let code = unsafe { function(&raw mut count) };
    if code == SUCCESS { Ok(count) } else { Err(Trouble::Code(symbol.0, code)) }
}

fn handle(asker: &Asker<'_>, index: u32) -> Result<nvmlDevice_t, Trouble> {
    let symbol = symbol!(asker, nvmlDeviceGetHandleByIndex_v2);
    let function = asker.begin(symbol)?;
    let mut card = std::ptr::null_mut();
    // SAFETY: as in `count`.
    let code = unsafe { function(index, &raw mut card) };
    if code == SUCCESS { Ok(card) } else { Err(Trouble::Code(symbol.0, code)) }
}

fn cuda_version(asker: &Asker<'_>) -> Result<i32, Trouble> {
    let symbol = symbol!(asker, nvmlSystemGetCudaDriverVersion_v2);
    let function = asker.begin(symbol)?;
    let mut version = 0;
    // SAFETY: as in `count`.
    let code = unsafe { function(&raw mut version) };
    if code == SUCCESS { Ok(version) } else { Err(Trouble::Code(symbol.0, code)) }
}

/// Asks for the branch; drivers of series 535 and before have no such function.
fn branch(asker: &Asker<'_>) -> Result<String, Trouble> {
    use nvml_wrapper_sys::bindings::nvmlSystemDriverBranchInfo_t as Branch;
    let symbol = symbol!(asker, nvmlSystemGetDriverBranch);
    let function = asker.begin(symbol)?;
    let mut branch = Branch { version: inventory::versioned::<Branch>(1), branch: [0; 80] };
    // SAFETY: the structure says its version, and is as long as is said.
    let code = unsafe { function(&raw mut branch, 80) };
    taken(symbol.0, |out, _| {
        // SAFETY: the buffer of `taken` is longer than 80 bytes.
        unsafe { out.copy_from_nonoverlapping(branch.branch.as_ptr(), 80) };
        code
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_not_to_load_has_its_own_word() {
        let missing =
            "libnvidia-ml.so.1: cannot open shared object file: No such file or directory";
        assert_eq!(why_not_loaded(NAME, missing), "no-library");
        assert_eq!(why_not_loaded(NAME, "/usr/lib/x.so.1: file too short"), "not-a-library");
        assert_eq!(why_not_loaded(NAME, "/usr/lib/x.so.1: invalid ELF header"), "not-a-library");
        assert_eq!(why_not_loaded(NAME, "undefined symbol: foo"), "library-refused");
        assert_eq!(why_not_loaded("/no/such.so", ""), "no-library");
        assert_eq!(why_not_loaded("/proc/self/status", ""), "not-a-library");
    }

    #[test]
    fn each_way_not_to_start_has_its_own_word() {
        let words = [4, 9, 15, 17, 18, 23, 999].map(word);
        let unlike = ["no-permission", "driver-not-loaded", "gpu-lost", "driver-error"];
        assert_eq!(words[..4], unlike);
        assert_eq!(words[4..], ["version-mismatch", "driver-error", "driver-error"]);
        assert_eq!([15, 23, 999].map(name)[0], "NVML_ERROR_GPU_IS_LOST");
        assert_eq!(name(4711), "NVML_ERROR_4711");
    }
}
