/* See selftest.h. Every step is compared with what the pipeline recorded. A step before the network that differs is
 * compared with what each usual mistake would have made of the face, so that the mistake can be named. */
#include "selftest.h"

#include "golden.h"

#define VALUES (GOLDEN_PIXELS * 3)
#define FARTHEST_SHIFT 8

/* ---- text, without a library ---- */

typedef struct {
    char text[256];
    uint32_t length;
} Line;

static void add(Line *line, const char *text) {
    while (*text && line->length < sizeof line->text - 1) line->text[line->length++] = *text++;
    line->text[line->length] = 0;
}

static void add_number(Line *line, int32_t number) {
    char digits[12];
    uint32_t left = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;
    int at = 11;
    digits[at] = 0;
    do digits[--at] = (char)('0' + left % 10u);
    while (left /= 10u);
    add(line, number < 0 ? "-" : "");
    add(line, digits + at);
}

static int verdict(const Integration *its, int face, const char *step, const char *what) {
    Line line = {{0}, 0};
    add(&line, step);
    add(&line, ": ");
    add(&line, what);
    add(&line, " (face ");
    add_number(&line, face);
    add(&line, ")");
    its->say(line.text);
    return 1;
}

/* ---- mistakes before the network ---- */

typedef enum { BYTES, FLOAT_PLANES } Form;

static float given(Form form, const void *input, int32_t at) {
    return form == BYTES ? (float)((const uint8_t *)input)[at] : ((const float *)input)[at];
}

/* Value `at` of a face as networks were trained on it, if a mistake with places has been made; -1: not to be told. */
typedef enum { RIGHT, BGR, PLANES, PIXELS, MIRRORED, UPSIDE_DOWN, TRANSPOSED, PLACES } Place;

static const char *const PLACE_NAMES[PLACES] = {
    "",
    "colour order: BGR instead of RGB",
    "layout: planes (CHW) where pixels (HWC) are wanted",
    "layout: pixels (HWC) where planes (CHW) are wanted",
    "faces are mirrored",
    "faces are upside down",
    "faces are transposed: columns as rows",
};

static int32_t source(Form form, Place place, int dx, int dy, int32_t at) {
    const int planes = form == FLOAT_PLANES && place != PIXELS;
    int32_t c = planes ? at / GOLDEN_PIXELS : at % 3, pixel = planes ? at % GOLDEN_PIXELS : at / 3;
    int32_t y = pixel / GOLDEN_SIZE + dy, x = pixel % GOLDEN_SIZE + dx;
    if (place == PLANES) return form == BYTES ? at % GOLDEN_PIXELS * 3 + at / GOLDEN_PIXELS : -1;
    if (place == BGR) c = 2 - c;
    if (place == MIRRORED) x = GOLDEN_SIZE - 1 - x;
    if (place == UPSIDE_DOWN) y = GOLDEN_SIZE - 1 - y;
    if (x < 0 || y < 0 || x >= GOLDEN_SIZE || y >= GOLDEN_SIZE) return -1;
    return ((place == TRANSPOSED ? x * GOLDEN_SIZE + y : y * GOLDEN_SIZE + x)) * 3 + c;
}

/* What a byte becomes, if a mistake with values has been made. */
typedef enum { KEPT, RAW, CENTRED, NORMALISED, DIVIDED, TWICE, BY_127, MEAN_127, MEAN_128, UP, DOWN, RANGES } Range;

static const char *const RANGE_NAMES[RANGES] = {
    "",
    "scaling: not normalised, bytes as they are",
    "zero point: byte - 128 where the byte is wanted",
    "scaling: real values, as (x - 127.5) / 128 or x / 255, where the byte is wanted",
    "scaling: x / 255",
    "scaling: normalised twice",
    "scaling: (x - 127.5) / 127.5 instead of / 128",
    "scaling: mean 127 instead of 127.5",
    "scaling: mean 128 instead of 127.5",
    "rounding: values are rounded up, one too high",
    "rounding: values are rounded down, one too low",
};

static float ranged(Form form, Range range, float byte) {
    const float normal = (byte - 127.5f) / 128.0f, step = form == BYTES ? 1.0f : 1.0f / 128.0f;
    const float right = form == BYTES ? byte : normal;
    switch (range) {
        case RAW: return byte;
        case CENTRED: return byte - 128.0f;
        case NORMALISED: return normal;
        case DIVIDED: return byte / 255.0f;
        case TWICE: return (normal - 127.5f) / 128.0f;
        case BY_127: return (byte - 127.5f) / 127.5f;
        case MEAN_127: return (byte - 127.0f) / 128.0f;
        case MEAN_128: return (byte - 128.0f) / 128.0f;
        case UP: return form == BYTES && right == 255.0f ? right : right + step;
        case DOWN: return form == BYTES && right == 0.0f ? right : right - step;
        default: return right;
    }
}

static int is_as(Form form, const void *input, const uint8_t *face, Place place, Range range, int dx, int dy) {
    int told = 0;
    for (int32_t at = 0; at < VALUES; at++) {
        const int32_t from = source(form, place, dx, dy, at);
        if (from < 0) continue;
        float due = ranged(form, range, (float)face[from]), distance;
        if (form == BYTES) due = (float)(uint8_t)(int32_t)due; /* as C converts it */
        distance = due - given(form, input, at);
        if (!(distance < 1e-5f && distance > -1e-5f)) return 0;
        told = 1;
    }
    return told;
}

static int explain(const Integration *its, int number, const char *step, Form form, const void *input) {
    const uint8_t *const face = golden_faces[number];
    Line what = {{0}, 0};
    for (int other = 0; other < SELFTEST_FACES; other++) {
        if (other != number && is_as(form, input, golden_faces[other], RIGHT, KEPT, 0, 0))
            return verdict(its, number, step, "stale: it is another face's");
    }
    for (int range = KEPT; range < RANGES; range++) {
        for (int place = RIGHT; place < PLACES; place++) {
            if (!is_as(form, input, face, (Place)place, (Range)range, 0, 0)) continue;
            add(&what, PLACE_NAMES[place]);
            add(&what, place != RIGHT && range != KEPT ? "; " : "");
            add(&what, RANGE_NAMES[range]);
            return verdict(its, number, step, what.text);
        }
    }
    for (int dy = -FARTHEST_SHIFT; dy <= FARTHEST_SHIFT; dy++) {
        for (int dx = -FARTHEST_SHIFT; dx <= FARTHEST_SHIFT; dx++) {
            if (!is_as(form, input, face, RIGHT, KEPT, dx, dy)) continue;
            add(&what, "shifted crop: the face begins at column ");
            add_number(&what, dx);
            add(&what, ", row ");
            add_number(&what, dy);
            return verdict(its, number, step, what.text);
        }
    }
    return verdict(its, number, step, "other values, by none of the usual mistakes");
}

/* ---- the network ---- */

/* Square of the distance of two vectors. */
static float distance_of(const float *there, const float *here, int32_t size) {
    float distance = 0;
    for (int32_t i = 0; i < size; i++) distance += (there[i] - here[i]) * (there[i] - here[i]);
    return distance;
}

/* Whether two vectors are as near as the runtime allows: |there - here| <= tolerance * |here|. */
static int agrees(const float *there, const float *here, int32_t size) {
    float length = 0;
    for (int32_t i = 0; i < size; i++) length += here[i] * here[i];
    return distance_of(there, here, size) <= golden.tolerance * golden.tolerance * length;
}

/* Whether an embedding is this face's: as near as the runtime allows, and no other face's is nearer. */
static int is_of(const float *there, int face) {
    const int32_t size = golden.embedding_size;
    const float *own = golden.embeddings + face * size;
    if (!agrees(there, own, size)) return 0;
    for (int other = 0; other < GOLDEN_FACES; other++) {
        if (distance_of(there, golden.embeddings + other * size, size) < distance_of(there, own, size)) return 0;
    }
    return 1;
}

static int blame_layer(const Integration *its, int face, const GoldenLayer *layer, const float *there, float step) {
    int higher = 0, lower = 0, far = 0;
    Line what = {{0}, 0};
    for (int i = 0; i < GOLDEN_SAMPLES; i++) {
        const float distance = there[i] - layer->samples[i];
        higher += distance > 0;
        lower += distance < 0;
        far += !(distance <= 2.01f * step && distance >= -2.01f * step);
    }
    add(&what, layer->name);
    if (face) {
        add(&what, ": other values");
    } else if (step > 0 && !far) {
        add(&what, ": rounded otherwise, by two steps at most; of ");
        add_number(&what, GOLDEN_SAMPLES);
        add(&what, " values ");
        add_number(&what, higher);
        add(&what, " are higher and ");
        add_number(&what, lower);
        add(&what, " lower");
    } else {
        add(&what, ": other values in ");
        add_number(&what, higher + lower);
        add(&what, " of ");
        add_number(&what, GOLDEN_SAMPLES);
        add(&what, ": its weights, its scales or its kernel");
    }
    return verdict(its, face, "first layer that differs", what.text);
}

/* What the network in C told of itself while the face went through. */
static struct {
    int32_t face, layers, first; /* first: of the layers that differ; -1: none */
    int stale;                   /* whether that one is another face's */
    float samples[GOLDEN_SAMPLES];
} traced;

void selftest_trace(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride) {
    const int32_t at = traced.layers++;
    const GoldenLayer *due = &golden.layers[at];
    uint32_t checksum = 0;
    (void)layer, (void)name;
    if (traced.first >= 0 || at >= golden.layer_count) return;
    for (int pixel = 0; pixel < pixels; pixel++) {
        for (int c = 0; c < channels; c++) checksum = checksum * 16777619u + (uint8_t)data[pixel * stride + c];
    }
    if (pixels * channels == due->size && checksum == due->checksums[traced.face]) return;
    traced.first = at;
    for (int32_t other = 0; other < SELFTEST_FACES; other++)
        traced.stale |= other != traced.face && checksum == due->checksums[other];
    for (int32_t i = 0; i < GOLDEN_SAMPLES; i++) {
        const int32_t from = (int32_t)((int64_t)(pixels * channels - 1) * i / (GOLDEN_SAMPLES - 1));
        traced.samples[i] = (float)data[from / channels * stride + from % channels];
    }
}

/* The first layer that differs, by models that end there; of the first face, whose values are known. */
static int look_into_layers(const Integration *its) {
    its->prepare(golden_faces[0], its->input);
    for (int32_t at = 0; its->layer && at < golden.layer_count; at++) {
        const GoldenLayer *layer = &golden.layers[at];
        float samples[GOLDEN_SAMPLES];
        int32_t size = 0;
        if (!layer->file[0]) return 0; /* a network that would have told of it */
        const float *values = its->layer(layer->file, its->input, &size);
        if (!values) return verdict(its, 0, layer->name, "the model that ends there does not run");
        if (size != layer->size) return verdict(its, 0, layer->name, "the tensor has another size");
        for (int32_t i = 0; i < GOLDEN_SAMPLES; i++)
            samples[i] = values[(int64_t)(size - 1) * i / (GOLDEN_SAMPLES - 1)];
        if (!agrees(samples, layer->samples, GOLDEN_SAMPLES)) return blame_layer(its, 0, layer, samples, 0);
    }
    return 0;
}

/* ---- its output ---- */

static int blame_output(const Integration *its, int face, const float *there) {
    const float *here = golden.embeddings + face * golden.embedding_size;
    float product = 0, length = 0, theirs = 0, mean = 0, off = 0;
    Line what = {{0}, 0};
    for (int32_t i = 0; i < golden.embedding_size; i++) {
        product += there[i] * here[i];
        length += here[i] * here[i];
        theirs += there[i] * there[i];
        mean += (there[i] - here[i]) / (float)golden.embedding_size;
    }
    for (int32_t i = 0; i < golden.embedding_size; i++) {
        const float distance = there[i] - here[i] - mean;
        off += distance * distance;
    }
    for (int other = 0; other < SELFTEST_FACES; other++) {
        if (other != face && is_of(there, other))
            return verdict(its, face, "output", "stale: it is another face's embedding");
    }
    if (!(theirs > 0)) return verdict(its, face, "output", "it is zero or no number");
    if (product > 0 && product * product >= 0.99999f * length * theirs)
        return verdict(its, face, "output", "scale: all values are multiplied by one factor");
    if (off <= 1e-6f * length) {
        add(&what, "zero point: all values are moved by one distance");
        if (golden.output_scale > 0) {
            const float steps = mean / golden.output_scale;
            add(&what, ", in steps ");
            add_number(&what, (int32_t)(steps + (steps < 0 ? -0.5f : 0.5f)));
        }
        return verdict(its, face, "output", what.text);
    }
    return verdict(its, face, "output", "the network's layers agree as far as known, its embedding does not");
}

static int check_score(const Integration *its, const float *one, const float *other, int face) {
    float product = 0, left = 0, right = 0, told = its->score(one, other), off;
    for (int32_t i = 0; i < golden.embedding_size; i++) {
        product += one[i] * other[i];
        left += one[i] * one[i];
        right += other[i] * other[i];
    }
    /* told = product / sqrt(left * right), without a square root */
    off = told * told * left * right - product * product;
    if ((told < 0) == (product < 0) && off <= 1e-4f * left * right && off >= -1e-4f * left * right) return 0;
    if (told - product <= 1e-4f * left && product - told <= 1e-4f * left)
        return verdict(its, face, "score", "a dot product of embeddings that were not normalised");
    return verdict(its, face, "score", "it is not the cosine of the two embeddings");
}

static int check_face(const Integration *its, int face, float *embedding) {
    traced.face = face;
    traced.layers = traced.stale = 0;
    traced.first = -1;
    if (its->decode) {
        if (its->decode(face, its->input)) return verdict(its, face, "decoding", "the image cannot be read");
        if (!is_as(BYTES, its->input, golden_faces[face], RIGHT, KEPT, 0, 0))
            return explain(its, face, "decoding", BYTES, its->input);
    }
    const Form form = golden.input == GOLDEN_UINT8 ? BYTES : FLOAT_PLANES;
    its->prepare(golden_faces[face], its->input);
    if (!is_as(form, its->input, golden_faces[face], RIGHT, KEPT, 0, 0))
        return explain(its, face, "input", form, its->input);
    if (its->embed(its->input, embedding)) return verdict(its, face, "network", "it does not run");
    if (traced.first == 0 && traced.stale) return verdict(its, face, "network", "stale: it was given another face");
    if (traced.first >= 0) return blame_layer(its, face, &golden.layers[traced.first], traced.samples, 1);
    if (traced.layers && traced.layers != golden.layer_count)
        return verdict(its, face, "network", "it has other layers: it is another model");
    if (is_of(embedding, face)) return 0;
    return look_into_layers(its) || blame_output(its, face, embedding);
}

int selftest(const Integration *its) {
    static float first[GOLDEN_LARGEST_EMBEDDING], embedding[GOLDEN_LARGEST_EMBEDDING];
    Line line = {{0}, 0};
    for (int face = 0; face < SELFTEST_FACES; face++) {
        if (check_face(its, face, face ? embedding : first)) return 1;
        if (face && check_score(its, first, embedding, face)) return 1;
    }
    add(&line, golden.variant);
    add(&line, ": all golden faces agree, input, embeddings and scores");
    its->say(line.text);
    return 0;
}
