//! What an instrument was given: `--name value` or `--name=value`, and nothing that it does not list.
//!
//! The names come from the help text, so that none is taken that `verify instrument` does not
//! show. Every refusal names the argument, what it takes and what was found.

use std::{collections::BTreeMap, ops::RangeInclusive};

/// Units of a time, each with its length. *Units*: ns.
const TIMES: [(&str, u64); 4] = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// Holds what was given, by name.
#[derive(Debug)]
pub struct Arguments<'a> {
    /// Names that are taken.
    names: Vec<&'a str>,
    given: BTreeMap<&'a str, &'a str>,
}

impl<'a> Arguments<'a> {
    /// Reads the words after an instrument's name; each line of the help begins with a name.
    ///
    /// *Errors*: a name that is not taken or given twice, a value that is missing, in one sentence.
    pub fn parse(help: &'a str, words: &'a [String]) -> Result<Self, String> {
        let names: Vec<&str> =
            help.lines().filter_map(|line| line.split_whitespace().next()).collect();
        let mut given = BTreeMap::new();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            if !names.contains(&name) {
                return Err(format!("it takes no argument `{word}`"));
            }
            let value = value.or_else(|| words.next()).filter(|value| !names.contains(value));
            let value = value.ok_or_else(|| format!("`{name}` lacks its value"))?;
            if given.insert(name, value).is_some() {
                return Err(format!("`{name}` is given twice"));
            }
        }
        Ok(Self { names, given })
    }

    /// Returns a value as it was given.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        debug_assert!(self.names.contains(&name), "the help does not show {name}");
        self.given.get(name).copied()
    }

    /// Returns a value as `read` understands it; `wanted` says what that is.
    ///
    /// *Errors*: it is none, in one sentence.
    pub fn value<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = || format!("`{name}` takes {wanted}, found `{text}`");
        read(text).map(Some).ok_or_else(wrong)
    }

    /// Returns a whole number.
    ///
    /// *Errors*: it is none, or out of its range, in one sentence.
    pub fn number<T>(&self, name: &str, range: RangeInclusive<T>) -> Result<Option<T>, String>
    where
        T: std::str::FromStr + std::fmt::Display + PartialOrd,
    {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.value(name, &wanted, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    /// Returns a time, which carries its unit. *Units*: ns.
    ///
    /// *Errors*: it is none, or out of its range, in one sentence.
    pub fn time_ns(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, String> {
        let (from, to) = (time(*range.start()), time(*range.end()));
        let wanted = format!("a time with its unit (ns, us, ms, s) from {from} to {to}");
        self.value(name, &wanted, |text| nanoseconds(text).filter(|ns| range.contains(ns)))
    }
}

fn nanoseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, scale) = TIMES.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

/// Writes a time in the longest unit of which it is whole.
fn time(ns: u64) -> String {
    let whole = TIMES.iter().rev().find(|(_, scale)| ns.is_multiple_of(*scale));
    whole.map_or_else(String::new, |(unit, scale)| format!("{}{unit}", ns / scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "--count N     how many\n--for TIME    how long\n--at PATH     where";

    type Read = (Option<u8>, Option<u64>, Option<String>);

    fn read(line: &str) -> Result<Read, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let given = Arguments::parse(HELP, &words)?;
        let at = given.text("--at").map(str::to_owned);
        Ok((given.number("--count", 1..=9)?, given.time_ns("--for", 1_000..=5_000_000_000)?, at))
    }

    #[test]
    fn both_spellings_are_read_and_what_is_not_given_is_none() {
        let expected = (Some(3), Some(200_000_000), Some("/a=b".to_owned()));
        assert_eq!(read("--count 3 --for=200ms --at=/a=b"), Ok(expected));
        assert_eq!(read(""), Ok((None, None, None)));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_name_and_what_was_expected() {
        for (line, said) in [
            ("--count", "`--count` lacks its value"),
            ("--count --for 1s", "`--count` lacks its value"),
            ("--count 3 --count 4", "`--count` is given twice"),
            ("--count ten", "`--count` takes a whole number from 1 to 9, found `ten`"),
            ("--count 10", "from 1 to 9, found `10`"),
            ("--count -1", "found `-1`"),
            ("--for 5", "a time with its unit (ns, us, ms, s) from 1us to 5s, found `5`"),
            ("--for 1ns", "from 1us to 5s"),
            ("--for 99999999999999999999s", "found `99999999999999999999s`"),
            ("--for 99999999999s", "from 1us"),
            ("--for s", "found `s`"),
            ("--other 1", "it takes no argument `--other`"),
            ("count", "it takes no argument `count`"),
            ("--coun=1", "it takes no argument `--coun=1`"),
        ] {
            let why = read(line).unwrap_err();
            assert!(why.contains(said), "{line}: {why}");
        }
    }
}
