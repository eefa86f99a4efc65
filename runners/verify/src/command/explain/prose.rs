//! How a section of `METHOD.md` is set: paragraphs, lists, tables and code of Markdown, as a page.
//!
//! Only the Markdown that the page is written in. A table becomes a list, a row an entry, since its columns
//! are wider than a terminal.

use verify_reports::terminal::{page::Page, paint::Paint};

use super::INDENT;

/// Writes Markdown.
pub(super) fn write(page: &mut Page, text: &str) {
    let mut is_first = true;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        if !is_first {
            page.blank();
        }
        is_first = false;
        if line.starts_with("```") {
            let code: Vec<&str> =
                lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            page.verbatim(Paint::Plain, INDENT + 2, &code.join("\n"));
            continue;
        }
        let mut block = vec![line];
        while let Some(line) = lines.next_if(|line| !line.is_empty() && !line.starts_with("```")) {
            block.push(line);
        }
        write_block(page, &block);
    }
}

fn write_block(page: &mut Page, block: &[&str]) {
    let first = block.first().copied().unwrap_or_default();
    if let Some(heading) = first.strip_prefix("### ") {
        page.text(Paint::Bold, INDENT, &format!("{}{heading}", " ".repeat(INDENT)));
    } else if first.starts_with('|') {
        table(page, block);
    } else {
        for item in items(block) {
            let (lead, hang) =
                if item.starts_with("- ") { (INDENT, INDENT + 2) } else { (INDENT, INDENT) };
            page.lead(lead, &[], hang, (Paint::Plain, &plain(&item)));
        }
    }
}

/// Joins the lines of each paragraph and each entry of a list.
fn items(block: &[&str]) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in block {
        match items.last_mut() {
            Some(last) if !line.starts_with("- ") => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => items.push(line.trim().to_owned()),
        }
    }
    items
}

/// Drops what marks an emphasis; backquotes stay, they tell what is literal.
fn plain(text: &str) -> String {
    text.replace("*Source*", "Source").replace("**", "")
}

fn table(page: &mut Page, rows: &[&str]) {
    let cells = |row: &str| -> Vec<String> {
        row.trim_matches('|').split('|').map(|cell| plain(cell.trim())).collect()
    };
    let mut rows = rows.iter().map(|row| cells(row));
    let Some(head) = rows.next() else { return };
    for row in rows.filter(|row| !row.iter().all(|cell| cell.trim_matches(['-', ':']).is_empty())) {
        let said = head.iter().zip(&row).skip(1).filter(|(_, cell)| !cell.is_empty());
        let said: Vec<String> = said.map(|(name, cell)| format!("{name}: {cell}")).collect();
        let first = row.first().map(String::as_str).unwrap_or_default();
        let text = format!("- {first} | {}", said.join(" | "));
        page.lead(INDENT, &[], INDENT + 2, (Paint::Plain, &text));
    }
}

#[cfg(test)]
mod tests {
    use verify_reports::terminal::Style;

    use super::*;

    #[test]
    fn paragraphs_lists_tables_and_code_are_set() {
        let text = "One\ntwo.\n\n- a *Source*: b\n  c\n- d\n\n### Part\n\n| n | p50 |\n|---|---|\n| x | 7 |\n\n```sh\nls  -l\n```\n";
        let mut page = Page::new(&Style { color: false, width: 80, verbose: true });
        write(&mut page, text);
        let expected =
            "  One two.\n\n  - a Source: b c\n  - d\n\n  Part\n\n  - x | p50: 7\n\n    ls  -l\n";
        assert_eq!(page.finish(), expected);
    }
}
