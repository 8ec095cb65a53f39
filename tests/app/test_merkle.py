"""The tree is RFC 6962's: its reference roots, and its recursive definition."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.merkle import EMPTY_ROOT, Frontier, leaf_hash

LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The roots of the first leaf, the first two, and so on, as Certificate Transparency has them."""

leaves = st.lists(st.binary(max_size=8), max_size=70)


def defined(entries: list[bytes]) -> bytes:
    """The root as RFC 6962, section 2.1, defines it."""
    if len(entries) < 2:
        return sha256(b"\0" + entries[0] if entries else b"").digest()
    split = 1
    while 2 * split < len(entries):
        split *= 2
    return sha256(b"\1" + defined(entries[:split]) + defined(entries[split:])).digest()


def grown(entries: list[bytes]) -> Frontier:
    return Frontier().add([leaf_hash(each) for each in entries])


@pytest.mark.parametrize(("size", "root"), [*enumerate(ROOTS, 1)])
def test_the_reference_roots_come_out(size: int, root: str) -> None:
    assert root == grown(LEAVES[:size]).root.hex()


def test_a_tree_without_leaves_has_the_root_of_nothing() -> None:
    assert sha256().digest() == EMPTY_ROOT == Frontier().root


@given(leaves)
def test_the_root_is_that_of_the_definition(entries: list[bytes]) -> None:
    assert defined(entries) == grown(entries).root


@given(leaves, st.integers(0, 70))
def test_it_grows_by_parts_as_it_does_at_once(entries: list[bytes], at: int) -> None:
    before = grown(entries[:at])
    kept = Frontier.from_bytes(before.size, before.to_bytes())

    assert grown(entries) == kept.add([leaf_hash(each) for each in entries[at:]])


@given(leaves.filter(bool), st.data())
def test_any_other_leaf_gives_another_root(entries: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    other = [*entries]
    other[place] += b"!"

    assert grown(entries).root != grown(other).root


@given(leaves)
def test_no_more_is_kept_than_one_root_for_each_whole_subtree(entries: list[bytes]) -> None:
    assert len(grown(entries).roots) == len(entries).bit_count()


@pytest.mark.parametrize(("size", "kept"), [(0, 32), (1, 0), (1, 31), (2, 64), (3, 32)])
def test_what_cannot_be_a_frontier_of_that_size_is_refused(size: int, kept: int) -> None:
    with pytest.raises(ValueError, match="no frontier"):
        Frontier.from_bytes(size, bytes(kept))
