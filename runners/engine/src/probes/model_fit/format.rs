//! How weights are stored: which formats a server takes, and how many bits one weight has in each.
//!
//! A quantised model keeps its embeddings, its head and its norms in 16 bits; only the matrices of
//! its layers are smaller, and those of four bits carry a scale and a zero for each group.

use serde_json::Value as Json;

/// Describes one format.
#[derive(Debug, PartialEq)]
pub(super) struct Format {
    /// Word in suites, as `--quantization` and `--dtype` of vLLM have it.
    pub(super) word: &'static str,
    /// How it is named to people.
    pub(super) shown: &'static str,
    /// Bits of one weight of a layer, what belongs to its group not counted.
    bits: f64,
    /// Whether groups of weights carry a scale and a zero.
    grouped: bool,
}

/// Holds every format, from the most bits to the fewest.
///
/// *Source*: IEEE 754 and bfloat16 have 16 bits. vLLM documentation, supported quantisation: `fp8` and
/// `int8` (W8A8) keep one scale a channel, which is below a thousandth. AWQ and GPTQ store 4 bits.
pub(super) static FORMATS: [Format; 6] = [
    Format { word: "bfloat16", shown: "bfloat16", bits: 16.0, grouped: false },
    Format { word: "float16", shown: "float16", bits: 16.0, grouped: false },
    Format { word: "fp8", shown: "fp8", bits: 8.0, grouped: false },
    Format { word: "int8", shown: "int8", bits: 8.0, grouped: false },
    Format { word: "awq", shown: "int4 (AWQ)", bits: 4.0, grouped: true },
    Format { word: "gptq", shown: "int4 (GPTQ)", bits: 4.0, grouped: true },
];

/// Names them for the loader; `auto` is that of the model's own `config.json`.
pub(super) const WORDS: &[&str] = &["auto", "bfloat16", "float16", "fp8", "int8", "awq", "gptq"];

/// Bits that each group adds: a scale of 16 and a zero of 4. *Source*: tensors `scales` and `qzeros`
/// of `AutoAWQ` and `AutoGPTQ`.
const GROUP_BITS: f64 = 20.0;

impl Format {
    pub(super) fn find(word: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.word == word)
    }

    /// Tells whether a model that is stored with 16 bits a weight can be served so, without being
    /// converted before. *Source*: vLLM documentation, `--quantization fp8` works on the fly.
    pub(super) fn on_the_fly(&self) -> bool {
        ["bfloat16", "float16", "fp8"].contains(&self.word)
    }

    /// Bits of one weight of a layer, with what its group adds.
    pub(super) fn bits(&self, group: u32) -> f64 {
        if self.grouped { self.bits + GROUP_BITS / f64::from(group) } else { self.bits }
    }

    /// Says where the bits come from.
    pub(super) fn explained(&self, group: u32) -> String {
        let bits = self.bits(group);
        if self.grouped {
            format!("{bits:.3}: 4 bits, and a scale of 16 and a zero of 4 bits for each {group}")
        } else {
            format!("{bits}")
        }
    }
}

/// Says in which format a model is stored, and its group size.
///
/// *Errors*: `config.json` names one that is not known, in one sentence.
pub(super) fn stored(config: &Json) -> Result<(&'static Format, Option<u32>), String> {
    let quantised = config.get("quantization_config").filter(|part| !part.is_null());
    let Some(part) = quantised else {
        let word = config.get("torch_dtype").or_else(|| config.get("dtype"));
        let word = word.and_then(Json::as_str).unwrap_or("float16");
        let known = Format::find(word).filter(|format| format.on_the_fly());
        return known.map(|format| (format, None)).ok_or_else(|| {
            format!("torch_dtype is `{word}`; float16, bfloat16 and fp8 are known")
        });
    };
    let method = part.get("quant_method").and_then(Json::as_str).unwrap_or("nothing");
    let bits = part.get("bits").and_then(Json::as_u64);
    let group = part.get("group_size").and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok());
    match (method, bits) {
        ("awq" | "gptq", None | Some(4)) | ("fp8", _) => {
            let format = Format::find(method).ok_or("an unknown format")?;
            Ok((format, group.filter(|group| *group > 0)))
        }
        ("awq" | "gptq", Some(bits)) => {
            Err(format!("quantization_config has {bits} bits; of {method}, 4 are known"))
        }
        _ => Err(format!(
            "quantization_config.quant_method is `{method}`; awq, gptq and fp8 are known"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn four_bits_carry_their_groups() {
        let awq = Format::find("awq").unwrap();
        assert!((awq.bits(128) - 4.156_25).abs() < 1e-12);
        assert!((awq.bits(32) - 4.625).abs() < 1e-12);
        assert!((Format::find("fp8").unwrap().bits(128) - 8.0).abs() < 1e-12);
        assert!(WORDS[1..].iter().all(|word| Format::find(word).is_some()));
        assert!(FORMATS.windows(2).all(|pair| pair[0].bits >= pair[1].bits));
    }

    #[test]
    fn a_config_says_how_it_is_stored_or_is_refused_by_name() {
        let word = |config: Json| stored(&config).map(|(format, group)| (format.word, group));
        assert_eq!(word(json!({ "torch_dtype": "bfloat16" })), Ok(("bfloat16", None)));
        assert_eq!(word(json!({ "dtype": "float16" })), Ok(("float16", None)));
        let awq = json!({ "quant_method": "awq", "bits": 4, "group_size": 64 });
        assert_eq!(word(json!({ "quantization_config": awq })), Ok(("awq", Some(64))));
        for (config, said) in [
            (json!({ "torch_dtype": "float64" }), "torch_dtype is `float64`"),
            (json!({ "quantization_config": { "quant_method": "bitsandbytes" } }), "bitsandbytes"),
            (json!({ "quantization_config": {} }), "`nothing`"),
            (json!({ "quantization_config": { "quant_method": "gptq", "bits": 3 } }), "has 3 bits"),
        ] {
            let why = word(config).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
    }
}
