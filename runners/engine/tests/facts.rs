//! What is found out about a node, from captured answers.

use std::collections::BTreeSet;

use verify_engine::{
    capability::REMOTE,
    facts::{self, CAPABILITIES, UNKNOWN},
};
use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence, Failure, FailureKind, Stream},
    node::Facts,
};

type Files<'a> = &'a [(&'a str, &'a str)];

const WORKSTATION: Files<'static> = &[
    ("/proc/sys/kernel/hostname", "bench\n"),
    ("/proc/sys/kernel/osrelease", "6.8.0-60-lowlatency\n"),
    ("/etc/os-release", "ID=ubuntu\nPRETTY_NAME=\"Ubuntu 24.04.2 LTS\"\n"),
    (
        "/proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD Ryzen 9 5900X 12-Core Processor\n\
         microcode\t: 0xa20120a\nflags\t\t: fpu lm constant_tsc nonstop_tsc\n",
    ),
    ("/proc/self/status", "Name:\tverify\nUid:\t1000\t1000\t1000\t1000\n"),
    ("/proc/1/cgroup", "0::/init.scope\n"),
    ("/sys/class/dmi/id/sys_vendor", "ASUS\n"),
    ("/sys/class/dmi/id/product_name", "System Product Name\n"),
    ("/sys/class/dmi/id/board_name", "ROG STRIX B550-F GAMING\n"),
    ("/sys/class/dmi/id/bios_version", "3404\n"),
    ("/proc/cmdline", "ro quiet isolcpus=6,7\n"),
    ("/proc/meminfo", "MemTotal:       65757860 kB\n"),
    ("/sys/devices/system/node/online", "0\n"),
    ("/sys/devices/system/cpu/smt/active", "1\n"),
    (
        "/proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14\nGCC version:  gcc 13\n",
    ),
    ("/sys/bus/pci/devices/0000:2b:00.0/vendor", "0x10de\n"),
    ("/sys/bus/pci/devices/0000:2b:00.0/class", "0x030000\n"),
    ("/sys/bus/pci/devices/0000:2b:00.1/vendor", "0x10de\n"),
    ("/sys/bus/pci/devices/0000:2b:00.1/class", "0x040300\n"),
    ("/sys/fs/cgroup/cgroup.controllers", ""),
    ("/sys/devices/system/cpu/cpu0/cpufreq", ""),
    ("/sys/kernel/mm/hugepages/hugepages-1048576kB", ""),
    ("/sys/devices/system/cpu/nohz_full", ""),
    ("/run/systemd/system", ""),
    ("git", "/usr/bin/git"),
];

/// Answers an ask from a table; what is not in it does not exist.
fn answer(ask: &Ask, files: Files<'_>) -> Captured {
    let find = |name: &str| files.iter().find(|(path, _)| *path == name).map(|(_, text)| *text);
    let stream = |text: &str| Stream::whole(text.as_bytes());
    let found = match ask {
        Ask::ReadFile { path, .. } => find(path).map(|text| Captured::File(stream(text))),
        Ask::ReadFiles { pattern, .. } => {
            let (start, end) = pattern.split_once('*').unwrap_or_default();
            let named = files.iter().filter(|(p, _)| p.starts_with(start) && p.ends_with(end));
            Some(Captured::Files(
                named.map(|(path, text)| ((*path).to_owned(), Ok(stream(text)))).collect(),
            ))
        }
        Ask::Stat { path } => find(path).map(|_| Captured::Stat {
            kind: "file".to_owned(),
            mode: 0o644,
            uid: 0,
            size: 0,
        }),
        Ask::Which { tool } => find(tool).map(|path| Captured::Found(path.to_owned())),
        other => panic!("facts must not {other}"),
    };
    let gone = || Failure::new(FailureKind::NotFound, "No such file or directory");
    found.unwrap_or_else(|| Captured::Failed(gone()))
}

fn gather(answer: impl Fn(&Ask) -> Captured) -> Vec<Evidence> {
    let tools = BTreeSet::from(["git".to_owned(), "iperf3".to_owned()]);
    facts::asks(&tools)
        .into_iter()
        .map(|ask| Evidence {
            id: 0,
            node: "bench".to_owned(),
            at_ms: 0,
            elapsed_us: 0,
            captured: answer(&ask),
            ask,
        })
        .collect()
}

fn read(evidence: &[Evidence]) -> Facts {
    facts::read(&evidence.iter().collect::<Vec<_>>())
}

fn of(files: Files<'_>) -> Facts {
    read(&gather(|ask| answer(ask, files)))
}

/// Replaces or adds files of the workstation.
fn but(changes: Files<'_>) -> Vec<(&str, &str)> {
    let kept = WORKSTATION.iter().filter(|(path, _)| !changes.iter().any(|(new, _)| new == path));
    kept.chain(changes).copied().collect()
}

#[test]
fn a_workstation_is_recognised() {
    let facts = of(WORKSTATION);
    assert_eq!(facts.hostname, "bench");
    assert_eq!(facts.os, "Ubuntu 24.04.2 LTS");
    assert_eq!(facts.kernel, "6.8.0-60-lowlatency");
    assert_eq!(facts.arch, "x86_64", "derived, for Linux before 6.1 has no file that tells");
    assert_eq!(facts.cpu, "AMD Ryzen 9 5900X 12-Core Processor");
    assert_eq!((facts.virtualization.as_str(), facts.user.as_str()), ("", "uid 1000"));
    assert_eq!(facts.core["memory"], "63 GiB");
    assert_eq!(facts.core["microcode"], "0xa20120a");
    assert!(facts.core["nvidia-driver"].ends_with("550.54.14"));
    let has: Vec<&str> = facts.capabilities.iter().map(String::as_str).collect();
    assert_eq!(
        has,
        [
            "bare-metal",
            "cgroup-v2",
            "cpufreq",
            "hugepages-1g",
            "linux",
            "nohz-full",
            "nvidia-driver",
            "nvidia-gpu",
            "smt",
            "systemd",
            "tool:git",
            "x86-64"
        ]
    );
    assert_eq!(facts.missing["root"], "the user who asks has the uid 1000");
    assert_eq!(
        facts.missing["tool:iperf3"],
        "looked for the program iperf3 in PATH and the usual folders"
    );
}

#[test]
fn every_capability_is_either_there_or_missing_with_a_reason() {
    for facts in [of(WORKSTATION), of(&[])] {
        for (name, doc) in CAPABILITIES {
            let why = facts.missing.get(*name);
            // How a node is asked is no fact of it: the session knows.
            let known = facts.capabilities.contains(*name) || why.is_some();
            assert_eq!(known, *name != REMOTE, "{name}");
            assert!(!facts.capabilities.contains(*name) || why.is_none(), "{name}");
            assert!(why.is_none_or(|why| !why.contains("no one knows")), "{name}: {why:?}");
            assert!(doc.ends_with('.'), "{name}");
        }
    }
    assert!(CAPABILITIES.is_sorted_by_key(|(name, _)| *name));
}

#[test]
fn facts_do_not_depend_on_the_order_of_the_evidence() {
    let mut evidence = gather(|ask| answer(ask, WORKSTATION));
    let first = read(&evidence);
    evidence.reverse();
    assert_eq!(first, read(&evidence));
    evidence.clear();
    assert!(read(&evidence).capabilities.is_empty());
}

#[test]
fn a_virtual_machine_and_a_container_are_not_bare_metal() {
    let flagged = "processor\t: 0\nflags\t\t: lm hypervisor\n";
    let vm = of(&but(&[
        ("/proc/cpuinfo", flagged),
        ("/sys/class/dmi/id/sys_vendor", "QEMU\n"),
        ("/sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n"),
    ]));
    assert_eq!(vm.virtualization, "virtual machine (QEMU Standard PC (Q35 + ICH9, 2009))");
    assert_eq!(vm.missing["bare-metal"], format!("found {}", vm.virtualization));
    let boxed = of(&but(&[("/proc/cpuinfo", flagged), ("/.dockerenv", "")]));
    assert!(boxed.virtualization.starts_with("container (docker) in a virtual machine"));
    let grouped = of(&but(&[("/proc/1/cgroup", "0::/kubepods/pod1\n")]));
    assert_eq!(grouped.virtualization, "container (kubepods)");
}

#[test]
fn arm_is_recognised_without_flags() {
    let arm =
        "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\n";
    let facts = of(&but(&[
        ("/proc/cpuinfo", arm),
        ("/sys/class/dmi/id/sys_vendor", "QEMU\n"),
        ("/sys/class/dmi/id/product_name", "KVM Virtual Machine\n"),
    ]));
    assert_eq!((facts.arch.as_str(), facts.cpu.as_str()), ("aarch64", ""));
    assert!(facts.capabilities.contains("aarch64"));
    assert_eq!(facts.virtualization, "virtual machine (QEMU KVM Virtual Machine)");
}

#[test]
fn a_mac_is_recognised_by_its_own_files() {
    let version = "<plist><dict>\n<key>ProductName</key>\n<string>macOS</string>\n\
                   <key>ProductVersion</key>\n<string>15.5</string>\n</dict></plist>\n";
    let facts = of(&[
        ("/System/Library/CoreServices/SystemVersion.plist", version),
        (
            "/Library/Preferences/SystemConfiguration/preferences.plist",
            "<key>LocalHostName</key>\n\t<string>mini</string>",
        ),
    ]);
    assert_eq!((facts.os.as_str(), facts.hostname.as_str()), ("macOS 15.5", "mini"));
    assert!(facts.capabilities.contains("macos") && !facts.capabilities.contains("linux"));
    assert_eq!(facts.missing["root"], format!("{UNKNOWN}looked for /proc/self/status"));
}

/// Answers what a Mac is asked beyond its files; the values are from documents.
fn mac(virtual_machine: &str) -> Facts {
    let version = "<plist><dict>\n<key>ProductName</key>\n<string>macOS</string>\n\
                   <key>ProductVersion</key>\n<string>15.5</string>\n</dict></plist>\n";
    let files = [("/System/Library/CoreServices/SystemVersion.plist", version)];
    let mut evidence = gather(|ask| answer(ask, &files));
    let further = facts::further(&evidence.iter().collect::<Vec<_>>());
    for ask in further {
        let Ask::Exec { argv, .. } = &ask else { panic!("{ask}") };
        let text = match argv[0].as_str() {
            "id" => "501\n".to_owned(),
            _ => format!(
                "kern.osrelease: 24.5.0\nkern.hostname: mini.local\nhw.machine: arm64\nhw.model: Mac16,11\nmachdep.cpu.brand_string: Apple M4 Pro\nhw.memsize: 51539607552\nkern.bootsessionuuid: 00000000-0000-0000-0000-000000000001\nkern.osversion: 24F74\nkern.hv_vmm_present: {virtual_machine}\n"
            ),
        };
        let captured = Captured::Exec {
            exit: Some(0),
            signal: None,
            stdout: Stream::whole(text.as_bytes()),
            stderr: Stream::default(),
        };
        let node = "mini".to_owned();
        evidence.push(Evidence { id: 0, node, ask, at_ms: 0, elapsed_us: 0, captured });
    }
    read(&evidence)
}

#[test]
fn a_mac_tells_by_programs_what_it_has_no_files_for() {
    let facts = mac("0");
    assert_eq!((facts.os.as_str(), facts.hostname.as_str()), ("macOS 15.5", "mini.local"));
    assert_eq!((facts.kernel.as_str(), facts.arch.as_str()), ("24.5.0", "arm64"));
    assert_eq!((facts.cpu.as_str(), facts.user.as_str()), ("Apple M4 Pro", "uid 501"));
    assert!(facts.boot.ends_with("0001") && facts.virtualization.is_empty());
    let core = [("memory", "48 GiB"), ("os-build", "24F74"), ("system", "Apple Mac16,11")];
    let core = core.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(facts.core, std::collections::BTreeMap::from(core));
    let has: Vec<&str> = facts.capabilities.iter().map(String::as_str).collect();
    assert_eq!(has, ["aarch64", "bare-metal", "macos"]);
    let boxed = mac("1");
    assert_eq!(boxed.virtualization, "virtual machine");
    assert!(boxed.missing["bare-metal"].contains("found virtual machine"));
    let strange = mac("perhaps");
    assert!(strange.missing["bare-metal"].starts_with(UNKNOWN), "{:?}", strange.missing);
}

#[test]
fn no_program_is_started_on_what_is_no_mac() {
    let evidence = gather(|ask| answer(ask, WORKSTATION));
    assert_eq!(facts::further(&evidence.iter().collect::<Vec<_>>()), []);
}

#[test]
fn what_nobody_could_look_at_is_not_known_and_not_absent() {
    let denied = Failure::new(FailureKind::PermissionDenied, "Permission denied");
    let facts = read(&gather(|_| Captured::Failed(denied.clone())));
    assert!(facts.capabilities.is_empty());
    for (name, why) in &facts.missing {
        assert!(why.starts_with(UNKNOWN), "{name}: {why}");
        assert_eq!(why.matches(UNKNOWN).count(), 1, "{name}: {why}");
    }
}

#[test]
fn a_cut_answer_is_never_taken_for_the_whole() {
    let facts = read(&gather(|ask| match answer(ask, WORKSTATION) {
        Captured::File(stream) => Captured::File(Stream { truncated: 1, ..stream }),
        Captured::Files(files) => Captured::Files(
            files
                .into_iter()
                .map(|(path, text)| (path, text.map(|text| Stream { truncated: 1, ..text })))
                .collect(),
        ),
        other => other,
    }));
    assert_eq!(
        facts,
        Facts {
            capabilities: facts.capabilities.clone(),
            missing: facts.missing.clone(),
            ..Facts::default()
        }
    );
    for name in ["linux", "x86-64", "bare-metal", "nvidia-gpu", "nvidia-driver", "smt", "numa"] {
        assert!(facts.missing[name].starts_with(UNKNOWN), "{name}: {}", facts.missing[name]);
    }
}

#[test]
fn a_gpu_of_another_vendor_or_an_nvidia_sound_device_is_no_nvidia_gpu() {
    let other = of(&but(&[
        ("/sys/bus/pci/devices/0000:2b:00.0/vendor", "0x1002\n"),
        ("/proc/self/status", "Uid:\t1000\t0\t0\t0\n"),
    ]));
    assert!(other.missing["nvidia-gpu"].starts_with("looked for vendor 0x10de"));
    assert!(other.capabilities.contains("root"), "the effective uid counts");
    assert_eq!(other.user, "root");
}

#[test]
fn the_kernel_log_is_for_those_whom_the_kernel_lets_read_it() {
    let asked = |restrict, held, map, boxed: Files<'static>| {
        let mut changes = vec![
            ("/proc/sys/kernel/dmesg_restrict", restrict),
            ("/proc/self/status", held),
            ("/proc/self/uid_map", map),
        ];
        changes.extend(boxed);
        let facts = of(&but(&changes));
        facts.missing.get("kernel-log").cloned()
    };
    let (all, own) = ("         0          0 4294967295\n", "0 1000 1\n");
    let (root, user) = ("Uid:\t0\t0\nCapEff:\t000001ffffffffff\n", "CapEff:\t0000000000000000\n");
    let docker: Files<'_> = &[("/.dockerenv", "")];
    assert_eq!(asked("1\n", root, all, docker), None);
    assert_eq!(asked("0\n", user, all, &[]), None);
    let lacking = "kernel.dmesg_restrict is set, and the user lacks CAP_SYSLOG";
    assert_eq!(asked("1\n", user, all, &[]).as_deref(), Some(lacking));
    assert_eq!(asked("1\n", root, own, &[]).as_deref(), Some(lacking), "root of a user namespace");
    assert!(asked("0\n", user, all, docker).unwrap().contains("container (docker)"));
    assert!(asked("1\n", "Uid:\t0\n", all, &[]).unwrap().starts_with(UNKNOWN));
    assert_eq!(of(WORKSTATION).missing["kernel-log"], "looked for /proc/sys/kernel/dmesg_restrict");
}
