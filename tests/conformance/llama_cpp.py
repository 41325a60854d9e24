"""Serves a model of half a megabyte by llama.cpp's own server, at the port that is given; the model's file goes into the folder given.

The model is noise: its weights are random, but for the output layer, which leans towards what closes a string, a list or an object. Held
to a schema it says something short of the right form.
"""

import pathlib
import signal
import sys

import gguf
import numpy
import xllamacpp

EMBEDDING, LAYERS, HEADS, FEED_FORWARD, CONTEXT = 64, 2, 4, 128, 65_536
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def vocabulary() -> list[tuple[bytes, gguf.TokenType]]:
    kind = gguf.TokenType
    tokens = [(b"<unk>", kind.UNKNOWN), (b"<s>", kind.CONTROL), (b"</s>", kind.CONTROL)]
    tokens += [(b"<0x%02X>" % byte, kind.BYTE) for byte in range(256)]
    tokens += [(bytes([letter]), kind.NORMAL) for letter in range(33, 127)]
    return tokens + [("\u2581".encode(), kind.NORMAL), (b"<|im_start|>", kind.CONTROL), (b"<|im_end|>", kind.CONTROL)]


def write(path: pathlib.Path) -> None:
    tokens = [token for token, _ in vocabulary()]
    random = numpy.random.default_rng(7)

    def noise(*shape: int, scale: float) -> numpy.ndarray:
        return (random.standard_normal(shape) * scale).astype(numpy.float32)

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("noise")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-100.0 if kind == gguf.TokenType.BYTE else -1.0 for _, kind in vocabulary()])
    writer.add_token_types([kind for _, kind in vocabulary()])
    writer.add_bos_token_id(tokens.index(b"<s>"))
    writer.add_eos_token_id(tokens.index(b"<|im_end|>"))
    writer.add_unk_token_id(tokens.index(b"<unk>"))
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)

    # No layer writes to channel 0, so that it carries a constant, by which the output layer leans.
    embedding = noise(len(tokens), EMBEDDING, scale=0.3)
    embedding[:, 0] = 1.0
    writer.add_tensor("token_embd.weight", embedding)
    ones = numpy.ones(EMBEDDING, numpy.float32)
    for layer in range(LAYERS):
        shapes = {name: (EMBEDDING, EMBEDDING) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        shapes |= {"ffn_gate": (FEED_FORWARD, EMBEDDING), "ffn_up": (FEED_FORWARD, EMBEDDING)}
        shapes |= {"ffn_down": (EMBEDDING, FEED_FORWARD)}
        for name, shape in shapes.items():
            weights = noise(*shape, scale=0.03)
            if name in ("attn_output", "ffn_down"):
                weights[0, :] = 0
            writer.add_tensor(f"blk.{layer}.{name}.weight", weights)
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", ones)
        writer.add_tensor(f"blk.{layer}.ffn_norm.weight", ones)
    writer.add_tensor("output_norm.weight", ones)
    output = noise(len(tokens), EMBEDDING, scale=0.05)
    output[:, 0] = -2.0
    for closing in (b'"', b"]", b"}", b"<|im_end|>"):
        output[tokens.index(closing), 0] = 2.0
    writer.add_tensor("output.weight", output)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    model = folder / "noise.gguf"
    write(model)
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.port = port
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.use_jinja = True
    params.fit_params = False
    params.sampling.temp = 0.0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
