//! Asks one node, check by check.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::atomic::Ordering,
};

use verify_model::{
    ask::Ask,
    baseline::Baseline,
    effect::Effect,
    event::Event,
    evidence::{Evidence, Failure, FailureKind},
    finding::FindingCode,
    judge::judge,
    node::Facts,
    observation::{Attempt, AttemptError, Observation},
    outcome::Outcome,
    run::RunNode,
    settle::{Looks, settle},
    verdict::{Answer, CheckKey},
};

use super::{Gatherer, Observer, conditions};
use crate::{
    plan::Step,
    probe::{With, failed, gather_error},
    probes,
};

/// Holds what a run brings to each of its nodes.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// Day of the run, as `YYYY-MM-DD`.
    pub today: &'a str,
    /// Baselines of the run, sorted by check and field.
    pub baselines: &'a [Baseline],
    /// What was gathered before it was asked for.
    pub ahead: &'a [Evidence],
}

/// Asks every step of a node's plan.
pub fn run_node(
    gatherer: &Gatherer<'_>,
    node: &RunNode,
    steps: &[Step],
    setting: Setting<'_>,
    observer: &mut dyn Observer,
) {
    let mut run = NodeRun::new(gatherer, node, steps, setting, observer);
    run.expect_asks();
    run.take_in(setting.ahead);
    let mut pending: Vec<usize> = (0..steps.len()).collect();
    while !pending.is_empty() {
        let before = pending.len();
        pending.retain(|at| !run.settle_unasked(*at));
        let ready: Vec<usize> = pending.iter().copied().filter(|at| run.is_ready(*at)).collect();
        let quick: Vec<usize> =
            ready.iter().copied().filter(|at| steps[*at].check.effect == Effect::Reads).collect();
        let asked = if quick.is_empty() { ready.into_iter().take(1).collect() } else { quick };
        if asked.is_empty() && pending.len() == before {
            // Cannot happen on a graph without cycles; never loop on a defect.
            break;
        }
        let context = gatherer.context;
        let _own = context.floor.take(&run.machines(&asked), &context.cancel);
        if run.is_over() {
            // It was not when they were chosen: they are answered without being asked.
            continue;
        }
        run.ask(&asked);
        if asked.iter().any(|at| steps[*at].check.effect != Effect::Reads) {
            run.forget_state();
        }
        // What is asked is in the order of the plan, as what is pending.
        let mut asked = asked.into_iter().peekable();
        pending.retain(|at| asked.next_if_eq(at).is_none());
    }
}

/// Says what of a node is measured again.
#[derive(Clone, Copy, Debug)]
pub struct More<'a> {
    /// Id of the check.
    pub check: &'a str,
    /// What was measured before.
    pub attempts: &'a [Attempt],
    /// Number of the last repeat that is wanted.
    pub until: u32,
}

/// Measures one check of a node again, and judges it by all that was measured.
pub fn run_more(
    gatherer: &Gatherer<'_>,
    node: &RunNode,
    steps: &[Step],
    setting: Setting<'_>,
    more: More<'_>,
    observer: &mut dyn Observer,
) {
    let mut run = NodeRun::new(gatherer, node, steps, setting, observer);
    let Some(at) = steps.iter().position(|step| step.check.id == more.check) else { return };
    let context = gatherer.context;
    let _own = context.floor.take(&run.machines(&[at]), &context.cancel);
    if run.is_over() {
        return;
    }
    let effect = steps[at].check.effect;
    gatherer.transport.make_room(effect);
    run.observer.asking(&run.key(at), effect);
    let last = more.attempts.iter().map(|attempt| attempt.repeat).max().unwrap_or_default();
    let mut attempts = more.attempts.to_vec();
    attempts.extend(run.attempts(at, last + 1..=more.until));
    attempts.retain(|attempt| !is_interrupted(attempt));
    run.answer(at, Answer::Attempted(attempts));
}

struct NodeRun<'a> {
    gatherer: &'a Gatherer<'a>,
    facts: &'a Facts,
    node: &'a RunNode,
    steps: &'a [Step],
    today: &'a str,
    baselines: &'a [Baseline],
    observer: &'a mut dyn Observer,
    outcomes: BTreeMap<&'a str, Outcome>,
    /// For each blocked check, the check at the root.
    roots: BTreeMap<&'a str, (&'a str, Outcome)>,
    cache: BTreeMap<Ask, Cached>,
}

/// Holds what a wave gathered until everyone has it who asks for it.
#[derive(Default)]
struct Cached {
    piece: Option<Box<Evidence>>,
    /// Checks that ask for it and have not had it yet.
    awaited: usize,
}

impl<'a> NodeRun<'a> {
    fn new(
        gatherer: &'a Gatherer<'a>,
        node: &'a RunNode,
        steps: &'a [Step],
        setting: Setting<'a>,
        observer: &'a mut dyn Observer,
    ) -> Self {
        Self {
            gatherer,
            facts: &node.facts,
            node,
            steps,
            today: setting.today,
            baselines: setting.baselines,
            observer,
            outcomes: BTreeMap::new(),
            roots: BTreeMap::new(),
            cache: BTreeMap::new(),
        }
    }

    /// Counts who will ask for what, so that nothing is kept longer than it is needed.
    fn expect_asks(&mut self) {
        for (at, step) in self.steps.iter().enumerate() {
            if step.left_out.is_none() && step.check.effect == Effect::Reads {
                for ask in self.asks(at).unwrap_or_default() {
                    self.cache.entry(ask).or_default().awaited += 1;
                }
            }
        }
    }

    /// Takes what was gathered ahead, as far as somebody asks for it.
    fn take_in(&mut self, ahead: &[Evidence]) {
        for piece in ahead {
            if let Some(cached) = self.cache.get_mut(&piece.ask) {
                self.observer.event(Event::Evidence(piece.clone()));
                cached.piece = Some(Box::new(piece.clone()));
            }
        }
    }

    /// Tells whether a failure ends the asking.
    fn is_failed(&self) -> bool {
        let context = self.gatherer.context;
        context.fail_fast && context.failed.load(Ordering::SeqCst)
    }

    /// Tells whether nothing more is asked.
    fn is_over(&self) -> bool {
        self.gatherer.context.cancel.requested() || self.is_failed()
    }

    fn key(&self, at: usize) -> CheckKey {
        CheckKey::new(self.gatherer.node, &self.steps[at].check.id)
    }

    fn is_ready(&self, at: usize) -> bool {
        self.steps[at].check.after.iter().all(|id| self.outcomes.contains_key(id.as_str()))
    }

    /// Answers a check that will not be asked; tells whether it did.
    fn settle_unasked(&mut self, at: usize) -> bool {
        let step = &self.steps[at];
        if self.gatherer.context.cancel.requested() {
            return self.answer(at, Answer::Interrupted);
        }
        // A broken promise fails, and like every failure it stands behind the one that explains it:
        // one lost driver is one failure, not one for each check that needs it.
        let broken = matches!(&step.left_out, Some(Answer::NeedAbsent { expected: true, .. }));
        if let Some(answer) = step.left_out.as_ref().filter(|_| !broken) {
            return self.answer(at, answer.clone());
        }
        if !self.is_ready(at) {
            return false;
        }
        let bad =
            |outcome: Outcome| matches!(outcome, Outcome::Fail | Outcome::Error | Outcome::Blocked);
        let above = |wanted: &dyn Fn(Outcome) -> bool| {
            let ids = step.check.after.iter().map(String::as_str);
            ids.filter_map(|id| self.outcomes.get_key_value(id))
                .find(|(_, outcome)| wanted(**outcome))
        };
        if let Some((id, outcome)) = above(&bad) {
            let root = self.roots.get(id).copied().unwrap_or((id, *outcome));
            self.roots.insert(&step.check.id, root);
            return self.answer(at, Answer::Blocked { by: root.0.to_owned(), outcome: root.1 });
        }
        if let Some(answer) = &step.left_out {
            return self.answer(at, answer.clone());
        }
        if let Some((id, _)) = above(&|outcome| outcome == Outcome::Skip) {
            let message = format!("waits for {id}, which was skipped");
            return self.answer(at, Answer::LeftOut { code: FindingCode::SkippedAbove, message });
        }
        if self.is_failed() {
            let message = "an earlier check failed".to_owned();
            return self.answer(at, Answer::LeftOut { code: FindingCode::FailFast, message });
        }
        false
    }

    /// Records a final answer; always true.
    fn answer(&mut self, at: usize, answer: Answer) -> bool {
        let key = self.key(at);
        let own = Baseline::of(self.baselines, &key);
        let verdict = judge(self.gatherer.node, &self.steps[at].check, &answer, own);
        let recorded = if matches!(answer, Answer::Attempted(_)) { None } else { Some(answer) };
        self.observer.event(Event::Answered { key, answer: recorded });
        let mut settled = [verdict.outline()];
        settle(&mut settled, Looks::Once, std::slice::from_ref(self.node), self.today);
        if settled.iter().any(|v| v.outcome_for_others() == Outcome::Fail && !v.is_waived()) {
            self.gatherer.context.failed.store(true, Ordering::SeqCst);
        }
        self.outcomes.insert(&self.steps[at].check.id, verdict.outcome_for_others());
        self.observer.event(Event::Verdict(verdict));
        true
    }

    /// Asks checks that are ready: many that read, or one that loads.
    fn ask(&mut self, asked: &[usize]) {
        let mut asks = Vec::new();
        for at in asked {
            self.gatherer.transport.make_room(self.steps[*at].check.effect);
            self.observer.asking(&self.key(*at), self.steps[*at].check.effect);
            asks.extend(self.asks(*at).unwrap_or_default());
        }
        if asked.iter().all(|at| self.steps[*at].check.effect == Effect::Reads) {
            self.fill_cache(asks);
        }
        for at in asked {
            let attempts = self.attempts(*at, 1..=self.steps[*at].check.repeat);
            let unsimulated = attempts.iter().find_map(|a| match &a.result {
                Err(e) if e.code == FindingCode::NotSimulated => Some(e.clone()),
                _ => None,
            });
            let answer = match unsimulated {
                _ if attempts.iter().any(is_interrupted) => Answer::Interrupted,
                // What is missing stands in the evidence: said here, no two skips would be alike.
                Some(AttemptError { code, .. }) => {
                    Answer::LeftOut { code, message: "not simulated".to_owned() }
                }
                None => Answer::Attempted(attempts),
            };
            self.answer(*at, answer);
        }
    }

    /// Names the machines that nobody else may ask meanwhile.
    fn machines(&self, asked: &[usize]) -> Vec<String> {
        let transport = &self.gatherer.transport;
        let mut machines = vec![transport.via().machine(self.gatherer.node)];
        // A link is measured on both of its ends.
        for ask in asked.iter().flat_map(|at| self.asks(*at).unwrap_or_default()) {
            machines.extend(ask.nodes().into_iter().map(|node| transport.machine_of(node)));
        }
        machines
    }

    /// Returns what a check gathers, with its own time limit.
    fn asks(&self, at: usize) -> Result<Vec<Ask>, AttemptError> {
        let check = &self.steps[at].check;
        let probe = probes::find(&check.probe).ok_or_else(|| {
            failed(
                FindingCode::BadParameter,
                format!("this version has no probe `{}`", check.probe),
            )
        })?;
        let asks = probe
            .asks(With(&check.with), self.facts)
            .map_err(|message| failed(FindingCode::BadParameter, message))?;
        Ok(asks.into_iter().map(|ask| ask.limited_to(check.limit_ms)).collect())
    }

    /// Forgets what was gathered: state from before a load or a change says nothing about after.
    fn forget_state(&mut self) {
        for cached in self.cache.values_mut() {
            cached.piece = None;
        }
    }

    /// Gathers equal asks once, whoever asks.
    fn fill_cache(&mut self, mut asks: Vec<Ask>) {
        let gathered = |ask: &Ask| self.cache.get(ask).is_some_and(|c| c.piece.is_some());
        asks.retain(|ask| !gathered(ask));
        let mut seen = BTreeSet::new();
        let firsts: Vec<bool> = asks.iter().map(|ask| seen.insert(ask)).collect();
        let mut firsts = firsts.into_iter();
        asks.retain(|_| firsts.next().unwrap_or(true));
        for piece in self.gather(&asks) {
            if let Some(cached) = self.cache.get_mut(&piece.ask) {
                cached.piece = Some(Box::new(piece));
            }
        }
    }

    /// Takes what was gathered for an ask; the last one who asks gets the piece itself.
    fn take_cached(&mut self, ask: &Ask) -> Option<Evidence> {
        let cached = self.cache.get_mut(ask)?;
        cached.awaited = cached.awaited.saturating_sub(1);
        if cached.awaited > 0 {
            return cached.piece.as_deref().cloned();
        }
        self.cache.remove(ask)?.piece.map(|piece| *piece)
    }

    fn gather(&mut self, asks: &[Ask]) -> Vec<Evidence> {
        let observer = &mut *self.observer;
        self.gatherer.gather(asks, |piece| observer.event(Event::Evidence(piece.clone())))
    }

    /// Makes every attempt at a check: repeats, and retries of Errors.
    fn attempts(&mut self, at: usize, repeats: RangeInclusive<u32>) -> Vec<Attempt> {
        let check = &self.steps[at].check;
        let mut attempts = Vec::new();
        let until = *repeats.end();
        for repeat in repeats {
            for r#try in 1..=check.retries + 1 {
                // The first try of a reading check takes what its wave has gathered.
                let fresh = repeat > 1 || r#try > 1 || check.effect != Effect::Reads;
                let attempt = self.attempt(at, repeat, r#try, fresh);
                // What was answered before stays answered: an interrupt ends the looking alone.
                if !(is_interrupted(&attempt) && repeat > self.steps[at].check.repeat) {
                    self.observer
                        .event(Event::Attempted { key: self.key(at), attempt: attempt.clone() });
                }
                let answered = attempt.result.is_ok();
                attempts.push(attempt);
                if answered || self.gatherer.context.cancel.requested() {
                    break;
                }
            }
            if self.gatherer.context.cancel.requested() && repeat < until {
                let error =
                    failed(FindingCode::Interrupted, "the run was interrupted between repeats");
                attempts.push(self.build(repeat + 1, 1, &[], Err(error)));
                break;
            }
        }
        attempts
    }

    fn attempt(&mut self, at: usize, repeat: u32, r#try: u32, fresh: bool) -> Attempt {
        let asks = match self.asks(at) {
            Ok(asks) => asks,
            Err(error) => return self.build(repeat, r#try, &[], Err(error)),
        };
        let gated = self.is_gated(at);
        let before = if gated { self.gather(&conditions::before()) } else { Vec::new() };
        let mut evidence: Vec<Evidence> = Vec::with_capacity(asks.len());
        if fresh {
            evidence = self.gather(&asks);
        } else {
            evidence.extend(asks.iter().filter_map(|ask| self.take_cached(ask)));
        }
        let after = if gated { self.gather(&conditions::after()) } else { Vec::new() };
        let mut result = read(&self.steps[at], &evidence);
        if let Ok(observation) = &mut result {
            // Whatever an instrument says of itself: no machine answered.
            observation.simulated = observation.simulated.take().or(self.facts.simulated.clone());
        }
        let disturbed = conditions::disturbed(&before, &after);
        Attempt { disturbed, ..self.build(repeat, r#try, &evidence, result) }
    }

    /// Tells whether the conditions of an attempt decide if it counts.
    fn is_gated(&self, at: usize) -> bool {
        let check = &self.steps[at].check;
        // Where each question is a login of its own, nobody asks for more than the measurement.
        check.compares()
            && check.effect != Effect::Reads
            && !self.node.file.busy
            && !self.gatherer.transport.is_costly()
    }

    fn build(
        &self,
        repeat: u32,
        r#try: u32,
        evidence: &[Evidence],
        result: Result<Observation, AttemptError>,
    ) -> Attempt {
        Attempt {
            repeat,
            r#try,
            at_ms: evidence
                .iter()
                .map(|e| e.at_ms)
                .min()
                .unwrap_or_else(|| self.gatherer.context.elapsed_ms()),
            elapsed_us: evidence.iter().fold(0, |sum: u64, e| sum.saturating_add(e.elapsed_us)),
            result,
            disturbed: None,
            evidence: evidence.iter().map(|e| e.id).collect(),
        }
    }
}

fn is_interrupted(attempt: &Attempt) -> bool {
    matches!(&attempt.result, Err(error) if error.code == FindingCode::Interrupted)
}

/// Lets the probe read; a probe that breaks is an Error of its check, not the end of the run.
fn read(step: &Step, evidence: &[Evidence]) -> Result<Observation, AttemptError> {
    let unasked = |failure: &Failure| match failure.kind {
        FailureKind::Interrupted => Some(FindingCode::Interrupted),
        FailureKind::NotRecorded => Some(FindingCode::NotRecorded),
        FailureKind::NotSimulated => Some(FindingCode::NotSimulated),
        _ => None,
    };
    // What failed on the way to the node says nothing of it, so no probe reads that.
    let lost =
        evidence.iter().find(|piece| piece.failure().is_some_and(|f| f.kind.is_of_the_link()));
    if let Some((piece, failure)) = lost.and_then(|piece| Some((piece, piece.failure()?))) {
        return Err(gather_error(piece, failure));
    }
    let mut failures = evidence.iter().filter_map(Evidence::failure);
    if let Some(error) = failures.find_map(|f| Some(failed(unasked(f)?, f.message.clone()))) {
        return Err(error);
    }
    let Some(probe) = probes::find(&step.check.probe) else {
        return Err(failed(
            FindingCode::BadParameter,
            format!("this version has no probe `{}`", step.check.probe),
        ));
    };
    let pieces: Vec<&Evidence> = evidence.iter().collect();
    let read = std::panic::AssertUnwindSafe(|| probe.read(With(&step.check.with), &pieces));
    std::panic::catch_unwind(read).unwrap_or_else(|_| {
        Err(failed(
            FindingCode::ProbePanicked,
            format!("the probe `{}` broke while reading", step.check.probe),
        ))
    })
}
