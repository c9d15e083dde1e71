/* What the pipeline computed for the golden faces; golden.c and golden_faces.c are generated with every run. */
#ifndef GOLDEN_H_
#define GOLDEN_H_

#include <stdint.h>

#define GOLDEN_SIZE 112
#define GOLDEN_PIXELS (GOLDEN_SIZE * GOLDEN_SIZE)
#define GOLDEN_FACES 8
#define GOLDEN_SAMPLES 32
#define GOLDEN_LARGEST_EMBEDDING 1024

/* How many of them the self-test uses: 37 kB of flash each. */
#ifndef SELFTEST_FACES
#define SELFTEST_FACES GOLDEN_FACES
#endif

typedef enum { GOLDEN_UINT8, GOLDEN_FLOAT32_NCHW } GoldenInput;

typedef struct {
    const char *name; /* the tensor's */
    const char *file; /* a model that ends there, as seen from there; "" where the network tells of its layers itself */
    int32_t size;     /* values */
    float samples[GOLDEN_SAMPLES];       /* of the first face; value (size - 1) * i / (GOLDEN_SAMPLES - 1) each */
    uint32_t checksums[GOLDEN_FACES];    /* of all values, where files are none: c = 16777619 c + byte */
} GoldenLayer;

typedef struct {
    const char *variant;
    const char *model; /* its file, seen from the folder of runners */
    GoldenInput input;
    float tolerance;    /* largest |there - here| / |here| of a tensor, by Euclidean norm; 0: equal */
    int32_t embedding_size;
    float output_scale; /* its step; 0 where the network gives real values */
    const float *embeddings; /* GOLDEN_FACES x embedding_size, real values */
    int32_t layer_count;
    const GoldenLayer *layers;
} Golden;

extern const Golden golden;
/* Aligned, rendered faces: rows of RGB pixels. */
extern const uint8_t golden_faces[SELFTEST_FACES][GOLDEN_PIXELS * 3];

#endif
