//! Reads the table of `netstat -ib` as macOS writes it: one row an address, and one of the link itself.
//!
//! Columns are found by the header: `-d` adds one. *Source*: netstat(1) of macOS; never run on a Mac.

/// Returns the columns of a link's own row, by the names of the header; without a name, of the first
/// link.
///
/// *Errors*: the table has another form, or lacks the interface.
pub(crate) fn counters<'t>(
    text: &'t str,
    name: Option<&str>,
) -> Result<Vec<(&'t str, &'t str)>, String> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let at = header.iter().position(|word| *word == "Address");
    let columns = &header[at.ok_or("netstat: a header without `Address`")? + 1..];
    let mut rows = lines.map(|line| line.split_whitespace().collect::<Vec<&str>>());
    let own = |row: &Vec<&str>| {
        row.first().is_some_and(|first| name.is_none_or(|name| first.trim_end_matches('*') == name))
            && row.get(2).is_some_and(|network| network.starts_with("<Link#"))
    };
    let row = rows
        .find(own)
        .ok_or_else(|| format!("netstat: no row of the link {}", name.unwrap_or_default()))?;
    // Name, MTU and network stand before the columns, and the address where there is one.
    let fits = row.len().checked_sub(columns.len()).is_some_and(|rest| rest == 3 || rest == 4);
    if !fits {
        let name = row.first().copied().unwrap_or_default();
        return Err(format!("netstat: the row of {name} has another number of columns"));
    }
    let values = row[row.len() - columns.len()..].iter().copied();
    Ok(columns.iter().copied().zip(values).collect())
}
