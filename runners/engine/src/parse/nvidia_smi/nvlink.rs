//! Reads `nvidia-smi nvlink -s`: which links of each card are active, and how fast they are.
//!
//! A card of which all links are inactive has one sentence instead of its links, in spellings that
//! differ in case. A line that is not known makes that card unreadable: it may be about a link.

use super::plain;

/// Holds what is said of one card.
#[derive(Debug, PartialEq)]
pub(crate) struct Card {
    /// Its identity; empty where the heading has none.
    pub uuid: String,
    /// Its links, or the line that could not be read.
    pub links: Result<Links, String>,
}

/// Holds the links of one card.
#[derive(Debug, PartialEq)]
pub(crate) enum Links {
    /// One sentence says that all are inactive; how many there are is not said.
    AllInactive,
    /// Speed of each link by number, none where it is inactive. *Units*: GB/s, one direction.
    Each(Vec<(u32, Option<f64>)>),
}

impl Links {
    /// Counts the active ones.
    pub(crate) fn active(&self) -> usize {
        match self {
            Self::AllInactive => 0,
            Self::Each(links) => links.iter().filter(|(_, speed)| speed.is_some()).count(),
        }
    }
}

/// Reads the cards in the order in which they are listed.
///
/// *Errors*: a line before the first card that is not empty.
pub(crate) fn read(text: &str) -> Result<Vec<Card>, String> {
    let mut cards: Vec<Card> = Vec::new();
    let text = plain(text);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(uuid) = heading(line) {
            cards.push(Card { uuid, links: Ok(Links::Each(Vec::new())) });
            continue;
        }
        let Some(card) = cards.last_mut() else {
            return Err(format!("a line before any card: {line}"));
        };
        if let Ok(links) = &mut card.links
            && let Err(why) = add(links, line)
        {
            card.links = Err(why);
        }
    }
    Ok(cards)
}

/// Reads `GPU 0: NAME (UUID: GPU-...)` and returns the identity.
fn heading(line: &str) -> Option<String> {
    let (number, rest) = line.strip_prefix("GPU ")?.split_once(':')?;
    number.parse::<u32>().ok()?;
    let uuid = rest.split_once("(UUID: ").and_then(|(_, uuid)| uuid.strip_suffix(')'));
    Some(uuid.unwrap_or_default().trim().to_owned())
}

fn add(links: &mut Links, line: &str) -> Result<(), String> {
    let unknown = || format!("not a line about a link: {line}");
    let lower = line.to_ascii_lowercase();
    if lower.contains("all links are inactive") {
        return match links {
            Links::Each(listed) if !listed.is_empty() => {
                Err(format!("links are listed, and {line}"))
            }
            _ => {
                *links = Links::AllInactive;
                Ok(())
            }
        };
    }
    let Links::Each(listed) = links else { return Err(unknown()) };
    let (number, state) =
        lower.strip_prefix("link ").and_then(|rest| rest.split_once(':')).ok_or_else(unknown)?;
    let number: u32 = number.trim().parse().map_err(|_| unknown())?;
    if listed.iter().any(|(known, _)| *known == number) {
        return Err(format!("link {number} is listed twice"));
    }
    let state = state.trim();
    if state.trim_matches(['<', '>']) == "inactive" {
        listed.push((number, None));
        return Ok(());
    }
    let speed = state.strip_suffix("gb/s").and_then(|speed| speed.trim().parse::<f64>().ok());
    // No active link has speed 0: such a line is what a failed call leaves.
    let speed = speed.filter(|speed| speed.is_finite() && *speed > 0.0).ok_or_else(unknown)?;
    listed.push((number, Some(speed)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(lines: &str) -> Result<Links, String> {
        let cards = read(&format!("GPU 0: Model (UUID: GPU-a)\n{lines}\n")).unwrap();
        let [card] = <[Card; 1]>::try_from(cards).unwrap();
        card.links
    }

    #[test]
    fn links_are_counted_and_a_dead_one_among_them_is_not() {
        let four = one("\t Link 0: 14.062 GB/s\n\t Link 1: <inactive>\n\t Link 2: 14.062 GB/s");
        let four = four.unwrap();
        assert_eq!(four.active(), 2);
        assert_eq!(four, Links::Each(vec![(0, Some(14.062)), (1, None), (2, Some(14.062))]));
    }

    #[test]
    fn all_spellings_of_all_inactive_are_none_active() {
        for word in ["inActive", "inactive", "InActive"] {
            let line =
                format!("NVML: Unable to retrieve NVLink information as all links are {word}");
            assert_eq!(one(&line), Ok(Links::AllInactive), "{word}");
        }
    }

    #[test]
    fn what_is_no_state_of_a_link_is_never_counted() {
        for bad in [
            "Link 0: 0 GB/s",
            "Link 0: 0.000 GB/s",
            "Link 0: nan GB/s",
            "Link 0: N/A",
            "Link 0:",
            "Link x: 14.062 GB/s",
            "Link 0: 14.062 GB/s\nLink 0: 14.062 GB/s",
            "Link 0: 14.062 GB/s\nall links are inactive",
            "NVML: Unable to retrieve NVLink information: GPU is lost",
        ] {
            assert!(one(bad).is_err(), "{bad}");
        }
        assert!(read("Link 0: 14.062 GB/s\n").is_err(), "of no card");
    }

    #[test]
    fn cards_are_told_apart_by_identity() {
        let cards = read("GPU 0: A (UUID: GPU-a)\nGPU 1: B (UUID: GPU-b)\n Link 0: 25 GB/s\n");
        let cards = cards.unwrap();
        assert_eq!(cards[0].links, Ok(Links::Each(Vec::new())));
        assert_eq!(cards[1].uuid, "GPU-b");
        assert_eq!(cards[1].links.as_ref().map(Links::active), Ok(1));
    }
}
