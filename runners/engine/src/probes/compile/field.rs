//! What the probe `compile` answers, field by field.

use verify_model::{
    field::{
        FieldKind::{Bool, List, Metric, Text, Version},
        FieldSpec,
    },
    metric::Direction,
};

use crate::probe::field;

const BY: &str = "verify instrument compile";
const SAYS: &str = "the compiler, and how it ended";

pub(super) static FIELDS: &[FieldSpec] = &[
    field("compiler", || Text, BY, "Path of the compiler."),
    field("version", || Version, "its macros; --version of nvcc", "Version of the compiler."),
    field(
        "state",
        || Text,
        BY,
        "`ok`, or what went wrong: `not-compiled`, `host-compiler` (nvcc does not take this g++), `not-linked`, `not-started`, `crashed`, `exit-status`, `wrong-output`.",
    ),
    field("trouble", || Text, SAYS, "First line that says what went wrong; `none` if nothing did."),
    field("compiled", || Bool, SAYS, "Whether it compiled and linked."),
    field("ran", || Bool, BY, "Whether the program ran and printed what it should have computed."),
    field(
        "features",
        || List(Box::new(Text)),
        "feature-test macros of the compiler and its library",
        "Features of C++23 that the program used; `expected` and `print` are std::expected, std::print.",
    ),
    field(
        "seconds",
        || Metric("s", Direction::LowerIsBetter),
        BY,
        "Time that the compiler took for a page of source.",
    ),
];
