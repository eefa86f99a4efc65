//! How one function of the library is called, and what becomes of its answer.
//!
//! Every answer is a value, `not-supported`, an error with NVML's own name, or a function that the
//! library lacks; never a zero for what is missing. The functions are called as they are: a typed
//! wrapper loses unknown bits of masks, unknown return codes and the scope of field values.

use std::{
    ffi::{CStr, c_char, c_uint},
    mem::zeroed,
};

use nvml_wrapper_sys::bindings::{NvmlLib, nvmlDevice_t, nvmlFieldValue_t, nvmlReturn_t};
use serde_json::{Value, json};

use super::{file::Files, progress::Progress};

pub(super) const SUCCESS: nvmlReturn_t = 0;
pub(super) const INVALID_ARGUMENT: nvmlReturn_t = 2;
pub(super) const NOT_SUPPORTED: nvmlReturn_t = 3;
pub(super) const INSUFFICIENT_SIZE: nvmlReturn_t = 7;

/// A function of the library with its name; an older library lacks some.
pub(super) type Symbol<'a, F> = (&'static str, &'a Result<F, libloading::Error>);

/// Names a function of the library.
macro_rules! symbol {
    ($asker:expr, $function:ident) => {
        (stringify!($function), &$asker.library.$function)
    };
}
pub(super) use symbol;

pub(super) type One<T> = unsafe extern "C" fn(nvmlDevice_t, *mut T) -> nvmlReturn_t;
pub(super) type OneBy<T> = unsafe extern "C" fn(nvmlDevice_t, c_uint, *mut T) -> nvmlReturn_t;
pub(super) type OneByTwo<T> =
    unsafe extern "C" fn(nvmlDevice_t, c_uint, c_uint, *mut T) -> nvmlReturn_t;
pub(super) type Two<T> = unsafe extern "C" fn(nvmlDevice_t, *mut T, *mut T) -> nvmlReturn_t;
pub(super) type Text = unsafe extern "C" fn(nvmlDevice_t, *mut c_char, c_uint) -> nvmlReturn_t;
pub(super) type OwnText = unsafe extern "C" fn(*mut c_char, c_uint) -> nvmlReturn_t;

/// Longest text that is taken. *Units*: B. *Source*: no buffer of `nvml.h` is longer than 96; files
/// of a stand-in are.
const TEXT: usize = 1024;

/// Why there is no value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trouble {
    /// The library has no such function.
    NoSymbol(&'static str),
    /// It returned another code than success.
    Code(&'static str, nvmlReturn_t),
}

pub(super) type Said<T> = Result<T, Trouble>;

/// Asks the functions of a loaded library, and says before each which one.
pub(super) struct Asker<'a> {
    pub(super) library: &'a NvmlLib,
    pub(super) files: Files<'a>,
    pub(super) progress: &'a Progress,
}

impl Trouble {
    /// Returns it as a part of a document.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::NoSymbol(call) => json!({ "no-symbol": call }),
            Self::Code(call, NOT_SUPPORTED) => json!({ "not-supported": call }),
            Self::Code(call, code) => json!({ "error": name(*code), "code": code, "call": call }),
        }
    }
}

/// Returns an answer as a part of a document.
pub(super) fn shown<T: Into<Value>>(said: Said<T>) -> Value {
    said.map_or_else(|trouble| trouble.to_json(), |value| json!({ "value": value.into() }))
}

fn settled<T>(call: &'static str, code: nvmlReturn_t, value: T) -> Said<T> {
    if code == SUCCESS { Ok(value) } else { Err(Trouble::Code(call, code)) }
}

impl Asker<'_> {
    /// Finds a function and notes that it is about to be called.
    pub(super) fn begin<F: Copy>(&self, (name, symbol): Symbol<'_, F>) -> Said<F> {
        let function = symbol.as_ref().map_err(|_| Trouble::NoSymbol(name))?;
        self.progress.calling(name);
        Ok(*function)
    }

    /// Asks for one value of a card.
    pub(super) fn one<T>(
        &self,
        symbol: Symbol<'_, One<T>>,
        card: nvmlDevice_t,
        mut out: T,
    ) -> Said<T> {
        let function = self.begin(symbol)?;
        // SAFETY: the function has this form, `card` came from the library, `out` is ours.
        let code = unsafe { function(card, &raw mut out) };
        settled(symbol.0, code, out)
    }

    /// Asks for one value of a card by an argument.
    pub(super) fn one_by<T>(
        &self,
        symbol: Symbol<'_, OneBy<T>>,
        card: nvmlDevice_t,
        arg: c_uint,
        mut out: T,
    ) -> Said<T> {
        let function = self.begin(symbol)?;
        // SAFETY: as in `one`; `arg` is a plain number.
        let code = unsafe { function(card, arg, &raw mut out) };
        settled(symbol.0, code, out)
    }

    /// Asks for one number of a card by two arguments.
    pub(super) fn one_by_two<T: Default>(
        &self,
        symbol: Symbol<'_, OneByTwo<T>>,
        card: nvmlDevice_t,
        (first, second): (c_uint, c_uint),
    ) -> Said<T> {
        let function = self.begin(symbol)?;
        let mut out = T::default();
        // SAFETY: as in `one`; the arguments are plain numbers.
        let code = unsafe { function(card, first, second, &raw mut out) };
        settled(symbol.0, code, out)
    }

    /// Asks for two values of a card.
    pub(super) fn two<T: Default>(
        &self,
        symbol: Symbol<'_, Two<T>>,
        card: nvmlDevice_t,
    ) -> Said<[T; 2]> {
        let function = self.begin(symbol)?;
        let (mut first, mut second) = (T::default(), T::default());
        // SAFETY: as in `one`, with two places of ours.
        let code = unsafe { function(card, &raw mut first, &raw mut second) };
        settled(symbol.0, code, [first, second])
    }

    /// Asks for a text of a card.
    pub(super) fn text(&self, symbol: Symbol<'_, Text>, card: nvmlDevice_t) -> Value {
        shown(self.begin(symbol).and_then(|function| {
            // SAFETY: the function has this form, and is told the true length of the buffer.
            taken(symbol.0, |out, length| unsafe { function(card, out, length) })
        }))
    }

    /// Asks for a text of the system.
    pub(super) fn own_text(&self, symbol: Symbol<'_, OwnText>) -> Said<String> {
        let function = self.begin(symbol)?;
        // SAFETY: as in `text`.
        taken(symbol.0, |out, length| unsafe { function(out, length) })
    }

    /// Asks for a number of a card.
    pub(super) fn number<T: Default + Into<Value>>(
        &self,
        symbol: Symbol<'_, One<T>>,
        card: nvmlDevice_t,
    ) -> Value {
        shown(self.one(symbol, card, T::default()))
    }

    /// Asks for a number of a card by an argument.
    pub(super) fn number_by<T: Default + Into<Value>>(
        &self,
        symbol: Symbol<'_, OneBy<T>>,
        card: nvmlDevice_t,
        arg: c_uint,
    ) -> Value {
        shown(self.one_by(symbol, card, arg, T::default()))
    }

    /// Asks for a value that has a number instead of a function, in a scope: a link, or all of them.
    pub(super) fn field(&self, card: nvmlDevice_t, id: c_uint, scope: c_uint) -> Value {
        let symbol = symbol!(self, nvmlDeviceGetFieldValues);
        let asked = || -> Said<(c_uint, u64)> {
            let function = self.begin(symbol)?;
            // SAFETY: numbers and a union of numbers, for which all zeroes are valid.
            let mut value: nvmlFieldValue_t = unsafe { zeroed() };
            value.fieldId = id;
            value.scopeId = scope;
            // SAFETY: one value is passed, and one is announced.
            let code = unsafe { function(card, 1, &raw mut value) };
            settled(symbol.0, code, ())?;
            settled(symbol.0, value.nvmlReturn, ())?;
            // SAFETY: the union was zeroed before the library wrote the bytes of its type: read as
            // the widest, the rest is still zero.
            let wide = unsafe { value.value.ullVal };
            Ok((value.valueType, wide))
        };
        match asked() {
            // Types of `nvmlValueType_t`: 1 is unsigned int, 2 and 3 are wide and unsigned.
            Ok((1..=3, wide)) => json!({ "value": wide }),
            Ok((kind, wide)) => json!({ "unread": wide, "type": kind, "call": symbol.0 }),
            Err(trouble) => trouble.to_json(),
        }
    }
}

/// Takes a text from a function that fills a buffer.
pub(super) fn taken(
    call: &'static str,
    fill: impl FnOnce(*mut c_char, c_uint) -> nvmlReturn_t,
) -> Said<String> {
    let mut buffer = [0_u8; TEXT];
    // One byte less is offered, so that the last stays zero whatever is written.
    let code = fill(buffer.as_mut_ptr().cast(), c_uint::try_from(TEXT - 1).unwrap_or(0));
    let text = CStr::from_bytes_until_nul(&buffer).unwrap_or_default();
    settled(call, code, text.to_string_lossy().into_owned())
}

/// Returns the name of a return code; a number that has none here keeps it.
pub(super) fn name(code: nvmlReturn_t) -> String {
    let known = (code as usize).checked_sub(1).and_then(|at| NAMES.get(at));
    match (known, code) {
        (Some(name), _) => format!("NVML_ERROR_{name}"),
        (None, 999) => "NVML_ERROR_UNKNOWN".to_owned(),
        (None, code) => format!("NVML_ERROR_{code}"),
    }
}

/// Names of the return codes from 1 on. *Source*: `nvml.h`, `nvmlReturn_enum`.
const NAMES: [&str; 30] = [
    "UNINITIALIZED",
    "INVALID_ARGUMENT",
    "NOT_SUPPORTED",
    "NO_PERMISSION",
    "ALREADY_INITIALIZED",
    "NOT_FOUND",
    "INSUFFICIENT_SIZE",
    "INSUFFICIENT_POWER",
    "DRIVER_NOT_LOADED",
    "TIMEOUT",
    "IRQ_ISSUE",
    "LIBRARY_NOT_FOUND",
    "FUNCTION_NOT_FOUND",
    "CORRUPTED_INFOROM",
    "GPU_IS_LOST",
    "RESET_REQUIRED",
    "OPERATING_SYSTEM",
    "LIB_RM_VERSION_MISMATCH",
    "IN_USE",
    "MEMORY",
    "NO_DATA",
    "VGPU_ECC_NOT_SUPPORTED",
    "INSUFFICIENT_RESOURCES",
    "FREQ_NOT_SUPPORTED",
    "ARGUMENT_VERSION_MISMATCH",
    "DEPRECATED",
    "NOT_READY",
    "GPU_NOT_FOUND",
    "INVALID_STATE",
    "RESET_TYPE_NOT_SUPPORTED",
];
