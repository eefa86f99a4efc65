//! Which lines GRUB would boot by the `grub.cfg` that was generated.
//!
//! Entries keep their place in the menu, so that `default` can be followed. Variables are the ones
//! that the file and `grubenv` set; one that is set under a condition is unknown only if it could
//! make a difference. Scripts are not run.
//!
//! *Source*: GNU GRUB manual, 6.2 (shell-like scripting), 6.1.1 `default`, 15.3 the environment
//! block; `10_linux.in` of `grub-mkconfig`.

use std::collections::BTreeMap;

use super::shell::{Word, expand};

/// Holds one line that starts a Linux kernel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Title in the menu.
    pub title: String,
    /// What `default` may name it by.
    id: String,
    /// Places in the menu and its submenus.
    place: Vec<usize>,
    /// The kernel and its parameters, as written.
    pub line: String,
}

impl Entry {
    /// Tells whether the entry is for repairs: it lacks most parameters on purpose.
    pub fn is_recovery(&self) -> bool {
        let words = ["single", "recovery", "rescue", "emergency"];
        let title = self.title.to_ascii_lowercase();
        title.contains("recovery mode")
            || title.contains("rescue")
            || self.line.split_whitespace().any(|word| words.contains(&word))
    }
}

/// Holds what was read of a `grub.cfg`.
#[derive(Debug, Default)]
pub(crate) struct Menu {
    /// Entries in order.
    pub entries: Vec<Entry>,
    /// Whether entries are taken from `loader/entries`, too.
    pub has_blscfg: bool,
    variables: BTreeMap<String, Vec<(bool, String)>>,
}

/// Bounds how deep blocks are followed.
const DEPTH: usize = 64;

enum Block {
    Menu(usize),
    Other,
}

impl Menu {
    /// Reads the file; every text is one.
    pub fn parse(text: &str) -> Self {
        let mut menu = Self::default();
        let mut blocks: Vec<Block> = Vec::new();
        let mut conditions = 0_usize;
        let mut next = vec![0_usize];
        let mut heads: Vec<(String, String)> = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            let rest = rest.trim();
            match word {
                "menuentry" | "submenu" if blocks.len() < DEPTH => {
                    heads.push(head(rest));
                    blocks.push(Block::Menu(next.len()));
                    next.push(0);
                }
                "function" => blocks.push(Block::Other),
                "}" => {
                    if let Some(Block::Menu(level)) = blocks.pop() {
                        next.truncate(level);
                        heads.pop();
                        if let Some(place) = next.last_mut() {
                            *place += 1;
                        }
                    }
                }
                "if" | "for" | "while" | "until" => conditions += 1,
                "fi" | "done" => conditions = conditions.saturating_sub(1),
                "set" => menu.assign(rest, conditions > 0 || !blocks.is_empty()),
                "linux" | "linux16" | "linuxefi" => {
                    if let Some((title, id)) = heads.last().cloned() {
                        let depth = next.len() - 1;
                        let place = next[..depth].to_vec();
                        menu.entries.push(Entry { title, id, place, line: rest.to_owned() });
                    }
                }
                "blscfg" => menu.has_blscfg = true,
                _ => {}
            }
        }
        menu
    }

    fn assign(&mut self, rest: &str, conditional: bool) {
        let Some((name, value)) = rest.split_once('=') else { return };
        let assigned = self.variables.entry(name.to_owned()).or_default();
        assigned.push((conditional, unquoted(value)));
    }

    /// Takes in the environment block.
    pub fn load(&mut self, block: &str) {
        for line in block.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, value)) = line.split_once('=') {
                // The block is loaded before the menu is built.
                let assigned = self.variables.entry(name.to_owned()).or_default();
                assigned.insert(0, (false, value.to_owned()));
            }
        }
    }

    /// Tells whether a line takes a variable that the file does not set, so that `grubenv` may.
    pub fn needs_environment(&self) -> bool {
        let mut names = self.entries.iter().flat_map(|entry| entry.line.split('$').skip(1));
        let is_set = |name: &str| self.variables.keys().any(|set| name.starts_with(set.as_str()));
        let saved = self.last("default").is_some_and(|default| default.contains('$'));
        saved || self.has_blscfg || names.any(|name| !is_set(name.trim_start_matches('{')))
    }

    fn last(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.last().map(|(_, value)| value.as_str())
    }

    /// Puts the variables into a line; one that nobody sets is empty.
    ///
    /// *Errors*: the value depends on a condition, and it matters.
    pub fn expanded(&self, line: &str, matters: fn(&str) -> bool) -> Word {
        let lookup = |name: &str| -> Word {
            let Some(assigned) = self.variables.get(name) else { return Ok(String::new()) };
            let last = assigned.last().map_or("", |(_, value)| value.as_str());
            let differs = assigned.iter().any(|(conditional, value)| *conditional && value != last)
                || assigned.last().is_some_and(|(conditional, _)| *conditional);
            if differs && assigned.iter().any(|(_, value)| matters(value)) {
                return Err(format!("`{name}` is set under a condition"));
            }
            Ok(last.to_owned())
        };
        let mut text = String::new();
        let mut rest = line;
        while let Some(at) = rest.find('$') {
            text.push_str(&rest[..at]);
            let (value, after) = expand(&rest[at..], &lookup, 1)?;
            text.push_str(&value?);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    /// Returns the entry that `default` names, where it can be told.
    pub fn default_entry(&self) -> Option<&Entry> {
        let named = self.last("default").unwrap_or("0");
        let named = match named {
            "${saved_entry}" | "$saved_entry" => self.last("saved_entry").unwrap_or("0"),
            other => other,
        };
        let named = if named.is_empty() { "0" } else { named };
        let last = named.rsplit('>').next().unwrap_or(named);
        let place: Option<Vec<usize>> = named.split('>').map(|part| part.parse().ok()).collect();
        self.entries.iter().find(|entry| match &place {
            Some(place) => entry.place.starts_with(place),
            None => entry.title == last || entry.id == last,
        })
    }
}

/// Reads the title and the id behind `menuentry`.
fn head(rest: &str) -> (String, String) {
    let title = quoted(rest).unwrap_or_default();
    let id = ["$menuentry_id_option", "--id"].into_iter().find_map(|option| {
        let (_, id) = rest.split_once(option)?;
        quoted(id.trim_start_matches('='))
    });
    (title, id.unwrap_or_default())
}

/// Returns the first word; quotes are taken off.
fn quoted(text: &str) -> Option<String> {
    let text = text.trim_start();
    let quote = text.chars().next()?;
    if quote == '\'' || quote == '"' {
        return text[1..].split_once(quote).map(|(word, _)| word.to_owned());
    }
    text.split_whitespace().next().map(str::to_owned)
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    if value.starts_with(['"', '\'']) {
        return quoted(value).unwrap_or_default();
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
set default="0"
function gfxmode {
  if [ "${1}" = "keep" ]; then
    set vt_handoff=vt.handoff=7
  else
    set vt_handoff=
  fi
}
menuentry 'Ubuntu' --class gnu $menuentry_id_option 'simple-1' {
	linux	/vmlinuz-6.8 root=UUID=1 ro isolcpus=6,7 quiet $vt_handoff
}
submenu 'Advanced options' $menuentry_id_option 'advanced-1' {
	menuentry 'Ubuntu, with Linux 6.8' $menuentry_id_option 'a' {
		linux	/vmlinuz-6.8 root=UUID=1 ro isolcpus=6,7
	}
	menuentry 'Ubuntu, with Linux 6.8 (recovery mode)' $menuentry_id_option 'b' {
		linux	/vmlinuz-6.8 root=UUID=1 ro recovery nomodeset
	}
}
menuentry 'Other' --id other {
	linux /boot/x root=/dev/sdb1
}
"#;

    fn chosen(default: &str) -> Option<String> {
        let text = TEXT.replace("default=\"0\"", &format!("default=\"{default}\""));
        let mut menu = Menu::parse(&text);
        menu.load("# GRUB Environment Block\nsaved_entry=advanced-1>b\n####");
        menu.default_entry().map(|entry| entry.title.clone())
    }

    #[test]
    fn the_default_is_found_by_place_by_title_and_by_id() {
        assert_eq!(chosen("0").unwrap(), "Ubuntu");
        assert_eq!(chosen("1>0").unwrap(), "Ubuntu, with Linux 6.8");
        assert_eq!(chosen("2").unwrap(), "Other");
        assert_eq!(chosen("other").unwrap(), "Other");
        let recovery = "Ubuntu, with Linux 6.8 (recovery mode)";
        assert_eq!(chosen("${saved_entry}").unwrap(), recovery);
        assert_eq!(chosen("gone"), None);
    }

    #[test]
    fn recovery_entries_are_known_and_variables_are_put_in() {
        let menu = Menu::parse(TEXT);
        let recovery: Vec<bool> = menu.entries.iter().map(Entry::is_recovery).collect();
        assert_eq!(recovery, [false, false, true, false]);
        let line = menu.expanded(&menu.entries[0].line, |text| text.contains("isolcpus"));
        assert_eq!(line.unwrap(), "/vmlinuz-6.8 root=UUID=1 ro isolcpus=6,7 quiet ");
        let unsure = "if [ x ]; then\nset a=isolcpus=1\nelse\nset a=\nfi\n";
        assert!(Menu::parse(unsure).expanded("$a", |text| text.contains("isolcpus")).is_err());
        assert_eq!(Menu::parse(unsure).expanded("$a", |_| false).unwrap(), "");
        assert_eq!(Menu::parse("set a=\"b c\"\n").expanded("x ${a}", |_| true).unwrap(), "x b c");
    }

    #[test]
    fn what_a_condition_sets_is_known_only_where_every_way_gives_the_same() {
        let value = |text: &str| Menu::parse(text).expanded("$a", |text| text.contains("isolcpus"));
        let sure = "set a=isolcpus=1\n";
        let perhaps = |value: &str| format!("if [ x ]; then\nset a={value}\nfi\n");
        assert_eq!(value(sure).unwrap(), "isolcpus=1");
        value(&perhaps("isolcpus=1")).unwrap_err();
        value(&format!("{sure}{}", perhaps("isolcpus=2"))).unwrap_err();
        value(&format!("{}set a=\n", perhaps("isolcpus=1"))).unwrap_err();
        assert_eq!(value(&format!("{}{sure}", perhaps("isolcpus=1"))).unwrap(), "isolcpus=1");
        assert_eq!(value(&format!("set a=quiet\n{}", perhaps("splash"))).unwrap(), "splash");
    }

    #[test]
    fn menus_are_followed_so_deep_and_no_deeper() {
        let nested = |depth: usize| {
            let open = "submenu 'a' {\n".repeat(depth);
            Menu::parse(&format!("{open}menuentry 'b' {{\nlinux /x\n}}\n{}", "}\n".repeat(depth)))
        };
        let places = |depth| nested(depth).entries.iter().map(|one| one.place.len()).max();
        assert_eq!(places(DEPTH - 1), Some(DEPTH));
        assert!(places(DEPTH + 40) <= Some(DEPTH), "{:?}", places(DEPTH + 40));
    }

    #[test]
    fn the_environment_is_needed_for_what_the_file_does_not_set() {
        let needs = |text: &str| Menu::parse(text).needs_environment();
        let entry = |line: &str| format!("menuentry 'a' {{\n\tlinux /vmlinuz {line}\n}}\n");
        assert!(!needs(&entry("quiet")) && !needs(TEXT));
        assert!(needs(&entry("$kernelopts")) && needs(&entry("${kernelopts}")));
        assert!(!needs(&format!("set kernelopts=quiet\n{}", entry("${kernelopts}"))));
        assert!(needs(&format!("set default=\"${{saved_entry}}\"\n{}", entry("quiet"))));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_menu(text in "((menuentry|submenu|set|linux|if|fi|\\}|function|[$\\{\\}'\"=> ab0])[ \n]?){0,60}") {
            let mut menu = Menu::parse(&text);
            menu.load(&text);
            let _ = menu.default_entry();
            let _ = menu.expanded(&text, |_| true);
        }
    }
}
