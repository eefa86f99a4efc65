//! What keeps two runs from loading one machine: a lock that nobody can lead elsewhere.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test writes what somebody else would")]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::{Path, PathBuf},
};

use verify_engine::session::Claims;

fn claims(own: &Path, shared: &Path, run: &str) -> Claims {
    Claims::new(own.join("locks"), Some(shared.to_path_buf()), run, "2026-11-28T08:00:00Z")
}

fn locks(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

#[test]
fn a_machine_is_one_runs_until_it_ends_and_nothing_is_left() {
    let ground = tempfile::tempdir().unwrap();
    let first = claims(ground.path(), ground.path(), "FIRST");
    first.claim("ssh far").unwrap();
    first.claim("ssh far").unwrap();
    let second = claims(ground.path(), ground.path(), "SECOND");
    let who = second.claim("ssh far").unwrap_err();
    let expected = format!("pid {}, run FIRST, since 2026-11-28T08:00:00Z", std::process::id());
    assert_eq!(who, expected);
    second.claim("ssh near").unwrap();
    drop(first);
    second.claim("ssh far").unwrap();
    drop(second);
    assert_eq!(locks(&ground.path().join("locks")), Vec::<PathBuf>::new());
}

#[test]
fn other_users_see_who_loads_this_machine_and_no_other() {
    let ground = tempfile::tempdir().unwrap();
    let (one, other) = (ground.path().join("one"), ground.path().join("other"));
    let first = claims(&one, ground.path(), "FIRST");
    first.claim("local").unwrap();
    first.claim("ssh far").unwrap();
    let second = claims(&other, ground.path(), "SECOND");
    let who = second.claim("local").unwrap_err();
    assert!(who.starts_with("pid ") || who == "another process", "{who}");
    second.claim("ssh far").unwrap();
    let [shared] = locks(ground.path()).try_into().unwrap();
    assert_eq!(fs::metadata(&shared).unwrap().mode() & 0o777, 0o644);
}

#[test]
fn a_stale_file_is_nobodys_and_what_leads_elsewhere_is_not_followed() {
    let ground = tempfile::tempdir().unwrap();
    let first = claims(ground.path(), ground.path(), "FIRST");
    first.claim("local").unwrap();
    let [shared] = locks(ground.path()).try_into().unwrap();
    drop(first);
    fs::write(&shared, "pid 1, run OLD").unwrap();
    let second = claims(ground.path(), ground.path(), "SECOND");
    second.claim("local").unwrap();
    drop(second);
    let precious = ground.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    for is_symbolic in [true, false] {
        let lead = if is_symbolic {
            symlink(&precious, &shared)
        } else {
            fs::hard_link(&precious, &shared)
        };
        lead.unwrap();
        let third = claims(ground.path(), ground.path(), "THIRD");
        third.claim("local").unwrap();
        drop(third);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
        fs::remove_file(&shared).unwrap();
    }
}
