//! What `/proc/self/mountinfo` says about one mount point.
//!
//! Several mounts can lie on one point, and the one on top counts: the one that no other has as its
//! parent there. Blanks and the like are written in octal.
//!
//! *Source*: `proc_pid_mountinfo(5)`; `mangle` in the kernel's `fs/seq_file.c`.

/// Names the file.
pub const PATH: &str = "/proc/self/mountinfo";

/// Holds one mount.
#[derive(Debug)]
pub(crate) struct Mount {
    id: u64,
    parent: u64,
    /// Type of the filesystem.
    pub(crate) filesystem: String,
    /// Options of the mount, then those of the filesystem that it does not have itself.
    pub(crate) options: Vec<String>,
}

/// Finds the mount on top of a point; `None` where nothing is mounted there.
///
/// *Errors*: a line is not a mount.
pub(crate) fn on_top(text: &str, point: &str) -> Result<Option<Mount>, String> {
    let mut there = Vec::new();
    for line in text.lines() {
        let (found, mount) = parse(line).ok_or_else(|| format!("{PATH}: not a mount: `{line}`"))?;
        if found == point {
            there.push(mount);
        }
    }
    let covered: Vec<u64> = there.iter().map(|m| m.parent).collect();
    let top = there.iter().rposition(|m| m.parent == m.id || !covered.contains(&m.id));
    Ok(top.map(|at| there.swap_remove(at)))
}

fn parse(line: &str) -> Option<(String, Mount)> {
    let (own, super_block) = line.split_once(" - ")?;
    let mut own = own.split(' ');
    let (id, parent) = (own.next()?.parse().ok()?, own.next()?.parse().ok()?);
    let (point, own_options) = (own.nth(2)?, own.next()?);
    let mut words = super_block.split(' ');
    let (filesystem, _source, super_options) = (words.next()?, words.next()?, words.next()?);
    let mut options: Vec<String> = own_options.split(',').map(unescape).collect();
    for option in super_options.split(',').map(unescape) {
        if !options.contains(&option) {
            options.push(option);
        }
    }
    Some((unescape(point), Mount { id, parent, filesystem: unescape(filesystem), options }))
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..3).filter(|d| *first == b'\\' && d.iter().all(u8::is_ascii_digit));
        let octal = digits.and_then(|d| u8::from_str_radix(str::from_utf8(d).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &more[3..] } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str, point: &str) -> Option<String> {
        on_top(text, point).unwrap().map(|m| format!("{} {}", m.filesystem, m.options.join(",")))
    }

    #[test]
    fn the_mount_on_top_counts_wherever_it_stands_in_the_file() {
        let text = "30 29 0:9 / /data rw shared:1 - tmpfs top rw,size=4k\n\
                    27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
                    29 27 8:1 /sub /data ro,noatime master:1 - ext4 /dev/sda1 rw,discard\n";
        assert_eq!(options(text, "/data").unwrap(), "tmpfs rw,size=4k");
        assert_eq!(options(text, "/").unwrap(), "ext4 rw,relatime");
        assert!(options(text, "/nope").is_none());
        let (_, below) = text.split_once('\n').unwrap();
        assert_eq!(options(below, "/data").unwrap(), "ext4 ro,noatime,rw,discard");
    }

    #[test]
    fn octal_escapes_are_undone_and_other_backslashes_stay() {
        assert_eq!(unescape("/mnt/a\\040b\\134c\\011"), "/mnt/a b\\c\t");
        assert_eq!(unescape("a\\0\\999\\"), "a\\0\\999\\");
        assert!(on_top("garbage\n", "/").is_err());
    }
}
