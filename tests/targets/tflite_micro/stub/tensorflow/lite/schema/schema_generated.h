// Stands in for TensorFlow Lite Micro, whose sources are in no package: the few declarations that the runner uses.
#pragma once
#include <cstdint>

#define TFLITE_SCHEMA_VERSION (3)

namespace tflite {
struct Model {
  std::uint32_t version() const { return 3; }
};
inline const Model* GetModel(const void* bytes) { return static_cast<const Model*>(bytes); }
}  // namespace tflite
