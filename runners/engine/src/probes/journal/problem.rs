//! Which lines of the kernel log tell of a problem, what each means and what to do. Data only.
//!
//! The first row that fits a line counts, so the narrower stands above the wider, and crashes stand
//! first: such a line begins with the program's name, which anybody can choose. Patterns follow
//! the kernel's own texts and the lines quoted in the design report; a healthy boot matches none but
//! notices. `critical` is broken or about to lose work, `error` failed once, `warning` was put
//! right by itself, `notice` is good to know and usual on some healthy machines. Numbers of Xid
//! are from NVIDIA's document "Xid Errors"; their meaning is put in our words.

/// Says how much a line weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Critical,
    Error,
    Warning,
    Notice,
}

/// Describes one kind of problem.
#[derive(Debug)]
pub(super) struct Row {
    pub kind: &'static str,
    pub weight: Weight,
    pub pattern: &'static str,
    pub meaning: &'static str,
    pub next: &'static str,
}

macro_rules! rows {
    ($($kind:literal $weight:ident $pattern:literal $meaning:literal $next:literal;)*) => {
        pub(super) static ROWS: &[Row] = &[$(Row {
            kind: $kind, weight: Weight::$weight, pattern: $pattern, meaning: $meaning, next: $next,
        },)*];
    };
}

rows! {
    "segfault" Notice r"segfault at [0-9a-f]+ ip |traps: .* (?:general protection|trap )"
        "a program crashed"
        "coredumpctl info, if it was one of yours; programs that crash at random mean bad memory";
    "gpu-lost" Critical r"NVRM: .*[Ff]allen off the bus"
        "a GPU no longer answers on PCIe"
        "check power and seating, take power limits down, then power the machine off and on";
    "xid" Error r"NVRM: Xid \((?:PCI:)?[0-9a-fA-F]{4,}:"
        "the NVIDIA driver reports an error of a GPU or of a program on it"
        "look the number up in NVIDIA's document \"Xid Errors\"; the field `xids` lists them";
    "nvidia-mismatch" Error r"NVRM: API mismatch"
        "kernel module and library of the NVIDIA driver have different versions"
        "reboot, or unload the old module with modprobe -r nvidia_uvm nvidia_drm nvidia_modeset nvidia";
    "nvidia-failure" Error r"NVRM: .*(?:RmInitAdapter failed|rm_init_adapter failed|probe routine (?:failed|was not called))"
        "the NVIDIA driver could not start a GPU"
        "read the lines around it; another driver may hold the card, or it needs power";
    "memory-uncorrected" Critical r"EDAC \S+: \d+ UE |Memory failure: 0x|[Uu]ncorrect(?:ed|able) (?:hardware )?memory error"
        "memory returned data that could not be corrected"
        "find the module by the label in the line (edac-util -v), test and replace it";
    "memory-corrected" Warning r"EDAC \S+: \d+ CE "
        "memory returned an error that was corrected"
        "watch whether the count grows (edac-util -v); a module that repeats it is replaced";
    "hardware-fatal" Critical r"\[Hardware Error\]:.*(?:[Uu]ncorrected|[Ff]atal)|Fatal machine check"
        "the processor or a device reports an error that was not corrected"
        "decode it with rasdaemon (ras-mc-ctl --errors); check cooling, voltage and overclocking";
    "hardware-corrected" Warning r"\[Hardware Error\]:.*(?:Corrected error|Machine check events logged|event severity: corrected)"
        "the processor or a device corrected an error"
        "watch whether it repeats (ras-mc-ctl --summary)";
    "hardware-error" Error r"\[Hardware Error\]|mce: .*Machine Check"
        "the processor or a device reports an error"
        "decode it with rasdaemon (ras-mc-ctl --errors)";
    "pcie-uncorrected" Error r"AER: (?:Multiple )?Uncorrect|PCIe Bus Error: severity=Uncorrect|AER: (?:device recovery failed|can't recover)"
        "a PCIe transfer failed and was not repeated with success"
        "reseat card and riser, lower the slot's generation in the firmware, update it";
    "pcie-corrected" Warning r"AER: (?:Multiple )?Correct(?:ed|able) |PCIe Bus Error: severity=Correct"
        "a PCIe transfer was repeated"
        "many of them mean a bad riser, slot or cable: reseat it and watch the count";
    "panic" Critical r"Kernel panic - not syncing|kernel BUG at |BUG: (?:unable to handle|kernel NULL pointer|Bad page|KASAN|KFENCE)|\bOops: "
        "the kernel broke off work because it found itself in a wrong state"
        "keep the whole trace, reboot, and look the function up in the changes of a newer kernel";
    "hard-lockup" Critical r"hard LOCKUP on cpu|BUG: workqueue lockup"
        "a cpu took no interrupts for seconds"
        "read the trace: firmware (SMI), a driver, or an unstable clock speed";
    "soft-lockup" Critical r"BUG: soft lockup"
        "a cpu ran kernel code for more than 20 s without a switch"
        "read the trace; in a virtual machine, look for an overloaded host";
    "rcu-stall" Error r"rcu_\w+ (?:self-)?detected (?:expedited )?stall"
        "a cpu did not pass a quiescent state for long: something holds it"
        "read the trace; a real-time task that never sleeps on a cpu without nohz_full does it, too";
    "hung-task" Error r"INFO: task .+ blocked for more than \d+ seconds"
        "a program waits in the kernel, mostly for storage or a network file system"
        "read the trace and look at the device that it waits for";
    "out-of-memory" Error r"[Oo]ut of memory(?: \([^)]*\))?: Kill"
        "the kernel killed a program to get memory back"
        "find what took the memory in the lines above, limit it or add memory";
    "allocation-failed" Warning r"page allocation failure: order:"
        "a part of the kernel got no memory"
        "high orders mean fragmentation: reserve huge pages at boot, raise vm.min_free_kbytes";
    "thermal-shutdown" Critical r"critical temperature reached"
        "a part became so hot that the machine was to be shut down"
        "clean and check the cooling before it is used again";
    "thermal-throttling" Warning r"temperature (?:is )?above threshold|cpu clock (?:is )?throttled"
        "the processor was slowed down because it was too hot"
        "check cooling and power limits; timings from that time do not count";
    "clock-unstable" Error r"Marking clocksource .* as unstable|Marking TSC unstable due to (?:clocksource|check_tsc|TSCs)|TSC warp|clocksource: .* excessive read-back delay"
        "the kernel no longer trusts the time-stamp counter"
        "update the firmware; timestamps cost a microsecond now (see cpu/clocksource)";
    "nvme" Error r"nvme nvme\d+: (?:I/O .*(?:timeout|aborting)|controller is down|Device not ready|Abort status|resetting controller|Removing after probe failure|Disabling device after reset)"
        "an NVMe drive did not answer in time or was reset"
        "smartctl -a on the drive; check its firmware and seating, and power saving (nvme_core.default_ps_max_latency_us=0)";
    "ata" Error r"\bata\d+(?:\.\d+)?: (?:exception Emask|failed command: |qc timeout|hard resetting link)"
        "a SATA drive or its link failed a command"
        "smartctl -a on the drive, exchange cable and port";
    "medium-missing" Notice r"I/O error,? (?:on )?dev (?:fd|sr)\d"
        "a floppy or optical drive could not read; without a medium, and in many virtual machines, that is usual"
        "take the drive out of the firmware's or the virtual machine's settings, if none is used";
    "disk-error" Error r"I/O error, dev |Buffer I/O error on dev|critical (?:medium|target) error, dev "
        "a drive could not read or write"
        "smartctl -a on the drive; save its data";
    "ext4" Error r"EXT4-fs error|EXT4-fs (?:warning )?\([^)]*\): (?:Remounting filesystem read-only|error count|initial error|last error|warning: mounting fs with errors)|Aborting journal on device"
        "an ext4 file system is damaged or was set read-only"
        "unmount it and run e2fsck -f; look for errors of the drive";
    "xfs" Error r"XFS \([^)]*\): (?:Corruption|Metadata (?:corruption|CRC error|I/O [Ee]rror)|Internal error|log I/O error|writeback error|.*[Ss]hutting down filesystem|[Ff]ilesystem has been shut down)"
        "an XFS file system is damaged or was shut down"
        "unmount it and run xfs_repair -n; look for errors of the drive";
    "btrfs" Error r"BTRFS:? (?:error|critical|emergency)|BTRFS:? warning .*csum failed"
        "a btrfs file system found damage"
        "btrfs device stats and btrfs scrub on the mount point; look for errors of the drive";
    "net-timeout" Error r"NETDEV WATCHDOG: "
        "a network card stopped sending"
        "update driver and firmware; exchange cable and port";
    "net-link-down" Notice r"NIC Link is Down|\b(?:eth|en|ib|wl)\w*(?: \([^)]*\))?: .*?[Ll]ink (?:is )?[Dd]own"
        "a network link went down; once at boot is usual"
        "if it repeats, exchange cable or transceiver and compare ethtool at both ends";
    "hugepages-failed" Warning r"HugeTLB: (?:allocating \d+ of page size .* failed|unsupported|hugepagesz=\S+ specified twice|[Ii]nvalid)"
        "huge pages that the kernel command line asks for are not there"
        "correct hugepagesz= and hugepages=, or ask for fewer";
    "isolation-refused" Error r"Housekeeping: (?:nohz_full= |must include )|rcu_nocbs= bad CPU range|isolcpus: (?:Skipped unknown|Invalid) flag|contains nonexistent CPUs"
        "the kernel did not isolate cpus as its command line asks"
        "correct isolcpus=, nohz_full= and rcu_nocbs=; one bad number voids a list";
    "unknown-parameter" Notice r"Unknown kernel command line parameters"
        "the kernel does not know words of its command line and hands them on"
        "look for a misspelt one among them";
    "panic-protection" Critical r"general protection fault"
        "the kernel used an address that cannot be"
        "keep the whole trace, reboot, and test the memory";
    "kernel-warning" Warning r"WARNING: CPU: \d+ PID: \d+ at "
        "a check in the kernel did not hold"
        "keep the trace; look the place up in the changes of a newer kernel";
    "lockdown" Notice r"Lockdown: .* is restricted"
        "secure boot's lockdown refused something to a program"
        "expected with secure boot; turn it off if raw access (msr, kexec) is needed";
    "firmware-bug" Notice r"\[Firmware (?:Bug|Warn)\]"
        "the firmware says something wrong that the kernel works around"
        "update the firmware when there is a chance";
}

const PROGRAM: &str = "look at the program that ran; if others show it as well, the card";
const RESET: &str =
    "reset the GPU when nothing uses it (nvidia-smi -r); if it comes again, replace it";
const REBOOT: &str = "reboot; if it comes again, update driver and VBIOS, then replace the card";
const SEAT: &str =
    "power off, reseat the card, its power cables and risers; then look at the supply";
const LINK: &str = "power off and reseat the bridge; nvidia-smi nvlink -e counts the errors";

/// What the numbers of Xid mean, and what to do. *Source*: NVIDIA, Xid Errors and its
/// catalogue; numbers that it calls unused and no older list explains are left out.
pub(super) static XIDS: &[(i64, &str, &str)] = &[
    (8, "the GPU stopped processing", PROGRAM),
    (11, "invalid or corrupted push buffer", PROGRAM),
    (13, "exception of the graphics engine, mostly by a program", PROGRAM),
    (25, "invalid or corrupted push buffer", PROGRAM),
    (31, "memory page fault, mostly by a program", PROGRAM),
    (32, "invalid or corrupted push buffer", PROGRAM),
    (37, "failure of the driver's firmware", REBOOT),
    (38, "failure of the driver's firmware", REBOOT),
    (39, "exception of a copy engine", PROGRAM),
    (40, "exception of a copy engine", PROGRAM),
    (41, "exception of a copy engine", PROGRAM),
    (43, "the GPU stopped processing a program", PROGRAM),
    (44, "fault of the graphics engine while it switched", PROGRAM),
    (45, "work was cleared away after an earlier error", PROGRAM),
    (46, "the GPU stopped processing", RESET),
    (48, "memory error that could not be corrected", RESET),
    (54, "auxiliary power is not connected", SEAT),
    (56, "error of the display engine", REBOOT),
    (57, "error while the memory interface was set up", REBOOT),
    (58, "the memory interface is unstable", REBOOT),
    (60, "exception of the security processor", PROGRAM),
    (61, "breakpoint of an internal controller", REBOOT),
    (62, "an internal controller halted", REBOOT),
    (63, "a bad memory row was recorded for remapping", RESET),
    (64, "a bad memory row could not be recorded", RESET),
    (65, "exception of the video processor", REBOOT),
    (66, "the driver accessed what it may not", REBOOT),
    (67, "the driver accessed what it may not", REBOOT),
    (68, "exception of the video decoder", REBOOT),
    (69, "class error of the graphics engine", PROGRAM),
    (70, "exception of a copy engine", PROGRAM),
    (71, "exception of a copy engine", PROGRAM),
    (72, "exception of a copy engine", PROGRAM),
    (73, "exception of the video encoder", REBOOT),
    (74, "error of NVLink", LINK),
    (75, "exception of a copy engine", PROGRAM),
    (76, "exception of a copy engine", PROGRAM),
    (77, "exception of a copy engine", PROGRAM),
    (78, "a virtual GPU could not be started", "update the driver and what manages virtual GPUs"),
    (79, "the GPU has fallen off the bus", SEAT),
    (80, "corrupted data was sent to the GPU", REBOOT),
    (81, "error of the VGA subsystem", REBOOT),
    (82, "exception of the JPEG engine", PROGRAM),
    (83, "exception of the video decoder", PROGRAM),
    (84, "exception of the video decoder", PROGRAM),
    (85, "exception of a copy engine", PROGRAM),
    (86, "exception of the optical flow engine", PROGRAM),
    (88, "exception of the video decoder", PROGRAM),
    (89, "exception of the video decoder", PROGRAM),
    (92, "many corrected memory errors", RESET),
    (
        93,
        "the memory of the card's own data is written too often",
        "nothing at once: nvflash set that limit and clears it",
    ),
    (94, "memory error, contained to one program", RESET),
    (95, "memory error, not contained", RESET),
    (96, "exception of the video decoder", PROGRAM),
    (97, "exception of the video decoder", PROGRAM),
    (98, "exception of the video decoder", PROGRAM),
    (99, "exception of the JPEG engine", PROGRAM),
    (100, "exception of the JPEG engine", PROGRAM),
    (101, "exception of the JPEG engine", PROGRAM),
    (102, "exception of the JPEG engine", PROGRAM),
    (103, "exception of the JPEG engine", PROGRAM),
    (104, "exception of the JPEG engine", PROGRAM),
    (105, "exception of the JPEG engine", PROGRAM),
    (109, "a switch between programs took too long", RESET),
    (110, "security fault", RESET),
    (119, "the GPU's system processor did not answer in time", REBOOT),
    (120, "error of the GPU's system processor", REBOOT),
    (121, "corrected error of the link between chips", RESET),
    (126, "exception of a copy engine", PROGRAM),
    (127, "exception of a copy engine", PROGRAM),
    (128, "exception of a copy engine", PROGRAM),
    (129, "exception of a copy engine", PROGRAM),
    (130, "exception of a copy engine", PROGRAM),
    (131, "exception of a copy engine", PROGRAM),
    (132, "exception of a copy engine", PROGRAM),
    (133, "exception of a copy engine", PROGRAM),
    (134, "exception of a copy engine", PROGRAM),
    (135, "exception of a copy engine", PROGRAM),
    (136, "the training of a link failed", LINK),
    (137, "access over NVLink that is not allowed, mostly by a program", PROGRAM),
    (139, "exception of the optical flow engine", PROGRAM),
    (140, "memory error that was not recovered", RESET),
    (141, "error of CUDA's fast path", PROGRAM),
    (142, "exception of the video encoder", PROGRAM),
    (143, "the GPU could not be initialised", REBOOT),
    (144, "error of NVLink (SAW)", LINK),
    (145, "error of NVLink (RLW)", LINK),
    (146, "error of NVLink (TLW)", LINK),
    (147, "error of NVLink (TREX)", LINK),
    (148, "error of NVLink (NVLPW)", LINK),
    (149, "error of NVLink (NETIR)", LINK),
    (150, "error of NVLink (MSE)", LINK),
    (151, "error while keys were exchanged", REBOOT),
    (154, "what it takes to recover the GPU has changed", RESET),
    (155, "error of NVLink that software defined; also of a link that was put to sleep", LINK),
    (156, "a part with errors was retired", RESET),
    (157, "a part with errors could not be retired: there is no spare", RESET),
    (158, "the GPU did not answer in time", RESET),
    (160, "a channel with errors was retired", RESET),
    (161, "a channel with errors could not be retired", RESET),
    (167, "a transfer over PCI Express did not end in time", SEAT),
    (168, "errors in the protected part of the memory", RESET),
    (169, "an internal controller halted", RESET),
    (171, "memory error that could not be corrected, in the memory chips; beside 48", RESET),
    (172, "memory error that could not be corrected, in a cache; beside 48", RESET),
];
