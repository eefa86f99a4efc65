//! The closed catalogue of findings: what can be said about a check, and what to do next.
//!
//! One table row a code. A test demands that every code has a title, a severity and a next action;
//! a check's own `fix` replaces the next action where the node is at fault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{check::Location, evidence::EvidenceId};

/// Says how much a finding weighs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The node is not as demanded.
    Failure,
    /// The question was not answered.
    Error,
    /// The answer could not be judged.
    Unjudged,
    /// Worth doing, changes no outcome.
    Advice,
    /// Says why something was left out.
    Note,
}

/// Describes one code of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct FindingRow {
    /// The code.
    pub code: FindingCode,
    /// The code as reports write it.
    pub name: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// One line: what it means.
    pub title: &'static str,
    /// What to do next, unless the check knows better.
    pub next: &'static str,
}

macro_rules! catalogue {
    ($($variant:ident $name:literal $severity:ident $title:literal $next:literal;)*) => {
        /// Names every finding that can be reported.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum FindingCode { $(#[doc = $title] $variant,)* }

        /// Holds the whole catalogue, in the order of the enum.
        pub static CATALOGUE: &[FindingRow] = &[
            $(FindingRow {
                code: FindingCode::$variant,
                name: $name,
                severity: Severity::$severity,
                title: $title,
                next: $next,
            },)*
        ];
    };
}

catalogue! {
    ExpectationMissed "expectation-missed" Failure
        "The node answered, and the answer is not acceptable."
        "Compare expected and observed; `verify explain CHECK` says why it matters.";
    OffBaseline "off-baseline" Failure
        "The value is worse than its baseline by more than the tolerance."
        "Find what changed; if this is the new normal: verify baseline accept RUN --check CHECK --rebase-anchor --reason TEXT.";
    ValueAbsent "value-absent" Failure
        "The node answered that the thing does not exist."
        "Install or enable what is missing, or give the check a `when` if the node need not have it.";
    ExpectedCapabilityMissing "expected-capability-missing" Failure
        "The node file says that the node has this capability, and it has not."
        "Repair the node, or take the capability out of `has` in the node file.";
    WaiverExpired "waiver-expired" Failure
        "The check fails and its waiver has expired."
        "Repair the node, or renew the waiver with a reason.";
    WaiverUnneeded "waiver-unneeded" Failure
        "The check passes and its strict waiver says that it must not."
        "Remove the waiver.";
    ToolMissing "tool-missing" Error
        "A program that the check needs is not installed."
        "Install it, or give the check `when = [\"tool:NAME\"]` to skip where it is missing.";
    TimedOut "timed-out" Error
        "The time limit passed; everything that was started has been ended."
        "Raise `limit` if the work really takes longer; else find what hangs.";
    Unkillable "unkillable" Error
        "A process did not end even by SIGKILL; it waits in the kernel, often for a driver."
        "Look at the kernel log and at /proc/PID/stack; a reboot is often the only way.";
    PermissionDenied "permission-denied" Error
        "The user may not read or run what the check needs."
        "Run as a user who may, or grant the right named in the message.";
    ConnectionRefused "connection-refused" Error
        "Nothing accepts the connection."
        "Start the service, or correct host and port.";
    NameUnknown "name-unknown" Error
        "Nobody knows the name of the node."
        "Correct `ssh` in the node file, or give the alias a HostName in ~/.ssh/config.";
    NoRoute "no-route" Error
        "No way leads to the node."
        "Look whether it is switched on and cabled: `ssh ALIAS true` says the same.";
    LoginRefused "login-refused" Error
        "The node takes no logins: nothing listens on its ssh port."
        "Start the ssh server there (`systemctl start ssh`; on a Mac: Sharing, Remote Login), or correct the port in ~/.ssh/config.";
    LoginTimedOut "login-timed-out" Error
        "The node did not answer the login in time."
        "Look whether it is switched on and reachable: `ssh ALIAS true` says the same; a firewall that drops looks like this.";
    HostKeyUnknown "host-key-unknown" Error
        "The node's key is not known yet, so nothing was sent."
        "Log in once by hand with `ssh ALIAS` and compare the key's fingerprint.";
    HostKeyChanged "host-key-changed" Error
        "The node has another key than it had: reinstalled, or somebody stands between."
        "Find out why before anything else; only then `ssh-keygen -R HOST`, and log in once by hand.";
    AuthenticationRefused "authentication-refused" Error
        "The node does not let this user in without a password."
        "Make `ssh -o BatchMode=yes ALIAS true` work: copy a key with ssh-copy-id, and load it into the agent.";
    NotScheduled "not-scheduled" Error
        "Slurm gave no step on the node."
        "Look at the message, at `squeue -w NODE` and at `sinfo -N -l -n NODE`; --slurm-wait waits longer for a busy node.";
    NodeBusy "node-busy" Error
        "Another run of verify loads the machine, so this one did not."
        "Wait until that run has ended, or end the process that the message names; then run again.";
    ShellBroken "shell-broken" Error
        "The login shell of the node runs nothing that it is given."
        "Run `ssh ALIAS /bin/sh -c true`: the account needs a shell that lets /bin/sh run, and start files that do not exit.";
    ConnectionLost "connection-lost" Error
        "The connection was lost before the answer was whole."
        "Run it again; if it happens again, look at the node and at the network between.";
    DiskFull "disk-full" Error
        "A disk of the node is full, or the user's share of it."
        "Make room there: `df -h` and `quota` say where none is left; `verify node clean NODE` removes what verify keeps.";
    CapabilityUnknown "capability-unknown" Error
        "Nobody could tell whether the node has a capability that the check needs."
        "Look at the message: it says what could not be looked at, and why.";
    GatherFailed "gather-failed" Error
        "The answer could not be gathered."
        "Look at the message and the evidence; `verify runs` shows where the record is.";
    OutputUnreadable "output-unreadable" Error
        "The node answered something that the probe cannot read."
        "Look at the evidence; if the tool is new, the probe may need to learn its format.";
    ProgramFailed "program-failed" Error
        "The program ended with an error before it gave an answer."
        "Run the same command by hand; its last lines are in the evidence.";
    ValueUnreadable "value-unreadable" Error
        "One value of the answer could not be read."
        "Look at the message; the other values of the check were judged.";
    KindMismatch "kind-mismatch" Error
        "The value cannot be compared with what the suite demands."
        "Correct the expectation so that it fits the value's kind.";
    NotCaptured "not-captured" Error
        "A field that the check records was not captured."
        "Give the check a `when`, or take the field out of `record`.";
    NotRecorded "not-recorded" Error
        "The recorded run holds no answer to what the check asks."
        "Replay with the suites of that run, or record a new run.";
    ProbePanicked "probe-panicked" Error
        "The probe broke while reading the answer: a defect of verify."
        "Report it with the run record; the other checks are not affected.";
    Interrupted "interrupted" Error
        "The run was interrupted before the check was answered."
        "Run it again.";
    NotReached "not-reached" Error
        "The run ended before the check was answered."
        "Run it again; the record was cut short.";
    BadParameter "bad-parameter" Error
        "A parameter of the probe is not usable on this node."
        "Correct the parameter or the node variable it comes from.";
    NoBaseline "no-baseline" Unjudged
        "There is no accepted baseline to compare with."
        "Accept one when the value is as it should be: verify baseline accept RUN --reason TEXT.";
    ConditionsNotHeld "conditions-not-held" Unjudged
        "The conditions of the measurement did not hold."
        "Remove what is named in the message and run again.";
    TooFewSamples "too-few-samples" Unjudged
        "There are too few samples to judge by."
        "Raise `repeat`, or run with --repeat.";
    Inconclusive "inconclusive" Unjudged
        "Whether it is as its baseline or worse cannot be said yet."
        "Take more: runs by verify run --check CHECK --until-decided, sessions by running again after a reboot or an hour with --with RUN; a longer baseline makes each count for more.";
    PossibleRegression "possible-regression" Unjudged
        "It looks worse than its baseline, and the noise of this machine is not known well enough to say so."
        "Run again after a reboot or an hour later, with --with RUN; baselines of three sessions and more decide for themselves.";
    NotComparable "not-comparable" Unjudged
        "The baseline was taken with another definition or on another machine."
        "Accept a new baseline when the value is as it should be: verify baseline accept RUN --check CHECK --new-epoch --reason TEXT.";
    AdviceMissed "advice-missed" Advice
        "The answer is acceptable but not as advised."
        "`verify explain CHECK` says what would be better.";
    Flaky "flaky" Advice
        "The check was answered only after an error was tried again."
        "Look at the failed attempts; an error that goes away comes back.";
    AdviceUnanswered "advice-unanswered" Advice
        "An advised field, or one to record, could not be read."
        "Look at the message; nothing was judged by it.";
    Improved "improved" Advice
        "The value is better than its baseline by more than the tolerance."
        "Accept the run, so that a later loss shows: verify baseline accept RUN --check CHECK --new-epoch --reason TEXT.";
    RepeatsLeftOut "repeats-left-out" Advice
        "Some repeats were disturbed, and the others were judged without them."
        "Remove what is named in the message.";
    MachineChanged "machine-changed" Advice
        "The machine is not the one of the baseline, and nothing got worse: a new baseline is owed."
        "Accept what changed, verify baseline accept RUN --check CHECK --new-epoch --reason TEXT, or revert it.";
    WaiverElsewhere "waiver-elsewhere" Advice
        "The check fails, and its waiver is about other hardware than this machine has."
        "Repair the node; if the failure is known on this hardware, too, give the waiver another `only`.";
    RemoveWaiver "remove-waiver" Advice
        "The check passes although a waiver excuses it."
        "Remove the waiver.";
    Simulated "simulated" Note
        "A simulator answered, not the real thing."
        "Nothing; such a value says nothing about hardware and is no baseline for it.";
    NotSimulated "not-simulated" Note
        "Not asked: the scenario that stands in for the node holds no answer."
        "Nothing; or let the scenario answer it.";
    Waived "waived" Note
        "The failure is excused by a waiver."
        "Nothing, until the waiver expires.";
    NeedAbsent "need-absent" Note
        "Not asked: the node lacks a capability that the check needs."
        "Nothing, if the node need not have it; else list it under `has` in the node file.";
    NodeUnavailable "node-unavailable" Note
        "Not asked: Slurm says that the node is not in service."
        "Nothing, if that is meant; else repair it and `scontrol update nodename=NODE state=resume`.";
    SkippedAbove "skipped-above" Note
        "Not asked: a check it depends on was skipped."
        "See why the named check was skipped.";
    LoadRefused "load-refused" Note
        "Not asked: the node is in production and is not loaded unasked."
        "Run with --allow-load NODE if now is a good time.";
    MutationRefused "mutation-refused" Note
        "Not asked: the check changes the node."
        "Run with --allow-mutation if that is wanted.";
    QuickLeftOut "quick-left-out" Note
        "Not asked: --quick asks for state only."
        "Run without --quick to measure.";
    FailFast "fail-fast" Note
        "Not asked: an earlier check failed and --fail-fast was given."
        "Run without --fail-fast to ask everything.";
    Blocked "blocked" Note
        "Not asked: a check it depends on did not pass."
        "See to the named check first.";
}

impl FindingCode {
    /// Returns the row of the catalogue.
    pub fn row(self) -> &'static FindingRow {
        &CATALOGUE[self as usize]
    }
}

/// Holds one thing that is said about a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// Which code of the catalogue.
    pub code: FindingCode,
    /// How much it weighs.
    pub severity: Severity,
    /// What was seen, in one line.
    pub message: String,
    /// Field that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// Where the demand comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What to do next.
    pub next: String,
    /// Where the demand stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Where the bytes are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceId>,
    /// Whether it says how a comparison came out: it is taken back when all are decided together.
    #[serde(skip)]
    pub(crate) compares: bool,
}

impl Finding {
    /// Builds a finding with severity and next action from the catalogue.
    pub fn new(code: FindingCode, message: impl Into<String>) -> Self {
        let row = code.row();
        Self {
            code,
            severity: row.severity,
            message: message.into(),
            field: None,
            expected: None,
            observed: None,
            source: None,
            next: row.next.to_owned(),
            location: None,
            evidence: Vec::new(),
            compares: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_a_title_and_a_next_action() {
        for (index, row) in CATALOGUE.iter().enumerate() {
            assert_eq!(row.code as usize, index, "{}", row.name);
            assert_eq!(serde_json::to_value(row.code).unwrap(), row.name);
            assert!(row.title.ends_with('.') && row.next.ends_with('.'), "{}", row.name);
        }
    }
}
