//! How fast a drive is read: fio, sequentially and at random, on a scratch file without a name.
//!
//! fio gets the file laid out and read-only: it neither makes folders nor writes. Where a kernel
//! refuses `io_uring`, `libaio` and then `psync` are tried, and every run is kept as fio wrote it,
//! so that the reader of the document sees what was refused. What fio says is not read here.

use std::{
    io::{self, Read, Seek},
    path::PathBuf,
};

use serde_json::{Value, json};

use super::{
    Arguments, Instrument,
    scratch::{NoScratch, Scratch},
    tool,
};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "fio",
    summary: "Reads a scratch file with fio, sequentially and at random; the file has no name.",
    arguments: "--folder PATH    folder on the drive that is meant; it must exist\n--bytes N        size of the scratch file, 16 MiB to 16 GiB; 1 GiB unless given\n--seconds N      duration of each of the two jobs, 1 to 60; 5 unless given",
    run,
};

/// Engines in the order in which they are tried.
const ENGINES: [&str; 3] = ["io_uring", "libaio", "psync"];

/// Describes one job.
struct Job {
    name: &'static str,
    pattern: &'static str,
    block: &'static str,
}

/// Holds the jobs. *Source*: what drives are sold by, blocks of 128 KiB to 1 MiB in sequence and of
/// 4 KiB at random, with 32 in flight.
const JOBS: [Job; 2] = [
    Job { name: "sequential", pattern: "read", block: "1M" },
    Job { name: "random", pattern: "randread", block: "4k" },
];
const DEPTH: u32 = 32;

struct Wanted {
    folder: PathBuf,
    bytes: u64,
    seconds: u64,
}

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let absolute = |text: &str| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    let folder = given.value("--folder", "an absolute path", absolute)?;
    let wanted = Wanted {
        folder: folder.ok_or("`--folder` says where, and is missing")?,
        bytes: given.number("--bytes", 16 << 20..=16 << 30)?.unwrap_or(1 << 30),
        seconds: given.number("--seconds", 1..=60)?.unwrap_or(5),
    };
    let mut document = json!({
        "folder": wanted.folder.display().to_string(),
        "bytes": wanted.bytes,
        "seconds": wanted.seconds,
        "depth": DEPTH,
    });
    let (key, value) = match measure(&wanted) {
        Ok(runs) => ("runs", runs),
        Err(NoScratch::Unfit(why)) => ("unmeasured", json!(why)),
        Err(NoScratch::Refused(refusal)) => ("refused", refusal.to_json()["refused"].clone()),
    };
    document[key] = value;
    Ok(document)
}

fn measure(wanted: &Wanted) -> Result<Value, NoScratch> {
    // Asked first: a gigabyte is not written for a program that is not there.
    match tool::run("fio", &["--version".to_owned()]) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(json!([{ "missing": "fio" }]));
        }
        Err(error) => return Err(NoScratch::Unfit(format!("fio cannot be started: {error}"))),
        Ok(_) => {}
    }
    let scratch = Scratch::filled(&wanted.folder, wanted.bytes)?;
    let unfit = |error: io::Error| NoScratch::Unfit(format!("fio cannot be run: {error}"));
    let mut runs = Vec::new();
    let mut engines = &ENGINES[..];
    for job in &JOBS {
        while let Some((engine, others)) = engines.split_first() {
            let answer = Scratch::in_memory()?;
            let run = one(job, engine, wanted, &scratch, &answer);
            let (worked, run) = run.map_err(unfit)?;
            runs.push(run);
            if worked || others.is_empty() {
                break;
            }
            engines = others;
        }
    }
    // Kept until fio is through: its last user is this process.
    drop(scratch);
    Ok(json!(runs))
}

/// Runs one job with one engine; tells whether fio ended well.
fn one(
    job: &Job,
    engine: &str,
    wanted: &Wanted,
    scratch: &Scratch,
    answer: &Scratch,
) -> io::Result<(bool, Value)> {
    let args = [
        // Whatever a job file or a mistake says: fio does not write.
        "--readonly".to_owned(),
        // Jobs are threads of the one process that ends with this one.
        "--thread".to_owned(),
        format!("--name={}", job.name),
        format!("--filename={}", scratch.shared()?),
        format!("--rw={}", job.pattern),
        format!("--bs={}", job.block),
        format!("--iodepth={DEPTH}"),
        "--direct=1".to_owned(),
        format!("--ioengine={engine}"),
        format!("--size={}", wanted.bytes),
        "--time_based".to_owned(),
        format!("--runtime={}", wanted.seconds),
        "--output-format=json".to_owned(),
        format!("--output={}", answer.shared()?),
    ];
    let said = tool::run("fio", &args)?;
    let mut output = String::new();
    let mut file = answer.file();
    file.rewind()?;
    file.take(tool::CAP).read_to_string(&mut output)?;
    // Some complaints come before fio has opened its output.
    let stdout = format!("{}{output}", said.stdout);
    let mut run = said.to_json(&stdout);
    run["job"] = json!(job.name);
    run["engine"] = json!(engine);
    Ok((said.exit == Some(0), run))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn both_jobs_are_run_and_nothing_is_left() {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let path = folder.path().display();
        let result =
            INSTRUMENT.tried(&format!("--folder {path} --bytes 16777216 --seconds 1")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let Some(runs) = result["runs"].as_array() else {
            println!("skipped: needs a drive under /var/tmp: {result}");
            return;
        };
        if runs[0]["missing"] == "fio" {
            println!("skipped: needs fio");
            return;
        }
        for name in ["sequential", "random"] {
            let last = runs.iter().rfind(|run| run["job"] == name).unwrap();
            assert_eq!(last["exit"], 0, "{last}");
            assert!(last["output"].as_str().unwrap().contains("\"bw_bytes\""), "{last}");
        }
    }

    #[test]
    fn arguments_that_it_cannot_use_are_refused_by_name() {
        for (bad, named) in [
            ("", "--folder"),
            ("--folder tmp", "absolute"),
            ("--folder /tmp --bytes 5", "16777216 to"),
            ("--folder /tmp --seconds 0", "1 to 60"),
            ("--folder", "lacks its value"),
            ("--write 1", "--write"),
        ] {
            let why = INSTRUMENT.tried(bad).unwrap_err();
            assert!(why.contains(named), "{bad}: {why}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused_and_not_made() {
        let result = INSTRUMENT.tried("--folder /var/tmp/no-such-folder-of-ours").unwrap();
        let missing = result["runs"][0]["missing"] == "fio";
        assert!(missing || result["refused"]["errno"] == "ENOENT", "{result}");
        assert!(fs::metadata("/var/tmp/no-such-folder-of-ours").is_err());
    }
}
