//! The words with which a model server is started, and the instrument that starts it.

use verify_model::{node::Facts, quantity::Quantity};

use super::{NAME, field::LEVELS};
use crate::{probe::With, script};

/// What vLLM is told by its environment: nothing is fetched and nothing is reported while a node is
/// checked. *Source*: Hugging Face Hub and vLLM documentation, environment variables.
const ENVIRONMENT: [&str; 4] =
    ["env", "HF_HUB_OFFLINE=1", "VLLM_NO_USAGE_STATS=1", "DO_NOT_TRACK=1"];
const LONGEST_S: f64 = 3600.0;

/// Builds the words of the instrument.
///
/// *Errors*: a parameter cannot be used, in one sentence.
pub(super) fn argv(with: With<'_>, facts: &Facts) -> Result<Vec<String>, String> {
    let mut argv = vec![NAME.to_owned()];
    let mut add = |name: &str, value: String| argv.extend([name.to_owned(), value]);
    match (with.text("url"), with.texts("command").as_slice()) {
        (Some(url), []) => {
            if !is_loopback(url) {
                return Err(format!(
                    "`url` is `{url}`; it must be http://127.0.0.1:PORT or another address of the node itself"
                ));
            }
            if with.integer("port").is_some() {
                return Err(
                    "`port` is that of a server that is started: `url` has its own".to_owned()
                );
            }
            add("--url", url.to_owned());
        }
        (Some(_), _) => return Err("`url` and `command` name two servers".to_owned()),
        (None, []) => add("--command", json(&vllm(with, facts)?)),
        (None, words) => {
            let python = interpreter(facts);
            let words = words.iter().map(|word| word.replace("{python}", python));
            add("--command", json(&words.collect::<Vec<_>>()));
        }
    }
    if let Some(model) = with.text("model") {
        add("--model", given("model", model)?);
    }
    if let Some(reference) = with.text("reference") {
        add("--reference", given("reference", reference)?);
    }
    add("--concurrency", levels(with)?.iter().map(usize::to_string).collect::<Vec<_>>().join(","));
    for (name, flag, most, default) in [
        ("requests", "--requests", 256, 16),
        ("words", "--words", 8192, 256),
        ("tokens", "--tokens", 4096, 128),
    ] {
        add(flag, counted(with, name, most)?.unwrap_or(default).to_string());
    }
    if let Some(port) = counted(with, "port", 65_535)? {
        add("--port", port.to_string());
    }
    let (requests, tokens) = (with.integer("requests").unwrap_or(16), with.integer("tokens"));
    if requests * tokens.unwrap_or(128) > 50_000 {
        return Err("`requests` x `tokens` is more than 50000".to_owned());
    }
    for (name, flag, most, default) in [
        ("ready-limit", "--ready", LONGEST_S, 900.0),
        ("completion-limit", "--limit", LONGEST_S, 120.0),
        ("grace", "--grace", 60.0, 10.0),
    ] {
        let seconds = with.quantity(name).map_or(default, Quantity::base);
        if !(0.1..=most).contains(&seconds) {
            return Err(format!("`{name}` is {seconds} s; 0.1 s to {most} s can be asked for"));
        }
        add(flag, format!("{:.0}ms", seconds * 1e3));
    }
    Ok(argv)
}

/// Returns the numbers of completions under way at a time.
pub(super) fn levels(with: With<'_>) -> Result<Vec<usize>, String> {
    let given = with.texts("concurrency");
    let given = if given.is_empty() { vec!["1", "4", "8"] } else { given };
    let one = |text: &str| {
        let level = text.parse().ok().filter(|level| LEVELS.contains(level));
        level.ok_or_else(|| {
            let known = LEVELS.map(|level| level.to_string()).join(", ");
            format!("`concurrency` names `{text}`; there are {known}")
        })
    };
    given.into_iter().map(one).collect()
}

/// Writes the command of vLLM.
fn vllm(with: With<'_>, facts: &Facts) -> Result<Vec<String>, String> {
    let model = with.text("model").filter(|model| !model.is_empty());
    let model = model.ok_or("one of `url`, `command` and `model` says which server")?;
    let mut words: Vec<String> = ENVIRONMENT.map(str::to_owned).to_vec();
    words.push(interpreter(facts).to_owned());
    let fixed =
        ["-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", "{port}"];
    words.extend(fixed.map(str::to_owned));
    let mut add = |name: &str, value: String| words.extend([name.to_owned(), value]);
    add("--model", given("model", model)?);
    add("--tensor-parallel-size", counted(with, "tensor-parallel", 64)?.unwrap_or(1).to_string());
    if let Some(context) = counted(with, "context", 1 << 24)? {
        add("--max-model-len", context.to_string());
    }
    let share = with.quantity("utilisation").map_or(0.9, Quantity::base);
    if !(share > 0.0 && share <= 1.0) {
        return Err(format!("`utilisation` is {share}; more than 0 % and at most 100 %"));
    }
    add("--gpu-memory-utilization", format!("{}", (share * 1e4).round() / 1e4));
    match with.text("weights") {
        Some(kind @ ("float16" | "bfloat16")) => add("--dtype", kind.to_owned()),
        Some("fp8") => add("--quantization", "fp8".to_owned()),
        _ => {}
    }
    words.extend(with.texts("arguments").into_iter().map(str::to_owned));
    Ok(words)
}

fn interpreter(facts: &Facts) -> &str {
    if facts.python.is_empty() { script::INTERPRETER } else { &facts.python }
}

/// Refuses what would be taken for the name of an argument.
fn given(name: &str, value: &str) -> Result<String, String> {
    let bad = value.is_empty() || value.starts_with('-') || value.contains('\0');
    if bad { Err(format!("`{name}` is `{value}`")) } else { Ok(value.to_owned()) }
}

fn counted(with: With<'_>, name: &str, most: i64) -> Result<Option<i64>, String> {
    match with.integer(name) {
        Some(number) if !(1..=most).contains(&number) => {
            Err(format!("`{name}` is {number}; 1 to {most} can be asked for"))
        }
        number => Ok(number),
    }
}

fn json(words: &[String]) -> String {
    serde_json::Value::from(words.to_vec()).to_string()
}

/// Tells whether a URL is of the node itself. The instrument looks again.
fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let Some((host, port)) = rest.strip_suffix('/').unwrap_or(rest).rsplit_once(':') else {
        return false;
    };
    let four = |host: &str| host.split('.').filter(|part| part.parse::<u8>().is_ok()).count() == 4;
    let own = ["localhost", "[::1]"].contains(&host) || (host.starts_with("127.") && four(host));
    own && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use verify_model::{check::Params, matcher::Literal};

    use super::*;

    fn asked(params: &[(&str, Literal)]) -> Result<Vec<String>, String> {
        let params: Params =
            params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        argv(With(&params), &Facts::default())
    }

    fn text(text: &str) -> Literal {
        Literal::Text(text.to_owned())
    }

    #[test]
    fn the_design_reports_command_is_what_vllm_is_started_with() {
        let argv = asked(&[
            ("model", text("meta-llama/Llama-3.1-70B-Instruct")),
            ("tensor-parallel", Literal::Integer(2)),
            ("utilisation", Literal::Quantity("95 %".parse().unwrap())),
            ("weights", text("float16")),
        ])
        .unwrap();
        let words: Vec<String> = serde_json::from_str(&argv[2]).unwrap();
        let line = words.join(" ");
        assert!(line.starts_with("env HF_HUB_OFFLINE=1"), "{line}");
        let tail = "python3 -m vllm.entrypoints.openai.api_server --host 127.0.0.1 --port {port} --model meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 2 --gpu-memory-utilization 0.95 --dtype float16";
        assert!(line.ends_with(tail), "{line}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let url = || ("url", text("http://127.0.0.1:8000"));
        for (params, said) in [
            (vec![], "one of `url`, `command` and `model`"),
            (vec![("url", text("http://192.0.2.1:8000"))], "`url` is `http://192.0.2.1:8000`"),
            (vec![("url", text("http://localhost"))], "`url` is"),
            (vec![url(), ("command", Literal::List(vec![text("x")]))], "two servers"),
            (vec![url(), ("port", Literal::Integer(8000))], "`port` is that of"),
            (vec![url(), ("concurrency", Literal::List(vec![text("3")]))], "names `3`"),
            (vec![url(), ("requests", Literal::Integer(0))], "`requests` is 0"),
            (vec![url(), ("tokens", Literal::Integer(4096))], "more than 50000"),
            (vec![url(), ("model", text("--help"))], "`model` is `--help`"),
            (vec![url(), ("ready-limit", Literal::Quantity("2 h".parse().unwrap()))], "7200 s"),
        ] {
            let why = asked(&params).unwrap_err();
            assert!(why.contains(said), "{params:?}: {why}");
        }
    }
}
