/* What differs from runtime to runtime; a product calls these. */
#ifndef RUNTIME_H_
#define RUNTIME_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a model ready. Returns NULL, or what is wrong. */
const char *runtime_open(const char *model);

/* An aligned face, rows of RGB pixels, to what the network is given: 112 * 112 * 3 bytes or floats. */
void runtime_prepare(const uint8_t *face, void *input);

/* What the network is given to golden.embedding_size real values. Returns 0 if it could. */
int runtime_embed(const void *input, float *embedding);

/* All values of another model's output, and how many; NULL if it does not run. For the self-test. */
const float *runtime_layer(const char *model, const void *input, int32_t *size);

#ifdef __cplusplus
}
#endif

#endif
