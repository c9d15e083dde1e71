/* A face to its embedding, two to a score and a verdict, or the self-test. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "image.h"
#include "runtime.h"
#include "selftest.h"
#include "thresholds.h"

static float input[GOLDEN_PIXELS * 3]; /* bytes or floats */

static float cosine(const float *one, const float *other) {
    double product = 0, left = 0, right = 0;
    for (int32_t i = 0; i < golden.embedding_size; i++) {
        product += (double)one[i] * other[i];
        left += (double)one[i] * one[i];
        right += (double)other[i] * other[i];
    }
    return (float)(product / sqrt(left * right));
}

static int embed_file(const char *path, float *embedding) {
    static uint8_t face[GOLDEN_PIXELS * 3];
    const char *problem = read_face(path, face);
    if (problem) {
        fprintf(stderr, "%s: %s\n", path, problem);
        return 2;
    }
    runtime_prepare(face, input);
    if (runtime_embed(input, embedding)) {
        fprintf(stderr, "%s: the network does not run\n", golden.model);
        return 3;
    }
    return 0;
}

static int decode_golden(int number, uint8_t *face) {
    char path[4096];
    snprintf(path, sizeof path, "%s/golden/face-%d.ppm", RUNNERS_FOLDER, number);
    return read_face(path, face) != NULL;
}

static const float *layer_of_golden(const char *file, const void *given, int32_t *size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", RUNNERS_FOLDER, file);
    return runtime_layer(path, given, size);
}

static void say(const char *line) { puts(line); }

static int run(int count, char **faces) {
    static float embeddings[2][GOLDEN_LARGEST_EMBEDDING];
    int failed = 0;
    if (count == 1 && strcmp(faces[0], "--selftest") == 0) {
        const Integration integration = {decode_golden,   runtime_prepare, runtime_embed, cosine,
                                         layer_of_golden, say,             input};
        return selftest(&integration);
    }
    for (int i = 0; i < count && !failed; i++) failed = embed_file(faces[i], embeddings[i]);
    if (failed) return failed;
    for (int32_t i = 0; count == 1 && i < golden.embedding_size; i++) printf("%.9g\n", (double)embeddings[0][i]);
    if (count == 2) {
        const float score = cosine(embeddings[0], embeddings[1]);
        printf("%.6f", (double)score);
#ifdef THRESHOLD
        printf(" %s (threshold %g at %s)", score >= THRESHOLD ? "same person" : "different people", (double)THRESHOLD,
               THRESHOLD_RATE);
#endif
        puts("");
    }
    return 0;
}

int main(int count, char **arguments) {
    char model[4096];
    const char *problem;
    snprintf(model, sizeof model, "%s/%s", RUNNERS_FOLDER, golden.model);
    if (count >= 3 && strcmp(arguments[1], "--model") == 0) {
        snprintf(model, sizeof model, "%s", arguments[2]);
        count -= 2;
        arguments += 2;
    }
    if (count < 2 || count > 3) {
        fprintf(stderr, "give [--model FILE] and one face, two faces or --selftest\n");
        return 2;
    }
    problem = runtime_open(model);
    if (problem) {
        fprintf(stderr, "%s: %s\n", model, problem);
        return 3;
    }
    return run(count - 1, arguments + 1);
}
