"""Scores pronunciations and prints them from the worst to the best perplexity."""

from __future__ import annotations

from attnengine import g2p

WORD = "record"
PRONUNCIATIONS = ["R EH1 K ER0 D", "R AH0 K AO1 R D", "R IY1 K AA0 R D", "T EH1 S T"]


def main() -> None:
    model = g2p.load_g2p()
    scores = model.score([WORD] * len(PRONUNCIATIONS), PRONUNCIATIONS)
    ranked = sorted(zip(PRONUNCIATIONS, scores, strict=True), key=lambda pair: -pair[1].perplexity)
    for pronunciation, score in ranked:
        print(f"{score.log_prob:9.3f}  perplexity {score.perplexity:9.2f}  {pronunciation}")
        print("          ", " ".join(f"{x:.2f}" for x in score.token_log_probs))


if __name__ == "__main__":
    main()
