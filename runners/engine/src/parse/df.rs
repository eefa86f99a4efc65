//! What `df -P` says about the filesystem that holds one path.
//!
//! Device and mount point may hold blanks, so the columns of numbers between them are found by
//! the header: Linux and macOS name them differently. `-` stands where there is no number.
//!
//! *Source*: POSIX, `df`; coreutils and macOS manual pages for `-i`.

/// Holds the one row.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// Device, or what stands for it.
    pub(crate) device: &'a str,
    /// Where the filesystem is mounted.
    pub(crate) mount_point: &'a str,
    numbers: Vec<(&'a str, Option<i64>)>,
}

impl<'a> Row<'a> {
    /// Reads the output of `df` about one path.
    ///
    /// *Errors*: it is not a header and one row of the same columns.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let [header, row] = lines.as_slice() else {
            return Err(format!(
                "expected a header and one row of df, found {} lines",
                lines.len()
            ));
        };
        let wrong = || format!("not a row of df: `{row}`");
        let names: Vec<&str> = header.split_whitespace().collect();
        let ["Filesystem", columns @ .., "Mounted", "on"] = names.as_slice() else {
            return Err(format!("not a header of df: `{header}`"));
        };
        let words = words(row);
        let is_number = |word: &str| {
            let digits = word.trim_start_matches('-').trim_end_matches('%');
            word == "-" || (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        };
        let fits = |at: &usize| {
            let numbers = words.get(*at..at + columns.len());
            let point = words.get(at + columns.len());
            numbers.is_some_and(|all| all.iter().all(|(_, word)| is_number(word)))
                && point.is_some_and(|(_, word)| word.starts_with('/'))
        };
        let at = (1..words.len()).find(fits).ok_or_else(wrong)?;
        let (first, point) = (words[at].0, words[at + columns.len()].0);
        let (device, mount_point) = (row[..first].trim(), &row[point..]);
        let numbers = words[at..].iter().map(|(_, number)| number.parse().ok());
        let numbers = columns.iter().copied().zip(numbers).collect();
        Ok(Self { device, mount_point, numbers })
    }

    /// Returns how many files can still be made, of a row about inodes. Busybox heads its column as
    /// that of space.
    pub(crate) fn inodes_free(&self) -> Option<i64> {
        self.number(&["IFree", "ifree"]).or_else(|| {
            let is_about_inodes = self.numbers.iter().any(|(name, _)| *name == "Inodes");
            is_about_inodes.then(|| self.number(&["Available"]))?
        })
    }

    /// Returns the number of the first of these columns that is there.
    pub(crate) fn number(&self, columns: &[&str]) -> Option<i64> {
        self.numbers.iter().find(|(name, _)| columns.contains(name)).and_then(|(_, n)| *n)
    }
}

/// Parts a row into words, each with where it starts.
fn words(row: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in row.split([' ', '\t']) {
        if !word.is_empty() {
            words.push((at, word));
        }
        at += word.len() + 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(text: &str) -> Result<(String, String, Option<i64>), String> {
        let row = Row::parse(text)?;
        let free = row.inodes_free().or_else(|| row.number(&["Available"]));
        Ok((row.device.to_owned(), row.mount_point.to_owned(), free))
    }

    #[test]
    fn blanks_in_device_and_mount_point_shift_nothing() {
        let text = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
                    //nas/my share     264212 28776 -5      31% /mnt/a b 3\n";
        assert_eq!(free(text).unwrap(), ("//nas/my share".into(), "/mnt/a b 3".into(), Some(-5)));
        let mac = "Filesystem 512-blocks Used Capacity iused ifree %iused  Mounted on\n\
                   /dev/disk3s1s1 971350180 18 5% 404 42 0%   /\n";
        assert_eq!(free(mac).unwrap().2, Some(42));
    }

    #[test]
    fn busybox_heads_free_inodes_as_free_space() {
        let text = "Filesystem              Inodes      Used Available Capacity Mounted on\n\
                    /dev/vda              16777216    474739  16302477   3% /\n";
        assert_eq!(Row::parse(text).unwrap().inodes_free(), Some(16_302_477));
        let space = text.replace("Inodes", "1024-blocks");
        assert_eq!(Row::parse(&space).unwrap().inodes_free(), None);
    }

    #[test]
    fn a_dash_is_no_number_and_anything_else_is_refused() {
        let header = "Filesystem Inodes IUsed IFree IUse% Mounted on";
        assert_eq!(free(&format!("{header}\nx - - - - /b\n")).unwrap().2, None);
        for row in ["", "x 1 2 3 4%", "x 1 2 /b", "x 1 2 3 4% b", "x 0 0 0 - /a\ny 0 0 0 - /b"] {
            assert!(free(&format!("{header}\n{row}\n")).is_err(), "{row}");
        }
        assert!(free("df: /x: No such file or directory\n").is_err());
    }
}
