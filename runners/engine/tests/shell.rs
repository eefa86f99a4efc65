//! Whether assignments are read as a shell reads them: by example, and against the shell itself.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "asks the shell of this machine"
)]

use std::process::Command;

use proptest::{prelude::*, test_runner::Config};
use verify_engine::parse::shell::Shell;

fn matters(text: &str) -> bool {
    text.contains("isolcpus")
}

fn value(text: &str) -> Result<String, String> {
    let mut shell = Shell::default();
    shell.read(text, matters)?;
    shell.value("V")
}

#[test]
fn the_last_assignment_wins_and_may_name_the_one_before() {
    for (text, expected) in [
        ("V=a\nV=\"$V b\"\n", "a b"),
        ("V='a $V'\n", "a $V"),
        ("V=\"a\"'b'\\ c\n", "ab c"),
        ("V=\"a \\\nb\" # V=c\n", "a b"),
        ("V=a#b\n#V=c\n", "a#b"),
        ("export V=a; V=${V}b\n", "ab"),
        ("V=\"${V:+$V }\\$tuned_params\"\n", "$tuned_params"),
        ("V=a\nV=\"${V:+$V }b\"\n", "a b"),
        ("V=${X:-$Y}a\n", "a"),
        ("V=a\nV=b true\n", "a"),
        ("X=a V=$X\n", "a"),
        ("V=a\nif [ -e /x ]; then\n  V=\"quiet\"\nfi\n", "quiet"),
        ("D=`( . /etc/os-release; echo ${NAME:-x} ) 2>/dev/null || echo x`\nV=a\n", "a"),
        ("V=a\nunset V\n", ""),
        ("V=$\n", "$"),
        ("V=a\r\nX=b\r\n", "a"),
        ("f() {\n V=b\n}\nV=a\n", "a"),
        ("X=$(echo ')' \"(\")\nV=a\n", "a"),
        ("X=$(echo \\)) V=a\n", "a"),
        ("X=$(echo \\\")\nV=a\n", "a"),
    ] {
        assert_eq!(value(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn what_only_a_shell_could_tell_is_not_known_and_never_empty() {
    for text in [
        "V=$(cat /etc/x)\n",
        "V=`cat /etc/x`\n",
        "V=a\n[ -e /x ] && V=isolcpus=2\n",
        "if true; then V=\"$V isolcpus=2\"; fi\n",
        "V=isolcpus=2\nif true; then V=; fi\n",
        "V=a\nV+=b\n",
        "V=a\n. /etc/other\n",
        "V=a\neval $X\n",
        "V=a\n$X V=b\n",
        "V=a\nexport $X\n",
        "V=${X%y}\n",
        "V=$1\n",
        "V=\"open\n",
        "V='open\n",
        "V=$(open\n",
        "V=${open\n",
    ] {
        assert!(value(text).is_err(), "{text}: {:?}", value(text));
    }
    let doubling = format!("V=aaaaaaaa\n{}", "V=$V$V\n".repeat(64));
    assert!(value(&doubling).is_err());
}

/// Asks the shell; none where it calls the text wrong.
fn asked(text: &str) -> Option<String> {
    // What `export` alone prints stands before the mark.
    let script = format!("{text}\nprintf '\\001%s' \"$V\"");
    let output = Command::new("/bin/sh").env_clear().args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (_, value) = said.rsplit_once('\u{1}')?;
    output.status.success().then(|| value.to_owned())
}

fn fragment() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "V=",
        "X=",
        "a",
        "b2",
        " ",
        "\"",
        "'",
        "$V",
        "${V}",
        "${X:-c}",
        "${X:+$V d}",
        "\\$",
        "\\\\",
        "\n",
        "#",
        ";",
        "=",
        "2-3",
        "\\\n",
        ",",
        "$",
        "\\'",
        "export ",
    ]);
    prop::collection::vec(parts, 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_is_read_is_what_the_shell_says(text in fragment()) {
        let text = format!("V=z\n{text}");
        if let (Ok(read), Some(said)) = (value(&text), asked(&text)) {
            prop_assert_eq!(read, said, "{}", text);
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,80}", odd in "[\\$`{}()'\"\\\\;&|<> \n=:+-]{0,40}") {
        let _ = value(&text);
        let _ = value(&format!("V=a{odd}"));
    }
}
