"""Agreement, against published worked examples and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from detente.data.annotation.agreement import agreement, kappa
from detente.data.annotation.label_table import Labelled
from detente.data.codebook.label_schema import Variable

#: Krippendorff 2011, section C: four observers, twelve units, values 1 to 5, gaps marked by a star.
OBSERVERS = {
    "A": "1 2 3 3 2 1 4 1 2 * * *",
    "B": "1 2 3 3 2 2 4 1 2 5 * 3",
    "C": "* 3 3 3 2 3 4 2 2 5 1 *",
    "D": "1 2 3 3 2 4 4 1 2 5 1 *",
}


def _rows(said: dict[str, str]) -> list[Labelled]:
    return [
        Labelled(sentence=f"unit {unit}", dyad="CHN-USA", coder=coder, labels={"x": value}, where="t:1")
        for coder, values in said.items()
        for unit, value in enumerate(values.split())
        if value != "*"
    ]


def test_krippendorffs_own_example() -> None:
    found = agreement(_rows(OBSERVERS), Variable(name="x", kind="ordinal", labels=tuple("12345")))
    assert found.nominal.value == pytest.approx(0.743, abs=5e-4)
    assert found.ordinal is not None
    assert found.ordinal.value == pytest.approx(0.815, abs=5e-4)
    assert found.nominal.low < found.nominal.value < found.nominal.high
    assert (found.units, found.single, len(found.pairs)) == (11, 1, 6)
    assert {d.row.sentence for d in found.differences} == {"unit 1", "unit 5", "unit 7"}


def test_krippendorffs_two_observers() -> None:
    # Krippendorff 2011, sections A and B: binary data, and nominal data with five labels.
    binary = {"A": "0 1 0 0 0 0 0 0 1 0", "B": "1 1 1 0 0 1 0 0 0 0"}
    found = agreement(_rows(binary), Variable(name="x", kind="nominal", labels=("0", "1")))
    assert found.nominal.value == pytest.approx(0.095, abs=5e-4)
    nominal = {"A": "a a b b d c c c e d d a", "B": "b a b b b c c c e d d d"}
    found = agreement(_rows(nominal), Variable(name="x", kind="nominal", labels=tuple("abcde")))
    assert found.nominal.value == pytest.approx(0.692, abs=5e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40), st.booleans())
def test_kappa_is_scikit_learns(pairs: list[tuple[int, int]], weighted: bool) -> None:
    first, second = (list(values) for values in zip(*pairs, strict=True))
    table = np.zeros((4, 4))
    np.add.at(table, (first, second), 1)
    ours = float(kappa(table, weighted=weighted))
    if len({*first, *second}) == 1:
        assert np.isnan(ours)
        return
    theirs = cohen_kappa_score(first, second, labels=[0, 1, 2, 3], weights="quadratic" if weighted else None)
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_one_label_has_no_alpha() -> None:
    found = agreement(_rows({"A": "1 1", "B": "1 1"}), Variable(name="x", kind="nominal", labels=("1", "2")))
    assert np.isnan(found.nominal.value)
    assert found.pairs[0].same == 1.0
    assert found.differences == []


def test_two_coders_are_needed() -> None:
    two = Variable(name="x", kind="nominal", labels=("1", "2"))
    with pytest.raises(ValueError, match=r"no sentence was labelled by two coders; there is 1 \(A\) on 2 sentences"):
        agreement(_rows({"A": "1 2"}), two)
    with pytest.raises(ValueError, match="t:1: no coder"):
        agreement(_rows({"": "1 2"}), two)
