"""The output of ``--help``, ``--version`` and shell completion."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import rich_click as click

import attnengine as ae
from attnengine import cli
from attnengine.cli.options import (
    PANELS,
    SEARCH,
    SPEED,
    Declared,
    searching,
    takes,
)
from attnengine.decoding.options import BeamOptions, SamplingOptions, declared
from tests.helpers.cli_runs import Run, refused

COMMANDS = {
    name: cli.COMMANDS.get_command(click.Context(cli.COMMANDS), name)
    for name in cli.COMMANDS.list_commands(click.Context(cli.COMMANDS))
}


@pytest.fixture(autouse=True)
def wide_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_help_and_its_default(run: Run, command: str) -> None:
    status, out, _ = run(command, "--help")
    assert status == 0
    for parameter in COMMANDS[command].params:
        name = (
            parameter.opts[-1] if parameter.param_type_name == "option" else parameter.name.upper()
        )
        [row] = [line for line in out.splitlines() if re.match(rf"│[ *]*{name} ", line)]
        assert re.fullmatch(r"[A-Z].+\.", parameter.help), name
        assert parameter.help in row
        if not getattr(parameter, "is_flag", False):
            assert ("[required]" if parameter.required else "[default: ") in row


@pytest.mark.parametrize("command", ["translate", "generate"])
def test_options_stand_in_panels(run: Run, command: str) -> None:
    _, out, _ = run(command, "--help")
    assert re.findall(r"^╭─ (\w+) ─+╮$", out, re.MULTILINE) == [*PANELS, "Options"]
    sampling = out[out.index(" Sampling ") : out.index(" Speed ")]
    assert re.findall(r"(--[a-z-]+) ", sampling) == ["--temperature", "--top-k", "--seed"]


@pytest.mark.parametrize("command", ["info", "convert", "bench"])
def test_arguments_come_first(run: Run, command: str) -> None:
    _, out, _ = run(command, "--help")
    assert re.findall(r"^╭─ (\w+) ─+╮$", out, re.MULTILINE)[0] == "Arguments"


@pytest.mark.parametrize("given", [["--length-penalty", "-1"], ["--length-penalty=-1"]])
def test_values_may_be_negative(run: Run, given: list[str]) -> None:
    status, out, err = run("translate", *given, stdin=b"beam\n")
    assert (status, err) == (0, "")
    assert out


@pytest.mark.parametrize("given", [["--beam-size"], ["--beam-size", "--json"], ["--output"]])
def test_a_value_that_is_missing(run: Run, given: list[str]) -> None:
    assert run("translate", *given, stdin=b"beam\n")[0] == 2


def test_defaults_of_a_search_are_those_that_help_shows(run: Run, lm: ae.LanguageModel) -> None:
    """A search with the defaults of the help text, given explicitly, finds the same result."""
    beam = ("--length-penalty", 1.0, "--stopping", "candidates", "--num-hypotheses", 1)
    batch = ("--max-batch-size", 32)
    plain = run("translate", "--json", stdin=b"attention\n")
    sizes = ("--beam-size", 5, "--num-candidates", 5, "--min-new-tokens", 1)
    limit = ("--max-new-tokens", 2 * len("attention") + 10)
    assert plain == run("translate", "--json", *beam, *batch, *sizes, *limit, stdin=b"attention\n")
    model = ("--json", "--model", lm.path)
    sizes = ("--beam-size", 1, "--num-candidates", 1, "--min-new-tokens", 0)
    plain = run("generate", *model, stdin=b"ab\n")
    limit = ("--max-new-tokens", 256)
    assert plain == run("generate", *model, *beam, *batch, *sizes, *limit, stdin=b"ab\n")


def test_declared_options_become_parameters() -> None:
    given: dict[str, Any] = {}

    @takes(
        Declared("fast", int, SPEED, "How fast.", default=3),
        Declared("deep", float, SEARCH, "How deep.", shown="as deep as it goes"),
    )
    def command(**options: Any) -> None:
        given.update(options)

    command.main(["--deep", "0.5"], standalone_mode=False)
    assert given == {"fast": 3, "deep": 0.5}
    assert [parameter.name for parameter in command.params] == ["deep", "fast"]


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"attnengine {ae.__version__}\n", "")


@pytest.mark.parametrize("given", [["--", "--versio"], ["--", "-x"], ["-x"]])
def test_what_is_no_command(run: Run, given: list[str]) -> None:
    status, _, err = run(*given)
    assert status == 2
    assert len(err.splitlines()) == 1


def test_a_misspelt_command_is_corrected(run: Run) -> None:
    assert refused(run("transalte"), "No such command 'transalte'", "Did you mean 'translate'?")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("attnengine tr", ["translate"]),
        ("attnengine translate --beam", ["--beam-size"]),
        ("attnengine translate --precision b", ["bfloat16"]),
        ("attnengine generate --stopping ", ["candidates", "optimal"]),
        ("attnengine encode --pooling m", ["mean", "max", "mean_sqrt"]),
    ],
)
def test_completion_in_bash(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: str, completed: list[str]
) -> None:
    monkeypatch.setenv("_ATTNENGINE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    capture = run.capture
    capture.readouterr()
    with pytest.raises(SystemExit) as stopped:
        cli.run([])
    assert stopped.value.code == 0
    lines = capture.readouterr().out.decode().split()
    assert [line.removeprefix("plain,") for line in lines] == completed


def test_every_declared_option_can_be_given(run: Run, lm: ae.LanguageModel) -> None:
    """The command line takes every search option with the values that its check accepts."""
    spelled = {int: 1, float: 1.0, str: "optimal", list: 3}
    beam = [option for option in declared(BeamOptions) if option.check.kind is not None]
    own = [option for option in declared(SamplingOptions) if option not in declared(BeamOptions)]
    assert "rules" not in searching("generate")
    for options in (beam, own):
        given: list[object] = []
        for option in options:
            if option.name == "return_attention":  # a language model has no source to attend to
                continue
            given.append("--" + option.name.replace("_", "-"))
            if option.check.kind is not bool:
                given.append(spelled[option.check.kind])
        status, out, err = run("generate", "--json", "--model", lm.path, *given, stdin=b"ab\n")
        assert (status, err) == (0, "")
        assert ("tree" in json.loads(out)) == (options is beam)


def test_a_list_is_given_one_by_one(run: Run, lm: ae.LanguageModel) -> None:
    last = lm.config["vocab_size"] - 1
    model = ("--model", lm.path, "--max-new-tokens", 1)
    every_other = [f"--suppress={token}" for token in range(last)]
    _, out, _ = run("generate", *model, "--json", *every_other, stdin=b"ab\n")
    assert json.loads(out)["hypotheses"][0]["ids"] == [last]
