"""Where rknn-toolkit2 lives; without PyTorch, see `vendor`."""

from typing import Final

from ghostface_edge.targets.environment import Environment

RKNN: Final = Environment(
    name="rknn",
    python="3.11",
    requirements=(
        "rknn-toolkit2==2.5.0",
        "fast-histogram==0.14",
        "numpy==1.26.4",
        "onnx==1.18.0",
        "onnxruntime==1.23.2",
        "opencv-python-headless==4.11.0.86",
        "protobuf==4.25.4",
        "psutil==7.2.2",
        "ruamel.yaml==0.19.1",
        "scipy==1.17.0",
        "tqdm==4.70.1",
        "typing_extensions==4.16.0",
    ),
    imports=("ghostface_edge.targets.rknn.vendor",),
    modules=("targets.rknn.toolkit", "targets.rknn.vendor"),
    download_mb=177,
    installed_mb=593,
)
