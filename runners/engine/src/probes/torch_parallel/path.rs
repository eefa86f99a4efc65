//! Which way NCCL sends data, from the lines in which it says so.
//!
//! *Source*: NCCL with `NCCL_DEBUG=INFO`: `Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM`, `via
//! SHM/direct/direct`, `[send] via NET/Socket/0` (NVIDIA/nccl#1189, NVIDIA/nccl-tests#307).

use serde_json::Value as Json;
use verify_model::value::Value;

/// Holds what NCCL said of its channels.
pub(super) struct Channels<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Channels<'a> {
    pub(super) fn of(said: &'a Json) -> Self {
        let lines = said.get("nccl").and_then(Json::as_array).into_iter().flatten();
        Self { lines: lines.filter_map(Json::as_str).collect() }
    }

    /// Names the ways, each once: `P2P/CUMEM`.
    pub(super) fn path(&self) -> Value {
        let mut ways: Vec<&str> = self.lines.iter().filter_map(|line| way(line)).collect();
        ways.sort_unstable();
        ways.dedup();
        if ways.is_empty() {
            return Value::Unreadable("NCCL names no channel between the ranks".to_owned());
        }
        Value::Text(ways.join(", "))
    }

    /// Lists the lines as they were, without the machine's name.
    pub(super) fn lines(&self) -> Value {
        Value::List(self.lines.iter().map(|line| Value::text(*line)).collect())
    }
}

fn way(line: &str) -> Option<&str> {
    let (channel, way) = line.split_once(" via ")?;
    channel.contains("Channel").then(|| way.split_whitespace().next()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_way_is_read_in_each_form_and_none_is_not_a_way() {
        let said = |lines: &[&str]| Channels::of(&json!({ "nccl": lines })).path().to_string();
        let of = |way: &str| format!("NCCL INFO Channel 00/0 : 0[0] -> 1[1] {way}");
        for way in ["P2P/CUMEM", "P2P/IPC/read", "P2P/direct pointer", "SHM/direct/direct"] {
            let first = way.split(' ').next().unwrap();
            assert_eq!(said(&[&of(&format!("via {way}"))]), first);
        }
        assert_eq!(
            said(&[&of("[send] via NET/Socket/0"), &of("via SHM/direct/direct")]),
            "NET/Socket/0, SHM/direct/direct"
        );
        assert!(
            said(&["NCCL INFO Connected all rings", "cable via nowhere"]).contains("no channel")
        );
    }
}
