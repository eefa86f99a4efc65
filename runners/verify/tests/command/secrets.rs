//! Whether a secret that a node shows, or that a file or this process holds, reaches record, report or
//! terminal: it does not.
//!
//! Planted are the shapes that are known, and values of variables that are named as secrets. What has no
//! shape and no such variable cannot be known, which the threat model says.

use std::{fs, path::Path};

use crate::ground::{Ground, shell};

/// Holds every report format.
const FORMATS: [&str; 12] = [
    "text",
    "html",
    "junit",
    "junit-strict",
    "markdown",
    "github",
    "tap",
    "csv",
    "prometheus",
    "nagios",
    "ocp",
    "jsonl",
];

/// Makes secrets up, one for each shape, each with the line that shows it. Put together here, so that no
/// scanner takes this file for a leak.
fn planted() -> Vec<(String, String)> {
    let long = |prefix: &str| format!("{prefix}{}", "aB3".repeat(12));
    let shown = |before: &str, secret: String| (secret.clone(), format!("{before}{secret}"));
    let (dashes, kind) = ("-----", "OPENSSH PRIVATE KEY");
    let key = "b3BlbnNzaC1rZXktdjEAAAAA";
    vec![
        shown("", long("ghp_")),
        shown("", long("hf_")),
        shown("", long("sk-")),
        shown("", long("sk-ant-api03-")),
        shown("", long("glpat-")),
        shown("", long("nvapi-")),
        shown("", format!("{}{}", "AKIA", "ABCD1234EFGH5678")),
        shown("aws_secret_access_key=", "wJalrXUtnFEMIwJalrXUtnFEMI".to_owned()),
        shown("", format!("eyJ{0}.eyJ{0}.{0}", "Ab1".repeat(8))),
        shown("db_password=", "hunter22swordfish".to_owned()),
        shown("Authorization: Bearer ", "abc.def-123456".to_owned()),
        ("pa55wordOfAUrl".to_owned(), "postgres://me:pa55wordOfAUrl@db/x".to_owned()),
        (key.to_owned(), format!("{dashes}BEGIN {kind}{dashes} {key} {dashes}END {kind}{dashes}")),
    ]
}

/// Reads every file below a folder, as far as it is text.
fn texts_below(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts_below(&path, into);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            into.push((path.display().to_string(), text));
        }
    }
}

/// Names each place in which a secret stands.
fn found(secrets: &[String], places: &[(String, String)]) -> Vec<String> {
    let all = places.iter().flat_map(|place| secrets.iter().map(move |secret| (place, secret)));
    let here = all.filter(|((_, text), secret)| text.contains(secret.as_str()));
    here.map(|((name, _), secret)| format!("{secret} in {name}")).collect()
}

#[test]
fn a_token_that_a_program_prints_is_nowhere() {
    let secret = format!("ghp{}{}", '_', "aB3".repeat(12));
    let line = format!("echo token is {secret}; echo db_password={secret} >&2");
    let line =
        line.replace(&secret, "$(printf 'ghp_'; printf 'aB3%.0s' 1 2 3 4 5 6 7 8 9 10 11 12)");
    let rest = "expect = { stdout = \"token is [redacted: github-token]\" }\nrecord = [\"stderr\"]";
    let ground = Ground::with(&[("a/shows", &shell(&line, rest))]);
    let said = ground.run(&["-v", "--report", "junit=out.xml"]).exits(0);
    let record = fs::read_to_string(ground.records().pop().unwrap()).unwrap();
    let report = fs::read_to_string(ground.path("out.xml")).unwrap();
    for text in [&said.out, &said.err, &record, &report] {
        assert!(!text.contains(&secret), "{text}");
    }
    assert!(
        record.contains("[redacted: github-token]") && record.contains("\"redacted\":1"),
        "{record}"
    );
    ground.say(&["judge", "last"]).exits(0);
}

/// Makes a root whose node shows a file with all that is planted in every way: as output, as an error, as
/// the last words of a program that is ended, and as the command line of a process.
fn shows_all() -> (Ground, Vec<(String, String)>) {
    let ground = Ground::empty();
    let planted = planted();
    let lines: Vec<&str> = planted.iter().map(|(_, line)| line.as_str()).collect();
    let lines = format!("{}\n", lines.join("\n"));
    fs::create_dir(ground.path("planted")).unwrap();
    fs::write(ground.path("planted/all"), &lines).unwrap();
    let file = ground.text("planted/all");
    let recorded = "record = [\"stdout\", \"stderr\"]\nexpect = { exit-code = 1 }";
    let ended = "limit = \"300 ms\"\nexpect = { exit-code = 0 }";
    // A process that has each line as an argument, and reads its own command line.
    let script = "while read -r l; do set -- \"$@\" \"$l\"; done < planted/all\n\
                  exec sh -c 'tr \"\\0\" \"\\n\" < /proc/$$/cmdline; exit 1' process \"$@\"\n";
    fs::write(ground.path("planted/process.sh"), script).unwrap();
    let process = format!("cd {} && sh planted/process.sh", ground.text(""));
    let read = format!(
        "probe = \"file\"\nwith = {{ path = \"{file}\" }}\nexpect = {{ exists = true, content = {{ contains = \"nothing like that\" }} }}"
    );
    ground.suite(
        "things",
        &[
            ("a/out", &shell(&format!("cat {file}; cat {file} >&2; exit 1"), recorded)),
            ("a/ended", &shell(&format!("cat {file}; cat {file} >&2; sleep 60"), ended)),
            ("a/process", &shell(&process, recorded)),
            ("a/missed", &shell(&format!("cat {file}"), "expect = { stdout = \"another\" }")),
            ("a/file", &read),
        ],
    );
    (ground, planted)
}

#[test]
fn no_report_no_record_and_no_terminal_shows_a_known_shape() {
    let (ground, planted) = shows_all();
    let mut args = vec!["-v".to_owned()];
    for format in FORMATS {
        args.extend(["--report".to_owned(), format!("{format}=state/reports/{format}")]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = ground.run(&args);
    assert!([Some(1), Some(3)].contains(&said.code), "{}{}", said.out, said.err);
    let again = ground.say(&["judge", "last", "-v"]);
    let mut places = Vec::new();
    texts_below(&ground.path("state"), &mut places);
    assert!(places.len() > FORMATS.len(), "reports, record and index are looked through");
    let course = ground.say(&["history", "changes"]);
    for said in [said, again, course] {
        places.extend([("out".to_owned(), said.out), ("err".to_owned(), said.err)]);
    }
    let secrets: Vec<String> = planted.iter().map(|(secret, _)| secret.clone()).collect();
    assert_eq!(found(&secrets, &places), Vec::<String>::new());
    let record = fs::read_to_string(ground.records().pop().unwrap()).unwrap();
    for kind in ["github-token", "aws-key", "json-web-token", "url-password", "private-key"] {
        assert!(record.contains(&format!("[redacted: {kind}]")), "{kind}");
    }
}

#[test]
fn the_value_of_a_variable_that_is_named_as_a_secret_is_nowhere_and_a_word_stays() {
    let rest = "record = [\"stdout\"]\nexpect = { stdout = \"no shape [redacted: environment] disabled /etc/token\" }";
    let line = "echo no shape $BUILD_TOKEN $OTHER_TOKEN $THIRD_TOKEN";
    let ground = Ground::with(&[("a/shows", &shell(line, rest))]);
    let mut command = ground.command(&["--node", "box", "-v", "--report", "html=out.html"]);
    let secret = "Zx9unknownshape";
    command.env("BUILD_TOKEN", secret).env("OTHER_TOKEN", "disabled");
    let said = crate::ground::said(command.env("THIRD_TOKEN", "/etc/token")).exits(0);
    let mut places = vec![("out".to_owned(), said.out), ("err".to_owned(), said.err)];
    texts_below(&ground.path("state"), &mut places);
    places.push(("page".to_owned(), fs::read_to_string(ground.path("out.html")).unwrap()));
    assert_eq!(found(&[secret.to_owned()], &places), Vec::<String>::new());
}

#[test]
fn a_secret_in_a_suite_or_node_file_is_refused_and_not_shown() {
    let planted = planted();
    let ground = Ground::empty();
    let checks: Vec<(String, String)> = planted
        .iter()
        .enumerate()
        .map(|(at, (_, line))| {
            (format!("a/c{at}"), shell(&format!("true {line}"), "expect = { exit-code = 0 }"))
        })
        .collect();
    let checks: Vec<(&str, &str)> =
        checks.iter().map(|(id, lines)| (id.as_str(), lines.as_str())).collect();
    ground.suite("things", &checks);
    let in_suite = ground.run(&[]).exits(2);
    let variables = planted.iter().enumerate();
    let variables = variables.map(|(at, (_, line))| format!("key{at} = '''{line}'''"));
    let variables = variables.collect::<Vec<_>>().join("\n");
    ground.suite("things", &[("a/one", crate::ground::PASSES)]);
    ground.node("box", &format!("[variables]\n{variables}"));
    let in_node = ground.run(&[]).exits(2);
    for (said, file) in [(in_suite, "suites/things.toml"), (in_node, "runners/nodes/box.toml")] {
        assert_eq!(said.err.matches("holds a secret").count(), planted.len(), "{}", said.err);
        let secrets: Vec<String> = planted.iter().map(|(secret, _)| secret.clone()).collect();
        let places = [("out".to_owned(), said.out), ("err".to_owned(), said.err.clone())];
        assert_eq!(found(&secrets, &places), Vec::<String>::new());
        assert!(said.err.contains(file) && ground.records().is_empty(), "{}", said.err);
    }
    let words = "with = { argv = [\"true\", \"--token\", \"abcdef123\"] }";
    let check = format!("probe = \"command\"\n{words}\nexpect = {{ exit-code = 0 }}");
    Ground::with(&[("a/one", &check)]).run(&[]).exits(2).complains(&["holds a secret (password)"]);
}

/// Runs a root with one suite and one file beside it that hold a secret, which nothing says again.
fn refuses(suite: &str, node: &str, waivers: &str, secret: &str) {
    let ground = Ground::empty();
    ground.suite("things", &[("a/one", suite)]);
    ground.node("box", node);
    fs::write(ground.path("waivers.toml"), waivers).unwrap();
    let said = ground.run(&[]).exits(2);
    assert!(said.err.contains("holds a secret"), "{}", said.err);
    let places = [("out".to_owned(), said.out), ("err".to_owned(), said.err)];
    assert_eq!(found(&[secret.to_owned()], &places), Vec::<String>::new());
}

#[test]
fn a_secret_in_a_demand_a_waiver_or_under_its_name_is_refused_and_not_shown() {
    let secret = "hunter22swordfish";
    let demand = |of: &str| shell("true", &format!("expect = {{ stdout = {of} }}"));
    for matcher in [
        format!("\"db_password={secret}\""),
        format!("{{ contains = \"db_password={secret}\" }}"),
        format!("{{ one-of = [\"a\", \"db_password={secret}\"] }}"),
    ] {
        refuses(&demand(&matcher), "", "", secret);
    }
    for name in ["password", "hugging-face-token"] {
        refuses(crate::ground::PASSES, &format!("[variables]\n{name} = \"{secret}\""), "", secret);
    }
    let waiver = format!(
        "[[waiver]]\ncheck = \"a/one\"\nreason = \"password={secret}\"\nowner = \"me\"\nexpires = \"2026-12-01\"\n"
    );
    refuses(crate::ground::PASSES, "", &waiver, secret);
}

#[test]
fn no_error_of_a_file_shows_a_secret_whatever_else_is_wrong_with_it() {
    let secret = "hunter22swordfish";
    let one_line = format!(
        "probe = \"command\"\nwith = {{ argvv = [\"true\"], argv = [\"true\", \"--token\", \"{secret}\"], lang = \"x\" }}\nexpect = {{ exit-code = 0 }}"
    );
    refuses(&one_line, "", "", secret);
    let unknown = format!(
        "probe = \"command\"\nwith = {{ argvv = [\"true\", \"--token\", \"{secret}\"], argv = [\"true\"] }}\nexpect = {{ exit-code = 0 }}"
    );
    refuses(&unknown, "", "", secret);
    // A file that is no TOML is shown without it, too.
    let ground = Ground::with(&[("a/one", crate::ground::PASSES)]);
    ground.node("box", &format!("[variables]\npassword = \"{secret}\" oops"));
    let said = ground.run(&[]).exits(2);
    assert!(!said.err.contains(secret) && said.err.contains("oops"), "{}", said.err);
}

#[test]
fn a_command_line_of_a_healthy_node_stays_as_it_is() {
    let words = r#"["printf", "%s,", "--base=http://127.0.0.1:8000", "http_proxy=http://proxy:3128", "llama@v1", "time_per_output_token=0.012345"]"#;
    let said = "--base=http://127.0.0.1:8000,http_proxy=http://proxy:3128,llama@v1,time_per_output_token=0.012345,";
    let check = format!(
        "probe = \"command\"\nwith = {{ argv = {words} }}\nexpect = {{ stdout = \"{said}\" }}"
    );
    Ground::with(&[("a/one", &check)]).run(&[]).exits(0);
}

#[test]
fn how_a_secret_is_read_over_there_is_no_secret() {
    let lines = [
        "test -n password=$(cat /dev/null)",
        "true --token ${x} max_token=100000 --password-file /etc/passwd",
        "true --secret id=mytoken,src=/run/x --password file:/run/pw --password @/run/secrets/pw",
        "true --token /run/secrets/token password=/run/secrets/pw",
    ];
    for line in lines {
        let line = line.replace("${x}", "$HOME");
        Ground::with(&[("a/one", &shell(&line, "expect = { exit-code = 0 }"))]).run(&[]).exits(0);
    }
}

#[test]
fn a_secret_on_the_command_line_of_verify_is_not_recorded() {
    let ground = Ground::with(&[("a/one", crate::ground::PASSES)]);
    let secret = format!("ghp{}{}", '_', "aB3".repeat(12));
    ground.run(&["--report", &format!("junit={secret}.xml")]).exits(0);
    let record = fs::read_to_string(ground.records().pop().unwrap()).unwrap();
    assert!(record.contains("junit=[redacted: github-token].xml"), "{record}");
    assert!(!record.contains(&secret), "{record}");
}
