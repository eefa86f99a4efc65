//! How much of a report fits: blocks in order, rows cut whole, and the count of what is missing.

use std::fmt::Write as _;

/// Bounds the whole. *Units*: bytes, of which there are never fewer than characters.
///
/// *Source*: GitHub refuses the body of a comment above 65,536 characters; a job summary may have
/// 1 MiB a step. One file serves both.
const LONGEST: usize = 65_536;
/// What the end of the page may need: closing an open block and saying what is left out.
const RESERVE: usize = 2_048;

/// Holds a part of the page: what opens it, rows, what closes it.
pub(super) struct Block {
    open: String,
    rows: Vec<String>,
    close: String,
}

impl Block {
    /// Builds a block that is there as a whole or not.
    pub(super) fn text(text: String) -> Self {
        Self { open: text, rows: Vec::new(), close: String::new() }
    }

    /// Builds a list; nothing where there is nothing in it.
    pub(super) fn list(title: &str, items: Vec<String>) -> Self {
        if items.is_empty() {
            return Self::text(String::new());
        }
        Self { open: title.to_owned(), rows: items, close: "\n".to_owned() }
    }

    /// Builds a table; nothing where there are no rows.
    pub(super) fn table(title: &str, head: &[&str], rows: &[Vec<String>], close: &str) -> Self {
        if rows.is_empty() {
            return Self::text(String::new());
        }
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
        let rule = format!("|{}\n", "---|".repeat(head.len()));
        let rows = rows.iter().map(|cells| line(cells)).collect();
        Self { open: format!("{title}{}{rule}", line(&head)), rows, close: close.to_owned() }
    }
}

/// Says how full the page may be when a block has been added.
#[derive(Clone, Copy, Debug)]
pub(super) enum Share {
    /// A third.
    Third,
    /// Half.
    Half,
    /// Most of it.
    Most,
    /// All of it.
    All,
}

/// Holds the page as it grows.
#[derive(Default)]
pub(super) struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    /// Adds a block, or as many rows of it as fit before the page has filled up to a share: what stands
    /// first never takes the room of what matters more.
    pub(super) fn add(&mut self, block: &Block, share: Share) {
        let first = block.rows.first().map_or(0, String::len);
        if !self.fits(block.open.len() + first + block.close.len(), share) {
            self.left_out += block.rows.len();
            return;
        }
        self.text += &block.open;
        let mut cut = false;
        for row in &block.rows {
            cut |= !self.fits(row.len() + block.close.len(), share);
            if cut {
                self.left_out += 1;
            } else {
                self.text += row;
            }
        }
        self.text += &block.close;
    }

    /// Returns the page, with what is left out said last.
    pub(super) fn finish(mut self, end: &str) -> String {
        if self.left_out > 0 {
            let what = if self.left_out == 1 { "row" } else { "rows" };
            // Writing to a String cannot fail.
            let _ = writeln!(
                self.text,
                "**{} more {what} did not fit here and {} left out.**\n",
                self.left_out,
                if self.left_out == 1 { "is" } else { "are" },
            );
        }
        self.text += end;
        self.text
    }

    fn fits(&self, more: usize, share: Share) -> bool {
        let room = match share {
            Share::Third => LONGEST / 3,
            Share::Half => LONGEST / 2,
            Share::Most => LONGEST * 4 / 5,
            Share::All => LONGEST,
        };
        self.text.len() + more + RESERVE <= room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_whole_from_the_end_and_counted() {
        let mut page = Page::default();
        let rows: Vec<Vec<String>> =
            (0..10_000).map(|at| vec![at.to_string(), "x".repeat(40)]).collect();
        page.add(&Block::table("", &["number", "text"], &rows, "\nclosed\n"), Share::Third);
        page.add(&Block::text("small\n".to_owned()), Share::Most);
        page.add(&Block::list("more\n", vec!["x".repeat(LONGEST)]), Share::All);
        let text = page.finish("end\n");
        assert!(text.len() <= LONGEST / 2, "{}", text.len());
        let shown = text.lines().filter(|line| line.ends_with(" |")).count() - 1;
        assert!(text.contains(&format!("**{} more rows", 10_000 - shown + 1)), "{shown}");
        assert!(text.contains("\nclosed\n") && text.ends_with("end\n"));
        assert!(text.contains("small\n"), "what stands first leaves room for what comes after it");
        assert!(!text.contains("more\n"), "a list without an item is none");
        assert!(text.lines().all(|line| !line.starts_with("| ") || line.ends_with(" |")));
    }
}
