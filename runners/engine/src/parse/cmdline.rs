//! What the kernel understands of its command line.
//!
//! Words are parted by blanks outside double quotes, a dash in a name equals an underscore, and
//! whatever follows ` -- ` belongs to init. Which of a repeated parameter counts depends on the
//! parameter, so all of them are given.
//!
//! *Source*: `next_arg`, `parse_args` and `parameq` in the kernel's `lib/cmdline.c` and
//! `kernel/params.c`.

/// Names the file.
pub const PATH: &str = "/proc/cmdline";

/// Holds the parameters for the kernel, in order; names with underscores only.
#[derive(Debug)]
pub struct Cmdline(Vec<(String, Option<String>)>);

impl Cmdline {
    /// Reads a command line; every text is one.
    pub fn parse(text: &str) -> Self {
        let mut parameters = Vec::new();
        for word in words(text.trim()) {
            if word == "--" {
                break;
            }
            parameters.push(parameter(word));
        }
        Self(parameters)
    }

    /// Reads the words behind ` -- `, as if they were parameters.
    pub fn for_init(text: &str) -> Self {
        let words = words(text.trim());
        Self(words.into_iter().skip_while(|word| *word != "--").skip(1).map(parameter).collect())
    }

    /// Returns the values that a parameter was given, in order; a bare word gives an empty value.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(given, _)| given == name);
        named.map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// Walks all parameters, each as it is understood: `name` or `name=value`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| match value {
            Some(value) => (name.as_str(), format!("{name}={value}")),
            None => (name.as_str(), name.clone()),
        })
    }
}

fn words(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let blank = |c: char| {
        quoted ^= c == '"';
        c.is_ascii_whitespace() && !quoted
    };
    text.split(blank).filter(|word| !word.is_empty()).collect()
}

fn parameter(word: &str) -> (String, Option<String>) {
    let bare = word.strip_prefix('"').map_or(word, |rest| rest.strip_suffix('"').unwrap_or(rest));
    let (name, value) = match bare.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (bare, None),
    };
    let plain = |text: &str| {
        text.strip_prefix('"')
            .map_or(text, |rest| rest.strip_suffix('"').unwrap_or(rest))
            .to_owned()
    };
    (name.replace('-', "_"), value.map(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str, name: &str) -> Vec<String> {
        Cmdline::parse(text).all(name).map(str::to_owned).collect()
    }

    #[test]
    fn dashes_quotes_and_repeats_are_understood_as_the_kernel_does() {
        assert_eq!(given("quiet nohz-full=2-3", "nohz_full"), ["2-3"]);
        assert_eq!(given("isolcpus=2 isolcpus=3", "isolcpus"), ["2", "3"]);
        assert_eq!(given("\"isolcpus=2,3\" a", "isolcpus"), ["2,3"]);
        assert_eq!(given("isolcpus=\"2,3\" a", "isolcpus"), ["2,3"]);
        assert_eq!(given("dyndbg=\"file a isolcpus=1\" b", "isolcpus"), [""; 0]);
        assert_eq!(given("rcu_nocbs", "rcu_nocbs"), [""]);
    }

    #[test]
    fn words_for_init_are_not_for_the_kernel() {
        assert_eq!(given("hugepages=16 -- isolcpus=2,3", "isolcpus"), [""; 0]);
        assert_eq!(given("a --isolcpus=2", "isolcpus"), [""; 0]);
        let init = Cmdline::for_init("isolcpus=1 -- isolcpus=2,3");
        assert_eq!(init.all("isolcpus").collect::<Vec<_>>(), ["2,3"]);
    }
}
