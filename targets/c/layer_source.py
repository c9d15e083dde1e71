"""A layer as C: a function named after its tensor, the constants in front of it, and its weights, which come last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ghostface_edge.targets.c import packing, proofs
from ghostface_edge.targets.c.arena import Arena, View, is_in_place, patch_bytes
from ghostface_edge.targets.c.layers import (
    Addition,
    AveragePool,
    Concatenation,
    Convolution,
    Depthwise,
    Layer,
    Lookup,
    Mean,
    Multiplication,
    Prelu,
    Program,
    Requantization,
    Resize,
    Slopes,
    Tensor,
    Window,
)
from ghostface_edge.targets.c.literals import array, declaration, factor, identifier, quoted, real, reals
from ghostface_edge.targets.c.short_forms import short_addition, short_prelu

BLOCKS = "MODEL_BLOCKS"
"""Defined where the chosen kernels read weights in blocks."""


@dataclass(frozen=True, slots=True)
class LayerSource:
    """What a layer adds to the source."""

    name: str
    function: str
    data: str
    """Definitions of the arrays that the function's constants point to."""


class LayerWriter:
    """Writes the layers of one network.

    Args:
        program: as `fusion.fuse` gives it.
        arena: as `arena.plan` gives it.
    """

    def __init__(self, program: Program, arena: Arena) -> None:
        self._faces, self._arena = program.faces.name, arena
        self._data: list[str] = []

    def write(self, number: int, layer: Layer) -> LayerSource | None:
        """One layer; None for a concatenation whose parts are where they belong."""
        if isinstance(layer, Concatenation) and all(self._in_place(layer, part) for part in layer.sources):
            return None
        self._data = []
        name, out, view = f"layer_{number}_{identifier(layer.out.name)}", layer.out, self._view(layer.out)
        constants, call = self._call(number, layer)
        traced = f'TRACE({number}, "{quoted(out.name)}", memory + {view.offset}, {out.pixels}, {out.channels}, '
        reads_faces = "rgb, " in call
        function = (
            f"/* {_title(layer)}; scale {out.scale:.6g}, zero point {out.zero_point}. */\n{constants}"
            f"static void {name}(const uint8_t *rgb, int8_t *memory)\n{{\n"
            + ("" if reads_faces else "    (void)rgb;\n")
            + f"    {call}\n    {traced}{view.stride});\n}}\n"
        )
        return LayerSource(name, function, "\n".join(self._data))

    def _call(self, number: int, layer: Layer) -> tuple[str, str]:  # noqa: C901, PLR0911 - one for each kind
        """Constants in front of a layer's function, and what it does."""
        match layer:
            case Convolution():
                return self._convolution(number, layer)
            case Depthwise():
                return self._depthwise(number, layer)
            case Addition():
                factors = ", ".join(factor(each) for each in (layer.factor_a, layer.factor_b, layer.factor_out))
                total = proofs.prove_addition(layer) or proofs.RoundedSum(0, 0, 0)
                proved = (total.factor_a, total.factor_b, total.constant)
                return self._elementwise(
                    number, layer, "addition_t", "add", factors, proved, short_addition(layer) or (0, 0, 0)
                )
            case Multiplication():
                product = proofs.prove_products(layer)
                pair = (0, 0) if product is None else (product.factors[0], product.nudges[0])
                return self._elementwise(number, layer, "multiplication_t", "multiply", factor(layer.factor), pair)
            case Mean(source=source, out=out):
                return f"static const factor_t factor_{number} = {factor(layer.factor)};\n", (
                    f"mean({self._at(source)}, {source.pixels}, {source.channels}, {source.zero_point}, "
                    f"factor_{number}, {out.zero_point}, memory + {self._view(out).offset});"
                )
            case AveragePool(source=source, out=out):
                arguments = f"&window_{number}, {layer.low}, {layer.high}, {self._at(out)}"
                return _window(number, source, out, layer.window), (
                    f"average_pool({self._at(source)}, {out.channels}, {arguments});"
                )
            case Resize(source=source, out=out):
                sizes = f"{source.rows}, {source.columns}, {out.rows}, {out.columns}"
                return "", f"resize({self._at(source)}, {out.channels}, {sizes}, {self._at(out)});"
            case Lookup(source=source, out=out):
                self._data.append(array("int8_t", f"values_{number}", layer.values))
                arguments = f"{out.pixels}, {out.channels}, values_{number}, {self._at(out)}"
                return declaration("int8_t", f"values_{number}", layer.values) + "\n", (
                    f"look_up({self._at(source)}, {arguments});"
                )
            case Prelu(source=source, out=out):
                arguments = f"{self._at(source)}, {out.pixels}, {out.channels}, &prelu_{number}, {self._at(out)}"
                return self._prelu(number, layer.slopes, None), f"prelu_alone({arguments});"
            case Concatenation():
                return "", "\n    ".join(self._copies(layer))

    def _convolution(self, number: int, layer: Convolution) -> tuple[str, str]:
        source, out = layer.source, layer.out
        blocks, rows = packing.blocks(layer.weights), packing.rows(layer.weights)
        name, kind = f"weights_{number}", "int8_t"
        constants = f"static const int8_t {name}[ORDERED({blocks.size}, {rows.size})];\n"
        self._data.append(f"#ifdef {BLOCKS}\n{array(kind, name, blocks)}\n#else\n{array(kind, name, rows)}\n#endif")
        constants += self._output(number, layer)
        product = f"{name}, &output_{number}, {out.channels}, {self._at(out)}"
        if layer.window.is_point and source.name != self._faces:
            return constants, f"pointwise({self._at(source)}, {out.pixels}, {source.channels}, {product});"
        if source.name == self._faces:
            image = f"rgb, 0x80, {source.channels}"
        else:
            view = self._view(source)
            image = f"(const uint8_t *)memory + {view.offset}, 0, {view.stride}"
        scratch = f"memory + {self._arena.scratch[number]}, {patch_bytes(layer)}"
        return constants + _window(number, source, out, layer.window), (
            f"convolution({image}, {source.channels}, &window_{number}, {source.zero_point}, {scratch}, {product});"
        )

    def _depthwise(self, number: int, layer: Depthwise) -> tuple[str, str]:
        source, out = layer.source, layer.out
        name, weights = f"weights_{number}", packing.taps(layer.weights)
        self._data.append(array("int8_t", name, weights))
        constants = declaration("int8_t", name, weights) + "\n"
        constants += self._output(number, layer)
        return constants + _window(number, source, out, layer.window), (
            f"depthwise({self._at(source)}, {out.channels}, &window_{number}, {source.zero_point}, "
            f"memory + {self._arena.scratch[number]}, {name}, &output_{number}, {self._at(out)});"
        )

    def _elementwise(
        self,
        number: int,
        layer: Addition | Multiplication,
        kind: str,
        kernel: str,
        factors: str,
        proved: Sequence[float],
        short: Sequence[int] = (),
    ) -> tuple[str, str]:
        a, b, out = layer.a, layer.b, layer.out
        limits = f"{a.zero_point}, {b.zero_point}, {out.zero_point}, {layer.low}, {layer.high}"
        constants = ", ".join([limits, *map(real, proved), *map(str, short)])
        b_stride = 0 if b.pixels < out.pixels else self._view(b).stride
        return f"static const {kind} {kernel}_{number} = {{{factors}, {constants}}};\n", (
            f"{kernel}({self._at(a)}, memory + {self._view(b).offset}, {b_stride}, {out.pixels}, {out.channels}, "
            f"&{kernel}_{number}, {self._at(out)});"
        )

    def _copies(self, layer: Concatenation) -> Iterator[str]:
        at, whole = 0, self._view(layer.out)
        for part in layer.sources:
            if not self._in_place(layer, part):
                to = f"memory + {whole.offset + at}, {whole.stride}"
                yield f"copy({self._at(part)}, {part.pixels}, {part.channels}, {to});"
            at += part.channels

    def _output(self, number: int, layer: Convolution | Depthwise) -> str:
        """How sums become int8."""
        requantization, prelu = layer.requantization, layer.prelu
        lines = [] if prelu is None else [self._prelu(number, prelu, requantization)]
        arrays = {
            "bias": ("int32_t", requantization.bias),
            "significands": ("int32_t", requantization.significands),
            "shifts": ("int8_t", requantization.shifts),
        }
        for name, (kind, values) in arrays.items():
            filled = packing.channels(values)
            lines.append(declaration(kind, f"{name}_{number}", filled) + "\n")
            self._data.append(array(kind, f"{name}_{number}", filled))
        pointers = ", ".join(f"{name}_{number}" for name in arrays)
        limits = f"{requantization.zero_point}, {requantization.low}, {requantization.high}"
        follows = "NULL" if prelu is None else f"&prelu_{number}"
        proved = self._proved(f"{number}", proofs.prove_sums(layer), lines)
        initializer = f"{{{pointers}, {limits}, {follows}, {proved}}}"
        return "".join(lines) + f"static const output_t output_{number} = {initializer};\n"

    def _prelu(self, number: int, slopes: Slopes, before: Requantization | None) -> str:
        """Args: before: what it takes up the results of, where that is the same layer."""
        filled = packing.channels(slopes.slopes)
        self._data.append(array("int8_t", f"slopes_{number}", filled))
        constants = f"{factor(slopes.above)}, {factor(slopes.below)}, {slopes.zero_point}, {slopes.output_zero_point}"
        lines = [declaration("int8_t", f"slopes_{number}", filled) + "\n"]
        proved = self._proved(f"prelu_{number}", None if before is None else proofs.prove_prelu(slopes, before), lines)
        values = f"slopes_{number}, {constants}, {proved}, {self._short(number, slopes, lines)}"
        return "".join(lines) + f"static const prelu_t prelu_{number} = {{{values}}};\n"

    def _short(self, number: int, slopes: Slopes, lines: list[str]) -> str:
        """Pointers to a PReLU's short form, which only kernels of blocks read; `lines` takes up the declarations."""
        short = short_prelu(slopes)
        if short is None:
            return "NULL, NULL"
        names = f"short_factors_{number}", f"short_offsets_{number}"
        for name, values in zip(names, map(packing.channels, short), strict=True):
            lines.append(f"#ifdef {BLOCKS}\n{declaration('int16_t', name, values)}\n#endif\n")
            self._data.append(f"#ifdef {BLOCKS}\n{array('int16_t', name, values)}\n#endif")
        return ", ".join(f"ORDERED({name}, NULL)" for name in names)

    def _proved(self, name: str, rounded: proofs.Rounded | None, lines: list[str]) -> str:
        """Pointers to a proof's arrays, which only kernels of blocks read; `lines` takes up their declarations."""
        if rounded is None:
            return "NULL, NULL"
        arrays = {f"factors_{name}": rounded.factors, f"nudges_{name}": rounded.nudges}
        filled = {each: packing.channels(values) for each, values in arrays.items()}
        declared = "\n".join(declaration("float", each, values) for each, values in filled.items())
        defined = "\n".join(reals(each, values) for each, values in filled.items())
        lines.append(f"#ifdef {BLOCKS}\n{declared}\n#endif\n")
        self._data.append(f"#ifdef {BLOCKS}\n{defined}\n#endif")
        return ", ".join(f"ORDERED({each}, NULL)" for each in arrays)

    def _in_place(self, layer: Concatenation, part: Tensor) -> bool:
        return is_in_place(layer, part, self._arena.views)

    def _view(self, tensor: Tensor) -> View:
        return self._arena.views[tensor.name]

    def _at(self, tensor: Tensor) -> str:
        view = self._view(tensor)
        return f"memory + {view.offset}, {view.stride}"


def _window(number: int, source: Tensor, out: Tensor, window: Window) -> str:
    sizes = (source.rows, source.columns, out.rows, out.columns, window.rows, window.columns)
    values = ", ".join(str(value) for value in (*sizes, window.stride, window.top, window.left))
    return f"static const window_t window_{number} = {{{values}}};\n"


def _title(layer: Layer) -> str:
    """What a layer does, for the comment above it."""
    kind = type(layer).__name__
    if isinstance(layer, Convolution | Depthwise):
        kind += f" {layer.window.rows}x{layer.window.columns}" + f", stride {layer.window.stride}" * (
            layer.window.stride > 1
        )
        kind += " and PReLU" * (layer.prelu is not None)
    return f"{quoted(layer.out.name)}: {kind}, {layer.out.rows}x{layer.out.columns}x{layer.out.channels}"
