# How much faster several devices compute a fixed stack of layers than one, and whether all agree.
# The first program starts one of itself for each rank and ends all as soon as one fails. They find
# each other by a file without a name, so that nothing listens but on loopback and nothing is left.
import queue
import re
import subprocess
import tempfile

FAULT = os.environ.get("VERIFY_SCRIPT_FAULT", "")
# What a rank runs, as what the first program was run by.
AGAIN = ("import sys; sys.path[:] = [p for p in sys.path if p]; "
         "SOURCE = sys.stdin.read(); exec(compile(SOURCE, '<verify>', 'exec'))")
# Greatest whole number up to which every one is a 16-bit float, and a 32-bit one all the more.
EXACT = 2048
CARRIED = "verify-rank "


def tell(message):
    """A rank tells the first program."""
    sys.stdout.write("\n" + CARRIED + json.dumps(finite(message), allow_nan=False) + "\n")
    sys.stdout.flush()


# The first program ------------------------------------------------------------------------------


class Rank:
    def __init__(self, number, plan, meeting):
        self.number, self.lines, self.nccl, self.told = number, [], [], {}
        environment = dict(os.environ, NCCL_DEBUG="INFO", NCCL_SOCKET_IFNAME=LOOPBACK,
                           GLOO_SOCKET_IFNAME=LOOPBACK, TORCH_NCCL_ASYNC_ERROR_HANDLING="1",
                           OMP_NUM_THREADS="1")
        for name in ("NCCL_DEBUG_FILE", "NCCL_DEBUG_SUBSYS"):
            environment.pop(name, None)
        words = [sys.executable, "-c", AGAIN, "rank", str(number), str(os.getpid()), json.dumps(plan),
                 meeting.path]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        env=environment, pass_fds=meeting.handles)
        try:
            with self.process.stdin as into:
                into.write(SOURCE)
        except OSError:
            pass  # It has ended, and its end says why.

    def take(self, line):
        if line.startswith(CARRIED):
            try:
                self.told.update(json.loads(line[len(CARRIED):]))
            except ValueError:
                self.lines.append("a line that is no answer: " + line[:200])
        elif "NCCL INFO" in line:
            # What stands before is the name of the machine.
            if re.search(r"Channel .*\bvia\b", line) and len(self.nccl) < 256:
                self.nccl.append(line[line.index("NCCL INFO"):][:200])
        elif line:
            self.lines.append(line[:500])

    def last(self):
        """The line that says most: what torch writes about its end is longer than the cause."""
        if "trouble" in self.told:
            return "%(stage)s: %(error)s: %(message)s" % self.told["trouble"]
        return self.lines[-1] if self.lines else "no message"


class Meeting:
    """The file by which ranks find each other: memory with a handle, elsewhere a private file."""

    def __init__(self):
        if hasattr(os, "memfd_create"):
            self.folder, handle = None, os.memfd_create("verify-ranks")
            self.handles, self.path = [handle], "/proc/self/fd/%d" % handle
        else:
            self.folder = tempfile.TemporaryDirectory(prefix="verify-ranks-")
            self.handles, self.path = [], os.path.join(self.folder.name, "store")

    def close(self):
        if self.folder is not None:
            self.folder.cleanup()


LOOPBACK = "lo" if sys.platform.startswith("linux") else "lo0"


def lead(plan):
    heard, meeting = queue.Queue(), Meeting()
    ranks = [Rank(number, plan, meeting) for number in range(plan["ranks"])]

    def read(rank):
        for line in rank.process.stdout:
            heard.put((rank, line.rstrip("\n")))
        heard.put((rank, None))

    for rank in ranks:
        threading.Thread(target=read, args=(rank,), daemon=True).start()
    try:
        return attend(plan, ranks, heard)
    finally:
        for rank in ranks:
            rank.process.kill()
            rank.process.wait()
        meeting.close()


def attend(plan, ranks, heard):
    until = time.monotonic() + plan["seconds"]
    ended = set()
    while len(ended) < len(ranks):
        try:
            rank, line = heard.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            slow = [rank for rank in ranks if rank.number not in ended]
            return broken(slow, "no end within %d s" % plan["seconds"], "timed-out")
        if line is not None:
            rank.take(line)
            continue
        ended.add(rank.number)
        code = rank.process.wait()
        if "import" in rank.told:
            return {"import": rank.told["import"], "rank": rank.number}
        if code == 0 and "too-few" in rank.told:
            return {"too-few": rank.told["too-few"], "rank": rank.number}
        if code < 0:
            return broken([rank], "ended by signal %d" % -code, "failed")
        if code != 0 or "done" not in rank.told:
            return broken([rank], "exit status %d" % code, "failed")
    return {
        "ranks": [rank.told for rank in ranks],
        "pids": [rank.process.pid for rank in ranks],
        "nccl": sum((rank.nccl for rank in ranks), []),
    }


def broken(ranks, how, kind):
    named = [{"rank": rank.number, "how": how, "last": rank.last()} for rank in ranks]
    return {"broken": kind, "ranks": named}


# One rank ---------------------------------------------------------------------------------------


def whole_numbers(torch, rows, columns, total, device, seed):
    """A block of a matrix of -1, 0 and 1, each of which depends on its place alone."""
    (row, height), (column, width) = rows, columns
    block = torch.empty(height, width, dtype=torch.int8, device=device)
    across = torch.arange(column, column + width, dtype=torch.int64, device=device)
    for start in range(0, height, 256):
        stop = min(height, start + 256)
        down = torch.arange(row + start, row + stop, dtype=torch.int64, device=device)
        at = down[:, None] * total + across[None, :] + seed * 1000003
        at = (at * 2654435761 + 40503) & 0xFFFFFFFF
        at = ((at ^ (at >> 15)) * 2246822519) & 0xFFFFFFFF
        at = (at ^ (at >> 13)) & 3
        block[start:stop] = (at == 0).to(torch.int8) - (at == 1).to(torch.int8)
    return block


class Stack:
    """Layers of a column-parallel and a row-parallel product with one sum over all, as Megatron."""

    def __init__(self, torch, plan, share, shares, device, dtype):
        hidden, inner = plan["hidden"], plan["inner"]
        part = inner // shares
        self.torch, self.layers = torch, []
        for layer in range(plan["layers"]):
            # In: rows are those of the inner width that are ours. Out: columns likewise.
            up = whole_numbers(torch, (share * part, part), (0, hidden), hidden, device, 2 * layer)
            down = whole_numbers(torch, (0, hidden), (share * part, part), inner, device,
                                 2 * layer + 1)
            self.layers.append((up.to(dtype).t(), down.to(dtype).t()))
        if FAULT == "wrong-rank-%d" % share and shares > 1:
            self.layers[-1][1][0, 0] += 1
        at = whole_numbers(torch, (0, plan["tokens"]), (0, hidden), hidden, device, -1)
        self.input = at.abs().to(dtype)

    def run(self, add):
        # Remainders keep every number small and whole: no type and no order of sums rounds it.
        state = self.input
        for up, down in self.layers:
            inner = self.torch.remainder(state @ up, 4)
            state = self.torch.remainder(add(inner @ down), 4)
        return state

    def greatest(self, add):
        """The greatest number on the way, before any remainder is taken."""
        seen, state = [], self.input
        for up, down in self.layers:
            inner = state @ up
            partial = self.torch.remainder(inner, 4) @ down
            seen += [inner.abs().max(), partial.abs().max()]
            sums = add(partial)
            seen.append(sums.abs().max())
            state = self.torch.remainder(sums, 4)
        return int(max(seen))


class Clock:
    """Times of passes: the device's events, or the processor's clock where it computes."""

    def __init__(self, torch, device):
        self.torch, self.device = torch, device

    def times(self, passes, work):
        if self.device.type == "cpu":
            seconds = []
            for _ in range(passes):
                start = time.perf_counter()
                work()
                seconds.append(time.perf_counter() - start)
            return seconds
        marks = [self.torch.cuda.Event(enable_timing=True) for _ in range(passes + 1)]
        marks[0].record()
        for mark in marks[1:]:
            work()
            mark.record()
        self.torch.cuda.synchronize()
        return [a.elapsed_time(b) / 1e3 for a, b in zip(marks, marks[1:])]


def reduced(torch, dist, plan, rank, device, clock):
    """Sums over all ranks: seconds a pass at the largest size, and what came out wrong."""
    ranks, count = plan["ranks"], plan["size"] // 4
    mine = torch.arange(count, dtype=torch.int32, device=device) % 1000 + rank
    expected = (mine - rank) * ranks + ranks * (ranks - 1) // 2
    zeros = torch.zeros(count, dtype=torch.int32, device=device)

    def wrong():
        sums = mine.clone()
        dist.all_reduce(sums)
        return int((sums != expected).sum())

    before = wrong()
    for _ in range(3):
        dist.all_reduce(zeros)
    seconds = clock.times(plan["passes"], lambda: dist.all_reduce(zeros))
    return {"seconds": seconds, "wrong": before + wrong() + int((zeros != 0).sum()),
            "bytes": count * 4}


def follow(rank, plan, path):
    step("rank %d imports torch" % rank)
    try:
        import torch
        import torch.distributed as dist
    except BaseException as error:
        return tell({"import": trouble("import torch", error)})
    cuda = plan["backend"] == "nccl"
    if cuda:
        count = torch.cuda.device_count()
        if count < plan["ranks"] or not torch.cuda.is_available():
            return tell({"too-few": {"count": count, "available": torch.cuda.is_available()}})
        torch.cuda.set_device(rank)
    else:
        torch.set_num_threads(1)
    device = torch.device("cuda", rank) if cuda else torch.device("cpu")
    dtype = torch.float16 if cuda else torch.float32
    step("rank %d joins the others" % rank)
    store = joined(dist, rank, plan, path)
    measured(torch, dist, store, rank, plan, device, dtype)


def joined(dist, rank, plan, path):
    from datetime import timedelta
    limit = timedelta(seconds=plan["seconds"])
    store = dist.FileStore(path, plan["ranks"])
    store.set_timeout(limit)
    dist.init_process_group(plan["backend"], store=store, rank=rank, world_size=plan["ranks"],
                            timeout=limit)
    return store


def measured(torch, dist, store, rank, plan, device, dtype):
    clock = Clock(torch, device)
    step("rank %d computes alone" % rank)
    if FAULT == "dies-rank-%d" % rank:
        os.kill(os.getpid(), signal.SIGSEGV)
    if FAULT == "hangs-rank-%d" % rank:
        time.sleep(3600)
    # One after the other, so that none is slowed down by another.
    if rank > 0:
        store.wait(["alone-%d" % (rank - 1)])
    whole = Stack(torch, plan, 0, 1, device, dtype)
    run = lambda: whole.run(lambda sums: sums)
    clock.times(plan["warm-up"], run)
    alone, expected = clock.times(plan["iterations"], run), run().clone()
    greatest = whole.greatest(lambda sums: sums)
    del whole, run
    store.set("alone-%d" % rank, "1")
    step("rank %d computes its share" % rank)
    store.wait(["alone-%d" % (plan["ranks"] - 1)])
    shared = Stack(torch, plan, rank, plan["ranks"], device, dtype)

    def add(sums):
        dist.all_reduce(sums)
        return sums

    run = lambda: shared.run(add)
    clock.times(plan["warm-up"], run)
    dist.barrier()
    together, found = clock.times(plan["iterations"], run), run()
    # NaN differs from everything, itself included.
    differing = int((~(found == expected)).sum())
    spread = int((expected != 0).sum())
    greatest = max(greatest, shared.greatest(add))
    if greatest > EXACT:
        raise ValueError("a sum of %d is not exact in 16 bits; take smaller sizes" % greatest)
    del shared, run
    step("rank %d sums over all" % rank)
    dist.barrier()
    summed = reduced(torch, dist, plan, rank, device, clock)
    dist.barrier()
    tell({
        "alone-seconds": alone, "together-seconds": together, "differing": differing,
        "elements": found.numel(), "not-zero": spread, "greatest": greatest,
        "all-reduce": summed, "torch": str(torch.__version__), "dtype": str(dtype),
        "device": torch.cuda.get_device_name(rank) if device.type == "cuda" else "cpu",
        "done": True,
    })
    dist.destroy_process_group()


if len(sys.argv) > 1 and sys.argv[1] == "rank":
    end_with_parent(int(sys.argv[3]))
    try:
        follow(int(sys.argv[2]), json.loads(sys.argv[4]), sys.argv[5])
    except Exception as error:
        tell({"trouble": trouble("rank " + sys.argv[2], error)})
        raise
else:
    end_with_parent()
    say(lead(json.loads(sys.argv[1])))
