//! The driver's library, looked up by name at run time: every function is there or says why not.
//!
//! A binary that linked it would not start where there is no driver. A symbol that is missing is an
//! answer of that call alone, so that an old driver can be asked what it has. Layouts and numbers
//! are those of `cuda.h`; only what is called here is declared.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use libloading::Library;
use serde_json::{Value, json};

/// Says which call did not succeed, and what the driver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The call, as `cuda.h` names it.
    pub(super) call: &'static str,
    /// The driver's number; 0 where the call could not be made.
    pub(super) code: i32,
    /// The driver's name for it, or why the call could not be made.
    pub(super) name: String,
}

impl Trouble {
    /// Says why a call could not be made.
    pub(super) fn unmade(call: &'static str, why: impl Into<String>) -> Self {
        Self { call, code: 0, name: why.into() }
    }

    /// Writes it for the document.
    pub(super) fn to_json(&self) -> Value {
        json!({ "call": self.call, "code": self.code, "name": self.name })
    }
}

/// Points at something that the driver keeps.
pub(super) type Handle = *mut c_void;
/// Names memory of a device.
pub(super) type Address = u64;

macro_rules! functions {
    ($($field:ident $symbol:literal ($($argument:ty),*);)*) => {
        /// Holds every function that is called, or why it is not there.
        pub(super) struct Functions {
            $(pub(super) $field: Result<unsafe extern "C" fn($($argument),*) -> c_int, String>,)*
        }

        /// Names them, for what says which are missing.
        pub(super) const SYMBOLS: &[&str] = &[$($symbol),*];

        impl Functions {
            fn look_up(library: &'static Library) -> Self {
                Self { $($field: {
                    // SAFETY: the type is that of `cuda.h` for this symbol.
                    let found = unsafe { library.get($symbol.as_bytes()) };
                    found.map(|symbol| *symbol).map_err(|_| format!("the library has no `{}`", $symbol))
                },)* }
            }

            /// Names the functions that are missing.
            pub(super) fn missing(&self) -> Vec<&'static str> {
                let found = [$(self.$field.is_ok()),*];
                SYMBOLS.iter().zip(found).filter(|(_, found)| !found).map(|(name, _)| *name).collect()
            }
        }
    };
}

functions! {
    init "cuInit" (c_uint);
    driver_version "cuDriverGetVersion" (*mut c_int);
    error_name "cuGetErrorName" (c_int, *mut *const c_char);
    device_count "cuDeviceGetCount" (*mut c_int);
    device "cuDeviceGet" (*mut c_int, c_int);
    device_name "cuDeviceGetName" (*mut c_char, c_int, c_int);
    device_uuid "cuDeviceGetUuid_v2" (*mut [u8; 16], c_int);
    device_memory "cuDeviceTotalMem_v2" (*mut usize, c_int);
    device_attribute "cuDeviceGetAttribute" (*mut c_int, c_int, c_int);
    can_access_peer "cuDeviceCanAccessPeer" (*mut c_int, c_int, c_int);
    p2p_attribute "cuDeviceGetP2PAttribute" (*mut c_int, c_int, c_int, c_int);
    context_retain "cuDevicePrimaryCtxRetain" (*mut Handle, c_int);
    context_release "cuDevicePrimaryCtxRelease_v2" (c_int);
    context_set "cuCtxSetCurrent" (Handle);
    peer_enable "cuCtxEnablePeerAccess" (Handle, c_uint);
    memory_free_and_total "cuMemGetInfo_v2" (*mut usize, *mut usize);
    allocate "cuMemAlloc_v2" (*mut Address, usize);
    free "cuMemFree_v2" (Address);
    host_allocate "cuMemHostAlloc" (*mut Handle, usize, c_uint);
    host_free "cuMemFreeHost" (Handle);
    copy_to_device "cuMemcpyHtoDAsync_v2" (Address, *const c_void, usize, Handle);
    copy_from_device "cuMemcpyDtoHAsync_v2" (*mut c_void, Address, usize, Handle);
    copy_on_device "cuMemcpyDtoDAsync_v2" (Address, Address, usize, Handle);
    copy_to_peer "cuMemcpyPeerAsync" (Address, Handle, Address, Handle, usize, Handle);
    stream_create "cuStreamCreate" (*mut Handle, c_uint);
    stream_synchronize "cuStreamSynchronize" (Handle);
    stream_wait "cuStreamWaitEvent" (Handle, Handle, c_uint);
    stream_destroy "cuStreamDestroy_v2" (Handle);
    event_create "cuEventCreate" (*mut Handle, c_uint);
    event_record "cuEventRecord" (Handle, Handle);
    event_elapsed "cuEventElapsedTime" (*mut f32, Handle, Handle);
    event_destroy "cuEventDestroy_v2" (Handle);
    module_load "cuModuleLoadData" (*mut Handle, *const c_void);
    module_unload "cuModuleUnload" (Handle);
    module_function "cuModuleGetFunction" (*mut Handle, Handle, *const c_char);
    launch "cuLaunchKernel" (
        Handle, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Handle, *mut *mut c_void,
        *mut *mut c_void
    );
}

/// Holds the opened library; it stays open until the process ends, as its threads do.
pub(super) struct Driver {
    pub(super) functions: Functions,
    /// The scenario, where a stand-in answers and not a driver.
    pub(super) simulated: Option<String>,
}

impl Driver {
    /// Opens the library.
    ///
    /// *Errors*: there is no library, or it is none.
    pub(super) fn open(path: &str) -> Result<Self, Trouble> {
        // SAFETY: opening runs the library's initialisers; it is the driver's own library, or what
        // the caller of the instrument names.
        let library = unsafe { Library::new(path) };
        let library = library.map_err(|error| Trouble::unmade("dlopen", error.to_string()))?;
        let library: &'static Library = Box::leak(Box::new(library));
        Ok(Self { functions: Functions::look_up(library), simulated: simulated(library) })
    }

    /// Initialises the driver.
    ///
    /// *Errors*: it does not answer, or with an error.
    pub(super) fn start(&self) -> Result<(), Trouble> {
        self.call("cuInit", &self.functions.init, |init| {
            // SAFETY: passes no memory.
            unsafe { init(0) }
        })
    }

    /// Calls a function that may be missing and makes an error of every answer but success.
    ///
    /// *Errors*: the function is missing, or the driver answers with an error.
    pub(super) fn call<F: Copy>(
        &self,
        name: &'static str,
        function: &Result<F, String>,
        make: impl FnOnce(F) -> c_int,
    ) -> Result<(), Trouble> {
        let function = *function.as_ref().map_err(|why| Trouble::unmade(name, why.clone()))?;
        match make(function) {
            0 => Ok(()),
            code => Err(Trouble { call: name, code, name: self.name_of(code) }),
        }
    }

    /// Returns the driver's name for a code.
    fn name_of(&self, code: c_int) -> String {
        let mut text: *const c_char = std::ptr::null();
        let Ok(error_name) = self.functions.error_name else { return "without a name".to_owned() };
        // SAFETY: `text` is a valid place for a pointer.
        let answer = unsafe { error_name(code, &raw mut text) };
        if answer != 0 || text.is_null() {
            return "unknown to this driver".to_owned();
        }
        // SAFETY: the driver returns a static text that ends with a NUL.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }
}

/// Asks a library for the function that only a stand-in has.
fn simulated(library: &'static Library) -> Option<String> {
    type Name = unsafe extern "C" fn(*mut c_char, c_uint) -> c_uint;
    // SAFETY: a stand-in exports the function with this type; a driver exports none of the name.
    let name = unsafe { library.get::<Name>(b"verify_simulated_name") }.ok()?;
    let mut text: [c_char; 256] = [0; 256];
    // SAFETY: `text` has room for 256 characters, the NUL among them.
    let answer = unsafe { name(text.as_mut_ptr(), 256) };
    // SAFETY: the array was zero, and its last place stays so or is the NUL.
    let text = unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy().into_owned();
    Some(if answer == 0 { text } else { "of unknown name".to_owned() })
}
