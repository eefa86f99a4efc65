//! What is read of a stream without a node behind it: for the fuzz targets.

use verify_model::{ask::Ask, evidence::Captured};

use super::{
    answer::{Answer, Side},
    frame::{Cutter, Piece},
};

/// Cuts a stream that arrives in steps of so many bytes; pieces that touch are joined.
fn cut(nonce: &str, stream: &[u8], step: usize) -> (Vec<Piece>, String) {
    let mut cutter = Cutter::new(nonce);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut join = |piece: Piece| match (pieces.last_mut(), piece) {
        (Some(Piece::Bytes(all)), Piece::Bytes(more)) => all.extend(more),
        (_, Piece::Bytes(empty)) if empty.is_empty() => {}
        (_, piece) => pieces.push(piece),
    };
    for part in stream.chunks(step.max(1)) {
        cutter.push(part, &mut join);
    }
    cutter.close(&mut join);
    (pieces, cutter.noise())
}

/// Returns the pieces of a stream, each as text, and the noise before them.
pub(crate) fn pieces(nonce: &str, stream: &[u8], step: usize) -> (Vec<String>, String) {
    let (pieces, noise) = cut(nonce, stream, step);
    (pieces.iter().map(|piece| format!("{piece:?}")).collect(), noise)
}

/// Returns what is captured for an ask if both streams say this.
pub(crate) fn answered(nonce: &str, ask: &Ask, stream: &[u8]) -> Captured {
    let mut answer = Answer::new(ask);
    for side in [Side::Out, Side::Err] {
        for piece in cut(nonce, stream, stream.len()).0 {
            match piece {
                Piece::File(path) => answer.file(side, path),
                Piece::Bytes(bytes) => answer.push(side, &bytes),
                Piece::End(_, how) => drop(answer.end(side, how)),
                Piece::Begin(_) | Piece::Through => {}
            }
        }
    }
    answer.captured()
}
