//! Under which names and in which places people have the compilers and interpreters of one kind.

use crate::{parse::toolchain::Family, probe::With};

/// Folders of CUDA toolkits, which need not be in `PATH`. *Source*: CUDA installation guide; Arch.
pub(in crate::probes) const TOOLKITS: [&str; 2] = ["/usr/local/cuda*", "/opt/cuda*"];

/// Folder of the packages of an interpreter's environment, from the path of the interpreter.
pub(in crate::probes) fn packages(python: &str) -> Option<String> {
    let root = python.rsplit_once("/bin/").map(|(root, _)| root);
    let root = root.filter(|root| root.starts_with('/') && !root.contains('*'))?;
    Some(format!("{root}/lib/python3*/site-packages"))
}

/// Holds the names of one kind of tool.
pub(in crate::probes) struct Names {
    pub(super) family: Family,
    pub(super) bare: &'static str,
    /// Other names; the numbered ones follow them.
    others: &'static [&'static str],
    prefix: &'static str,
    /// Numbers of releases that a supported distribution may have, with room for those to come.
    numbers: std::ops::RangeInclusive<u32>,
}

#[expect(clippy::reversed_empty_ranges, reason = "tools without numbered names")]
pub(in crate::probes) fn names(tool: &str) -> Option<Names> {
    let row = |family, bare, others, prefix, numbers| {
        Some(Names { family, bare, others, prefix, numbers })
    };
    match tool {
        "gcc" => row(Family::Gcc, "gcc", &[], "gcc-", 9..=20),
        "g++" => row(Family::Gcc, "g++", &[], "g++-", 9..=20),
        "clang" => row(Family::Clang, "clang", &[], "clang-", 11..=25),
        "clang++" => row(Family::Clang, "clang++", &[], "clang++-", 11..=25),
        "nvcc" => row(Family::Nvcc, "nvcc", &[], "", 1..=0),
        "cargo" => row(Family::Cargo, "cargo", &[], "", 1..=0),
        // The system's own, too: one that people put before it may start nothing.
        "python" => {
            row(Family::Python, "python3", &["python", "/usr/bin/python3"], "python3.", 8..=18)
        }
        _ => None,
    }
}

impl Names {
    /// Returns the names that the parameters ask for.
    pub(super) fn wanted(&self, with: With<'_>) -> Vec<String> {
        if with.text("names") == Some("plain") {
            return self.plain().map(str::to_owned).collect();
        }
        self.all()
    }

    fn plain(&self) -> impl Iterator<Item = &'static str> {
        [self.bare].into_iter().chain(self.others.iter().copied())
    }

    /// Returns every name.
    pub(in crate::probes) fn all(&self) -> Vec<String> {
        let numbers = Some(self.numbers.clone());
        let numbered =
            numbers.into_iter().flatten().map(|number| format!("{}{number}", self.prefix));
        self.plain().map(str::to_owned).chain(numbered).collect()
    }
}
