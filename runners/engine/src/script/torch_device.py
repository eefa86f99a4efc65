# What PyTorch shows of CUDA, and with `compute` whether every device computes as the CPU does.
# Words: `compute`; `cpu` computes on the processor, which only tries this program itself.
end_with_parent()

HIDING = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "PYTORCH_NVML_BASED_CUDA_CHECK")
FAULT = os.environ.get("VERIFY_SCRIPT_FAULT", "")
# Multiplications of 32 bit are to be such, and not be rounded to 10 bits of fraction.
os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
os.environ.pop("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", None)
# Elements on a side of a matrix: no sum of the integers below reaches 2^24.
SIDE = 1024
# Unit roundoff of 32-bit floats.
ROUNDOFF = 2.0 ** -24


def architectures():
    try:
        flags = torch._C._cuda_getArchFlags()
        return flags.split() if flags else []
    except Exception:
        return list(torch.cuda.get_arch_list())


def nccl():
    if torch.version.cuda is None or not torch.distributed.is_nccl_available():
        return None
    return ".".join(str(number) for number in torch.cuda.nccl.version())


def initialised():
    torch.cuda.init()
    return True


def described(index):
    of = torch.cuda.get_device_properties(index)
    uuid = getattr(of, "uuid", None)
    return {
        "name": of.name,
        "uuid": None if uuid is None else str(uuid),
        "capability": [of.major, of.minor],
        "memory-bytes": of.total_memory,
    }


def pattern(count, seed):
    """Numbers from 0 to 2^24 - 1 that look random and are the same everywhere."""
    at = torch.arange(count, dtype=torch.int64) + seed * count
    at = (at * 2654435761 + 40503) & 0xFFFFFFFF
    at = ((at ^ (at >> 15)) * 2246822519) & 0xFFFFFFFF
    return (at ^ (at >> 13)) & 0xFFFFFF


def matrices(seed, make):
    return [make(pattern(SIDE * SIDE, seed + more)).view(SIDE, SIDE) for more in (0, 1)]


def differing(what, expected, found, bound=None):
    """Says in one line what differs by more than the bound; nothing where nothing does."""
    apart = (expected - found).abs()
    # Written so that NaN is wrong, too.
    bad = ~(apart <= (0 if bound is None else bound))
    count = int(bad.sum())
    if count == 0:
        return []
    first = int(bad.flatten().nonzero()[0])
    was, now = expected.flatten()[first].item(), found.flatten()[first].item()
    return ["%s: %d of %d wrong, the first at %d: expected %r, found %r"
            % (what, count, bad.numel(), first, was, now)]


def product(device, left, right, dtype):
    result = left.to(device, dtype) @ right.to(device, dtype)
    if FAULT == "wrong-device":
        result[3, 5] += 1
    return result.to("cpu", torch.float64)


def compute(device):
    step("allocating on %s" % device)
    stage = "allocation"
    try:
        room = torch.full((16 * 1024 * 1024,), 7, dtype=torch.int32, device=device)
        wrong = []
        if int(room.min()) != 7 or int(room.max()) != 7:
            wrong.append("allocation: memory does not hold what was written")
        del room
        step("multiplying on %s" % device)
        stage = "matmul"
        # Integers: every sum is a whole number that the type holds, so no order rounds it.
        for dtype, spread, middle in ((torch.float32, 17, 8), (torch.float16, 3, 1)):
            left, right = matrices(2, lambda p: (p % spread - middle).double())
            found = product(device, left, right, dtype)
            wrong += differing("matmul of integers, %s" % dtype, left @ right, found)
        # Fractions: |fl(AB) - AB| <= g |A||B| with g = k u / (1 - k u), in any order of the sums.
        left, right = matrices(4, lambda p: p.double() / 2.0 ** 24 - 0.5)
        bound = SIDE * ROUNDOFF / (1 - SIDE * ROUNDOFF) * (left.abs() @ right.abs())
        expected, found = left @ right, product(device, left, right, torch.float32)
        wrong += differing("matmul of fractions", expected, found, bound)
        used = float(((expected - found).abs() / bound).max())
        step("reducing on %s" % device)
        stage = "reduction"
        whole = pattern(1 << 24, 6)
        small = pattern(1 << 20, 7) % 16
        for what, numbers, dtype in (("64-bit integers", whole, torch.int64),
                                     ("32-bit floats", small, torch.float32)):
            found = numbers.to(device, dtype).sum().to("cpu", torch.int64)
            wrong += differing("sum of %s" % what, numbers.sum(), found)
        return {"wrong": wrong, "bound-used": used}
    except Exception as error:
        return trouble(stage, error)


environment = {name: os.environ[name] for name in HIDING if name in os.environ}
step("importing torch")
try:
    import torch
except BaseException as error:
    say({"import": trouble("import torch", error), "environment": environment})
    raise SystemExit(0)

if "cpu" in sys.argv:
    say({"torch": torch.__version__, "devices": [{"computed": compute("cpu")}]})
    raise SystemExit(0)

step("asking torch for devices")
answer = {
    "pid": os.getpid(),
    "torch": str(torch.__version__),
    "cuda": torch.version.cuda,
    "architectures": part("architectures", architectures),
    "nccl": part("nccl", nccl),
    "count": part("count", torch.cuda.device_count),
    "available": part("available", torch.cuda.is_available),
    "initialised": part("initialise", initialised),
    "environment": environment,
}
count = answer["count"] if isinstance(answer["count"], int) else 0
answer["devices"] = [part("describe", lambda: described(index)) for index in range(count)]
if "compute" in sys.argv:
    part("precision", lambda: torch.set_float32_matmul_precision("highest"))
    for index, device in enumerate(answer["devices"]):
        device["computed"] = compute("cuda:%d" % index)
say(answer)
