//! Where intention, boot and effect disagree: each as one text that ends with what to do.
//!
//! *Shape*: `kind: what was found; do: what to do now`. What could not be compared, because a file
//! may not be read, makes the whole list unreadable unless something was found all the same: an
//! empty list always means that everything was compared.

use verify_model::value::Value;

use super::loader::{Boot, Stage, expected_names};
use crate::{
    load::diagnostic::did_you_mean,
    parse::{cmdline::Cmdline, kernel_log::Line},
};

/// Collects what disagrees about one setting.
#[derive(Debug, Default)]
pub(crate) struct Disagreements {
    items: Vec<String>,
    unknown: Option<String>,
}

impl Disagreements {
    /// Adds one.
    pub fn add(&mut self, kind: &str, what: &str, action: &str) {
        let item = format!("{kind}: {what}; do: {action}");
        if !self.items.contains(&item) {
            self.items.push(item);
        }
    }

    /// Keeps that something could not be compared.
    pub fn cannot_tell(&mut self, why: &str) {
        self.unknown.get_or_insert_with(|| why.to_owned());
    }

    /// Returns the list.
    pub fn value(self) -> Value {
        match self.unknown {
            Some(why) if self.items.is_empty() => Value::Unreadable(why),
            _ => Value::List(self.items.into_iter().map(Value::Text).collect()),
        }
    }

    /// Compares what is written, generated and booted; `meaning` renders a line so that equal
    /// meanings read the same.
    pub fn stages(&mut self, boot: &Boot, booted: &Cmdline, meaning: &dyn Fn(&Cmdline) -> String) {
        let now = meaning(booted);
        let generate = boot.generate;
        let repair = ["single", "recovery", "rescue", "emergency"]
            .iter()
            .any(|word| booted.all(word).next().is_some());
        let reboot = if repair { "reboot: this is a boot for repairs" } else { "reboot" };
        for stage in [&boot.written, &boot.generated] {
            if let Stage::Unknown(why) = stage {
                let denied = why.contains("ermission denied");
                let grant = if denied { " (run as root to compare)" } else { "" };
                self.cannot_tell(&format!("{why}{grant}"));
            }
        }
        let next = match &boot.generated {
            Stage::Line(line, place) => Some((meaning(line), place)),
            Stage::Missing(_) | Stage::Unknown(_) => None,
        };
        let none = meaning(&Cmdline::parse(""));
        if let Stage::Line(line, place) = &boot.written {
            let meant = meaning(line);
            match &next {
                Some((next, entry)) if meant == none && *next != none => {
                    let what = format!("{entry} gives {next}, {place} gives {meant}");
                    let action = format!("write it to {place}, or the next update drops it");
                    self.add("not-written", &what, &action);
                }
                Some((next, entry)) if meant != *next => {
                    let what = format!("{place} gives {meant}, {entry} gives {next}");
                    self.add("not-generated", &what, &format!("{generate}, then reboot"));
                }
                None if meant == none && now != none => {
                    let what = format!("booted is {now}, {place} gives {meant}");
                    self.add("not-written", &what, &format!("write it to {place}"));
                }
                None if meant != now => {
                    let what = format!("{place} gives {meant}, booted is {now}");
                    self.add("not-booted", &what, &format!("{generate}, then {reboot}"));
                }
                _ => {}
            }
        }
        match next {
            Some((next, entry)) if next == none && now != none => {
                let what = format!("booted is {now}, {entry} gives {next}: the next boot lacks it");
                let action = "write it to the boot loader's configuration to keep it, or reboot";
                self.add("not-kept", &what, action);
            }
            Some((next, entry)) if next != now => {
                self.add("not-booted", &format!("{entry} gives {next}, booted is {now}"), reboot);
            }
            _ => {}
        }
    }

    /// Finds words about some parameters that never reach them: misspelt, repeated, meant for init.
    pub fn words(&mut self, text: &str, names: &[&'static str], lines: &[Line]) {
        let booted = Cmdline::parse(text);
        for name in names {
            for value in Cmdline::for_init(text).all(name) {
                let what = format!("`{name}={value}` stands behind ` -- ` and goes to init");
                self.add("behind-dashes", &what, "move it before the dashes and reboot");
            }
        }
        // What the kernel refuses it hands on, as it does what it does not know.
        let refused = "Unknown kernel command line parameters";
        for line in lines.iter().filter(|line| line.text.starts_with(refused)) {
            if names.iter().any(|name| line.text.contains(&format!("{name}="))) {
                let action = "correct the parameter in the boot loader's configuration and reboot";
                self.add("kernel-says", &format!("`{}`", line.text.trim()), action);
            }
        }
        for (name, word) in booted.iter() {
            if expected_names().contains(&name) {
                continue;
            }
            let meant = did_you_mean(name, expected_names().into_iter().filter(|n| *n != "nohz"));
            let Some(meant) = meant.filter(|meant| names.contains(meant)) else { continue };
            let said = lines
                .iter()
                .find(|line| line.text.starts_with(refused) && line.text.contains(&word));
            let said = said.map(|line| format!(" (`{}`)", line.text)).unwrap_or_default();
            let what = format!("`{word}` is no parameter of the kernel{said}");
            let action = format!("write `{meant}` in the boot loader's configuration and reboot");
            self.add("misspelt", &what, &action);
        }
    }

    /// Quotes the lines of the kernel's log that hold one of some texts.
    pub fn said(&mut self, lines: &[Line], texts: &[&str], action: &str) {
        for line in lines {
            if texts.iter().any(|text| line.text.contains(text)) {
                self.add("kernel-says", &format!("`{}`", line.text.trim()), action);
            }
        }
    }
}
