//! The shipped suites and nodes, carried in the binary. A tidy test holds the lists complete.

/// Shipped suites, by name.
pub static SUITES: &[(&str, &str)] = &[
    ("build", include_str!("../../../../suites/build.toml")),
    ("cluster", include_str!("../../../../suites/cluster.toml")),
    ("cpu", include_str!("../../../../suites/cpu.toml")),
    ("gpu", include_str!("../../../../suites/gpu.toml")),
    ("kernel", include_str!("../../../../suites/kernel.toml")),
    ("links", include_str!("../../../../suites/links.toml")),
    ("linode", include_str!("../../../../suites/linode.toml")),
    ("local", include_str!("../../../../suites/local.toml")),
    ("macbook", include_str!("../../../../suites/macbook.toml")),
    ("macmini", include_str!("../../../../suites/macmini.toml")),
    ("memory", include_str!("../../../../suites/memory.toml")),
    ("mlx", include_str!("../../../../suites/mlx.toml")),
    ("network", include_str!("../../../../suites/network.toml")),
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

/// Digits of a digest that are shown: no two suites meet by chance.
const SHOWN: usize = 16;

/// Digests the shipped suites: equal where two programs ask the same.
pub fn digest() -> String {
    let names_and_texts = SUITES.iter().flat_map(|(name, text)| [*name, "\0", *text, "\0"]);
    let whole: String = names_and_texts.collect();
    super::catalog::digest(whole.as_bytes()).chars().take(SHOWN).collect()
}
