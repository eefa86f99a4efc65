//! What GPUs do when they are asked to: memory, link to the host, links to each other, arithmetic.
//!
//! The driver's library is opened at run time and the kernels are text that it assembles, so that
//! nothing of CUDA need be installed. Every figure stands beside what was compared; data that came
//! out wrong is said with its place and bits. It judges nothing.

mod burn;
mod context;
mod device;
mod host;
mod launch;
mod library;
mod memory;
mod peer;
mod program;
mod timing;

use std::{env, sync::mpsc, thread, time::Duration};

use serde_json::{Map, Value, json};

use super::nvml;
use crate::{Arguments, Instrument};
use context::Context;
use device::Device;
use library::{Driver, Trouble};

pub(crate) const INSTRUMENT: Instrument = Instrument {
    name: "cuda",
    summary: "Measures GPUs through the CUDA driver: memory, links, launches, and a compared load.",
    arguments: "--tests LIST      of device, memory, host, peer, launch, burn; all unless given\n--passes N        counted passes of each copy, 3 to 50; 7 unless given\n--seconds N       length of the load, 1 to 300; 5 unless given\n--library PATH    the driver's library; libcuda.so.1 unless given\n--nvml PATH       what is asked for the cards' state under load; libnvidia-ml.so.1 unless given",
    run,
};

const TESTS: [&str; 6] = ["device", "memory", "host", "peer", "launch", "burn"];

/// Holds what was asked for.
struct Asked {
    tests: Vec<String>,
    passes: u32,
    seconds: u32,
    library: String,
    nvml: Option<String>,
}

impl Asked {
    fn read(given: &Arguments<'_>) -> Result<Self, String> {
        let wanted = format!("a list of {}", TESTS.join(", "));
        let list = |text: &str| {
            let tests: Vec<String> = text.split(',').map(str::to_owned).collect();
            tests.iter().all(|test| TESTS.contains(&test.as_str())).then_some(tests)
        };
        Ok(Self {
            tests: given
                .value("--tests", &wanted, list)?
                .unwrap_or(TESTS.map(str::to_owned).into()),
            passes: given.number("--passes", 3..=50)?.unwrap_or(7),
            seconds: given.number("--seconds", 1..=300)?.unwrap_or(5),
            library: given.text("--library").unwrap_or("libcuda.so.1").to_owned(),
            nvml: given.text("--nvml").map(str::to_owned),
        })
    }
}

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let asked = Asked::read(given)?;
    load_at_once();
    let mut said = Map::new();
    said.insert("library".to_owned(), json!(asked.library));
    said.insert("visible".to_owned(), json!(env::var("CUDA_VISIBLE_DEVICES").ok()));
    said.insert("order".to_owned(), json!(env::var("CUDA_DEVICE_ORDER").ok()));
    if let Err(trouble) = measure(&asked, &mut said) {
        said.insert("trouble".to_owned(), trouble.to_json());
    }
    Ok(Value::Object(said))
}

/// Has the driver load kernels with their module: to load one later it may wait for the device, which
/// waits for the host while a stream is held.
#[allow(clippy::disallowed_methods, reason = "the driver is told by its environment alone")]
fn load_at_once() {
    // SAFETY: this process has one thread yet, so nobody reads the environment meanwhile.
    unsafe { env::set_var("CUDA_MODULE_LOADING", "EAGER") };
}

/// Measures what was asked for; what is known before a trouble stays known.
fn measure(asked_for: &Asked, said: &mut Map<String, Value>) -> Result<(), Trouble> {
    let driver = Driver::open(&asked_for.library)?;
    if let Some(scenario) = &driver.simulated {
        said.insert("simulated".to_owned(), json!(scenario));
    }
    let others = others(asked_for);
    let busy = !others.as_array().is_some_and(Vec::is_empty);
    said.insert("others".to_owned(), others);
    if busy {
        // A measurement would disturb them, and they it.
        return Ok(());
    }
    driver.start()?;
    said.insert("missing-symbols".to_owned(), json!(driver.functions.missing()));
    said.insert("driver-version".to_owned(), device::said(device::driver_version(&driver)));
    let devices = device::all(&driver)?;
    let described: Vec<Value> = devices.iter().map(|device| device.described(&driver)).collect();
    said.insert("devices".to_owned(), json!(described));
    let asked = |test: &str| asked_for.tests.iter().any(|name| name == test);
    let passes = asked_for.passes;
    if asked("memory") {
        let measured = each(&driver, &devices, |context| memory::measure(context, passes));
        said.insert("memory".to_owned(), measured);
    }
    if asked("host") {
        let measured = each(&driver, &devices, |context| host::measure(context, passes));
        said.insert("host".to_owned(), measured);
    }
    if asked("launch") {
        let measured = each(&driver, &devices, |context| {
            launch::measure(context).map(|times| json!({ "launch-us": times }))
        });
        said.insert("launch".to_owned(), measured);
    }
    if asked("peer") {
        said.insert("peers".to_owned(), pairs(&driver, &devices, passes));
    }
    if asked("burn") {
        let (burn, state) = burned(&driver, &devices, asked_for);
        said.insert("burn".to_owned(), burn);
        said.insert("under-load".to_owned(), state);
    }
    Ok(())
}

/// Lists who computes on a card already, where a load was asked for.
fn others(asked_for: &Asked) -> Value {
    if asked_for.tests.iter().all(|test| test == "device") {
        return json!([]);
    }
    nvml::computing(asked_for.nvml.as_deref())
}

/// Measures one device after the other.
fn each(
    driver: &Driver,
    devices: &[Device],
    measure: impl Fn(&Context<'_>) -> Result<Value, Trouble>,
) -> Value {
    let one = |device: &Device| {
        let measured = Context::take(driver, *device).and_then(|context| measure(&context));
        with_index(*device, measured)
    };
    devices.iter().map(one).collect()
}

/// Measures every ordered pair.
fn pairs(driver: &Driver, devices: &[Device], passes: u32) -> Value {
    let mut all = Vec::new();
    for from in devices {
        for to in devices.iter().filter(|to| *to != from) {
            let measured = Context::take(driver, *from).and_then(|near| {
                let far = Context::take(driver, *to)?;
                peer::measure(&near, &far, passes)
            });
            all.push(measured.unwrap_or_else(
                |trouble| json!({ "from": from.0, "to": to.0, "trouble": trouble.to_json() }),
            ));
        }
    }
    Value::Array(all)
}

/// Loads all devices at once, a thread each, since the power supply feeds all of them; meanwhile the
/// driver is asked for the state of its cards. Returns both.
fn burned(driver: &Driver, devices: &[Device], asked_for: &Asked) -> (Value, Value) {
    let seconds = asked_for.seconds;
    thread::scope(|scope| {
        let (say, hear) = mpsc::channel::<()>();
        let one = |device: Device| {
            let ended = say.clone();
            let load = move || {
                let context = Context::take(driver, device)?;
                let measured = burn::measure(&context, seconds);
                drop(ended);
                measured
            };
            (device, scope.spawn(load))
        };
        let started: Vec<_> = devices.iter().map(|device| one(*device)).collect();
        drop(say);
        // Links, clocks and heat follow the load: half of it has passed, or all has ended.
        let _ = hear.recv_timeout(Duration::from_millis(u64::from(seconds) * 500));
        let state = nvml::beside(asked_for.nvml.as_deref());
        let ended = started.into_iter().map(|(device, thread)| {
            let panicked = || Err(Trouble::unmade("thread", "the loading thread panicked"));
            with_index(device, thread.join().unwrap_or_else(|_| panicked()))
        });
        (ended.collect(), state)
    })
}

fn with_index(device: Device, measured: Result<Value, Trouble>) -> Value {
    let mut said = match measured {
        Ok(Value::Object(said)) => said,
        Ok(other) => Map::from_iter([("result".to_owned(), other)]),
        Err(trouble) => Map::from_iter([("trouble".to_owned(), trouble.to_json())]),
    };
    said.insert("device".to_owned(), json!(device.0));
    Value::Object(said)
}
