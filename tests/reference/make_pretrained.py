#!/usr/bin/env python3
"""Writes pretrained.txt, with PyTorch 1.13 (Debian 12's python3-torch and python3-numpy).

    python3 tests/reference/make_pretrained.py

Small language models of each family in the layout of Hugging Face: config.json, the numbers of a text, and the logits after
each of them, in float64. The models are written here, from the papers and from the conventions of the transformers library
(modeling_llama.py, modeling_qwen2.py, modeling_qwen3.py, modeling_mistral.py, modeling_gpt2.py, modeling_rope_utils.py): its
rotation by halves, its order of norms, its Conv1D. Weights are not stored. Both sides make them from a number for each tensor
and the number of each element, by the hash of `weights`, and round them to the type that the file would have;
tests/unit/test_reference_pretrained.c writes the files, opens them and compares.
"""
import json
import os

import numpy
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
TOKENS = [5, 0, 30, 17, 17, 2, 9, 41, 8, 8, 8, 33, 1, 26, 12, 40, 3, 22, 19, 6]


def weights(name, shape, dtype):
    """Element i: a hash of the name's FNV-1a and i, 24 bits of which become a number from -3/8 to 3/8; vectors named .weight
    are gains, around 1. All are rounded to a float, and then to the dtype."""
    seed = 14695981039346656037
    for byte in name.encode():
        seed = (seed ^ byte) * 1099511628211 % (1 << 64)
    count = int(numpy.prod(shape))
    x = (numpy.arange(count, dtype=numpy.uint64) * 2654435761 + seed % (1 << 32)) & 0xFFFFFFFF
    x ^= x >> 16
    x = (x * 0x7FEB352D) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x846CA68B) & 0xFFFFFFFF
    x ^= x >> 16
    values = (x >> 8).astype(numpy.float64) / (1 << 23) - 1
    values *= 0.375
    if len(shape) == 1 and name.endswith("weight"):
        values += 1
    return torch.tensor(values, dtype=torch.float32).to(DTYPES[dtype]).to(torch.float64).reshape(*shape)


def rms(x, gain, epsilon):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + epsilon) * gain


def layer_norm(x, gain, bias, epsilon):
    mean = x.mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(((x - mean) ** 2).mean(-1, keepdim=True) + epsilon) * gain + bias


def attention(q, k, v):
    """q (T, h, D), k and v (T, g, D): each key head serves h/g query heads that stand side by side."""
    time, heads, width = q.shape
    k = k.repeat_interleave(heads // k.shape[1], 1)
    v = v.repeat_interleave(heads // v.shape[1], 1)
    scores = torch.einsum("ihd,jhd->hij", q, k) / width ** 0.5
    scores = scores.masked_fill(torch.ones(time, time).triu(1).bool(), float("-inf"))
    return torch.einsum("hij,jhd->ihd", torch.softmax(scores, -1), v).reshape(time, heads * width)


def frequencies(config, width):
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = rope.get("rope_theta", config.get("rope_theta", 10000.0))
    plain = base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "linear":
        return plain / rope["factor"]
    if kind != "llama3":
        return plain
    trained, low, high = (rope[k] for k in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    length = 2 * torch.pi / plain
    smooth = (trained / length - low) / (high - low)
    between = (1 - smooth) * plain / rope["factor"] + smooth * plain
    return torch.where(length > trained / low, plain / rope["factor"],
                       torch.where(length < trained / high, plain, between))


def rotate(x, frequency):
    """x (T, heads, D): x cos + rotate_half(x) sin."""
    angles = torch.arange(len(x), dtype=torch.float64)[:, None] * frequency
    cos, sin = (torch.cat([f(angles)] * 2, -1)[:, None, :] for f in (torch.cos, torch.sin))
    left, right = x.chunk(2, -1)
    return x * cos + torch.cat([-right, left], -1) * sin


def llama(config, get):
    C, V, H = config["hidden_size"], config["vocab_size"], config["intermediate_size"]
    heads = config["num_attention_heads"]
    key_heads = config.get("num_key_value_heads") or heads
    D = config.get("head_dim") or C // heads
    family, epsilon = config["model_type"], config["rms_norm_eps"]
    qkv_bias = family == "qwen2" or config.get("attention_bias", False)
    out_bias = family != "qwen2" and config.get("attention_bias", False)
    mlp_bias = config.get("mlp_bias", False)

    def linear(x, name, outputs, bias):
        y = x @ get(name + ".weight", (outputs, x.shape[1])).T
        return y + get(name + ".bias", (outputs,)) if bias else y

    table = get("model.embed_tokens.weight", (V, C))
    x = table[torch.tensor(TOKENS)]
    frequency = frequencies(config, D)
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        normal = rms(x, get(at + "input_layernorm.weight", (C,)), epsilon)
        q = linear(normal, at + "self_attn.q_proj", heads * D, qkv_bias).reshape(-1, heads, D)
        k = linear(normal, at + "self_attn.k_proj", key_heads * D, qkv_bias).reshape(-1, key_heads, D)
        v = linear(normal, at + "self_attn.v_proj", key_heads * D, qkv_bias).reshape(-1, key_heads, D)
        if family == "qwen3":
            q = rms(q, get(at + "self_attn.q_norm.weight", (D,)), epsilon)
            k = rms(k, get(at + "self_attn.k_norm.weight", (D,)), epsilon)
        found = attention(rotate(q, frequency), rotate(k, frequency), v)
        x = x + linear(found, at + "self_attn.o_proj", C, out_bias)
        normal = rms(x, get(at + "post_attention_layernorm.weight", (C,)), epsilon)
        gate = linear(normal, at + "mlp.gate_proj", H, mlp_bias)
        up = linear(normal, at + "mlp.up_proj", H, mlp_bias)
        x = x + linear(gate * torch.sigmoid(gate) * up, at + "mlp.down_proj", C, mlp_bias)
    x = rms(x, get("model.norm.weight", (C,)), epsilon)
    return x @ (table if config.get("tie_word_embeddings") else get("lm_head.weight", (V, C))).T


def gpt2(config, get):
    C, V, heads = config["n_embd"], config["vocab_size"], config["n_head"]
    H, epsilon = config.get("n_inner") or 4 * C, config["layer_norm_epsilon"]

    def conv1d(x, name, outputs):
        return x @ get(name + ".weight", (x.shape[1], outputs)) + get(name + ".bias", (outputs,))

    def norm(x, name):
        return layer_norm(x, get(name + ".weight", (C,)), get(name + ".bias", (C,)), epsilon)

    def activation(x):
        if config.get("activation_function", "gelu_new") == "gelu":
            return x * (1 + torch.erf(x / 2 ** 0.5)) / 2
        return x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x ** 3))) / 2

    table = get("transformer.wte.weight", (V, C))
    x = table[torch.tensor(TOKENS)] + get("transformer.wpe.weight", (config["n_positions"], C))[:len(TOKENS)]
    for i in range(config["n_layer"]):
        at = f"transformer.h.{i}."
        q, k, v = (y.reshape(-1, heads, C // heads) for y in conv1d(norm(x, at + "ln_1"), at + "attn.c_attn", 3 * C).chunk(3, -1))
        x = x + conv1d(attention(q, k, v), at + "attn.c_proj", C)
        x = x + conv1d(activation(conv1d(norm(x, at + "ln_2"), at + "mlp.c_fc", H)), at + "mlp.c_proj", C)
    return norm(x, "transformer.ln_f") @ (table if config.get("tie_word_embeddings", True) else get("lm_head.weight", (V, C))).T


LLAMA = {"model_type": "llama", "vocab_size": 43, "hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 2,
         "num_attention_heads": 4, "rms_norm_eps": 1e-5, "max_position_embeddings": 64, "hidden_act": "silu"}
GPT2 = {"model_type": "gpt2", "vocab_size": 43, "n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 32,
        "layer_norm_epsilon": 1e-5}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16}
MODELS = [
    ("llama", "F32", {**LLAMA, "num_key_value_heads": None}),
    ("llama_biases", "BF16", {**LLAMA, "attention_bias": True, "mlp_bias": True, "num_key_value_heads": 2,
                              "tie_word_embeddings": True}),
    ("llama31", "F16", {**LLAMA, "num_key_value_heads": 1, "rope_theta": 500000.0, "rope_scaling": LLAMA3}),
    ("llama_linear", "F32", {**LLAMA, "num_key_value_heads": 2, "rope_scaling": {"type": "linear", "factor": 3.0}}),
    ("llama_v5", "F32", {**LLAMA, "num_key_value_heads": 2, "head_dim": 10,
                         "rope_parameters": {"rope_type": "default", "rope_theta": 100.0}}),
    ("mistral", "BF16", {**LLAMA, "model_type": "mistral", "num_key_value_heads": 2, "sliding_window": 32}),
    ("qwen2", "BF16", {**LLAMA, "model_type": "qwen2", "num_key_value_heads": 2, "tie_word_embeddings": True,
                       "rope_theta": 1000000.0, "use_sliding_window": False, "sliding_window": 8}),
    ("qwen3", "BF16", {**LLAMA, "model_type": "qwen3", "num_key_value_heads": 2, "head_dim": 16, "rms_norm_eps": 1e-6,
                       "tie_word_embeddings": True, "rope_theta": 1000000}),
    ("qwen3_untied", "F32", {**LLAMA, "model_type": "qwen3", "num_key_value_heads": 4, "head_dim": 8,
                             "attention_bias": True}),
    ("gpt2", "F32", GPT2),
    ("gpt2_gelu", "F16", {**GPT2, "activation_function": "gelu", "n_inner": 33, "tie_word_embeddings": False}),
]

with open(os.path.join(HERE, "pretrained.txt"), "w") as file:
    file.write("# Tiny models in the layout of Hugging Face and their logits (make_pretrained.py): name, dtype, config.json;\n"
               "# then each tensor as name, rows (0: a vector), columns; then the logits after each token of the text.\n")
    file.write("tokens %d %s\n" % (len(TOKENS), " ".join(map(str, TOKENS))))
    for name, dtype, config in MODELS:
        tensors = {}

        def get(tensor, shape):
            tensors[tensor] = shape
            return weights(tensor, shape, dtype)

        logits = (gpt2 if config["model_type"] == "gpt2" else llama)(config, get).numpy()
        file.write(f"model {name} {dtype} {len(tensors)} {json.dumps(config)}\n")
        for tensor, shape in tensors.items():
            file.write("%s %d %d\n" % (tensor, *(shape if len(shape) == 2 else (0, shape[0]))))
        for row in logits:
            file.write(" ".join("%.7g" % x for x in row) + "\n")
