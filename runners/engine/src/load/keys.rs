//! Every key of the suite and node languages, once: decoding, did-you-mean and schema use it.

/// Names the shape of a key's value, for the schema and for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A whole number from 1.
    Count,
    /// A whole number from 0.
    Retries,
    /// A yes or no.
    Bool,
    /// A time with its unit.
    Duration,
    /// A number of bits in a time, with its unit.
    Rate,
    /// A whole number of bytes.
    Bytes,
    /// A day, `YYYY-MM-DD`.
    Day,
    /// A table with its own rules.
    Table,
    /// One of some words.
    Choice(&'static [&'static str]),
}

/// Describes one key.
#[derive(Debug)]
pub struct Key {
    /// Name.
    pub name: &'static str,
    /// Shape of the value.
    pub shape: Shape,
    /// Whether it must be given.
    pub required: bool,
    /// One sentence: what it means, and its default.
    pub doc: &'static str,
}

const fn key(name: &'static str, shape: Shape, required: bool, doc: &'static str) -> Key {
    Key { name, shape, required, doc }
}

/// Keys of `[suite]`.
pub static SUITE: &[Key] = &[
    key("title", Shape::Text, true, "One line for people."),
    key(
        "nodes",
        Shape::Texts,
        true,
        "Names of the nodes that the suite is for; `*` stands for any part of a name.",
    ),
    key("tags", Shape::Texts, false, "Labels that every check of the suite gets."),
];

/// Keys of `[[check]]`.
pub static CHECK: &[Key] = &[
    key("id", Shape::Text, true, "Kebab-case `group/name`, unique on a node."),
    key("title", Shape::Text, true, "One line for people: what holds when the check passes."),
    key(
        "probe",
        Shape::Text,
        true,
        "Name of the probe that asks; `verify list probes` lists them.",
    ),
    key("with", Shape::Table, false, "Parameters of the probe."),
    key("after", Shape::Texts, false, "Ids of checks that must pass before this one is asked."),
    key(
        "when",
        Shape::Texts,
        false,
        "Capabilities without which the check is skipped, such as `linux` or `tool:iperf3`.",
    ),
    key("tags", Shape::Texts, false, "Labels for `--tag`."),
    key("why", Shape::Text, true, "Why a person should care."),
    key("source", Shape::Text, true, "Where the expectation comes from."),
    key("fix", Shape::Text, true, "What to do when the check fails."),
    key("repeat", Shape::Count, false, "How many times it is measured; 1 unless given."),
    key(
        "limit",
        Shape::Duration,
        false,
        "Time limit of one attempt, such as `60 s`; 10 s unless given.",
    ),
    key(
        "retries",
        Shape::Retries,
        false,
        "How often an Error (never a Fail) is tried again; 0 unless given.",
    ),
    key("expect", Shape::Table, false, "Demands on fields: a miss fails the check."),
    key(
        "advise",
        Shape::Table,
        false,
        "Demands on fields: a miss is advice and changes no outcome.",
    ),
    key("record", Shape::Texts, false, "Fields that are stored and shown, not judged."),
];

/// Keys of a node file.
pub static NODE: &[Key] = &[
    key("title", Shape::Text, true, "One line for people."),
    key(
        "hostnames",
        Shape::Texts,
        false,
        "Host names of the machine; none means the machine that asks.",
    ),
    key("ssh", Shape::Text, false, "Alias in the user's ssh configuration."),
    key(
        "scenario",
        Shape::Text,
        false,
        "Scenario that answers for a machine that does not exist: a shipped one, or a path.",
    ),
    key(
        "python",
        Shape::Text,
        false,
        "Python interpreter that has what is tested, such as that of a virtual environment; python3 unless given.",
    ),
    key(
        "sudo",
        Shape::Bool,
        false,
        "Over ssh, what needs root may ask for it by `sudo -n`: only for an installed verify that root alone can change, never for a copy; false unless given.",
    ),
    key(
        "busy",
        Shape::Bool,
        false,
        "The machine is never quiet: measurements are compared although other tasks run, its host takes time of it, or it runs on battery; false unless given.",
    ),
    key(
        "role",
        Shape::Choice(&["workstation", "production"]),
        false,
        "`production` refuses loads unless --allow-load.",
    ),
    key(
        "has",
        Shape::Texts,
        false,
        "Capabilities that the node must have: a missing one fails instead of skipping.",
    ),
    key("variables", Shape::Table, false, "Values for suites: `\"${name}\"`."),
    key("link", Shape::Table, false, "Cables to other nodes."),
    key("waiver", Shape::Table, false, "Known failures that are excused until a day."),
];

/// Keys of `[[link]]`.
pub static LINK: &[Key] = &[
    key("name", Shape::Text, true, "Kebab-case name, the same in the files of both ends."),
    key("peer", Shape::Text, true, "Name of the node at the other end."),
    key("address", Shape::Text, true, "IP address of this end."),
    key("peer-address", Shape::Text, true, "IP address of the other end."),
    key("speed", Shape::Rate, true, "What it should run at, such as `10 Gbit/s`."),
    key("mtu", Shape::Bytes, false, "Largest packet in bytes, on both ends; any unless given."),
    key("interface", Shape::Text, false, "Interface of this end; any unless given."),
];

const REASON: Key = key("reason", Shape::Text, true, "Why it is excused.");
const OWNER: Key = key("owner", Shape::Text, true, "Who answers for it.");
const STRICT: Key = key("strict", Shape::Bool, false, "Whether an unexpected pass is a failure.");
const ONLY: Key = key(
    "only",
    Shape::Table,
    false,
    "Hardware that it is about: values of fields of the fingerprint, such as { \"bios.version\" = \"2.*\" }; it does not apply where one differs or is not known. `*` stands for any part of a field and of a value; every field that is meant must fit.",
);

/// Keys of `[[waiver]]` in a node file.
pub static WAIVER: &[Key] = &[
    key("check", Shape::Text, true, "Id of the check that is excused."),
    REASON,
    OWNER,
    key("expires", Shape::Day, true, "Last day on which it holds, `YYYY-MM-DD`."),
    STRICT,
    ONLY,
];

/// Keys beside `within`.
pub static COMPARING: &[Key] = &[
    key(
        "class",
        Shape::Text,
        false,
        "Row of noise that stands in until the machine's own is known.",
    ),
    key("detect", Shape::Text, false, "Change that should be visible, such as `5 %`."),
    key(
        "disaster",
        Shape::Text,
        false,
        "Change that fails at once, though the noise is not known yet; `20 %` unless given.",
    ),
    key(
        "resolution",
        Shape::Text,
        false,
        "Smallest step in which the tool counts, in the field's unit.",
    ),
];

/// Keys of `[[waiver]]` in `waivers.toml`.
pub static SHARED_WAIVER: &[Key] = &[
    key(
        "check",
        Shape::Text,
        true,
        "Id of the check that is excused; `*` stands for any part of it.",
    ),
    key("node", Shape::Text, false, "Name of the node; every node unless given."),
    REASON,
    OWNER,
    key(
        "expires",
        Shape::Day,
        true,
        "Last day on which it holds, `YYYY-MM-DD`, at most 366 days ahead.",
    ),
    STRICT,
    ONLY,
];

/// Keys of `waivers.toml`.
pub static WAIVERS: &[Key] =
    &[key("waiver", Shape::Table, false, "Known failures that are excused until a day.")];

/// Names what stands behind a matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A value of the field's kind.
    Value,
    /// Several values of the field's kind.
    Values,
    /// A number or a quantity that compares.
    Order,
    /// Two of them, lower first.
    Pair,
    /// An element or a part of the value.
    Part,
    /// A regular expression.
    Regex,
    /// A version requirement.
    Version,
    /// Matchers for the number of elements.
    Count,
    /// Matchers for the elements.
    Elements,
    /// Another field of the same probe.
    Field,
    /// A ratio, or a quantity of the field's own kind.
    Tolerance,
}

/// Describes one matcher.
#[derive(Debug)]
pub struct MatcherKey {
    /// Name.
    pub name: &'static str,
    /// What stands behind it.
    pub operand: Operand,
    /// One sentence.
    pub doc: &'static str,
}

const fn matcher(name: &'static str, operand: Operand, doc: &'static str) -> MatcherKey {
    MatcherKey { name, operand, doc }
}

/// Every matcher of the language.
pub static MATCHERS: &[MatcherKey] = &[
    matcher("is", Operand::Value, "Equals the value; a bare value means the same."),
    matcher("is-not", Operand::Value, "Differs from the value."),
    matcher("at-least", Operand::Order, "Not below."),
    matcher("at-most", Operand::Order, "Not above."),
    matcher("above", Operand::Order, "Strictly above."),
    matcher("below", Operand::Order, "Strictly below."),
    matcher("between", Operand::Pair, "Within both ends, ends included: `[low, high]`."),
    matcher("one-of", Operand::Values, "Equals one of the values."),
    matcher(
        "contains",
        Operand::Part,
        "A text contains the text; a list or cpu list contains the value.",
    ),
    matcher("matches", Operand::Regex, "The regular expression is found in the text."),
    matcher(
        "version",
        Operand::Version,
        "The version meets the requirement, such as `>= 14, < 16`.",
    ),
    matcher("count", Operand::Count, "The number of elements: a number or a table of matchers."),
    matcher(
        "every",
        Operand::Elements,
        "Every element meets the matchers, and there is at least one.",
    ),
    matcher("some", Operand::Elements, "At least one element meets the matchers."),
    matcher("none", Operand::Elements, "No element meets the matchers."),
    matcher("agrees-with", Operand::Field, "Equals another field of the same answer."),
    matcher(
        "within",
        Operand::Tolerance,
        "No worse than the accepted baseline by more than this, such as `2 %`, or in the field's unit where values may be zero.",
    ),
];
