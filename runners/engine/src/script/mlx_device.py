# Which device MLX computes on, whether it computes as the CPU does, and how fast it copies memory.
# Words: `copy BYTES PASSES` copies, too. MLX is lazy: nothing counts before it was evaluated.
end_with_parent()

FAULT = os.environ.get("VERIFY_SCRIPT_FAULT", "")
# Multiplications of 32 bit are to be such where the hardware offers shorter ones.
os.environ["MLX_ENABLE_TF32"] = "0"
SIDE = 1024
ROUNDOFF = 2.0 ** -24


def information():
    of = mx.device_info() if hasattr(mx, "device_info") else mx.metal.device_info()
    return {str(key): value for key, value in of.items() if isinstance(value, (str, int, float))}


def entry(row, column, seed):
    return (row * 37 + column * 101 + row * column * 7 + seed * 13) % 17 - 8


def matrix(seed):
    """Whole numbers from -8 to 8: no sum of 1024 products of them reaches 2^24."""
    rows = mx.arange(SIDE, dtype=mx.int32).reshape(SIDE, 1)
    columns = mx.arange(SIDE, dtype=mx.int32).reshape(1, SIDE)
    found = entry(rows, columns, seed).astype(mx.float32)
    mx.eval(found)
    return found


def differing(what, expected, found, bound):
    apart = mx.abs(mx.subtract(found, expected, stream=mx.cpu), stream=mx.cpu)
    # Written so that NaN is wrong, too.
    right = mx.less_equal(apart, bound, stream=mx.cpu)
    count = SIDE * SIDE - int(mx.sum(right, stream=mx.cpu).item())
    return ["%s: %d of %d wrong" % (what, count, SIDE * SIDE)] if count else []


def computed():
    step("multiplying")
    left, right = matrix(1), matrix(2)
    found = left @ right
    if FAULT == "wrong-device":
        found = found + mx.array(1.0)
    mx.eval(found)
    expected = mx.matmul(left, right, stream=mx.cpu)
    mx.eval(expected)
    wrong = differing("matmul of integers", expected, found, mx.array(0.0))
    # A row without MLX: else both might be wrong in the same way.
    ours = [sum(entry(3, k, 1) * entry(k, column, 2) for k in range(SIDE)) for column in range(64)]
    if ours != [int(number) for number in found[3, :64].tolist()]:
        wrong.append("matmul of integers: a row differs from what Python computes")
    # Fractions: each side errs by at most g |A||B|, g = k u / (1 - k u), in any order of the sums.
    left, right = left * 0.1, right * 0.3
    found = left @ right
    mx.eval(found)
    expected = mx.matmul(left, right, stream=mx.cpu)
    factor = 2 * SIDE * ROUNDOFF / (1 - SIDE * ROUNDOFF)
    bound = mx.matmul(mx.abs(left), mx.abs(right), stream=mx.cpu) * factor
    mx.eval(expected, bound)
    return {"wrong": wrong + differing("matmul of fractions", expected, found, bound)}


def copied(size, passes):
    step("copying %d bytes" % size)
    count = size // 4
    source = mx.arange(count, dtype=mx.uint32)
    # What is added is no constant to MLX, and turns a copy into one that must read and write.
    one = mx.array(1, dtype=mx.uint32)
    mx.eval(source, one)
    seconds = []
    for number in range(passes + 3):
        start = time.perf_counter()
        target = source + one
        mx.eval(target)
        if hasattr(mx, "synchronize"):
            mx.synchronize()
        if number >= 3:
            seconds.append(time.perf_counter() - start)
        if number < passes + 2:
            del target
    if FAULT == "wrong-copy":
        target = target * 2
    apart = target - source
    least, most = int(mx.min(apart).item()), int(mx.max(apart).item())
    ends = (int(target[0].item()), int(target[count - 1].item()))
    right = (least, most) == (1, 1) and ends == (1, count % 2 ** 32)
    return {"seconds": seconds, "buffer-bytes": count * 4, "right": right}


step("importing mlx")
try:
    import mlx.core as mx
except BaseException as error:
    say({"import": trouble("import mlx.core", error)})
    raise SystemExit(0)

from importlib import metadata

answer = {
    "mlx": part("version", lambda: metadata.version("mlx")),
    "device": part("default device", lambda: str(mx.default_device())),
    "information": part("device information", information),
    "computed": part("matmul", computed),
}
if "copy" in sys.argv:
    answer["copy"] = part("copy", lambda: copied(int(sys.argv[2]), int(sys.argv[3])))
say(answer)
