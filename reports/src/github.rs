//! Annotations of a GitHub workflow: commands that its runner reads from standard output.
//!
//! What makes the exit code other than 0 is an error, on the line of its suite; what is excused is a
//! warning; advice and what was never compared is a notice. GitHub shows ten of each a step, so the most
//! important come first and the last says how many more there are. A suite that is part of the program
//! has no file to annotate.

use std::fmt::Write as _;

use verify_model::{
    exit::Situation,
    finding::Severity,
    run::{Run, RunCheck},
};

use crate::{
    Format, FormatSpec, RenderError, brief,
    cause::causes,
    clean::one_line,
    detail,
    own::own,
    sentence::{sentence, situation_of},
};

/// Bounds the annotations of a level. *Source*: GitHub shows 10 warnings, 10 errors and 10 notices a step.
const MOST: usize = 10;
/// Bounds a message. *Units*: characters; GitHub cuts at 64 KiB, and people much earlier.
const LONGEST: usize = 600;
/// Bounds a title. *Units*: characters. *Source*: GitHub's API for annotations.
const LONGEST_TITLE: usize = 255;

/// Writes annotations.
pub(crate) struct Github;

impl Format for Github {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "github",
            summary: "annotations of a GitHub workflow, on the suite lines of what did not pass",
            extension: "txt",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let mut out = plain(&format!("{} Exit code {}.", sentence(run), run.exit_code()));
        out += &plain(&brief::counts(&run.checks.iter()));
        for said in brief::simulations(run) {
            out += &Annotation { title: "simulated".to_owned(), place: None, message: said }
                .command("notice");
        }
        let room = MOST.saturating_sub(brief::simulated(run).count());
        out += &level("error", &errors(run), MOST);
        out += &level("warning", &excused(run), MOST);
        out += &level("notice", &remarks(run), room);
        Ok(out.into_bytes())
    }
}

/// Holds one annotation, not yet escaped.
struct Annotation {
    title: String,
    place: Option<(String, u32)>,
    message: String,
}

impl Annotation {
    fn of(check: &RunCheck, word: &str, message: String) -> Self {
        let planned = &check.planned;
        let found = check.verdict.main_finding().and_then(|finding| finding.location.as_ref());
        let place = found.unwrap_or(&planned.check.location);
        let place = brief::file(place).map(|file| (file.to_owned(), place.line));
        Self { title: format!("{word}: {} on {}", planned.check.id, planned.node), place, message }
    }

    fn command(&self, level: &str) -> String {
        let mut out = format!("::{level} ");
        if let Some((file, line)) = &self.place {
            // Writing to a String cannot fail.
            let _ = write!(out, "file={},line={line},", property(&one_line(file, LONGEST)));
        }
        let title = property(&one_line(&self.title, LONGEST_TITLE));
        let lines = self.message.lines().map(|line| data(&one_line(line, LONGEST)));
        let _ = writeln!(out, "title={title}::{}", lines.collect::<Vec<_>>().join("%0A"));
        out
    }
}

/// Lists what makes the exit code, the worst first.
fn errors(run: &Run) -> Vec<Annotation> {
    let said = |(_, name): (Situation, &str)| Annotation {
        title: name.to_owned(),
        place: None,
        message: sentence(run),
    };
    let mut all: Vec<Annotation> = own(run).into_iter().map(said).collect();
    for cause in causes(run) {
        let blocked = brief::blocks(&cause.blocked, MOST);
        for check in &cause.checks {
            let mut message = detail::headline(run, check).replace('\n', " ");
            for line in [detail::next(run, check).unwrap_or_default(), blocked.clone()] {
                if !line.is_empty() {
                    message = format!("{message}\n{}", line.replace('\n', " "));
                }
            }
            all.push(Annotation::of(check, brief::word(cause.situation), message));
        }
    }
    all
}

/// Lists what failed and is waived.
fn excused(run: &Run) -> Vec<Annotation> {
    let waived = run.checks.iter().filter(|c| situation_of(run, c) == Situation::Waived);
    let said = |c: &RunCheck| Annotation::of(c, "waived", detail::headline(run, c));
    waived.map(said).collect()
}

/// Lists what is advised, and what has nothing to be compared with.
fn remarks(run: &Run) -> Vec<Annotation> {
    let mut all = Vec::new();
    for check in &run.checks {
        if situation_of(run, check) == Situation::NoBaseline {
            let message = detail::headline(run, check);
            all.push(Annotation::of(check, brief::word(Situation::NoBaseline), message));
        }
        let advised = |f: &&verify_model::finding::Finding| f.severity == Severity::Advice;
        if check.verdict.findings.iter().any(|finding| advised(&finding)) {
            for line in detail::remarks(run, check).iter().filter(|line| line.label != "waived") {
                all.push(Annotation::of(check, line.label, line.text.clone()));
            }
        }
    }
    all
}

/// Writes the annotations of a level; where there are too many, the last says how many more.
fn level(level: &str, all: &[Annotation], room: usize) -> String {
    let (number, shown) = (all.len(), if all.len() > room { room.saturating_sub(1) } else { room });
    let mut out: String = all.iter().take(shown).map(|one| one.command(level)).collect();
    if number > shown {
        let message = format!("{} more are in the other reports of this run.", number - shown);
        out += &Annotation { title: "and more".to_owned(), place: None, message }.command(level);
    }
    out
}

/// Writes a line for the log, which the runner must not take for a command.
fn plain(text: &str) -> String {
    format!("verify: {}\n", one_line(text, LONGEST).replace("##[", "## ["))
}

/// *Source*: `toolkit/packages/core/src/command.ts`, `escapeData`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// *Source*: `toolkit/packages/core/src/command.ts`, `escapeProperty`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(title: &str, message: &str) -> Annotation {
        let place = Some(("suites/a:b,c.toml".to_owned(), 7));
        Annotation { title: title.to_owned(), place, message: message.to_owned() }
    }

    #[test]
    fn what_separates_parts_of_a_command_is_escaped() {
        let command = said("a: 5 %, b", "100 %\n::error::owned %0A").command("error");
        let title = "file=suites/a%3Ab%2Cc.toml,line=7,title=a%3A 5 %25%2C b";
        assert_eq!(command, format!("::error {title}::100 %25%0A::error::owned %250A\n"));
        assert!(!plain("##[error]owned").contains("##["));
    }

    #[test]
    fn the_last_of_too_many_says_how_many_more() {
        let many = |number: usize| -> Vec<Annotation> {
            (0..number).map(|at| said(&at.to_string(), "x")).collect()
        };
        assert_eq!(level("error", &many(10), MOST).lines().count(), 10);
        let text = level("error", &many(25), MOST);
        assert_eq!(text.lines().count(), 10);
        assert!(text.ends_with("title=and more::16 more are in the other reports of this run.\n"));
    }
}
