//! What an ELF file says it needs to start: machine, interpreter, libraries, versions of symbols.
//!
//! It is read, never started. Names stand as they are in the file; what they mean for another
//! machine, the reader of the document decides.

use std::{fs, path::Path};

use object::{
    Endianness, FileKind,
    elf::{self, FileHeader32, FileHeader64},
    read::elf::{Dyn as _, FileHeader, ProgramHeader as _, SectionHeader as _},
};
use serde_json::{Value, json};

/// Bounds what is read of a file. *Units*: B.
const LARGEST: u64 = 512 << 20;
/// Levels of x86-64 that the program says it needs, a bit each. *Source*: x86-64 psABI.
const ISA_NEEDED: u32 = 0xc000_8002;

/// Names of machines. *Source*: elf.h.
const MACHINES: &[(u16, &str)] = &[
    (elf::EM_386, "x86"),
    (elf::EM_X86_64, "x86-64"),
    (elf::EM_ARM, "arm"),
    (elf::EM_AARCH64, "aarch64"),
    (elf::EM_RISCV, "riscv"),
    (elf::EM_PPC64, "ppc64"),
    (elf::EM_S390, "s390"),
];

/// Reads a file and says what it needs, or why nobody knows.
pub(super) fn needs(path: &Path) -> Value {
    let size = match fs::metadata(path) {
        Ok(of) if of.is_file() => of.len(),
        Ok(_) => return json!({ "unread": format!("{}: not a file", path.display()) }),
        Err(error) => return json!({ "unread": format!("{}: {error}", path.display()) }),
    };
    if size > LARGEST {
        let (mib, most) = (size >> 20, LARGEST >> 20);
        return json!({ "unread": format!("{}: {mib} MiB, at most {most} are read", path.display()) });
    }
    match fs::read(path) {
        Ok(data) => of(&data),
        Err(error) => json!({ "unread": format!("{}: {error}", path.display()) }),
    }
}

fn of(data: &[u8]) -> Value {
    let read = match FileKind::parse(data) {
        Ok(FileKind::Elf64) => read::<FileHeader64<Endianness>>(data),
        Ok(FileKind::Elf32) => read::<FileHeader32<Endianness>>(data),
        Ok(_) => return json!({ "not-elf": "a program or library of another system" }),
        Err(_) => return json!({ "not-elf": begins(data) }),
    };
    read.unwrap_or_else(|error| json!({ "broken": error.to_string() }))
}

/// Says how a file begins that is no ELF file.
fn begins(data: &[u8]) -> String {
    if data.is_empty() {
        return "it is empty".to_owned();
    }
    let text = String::from_utf8_lossy(&data[..data.len().min(24)]);
    format!("it begins with {:?}", text.lines().next().unwrap_or_default())
}

fn read<E: FileHeader<Endian = Endianness>>(data: &[u8]) -> object::Result<Value> {
    let header = E::parse(data)?;
    let endian = header.endian()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (mut interpreter, mut dynamic) = (None, false);
    for segment in header.program_headers(endian, data)? {
        if let Some(name) = segment.interpreter(endian, data)? {
            interpreter = Some(text(name));
        }
        dynamic |= segment.p_type(endian) == elf::PT_DYNAMIC;
    }
    let sections = header.sections(endian, data)?;
    let (mut needed, mut paths, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    if dynamic && sections.is_empty() {
        return Ok(json!({ "broken": "its section headers were removed" }));
    }
    if let Some((entries, link)) = sections.dynamic(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        for entry in entries {
            let Some(tag) = entry.tag32(endian) else { continue };
            if tag == elf::DT_NEEDED {
                needed.push(text(entry.string(endian, strings)?));
            } else if tag == elf::DT_RPATH || tag == elf::DT_RUNPATH {
                paths.extend(text(entry.string(endian, strings)?).split(':').map(str::to_owned));
            }
        }
    }
    if let Some((mut libraries, link)) = sections.gnu_verneed(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        while let Some((_, mut each)) = libraries.next()? {
            while let Some(version) = each.next()? {
                versions.push(text(version.name(endian, strings)?));
            }
        }
    }
    versions.sort();
    let mut isa = None;
    for section in sections.iter() {
        let Some(mut notes) = section.notes(endian, data)? else { continue };
        while let Some(note) = notes.next()? {
            let Some(mut properties) = note.gnu_properties(endian) else { continue };
            while let Some(property) = properties.next()? {
                if property.pr_type() == ISA_NEEDED {
                    isa = Some(property.data_u32(endian)?);
                }
            }
        }
    }
    let machine = header.e_machine(endian);
    let known = MACHINES.iter().find(|(number, _)| *number == machine);
    Ok(json!({
        "class": if header.is_type_64() { 64 } else { 32 },
        "machine": known.map_or_else(|| format!("machine {machine}"), |(_, name)| (*name).to_owned()),
        "kind": kind(header.e_type(endian), interpreter.is_some()),
        "interpreter": interpreter,
        "needed": needed,
        "versions": versions,
        "paths": paths,
        "isa-needed": isa,
    }))
}

fn kind(number: u16, interpreter: bool) -> &'static str {
    match (number, interpreter) {
        (elf::ET_EXEC, _) => "executable",
        (elf::ET_DYN, true) => "position-independent executable",
        (elf::ET_DYN, false) => "library or static executable",
        (elf::ET_REL, _) => "object",
        (elf::ET_CORE, _) => "core dump",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_needs_what_it_needs() {
        let found = needs(&std::env::current_exe().unwrap());
        assert_eq!(found["class"], 64, "{found}");
        if !cfg!(target_env = "gnu") {
            return;
        }
        let list = |key: &str| found[key].as_array().unwrap().clone();
        assert!(list("needed").iter().any(|name| name == "libc.so.6"), "{found}");
        let glibc = |version: &Value| version.as_str().unwrap().starts_with("GLIBC_2.");
        assert!(list("versions").iter().any(glibc), "{found}");
        assert!(found["interpreter"].as_str().unwrap().starts_with("/lib"), "{found}");
    }

    #[test]
    fn what_is_no_elf_file_or_half_of_one_is_told_apart() {
        assert_eq!(of(b"#!/bin/sh\nexit 0\n")["not-elf"], "it begins with \"#!/bin/sh\"");
        assert_eq!(of(b"")["not-elf"], "it is empty");
        assert!(needs(Path::new("/no/such/file"))["unread"].as_str().unwrap().contains("No such"));
        assert!(needs(Path::new("/"))["unread"].as_str().unwrap().contains("not a file"));
        let whole = fs::read(std::env::current_exe().unwrap()).unwrap();
        for length in [0, 4, 16, 63, 64, 200, 1000, 100_000] {
            let found = of(&whole[..length]);
            assert!(found.get("class").is_none(), "{length}: {found}");
        }
    }

    #[test]
    fn another_machine_and_another_class_are_named() {
        // The header alone: what needs nothing says so.
        let header = |class: u8, machine: u8| {
            let (size, mut bytes) =
                if class == 2 { (64, vec![0_u8; 64]) } else { (52, vec![0_u8; 52]) };
            bytes[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1, 1]);
            bytes[16] = 2;
            bytes[18] = machine;
            bytes[20] = 1;
            bytes[if class == 2 { 52 } else { 40 }] = size;
            of(&bytes)
        };
        let (arm, old) = (header(2, 183), header(1, 3));
        assert_eq!((&arm["class"], &arm["machine"]), (&json!(64), &json!("aarch64")), "{arm}");
        assert_eq!((&old["class"], &old["machine"]), (&json!(32), &json!("x86")), "{old}");
        assert_eq!(arm["needed"], json!([]));
    }
}
