// Aligned faces to embeddings with TensorFlow Lite Micro, two embeddings to a score.
#ifndef GHOSTFACE_RUNNER_H_
#define GHOSTFACE_RUNNER_H_

#include <cstdint>

#include "model.h"

namespace ghostface {

constexpr int kFaceBytes = MODEL(_input_height) * MODEL(_input_width) * MODEL(_input_channels);
constexpr int kEmbeddingSize = MODEL(_embedding_size);

enum class Status {
  kOk,
  kOperators,  // the resolver took not all of them: TensorFlow Lite Micro was built without one
  kModel,      // another version of the schema, or other tensors than the header says: .cc and .h of two models
  kArena,      // AllocateTensors() failed: more RUNNER_MORE_ARENA_BYTES
  kInvoke,     // Invoke() failed
  kNotStarted,
};

// Once, before the first face. On an Ethos-U after ethosu_init().
Status start();

// What the interpreter took of the arena, and what it was given.
std::size_t arena_used_bytes();
std::size_t arena_bytes();

// One face: 112 rows of 112 pixels, red, green, blue, aligned to the ArcFace template, bytes as the camera gives them.
Status embed(const std::uint8_t rgb[kFaceBytes], std::int8_t embedding[kEmbeddingSize]);

// Cosine of two embeddings; the same person where it is at least THRESHOLD, of golden/tflite-micro-int8/thresholds.h.
float cosine(const std::int8_t one[kEmbeddingSize], const std::int8_t other[kEmbeddingSize]);

}  // namespace ghostface

#endif
