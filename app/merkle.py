"""The Merkle tree of RFC 6962, as far as a log needs it that grows at its end."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
_HASH = 32


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of one leaf (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of ``size`` leaves: the roots of its whole subtrees, the largest first.

    That is all that has to be kept to add leaves and to tell the root.
    """

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def add(self, hashes: list[bytes]) -> Frontier:
        """Return the tree with these leaf hashes added at its end."""
        size, roots = self.size, list(self.roots)
        for each in hashes:
            size, joined, carry = size + 1, each, size
            while carry & 1:
                joined = _node_hash(roots.pop(), joined)
                carry >>= 1
            roots.append(joined)
        return Frontier(size, tuple(roots))

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self.roots:
            return EMPTY_ROOT
        *rest, root = self.roots
        for each in reversed(rest):
            root = _node_hash(each, root)
        return root

    def to_bytes(self) -> bytes:
        return b"".join(self.roots)

    @classmethod
    def from_bytes(cls, size: int, packed: bytes) -> Frontier:
        """Read what :meth:`to_bytes` wrote.

        :raises ValueError: if it cannot be the frontier of a tree of that size.
        """
        if len(packed) != _HASH * size.bit_count():
            raise ValueError(f"{len(packed)} bytes are no frontier of {size} leaves")
        roots = tuple(packed[at : at + _HASH] for at in range(0, len(packed), _HASH))
        return cls(size, roots)
