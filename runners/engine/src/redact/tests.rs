//! Which secrets are taken out, and what only looks like one and stays.

use super::*;

/// Makes up a token, so that no scanner of repositories takes this file for a leak.
fn token(prefix: &str, length: usize) -> String {
    format!("{prefix}{}", "Ab1".repeat(100).get(..length).unwrap())
}

#[test]
fn every_known_shape_is_taken_out_and_its_surroundings_stay() {
    let upper = "ABCD1234EFGH5678";
    for (secret, kind) in [
        (format!("AKIA{upper}"), "aws-key"),
        (token("ghp_", 36), "github-token"),
        (token("gho_", 36), "github-token"),
        (token("github_pat_", 82), "github-token"),
        (token("glpat-", 20), "gitlab-token"),
        (token("xoxb-", 40), "slack-token"),
        (token("hf_", 34), "hugging-face-token"),
        (token("sk-", 48), "api-key"),
        (token("sk-ant-api03-", 90), "api-key"),
        (token("nvapi-", 64), "nvidia-key"),
        (token("xapp-1-", 40), "slack-token"),
        (token("glsoat-", 20), "gitlab-token"),
        (token("AIza", 35), "google-key"),
        (format!("eyJ{0}.eyJ{0}.{0}", "Ab1".repeat(8)), "json-web-token"),
    ] {
        let (text, count) = text(&format!("a \"{secret}\", b\n")).unwrap();
        assert_eq!((text.as_str(), count), (format!("a \"[redacted: {kind}]\", b\n").as_str(), 1));
        assert_eq!(kind_in(&secret), Some(kind), "{secret}");
    }
}

#[test]
fn what_names_a_secret_stays_and_the_secret_goes() {
    for (before, after) in [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted: authorization]"),
        (
            "git clone https://me:pa55@host/x",
            "git clone https://me:[redacted: url-password]@host/x",
        ),
        (
            "root=/dev/sda db_password=hunter22 quiet",
            "root=/dev/sda db_password=[redacted: password] quiet",
        ),
        ("serve\0--token\0abcdef123\0-v", "serve\0--token\0[redacted: password]\0-v"),
        (
            "{\"db_password\": \"hunter22\", \"n\": 1}",
            "{\"db_password\": \"[redacted: password]\", \"n\": 1}",
        ),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "AWS_SECRET_ACCESS_KEY=[redacted: password]"),
        ("x --api-key 'abcdef123' y", "x --api-key '[redacted: password]' y"),
        ("aws_secret_access_key = a/b+c1234", "aws_secret_access_key = [redacted: password]"),
        (
            "{\"Authorization\": \"Bearer abc.def-123\"}",
            "{\"Authorization\": \"Bearer [redacted: authorization]\"}",
        ),
        (
            "authorization: Negotiate YIIabc123==",
            "authorization: Negotiate [redacted: authorization]",
        ),
        (
            "Authorization: Digest username=\"me\", response=\"6629fae49393a05397450978507c4ef1\"",
            "Authorization: Digest username=\"me\", response=\"[redacted: authorization]\"",
        ),
        ("X-Api-Key: abc123def", "X-Api-Key: [redacted: password]"),
        ("  password: hunter22", "  password: [redacted: password]"),
        ("client_secret: \"abc123def\"", "client_secret: \"[redacted: password]\""),
        (
            r#"{"text": "{\"db_password\": \"hunter22\"}"}"#,
            r#"{"text": "{\"db_password\": \"[redacted: password]\"}"}"#,
        ),
        ("postgres://me:pa55,b@db", "postgres://me:[redacted: url-password]@db"),
        ("[\"--hf-token\", \"abc123def\"]", "[\"--hf-token\", \"[redacted: password]\"]"),
        ("password=hunter", "password=[redacted: password]"),
    ] {
        let found = text(before).unwrap().0;
        assert!(!found.contains("pa55") && !found.contains("hunter"), "{found}");
        assert_eq!(found, after);
        assert!(kind_in(before).is_some(), "{before}");
        assert_eq!(text(&found), None, "taken out again, nothing changes");
    }
}

#[test]
fn a_private_key_goes_whole_also_where_its_end_is_missing() {
    let (dashes, kind) = ("-----", "OPENSSH PRIVATE KEY");
    let whole =
        format!("a\n{dashes}BEGIN {kind}{dashes}\nAAAA\nBBBB\n{dashes}END {kind}{dashes}\nb");
    assert_eq!(text(&whole).unwrap().0, "a\n[redacted: private-key]\nb");
    let cut = format!("{{\"key\": \"{dashes}BEGIN {kind}{dashes}\\nAAAA\"}}");
    assert_eq!(text(&cut).unwrap().0, "{\"key\": \"[redacted: private-key]\"}");
    let pgp = whole.replace(kind, "PGP PRIVATE KEY BLOCK").replace("AAAA", "Version: 1\n\nAAAA");
    assert_eq!(text(&pgp).unwrap().0, "a\n[redacted: private-key]\nb");
    let argument = format!("x\0{dashes}BEGIN {kind}{dashes}\0AAAA\0{dashes}END {kind}{dashes}");
    assert_eq!(text(&argument).unwrap().0.split('\0').count(), 4, "no shape crosses arguments");
    assert_eq!(text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), None);
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c1".repeat(3);
    for plain in [
        digest.as_str(),
        "GPU-5f1d3a2c-AKIAB and MAKIAABCD1234EFGH5678",
        "ghp_short task-runner-of-the-whole-machine-0123456789 disk-0123456789abcdefghij",
        "http://127.0.0.1:8080/v1/models?x=a@b ssh://git@host:22/x",
        "prompt_tokens=123456 max_tokens: 4096 token=y --token-file /etc/token",
        "Authorization: Bearer",
        "hostkeyalgorithms sk-ssh-ed25519-cert-v01@openssh.com,sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "{\"server\":\"http://127.0.0.1:8000\",\"owner\":\"me@example.org\"}",
        "password= secret=",
        "\"eos_token\": \"<|endoftext|>\" eos_token=<|endoftext|> next_token=1234567 tls_secret=disabled",
        "time_per_output_token=0.012345 time_per_token=12.3456ms/tok rate_token=1.23456e-05 HF_TOKEN=Optional[str]",
        "\"api_key\": \"not-set\" password=required --token STRING --password  Authenticate with it",
        "passwd: compat systemd\nEnter password: Permission denied\npassword=/run/secrets/pw",
        "--base=http://127.0.0.1:8000\0--served-model-name\0llama@v1",
        "true\0http_proxy=http://proxy:3128\0a@b seeds=http://h:8000,me@example.org",
        "--secret id=mytoken,src=/run/x --password file:/run/pw --password @/run/secrets/pw --token /run/secrets/token",
    ] {
        assert_eq!((text(plain), kind_in(plain)), (None, None), "{plain}");
    }
}

#[test]
fn what_a_cut_left_of_a_secret_goes_too() {
    let cut = "[... 4096 bytes left out ...]";
    let (dashes, kind) = ("-----", "RSA PRIVATE KEY");
    let key = format!("a\n{cut}\nb3BlbnNz\nAAAA\n{dashes}END {kind}{dashes}\nb");
    assert_eq!(text(&key).unwrap().0, format!("a\n{cut}\n[redacted: private-key]\nb"));
    let begun = format!("is {}\n{cut}\nb", token("ghp_", 9));
    assert_eq!(text(&begun).unwrap().0, format!("is [redacted: cut]\n{cut}\nb"));
    let ended = format!("a\n{cut}\n{} b", token("", 9));
    assert_eq!(text(&ended).unwrap().0, format!("a\n{cut}\n[redacted: cut] b"));
    for plain in [format!("task-\n{cut}\nGPU-5f1d3a2c of ours"), format!("a\n{cut}\n9f86d081884c")]
    {
        assert_eq!(text(&plain), None, "{plain}");
    }
}

#[test]
fn a_token_goes_whatever_is_joined_to_it() {
    let secret = token("ghp_", 36);
    for around in [format!("{secret}_backup"), format!("x_{secret}"), format!("a\\n{secret}")] {
        assert!(!text(&around).unwrap().0.contains(&secret), "{around}");
    }
}

#[test]
fn what_is_filled_in_over_there_is_no_secret_of_a_file() {
    for plain in ["password=$(cat f)", "--token ${TOKEN}", "max_token=123456", "--secret <name>"] {
        assert_eq!(kind_in(plain), None, "{plain}");
    }
    assert_eq!(kind_in("password=$(cat f) token=abcdef1"), Some("password"));
}

#[test]
fn a_name_makes_its_value_a_secret() {
    for (name, value) in [("password", "hunter22swordfish"), ("hugging-face-token", "abc123def")] {
        assert_eq!(kind_of(name, value), Some("password"), "{name}");
        assert_eq!(kind_of("model", value), None, "{value}");
    }
    for (name, value) in [("max-token", "131072"), ("password", "/run/secrets/pw"), ("token", "")] {
        assert_eq!(kind_of(name, value), None, "{name}");
    }
}

#[test]
fn what_is_masked_keeps_every_place() {
    let before = "a = 1\npassword = \"hunter22\"\nb = \"xy\"\n";
    let hidden = before.len() - 4..before.len() - 2;
    let found = masked(before, std::slice::from_ref(&hidden));
    assert_eq!(found, "a = 1\npassword = \"********\"\nb = \"**\"\n");
}

#[test]
fn values_are_those_of_variables_that_are_named_as_secrets_and_look_like_one() {
    let folder = tempfile::Builder::new().prefix("Key1").tempdir().unwrap();
    let there = folder.path().to_str().unwrap();
    let all = [
        ("A_TOKEN", "aB3aB3aB3"),
        ("DB_PASSWORD", "aB3aB3aB3-and-more"),
        ("TOKENIZERS_PARALLELISM", "aB3aB3aB3-not"),
        ("B_TOKEN", "disabled"),
        ("C_TOKEN", "1234567890"),
        ("D_CREDENTIALS", there),
        ("OLDPWD", "/gone/Folder1"),
        ("COMPAT", "aB3aB3aB3-nor-this"),
        ("F_KEY_PAT", "aB3cD4eF5"),
        ("SSHPASS", "aB3cD4eF5gH"),
        ("G_SECRET", "/aB3cD4eF5gH6i"),
        ("E_SECRET", "aB3"),
    ];
    let values = values(all.into_iter().map(|(name, value)| (name.into(), value.into())));
    let expected =
        ["aB3aB3aB3-and-more", "/aB3cD4eF5gH6i", "aB3cD4eF5gH", "aB3aB3aB3", "aB3cD4eF5"];
    assert_eq!(values, expected);
    let (text, count) = valued("x aB3aB3aB3-and-more aB3aB3aB3 y", &values);
    assert_eq!((&*text, count), ("x [redacted: environment] [redacted: environment] y", 2));
}

#[test]
fn a_stream_says_how_many_were_taken_out() {
    let secret = token("ghp_", 36);
    let found = captured(Captured::File(Stream::whole(format!("{secret} {secret}").as_bytes())));
    let Captured::File(found) = found else { panic!("{found:?}") };
    assert_eq!(found.redacted, 2);
    let found = captured(Captured::Failed(Failure::new(
        verify_model::evidence::FailureKind::Other,
        format!("its last line was: {secret}"),
    )));
    assert!(!format!("{found:?}").contains(&secret));
}
