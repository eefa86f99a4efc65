//! What must hold of the cleaner of all reports: nothing that a terminal obeys or XML forbids.

use verify_reports::clean::{block, clean as cleaned, fit, one_line, width_of};

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "\u{1b}[31mred\u{1b}[0m",
        "\u{9b}31mred",
        "\u{1b}]0;title\u{7}text",
        "\u{1b}]8;;http://x\u{1b}\\link",
        "a\tb\r\n\tc\rd",
        "\u{202e}gpj.exe\u{2066}",
        "日本語 größe a\u{301}",
        "\u{1b}Pq#0\u{1b}\\x",
        "\u{1b}(B\u{fffe}",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Tells whether XML 1.0 allows every character and no terminal obeys one.
pub(crate) fn is_calm(text: &str) -> bool {
    text.chars().all(|c| {
        (matches!(c, '\n' | '\t' | '\r') || !c.is_control())
            && !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// Cleaned once is clean, whatever the bytes; a line is one line, and no longer than asked for.
pub(crate) fn clean(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let calm = cleaned(&text);
    assert!(is_calm(&calm), "{text:?} becomes {calm:?}");
    assert_eq!(cleaned(&calm), calm, "{text:?}");
    let lines = block(&text);
    assert!(is_calm(&lines) && !lines.contains(['\t', '\r']), "{lines:?}");
    for most in [0, 1, 2, 7, 80] {
        let line = one_line(&text, most);
        assert!(line.chars().count() <= most.max(1), "{most}: {line:?}");
        assert!(is_calm(&line) && !line.contains(['\t', '\r', '\n']), "{line:?}");
        let fitting = fit(&text, most);
        assert!(width_of(&fitting) <= most, "{most}: {fitting:?}");
        assert!(is_calm(&fitting), "{fitting:?}");
    }
}
