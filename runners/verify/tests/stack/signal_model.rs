//! Whether the shipped model is what its script makes, byte for byte; the script checks it itself.

use std::{path::Path, process::Command};

use crate::Heavy;

pub(crate) const TESTS: &[Heavy] = &[Heavy {
    name: "the_signal_model_is_made_anew_byte_for_byte",
    needs: &["onnx"],
    run: made_anew,
}];

fn made_anew(python: &str) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instruments/model");
    let made = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let mut script = Command::new(python);
    script.arg("-B").arg(folder.join("make_signal.py")).arg(made.path());
    let output = script.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let read = |path: &Path| std::fs::read(path).map_err(|error| error.to_string());
    let (shipped, anew) = (read(&folder.join("signal.onnx"))?, read(made.path())?);
    if shipped == anew {
        return Ok(());
    }
    Err(format!("{} bytes are shipped and {} were made, other ones", shipped.len(), anew.len()))
}
