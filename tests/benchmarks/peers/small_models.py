"""The models of the peers' benchmark with tiny sizes."""

from __future__ import annotations

from benchmarks.peers import shapes
from benchmarks.peers.models import Model


def small(model: Model, **sizes: int) -> Model:
    return Model(f"small-{model.name}", model.config | sizes)


LSTM_LM = small(shapes.LSTM_LM, vocab_size=23, embedding_size=8, hidden_size=8)
RNNSEARCH = small(
    shapes.RNNSEARCH,
    source_vocab_size=23,
    target_vocab_size=23,
    source_embedding_size=6,
    target_embedding_size=6,
    encoder_hidden_size=5,
    decoder_hidden_size=7,
    attention_size=4,
    readout_size=9,
)
OPENNMT = small(
    shapes.OPENNMT,
    source_vocab_size=23,
    target_vocab_size=23,
    source_embedding_size=6,
    target_embedding_size=6,
    encoder_hidden_size=7,
    decoder_hidden_size=7,
    readout_size=7,
)
MARIAN = small(
    shapes.MARIAN,
    d_model=16,
    encoder_layers=1,
    decoder_layers=1,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    encoder_ffn_dim=12,
    decoder_ffn_dim=12,
    vocab_size=23,
    max_position_embeddings=64,
    pad_token_id=22,
    decoder_start_token_id=22,
)
T5 = small(
    shapes.T5, d_model=16, d_kv=4, d_ff=12, num_layers=1, num_decoder_layers=1, vocab_size=23
)
GPT2 = small(
    shapes.GPT2,
    vocab_size=23,
    n_positions=64,
    n_embd=16,
    n_layer=1,
    n_head=2,
    bos_token_id=22,
    eos_token_id=22,
)
QWEN2 = small(
    shapes.QWEN2,
    vocab_size=23,
    hidden_size=16,
    intermediate_size=12,
    num_hidden_layers=1,
    num_attention_heads=4,
    bos_token_id=22,
    eos_token_id=22,
)
MINILM = small(
    shapes.MINILM,
    vocab_size=23,
    hidden_size=16,
    intermediate_size=12,
    num_hidden_layers=1,
    num_attention_heads=2,
    max_position_embeddings=64,
)
