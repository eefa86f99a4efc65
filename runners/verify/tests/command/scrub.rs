//! How a record becomes one that anybody may read: what was asked and answered, and nobody's name.
//!
//! Kept are the answers, each once; plan and verdicts are made anew by every replay. Names,
//! addresses, serial numbers, folders and command lines of the machine are replaced by ones that
//! mean nothing; in answers alone, since a question that was changed would find no answer.

use regex::{Captures, Regex};
use serde_json::{Value, json};

/// Name of the machine and of the run in the record.
pub(crate) const NAME: &str = "replay";
/// Parameters of the kernel that probes read; the others say where and how the machine runs.
const KERNEL_PARAMETERS: [&str; 14] = [
    "BOOT_IMAGE",
    "amd_iommu",
    "default_hugepagesz",
    "hugepages",
    "hugepagesz",
    "intel_iommu",
    "iommu",
    "irqaffinity",
    "isolcpus",
    "mitigations",
    "nohz_full",
    "processor.max_cstate",
    "rcu_nocbs",
    "transparent_hugepage",
];
/// What names a machine or a part of it, and what stands for it.
const SECRETS: [(&str, &str); 4] = [
    (r"\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\b", "02:00:00:00:00:01"),
    (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "00000000-0000-0000-0000-000000000000"),
    (r"\b[0-9a-f]{32}\b", "00000000000000000000000000000000"),
    (r"\b(?:fe80|fd[0-9a-f]{2}|2[0-9a-f]{3}):[0-9a-f:]*:[0-9a-f:]+", "2001:db8::1"),
];
/// What the measurement of a link says beside it, line feeds as JSON writes them: who runs, what is
/// listened on, and how iperf3 names the machine.
const OF_A_LINK: [(&str, &str); 3] = [
    (r"(== ran\\n).*?(== end)", "$1$2"),
    (r"(== listening\\n).*?(== cpu|== end)", "$1$2"),
    (r#"(system_info\\+":\\+t?\\*")[^"]*?(\\+")"#, "${1}Linux$2"),
];
/// Addresses that only documentation has. *Source*: RFC 5737.
const ADDRESS: &str = "192.0.2.1";

/// Holds what is known of the machine that was asked.
pub(crate) struct Machine {
    /// Its host name.
    pub(crate) host: String,
    /// Its kernel, as `uname -r` prints it.
    pub(crate) release: String,
    /// Folders, each with what stands for it.
    pub(crate) folders: Vec<(String, &'static str)>,
}

/// Scrubs a record, line by line.
pub(crate) fn scrub(record: &[Value], machine: &Machine) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    let numeric = machine.release.split('-').next().unwrap();
    for line in record {
        // The one thing that questions are made from, too.
        let text = line.to_string().replace(&machine.release, numeric);
        let mut line: Value = serde_json::from_str(&text).unwrap();
        match line["event"].as_str().unwrap() {
            "started" => {
                line["id"] = json!(NAME);
                line["root"] = json!("embedded");
                line["command"] = json!(["verify"]);
                line["orchestrator"] = json!(NAME);
            }
            "node" => {
                // Read anew from the answers by every replay.
                for (name, fact) in line["facts"].as_object_mut().unwrap() {
                    *fact = match fact {
                        Value::Object(_) => json!({}),
                        Value::Array(_) => json!([]),
                        _ => json!(if name == "hostname" { NAME } else { "" }),
                    };
                }
            }
            "plan-ready" => line["checks"] = json!(0),
            "finished" => {
                line["elapsed_ms"] = json!(0);
                line["exit"] = json!(4);
            }
            "evidence" => {
                for name in ["id", "at-ms", "elapsed-us"] {
                    line[name] = json!(0);
                }
                let path = line["ask"]["read-file"]["path"].as_str().unwrap_or_default().to_owned();
                clean(&mut line["captured"], &path, machine);
                if kept.contains(&line) {
                    continue;
                }
            }
            _ => continue,
        }
        kept.push(line);
    }
    number(&mut kept);
    kept
}

fn number(lines: &mut [Value]) {
    let evidence = lines.iter_mut().filter(|line| line["event"] == "evidence");
    for (id, line) in evidence.enumerate() {
        line["id"] = json!(id);
    }
}

fn clean(value: &mut Value, path: &str, machine: &Machine) {
    match value {
        Value::String(text) => *text = clean_text(text, path, machine),
        Value::Array(pair) => {
            // Of many files, each stands as its path and what it holds.
            if let [Value::String(path), answer] = pair.as_mut_slice() {
                clean(answer, &path.clone(), machine);
            } else {
                for value in pair {
                    clean(value, path, machine);
                }
            }
        }
        Value::Object(map) => {
            for (_, value) in map {
                clean(value, path, machine);
            }
        }
        _ => {}
    }
}

fn clean_text(text: &str, path: &str, machine: &Machine) -> String {
    let of_process = Regex::new(r"^/proc/\d+/(cmdline|environ)$").unwrap();
    match path {
        "/proc/sys/kernel/hostname" => return format!("{NAME}\n"),
        "/proc/cmdline" => return kernel_parameters(text),
        _ if of_process.is_match(path) => return "program\0".to_owned(),
        _ if ["serial", "wwid", "asset_tag"].iter().any(|end| path.ends_with(end)) => {
            return format!("{NAME}\n");
        }
        _ => {}
    }
    let mut text = text.to_owned();
    for (folder, stands_for) in &machine.folders {
        text = text.replace(folder, stands_for);
    }
    for (secret, stands_for) in SECRETS {
        text = Regex::new(secret).unwrap().replace_all(&text, stands_for).into_owned();
    }
    if text.starts_with("{\"protocol\":\"verify-between/") {
        for (what, stands_for) in OF_A_LINK {
            text = Regex::new(what).unwrap().replace_all(&text, stands_for).into_owned();
        }
    }
    // The kernel's log repeats its parameters, and what of them it did not know.
    let logged = Regex::new(r"(?im)(command line: )(.*)$").unwrap();
    let kept =
        |found: &Captures<'_>| format!("{}{}", &found[1], kernel_parameters(&found[2]).trim());
    text = logged.replace_all(&text, kept).into_owned();
    let unknown = Regex::new(r#"(command line parameters )"[^"]*""#).unwrap();
    text = unknown.replace_all(&text, r#"$1"x=1""#).into_owned();
    // A short name is a word that others use, too.
    if machine.host.len() > 3 {
        let name = Regex::new(&format!(r"\b{}\b", regex::escape(&machine.host))).unwrap();
        text = name.replace_all(&text, NAME).into_owned();
    }
    let address = Regex::new(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b").unwrap();
    let replaced = address.replace_all(&text, |found: &Captures<'_>| {
        if is_nobodys(&found[0]) { found[0].to_owned() } else { ADDRESS.to_owned() }
    });
    replaced.into_owned()
}

fn is_nobodys(address: &str) -> bool {
    ["0.", "127.", "255.", "224."].iter().any(|begin| address.starts_with(begin))
}

fn kernel_parameters(text: &str) -> String {
    let known = |word: &&str| KERNEL_PARAMETERS.contains(&word.split('=').next().unwrap());
    let kept: Vec<&str> = text.split_whitespace().filter(known).collect();
    format!("{}\n", kept.join(" "))
}

/// Lists what a record says that nobody else may know.
pub(crate) fn secrets(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (secret, stands_for) in SECRETS {
        let matches = Regex::new(secret).unwrap();
        let all = matches.find_iter(text).map(|m| m.as_str().to_owned());
        found.extend(all.filter(|word| word != stands_for));
    }
    let address = Regex::new(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b").unwrap();
    let all = address.find_iter(text).map(|m| m.as_str().to_owned());
    found.extend(all.filter(|word| word != ADDRESS && !is_nobodys(word)));
    let folder = Regex::new(r"(?:/root|/home|/Users|/tmp|/work)/[^\s:]*").unwrap();
    let all = folder.find_iter(text).map(|m| m.as_str().to_owned());
    found.extend(all.filter(|word| !word.starts_with("/home/user")));
    found
}

#[test]
fn what_names_a_machine_is_taken_out_and_found_where_it_is_left() {
    let machine = Machine {
        host: "trader7".into(),
        release: "6.1.0-secret".into(),
        folders: vec![("/root".into(), "/home/user")],
    };
    let hostile = "trader7 6.1.0-secret /root/bin/x 10.1.2.3 fe80::1:2 aa:bb:cc:dd:ee:ff \
                   0123456789abcdef0123456789abcdef 12345678-1234-1234-1234-123456789abc 127.0.0.1\n\
                   Kernel command line: quiet key=x isolcpus=2\n\
                   Unknown kernel command line parameters \"key=x\", will be passed\n";
    let path = "/proc/7/cmdline";
    let record = [
        json!({"event": "verdict", "text": "dropped"}),
        json!({"event": "evidence", "ask": {"read-file": {"path": "/x"}}, "captured": {"file": {"text": hostile}}}),
        json!({"event": "evidence", "ask": {}, "captured": {"files": [[path, {"Ok": {"text": "trade --key\0"}}]]}}),
        json!({"event": "evidence", "ask": {"read-file": {"path": "/proc/cmdline"}}, "captured": {"file": {"text": "isolcpus=1 token=x\n"}}}),
    ];
    assert_eq!(secrets(hostile).len(), 6, "{:?}", secrets(hostile));
    let kept = scrub(&record, &machine);
    assert_eq!(kept.len(), 3);
    let text = kept[0]["captured"]["file"]["text"].as_str().unwrap();
    assert!(secrets(text).is_empty() && !text.contains("trader7"), "{text}");
    assert!(text.contains("replay 6.1.0 /home/user/bin/x 192.0.2.1"), "{text}");
    assert!(text.contains("line: isolcpus=2\n") && !text.contains("key=x"), "{text}");
    assert!(kept[1].to_string().contains("program") && !kept[1].to_string().contains("key"));
    assert_eq!(kept[2]["captured"]["file"]["text"], "isolcpus=1\n");
    let facts = json!({"hostname": "trader7", "core": {"kernel-command-line": "token=x"}, "capabilities": ["linux"]});
    let node = scrub(&[json!({"event": "node", "facts": facts})], &machine);
    assert_eq!(node[0]["facts"], json!({"hostname": NAME, "core": {}, "capabilities": []}));
}
