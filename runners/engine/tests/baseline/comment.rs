//! That what people wrote into a summary stays, wherever they wrote it.

use crate::{
    Ground, disk,
    run::{accepted, at},
};

/// Writes a comment at every place of a summary of one run.
fn told(text: &str) -> String {
    let told = text.lines().enumerate().flat_map(|(number, line)| {
        if line.is_empty() || line.starts_with('#') {
            return vec![line.to_owned()];
        }
        vec![format!("# above {number}"), format!("{line} # behind {number}")]
    });
    let told: Vec<String> = told.collect();
    format!("# First of all.\n{}\n# Last of all.\n", told.join("\n"))
}

fn comments(text: &str) -> Vec<String> {
    let mut comments: Vec<String> =
        text.lines().filter_map(|l| Some(l[l.find('#')?..].to_owned())).collect();
    comments.sort();
    comments
}

#[test]
fn comments_stay_at_every_place() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let told = told(&ground.read("disk.toml"));
    ground.write("disk.toml", &told);
    accepted(&ground.shelf, &at(3, 2.0));
    let kept = ground.read("disk.toml");
    assert_eq!(comments(&kept), comments(&told), "{kept}");
    assert!(kept.starts_with("# First of all.\n# What is normal"), "{kept}");
    assert!(kept.ends_with("# Last of all.\n"), "{kept}");
    assert!(kept.contains("units = 2 # behind"), "{kept}");
    // Written again, nothing moves and nothing doubles.
    let ledger = ground.shelf.read(&disk()).unwrap();
    let lock = ground.shelf.lock().unwrap();
    ground.shelf.write(&lock, &[(disk(), ledger)]).unwrap();
    assert_eq!(ground.read("disk.toml"), kept);
}

#[test]
fn comments_of_both_sides_of_an_undone_merge_stay() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let text = ground.read("disk.toml");
    let at = text.find("reason = ").unwrap();
    let (above, rest) = text.split_at(at);
    for (mark, base) in [("merge", String::new()), ("diff3", format!("||||||| base\n{rest}"))] {
        let torn = format!(
            "# Ours.\n{above}<<<<<<< HEAD\n# mine {mark}\n{rest}{base}=======\n# theirs {mark}\n{rest}>>>>>>> other\n# Last.\n"
        );
        ground.write("disk.toml", &torn.replace('\n', "\r\n"));
        let ledger = ground.shelf.read_ledger(&ground.shelf.ledger_path(&disk())).unwrap();
        let lock = ground.shelf.lock().unwrap();
        ground.shelf.write(&lock, &[(disk(), ledger)]).unwrap();
        let kept = ground.read("disk.toml");
        for word in ["# Ours.", &format!("# mine {mark}"), &format!("# theirs {mark}"), "# Last."] {
            assert_eq!(kept.matches(word).count(), 1, "{word} in\n{kept}");
        }
        assert!(ground.shelf.read(&disk()).is_ok(), "{kept}");
    }
}

#[test]
fn a_comment_of_what_is_gone_stays_above_the_rest() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let text = ground.read("disk.toml");
    let gone = "# of a field\n[[check.metric]]\nfield = \"old\"\ncentre = \"1 s\"\n\n# of a check\n[[check]]\nid = \"old\"\n";
    ground.write("disk.toml", &format!("{text}\n{gone}"));
    let ledger = ground.shelf.read_ledger(&ground.shelf.ledger_path(&disk())).unwrap();
    let lock = ground.shelf.lock().unwrap();
    ground.shelf.write(&lock, &[(disk(), ledger)]).unwrap();
    let kept = ground.read("disk.toml");
    assert!(kept.contains("# of a field") && kept.contains("# of a check"), "{kept}");
    assert!(ground.shelf.read(&disk()).is_ok(), "{kept}");
}
