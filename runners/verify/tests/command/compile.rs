//! What is left when compiling is ended from outside: neither a folder nor a process.

use std::{
    fs,
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

use crate::{
    ground::Ground,
    pipe::{PATIENCE, Pipe},
};

/// A compiler at work, which does not end by itself.
struct Working {
    pipe: Pipe,
    /// Folder that it works in.
    folder: PathBuf,
    /// Processes that the instrument has started, the one that watches among them.
    children: Vec<OwnedFd>,
    instrument: Pid,
}

/// Writes a compiler that says where it is, puts something down and goes on with a child.
fn compiler(ground: &Ground, pipe: &Pipe) -> String {
    let path = ground.path("g++-14");
    let macros = "#define __GNUC__ 14\n#define __GNUC_MINOR__ 2\n#define __GNUC_PATCHLEVEL__ 0";
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = -dM ]; then echo '{macros}'; exit 0; fi\n\
         if [ \"$1\" = --version ]; then echo 'g++ (stub) 14.2.0'; exit 0; fi\n\
         mkdir -p $TMPDIR/deep; touch $TMPDIR/deep/file\n{} echo $PPID >&9; pwd >&9\n\
         sleep 900 & sleep 900\n",
        pipe.opened()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Waits until the compiler is at work.
fn working(pipe: Pipe) -> Working {
    let number = |text: String| Pid::from_raw(text.parse().unwrap()).unwrap();
    let (_compiler, instrument) = (pipe.line(), number(pipe.line()));
    let folder = PathBuf::from(pipe.line());
    assert!(folder.join("deep/file").exists());
    let of = |pid: &Pid| {
        let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
        let parent = format!("PPid:\t{}", instrument.as_raw_nonzero());
        status.is_ok_and(|status| status.lines().any(|line| line == parent))
    };
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let pids = entries.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?));
    let children: Vec<OwnedFd> =
        pids.filter(of).map(|pid| pidfd_open(pid, PidfdFlags::empty()).unwrap()).collect();
    assert_eq!(children.len(), 2, "the compiler and who watches");
    Working { pipe, folder, children, instrument }
}

impl Working {
    /// Waits until everything has ended, and demands that nothing is left.
    fn leaves_nothing(self) {
        self.pipe.ends();
        for child in &self.children {
            let limit = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
            let ended = poll(&mut [PollFd::new(child, PollFlags::IN)], Some(&limit)).unwrap();
            assert_eq!(ended, 1, "a process does not end");
        }
        assert!(!self.folder.exists(), "{}", self.folder.display());
    }
}

fn started(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_killed_instrument_leaves_neither_folder_nor_compiler() {
    for signal in [Signal::KILL, Signal::TERM] {
        let ground = Ground::empty();
        let pipe = Pipe::new(&ground, "pipe");
        let compiler = compiler(&ground, &pipe);
        let words = ["instrument", "compile", "--language", "c++23", "--family", "gcc", "--names"];
        let mut command = ground.command(&words);
        let mut child = started(command.arg(compiler));
        let working = working(pipe);
        assert_eq!(working.instrument, Pid::from_child(&child));
        kill_process(working.instrument, signal).unwrap();
        child.wait().unwrap();
        working.leaves_nothing();
    }
}

#[test]
fn an_interrupted_run_leaves_neither_folder_nor_compiler() {
    let ground = Ground::empty();
    let pipe = Pipe::new(&ground, "pipe");
    let compiler = compiler(&ground, &pipe);
    let lines = format!(
        "probe = \"compile\"\nwith = {{ compiler = \"{compiler}\" }}\nexpect = {{ state = \"ok\" }}"
    );
    ground.suite("things", &[("a/compiles", &lines)]);
    let child = started(&mut ground.command(&["--node", "box"]));
    let working = working(pipe);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    working.leaves_nothing();
}

#[test]
fn what_cannot_be_a_compiler_is_refused_before_anything_is_asked() {
    let ground = Ground::empty();
    for (with, words) in [
        (r#"compiler = "tcc""#, "`g++`, `clang++`, `nvcc` or an absolute path"),
        (r#"compiler = "g++", language = "cuda""#, "not asked to compile `cuda`"),
        (r#"compiler = "g++", flags = ["-o", "x"]"#, "`-o` is not usable"),
        (r#"compiler = "nvcc", arch = "sm 86""#, "such as `sm_86` expected"),
    ] {
        let lines =
            format!("probe = \"compile\"\nwith = {{ {with} }}\nexpect = {{ state = \"ok\" }}");
        ground.suite("things", &[("a/compiles", &lines)]);
        let said = ground.say(&["--node", "box"]);
        assert!(
            format!("{}{}", said.out, said.err).contains(words),
            "{with}: {}{}",
            said.out,
            said.err
        );
    }
    assert!(Path::new("/var/tmp").exists());
}
