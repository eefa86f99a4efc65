//! Which values a shell gives to variables by a file of assignments, such as `/etc/default/grub`.
//!
//! Nothing is run. Quotes, escapes, comments, `$NAME`, `${NAME:-word}` and the order of assignments
//! are followed; what only a shell could tell (`$(...)`, another file, an assignment under a
//! condition) makes the variable unknown with the reason, never empty. A conditional assignment
//! that can make no difference to the parameters in question is taken as made.
//!
//! *Source*: POSIX.1-2017, Shell Command Language, 2.2, 2.6.2 and 2.9.1.

use std::collections::BTreeMap;

/// Bounds how deep `${A:-${B:-...}}` is followed.
const DEPTH: usize = 8;
/// Bounds a value, for `A=$A$A` doubles with each line. *Units*: B.
const LONGEST: usize = 256 * 1024;

/// Special built-in programs, as far as a file of assignments may hold them.
const SPECIAL: [&str; 7] = [":", ".", "eval", "export", "readonly", "set", "unset"];

/// Holds a value, or why it is not known.
pub type Word = Result<String, String>;

/// Holds the variables after the files that were read.
#[derive(Debug, Default)]
pub struct Shell {
    variables: BTreeMap<String, Word>,
    lost: Option<String>,
}

impl Shell {
    /// Runs the assignments of one file; `matters` tells whether a value has what is looked for.
    ///
    /// *Errors*: the text is no shell script, as with an open quote.
    pub fn read(&mut self, text: &str, matters: fn(&str) -> bool) -> Result<(), String> {
        let text = text.replace("\r\n", "\n");
        Reader { shell: self, rest: &text, matters, nesting: 0, parentheses: 0 }.run()
    }

    /// Returns the value of a variable; one that was never set is empty.
    ///
    /// *Errors*: why it is not known.
    pub fn value(&self, name: &str) -> Word {
        match (&self.lost, self.variables.get(name)) {
            (Some(why), _) => Err(why.clone()),
            (None, Some(word)) => word.clone(),
            (None, None) => Ok(String::new()),
        }
    }
}

struct Reader<'a> {
    shell: &'a mut Shell,
    rest: &'a str,
    matters: fn(&str) -> bool,
    nesting: usize,
    parentheses: usize,
}

impl Reader<'_> {
    fn run(&mut self) -> Result<(), String> {
        let mut conditional = false;
        while !self.rest.is_empty() {
            let command = self.command()?;
            self.carry_out(command, conditional);
            conditional = match self.separator() {
                "&&" | "||" => true,
                "|" | "&" => conditional,
                _ => false,
            };
        }
        Ok(())
    }

    /// Takes what ends a command and keeps count of subshells.
    fn separator(&mut self) -> &'static str {
        for token in ["&&", "||", "\n", ";", "|", "&", "(", ")", "<", ">"] {
            if let Some(rest) = self.rest.strip_prefix(token) {
                self.rest = rest;
                match token {
                    "(" => self.parentheses += 1,
                    ")" => self.parentheses = self.parentheses.saturating_sub(1),
                    _ => {}
                }
                return token;
            }
        }
        ""
    }

    /// Reads the words up to the next separator.
    fn command(&mut self) -> Result<Vec<(String, Word)>, String> {
        let mut words: Vec<(String, Word)> = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
            if let Some(rest) = self.rest.strip_prefix("\\\n") {
                self.rest = rest;
                continue;
            }
            if self.rest.starts_with('#') {
                self.rest = self.rest.find('\n').map_or("", |at| &self.rest[at..]);
            }
            match self.rest.chars().next() {
                None | Some('\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>') => return Ok(words),
                Some(_) => {
                    let pending = pending(&words);
                    let before = self.rest;
                    let word = self.word(&pending)?;
                    let raw = &before[..before.len() - self.rest.len()];
                    words.push((raw.to_owned(), word));
                }
            }
        }
    }

    /// Reads one word; quotes are taken off and variables put in.
    fn word(&mut self, pending: &BTreeMap<String, Word>) -> Result<Word, String> {
        let mut word = Ok(String::new());
        while let Some(c) = self.rest.chars().next() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => {
                    let (quoted, rest) =
                        self.rest[1..].split_once('\'').ok_or("a quote is open at the end")?;
                    push(&mut word, Ok(quoted));
                    self.rest = rest;
                }
                '"' => {
                    self.rest = &self.rest[1..];
                    self.quoted(&mut word, pending)?;
                }
                '\\' => {
                    let next = self.rest[1..].chars().next();
                    if let Some(next) = next.filter(|next| *next != '\n') {
                        push(&mut word, Ok(next.encode_utf8(&mut [0; 4])));
                    }
                    self.rest = &self.rest[1 + next.map_or(0, char::len_utf8)..];
                }
                '$' | '`' => self.expansion(&mut word, pending)?,
                other => {
                    push(&mut word, Ok(other.encode_utf8(&mut [0; 4])));
                    self.rest = &self.rest[other.len_utf8()..];
                }
            }
        }
        Ok(word)
    }

    /// Reads on to the closing double quote.
    fn quoted(&mut self, word: &mut Word, pending: &BTreeMap<String, Word>) -> Result<(), String> {
        loop {
            let c = self.rest.chars().next().ok_or("a quote is open at the end")?;
            match c {
                '"' => {
                    self.rest = &self.rest[1..];
                    return Ok(());
                }
                '$' | '`' => self.expansion(word, pending)?,
                '\\' if self.rest[1..].starts_with(['$', '`', '"', '\\', '\n']) => {
                    if !self.rest[1..].starts_with('\n') {
                        push(word, Ok(&self.rest[1..2]));
                    }
                    self.rest = &self.rest[2..];
                }
                other => {
                    push(word, Ok(other.encode_utf8(&mut [0; 4])));
                    self.rest = &self.rest[other.len_utf8()..];
                }
            }
        }
    }

    /// Puts in what stands behind a `$` or between backquotes.
    fn expansion(
        &mut self,
        word: &mut Word,
        pending: &BTreeMap<String, Word>,
    ) -> Result<(), String> {
        let lookup = |name: &str| match pending.get(name) {
            Some(word) => word.clone(),
            None => self.shell.value(name),
        };
        let (value, rest) = expand(self.rest, &lookup, DEPTH)?;
        push(word, value.as_deref().map_err(String::as_str));
        self.rest = rest;
        Ok(())
    }

    /// Makes the assignments of a command; words that open a block are taken off first.
    fn carry_out(&mut self, words: Vec<(String, Word)>, conditional: bool) {
        let mut words = words.into_iter().peekable();
        while let Some((raw, _)) = words.peek() {
            match raw.as_str() {
                "if" | "while" | "until" | "for" | "case" | "{" => self.nesting += 1,
                "fi" | "done" | "esac" | "}" => self.nesting = self.nesting.saturating_sub(1),
                "then" | "else" | "elif" | "do" | "!" => {}
                _ => break,
            }
            words.next();
        }
        let words: Vec<(String, Word)> = words.collect();
        let sure = !conditional && self.nesting == 0 && self.parentheses == 0;
        match words.first().map(|(raw, _)| raw.as_str()) {
            Some("." | "source") => {
                let name = words.get(1).map_or("", |(raw, _)| raw.as_str());
                // It sets the name of the distribution and no parameter.
                if !name.ends_with("os-release") && sure {
                    self.shell.lost = Some(format!("it reads another file, {name}"));
                }
            }
            Some("unset") if sure => {
                for (name, _) in &words[1..] {
                    self.shell.variables.remove(name);
                }
            }
            _ => {}
        }
        // `NAME=value program` sets it for the program alone, unless that is a special built-in.
        let after = words.iter().position(|(raw, _)| name_of(raw).is_none());
        let stays = after.is_none_or(|at| SPECIAL.contains(&words[at].0.as_str()));
        // Quotes and variables can make any word of any other.
        let expands = |(raw, _): &(String, Word)| {
            name_of(raw).is_none() && raw.contains(['$', '`', '\'', '"', '\\'])
        };
        let command = after.map_or(&[][..], |at| &words[at..]);
        let run = if stays { command } else { command.get(..1).unwrap_or_default() };
        if run.iter().any(expands) || run.first().is_some_and(|(raw, _)| raw == "eval") {
            self.shell.lost = Some("it runs what a variable holds".to_owned());
        }
        if stays {
            for (raw, word) in words {
                self.assign(&raw, word, sure);
            }
        }
    }

    fn assign(&mut self, raw: &str, word: Word, sure: bool) {
        let Some((name, appends)) = name_of(raw) else { return };
        let value = word.map(|text| text[text.find('=').map_or(0, |at| at + 1)..].to_owned());
        let old = self.shell.value(name);
        let matters = self.matters;
        let plain = |word: &Word| word.as_ref().is_ok_and(|text| !matters(text));
        let value = if appends {
            Err(format!("`{name}+=` is not in every shell"))
        } else if sure || value == old || (plain(&old) && plain(&value)) {
            value
        } else {
            Err(format!("`{name}` is set under a condition"))
        };
        self.shell.variables.insert(name.to_owned(), value);
    }
}

/// Returns the assignments that stand before a word of the same command.
fn pending(words: &[(String, Word)]) -> BTreeMap<String, Word> {
    // The words of a program, `export` too, are read before any of them takes effect.
    let assigned = words.iter().map_while(|(raw, word)| {
        let (name, _) = name_of(raw)?;
        let value =
            word.clone().map(|text| text[text.find('=').map_or(0, |at| at + 1)..].to_owned());
        Some((name.to_owned(), value))
    });
    assigned.collect()
}

/// Finds the name in an assignment, and whether it appends.
fn name_of(raw: &str) -> Option<(&str, bool)> {
    let (name, _) = raw.split_once('=')?;
    let (name, appends) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
    (name_length(name) == name.len() && !name.is_empty()).then_some((name, appends))
}

fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

fn push(word: &mut Word, part: Result<&str, &str>) {
    match (word.as_mut(), part) {
        (Ok(text), Ok(part)) if text.len() + part.len() <= LONGEST => text.push_str(part),
        (Ok(_), Ok(_)) => *word = Err("a value grows without end".to_owned()),
        (Ok(_), Err(why)) => *word = Err(why.to_owned()),
        (Err(_), _) => {}
    }
}

/// Reads an expansion at the beginning of a text, and returns its value and what follows.
///
/// *Errors*: it has no end.
pub(super) fn expand<'a>(
    text: &'a str,
    lookup: &dyn Fn(&str) -> Word,
    depth: usize,
) -> Result<(Word, &'a str), String> {
    if let Some(program) = text.strip_prefix('`') {
        let end = program.find('`').ok_or("a backquote is open at the end")?;
        return Ok((Err("it runs a program".to_owned()), &program[end + 1..]));
    }
    let rest = text.strip_prefix('$').unwrap_or(text);
    if rest.starts_with('(') {
        let end = closing(rest, '(', ')').ok_or("`$(` has no end")?;
        return Ok((Err("it runs a program".to_owned()), &rest[end..]));
    }
    if rest.starts_with('{') {
        let end = closing(rest, '{', '}').ok_or("`${` has no end")?;
        return Ok((braced(&rest[1..end - 1], lookup, depth)?, &rest[end..]));
    }
    let length = name_length(rest);
    if rest[length..].starts_with("\\\n") {
        return Ok((Err("a name goes on in the next line".to_owned()), &rest[length..]));
    }
    if length > 0 {
        return Ok((lookup(&rest[..length]), &rest[length..]));
    }
    if let Some(c) = rest.chars().next().filter(|c| "@*#?-$!0123456789".contains(*c)) {
        return Ok((Err(format!("`${c}` is known to the shell alone")), &rest[c.len_utf8()..]));
    }
    Ok((Ok("$".to_owned()), rest))
}

/// Finds the end of what a bracket opens; brackets inside quotes do not count.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut level = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"') | None, '\\') => escaped = true,
            (Some(end), c) if c == end => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c == open => level += 1,
            (None, c) if c == close => {
                level -= 1;
                if level == 0 {
                    return Some(at + c.len_utf8());
                }
            }
            _ => {}
        }
    }
    None
}

/// Reads what stands between `${` and `}`.
fn braced(inner: &str, lookup: &dyn Fn(&str) -> Word, depth: usize) -> Result<Word, String> {
    let length = name_length(inner);
    let (name, operator) = inner.split_at(length);
    let wrong = || Ok(Err(format!("`${{{inner}}}` is not followed here")));
    if length == 0 || depth == 0 {
        return wrong();
    }
    let value = lookup(name);
    if operator.is_empty() {
        return Ok(value);
    }
    let is_set = match &value {
        Err(why) => return Ok(Err(why.clone())),
        // Whether an empty variable is set is not kept; only the forms with a colon do not ask.
        Ok(text) => !text.is_empty(),
    };
    let (uses_word, word) = match (operator.strip_prefix(":-"), operator.strip_prefix(":+")) {
        (Some(word), _) => (!is_set, word),
        (_, Some(word)) => (is_set, word),
        _ => return wrong(),
    };
    if !uses_word {
        return Ok(if operator.starts_with(":-") { value } else { Ok(String::new()) });
    }
    if word.contains(['\'', '"', '\\', '`']) {
        return wrong();
    }
    let mut text = Ok(String::new());
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        push(&mut text, Ok(&rest[..at]));
        let (value, after) = expand(&rest[at..], lookup, depth - 1)?;
        push(&mut text, value.as_deref().map_err(String::as_str));
        rest = after;
    }
    push(&mut text, Ok(rest));
    Ok(text)
}
