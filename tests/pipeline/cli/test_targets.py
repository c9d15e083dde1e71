"""What `targets` says of runtimes that are not there."""

import json


def test_runtimes_that_are_missing_are_named_with_their_pip_lines(cli, hiding):
    missing = hiding("openvino", "nncf", "ai_edge_litert", "ai_edge_quantizer", "flatbuffers", "tflite_micro", "ethosu")
    done = cli("targets", "--json", **missing)
    assert done.returncode == 0, done.stderr
    assert {row["runtime"]: row["fix"] for row in json.loads(done.stdout)} == {
        "onnxruntime": "",
        "openvino": "pip install 'ghostface-edge[openvino]'",
        "tflite": "pip install 'ghostface-edge[tflite]'",
        "tflite-micro": "pip install 'ghostface-edge[micro]'",
        "c": "pip install 'ghostface-edge[tflite]'",
        "ethos-u": "estimates: pip install 'ghostface-edge[micro]'",
    }
