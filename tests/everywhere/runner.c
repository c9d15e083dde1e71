/* Faces on standard input, embeddings on standard output. */
#include <stdint.h>
#include <stdio.h>

#include "model.h"

int main(void)
{
    static uint8_t rgb[MODEL_SIZE * MODEL_SIZE * 3];
    static uint8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));
    int8_t embedding[MODEL_EMBEDDING_SIZE];
    while (fread(rgb, 1, sizeof rgb, stdin) == sizeof rgb)
        if (model_embed(rgb, arena, embedding) || fwrite(embedding, 1, sizeof embedding, stdout) != sizeof embedding)
            return 1;
    return fflush(stdout) != 0;
}
