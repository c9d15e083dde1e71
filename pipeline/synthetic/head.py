"""Neck, ears, face, hair and beard."""

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.synthetic.canvas import Canvas
from ghostface_edge.pipeline.synthetic.features import disc, scaled
from ghostface_edge.pipeline.synthetic.geometry import Points, curve, on_surface
from ghostface_edge.pipeline.synthetic.identity import Beard, HairStyle, Identity

_CROWN = -1.16
_VOLUME = {HairStyle.CROPPED: 0.25, HairStyle.ROUND: 2.1, HairStyle.RECEDING: 0.6}
_COVERS_EARS = {HairStyle.LONG, HairStyle.ROUND}


def _flat(points: NDArray[np.float64], z: float) -> Points:
    return np.column_stack((points, np.full(len(points), z)))


def neck(canvas: Canvas, who: Identity, clothes: tuple[float, float, float]) -> None:
    """Neck and shoulders, behind the head."""
    half, chin = who.widths[3] * 0.72, who.chin
    collar = np.array(((-half, 0.5), (half, 0.5), (half * 1.1, chin + 0.5), (-half * 1.1, chin + 0.5)))
    canvas.fill(_flat(collar, -0.1), scaled(who.skin, 0.74))
    top = chin + 0.22
    coat = np.array(((-2, top + 0.5), (-half, top), (0, top + 0.18), (half, top), (2, top + 0.5), (2, 4), (-2, 4)))
    canvas.fill(_flat(coat, -0.2), clothes, head=False)


def ears(canvas: Canvas, who: Identity) -> None:
    """Both ears, unless hair covers them."""
    if who.hair_style in _COVERS_EARS:
        return
    angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    for sign in (-1, 1):
        x = sign * (who.widths[1] + 0.03) + 0.1 * np.cos(angles)
        y = who.ear_height + who.ear_size * np.sin(angles)
        shell = np.column_stack((x, y))
        canvas.fill(_flat(shell, 0.0), scaled(who.skin, 0.9))
        canvas.fill(
            _flat((shell - (x.mean(), who.ear_height)) * 0.55 + (x.mean(), who.ear_height), 0.02),
            scaled(who.skin, 0.68),
        )


def face(canvas: Canvas, who: Identity) -> None:
    """The skin's outline."""
    forehead, temple, cheek, jaw, chin = who.widths
    right = np.array(
        (
            (0, _CROWN),
            (forehead * 0.6, _CROWN + 0.08),
            (forehead, -0.75),
            (temple, -0.32),
            (cheek, 0.12),
            (jaw, 0.64),
            (chin, who.chin - 0.12),
            (0, who.chin),
        )
    )
    half = curve(right, 22)
    canvas.fill(_flat(np.concatenate((half, half[::-1] * (-1, 1))), 0.0), who.skin)


def hair_behind(canvas: Canvas, who: Identity) -> None:
    """What shows around the head's outline."""
    if who.hair_style is HairStyle.BALD:
        return
    volume = who.hair_volume * _VOLUME.get(who.hair_style, 1.0)
    angles = np.linspace(np.pi, 2 * np.pi, 20)
    bumps = 1 + who.curls[:20]
    dome = np.column_stack(
        ((who.widths[1] + volume) * np.cos(angles) * bumps, -0.22 + (-_CROWN - 0.22 + volume) * np.sin(angles) * bumps)
    )
    falls = (
        who.hair_length if who.hair_style is HairStyle.LONG else (0.35 if who.hair_style is HairStyle.ROUND else -0.1)
    )
    right = np.array(((dome[-1, 0], -0.1), (dome[-1, 0] * 1.03, falls)))
    left = np.array(((dome[0, 0] * 1.03, falls), (dome[0, 0], -0.1)))
    canvas.fill(_flat(np.concatenate((dome, right, left)), -0.15), scaled(who.hair, 0.78))


def hair_before(canvas: Canvas, who: Identity) -> None:
    """From the crown down to the hairline, over the face."""
    style = who.hair_style
    if style is HairStyle.BALD:
        return
    volume = who.hair_volume * _VOLUME.get(style, 1.0)
    forehead, temple = who.widths[0], who.widths[1]
    line, part = -who.crown, who.parting
    if style is HairStyle.FRINGE:
        low = who.eye_height - who.brow_gap - 0.06
        keys = np.array(
            (
                (-temple, 0.0),
                (-temple * 0.9, low + 0.05),
                (-0.3, low),
                (part * 0.4, low - 0.05),
                (0.35, low + 0.02),
                (temple * 0.9, low + 0.05),
                (temple, 0.0),
            )
        )
    elif style is HairStyle.RECEDING:
        keys = np.array(
            (
                (-temple, -0.25),
                (-temple * 0.93, -0.5),
                (-forehead * 0.62, line - 0.16),
                (0, line + 0.06),
                (forehead * 0.62, line - 0.16),
                (temple * 0.93, -0.5),
                (temple, -0.25),
            )
        )
    else:
        side = 0.45 if style in _COVERS_EARS else -0.1
        keys = np.array(
            (
                (-temple * 1.02, side),
                (-temple * 0.94, -0.4),
                (-forehead * 0.62, line + 0.1),
                (part, line - 0.06),
                (forehead * 0.62, line + 0.1),
                (temple * 0.94, -0.4),
                (temple * 1.02, side),
            )
        )
    hairline = curve(keys, 20)
    hairline[1:-1, 1] += who.curls[20:38] * 1.5
    angles = np.linspace(0, -np.pi, 20)
    bumps = 1 + who.curls[:20][::-1]
    dome = np.column_stack(
        (
            (temple + volume * 0.5) * np.cos(angles) * bumps,
            -0.22 + (-_CROWN - 0.22 + volume * 0.8) * np.sin(angles) * bumps,
        )
    )
    outline = np.concatenate((hairline, dome))
    surface = on_surface(who, outline[:, 0], outline[:, 1], 0.03)
    surface[20:, 2] = np.minimum(surface[20:, 2], 0.1)
    canvas.fill(surface, who.hair)
    shine = np.column_stack(
        (np.linspace(-0.5, 0.5, 8) + part * 0.5, line - 0.12 - 0.08 * np.cos(np.linspace(-1.5, 1.5, 8)))
    )
    canvas.line(on_surface(who, shine[:, 0], shine[:, 1], 0.05), scaled(who.hair, 1.28), 0.05)
    if style is HairStyle.LONG:
        for sign in (-1, 1):
            lock = np.array(
                ((0.86, -0.5), (0.98, 0.1), (0.92, 0.6), (1.02, who.hair_length), (1.3, who.hair_length), (1.2, -0.3))
            )
            strand = curve(lock * (sign * temple, 1.0), 16)
            canvas.fill(_flat(strand, 0.12), scaled(who.hair, 0.92))


def beard(canvas: Canvas, who: Identity, grain: NDArray[np.float32]) -> None:
    """Hair of the lower face."""
    if who.beard is Beard.NONE:
        return
    mouth, half = who.mouth_height, who.mouth_width
    lip = np.array(
        (
            (-half * 1.15, mouth + 0.05),
            (-half * 0.8, mouth - who.upper_lip - 0.08),
            (0, mouth - who.upper_lip - 0.12),
            (half * 0.8, mouth - who.upper_lip - 0.08),
            (half * 1.15, mouth + 0.05),
            (0, mouth - who.upper_lip * 0.6),
        )
    )
    goatee = disc(who, 0, (mouth + who.chin) / 2 + 0.1, half * 0.85, (who.chin - mouth) / 2 - 0.03)
    colour = scaled(who.hair, 0.9)
    density = who.beard_density
    if who.beard in {Beard.STUBBLE, Beard.FULL}:
        jaw, chin = who.widths[3], who.widths[4]
        cheek = np.array(
            (
                (-jaw * 1.12, 0.15),
                (-jaw * 0.88, 0.42),
                (-half * 1.3, mouth - 0.1),
                (0, mouth - who.upper_lip - 0.12),
                (half * 1.3, mouth - 0.1),
                (jaw * 0.88, 0.42),
                (jaw * 1.12, 0.15),
                (jaw * 1.05, 0.6),
                (chin * 1.15, who.chin - 0.08),
                (0, who.chin + 0.04),
                (-chin * 1.15, who.chin - 0.08),
                (-jaw * 1.05, 0.6),
            )
        )
        strength = density * (0.35 if who.beard is Beard.STUBBLE else 1.0)
        canvas.blend(_flat(cheek, 0.25), colour, strength, grain)
    if who.beard in {Beard.MOUSTACHE, Beard.GOATEE, Beard.FULL}:
        canvas.blend(on_surface(who, lip[:, 0], lip[:, 1], 0.08), colour, density, grain)
    if who.beard is Beard.GOATEE:
        canvas.blend(goatee, colour, density, grain)
