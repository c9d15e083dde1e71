/* ONNX Runtime's C API: float32 planes in, real values out. */
#include "runtime.h"

#include <onnxruntime_c_api.h>
#include <string.h>

#include "golden.h"

enum { PIXELS = GOLDEN_PIXELS, LARGEST = 1 << 21 };

static const OrtApi *api;
static OrtEnv *environment;
static OrtSession *network;
static float layer_values[LARGEST];

/* Whether a call failed; its message is let go. */
static int failed(OrtStatus *status) {
    if (!status) return 0;
    api->ReleaseStatus(status);
    return 1;
}

static OrtSession *open_session(const char *model) {
    OrtSessionOptions *options = NULL;
    OrtSession *session = NULL;
    if (failed(api->CreateSessionOptions(&options))) return NULL;
    if (failed(api->SetIntraOpNumThreads(options, 1)) || failed(api->SetInterOpNumThreads(options, 1)) ||
        failed(api->CreateSession(environment, model, options, &session)))
        session = NULL;
    api->ReleaseSessionOptions(options);
    return session;
}

/* An element of a model's output as a real value. */
static float value_of(const void *data, ONNXTensorElementDataType type, size_t at) {
    if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8) return (float)((const int8_t *)data)[at];
    if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8) return (float)((const uint8_t *)data)[at];
    return ((const float *)data)[at];
}

/* Copies an output of at most `most` values; returns how many, -1 if there is none. */
static int64_t read_output(const OrtValue *output, float *values, size_t most) {
    OrtTensorTypeAndShapeInfo *info = NULL;
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    void *data = NULL;
    size_t count = 0;
    if (failed(api->GetTensorTypeAndShape(output, &info))) return -1;
    const int broken = failed(api->GetTensorElementType(info, &type)) ||
                       failed(api->GetTensorShapeElementCount(info, &count)) ||
                       failed(api->GetTensorMutableData((OrtValue *)output, &data));
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (broken || count > most) return -1;
    for (size_t i = 0; i < count; i++) values[i] = value_of(data, type, i);
    return (int64_t)count;
}

static int64_t run(OrtSession *session, const void *input, float *values, size_t most) {
    const int64_t shape[4] = {1, 3, GOLDEN_SIZE, GOLDEN_SIZE};
    OrtMemoryInfo *memory = NULL;
    OrtAllocator *allocator = NULL;
    OrtValue *given = NULL, *output = NULL;
    char *names[2] = {NULL, NULL};
    int64_t count = -1;
    if (!failed(api->GetAllocatorWithDefaultOptions(&allocator)) &&
        !failed(api->SessionGetInputName(session, 0, allocator, &names[0])) &&
        !failed(api->SessionGetOutputName(session, 0, allocator, &names[1])) &&
        !failed(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory)) &&
        !failed(api->CreateTensorWithDataAsOrtValue(memory, (void *)input, PIXELS * 3 * sizeof(float), shape, 4,
                                                    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &given)) &&
        !failed(api->Run(session, NULL, (const char *const *)&names[0], (const OrtValue *const *)&given, 1,
                         (const char *const *)&names[1], 1, &output)))
        count = read_output(output, values, most);
    if (output) api->ReleaseValue(output);
    if (given) api->ReleaseValue(given);
    if (memory) api->ReleaseMemoryInfo(memory);
    for (int i = 0; i < 2; i++) {
        if (names[i]) (void)failed(api->AllocatorFree(allocator, names[i]));
    }
    return count;
}

const char *runtime_open(const char *model) {
    api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    if (!api) return "the library is older than its header";
    if (failed(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "ghostface", &environment))) return "ONNX Runtime does not start";
    network = open_session(model);
    return network ? NULL : "ONNX Runtime cannot load it";
}

void runtime_prepare(const uint8_t *face, void *input) {
    float *planes = (float *)input;
    for (int pixel = 0; pixel < PIXELS; pixel++) {
        for (int c = 0; c < 3; c++) planes[c * PIXELS + pixel] = ((float)face[pixel * 3 + c] - 127.5f) / 128.0f;
    }
}

int runtime_embed(const void *input, float *embedding) {
    return run(network, input, embedding, (size_t)golden.embedding_size) != golden.embedding_size;
}

const float *runtime_layer(const char *model, const void *input, int32_t *size) {
    OrtSession *session = open_session(model);
    int64_t count = session ? run(session, input, layer_values, LARGEST) : -1;
    if (session) api->ReleaseSession(session);
    *size = (int32_t)count;
    return count < 0 ? NULL : layer_values;
}
