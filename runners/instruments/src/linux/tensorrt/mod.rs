//! How long a small model takes on a GPU: TensorRT's own trtexec, and all that it said.
//!
//! trtexec gets the model as a file without a name and writes its times to another. Which options
//! it knows follows from its version, which it says before anything else; they are chosen so that
//! every version measures the same: data transfers included, CUDA graph, spin wait, and one query
//! at a time. What trtexec says is not read here.

mod version;

use std::io::{self, Read, Seek, Write};

use serde_json::{Value, json};

use self::version::Version;
use super::{
    Arguments, Instrument, nvml,
    scratch::{NoScratch, Scratch},
    tool,
};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "tensorrt",
    summary: "Times a small model of 64 inputs with trtexec; nothing is written to a drive.",
    arguments: "--queries N      queries that are timed, 100 to 10000; 5000 unless given\n--device N       card in CUDA's order, 0 to 15; 0 unless given\n--nvml PATH      what is asked who computes already; libnvidia-ml.so.1 unless given",
    run,
};

const PROGRAM: &str = "trtexec";
/// The model; `model/make_signal.py` makes it anew.
const MODEL: &[u8] = include_bytes!("../../../model/signal.onnx");
/// Bounds what is kept of the exported times: at 300 B each, 20,000 queries. *Units*: B.
const TIMES_CAP: u64 = 6 << 20;
/// Nothing of the driver's compiler is to be left in the user's folder.
const VARIABLES: [(&str, &str); 1] = [("CUDA_CACHE_DISABLE", "1")];

struct Wanted<'a> {
    queries: u32,
    device: u32,
    nvml: Option<&'a str>,
}

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let wanted = Wanted {
        queries: given.number("--queries", 100..=10_000)?.unwrap_or(5000),
        device: given.number("--device", 0..=15)?.unwrap_or(0),
        nvml: given.text("--nvml"),
    };
    let mut document = json!({
        "queries": wanted.queries,
        "device": wanted.device,
        "model-bytes": MODEL.len(),
    });
    if let Err(why) = measure(&wanted, &mut document) {
        let (key, value) = match why {
            NoScratch::Unfit(why) => ("unmeasured", json!(why)),
            NoScratch::Refused(refusal) => ("refused", refusal.to_json()["refused"].clone()),
        };
        document[key] = value;
    }
    Ok(document)
}

/// Measures; what is known before a trouble stays known.
fn measure(wanted: &Wanted<'_>, document: &mut Value) -> Result<(), NoScratch> {
    let unfit = |error: io::Error| NoScratch::Unfit(format!("{PROGRAM} cannot be run: {error}"));
    let help = match tool::run(PROGRAM, &["--help".to_owned()]) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            document["missing"] = json!(PROGRAM);
            return Ok(());
        }
        other => other.map_err(unfit)?,
    };
    let version = Version::said(&help.stdout).ok_or_else(|| unknown(&help))?;
    document["version"] = json!(version.to_string());
    let others = nvml::computing(wanted.nvml);
    let alone = others.as_array().is_some_and(Vec::is_empty);
    document["others"] = others;
    if !alone {
        // A measurement would disturb them, and they it; who cannot be told may be there.
        return Ok(());
    }
    let (model, times) = (Scratch::in_memory()?, Scratch::in_memory()?);
    model.file().write_all(MODEL).map_err(unfit)?;
    let options = options(version, wanted);
    let files = [
        format!("--onnx={}", model.shared().map_err(unfit)?),
        format!("--exportTimes={}", times.shared().map_err(unfit)?),
    ];
    let args: Vec<String> = files.into_iter().chain(options.iter().cloned()).collect();
    let setting = tool::Setting { variables: &VARIABLES, ..tool::Setting::default() };
    let said = tool::run_in(PROGRAM, &args, setting).map_err(unfit)?;
    document["options"] = json!(options);
    document["run"] = said.to_json(&said.stdout);
    document["run"]["cut"] = json!(said.stdout.len() as u64 >= tool::CAP);
    let (text, left_out) = kept(&times).map_err(unfit)?;
    document["times"] = json!(text);
    document["times-left-out"] = json!(left_out);
    Ok(())
}

/// Says what stands where a version was looked for.
fn unknown(help: &tool::Said) -> NoScratch {
    let mut lines = help.stderr.lines().chain(help.stdout.lines()).map(str::trim);
    let line = lines.find(|line| !line.is_empty()).unwrap_or("it says nothing");
    let how = match (help.exit, help.signal) {
        (Some(0), _) => String::new(),
        (Some(code), _) => format!(", exit status {code}"),
        (None, signal) => format!(", ended by signal {}", signal.unwrap_or_default()),
    };
    let line: String = line.chars().take(300).collect();
    NoScratch::Unfit(format!(
        "`{PROGRAM} --help` does not say its version (8.2 or newer){how}: {line}"
    ))
}

/// Returns the options by which every version measures the same.
///
/// *Source*: NVIDIA/TensorRT, samples/common/sampleOptions.cpp of 8.4, 8.6, 10.0, 10.16 and 11.1.
fn options(version: Version, wanted: &Wanted<'_>) -> Vec<String> {
    // Before 8.5 the times of the warm-up are exported as well.
    let warm_up_ms = if version.exports_warm_up() { 100 } else { 2000 };
    let own: &[&str] = if version.major < 11 {
        &["--useCudaGraph", "--useSpinWait"]
    } else {
        // Both are on unasked there, and transfers are not.
        &["--includeDataTransfers"]
    };
    let all = [
        format!("--device={}", wanted.device),
        format!("--iterations={}", wanted.queries),
        "--duration=0".to_owned(),
        format!("--warmUp={warm_up_ms}"),
        "--avgRuns=1000".to_owned(),
        "--percentile=99".to_owned(),
        // The next query is submitted when the answer to the last one is there.
        "--exposeDMA".to_owned(),
    ];
    all.into_iter().chain(own.iter().map(|option| (*option).to_owned())).collect()
}

/// Returns the exported times, and how many bytes of them are left out. *Units*: B.
fn kept(times: &Scratch) -> io::Result<(String, u64)> {
    let mut file = times.file();
    file.rewind()?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(TIMES_CAP).read_to_end(&mut bytes)?;
    let left_out = length.saturating_sub(bytes.len() as u64);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Vec<String> {
        let version = Version::said(&format!("&&&& RUNNING TensorRT.trtexec [TensorRT v{text}]"));
        options(version.unwrap(), &Wanted { queries: 5000, device: 1, nvml: None })
    }

    #[test]
    fn each_version_is_asked_for_the_same_by_the_options_that_it_knows() {
        let has = |text: &str, option: &str| chosen(text).iter().any(|given| given == option);
        for version in ["8401", "8601", "9300", "100000", "101302"] {
            assert!(has(version, "--useCudaGraph") && has(version, "--useSpinWait"), "{version}");
            assert!(!has(version, "--includeDataTransfers"), "{version}");
        }
        for version in ["110000", "110100", "11.1.0.106"] {
            assert!(has(version, "--includeDataTransfers"), "{version}");
            assert!(!has(version, "--useCudaGraph") && !has(version, "--useSpinWait"), "{version}");
        }
        for version in ["8401", "101302", "110100"] {
            // Unknown from 11 on, and another quantity before.
            assert!(!chosen(version).iter().any(|o| o.contains("fp16") || o.contains("best")));
            assert!(has(version, "--exposeDMA") && has(version, "--device=1"), "{version}");
        }
        assert!(has("8401", "--warmUp=100") && has("8601", "--warmUp=2000"));
    }

    #[test]
    fn the_model_has_the_opset_and_the_ir_version_that_deployed_parsers_take() {
        // ModelProto: field 1 is `ir_version`; `OperatorSetIdProto`, field 8: domain "", version 17.
        assert_eq!(MODEL[..2], [0x08, 8]);
        let opset = [0x42, 0x04, 0x0a, 0x00, 0x10, 17];
        assert!(MODEL.ends_with(&opset) || MODEL.windows(6).any(|window| window == opset));
        assert!(MODEL.len() < 40_000);
    }

    #[test]
    fn arguments_that_it_cannot_use_are_refused_by_name() {
        for (bad, named) in [
            ("--queries 99", "100 to 10000"),
            ("--device 16", "0 to 15"),
            ("--queries", "lacks its value"),
            ("--fp16 1", "--fp16"),
        ] {
            let why = INSTRUMENT.tried(bad).unwrap_err();
            assert!(why.contains(named), "{bad}: {why}");
        }
    }

    #[test]
    fn the_end_of_times_that_are_too_many_is_counted() {
        let times = Scratch::in_memory().unwrap();
        let many = vec![b'x'; usize::try_from(TIMES_CAP).unwrap() + 7];
        times.file().write_all(&many).unwrap();
        let (text, left_out) = kept(&times).unwrap();
        assert_eq!((text.len() as u64, left_out), (TIMES_CAP, 7));
    }
}
