/* Stands for a runtime: gives the golden embedding of whatever face it is asked for next, and the layers on file. */
#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "runtime.h"

static int32_t next;

const char *runtime_open(const char *model) {
    (void)model;
    return NULL;
}

int runtime_embed(const void *input, float *embedding) {
    const int32_t size = golden.embedding_size;
    (void)input;
    memcpy(embedding, golden.embeddings + next++ * size, (size_t)size * sizeof *embedding);
    return 0;
}

/* The float32 array beside a model, as NumPy wrote it: ten bytes, a header of the length that the last two tell, values. */
const float *runtime_layer(const char *model, const void *input, int32_t *size) {
    static float values[1 << 18];
    char path[4096];
    uint8_t start[10];
    FILE *file;
    (void)input;
    snprintf(path, sizeof path, "%.*s.npy", (int)(strrchr(model, '.') - model), model);
    file = fopen(path, "rb");
    if (!file) return NULL;
    if (fread(start, 1, sizeof start, file) == sizeof start) fseek(file, start[8] + 256 * start[9], SEEK_CUR);
    *size = (int32_t)fread(values, sizeof *values, 1 << 18, file);
    fclose(file);
    return values;
}
