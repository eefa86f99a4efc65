//! Formats for programs through programs that we did not write: promtool, two parsers of TAP, the CSV
//! reader of Python, and the published JSON schemas of OCP. What is not here is skipped aloud.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "starts programs and reads published schemas")]

mod corpus;
mod reader;
mod told;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use jsonschema::{Resource, Validator};
use reader::{has_node, has_program, node, python, skipped, written};
use serde_json::Value;
use told::bytes;
use verify_model::{
    exit::{Element, Situation},
    run::{Run, RunCheck},
};

/// Names the folder with the schemas, which are not ours to keep here.
const SCHEMAS: &str = "VERIFY_OCP_SCHEMAS";

/// Prints plan, tests that ran, that failed, that are excused, whether all is well, and what could not
/// be read. The parser of Perl 5.36 refuses the number 14; without subtests, 14 is 13.
const TAP_PARSER: &str = r#"
use strict; use warnings; use TAP::Parser;
for my $path (@ARGV) {
    open my $file, '<:encoding(UTF-8)', $path or die $!;
    local $/; my $text = <$file>;
    $text =~ s/^TAP version 14$/TAP version 13/m;
    my $parser = TAP::Parser->new({ tap => $text });
    $parser->run;
    my @errors = $parser->parse_errors;
    print join(' ', $parser->tests_planned // 0, $parser->tests_run // 0, scalar($parser->failed),
        scalar($parser->skipped), scalar($parser->todo), $parser->has_problems ? 1 : 0,
        scalar(@errors)), "\n";
    print STDERR "$path: $_\n" for @errors;
}
"#;

/// Prints the same as the parser of node-tap sees it, and the outcome of each test point from its YAML.
const NODE_TAP: &str = "
const {readFileSync} = require('fs'), {Parser} = require('tap-parser')
console.log(JSON.stringify(process.argv.slice(1).map(path => {
  const events = Parser.parse(readFileSync(path, 'utf8'), {strict: true})
  const complete = events.find(([name]) => name === 'complete')[1]
  const points = events.filter(([name]) => name === 'assert').map(([, point]) => point)
  const version = events.find(([name]) => name === 'version')[1]
  return {version, plan: complete.plan.end, ran: complete.count, skip: complete.skip, todo: complete.todo,
    failed: points.filter(point => !point.ok && !point.todo).length, ok: complete.ok,
    bails: Boolean(complete.bailout), errors: complete.failures.filter(one => one.tapError),
    outcomes: points.map(point => point.diag.outcome)}
})))
";

/// Prints what a spreadsheet would see: header, and rows of as many cells.
const PYTHON_CSV: &str = "
import csv, json, sys
def file_of(path):
    with open(path, newline='', encoding='utf-8') as file:
        rows = list(csv.reader(file, strict=True))
    assert all(len(row) == len(rows[0]) for row in rows), path
    return [dict(zip(rows[0], row)) for row in rows[1:]]
print(json.dumps([file_of(path) for path in sys.argv[1:]]))
";

fn runs() -> Vec<(&'static str, Run)> {
    let mut runs = corpus::all();
    runs.push(("interrupted-at-the-end", corpus::interrupted_at_the_end()));
    for (name, said) in
        [("hostile-tap", "x # SKIP y\nok 1\nBail out!\n1..0"), ("hostile-csv", "=1+1")]
    {
        runs.push((name, corpus::hostile::run_of(said, said, said)));
    }
    runs
}

fn all_written(format: &str) -> (Vec<(&'static str, Run)>, Vec<PathBuf>) {
    let runs = runs();
    let paths = runs.iter().map(|(name, run)| written("programs", name, run, format)).collect();
    (runs, paths)
}

#[test]
fn promtool_finds_nothing_to_say_about_the_metrics_of_any_run() {
    if !has_program("promtool", &["--version"], "promtool (Debian: prometheus)") {
        return;
    }
    // An older one knows no `--lint-fatal`, and fails on every remark by itself.
    let help = Command::new("promtool").args(["check", "metrics", "--help"]).output().unwrap();
    let help = [help.stdout, help.stderr].concat();
    let known = String::from_utf8_lossy(&help).contains("--lint-fatal");
    let fatal: &[&str] = if known { &["--lint-fatal"] } else { &[] };
    let (runs, paths) = all_written("prometheus");
    for ((name, _), path) in runs.iter().zip(paths) {
        let file = Stdio::from(std::fs::File::open(path).unwrap());
        let mut command = Command::new("promtool");
        let said = command.args(["check", "metrics"]).args(fatal).stdin(file).output().unwrap();
        let words = String::from_utf8_lossy(&said.stderr) + String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success() && words.trim().is_empty(), "{name}: {words}");
    }
}

#[test]
fn the_tap_parser_of_perl_counts_what_the_run_holds() {
    if !has_program("perl", &["-MTAP::Parser", "-e", "1"], "TAP::Parser (Debian: perl)") {
        return;
    }
    let (runs, paths) = all_written("tap");
    let said = Command::new("perl").args(["-e", TAP_PARSER]).args(paths).output().unwrap();
    let words = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(words.lines().count(), runs.len());
    for ((name, run), line) in runs.iter().zip(words.lines()) {
        let seen: Vec<usize> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [planned, failed, skipped, waived] = points(run);
        // Planned, ran, failed, skipped, TODO, not well, not readable.
        let well = usize::from(run.exit_code() != 0);
        assert_eq!(seen, [planned, planned, failed, skipped, waived, well, 0], "{name}: {line}");
    }
}

#[test]
fn the_tap_parser_of_node_reads_version_14_and_each_outcome() {
    if !has_node("tap-parser") {
        return;
    }
    let (runs, paths) = all_written("tap");
    for ((name, run), seen) in runs.iter().zip(node(NODE_TAP, &paths)) {
        let [planned, failed, skipped, waived] = points(run);
        let expected = [("version", 14), ("plan", planned), ("failed", failed), ("skip", skipped)];
        for (what, number) in expected.into_iter().chain([("ran", planned), ("todo", waived)]) {
            assert_eq!(seen[what], number, "{name}: {what} in {seen}");
        }
        assert_eq!(seen["ok"], run.exit_code() == 0, "{name}: {seen}");
        assert_eq!(seen["bails"], run.interrupted, "{name}: {seen}");
        assert_eq!(seen["errors"], serde_json::json!([]), "{name}: {seen}");
        for (check, outcome) in run.checks.iter().zip(seen["outcomes"].as_array().unwrap()) {
            let known =
                if check.verdict.is_waived() { "waived" } else { check.verdict.outcome.name() };
            assert!(outcome.as_str().unwrap().starts_with(known), "{name}: {outcome}");
        }
    }
}

/// Counts the test points of a run: all, those that fail, those that are skipped, those that are TODO.
fn points(run: &Run) -> [usize; 4] {
    let row = |c: &RunCheck| Situation::of(&c.verdict, run.header.require_baseline).element();
    let of = |wanted: &[Element]| run.checks.iter().filter(|c| wanted.contains(&row(c))).count();
    let waived = run.checks.iter().filter(|c| c.verdict.is_waived()).count();
    let nothing = run.counts().skip + run.counts().blocked == run.checks.len();
    let own = [nothing, run.interrupted, !run.complete].into_iter().filter(|so| *so).count();
    let failed = of(&[Element::Failure, Element::Error]) + own;
    [run.checks.len() + own, failed, of(&[Element::Skipped]) - waived, waived]
}

#[test]
fn the_csv_reader_of_python_finds_every_check_and_every_number() {
    if !has_program("python3", &["-c", "import csv"], "python3") {
        return;
    }
    let (runs, paths) = all_written("csv");
    for ((name, run), seen) in runs.iter().zip(python(PYTHON_CSV, &paths)) {
        let rows = seen.as_array().unwrap();
        let text = |row: &Value, column: &str| row[column].as_str().unwrap().to_owned();
        for check in &run.checks {
            let id = &check.planned.check.id;
            let of_check = |row: &&Value| text(row, "check") == *id;
            let found: Vec<&Value> = rows.iter().filter(of_check).collect();
            // Ids of hostile runs are cleaned, and may be made harmless.
            assert!(!found.is_empty() || name.starts_with("hostile"), "{name}: {id}");
            for (row, reading) in found.into_iter().zip(&check.verdict.readings) {
                let Some(quantity) = reading.quantity else { continue };
                let value: f64 = text(row, "value").parse().unwrap();
                assert!((value - quantity.value()).abs() <= 1e-9 * value.abs(), "{name}: {row}");
                assert_eq!(text(row, "unit"), quantity.unit().symbol(), "{name}: {row}");
            }
        }
    }
}

#[test]
fn every_artifact_is_as_the_published_schemas_of_ocp_want_it() {
    let Some(folder) = std::env::var_os(SCHEMAS) else {
        skipped(&format!("{SCHEMAS} (a copy of json_spec/output of ocp-diag-core)"));
        return;
    };
    let valid = schemas(Path::new(&folder));
    let mut seen = 0_usize;
    for (name, run) in runs() {
        for line in bytes("ocp", &run).lines() {
            let artifact: Value = serde_json::from_str(line).unwrap();
            let errors: Vec<String> =
                valid.iter_errors(&artifact).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {line}\n{errors:?}");
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
    let bad = serde_json::json!({"sequenceNumber": 0, "timestamp": "2026-01-15T12:34:56Z",
        "testRunArtifact": {"testRunEnd": {"status": "COMPLETE", "result": "MAYBE"}}});
    assert!(!valid.is_valid(&bad), "the schemas refuse what is wrong");
}

fn schemas(folder: &Path) -> Validator {
    let mut root = Value::Null;
    let mut options = jsonschema::options();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let schema: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let id = schema["$id"].as_str().unwrap().to_owned();
        if path.file_name().is_some_and(|name| name == "root.json") {
            root = schema.clone();
        }
        options = options.with_resource(id, Resource::from_contents(schema));
    }
    options.build(&root).unwrap()
}
