/* Stands for a runtime: gives the golden embedding of whatever face it is asked for next. */
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
