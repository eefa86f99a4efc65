//! What the time-stamp counter can tell: its rate, its finest step, and every moment that a pinned
//! loop on one cpu was not running.
//!
//! A thread that does nothing but read the counter notices whatever takes the cpu away: an
//! interrupt, another task, the hypervisor, a system management interrupt. It is told apart from
//! the loop's own cost, which is measured in the same process. Wake-up latency is not measured.

mod argument;
mod attribution;
mod calibrate;
mod counter;
mod event;
mod histogram;
mod measure;
mod place;
mod precision;
mod report;
mod spin;
mod surroundings;
mod trace;

use serde_json::Value;

use super::{Arguments, Instrument, Refusal};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "tsc",
    summary: "Measures the rate of the TSC, its finest step, and what takes a cpu away from a loop.",
    arguments: argument::HELP,
    run,
};

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let asked = argument::Asked::read(given)?;
    if !counter::READABLE {
        return Ok(Refusal::of("rdtsc", libc::ENOSYS, counter::unreadable()).to_json());
    }
    Ok(measure::measure(&asked).unwrap_or_else(|refusal| refusal.to_json()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_it_does_not_take_is_named() {
        assert!(INSTRUMENT.tried("--cpus 1").unwrap_err().contains("--cpus"));
        assert!(INSTRUMENT.tried("--for 10").unwrap_err().contains("unit"));
    }

    #[test]
    fn it_measures_or_says_why_it_does_not() {
        let said = INSTRUMENT.tried("--for 10ms --warm-up 10ms --priority none").unwrap();
        let measured = said["jitter"]["gaps"].is_u64();
        let refused = said["refused"]["why"].as_str().is_some_and(|why| !why.is_empty());
        assert!(measured != refused, "{said}");
    }
}
