//! Takes secrets out of what was captured, before it is recorded and before any probe reads it.
//!
//! A record is sent to people and kept for years. Known are shapes that their makers document, long
//! enough that a checksum or a name is none, and the values of variables of this process that are named
//! as secrets. Each becomes `[redacted: KIND]`, so text stays JSON where it was; taken out again, nothing
//! changes. A check that judges a secret itself cannot: what it reads is the mark, in the record as at
//! first. What a file asks is refused where it holds one ([`kind_in`]): a question is never changed.

use std::{
    borrow::Cow,
    sync::{LazyLock, OnceLock},
};

use regex::{Captures, Regex, RegexSet};
use verify_model::evidence::{Captured, Failure, Stream};

/// Holds one shape: its kind, and a pattern whose group `keep` stays.
type Shape = (&'static str, &'static str);

/// Shapes of secrets. *Source*: the makers' documentation of their tokens: AWS IAM, "Identifiers";
/// GitHub, "About authentication"; GitLab, "Token prefixes"; Slack, "Token types"; Hugging Face,
/// "User access tokens"; `OpenAI` and Anthropic, "API keys"; RFC 6750, RFC 7468, RFC 3986.
const SHAPES: &[Shape] = &[
    (
        "private-key",
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY-----|[A-Za-z0-9+/=\s\\]*)",
    ),
    ("aws-key", r"(?-u:\b)(?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)"),
    (
        "github-token",
        r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})(?-u:\b)",
    ),
    ("gitlab-token", r"(?-u:\b)gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{20,}"),
    ("slack-token", r"(?-u:\b)xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("hugging-face-token", r"(?-u:\b)hf_[A-Za-z0-9]{30,}(?-u:\b)"),
    ("api-key", r"(?-u:\b)sk-(?:(?:ant|proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})"),
    (
        "authorization",
        r"(?i)(?P<keep>(?-u:\b)authorization:\s*(?:bearer|basic|token)\s+)[A-Za-z0-9._~+/=-]{8,}",
    ),
    (
        "url-password",
        r#"(?P<keep>(?-u:\b)[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@\["'<>\\,{}]*:)[^\s/@\["'<>\\,{}]+(?P<after>@)"#,
    ),
    (
        "password",
        r#"(?i)(?P<keep>(?-u:\b)[a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|secret[_-]?access[_-]?key)=["']?)[^\s\x00"'&,;\[\]]{6,}"#,
    ),
    ("json-web-token", r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("nvidia-key", r"(?-u:\b)nvapi-[A-Za-z0-9_-]{20,}"),
    // JSON and YAML. Not `token`: models have tokens of another kind.
    (
        "password",
        r#"(?i)(?P<keep>(?-u:\b)[a-z0-9_.-]*(?:password|passwd|passphrase|api[_-]?key|secret[_-]?access[_-]?key)["']?\s{0,4}:\s{0,4}["'])[^\s\x00"'&,;\[\]]{6,}"#,
    ),
    (
        "password",
        r#"(?i)(?P<keep>--(?:password|passwd|passphrase|secret|token|api-key)[ \x00]+["']?)[^\s\x00"'&,;\[\]-][^\s\x00"'&,;\[\]]{5,}"#,
    ),
];

/// Words of which each shape has one, in lower case: without any, no pattern need be made ready, which
/// takes longer than reading a suite.
const HINTS: [&str; 26] = [
    "private key-----",
    "akia",
    "asia",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glptt-",
    "glcbt-",
    "xox",
    "hf_",
    "sk-",
    "://",
    "passw",
    "passphrase",
    "secret",
    "token",
    "key",
    "eyj",
    "authorization:",
    "nvapi-",
];

/// Looks for all shapes at once; nothing where they make no set.
static ANY: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(SHAPES.iter().map(|(_, pattern)| pattern)).ok());

/// Holds each shape alone, made when one is there: most runs see none, and all of them take as long to
/// make as a hundred small files to read.
static EACH: [OnceLock<Option<Regex>>; SHAPES.len()] = [const { OnceLock::new() }; SHAPES.len()];

/// Makes ready what every run needs, beside something else that takes time.
pub(crate) fn prepare() {
    LazyLock::force(&ANY);
}

/// Ends of the names of variables whose values are secrets.
const SECRET_NAMES: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "secret_key",
    "private_key",
    "credentials",
];
/// Shortest value of a variable that is looked for. *Units*: B.
const SHORTEST: usize = 8;

/// Values of variables of this process that are secrets, the longest first: one may hold another.
static VALUES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = std::env::vars_os();
    let texts =
        all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    values(texts)
});

/// Chooses the values that are secrets; a word, a number or a path is none.
fn values(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let is_named = |name: &str| {
        let name = name.to_ascii_lowercase();
        SECRET_NAMES.iter().any(|end| name.ends_with(end))
    };
    let is_mixed = |value: &str| {
        let kinds = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
        kinds.iter().filter(|is| value.bytes().any(|byte| is(&byte))).count() > 1
    };
    let secret = variables.filter(|(name, value)| {
        is_named(name) && value.len() >= SHORTEST && !value.starts_with('/') && is_mixed(value)
    });
    let mut values: Vec<String> = secret.map(|(_, value)| value).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

/// Names the first kind of secret that a text of a suite or node file holds; several texts are parted
/// by NUL. What is filled in over there, such as `password=$(cat file)`, is none.
pub(crate) fn kind_in(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    if !HINTS.iter().any(|hint| lower.contains(hint)) {
        return None;
    }
    let Some(there) = shapes_in(text) else { return Some("everything") };
    let is_secret = |found: &Captures<'_>| {
        let kept = found.name("keep").map_or(0, |keep| keep.len());
        let rest = found.get(0).map_or("", |all| all.as_str().get(kept..).unwrap_or_default());
        !rest.starts_with(['$', '<', '{', '%', '*']) && !rest.bytes().all(|b| b.is_ascii_digit())
    };
    there.into_iter().find_map(|(kind, shape)| {
        shape.captures_iter(text).any(|found| is_secret(&found)).then_some(kind)
    })
}

/// Returns the shapes that a text has; nothing where they cannot be made.
fn shapes_in(text: &str) -> Option<Vec<(&'static str, &'static Regex)>> {
    let there = ANY.as_ref()?.matches(text);
    let each = SHAPES.iter().zip(&EACH).enumerate().filter(|(at, _)| there.matched(*at));
    let made = each.map(|(_, ((kind, pattern), shape))| {
        Some((*kind, shape.get_or_init(|| Regex::new(pattern).ok()).as_ref()?))
    });
    made.collect()
}

/// Takes secrets out of an argument vector.
pub fn words(argv: Vec<String>) -> Vec<String> {
    let joined = argv.join("\0");
    text(&joined).map_or(argv, |(clean, _)| clean.split('\0').map(str::to_owned).collect())
}

/// Takes secrets out of whatever was captured.
pub(crate) fn captured(found: Captured) -> Captured {
    match found {
        Captured::Exec { exit, signal, stdout, stderr } => {
            Captured::Exec { exit, signal, stdout: stream(stdout), stderr: stream(stderr) }
        }
        Captured::File(file) => Captured::File(stream(file)),
        Captured::Files(files) => {
            let files = files.into_iter();
            Captured::Files(
                files.map(|(path, read)| (path, read.map(stream).map_err(failure))).collect(),
            )
        }
        Captured::Failed(why) => Captured::Failed(failure(why)),
        found @ (Captured::Listing(_)
        | Captured::Stat { .. }
        | Captured::Found(_)
        | Captured::Connected
        | Captured::Rounds(_)) => found,
    }
}

fn stream(mut from: Stream) -> Stream {
    if let Some((text, count)) = text(&from.text) {
        from.text = text;
        from.redacted = from.redacted.saturating_add(count);
    }
    from
}

fn failure(mut from: Failure) -> Failure {
    if let Some((text, _)) = text(&from.message) {
        from.message = text;
    }
    from
}

/// Returns the text without its secrets and how many there were; nothing where it has none. Without
/// the shapes no text is safe to keep.
fn text(from: &str) -> Option<(String, u32)> {
    let (mut text, mut count) = valued(from, &VALUES);
    let Some(there) = shapes_in(&text) else {
        return Some(("[redacted: everything]".to_owned(), 1));
    };
    for (kind, shape) in there {
        let mark = |found: &Captures<'_>| {
            count += 1;
            let part = |name| found.name(name).map_or("", |part| part.as_str());
            format!("{}[redacted: {kind}]{}", part("keep"), part("after"))
        };
        text = Cow::Owned(shape.replace_all(&text, mark).into_owned());
    }
    (count > 0).then(|| (text.into_owned(), count))
}

/// Takes values out of a text, and counts them.
fn valued<'t>(text: &'t str, values: &[String]) -> (Cow<'t, str>, u32) {
    let mut found = (Cow::Borrowed(text), 0_u32);
    for value in values.iter().filter(|value| text.contains(value.as_str())) {
        let times = found.0.matches(value.as_str()).count();
        found.1 = found.1.saturating_add(u32::try_from(times).unwrap_or(u32::MAX));
        found.0 = Cow::Owned(found.0.replace(value.as_str(), "[redacted: environment]"));
    }
    found
}

#[cfg(test)]
mod tests {
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
            (format!("eyJ{0}.eyJ{0}.{0}", "Ab1".repeat(8)), "json-web-token"),
        ] {
            let (text, count) = text(&format!("a \"{secret}\", b\n")).unwrap();
            assert_eq!(
                (text.as_str(), count),
                (format!("a \"[redacted: {kind}]\", b\n").as_str(), 1)
            );
            assert_eq!(kind_in(&secret), Some(kind), "{secret}");
        }
    }

    #[test]
    fn what_names_a_secret_stays_and_the_secret_goes() {
        for (before, after) in [
            ("Authorization: Bearer abc.def-123", "Authorization: [redacted: authorization]"),
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
        ] {
            let found = text(before).unwrap().0;
            assert!(!found.contains("pa55") && !found.contains("hunter22"), "{found}");
            let after = after.replace("Authorization: [", "Authorization: Bearer [");
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
            "\"eos_token\": \"<|endoftext|>\"",
        ] {
            assert_eq!((text(plain), kind_in(plain)), (None, None), "{plain}");
        }
    }

    #[test]
    fn what_is_filled_in_over_there_is_no_secret_of_a_file() {
        for plain in
            ["password=$(cat f)", "--token ${TOKEN}", "max_token=123456", "--secret <name>"]
        {
            assert_eq!(kind_in(plain), None, "{plain}");
        }
        assert_eq!(kind_in("password=$(cat f) token=abcdef1"), Some("password"));
    }

    #[test]
    fn values_are_those_of_variables_that_are_named_as_secrets_and_look_like_one() {
        let all = [
            ("A_TOKEN", "aB3aB3aB3"),
            ("DB_PASSWORD", "aB3aB3aB3-and-more"),
            ("TOKENIZERS_PARALLELISM", "aB3aB3aB3-not"),
            ("B_TOKEN", "disabled"),
            ("C_TOKEN", "1234567890"),
            ("D_CREDENTIALS", "/home/Me/key1"),
            ("E_SECRET", "aB3"),
        ];
        let values = values(all.into_iter().map(|(name, value)| (name.into(), value.into())));
        assert_eq!(values, ["aB3aB3aB3-and-more", "aB3aB3aB3"]);
        let (text, count) = valued("x aB3aB3aB3-and-more aB3aB3aB3 y", &values);
        assert_eq!((&*text, count), ("x [redacted: environment] [redacted: environment] y", 2));
    }

    #[test]
    fn a_stream_says_how_many_were_taken_out() {
        let secret = token("ghp_", 36);
        let found =
            captured(Captured::File(Stream::whole(format!("{secret} {secret}").as_bytes())));
        let Captured::File(found) = found else { panic!("{found:?}") };
        assert_eq!(found.redacted, 2);
        let found = captured(Captured::Failed(Failure::new(
            verify_model::evidence::FailureKind::Other,
            format!("its last line was: {secret}"),
        )));
        assert!(!format!("{found:?}").contains(&secret));
    }
}
