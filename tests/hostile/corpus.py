"""All hostile cases, and good ones that prove that the files around the hostile ones are none."""

from collections.abc import Iterator

from . import artifacts, faces, fleet, good, machine, networks, release, sets
from .case import Case, later, tree

CONTROL = frozenset({0})


def cases() -> list[Case]:
    """Every case, each under a name of its own."""
    parts = (faces, sets, release, networks, artifacts, machine, fleet)
    found = [*_controls(), *(case for part in parts for case in part.cases())]
    names = [case.name for case in found]
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})
    return found


def _controls() -> Iterator[Case]:
    def control(name: str, door: object, content: object) -> Case:
        return door.case(f"control/{name}", content, allowed=CONTROL, why="it is good")

    yield control("bin", faces.BIN, later(good.faces_bin))
    yield control("photos", faces.PHOTOS, tree(good.photographs()))
    yield control("landmarks", faces.LANDMARKS, good.landmarks())
    yield control("people", faces.PEOPLE, good.people())
    yield control("archive", faces.PHOTOS.renamed("photos.tgz"), later(good.archive))
    yield control("policy", release.POLICY, later(good.policy))
    yield control("report", release.REPORT, later(good.report_json))
    yield control("baseline", release.BASELINE, later(good.report_json))
    yield control("compare", release.COMPARED, later(good.report_json))
    yield control("bundle", release.BUNDLE, later(good.bundle))
    yield control("run-folder", release.RUN, good.run_folder)
    yield control("recipe", release.RECIPE, good.recipe())
    whole = {
        ".h5": good.keras_file,
        ".pt": good.torch_file,
        ".safetensors": good.safetensors,
        ".onnx": good.onnx_model,
        ".tflite": good.tflite_model,
    }
    for suffix, data in whole.items():
        yield control(f"inspect-{suffix[1:]}", networks.INSPECT[suffix], later(data))
        if suffix in networks.EXPORT:
            yield control(f"export-{suffix[1:]}", networks.EXPORT[suffix], later(data))
        if suffix in networks.BENCHMARK:
            yield control(f"benchmark-{suffix[1:]}", networks.BENCHMARK[suffix], later(data))
    yield Case(
        "control/inspect-tiny-tflite", ("inspect", "net.tflite"), {"net.tflite": later(good.tiny_tflite)}, CONTROL
    )
    yield Case("control/inspect-tiny-onnx", ("inspect", "net.onnx"), {"net.onnx": later(good.tiny_onnx)}, CONTROL)
    xml = {"net.xml": later(lambda: good.ir_model()[0]), "net.bin": later(lambda: good.ir_model()[1])}
    yield Case("control/inspect-ir", ("inspect", "net.xml"), xml, CONTROL, "it is good")
    yield control("cfp", sets.CFP, tree(good.cfp()))
    yield control("gallery", sets.GALLERY, tree(good.photographs()))
    for name, door, content in (
        ("match", sets.SECOND, good.image(2, 160)),
        ("match-album", sets.ALBUM, tree({"x.png": good.image(3, 160)})),
        ("match-film", sets.FILM, later(good.film)),
    ):
        answered = frozenset({4})
        yield door.case(f"control/{name}", content, allowed=answered, why="it is good, and no run knows its model")
    yield control("devices", fleet.DEVICES, b"pi4: {at: 'exec:nothing'}\n")
    yield control("plan", fleet.PLAN, fleet.SHORT_PLAN)
    for suffix, files in artifacts.WHOLE.items():
        yield Case(f"control/inspect-{suffix[1:]}", ("inspect", f"net{suffix}"), files, artifacts.READ, artifacts.WHY)
    yield Case("control/version", ("--version",), {}, CONTROL, "it is good")
