//! What a folder of suites and nodes may hold, and what is said of the rest.

#![allow(clippy::disallowed_methods, reason = "writes the files that it reads")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path};

use tempfile::TempDir;
use verify_engine::load::root::{
    EMBEDDED, MAX_FILE, NODES_DIR, Root, SUITES_DIR, read, read_up_to,
};

fn folder() -> (TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    for below in [SUITES_DIR, NODES_DIR] {
        fs::create_dir_all(folder.path().join(below)).unwrap();
    }
    let root = Root { dir: Some(folder.path().to_path_buf()), home: None };
    (folder, root)
}

fn put(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), text).unwrap();
}

#[test]
fn a_file_of_the_root_stands_in_for_what_ships_and_all_else_stays() {
    let (folder, root) = folder();
    let shipped = Root { dir: None, home: None }.suites().unwrap();
    put(&folder, "suites/own.toml", "mine");
    put(&folder, "suites/local.toml", "other");
    put(&folder, "suites/notes.md", "no suite");
    let suites = root.suites().unwrap();
    assert_eq!(suites.len(), shipped.len() + 1);
    for (name, source) in &suites {
        let (file, text) = match name.as_str() {
            "own" => ("suites/own.toml".to_owned(), "mine"),
            "local" => ("suites/local.toml".to_owned(), "other"),
            _ => (format!("{EMBEDDED}suites/{name}.toml"), shipped[name].text.as_str()),
        };
        assert_eq!((source.file.as_str(), source.text.as_str()), (file.as_str(), text));
    }
    assert!(root.nodes().unwrap().values().all(|node| node.file.starts_with(EMBEDDED)));
    fs::remove_dir(folder.path().join(NODES_DIR)).unwrap();
    assert!(root.nodes().is_ok());
}

#[test]
fn what_ships_is_known_by_a_digest() {
    let digest = verify_engine::load::embedded::digest();
    assert!(digest.len() == 16 && digest.chars().all(|c| c.is_ascii_hexdigit()), "{digest}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_read() {
    let (folder, root) = folder();
    put(&folder, "suites/own.toml", "mine");
    put(&folder, "suites/latin.toml", b"title = \"M\xfcll\"");
    put(&folder, "suites/nul.toml", "a\0b");
    fs::create_dir(folder.path().join("suites/folder.toml")).unwrap();
    let (suites, error) = root.readable_suites();
    assert_eq!(suites["own"].text, "mine");
    let said = error.render(false);
    for expected in [
        "folder.toml: it is no file; expected TOML in UTF-8",
        "latin.toml is not UTF-8: byte 10 is wrong",
        "nul.toml is not a text file: byte 1 is NUL",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(error.len(), 3);
    root.suites().unwrap_err();
}

#[test]
fn a_file_may_have_its_most_bytes_and_not_one_more() {
    let (folder, _) = folder();
    put(&folder, "five", "12345");
    let five = folder.path().join("five");
    assert_eq!(read_up_to(&five, 5).unwrap(), "12345");
    assert_eq!(
        read_up_to(&five, 4).unwrap_err(),
        format!("{} has 5 bytes: expected at most 4; split the file", five.display())
    );
    fs::File::create(folder.path().join("huge")).unwrap().set_len(MAX_FILE + 1).unwrap();
    let huge = read(&folder.path().join("huge")).unwrap_err();
    assert!(huge.contains("expected at most 16777216; split the file"), "{huge}");
    assert!(read(Path::new("/no/such")).unwrap_err().contains("cannot read /no/such"));
}
