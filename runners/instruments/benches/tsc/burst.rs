//! A task that takes the cpu at known times and says when: the truth to measure against.
//!
//! It wakes by absolute times at a real-time priority above the instrument's, burns by the counter,
//! and writes the counter at both ends of each burst once it is done.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, Command, ExitCode, Stdio},
};

/// Above the instrument, which runs at 80.
const PRIORITY: i32 = 95;

/// Says how long a burst is and how often it comes.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) burst_us: u64,
    pub(crate) period_us: u64,
}

/// Holds a burst: the counter at its start and its end.
pub(crate) type Burst = (u64, u64);

/// Holds the running task.
pub(crate) struct Task(Child);

impl Task {
    /// Starts it on a cpu and returns once it is running.
    pub(crate) fn start(cpu: usize, shape: Shape, time_ms: u64) -> Self {
        let numbers = [cpu as u64, shape.burst_us, shape.period_us, time_ms];
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("burst")
            .args(numbers.map(|number| number.to_string()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        child.stdout.as_mut().unwrap().read_exact(&mut ready).expect("FIFO can be taken");
        Self(child)
    }

    /// Waits for its end and returns what it did.
    pub(crate) fn bursts(mut self) -> Vec<Burst> {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines();
        let bursts = lines.map(|line| {
            let line = line.unwrap();
            let (start, end) = line.split_once(' ').unwrap();
            (start.parse().unwrap(), end.parse().unwrap())
        });
        let bursts = bursts.collect();
        assert!(self.0.wait().unwrap().success());
        bursts
    }
}

/// Is the task.
pub(crate) fn main(words: &[&str]) -> ExitCode {
    let numbers: Vec<u64> = words.iter().map(|word| word.parse().unwrap()).collect();
    let [cpu, burst_us, period_us, time_ms] = numbers[..] else { return ExitCode::from(2) };
    let count = time_ms * 1_000 / period_us;
    let mut bursts: Vec<Burst> = vec![(1, 1); usize::try_from(count).unwrap()];
    pin(usize::try_from(cpu).unwrap());
    let cycles = cycles_per_us() * burst_us;
    if !rise() {
        return ExitCode::FAILURE;
    }
    println!("ready");
    std::io::stdout().flush().unwrap();
    let mut next_ns = now_ns();
    for burst in &mut bursts {
        next_ns += period_us * 1_000;
        sleep_until(next_ns);
        let start = counter();
        while counter() - start < cycles {}
        *burst = (start, counter());
    }
    let mut text = String::new();
    for (start, end) in bursts {
        let _ = writeln!(text, "{start} {end}");
    }
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    ExitCode::SUCCESS
}

fn counter() -> u64 {
    // SAFETY: every x86-64 has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

fn sleep_until(time_ns: u64) {
    let (seconds, rest) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
    let until =
        libc::timespec { tv_sec: seconds.try_into().unwrap(), tv_nsec: rest.try_into().unwrap() };
    // SAFETY: `until` lives through the call, which only reads it.
    unsafe {
        libc::clock_nanosleep(
            libc::CLOCK_MONOTONIC,
            libc::TIMER_ABSTIME,
            &raw const until,
            std::ptr::null_mut(),
        )
    };
}

fn cycles_per_us() -> u64 {
    let (start, from_ns) = (counter(), now_ns());
    while now_ns() - from_ns < 20_000_000 {}
    (counter() - start) * 1_000 / (now_ns() - from_ns)
}

fn pin(cpu: usize) {
    // SAFETY: a set of cpus is plain bits, of which none is a valid state.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the cpu is one of this machine.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: `set` lives through the call, which only reads it.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
}

fn rise() -> bool {
    // SAFETY: passes no memory.
    unsafe { libc::mlockall(libc::MCL_CURRENT) };
    let wanted = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: `wanted` lives through the call, which only reads it.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const wanted) == 0 }
}
