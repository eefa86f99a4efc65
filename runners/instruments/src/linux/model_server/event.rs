//! Server-sent events: one `data:` line is one event, whatever pieces it arrived in.
//!
//! Bytes are kept until their line is whole, so that a piece may end inside a character or inside
//! the word `data`. Comments, with which servers keep a connection alive, and other fields are
//! passed over. *Source*: WHATWG HTML, server-sent events.

/// Longest line. *Units*: B.
const LINE: usize = 1 << 20;

/// Collects lines.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
}

impl Events {
    /// Takes a piece and returns the data of each event that it completes.
    ///
    /// *Errors*: a line is too long, in one sentence.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        for byte in piece {
            // A carriage return may end a line alone; before a line feed it ends an empty one more.
            if *byte == b'\n' || *byte == b'\r' {
                found.extend(self.ended());
            } else if self.line.len() == LINE {
                return Err(format!("a line of the stream has more than {LINE} bytes"));
            } else {
                self.line.push(*byte);
            }
        }
        Ok(found)
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
        let mut found: Vec<String> =
            pieces.iter().flat_map(|piece| events.push(piece).unwrap()).collect();
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
    fn a_line_without_an_end_is_given_up() {
        let mut events = Events::default();
        let pieces = LINE / 1024;
        assert!((0..pieces).all(|_| events.push(&[b'x'; 1024]).is_ok()));
        assert!(events.push(b"x").unwrap_err().contains("a line of the stream"));
    }

    #[test]
    fn what_is_no_data_is_no_event() {
        assert_eq!(all(&[b"\n\n: data: no\nretry: 3\n data: no\n"]), Vec::<String>::new());
    }
}
