#!/usr/bin/env python3
"""Writes the numbers in this folder, with PyTorch (1.13.0, Debian 12's python3-torch) in double precision.

    python3 tests/reference/make.py

tests/unit/test_reference.c compares the library with them. They are here because finite differences and naive twins share their
author's idea of a convention: the order of a GRU's gates, what AdamW's decay is multiplied by, which variance a batch norm keeps.
The course itself needs neither Python nor this script; it is run by whoever adds a file. Matrices stand as the library has
them: rows are positions, columns are features, weights are (inputs × outputs).
"""
import os
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))


def write(file, comment, matrices):
    with open(os.path.join(HERE, file + ".txt"), "w") as out:
        out.write(f"# {comment}\n")
        for name, value in matrices.items():
            value = value.detach()
            value = value.reshape(1, -1) if value.dim() < 2 else value
            rows = value.reshape(-1, value.shape[-1])
            out.write(f"{name} {rows.shape[0]} {rows.shape[1]}\n")
            for row in rows:
                out.write(" ".join(f"{number:.9g}" for number in row.tolist()) + "\n")


def normal(*shape, seed=[0]):
    """Rounded to multiples of 1/64, which a float holds exactly."""
    seed[0] += 1
    draw = torch.randn(*shape, generator=torch.Generator().manual_seed(seed[0]))
    return (torch.round(draw * 64) / 64).requires_grad_()


def gradients(y, inputs):
    """d_y, and the gradients of the inputs under it."""
    upstream = normal(*y.shape).detach()
    names = list(inputs)
    found = torch.autograd.grad(y, [inputs[n] for n in names], upstream)
    return {"d_y": upstream, **{"d_" + n: g for n, g in zip(names, found)}}


def recurrent():
    B, T, I, H = 2, 4, 3, 2
    for name, gates, module in (("rnn", 1, torch.nn.RNN), ("lstm", 4, torch.nn.LSTM), ("gru", 3, torch.nn.GRU)):
        x, w, u = normal(B * T, I), normal(I, gates * H), normal(H, gates * H)
        b, b_u = normal(gates * H), normal(gates * H)
        layer = module(I, H, batch_first=True)
        of_state = b_u if name == "gru" else torch.zeros(gates * H)
        with torch.no_grad():
            for own, given in zip(layer.parameters(), (w.T, u.T, b, of_state)):
                own.copy_(given)
        y = layer(x.reshape(B, T, I))[0].reshape(B * T, H)
        inputs = {"x": x, "w": w, "u": u, "b": b, **({"b_u": b_u} if name == "gru" else {})}
        found = gradients(y, dict(zip(inputs, (x, *layer.parameters()))))
        found.update(d_w=found["d_w"].T, d_u=found["d_u"].T)
        write(name, f"torch.nn.{module.__name__}: {B} sequences of {T} steps", {**inputs, "y": y, **found})


def norms():
    N, C = 5, 3
    x, gain, bias = normal(N, C), normal(C), normal(C)
    layer = F.layer_norm(x, (C,), gain, bias, 1e-5)
    inputs = {"x": x, "gain": gain, "bias": bias}
    write("layer_norm", "torch.nn.functional.layer_norm", {**inputs, "y": layer, **gradients(layer, inputs)})
    rms = x / torch.sqrt((x * x).mean(1, keepdim=True) + 1e-5) * gain
    inputs = {"x": x, "gain": gain}
    write("rms_norm", "x / √(mean of squares + 1e-5) · gain", {**inputs, "y": rms, **gradients(rms, inputs)})
    mean, variance = torch.zeros(C), torch.ones(C)
    batch = F.batch_norm(x, mean, variance, gain, bias, True, 0.1, 1e-5)
    later = F.batch_norm(x, mean, variance, gain, bias, False, 0.1, 1e-5)
    inputs = {"x": x, "gain": gain, "bias": bias}
    write("batch_norm", "torch.nn.functional.batch_norm, momentum 0.1, training and then not",
          {**inputs, "y": batch, **gradients(batch, inputs), "mean": mean, "variance": variance, "later": later})


def rows(pictures):
    """(n, C, H, W) as rows of pixels."""
    return pictures.permute(0, 2, 3, 1).reshape(-1, pictures.shape[1])


def pictures(matrix, n, height, width):
    return matrix.reshape(n, height, width, -1).permute(0, 3, 1, 2)


def grids():
    n, H, W, C, O, k, groups = 2, 5, 6, 4, 6, 3, 2
    x, w, b = normal(n * H * W, C), normal(k * k * C // groups, O), normal(O)
    weight = w.reshape(k, k, C // groups, O).permute(3, 2, 0, 1)
    y = rows(F.conv2d(pictures(x, n, H, W), weight, b, stride=2, padding=1, groups=groups))
    inputs = {"x": x, "w": w, "b": b}
    write("conv2d", "torch.nn.functional.conv2d: 2 pictures of 5 × 6, 4 channels to 6, 3 × 3, stride 2, padding 1, 2 groups",
          {**inputs, "y": y, **gradients(y, inputs)})
    for name, pool in (("max_pool", F.max_pool2d), ("average_pool", F.avg_pool2d)):
        y = rows(pool(pictures(x, n, H, W), 3, stride=2, padding=1))
        write(name, f"torch.nn.functional.{pool.__name__}: 2 pictures of 5 × 6, 3 × 3, stride 2, padding 1",
              {"x": x, "y": y, **gradients(y, {"x": x})})


def attention():
    B, T, S, heads, key_heads, D = 2, 3, 5, 4, 2, 3
    q, k, v = normal(B * T, heads * D), normal(B * S, key_heads * D), normal(B * S, key_heads * D)
    split = lambda m, length, count: m.reshape(B, length, count, D).transpose(1, 2)
    keys = split(k, S, key_heads).repeat_interleave(heads // key_heads, 1)
    values = split(v, S, key_heads).repeat_interleave(heads // key_heads, 1)
    scores = split(q, T, heads) @ keys.transpose(2, 3) / D**0.5
    hidden = torch.ones(T, S).tril(S - T) == 0
    y = (scores.masked_fill(hidden, -torch.inf).softmax(-1) @ values).transpose(1, 2).reshape(B * T, heads * D)
    inputs = {"q": q, "k": k, "v": v}
    write("attention", "softmax(q kᵀ / √D) v, causal: 3 queries behind 5 keys, 4 heads over 2 key heads of width 3",
          {**inputs, "y": y, **gradients(y, inputs)})
    T, D, first = 4, 6, 2
    x = normal(T, 2 * D)
    angle = torch.outer(torch.arange(first, first + T), 10000 ** (-torch.arange(0, D, 2) / D)).repeat(1, 2).repeat(1, 2)
    half = x.reshape(T, 2, 2, D // 2)
    y = x * angle.cos() + torch.stack((-half[:, :, 1], half[:, :, 0]), 2).reshape(T, 2 * D) * angle.sin()
    write("rotary", "x cos + rotate_half(x) sin as Llama has it: positions 2 to 5, 2 heads of width 6",
          {"x": x, "y": y, **gradients(y, {"x": x})})


def losses():
    N, K = 5, 4
    x = normal(N, K)
    labels = torch.tensor([3, 0, -1, 1, 3])
    weights = torch.tensor([1.5, -2.0, 3.0, 0.25, 0.5])
    targets = torch.rand(N, K, generator=torch.Generator().manual_seed(99))
    counted = (labels >= 0).sum()
    each = F.cross_entropy(x, labels, ignore_index=-1, reduction="none")
    values = {"cross_entropy": F.cross_entropy(x, labels, ignore_index=-1), "row_log_probabilities": -each.reshape(-1, 1),
              "cross_entropy_weighted": (each * weights).sum() / counted, "soft_cross_entropy": F.cross_entropy(x, targets),
              "binary_cross_entropy": F.binary_cross_entropy_with_logits(x, targets),
              "mean_squared_error": F.mse_loss(x, targets), "softmax": F.softmax(x, 1)}
    out = {"x": x, "labels": labels.double(), "weights": weights, "targets": targets}
    for name, y in values.items():
        y = y.reshape(1, 1) if y.dim() == 0 else y
        upstream = torch.ones(1, 1) if y.numel() == 1 else normal(*y.shape).detach()
        out.update({name: y, name + ".d_y": upstream, name + ".d_x": torch.autograd.grad(y, x, upstream, retain_graph=True)[0]})
    write("losses", "torch.nn.functional: losses of the same scores x, and their gradients", out)


def elements():
    x = normal(3, 5)
    positive = (x.detach().abs() + 0.5).requires_grad_()
    functions = {"relu": F.relu, "leaky_relu": lambda t: F.leaky_relu(t, 0.2), "sigmoid": torch.sigmoid, "hyperbolic_tangent": torch.tanh,
                 "gelu": F.gelu, "silu": F.silu, "softplus": F.softplus, "exponential": torch.exp, "sine": torch.sin,
                 "tensor_clamp": lambda t: t.clamp(-0.7, 1.1), "normalise_rows": lambda t: F.normalize(t, dim=1),
                 "logarithm": torch.log, "square_root": torch.sqrt}
    out = {"x": x, "positive": positive}
    for name, function in functions.items():
        of = positive if name in ("logarithm", "square_root") else x
        y = function(of)
        found = gradients(y, {"x": of})
        out.update({name: y, name + ".d_y": found["d_y"], name + ".d_x": found["d_x"]})
    write("elements", "torch: functions of the elements and of the rows of x (of positive: logarithm, square_root)", out)


def optimisers():
    start, steps = normal(4).detach(), normal(6, 4).detach()
    rate, decay = 0.1, 0.05
    methods = {"sgd": lambda p: torch.optim.SGD(p, rate, weight_decay=decay),
               "momentum": lambda p: torch.optim.SGD(p, rate, momentum=0.9, weight_decay=decay),
               "nesterov": lambda p: torch.optim.SGD(p, rate, momentum=0.9, weight_decay=decay, nesterov=True),
               "rmsprop": lambda p: torch.optim.RMSprop(p, rate, alpha=0.9, eps=1e-3, weight_decay=decay),
               "adam": lambda p: torch.optim.Adam(p, rate, betas=(0.8, 0.95), eps=1e-3, weight_decay=decay),
               "adamw": lambda p: torch.optim.AdamW(p, rate, betas=(0.8, 0.95), eps=1e-3, weight_decay=decay)}
    out = {"start": start, "gradients": steps}
    for name, make in methods.items():
        parameter = torch.nn.Parameter(start.clone())
        optimiser, path = make([parameter]), []
        for gradient in steps:
            parameter.grad = gradient.clone()
            optimiser.step()
            path.append(parameter.detach().clone())
        out[name] = torch.stack(path)
    write("optimisers", "torch.optim: the path of four numbers under six given gradients, rate 0.1, decay 0.05; ε 1e-3", out)


def resampling():
    n, H, W, C = 2, 3, 4, 4
    out = {}
    def add(name, y, inputs):
        found = gradients(y, inputs)
        out.update({**{f"{name}.{k}": v for k, v in inputs.items()}, name: y, **{f"{name}.{k}": v for k, v in found.items()}})
    x = normal(n * H * W, C)
    add("upsample", rows(F.interpolate(pictures(x, n, H, W), scale_factor=2, mode="nearest")), {"x": x})
    add("pixel_shuffle", rows(F.pixel_shuffle(pictures(x, n, H, W), 2)), {"x": x})
    x = normal(n * 4 * 6, 3)
    add("pixel_unshuffle", rows(F.pixel_unshuffle(pictures(x, n, 4, 6), 2)), {"x": x})
    O, k = 3, 4
    x, w, b = normal(n * H * W, C), normal(k * k * O, C), normal(O)
    weight = w.reshape(k, k, O, C).permute(3, 2, 0, 1)
    add("conv2d_transposed", rows(F.conv_transpose2d(pictures(x, n, H, W), weight, b, stride=2, padding=1)), {"x": x, "w": w, "b": b})
    x, gain, bias = normal(n * H * W, 6), normal(6), normal(6)
    add("group_norm", rows(F.group_norm(pictures(x, n, H, W), 3, gain, bias, 1e-5)), {"x": x, "gain": gain, "bias": bias})
    write("resampling", "torch.nn.functional: 2 pictures of 3 × 4 (4 × 6 for pixel_unshuffle), factor 2; 4 × 4, stride 2, padding 1; 3 groups", out)


def shaped_attention():
    """A bias of each head, and who may see whom: -1 is padding."""
    B, T, S, heads, D = 2, 3, 4, 2, 3
    q, k, v, bias = normal(B * T, heads * D), normal(B * S, heads * D), normal(B * S, heads * D), normal(heads * T, S)
    of_queries, of_keys = torch.tensor([[0, 1, 1], [2, 0, 2]]), torch.tensor([[0, 1, -1, 1], [0, 2, 2, 0]])
    seen = of_queries[:, None, :, None] == of_keys[:, None, None, :]
    split = lambda m, length: m.reshape(B, length, heads, D).transpose(1, 2)
    scores = split(q, T) @ split(k, S).transpose(2, 3) / D**0.5 + bias.reshape(heads, T, S)
    y = (scores.masked_fill(~seen, -torch.inf).softmax(-1) @ split(v, S)).transpose(1, 2).reshape(B * T, heads * D)
    inputs = {"q": q, "k": k, "v": v, "bias": bias}
    write("attention_shaped", "softmax(q kᵀ / √D + bias) v within regions: 3 queries, 4 keys, 2 heads of width 3",
          {**inputs, "query_regions": of_queries.double(), "key_regions": of_keys.double(), "y": y, **gradients(y, inputs)})


def blocks():
    B, T, S, C, heads, H = 2, 4, 3, 6, 2, 5
    shared = dict(d_model=C, nhead=heads, dim_feedforward=H, dropout=0.0, batch_first=True)
    layers = {"encoder_layer": torch.nn.TransformerEncoderLayer(activation="gelu", norm_first=True, **shared),
              "encoder_layer_post": torch.nn.TransformerEncoderLayer(activation="relu", norm_first=False, **shared),
              "decoder_layer": torch.nn.TransformerDecoderLayer(activation="gelu", norm_first=True, **shared)}
    for name, layer in layers.items():
        for parameter in layer.parameters():
            with torch.no_grad():
                parameter.copy_(normal(*parameter.shape))
        x, memory = normal(B * T, C), normal(B * S, C)
        as_batch = lambda m: m.reshape(B, -1, C)
        if name == "decoder_layer":
            y = layer(as_batch(x), as_batch(memory), tgt_mask=torch.full((T, T), -torch.inf).triu(1))
        else:
            y = layer(as_batch(x), src_key_padding_mask=torch.tensor([[False] * 4, [False] * 3 + [True]]))
        y = y.reshape(B * T, C)
        inputs = {"x": x}
        own = {"norm1.gain": layer.norm1.weight, "norm1.bias": layer.norm1.bias,
               "qkv.weight": layer.self_attn.in_proj_weight, "qkv.bias": layer.self_attn.in_proj_bias,
               "out.weight": layer.self_attn.out_proj.weight, "out.bias": layer.self_attn.out_proj.bias,
               "up.weight": layer.linear1.weight, "up.bias": layer.linear1.bias,
               "down.weight": layer.linear2.weight, "down.bias": layer.linear2.bias}
        last = layer.norm2
        if name == "decoder_layer":
            inputs["memory"] = memory
            cross = layer.multihead_attn
            own.update({"norm_cross.gain": layer.norm2.weight, "norm_cross.bias": layer.norm2.bias,
                        "in_proj.weight": cross.in_proj_weight, "in_proj.bias": cross.in_proj_bias,
                        "cross_out.weight": cross.out_proj.weight, "cross_out.bias": cross.out_proj.bias})
            last = layer.norm3
        own.update({"norm2.gain": last.weight, "norm2.bias": last.bias})
        found = gradients(y, {**inputs, **own})
        out = {**inputs, "y": y, **{n: g for n, g in found.items() if n in ("d_y", "d_x", "d_memory")}}
        for n, value in own.items():
            for prefix, matrix in (("", value), ("d_", found["d_" + n])):
                matrix = matrix.T if matrix.dim() == 2 else matrix
                if n.startswith("in_proj"):  # queries of x; keys and values of the memory
                    kind = n.split(".")[1]
                    out[f"{prefix}cross_query.{kind}"] = matrix[..., :C]
                    out[f"{prefix}cross_memory.{kind}"] = matrix[..., C:]
                else:
                    out[prefix + n] = matrix
        write(name, f"torch.nn.{type(layer).__name__}, {B} sequences of {T} positions, width {C}, {heads} heads", out)


def later_elements():
    x, gain, bias = normal(3, 5), normal(5), normal(5)
    small = (x.detach() / 64).requires_grad_()  # where epsilon matters
    out = {"x": x, "small": small, "gain": gain, "bias": bias}
    for name, of, function in (("tanh_gelu", x, lambda t: F.gelu(t, approximate="tanh")),
                               ("layer_norm", small, lambda t: F.layer_norm(t, (5,), gain, bias, 1e-3)),
                               ("rms_norm", small, lambda t: t * torch.rsqrt(t.pow(2).mean(-1, keepdim=True) + 1e-3) * gain)):
        y = function(of)
        found = gradients(y, {"x": of})
        out.update({name: y, name + ".d_y": found["d_y"], name + ".d_x": found["d_x"]})
    write("elements_later", "torch: GELU by tanh of x; norms of small with epsilon 1e-3", out)


for part in (recurrent, norms, grids, attention, losses, elements, optimisers, resampling, shaped_attention, blocks,
             later_elements):
    part()
