//! Whether a program can be fenced in: a seccomp filter really installed and obeyed, and which
//! version of Landlock the kernel has.
//!
//! A filter cannot be taken back, so a child installs it, asks for what it forbids and ends.
//! Control groups and modules are files and are read elsewhere.

use std::{io, ptr};

use serde_json::{Value, json};

use super::{
    Instrument, Refusal,
    child::{self, Ending},
    kernel_file, refusal,
};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "sandbox",
    summary: "Installs a seccomp filter in a child, tries it, and asks for Landlock.",
    arguments: "",
    run: |_| Ok(run()),
};

/// What a system call says of itself to a filter; its number stands at the start.
/// *Source*: `linux/seccomp.h`, `seccomp_data`.
const NUMBER_AT: u32 = 0;
/// *Source*: `linux/landlock.h`, `LANDLOCK_CREATE_RULESET_VERSION`.
const ASK_VERSION: libc::c_uint = 1;

fn run() -> Value {
    let seccomp = match child::run(|| filtered().unwrap_or_else(|refusal| refusal.to_json())) {
        Ok(Ending::Answer(said)) => said,
        Ok(Ending::Killed(signal)) => {
            json!({ "broken": format!("signal {signal} killed the child under the filter") })
        }
        Ok(Ending::Silent(how)) => json!({ "broken": how }),
        Err(refusal) => refusal.to_json(),
    };
    json!({
        "seccomp": seccomp,
        "landlock": landlock().unwrap_or_else(|refusal| refusal.to_json()),
    })
}

/// Forbids itself `getppid`, asks for it and tells what came back.
fn filtered() -> Result<Value, Refusal> {
    // SAFETY: takes numbers only; ends with this child.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(Refusal::last("prctl PR_SET_NO_NEW_PRIVS", "a seccomp filter"));
    }
    let forbidden = u32::try_from(libc::SYS_getppid).unwrap_or_default();
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs();
    let line = |code: u32, jf: u8, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt: 0,
        jf,
        k,
    };
    let mut lines = [
        line(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, NUMBER_AT),
        line(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, forbidden),
        line(libc::BPF_RET | libc::BPF_K, 0, refuse),
        line(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let length = u16::try_from(lines.len()).unwrap_or_default();
    let program = libc::sock_fprog { len: length, filter: lines.as_mut_ptr() };
    let mode = libc::SECCOMP_SET_MODE_FILTER;
    // SAFETY: `program` and its lines live through the call, which copies them.
    if unsafe { libc::syscall(libc::SYS_seccomp, mode, 0, &raw const program) } != 0 {
        let refusal = Refusal::last("seccomp", "");
        let why = why_no_filter(refusal.errno);
        return Err(Refusal { why: why.to_owned(), ..refusal });
    }
    // SAFETY: takes and gives numbers only.
    let answer = unsafe { libc::syscall(libc::SYS_getppid) };
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or_default();
    let refused = answer == -1;
    Ok(json!({
        "obeyed": refused && errno == libc::EPERM,
        "answer": if refused { refusal::name(errno) } else { "allowed".to_owned() },
        "mode": kernel_file::status("Seccomp"),
        "filters": kernel_file::status("Seccomp_filters"),
        "no-new-privs": kernel_file::status("NoNewPrivs"),
    }))
}

fn why_no_filter(errno: i32) -> &'static str {
    match errno {
        libc::EINVAL => "the kernel is built without SECCOMP_FILTER",
        libc::ENOSYS => "the kernel is built without SECCOMP or older than 3.17",
        libc::EACCES => "needs CAP_SYS_ADMIN or no_new_privs, which did not stay",
        libc::EPERM => "a seccomp filter that is already there, or a security module",
        _ => "seccomp(2)",
    }
}

/// Asks for the version of Landlock.
fn landlock() -> Result<Value, Refusal> {
    let none: *const libc::c_void = ptr::null();
    // SAFETY: with this flag the call reads nothing and makes nothing.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, ASK_VERSION) };
    if version < 0 {
        let refusal = Refusal::last("landlock_create_ruleset", "");
        let why = why_no_landlock(refusal.errno);
        return Err(Refusal { why: why.to_owned(), ..refusal });
    }
    Ok(json!({ "abi": version }))
}

fn why_no_landlock(errno: i32) -> &'static str {
    match errno {
        libc::ENOSYS => "the kernel is built without Landlock (SECURITY_LANDLOCK, from 5.13)",
        libc::EOPNOTSUPP => {
            "built in and left out at boot: add landlock to lsm= on the command line"
        }
        libc::EPERM => "a seccomp filter (containers have one)",
        _ => "landlock_create_ruleset(2)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_obeyed_in_the_child_alone_or_the_refusal_says_why() {
        let said = INSTRUMENT.tried("").unwrap();
        let obeyed = said["seccomp"]["obeyed"] == true && said["seccomp"]["mode"] == "2";
        assert!(obeyed != said["seccomp"]["refused"]["why"].is_string(), "{said}");
        // SAFETY: takes and gives numbers only.
        assert!(unsafe { libc::syscall(libc::SYS_getppid) } >= 0);
        let version = said["landlock"]["abi"].as_i64().is_some_and(|abi| abi > 0);
        assert!(version != said["landlock"]["refused"]["why"].is_string(), "{said}");
        assert!(INSTRUMENT.tried("-x").unwrap_err().contains("-x"));
    }

    #[test]
    fn what_is_missing_and_what_is_left_out_are_told_apart() {
        assert!(why_no_landlock(libc::ENOSYS).contains("built without"));
        assert!(why_no_landlock(libc::EOPNOTSUPP).contains("lsm="));
        assert!(why_no_filter(libc::EINVAL).contains("SECCOMP_FILTER"));
    }
}
