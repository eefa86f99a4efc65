//! What the driver lends for a measurement: a context, memory, streams, events. All of it is given
//! back when it is dropped, in the order in which it was taken.
//!
//! The driver's calls act on the context of the calling thread, so everything here makes its own
//! context current before it asks. Errors of giving back are not said: the process ends soon.

use std::{
    ffi::c_void,
    ptr::{self, NonNull},
    slice,
};

use super::{
    device::Device,
    library::{Address, Driver, Handle, Trouble},
};

/// Makes pinned memory known to every device. *Source*: `cuda.h`, `CU_MEMHOSTALLOC_PORTABLE`.
const PORTABLE: u32 = 1;
/// Keeps a stream apart from the default one. *Source*: `cuda.h`, `CU_STREAM_NON_BLOCKING`.
const APART: u32 = 1;

/// Holds a device for a while.
pub(super) struct Context<'d> {
    pub(super) driver: &'d Driver,
    pub(super) device: Device,
    pub(super) handle: Handle,
}

impl<'d> Context<'d> {
    /// Takes the primary context of a device, which every library in this process shares.
    pub(super) fn take(driver: &'d Driver, device: Device) -> Result<Self, Trouble> {
        let mut handle: Handle = ptr::null_mut();
        driver.call("cuDevicePrimaryCtxRetain", &driver.functions.context_retain, |retain| {
            // SAFETY: `handle` is a valid place.
            unsafe { retain(&raw mut handle, device.0) }
        })?;
        let context = Self { driver, device, handle };
        context.enter()?;
        Ok(context)
    }

    /// Makes it current for the calling thread.
    pub(super) fn enter(&self) -> Result<(), Trouble> {
        self.driver.call("cuCtxSetCurrent", &self.driver.functions.context_set, |set| {
            // SAFETY: the handle is retained as long as this lives.
            unsafe { set(self.handle) }
        })
    }

    /// Lets kernels of this device reach the memory of another; granted already is as good.
    pub(super) fn reach(&self, other: &Self) -> Result<(), Trouble> {
        /// *Source*: `cuda.h`, `CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED`.
        const ALREADY: i32 = 704;
        self.enter()?;
        let enable = &self.driver.functions.peer_enable;
        let enabled = self.driver.call("cuCtxEnablePeerAccess", enable, |enable| {
            // SAFETY: the other handle is retained as long as `other` lives.
            unsafe { enable(other.handle, 0) }
        });
        enabled.or_else(|trouble| if trouble.code == ALREADY { Ok(()) } else { Err(trouble) })
    }

    /// Returns how much memory of the device is free. *Units*: B.
    pub(super) fn free_bytes(&self) -> Result<usize, Trouble> {
        self.enter()?;
        let (mut free, mut total) = (0, 0);
        let ask = &self.driver.functions.memory_free_and_total;
        self.driver.call("cuMemGetInfo_v2", ask, |ask| {
            // SAFETY: both are valid places.
            unsafe { ask(&raw mut free, &raw mut total) }
        })?;
        Ok(free)
    }
}

impl Drop for Context<'_> {
    fn drop(&mut self) {
        let release = &self.driver.functions.context_release;
        let _ = self.driver.call("cuDevicePrimaryCtxRelease_v2", release, |release| {
            // SAFETY: it was retained once by `take`, and nothing uses it any more.
            unsafe { release(self.device.0) }
        });
    }
}

/// Holds memory of a device.
pub(super) struct Memory<'c> {
    context: &'c Context<'c>,
    pub(super) at: Address,
    pub(super) bytes: usize,
}

impl<'c> Memory<'c> {
    pub(super) fn take(context: &'c Context<'c>, bytes: usize) -> Result<Self, Trouble> {
        context.enter()?;
        let mut at = 0;
        let allocate = &context.driver.functions.allocate;
        context.driver.call("cuMemAlloc_v2", allocate, |allocate| {
            // SAFETY: `at` is a valid place.
            unsafe { allocate(&raw mut at, bytes) }
        })?;
        Ok(Self { context, at, bytes })
    }

    /// Returns how many words of 4 B it holds.
    pub(super) fn words(&self) -> u64 {
        self.bytes as u64 / 4
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        if self.context.enter().is_ok() {
            let free = &self.context.driver.functions.free;
            let _ = self.context.driver.call("cuMemFree_v2", free, |free| {
                // SAFETY: it was allocated once by `take`, and every stream that used it has ended.
                unsafe { free(self.at) }
            });
        }
    }
}

/// Holds memory of the host that stays in its place and that devices reach.
pub(super) struct Pinned<'d> {
    driver: &'d Driver,
    at: NonNull<u32>,
    words: usize,
}

impl<'d> Pinned<'d> {
    pub(super) fn take(context: &Context<'d>, words: usize) -> Result<Self, Trouble> {
        context.enter()?;
        let mut at: Handle = ptr::null_mut();
        let allocate = &context.driver.functions.host_allocate;
        context.driver.call("cuMemHostAlloc", allocate, |allocate| {
            // SAFETY: `at` is a valid place.
            unsafe { allocate(&raw mut at, words * 4, PORTABLE) }
        })?;
        let null = || Trouble::unmade("cuMemHostAlloc", "it gave no address");
        let at = NonNull::new(at.cast::<u32>()).ok_or_else(null)?;
        // SAFETY: the driver gave room for so many words, which are zero from here on.
        unsafe { ptr::write_bytes(at.as_ptr(), 0, words) };
        Ok(Self { driver: context.driver, at, words })
    }

    pub(super) fn words(&self) -> &[u32] {
        // SAFETY: written by `take`; the caller has waited for copies to it.
        unsafe { slice::from_raw_parts(self.at.as_ptr(), self.words) }
    }

    pub(super) fn words_mut(&mut self) -> &mut [u32] {
        // SAFETY: as above, and `self` is borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.at.as_ptr(), self.words) }
    }

    /// Returns its address, which is the same for host and devices.
    pub(super) fn address(&self) -> Address {
        self.at.as_ptr() as Address
    }

    /// Sets the first word, which a device may be reading.
    pub(super) fn signal(&self, word: u32) {
        // SAFETY: the place is valid; volatile, since a device looks at it meanwhile.
        unsafe { self.at.as_ptr().write_volatile(word) };
    }

    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.at.as_ptr().cast()
    }
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        let free = &self.driver.functions.host_free;
        let _ = self.driver.call("cuMemFreeHost", free, |free| {
            // SAFETY: it was allocated once by `take`, and every stream that used it has ended.
            unsafe { free(self.at.as_ptr().cast()) }
        });
    }
}

/// Holds an ordered queue of work of one device.
pub(super) struct Stream<'c> {
    pub(super) context: &'c Context<'c>,
    pub(super) handle: Handle,
}

impl<'c> Stream<'c> {
    pub(super) fn take(context: &'c Context<'c>) -> Result<Self, Trouble> {
        context.enter()?;
        let mut handle: Handle = ptr::null_mut();
        let create = &context.driver.functions.stream_create;
        context.driver.call("cuStreamCreate", create, |create| {
            // SAFETY: `handle` is a valid place.
            unsafe { create(&raw mut handle, APART) }
        })?;
        Ok(Self { context, handle })
    }

    /// Waits until all of it is done.
    pub(super) fn finish(&self) -> Result<(), Trouble> {
        self.context.enter()?;
        let synchronize = &self.context.driver.functions.stream_synchronize;
        self.context.driver.call("cuStreamSynchronize", synchronize, |synchronize| {
            // SAFETY: the stream lives.
            unsafe { synchronize(self.handle) }
        })
    }

    /// Lets what is enqueued from now on wait for an event, of another stream.
    pub(super) fn wait_for(&self, event: &Event<'_>) -> Result<(), Trouble> {
        self.context.enter()?;
        let wait = &self.context.driver.functions.stream_wait;
        self.context.driver.call("cuStreamWaitEvent", wait, |wait| {
            // SAFETY: both live.
            unsafe { wait(self.handle, event.handle, 0) }
        })
    }

    pub(super) fn copy_to_device(&self, to: &Memory<'_>, from: &Pinned<'_>) -> Result<(), Trouble> {
        self.copy_in(to, from.as_ptr(), from.words * 4)
    }

    /// Copies from memory of the host that may be pageable; the caller keeps it until `finish`.
    pub(super) fn copy_in(
        &self,
        to: &Memory<'_>,
        from: *const c_void,
        bytes: usize,
    ) -> Result<(), Trouble> {
        self.context.enter()?;
        let copy = &self.context.driver.functions.copy_to_device;
        let bytes = bytes.min(to.bytes);
        self.context.driver.call("cuMemcpyHtoDAsync_v2", copy, |copy| {
            // SAFETY: both sides hold so many bytes and outlive the copy.
            unsafe { copy(to.at, from, bytes, self.handle) }
        })
    }

    pub(super) fn copy_from_device(
        &self,
        to: &mut Pinned<'_>,
        from: &Memory<'_>,
    ) -> Result<(), Trouble> {
        self.copy_out(to.as_ptr(), to.words * 4, from)
    }

    /// Copies to memory of the host that may be pageable; the caller keeps it until `finish`.
    pub(super) fn copy_out(
        &self,
        to: *mut c_void,
        bytes: usize,
        from: &Memory<'_>,
    ) -> Result<(), Trouble> {
        self.context.enter()?;
        let copy = &self.context.driver.functions.copy_from_device;
        let bytes = bytes.min(from.bytes);
        self.context.driver.call("cuMemcpyDtoHAsync_v2", copy, |copy| {
            // SAFETY: both sides hold so many bytes and outlive the copy.
            unsafe { copy(to, from.at, bytes, self.handle) }
        })
    }

    /// Copies one word.
    pub(super) fn copy_word(&self, to: &mut Pinned<'_>, from: Address) -> Result<(), Trouble> {
        self.context.enter()?;
        let copy = &self.context.driver.functions.copy_from_device;
        self.context.driver.call("cuMemcpyDtoHAsync_v2", copy, |copy| {
            // SAFETY: both sides hold a word and outlive the copy.
            unsafe { copy(to.as_ptr(), from, 4, self.handle) }
        })
    }

    pub(super) fn copy_on_device(&self, to: &Memory<'_>, from: &Memory<'_>) -> Result<(), Trouble> {
        self.context.enter()?;
        let copy = &self.context.driver.functions.copy_on_device;
        self.context.driver.call("cuMemcpyDtoDAsync_v2", copy, |copy| {
            // SAFETY: both hold so many bytes and outlive the copy.
            unsafe { copy(to.at, from.at, from.bytes.min(to.bytes), self.handle) }
        })
    }

    /// Copies to the memory of another device; staged through the host where access is not granted.
    pub(super) fn copy_to_peer(&self, to: &Memory<'_>, from: &Memory<'_>) -> Result<(), Trouble> {
        self.context.enter()?;
        let copy = &self.context.driver.functions.copy_to_peer;
        let (there, here) = (to.context.handle, from.context.handle);
        self.context.driver.call("cuMemcpyPeerAsync", copy, |copy| {
            // SAFETY: both hold so many bytes, with their contexts, and outlive the copy.
            unsafe { copy(to.at, there, from.at, here, from.bytes.min(to.bytes), self.handle) }
        })
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        if self.finish().is_ok() {
            let destroy = &self.context.driver.functions.stream_destroy;
            let _ = self.context.driver.call("cuStreamDestroy_v2", destroy, |destroy| {
                // SAFETY: it was created once by `take`.
                unsafe { destroy(self.handle) }
            });
        }
    }
}

/// Holds a place in a stream whose time is kept.
pub(super) struct Event<'c> {
    context: &'c Context<'c>,
    handle: Handle,
}

impl<'c> Event<'c> {
    pub(super) fn take(context: &'c Context<'c>) -> Result<Self, Trouble> {
        context.enter()?;
        let mut handle: Handle = ptr::null_mut();
        let create = &context.driver.functions.event_create;
        context.driver.call("cuEventCreate", create, |create| {
            // SAFETY: `handle` is a valid place.
            unsafe { create(&raw mut handle, 0) }
        })?;
        Ok(Self { context, handle })
    }

    /// Marks the place behind what is enqueued so far.
    pub(super) fn record(&self, stream: &Stream<'_>) -> Result<(), Trouble> {
        self.context.enter()?;
        let record = &self.context.driver.functions.event_record;
        self.context.driver.call("cuEventRecord", record, |record| {
            // SAFETY: both live.
            unsafe { record(self.handle, stream.handle) }
        })
    }

    /// Returns the time since an earlier event; both are done. *Units*: s.
    pub(super) fn seconds_since(&self, earlier: &Self) -> Result<f64, Trouble> {
        self.context.enter()?;
        let mut elapsed_ms = 0.0_f32;
        let elapsed = &self.context.driver.functions.event_elapsed;
        self.context.driver.call("cuEventElapsedTime", elapsed, |elapsed| {
            // SAFETY: `elapsed_ms` is a valid place, both events live.
            unsafe { elapsed(&raw mut elapsed_ms, earlier.handle, self.handle) }
        })?;
        if elapsed_ms.is_finite() && elapsed_ms > 0.0 {
            return Ok(f64::from(elapsed_ms) / 1e3);
        }
        Err(Trouble::unmade("cuEventElapsedTime", format!("it says {elapsed_ms} ms")))
    }
}

impl Drop for Event<'_> {
    fn drop(&mut self) {
        if self.context.enter().is_ok() {
            let destroy = &self.context.driver.functions.event_destroy;
            let _ = self.context.driver.call("cuEventDestroy_v2", destroy, |destroy| {
                // SAFETY: it was created once by `take`.
                unsafe { destroy(self.handle) }
            });
        }
    }
}
