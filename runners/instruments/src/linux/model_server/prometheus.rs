//! What a server counts of itself, from the text of `/metrics`.
//!
//! Only the names that are wanted are kept, summed over their labels: an engine of its own has a
//! label of its own. Counters have gained the end `_total`; a number that is none is left out.

use serde_json::{Map, Value, json};

/// Names after the prefix `vllm:`, the later one first, and what each is called here.
const NAMES: [(&str, &[&str]); 7] = [
    ("running", &["num_requests_running"]),
    ("waiting", &["num_requests_waiting"]),
    ("cache-share", &["kv_cache_usage_perc", "gpu_cache_usage_perc"]),
    ("preemptions", &["num_preemptions_total", "num_preemptions"]),
    ("generated", &["generation_tokens_total", "generation_tokens"]),
    ("prompted", &["prompt_tokens_total", "prompt_tokens"]),
    ("first-tokens", &["time_to_first_token_seconds_count"]),
];

/// Reads the text; names that it does not have are missing.
pub(super) fn read(text: &str) -> Value {
    let mut found = Map::new();
    for (name, spellings) in NAMES {
        let sum = spellings.iter().find_map(|spelling| sum(text, spelling));
        if let Some(sum) = sum {
            found.insert(name.to_owned(), json!(sum));
        }
    }
    Value::Object(found)
}

fn sum(text: &str, name: &str) -> Option<f64> {
    let mut values = text.lines().filter_map(|line| value(line, name)).peekable();
    values.peek()?;
    Some(values.sum()).filter(|sum: &f64| sum.is_finite())
}

fn value(line: &str, name: &str) -> Option<f64> {
    let rest = line.trim_start().strip_prefix("vllm:")?.strip_prefix(name)?;
    let rest = match rest.strip_prefix('{') {
        // A value of a label may hold a brace in quotes; numbers never do.
        Some(labels) => labels.rsplit_once('}')?.1,
        None => rest.strip_prefix([' ', '\t'])?,
    };
    let number = rest.split_whitespace().next()?.parse::<f64>().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_summed_over_labels_in_either_spelling() {
        let text = "\
# HELP vllm:num_requests_running Number of requests.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine=\"0\",model_name=\"a } b\"} 1.0
vllm:num_requests_running{engine=\"1\",model_name=\"x\"} 2.0
vllm:kv_cache_usage_perc{engine=\"0\"} NaN
vllm:generation_tokens_total{engine=\"0\"} 1.28e+02
vllm:generation_tokens_created{engine=\"0\"} 1.7e+09
vllm:num_preemptions 3
python_gc_objects_collected_total{generation=\"0\"} 900.0
";
        let expected = json!({ "running": 3.0, "preemptions": 3.0, "generated": 128.0 });
        assert_eq!(read(text), expected);
        assert_eq!(read("<html>404</html>"), json!({}));
        let beyond = "vllm:num_requests_running{engine=\"0\"} 1e308\n".repeat(2);
        assert_eq!(read(&beyond), json!({}), "no number holds the sum");
    }
}
