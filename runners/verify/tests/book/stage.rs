//! Where a chapter is played: a home, records and a root of its own, and `verify` in PATH.
//!
//! Blocks of a chapter share folder and exported variables, as in one shell. Nothing of the caller's
//! surroundings gets in, and no proxy leads out. Each block ends by itself or after two minutes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

/// Holds what one block did.
pub(crate) struct Did {
    pub(crate) code: Option<i32>,
    /// Both streams as they came, the home folder as `~`.
    pub(crate) printed: String,
}

/// Holds the folders of one chapter; they go with it.
pub(crate) struct Stage {
    dir: tempfile::TempDir,
}

/// Returns a path below the root of the checkout.
pub(crate) fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Returns the stand-in library of the driver, built by the cargo that runs the tests.
fn simulator() -> &'static Path {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--lib", "--message-format", "json", "--manifest-path"])
            .arg(checkout("runners/simulator/Cargo.toml"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let text = String::from_utf8(built.stdout).unwrap();
        let said = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let files = said.filter_map(|line| Some(line["filenames"][0].as_str()?.to_owned()));
        let library = |file: &PathBuf| file.ends_with("libverify_simulator.so");
        files.map(PathBuf::from).find(library).unwrap()
    });
    &BUILT
}

/// The first lines of each block: one stream, an end at the first failure, and what the next block
/// goes on with.
const BEFORE: &str = r#"exec 2>&1
trap 'code=$?; unset $BOOK_WITH BOOK_WITH; pwd > "$BOOK/folder"; export -p > "$BOOK/exported"; exit $code' EXIT
if [ -f "$BOOK/exported" ]; then . "$BOOK/exported"; cd "$(cat "$BOOK/folder")"; fi
set -e
"#;

impl Stage {
    /// Makes a home with nothing in it.
    pub(crate) fn empty() -> Self {
        let stage = Self { dir: tempfile::tempdir().unwrap() };
        for folder in ["home", "bin", "book"] {
            fs::create_dir(stage.path(folder)).unwrap();
        }
        link(Path::new(env!("CARGO_BIN_EXE_verify")), &stage.path("bin/verify"));
        stage
    }

    /// Makes a home that is a clone of this repository, as far as a built command reads it.
    pub(crate) fn clone_of_the_repository() -> Self {
        let stage = Self::empty();
        for folder in ["suites", "runners/nodes", "runners/simulator/scenarios", "baselines"] {
            copy(&checkout(folder), &stage.path("home").join(folder));
        }
        let built = stage.path("home/target/debug");
        fs::create_dir_all(&built).unwrap();
        link(Path::new(env!("CARGO_BIN_EXE_verify")), &built.join("verify"));
        // What is to be built has been, by the cargo that runs this.
        link(Path::new("/bin/true"), &stage.path("bin/cargo"));
        stage
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Puts a file where the page says, `~` and the current folder being the home.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path("home").join(path.strip_prefix("~/").unwrap_or(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a block of shell.
    pub(crate) fn run(&self, block: &str, with: &[(String, String)]) -> Did {
        let home = self.path("home");
        let names: Vec<&str> = with.iter().map(|(name, _)| name.as_str()).collect();
        let output = Command::new("timeout")
            .args(["120", "bash", "-c", &format!("{BEFORE}{}{block}", exports(with))])
            .current_dir(&home)
            .env_clear()
            .env("HOME", &home)
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display()))
            .env("LC_ALL", "C.UTF-8")
            .env("BOOK", self.path("book"))
            .env("BOOK_WITH", names.join(" "))
            .env("VERIFY_STATE", home.join(".local/state/verify"))
            .env("VERIFY_LOCKS", self.path("book"))
            .env("VERIFY_SIMULATOR", simulator())
            .env("https_proxy", "http://127.0.0.1:9")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).replace(home.to_str().unwrap(), "~");
        Did { code: output.status.code(), printed }
    }
}

/// Sets what the test sets beside; the block before may have exported other things.
fn exports(with: &[(String, String)]) -> String {
    let line = |(name, value): &(String, String)| format!("export {name}='{value}'\n");
    with.iter().map(line).collect()
}

fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::write(target, fs::read(path).unwrap()).unwrap();
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn blocks_share_folder_and_variables_and_nothing_else_gets_in() {
    let stage = Stage::empty();
    let aside = [("ASIDE".to_owned(), "x y".to_owned())];
    assert_eq!(stage.run("mkdir a\ncd a\nexport SEEN=1\n", &aside).code, Some(0));
    let did = stage.run("echo $SEEN-$ASIDE-$CARGO\npwd\n", &[]);
    assert_eq!((did.code, did.printed.as_str()), (Some(0), "1--\n~/a\n"));
    let did = stage.run("echo $ASIDE >&2\nfalse\necho never\n", &aside);
    assert_eq!((did.code, did.printed.as_str()), (Some(1), "x y\n"));
}
