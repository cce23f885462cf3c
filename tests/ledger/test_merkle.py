"""Merkle trees: the platform's and the verifier's own copy must say the same."""

import hashlib

import pytest

from huiyin.ledger import merkle, verify

LEAVES = [hashlib.sha256(b"\x00" + bytes([n])).digest() for n in range(71)]
SIZES = range(1, 71)


def reference(leaves):
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return merkle.node(reference(leaves[:half]), reference(leaves[half:]))


def test_the_root_is_the_one_of_the_known_vectors():
    # The test vectors of Certificate Transparency: eight inputs and the root of each prefix.
    inputs = ["", "00", "10", "2021", "3031", "40414243",
              "5051525354555657", "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    leaves = [hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest() for text in inputs]
    known = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    assert {size: merkle.root(leaves[:size]).hex() for size in known} == known


def test_roots_agree_at_every_size():
    ours: list[bytes] = []
    theirs: list[bytes] = []
    assert merkle.root([]) == merkle.fold([]) == verify.fold([]) == reference([])
    for size in SIZES:
        merkle.push(ours, size - 1, LEAVES[size - 1])
        verify.push(theirs, size - 1, LEAVES[size - 1])
        expected = reference(LEAVES[:size])
        assert merkle.root(LEAVES[:size]) == expected
        assert merkle.fold(ours) == verify.fold(theirs) == expected


def included(leaf, index, size, path, root):
    try:
        return verify.climb(leaf, index, size, path) == root
    except ValueError:
        return False


def continues(old, new, path, old_root, new_root):
    try:
        return verify.replay(old, new, path, old_root) == (old_root, new_root)
    except ValueError:
        return False


def test_every_inclusion_proof_holds_for_its_leaf_and_place_only():
    for size in SIZES:
        tree = merkle.Tree(LEAVES[:size])
        for index in range(size):
            path = tree.inclusion(index)
            for proves in (merkle.proves_inclusion, included):
                assert proves(LEAVES[index], index, size, path, tree.root)
                assert not proves(LEAVES[70], index, size, path, tree.root)
                assert not proves(LEAVES[index], index, size, [*path, LEAVES[0]], tree.root)
                assert not proves(LEAVES[index], index, size, path, LEAVES[70])
                for wrong in {index ^ 1, index + 1, index - 1, size}:
                    assert not proves(LEAVES[index], wrong, size, path, tree.root)
                if path:
                    assert not proves(LEAVES[index], index, size, path[:-1], tree.root)
                    assert not proves(LEAVES[index], index, size, path[1:], tree.root)


def test_every_consistency_proof_holds_for_its_two_books_only():
    roots = [merkle.root(LEAVES[:size]) for size in range(71)]
    for new in SIZES:
        tree = merkle.Tree(LEAVES[:new])
        for old in range(1, new + 1):
            path = tree.consistency(old)
            for proves in (merkle.proves_consistency, continues):
                assert proves(old, new, path, roots[old], roots[new])
                assert not proves(old, new, path, LEAVES[70], roots[new])
                assert not proves(old, new, path, roots[old], LEAVES[70])
                assert not proves(old, new, [*path, LEAVES[0]], roots[old], roots[new])
                assert not proves(old, new, [LEAVES[0], *path], roots[old], roots[new])
                assert not proves(0, new, path, roots[0], roots[new])
                assert not proves(new + 1, new, path, roots[old], roots[new])
                for step in range(len(path)):
                    forged = [*path[:step], LEAVES[70], *path[step + 1 :]]
                    assert not proves(old, new, forged, roots[old], roots[new])
                    dropped = path[:step] + path[step + 1 :]
                    assert not proves(old, new, dropped, roots[old], roots[new])


@pytest.mark.parametrize("index", [-1, 5])
def test_there_is_no_proof_for_a_leaf_outside(index):
    with pytest.raises(IndexError):
        merkle.Tree(LEAVES[:5]).inclusion(index)


@pytest.mark.parametrize("old", [0, 6])
def test_there_is_no_proof_from_a_book_that_is_none_or_longer(old):
    with pytest.raises(ValueError, match="no consistency"):
        merkle.Tree(LEAVES[:5]).consistency(old)
