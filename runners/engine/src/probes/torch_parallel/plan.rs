//! What the ranks are to compute, from the parameters; the defaults fit a card of 24 GiB.
//!
//! A layer is a product into the inner width and one back, as in the MLP of a transformer. With the
//! defaults eight layers weigh 2.1 GB and half of them 1.1 GB a card, in 16 bits.

use serde_json::{Value as Json, json};
use verify_model::quantity::Quantity;

use crate::probe::{ParamKind, ParamSpec, With};

const fn whole(name: &'static str, doc: &'static str) -> ParamSpec {
    ParamSpec { name, kind: ParamKind::Integer, required: false, doc }
}

pub(super) const PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "backend",
        kind: ParamKind::Choice(&["nccl", "gloo"]),
        required: false,
        doc: "`nccl` on CUDA devices, or `gloo` on the processor; nccl unless given.",
    },
    whole("ranks", "How many compute together, 2 to 8; 2 unless given."),
    whole("hidden", "Width of a layer, 64 to 16384; 4096 unless given."),
    whole("inner", "Width within a layer, a multiple of `ranks`, 64 to 65536; 16384 unless given."),
    whole("layers", "Layers, 1 to 64; 8 unless given."),
    whole("tokens", "Rows that go through the layers at once, 1 to 8192; 512 unless given."),
    whole("iterations", "Counted passes, an odd number, 5 to 501; 31 unless given."),
    ParamSpec {
        name: "size",
        kind: ParamKind::Quantity("MiB"),
        required: false,
        doc: "Size of the sum over all ranks, 1 MiB to 1 GiB; 256 MiB unless given.",
    },
    ParamSpec {
        name: "for",
        kind: ParamKind::Quantity("s"),
        required: false,
        doc: "Limit of the ranks, 10 s to 600 s; 150 s unless given.",
    },
    ParamSpec {
        name: "interpreter",
        kind: ParamKind::Text,
        required: false,
        doc: "Another interpreter than that of the node file.",
    },
];

/// *Units*: B.
const MIB: f64 = 1024.0 * 1024.0;

/// Holds the plan.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) backend: String,
    pub(super) ranks: i64,
    pub(super) hidden: i64,
    pub(super) inner: i64,
    pub(super) layers: i64,
    pub(super) tokens: i64,
    pub(super) iterations: i64,
    /// *Units*: B, a multiple of 4.
    size: u64,
    /// *Units*: s.
    pub(super) seconds: u64,
}

impl Plan {
    /// Reads the parameters.
    ///
    /// *Errors*: one cannot be used, in one sentence.
    pub(super) fn of(with: With<'_>) -> Result<Self, String> {
        let number = |name: &str, usual: i64, from: i64, to: i64| {
            let number = with.integer(name).unwrap_or(usual);
            let fits = (from..=to).contains(&number);
            fits.then_some(number)
                .ok_or_else(|| format!("`{name}` is {number}; {from} to {to} can be asked for"))
        };
        let amount = |name: &str, usual: f64, from: f64, to: f64| {
            let amount = with.quantity(name).map_or(usual, Quantity::base);
            if !(from..=to).contains(&amount) {
                return Err(format!("`{name}` is {amount}; {from} to {to} can be asked for"));
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
            let whole = amount.round() as u64;
            Ok(whole)
        };
        let plan = Self {
            backend: with.text("backend").unwrap_or("nccl").to_owned(),
            ranks: number("ranks", 2, 2, 8)?,
            hidden: number("hidden", 4096, 64, 16_384)?,
            inner: number("inner", 16_384, 64, 65_536)?,
            layers: number("layers", 8, 1, 64)?,
            tokens: number("tokens", 512, 1, 8192)?,
            iterations: number("iterations", 31, 5, 501)?,
            size: amount("size", 256.0 * MIB, MIB, 1024.0 * MIB)? / 4 * 4,
            seconds: amount("for", 150.0, 10.0, 600.0)?,
        };
        if plan.inner % plan.ranks != 0 {
            return Err(format!(
                "`inner` is {}, which {} ranks do not share evenly",
                plan.inner, plan.ranks
            ));
        }
        if plan.iterations % 2 == 0 {
            let why = "an odd number has a sample in its middle";
            return Err(format!("`iterations` is {}; {why}", plan.iterations));
        }
        Ok(plan)
    }

    /// Writes it for our program.
    pub(super) fn text(&self) -> String {
        let plan: Json = json!({
            "backend": self.backend, "ranks": self.ranks, "hidden": self.hidden,
            "inner": self.inner, "layers": self.layers, "tokens": self.tokens,
            "iterations": self.iterations, "warm-up": self.iterations / 3 + 1, "size": self.size,
            "passes": 11, "seconds": self.seconds,
        });
        plan.to_string()
    }
}
