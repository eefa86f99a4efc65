//! Where the body of an HTTP answer ends: by chunks, by its length, or with the connection.
//!
//! Pure, so that every way to split what arrives can be tried. A body that ends before its own end
//! is an error: half of an answer is none.

/// Longest line of a chunk's size. *Units*: B.
const LINE: usize = 1024;

/// Knows how much of a body is still to come.
#[derive(Debug, PartialEq)]
pub(super) enum Framing {
    Chunked(Part),
    /// So many bytes are missing.
    Length(u64),
    /// The body lasts as long as the connection.
    Close,
    /// Nothing more comes.
    Ended,
}

/// Says what of a chunked body comes next.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Size,
    Data(u64),
    /// The line end behind a chunk.
    Behind,
    /// Lines behind the last chunk.
    Trailer,
}

impl Framing {
    /// Reads the framing from headers, whose names are in lower case.
    ///
    /// *Errors*: the length is none, in one sentence.
    pub(super) fn of(headers: &[(String, String)]) -> Result<Self, String> {
        let header = |wanted: &str| {
            headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        if header("transfer-encoding").is_some_and(|how| how.to_lowercase().contains("chunked")) {
            return Ok(Self::Chunked(Part::Size));
        }
        match header("content-length") {
            None => Ok(Self::Close),
            Some(length) => match length.trim().parse() {
                Ok(0) => Ok(Self::Ended),
                Ok(length) => Ok(Self::Length(length)),
                Err(_) => Err(format!("its Content-Length is `{length}`")),
            },
        }
    }

    /// Takes from what arrived all that belongs to the body.
    ///
    /// *Errors*: it is not framed as it says, in one sentence.
    pub(super) fn take(&mut self, arrived: &mut Vec<u8>) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        while self.step(arrived, &mut body)? {}
        Ok(body)
    }

    /// Takes one part; tells whether there may be another.
    fn step(&mut self, arrived: &mut Vec<u8>, body: &mut Vec<u8>) -> Result<bool, String> {
        match self {
            Self::Ended => arrived.clear(),
            Self::Close => body.append(arrived),
            Self::Length(missing) => {
                *missing -= moved(arrived, body, *missing);
                if *missing == 0 {
                    *self = Self::Ended;
                }
            }
            Self::Chunked(Part::Data(missing)) => {
                *missing -= moved(arrived, body, *missing);
                if *missing > 0 {
                    return Ok(false);
                }
                *self = Self::Chunked(Part::Behind);
                return Ok(true);
            }
            Self::Chunked(part) => {
                let Some(line) = line(arrived)? else { return Ok(false) };
                match part {
                    Part::Size => {
                        let digits = line.split(';').next().unwrap_or_default().trim();
                        let size = u64::from_str_radix(digits, 16)
                            .map_err(|_| format!("`{digits}` is no size of a chunk"))?;
                        *part = if size == 0 { Part::Trailer } else { Part::Data(size) };
                    }
                    Part::Trailer if line.is_empty() => *self = Self::Ended,
                    Part::Trailer => {}
                    _ if line.is_empty() => *part = Part::Size,
                    _ => return Err("a chunk is longer than it says".to_owned()),
                }
                return Ok(*self != Self::Ended);
            }
        }
        Ok(false)
    }

    /// Says why the end of the connection is not the end of the body.
    pub(super) fn broken(&self) -> Option<&'static str> {
        match self {
            Self::Close | Self::Ended => None,
            Self::Length(_) => Some("the connection was closed before the length was reached"),
            Self::Chunked(_) => Some("the connection was closed in the middle of the stream"),
        }
    }
}

/// Moves up to so many bytes, and says how many.
fn moved(from: &mut Vec<u8>, to: &mut Vec<u8>, most: u64) -> u64 {
    let count = from.len().min(usize::try_from(most).unwrap_or(usize::MAX));
    to.extend(from.drain(..count));
    count as u64
}

/// Takes a line, without its end, where a whole one has arrived.
fn line(arrived: &mut Vec<u8>) -> Result<Option<String>, String> {
    let end = arrived.iter().position(|byte| *byte == b'\n');
    // A whole line that is too long was so before its end arrived.
    if end.unwrap_or(arrived.len()) > LINE {
        return Err(format!("a line of its chunks is longer than {LINE} B"));
    }
    let Some(end) = end else { return Ok(None) };
    let line: Vec<u8> = arrived.drain(..=end).collect();
    Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut framing: Framing, pieces: &[&[u8]]) -> (Result<String, String>, Framing) {
        let (mut arrived, mut body) = (Vec::new(), Vec::new());
        for piece in pieces {
            arrived.extend_from_slice(piece);
            match framing.take(&mut arrived) {
                Ok(more) => body.extend(more),
                Err(why) => return (Err(why), framing),
            }
        }
        (Ok(String::from_utf8_lossy(&body).into_owned()), framing)
    }

    #[test]
    fn chunks_are_joined_wherever_they_are_split() {
        let whole = b"4\r\ndata\r\n3;x=y\r\n: \xc3\r\n1\r\n\xa9\r\n0\r\nTrailer: 1\r\n\r\n";
        for at in 0..whole.len() {
            let (body, framing) = read(Framing::Chunked(Part::Size), &[&whole[..at], &whole[at..]]);
            assert_eq!((body.as_deref(), framing), (Ok("data: é"), Framing::Ended), "{at}");
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(read(Framing::Chunked(Part::Size), &bytes).0.as_deref(), Ok("data: é"));
    }

    #[test]
    fn an_end_before_the_end_is_known() {
        let (_, framing) = read(Framing::Chunked(Part::Size), &[b"4\r\nda"]);
        assert!(framing.broken().is_some());
        let (_, framing) = read(Framing::Length(5), &[b"ab"]);
        assert!(framing.broken().is_some());
        let (body, framing) = read(Framing::Length(5), &[b"ab", b"cdefg"]);
        assert_eq!((body.as_deref(), framing.broken()), (Ok("abcde"), None));
        let (body, framing) = read(Framing::Close, &[b"ab", b"c"]);
        assert_eq!((body.as_deref(), framing.broken()), (Ok("abc"), None));
    }

    #[test]
    fn what_is_not_framed_as_it_says_is_refused() {
        for (bytes, said) in [
            (b"zz\r\n".as_slice(), "`zz` is no size"),
            (b"1\r\nab\r\n", "longer than it says"),
            (&[b'1'; 2000], "is longer than 1024 B"),
            (&[b"0\r\n", [b'x'; 1025].as_slice(), b"\r\n\r\n"].concat(), "is longer than 1024 B"),
        ] {
            let why = read(Framing::Chunked(Part::Size), &[bytes]).0.unwrap_err();
            assert!(why.contains(said), "{why}");
        }
        let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert!(Framing::of(&header("content-length", "-1")).is_err());
        assert_eq!(Framing::of(&header("content-length", "0")), Ok(Framing::Ended));
        assert_eq!(Framing::of(&[]), Ok(Framing::Close));
    }
}
