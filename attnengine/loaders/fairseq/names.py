"""fairseq's LSTM encoder-decoders (Luong et al. 2015): names, options, dictionaries."""

from __future__ import annotations

from attnengine.loaders.shared.renaming import Table

TABLE: Table = (
    (r"(encoder|decoder)\.embed_tokens\.weight", (r"\1.embedding.weight",)),
    (
        r"encoder\.lstm\.((?:weight|bias)_(?:ih|hh)_l[0-9]{1,3}(?:_reverse)?)",
        (r"encoder.rnn.\1",),
    ),
    (r"decoder\.encoder_(hidden|cell)_proj\.(weight|bias)", (r"bridge.\1.\2",)),
    (
        r"decoder\.layers\.([0-9]{1,3})\.((?:weight|bias)_(?:ih|hh))",
        (r"decoder.rnn.\2_l\1",),
    ),
    (r"decoder\.attention\.input_proj\.(weight|bias)", (r"decoder.attention.query.\1",)),
    (r"decoder\.attention\.output_proj\.(weight|bias)", (r"decoder.readout.\1",)),
    (r"decoder\.additional_fc\.(weight|bias)", (r"additional.\1",)),
    (r"decoder\.fc_out\.(weight|bias)", (r"decoder.output.\1",)),
)

ARCHITECTURES = ("lstm", "lstm_wiseman_iwslt_de_en", "lstm_luong_wmt_en_de")

# option -> values that attnengine supports, the default first. Every file has the option of an
# adaptive softmax, so its weights tell whether it is used.
ONLY: dict[str, tuple[str, ...]] = {"residuals": ("False", "0")}

# The first ids of every dictionary, which the files leave out.
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
BOS_ID, PAD_ID, EOS_ID, UNK_ID = range(len(SPECIAL))
