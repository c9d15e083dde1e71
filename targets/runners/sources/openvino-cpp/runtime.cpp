// OpenVINO's C++ API: float32 planes in, real values out.
#include "runtime.h"

#include <openvino/openvino.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

extern "C" {
#include "golden.h"
}

namespace {

constexpr std::size_t pixels = GOLDEN_PIXELS;

ov::InferRequest network;
std::vector<float> layer_values;
std::string problem;

ov::InferRequest open_model(const std::string& file) {
    static ov::Core core;
    auto model = core.read_model(file);
    // A static batch: quantized models were seen to crash with a dynamic one.
    model->reshape(ov::PartialShape{1, 3, GOLDEN_SIZE, GOLDEN_SIZE});
    ov::AnyMap options{ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY), ov::num_streams(1),
                       ov::inference_num_threads(1),
                       // With bfloat16 the plugin would choose that by itself.
                       ov::hint::inference_precision(ov::element::f32)};
#if defined(__aarch64__) || defined(__arm__)
    options["LP_TRANSFORMS_MODE"] = "NO";  // integer models compute on their grids in float there
#endif
    return core.compile_model(model, "CPU", options).create_infer_request();
}

template <typename Value>
std::vector<float> copied(const ov::Tensor& tensor) {
    const auto* first = tensor.data<const Value>();
    return {first, first + tensor.get_size()};
}

std::vector<float> run(ov::InferRequest& request, const void* input) {
    auto* values = const_cast<float*>(static_cast<const float*>(input));
    request.set_input_tensor(ov::Tensor(ov::element::f32, {1, 3, GOLDEN_SIZE, GOLDEN_SIZE}, values));
    request.infer();
    const auto output = request.get_output_tensor(0);
    if (output.get_element_type() == ov::element::i8) return copied<std::int8_t>(output);
    if (output.get_element_type() == ov::element::u8) return copied<std::uint8_t>(output);
    return copied<float>(output);
}

}  // namespace

extern "C" const char* runtime_open(const char* model) try {
    network = open_model(model);
    return nullptr;
} catch (const std::exception& error) {
    problem = error.what();
    return problem.c_str();
}

extern "C" void runtime_prepare(const std::uint8_t* face, void* input) {
    auto* planes = static_cast<float*>(input);
    for (std::size_t pixel = 0; pixel < pixels; ++pixel)
        for (std::size_t c = 0; c < 3; ++c)
            planes[c * pixels + pixel] = (static_cast<float>(face[pixel * 3 + c]) - 127.5F) / 128.0F;
}

extern "C" int runtime_embed(const void* input, float* embedding) try {
    const auto values = run(network, input);
    if (values.size() != static_cast<std::size_t>(golden.embedding_size)) return 1;
    std::copy(values.begin(), values.end(), embedding);
    return 0;
} catch (const std::exception&) {
    return 1;
}

extern "C" const float* runtime_layer(const char* model, const void* input, std::int32_t* size) try {
    auto request = open_model(model);
    layer_values = run(request, input);
    *size = static_cast<std::int32_t>(layer_values.size());
    return layer_values.data();
} catch (const std::exception&) {
    return nullptr;
}
