//! What the time-stamp counter can tell: its rate, its finest step, and every moment that a pinned
//! loop on one cpu was not running.
//!
//! A thread that does nothing but read the counter notices whatever takes the cpu away: an
//! interrupt, another task, the hypervisor, a system management interrupt. It is told apart from
//! the loop's own cost, which is measured in the same process. Wake-up latency is not measured.

#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "read, and answered at once"))]
mod argument;
#[cfg(target_arch = "x86_64")]
mod attribution;
#[cfg(target_arch = "x86_64")]
mod calibrate;
#[cfg(target_arch = "x86_64")]
mod counter;
#[cfg(target_arch = "x86_64")]
mod event;
#[cfg(target_arch = "x86_64")]
mod guard;
#[cfg(target_arch = "x86_64")]
mod histogram;
#[cfg(target_arch = "x86_64")]
mod interrupt;
#[cfg(target_arch = "x86_64")]
mod measure;
#[cfg(target_arch = "x86_64")]
mod place;
#[cfg(target_arch = "x86_64")]
mod precision;
#[cfg(target_arch = "x86_64")]
mod report;
#[cfg(target_arch = "x86_64")]
mod setting;
#[cfg(target_arch = "x86_64")]
mod spin;
#[cfg(target_arch = "x86_64")]
mod surroundings;
#[cfg(target_arch = "x86_64")]
mod trace;

use serde_json::Value;

use crate::Instrument;

pub(crate) const INSTRUMENT: Instrument = Instrument {
    name: "tsc",
    summary: "Measures the rate of the TSC, its finest step, and what takes a cpu away from a loop.",
    arguments: argument::HELP,
    run,
};

fn run(args: &[String]) -> Result<Value, String> {
    let asked = argument::Asked::parse(args)?;
    Ok(answer(&asked))
}

#[cfg(target_arch = "x86_64")]
fn answer(asked: &argument::Asked) -> Value {
    measure::measure(asked).unwrap_or_else(|refusal| refusal.to_json())
}

#[cfg(not(target_arch = "x86_64"))]
fn answer(_asked: &argument::Asked) -> Value {
    let arch = std::env::consts::ARCH;
    let why =
        format!("the time-stamp counter is a register of x86-64, and this build is for {arch}");
    crate::Refusal { call: "rdtsc", errno: libc::ENOSYS, why }.to_json()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_it_does_not_take_is_named() {
        let refused = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            run(&words).unwrap_err()
        };
        assert!(refused(&["--cpus", "1"]).contains("--cpus"));
        assert!(refused(&["--for", "10"]).contains("unit"));
    }
}
