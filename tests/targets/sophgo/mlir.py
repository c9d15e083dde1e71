"""A program for Sophgo's interpreter, as the vendor's tools write it: one INT8 convolution between two casts."""

import io
import zipfile

import numpy as np

PROGRAM = """#loc = loc(unknown)
module @net attributes {module.chip = "cv181x", module.weight_file = "net.npz"} {
  func.func @main(%arg0: tensor<1x3x8x8xf32> loc(unknown)) -> tensor<1x4x1x1xf32> {
    %0 = "top.Input"(%arg0) {mean = [1.28e+02, 1.28e+02, 1.28e+02], scale = [7.8125e-03, 7.8125e-03, 7.8125e-03]} : \
(tensor<1x3x8x8xf32>) -> tensor<1x3x8x8x!quant.calibrated<f32<-1.0:0.9921875>>> loc(#loc1)
    %1 = "tpu.Cast"(%0) {with_scale = true} : (tensor<1x3x8x8x!quant.calibrated<f32<-1.0:0.9921875>>>) -> \
tensor<1x3x8x8x!quant.uniform<i8:f32, 7.812500e-03>> loc(#loc2)
    %2 = "top.Weight"() : () -> tensor<4x3x8x8xsi8> loc(#loc3)
    %3 = "tpu.Conv2D"(%1, %2) {group = 1 : i64} : (tensor<1x3x8x8x!quant.uniform<i8:f32, 7.812500e-03>>, \
tensor<4x3x8x8xsi8>) -> tensor<1x4x1x1x!quant.uniform<i8:f32, 0.5>> loc(#loc4)
    %4 = "tpu.Cast"(%3) {with_scale = true} : (tensor<1x4x1x1x!quant.uniform<i8:f32, 0.5>>) -> \
tensor<1x4x1x1xf32> loc(#loc5)
    return %4 : tensor<1x4x1x1xf32> loc(#loc)
  } loc(#loc)
} loc(#loc)
#loc1 = loc("faces")
#loc2 = loc("faces_i8")
#loc3 = loc("weight")
#loc4 = loc("stem_Conv")
#loc5 = loc("embeddings")
"""


def weights(values=None, name="weight.npy"):
    """Its weights as `vendor.pack` writes them, or other ones."""
    array, file = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros((4, 3, 8, 8), np.int8) if values is None else values)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), array.getvalue())
    return file.getvalue()
