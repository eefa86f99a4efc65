//! Reads the matrices of `nvidia-smi topo`: how cards are linked (`-m`), what they may do (`-p2p`).
//!
//! Captures have tabs or spaces; headings after the matrix contain spaces and their cells may be
//! empty, so that a row is read from the left and only as far as the matrix goes. Rows of network
//! cards lack the cells of affinity. Both halves must agree: what lies between two cards is one link.

use super::plain;

/// Holds a matrix of the graphics cards alone.
#[derive(Debug, PartialEq)]
pub(crate) struct Matrix {
    /// `cells[from][to]`; the diagonal is `X`.
    pub cells: Vec<Vec<String>>,
}

/// Says whether a word can stand between two devices.
pub(crate) type Known = fn(&str) -> bool;

/// Knows the links of `topo -m`. *Source*: its legend; `PSB`, `SOC` and `C2C` are of other drivers.
pub(crate) fn is_link(word: &str) -> bool {
    let bonded =
        word.strip_prefix("NV").is_some_and(|number| number.parse::<u8>().is_ok_and(|n| n > 0));
    bonded || ["SYS", "NODE", "PHB", "PXB", "PIX", "PSB", "SOC", "C2C"].contains(&word)
}

/// Words of `topo -p2p`, and what the probe `nvml` calls them. *Source*: its legend.
pub(crate) const PEER: [(&str, &str); 7] = [
    ("OK", "ok"),
    ("CNS", "chipset-not-supported"),
    ("GNS", "gpu-not-supported"),
    ("TNS", "topology-not-supported"),
    ("DR", "disabled-by-regkey"),
    ("NS", "not-supported"),
    ("U", "unknown"),
];

/// Knows the words of `topo -p2p`.
pub(crate) fn is_peer(word: &str) -> bool {
    PEER.iter().any(|(known, _)| *known == word)
}

/// Reads a matrix.
///
/// *Errors*: there is none, a row is missing or short, or a word is not known.
pub(crate) fn read(text: &str, known: Known) -> Result<Matrix, String> {
    let text = plain(text);
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let heading = lines
        .by_ref()
        .find(|line| line.split_whitespace().next().is_some_and(is_gpu))
        .ok_or_else(|| "there is no heading with a card".to_owned())?;
    let columns: Vec<&str> = heading
        .split_whitespace()
        // `CPU Affinity`, `NUMA Affinity` and `GPU NUMA ID` follow the matrix.
        .take_while(|word| !["CPU", "NUMA", "GPU"].contains(word))
        .collect();
    let rows: Vec<Vec<&str>> = lines
        .take_while(|line| !line.trim_start().starts_with("Legend"))
        .map(|line| line.split_whitespace().collect())
        .filter(|row: &Vec<&str>| row.first().is_some_and(|name| columns.contains(name)))
        .collect();
    let cards: Vec<usize> = (0..columns.len()).filter(|at| is_gpu(columns[*at])).collect();
    let mut cells = Vec::new();
    for (number, at) in cards.iter().enumerate() {
        let name = columns[*at];
        if name != format!("GPU{number}") {
            return Err(format!("{name} stands where GPU{number} is expected"));
        }
        let mut named = rows.iter().filter(|row| row.first() == Some(&name));
        let row = named.next().ok_or_else(|| format!("{name} has no row"))?;
        if named.next().is_some() {
            return Err(format!("{name} has two rows"));
        }
        cells.push(across(row, &cards, *at, known)?);
    }
    agree(&cells)?;
    Ok(Matrix { cells })
}

/// Reads the cells of one card that are about cards.
fn across(row: &[&str], cards: &[usize], own: usize, known: Known) -> Result<Vec<String>, String> {
    let name = row.first().copied().unwrap_or_default();
    let cell = |at: &usize| {
        let cell = row.get(at + 1).ok_or_else(|| format!("the row of {name} is short"))?;
        match (*at == own, *cell) {
            (true, "X") => Ok("X".to_owned()),
            (false, word) if known(word) => Ok(word.to_owned()),
            (_, word) => Err(format!("the row of {name} says `{word}`")),
        }
    };
    cards.iter().map(cell).collect()
}

fn agree(cells: &[Vec<String>]) -> Result<(), String> {
    for (from, row) in cells.iter().enumerate() {
        for (to, there) in row.iter().enumerate().skip(from + 1) {
            let back = cells.get(to).and_then(|row| row.get(from));
            if back != Some(there) {
                let back = back.map_or("nothing", String::as_str);
                return Err(format!("GPU{from} to GPU{to} is {there}, back it is {back}"));
            }
        }
    }
    Ok(())
}

fn is_gpu(word: &str) -> bool {
    word.strip_prefix("GPU").is_some_and(|number| number.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Result<String, String> {
        read(text, is_link).map(|matrix| matrix.cells[0][1].clone())
    }

    #[test]
    fn tabs_spaces_and_underlined_headings_are_read_alike() {
        for text in [
            "\u{1b}[4m\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\u{1b}[0m\nGPU0\t X \tNV4\t0-23\t\tN/A\nGPU1\tNV4\t X \t0-23\t\tN/A\n",
            "        GPU0    GPU1    CPU Affinity    GPU NUMA ID\nGPU0     X      NV4\nGPU1    NV4      X\n\nLegend:\n\n  X    = Self\n",
        ] {
            assert_eq!(link(text).as_deref(), Ok("NV4"), "{text}");
        }
    }

    #[test]
    fn rows_of_network_cards_are_passed_over() {
        let text = "\tGPU0\tNIC0\tGPU1\tNIC1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\n\
            GPU0\t X \tPHB\tPIX\tSYS\t0-23\t0\t\t\nNIC0\tPHB\t X \tPHB\tSYS\t\t\t\n\
            GPU1\tPIX\tPHB\t X \tSYS\t0-23\t\t\t\nNIC1\tSYS\tSYS\tSYS\t X \n\n\
            NIC Legend:\n\n  NIC0: mlx5_0\n  NIC1: mlx5_1\n";
        assert_eq!(link(text).as_deref(), Ok("PIX"));
    }

    #[test]
    fn what_may_be_done_is_read_from_the_same_shape() {
        let text =
            " \tGPU0\tGPU1\t\n GPU0\tX\tGNS\t\n GPU1\tGNS\tX\t\n\nLegend:\n\n  X    = Self\n";
        assert_eq!(read(text, is_peer).unwrap().cells[1][0], "GNS");
        assert!(read(text, is_link).is_err(), "it is no link");
    }

    #[test]
    fn a_matrix_that_is_cut_or_contradicts_itself_is_refused() {
        for bad in [
            "",
            "Legend:\n  PHB = x\n",
            "\tGPU0\tGPU1\n",
            "\tGPU0\tGPU1\nGPU0\t X \tNV4\n",
            "\tGPU0\tGPU1\nGPU0\t X \tNV4\nGPU1\tNV4\n",
            "\tGPU0\tGPU1\nGPU0\t X \tNV4\nGPU1\tPHB\t X \n",
            "\tGPU0\tGPU1\nGPU0\tNV4\t X \nGPU1\t X \tNV4\n",
            "\tGPU0\tGPU1\nGPU0\t X \tNV0\nGPU1\tNV0\t X \n",
            "\tGPU0\tGPU1\nGPU0\t X \tN/A\nGPU1\tN/A\t X \n",
            "\tGPU0\tGPU2\nGPU0\t X \tNV4\nGPU2\tNV4\t X \n",
            "\tGPU0\tGPU1\nGPU0\t X \tNV4\nGPU0\t X \tNV4\nGPU1\tNV4\t X \n",
        ] {
            assert!(link(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_card_alone_is_a_matrix_without_pairs() {
        let alone = read("\tGPU0\tCPU Affinity\nGPU0\t X \t0-3\n", is_link).unwrap();
        assert_eq!(alone.cells, [["X"]]);
    }
}
