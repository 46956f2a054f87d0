"""A road graph as arrays: places of nodes, seconds of arcs; what is stored, and what shortest paths are found on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.domain.place import Floats, Wgs84Point

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
_FIELDS = ("lonlats", "tails", "heads", "seconds", "is_stop")


class InvalidRoads(InvalidInput):
    """A road file that cannot be used."""

    code = "invalid-roads"


class RoutingMissing(DispatchError):
    """The packages for roads are not installed."""

    code = "routing-missing"
    status = 503

    def __init__(self) -> None:
        super().__init__("路网计算缺少组件: 请运行 pip install --require-hashes -r requirements-routing.txt")


@dataclass(frozen=True, slots=True, eq=False)
class RoadGraph:
    """Roads on which every node reaches every other.

    Attributes:
        lonlats: WGS-84 degrees of the nodes, shape (n, 2).
        tails: Where each arc begins: a node's position; shape (m,).
        heads: Where it ends, shape (m,). No two arcs join the same two nodes in the same direction.
        seconds: Free drive along it, above 0, shape (m,).
        is_stop: Whether a car can stop at the node: no motorway, bridge or tunnel; shape (n,).
    """

    lonlats: Floats
    tails: Ints
    heads: Ints
    seconds: Floats
    is_stop: Flags

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in WGS-84 degrees."""
        west, south = self.lonlats.min(axis=0)
        east, north = self.lonlats.max(axis=0)
        return float(west), float(south), float(east), float(north)

    def to_bytes(self) -> bytes:
        """Return it as a compressed npz."""
        file = io.BytesIO()
        np.savez_compressed(file, **{name: getattr(self, name) for name in _FIELDS})
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> RoadGraph:
        """Return what `to_bytes` made.

        Raises:
            InvalidRoads: if it is damaged.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                return cls(*(arrays[name] for name in _FIELDS))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InvalidRoads("路网数据已损坏, 请重新导入 (import-roads)") from error


def scipy() -> ModuleType:
    """Return scipy with the parts that are used here.

    Raises:
        RoutingMissing: if it is not installed.
    """
    try:
        import scipy.sparse.csgraph
        import scipy.spatial
    except ImportError as error:
        raise RoutingMissing from error
    module: ModuleType = scipy
    return module


def graph_of(lonlats: Floats, tails: Ints, heads: Ints, seconds: Floats, is_stop: Flags) -> RoadGraph:
    """Make a graph of raw arcs: the quickest of parallel ones, and the largest part in which all reach all.

    Raises:
        InvalidRoads: if nothing is left on which a car can stop.
        RoutingMissing: without scipy.
    """
    order = np.lexsort((seconds, heads, tails))
    tails, heads, seconds = tails[order], heads[order], seconds[order]
    is_first = np.ones(len(tails), dtype=bool)
    is_first[1:] = (np.diff(tails) != 0) | (np.diff(heads) != 0)
    is_first &= tails != heads
    tails, heads, seconds = tails[is_first], heads[is_first], seconds[is_first]
    is_kept = _largest_part(len(lonlats), tails, heads)
    if not (is_kept & is_stop).any():
        raise InvalidRoads("文件里没有可以行车的路网: 请选择本市的 OpenStreetMap 道路数据 (.osm.pbf)")
    place = np.cumsum(is_kept, dtype=np.int32) - 1
    is_arc = is_kept[tails] & is_kept[heads]
    return RoadGraph(
        lonlats[is_kept],
        place[tails[is_arc]].astype(np.int32),
        place[heads[is_arc]].astype(np.int32),
        seconds[is_arc],
        is_stop[is_kept],
    )


def _largest_part(count: int, tails: Ints, heads: Ints) -> Flags:
    """Return which nodes belong to the largest strongly connected part; none where there is no arc."""
    if not len(tails):
        return np.zeros(count, dtype=bool)
    sparse = scipy().sparse
    matrix = sparse.csr_matrix((np.ones(len(tails), dtype=np.int8), (tails, heads)), shape=(count, count))
    _, part = sparse.csgraph.connected_components(matrix, directed=True, connection="strong")
    is_largest: Flags = part == np.bincount(part).argmax()
    return is_largest


def lonlats_of(points: Sequence[Wgs84Point]) -> Floats:
    """Return places as an array of degrees, shape (n, 2)."""
    return np.array([(point.lon, point.lat) for point in points], dtype=float).reshape(-1, 2)
