#include "runner.h"

#include <cmath>
#include <cstring>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

// Where the arena lies, as RUNNER_ARENA='__attribute__((section(".sram1")))'.
#ifndef RUNNER_ARENA
#define RUNNER_ARENA
#endif
// For what kernels of a vendor's library (CMSIS-NN, ESP-NN) want on top.
#ifndef RUNNER_MORE_ARENA_BYTES
#define RUNNER_MORE_ARENA_BYTES 0
#endif

namespace ghostface {
namespace {

alignas(16) RUNNER_ARENA std::uint8_t arena[MODEL(_arena_bytes) + RUNNER_MORE_ARENA_BYTES];
tflite::MicroMutableOpResolver<MODEL(_operator_kinds)> resolver;
tflite::MicroInterpreter* interpreter = nullptr;

// The camera's byte is the network's, or 128 more than it; neither rounds.
[[maybe_unused]] void fill(std::uint8_t* input, const std::uint8_t* rgb) { std::memcpy(input, rgb, kFaceBytes); }

[[maybe_unused]] void fill(std::int8_t* input, const std::uint8_t* rgb) {
  for (int i = 0; i < kFaceBytes; ++i) input[i] = static_cast<std::int8_t>(rgb[i] - 128);
}

}  // namespace

Status start() {
  const tflite::Model* model = tflite::GetModel(MODEL());
  if (model->version() != TFLITE_SCHEMA_VERSION) return Status::kModel;
  if (!MODEL(_register_operators)(resolver)) return Status::kOperators;
  static tflite::MicroInterpreter made(model, resolver, arena, sizeof arena);
  if (made.AllocateTensors() != kTfLiteOk) return Status::kArena;
  if (made.input(0)->bytes != kFaceBytes || made.output(0)->bytes != kEmbeddingSize) return Status::kModel;
  interpreter = &made;
  return Status::kOk;
}

std::size_t arena_used_bytes() { return interpreter ? interpreter->arena_used_bytes() : 0; }

std::size_t arena_bytes() { return sizeof arena; }

Status embed(const std::uint8_t rgb[kFaceBytes], std::int8_t embedding[kEmbeddingSize]) {
  if (!interpreter) return Status::kNotStarted;
  // anew for every face: its memory may have been given to later tensors, or to the output
  fill(static_cast<MODEL(_input_t)*>(interpreter->input(0)->data.data), rgb);
  if (interpreter->Invoke() != kTfLiteOk) return Status::kInvoke;
  std::memcpy(embedding, interpreter->output(0)->data.data, kEmbeddingSize);
  return Status::kOk;
}

float cosine(const std::int8_t one[kEmbeddingSize], const std::int8_t other[kEmbeddingSize]) {
  std::int32_t product = 0, left = 0, right = 0;
  for (int i = 0; i < kEmbeddingSize; ++i) {
    const std::int32_t x = one[i] - MODEL(_output_zero_point), y = other[i] - MODEL(_output_zero_point);
    product += x * y;
    left += x * x;
    right += y * y;
  }
  if (left == 0 || right == 0) return 0;
  return static_cast<float>(product) / (std::sqrt(static_cast<float>(left)) * std::sqrt(static_cast<float>(right)));
}

}  // namespace ghostface
