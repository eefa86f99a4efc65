//! Which processes descend from one, and what they are called: what `/proc` shows of them.

use std::{collections::BTreeMap, fs};

/// Lists a process's descendants, children before theirs.
pub(super) fn descendants(of: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && let Some(parent) = parent(pid)
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![of];
    while let Some(pid) = next.pop() {
        let own = children.remove(&pid).unwrap_or_default();
        next.extend(&own);
        found.extend(own);
    }
    found
}

/// Returns the parent of a process that has not ended.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, brackets and blanks included.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Names a process for people.
pub(super) fn named(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{} (pid {pid})", name.trim())
}

/// Finds who listens on a port of this machine, where this user may see it.
pub(super) fn listener(port: u16) -> Option<u32> {
    listeners(port).next()
}

/// Names who listens on a port, where it is somebody and nobody who descends from this process.
pub(super) fn foreign(port: u16, of: u32) -> Option<String> {
    let found: Vec<u32> = listeners(port).collect();
    let own = descendants(of);
    let all_foreign = !found.iter().any(|pid| *pid == of || own.contains(pid));
    found.first().filter(|_| all_foreign).map(|pid| named(*pid))
}

/// Finds all who listen on a port.
fn listeners(port: u16) -> impl Iterator<Item = u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let sockets: Vec<String> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|text| text.lines().filter_map(|line| listening(line, port)).collect::<Vec<_>>())
        .collect();
    let nobody = sockets.is_empty();
    let holds = move |pid: u32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(move |pid| !nobody && holds(*pid))
}

/// Reads a line of `/proc/net/tcp`; state 0A listens. *Source*: `proc_net_tcp.rst` of the kernel.
fn listening(line: &str, wanted: u16) -> Option<String> {
    let parts: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (parts.get(1)?, parts.get(3)?, parts.get(9)?);
    let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
    (port == wanted && *state == "0A").then(|| format!("socket:[{inode}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_names_its_socket() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000 100 0 0 10 0";
        assert_eq!(listening(line, 8080).as_deref(), Some("socket:[4242]"));
        assert_eq!(listening(line, 8081), None);
        assert_eq!(listening("  sl  local_address rem_address   st", 8080), None);
        assert_eq!(listening(&line.replace(" 0A ", " 01 "), 8080), None);
    }

    #[test]
    fn this_process_descends_from_its_parent() {
        let own = std::process::id();
        let above = parent(own).unwrap();
        assert!(descendants(above).contains(&own));
        assert!(named(own).ends_with(&format!("(pid {own})")));
    }
}
