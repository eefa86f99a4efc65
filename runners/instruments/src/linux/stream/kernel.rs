//! The four kernels of STREAM and their known outcome, for the arrays of one thread.
//!
//! Each thread owns its part of the arrays and touches it first, so that the pages lie on its
//! node. Blocks are kept apart by a fence: a compiler makes `memcpy` of a plain copy, which writes
//! past the caches and counts traffic that the other kernels cannot have.

use std::{
    hint::black_box,
    sync::atomic::{Ordering, compiler_fence},
};

/// Names the kernels in the order in which a pass runs them.
pub(super) const KERNELS: [&str; 4] = ["copy", "scale", "add", "triad"];
/// Bytes that each kernel counts for an element. *Source*: STREAM, `bytes[]`.
pub(super) const ELEMENT_BYTES: [u32; 4] = [16, 16, 24, 24];

/// Elements of a cache line.
const BLOCK: usize = 8;
const SCALAR: f64 = 3.0;
/// What the arrays hold at first. *Source*: STREAM.
const FIRST: [f64; 3] = [1.0, 2.0, 0.0];
/// Deviation from which a result is wrong. *Source*: STREAM, `epsilon` for 8-byte elements.
const EPSILON: f64 = 1e-13;

/// Holds the arrays of one thread.
pub(super) struct Arrays {
    a: Vec<[f64; BLOCK]>,
    b: Vec<[f64; BLOCK]>,
    c: Vec<[f64; BLOCK]>,
}

impl Arrays {
    /// Takes and touches memory; the length is rounded down to whole cache lines.
    ///
    /// *Errors*: the memory cannot be had.
    pub(super) fn touched(elements: usize) -> Result<Self, String> {
        let filled = |value: f64| -> Result<Vec<[f64; BLOCK]>, String> {
            let mut array = Vec::new();
            array.try_reserve_exact(elements / BLOCK).map_err(|error| error.to_string())?;
            array.resize(elements / BLOCK, [value; BLOCK]);
            Ok(array)
        };
        // Zeros could stay on the one shared zero page, so all start with what is written.
        let mut arrays = Self { a: filled(1.0)?, b: filled(1.0)?, c: filled(1.0)? };
        arrays.a.fill([FIRST[0]; BLOCK]);
        arrays.b.fill([FIRST[1]; BLOCK]);
        arrays.c.fill([FIRST[2]; BLOCK]);
        Ok(arrays)
    }

    /// Returns how many elements each array has.
    pub(super) fn elements(&self) -> usize {
        self.a.len() * BLOCK
    }

    /// Runs one kernel, by its place in [`KERNELS`].
    pub(super) fn run(&mut self, kernel: usize) {
        match kernel {
            0 => one(&self.a, &mut self.c, |a| a),
            1 => one(&self.c, &mut self.b, |c| SCALAR * c),
            2 => two(&self.a, &self.b, &mut self.c, |a, b| a + b),
            _ => two(&self.b, &self.c, &mut self.a, |b, c| b + SCALAR * c),
        }
    }

    /// Counts the elements that are not what so many passes must give.
    pub(super) fn wrong_elements(&self, passes: u32) -> usize {
        let mut wanted = FIRST;
        for _ in 0..passes {
            wanted[2] = wanted[0];
            wanted[1] = SCALAR * wanted[2];
            wanted[2] = wanted[0] + wanted[1];
            wanted[0] = wanted[1] + SCALAR * wanted[2];
        }
        let wrong = |array: &[[f64; BLOCK]], wanted: f64| {
            let right = |found: f64| (found - wanted).abs() <= EPSILON * wanted.abs();
            array.iter().flatten().filter(|found| !right(**found)).count()
        };
        wrong(&self.a, wanted[0]) + wrong(&self.b, wanted[1]) + wrong(&self.c, wanted[2])
    }
}

#[inline(never)]
fn one(from: &[[f64; BLOCK]], to: &mut [[f64; BLOCK]], compute: impl Fn(f64) -> f64) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.map(&compute);
        compiler_fence(Ordering::SeqCst);
    }
    black_box(to);
}

#[inline(never)]
fn two(
    left: &[[f64; BLOCK]],
    right: &[[f64; BLOCK]],
    to: &mut [[f64; BLOCK]],
    compute: impl Fn(f64, f64) -> f64,
) {
    for ((to, left), right) in to.iter_mut().zip(left).zip(right) {
        for (to, (left, right)) in to.iter_mut().zip(left.iter().zip(right)) {
            *to = compute(*left, *right);
        }
        compiler_fence(Ordering::SeqCst);
    }
    black_box(to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernels_compute_is_checked_and_one_wrong_element_is_found() {
        let mut arrays = Arrays::touched(1003).unwrap();
        assert_eq!(arrays.elements(), 1000);
        for _ in 0..3 {
            (0..KERNELS.len()).for_each(|kernel| arrays.run(kernel));
        }
        assert_eq!(arrays.wrong_elements(3), 0);
        assert_eq!(arrays.wrong_elements(2), 3000);
        arrays.b[7][3] *= 1.0 + 1e-12;
        arrays.c[0][0] = f64::NAN;
        assert_eq!(arrays.wrong_elements(3), 2);
    }
}
