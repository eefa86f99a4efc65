//! What the kernel refused: which call, which error by name, and what stands behind it.

use std::{fmt, io};

use serde_json::{Value, json};

/// Holds one refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The system call.
    pub(super) call: &'static str,
    /// Number of the error.
    pub(super) errno: i32,
    /// The limit, capability or setting that refused, where it is known.
    pub(super) why: String,
}

/// Names of the errors that refusals carry. *Source*: errno(3), Linux numbers.
const NAMES: &[(i32, &str)] = &[
    (libc::EPERM, "EPERM"),
    (libc::ENOENT, "ENOENT"),
    (libc::EINTR, "EINTR"),
    (libc::EIO, "EIO"),
    (libc::EAGAIN, "EAGAIN"),
    (libc::ENOMEM, "ENOMEM"),
    (libc::EACCES, "EACCES"),
    (libc::EFAULT, "EFAULT"),
    (libc::EBUSY, "EBUSY"),
    (libc::EEXIST, "EEXIST"),
    (libc::ENODEV, "ENODEV"),
    (libc::EINVAL, "EINVAL"),
    (libc::EMFILE, "EMFILE"),
    (libc::ENOSPC, "ENOSPC"),
    (libc::EROFS, "EROFS"),
    (libc::ENOSYS, "ENOSYS"),
    (libc::ESRCH, "ESRCH"),
    (libc::EAFNOSUPPORT, "EAFNOSUPPORT"),
    (libc::EOPNOTSUPP, "EOPNOTSUPP"),
    (libc::ENETDOWN, "ENETDOWN"),
    (libc::ENOBUFS, "ENOBUFS"),
    (libc::EPFNOSUPPORT, "EPFNOSUPPORT"),
    (libc::EPROTONOSUPPORT, "EPROTONOSUPPORT"),
];

/// Returns the name of an error, such as `EPERM`; the number where it has none here.
pub(super) fn name(errno: i32) -> String {
    let known = NAMES.iter().find(|(number, _)| *number == errno);
    known.map_or_else(|| errno.to_string(), |(_, name)| (*name).to_owned())
}

impl Refusal {
    /// Takes the error of the call that has just failed.
    pub(super) fn last(call: &'static str, why: impl Into<String>) -> Self {
        let errno = io::Error::last_os_error().raw_os_error().unwrap_or_default();
        Self { call, errno, why: why.into() }
    }

    /// Holds an error of which the number is already known.
    pub(super) fn of(call: &'static str, errno: i32, why: impl Into<String>) -> Self {
        Self { call, errno, why: why.into() }
    }

    /// Returns it as a part of a document.
    pub(super) fn to_json(&self) -> Value {
        let message = io::Error::from_raw_os_error(self.errno).to_string();
        // The name stands beside it, so the number says nothing more.
        let message = message.split(" (os error").next().unwrap_or_default();
        json!({
            "refused": {
                "call": self.call,
                "errno": name(self.errno),
                "message": message,
                "why": self.why,
            }
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.call, name(self.errno), self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_call_error_and_reason() {
        let refusal = Refusal { call: "mlock", errno: libc::ENOMEM, why: "RLIMIT_MEMLOCK".into() };
        let json = refusal.to_json();
        assert_eq!(json["refused"]["call"], "mlock");
        assert_eq!(json["refused"]["errno"], "ENOMEM");
        assert_eq!(json["refused"]["why"], "RLIMIT_MEMLOCK");
        assert_eq!(refusal.to_string(), "mlock: ENOMEM: RLIMIT_MEMLOCK");
        assert_eq!(name(9999), "9999");
    }
}
