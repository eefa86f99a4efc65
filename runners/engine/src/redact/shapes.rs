//! Which shapes secrets have, as patterns.
//!
//! A group `keep` stands before the secret and stays, as `after` does behind it. What the other groups
//! hold is judged: `value` beside its `key`, or beside a `said` key, where prose can stand, too; `login`,
//! which a port can be; `rest`, the rest of a word that was cut. NUL parts arguments: no shape crosses it.

/// Holds one shape: its kind, and its pattern.
pub(super) type Shape = (&'static str, &'static str);

/// Quotation marks, also those of JSON in JSON.
macro_rules! quote {
    () => {
        r#"(?:\\*["'])?"#
    };
}

/// Names of secrets that are followed by `:`. Not `token`: models have tokens of another kind.
macro_rules! key {
    () => {
        r"password|passphrase|secret|(?:api|access|account)[_-]?key|(?:auth|access|refresh|private|vault|session|security|bot|bearer|api)[_-]?token"
    };
}

/// What a name of a secret has.
macro_rules! value {
    () => {
        r#"(?P<value>(?:\\?[^\s\x00"'&,;\[\]\\]){6,})"#
    };
}

/// Shapes of secrets. *Source*: the makers' documentation of their tokens: AWS IAM, "Identifiers";
/// GitHub, "About authentication"; GitLab, "Token prefixes"; Slack, "Token types"; Hugging Face,
/// "User access tokens"; Google Cloud, `OpenAI` and Anthropic, "API keys"; RFC 6750, RFC 7616, RFC 7468,
/// RFC 9580, RFC 3986.
pub(super) const SHAPES: &[Shape] = &[
    (
        "private-key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^\x00]*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\:.,()-]*)",
    ),
    // One whose beginning is left out.
    (
        "private-key",
        r"(?P<keep>\[\.\.\. [0-9]+ bytes left out \.\.\.\]\n)[A-Za-z0-9+/=\s\\:.,()-]*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    ),
    ("aws-key", r"(?:AKIA|ASIA)[A-Z0-9]{16}"),
    ("github-token", r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    ("gitlab-token", r"gl(?:pat|oas|dt|rtr?|cbt|ptt|ft|imt|agent|wt|soat|ffct)-[A-Za-z0-9_-]{20,}"),
    ("slack-token", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}"),
    ("hugging-face-token", r"hf_[A-Za-z0-9]{30,}"),
    ("google-key", r"AIza[A-Za-z0-9_-]{35}"),
    ("api-key", r"sk-(?:(?:ant|proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})"),
    (
        "authorization",
        concat!(
            r"(?i)(?P<keep>authorization",
            quote!(),
            r"\s{0,4}[:=]\s{0,4}",
            quote!(),
            r"(?:bearer|basic|token|negotiate|ntlm|apikey)[ \t]+)[A-Za-z0-9._~+/=-]{8,}"
        ),
    ),
    (
        "authorization",
        concat!(
            r"(?i)(?P<keep>authorization",
            quote!(),
            r"\s{0,4}[:=]\s{0,4}",
            quote!(),
            r"digest[ \t][^\r\n\x00]*?response=",
            quote!(),
            r")[a-f0-9]{32,}"
        ),
    ),
    (
        "url-password",
        r#"(?P<keep>://[^\s\x00/:@\["'<>\\,{}]*:)(?P<login>[^\s\x00/@\["'<>\\{}]+)(?P<after>@)"#,
    ),
    (
        "password",
        concat!(
            r"(?i)(?P<keep>(?P<key>password|passwd|passphrase|secret|token|(?:api|access|account)[_-]?key)",
            quote!(),
            r"(?:=|[ \t]{1,4}=[ \t]{1,4})",
            quote!(),
            ")",
            value!()
        ),
    ),
    ("json-web-token", r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("nvidia-key", r"nvapi-[A-Za-z0-9_-]{20,}"),
    // JSON and YAML.
    (
        "password",
        concat!(
            "(?i)(?P<keep>(?P<key>passwd|",
            key!(),
            ")",
            quote!(),
            r#"\s{0,4}:\s{0,4}\\*["'])"#,
            value!()
        ),
    ),
    // YAML without quotation marks, and headers. Not `passwd`, which nsswitch.conf has.
    (
        "password",
        concat!(
            "(?i)(?P<keep>(?P<said>",
            key!(),
            ")",
            quote!(),
            r"[ \t]{0,4}:[ \t]{1,4})",
            value!()
        ),
    ),
    // Options, also as JSON lists them. One space: a help text has more.
    (
        "password",
        concat!(
            r"(?i)(?P<keep>--(?:[a-z0-9]+[_-]){0,4}(?P<key>password|passwd|passphrase|secret|token|(?:api|access)[_-]key)",
            r#"(?: |\x00|\\*["'],\s{0,4}\\*["'])"#,
            quote!(),
            r#")(?P<value>\\?[^\s\x00"'&,;\[\]\\-](?:\\?[^\s\x00"'&,;\[\]\\]){5,})"#
        ),
    ),
    // What a cut left of a token, on either side.
    (
        "cut",
        r"(?:gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|xapp-|hf_|nvapi-|sk-|AKIA|ASIA|AIza|eyJ)[A-Za-z0-9._-]*(?P<after>\n\[\.\.\. [0-9]+ bytes left out)",
    ),
    ("cut", r"(?P<keep>\[\.\.\. [0-9]+ bytes left out \.\.\.\]\n)(?P<rest>[A-Za-z0-9_+/=.]{8,})"),
];

/// Words of which whatever has one of the shapes has one too, in lower case: a text without any is left
/// in peace, and where no text has one the shapes need not be made ready, which takes longer than
/// reading a suite.
pub(super) const HINTS: &[&str] = &[
    "private key",
    "akia",
    "asia",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gloas-",
    "gldt-",
    "glrt",
    "glcbt-",
    "glptt-",
    "glft-",
    "glimt-",
    "glagent-",
    "glwt-",
    "glsoat-",
    "glffct-",
    "xox",
    "xapp-",
    "hf_",
    "aiza",
    "sk-",
    "@",
    "passw",
    "passphrase",
    "secret",
    "token",
    "key",
    "eyj",
    "authorization",
    "nvapi-",
    "bytes left out",
];
