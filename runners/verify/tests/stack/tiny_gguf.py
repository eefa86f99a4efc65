"""Writes a random Llama of a few thousand parameters as GGUF, by hand."""
import random
import struct
import sys

random.seed(1)
EMB, FF, HEADS, LAYERS, CONTEXT = 32, 64, 4, 2, 2048
tokens = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % n for n in range(256)]
tokens += ["\u2581"] + [chr(n) for n in range(97, 123)]
kinds = [2, 3, 3] + [6] * 256 + [1] * 27
U32, F32, STR, ARRAY, I32 = 4, 6, 8, 9, 5


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, kind, value):
    if kind == STR:
        return text(key) + struct.pack("<I", STR) + text(value)
    return text(key) + struct.pack("<I", kind) + struct.pack("<I" if kind == U32 else "<f", value)


def array(key, kind, values):
    head = text(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
    if kind == STR:
        return head + b"".join(text(v) for v in values)
    return head + struct.pack("<%d%s" % (len(values), "f" if kind == F32 else "i"), *values)


pairs = [
    pair("general.architecture", STR, "llama"),
    pair("general.name", STR, "tiny"),
    pair("llama.context_length", U32, CONTEXT),
    pair("llama.embedding_length", U32, EMB),
    pair("llama.block_count", U32, LAYERS),
    pair("llama.feed_forward_length", U32, FF),
    pair("llama.attention.head_count", U32, HEADS),
    pair("llama.attention.head_count_kv", U32, HEADS),
    pair("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
    pair("llama.rope.dimension_count", U32, EMB // HEADS),
    pair("llama.vocab_size", U32, len(tokens)),
    pair("tokenizer.ggml.model", STR, "llama"),
    array("tokenizer.ggml.tokens", STR, tokens),
    array("tokenizer.ggml.scores", F32, [-float(n) for n in range(len(tokens))]),
    array("tokenizer.ggml.token_type", I32, kinds),
    pair("tokenizer.ggml.bos_token_id", U32, 1),
    pair("tokenizer.ggml.eos_token_id", U32, 2),
    pair("tokenizer.ggml.unknown_token_id", U32, 0),
]
tensors = [("token_embd.weight", (EMB, len(tokens))), ("output_norm.weight", (EMB,)), ("output.weight", (EMB, len(tokens)))]
for layer in range(LAYERS):
    at = "blk.%d." % layer
    tensors += [(at + "attn_norm.weight", (EMB,)), (at + "ffn_norm.weight", (EMB,))]
    tensors += [(at + "attn_%s.weight" % n, (EMB, EMB)) for n in ("q", "k", "v", "output")]
    tensors += [(at + "ffn_gate.weight", (EMB, FF)), (at + "ffn_up.weight", (EMB, FF)), (at + "ffn_down.weight", (FF, EMB))]
infos, data = b"", b""
for name, shape in tensors:
    count = 1
    for side in shape:
        count *= side
    infos += text(name) + struct.pack("<I%dQIQ" % len(shape), len(shape), *shape, 0, len(data))
    values = [1.0] * count if len(shape) == 1 else [random.gauss(0, 0.2) for _ in range(count)]
    if name == "output.weight":
        # Prompts are drawn anew in each run. Only what is printed may come: a completion that ends early,
        # or is cut inside a character, would depend on the draw.
        for token in range(len(tokens)):
            if token < 3 + 32 or 3 + 126 < token < 3 + 256:
                values[token * EMB : (token + 1) * EMB] = [0.0] * EMB
    data += struct.pack("<%df" % count, *values)
    data += b"\0" * (-len(data) % 32)
head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs) + infos
with open(sys.argv[1], "wb") as file:
    file.write(head + b"\0" * (-len(head) % 32) + data)
