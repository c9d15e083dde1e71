"""The classifier that training needs and deployment throws away: margin softmax over normalised embeddings.

Source: Deng et al. 2019, arXiv:1801.07698, equation 3 (ArcFace); Wang et al. 2018, arXiv:1801.09414, equation 4
(CosFace); Deng et al. 2020, ECCV, "Sub-center ArcFace", section 3.2.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from ghostface_edge.pipeline.train.options import Margin

_EDGE = 1e-7
"""Keeps the arc cosine's gradient finite."""


class MarginHead(nn.Module):
    """Logits of every person: scale times the cosine to the person's nearest centre, made harder for the right one."""

    def __init__(
        self, embedding_size: int, people: int, *, margin: Margin, size: float, scale: float, subcenters: int = 1
    ) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.empty(people * subcenters, embedding_size))
        nn.init.normal_(self.centres, std=0.01)
        self.margin, self.size, self.scale, self.subcenters = margin, size, scale, subcenters

    def forward(self, embeddings: torch.Tensor, people: torch.Tensor) -> torch.Tensor:
        """Logits (N, people) in float32, whatever the embeddings are in."""
        with torch.autocast(embeddings.device.type, enabled=False):
            cosine = functional.linear(functional.normalize(embeddings.float()), functional.normalize(self.centres))
            if self.subcenters > 1:
                cosine = cosine.view(len(cosine), -1, self.subcenters).amax(2)
            own = cosine.gather(1, people[:, None])
            return cosine.scatter(1, people[:, None], self._harder(own)) * self.scale

    def _harder(self, cosine: torch.Tensor) -> torch.Tensor:
        if self.margin is Margin.COSFACE:
            return cosine - self.size
        angle = torch.acos(cosine.clamp(-1 + _EDGE, 1 - _EDGE)) + self.size
        # beyond pi the cosine would rise again; a straight line of the same slope goes on falling
        beyond = cosine - self.size * math.sin(math.pi - self.size)
        return torch.where(angle < math.pi, torch.cos(angle), beyond)
