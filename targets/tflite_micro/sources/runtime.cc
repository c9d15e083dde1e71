// The runner as the self-test of ../common calls a runtime; a product calls runner.h.
#include "runtime.h"

#include <cstring>

#include "runner.h"

const char* runtime_open(const char*) {
  switch (ghostface::start()) {
    case ghostface::Status::kOk:
      return nullptr;
    case ghostface::Status::kOperators:
      return "an operator is missing in this build of TensorFlow Lite Micro";
    case ghostface::Status::kArena:
      return "the arena is too small: RUNNER_MORE_ARENA_BYTES";
    default:
      return "the model is not the header's";
  }
}

void runtime_prepare(const std::uint8_t* face, void* input) { std::memcpy(input, face, ghostface::kFaceBytes); }

int runtime_embed(const void* input, float* embedding) {
  std::int8_t steps[ghostface::kEmbeddingSize];
  if (ghostface::embed(static_cast<const std::uint8_t*>(input), steps) != ghostface::Status::kOk) return 1;
  for (int i = 0; i < ghostface::kEmbeddingSize; ++i)
    embedding[i] = MODEL(_output_scale) * static_cast<float>(steps[i] - MODEL(_output_zero_point));
  return 0;
}

const float* runtime_layer(const char*, const void*, std::int32_t*) { return nullptr; }  // one model is compiled in
