//! Tries the instrument on real compilers, and on scripts that do what compilers rarely do.

use std::{
    env,
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use serde_json::Value;
use tempfile::TempDir;

use super::INSTRUMENT;

/// What the program prints where all of it does what it should.
const RIGHT: &str = "verify-program 169 ";

fn skipped(needs: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: needs {needs}");
}

/// Compiles with a compiler of the given name or path; `None` where there is none.
fn compiled(family: &str, name: &str, flags: &str) -> Option<Value> {
    let mut words = vec!["--language", "c++23", "--family", family, "--names", name];
    words.extend(["--flags", flags].into_iter().filter(|_| !flags.is_empty()));
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    let result = INSTRUMENT.document(&words).unwrap()["result"].take();
    if result.get("missing").is_some() {
        skipped(name);
        return None;
    }
    Some(result)
}

/// Writes a compiler that says it is GCC 14 and then does something else.
fn stand_in(folder: &TempDir, does: &str) -> String {
    let path = folder.path().join("g++-14");
    let macros = "#define __GNUC__ 14\n#define __GNUC_MINOR__ 2\n#define __GNUC_PATCHLEVEL__ 0";
    let text =
        format!("#!/bin/sh\nif [ \"$1\" = -dM ]; then echo '{macros}'; exit 0; fi\n{does}\n");
    written(&path, &text);
    path.to_str().unwrap().to_owned()
}

#[allow(clippy::disallowed_methods, reason = "the test makes its own compiler")]
fn written(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn gcc_and_clang_compile_a_program_that_computes_what_it_should() {
    for (family, names) in [("gcc", "g++"), ("clang", "clang++,clang++-19,clang++-18,clang++-20")] {
        let Some(found) = compiled(family, names, "-O2") else { continue };
        if found["compile"]["exit"] != 0 {
            skipped("a compiler that has the headers of C++23");
            continue;
        }
        let (ran, argv) = (&found["run"], &found["compile"]["argv"]);
        assert_eq!(ran["exit"], 0, "{found}");
        assert!(ran["stdout"].as_str().unwrap().starts_with(RIGHT), "{found}");
        assert!(argv.as_array().unwrap().contains(&"-O2".into()), "{found}");
        assert!(found["compile"]["seconds"].as_f64().unwrap() > 0.0);
        assert!(found["compiler"]["version"].as_str().unwrap().contains('.'));
    }
}

#[test]
fn a_flag_that_it_does_not_know_and_a_library_that_is_not_there_are_what_the_compiler_says() {
    let Some(found) = compiled("gcc", "g++", "-fno-such-flag-of-ours") else { return };
    assert_eq!(found["compile"]["exit"], 1, "{found}");
    assert!(found["compile"]["stderr"].as_str().unwrap().contains("-fno-such-flag-of-ours"));
    assert!(found.get("run").is_none());
    let found = compiled("gcc", "g++", "-lno-such-library-of-ours").unwrap();
    assert!(found["compile"]["stderr"].as_str().unwrap().contains("collect2"), "{found}");
}

#[test]
fn how_the_program_ends_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    // Its third and further arguments are `-o program program.cpp`.
    let program = |text: &str| format!("printf '#!/bin/sh\\n{text}\\n' > $3; chmod +x $3");
    for (does, key, expected) in [
        (program("kill -ILL $$"), "signal", Value::from(4)),
        (program("exit 7"), "exit", Value::from(7)),
        (program("echo other"), "stdout", Value::from("other\n")),
    ] {
        let found = compiled("gcc", &stand_in(&folder, &does), "").unwrap();
        assert_eq!(found["run"][key], expected, "{found}");
    }
    for does in ["true", "echo > $3"] {
        let found = compiled("gcc", &stand_in(&folder, does), "").unwrap();
        assert!(found["run"]["unstarted"].is_string(), "{found}");
    }
    let found = compiled("gcc", &stand_in(&folder, "kill -9 $$"), "").unwrap();
    assert_eq!((&found["compile"]["signal"], found.get("run")), (&Value::from(9), None));
}

#[test]
fn what_a_compiler_puts_down_goes_with_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let does =
        "mkdir -p $TMPDIR/deep/er; touch $TMPDIR/deep/er/file here; stat -c %a .; pwd; exit 1";
    let found = compiled("gcc", &stand_in(&folder, does), "").unwrap();
    let said = found["compile"]["stdout"].as_str().unwrap();
    let (mode, place) = said.trim().split_once('\n').unwrap();
    assert_eq!(mode, "700");
    assert!(!Path::new(place).try_exists().unwrap(), "{place}");
}

#[test]
fn of_several_the_newest_is_taken_and_what_is_none_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let newer = stand_in(&folder, "exit 3");
    let Some(found) = compiled("gcc", &format!("g++,/bin/echo,{newer},nothing"), "") else {
        return;
    };
    assert_eq!(found["compiler"]["path"], newer);
    assert_eq!(found["compiler"]["version"], "14.2.0");
    assert_eq!(found["compile"]["exit"], 3);
    // A Clang that is called g++ is none.
    let words = "--language c++23 --family clang --names";
    let found = INSTRUMENT.tried(&format!("{words} {newer}")).unwrap();
    assert!(found["others"][0].as_str().unwrap().contains("it is GCC 14.2.0"), "{found}");
}

#[test]
fn nvcc_compiles_a_kernel_and_says_what_it_does_not_know() {
    let python = env::var("VERIFY_HEAVY_PYTHON").unwrap_or_default();
    let root = python.strip_suffix("/bin/python3").or(python.strip_suffix("/bin/python"));
    let wheel = root.map(|root| format!(",{root}/lib/python3*/site-packages/nvidia/cu*/bin/nvcc"));
    let names = format!("nvcc{}", wheel.unwrap_or_default());
    let words = format!("--language cuda --family nvcc --names {names} --arch");
    let found = INSTRUMENT.tried(&format!("{words} sm_86")).unwrap();
    if found.get("missing").is_some() || found["compile"]["exit"] != 0 {
        return skipped(
            "nvcc with its headers, or an environment of VERIFY_HEAVY_PYTHON that has it",
        );
    }
    assert!(found["compile"]["bytes"].as_u64().unwrap() > 1000, "{found}");
    assert!(found.get("run").is_none());
    let found = INSTRUMENT.tried(&format!("{words} sm_3")).unwrap();
    assert_ne!(found["compile"]["exit"], 0);
    assert!(found["compile"]["stderr"].as_str().unwrap().contains("sm_3"), "{found}");
}

#[test]
fn arguments_that_it_cannot_use_are_refused_by_name() {
    for (bad, named) in [
        ("", "--family"),
        ("--family gcc", "--names"),
        ("--family tcc --names tcc", "found `tcc`"),
        ("--family gcc --names g++", "--language"),
        ("--family nvcc --names nvcc --language c++23", "c++23"),
        ("--family gcc --names g++ --language cuda", "cuda"),
        ("--family gcc --names , --language c++23", "names nothing"),
        ("--name gcc", "--name"),
    ] {
        let why = INSTRUMENT.tried(bad).unwrap_err();
        assert!(why.contains(named), "{bad}: {why}");
    }
}
