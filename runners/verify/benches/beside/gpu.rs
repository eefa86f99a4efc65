//! Copies of a GPU through `verify` beside those of `PyTorch`.
//!
//! Pinned memory to the first device, copies of the same size, the median of a process; `PyTorch` is that of `VERIFY_HEAVY_PYTHON`, else of
//! `python3`. No machine that this was written on had a GPU: what is here was tried by its absence alone.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::pair::{Row, in_turns};

const TURNS: usize = 6;
/// Size of a copy. *Units*: B.
const BYTES: u64 = 64 << 20;

/// Times copies by the events of the device, and prints the median rate in B/s.
const TORCH: &str = "import sys,torch\n\
n=int(sys.argv[1])\n\
a=torch.empty(n,dtype=torch.uint8).pin_memory()\n\
b=torch.empty(n,dtype=torch.uint8,device='cuda')\n\
all=[]\n\
for _ in range(12):\n\
\x20s,e=torch.cuda.Event(enable_timing=True),torch.cuda.Event(enable_timing=True)\n\
\x20s.record();b.copy_(a,non_blocking=True);e.record();torch.cuda.synchronize()\n\
\x20all.append(n/(s.elapsed_time(e)/1e3))\n\
print(sorted(all[2:])[5])\n";

pub(crate) fn rows() -> Result<Vec<Row>, String> {
    if !Path::new("/proc/driver/nvidia/version").try_exists().is_ok_and(|there| there) {
        return Err("a GPU".to_owned());
    }
    let python = std::env::var("VERIFY_HEAVY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    torch(&python).ok_or("PyTorch with CUDA in VERIFY_HEAVY_PYTHON")?;
    own().ok_or("a GPU that `verify instrument cuda` can copy to")?;
    let number = |found: Option<f64>| found.unwrap_or(f64::NAN);
    let (own, theirs) = in_turns(TURNS, || number(own()), || number(torch(&python)));
    let shown = |rate: f64| format!("{:.2} GB/s", rate / 1e9);
    let what = format!("pinned memory to the device, {} MiB", BYTES >> 20);
    Ok(vec![Row::compared("gpu", &what, "device-bandwidth", (&own, &theirs), shown)])
}

/// Returns what `PyTorch` reaches; nothing where it has no device.
fn torch(python: &str) -> Option<f64> {
    let output = Command::new(python).args(["-c", TORCH, &BYTES.to_string()]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Returns what `verify` reaches.
fn own() -> Option<f64> {
    let output = Command::new(env!("CARGO_BIN_EXE_verify"))
        .args(["instrument", "cuda", "--tests", "host", "--passes", "10"])
        .output()
        .ok()?;
    let document: Value = serde_json::from_slice(&output.stdout).ok()?;
    let rates = document["result"]["host"][0]["pinned-to-device-gb-per-s"].as_array()?;
    let mut rates: Vec<f64> = rates.iter().filter_map(Value::as_f64).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).map(|rate| rate * 1e9)
}
