"""A researcher's own codebook file."""

from pathlib import Path

import pytest

from detente.data.codebook.label_schema import Scheme, read_scheme

COERCION = "name: coercion\nkind: binary\nlabels: [no, yes]\n"
SCALE = "name: scale\nkind: ordinal\nlabels: {hostile: -2, cool: -1, even: 0, warm: 1.5}\n"


def _read(folder: Path, text: str) -> Scheme:
    file = folder / "my.yaml"
    file.write_text(text, "utf-8")
    return read_scheme(file)


def test_a_binary_variable_keeps_its_no_and_yes(tmp_path: Path) -> None:
    (variable,) = _read(tmp_path, COERCION).variables
    assert (variable.name, variable.kind, variable.labels, variable.scores) == (
        "coercion",
        "binary",
        ("no", "yes"),
        None,
    )


def test_labels_with_scores(tmp_path: Path) -> None:
    (variable,) = _read(tmp_path, SCALE).variables
    assert variable.labels == ("hostile", "cool", "even", "warm")
    assert variable.scores == (-2.0, -1.0, 0.0, 1.5)


def test_an_ordinal_list_counts_from_nought(tmp_path: Path) -> None:
    (variable,) = _read(tmp_path, "name: step\nkind: ordinal\nlabels: [1, 2, 3]\n").variables
    assert (variable.labels, variable.scores) == (("1", "2", "3"), (0.0, 1.0, 2.0))


def test_several_variables_and_back(tmp_path: Path) -> None:
    text = "variables:\n" + "".join("- " + part.replace("\n", "\n  ").rstrip() + "\n" for part in (COERCION, SCALE))
    scheme = _read(tmp_path, text)
    assert [variable.name for variable in scheme.variables] == ["coercion", "scale"]
    assert Scheme.from_dict(scheme.to_dict()) == scheme


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a codebook is"),
        ("- 1", "a codebook is"),
        ("name: x\nkind: odd\nlabels: [a, b]", "kind is 'odd'"),
        ("kind: nominal\nlabels: [a, b]", "needs a name"),
        ("name: x\nlabels: [a]", "has 2 to 100 labels, this one has 1"),
        ("name: x\nkind: binary\nlabels: [a, b, c]", "has two labels, this one has 3"),
        ("name: x\nlabels: [a, b, a]", "'a' stands there twice"),
        ("name: x\nlabels: {a: 1, b: high}", "the score of 'b' is 'high'"),
        ("name: x\nlabels: a", "labels must be a list"),
        ("name: x\nlabels: [a, b]\nextra: 1", "unknown keys extra"),
        ("variables: 3", "must be a list"),
        ("variables: []", "no variables"),
        ("variables: [{name: x, labels: [a, b]}, {name: x, labels: [a, b]}]", "two variables are called 'x'"),
        ("name: [", "not YAML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"my\.yaml: ") as caught:
        _read(tmp_path, text)
    assert said in str(caught.value)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        read_scheme(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("name: caf\xe9".encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-8"):
        read_scheme(tmp_path / "latin.yaml")
