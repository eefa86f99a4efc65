//! Whether trtexec is found, asked by its version, believed only where it ends well, and ended.
//!
//! No trtexec can be had here: a script speaks its interface, versions 8, 10 and 11, which refuse
//! each other's options. What it prints and exports has the form of NVIDIA/TensorRT's samples.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::{
    ground::{Ground, Said, of_kind, outcomes, said},
    pipe::Pipe,
};

/// Speaks as trtexec does. Of forty queries one takes longer, so that p99 is the longest time.
const STAND_IN: &str = r#"#!/bin/sh
version=@VERSION@ mode=@MODE@
said() { echo "[01/01/2026-00:00:00] [$1] $2"; }
ended() { echo "&&&& $1 TensorRT.trtexec [TensorRT v$version] # trtexec"; exit "$2"; }
[ "$mode" = no-version ] && banner= || banner=" [TensorRT v$version]"
echo "&&&& RUNNING TensorRT.trtexec$banner # trtexec $*"
case $version in
11*) known="includeDataTransfers" transfers=Disabled spin=Enabled graph=Enabled ;;
*) known="useCudaGraph useSpinWait fp16 best" transfers=Enabled spin=Disabled graph=Disabled ;;
esac
dma=Disabled
for option in "$@"; do
    name=${option#--} name=${name%%=*} value=${option#*=}
    case $name in
    help) echo "=== Model Options ==="; exit 0 ;;
    onnx) onnx=$value ;;
    exportTimes) times=$value ;;
    iterations) count=$value ;;
    exposeDMA) dma=Enabled ;;
    device | duration | warmUp | avgRuns | percentile) ;;
    *)
        case " $known " in
        *" $name "*) ;;
        *) said E "Unknown option: $option" >&2; ended FAILED 1 ;;
        esac ;;
    esac
    case $name in
    includeDataTransfers) transfers=Enabled ;;
    useCudaGraph) graph=Enabled ;;
    useSpinWait) spin=Enabled ;;
    esac
done
said I "Precision: FP32"
said I "ExposeDMA: $dma"
said I "Data transfers: $transfers"
said I "Spin-wait: $spin"
said I "CUDA Graph: $graph"
said I "Selected Device: A stand-in"
[ "$(wc -c <"$onnx")" -gt 30000 ] || { said E "Failed to parse onnx file" >&2; ended FAILED 1; }
time=0.0144043
case $mode in
hang) exec 9>'@FIFO@'; sleep 600 & wait ;;
fails) said E "Error[1]: Cuda Runtime (out of memory)" >&2; ended FAILED 1 ;;
lies) ended FAILED 0 ;;
nan) time=nan ;;
many) count=100000 ;;
flood) awk 'BEGIN { for (i = 0; i < 60000; i++) print "[x] [V] more words than anybody keeps" }' ;;
esac
awk -v n="$count" -v t="$time" 'BEGIN {
    print "["
    for (i = 0; i < n; i++) {
        slow = i % 40 == 7
        printf "%s{ \"startEnqMs\" : 2001.23, \"h2dMs\" : 0.003, \"computeMs\" : %s, \"d2hMs\" : 0.003, \"latencyMs\" : %s }\n", \
            i ? ", " : "  ", slow ? "0.0204801" : t, slow ? "0.0264801" : "0.0204043"
    }
    print "]"
}' >"$times"
said I "Timing trace has $count queries over 0.2 s"
said I "Throughput: 25000 qps"
said I "Latency: min = 0.0204043 ms, max = 0.0264801 ms, mean = 0.0205562 ms, median = 0.0204043 ms, percentile(99%) = 0.0264801 ms"
said I "Enqueue Time: min = 0.004 ms, max = 0.009 ms, mean = 0.005 ms, median = 0.005 ms, percentile(99%) = 0.006 ms"
said I "GPU Compute Time: min = 0.0144043 ms, max = 0.0204801 ms, mean = 0.0145562 ms, median = 0.0144043 ms, percentile(99%) = 0.0204801 ms"
ended PASSED 0
"#;

/// Asks as the shipped check does.
const CHECK: &str = r#"
probe  = "tensorrt"
with   = { queries = 400 }
limit  = "20 s"
when   = ["linux", "tool:trtexec"]
record = ["version", "options"]
expect = { gpu-p99 = { below = "100 us" }, host-p99 = { below = "100 us" } }
"#;

/// Puts the stand-in into a folder. Another program makes it: what this one has open for writing, a
/// program that another test starts holds too, and then the script is `busy`.
fn install(ground: &Ground, folder: &str, version: &str, mode: &str) {
    let fifo = ground.text("fifo");
    let text = STAND_IN.replace("@VERSION@", version).replace("@MODE@", mode);
    fs::write(ground.path("stand-in"), text.replace("@FIFO@", &fifo)).unwrap();
    let rights = if mode == "not-executable" { "0644" } else { "0755" };
    let (from, to) = (ground.path("stand-in"), ground.path(folder).join("trtexec"));
    let mut install = Command::new("install");
    let done = install.args(["-D", "-m", rights]).args([from, to]).status();
    assert!(done.unwrap().success());
}

/// Runs the check where the folder `bin` of the ground is the first of `PATH`.
fn asked(ground: &Ground, check: &str) -> Said {
    ground.suite("things", &[("tensorrt/latency", check)]);
    let mut command = ground.command(&["--node", "box"]);
    let path = format!("{}:/usr/bin:/bin", ground.text("bin"));
    fs::create_dir_all(ground.path("tmp")).unwrap();
    command.env("PATH", path).env("TMPDIR", ground.path("tmp"));
    said(&mut command)
}

/// Tells, and says, that this machine has a trtexec, which would be found where none is meant.
fn has_its_own() -> bool {
    use std::io::Write;
    let found = Path::new("/usr/src/tensorrt/bin/trtexec").exists();
    if found {
        writeln!(std::io::stderr(), "skipped: needs a machine without trtexec").unwrap();
    }
    found
}

fn reading(lines: &[Value], field: &str) -> String {
    let verdicts = of_kind(lines, "verdict");
    let readings = verdicts[0]["readings"].as_array().unwrap().iter();
    let mut named = readings.filter(|reading| reading["field"] == field);
    named.next().unwrap()["observed"].to_string()
}

#[test]
fn every_version_is_asked_by_the_options_that_it_knows_and_nothing_is_left() {
    for (number, version, option) in [
        ("8601", "8.6.1", "--useCudaGraph"),
        ("101302", "10.13.2", "--useSpinWait"),
        ("110100", "11.1.0", "--includeDataTransfers"),
    ] {
        let ground = Ground::empty();
        install(&ground, "bin", number, "good");
        let said = asked(&ground, CHECK).exits(0);
        let lines = ground.last();
        assert_eq!(outcomes(&lines)[0].1, "pass", "{number}: {}", said.out);
        assert!(reading(&lines, "version").contains(version), "{number}");
        assert!(reading(&lines, "options").contains(option), "{number}");
        let mut there: Vec<String> = fs::read_dir(ground.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        assert_eq!(there, ["bin", "runners", "stand-in", "state", "suites", "tmp"]);
        assert_eq!(fs::read_dir(ground.path("tmp")).unwrap().count(), 0);
    }
}

#[test]
fn what_does_not_end_well_or_cannot_be_read_is_an_error_and_says_why() {
    for (mode, why) in [
        ("fails", "out of memory"),
        ("lies", "ended with FAILED and exit status 0"),
        ("nan", "`computeMs` of query 1 is nan"),
        ("many", "exported more times than are kept"),
        ("flood", "said more than is kept"),
        ("no-version", "does not say its version (8.2 or newer)"),
    ] {
        let ground = Ground::empty();
        install(&ground, "bin", "101302", mode);
        asked(&ground, CHECK).exits(3).says(&[why]);
        assert_eq!(outcomes(&ground.last())[0].1, "error", "{mode}");
    }
}

#[test]
fn one_that_hangs_is_ended_with_its_children() {
    let ground = Ground::empty();
    let pipe = Pipe::new(&ground, "fifo");
    install(&ground, "bin", "101302", "hang");
    asked(&ground, &CHECK.replace("20 s", "2 s")).exits(3).says(&["within 2"]);
    pipe.ends();
}

#[test]
fn where_it_is_missing_though_it_must_be_there_the_finding_says_how_to_get_it() {
    if has_its_own() {
        return;
    }
    let ground = Ground::empty();
    ground.node("box", "has = [\"tool:trtexec\"]");
    let missing = ["trtexec", "Fix of tensorrt/latency.", "take it out of `has`"];
    asked(&ground, CHECK).exits(1).says(&missing);
    // A file that may not be run is no program.
    install(&ground, "bin", "101302", "not-executable");
    asked(&ground, CHECK).exits(1).says(&missing);
    ground.node("box", "");
    asked(&ground, CHECK).exits(4);
    assert_eq!(outcomes(&ground.last())[0].1, "skip");
}

#[test]
fn it_is_found_where_the_archive_was_unpacked() {
    if has_its_own() {
        return;
    }
    let ground = Ground::empty();
    install(&ground, "archive/bin", "101302", "good");
    ground.suite("things", &[("tensorrt/latency", CHECK)]);
    let mut command = ground.command(&["--node", "box"]);
    said(command.env("PATH", "/usr/bin:/bin").env("TENSORRT_HOME", ground.path("archive")))
        .exits(0);
    assert_eq!(outcomes(&ground.last())[0].1, "pass");
}
