"""Who is it? Probes searched in a gallery: rank-1 to rank-k, and TPIR at a false-positive rate.

In: one embedding per enrolled person, embeddings of probes, who they are. A probe whose person is enrolled is mated.
Out: closed-set rates over the mated probes, open-set rates at thresholds set by the others.
Source: ISO/IEC 19795-1, terms; Whitelam et al. 2017, IJB-B, section on 1:N.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import normalized

_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Identification:
    """Fractions of the mated probes."""

    mated: int
    non_mated: int
    rank: dict[int, float]
    """Their own person is among the k most alike; a tie counts against them."""
    tpir: dict[float, float | None]
    """By FPIR: their own person is the most alike and above the threshold that lets at most that fraction of non-mated
    probes pass. None where there are too few non-mated probes to measure that FPIR."""
    protocol: str = "1:N identification"


def identify(
    gallery: NDArray[np.float32],
    gallery_ids: NDArray[np.int64],
    probes: NDArray[np.float32],
    probe_ids: NDArray[np.int64],
    ranks: Sequence[int] = (1, 5),
    fpirs: Sequence[float] = (0.1, 0.01),
) -> Identification:
    """Search probes in a gallery by cosine.

    Args:
        gallery: float32 (G, E), of any length.
        gallery_ids: (G,), everybody once.
        probes: float32 (Q, E).
        probe_ids: (Q,).
        ranks: which ranks to state.
        fpirs: which false-positive identification rates to state.

    Raises:
        InputError: shapes that do not match, somebody enrolled twice, or no mated probe.
    """
    if len(gallery) != len(gallery_ids) or len(probes) != len(probe_ids):
        raise InputError(
            f"{len(gallery)} embeddings for {len(gallery_ids)} enrolled, {len(probes)} for {len(probe_ids)} probes",
            fix="give one embedding per person enrolled and per probe",
        )
    ids, counts = np.unique(gallery_ids, return_counts=True)
    if (counts > 1).any():
        raise InputError(f"person {int(ids[counts > 1][0])} is enrolled twice", fix="pool everybody's images first")
    mated = np.isin(probe_ids, gallery_ids)
    if not mated.any():
        raise InputError("no probe shows anybody who is enrolled", fix="check that both lists use the same ids")
    top, own_rank = _search(normalized(gallery), gallery_ids, normalized(probes), probe_ids)
    hits = mated & (own_rank == 1)
    strangers = np.sort(top[~mated])[::-1]
    return Identification(
        mated=int(mated.sum()),
        non_mated=len(strangers),
        rank={rank: float((own_rank[mated] <= rank).mean()) for rank in ranks},
        tpir={fpir: _tpir(top[hits], int(mated.sum()), strangers, fpir) for fpir in fpirs},
    )


def _search(
    gallery: NDArray[np.float64],
    gallery_ids: NDArray[np.int64],
    probes: NDArray[np.float64],
    probe_ids: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For every probe the highest cosine, and its own person's rank; the gallery's size + 1 where not enrolled."""
    top = np.empty(len(probes))
    own_rank = np.empty(len(probes), np.int64)
    for start in range(0, len(probes), _CHUNK):
        part = slice(start, start + _CHUNK)
        cosines = probes[part] @ gallery.T
        is_own = gallery_ids == probe_ids[part, None]
        own = np.where(is_own, cosines, -np.inf).max(axis=1)
        top[part] = cosines.max(axis=1)
        own_rank[part] = 1 + ((cosines >= own[:, None]) & ~is_own).sum(axis=1)
    return top, own_rank


def _tpir(hits: NDArray[np.float64], mated: int, strangers: NDArray[np.float64], fpir: float) -> float | None:
    allowed = int(np.floor(fpir * len(strangers) * (1 + 1e-12)))
    if allowed < 1:
        return None
    if allowed >= len(strangers):
        return len(hits) / mated
    return float((hits > strangers[allowed]).sum() / mated)
