//! The closed table of what a fingerprint can hold, and what people call it.
//!
//! A group has fields of its own, and may hold things that come and go, such as memory modules. Of
//! these a count is kept: without it nobody knows whether one that is not listed is gone. No serial
//! number and no MAC address has a place here; the identity of a GPU has.

/// Describes one group of fields.
#[derive(Debug)]
pub struct Group {
    /// Name, the first part of every path.
    pub name: &'static str,
    /// Fields by name with what people call them; `*` is any name.
    pub fields: &'static [(&'static str, &'static str)],
    /// Things that it holds, each with fields.
    pub things: Option<Things>,
    /// Where it comes from.
    pub source: &'static str,
}

/// Describes the things of a group.
#[derive(Debug)]
pub struct Things {
    /// What stands before the name of a thing in its path: empty, or ends in a dot.
    pub prefix: &'static str,
    /// What people call one.
    pub one: &'static str,
    /// The same before its name.
    pub called: &'static str,
    /// Field that counts them; known only where all of them were listed.
    pub count: &'static str,
    /// Fields of each with what people call them, first what it is; empty where a thing is one text.
    pub fields: &'static [(&'static str, &'static str)],
    /// Field that tells one thing from another of its kind.
    pub identity: Option<&'static str>,
    /// Whether their names are given anew at each boot, so that a name alone means nothing.
    pub is_renamed: bool,
}

const fn plain(
    name: &'static str,
    fields: &'static [(&'static str, &'static str)],
    source: &'static str,
) -> Group {
    Group { name, fields, things: None, source }
}

/// Holds every group, in the order in which people read a machine.
pub static GROUPS: &[Group] = &[
    plain("machine", &[("product", "machine"), ("board", "board")], "/sys/class/dmi/id, sysctl"),
    plain("bios", &[("version", "BIOS version"), ("date", "BIOS date")], "/sys/class/dmi/id"),
    plain(
        "cpu",
        &[("model", "CPU"), ("microcode", "CPU microcode"), ("count", "CPUs online")],
        "/proc/cpuinfo, /sys/devices/system/cpu/online, sysctl",
    ),
    Group {
        name: "memory",
        fields: &[("total", "memory in all"), ("modules", "memory modules")],
        things: Some(Things {
            prefix: "module.",
            one: "memory module",
            called: "memory module",
            count: "modules",
            fields: &[],
            identity: None,
            is_renamed: false,
        }),
        source: "/proc/meminfo, dmidecode, udev",
    },
    Group {
        name: "gpu",
        fields: &[("count", "GPUs")],
        things: Some(Things {
            prefix: "",
            one: "GPU",
            called: "GPU at",
            count: "count",
            fields: &[
                ("name", "model"),
                ("uuid", "identity"),
                ("vbios", "VBIOS"),
                ("slot-width", "PCIe lanes"),
                ("power-limit", "power limit"),
            ],
            identity: Some("uuid"),
            is_renamed: false,
        }),
        source: "NVML, nvidia-smi -q -x",
    },
    Group {
        name: "bridge",
        fields: &[("count", "GPU bridges")],
        things: Some(Things {
            prefix: "",
            one: "bridge",
            called: "bridge between GPUs",
            count: "count",
            fields: &[],
            identity: None,
            is_renamed: false,
        }),
        source: "NVML, nvidia-smi topo -m",
    },
    Group {
        name: "nic",
        fields: &[("count", "network cards")],
        things: Some(Things {
            prefix: "",
            one: "network card",
            called: "network card",
            count: "count",
            fields: &[("driver", "driver"), ("firmware", "firmware"), ("speed", "speed")],
            identity: None,
            is_renamed: false,
        }),
        source: "/sys/class/net, ethtool -i",
    },
    Group {
        name: "drive",
        fields: &[("count", "drives")],
        things: Some(Things {
            prefix: "",
            one: "drive",
            called: "drive",
            count: "count",
            fields: &[("model", "model"), ("firmware", "firmware")],
            identity: None,
            is_renamed: true,
        }),
        source: "/sys/block",
    },
    plain(
        "kernel",
        &[("release", "kernel"), ("command-line", "kernel command line")],
        "/proc/sys/kernel/osrelease, /proc/cmdline, sysctl",
    ),
    plain("driver", &[("nvidia", "NVIDIA driver")], "/proc/driver/nvidia/version"),
    plain("cuda", &[("version", "CUDA of the driver")], "NVML, nvidia-smi -q -x"),
    plain(
        "torch",
        &[
            ("version", "PyTorch"),
            ("triton", "Triton"),
            ("nccl", "NCCL"),
            ("cuda-runtime", "CUDA runtime of PyTorch"),
        ],
        "metadata of Python distributions",
    ),
    plain("tensorrt", &[("version", "TensorRT")], "trtexec --help"),
    plain(
        "python",
        &[
            ("version", "Python"),
            ("vllm", "vLLM"),
            ("transformers", "Transformers"),
            ("tensorrt", "TensorRT for Python"),
            ("mlx", "MLX"),
        ],
        "the interpreter, metadata of its distributions",
    ),
    plain("compiler", &[("*", "compiler")], "NAME --version"),
    plain("os", &[("name", "operating system"), ("build", "build of macOS")], "/etc/os-release"),
    plain("tool", &[("*", "tool")], "NAME --version"),
];

/// Finds the group of a path.
pub fn group(path: &str) -> Option<&'static Group> {
    let name = path.split('.').next().unwrap_or(path);
    GROUPS.iter().find(|group| group.name == name)
}

/// Says what a path is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'p> {
    /// A field of the group itself.
    Own(&'p str),
    /// How many things there are.
    Count,
    /// A field of a thing; empty where a thing is one text.
    Of(&'p str, &'p str),
}

impl Group {
    /// Reads the rest of a path; `None` where the table has no such field.
    pub(super) fn place<'p>(&self, path: &'p str) -> Option<Place<'p>> {
        let rest = path.strip_prefix(self.name)?.strip_prefix('.')?;
        if self.things.as_ref().is_some_and(|things| things.count == rest) {
            return Some(Place::Count);
        }
        if self.title(rest).is_some() {
            return Some(Place::Own(rest));
        }
        let things = self.things.as_ref()?;
        let named = rest.strip_prefix(things.prefix).filter(|named| !named.is_empty())?;
        if things.fields.is_empty() {
            return Some(Place::Of(named, ""));
        }
        let (thing, field) = named.rsplit_once('.')?;
        things.title(field).map(|_| Place::Of(thing, field))
    }

    /// Returns what people call a field of the group itself.
    pub(super) fn title(&self, field: &str) -> Option<String> {
        let known = self.fields.iter().find(|(name, _)| *name == field || *name == "*")?;
        Some(if known.0 == "*" { format!("{} {field}", known.1) } else { known.1.to_owned() })
    }
}

impl Things {
    /// Returns what people call a field of a thing.
    pub(super) fn title(&self, field: &str) -> Option<&'static str> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, title)| *title)
    }
}

/// Tells whether the table has a path.
pub fn is_known(path: &str) -> bool {
    group(path).is_some_and(|group| group.place(path).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart_whatever_dots_its_thing_has() {
        let place = |path| group(path).and_then(|group| group.place(path));
        assert_eq!(place("cpu.microcode"), Some(Place::Own("microcode")));
        assert_eq!(place("tool.iperf3"), Some(Place::Own("iperf3")));
        assert_eq!(place("gpu.count"), Some(Place::Count));
        assert_eq!(place("gpu.0000:21:00.0.vbios"), Some(Place::Of("0000:21:00.0", "vbios")));
        assert_eq!(place("memory.modules"), Some(Place::Count));
        assert_eq!(place("memory.module.P0 DIMM.A"), Some(Place::Of("P0 DIMM.A", "")));
        for none in ["cpu.serial", "gpu.0000:21:00.0.serial", "gpu.vbios", "cpu", "x.y", "", "."] {
            assert!(!is_known(none), "{none}");
        }
    }

    #[test]
    fn every_name_stands_once_and_every_group_says_where_it_comes_from() {
        for (at, group) in GROUPS.iter().enumerate() {
            assert!(GROUPS[..at].iter().all(|other| other.name != group.name), "{}", group.name);
            assert!(!group.source.is_empty() && !group.fields.is_empty(), "{}", group.name);
            if let Some(things) = &group.things {
                assert!(group.fields.iter().any(|(name, _)| *name == things.count));
                assert!(things.identity.is_none_or(|field| things.title(field).is_some()));
            }
        }
    }
}
