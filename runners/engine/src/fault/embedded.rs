//! The catalogue, the healthy machines and the recorded answers, carried in the binary.

/// Topics of the catalogue, in the order in which they are shown.
pub(super) static FAULTS: &[(&str, &str)] = &[
    ("gpu", include_str!("../../../faults/gpu.toml")),
    ("ai", include_str!("../../../faults/ai.toml")),
    ("kernel", include_str!("../../../faults/kernel.toml")),
    ("machine", include_str!("../../../faults/machine.toml")),
    ("network", include_str!("../../../faults/network.toml")),
    ("toolchain", include_str!("../../../faults/toolchain.toml")),
    ("mac", include_str!("../../../faults/mac.toml")),
    ("production", include_str!("../../../faults/production.toml")),
    ("anywhere", include_str!("../../../faults/anywhere.toml")),
    ("asking", include_str!("../../../faults/asking.toml")),
    ("judging", include_str!("../../../faults/judging.toml")),
];

/// Machines that lack nothing.
pub(super) static MACHINES: &str = include_str!("../../../faults/healthy.toml");

/// What they answer, a line of evidence each.
pub(super) static RECORDED: &[(&str, &str)] = &[
    ("nvidia", include_str!("../../../faults/healthy/nvidia.jsonl")),
    ("local", include_str!("../../../faults/healthy/local.jsonl")),
    ("more", include_str!("../../../faults/healthy/more.jsonl")),
    ("mac", include_str!("../../../faults/healthy/mac.jsonl")),
];

/// Names cases that probes brought as evidence.
macro_rules! cases {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../tests/evidence/", $name, "/case.json")))),*]
    };
}

/// Answers of the evidence that the catalogue and the machines use, sorted.
pub(super) static CASES: &[(&str, &str)] = cases![
    "af-xdp/denied",
    "af-xdp/ok-bound",
    "clock/ok-chrony",
    "clock/ok-chrony-lost",
    "clock/ok-workstation",
    "command/ok-exit-status",
    "compile/host-compiler",
    "compile/library-headers-missing",
    "compile/linker-missing-clang",
    "cpu/absent-sysfs",
    "cpu/ok-5900x",
    "cpu/ok-arm",
    "cpu/ok-vm",
    "cross-compile/native",
    "cross-compile/newer-libraries",
    "cross-compile/ok-started",
    "cross-compile/there-illegal",
    "cuda/peer-corrupts",
    "cuda/refused-kernels",
    "cuda/throttling",
    "file/absent",
    "file/ok-content",
    "gpu-witness/hidden",
    "http/garbled-json",
    "http/ok-500",
    "http/ok-empty",
    "http/ok-json",
    "http/timed-out",
    "huge-page/cgroup-limit",
    "huge-page/ok-mapped",
    "hugepages/boot-not-booted",
    "io-uring/disabled-for-all",
    "io-uring/ok-read",
    "isolation/ok-isolated",
    "journal/ok-hole",
    "journal/ok-printk-caller",
    "journal/ok-problems",
    "kernel-isolation/boot-at-the-prompt",
    "kernel-isolation/ok-fixture-1",
    "links/ok-10g",
    "mac-interface/fallback-1gbe",
    "mac-interface/no-signal",
    "mac-interface/ok-10gbe",
    "mac-system/absent",
    "mac-system/ok-limit-set",
    "mac-system/ok-mac-mini",
    "mac-thermal/heavy",
    "mac-thermal/ok-nominal",
    "mac-thunderbolt/empty",
    "mac-thunderbolt/ok-connected",
    "memory-bandwidth/ok-vm",
    "memory-modules/ok-workstation",
    "mlx/computes-wrong",
    "mlx/copy-wrong",
    "mlx/ok-linux",
    "mlx/ok-mac",
    "mlx/ok-mac-copy",
    "nvidia-smi/lost-status-0",
    "nvidia-smi/ok-driver-570",
    "nvidia-smi/ok-no-bridge",
    "nvml/driver-mismatch",
    "nvml/hung-call",
    "nvml/lost-gpu",
    "nvml/no-permission",
    "nvml/ok-no-bridge",
    "programs/broken",
    "programs/ok-mac",
    "round-trip/ok-hundred",
    "round-trip/ok-hundred-behind",
    "sandbox/garbled-disobeyed",
    "sandbox/ok-workstation",
    "scheduling/denied",
    "scheduling/ok-taken",
    "service/ok-system",
    "service/ok-system-running",
    "smart/failing-nvme",
    "smart/ok-nvme",
    "ssh-login/ok-three",
    "storage-throughput/ok-vm",
    "storage/ok-full",
    "tensorrt/ok-slow",
    "tsc/ok-smi",
    "verify-version/ok-other",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_that_is_carried_is_used_and_they_are_sorted() {
        assert!(CASES.is_sorted_by_key(|(name, _)| *name));
        let texts = || FAULTS.iter().map(|(_, text)| *text).chain([MACHINES]);
        for (name, _) in CASES {
            let quoted = format!("\"{name}\"");
            assert!(texts().any(|text| text.contains(&quoted)), "nobody uses {name}");
        }
    }
}
