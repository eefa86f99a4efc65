//! Server-sent events: one `data:` line is one event, whatever pieces it arrived in.
//!
//! Bytes are kept until their line is whole, so that a piece may end inside a character or inside
//! the word `data`. Comments, with which servers keep a connection alive, and other fields are
//! passed over. *Source*: WHATWG HTML, server-sent events.

/// Collects lines.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
}

impl Events {
    /// Takes a piece and returns the data of each event that it completes.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for byte in piece {
            // A carriage return may end a line alone; before a line feed it ends an empty one more.
            if *byte == b'\n' || *byte == b'\r' {
                found.extend(self.ended());
            } else {
                self.line.push(*byte);
            }
        }
        found
    }

    /// Takes the line that is under way as whole: the last one may lack its end.
    pub(super) fn ended(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let data = line.strip_prefix("data:")?;
        Some(data.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found: Vec<String> = pieces.iter().flat_map(|piece| events.push(piece)).collect();
        found.extend(events.ended());
        found
    }

    #[test]
    fn events_are_the_same_wherever_they_are_split() {
        let text = ": ping\r\n\r\ndata: {\"é\": 1}\n\ndata:b\r\rid: 7\nevent: x\ndata: [DONE]";
        let whole = all(&[text.as_bytes()]);
        assert_eq!(whole, ["{\"é\": 1}", "b", "[DONE]"]);
        for at in 0..text.len() {
            assert_eq!(all(&[&text.as_bytes()[..at], &text.as_bytes()[at..]]), whole, "{at}");
        }
    }

    #[test]
    fn what_is_no_data_is_no_event() {
        assert_eq!(all(&[b"\n\n: data: no\nretry: 3\n data: no\n"]), Vec::<String>::new());
    }
}
