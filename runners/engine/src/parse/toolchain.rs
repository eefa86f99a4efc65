//! What compilers and interpreters print about their version.
//!
//! The line is looked for by its form, never by its place: wrappers print warnings first, and the
//! parenthesis of GCC holds digits of the package. A program that goes by another's name (Apple
//! installs Clang as `gcc`) is told apart. Sources are each tool's own `--version`.

use std::sync::LazyLock;

use regex::Regex;

/// Names the kinds of tools that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// GCC's drivers.
    Gcc,
    /// Clang's drivers, Apple's included, which numbers its own.
    Clang,
    /// The CUDA compiler.
    Nvcc,
    /// The package manager of Rust.
    Cargo,
    /// The interpreter, whichever implementation.
    Python,
}

/// Holds what a program says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    /// The numbers of the version.
    pub version: &'a str,
    /// The line that they stand in.
    pub line: &'a str,
}

/// Says why a program gives no version of this family.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsaid {
    /// It is another family's program under this name.
    Other(String),
    /// There is no such line.
    Nothing(String),
}

/// In the order of [`Family`]. The first group is the version.
#[expect(clippy::unwrap_used, reason = "constants, tried by the tests")]
static LINES: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        // `gcc-13 (Ubuntu 13.2.0-23ubuntu4) 13.2.0`
        r"(?m)^(?:\S*[-/])?(?:gcc|g\+\+)(?:-\d+(?:\.\d+)*)? \(.*\) (\d+(?:\.\d+)+).*$",
        // `Ubuntu clang version 18.1.3 (1ubuntu1)`
        r"(?m)^(?:[A-Za-z().-]+ ){0,3}clang version (\d+(?:\.\d+)+).*$",
        // `Cuda compilation tools, release 12.4, V12.4.131`
        r"(?m)^Cuda compilation tools, release [0-9.]+, V(\d+(?:\.\d+)+).*$",
        r"(?m)^cargo (\d+(?:\.\d+)+).*$",
        r"(?m)^Python (\d+(?:\.\d+)+).*$",
    ]
    .map(|pattern| Regex::new(pattern).unwrap())
});

impl Family {
    fn line(self) -> &'static Regex {
        &LINES[self as usize]
    }
}

/// Finds the version in what a program printed.
///
/// *Errors*: no line says one, or one says that it is another program.
pub(crate) fn said(family: Family, text: &str) -> Result<Said<'_>, Unsaid> {
    if let Some((version, line)) = found(family, text) {
        return Ok(Said { version, line });
    }
    if let Some((_, line)) = found(Family::Clang, text) {
        return Err(Unsaid::Other(line.to_owned()));
    }
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    Err(Unsaid::Nothing(first.unwrap_or("nothing").to_owned()))
}

fn found(family: Family, text: &str) -> Option<(&str, &str)> {
    let groups = family.line().captures(text)?;
    Some((groups.get(1)?.as_str(), groups.get(0)?.as_str().trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(family: Family, text: &str) -> &str {
        said(family, text).map_or_else(|why| panic!("{text}: {why:?}"), |said| said.version)
    }

    #[test]
    fn digits_of_the_package_are_not_the_version() {
        for (text, expected) in [
            ("gcc (Ubuntu 13.2.0-23ubuntu4) 13.2.0\nCopyright (C) 2023", "13.2.0"),
            ("gcc-14 (Homebrew GCC 14.2.0_1) 14.2.0\n", "14.2.0"),
            ("x86_64-linux-gnu-g++-12 (Debian 12.2.0-14+deb12u1) 12.2.0\r\n", "12.2.0"),
            ("gcc (GCC) 11.5.0 20240719 (Red Hat 11.5.0-5)\n", "11.5.0"),
            ("gcc (crosstool-NG (a) 1.24) 9.2.0\n", "9.2.0"),
        ] {
            assert_eq!(version(Family::Gcc, text), expected);
        }
        assert_eq!(version(Family::Clang, "Ubuntu clang version 18.1.3 (1ubuntu1)\n"), "18.1.3");
        assert_eq!(version(Family::Clang, "clang version 19.1.0\nTarget: x\n"), "19.1.0");
    }

    #[test]
    fn a_warning_before_the_line_is_passed_over() {
        let text = "nvcc warning : 9.9 is old\nCuda compilation tools, release 12.4, V12.4.131\n";
        assert_eq!(version(Family::Nvcc, text), "12.4.131");
        let text = "warning: clang version 9.0 is old\ngcc-wrapper: (x) 3.1\ngcc (GCC) 14.1.0\n";
        assert_eq!(version(Family::Gcc, text), "14.1.0");
        assert_eq!(version(Family::Python, "\nPython 3.12.1 :: Anaconda\n"), "3.12.1");
        assert_eq!(version(Family::Cargo, "cargo 1.80.0-nightly (b1feb75d0 2024-06-07)"), "1.80.0");
    }

    #[test]
    fn a_program_under_another_name_is_told_apart() {
        let apple = "Apple clang version 15.0.0 (clang-1500.3.9.4)\n";
        assert_eq!(version(Family::Clang, apple), "15.0.0");
        assert!(
            matches!(said(Family::Gcc, apple), Err(Unsaid::Other(line)) if line.contains("Apple"))
        );
        assert_eq!(said(Family::Gcc, " \n"), Err(Unsaid::Nothing("nothing".to_owned())));
        assert_eq!(
            said(Family::Gcc, "gcc (14.1.0"),
            Err(Unsaid::Nothing("gcc (14.1.0".to_owned()))
        );
    }
}
