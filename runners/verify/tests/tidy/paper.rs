//! What holds in the papers: indexes are complete, links lead somewhere, named tests exist.
//!
//! And in every text file: no path of the machine that it was written on, no host of a package
//! registry. It does not judge the prose.

use crate::tree::{File, Finding, demand_none, files, root};

const ADR_FOLDER: &str = ".github/adr/";
const ADR_LINES: usize = 60;
const ADR_HEADINGS: [&str; 4] =
    ["## Context", "## Decision", "## What else was weighed", "## Consequences"];

/// Hosts of package registries, in two halves so that this file does not name them.
const REGISTRIES: [(&str, &str); 6] = [
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("npmjs", ".com"),
    ("deb.debian", ".org"),
];

fn adr_name(file: &File) -> Option<&str> {
    file.path.strip_prefix(ADR_FOLDER).filter(|name| file.is_markdown() && *name != "README.md")
}

fn decision(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    for heading in ADR_HEADINGS {
        if !file.text.lines().any(|line| line == heading) {
            let expected = format!("the heading `{heading}` is missing");
            found.push(Finding::new(file, 1, expected, "write that part"));
        }
    }
    let lines = file.text.lines().count();
    if lines > ADR_LINES {
        let expected = format!("{lines} lines, at most {ADR_LINES} expected");
        found.push(Finding::new(file, ADR_LINES + 1, expected, "one page: say less"));
    }
    found
}

fn unlisted(index: &File, names: &[&str]) -> Vec<Finding> {
    let missing = names.iter().filter(|name| !index.text.contains(&format!("({name})")));
    let finding = |name: &&str| {
        let expected = format!("{name} is not listed");
        Finding::new(index, 1, expected, "add a line that links to it")
    };
    missing.map(finding).collect()
}

fn unreleased(changelog: &File) -> Option<Finding> {
    let action = "add the heading `## [Unreleased]` above the newest version";
    let missing = !changelog.text.lines().any(|line| line == "## [Unreleased]");
    missing.then(|| Finding::new(changelog, 1, "no Unreleased section", action))
}

/// Links to files that do not exist, outside fenced blocks.
fn dead_links(file: &File, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in file.text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        for rest in line.split("](").skip(1).filter(|_| !fenced) {
            let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') && !exists(&beside(file, target)) {
                let expected = format!("the link to `{target}` leads nowhere");
                found.push(Finding::new(file, index + 1, expected, "correct the path"));
            }
        }
    }
    found
}

/// The path of a link target, from the root.
fn beside(file: &File, target: &str) -> String {
    let mut parts: Vec<&str> = file.path.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Names of tests in back quotes that no source has.
fn unknown_tests(file: &File, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for name in line.split('`').skip(1).step_by(2) {
            let sentence = name.matches('_').count() >= 3
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if sentence && !exists(name) {
                let expected = format!("no test is called `{name}`");
                found.push(Finding::new(file, index + 1, expected, "name the test that holds it"));
            }
        }
    }
    found
}

fn machine_paths(file: &File, checkout: &str) -> Vec<Finding> {
    let inner = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    let bounded = |line: &str| {
        line.match_indices(checkout)
            .any(|(at, _)| !line[..at].chars().next_back().is_some_and(inner))
    };
    // A checkout directly below `/` has a name too plain to look for.
    let lines = file.text.lines().enumerate().filter(|_| checkout.matches('/').count() > 1);
    let action = "write the path from the root of the repository";
    let found = lines.filter(|(_, line)| bounded(line));
    let expected = "the path of a checkout: it holds on one machine only";
    found.map(|(index, _)| Finding::new(file, index + 1, expected, action)).collect()
}

fn registry_hosts(file: &File) -> Vec<Finding> {
    let named = |line: &str| {
        REGISTRIES.iter().any(|(name, domain)| {
            line.match_indices(name).any(|(at, _)| line[at + name.len()..].starts_with(domain))
        })
    };
    let found = file.text.lines().enumerate().filter(|(_, line)| named(line));
    let (expected, action) = (
        "the host of a package registry",
        "name the package: where it comes from is configuration",
    );
    found.map(|(index, _)| Finding::new(file, index + 1, expected, action)).collect()
}

fn missing_from_map(map: &File, folders: &[&str]) -> Vec<Finding> {
    let missing = folders.iter().filter(|folder| !map.text.contains(&format!("`{folder}/`")));
    let finding = |folder: &&str| {
        let expected = format!("the map does not name `{folder}/`");
        Finding::new(map, 1, expected, "add a row: folder, question, crate")
    };
    missing.map(finding).collect()
}

/// *Panics* when the file is missing.
fn paper(path: &str) -> &'static File {
    let found = files().iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("{path}:1: the file is missing\n    do: write it"))
}

fn decisions() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| adr_name(file).is_some())
}

fn papers() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.is_markdown())
}

#[test]
fn every_decision_is_one_page_in_four_parts_and_is_listed() {
    let names: Vec<&str> = decisions().filter_map(adr_name).collect();
    let unlisted = unlisted(paper(".github/adr/README.md"), &names);
    demand_none(decisions().flat_map(decision).chain(unlisted));
}

#[test]
fn an_unlisted_endless_or_partial_decision_is_found() {
    let index = File::sample(".github/adr/README.md", "- [one](0001-one.md)\n");
    assert_eq!(unlisted(&index, &["0001-one.md", "0002-two.md"]).len(), 1);
    let whole = ADR_HEADINGS.join("\n\n");
    assert!(decision(&File::sample(".github/adr/0001-one.md", &whole)).is_empty());
    assert_eq!(decision(&File::sample(".github/adr/0001-one.md", "## Context\n")).len(), 3);
    let endless = format!("{whole}{}", "\n".repeat(60));
    assert_eq!(decision(&File::sample(".github/adr/0001-one.md", &endless)).len(), 1);
}

#[test]
fn the_changelog_has_an_unreleased_section() {
    demand_none(unreleased(paper("CHANGELOG.md")));
}

#[test]
fn a_changelog_without_an_unreleased_section_is_found() {
    assert!(unreleased(&File::sample("CHANGELOG.md", "# Changelog\n\n## [1.0.0]\n")).is_some());
}

#[test]
fn every_relative_link_leads_somewhere() {
    let known = |path: &str| root().join(path).try_exists().is_ok_and(|found| found);
    demand_none(papers().flat_map(|file| dead_links(file, known)));
}

#[test]
fn a_dead_link_is_found_and_a_link_in_a_fence_is_not() {
    let text = "[a](../here.md#x) [b](gone.md) [c](https://example.org)\n```\n[d](e.md)\n```\n";
    let found = dead_links(&File::sample("docs/a.md", text), |path| path == "here.md");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn every_test_that_a_paper_names_exists() {
    let known = |name: &str| {
        let head = format!("fn {name}(");
        files().iter().any(|file| file.is_rust() && file.text.contains(&head))
    };
    demand_none(papers().flat_map(|file| unknown_tests(file, known)));
}

#[test]
fn a_test_that_does_not_exist_is_found() {
    let text = "| 1 | `a_test_that_is_gone` | `a_test_that_stands`, `some_type` |\n";
    let found = unknown_tests(&File::sample("A.md", text), |name| name == "a_test_that_stands");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn no_file_holds_the_path_of_this_checkout() {
    let checkout = root().to_string_lossy().into_owned();
    demand_none(files().iter().flat_map(|file| machine_paths(file, &checkout)));
}

#[test]
fn the_path_of_a_checkout_is_found() {
    let tried = |text: &str| machine_paths(&File::sample("a.md", text), "/srv/verify").len();
    assert_eq!(tried("see /srv/verify/README.md"), 1);
    assert_eq!(tried("see /mnt/srv/verify"), 0);
    assert!(machine_paths(&File::sample("a.md", "under /src"), "/src").is_empty());
}

#[test]
fn no_file_names_the_host_of_a_package_registry() {
    let written = files().iter().filter(|file| file.path != "Cargo.lock");
    demand_none(written.flat_map(registry_hosts));
}

#[test]
fn the_host_of_a_package_registry_is_found() {
    for (name, domain) in REGISTRIES {
        let text = format!("url = \"https://static.{name}{domain}/x\"\n");
        assert_eq!(registry_hosts(&File::sample("a.toml", &text)).len(), 1, "{text}");
    }
}

#[test]
fn the_map_names_every_crate() {
    let manifests = files().iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    demand_none(missing_from_map(paper("ARCHITECTURE.md"), &manifests.collect::<Vec<_>>()));
}

#[test]
fn a_crate_that_the_map_does_not_name_is_found() {
    let map = File::sample("ARCHITECTURE.md", "| `reports/` | … |\n");
    assert_eq!(missing_from_map(&map, &["reports", "runners/novel"]).len(), 1);
}
