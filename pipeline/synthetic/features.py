"""Eyes, brows, nose, mouth and marks of the skin."""

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.synthetic.canvas import Canvas
from ghostface_edge.pipeline.synthetic.geometry import Points, curve, on_surface
from ghostface_edge.pipeline.synthetic.identity import Colour, Identity
from ghostface_edge.pipeline.synthetic.view import View

_ALONG = np.linspace(-1.0, 1.0, 13)
_ROUND = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_WHITE = (228.0, 224.0, 222.0)
_MOUTH_INSIDE = (64.0, 22.0, 24.0)
_TEETH = (226.0, 220.0, 208.0)


def scaled(colour: Colour, factor: float) -> Colour:
    """A darker or lighter colour."""
    red, green, blue = (min(255.0, channel * factor) for channel in colour)
    return red, green, blue


def disc(identity: Identity, x: float, y: float, width: float, height: float, raised: float = 0.0) -> Points:
    """An ellipse on the head."""
    return on_surface(identity, x + width * np.cos(_ROUND), y + height * np.sin(_ROUND), raised)


def skin_marks(canvas: Canvas, who: Identity) -> None:
    """Moles and freckles."""
    for marks, shade in ((who.freckles, 0.78), (who.moles, 0.42)):
        if len(marks):
            canvas.dots(on_surface(who, marks[:, 0], marks[:, 1], 0.01), marks[:, 2], scaled(who.skin, shade))


def relief(canvas: Canvas, who: Identity, view: View) -> None:
    """Soft shadows and lights: sockets, cheeks, sides of the nose, chin, folds."""
    eye, tip = who.eye_height, who.eye_height + who.nose_length
    side = who.nose_bridge * 1.1
    for sign in (-1, 1):
        canvas.soften(disc(who, sign * who.eye_spacing, eye - 0.04, 0.21, 0.11), -0.13)
        canvas.soften(disc(who, sign * who.eye_spacing, eye + 0.13, 0.15, 0.035), -0.06 - 0.14 * who.age)
        canvas.soften(disc(who, sign * who.widths[2] * 0.62, 0.2, 0.16, 0.12), 0.05 + 0.05 * view.smile)
        keys = np.array(((sign * side, eye), (sign * side * 1.2, tip - 0.12), (sign * who.nose_width, tip)))
        inner = keys * (0.55, 1.0)
        wall = np.concatenate((curve(keys, 8), curve(inner, 8)[::-1]))
        canvas.soften(on_surface(who, wall[:, 0], wall[:, 1], 0.1), -0.16)
        fold = np.array(
            ((sign * who.nose_width * 1.2, tip - 0.02), (sign * (who.mouth_width + 0.08), who.mouth_height))
        )
        outer = np.add(fold, (sign * 0.045, 0.0))
        crease = np.concatenate((fold, outer[::-1]))
        canvas.soften(on_surface(who, crease[:, 0], crease[:, 1]), -0.04 - 0.16 * who.age - 0.12 * max(0, view.smile))
    bridge = np.array(((-0.02, eye - 0.05), (0.02, eye - 0.05), (0.028, tip), (-0.028, tip)))
    canvas.soften(on_surface(who, bridge[:, 0], bridge[:, 1], 0.18), 0.14)
    canvas.soften(disc(who, 0, who.mouth_height + 0.06 + who.lower_lip, who.mouth_width * 0.7, 0.03), -0.15)
    canvas.soften(disc(who, 0, (who.chin + who.mouth_height) / 2 + 0.09, 0.12, 0.09), 0.07)


def blush(canvas: Canvas, who: Identity, grain: NDArray[np.float32]) -> None:
    """Redder cheeks."""
    for sign in (-1, 1):
        canvas.blend(disc(who, sign * who.widths[2] * 0.58, 0.22, 0.2, 0.15), (205, 84, 84), who.blush, grain)


def eyes(canvas: Canvas, who: Identity, view: View) -> None:
    """Both eyes: white, iris, pupil, lids drawn over them."""
    opened = who.eye_open * max(0.06, 1 - view.blink) * (1 - 0.18 * max(0.0, view.smile))
    bow = 1 - _ALONG**2
    lid_colour, lash = scaled(who.skin, 0.9), scaled(who.hair, 0.35)
    for sign in (-1, 1):
        x = sign * who.eye_spacing + sign * _ALONG * who.eye_width
        level = who.eye_height - who.eye_tilt * _ALONG
        upper, lower = level - opened * bow**0.75, level + 0.6 * opened * bow
        white = np.concatenate((upper, lower[::-1]))
        canvas.fill(on_surface(who, np.concatenate((x, x[::-1])), white, -0.02), _WHITE)
        look_x, look_y = sign * who.eye_spacing + view.gaze[0], who.eye_height + view.gaze[1] - 0.012
        iris = on_surface(who, np.array([look_x]), np.array([look_y]), -0.02)
        canvas.dots(iris, np.array([0.078]), scaled(who.iris, 0.62))
        canvas.dots(iris, np.array([0.066]), who.iris)
        canvas.dots(iris, np.array([0.03]), (12, 10, 10))
        canvas.dots(np.add(iris, (0.02, -0.025, 0.0)), np.array([0.012]), (245, 245, 245))
        top = np.concatenate((upper, (level - 0.105 - who.lid)[::-1]))
        bottom = np.concatenate((lower, (level + 0.11)[::-1]))
        both = np.concatenate((x, x[::-1]))
        canvas.fill(on_surface(who, both, top, -0.01), lid_colour)
        canvas.fill(on_surface(who, both, bottom, -0.01), scaled(who.skin, 0.97))
        canvas.line(on_surface(who, x[1:-1], (upper - who.lid)[1:-1]), scaled(who.skin, 0.7 - 0.15 * who.age), 0.015)
        canvas.line(on_surface(who, x, upper), lash, 0.028)
        canvas.line(on_surface(who, x, lower), scaled(who.skin, 0.66), 0.012)


def brows(canvas: Canvas, who: Identity, view: View) -> None:
    """Both brows."""
    t = np.linspace(0, 1, 9)
    middle = (
        who.eye_height
        - who.brow_gap
        - view.brow_raise
        - who.brow_arch * np.sin(np.pi * t**1.4)
        + who.brow_tilt * (t - 0.5)
    )
    half = who.brow_thickness * 0.5 * (1.1 - 0.75 * t**1.5)
    mix = who.brow_darkness
    colour = tuple(h * 0.85 * mix + s * (1 - mix) for h, s in zip(who.hair, who.skin, strict=True))
    for sign in (-1, 1):
        x = sign * (who.eye_spacing - 0.62 * who.brow_length + 1.5 * who.brow_length * t)
        y = np.concatenate((middle - half, (middle + half)[::-1]))
        canvas.fill(on_surface(who, np.concatenate((x, x[::-1])), y, 0.03), (colour[0], colour[1], colour[2]))


def nose(canvas: Canvas, who: Identity) -> None:
    """Wings, nostrils and tip; its sides are part of the relief."""
    tip = who.eye_height + who.nose_length
    raised = who.nose_height * 0.6
    dark, edge = scaled(who.skin, 0.36), scaled(who.skin, 0.68)
    for sign in (-1, 1):
        side = np.array(
            ((0.0, who.eye_height + 0.06), (sign * who.nose_width, tip - 0.02), (0.0, tip + 0.07), (0.0, tip - 0.03))
        )
        flank = on_surface(who, side[:, 0], side[:, 1])
        flank[2:, 2] += (who.nose_height * 0.7, who.nose_height)
        canvas.fill(flank, who.skin)
    canvas.soften(disc(who, 0, tip - 0.03, who.nose_tip, who.nose_tip * 0.8, who.nose_height), 0.13)
    canvas.soften(disc(who, 0, tip + 0.075, who.nose_width * 0.9, 0.03, raised * 0.5), -0.16)
    for sign in (-1, 1):
        wing = np.array(((0.8, -0.09), (1.05, -0.03), (1.0, 0.035), (0.7, 0.05))) * (sign * who.nose_width, 1.0)
        bent = curve(wing, 8)
        canvas.line(on_surface(who, bent[:, 0], bent[:, 1] + tip, raised * 0.6), edge, 0.018)
        canvas.fill(disc(who, sign * who.nose_width * 0.48, tip + 0.03, who.nose_width * 0.2, 0.02, raised), dark)
    base = np.array(((-0.4, 0.045), (0.0, 0.07), (0.4, 0.045))) * (who.nose_width, 1.0)
    canvas.line(on_surface(who, base[:, 0], base[:, 1] + tip, raised), edge, 0.015)


def mouth(canvas: Canvas, who: Identity, view: View) -> None:
    """Lips, and what shows between them."""
    half = who.mouth_width * (1 + 0.14 * view.smile)
    middle, corner = who.mouth_height + 0.012 * view.smile, -0.055 * view.smile
    gap = 0.13 * view.mouth_open
    upper, lower = who.upper_lip * (1 - 0.2 * max(0, view.smile)), who.lower_lip * (1 - 0.15 * max(0, view.smile))
    bow, top = who.cupid_bow, -gap * 0.35
    ridge = np.array(
        (
            (-1, corner),
            (-0.5, top - upper * 0.7),
            (-0.14, top - upper - bow),
            (0, top - upper),
            (0.14, top - upper - bow),
            (0.5, top - upper * 0.7),
            (1, corner),
        )
    )
    seam_above = np.array(
        ((-1, corner), (-0.5, top * 0.8 + 0.004), (0, top + 0.012), (0.5, top * 0.8 + 0.004), (1, corner))
    )
    seam_below = np.array(((-1, corner), (-0.5, gap * 0.52), (0, gap * 0.65), (0.5, gap * 0.52), (1, corner)))
    floor = np.array(
        (
            (-1, corner),
            (-0.55, gap * 0.6 + lower * 0.72),
            (0, gap * 0.65 + lower),
            (0.55, gap * 0.6 + lower * 0.72),
            (1, corner),
        )
    )
    ridge_line, above, below, floor_line = (
        curve(np.add(keys * (half, 1), (0, middle)), 13) for keys in (ridge, seam_above, seam_below, floor)
    )

    def between(first: NDArray[np.float64], second: NDArray[np.float64]) -> Points:
        outline = np.concatenate((first, second[::-1]))
        return on_surface(who, outline[:, 0], outline[:, 1], 0.05)

    if gap > 0.012:
        canvas.fill(between(above, below), _MOUTH_INSIDE)
        teeth = np.add(above, (0, min(gap * 0.45, 0.05)))
        canvas.fill(between(above[3:-3], teeth[3:-3]), _TEETH)
    canvas.fill(between(ridge_line, np.add(above, (0, 0.006))), scaled(who.lips, 0.9))
    canvas.fill(between(below - (0, 0.006), floor_line), who.lips)
    if gap <= 0.012:
        canvas.line(on_surface(who, above[:, 0], above[:, 1], 0.05), scaled(who.lips, 0.5), 0.016)
