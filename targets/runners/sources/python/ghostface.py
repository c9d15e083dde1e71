"""A face to its embedding, two to a score and a verdict, or the self-test. Needs NumPy and the model's runtime.

    python ghostface.py tflite-int8 FACE            the embedding, a value a line
    python ghostface.py tflite-int8 FACE FACE       their score, and the verdict at the threshold that was measured
    python ghostface.py tflite-int8 --selftest      where this installation parts from the pipeline, if it does

A face is a file of 112x112 aligned RGB pixels: a binary PPM or the bare bytes. Python 3.9 and NumPy 1.26 will do, so
that boards with tflite-runtime 2.14 can run it.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

RUNNERS = Path(__file__).resolve().parents[1]
SHAPE = (112, 112, 3)


class Tflite:
    """LiteRT, or tflite-runtime: rows of pixels, in the type that the file asks for."""

    rounding = 0.0

    def __init__(self, path):
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            from tflite_runtime.interpreter import Interpreter

            self.rounding = 0.32  # its INT8 kernels round otherwise, to cosines of 0.967 at worst
        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]

    def prepare(self, face):
        """What the network is given."""
        kind, (scale, zero_point) = self._input["dtype"], self._input["quantization"]
        if kind == np.uint8:
            return face[None]
        real = (face[None].astype(np.float32) - np.float32(127.5)) / np.float32(128)
        if kind == np.float32:
            return real
        steps = np.ceil(real / np.float32(scale) - np.float32(0.5)) + zero_point  # byte - 128, for steps of 1/128
        return steps.clip(-128, 127).astype(np.int8)

    def run(self, prepared):
        """The output as it is."""
        self._interpreter.set_tensor(self._input["index"], prepared)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output["index"])

    def real(self, output):
        """The output as real values."""
        scale, zero_point = self._output["quantization"]
        return np.float32(scale) * (output.astype(np.float32) - zero_point) if scale else output


class _Planes:
    """Runtimes whose networks take three planes of real values."""

    rounding = 0.0

    def prepare(self, face):
        """What the network is given."""
        real = (face[None].astype(np.float32) - np.float32(127.5)) / np.float32(128)
        return np.ascontiguousarray(real.transpose(0, 3, 1, 2))

    def real(self, output):
        """The output as real values."""
        return output


class Onnxruntime(_Planes):
    """ONNX Runtime."""

    def __init__(self, path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(self, prepared):
        """The output as it is."""
        return self._session.run(None, {self._session.get_inputs()[0].name: prepared})[0]


class Openvino(_Planes):
    """OpenVINO, with a static batch: quantized models were seen to crash with a dynamic one."""

    def __init__(self, path):
        import platform

        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        model.reshape([1, 3, 112, 112])
        options = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
        options["INFERENCE_PRECISION_HINT"] = "f32"  # with bfloat16 it would choose that by itself
        if platform.machine() in {"aarch64", "armv7l", "arm64"}:
            options["LP_TRANSFORMS_MODE"] = "NO"  # integer models compute on their grids in float there
        self._request = core.compile_model(model, "CPU", options).create_infer_request()

    def run(self, prepared):
        """The output as it is."""
        return self._request.infer([prepared])[0]


RUNTIMES = {"tflite": Tflite, "onnxruntime": Onnxruntime, "openvino": Openvino}


def read_face(path):
    """RGB uint8 (112, 112, 3)."""
    data = Path(path).read_bytes()
    header = re.match(rb"P6(?:\s+|#[^\n]*\n)+112(?:\s+|#[^\n]*\n)+112(?:\s+|#[^\n]*\n)+255\s", data)
    pixels = data[header.end() :] if header else data
    if len(pixels) != np.prod(SHAPE):
        sys.exit(f"{path}: no PPM of 112 x 112 pixels, and not 112 x 112 x 3 bytes")
    return np.frombuffer(pixels, np.uint8).reshape(SHAPE)


def cosine(one, other):
    """Of two embeddings."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


class Selftest:
    """The steps of a product, compared with what the pipeline recorded; it ends with the first that differs."""

    def __init__(self, golden, open_model, rounding):
        self.golden, self.open = golden, open_model
        self.tolerance = max(golden["tolerance"], rounding if "int8" in golden["variant"] else 0.0)
        self.folder = RUNNERS / "golden" / golden["variant"]
        self.faces = np.load(RUNNERS / "golden" / "faces.npy")
        self.inputs, self.embeddings = np.load(RUNNERS / golden["inputs"]), np.load(self.folder / "embeddings.npy")

    def run(self, network, read, score):
        """What is the matter, or None."""
        embeddings = []
        for number, face in enumerate(self.faces):
            found = self._face(number, face, network, read)
            if isinstance(found, str):
                return f"{found} (face {number})"
            embeddings.append(found)
            first, second = (one / np.linalg.norm(one) for one in (embeddings[0], found))
            if abs(score(embeddings[0], found) - float(first @ second)) > 1e-4:
                return f"score: not the cosine of the two embeddings (face {number})"
        return None

    def _face(self, number, face, network, read):
        decoded = read(RUNNERS / "golden" / f"face-{number}.ppm")
        if not np.array_equal(decoded, face):
            return f"decoding: {explain(decoded, self.faces, number)}"
        prepared = network.prepare(face)
        due = self.inputs[number : number + 1]
        if not same_input(prepared, due):
            return f"input: {explain(prepared, self.faces, number, due)}"
        embedding = network.real(network.run(prepared))[0]
        nearest = int(np.linalg.norm(self.embeddings - embedding, axis=1).argmin())
        if not self._agrees(embedding, self.embeddings[nearest]):
            return self._layers(embedding, number)
        return embedding if nearest == number else f"output: stale, it is that of face {nearest}"

    def _layers(self, embedding, number):
        for place, layer in enumerate(self.golden["layers"]):
            due = np.load(self.folder / f"layer-{place}.npy")
            there = self.open(RUNNERS / layer["file"]).run(self.inputs[:1])
            if there.shape != due.shape:
                return f"layer {layer['name']}: shape {there.shape} instead of {due.shape}"
            if not self._agrees(there, due):
                off = there.astype(np.float64) - due
                many = f"{np.mean(off != 0):.1%} of its values differ, by up to {np.abs(off).max():.3g}"
                return f"first layer that differs: {layer['name']}: {many}, {np.mean(off[off != 0] > 0):.0%} higher"
        return f"output: {explain_output(embedding, self.embeddings[number])}"

    def _agrees(self, there, here):
        return np.linalg.norm(there - here.astype(float)) <= self.tolerance * np.linalg.norm(here.astype(float))


def same_input(there, here):
    """Whether a network is given the same; real values to the last digits."""
    alike = there.shape == here.shape and there.dtype == here.dtype
    return alike and (np.abs(there.astype(np.float64) - here) < 1e-5).all()


def explain_output(there, here):
    """Which usual mistake turns the embedding into what came."""
    there, here = there.astype(np.float64), here.astype(np.float64)
    if not (np.isfinite(there).all() and there.any()):
        return "it is zero or no number"
    if np.ptp(there - here) < 1e-3 * np.ptp(here):
        return f"zero point: all values are moved by {np.mean(there - here):.4g}"
    if cosine(there, here) > 0.99999:
        return f"scale: all values are multiplied by {np.linalg.norm(there) / np.linalg.norm(here):.4g}"
    return "the layers agree as far as known, the embedding does not"


def explain(there, faces, number, due=None):
    """Which usual mistake turns a golden face into what came; `due` is the right input, None for pixels."""
    if due is not None and there.shape != due.shape:
        return f"shape {there.shape} instead of {due.shape}"
    if due is not None and there.dtype != due.dtype:
        return f"type {there.dtype} instead of {due.dtype}"
    kind = np.uint8 if due is None else due.dtype
    is_planes = due is not None and due.shape[1] == 3
    flat = np.asarray(there).ravel().astype(np.float64)
    for place, face in places(faces, number, is_planes):
        for scale, values in ranges(face.astype(np.float64), kind):
            if np.abs(values.ravel() - flat).max() < 1e-5:
                return "; ".join(filter(None, (place, scale)))
    for dy in range(-8, 9):
        for dx in range(-8, 9):
            inner = slice(8, -8)
            moved = np.roll(faces[number], (-dy, -dx), (0, 1)).astype(np.float64)
            right = next(values for _, values in ranges(moved, kind))
            got = flat.reshape(3, 112, 112).transpose(1, 2, 0) if is_planes else flat.reshape(SHAPE)
            if np.abs(right - got)[inner, inner].max() < 1e-5:
                return f"shifted crop: the face begins at column {dx}, row {dy}"
    return "other values, by none of the usual mistakes"


def places(faces, number, is_planes):
    """Mistakes with places: a name, and the face in the order that the network is given it."""
    face = faces[number]
    turned = {
        "": face,
        "colour order: BGR instead of RGB": face[:, :, ::-1],
        "faces are mirrored": face[:, ::-1],
        "faces are upside down": face[::-1],
        "faces are transposed: columns as rows": face.transpose(1, 0, 2),
    }
    for name, pixels in turned.items():
        yield name, pixels.transpose(2, 0, 1) if is_planes else pixels
    other = face if is_planes else face.transpose(2, 0, 1)
    orders = ("pixels (HWC)", "planes (CHW)") if is_planes else ("planes (CHW)", "pixels (HWC)")
    yield "layout: {} where {} are wanted".format(*orders), other
    for at, one in enumerate(faces):
        if at != number:
            yield f"stale: it is face {at}", one.transpose(2, 0, 1) if is_planes else one


def ranges(byte, kind):
    """Mistakes with values: a name, and what bytes become; the first is right."""
    real = (byte - 127.5) / 128
    mistakes = {
        "scaling: not normalised, bytes as they are": byte,
        "zero point: byte - 128 where another is wanted": byte - 128,
        "scaling: (x - 127.5) / 128 where integers are wanted": real,
        "scaling: x / 255": byte / 255,
        "scaling: normalised twice": (real - 127.5) / 128,
        "scaling: (x - 127.5) / 127.5 instead of / 128": (byte - 127.5) / 127.5,
        "scaling: mean 127 instead of 127.5": (byte - 127) / 128,
        "scaling: mean 128 instead of 127.5": (byte - 128) / 128,
    }
    if kind == np.float32:
        yield from (("", real), *mistakes.items())
        return
    right, ends = byte if kind == np.uint8 else byte - 128, np.iinfo(kind)
    yield "", right
    yield "rounding: values are rounded up, one too high", (right + 1).clip(ends.min, ends.max)
    yield "rounding: values are rounded down, one too low", (right - 1).clip(ends.min, ends.max)
    yield "rounding: halves to even", np.rint(real * 128).clip(-128, 127) + (128 if kind == np.uint8 else 0)
    yield "rounding: towards zero", np.trunc(real * 128) + (128 if kind == np.uint8 else 0)
    for name, values in mistakes.items():
        yield name, values.astype(np.int64).astype(np.uint8).astype(kind).astype(np.float64)


def main(arguments):
    """Exit code: 0, 1 where the self-test finds something, 2 for wrong use."""
    known = sorted(path.parent.name for runtime in RUNTIMES for path in RUNNERS.glob(f"golden/{runtime}-*/golden.json"))
    if len(arguments) not in {2, 3} or arguments[0] not in known:
        sys.exit(f"give a variant ({', '.join(known)}) and one face, two faces or --selftest")
    golden = json.loads((RUNNERS / "golden" / arguments[0] / "golden.json").read_text())
    open_model = RUNTIMES[golden["runtime"]]
    network = open_model(RUNNERS / golden["model"])
    if arguments[1:] == ["--selftest"]:
        problem = Selftest(golden, open_model, network.rounding).run(network, read_face, cosine)
        print(problem or f"{arguments[0]}: all golden faces agree, input, embeddings and scores")
        return 1 if problem else 0
    embeddings = [network.real(network.run(network.prepare(read_face(path))))[0] for path in arguments[1:]]
    if len(embeddings) == 1:
        print("\n".join(f"{value:.9g}" for value in embeddings[0]))
        return 0
    score, threshold = cosine(*embeddings), golden["threshold"]
    verdict = ""
    if threshold:
        verdict = " same person" if score >= threshold["value"] else " different people"
        verdict += f" (threshold {threshold['value']:g} at {threshold['kind']} {threshold['rate']})"
    print(f"{score:.6f}{verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
