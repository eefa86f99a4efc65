//! The shipped suites and nodes, carried in the binary. A tidy test holds the lists complete.

/// Shipped suites, by name.
pub static SUITES: &[(&str, &str)] = &[
    ("build", include_str!("../../../../suites/build.toml")),
    ("cpu", include_str!("../../../../suites/cpu.toml")),
    ("gpu", include_str!("../../../../suites/gpu.toml")),
    ("kernel", include_str!("../../../../suites/kernel.toml")),
    ("local", include_str!("../../../../suites/local.toml")),
    ("memory", include_str!("../../../../suites/memory.toml")),
    ("mlx", include_str!("../../../../suites/mlx.toml")),
    ("network", include_str!("../../../../suites/network.toml")),
    ("production", include_str!("../../../../suites/production.toml")),
    ("services", include_str!("../../../../suites/services.toml")),
    ("storage", include_str!("../../../../suites/storage.toml")),
    ("tensorrt", include_str!("../../../../suites/tensorrt.toml")),
    ("toolchain", include_str!("../../../../suites/toolchain.toml")),
    ("torch", include_str!("../../../../suites/torch.toml")),
    ("vllm", include_str!("../../../../suites/vllm.toml")),
];

/// Shipped nodes, by name.
pub static NODES: &[(&str, &str)] = &[
    ("linode", include_str!("../../../nodes/linode.toml")),
    ("local", include_str!("../../../nodes/local.toml")),
    ("macbook", include_str!("../../../nodes/macbook.toml")),
    ("macmini", include_str!("../../../nodes/macmini.toml")),
    ("nvidia", include_str!("../../../nodes/nvidia.toml")),
    ("nvidia-sim", include_str!("../../../nodes/nvidia-sim.toml")),
];
