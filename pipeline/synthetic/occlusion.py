"""Things that may cover part of a face in one picture."""

import numpy as np

from ghostface_edge.pipeline.synthetic.canvas import Canvas
from ghostface_edge.pipeline.synthetic.features import disc, scaled
from ghostface_edge.pipeline.synthetic.geometry import curve, on_surface
from ghostface_edge.pipeline.synthetic.identity import Identity
from ghostface_edge.pipeline.synthetic.view import Occlusion, View


def cover(canvas: Canvas, who: Identity, view: View) -> None:
    """Draw the view's occlusion."""
    rng = np.random.default_rng(view.occlusion_seed)
    tone = tuple(rng.uniform(10, 235, 3))
    colour = (tone[0], tone[1], tone[2])
    match view.occlusion:
        case Occlusion.GLASSES | Occlusion.SUNGLASSES:
            _glasses(canvas, who, scaled(colour, 0.5), rng, dark=view.occlusion is Occlusion.SUNGLASSES)
        case Occlusion.MASK:
            y = who.mouth_height
            edge = np.array(
                (
                    (-0.8, y - 0.3),
                    (-0.3, y - 0.36),
                    (0, y - 0.44),
                    (0.3, y - 0.36),
                    (0.8, y - 0.3),
                    (0.62, y + 0.3),
                    (0.25, who.chin),
                    (-0.25, who.chin),
                    (-0.62, y + 0.3),
                )
            )
            canvas.fill(on_surface(who, edge[:, 0], edge[:, 1], 0.15), colour)
        case Occlusion.HAND:
            x, y = rng.uniform(-0.7, 0.7), rng.uniform(0.35, 1.0)
            canvas.fill(disc(who, x, y, rng.uniform(0.15, 0.3), rng.uniform(0.12, 0.3), 0.3), scaled(who.skin, 0.92))
        case Occlusion.CAP:
            brim = np.array(
                ((-1.0, -0.5), (-0.5, -0.62), (0, -0.66), (0.5, -0.62), (1.0, -0.5), (0.9, -1.5), (-0.9, -1.5))
            )
            canvas.fill(on_surface(who, brim[:, 0], brim[:, 1], 0.2), colour, head=False)
        case Occlusion.NONE:
            pass


def _glasses(
    canvas: Canvas, who: Identity, colour: tuple[float, float, float], rng: np.random.Generator, *, dark: bool
) -> None:
    width, height = rng.uniform(0.22, 0.27), rng.uniform(0.14, 0.2)
    thickness = rng.uniform(0.02, 0.05)
    for sign in (-1, 1):
        lens = disc(who, sign * who.eye_spacing, who.eye_height + 0.01, width, height, 0.12)
        if dark:
            canvas.fill(lens, scaled(colour, 0.3))
        canvas.line(np.concatenate((lens, lens[:1])), colour, thickness)
        hinge = np.array(
            ((sign * (who.eye_spacing + width), who.eye_height), (sign * who.widths[1], who.eye_height - 0.05))
        )
        arm = curve(hinge, 3)
        canvas.line(on_surface(who, arm[:, 0], arm[:, 1], 0.05), colour, thickness)
    bridge = np.array((-1.0, 0.0, 1.0)) * (who.eye_spacing - width)
    canvas.line(on_surface(who, bridge, np.full(3, who.eye_height - 0.03), 0.15), colour, thickness)
