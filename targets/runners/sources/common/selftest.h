/* Says where an integration parts from the pipeline: decoding, input, which layer, output, score. C99; needs stdint.h
 * only, so it runs on bare metal. */
#ifndef SELFTEST_H_
#define SELFTEST_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An integration's own steps, the very functions that the product calls. */
typedef struct {
    /* Golden face `number` as the product reads images: rows of RGB pixels; 0 if it could. NULL: there are no files. */
    int (*decode)(int number, uint8_t *face);
    /* A face to what the network is given: 112 * 112 * 3 bytes or floats. */
    void (*prepare)(const uint8_t *face, void *input);
    /* What the network is given to an embedding in real values; 0 if it could. */
    int (*embed)(const void *input, float *embedding);
    /* The score of two faces. */
    float (*score)(const float *one, const float *other);
    /* All values of a model's output, and how many; NULL if it does not run. NULL: the network tells of its layers. */
    const float *(*layer)(const char *file, const void *input, int32_t *size);
    /* Prints a line. */
    void (*say)(const char *line);
    /* Memory for an input. */
    void *input;
} Integration;

/* Runs every step on the golden faces and says what is the matter with the first that differs. Returns 0 if none does. */
int selftest(const Integration *integration);

/* For -DMODEL_TRACE=selftest_trace: told of every layer of the network in C. */
void selftest_trace(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride);

#ifdef __cplusplus
}
#endif

#endif
