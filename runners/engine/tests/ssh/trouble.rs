//! What keeps a program of ours from a node: no home, a full disk, `noexec`, a node that lies.

use std::fs;

use verify_engine::transport::{Cancel, PROTOCOLS};
use verify_model::{ask::Ask, evidence::FailureKind};

use super::{
    all, kind,
    server::{Server, skipped},
    ssh,
    stage::{BIN, kept, measure, measured, message, payloads, ran, stub},
    stdout,
};

#[test]
fn an_account_without_a_home_says_so() {
    let Some(server) = Server::start("/bin/sh", "SetEnv HOME=/no/such/home") else { return };
    let (_folder, payloads) = payloads(&stub(PROTOCOLS));
    let said = measured(&server, &payloads);
    assert!(message(&said).contains("no home folder"), "{said:?}");
    assert_eq!(ssh(&server, true).kept(&Cancel::default()).unwrap().folder, None);
}

#[test]
fn a_full_disk_and_a_quota_have_their_own_name() {
    for words in ["No space left on device", "Disk quota exceeded"] {
        let Some(server) = Server::start("/bin/sh", BIN) else { return };
        server.program(
            "head",
            &format!("#!/bin/sh\n/usr/bin/head -c 10\necho \"head: error writing: {words}\" >&2; exit 1\n"),
        );
        let (_folder, payloads) = payloads(&stub(PROTOCOLS));
        let said = measured(&server, &payloads);
        assert_eq!(kind(&said), FailureKind::DiskFull, "{said:?}");
        assert!(message(&said).contains("make room"), "{said:?}");
        assert!(kept(&server).is_empty() && !ran(&server));
    }
}

/// Starts a server whose account has a file system of its own; nothing where that is not allowed.
fn mounted(options: &str) -> Option<Server> {
    let tried = std::process::Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "x", "/mnt"])
        .output();
    if !tried.is_ok_and(|said| said.status.success()) {
        skipped("the right to mount (root, and unshare)");
        return None;
    }
    let uid = rustix::process::getuid().as_raw();
    Server::start_as(uid, "/bin/sh", "", &format!("mount -t tmpfs -o {options} verify-test \"$1\""))
}

#[test]
fn real_file_systems_that_take_no_program_are_told_apart() {
    let long = format!("{}# {}\n", stub(PROTOCOLS), "x".repeat(300_000));
    let (_folder, payloads) = payloads(&long);
    for (options, expected, words) in [
        ("size=64k,mode=700", FailureKind::DiskFull, "No space left on device"),
        ("ro", FailureKind::Other, "read-only"),
        ("noexec,mode=700", FailureKind::NotFound, "noexec"),
    ] {
        let Some(server) = mounted(options) else { return };
        let said = measured(&server, &payloads);
        assert_eq!(kind(&said), expected, "{options}: {said:?}");
        assert!(message(&said).contains(words), "{options}: {said:?}");
        let kept = ssh(&server, true).kept(&Cancel::default()).unwrap();
        assert!(kept.entries.is_empty(), "{options}: {kept:?}");
    }
}

#[test]
fn a_folder_of_another_kind_in_the_place_of_ours_is_not_written_to() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let (folder, payloads) = payloads(&stub(PROTOCOLS));
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(server.path("home").join(".cache")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, server.path("home").join(".cache/verify")).unwrap();
    let said = measured(&server, &payloads);
    assert!(message(&said).contains("or is a link"), "{said:?}");
    let written: Vec<_> = fs::read_dir(&elsewhere)
        .unwrap()
        .flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap())
        .collect();
    assert!(written.is_empty() && !ran(&server), "{written:?}");
}

/// A login shell that runs nothing: it frames whatever is wanted, by the nonce of each script.
const LIAR: &str = r#"#!/bin/sh
while read -r line; do
  case $line in
    N=*) N=${line#N=}; N=${N%%;*};;
    printf*) [ -n "$N" ] || { N=${line##* v}; N=v${N%%;*}; break; };;
    main) break;;
  esac
done
[ -n "$N" ] || exit 0
for S in 1 2; do
  [ "$S" = 1 ] || exec >&2
  for I in 0 1 2 3; do
    printf '\n%s b %s\n' "$N" "$I"
    cat "$HOME/lie"
    printf '\n%s e %s 0\n' "$N" "$I"
  done
  printf '\n%s z\n' "$N"
done
cat >/dev/null
"#;

#[test]
fn a_node_that_answers_nonsense_gets_nothing_run_here() {
    let (folder, payloads) = payloads(&stub(PROTOCOLS));
    let liar = folder.path().join("liar");
    fs::write(&liar, LIAR).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&liar, mode).unwrap();
    let marker = folder.path().join("marker");
    let touch = format!("/bin/sh -c 'touch {}'", marker.display());
    let digest = "a".repeat(64);
    for lie in [
        format!(
            "installed /bin/touch {}\nprotocol {PROTOCOLS}\nreal /bin/touch\nsafe\n",
            marker.display()
        ),
        format!("installed $({touch})\nprotocol {PROTOCOLS}\n"),
        format!("system Linux ../../{touch}\nlibc ../gnu\n"),
        format!(
            "system Linux x86_64\nlibc gnu\nkept {digest}\n{PROTOCOLS}\n/verify/{digest}/verify\n"
        ),
        format!("{PROTOCOLS}\n/tmp/x'; {touch}; '/verify/{digest}/verify\n"),
        "\u{1b}]0;x\u{7}\0\n".repeat(2000),
    ] {
        let Some(server) = Server::start(&liar.display().to_string(), "") else { return };
        server.home("lie", &lie);
        let transport = ssh(&server, true).with_payloads(payloads.clone()).with_sudo(true);
        let found = all(&transport, &[measure("smart"), measure("nvml")], &Cancel::default());
        assert_eq!(found.len(), 2, "{lie}");
        let _ = (transport.kept(&Cancel::default()), transport.clean(&Cancel::default()));
        assert!(!marker.exists() && !ran(&server), "{lie}");
    }
}

#[test]
fn a_program_that_lies_about_a_batch_costs_time_and_no_answer() {
    let lie =
        r#"{\"us\":1,\"captured\":{\"failed\":{\"kind\":\"host-key-changed\",\"message\":\"x\"}}}"#;
    let frame = |number: &str, json: &str| {
        format!("printf '\\n%s b {number}\\n%s\\n%s e {number} json\\n' $n \"{json}\" $n\n")
    };
    let first = "#!/bin/sh\n[ \"$2\" = --protocol ] && exec echo verify-instrument/1 verify-gather/1\n\
                 read -r doc; n=${doc#*nonce\\\":\\\"}; n=${n%%\\\"*}\n: > \"$HOME/ran\"\n";
    let end = "printf '\\n%s z\\n' $n\n";
    for body in [
        frame("0", lie) + end,
        frame("77", "{}") + end,
        frame("0", "not json"),
        "printf '\\n%s b 0\\n' $n; head -c 90000000 /dev/zero; exec cat >/dev/null\n".to_owned(),
        "exit 3\n".to_owned(),
        end.to_owned(),
    ] {
        let Some(server) = Server::start("/bin/sh", BIN) else { return };
        server.program("verify", &format!("{first}{body}"));
        let transport = ssh(&server, true);
        let asks: Vec<Ask> =
            (0..10).map(|n| Ask::exec(["echo".to_owned(), n.to_string()])).collect();
        for _ in 0..3 {
            let found = all(&transport, &asks, &Cancel::default());
            for (at, found) in found.iter().enumerate() {
                assert_eq!(stdout(found), format!("{at}\n"), "{body}");
            }
        }
        assert!(ran(&server), "{body}");
    }
}
