//! What the probe `cross-compile` answers, field by field.

use verify_model::field::{
    FieldKind::{Bool, Integer, Text, Version},
    FieldSpec,
};

use crate::probe::{field, texts};

const BY: &str = "verify instrument cross-compile";
const ELF: &str = "the program's ELF file";
const SYMBOLS: &str = ".gnu.version_r of the ELF file";
const MACROS: &str = "macros of the compiler, -dM -E";
const SSH: &str = "ssh";

pub(super) static FIELDS: &[FieldSpec] = &[
    field("compiler", || Text, BY, "Path of the compiler; absent for a binary that is there."),
    field("version", || Version, BY, "Version of the compiler."),
    field(
        "state",
        || Text,
        BY,
        "`ok`, or what the build came to: `not-compiled`, `not-linked`; of a binary `unread`, `not-elf`.",
    ),
    field("trouble", || Text, BY, "First line that says what went wrong; `none` if nothing did."),
    field("class", || Integer, ELF, "Width of its addresses in bits: 64 or 32."),
    field("machine", || Text, ELF, "Machine that it is for, such as `x86-64`."),
    field("kind", || Text, ELF, "Kind of file, such as `position-independent executable`."),
    field("interpreter", || Text, ELF, "Loader that must be there; absent for a static program."),
    field("libraries", texts, ELF, "Libraries that must be there."),
    field("search-paths", texts, ELF, "Folders of libraries that were built in (RPATH, RUNPATH)."),
    field("static", || Bool, ELF, "Whether it needs neither loader nor library."),
    field("glibc-needed", || Version, SYMBOLS, "Newest glibc of which it needs a symbol."),
    field(
        "glibcxx-needed",
        || Version,
        SYMBOLS,
        "Newest GLIBCXX (libstdc++) of which it needs one.",
    ),
    field("cxxabi-needed", || Version, SYMBOLS, "Newest CXXABI of which it needs one."),
    field("glibc-fits", || Bool, SYMBOLS, "Whether `glibc` is new enough for it."),
    field("glibcxx-fits", || Bool, SYMBOLS, "Whether `glibcxx` is new enough for it."),
    field(
        "isa-level",
        || Integer,
        ELF,
        "Level of x86-64 that its note asks for at least; the code may use more.",
    ),
    field(
        "cpu-flags",
        texts,
        MACROS,
        "Features that the compiler uses, as /proc/cpuinfo names them.",
    ),
    field("cpu-flags-missing", texts, MACROS, "Those of them that `cpu` does not have."),
    field("started", || Bool, SSH, "Whether it started there and ended well."),
    field(
        "target-state",
        || Text,
        SSH,
        "`ok`, `loader` (a library or version is missing there), `crashed`, `exit-status`, `not-started`, `wrong-output`, `timed-out`.",
    ),
    field("target-trouble", || Text, SSH, "What it said there; `none` if it started."),
];
