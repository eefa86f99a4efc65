//! In which ways a server may answer: each is one that was seen, or one that must not be believed.

/// How a stream of chunks is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// A chunk at a time.
    Usual,
    /// Several chunks in one piece.
    Merged,
    /// Byte by byte: inside characters and inside the word `data`.
    Split,
    /// With comments between, and carriage returns.
    Pings,
    /// The connection is closed in the middle.
    Cut,
    /// An error comes in the middle.
    Error,
    /// No chunk has a choice.
    Empty,
    /// A number is NaN.
    NaN,
    /// It never ends: lines, chunks with choices, or one line.
    Flood(&'static str),
}

/// Says in which way a server answers.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Way {
    /// Status and body of `/health`; status 0 is no answer.
    pub(crate) health: (u16, &'static str),
    /// Identity that `/v1/models` lists; empty lists none.
    pub(crate) model: &'static str,
    pub(crate) metrics: bool,
    /// Whether a stream ends with usage.
    pub(crate) usage: bool,
    /// Whether it ends with `[DONE]`.
    pub(crate) done: bool,
    /// Reason to finish of its last chunk, and of a completion in one piece; empty is none.
    pub(crate) finish: &'static str,
    /// Whether every chunk with choices has usage.
    pub(crate) each: bool,
    /// Tokens that a completion lacks, unless it is of four; it says so.
    pub(crate) short: usize,
    /// Whether texts are empty.
    pub(crate) mute: bool,
    /// Whether completions after the first ones never come.
    pub(crate) hangs: bool,
    /// Whether a field that is not known is refused.
    pub(crate) strict: bool,
    /// Status of every completion.
    pub(crate) status: u16,
    /// How many first chunks share a piece of text, and whether one text is empty.
    pub(crate) sending: Sending,
    /// Every so many completions fail; 0 is none.
    pub(crate) fails: usize,
    /// Whether the same prompt is completed otherwise each time.
    pub(crate) wavers: bool,
    /// What a completion in one piece is, instead of itself.
    pub(crate) whole: Option<&'static str>,
}

/// vLLM as it should be.
const VLLM: Way = Way {
    health: (200, ""),
    model: "tiny",
    metrics: true,
    usage: true,
    done: true,
    finish: "length",
    each: false,
    short: 0,
    mute: false,
    hangs: false,
    strict: false,
    status: 200,
    sending: Sending::Usual,
    fails: 0,
    wavers: false,
    whole: None,
};

/// `transformers serve`: usage in the last chunk, no end mark, and no field that it does not know.
const TRANSFORMERS: Way = Way { model: "", metrics: false, done: false, strict: true, ..VLLM };

/// llama-cpp-python: no health, no usage in a stream.
const LLAMA: Way = Way {
    health: (404, "{\"detail\":\"Not Found\"}"),
    model: "models/tiny.gguf",
    metrics: false,
    usage: false,
    ..VLLM
};

/// Finds a way by name.
pub(crate) fn named(name: &str) -> Way {
    match name {
        "vllm" => VLLM,
        "transformers" => TRANSFORMERS,
        "llama" => LLAMA,
        "merged" => Way { sending: Sending::Merged, ..VLLM },
        "split" => Way { sending: Sending::Split, ..VLLM },
        "pings" => Way { sending: Sending::Pings, ..VLLM },
        "cut" => Way { sending: Sending::Cut, ..VLLM },
        "error" => Way { sending: Sending::Error, ..VLLM },
        "empty" => Way { sending: Sending::Empty, ..VLLM },
        "nan" => Way { sending: Sending::NaN, ..VLLM },
        "endless" => Way { usage: false, done: false, finish: "", ..VLLM },
        "each" => Way { usage: false, done: false, finish: "", each: true, ..VLLM },
        "abort" => Way { finish: "abort", ..VLLM },
        "eos" => Way { finish: "eos_token", ..VLLM },
        "mute" => Way { mute: true, usage: false, whole: Some("x"), ..VLLM },
        "blank" => Way { whole: Some(" \n"), ..VLLM },
        "short" => Way { short: 1, ..VLLM },
        "hangs" => Way { hangs: true, ..VLLM },
        "flood" => Way { sending: Sending::Flood(": ping\n\n"), ..VLLM },
        "chunks" => Way { sending: Sending::Flood("data:{\"choices\":[{}]}\n"), ..VLLM },
        "line" => Way { sending: Sending::Flood("data: xxxx"), ..VLLM },
        "uncounted" => Way { usage: false, whole: Some("another"), ..VLLM },
        "fails" => Way { fails: 3, ..VLLM },
        "wavers" => Way { wavers: true, ..VLLM },
        "dead" => Way { health: (503, ""), ..VLLM },
        "loading" => Way { health: (503, "{\"error\":{\"message\":\"Loading model\"}}"), ..VLLM },
        "silent" => Way { health: (0, ""), ..VLLM },
        "refuses" => Way { status: 404, ..VLLM },
        "broken" => Way { status: 500, ..VLLM },
        "nothing" => Way { status: 204, ..VLLM },
        other => panic!("no way is named {other}"),
    }
}
