"""Blenderbot-small (Roller et al. 2021): BART; the decoder adds positions after the norm."""

from __future__ import annotations

from dataclasses import replace

from attnengine import _core
from attnengine.models.matrix import Matrix
from attnengine.models.parts.vocabulary import embedding
from attnengine.models.registry import register
from attnengine.models.seq2seqs import bart
from attnengine.models.weights import Weights


@register("blenderbot-small", config=bart.Config)
def build(config: bart.Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from the weights of BART."""
    model = weights.under("model")
    source, _, output = bart.vocabulary(config, weights)
    normed = embedding(weights, norm_tokens(config, model))
    unscaled = replace(config, scale_embedding=False)  # the norm undoes scales
    return _core.TransformerSeq2Seq(
        encoder=bart.encoder(config, bart.Layout(embedding_norm=True), model, source),
        decoder=bart.decoder(unscaled, bart.Layout(), model, normed, output),
    )


def norm_tokens(config: bart.Config, model: Weights) -> Matrix:
    """Return the normalised rows of all target tokens: the norm depends on the token alone."""
    size, w = config.d_model, model.under("decoder.layernorm_embedding")
    weight, bias = w.take("weight", size), w.take("bias", size)
    table = model.matrix(bart.table_names(config, model)[1], config.target_vocab_size, size)
    return table.each(lambda rows: _core.layer_norm(rows, weight, bias, 1e-5, 1))
