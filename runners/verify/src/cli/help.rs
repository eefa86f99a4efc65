//! What stands below the flags in the help: examples, and what the exit codes mean.
//!
//! The manual pages are made from the same text, paragraph by paragraph.

use std::fmt::Write as _;

use verify_model::exit::{BAD_USAGE, MEANINGS, Situation};
use verify_reports::terminal::{Style, page::Page, paint::Paint};

/// Width of the help. *Units*: columns.
const WIDTH: usize = 80;

/// Heading of the paragraph about exit codes.
pub(crate) const EXITS: &str = "Exit codes:";

/// Where the script of each shell goes.
pub(crate) const COMPLETIONS: &str = "\
Examples:
  verify completions bash > ~/.local/share/bash-completion/completions/verify
  verify completions zsh > ~/.zfunc/_verify
  verify completions fish > ~/.config/fish/completions/verify.fish
  eval \"$(verify completions bash)\"       this shell only; zsh as well, after compinit
  verify completions fish | source         this shell only

Bash reads that folder where the package bash-completion is installed; without it, put the `eval`
line into ~/.bashrc. Zsh reads ~/.zfunc where ~/.zshrc says `fpath=(~/.zfunc $fpath)` above
`autoload -Uz compinit && compinit`. Make the folder first where it is missing, and open a new
shell. `verify` must be in PATH: completing starts that one and nothing else. Names come from the
root and the records of the moment, so the script need not be printed again for a new node.";

/// How manual pages are read.
pub(crate) const MAN: &str = "\
Examples:
  verify man | man -l -                          read the page of verify
  verify man run | man -l -                      read the page of a subcommand
  verify man --dir ~/.local/share/man/man1       `man verify` finds them from then on";

const EXAMPLES: &str = "\
Examples:
  verify                                  check this machine (node `local`)
  verify --node nvidia                    check the node that runners/nodes/nvidia.toml describes
  verify --node nvidia --via local        the same, certainly on this machine
  verify --check 'kernel/*' --quick       only kernel checks, only those that read
  verify --report junit=out/verify.xml    write a report beside the one on the terminal
  verify --format markdown >> summary.md  another format in place of that on the terminal
  verify --quiet                          only what needs somebody, the counts and the verdict
  verify plan --node nvidia               what would be asked; nothing is run
  verify explain kernel/isolcpus          why a check matters and what to do when it fails
  verify report last --format junit       an old run in another format
  verify baseline accept last --reason X  make what the last run measured the new normal

On a terminal, colour is used, paths are links and a view shows what runs; elsewhere it is plain
lines. `--color`, else NO_COLOR, CLICOLOR_FORCE and CLICOLOR decide on colour, and
VERIFY_HYPERLINKS=never (or always) on links. Nothing is said by colour alone.

Records of runs are kept below $VERIFY_STATE/runs, else $XDG_STATE_HOME/verify/runs, else
~/.local/state/verify/runs. Lists in variables are separated by commas.";

/// Returns what stands below the flags of the command itself.
pub(crate) fn whole() -> String {
    with_exits(EXAMPLES)
}

/// Adds the exit codes of a run to the examples of a subcommand that judges.
pub(crate) fn with_exits(text: &str) -> String {
    format!("{text}\n\n{}", exits(&MEANINGS))
}

/// Says what the exit codes of a subcommand mean that judges nothing.
pub(crate) fn plain_exits() -> String {
    let said = |code: u8| MEANINGS.iter().find(|(found, _)| *found == code);
    let usage = said(BAD_USAGE).copied();
    let lost = (Situation::Error.exit(), "output could not be written");
    let codes: Vec<(u8, &str)> = [(0, "done")].into_iter().chain(usage).chain([lost]).collect();
    exits(&codes)
}

/// Sets the help of a command and of all below it in lines that fit a usual terminal.
pub(super) fn set(command: clap::Command) -> clap::Command {
    let below = command.get_after_help().map(|text| wrapped(&text.to_string()));
    let command = command.max_term_width(WIDTH);
    let command = if let Some(below) = below { command.after_help(below) } else { command };
    command.mut_subcommands(set)
}

/// Breaks lines: prose by its words; what is indented stays, or hangs at its second column.
fn wrapped(text: &str) -> String {
    let mut page = Page::new(&Style { color: false, width: WIDTH, verbose: true }).whole();
    let mut prose: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if !line.is_empty() && !line.starts_with(' ') {
            prose.push(line);
            continue;
        }
        if !prose.is_empty() {
            page.text(Paint::Plain, 0, &prose.join(" "));
            prose.clear();
        }
        if line.chars().count() <= WIDTH {
            page.verbatim(Paint::Plain, 0, if line.is_empty() { "\n" } else { line });
            continue;
        }
        let inner = line.trim_start();
        let indent = line.len() - inner.len();
        let (head, tail) = inner.split_once("  ").unwrap_or((inner, ""));
        let tail = tail.trim_start();
        page.lead(indent, &[(Paint::Plain, head)], line.len() - tail.len(), (Paint::Plain, tail));
    }
    page.finish().trim_end().to_owned()
}

fn exits(codes: &[(u8, &str)]) -> String {
    let mut text = EXITS.to_owned();
    for (code, meaning) in codes {
        let _ = write!(text, "\n  {code:<3}  {meaning}");
    }
    text
}
