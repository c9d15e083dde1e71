"""Hostile files of runtimes that run elsewhere or as text: Sophgo's, Rockchip's, ExecuTorch's, ncnn's, C, with what lies beside them."""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..targets.executorch import pte
from . import good
from .case import PLACES, Case, Content, Payload, case_folder, cut, flipped, later, sparse

_FACES = {"faces.bin": later(good.faces_bin)}
_DEAR = ("8-gib",)
WHOLE: Mapping[str, Mapping[str, Content]] = {
    ".cvimodel": {
        "net.cvimodel": b"CviModel",
        "net.mlir": good.sophgo_program(),
        "net.npz": later(good.sophgo_weights),
    },
    ".bmodel": {"net.bmodel": b"BMODEL", "net.mlir": good.sophgo_program(), "net.npz": later(good.sophgo_weights)},
    ".rknn": {"net.rknn": good.RKNN, "net.onnx": later(good.rknn_model)},
    ".pte": {"net.pte": later(good.executorch_program)},
    ".param": {"net.param": later(lambda: good.ncnn_model()[0]), "net.bin": later(lambda: good.ncnn_model()[1])},
}
"""Good files by ending, the artifact first."""
READ = frozenset({0, 2, 3})
WHY = "it may be whole; where its runtime's environment is not installed, that is said"


def cases() -> Iterator[Case]:
    """All of this part."""
    for suffix, files in WHOLE.items():
        yield from _places(suffix, files)
    yield from _sophgo()
    yield from _rknn()
    yield from _executorch()
    yield from _ncnn()
    yield from _c()


def _inspected(suffix: str, name: str, files: Mapping[str, Content], **fields: object) -> Iterator[Case]:
    """A case for `inspect`, which needs no vendor's code, and one for `evaluate`, which must refuse before it."""
    artifact, kind = f"net{suffix}", suffix[1:]
    yield Case(f"{kind}/{name}", ("inspect", artifact), {**WHOLE.get(suffix, {}), **files}, **fields)
    if "allowed" not in fields:
        evaluated = ("evaluate", artifact, "--pairs", "faces.bin")
        yield Case(f"evaluate/{kind}-{name}", evaluated, {**WHOLE.get(suffix, {}), **files, **_FACES})


def _places(suffix: str, files: Mapping[str, Content]) -> Iterator[Case]:
    for number, file in enumerate(files):
        place = "" if number == 0 else f"{Path(file).suffix[1:]}-"
        for name, content in PLACES.items():
            fits = suffix in {".cvimodel", ".bmodel"} and number == 0 and name in {"empty", "noise", *_DEAR}
            yield Case(
                f"{suffix[1:]}/{place}{name}",
                ("inspect", f"net{suffix}"),
                {**files, file: content},
                allowed=READ if fits else frozenset({2}),
                why=WHY if fits else "",
                quick=name == "pipe" and file in {"net.npz", "net.param"} and suffix != ".bmodel",
            )
        if number:
            lacking = {name: content for name, content in files.items() if name != file}
            yield Case(f"{suffix[1:]}/{place}missing", ("inspect", f"net{suffix}"), lacking)
    first = next(iter(files))
    for verb in ("benchmark", "evaluate", "localize"):
        more = {"evaluate": ("--pairs", "faces.bin"), "localize": ("--device", "local")}.get(verb, ())
        for name in ("pipe", "noise"):
            beside = list(files)[-1]
            yield Case(
                f"{verb}/{suffix[1:]}-beside-{name}", (verb, first, *more), {**files, **_FACES, beside: PLACES[name]}
            )


def _sophgo() -> Iterator[Case]:
    program = good.sophgo_program()

    def edited(old: str, new: str) -> bytes:
        assert old.encode() in program
        return program.replace(old.encode(), new.encode())

    line = '    %9 = "tpu.Custom"() : () -> none loc(#loc)\n'
    programs: dict[str, Content] = {
        "an-operator-of-the-chips-cpu": edited('"tpu.Cast"(%3) {', '"tpu.GenericCpu"(%3) {cpu_op_name = "/tmp/evil.so", '),
        "a-call": edited("tpu.Conv2D", "llvm.call"),
        "weights-at-etc-passwd": edited('"net.npz"', '"/etc/passwd"'),
        "weights-that-climb": edited('"net.npz"', '"../net.npz"'),
        "weights-twice": edited('weight_file = "net.npz"', 'weight_file = "net.npz", weight_file = "/etc/passwd"'),
        "an-operator-before-the-input": edited("    %0 = ", f"{line}    %0 = "),
        "an-operator-behind-the-end": edited("  } loc(#loc)", f"{line}  }} loc(#loc)"),
        "another-function": edited("} loc(#loc)\n#loc1", '} loc(#loc)\nfunc.func @evil() { "llvm.call"() : () -> none }\n#loc1'),
        "a-shape-of-5000-digits": edited("tensor<4x3x8x8xsi8>", f"tensor<{'9' * 5000}x3x8x8xsi8>"),
        "a-shape-of-terabytes": edited("tensor<4x3x8x8xsi8>", "tensor<1099511627776x3x8x8xsi8>"),
        "a-shape-of-a-million-sizes": edited("tensor<4x3x8x8xsi8>", f"tensor<{'9x' * 1_000_000}si8>"),
        "an-input-of-terabytes": edited("1x3x8x8", "1x3x1099511627776x8"),
        "an-input-without-a-shape": edited("(tensor<1x3x8x8xf32>) -> tensor<1x3x8x8x!quant.calibrated<f32<-1.0:0.9921875>>> loc(#loc1)", "(none) -> none loc(#loc1)"),
        "a-convolution-of-nothing": edited("(%1, %2) {group", "() {group"),
        "a-convolution-of-itself": edited("(%1, %2) {group", "(%3, %3) {group"),
        "a-tensor-written-twice": edited("    %4 = ", "    %3 = "),
        "two-tensors-of-one-name": edited('loc("stem_Conv")', 'loc("faces")'),
        "a-name-with-escapes": edited('loc("stem_Conv")', 'loc("\x1b[31mx")'),
        "a-name-with-a-return": edited('loc("stem_Conv")', 'loc("x\r::error::PWNED")'),
        "an-operator-with-escapes": edited('"tpu.Conv2D"(%1, %2)', '"tpu.\x1b[31m"(%1, %2)'),
        "no-mean": edited("mean = [", "moan = ["),
        "a-mean-of-text": edited("mean = [1.28e+02", "mean = [lots"),
        "a-mean-of-infinity": edited("mean = [1.28e+02", "mean = [1e999"),
        "another-scale": edited("scale = [7.8125e-03", "scale = [1.0"),
        "an-output-that-is-not-written": edited("return %4", "return %7"),
        "an-output-with-code": edited("return %4 :", 'return "llvm.call"() :'),
        "no-output": edited("    return ", "    %5 = "),
        "one-line-of-60-megabytes": later(lambda: program + b"x" * 60_000_000),
        "half-a-million-lines": later(lambda: program.replace(b"    return", b'    %2 = "top.Weight"() : () -> tensor<4x3x8x8xsi8> loc(#loc3)\n' * 500_000 + b"    return")),
        "many-spaces": edited(") {group", f"){' ' * 1_000_000}{{group"),
        "many-parentheses": edited('"tpu.Conv2D"(%1, %2)', f'"tpu.Conv2D"(%1, %2{"( :" * 100_000})'),
        "utf-16": program.decode().encode("utf-16"),
        "a-zero-byte": program + b"\0",
        **cut(program),
    }  # fmt: skip
    readable = {"another-scale", "half-a-million-lines", "a-zero-byte", "cut-at-98-percent"}
    for name, content in programs.items():
        fields = {"allowed": READ, "why": WHY} if name in readable else {}
        yield from _inspected(".cvimodel", f"program-{name}", {"net.mlir": content}, **fields)
    for name, content in _weights().items():
        runs_code = "pickle" in name
        yield from _inspected(".bmodel", f"weights-{name}", {"net.npz": content})
        if runs_code:
            yield Case(
                f"localize/bmodel-weights-{name}",
                ("localize", "net.bmodel", "--device", "local"),
                {**WHOLE[".bmodel"], "net.npz": content},
                runs_code=True,
            )


def _weights() -> dict[str, Content]:
    """What may lie beside a program as its weights."""

    def archive(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> Content:
        def make() -> bytes:
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", method) as file:
                for name, data in members.items():
                    file.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
            return buffer.getvalue()

        return later(make)

    def array(header: str, data: bytes = b"") -> bytes:
        text = header.encode().ljust(117) + b"\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data

    says = "{'descr': '|i1', 'fortran_order': False, 'shape': %s, }"
    whole = array(says % "(4, 3, 8, 8)", bytes(768))
    pickled = lambda path: np.savez(path, weight=np.array([Payload(case_folder(path))], object), allow_pickle=True)  # noqa: E731
    return {
        "a-pickle": pickled,
        "an-array-of-terabytes": archive({"weight.npy": array(says % "(1099511627776,)")}),
        "an-array-of-5000-digits": archive({"weight.npy": array(says % f"({'9' * 5000},)")}),
        "an-array-of-another-shape": archive({"weight.npy": array(says % "(9, 3, 8, 8)", bytes(1728))}),
        "an-array-cut-short": archive({"weight.npy": whole[:400]}),
        "an-array-with-code": archive({"weight.npy": array("__import__('os').system('touch EXECUTED')")}),
        "a-header-of-brackets": archive({"weight.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 60_000) + b"(" * 60_000}),
        "no-array": archive({"weight.npy": b"x"}),
        "no-arrays": archive({}),
        "another-name": archive({"../../evil.npy": whole}),
        "one-more": archive({"weight.npy": whole, "evil.npy": whole}),
        "two-of-one-name": later(lambda: _twice(whole)),
        "zeros-of-a-gigabyte": _deflated(1 << 30),
        "a-hundred-thousand-members": archive({f"{number}.npy": b"" for number in range(100_000)}),
        "text": b"hello",
    }  # fmt: skip


def _twice(whole: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("weight.npy", whole)
        file.writestr("weightx.npy", whole)
    return buffer.getvalue().replace(b"weightx.npy", b"weight.npy\0"[:11])


def _deflated(size: int) -> Content:
    def make(path: Path) -> None:
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
            file.open("weight.npy", "w") as member,
        ):
            for _ in range(size >> 20):
                member.write(bytes(1 << 20))

    return make


def _rknn() -> Iterator[Case]:
    def told(change: Callable[[dict[str, Any]], object]) -> Content:
        """The model with a changed account of how it was built."""
        return _account(lambda text: json.dumps(_changed(json.loads(text), change)))

    def layer(**fields: object) -> Content:
        return told(lambda account: account["layers"][0].update(fields))

    def settings(**fields: object) -> Content:
        return told(lambda account: account["settings"].update(fields))

    models: dict[str, Content] = {
        "no-account": later(lambda: good.tiny_onnx(quantized=True)),
        "another-account": settings(evil=1),
        "an-account-of-brackets": _account(lambda text: "[" * 60_000),
        "an-account-of-nothing": _account(lambda text: "{}"),
        "an-account-with-a-key-twice": _account(lambda text: text.replace('"sha256":', f'"sha256":"{"0" * 64}","sha256":')),
        "another-digest": told(lambda account: account.update(sha256="0" * 64)),
        "a-digest-with-a-newline": told(lambda account: account.update(sha256="x\n::error::PWNED")),
        "a-platform-with-a-newline": settings(platform="x\n::error::PWNED"),
        "a-platform-of-a-megabyte": settings(platform="x" * 1_000_000),
        "another-platform": settings(platform="rk9999"),
        "a-side-of-zero": settings(side=0),
        "a-negative-side": settings(side=-112),
        "a-side-of-a-quintillion": settings(side=10**18),
        "another-side-than-the-model": settings(side=112),
        "a-mean-of-another": settings(mean=1e300),
        "rules-of-others": settings(disable_rules=["x\n::error::PWNED"]),
        "ranges-of-nobody": settings(ranges={"evil": {"min": [5.0], "max": [-5.0]}}),
        "cycles-of-5000-digits": _account(lambda text: text.replace('"cycles":30', '"cycles":' + "9" * 5000)),
        "negative-cycles": layer(cycles=-30),
        "macs-of-5000-digits": _account(lambda text: text.replace('"macs":42336', '"macs":' + "9" * 5000)),
        "negative-macs": layer(macs=-5),
        "macs-of-a-quintillion": layer(macs=10**18),
        "memory-of-minus-one": told(lambda account: account.update(internal_kib=-1.0)),
        "no-layers": told(lambda account: account.update(layers=[])),
        "a-layer-with-a-newline": layer(name="x\n::error::PWNED", operator="x\n::error::PWNED", precision="fp16"),
        "a-layer-with-escapes": layer(name="x\x1b[31m", operator="x\x1b[31m", precision="fp16"),
        "another-place": layer(place="MOON"),
        "half-a-million-layers": told(lambda account: account.update(layers=account["layers"] * 100_000)),
        "weights-in-another-file": later(lambda: _outside(good.rknn_model())),
        "a-network-of-another-kind": _account(lambda text: text, good.tiny_onnx),
        **{name: later(lambda part=part: good.rknn_model()[: int(part * len(good.rknn_model()))]) for name, part in {"half": 0.5, "nearly-all": 0.98}.items()},
    }  # fmt: skip
    readable = {"rules-of-others", "ranges-of-nobody", "another-place", "a-layer-with-a-newline", "another-platform"}
    readable |= {"a-layer-with-escapes", "a-network-of-another-kind"}
    for name, content in models.items():
        fields = {"allowed": READ, "why": WHY} if name in readable else {}
        yield from _inspected(".rknn", f"model-{name}", {"net.onnx": content}, **fields)
    chips: dict[str, Content] = {"another": b"RKNN" * 99, **dict(flipped(good.RKNN, 1).items())}
    for name, content in chips.items():
        yield from _inspected(".rknn", f"chip-{name}", {"net.rknn": content})


def _changed(document: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    change(document)
    return document


def _account(change: Callable[[str], str], network: Callable[[], bytes] | None = None) -> Content:
    def make() -> bytes:
        from onnx import ModelProto, helper

        model = ModelProto.FromString(good.rknn_model())
        (entry,) = model.metadata_props
        text = change(entry.value)
        if network is not None:
            model = ModelProto.FromString(network())
        del model.metadata_props[:]
        helper.set_model_props(model, {entry.key: text})
        return model.SerializeToString()

    return later(make)


def _outside(model: bytes) -> bytes:
    from onnx import ModelProto, TensorProto

    changed = ModelProto.FromString(model)
    tensor = changed.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return changed.SerializeToString()


def _executorch() -> Iterator[Case]:
    whole = good.executorch_program()

    def made(**parts: object) -> Content:
        return later(lambda: pte.small_program(**parts))

    def values(place: int, value: object) -> Content:
        changed = pte.small_values()
        changed[place] = value
        return made(values=changed)

    def nodes(*changed: object) -> Content:
        return made(nodes=[*changed])

    transpose, convolution, reshape = pte.small_nodes()
    files: dict[str, Content] = {
        "an-operator-outside": made(operators=[("evil::system", "out")]),
        "an-operator-with-a-newline": made(operators=[("x\n::error::PWNED", "")]),
        "an-operator-with-escapes": made(operators=[("x\x1b[31m", "")]),
        "operators-of-a-megabyte": made(operators=[("x" * 900, "")] * 1_000),
        "two-calls": made(calls=2),
        "no-call": made(calls=0),
        "another-mark": made(mark=b"ET99"),
        "a-node-twice": nodes(transpose, transpose, convolution, reshape),
        "nodes-in-another-order": nodes(reshape, convolution, transpose),
        "no-nodes": nodes(),
        "an-unknown-node": nodes(transpose, pte.node(250, pte.number(1)), reshape),
        "a-node-of-itself": nodes(transpose, pte.convolution(inputs=3, output=1), reshape),
        "a-node-of-nobody": nodes(transpose, pte.convolution(output=4_000_000_000), reshape),
        "a-stride-of-zero": nodes(transpose, pte.convolution(stride=0), reshape),
        "a-stride-of-4-billion": nodes(transpose, pte.convolution(stride=4_294_967_295), reshape),
        "a-value-of-terabytes": values(2, pte.value(2, (1 << 20, 1 << 20, 1 << 20, 3), 6, held=1, scales=4)),
        "a-value-of-nothing": values(2, pte.value(2, (0, 3, 3, 3), 6, held=1, scales=4)),
        "a-value-of-nine-dimensions": values(2, pte.value(2, (1,) * 9, 6, held=1, scales=4)),
        "scales-of-4-billion": values(2, pte.value(2, (4, 3, 3, 3), 6, held=1, scales=4_294_967_295)),
        "constants-of-nobody": values(2, pte.value(2, (4, 3, 3, 3), 6, held=99, scales=4)),
        "constants-too-short": made(sizes=(8, 16, 16)),
        "constants-too-long": made(sizes=(100_000, 16, 16)),
        "a-segment-beyond-the-file": whole[:-20],
        "a-root-at-itself": struct.pack("<I", 4) + whole[4:],
        "a-root-beyond-the-file": struct.pack("<I", 0xFFFFFFF0) + whole[4:],
        "a-root-in-the-segments": struct.pack("<I", len(whole) - 4) + whole[4:],
        "500-mb-behind-the-mark": sparse(500 << 20, whole[:64]),
        **cut(whole),
    }  # fmt: skip
    harmless = {"constants-too-long"}
    for name, content in files.items():
        fields = {"allowed": READ, "why": WHY} if name in harmless else {}
        yield from _inspected(".pte", f"{name}", {"net.pte": content}, **fields)
    for number in range(6):
        at = 40 + number * (len(whole) // 8)
        turned = whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :]
        yield Case(
            f"pte/turned-{number}",
            ("inspect", "net.pte"),
            {"net.pte": turned},
            allowed=READ,
            why=WHY,
        )


def _ncnn() -> Iterator[Case]:
    def edited(old: str, new: str) -> Content:
        def make() -> bytes:
            text = good.ncnn_model()[0]
            assert old.encode() in text, old
            return text.replace(old.encode(), new.encode(), 1)

        return later(make)

    def first(kind: str, more: str) -> Content:
        """The first layer of a kind with more settings, or other ones, at its end."""

        def make() -> bytes:
            lines = good.ncnn_model()[0].split(b"\n")
            at = next(number for number, line in enumerate(lines) if line.startswith(kind.encode()))
            lines[at] += more.encode()
            return b"\n".join(lines)

        return later(make)

    files: dict[str, Content] = {
        "another-mark": edited("7767517", "7767518"),
        "layers-of-5000-digits": edited("7767517\n", "7767517\n" + "9" * 5000),
        "an-unknown-layer": edited("Convolution ", "Evil "),
        "a-layer-with-escapes": edited("Convolution ", "\x1b[31mx "),
        "a-setting-of-5000-digits": first("Convolution", " 6=" + "9" * 5000),
        "weights-of-a-billion": first("Convolution", " 6=999999999"),
        "negative-weights": first("Convolution", " 6=-5"),
        "a-stride-of-zero": first("Convolution", " 3=0"),
        "a-kernel-of-nan": first("Convolution", " 1=nan"),
        "a-kernel-of-infinity": first("Convolution", " 1=inf"),
        "a-list-for-a-number": first("Convolution", " -23301=2,3,3"),
        "a-setting-without-a-value": first("Convolution", " 6"),
        "an-input-of-terabytes": first("Input", " 0=99999999 1=99999999"),
        "a-million-layers": later(lambda: good.ncnn_model()[0] + b"ReLU x 1 1 a b\n" * 200_000),
        "splits-that-double": later(_doubling),
        "utf-16": later(lambda: good.ncnn_model()[0].decode().encode("utf-16")),
        "a-zero-byte": later(lambda: good.ncnn_model()[0] + b"\0"),
        "half": later(lambda: good.ncnn_model()[0][:200]),
    }
    for name, content in files.items():
        yield from _inspected(".param", name, {"net.param": content})
    weights: dict[str, Content] = {
        "half": later(lambda: good.ncnn_model()[1][:20]),
        "one-byte-more": later(lambda: good.ncnn_model()[1] + b"x"),
        "of-500-mb": sparse(500 << 20),
        "of-another-mark": later(lambda: b"\xff\xff\xff\xff" + good.ncnn_model()[1][4:]),
    }
    for name, content in weights.items():
        yield from _inspected(".param", f"weights-{name}", {"net.bin": content})


def _doubling() -> bytes:
    """Every layer joins the one before it with itself."""
    lines = ["Input x 0 1 b0 0=8 1=8 2=3"]
    for number in range(64):
        lines.append(f"Split s{number} 1 2 b{number} b{number}~0 b{number}~1")
        lines.append(f"Concat c{number} 2 1 b{number}~0 b{number}~1 b{number + 1} 0=0")
    return "\n".join(["7767517", f"{len(lines)} {3 * 64 + 1}", *lines, ""]).encode()


def _c() -> Iterator[Case]:
    evil = b'#include "/etc/passwd"\n__attribute__((constructor)) void run(void) { system("touch EXECUTED"); }\n'
    model = {"net.tflite": later(good.tflite_model)}
    for verb, more in {"inspect": (), "evaluate": ("--pairs", "faces.bin"), "benchmark": ()}.items():
        call = (verb, "net.c", *more)
        yield Case(f"c/{verb}-without-its-model", call, {"net.c": evil, **_FACES}, runs_code=True)
        fields = (
            {"allowed": frozenset({2, 3}), "why": "what cannot be loaded to be timed has failed"}
            if verb == "benchmark"
            else {}
        )
        yield Case(f"c/{verb}-of-another-text", call, {"net.c": evil, **model, **_FACES}, runs_code=True, **fields)
        for name in ("pipe", "endless-device", "8-gib", "noise"):
            yield Case(f"c/{verb}-beside-{name}", call, {"net.c": b"", "net.tflite": PLACES[name], **_FACES})
        for name in ("pipe", "endless-device", "8-gib"):
            yield Case(f"c/{verb}-of-{name}", call, {"net.c": PLACES[name], **model, **_FACES})
