//! What baselines promise: what is accepted, what is refused, and that files never lie.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod accept;
mod comment;
mod files;
mod history;
mod ratchet;
mod reader;
mod run;
mod several;

use verify_engine::baseline::{Place, Shelf};

/// Holds a folder for baselines; it goes with the test.
struct Ground {
    _dir: tempfile::TempDir,
    shelf: Shelf,
}

impl Ground {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path().join("baselines"));
        Self { _dir: dir, shelf }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.shelf.dir().join("box").join(name)).unwrap()
    }

    #[allow(clippy::disallowed_methods, reason = "a test writes what a hand would")]
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.shelf.dir().join("box").join(name), text).unwrap();
    }

    /// Names everything that stands below the folder.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.shelf.dir().join("box")).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn disk() -> Place {
    Place { node: "box".into(), suite: "disk".into() }
}
