"""What `targets` says of runtimes that are not there."""

import json


def test_runtimes_that_are_missing_are_named_with_their_pip_lines(cli, hiding):
    lite = ("ai_edge_litert", "ai_edge_quantizer", "flatbuffers", "tflite_micro", "ethosu")
    missing = hiding("openvino", "nncf", "ncnn", *lite)
    done = cli("targets", "--json", **missing)
    assert done.returncode == 0, done.stderr
    assert {row["runtime"]: row["fix"] for row in json.loads(done.stdout)} == {
        "onnxruntime": "",
        "openvino": "pip install 'ghostface-edge[openvino]'",
        "ncnn": "pip install 'ghostface-edge[ncnn]'",
        "web": "ghostface-edge targets install web",
        "executorch": "ghostface-edge targets install executorch",
        "rknn-rk3588": "ghostface-edge targets install rknn",
        "rknn-rk3566": "ghostface-edge targets install rknn",
        "rknn-rv1106": "ghostface-edge targets install rknn",
        "tflite": "pip install 'ghostface-edge[tflite]'",
        "tflite-runtime": "pip install 'ghostface-edge[tflite]'",  # reads what it is given with the schema
        "tflite-micro": "pip install 'ghostface-edge[micro]'",
        "c": "pip install 'ghostface-edge[tflite]'",
        "sophgo-cv181x": "ghostface-edge targets install sophgo",
        "sophgo-bm1684x": "ghostface-edge targets install sophgo",
        "ethos-u": "estimates: pip install 'ghostface-edge[micro]'",
    }
