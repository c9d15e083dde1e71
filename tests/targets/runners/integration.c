/* An integration that makes one mistake: its name is the first argument, the folder of runners the second. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "image.h"
#include "runtime.h"
#include "selftest.h"

static const char *mistake, *folder;
static int calls;

static int is(const char *name) { return strcmp(mistake, name) == 0; }

static int decode(int number, uint8_t *face) {
    char path[4096];
    snprintf(path, sizeof path, "%s/golden/face-%d.ppm", folder, is("decodes another file") ? 1 : number);
    if (read_face(path, face)) return 1;
    if (is("decodes BGR")) {
        for (int i = 0; i < GOLDEN_PIXELS * 3; i += 3) {
            const uint8_t red = face[i];
            face[i] = face[i + 2];
            face[i + 2] = red;
        }
    }
    return 0;
}

/* A face with its pixels elsewhere. */
static void moved(const uint8_t *face, uint8_t *to) {
    for (int y = 0; y < GOLDEN_SIZE; y++) {
        for (int x = 0; x < GOLDEN_SIZE; x++) {
            int row = y, column = x;
            if (is("mirrored")) column = GOLDEN_SIZE - 1 - x;
            if (is("upside down")) row = GOLDEN_SIZE - 1 - y;
            if (is("transposed")) row = x, column = y;
            if (is("shifted crop")) row = (y + GOLDEN_SIZE - 3) % GOLDEN_SIZE, column = (x + 2) % GOLDEN_SIZE;
            for (int c = 0; c < 3; c++) {
                const int from = is("BGR") || is("BGR and x / 255") ? 2 - c : c;
                to[(y * GOLDEN_SIZE + x) * 3 + c] = face[(row * GOLDEN_SIZE + column) * 3 + from];
            }
        }
    }
}

static void prepare_bytes(const uint8_t *face, uint8_t *input) {
    for (int i = 0; i < GOLDEN_PIXELS * 3; i++) {
        const float real = ((float)face[i] - 127.5f) / 128.0f;
        input[i] = face[i];
        if (is("other layout")) input[i] = face[i % GOLDEN_PIXELS * 3 + i / GOLDEN_PIXELS];
        if (is("byte - 128")) input[i] = (uint8_t)(face[i] - 128);
        if (is("normalised")) input[i] = (uint8_t)(int)real;
        if (is("x / 255") || is("BGR and x / 255")) input[i] = (uint8_t)((float)face[i] / 255.0f);
        if (is("rounded up") && face[i] < 255) input[i] = (uint8_t)(face[i] + 1);
        if (is("rounded down") && face[i] > 0) input[i] = (uint8_t)(face[i] - 1);
    }
}

static void prepare_floats(const uint8_t *face, float *input) {
    for (int i = 0; i < GOLDEN_PIXELS * 3; i++) {
        const float byte = face[is("other layout") ? i : i % GOLDEN_PIXELS * 3 + i / GOLDEN_PIXELS];
        input[i] = (byte - 127.5f) / 128.0f;
        if (is("not normalised")) input[i] = byte;
        if (is("normalised twice")) input[i] = (input[i] - 127.5f) / 128.0f;
        if (is("x / 255") || is("BGR and x / 255")) input[i] = byte / 255.0f;
        if (is("/ 127.5")) input[i] = (byte - 127.5f) / 127.5f;
        if (is("mean 127")) input[i] = (byte - 127.0f) / 128.0f;
        if (is("mean 128")) input[i] = (byte - 128.0f) / 128.0f;
    }
}

static void prepare(const uint8_t *face, void *input) {
    static uint8_t at_hand[GOLDEN_PIXELS * 3];
    if (!is("stale input") || !calls++) moved(face, at_hand);
    if (golden.input == GOLDEN_UINT8) prepare_bytes(at_hand, (uint8_t *)input);
    else prepare_floats(at_hand, (float *)input);
}

static int embed(const void *input, float *embedding) {
    static float kept[GOLDEN_PIXELS * 3], first[GOLDEN_LARGEST_EMBEDDING];
    if (!calls++) memcpy(kept, input, sizeof kept);
    if (runtime_embed(is("stale buffer") ? kept : input, embedding)) return 1;
    for (int32_t i = 0; i < golden.embedding_size; i++) {
        if (calls == 1) first[i] = embedding[i];
        if (is("stale embedding")) embedding[i] = first[i];
        if (is("wrong output scale")) embedding[i] *= 2;
        if (is("wrong output zero point")) embedding[i] += 3 * golden.output_scale;
        if (is("empty output")) embedding[i] = 0;
        if ((is("output cut off") || is("wrong kernel")) && i > 3) embedding[i] = 0;
    }
    return is("does not run");
}

static const float *layer(const char *file, const void *input, int32_t *size) {
    static float wrong[1 << 18];
    char path[4096];
    const float *values;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    values = runtime_layer(path, input, size);
    if (!values || !is("wrong kernel") || strstr(file, "layer-0")) return values;
    for (int32_t i = 0; i < *size; i++) wrong[i] = -values[i];
    return wrong;
}

static float score(const float *one, const float *other) {
    float product = 0, left = 0, right = 0, distance = 0;
    for (int32_t i = 0; i < golden.embedding_size; i++) {
        product += one[i] * other[i];
        left += one[i] * one[i];
        right += other[i] * other[i];
        distance += (one[i] - other[i]) * (one[i] - other[i]);
    }
    if (is("dot product")) return product;
    return is("distance") ? sqrtf(distance) : product / sqrtf(left * right);
}

static void say(const char *line) { puts(line); }

int main(int count, char **arguments) {
    static float input[GOLDEN_PIXELS * 3];
    const Integration integration = {decode, prepare, embed, score, layer, say, input};
    if (count != 3) return 2;
    mistake = arguments[1];
    folder = arguments[2];
    if (runtime_open("")) return 3;
    return selftest(&integration);
}
