//! Which fenced blocks a page has, and what its comments say of each.
//!
//! A comment of HTML right above a fence is invisible to a reader and tells the test what cannot be
//! seen from the block: the exit code, why it cannot run here, or which file it quotes. Only as much
//! of Markdown is read as the papers of this repository use.

/// Says what is to be done with a block, as the comments above it do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// `<!-- exits N … -->`: the exit code of each of its commands, which then run one by one.
    pub(crate) exits: Vec<i32>,
    /// `<!-- not run: needs X -->`: why it is not run or not compared.
    pub(crate) not_run: Option<String>,
    /// `<!-- from PATH -->`: the file that it quotes, word for word.
    pub(crate) from: Option<String>,
    /// `<!-- with NAME=VALUE -->`: what the test sets beside, to take less time.
    pub(crate) with: Vec<(String, String)>,
    /// `<!-- file PATH -->`: the file that a reader was told to put it into.
    pub(crate) file: Option<String>,
}

/// One fenced block of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Line of its fence, from 1.
    pub(crate) line: usize,
    /// Word behind the fence.
    pub(crate) kind: String,
    /// Its text, less the indentation of the fence.
    pub(crate) text: String,
    pub(crate) note: Note,
    /// Whether only blank lines and comments stand between it and the block before.
    pub(crate) follows: bool,
}

impl Block {
    /// Returns the commands of a block of shell: lines joined at `\`, without comments and without
    /// what is handed to a command by `<<`.
    pub(crate) fn commands(&self) -> Vec<String> {
        let joined = self.text.replace("\\\n", " ");
        let mut found = Vec::new();
        let mut until: Option<&str> = None;
        for line in joined.lines().map(str::trim) {
            if until.is_some() {
                until = until.filter(|end| *end != line);
            } else if !line.is_empty() && !line.starts_with('#') {
                found.push(line.to_owned());
                until = line.split_once("<<").map(|(_, end)| end.trim_matches('\''));
            }
        }
        found
    }
}

impl Note {
    /// Reads one comment; `false` where it says nothing that is known.
    pub(crate) fn read(&mut self, comment: &str) -> bool {
        if let Some(codes) = comment.strip_prefix("exits ") {
            let codes: Result<Vec<i32>, _> = codes.split_whitespace().map(str::parse).collect();
            self.exits = codes.unwrap_or_default();
            return !self.exits.is_empty();
        }
        if let Some(reason) = comment.strip_prefix("not run: ") {
            self.not_run = Some(reason.trim().to_owned());
            return true;
        }
        if let Some(path) = comment.strip_prefix("from ") {
            self.from = Some(path.trim().to_owned());
            return true;
        }
        if let Some(path) = comment.strip_prefix("file ") {
            self.file = Some(path.trim().to_owned());
            return true;
        }
        if let Some((name, value)) =
            comment.strip_prefix("with ").and_then(|pair| pair.split_once('='))
        {
            self.with.push((name.to_owned(), value.trim().to_owned()));
            return true;
        }
        false
    }
}

/// Reads the blocks of a page.
///
/// *Errors*: a fence that is not closed or has no kind, or a comment that says nothing known.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut found: Vec<Block> = Vec::new();
    let mut note = Note::default();
    let mut follows = false;
    let mut open: Option<(Block, usize)> = None;
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if let Some((block, margin)) = &mut open {
            if bare.trim_end() == "```" {
                found.extend(open.take().map(|(block, _)| block));
                follows = true;
            } else {
                block.text += line.get(*margin.min(&mut { indent })..).unwrap_or_default();
                block.text.push('\n');
            }
        } else if let Some(kind) = bare.strip_prefix("```") {
            let kind = kind.trim().to_owned();
            if kind.is_empty() {
                return Err(format!("{}: a fence without a kind: say `sh`, `text`…", index + 1));
            }
            let note = std::mem::take(&mut note);
            let block = Block { line: index + 1, kind, text: String::new(), note, follows };
            open = Some((block, indent));
        } else if let Some(comment) = bare.strip_prefix("<!-- ") {
            let comment = comment.trim_end().strip_suffix("-->").unwrap_or_default();
            if !note.read(comment.trim()) {
                return Err(format!("{}: the comment says nothing that is known", index + 1));
            }
        } else if !bare.is_empty() {
            if note != Note::default() {
                return Err(format!("{}: the comment above belongs to no block", index + 1));
            }
            follows = false;
        }
    }
    match open {
        Some((block, _)) => Err(format!("{}: the fence is not closed", block.line)),
        None => Ok(found),
    }
}

#[test]
fn a_block_has_its_kind_its_text_without_the_margin_and_the_notes_above_it() {
    let text = "1. Do:\n\n   <!-- exits 3 -->\n   <!-- with A=b -->\n   ```sh\n   one \\\n     two\n   ```\n\n   ```text\n   x\n   ```\n";
    let found = blocks(text).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].line, found[0].kind.as_str()), (5, "sh"));
    assert_eq!(found[0].commands(), ["one    two"]);
    let handed = blocks("```sh\ncat > a <<'END'\n# b\nc\nEND\n# d\ne\n```\n").unwrap();
    assert_eq!(handed[0].commands(), ["cat > a <<'END'", "e"]);
    assert_eq!(found[0].note.exits, [3]);
    assert_eq!(found[0].note.with, [("A".to_owned(), "b".to_owned())]);
    assert!(!found[0].follows && found[1].follows);
    assert_eq!(found[1].text, "x\n");
}

#[test]
fn what_the_test_does_not_know_is_an_error_and_never_passed_over() {
    for text in [
        "```sh\nx\n",
        "```\nx\n```\n",
        "<!-- notrun: y -->\n",
        "<!-- exits 1 -->\nwords\n```sh\n```\n",
    ] {
        assert!(blocks(text).is_err(), "{text}");
    }
}
