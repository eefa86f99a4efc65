//! What a model is made of: its sizes, from `config.json` or from a suite, and its parameters.
//!
//! Only architectures whose parameters can be counted are taken; a guess would be a wrong answer
//! that looks right. What an index of safetensors says is compared with the count by the caller.

use serde_json::Value as Json;
use verify_model::check::Params;

use crate::probe::With;

/// Says which biases the attention of an architecture has.
#[derive(Debug, PartialEq)]
enum Bias {
    None,
    /// All four matrices, where the config says so.
    Configured,
    /// Query, key and value.
    QueryKeyValue,
}

/// Describes what differs between architectures.
#[derive(Debug)]
struct Family {
    name: &'static str,
    bias: Bias,
    /// Whether queries and keys have a norm of the size of a head.
    head_norms: bool,
    /// Norms of the hidden size in one layer.
    norms: f64,
    /// Whether embeddings and head are one where the config does not say.
    tied: bool,
    /// Keys of the number of experts and of the size of one, where there are any.
    experts: Option<(&'static str, &'static str)>,
}

const fn family(name: &'static str) -> Family {
    Family { name, bias: Bias::None, head_norms: false, norms: 2.0, tied: false, experts: None }
}

/// *Source*: `modeling_*.py` of transformers 5, one for each.
static FAMILIES: [Family; 9] = [
    Family { tied: true, ..family("GemmaForCausalLM") },
    Family { tied: true, norms: 4.0, ..family("Gemma2ForCausalLM") },
    Family { bias: Bias::Configured, ..family("LlamaForCausalLM") },
    family("MistralForCausalLM"),
    Family {
        experts: Some(("num_local_experts", "intermediate_size")),
        ..family("MixtralForCausalLM")
    },
    family("Phi3ForCausalLM"),
    Family { bias: Bias::QueryKeyValue, ..family("Qwen2ForCausalLM") },
    Family { head_norms: true, ..family("Qwen3ForCausalLM") },
    Family {
        head_norms: true,
        experts: Some(("num_experts", "moe_intermediate_size")),
        ..family("Qwen3MoeForCausalLM")
    },
];

/// Largest size that is taken. *Source*: a hundred times what any model has; sums stay exact.
const LARGEST: u64 = 100_000_000;

/// Holds the sizes of a model.
#[derive(Debug)]
pub(super) struct Shape {
    family: &'static Family,
    hidden: u32,
    layers: u32,
    pub(super) heads: u32,
    pub(super) kv_heads: u32,
    head_dim: u32,
    intermediate: u32,
    vocabulary: u32,
    tied: bool,
    experts: Option<u32>,
    bias: bool,
    /// Longest context that the model was made for, where it says so.
    pub(super) positions: Option<u32>,
}

/// Holds how many parameters there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    /// Those in the matrices of layers, which are quantised.
    pub(super) layered: f64,
    /// The rest: embeddings, head, norms, biases, routers.
    pub(super) others: f64,
}

/// Names of the sizes: in a suite, and in `config.json`.
const SIZES: [(&str, &str); 6] = [
    ("hidden-size", "hidden_size"),
    ("layers", "num_hidden_layers"),
    ("attention-heads", "num_attention_heads"),
    ("kv-heads", "num_key_value_heads"),
    ("intermediate-size", "intermediate_size"),
    ("vocabulary", "vocab_size"),
];

/// Finds an architecture.
///
/// *Errors*: it is not known, in one sentence with those that are.
fn known(name: &str) -> Result<&'static Family, String> {
    FAMILIES.iter().find(|family| family.name == name).ok_or_else(|| {
        let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        format!("the architecture `{name}` cannot be counted; known are {}", names.join(", "))
    })
}

fn size(key: &str, value: &Json) -> Result<u32, String> {
    let number = value.as_u64().filter(|number| (1..=LARGEST).contains(number));
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| format!("`{key}` is {value}, a whole number from 1 to {LARGEST} expected"))
}

impl Shape {
    /// Reads a `config.json`.
    ///
    /// *Errors*: a key is missing or makes no sense, in one sentence that names it.
    pub(super) fn of_config(config: &Json) -> Result<Self, String> {
        let name = config.get("architectures").and_then(|all| all.get(0)).and_then(Json::as_str);
        let family = known(name.ok_or("it names no `architectures`")?)?;
        let there = |key: &str| config.get(key).filter(|value| !value.is_null());
        let demanded = |key: &str| match there(key) {
            Some(value) => size(key, value),
            None => Err(format!("it has no `{key}`")),
        };
        let given = |key: &str| there(key).map(|value| size(key, value)).transpose();
        let (hidden, heads) = (demanded("hidden_size")?, demanded("num_attention_heads")?);
        let kv_heads = given("num_key_value_heads")?.unwrap_or(heads);
        let head_dim = match given("head_dim")? {
            Some(head_dim) => head_dim,
            None => evenly("hidden_size", hidden, "num_attention_heads", heads)?,
        };
        let flag = |key: &str| there(key).and_then(Json::as_bool);
        let experts = family.experts.map(|(count, _)| demanded(count)).transpose()?;
        let intermediate = demanded(family.experts.map_or("intermediate_size", |(_, key)| key))?;
        let shape = Self {
            family,
            hidden,
            layers: demanded("num_hidden_layers")?,
            heads,
            kv_heads,
            head_dim,
            intermediate,
            vocabulary: demanded("vocab_size")?,
            tied: flag("tie_word_embeddings").unwrap_or(family.tied),
            experts,
            bias: flag("attention_bias").unwrap_or(false),
            positions: given("max_position_embeddings")?,
        };
        shape.checked()
    }

    /// Reads the sizes that a suite gives.
    ///
    /// *Errors*: one is missing or makes no sense, in one sentence that names it.
    pub(super) fn of_suite(with: With<'_>) -> Result<Self, String> {
        let family = known(with.text("architecture").unwrap_or("LlamaForCausalLM"))?;
        let given = |name: &str| with.integer(name).map(|n| size(name, &n.into())).transpose();
        let demanded = |name: &str| {
            given(name)?.ok_or_else(|| format!("without `model`, `{name}` must be given"))
        };
        let (hidden, heads) = (demanded("hidden-size")?, demanded("attention-heads")?);
        let head_dim = match given("head-dim")? {
            Some(head_dim) => head_dim,
            None => evenly("hidden-size", hidden, "attention-heads", heads)?,
        };
        let experts = given("experts")?;
        if experts.is_some() != family.experts.is_some() {
            let has = if family.experts.is_some() { "has experts" } else { "has no experts" };
            return Err(format!("`experts` does not fit: {} {has}", family.name));
        }
        let tied = with.0.get("tied-embeddings").map(|_| with.flag("tied-embeddings"));
        let shape = Self {
            family,
            hidden,
            layers: demanded("layers")?,
            heads,
            kv_heads: given("kv-heads")?.unwrap_or(heads),
            head_dim,
            intermediate: demanded("intermediate-size")?,
            vocabulary: demanded("vocabulary")?,
            tied: tied.unwrap_or(family.tied),
            experts,
            bias: false,
            positions: None,
        };
        shape.checked()
    }

    fn checked(self) -> Result<Self, String> {
        evenly("attention heads", self.heads, "kv heads", self.kv_heads)?;
        Ok(self)
    }

    pub(super) fn architecture(&self) -> &'static str {
        self.family.name
    }

    /// Counts the parameters.
    pub(super) fn parameters(&self) -> Parameters {
        let (hidden, head) = (f64::from(self.hidden), f64::from(self.head_dim));
        let queries = f64::from(self.heads) * head;
        let keys = f64::from(self.kv_heads) * head;
        let attention = hidden * (2.0 * queries + 2.0 * keys);
        // Gate, up and down, in each expert.
        let experts = f64::from(self.experts.unwrap_or(1));
        let feed_forward = 3.0 * hidden * f64::from(self.intermediate) * experts;
        let router = self.experts.map_or(0.0, |experts| hidden * f64::from(experts));
        let bias = match self.family.bias {
            Bias::QueryKeyValue => queries + 2.0 * keys,
            Bias::Configured if self.bias => queries + 2.0 * keys + hidden,
            Bias::Configured | Bias::None => 0.0,
        };
        let norms = self.family.norms * hidden;
        let norms = norms + if self.family.head_norms { 2.0 * head } else { 0.0 };
        let table = f64::from(self.vocabulary) * hidden * if self.tied { 1.0 } else { 2.0 };
        let layers = f64::from(self.layers);
        Parameters {
            layered: layers * (attention + feed_forward),
            others: table + hidden + layers * (norms + bias + router),
        }
    }

    /// Elements that one token adds to the cache: a key and a value for each layer and head.
    pub(super) fn cached(&self) -> f64 {
        2.0 * f64::from(self.layers) * f64::from(self.kv_heads) * f64::from(self.head_dim)
    }
}

fn evenly(what: &str, of: u32, by: &str, parts: u32) -> Result<u32, String> {
    if of.is_multiple_of(parts) {
        Ok(of / parts)
    } else {
        Err(format!("{of} ({what}) is no multiple of {parts} ({by})"))
    }
}

/// Names the first size that a suite gives although `config.json` has it.
pub(super) fn given_twice(given: &Params) -> Option<&str> {
    let more = ["architecture", "head-dim", "tied-embeddings", "experts"];
    let mut names = SIZES.iter().map(|(name, _)| *name).chain(more);
    names.find(|name| given.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn llama_70b() -> Json {
        json!({
            "architectures": ["LlamaForCausalLM"], "hidden_size": 8192, "num_hidden_layers": 80,
            "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672,
            "vocab_size": 128_256, "tie_word_embeddings": false, "attention_bias": false,
            "max_position_embeddings": 131_072,
        })
    }

    fn total(config: &Json) -> f64 {
        let parameters = Shape::of_config(config).unwrap().parameters();
        parameters.layered + parameters.others
    }

    /// *Source*: the parameters that the published models have, by their index of safetensors.
    #[test]
    fn published_models_are_counted_to_the_last_parameter() {
        assert!((total(&llama_70b()) - 70_553_706_496.0).abs() < 0.5);
        let qwen = json!({
            "architectures": ["Qwen2ForCausalLM"], "hidden_size": 896, "num_hidden_layers": 24,
            "num_attention_heads": 14, "num_key_value_heads": 2, "intermediate_size": 4864,
            "vocab_size": 151_936, "tie_word_embeddings": true,
        });
        assert!((total(&qwen) - 494_032_768.0).abs() < 0.5);
        let mixtral = json!({
            "architectures": ["MixtralForCausalLM"], "hidden_size": 4096, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
            "vocab_size": 32000, "num_local_experts": 8, "tie_word_embeddings": false,
        });
        assert!((total(&mixtral) - 46_702_792_704.0).abs() < 0.5);
        let qwen3 = json!({
            "architectures": ["Qwen3ForCausalLM"], "hidden_size": 1024, "num_hidden_layers": 28,
            "num_attention_heads": 16, "num_key_value_heads": 8, "intermediate_size": 3072,
            "head_dim": 128, "vocab_size": 151_936, "tie_word_embeddings": true,
        });
        assert!((total(&qwen3) - 596_049_920.0).abs() < 0.5);
        let gemma = json!({
            "architectures": ["Gemma2ForCausalLM"], "hidden_size": 2304, "num_hidden_layers": 26,
            "num_attention_heads": 8, "num_key_value_heads": 4, "intermediate_size": 9216,
            "head_dim": 256, "vocab_size": 256_000,
        });
        assert!((total(&gemma) - 2_614_341_888.0).abs() < 0.5);
    }

    #[test]
    fn a_token_of_the_70b_model_takes_320_kib() {
        let shape = Shape::of_config(&llama_70b()).unwrap();
        assert!((shape.cached() * 2.0 - 320.0 * 1024.0).abs() < 0.5);
    }

    #[test]
    fn what_cannot_be_counted_is_refused_by_name() {
        for (key, value, said) in [
            ("architectures", json!(["MambaForCausalLM"]), "`MambaForCausalLM` cannot be counted"),
            ("architectures", json!(null), "names no `architectures`"),
            ("hidden_size", json!(null), "it has no `hidden_size`"),
            ("vocab_size", json!("many"), "`vocab_size` is \"many\""),
            ("num_hidden_layers", json!(0), "`num_hidden_layers` is 0"),
            ("num_hidden_layers", json!(-1), "`num_hidden_layers` is -1"),
            ("intermediate_size", json!(1e30), "`intermediate_size` is 1e"),
            ("num_attention_heads", json!(7), "no multiple of 7 (num_attention_heads)"),
            ("num_key_value_heads", json!(7), "no multiple of 7 (kv heads)"),
        ] {
            let mut config = llama_70b();
            config[key] = value;
            let why = Shape::of_config(&config).unwrap_err();
            assert!(why.contains(said), "{key}: {why}");
        }
    }
}
