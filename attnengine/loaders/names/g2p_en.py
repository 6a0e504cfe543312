"""The model of the package g2p_en: its names, and the vocabularies that its code holds."""

from __future__ import annotations

from attnengine.loaders.names import Table

TABLE: Table = (
    (r"enc_emb", ("encoder.embedding.weight",)),
    (r"dec_emb", ("decoder.embedding.weight",)),
    (r"enc_w_(ih|hh)", (r"encoder.rnn.weight_\1_l0",)),
    (r"enc_b_(ih|hh)", (r"encoder.rnn.bias_\1_l0",)),
    (r"dec_w_(ih|hh)", (r"decoder.rnn.weight_\1_l0",)),
    (r"dec_b_(ih|hh)", (r"decoder.rnn.bias_\1_l0",)),
    (r"fc_w", ("decoder.output.weight",)),
    (r"fc_b", ("decoder.output.bias",)),
)

GRAPHEMES = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
PHONEMES = tuple(
    """<pad> <unk> <s> </s> AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B
    CH D DH EH0 EH1 EH2 ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0
    OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1 UH2 UW UW0 UW1 UW2 V W Y Z ZH""".split()
)
