/* The network as C: bytes in, no library. This file and model.c are all that firmware needs. */
#include "runtime.h"

#include "golden.h"
#include MODEL_HEADER /* the network's, a file of the run */

#if defined(__GNUC__)
#define ALIGNED __attribute__((aligned(16)))
#else
#define ALIGNED _Alignas(16)
#endif

static uint8_t arena[MODEL_ARENA_BYTES] ALIGNED;

const char *runtime_open(const char *model) {
    (void)model; /* it is compiled in */
    return 0;
}

void runtime_prepare(const uint8_t *face, void *input) {
    uint8_t *bytes = (uint8_t *)input;
    for (int32_t i = 0; i < MODEL_SIZE * MODEL_SIZE * 3; i++) bytes[i] = face[i];
}

int runtime_embed(const void *input, float *embedding) {
    int8_t steps[MODEL_EMBEDDING_SIZE];
    if (model_embed((const uint8_t *)input, arena, steps)) return 1;
    for (int32_t i = 0; i < MODEL_EMBEDDING_SIZE; i++)
        embedding[i] = MODEL_EMBEDDING_SCALE * (float)(steps[i] - MODEL_EMBEDDING_ZERO_POINT);
    return 0;
}

const float *runtime_layer(const char *model, const void *input, int32_t *size) {
    (void)model, (void)input, (void)size; /* the network tells of its layers itself: -DMODEL_TRACE=selftest_trace */
    return 0;
}
