//! The devices that the driver shows, what each says of itself, and how a pair can reach each other.

use std::ffi::{CStr, c_char, c_int};

use serde_json::{Value, json};

use super::library::{Driver, Trouble};

/// Number of an attribute of a device. *Source*: `cuda.h`, `CUdevice_attribute`.
pub(super) mod attribute {
    pub(in super::super) const PROCESSORS: i32 = 16;
    pub(in super::super) const PCI_BUS: i32 = 33;
    pub(in super::super) const PCI_DEVICE: i32 = 34;
    pub(in super::super) const MEMORY_CLOCK_KHZ: i32 = 36;
    pub(in super::super) const MEMORY_BUS_BITS: i32 = 37;
    pub(in super::super) const L2_BYTES: i32 = 38;
    pub(in super::super) const COPY_ENGINES: i32 = 40;
    pub(in super::super) const PCI_DOMAIN: i32 = 50;
    pub(in super::super) const MAJOR: i32 = 75;
    pub(in super::super) const MINOR: i32 = 76;
}

/// What one device can do with another. *Source*: `cuda.h`, `CUdevice_P2PAttribute`.
const PEER_ATTRIBUTES: [(&str, i32); 4] =
    [("performance-rank", 1), ("access-supported", 2), ("native-atomics", 3), ("array-access", 4)];

/// Holds one device by its place in the driver's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Device(pub(super) c_int);

/// Lists the devices.
///
/// *Errors*: the driver counts none or does not answer.
pub(super) fn all(driver: &Driver) -> Result<Vec<Device>, Trouble> {
    let mut count = 0;
    driver.call("cuDeviceGetCount", &driver.functions.device_count, |count_of| {
        // SAFETY: `count` is a valid place.
        unsafe { count_of(&raw mut count) }
    })?;
    let device = |index| {
        let mut device = 0;
        driver.call("cuDeviceGet", &driver.functions.device, |get| {
            // SAFETY: `device` is a valid place.
            unsafe { get(&raw mut device, index) }
        })?;
        Ok(Device(device))
    };
    (0..count).map(device).collect()
}

/// Returns the version that the driver can run, such as 12080.
pub(super) fn driver_version(driver: &Driver) -> Result<c_int, Trouble> {
    let mut version = 0;
    driver.call("cuDriverGetVersion", &driver.functions.driver_version, |get| {
        // SAFETY: `version` is a valid place.
        unsafe { get(&raw mut version) }
    })?;
    Ok(version)
}

impl Device {
    /// Returns an attribute.
    pub(super) fn attribute(self, driver: &Driver, number: c_int) -> Result<c_int, Trouble> {
        let mut value = 0;
        driver.call("cuDeviceGetAttribute", &driver.functions.device_attribute, |get| {
            // SAFETY: `value` is a valid place.
            unsafe { get(&raw mut value, number, self.0) }
        })?;
        Ok(value)
    }

    /// Returns an attribute that counts something, where the device has it.
    pub(super) fn amount(self, driver: &Driver, number: c_int) -> Option<u64> {
        let value = self.attribute(driver, number).ok()?;
        u64::try_from(value).ok().filter(|value| *value > 0)
    }

    /// Returns what the memory can carry at most, where the device says its clock and width.
    ///
    /// *Units*: GB/s. *Source*: clock x 2 transfers x width, as in the driver's samples.
    pub(super) fn memory_limit_gb_per_s(self, driver: &Driver) -> Option<f64> {
        let clock_khz = self.attribute(driver, attribute::MEMORY_CLOCK_KHZ).ok()?;
        let width_bits = self.attribute(driver, attribute::MEMORY_BUS_BITS).ok()?;
        let limit = f64::from(clock_khz) * 1e3 * 2.0 * f64::from(width_bits) / 8.0 / 1e9;
        (limit > 0.0).then_some(limit)
    }

    fn name(self, driver: &Driver) -> Result<String, Trouble> {
        let mut name: [c_char; 256] = [0; 256];
        driver.call("cuDeviceGetName", &driver.functions.device_name, |get| {
            // SAFETY: `name` has room for 255 characters and the NUL.
            unsafe { get(name.as_mut_ptr(), 255, self.0) }
        })?;
        // SAFETY: the last byte was zero before the call, which writes at most the 255 before it.
        Ok(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
    }

    /// Returns the identity in the form that NVML has.
    fn uuid(self, driver: &Driver) -> Result<String, Trouble> {
        let mut bytes = [0_u8; 16];
        driver.call("cuDeviceGetUuid_v2", &driver.functions.device_uuid, |get| {
            // SAFETY: `bytes` is a valid place of 16 bytes.
            unsafe { get(&raw mut bytes, self.0) }
        })?;
        let hex = |part: &[u8]| -> String {
            part.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
        };
        let parts = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(hex);
        Ok(format!("GPU-{}", parts.join("-")))
    }

    fn memory_bytes(self, driver: &Driver) -> Result<usize, Trouble> {
        let mut bytes = 0;
        driver.call("cuDeviceTotalMem_v2", &driver.functions.device_memory, |get| {
            // SAFETY: `bytes` is a valid place.
            unsafe { get(&raw mut bytes, self.0) }
        })?;
        Ok(bytes)
    }

    fn pci(self, driver: &Driver) -> Result<String, Trouble> {
        let domain = self.attribute(driver, attribute::PCI_DOMAIN)?;
        let bus = self.attribute(driver, attribute::PCI_BUS)?;
        let device = self.attribute(driver, attribute::PCI_DEVICE)?;
        Ok(format!("{domain:08x}:{bus:02x}:{device:02x}.0"))
    }

    fn capability(self, driver: &Driver) -> Result<String, Trouble> {
        let major = self.attribute(driver, attribute::MAJOR)?;
        Ok(format!("{major}.{}", self.attribute(driver, attribute::MINOR)?))
    }

    /// Says what the device is; each field is its value or the trouble that it made.
    pub(super) fn described(self, driver: &Driver) -> Value {
        json!({
            "index": self.0,
            "name": said(self.name(driver)),
            "uuid": said(self.uuid(driver)),
            "pci": said(self.pci(driver)),
            "compute-capability": said(self.capability(driver)),
            "memory-bytes": said(self.memory_bytes(driver)),
            "l2-bytes": said(self.attribute(driver, attribute::L2_BYTES)),
            "processors": said(self.attribute(driver, attribute::PROCESSORS)),
            "copy-engines": said(self.attribute(driver, attribute::COPY_ENGINES)),
            "memory-clock-khz": said(self.attribute(driver, attribute::MEMORY_CLOCK_KHZ)),
            "memory-bus-bits": said(self.attribute(driver, attribute::MEMORY_BUS_BITS)),
            "memory-limit-gb-per-s": self.memory_limit_gb_per_s(driver),
        })
    }

    /// Tells whether this device may read the memory of another.
    pub(super) fn reaches(self, driver: &Driver, other: Self) -> Result<bool, Trouble> {
        let mut can = 0;
        driver.call("cuDeviceCanAccessPeer", &driver.functions.can_access_peer, |ask| {
            // SAFETY: `can` is a valid place.
            unsafe { ask(&raw mut can, self.0, other.0) }
        })?;
        Ok(can != 0)
    }

    /// Says what the driver grants between this device and another.
    pub(super) fn granted(self, driver: &Driver, other: Self) -> Value {
        let granted = PEER_ATTRIBUTES.iter().map(|(name, number)| {
            let mut value = 0;
            let asked =
                driver.call("cuDeviceGetP2PAttribute", &driver.functions.p2p_attribute, |ask| {
                    // SAFETY: `value` is a valid place.
                    unsafe { ask(&raw mut value, *number, self.0, other.0) }
                });
            ((*name).to_owned(), said(asked.map(|()| value)))
        });
        Value::Object(granted.collect())
    }
}

/// Writes a digit of a number to the base 16.
fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('?')
}

/// Writes a value, or the trouble that it made as `{ "trouble": ... }`.
pub(super) fn said<T: Into<Value>>(answer: Result<T, Trouble>) -> Value {
    match answer {
        Ok(value) => value.into(),
        Err(trouble) => json!({ "trouble": trouble.to_json() }),
    }
}
