//! Which checks are asked, in which order, and which are left out with what reason.
//!
//! Pure: facts and files in, plan out. Selecting a check selects what it is after. The order is
//! that of the suites, except that a check never stands before one that it is after.

use std::collections::{BTreeMap, BTreeSet};

use globset::{Glob, GlobSet, GlobSetBuilder};
use verify_model::{
    ask::{Ask, DEFAULT_LIMIT_MS},
    check::{Check, Params},
    effect::Effect,
    finding::FindingCode,
    node::{Facts, NodeFile, NodeRole},
    outcome::Outcome,
    verdict::Answer,
};

use crate::{
    capability::UNKNOWN,
    listening,
    load::diagnostic::{LoadError, did_you_mean},
    probe::With,
    probes, python,
};

/// Says which checks are wanted; empty lists select everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Names of suites.
    pub suites: Vec<String>,
    /// Patterns of check ids.
    pub checks: Vec<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Whether a node of which nothing is wanted is no mistake.
    pub even_nothing: bool,
}

impl Selection {
    /// Tells whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.suites.is_empty() && self.checks.is_empty() && self.tags.is_empty()
    }
}

/// Says what may be done to nodes.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// Only checks that read.
    pub quick: bool,
    /// Checks that change the node may run.
    pub mutation: bool,
    /// Production nodes that may be loaded.
    pub load: BTreeSet<String>,
}

/// Holds one planned check: asked, or answered already by being left out.
#[derive(Clone, Debug)]
pub struct Step {
    /// The check.
    pub check: Check,
    /// The reason not to ask it.
    pub left_out: Option<Answer>,
}

/// Chooses the checks of one node.
///
/// *Errors*: a suite, pattern or tag that selects nothing on any node is the caller's to report.
pub fn select<'c>(checks: &'c [Check], selection: &Selection) -> Result<Vec<&'c Check>, LoadError> {
    let globs = globs(&selection.checks)?;
    let by_id: BTreeMap<&str, &Check> = checks.iter().map(|c| (c.id.as_str(), c)).collect();
    let wanted = |check: &&Check| {
        let one_of =
            |list: &[String], name: &str| list.is_empty() || list.iter().any(|n| n == name);
        one_of(&selection.suites, &check.suite)
            && (selection.checks.is_empty() || globs.is_match(&check.id))
            && (selection.tags.is_empty()
                || check.tags.iter().any(|tag| selection.tags.contains(tag)))
    };
    let mut chosen: BTreeSet<&str> = BTreeSet::new();
    let mut todo: Vec<&str> = checks.iter().filter(wanted).map(|c| c.id.as_str()).collect();
    while let Some(id) = todo.pop() {
        if chosen.insert(id) {
            todo.extend(by_id.get(id).iter().flat_map(|c| c.after.iter().map(String::as_str)));
        }
    }
    Ok(ordered(checks, &chosen))
}

/// Builds a matcher of check ids.
///
/// *Errors*: a pattern that is none.
pub fn globs(patterns: &[String]) -> Result<GlobSet, LoadError> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = Glob::new(pattern).map_err(|error| {
            LoadError::general(format!(
                "`{pattern}` is not a pattern: {}; expected a check id, `*` allowed",
                error.kind()
            ))
        })?;
        builder.add(glob);
    }
    builder.build().map_err(|error| LoadError::general(error.to_string()))
}

/// Puts chosen checks into file order, each behind what it is after. The graph has no cycles.
fn ordered<'c>(checks: &'c [Check], chosen: &BTreeSet<&str>) -> Vec<&'c Check> {
    let mut order = Vec::new();
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    let by_id: BTreeMap<&str, &Check> = checks.iter().map(|c| (c.id.as_str(), c)).collect();
    for check in checks.iter().filter(|c| chosen.contains(c.id.as_str())) {
        let mut stack = vec![(check, 0_usize)];
        while let Some((check, next)) = stack.last_mut() {
            let check: &Check = check;
            if placed.contains(check.id.as_str()) {
                stack.pop();
            } else if let Some(id) = check.after.get(*next) {
                *next += 1;
                stack.extend(by_id.get(id.as_str()).map(|c| (*c, 0)));
            } else {
                placed.insert(&check.id);
                order.push(check);
                stack.pop();
            }
        }
    }
    order
}

/// Plans chosen checks on one node.
pub fn plan(
    checks: Vec<&Check>,
    node: &NodeFile,
    facts: &Facts,
    permissions: &Permissions,
) -> Vec<Step> {
    let step = |check: &Check| Step {
        left_out: left_out(check, node, facts, permissions),
        check: check.clone(),
    };
    checks.into_iter().map(step).collect()
}

/// Returns the id under which a broken promise shows.
pub fn promise_id(capability: &str) -> String {
    format!("has/{}", capability.replace(|c: char| !c.is_ascii_alphanumeric(), "-").to_lowercase())
}

/// Plans a failure for each capability that the node file promises, that the node lacks, and that
/// no planned check needs: a broken promise shows even where nobody asks for it.
pub fn broken_promises(node: &NodeFile, facts: &Facts, steps: &[Step]) -> Vec<Step> {
    let needed = |capability: &String| steps.iter().any(|s| s.check.when.contains(capability));
    let lacking = node.has.iter().filter(|c| !facts.capabilities.contains(*c) && !needed(c));
    let promised = lacking.map(|capability| Check {
        id: promise_id(capability),
        when: vec![capability.clone()],
        why: "The node file says that the machine is built so.".to_owned(),
        source: format!("{}, `has`", node.location.file),
        ..of_the_node(node, format!("The node has the capability `{capability}`"))
    });
    let step = |check: Check| Step {
        left_out: left_out(&check, node, facts, &Permissions::default()),
        check,
    };
    promised.map(step).collect()
}

/// Names the check that a node answers at all, where it does not.
pub const REACHABLE: &str = "node/reachable";

/// Plans for a node that cannot be asked: one error, and everything else waits for it.
pub fn unreachable(node: &NodeFile, steps: Vec<Step>, code: FindingCode, why: &str) -> Vec<Step> {
    let title = format!("The node {} can be asked", node.name);
    let check = Check {
        id: REACHABLE.to_owned(),
        why: "What cannot be asked is neither right nor wrong.".to_owned(),
        source: format!("{}: the node that it names", node.location.file),
        ..of_the_node(node, title)
    };
    let answer = Answer::Unreachable { code, message: why.to_owned() };
    let first = Step { check, left_out: Some(answer) };
    let blocked = Answer::Blocked { by: REACHABLE.to_owned(), outcome: Outcome::Error };
    let others = steps.into_iter().map(|step| Step { left_out: Some(blocked.clone()), ..step });
    [first].into_iter().chain(others).collect()
}

/// Plans for a node that is not in service: nothing is asked of it, and each check says why.
pub fn unavailable(checks: Vec<&Check>, why: &str) -> Vec<Step> {
    let code = FindingCode::NodeUnavailable;
    let answer = Answer::LeftOut { code, message: why.to_owned() };
    let step = |check: &Check| Step { check: check.clone(), left_out: Some(answer.clone()) };
    checks.into_iter().map(step).collect()
}

/// Builds a check that no suite declares, but the node file.
fn of_the_node(node: &NodeFile, title: String) -> Check {
    Check {
        id: String::new(),
        suite: "node".to_owned(),
        title,
        probe: "facts".to_owned(),
        with: Params::new(),
        effect: Effect::Reads,
        after: Vec::new(),
        when: Vec::new(),
        tags: Vec::new(),
        why: String::new(),
        source: String::new(),
        fix: String::new(),
        repeat: 1,
        limit_ms: DEFAULT_LIMIT_MS,
        retries: 0,
        expect: Vec::new(),
        advise: Vec::new(),
        record: Vec::new(),
        location: node.location.clone(),
    }
}

/// Returns the reason not to ask a check, the node's own lack first.
fn left_out(
    check: &Check,
    node: &NodeFile,
    facts: &Facts,
    permissions: &Permissions,
) -> Option<Answer> {
    let absent = check.when.iter().filter(|need| !facts.capabilities.contains(*need));
    let detail = |need: &String| {
        facts.missing.get(need).cloned().unwrap_or_else(|| format!("{UNKNOWN}nobody looked for it"))
    };
    // A promise that is broken weighs most; what is surely absent settles what is not known.
    let weight =
        |need: &&String| match (detail(need).starts_with(UNKNOWN), node.has.contains(*need)) {
            (false, true) => 0,
            (false, false) => 1,
            (true, _) => 2,
        };
    if let Some(need) = absent.min_by_key(weight) {
        let detail = detail(need);
        let known = !detail.starts_with(UNKNOWN);
        if !known && facts.simulated.is_some() {
            let message = "not simulated".to_owned();
            return Some(Answer::LeftOut { code: FindingCode::NotSimulated, message });
        }
        let expected = node.has.contains(need);
        return Some(Answer::NeedAbsent { capability: need.clone(), detail, expected, known });
    }
    let refuse = |code: FindingCode, message: String| Some(Answer::LeftOut { code, message });
    match check.effect {
        Effect::Loads | Effect::Mutates if permissions.quick => refuse(
            FindingCode::QuickLeftOut,
            format!("{} the node, and --quick only reads", check.effect.name()),
        ),
        Effect::Mutates if !permissions.mutation => {
            refuse(FindingCode::MutationRefused, "changes the node".to_owned())
        }
        Effect::Loads | Effect::Mutates
            if node.role == NodeRole::Production && !permissions.load.contains(&node.name) =>
        {
            refuse(
                FindingCode::LoadRefused,
                format!("loads the node, and {} is in production", node.name),
            )
        }
        _ => None,
    }
}

/// Leaves out what would load one of these nodes where it is only the other end of a link.
pub fn spare_peers(steps: &mut [Step], spared: &BTreeSet<String>) {
    let loads = |step: &&mut Step| step.left_out.is_none() && step.check.effect == Effect::Loads;
    for step in steps.iter_mut().filter(loads) {
        let asks = probes::find(&step.check.probe)
            .and_then(|probe| probe.asks(With(&step.check.with), &Facts::default()).ok())
            .unwrap_or_default();
        if let Some(name) = asks.iter().flat_map(Ask::nodes).find(|name| spared.contains(*name)) {
            let message = format!("loads {name}, too, and {name} is in production");
            let code = FindingCode::LoadRefused;
            step.left_out = Some(Answer::LeftOut { code, message });
        }
    }
}

/// Demands that every name of a selection means something on the chosen nodes; what means something on
/// another node is said with its name.
///
/// *Errors*: a suite or tag that does not exist, or a pattern that selects no check.
pub fn validate(
    selection: &Selection,
    checks: &[&Check],
    everywhere: &BTreeMap<String, Vec<Check>>,
) -> Result<(), LoadError> {
    let mut error = LoadError::default();
    let unknown = |what: &str, name: &str, of: &dyn Fn(&Check) -> Vec<&str>| {
        let known: BTreeSet<&str> = checks.iter().flat_map(|check| of(check)).collect();
        if known.contains(name) {
            return None;
        }
        let all: BTreeSet<&str> = everywhere.values().flatten().flat_map(of).collect();
        let near = |names: &BTreeSet<&str>, name: &str| {
            did_you_mean(name, names.iter().copied()).map(str::to_owned)
        };
        let hint = elsewhere(everywhere, |check| of(check).contains(&name))
            .or_else(|| near(&known, name).map(|close| format!("did you mean `{close}`?")))
            .or_else(|| {
                let close = near(&all, name)?;
                let whose = elsewhere(everywhere, |check| of(check).contains(&close.as_str()))?;
                Some(format!("did you mean `{close}`? {whose}"))
            })
            .unwrap_or_else(|| {
                let known: Vec<&str> = known.into_iter().collect();
                format!("known here are: {}", known.join(", "))
            });
        Some(format!("no {what} `{name}` on the chosen nodes; {hint}"))
    };
    let suites = selection.suites.iter();
    let suites = suites.filter_map(|name| unknown("suite", name, &|c| vec![c.suite.as_str()]));
    error.general.extend(suites);
    let tags = selection.tags.iter();
    let tags = tags
        .filter_map(|name| unknown("tag", name, &|c| c.tags.iter().map(String::as_str).collect()));
    error.general.extend(tags);
    for pattern in &selection.checks {
        let globs = globs(std::slice::from_ref(pattern))?;
        if !checks.iter().any(|c| globs.is_match(&c.id)) {
            let ids: BTreeSet<&str> = checks.iter().map(|c| c.id.as_str()).collect();
            let all = everywhere.values().flatten().map(|check| check.id.as_str());
            let hint = elsewhere(everywhere, |check| globs.is_match(&check.id))
                .or_else(|| Some(format!("did you mean `{}`?", did_you_mean(pattern, ids)?)))
                .or_else(|| {
                    let close = did_you_mean(pattern, all)?;
                    let whose = elsewhere(everywhere, |check| check.id == close)?;
                    Some(format!("did you mean `{close}`? {whose}"))
                })
                .unwrap_or_else(|| "`verify list checks --node NODE` lists them".to_owned());
            error.general.push(format!("no check matches `{pattern}` on the chosen nodes; {hint}"));
        }
    }
    if error.is_empty() { Ok(()) } else { Err(error) }
}

/// Names the nodes that have what the chosen ones have not.
fn elsewhere(
    everywhere: &BTreeMap<String, Vec<Check>>,
    is_meant: impl Fn(&Check) -> bool,
) -> Option<String> {
    let names = everywhere.iter().filter(|(_, checks)| checks.iter().any(&is_meant));
    let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
    let first = names.first()?;
    Some(format!("it is for {}: add `--node {first}`", names.join(", ")))
}

/// Lists every program that checks need or a node file promises, so that the facts look for it.
pub fn tools<'c>(
    checks: impl IntoIterator<Item = &'c Check>,
    has: &'c [String],
) -> BTreeSet<String> {
    let needs = checks.into_iter().flat_map(|check| &check.when).chain(has);
    needs.filter_map(|need| need.strip_prefix("tool:").map(str::to_owned)).collect()
}

/// Lists every Python distribution that checks need or a node file promises.
pub fn modules<'c>(
    checks: impl IntoIterator<Item = &'c Check>,
    has: &'c [String],
) -> BTreeSet<String> {
    let needs = checks.into_iter().flat_map(|check| &check.when).chain(has);
    needs.filter_map(|need| python::module(need).map(str::to_owned)).collect()
}

/// Lists every port that checks need or a node file promises.
pub fn ports<'c>(checks: impl IntoIterator<Item = &'c Check>, has: &'c [String]) -> BTreeSet<u16> {
    let needs = checks.into_iter().flat_map(|check| &check.when).chain(has);
    needs.filter_map(|need| listening::port(need)).collect()
}
