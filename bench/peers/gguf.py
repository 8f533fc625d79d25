"""Writes a GGUF file (version 3) of a synthetic checkpoint, for llama.cpp: BF16 matrices as they
are, norms widened to F32, and no vocabulary, as tokens are random. Format: docs/gguf.md of ggml."""

import array
import json
import pathlib
import struct

ALIGNMENT = 32
U32, F32, STRING = 4, 6, 8  # Types of metadata values.
F32_TENSOR, BF16_TENSOR = 0, 30
MOSTLY_BF16 = 32  # Type of the file.

# Names inside a layer. Gemma 3 has norms before and after both halves, Qwen3 before only.
NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
QWEN3_NAMES = NAMES | {"post_attention_layernorm": "ffn_norm"}
GEMMA3_NAMES = NAMES | {
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def tensor_name(name, layer_names):
    parts = name.removesuffix(".weight").split(".")
    if parts[1] == "layers":
        return f"blk.{parts[2]}.{layer_names['.'.join(parts[3:])]}.weight"
    return {"embed_tokens": "token_embd", "norm": "output_norm"}[parts[1]] + ".weight"


def metadata(config):
    """All keys and values, encoded, and their number."""
    gemma = config["model_type"] == "gemma3_text"
    arch = "gemma3" if gemma else "qwen3"
    head = config["head_dim"]
    values = [
        ("general.architecture", STRING, arch),
        ("general.file_type", U32, MOSTLY_BF16),
        ("general.alignment", U32, ALIGNMENT),
        (f"{arch}.context_length", U32, config["max_position_embeddings"]),
        (f"{arch}.embedding_length", U32, config["hidden_size"]),
        (f"{arch}.block_count", U32, config["num_hidden_layers"]),
        (f"{arch}.feed_forward_length", U32, config["intermediate_size"]),
        (f"{arch}.attention.head_count", U32, config["num_attention_heads"]),
        (f"{arch}.attention.head_count_kv", U32, config["num_key_value_heads"]),
        (f"{arch}.attention.key_length", U32, head),
        (f"{arch}.attention.value_length", U32, head),
        (f"{arch}.attention.layer_norm_rms_epsilon", F32, config["rms_norm_eps"]),
        (f"{arch}.rope.freq_base", F32, config["rope_theta"]),
        (f"{arch}.vocab_size", U32, config["vocab_size"]),
        ("tokenizer.ggml.model", STRING, "no_vocab"),
    ]
    if gemma:
        values += [
            ("gemma3.attention.sliding_window", U32, config["sliding_window"]),
            ("gemma3.rope.freq_base_swa", F32, config["rope_local_base_freq"]),
        ]
    encode = {U32: lambda v: struct.pack("<I", v), F32: lambda v: struct.pack("<f", v), STRING: text}
    data = b"".join(text(k) + struct.pack("<I", t) + encode[t](v) for k, t, v in values)
    return len(values), data


def widened(data, offset):
    """BF16 numbers as F32, with `offset` added: Gemma 3 stores its gains less 1."""
    bits = array.array("I", (value << 16 for value in array.array("H", data)))
    numbers = array.array("f", bits.tobytes())
    return array.array("f", (number + offset for number in numbers)).tobytes()


def write(checkpoint, output):
    config = json.loads((checkpoint / "config.json").read_text())
    gemma = config["model_type"] == "gemma3_text"
    names = GEMMA3_NAMES if gemma else QWEN3_NAMES
    partial = pathlib.Path(f"{output}.part")
    with open(checkpoint / "model.safetensors", "rb") as source, open(partial, "wb") as target:
        header_size = struct.unpack("<Q", source.read(8))[0]
        tensors = json.loads(source.read(header_size))
        infos, position = b"", 0
        for name, tensor in tensors.items():
            begin, end = tensor["data_offsets"]
            vector = len(tensor["shape"]) == 1
            infos += text(tensor_name(name, names))
            infos += struct.pack("<I", len(tensor["shape"]))
            infos += b"".join(struct.pack("<Q", n) for n in reversed(tensor["shape"]))
            infos += struct.pack("<IQ", F32_TENSOR if vector else BF16_TENSOR, position)
            size = (end - begin) * (2 if vector else 1)
            position += size + -size % ALIGNMENT
        count, values = metadata(config)
        target.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), count) + values + infos)
        target.write(bytes(-target.tell() % ALIGNMENT))
        for tensor in tensors.values():
            begin, end = tensor["data_offsets"]
            source.seek(8 + header_size + begin)
            data = source.read(end - begin)
            if len(tensor["shape"]) == 1:
                data = widened(data, 1.0 if gemma else 0.0)
            target.write(data)
            target.write(bytes(-len(data) % ALIGNMENT))
    partial.rename(output)
