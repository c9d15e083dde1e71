// A network whose embedding is every STUB_STEPth byte of its input; it overwrites its input, as the real one may.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

union TfLitePtrUnion {
  void* data;
};
struct TfLiteTensor {
  TfLitePtrUnion data;
  std::size_t bytes;
};

namespace tflite {
class MicroInterpreter {
 public:
  MicroInterpreter(const Model*, const MicroOpResolver&, std::uint8_t* arena, std::size_t arena_bytes)
      : arena_(arena), arena_bytes_(arena_bytes) {}
  TfLiteStatus AllocateTensors() {
    if (arena_bytes_ < STUB_INPUT_BYTES + STUB_OUTPUT_BYTES) return kTfLiteError;
    input_ = {{arena_}, STUB_INPUT_BYTES};
    output_ = {{arena_ + STUB_INPUT_BYTES}, STUB_OUTPUT_BYTES};
    return kTfLiteOk;
  }
  TfLiteTensor* input(std::size_t) { return &input_; }
  TfLiteTensor* output(std::size_t) { return &output_; }
  TfLiteStatus Invoke() {
    constexpr std::size_t step = STUB_INPUT_BYTES / STUB_OUTPUT_BYTES;
    for (std::size_t i = 0; i < STUB_OUTPUT_BYTES; ++i) arena_[STUB_INPUT_BYTES + i] = arena_[i * step];
    std::memset(arena_, 0, STUB_INPUT_BYTES);
    return kTfLiteOk;
  }
  std::size_t arena_used_bytes() const { return STUB_INPUT_BYTES + STUB_OUTPUT_BYTES; }

 private:
  std::uint8_t* arena_;
  std::size_t arena_bytes_;
  TfLiteTensor input_, output_;
};
}  // namespace tflite
