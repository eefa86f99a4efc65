//! Reads the files of GRUB, systemd-boot and kernel-install into the two stages before a boot.
//!
//! Entries of other systems on the same disk are told apart by their `root=`. Entries for repairs
//! are passed over, for they lack parameters on purpose.

use verify_model::{
    ask::{Ask, DEFAULT_CAP},
    value::Value,
};

use crate::{
    capability::KERNEL,
    gathered::{FileText, Gathered, reason},
    parse::{boot_entry::BootEntry, cmdline::Cmdline, grub::Menu, shell::Shell},
};

const DEFAULTS: &str = "/etc/default/grub";
const DROP_INS: &str = "/etc/default/grub.d/*.cfg";
const GENERATED: &str = "/boot/grub*/grub.cfg";
const ENVIRONMENT: &str = "/boot/grub*/grubenv";
const ENTRIES: [&str; 3] = [
    "/boot/loader/entries/*.conf",
    "/efi/loader/entries/*.conf",
    "/boot/efi/loader/entries/*.conf",
];
const CMDLINE: &str = "/etc/kernel/cmdline";
const CMDLINE_DROP_INS: &str = "/etc/cmdline.d/*.conf";
const LOADER: &str = "/sys/firmware/efi/efivars/LoaderInfo-*";

/// Parameters that this is about; others may be whatever they are.
const NAMES: [&str; 8] = [
    "isolcpus",
    "nohz_full",
    "rcu_nocbs",
    "irqaffinity",
    "hugepages",
    "hugepagesz",
    "default_hugepagesz",
    "nohz",
];

/// Returns the names of the parameters that are compared.
pub(crate) fn expected_names() -> [&'static str; 8] {
    NAMES
}

/// Tells whether a text may set one of the parameters; a variable in it may.
fn matters(text: &str) -> bool {
    let text = text.replace('-', "_");
    text.contains('$') || NAMES.iter().any(|name| text.contains(&format!("{name}=")))
}

/// Returns what to gather.
pub(crate) fn asks() -> Vec<Ask> {
    let menu = Ask::ReadFiles { pattern: GENERATED.to_owned(), cap: DEFAULT_CAP };
    let files = [DEFAULTS, CMDLINE, KERNEL].map(Ask::file);
    let patterns =
        [DROP_INS, ENVIRONMENT, ENTRIES[0], ENTRIES[1], ENTRIES[2], CMDLINE_DROP_INS, LOADER];
    files.into_iter().chain([menu]).chain(patterns.map(Ask::files)).collect()
}

/// Holds what one stage gives the kernel.
#[derive(Debug)]
pub(crate) enum Stage {
    /// These parameters, and the file that says so.
    Line(Cmdline, String),
    /// There is no such file.
    Missing(String),
    /// It could not be read, and why.
    Unknown(String),
}

impl Stage {
    /// Turns what is found in a line into a value; a missing stage is absent.
    pub fn value(&self, find: impl FnOnce(&Cmdline) -> Value) -> Value {
        match self {
            Self::Line(line, _) => find(line),
            Self::Missing(how) => Value::Absent(how.clone()),
            Self::Unknown(why) => Value::Unreadable(why.clone()),
        }
    }
}

/// Holds what the boot loader is configured to give.
#[derive(Debug)]
pub(crate) struct Boot {
    /// Name of the boot loader.
    pub loader: Value,
    /// What a person has written.
    pub written: Stage,
    /// What the boot loader reads.
    pub generated: Stage,
    /// How `generated` is made from `written`.
    pub generate: &'static str,
}

/// Reads the files; `booted` is the command line of this boot.
pub(crate) fn read(gathered: Gathered<'_>, booted: &Cmdline) -> Boot {
    let entries: Vec<Result<Vec<FileText<'_>>, Value>> =
        ENTRIES.iter().map(|pattern| gathered.files(pattern)).collect();
    let has_entries = entries.iter().any(Result::is_ok);
    let started_by = gathered.files(LOADER).unwrap_or_default();
    let by = |name: &str| {
        let says = |text: &Result<&str, String>| {
            text.as_ref().is_ok_and(|text| text.replace('\0', "").contains(name))
        };
        started_by.iter().any(|(_, text)| says(text))
    };
    let menus = gathered.files(GENERATED);
    let grub = match &menus {
        Ok(_) => !(by("systemd-boot") && has_entries),
        // Where nobody may look into /boot, the file that GRUB is configured by tells.
        Err(Value::Unreadable(_)) => gathered.text(DEFAULTS).is_ok(),
        Err(_) => false,
    };
    if grub {
        return grub_boot(gathered, menus, entries, booted);
    }
    let release = gathered.text(KERNEL).map(str::trim).unwrap_or_default();
    let mut boot = entry_boot(gathered, entries, menus.as_ref().err(), release, booted);
    if by("systemd-boot") {
        boot.loader = Value::text("systemd-boot");
    }
    boot
}

fn grub_boot(
    gathered: Gathered<'_>,
    menus: Result<Vec<FileText<'_>>, Value>,
    entries: Vec<Result<Vec<FileText<'_>>, Value>>,
    booted: &Cmdline,
) -> Boot {
    let mut menu = Menu::default();
    let generated = match menus {
        Err(why) => Stage::Unknown(reason(why)),
        Ok(files) => match files.last() {
            Some((path, Ok(text))) => {
                menu = Menu::parse(text);
                let environment = load(gathered, &mut menu);
                if menu.has_blscfg && menu.entries.is_empty() {
                    let release = gathered.text(KERNEL).map(str::trim).unwrap_or_default();
                    from_entries(entries, &menu, release, booted)
                } else {
                    environment.unwrap_or_else(|| from_menu(&menu, path, booted))
                }
            }
            Some((_, Err(why))) => Stage::Unknown(why.clone()),
            None => Stage::Missing("no grub.cfg".to_owned()),
        },
    };
    let generate = if menu.has_blscfg {
        "run `grub2-mkconfig -o /boot/grub2/grub.cfg --update-bls-cmdline`, or give it to `grubby --update-kernel=ALL --args`"
    } else {
        "run update-grub (elsewhere: grub2-mkconfig -o /boot/grub2/grub.cfg)"
    };
    Boot {
        loader: Value::text("grub"),
        written: from_defaults(gathered, &menu),
        generated,
        generate,
    }
}

/// Loads GRUB's environment; says so where it may not be read and a line depends on it.
fn load(gathered: Gathered<'_>, menu: &mut Menu) -> Option<Stage> {
    match gathered.files(ENVIRONMENT) {
        Ok(files) => {
            for (_, text) in files {
                match text {
                    Ok(text) => menu.load(text),
                    Err(why) if menu.needs_environment() => return Some(Stage::Unknown(why)),
                    Err(_) => {}
                }
            }
            None
        }
        Err(Value::Unreadable(why)) if menu.needs_environment() => Some(Stage::Unknown(why)),
        Err(_) => None,
    }
}

/// Returns the parameters behind the path of a kernel.
fn behind(line: &str) -> &str {
    line.split_once(char::is_whitespace).map_or("", |(_, parameters)| parameters)
}

fn root(line: &Cmdline) -> Option<String> {
    line.all("root").next().map(str::to_owned)
}

fn from_menu(menu: &Menu, path: &str, booted: &Cmdline) -> Stage {
    let root_now = root(booted);
    let ordinary = || menu.entries.iter().filter(|entry| !entry.is_recovery());
    let ours = |line: &str| root_now.is_some() && root(&Cmdline::parse(behind(line))) == root_now;
    let has_ours = ordinary().any(|entry| ours(&entry.line));
    let mut wanted = ordinary().filter(|entry| !has_ours || ours(&entry.line));
    let default = menu.default_entry().map(|entry| &entry.line);
    let first = wanted.next();
    let chosen = first.into_iter().chain(wanted).find(|entry| Some(&entry.line) == default);
    let Some(entry) = chosen.or(first) else {
        return Stage::Missing(format!("{path} starts no Linux kernel"));
    };
    match menu.expanded(behind(&entry.line), matters) {
        Ok(line) => Stage::Line(Cmdline::parse(&line), format!("`{}` in {path}", entry.title)),
        Err(why) => Stage::Unknown(format!("{path}: {why}")),
    }
}

fn from_defaults(gathered: Gathered<'_>, menu: &Menu) -> Stage {
    let mut shell = Shell::default();
    let mut files: Vec<FileText<'_>> = Vec::new();
    match gathered.value(DEFAULTS, |_| Ok(Value::Bool(true))) {
        Value::Absent(_) => {}
        Value::Unreadable(why) => return Stage::Unknown(why),
        _ => files.push((DEFAULTS, gathered.text(DEFAULTS).map_err(|error| error.message))),
    }
    match gathered.files(DROP_INS) {
        Ok(found) => files.extend(found),
        Err(Value::Absent(_)) => {}
        Err(why) => return Stage::Unknown(reason(why)),
    }
    if files.is_empty() {
        return Stage::Missing(format!("no {DEFAULTS} and no {DROP_INS}"));
    }
    for (path, text) in files {
        let read = text.and_then(|text| shell.read(&format!("{text}\n"), matters));
        if let Err(why) = read {
            return Stage::Unknown(format!("{path}: {why}"));
        }
    }
    // In this order they stand in the entry, and the first of a parameter may count.
    let names = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"];
    let parts: Result<Vec<String>, String> = names
        .into_iter()
        .map(|name| {
            let value = shell.value(name).map_err(|why| format!("{name}: {why}"))?;
            menu.expanded(&value, matters)
        })
        .collect();
    match parts {
        Ok(parts) => Stage::Line(Cmdline::parse(&parts.join(" ")), DEFAULTS.to_owned()),
        Err(why) => Stage::Unknown(format!("{DEFAULTS}: {why}")),
    }
}

fn entry_boot(
    gathered: Gathered<'_>,
    entries: Vec<Result<Vec<FileText<'_>>, Value>>,
    no_menu: Option<&Value>,
    release: &str,
    booted: &Cmdline,
) -> Boot {
    let generated = from_entries(entries, &Menu::default(), release, booted);
    let with_drop_ins = matches!(generated, Stage::Missing(_));
    let written = from_kernel_cmdline(gathered, with_drop_ins);
    let loader = match (&generated, &written, no_menu) {
        (Stage::Line(..), ..) => Value::text("systemd-boot"),
        (_, Stage::Line(..), _) => Value::text("kernel-install"),
        // Nobody could look: there may be any.
        (_, _, Some(Value::Unreadable(why)))
        | (Stage::Unknown(why), ..)
        | (_, Stage::Unknown(why), _) => Value::Unreadable(why.clone()),
        _ => Value::Absent("no configuration of GRUB or systemd-boot".to_owned()),
    };
    let generate = "run `kernel-install add-all` (where the kernel is one image, rebuild it)";
    Boot { loader, written, generated, generate }
}

fn from_kernel_cmdline(gathered: Gathered<'_>, with_drop_ins: bool) -> Stage {
    let mut texts: Vec<(&str, Result<&str, String>)> = Vec::new();
    match gathered.value(CMDLINE, |_| Ok(Value::Bool(true))) {
        Value::Absent(_) => {}
        Value::Unreadable(why) => return Stage::Unknown(why),
        _ => texts.push((CMDLINE, gathered.text(CMDLINE).map_err(|error| error.message))),
    }
    // Only images take these in; an entry does not.
    match gathered.files(CMDLINE_DROP_INS) {
        Ok(found) if with_drop_ins => texts.extend(found),
        Err(Value::Unreadable(why)) if with_drop_ins => return Stage::Unknown(why),
        _ => {}
    }
    let Some((first, _)) = texts.first().cloned() else {
        return Stage::Missing(format!("no {CMDLINE}"));
    };
    let mut line = String::new();
    for (_, text) in texts {
        let text = match text {
            Ok(text) => text,
            Err(why) => return Stage::Unknown(why),
        };
        for part in text.lines().filter(|part| !part.trim_start().starts_with('#')) {
            line.push_str(part);
            line.push(' ');
        }
    }
    Stage::Line(Cmdline::parse(&line), first.to_owned())
}

fn from_entries(
    entries: Vec<Result<Vec<FileText<'_>>, Value>>,
    menu: &Menu,
    release: &str,
    booted: &Cmdline,
) -> Stage {
    let mut found: Vec<(String, BootEntry)> = Vec::new();
    let mut unread = None;
    for folder in entries {
        match folder {
            Ok(files) => {
                for (path, text) in files {
                    match text {
                        Ok(text) => {
                            found.extend(BootEntry::parse(text).map(|e| (path.to_owned(), e)));
                        }
                        Err(why) => unread = unread.or(Some(why)),
                    }
                }
            }
            Err(Value::Unreadable(why)) => unread = unread.or(Some(why)),
            Err(_) => {}
        }
    }
    // One that could not be read may be the one that is booted.
    if let (true, Some(why)) = (found.is_empty(), &unread) {
        return Stage::Unknown(why.clone());
    }
    let root_now = root(booted);
    let ours = |e: &BootEntry| root_now.is_some() && root(&Cmdline::parse(&e.options)) == root_now;
    found.retain(|(_, entry)| !entry.is_recovery());
    if found.iter().any(|(_, entry)| ours(entry)) {
        found.retain(|(_, entry)| ours(entry));
    }
    let running = found.iter().find(|(_, entry)| entry.starts(release));
    if let (None, Some(why)) = (running, unread) {
        return Stage::Unknown(why);
    }
    let Some((path, entry)) = running.or(found.last()) else {
        return Stage::Missing("no boot entry starts a Linux kernel".to_owned());
    };
    match menu.expanded(&entry.options, matters) {
        Ok(line) => Stage::Line(Cmdline::parse(&line), path.clone()),
        Err(why) => Stage::Unknown(format!("{path}: {why}")),
    }
}
