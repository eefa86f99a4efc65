//! The functions that load and start kernels. What a kernel does is known by its name: those of the
//! instrument `cuda`, and no others.

use std::{
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    ptr,
};

use toml::Value;

use super::{
    INVALID_HANDLE, INVALID_VALUE, NOT_FOUND, SUCCESS,
    content::Content,
    device::give,
    state::{State, entered, entry, flaw, rate, state},
};

/// Names of the kernels; a function's handle is its place, and one.
const KERNELS: [&str; 9] =
    ["fill", "check", "read", "triad", "hold", "nothing", "burn", "same", "follow"];

/// Takes a text for a module, unless the scenario says that the card refuses it.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadData(out: *mut *mut c_void, _image: *const c_void) -> c_int {
    let fails = entered().and_then(|card| entry(card, "module")).and_then(Value::as_integer);
    let made = match fails.and_then(|code| i32::try_from(code).ok()) {
        Some(code) => Err(code),
        None => Ok(ptr::without_provenance_mut(1)),
    };
    // SAFETY: the caller promises it.
    unsafe { give(out, made) }
}

/// Gives a module back.
#[unsafe(no_mangle)]
pub extern "C" fn cuModuleUnload(_module: *mut c_void) -> c_int {
    SUCCESS
}

/// Finds a kernel.
///
/// # Safety
/// `name` is null or ends with a zero; `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetFunction(
    out: *mut *mut c_void,
    _module: *mut c_void,
    name: *const c_char,
) -> c_int {
    if name.is_null() {
        return INVALID_VALUE;
    }
    // SAFETY: not null, and the caller promises the zero.
    let name = unsafe { CStr::from_ptr(name) };
    let place = KERNELS.iter().position(|known| name.to_str() == Ok(known));
    let made = place.map(|place| ptr::without_provenance_mut(place + 1)).ok_or(NOT_FOUND);
    // SAFETY: the caller promises it.
    unsafe { give(out, made) }
}

/// Reads the arguments of a launch.
struct Given(*mut *mut c_void);

impl Given {
    /// # Safety
    /// The kernel takes so many arguments, and this one is a `T`.
    unsafe fn at<T: Copy>(&self, index: usize) -> T {
        // SAFETY: the caller promises it.
        let place = unsafe { self.0.add(index) };
        // SAFETY: as above.
        let argument = unsafe { place.read() };
        // SAFETY: as above.
        unsafe { argument.cast::<T>().read() }
    }

    /// # Safety
    /// As [`Self::at`], for a number of 64 bits.
    unsafe fn long(&self, index: usize) -> u64 {
        // SAFETY: the caller promises it.
        unsafe { self.at(index) }
    }

    /// # Safety
    /// As [`Self::at`], for a number of 32 bits.
    unsafe fn short(&self, index: usize) -> u32 {
        // SAFETY: the caller promises it.
        unsafe { self.at(index) }
    }
}

/// Starts a kernel.
///
/// # Safety
/// The arguments are those that the kernel of the instrument takes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchKernel(
    function: *mut c_void,
    _blocks: c_uint,
    _blocks_y: c_uint,
    _blocks_z: c_uint,
    _threads: c_uint,
    _threads_y: c_uint,
    _threads_z: c_uint,
    _shared: c_uint,
    stream: *mut c_void,
    arguments: *mut *mut c_void,
    _extra: *mut *mut c_void,
) -> c_int {
    let kernel = function.addr().checked_sub(1).and_then(|place| KERNELS.get(place));
    let Some(kernel) = kernel else { return INVALID_HANDLE };
    let mut state = state();
    let Some((card, _)) = state.streams.get(&stream.addr()).copied() else { return INVALID_HANDLE };
    let given = Given(arguments);
    // SAFETY: the caller promises it.
    let took_ns = unsafe { run(&mut state, kernel, card, &given) };
    match took_ns {
        Some(ns) => {
            state.spend(stream.addr(), ns);
            SUCCESS
        }
        None => INVALID_VALUE,
    }
}

/// Lets a kernel do what it does and says how long it took. *Units*: ns.
///
/// # Safety
/// The arguments are those of the kernel.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
unsafe fn run(state: &mut State, kernel: &str, card: usize, given: &Given) -> Option<f64> {
    // SAFETY: the caller promises it, here and for each argument below.
    let long = |index| unsafe { given.long(index) };
    // SAFETY: as above.
    let short = |index| unsafe { given.short(index) };
    match kernel {
        "fill" => {
            let (block, _) = state.block(long(0))?;
            block.content = Content::Pattern { seed: short(2), factor: short(3), flaw: None };
            Some(4.0 * long(1) as f64 / rate(card, "read"))
        }
        "check" => {
            let (block, _) = state.block(long(0))?;
            let unlike = block.content.unlike(long(1), short(2), short(3));
            found(state, long(4), unlike)?;
            Some(4.0 * long(1) as f64 / rate(card, "read"))
        }
        "read" => Some(16.0 * long(1) as f64 / rate(card, "read")),
        "triad" => {
            // 1 + 3 x 2 in every word, as the instrument asks for.
            let seven = Content::Pattern { seed: 7.0_f32.to_bits(), factor: 0, flaw: None };
            let (block, _) = state.block(long(0))?;
            block.content = seven.flawed(flaw(card, "triad"));
            Some(48.0 * long(3) as f64 / rate(card, "triad"))
        }
        "burn" => {
            state.loaded = true;
            let (block, _) = state.block(long(0))?;
            block.content = Content::Burned { flaw: flaw(card, "burn") };
            let operations = 12.0 * f64::from(short(2)) * long(1) as f64;
            Some(operations / rate(card, "gflop-per-s"))
        }
        "same" => {
            let (block, _) = state.block(long(0))?;
            let unlike = match &block.content {
                Content::Burned { flaw } => flaw.map(|flaw| (1, flaw.word)),
                _ => Some((long(1), 0)),
            };
            found(state, long(3), unlike)?;
            Some(4.0 * long(1) as f64 / rate(card, "read"))
        }
        "follow" => Some(f64::from(short(1)) * rate(card, "latency-ns")),
        _ => Some(0.0),
    }
}

/// Writes what a comparison found, as two numbers of 64 bits.
fn found(state: &mut State, at: u64, unlike: Option<(u64, u64)>) -> Option<()> {
    let (block, _) = state.block(at)?;
    if let Some((count, first)) = unlike {
        let bytes = [count.to_le_bytes(), first.to_le_bytes()].concat();
        block.content = Content::Bytes(bytes);
    }
    Some(())
}
