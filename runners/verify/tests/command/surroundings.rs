//! What the surroundings may do to a run: variables, a reader that leaves, a disk that is full.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
};

use crate::ground::{FAILS, Ground, PASSES, Said, said};

const LOADS: &str = "probe = \"command\"\nwith = { argv = [\"true\"], effect = \"loads\" }\nexpect = { exit-code = 0 }";

fn with(ground: &Ground, name: &str, value: &str) -> Said {
    said(ground.command(&["--node", "box"]).env(name, value))
}

#[test]
fn a_switch_in_the_environment_is_written_as_people_write_it() {
    let ground = Ground::with(&[("a/reads", PASSES), ("a/loads", LOADS)]);
    for value in ["1", "true", "YES", "on"] {
        with(&ground, "VERIFY_QUICK", value).exits(0).says(&["1 pass", "1 skip"]);
    }
    for value in ["0", "false", "no", "OFF"] {
        with(&ground, "VERIFY_QUICK", value).exits(0).says(&["2 pass"]);
    }
}

#[test]
fn a_slip_in_a_switch_permits_nothing() {
    let mutates = LOADS.replace("loads", "mutates");
    let ground = Ground::with(&[("a/one", &mutates)]);
    let said = with(&ground, "VERIFY_ALLOW_MUTATION", "flase").exits(2);
    said.complains(&["invalid value 'flase'", "expected `1`, `true`"]);
    assert!(ground.records().is_empty());
}

#[test]
fn an_empty_variable_means_what_an_absent_one_means() {
    let ground = Ground::with(&[("a/reads", PASSES), ("a/loads", LOADS)]);
    for name in ["CHECK", "SUITE", "TAG", "QUICK", "VIA", "REPEAT", "REPORT", "ALLOW_LOAD", "COLOR"]
    {
        with(&ground, &format!("VERIFY_{name}"), "").exits(0).says(&["2 pass"]);
    }
    // Given by hand it is a slip.
    ground.run(&["--check", ""]).exits(2);
}

#[test]
fn a_reader_that_leaves_early_changes_neither_exit_code_nor_record() {
    let ground = Ground::with(&[("a/one", FAILS)]);
    for args in [&["--node", "box", "--report", "junit=out.xml"][..], &["judge", "last"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = ground.command(args).stdout(writer).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{args:?}");
    }
    assert_eq!(ground.last().last().unwrap()["event"], "finished");
    assert!(ground.path("out.xml").try_exists().unwrap());
}

#[test]
fn a_report_that_a_full_disk_swallowed_is_no_success() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        writeln!(std::io::stderr(), "skipped: needs /dev/full").unwrap();
        return;
    };
    let ground = Ground::with(&[("a/one", PASSES)]);
    let mut command = ground.command(&["--node", "box"]);
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("cannot write to standard output: No space left"), "{err}");
}

#[test]
fn a_program_is_found_where_installers_put_it_although_no_path_names_the_folder() {
    let named = "when = [\"tool:program-of-verify\"]\nprobe = \"command\"\n\
                 with = { argv = [\"program-of-verify\"] }\nexpect = { stdout = \"here\" }";
    let ground = Ground::with(&[("a/one", named)]);
    for (variable, folder) in [("HOME", ".cargo/bin"), ("CUDA_HOME", "bin"), ("CUDA_PATH", "bin")] {
        let place = ground.path(&variable.to_lowercase());
        let program = place.join(folder).join("program-of-verify");
        fs::create_dir_all(place.join(folder)).unwrap();
        fs::write(&program, "#!/bin/sh\necho here\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        with(&ground, variable, place.to_str().unwrap()).exits(0).says(&["1 pass"]);
        with(&ground, variable, folder).says(&["1 skip"]);
    }
}
