import pytest

from ghostface_edge.pipeline.support.member_names import problem_of_all, problem_of_name


@pytest.mark.parametrize(
    "name",
    [
        "report.json",
        "models/V1-0.5-2-openvino-int8.xml",
        ".hidden/a b",
        "models/na\u00efve.onnx",
        "a" * 255,
        "con-x/nulls",
    ],
)
def test_relative_names_are_taken(name):
    assert problem_of_name(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "no path inside"),
        ("/etc/passwd", "no path inside"),
        ("//server/share", "no path inside"),
        ("..", "a part of it"),
        ("../up", "a part of it"),
        ("models/../../up", "a part of it"),
        ("./here", "a part of it"),
        ("models//twice", "a part of it"),
        ("folder/", "a part of it"),
        ("models/x.", "a part of it"),
        ("models/x /y", "a part of it"),
        ("models/ x", "a part of it"),
        ("models/aux.json", "device"),
        ("NUL/model.onnx", "device"),
        ("lpt1", "device"),
        ("COM9.tar.gz", "device"),
        ("C:/windows", "not every system"),
        ("a:stream", "not every system"),
        ("models\\x", "not every system"),
        ("what?", "not every system"),
        ("a\nb", "not every system"),
        ("a\x00b", "not every system"),
        ("a\x1b[31mb", "not every system"),
        ("a\u202eb", "not every system"),
        ("a\ud800b", "not every system"),
        ("a\u00a0b", "not every system"),
        ("nai\u0308ve", "normal form C"),
        ("a" * 256, "more than 255 bytes"),
        ("\u00e9" * 128, "more than 255 bytes"),
    ],
)
def test_other_names_are_refused_and_quoted(name, problem):
    said = problem_of_name(name)
    assert said is not None
    assert problem in said
    assert said.isprintable()
    assert said.isascii()
    assert ("\\u2026" in said) == (len(name) > 255)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a", "b", "a"], "a occurs more than once"),
        (["models/Net", "models/net"], "models/net and models/Net are one and the same"),
        (["stra\u00dfe", "STRASSE"], "one and the same"),
        (["Models/a", "models/b"], "models and Models are one and the same"),
        (["models", "models/a"], "models: both a file and a folder"),
        (["models/a/b", "models/a", "x", "x/y"], "models/a, x: both a file and a folder"),
    ],
)
def test_names_that_some_system_takes_for_one(names, problem):
    assert problem in problem_of_all(names)


def test_names_that_differ():
    assert problem_of_all([]) is None
    assert problem_of_all(["models/a.xml", "models/a.bin", "models/a.xml.json", "report.json", "models.zip"]) is None


def test_a_name_too_long_to_quote_is_cut_short():
    assert problem_of_name("?" * 255).startswith(f"'{'?' * 255}' cannot be")
    assert problem_of_name("?" * 256).startswith(f"'{'?' * 40}\\u2026' cannot be")
