//! Drives the action's script: exit code, outputs, summary, log, and what it refuses.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::step::{Job, Step};

#[test]
fn a_run_of_the_action_says_what_it_found_in_outputs_files_and_summary() {
    let step = Step::prints("fine", &[]).exits(0);
    assert_eq!(step.output("exit-code"), "0");
    assert!(step.output("verdict").contains("answered check passed"), "{}", step.output("verdict"));
    for (name, begins) in [("junit", "<?xml"), ("record", "{\"event\":\"started\"")] {
        let text = fs::read_to_string(step.output(name)).unwrap();
        assert!(text.starts_with(begins), "{name}: {text}");
        assert!(text.contains(&step.output("run")) && step.output("run").len() == 26, "{name}");
    }
    assert!(!step.read("summary").is_empty());
    assert!(step.job.path("temp/verify-state/runs").is_dir(), "records go with the job");
}

#[test]
fn the_exit_code_is_that_of_verify_unless_it_is_said_aloud_that_it_is_not() {
    let step = Step::prints("wrong", &[]).exits(1);
    assert_eq!(step.output("exit-code"), "1");
    assert!(!step.output("junit").is_empty());
    let step = Step::prints("wrong", &[("ASK_FAIL", "false")]).exits(0);
    assert_eq!(step.output("exit-code"), "1");
    assert!(step.log.contains("\n::warning title=verify::verify ended with 1;"), "{}", step.log);
    let step = Step::prints("fine", &[("ASK_CHECK", "no/such")]).exits(2);
    assert_eq!((step.output("exit-code").as_str(), step.output("junit").as_str()), ("2", ""));
    assert!(step.read("summary").contains("nothing ran; exit code 2"), "{}", step.read("summary"));
    Step::prints("fine", &[("ASK_ARGS", "--require-baseline\n--check=a/*\n")]).exits(0);
}

#[test]
fn a_report_of_an_earlier_run_is_not_taken_for_one_of_this_run() {
    let slips = [("ASK_CHECK", "no/such"), ("ASK_QUICK", "perhaps"), ("ASK_BINARY", "/no/such")];
    for slip in slips {
        let job = Job::starting(&["printf", "fine"]);
        for name in ["verify.junit.xml", "verify.run.jsonl", "verify.txt", "verify.toml"] {
            fs::write(job.path("root").join(name), "old").unwrap();
        }
        let step = job.runs(&[("ASK_REPORTS", "."), slip]).exits(2);
        let left = |name: &str| step.job.path("root").join(name).exists();
        assert!(!left("verify.junit.xml") && !left("verify.run.jsonl") && !left("verify.txt"));
        assert!(left("verify.toml"), "what is not ours stays");
        assert_eq!((step.output("record"), step.output("junit")), (String::new(), String::new()));
    }
}

#[test]
fn a_step_of_which_nothing_proves_that_it_ran_is_no_pass() {
    for fail in ["true", "false"] {
        let step = Step::prints("fine", &[("ASK_ARGS", "--help"), ("ASK_FAIL", fail)]).exits(3);
        assert_eq!(step.output("exit-code"), "3");
        let said = "::error title=verify::nothing ran: verify ended with 0 and left no record";
        assert!(step.commands().iter().any(|line| line.starts_with(said)), "{}", step.log);
        let step = Step::prints("fine", &[("ASK_BINARY", "true"), ("ASK_FAIL", fail)]).exits(2);
        assert!(step.output("verdict").contains("is not verify"), "{}", step.output("verdict"));
    }
}

#[test]
fn why_nothing_ran_is_told_where_it_is_looked_for() {
    let step = Step::prints("fine", &[("ASK_CHECK", "no/100%such")]).exits(2);
    let reason = "no check matches `no/100%such`";
    assert!(step.read("summary").contains(&format!("\n    error: {reason}")));
    let [command] = step.commands()[..] else { panic!("{}", step.log) };
    assert!(command.contains(&reason.replace('%', "%25")) && command.contains("%0A"), "{command}");
}

#[test]
fn the_record_is_for_nobody_else_unless_it_is_asked_for() {
    for (asked, kept) in [("false", false), ("true", true)] {
        let step = Step::prints("fine", &[("ASK_RECORD", asked)]).exits(0);
        let below = step.output("record").starts_with(&step.output("reports"));
        assert_eq!(below, kept);
        let mode = fs::metadata(step.output("record")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let all = fs::read_dir(step.output("reports")).unwrap();
        assert_eq!(
            all.map(|file| file.unwrap().path()).any(|path| path.ends_with("verify.run.jsonl")),
            kept
        );
    }
}

#[test]
fn an_annotation_names_a_file_of_the_workspace_or_none() {
    let places = [("root", "suites"), ("root/in,fra", "in%2Cfra/suites"), ("elsewhere", "")];
    for (root, named) in places {
        let job = Job::starting(&["printf", "wrong"]).with_root(root, &["printf", "wrong"]);
        let at = job.path(root);
        let step = job.runs(&[("ASK_ROOT", at.to_str().unwrap())]).exits(1);
        let commands = step.commands();
        let said = commands.iter().find(|line| line.contains("a/one on box::")).unwrap();
        let begins = match named {
            "" => "::error title=".to_owned(),
            _ => format!("::error file={named}/one.toml,line=13,title="),
        };
        assert!(said.starts_with(&begins), "{root}: {said}");
    }
}

#[test]
fn what_breaks_in_the_action_is_not_called_a_failure_of_the_machine() {
    let job = Job::starting(&["printf", "fine"]);
    fs::create_dir_all(job.path("root/verify-reports/verify.html")).unwrap();
    let step = job.runs(&[]).exits(3);
    assert!(step.output("verdict").contains("verify.html cannot be removed"));
    for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        for value in ["", "/no/such/file"] {
            let step = Step::prints("fine", &[(name, value)]).exits(3);
            assert!(step.commands().iter().any(|line| line.contains(name)), "{}", step.log);
        }
    }
    let step = Step::prints("wrong", &[("GITHUB_STEP_SUMMARY", "/no/such/file")]);
    step.exits(1);
}

#[test]
fn a_report_that_the_environment_names_is_written_too() {
    let step = Step::prints("fine", &[("VERIFY_REPORT", "csv=mine.csv")]).exits(0);
    assert!(step.read("root/mine.csv").contains("a/one"));
}

#[test]
fn nothing_that_an_input_says_is_an_option_a_command_or_another_output() {
    let evil = "x\n--allow-mutation\n::error::y";
    let step = Step::prints("fine", &[("ASK_NODE", evil)]).exits(2);
    assert_eq!(step.output("exit-code"), "2");
    let step = Step::prints("fine", &[("ASK_NODE", "$(touch touched)"), ("ASK_VIA", "`id`")]);
    let step = step.exits(2);
    assert!(!step.job.path("root/touched").exists());
    for name in ["ASK_QUICK", "ASK_FAIL", "ASK_RECORD", "ASK_REQUIRE_BASELINE"] {
        let step = Step::prints("fine", &[(name, "perhaps")]).exits(2);
        assert!(step.log.contains("is neither true nor false"), "{}", step.log);
    }
    Step::prints("fine", &[("ASK_BINARY", "/no/such/verify")]).exits(2);
    Step::prints("fine", &[("ASK_REPORTS", "here\nexit-code=0")]).exits(2);
}

#[test]
fn what_a_node_says_gives_the_runner_no_command() {
    let step = Step::prints("::error::of the node", &[]).exits(1);
    let lines: Vec<&str> = step.log.lines().collect();
    let halted = lines.iter().position(|line| line.starts_with("::stop-commands::")).unwrap();
    let token = lines[halted].trim_start_matches("::stop-commands::");
    assert!(token.len() == 32 && !step.read("output").contains(token));
    let resume = lines.iter().position(|line| *line == format!("::{token}::")).unwrap();
    let holds = |line: &&str| line.contains("::error::of the node");
    let begins = |line: &&str| line.trim_start().starts_with("::error::of the node");
    assert!(lines[halted..resume].iter().any(holds), "nothing was guarded: {lines:#?}");
    assert!(!lines[..halted].iter().any(holds), "said before the guard stood: {lines:#?}");
    assert!(!lines[resume..].iter().any(begins), "a command of the node: {lines:#?}");
}
