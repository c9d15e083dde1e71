/* Faces in, embeddings out, until no face comes; then how much of the stack that took. With MODEL_TRACE, layers too.
 *
 * What it writes: its greeting; for every face the embedding; at last the stack's bytes. A traced layer is its number,
 * its pixels and its channels, then its values; the embedding follows with the number -1.
 */
#include <stdint.h>

#include "model.h"
#include "semihosting.h"
#include "stack.h"

static uint8_t face[MODEL_SIZE * MODEL_SIZE * 3];
static uint8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));
static int8_t embedding[MODEL_EMBEDDING_SIZE];
static uint32_t output;

static void put(const void *bytes, size_t size)
{
    if (!semihosting_write(output, bytes, size))
        semihosting_exit(1);
}

#ifdef MODEL_TRACE
void MODEL_TRACE(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride)
{
    const int32_t head[] = {layer, pixels, channels};
    int pixel;

    (void)name;
    put(head, sizeof head);
    for (pixel = 0; pixel < pixels; pixel++)
        put(data + pixel * stride, (size_t)channels);
}
#endif

int main(void)
{
    const struct {
        uint32_t face_bytes, embedding_bytes, arena_bytes;
        int32_t zero_point;
        float scale;
    } greeting = {sizeof face, sizeof embedding, sizeof arena, MODEL_EMBEDDING_ZERO_POINT, MODEL_EMBEDDING_SCALE};
    const uint32_t input = semihosting_open("/dev/stdin", SEMIHOSTING_RB);
    uint32_t stack;

    output = semihosting_open("/dev/stdout", SEMIHOSTING_WB);
    put(&greeting, sizeof greeting);
    while (semihosting_read(input, face, sizeof face)) {
        if (model_embed(face, arena, embedding) != 0)
            return 1;
#ifdef MODEL_TRACE
        put((const int32_t[]){-1, 1, sizeof embedding}, 12);
#endif
        put(embedding, sizeof embedding);
    }
    stack = stack_bytes();
    put(&stack, sizeof stack);
    return 0;
}
