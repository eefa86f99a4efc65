//! How a recorded `HdrHistogram` is read: with limits, for it came from a node.
//!
//! What is written may name any size, so the bytes are unpacked up to a limit first, and what they claim
//! is compared with what is there before anything is allocated for it.

use std::io::Read as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::ZlibDecoder;
use hdrhistogram::{Histogram, serialization::Deserializer};

/// Longest text that is read. *Units*: B.
const TEXT: usize = 1 << 20;
/// Most bytes that it is unpacked to. *Units*: B.
const UNPACKED: u64 = 4 << 20;
/// Header of an unpacked histogram. *Source*: HdrHistogram V2 encoding.
const HEADER: usize = 40;
/// Cookie of a compressed V2 histogram. *Source*: as above.
const COMPRESSED: [u8; 4] = [0x1c, 0x84, 0x93, 0x14];
/// Most significant digits: five would take 50 MB.
const DIGITS: u32 = 3;

/// Reads a histogram; `None` where it is none, or of absurd size.
pub(super) fn read(text: &str) -> Option<Histogram<u64>> {
    if text.len() > TEXT {
        return None;
    }
    let packed = STANDARD.decode(text.trim()).ok()?;
    let (cookie, rest) = packed.split_at_checked(4)?;
    let body = rest.get(4..).filter(|_| cookie == COMPRESSED)?;
    let mut unpacked = Vec::new();
    ZlibDecoder::new(body).take(UNPACKED).read_to_end(&mut unpacked).ok()?;
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(unpacked.get(at..at + 4)?.try_into().ok()?))
    };
    let claimed = usize::try_from(word(4)?).ok()?;
    if claimed > unpacked.len().checked_sub(HEADER)? || word(12)? > DIGITS {
        return None;
    }
    let read = Deserializer::new().deserialize(&mut unpacked.as_slice()).ok();
    read.filter(|counts: &Histogram<u64>| !counts.is_empty())
}

#[cfg(test)]
pub(super) fn written(values: &[u64], count: u64) -> String {
    use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};
    let mut counts: Histogram<u64> = Histogram::new(3).unwrap();
    for value in values {
        counts.record_n(*value, count).unwrap();
    }
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(&counts, &mut bytes).unwrap();
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_and_absurd_sizes_are_refused() {
        assert_eq!(read(&written(&[10, 2000], 5)).map(|counts| counts.len()), Some(10));
        for garbage in ["", "x", "HISTF", "!!!!", "SElTVEY=", "HISTFAAAAAh4nAMAAAAAAQ=="] {
            assert!(read(garbage).is_none(), "{garbage}");
        }
        assert!(read(&"A".repeat(2 << 20)).is_none());
        // Five digits over all of 64 bits, and a payload of four gigabytes that is not there.
        for (at, bytes) in [(12, [0, 0, 0, 5]), (4, [0xff, 0xff, 0xff, 0xff])] {
            let mut packed = STANDARD.decode(written(&[1], 1)).unwrap();
            let mut plain = Vec::new();
            ZlibDecoder::new(&packed[8..]).read_to_end(&mut plain).unwrap();
            plain[at..at + 4].copy_from_slice(&bytes);
            packed.truncate(8);
            let mut again = flate2::write::ZlibEncoder::new(packed, flate2::Compression::fast());
            std::io::Write::write_all(&mut again, &plain).unwrap();
            assert!(read(&STANDARD.encode(again.finish().unwrap())).is_none());
        }
    }

    #[test]
    fn an_empty_histogram_is_no_distribution() {
        assert!(read(&written(&[], 1)).is_none());
    }
}
