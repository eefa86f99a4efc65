//! How the files of sysfs and procfs write a set of cpus: as a list or as a hexadecimal mask.

use verify_model::{cpu_set::CpuSet, value::Value};

/// Reads a list file; empty and `(null)` (a mask that was never allocated) are the empty set.
///
/// *Errors*: the text is not a list.
pub fn list(text: &str) -> Result<Value, String> {
    let text = text.trim();
    let text = if text == "(null)" { "" } else { text };
    CpuSet::parse(text).map(Value::Cpus)
}

/// Reads a list file that always names a cpu on a running machine, such as `online`.
///
/// *Errors*: the text is not a list, or it names no cpu.
pub fn inhabited(text: &str) -> Result<Value, String> {
    match list(text)? {
        Value::Cpus(cpus) if cpus.is_empty() => Err("expected at least one cpu".to_owned()),
        value => Ok(value),
    }
}

/// Reads a mask: hexadecimal words of 32 bits, parted by commas, the highest first.
///
/// *Source*: `%*pb` of the kernel's `printk-formats`, as in `/proc/irq/default_smp_affinity`.
///
/// *Errors*: the text is not a mask.
pub fn mask(text: &str) -> Result<Value, String> {
    const WORDS: usize = 2048;
    let wrong = || format!("expected a hexadecimal cpu mask such as `ff`, found `{}`", text.trim());
    let words: Vec<&str> = text.trim().split(',').collect();
    if words.len() > WORDS {
        return Err(wrong());
    }
    let mut cpus = Vec::new();
    for (base, word) in (0_u32..).step_by(32).zip(words.into_iter().rev()) {
        let digits = !word.is_empty() && word.chars().all(|c| c.is_ascii_hexdigit());
        let bits = u32::from_str_radix(word, 16).ok().filter(|_| digits).ok_or_else(wrong)?;
        cpus.extend((0..32).filter(|bit| bits >> bit & 1 == 1).map(|bit| base + bit));
    }
    Ok(Value::Cpus(cpus.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_read_word_by_word() {
        let show = |text: &str| mask(text).map(|value| value.to_string());
        assert_eq!(show("5").unwrap(), "0,2");
        assert_eq!(show("00000003,80000001\n").unwrap(), "0,31-33");
        for bad in ["", "0-3", "+f", "123456789", "f,,f", "(null)"] {
            assert!(mask(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mask_is_of_at_most_65536_cpus() {
        let words = |count: usize| vec!["0"; count].join(",");
        assert_eq!(mask(&words(2048)).unwrap().to_string(), "none");
        mask(&words(2049)).unwrap_err();
    }

    #[test]
    fn no_cpu_is_an_answer_only_where_that_can_be() {
        assert_eq!(list("(null)\n").unwrap().to_string(), "none");
        assert!(inhabited("\n").is_err() && list("null").is_err());
    }
}
