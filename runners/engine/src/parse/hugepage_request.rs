//! How many huge pages of each size a kernel command line asks for.
//!
//! `hugepages=` counts for the size named last before it, else for the default size. A size that is
//! named a second time is passed over together with its count, and so is a second count.
//!
//! *Source*: `hugepagesz_setup`, `hugepages_setup` and `default_hugepagesz_setup` in the kernel's
//! `mm/hugetlb.c`; `memparse` in `lib/cmdline.c`.

use std::collections::BTreeMap;

use super::cmdline::Cmdline;

/// Holds how many pages of one size are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// So many in all.
    Total(u64),
    /// So many on each NUMA node.
    PerNode(BTreeMap<u32, u64>),
}

impl Pages {
    /// Counts them.
    pub fn total(&self) -> u64 {
        match self {
            Self::Total(pages) => *pages,
            Self::PerNode(nodes) => nodes.values().fold(0, |sum, pages| sum.saturating_add(*pages)),
        }
    }
}

/// Holds what a command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HugepageRequest {
    /// Default size, where it is named. *Units*: KiB.
    pub default_kib: Option<u64>,
    /// Pages by size; zero stands for the default size. *Units*: KiB.
    pub pages: BTreeMap<u64, Pages>,
    /// Words that count for nothing, and why.
    pub ignored: Vec<String>,
}

impl HugepageRequest {
    /// Reads a command line; `default_kib` is the machine's default size. *Units*: KiB.
    pub fn parse(line: &Cmdline, default_kib: Option<u64>) -> Self {
        let named_default = line.all("default_hugepagesz").last().and_then(size_kib);
        let mut request = Self { default_kib: named_default, ..Self::default() };
        let default = named_default.or(default_kib).unwrap_or(0);
        // The size that a count is for; none after one that is passed over.
        let mut size = Some(default);
        let mut named = Vec::new();
        for (name, word) in line.iter() {
            let value = word.split_once('=').map_or("", |(_, value)| value);
            let mut pass_over = |why: &str| request.ignored.push(format!("`{word}` {why}"));
            match name {
                "hugepagesz" => {
                    size = size_kib(value);
                    match size {
                        None => pass_over("names no size"),
                        Some(kib) if named.contains(&kib) || request.pages.contains_key(&kib) => {
                            pass_over("names a size for the second time");
                            size = None;
                        }
                        Some(kib) => named.push(kib),
                    }
                }
                "hugepages" => match (size, count(value)) {
                    (None, _) => pass_over("follows a size that does not count"),
                    (_, None) => pass_over("is no number of pages"),
                    (Some(kib), Some(_)) if request.pages.contains_key(&kib) => {
                        pass_over("counts pages for the second time");
                    }
                    (Some(kib), Some(pages)) => {
                        request.pages.insert(kib, pages);
                    }
                },
                _ => {}
            }
        }
        request
    }
}

impl std::fmt::Display for HugepageRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        for (kib, pages) in &self.pages {
            let size = size_text(*kib);
            parts.push(match pages {
                Pages::Total(pages) => format!("{pages} pages of {size}"),
                Pages::PerNode(nodes) => {
                    let nodes: Vec<String> =
                        nodes.iter().map(|(node, pages)| format!("{node}:{pages}")).collect();
                    format!("{} pages of {size} (by node {})", pages.total(), nodes.join(","))
                }
            });
        }
        if let Some(kib) = self.default_kib {
            parts.push(format!("default size {}", size_text(kib)));
        }
        f.write_str(if parts.is_empty() { "no huge pages" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

/// Shows a size. *Units*: KiB.
pub(crate) fn size_text(kib: u64) -> String {
    match kib {
        0 => "the default size".to_owned(),
        kib if kib % (1024 * 1024) == 0 => format!("{} GiB", kib / (1024 * 1024)),
        kib if kib % 1024 == 0 => format!("{} MiB", kib / 1024),
        kib => format!("{kib} KiB"),
    }
}

/// Reads a size such as `2M`, `1G` or `2048k`. *Units*: KiB.
fn size_kib(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let bytes = match text[digits..].to_ascii_lowercase().as_str() {
        "" => number,
        "k" => number.checked_mul(1 << 10)?,
        "m" => number.checked_mul(1 << 20)?,
        "g" => number.checked_mul(1 << 30)?,
        _ => return None,
    };
    Some(bytes >> 10).filter(|kib| *kib > 0)
}

fn count(text: &str) -> Option<Pages> {
    if !text.contains(':') {
        return text.parse().ok().map(Pages::Total);
    }
    let nodes = text.split(',').map(|part| {
        let (node, pages) = part.split_once(':')?;
        Some((node.parse().ok()?, pages.parse().ok()?))
    });
    nodes.collect::<Option<BTreeMap<u32, u64>>>().map(Pages::PerNode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> (String, usize) {
        let request = HugepageRequest::parse(&Cmdline::parse(text), Some(2048));
        (request.to_string(), request.ignored.len())
    }

    #[test]
    fn a_count_is_for_the_size_before_it_and_the_first_one_counts() {
        let says = |text: &str| asked(text).0;
        assert_eq!(says("quiet"), "no huge pages");
        assert_eq!(says("hugepages=16"), "16 pages of 2 MiB");
        let both = "default_hugepagesz=1G hugepagesz=1G hugepages=8 hugepagesz=2048k hugepages=512";
        assert_eq!(says(both), "512 pages of 2 MiB, 8 pages of 1 GiB, default size 1 GiB");
        assert_eq!(
            says("default_hugepagesz=1G hugepages=2"),
            "2 pages of 1 GiB, default size 1 GiB"
        );
        let twice = asked("hugepagesz=2M hugepages=16 hugepagesz=2M hugepages=8");
        assert_eq!(twice, ("16 pages of 2 MiB".to_owned(), 2));
        assert_eq!(asked("hugepages=16 hugepages=8"), ("16 pages of 2 MiB".to_owned(), 1));
        let nodes = "hugepagesz=2M hugepages=0:16,1:4";
        assert_eq!(says(nodes), "20 pages of 2 MiB (by node 0:16,1:4)");
        let bytes = "hugepagesz=2097152 hugepages=4 hugepagesz=1048576K hugepages=1";
        assert_eq!(says(bytes), "4 pages of 2 MiB, 1 pages of 1 GiB");
        assert_eq!(asked("hugepagesz=x hugepages=4 hugepagesz=2M hugepages=y").1, 3);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_request(text in "((hugepages|hugepagesz|default_hugepagesz)=[0-9kMGx:,]{0,24} ?){0,6}") {
            let _ = asked(&text);
        }
    }
}
