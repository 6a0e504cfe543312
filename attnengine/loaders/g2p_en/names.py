"""Names of the model of the package g2p_en, and the vocabularies in the package's code."""

from __future__ import annotations

from attnengine.loaders.shared.renaming import Table

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
# ARPAbet in alphabetical order: vowels with a stress, "UW" without one too, and consonants
_VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
_CONSONANTS = (*"BDFGKLMNPRSTVWYZ", "CH", "DH", "HH", "JH", "NG", "SH", "TH", "ZH")
_STRESSED = (f"{vowel}{stress}" for vowel in _VOWELS for stress in range(3))
PHONEMES = ("<pad>", "<unk>", "<s>", "</s>", *sorted(("UW", *_STRESSED, *_CONSONANTS)))
