//! The fields of `torch-device`, and where each comes from.

use verify_model::field::{
    FieldKind::{Bool, Integer, List, Quantity, Text, Version},
    FieldSpec,
};

use crate::probe::{field, texts};

const BY: &str = "our Python program torch-device";

pub(super) const FIELDS: &[FieldSpec] = &[
    field(
        "state",
        || Text,
        BY,
        "`ok`; `import-failed`, `aborted` where the interpreter died, and `trouble` says why.",
    ),
    field("trouble", || Text, BY, "Why PyTorch or CUDA does not start; `none` where they do."),
    field("version", || Version, "torch.__version__", "Version of PyTorch."),
    field("cuda", || Version, "torch.version.cuda", "CUDA that it was built for; absent without."),
    field("nccl", || Version, "torch.cuda.nccl.version", "Version of NCCL; absent without."),
    field("architectures", texts, "torch.cuda.get_arch_list", "What the build holds code for."),
    field("count", || Integer, "torch.cuda.device_count", "Devices that PyTorch counts."),
    field(
        "available",
        || Bool,
        "torch.cuda.is_available",
        "Whether it says that CUDA can be used, which is no proof.",
    ),
    field("initialised", || Bool, "torch.cuda.init", "Whether CUDA starts."),
    field("devices.name", texts, "torch.cuda.get_device_properties", "Name of each device."),
    field(
        "devices.uuid",
        texts,
        "torch.cuda.get_device_properties",
        "Identity of each, in PyTorch's order, which need not be NVML's.",
    ),
    field(
        "devices.capability",
        texts,
        "torch.cuda.get_device_properties",
        "Compute capability of each, such as 8.6.",
    ),
    field(
        "devices.memory",
        || List(Box::new(Quantity("B"))),
        "torch.cuda.get_device_properties",
        "Memory of each.",
    ),
    field(
        "unsupported",
        texts,
        "CUDA C++ Programming Guide, binary and PTX compatibility",
        "Described devices that the build holds no code for.",
    ),
    field(
        "hiding",
        texts,
        "environment",
        "Variables that hide or order devices: CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER, PYTORCH_NVML_BASED_CUDA_CHECK.",
    ),
    field("nvml", || Integer, "verify instrument nvml", "Cards that NVML can open."),
    field(
        "unseen",
        texts,
        "verify instrument nvml",
        "Cards that NVML can open and PyTorch cannot describe, by identity.",
    ),
    field("others", texts, "verify instrument nvml", "Other processes that compute on a card."),
    field("computed", || Integer, BY, "Devices on which all was computed, and right."),
    field("wrong", texts, BY, "Results that differ from the CPU's: device, which, how much."),
    field("failed", texts, BY, "Devices that could not be described or did not compute, and why."),
    field(
        "error-share",
        || Quantity("%"),
        "N. Higham, Accuracy and Stability of Numerical Algorithms, 3.5",
        "Largest error of a product of fractions, as a share of what rounding can make it.",
    ),
];
