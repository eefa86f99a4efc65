//! What happens when a page is played from top to bottom, and what of it was not.

use std::{fs, path::Path};

use crate::{
    page::{Block, Note, blocks},
    pattern::differs,
    stage::{Stage, checkout},
};

/// What came of one page.
#[derive(Default)]
pub(crate) struct Played {
    /// Commands that were run and did what is said.
    pub(crate) ran: usize,
    /// Outputs that were compared.
    pub(crate) compared: usize,
    /// Blocks that were not run or compared: where, and why.
    pub(crate) left_out: Vec<String>,
    /// What is not as the page says.
    pub(crate) faults: Vec<String>,
}

/// Plays the blocks of a page in their order.
///
/// `notes` stand for comments in a page that has none: the first line of a block, and what is so.
pub(crate) fn play(path: &str, notes: &[(&str, &str)], stage: &Stage) -> Played {
    let mut played = Played::default();
    let text = fs::read_to_string(checkout(path)).unwrap();
    let mut found = match blocks(&text) {
        Ok(found) => found,
        Err(fault) => {
            played.faults.push(format!("{path}:{fault}"));
            return played;
        }
    };
    for (line, note) in notes {
        if let Err(fault) = annotate(&mut found, line, note) {
            played.faults.push(format!("{path}: {fault}"));
        }
    }
    for (index, block) in found.iter().enumerate() {
        let next = found.get(index + 1).filter(|next| next.kind == "text" && next.follows);
        let before = index.checked_sub(1).map(|before| &found[before]);
        if let Err(fault) = act(block, before, next, stage, &mut played) {
            played.faults.push(format!("{path}:{}: {fault}", block.line));
        }
    }
    for left in &mut played.left_out {
        left.insert_str(0, &format!("{path}:"));
    }
    played
}

fn annotate(found: &mut [Block], line: &str, note: &str) -> Result<(), String> {
    let mut those = found.iter_mut().filter(|block| block.text.lines().next() == Some(line));
    let first = those.next().ok_or_else(|| format!("no block begins with `{line}`"))?;
    let known = first.note.read(note);
    for other in those {
        other.note = first.note.clone();
    }
    if known { Ok(()) } else { Err(format!("`{note}` says nothing that is known")) }
}

fn act(
    block: &Block,
    before: Option<&Block>,
    next: Option<&Block>,
    stage: &Stage,
    played: &mut Played,
) -> Result<(), String> {
    let is_output = block.kind == "text"
        && block.follows
        && before.is_some_and(|before| before.kind == "sh" && before.note.from.is_none());
    if is_output {
        return if block.note == Note::default() {
            Ok(())
        } else {
            Err("an output takes its notes from its command".to_owned())
        };
    }
    if let Some(reason) = &block.note.not_run {
        played.left_out.push(format!("{}: {reason}", block.line));
        let names_a_need = reason.strip_prefix("needs ").is_some_and(|need| !need.is_empty());
        return names_a_need.then_some(()).ok_or_else(|| "say `not run: needs X`".to_owned());
    }
    if let Some(path) = &block.note.from {
        return quoted(block, path);
    }
    match block.kind.as_str() {
        "sh" => command(block, next, stage, played),
        "toml" => file(block, stage),
        "text" => Err("shown, but by no command right above it: `<!-- from FILE -->`, or `<!-- not run: needs X -->`".to_owned()),
        _ => Err("neither run nor quoted: `<!-- from FILE -->`, or `<!-- not run: needs X -->`".to_owned()),
    }
}

fn command(
    block: &Block,
    next: Option<&Block>,
    stage: &Stage,
    played: &mut Played,
) -> Result<(), String> {
    let commands = block.commands();
    let Note { exits, with, .. } = &block.note;
    if commands.is_empty() || (!exits.is_empty() && exits.len() != commands.len()) {
        return Err(format!("{} commands, and {} exit codes", commands.len(), exits.len()));
    }
    // Without codes the block is one piece of shell, loops and all, that ends at the first failure.
    let pieces: Vec<(&str, i32)> = if exits.is_empty() {
        vec![(&block.text, 0)]
    } else {
        commands.iter().map(String::as_str).zip(exits.iter().copied()).collect()
    };
    let mut printed = String::new();
    for (piece, expected) in pieces {
        let did = stage.run(piece, with);
        if did.code != Some(expected) {
            let code = did.code.map_or("none".to_owned(), |code| code.to_string());
            let said = format!("exit code {code}, {expected} is said");
            return Err(format!("{said}, of\n{piece}\n---\n{}", did.printed));
        }
        printed += &did.printed;
    }
    played.ran += commands.len();
    let Some(shown) = next else { return Ok(()) };
    played.compared += 1;
    let why = differs(&shown.text, &printed);
    why.map_or(Ok(()), |why| {
        Err(format!("{why}\n--- was printed by\n{}---\n{printed}", block.text))
    })
}

/// Writes a file that the page shows, if its schema takes it.
fn file(block: &Block, stage: &Stage) -> Result<(), String> {
    let first = block.text.lines().next().unwrap_or_default();
    let named = first.strip_prefix("# ").filter(|path| {
        path.contains('/') || Path::new(path).extension().is_some_and(|end| end == "toml")
    });
    let path = block.note.file.as_deref().or(named);
    let path = path.ok_or("a file without a name: begin it with `# PATH`")?;
    let value: toml::Value = toml::from_str(&block.text).map_err(|error| error.to_string())?;
    let schema = match path {
        path if path.ends_with("waivers.toml") => Some("suites/waivers.schema.json"),
        path if path.contains("runners/nodes/") => Some("runners/nodes/node.schema.json"),
        path if path.contains("suites/") => Some("suites/suite.schema.json"),
        _ => None,
    };
    if let Some(schema) = schema {
        let schema = fs::read_to_string(checkout(schema)).map_err(|error| error.to_string())?;
        let schema = serde_json::from_str(&schema).map_err(|error| error.to_string())?;
        let schema = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
        let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
        schema.validate(&value).map_err(|error| format!("{path}: {error}"))?;
    }
    stage.write(path, &block.text);
    Ok(())
}

/// Holds a quotation to the file that it is from; `…` alone on a line stands for what is left out.
fn quoted(block: &Block, path: &str) -> Result<(), String> {
    let text = fs::read_to_string(checkout(path)).map_err(|error| format!("{path}: {error}"))?;
    let why = differs(&format!("…\n{}…\n", block.text), &text);
    why.map_or(Ok(()), |why| Err(format!("{path} does not say this any more: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Played {
        let stage = Stage::empty();
        let mut played = Played::default();
        let found = blocks(text).unwrap();
        for (index, block) in found.iter().enumerate() {
            let next = found.get(index + 1).filter(|next| next.kind == "text" && next.follows);
            let before = index.checked_sub(1).map(|before| &found[before]);
            let done = act(block, before, next, &stage, &mut played);
            played.faults.extend(done.err());
        }
        played
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_page_that_says_what_is_so_has_no_fault() {
        let played = of(
            "```sh\necho a b\n```\n\n```text\na …\n```\n<!-- exits 3 -->\n```sh\nexit 3\n```\n<!-- not run: needs a Mac -->\n```sh\nnever\n```\n```toml\n# a/b.toml\nx = 1\n```\n```sh\ngrep x a/b.toml\n```\n",
        );
        assert!(played.faults.is_empty(), "{:?}", played.faults);
        assert_eq!((played.ran, played.compared, played.left_out.len()), (3, 1, 1));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn whatever_is_not_so_or_not_tried_is_a_fault() {
        for text in [
            "```sh\nfalse\n```\n",
            "<!-- exits 1 -->\n```sh\ntrue\n```\n",
            "<!-- exits 1 -->\n```sh\ntrue\nfalse\n```\n",
            "<!-- exits 0 1 -->\n```sh\nfalse\ntrue\n```\n",
            "```sh\necho a\n```\n```text\nb\n```\n",
            "```sh\necho a\n```\nwords\n```text\na\n```\n",
            "```text\na\n```\n",
            "```yaml\na: 1\n```\n",
            "```toml\na = 1\n```\n",
            "```toml\n# suites/a.toml\na = 1\n```\n",
            "<!-- not run: because -->\n```sh\ntrue\n```\n",
            "<!-- from LICENSE -->\n```text\nno such licence\n```\n",
            "```sh\n# nothing\n```\n",
        ] {
            assert_eq!(of(text).faults.len(), 1, "{text}");
        }
    }
}
