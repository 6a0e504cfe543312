from __future__ import annotations

import json
from pathlib import Path

import pytest

import attnengine as ae
from attnengine.cli import text_files
from tests.helpers.cli_runs import Run, refused


def test_one_line_out_for_each_line_in(run: Run, seq2seq: ae.Seq2Seq) -> None:
    status, out, err = run("translate", "--model", seq2seq.path, stdin=b"abc\n\nde\r\n\nh")
    texts = [seq2seq.translate(text).text for text in ("abc", "", "de", "", "h")]
    assert (status, err) == (0, "")
    assert out == "".join(text + "\n" for text in texts)
    assert out.split("\n")[1] == ""


def test_only_lf_ends_a_line(run: Run, seq2seq: ae.Seq2Seq) -> None:
    source = "a\u2028b\x0bc\x85d\re\n"
    _, out, _ = run("translate", "--model", seq2seq.path, stdin=source.encode())
    assert out == seq2seq.translate(source[:-1]).text + "\n"


def test_a_byte_order_mark_is_no_text(run: Run, seq2seq: ae.Seq2Seq) -> None:
    _, out, _ = run("translate", "--model", seq2seq.path, stdin=b"\xef\xbb\xbfabc\n")
    assert out == seq2seq.translate("abc").text + "\n"


def test_json_holds_all_of_a_result(run: Run, seq2seq: ae.Seq2Seq, lm: ae.LanguageModel) -> None:
    options = ["--json", "--num-hypotheses", 3]
    status, out, _ = run("translate", "--model", seq2seq.path, *options, stdin=b"abc\n\n")
    wanted = [seq2seq.translate(text, num_hypotheses=3).to_dict() for text in ("abc", "")]
    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == wanted
    # an empty prompt is not continued, although the model could continue it
    _, out, _ = run("generate", "--model", lm.path, "--json", stdin=b"\n")
    assert json.loads(out) == wanted[1]


def test_search_options(run: Run, seq2seq: ae.Seq2Seq, lm: ae.LanguageModel) -> None:
    _, out, _ = run(
        *("translate", "--model", seq2seq.path, "--beam-size", 3, "--num-hypotheses", 2),
        *("--length-penalty", 0.5, "--stopping", "optimal", "--max-new-tokens", 7),
        *("--min-new-tokens", 2, "--num-threads", 1, "--max-batch-size", 1),
        stdin=b"abc\nde\n",
    )
    results = seq2seq.translate(
        ["abc", "de"],
        beam_size=3,
        num_hypotheses=2,
        length_penalty=0.5,
        stopping="optimal",
        max_new_tokens=7,
        min_new_tokens=2,
    )
    assert out.splitlines() == ["\t".join(h.text for h in r.hypotheses) for r in results]
    sampling = ["--temperature", 1.5, "--top-k", 4, "--seed", 7, "--max-new-tokens", 9]
    _, out, _ = run("generate", "--model", lm.path, *sampling, stdin=b"ab\n")
    text = lm.generate("ab", temperature=1.5, top_k=4, seed=7, max_new_tokens=9).text
    assert out == text_files.one_line(text) + "\n"


def test_line_ends_in_results_stay_on_their_line() -> None:
    assert text_files.one_line("a\nb\r") == r"a\nb\r"


def test_long_input_goes_through_in_chunks(
    run: Run, seq2seq: ae.Seq2Seq, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(text_files, "_CHUNK", 2)
    written: list[int] = []
    write = text_files.write_lines
    monkeypatch.setattr(
        text_files, "write_lines", lambda s, some: [written.append(len(some)), write(s, some)]
    )
    texts = ["abc", "de", "h", "ab", "gfe"]
    (tmp_path / "in").write_text("\n".join(texts))
    files = ["--input", tmp_path / "in", "--output", tmp_path / "out"]
    status, out, _ = run("translate", "--model", seq2seq.path, *files)
    assert (status, out, written) == (0, "", [2, 2, 1])
    wanted = "".join(result.text + "\n" for result in seq2seq.translate(texts))
    assert (tmp_path / "out").read_text() == wanted
    # the command stops at the error in line 4; the chunks before it are written
    (tmp_path / "in").write_bytes(b"abc\nde\nh\na\xffb\ngfe\n")
    assert refused(run("translate", "--model", seq2seq.path, *files), "line 4: byte 0xff at pos")
    assert len((tmp_path / "out").read_text().splitlines()) == 2


def test_score(run: Run, seq2seq: ae.Seq2Seq, lm: ae.LanguageModel, tmp_path: Path) -> None:
    scored = seq2seq.score(["abc", "de"], ["P1 P2", "P3"])
    wanted = [f"{scored[0].log_prob:.6f}", "", f"{scored[1].log_prob:.6f}"]
    pairs = b"abc\tP1 P2\n\nde\tP3\n"
    assert run("score", "--model", seq2seq.path, stdin=pairs)[1].splitlines() == wanted
    (tmp_path / "in").write_text("abc\n\nde\n")
    (tmp_path / "target").write_text("P1 P2\n\nP3")
    files = ["--input", tmp_path / "in", "--target", tmp_path / "target"]
    assert run("score", "--model", seq2seq.path, *files)[1].splitlines() == wanted
    _, out, _ = run("score", "--model", lm.path, "--json", "--max-batch-size", 1, stdin=b"abc\n\n")
    dicts = [json.loads(line) for line in out.splitlines()]
    assert dicts == [lm.score("abc").to_dict(), ae.Score([], [], []).to_dict()]


def test_what_score_refuses(
    run: Run, seq2seq: ae.Seq2Seq, lm: ae.LanguageModel, tmp_path: Path
) -> None:
    model = ["--model", seq2seq.path]
    assert refused(run("score", *model, stdin=b"a\tP1\nab\n"), "line 2: no tab, expected source,")
    assert refused(run("score", *model, stdin=b"a\tP1\n\tP1\n"), "line 2: the source has no tokens")
    assert refused(run("score", *model, stdin=b"\n\na\tP1 X\n"), "line 3: token 'X' at position 1")
    (tmp_path / "target").write_text("P1\nP2\n")
    more = run("score", *model, "--target", tmp_path / "target", stdin=b"a\n")
    assert refused(more, "standard input has 1 lines", "target has more")
    given = run("score", "--model", lm.path, "--target", tmp_path / "target", stdin=b"a\n")
    assert refused(given, "target is", "expected none with a language model")


def test_bad_input_is_one_line_and_status_2(
    run: Run, seq2seq: ae.Seq2Seq, lm: ae.LanguageModel, tmp_path: Path
) -> None:
    model = ["--model", seq2seq.path]
    assert refused(run("translate", *model, stdin=b""), "standard input is empty")
    assert refused(
        run("translate", *model, stdin=b"abc\nd\xff\n"), "line 2: byte 0xff at position 1"
    )
    assert refused(
        run("generate", "--model", lm.path, stdin=b"ab\n\naxb\n"), "line 3: token 'x' at"
    )
    missing = tmp_path / "nowhere"
    assert refused(run("translate", *model, "--input", missing), str(missing), "No such file")
    assert refused(run("translate", "--model", missing, stdin=b"a\n"), str(missing))
    assert refused(run("translate", *model, "--output", missing / "x", stdin=b"a\n"), str(missing))
    assert refused(run("translate", *model, "--output", tmp_path, stdin=b"a\n"), str(tmp_path))
    assert refused(run("translate", *model, "--beam-size", 0), "beam_size is 0, expected an int")
    assert refused(run("translate", *model, "--beam-size", "x"), "--beam-size")
    assert refused(run("translate", *model, "--length-penalty", "nan"), "length_penalty is nan")
    assert refused(run("translate", *model, "--stopping", "now"), "stopping is 'now'")
    assert refused(run("translate", *model, "--num-threads", 0), "num_threads is 0")
    assert refused(run("translate", *model, "--bean-size", 1), "--bean-size")
    assert refused(run("translate", *model, "word"), "word")
    assert refused(run("translate", "--model", lm.path), "expected an encoder-decoder to translate")
    assert refused(run("generate", *model), "expected a language model to generate")
    assert refused(run("generate"), "--model")
    assert refused(run("score"), "--model")
    assert refused(run("transalte"), "transalte")
    assert refused(run(), "command")


def test_output_is_never_the_input(run: Run, seq2seq: ae.Seq2Seq, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("abc\n")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    files = ["--input", tmp_path / "in", "--output", tmp_path / "link"]
    assert refused(run("translate", "--model", seq2seq.path, *files), "is an input too")
    assert (tmp_path / "in").read_text() == "abc\n"
