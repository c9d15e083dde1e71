// Counts what is registered, and refuses one more than it has room for.
#pragma once

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

namespace tflite {
class MicroOpResolver {};

template <unsigned int tOpCount>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  TfLiteStatus AddAdd() { return One(); }
  TfLiteStatus AddConcatenation() { return One(); }
  TfLiteStatus AddConv2D() { return One(); }
  TfLiteStatus AddDepthwiseConv2D() { return One(); }
  TfLiteStatus AddEthosU() { return One(); }
  TfLiteStatus AddMean() { return One(); }
  TfLiteStatus AddMul() { return One(); }
  TfLiteStatus AddPrelu() { return One(); }
  TfLiteStatus AddQuantize() { return One(); }
  TfLiteStatus AddReshape() { return One(); }

 private:
  TfLiteStatus One() { return registered_++ < tOpCount ? kTfLiteOk : kTfLiteError; }
  unsigned int registered_ = 0;
};
}  // namespace tflite
