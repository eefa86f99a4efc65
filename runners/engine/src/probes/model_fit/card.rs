//! How much memory the GPUs of a node have, and how much of it is free.

use serde_json::Value as Json;

/// Holds the memory of the GPUs. *Units*: B.
pub(super) struct Cards {
    pub(super) from: &'static str,
    /// Those that can be opened; unknown where the suite says how much memory there is.
    pub(super) count: Result<usize, String>,
    pub(super) memory: f64,
    pub(super) free: Result<f64, String>,
    pub(super) simulated: Option<String>,
}

impl Cards {
    pub(super) fn given(memory: f64) -> Self {
        let why = || "the suite says how much memory there is".to_owned();
        Self { from: "the suite", count: Err(why()), memory, free: Err(why()), simulated: None }
    }

    /// Reads what the driver says; CUDA never sees what it reserves. `None`: no card can be opened.
    ///
    /// *Errors*: the driver does not answer, or a card does not; in one sentence.
    pub(super) fn of(result: &Json) -> Result<Option<Self>, String> {
        let word = |key: &str| result.get(key).and_then(Json::as_str);
        let state = word("state").unwrap_or("no state");
        if state != "ok" {
            let trouble = word("trouble").unwrap_or("it does not say why");
            return Err(format!("the driver says nothing of its cards: {state}: {trouble}"));
        }
        let cards = result.get("cards").and_then(Json::as_array).ok_or("it lists no cards")?;
        let opened = |card: &&Json| card.pointer("/opened/value") == Some(&Json::Bool(true));
        let mut found: Option<(f64, f64)> = None;
        let mut count = 0;
        for card in cards.iter().filter(opened) {
            let number = |key: &str| card.pointer(&format!("/memory/value/{key}"))?.as_f64();
            let (Some(total), Some(free)) = (number("total-bytes"), number("free-bytes")) else {
                return Err("a card does not say how much memory it has".to_owned());
            };
            let usable = total - number("reserved-bytes").unwrap_or(0.0);
            if !(usable > 0.0 && free >= 0.0) {
                return Err(format!("a card says that it has {usable} B of memory"));
            }
            let (least, least_free) = found.unwrap_or((usable, free));
            found = Some((least.min(usable), least_free.min(free)));
            count += 1;
        }
        let Some((memory, free)) = found else { return Ok(None) };
        let simulated = word("simulated").map(str::to_owned);
        Ok(Some(Self { from: "the driver", count: Ok(count), memory, free: Ok(free), simulated }))
    }
}
