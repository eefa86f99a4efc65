//! How much memory a GPU needs for its share of a model, against what a server may take of it.
//!
//! weights / GPUs + activation + graphs + cache <= utilisation x memory. Every amount is held in
//! bytes; text shows weights in GB, as models are published, and beside it in GiB, in which
//! all else stands, so that both are never added.

use verify_model::quantity::display_number;

use super::{
    format::{FORMATS, Format},
    shape::Shape,
};

const GIB: f64 = 1_073_741_824.0;
/// Tokens of a block of the cache. *Source*: vLLM, `--block-size`, 16 unless given.
const BLOCK: u32 = 16;
/// Shortest context that is offered where the one that is wanted does not fit. *Units*: token.
const SHORT: f64 = 2048.0;

/// Holds how a model is to be served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) format: &'static Format,
    /// Weights that share a scale.
    pub(super) group: u32,
    /// Bytes of an element of the cache.
    pub(super) cached_bytes: f64,
    /// GPUs that share the model.
    pub(super) parallel: u32,
    /// Tokens of a sequence.
    pub(super) context: u32,
    /// Sequences of that length at a time.
    pub(super) sequences: u32,
    /// Share of the memory that may be taken.
    pub(super) utilisation: f64,
    /// Peak of activations, and what is no weight otherwise. *Units*: B.
    pub(super) activation: f64,
    /// CUDA graphs. *Units*: B.
    pub(super) graphs: f64,
}

/// Holds the need of one GPU. *Units*: B.
#[derive(Debug)]
pub(super) struct Need {
    /// Weights of the whole model.
    pub(super) weights: f64,
    /// Weights on one GPU.
    pub(super) share: f64,
    /// What a token takes of the cache of one GPU.
    pub(super) token: f64,
    /// What a token takes of all caches together, were none held twice.
    pub(super) token_whole: f64,
    pub(super) cache: f64,
    pub(super) overhead: f64,
    pub(super) sum: f64,
    pub(super) budget: f64,
    /// Tokens for which there is room.
    pub(super) room: f64,
}

/// Checks that a model can be divided.
///
/// *Errors*: it cannot, in one sentence.
pub(super) fn divisible(shape: &Shape, parallel: u32) -> Result<(), String> {
    let (heads, kv_heads) = (shape.heads, shape.kv_heads);
    if !heads.is_multiple_of(parallel) {
        return Err(format!(
            "`tensor-parallel` is {parallel}, which does not divide {heads} attention heads"
        ));
    }
    if !kv_heads.is_multiple_of(parallel) && !parallel.is_multiple_of(kv_heads) {
        return Err(format!(
            "`tensor-parallel` is {parallel}, which neither divides {kv_heads} kv heads nor is a multiple of them"
        ));
    }
    Ok(())
}

/// Computes the need of one GPU of so much memory.
pub(super) fn need(shape: &Shape, setting: &Setting, memory: f64) -> Need {
    let parameters = shape.parameters();
    // What is not quantised keeps 16 bits.
    let layered = parameters.layered * setting.format.bits(setting.group) / 8.0;
    let weights = layered + parameters.others * 2.0;
    let parallel = f64::from(setting.parallel);
    let on_one = weights / parallel;
    let token_whole = shape.cached() * setting.cached_bytes;
    // More GPUs than heads of keys: each holds a copy of one.
    let token = token_whole / parallel.min(f64::from(shape.kv_heads));
    let tokens = f64::from(setting.context.next_multiple_of(BLOCK)) * f64::from(setting.sequences);
    let cache = tokens * token;
    let overhead = setting.activation + setting.graphs;
    let budget = memory * setting.utilisation;
    let block = f64::from(BLOCK);
    let room = ((budget - on_one - overhead) / token / block).floor().max(0.0) * block;
    Need {
        weights,
        share: on_one,
        token,
        token_whole,
        cache,
        overhead,
        sum: on_one + overhead + cache,
        budget,
        room,
    }
}

impl Need {
    pub(super) fn fits(&self) -> bool {
        self.sum <= self.budget
    }

    /// Writes the sum in one line.
    pub(super) fn arithmetic(&self, setting: &Setting, memory: f64) -> String {
        let Setting { parallel, context, sequences, .. } = setting;
        let weights = format!("weights {} GB ({})", rounded(self.weights / 1e9), gib(self.weights));
        let tokens = match sequences {
            1 => format!("{context} tokens"),
            _ => format!("{sequences} x {context} tokens"),
        };
        format!(
            "{weights} / {parallel} = {}, activation {}, graphs {}, KV {tokens} x {} KiB = {}: {} a GPU {} {} x {} % = {}",
            gib(self.share),
            gib(setting.activation),
            gib(setting.graphs),
            rounded(self.token / 1024.0),
            gib(self.cache),
            gib(self.sum),
            if self.fits() { "<=" } else { ">" },
            gib(memory),
            rounded(setting.utilisation * 100.0),
            gib(self.budget),
        )
    }
}

/// Says what fits: the most bits that leave room for the context that is wanted, else for a short
/// one. `stored` is the one format that a quantised model has.
pub(super) fn largest(
    shape: &Shape,
    setting: &Setting,
    memory: f64,
    stored: Option<&'static Format>,
) -> String {
    let wanted = f64::from(setting.context);
    let same_bits = |format: &Format| {
        (format.bits(setting.group) - setting.format.bits(setting.group)).abs() < 1e-9
    };
    let mut tried: Vec<(&str, f64)> = Vec::new();
    let mut before = f64::INFINITY;
    for format in &FORMATS {
        let bits = format.bits(setting.group);
        if stored.is_some_and(|stored| stored != format) || bits >= before {
            continue;
        }
        before = bits;
        let format = if same_bits(format) { setting.format } else { format };
        let room = need(shape, &Setting { format, ..*setting }, memory).room;
        let each = room / f64::from(setting.sequences);
        let longest = shape.positions.map_or(each, |most| each.min(f64::from(most)));
        let block = f64::from(BLOCK);
        tried.push((format.shown, (longest / block).floor() * block));
    }
    let most = |least: f64| tried.iter().find(|(_, tokens)| *tokens >= least);
    let found = most(wanted).or_else(|| most(SHORT.min(wanted)));
    match (found, setting.sequences) {
        (Some((name, tokens)), 1) => format!("{name} with {tokens:.0} tokens"),
        (Some((name, tokens)), more) => {
            format!("{name} with {more} sequences of {tokens:.0} tokens")
        }
        (None, _) => {
            let names: Vec<&str> = tried.iter().map(|(name, _)| *name).collect();
            format!("nothing: not as {}; a smaller model, or more GPUs", names.join(", "))
        }
    }
}

/// Writes bytes in GiB.
pub(super) fn gib(bytes: f64) -> String {
    format!("{} GiB", rounded(bytes / GIB))
}

/// Writes four digits that count.
fn rounded(value: f64) -> String {
    display_number(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn llama_70b() -> Shape {
        Shape::of_config(&json!({
            "architectures": ["LlamaForCausalLM"], "hidden_size": 8192, "num_hidden_layers": 80,
            "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672,
            "vocab_size": 128_256, "tie_word_embeddings": false,
            "max_position_embeddings": 131_072,
        }))
        .unwrap()
    }

    fn setting(word: &str) -> Setting {
        Setting {
            format: Format::find(word).unwrap(),
            group: 128,
            cached_bytes: 2.0,
            parallel: 2,
            context: 8192,
            sequences: 1,
            utilisation: 0.95,
            activation: 1.5 * GIB,
            graphs: 0.4 * GIB,
        }
    }

    const CARD: f64 = 24.0 * GIB;

    #[test]
    fn seventy_billion_parameters_of_16_bits_never_fit_two_cards_of_24_gib() {
        let setting = setting("float16");
        let need = need(&llama_70b(), &setting, CARD);
        assert!((need.weights / 1e9 - 141.1).abs() < 0.05 && !need.fits());
        assert!((need.token / 1024.0 - 160.0).abs() < 1e-9);
        assert!((need.room - 0.0).abs() < 1e-9);
        let line = need.arithmetic(&setting, CARD);
        for part in [
            "weights 141.1 GB (131.4 GiB) / 2 = 65.71 GiB",
            "KV 8192 tokens x 160 KiB = 1.25 GiB",
            "68.86 GiB a GPU > 24 GiB x 95 % = 22.8 GiB",
        ] {
            assert!(line.contains(part), "{line}");
        }
        let all =
            Setting { utilisation: 1.0, activation: 0.0, graphs: 0.0, context: 16, ..setting };
        assert!(!super::need(&llama_70b(), &all, CARD).fits());
    }

    #[test]
    fn nine_tenths_of_24_gib_are_21_6_gib() {
        let setting = Setting { utilisation: 0.9, context: 4096, ..setting("awq") };
        let need = need(&llama_70b(), &setting, CARD);
        assert!((need.budget / GIB - 21.6).abs() < 1e-9);
        assert!(need.arithmetic(&setting, CARD).ends_with("<= 24 GiB x 90 % = 21.6 GiB"));
    }

    #[test]
    fn what_fits_is_the_most_bits_with_room_for_the_context() {
        let shape = llama_70b();
        let said = |setting: Setting| largest(&shape, &setting, CARD, None);
        assert_eq!(said(setting("float16")), "int4 (AWQ) with 15600 tokens");
        assert_eq!(said(setting("gptq")), "int4 (GPTQ) with 15600 tokens");
        let long = Setting { context: 131_072, ..setting("float16") };
        assert_eq!(said(long), "int4 (AWQ) with 15600 tokens");
        let four = Setting { sequences: 4, ..setting("float16") };
        assert_eq!(said(four), "int4 (AWQ) with 4 sequences of 3888 tokens");
        let small = largest(&shape, &setting("awq"), CARD / 2.0, None);
        assert!(small.starts_with("nothing: not as bfloat16, fp8, int4 (AWQ)"), "{small}");
        let eight = largest(&shape, &setting("awq"), 4.0 * CARD, None);
        assert_eq!(eight, "float16 with 131072 tokens".replace("float16", "bfloat16"));
        let fp8 = Format::find("fp8");
        assert!(largest(&shape, &setting("fp8"), CARD, fp8).starts_with("nothing: not as fp8;"));
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let shape = llama_70b();
        assert_eq!(divisible(&shape, 2), Ok(()));
        assert_eq!(divisible(&shape, 16), Ok(()));
        let why = divisible(&shape, 3).unwrap_err();
        assert!(why.contains("`tensor-parallel` is 3") && why.contains("64 attention heads"));
        // Twice as many GPUs as heads of keys hold each of them twice.
        let sixteen = Setting { parallel: 16, ..setting("awq") };
        let token = need(&shape, &sixteen, CARD).token;
        assert!((token - 40.0 * 1024.0).abs() < 1e-9);
    }
}
