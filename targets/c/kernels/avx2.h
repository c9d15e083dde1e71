#if defined(__AVX2__) && defined(__FMA__) && !defined(MODEL_PORTABLE)
/* ---- Kernels for AVX2, with VNNI where it is. Rounding to nearest has to be the processor's mode, as it is. ---- */
#include <immintrin.h>

#define MODEL_BLOCKS
#define HAVE_POINTWISE
#define HAVE_CONVOLUTION
#define HAVE_DEPTHWISE
#define HAVE_DEPTHWISE_PIXEL
#define HAVE_ADD
#define HAVE_MULTIPLY
#define HAVE_MEAN

#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
#define DOT(sum, x, w) _mm256_dpbusd_epi32(sum, x, w)
#elif defined(__AVXVNNI__)
#define DOT(sum, x, w) _mm256_dpbusd_avx_epi32(sum, x, w)
#endif

/* Constant arguments make one copy of the code for each. */
#define INLINE static inline __attribute__((always_inline))

KERNEL void prelu_alone(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t channels, const prelu_t *prelu,
                        int8_t *out, int32_t out_stride);

INLINE __m256i load_32(const void *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}

INLINE __m128i load_16(const void *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

INLINE __m128i load_8(const void *from)
{
    return _mm_loadl_epi64((const __m128i *)from);
}

/* The first bytes of 16, and no more: what lies behind belongs to another tensor. */
INLINE void store(int8_t *to, __m128i bytes, int32_t count)
{
    if (count >= 16) {
        _mm_storeu_si128((__m128i *)to, bytes);
        return;
    }
    if (count & 8) {
        _mm_storel_epi64((__m128i *)to, bytes);
        bytes = _mm_unpackhi_epi64(bytes, bytes);
        to += 8;
    }
    if (count & 4) {
        const int32_t word = _mm_cvtsi128_si32(bytes);
        memcpy(to, &word, 4);
        bytes = _mm_srli_epi64(bytes, 32);
        to += 4;
    }
    if (count & 2) {
        const int32_t word = _mm_cvtsi128_si32(bytes);
        memcpy(to, &word, 2);
        bytes = _mm_srli_epi64(bytes, 16);
        to += 2;
    }
    if (count & 1)
        *to = (int8_t)_mm_cvtsi128_si32(bytes);
}

/* `scaled` of eight values. */
INLINE __m256i scaled_8(__m256i x, __m256i significands, __m256i shifts)
{
    const __m256i zero = _mm256_setzero_si256(), half = _mm256_set1_epi64x((int64_t)1 << 30);
    const __m256i right = _mm256_max_epi32(_mm256_sub_epi32(zero, shifts), zero);
    const __m256i middle = _mm256_srli_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), right), 1);
    x = _mm256_sllv_epi32(x, _mm256_max_epi32(shifts, zero));
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, significands), half);
    const __m256i odd = _mm256_add_epi64(
        _mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(significands, 32)), half);
    const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
    const __m256i below = _mm256_and_si256(_mm256_srai_epi32(high, 31), _mm256_cmpgt_epi32(right, zero));
    return _mm256_srav_epi32(_mm256_add_epi32(_mm256_add_epi32(high, middle), below), right);
}

/* round(x * factor + nudge), the nudge with the sign of x; not yet an integer. */
INLINE __m256 nudged(__m256i x, __m256 factors, __m256 nudges)
{
    const __m256 real = _mm256_cvtepi32_ps(x), sign = _mm256_and_ps(real, _mm256_set1_ps(-0.0f));
    return _mm256_fmadd_ps(real, factors, _mm256_or_ps(sign, nudges));
}

/* The same of four pixels. */
INLINE void store_4(int8_t *to, int32_t stride, __m128i a, __m128i b, __m128i c, __m128i d, int32_t count)
{
    if (count == 4) {
        const int32_t words[4] = {_mm_cvtsi128_si32(a), _mm_cvtsi128_si32(b), _mm_cvtsi128_si32(c),
                                  _mm_cvtsi128_si32(d)};
        for (int i = 0; i < 4; ++i)
            memcpy(to + i * stride, words + i, 4);
        return;
    }
    store(to, a, count);
    store(to + stride, b, count);
    store(to + 2 * stride, c, count);
    store(to + 3 * stride, d, count);
}

/* What the generator has proved of a layer: FAST its sums, FALLS its PReLU. */
enum { FAST = 1, FALLS = 2 };

INLINE int form_of(const output_t *output)
{
    return (output->factors ? FAST : 0) | (output->prelu && output->prelu->factors ? FALLS : 0);
}

/* What eight channels are finished with; a copy, because stores of int8 may change anything else. */
typedef struct {
    __m256i bias, significands, shifts;
    __m256 factors, nudges, falling, falling_nudges, lowest;
} lanes_t;

INLINE lanes_t lanes_of(const output_t *output, int32_t channel, int form)
{
    lanes_t lanes;
    memset(&lanes, 0, sizeof lanes);
    lanes.bias = load_32(output->bias + channel);
    if (form & FAST) {
        lanes.factors = _mm256_loadu_ps(output->factors + channel);
        lanes.nudges = _mm256_loadu_ps(output->nudges + channel);
    } else {
        lanes.significands = load_32(output->significands + channel);
        lanes.shifts = _mm256_cvtepi8_epi32(load_8(output->shifts + channel));
    }
    if (form & FALLS) {
        lanes.falling = _mm256_loadu_ps(output->prelu->factors + channel);
        lanes.falling_nudges = _mm256_loadu_ps(output->prelu->nudges + channel);
        lanes.lowest = _mm256_set1_ps((float)(-128 - output->zero_point));
    }
    return lanes;
}

/* Eight sums on the scale of the output, without zero point. */
INLINE __m256i finished_8(const lanes_t *lanes, __m256i sums, int form)
{
    __m256 y;
    if (form & FAST) {
        y = nudged(sums, lanes->factors, lanes->nudges);
        if (!(form & FALLS))
            return _mm256_cvtps_epi32(y);
        y = _mm256_round_ps(y, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    } else {
        const __m256i exact = scaled_8(sums, lanes->significands, lanes->shifts);
        if (!(form & FALLS))
            return exact;
        y = _mm256_cvtepi32_ps(exact);
    }
    y = _mm256_max_ps(y, lanes->lowest);
    return _mm256_cvtps_epi32(_mm256_blendv_ps(y, _mm256_fmadd_ps(y, lanes->falling, lanes->falling_nudges), y));
}

/* From values without zero point to int8. */
typedef struct {
    __m256i zero_point, low, high;
} limits_t;

INLINE limits_t limits_of(int32_t zero_point, int32_t low, int32_t high)
{
    const limits_t limits = {_mm256_set1_epi16((int16_t)zero_point), _mm256_set1_epi8((int8_t)low),
                             _mm256_set1_epi8((int8_t)high)};
    return limits;
}

/* Four times eight values to 32 bytes, in order. */
INLINE __m256i bytes_of(__m256i a, __m256i b, __m256i c, __m256i d, const limits_t *limits)
{
    const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), limits->zero_point);
    const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), limits->zero_point);
    const __m256i bytes = _mm256_min_epi8(_mm256_max_epi8(_mm256_packs_epi16(ab, cd), limits->low), limits->high);
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

INLINE __m128i low_half(__m256i bytes)
{
    return _mm256_castsi256_si128(bytes);
}

INLINE __m128i high_half(__m256i bytes)
{
    return _mm256_extracti128_si256(bytes, 1);
}

/* Pixels of a product at a time, with their inputs as `step` takes them. */
enum { GROUP = 4, WORDS = (MAX_INPUTS + 31) / 32 * 8 };

typedef struct {
    int32_t even[GROUP][WORDS]; /* without VNNI: two int16 each, the first and third of four inputs; with it: bytes + 128 */
    int32_t odd[GROUP][WORDS];
} group_t;

INLINE void widen(group_t *group, int32_t pixel, const uint8_t *in, int32_t inputs, uint8_t flip)
{
    for (int32_t i = 0; i < inputs; i += 32) {
        const __m256i x = _mm256_xor_si256(load_32(in + i), _mm256_set1_epi8((int8_t)flip));
#ifdef DOT
        const __m256i even = _mm256_xor_si256(x, _mm256_set1_epi8(-128));
#else
        const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8);
        _mm256_storeu_si256((__m256i *)(group->odd[pixel] + i / 4), _mm256_srai_epi16(x, 8));
#endif
        _mm256_storeu_si256((__m256i *)(group->even[pixel] + i / 4), even);
    }
}

/* 1 or 4 pixels by 1 or 2 blocks of 8 outputs, of which `count` are stored. */
INLINE void tile(const group_t *group, int pixels, int32_t words, const int8_t *weights, int blocks,
                 const output_t *output, int32_t channel, int form, int8_t *out, int32_t out_stride, int32_t count)
{
    __m256i sums[GROUP][2];
    const lanes_t lanes[2] = {lanes_of(output, channel, form), lanes_of(output, channel + 8 * (blocks - 1), form)};
    const limits_t limits = limits_of(output->zero_point, output->low, output->high);
    for (int block = 0; block < blocks; ++block)
        for (int pixel = 0; pixel < pixels; ++pixel)
            sums[pixel][block] = lanes[block].bias;
#ifdef DOT
    __m256i offsets[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
#endif
    for (int32_t word = 0; word < words; ++word)
        for (int block = 0; block < blocks; ++block) {
            const __m256i w = load_32(weights + (block * words + word) * 32);
#ifdef DOT
            offsets[block] = DOT(offsets[block], _mm256_set1_epi8(-128), w);
            for (int pixel = 0; pixel < pixels; ++pixel)
                sums[pixel][block] = DOT(sums[pixel][block], _mm256_set1_epi32(group->even[pixel][word]), w);
#else
            const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), odd = _mm256_srai_epi16(w, 8);
            for (int pixel = 0; pixel < pixels; ++pixel) {
                const __m256i x = _mm256_set1_epi32(group->even[pixel][word]);
                const __m256i y = _mm256_set1_epi32(group->odd[pixel][word]);
                sums[pixel][block] = _mm256_add_epi32(sums[pixel][block], _mm256_madd_epi16(even, x));
                sums[pixel][block] = _mm256_add_epi32(sums[pixel][block], _mm256_madd_epi16(odd, y));
            }
#endif
        }
    for (int block = 0; block < blocks; ++block)
        for (int pixel = 0; pixel < pixels; ++pixel) {
#ifdef DOT
            sums[pixel][block] = _mm256_sub_epi32(sums[pixel][block], offsets[block]);
#endif
            sums[pixel][block] = finished_8(&lanes[block], sums[pixel][block], form);
        }
    if (pixels == 1) {
        store(out, low_half(bytes_of(sums[0][0], sums[0][blocks - 1], sums[0][0], sums[0][0], &limits)), count);
    } else if (blocks == 1) {
        const __m256i bytes = bytes_of(sums[0][0], sums[1][0], sums[2][0], sums[3][0], &limits);
        const __m128i low = low_half(bytes), high = high_half(bytes);
        store_4(out, out_stride, low, _mm_unpackhi_epi64(low, low), high, _mm_unpackhi_epi64(high, high), count);
    } else {
        const __m256i first = bytes_of(sums[0][0], sums[0][1], sums[1][0], sums[1][1], &limits);
        const __m256i last = bytes_of(sums[2][0], sums[2][1], sums[3][0], sums[3][1], &limits);
        store_4(out, out_stride, low_half(first), high_half(first), low_half(last), high_half(last), count);
    }
}

INLINE void product_as(const uint8_t *in, int32_t in_stride, uint8_t flip, int32_t pixels, int group_size,
                       int32_t inputs, const int8_t *weights, const output_t *output, int32_t outputs, int form,
                       int8_t *out, int32_t out_stride)
{
    group_t group;
    const int32_t words = (inputs + 3) / 4;
    for (int32_t pixel = 0; pixel < pixels; pixel += group_size) {
        /* The last group reaches back: its first pixels are computed twice. */
        const int32_t first = pixel < pixels - group_size ? pixel : pixels - group_size;
        int8_t *to = out + first * out_stride;
        for (int32_t each = 0; each < group_size; ++each)
            widen(&group, each, in + (first + each) * in_stride, inputs, flip);
        for (int32_t channel = 0; channel < outputs; channel += 16) {
            const int8_t *w = weights + channel * words * 4;
            const int32_t count = outputs - channel;
            if (count >= 16)
                tile(&group, group_size, words, w, 2, output, channel, form, to + channel, out_stride, 16);
            else if (count > 8)
                tile(&group, group_size, words, w, 2, output, channel, form, to + channel, out_stride, count);
            else
                tile(&group, group_size, words, w, 1, output, channel, form, to + channel, out_stride, count);
        }
    }
}

/* PReLU by the reference, on a layer that is whole, where it was not proved. */
KERNEL void late_prelu(const output_t *output, int32_t pixels, int32_t channels, int8_t *out, int32_t out_stride)
{
    if (output->prelu && !output->prelu->factors)
        prelu_alone(out, out_stride, pixels, channels, output->prelu, out, out_stride);
}

KERNEL void product(const uint8_t *in, int32_t in_stride, uint8_t flip, int32_t pixels, int32_t inputs,
                    const int8_t *weights, const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
#define PRODUCT(size, form)                                                                                          \
    product_as(in, in_stride, flip, pixels, size, inputs, weights, output, outputs, form, out, out_stride)
    switch (form_of(output) + (pixels < GROUP ? 4 : 0)) {
    case 0: PRODUCT(GROUP, 0); break;
    case FAST: PRODUCT(GROUP, FAST); break;
    case FALLS: PRODUCT(GROUP, FALLS); break;
    case FAST | FALLS: PRODUCT(GROUP, FAST | FALLS); break;
    case 4: PRODUCT(1, 0); break;
    case 4 + FAST: PRODUCT(1, FAST); break;
    case 4 + FALLS: PRODUCT(1, FALLS); break;
    default: PRODUCT(1, FAST | FALLS);
    }
#undef PRODUCT
    late_prelu(output, pixels, outputs, out, out_stride);
}

KERNEL void pointwise(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t inputs, const int8_t *weights,
                      const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    product((const uint8_t *)in, in_stride, 0, pixels, inputs, weights, output, outputs, out, out_stride);
}

/* The channels under one output pixel's window; `outside` is the byte that padding has. */
INLINE void gather(const uint8_t *in, const uint8_t *end, int32_t in_stride, int32_t inputs, const window_t *window,
                   int32_t y, int32_t x, uint8_t outside, uint8_t *patch)
{
    const int32_t top = y * window->stride - window->top, left = x * window->stride - window->left;
    const int is_whole = in_stride == inputs && left >= 0 && left + window->kernel_columns <= window->columns;
    const int32_t length = window->kernel_columns * inputs;
    for (int32_t row = top; row < top + window->kernel_rows; ++row, patch += length) {
        const uint8_t *from = in + (row * window->columns + left) * in_stride;
        if (row < 0 || row >= window->rows)
            memset(patch, outside, (size_t)length);
        else if (is_whole && length <= 16 && end - from >= 16)
            memcpy(patch, from, 16);
        else
            for (int32_t column = 0; column < window->kernel_columns; ++column) {
                const int inside = left + column >= 0 && left + column < window->columns;
                for (int32_t i = 0; i < inputs; ++i)
                    patch[column * inputs + i] = inside ? from[column * in_stride + i] : outside;
            }
    }
}

KERNEL void convolution(const uint8_t *in, uint8_t flip, int32_t in_stride, int32_t inputs, const window_t *window,
                        int32_t zero_point, int8_t *scratch, int32_t scratch_stride, const int8_t *weights,
                        const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    enum { AHEAD = 4 * GROUP }; /* patches are stored in pieces and loaded whole, which waits for the pieces */
    uint8_t patches[AHEAD][WORDS * 4 + 32] = {{0}};
    const uint8_t *end = in + window->rows * window->columns * in_stride;
    const int32_t pixels = window->output_rows * window->output_columns;
    const int32_t length = window->kernel_rows * window->kernel_columns * inputs;
    (void)scratch, (void)scratch_stride;
    for (int32_t first = 0, y = 0, x = 0; first < pixels; first += AHEAD) {
        const int32_t count = pixels - first < AHEAD ? pixels - first : AHEAD;
        for (int32_t patch = 0; patch < count; ++patch) {
            gather(in, end, in_stride, inputs, window, y, x, (uint8_t)(zero_point ^ flip), patches[patch]);
            if (++x == window->output_columns)
                ++y, x = 0;
        }
        product(patches[0], (int32_t)sizeof patches[0], flip, count, length, weights, output, outputs, out, out_stride);
        out += count * out_stride;
    }
}

/* Depthwise layers read a ring of image rows, in pairs of int16 for multiplication, and without what lies between
   pixels: the layer's own outputs often do, and a load of what was just stored in pieces waits. Where there are few
   channels, pixels follow each other directly in it, so that a vector holds several of them; parameters are repeated
   until they fit whole vectors. Else 16 channels are computed at a time. */
enum { FEW = 32, PERIOD = (FEW - 1) * 16 };

typedef struct {
    int32_t bias[PERIOD], significands[PERIOD];
    int8_t shifts[PERIOD], weights[MAX_TAPS * PERIOD];
    float factors[PERIOD], nudges[PERIOD], falling[PERIOD], falling_nudges[PERIOD];
    prelu_t prelu;
    output_t output;
} repeated_t;

KERNEL void repeat(repeated_t *to, const output_t *output, const int8_t *weights, int32_t taps, int32_t channels,
                   int32_t period)
{
    const int is_fast = output->factors != NULL, falls = output->prelu && output->prelu->factors;
    for (int32_t first = 0; first < period; first += channels) {
        const size_t bytes = (size_t)channels, words = 4 * bytes;
        memcpy(to->bias + first, output->bias, words);
        memcpy(to->significands + first, output->significands, words);
        memcpy(to->shifts + first, output->shifts, bytes);
        if (is_fast) {
            memcpy(to->factors + first, output->factors, words);
            memcpy(to->nudges + first, output->nudges, words);
        }
        if (falls) {
            memcpy(to->falling + first, output->prelu->factors, words);
            memcpy(to->falling_nudges + first, output->prelu->nudges, words);
        }
        for (int32_t tap = 0; tap < taps; ++tap)
            memcpy(to->weights + tap * period + first, weights + tap * PADDED(channels), bytes);
    }
    to->output = *output;
    to->output.bias = to->bias;
    to->output.significands = to->significands;
    to->output.shifts = to->shifts;
    to->output.factors = is_fast ? to->factors : NULL;
    to->output.nudges = to->nudges;
    if (output->prelu) {
        to->prelu = *output->prelu;
        to->prelu.factors = falls ? to->falling : NULL;
        to->prelu.nudges = to->falling_nudges;
        to->output.prelu = &to->prelu;
    }
}

/* Pixels of two rows as pairs of int16; up to 15 pairs more are written. */
INLINE void pair_pixels(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels,
                        int32_t channels, int32_t pitch, int16_t *to)
{
    for (int32_t pixel = 0; pixel < pixels; ++pixel, a += a_stride, b += b_stride, to += 2 * pitch)
        for (int32_t i = 0; i < channels; i += 16) {
            const __m128i x = load_16(a + i), y = load_16(b + i);
            _mm256_storeu_si256((__m256i *)(to + 2 * i), _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(x, y)));
            if (channels - i > 8)
                _mm256_storeu_si256((__m256i *)(to + 2 * i + 16), _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(x, y)));
        }
}

/* Row `row` of the padded image and the next; `outside` is a pixel of padding. */
KERNEL void pair_rows(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window, int32_t row,
                      int32_t width, int32_t pitch, const int8_t *outside, int16_t *to)
{
    const int32_t left = window->left, a = row - window->top, b = a + 1, row_stride = window->columns * in_stride;
    const int32_t columns = window->columns < width - left ? window->columns : width - left;
    const int has_a = a >= 0 && a < window->rows, has_b = b >= 0 && b < window->rows;
    pair_pixels(outside, 0, outside, 0, left, channels, pitch, to);
    pair_pixels(has_a ? in + a * row_stride : outside, has_a ? in_stride : 0, has_b ? in + b * row_stride : outside,
                has_b ? in_stride : 0, columns, channels, pitch, to + 2 * left * pitch);
    pair_pixels(outside, 0, outside, 0, width - left - columns, channels, pitch, to + 2 * (left + columns) * pitch);
}

/* The sums of 8 or 16 values. */
INLINE void depthwise_sums(const int16_t *in, const int32_t *offsets, int32_t pairs, const int16_t *weights, int halves,
                           __m256i *sums)
{
    for (int32_t pair = 0; pair < pairs; ++pair)
        for (int half = 0; half < halves; ++half) {
            const __m256i x = load_32(in + offsets[pair] + 16 * half), w = load_32(weights + pair * 32 + 16 * half);
            sums[half] = _mm256_add_epi32(sums[half], _mm256_madd_epi16(w, x));
        }
}

/* 8 or 16 values, and as many again after each step, two steps at a time; of each the first `stored` are kept. */
INLINE void depthwise_run(const int16_t *in, int32_t in_step, int32_t steps, const int32_t *offsets, int32_t pairs,
                          const int16_t *weights, const output_t *output, int32_t channel, int form, int halves,
                          int8_t *out, int32_t out_step, int32_t stored)
{
    const lanes_t lanes[2] = {lanes_of(output, channel, form), lanes_of(output, channel + 8 * (halves - 1), form)};
    const limits_t limits = limits_of(output->zero_point, output->low, output->high);
    for (int32_t step = 0; step < steps; step += 2, in += 2 * in_step, out += 2 * out_step) {
        __m256i sums[4] = {lanes[0].bias, lanes[1].bias, lanes[0].bias, lanes[1].bias};
        const int is_last = step + 1 == steps;
        depthwise_sums(in, offsets, pairs, weights, halves, sums);
        depthwise_sums(is_last ? in : in + in_step, offsets, pairs, weights, halves, sums + 2);
        for (int i = 0; i < 4; ++i)
            sums[i] = i % 2 < halves ? finished_8(&lanes[i % 2], sums[i], form) : sums[i - 1];
        const __m256i bytes = bytes_of(sums[0], sums[1], sums[2], sums[3], &limits);
        store(out, low_half(bytes), stored);
        if (!is_last)
            store(out + out_step, high_half(bytes), stored);
    }
}

/* A part of each of a row's outputs. */
INLINE void store_part(const int8_t *line, int32_t columns, int32_t channels, int8_t *out, int32_t out_stride,
                       size_t bytes)
{
    for (int32_t column = 0; column < columns; ++column)
        memcpy(out + column * out_stride, line + column * channels, bytes);
}

/* A row of outputs to where its pixels belong. */
INLINE void store_line(const int8_t *line, int32_t columns, int32_t channels, int8_t *out, int32_t out_stride)
{
    int32_t i = 0;
    for (; channels - i >= 16; i += 16)
        store_part(line + i, columns, channels, out + i, out_stride, 16);
    if (channels & 8)
        store_part(line + i, columns, channels, out + i, out_stride, 8), i += 8;
    if (channels & 4)
        store_part(line + i, columns, channels, out + i, out_stride, 4), i += 4;
    if (channels & 2)
        store_part(line + i, columns, channels, out + i, out_stride, 2), i += 2;
    if (channels & 1)
        store_part(line + i, columns, channels, out + i, out_stride, 1);
}

/* Channels that follow each other with a pitch; `wide` has the weights of rows in pairs: of those that begin with an
   even row, then with an odd one, each for all vectors of the period. */
INLINE void depthwise_as(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window,
                         const int8_t *outside, int32_t pitch, int32_t pairs, int32_t period, const int16_t *wide,
                         const output_t *output, int32_t channel, int form, int8_t *out, int32_t out_stride)
{
    int16_t ring[MAX_RING];
    int8_t lines[2][MAX_LINE + 32];
    int32_t offsets[MAX_TAPS * 2];
    const int32_t columns = window->output_columns, length = columns * channels, across = window->kernel_columns;
    const int32_t width = (columns - 1) * window->stride + across, row_size = 2 * (width * pitch + 16);
    const int32_t slots = pairs / across, last = (window->output_rows - 1) * window->stride / 2 + slots;
    const int is_dense = pitch == channels && channels != 16;
    /* A dense row is paired, and stored, a row before it is loaded in other pieces. */
    for (int32_t y = 0, ready = 0, slot = 0, next = 0, row = 0; y < window->output_rows; ++y) {
        const int32_t first = y * window->stride / 2, is_odd = y * window->stride % 2;
        const int16_t *weights = wide + is_odd * pairs * period * 2;
        for (; ready < last && ready < first + slots + 1; ++ready, next = next < slots ? next + 1 : 0)
            pair_rows(in, in_stride, channels, window, 2 * ready, width, pitch, outside, ring + next * row_size);
        for (; row < first; ++row)
            slot = slot < slots ? slot + 1 : 0;
        for (int32_t i = 0, pair = 0, from = slot; i < slots; ++i, from = from < slots ? from + 1 : 0)
            for (int32_t column = 0; column < across; ++column)
                offsets[pair++] = from * row_size + 2 * pitch * column;
        if (is_dense) {
            for (int32_t i = 0; i < period && i < length; i += 16)
                depthwise_run(ring + 2 * i, 2 * period, (length - i + period - 1) / period, offsets, pairs,
                              weights + i * pairs * 2, output, i, form, 2, lines[y % 2] + i, period, 16);
            if (y > 0) {
                store_line(lines[(y - 1) % 2], columns, channels, out, out_stride);
                out += columns * out_stride;
            }
        } else {
            const int32_t in_step = 2 * window->stride * pitch;
            if (channels <= 8)
                depthwise_run(ring, in_step, columns, offsets, pairs, weights, output, channel, form, 1, out,
                              out_stride, channels);
            else if (channels < 16)
                depthwise_run(ring, in_step, columns, offsets, pairs, weights, output, channel, form, 2, out,
                              out_stride, channels);
            else
                depthwise_run(ring, in_step, columns, offsets, pairs, weights, output, channel, form, 2, out,
                              out_stride, 16);
            out += columns * out_stride;
        }
    }
    if (is_dense)
        store_line(lines[(window->output_rows - 1) % 2], columns, channels, out, out_stride);
}

/* Weights (taps, row_size) in pairs of rows; `is_odd` where the first pair has only its second row. */
KERNEL void pair_weights(const int8_t *weights, int32_t row_size, const window_t *window, int32_t period, int32_t pairs,
                         int32_t is_odd, int16_t *to)
{
    const int32_t across = window->kernel_columns, rows = window->kernel_rows, slots = pairs / across;
    const __m128i none = _mm_setzero_si128();
    for (int32_t i = 0; i < period; i += 16)
        for (int32_t slot = 0, row = -is_odd; slot < slots; ++slot, row += 2)
            for (int32_t column = 0; column < across; ++column, to += 32) {
                const int8_t *from = weights + (row * across + column) * row_size + i;
                const __m128i a = row >= 0 && row < rows ? load_16(from) : none;
                const __m128i b = row + 1 < rows ? load_16(from + across * row_size) : none;
                _mm256_storeu_si256((__m256i *)to, _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)));
                _mm256_storeu_si256((__m256i *)(to + 16), _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b)));
            }
}

/* One block of channels, or all where they are few. */
KERNEL void depthwise_block(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window,
                            const int8_t *outside, int32_t pitch, int32_t period, const int8_t *weights,
                            int32_t row_size, const output_t *output, int32_t channel, int8_t *out, int32_t out_stride)
{
    int16_t wide[MAX_PAIRED];
    const int32_t slots = window->stride % 2 ? window->kernel_rows / 2 + 1 : (window->kernel_rows + 1) / 2;
    const int32_t pairs = slots * window->kernel_columns;
    pair_weights(weights, row_size, window, period, pairs, 0, wide);
    if (window->stride % 2 && window->output_rows > 1)
        pair_weights(weights, row_size, window, period, pairs, 1, wide + pairs * period * 2);
#define DEPTHWISE(pairs, form)                                                                                       \
    depthwise_as(in, in_stride, channels, window, outside, pitch, pairs, period, wide, output, channel, form, out,   \
                 out_stride)
    const int form = form_of(output);
    if (pairs == 6 && form == FAST)
        DEPTHWISE(6, FAST);
    else if (pairs == 6 && form == (FAST | FALLS))
        DEPTHWISE(6, FAST | FALLS);
    else if (form == FAST)
        DEPTHWISE(pairs, FAST);
    else if (form == (FAST | FALLS))
        DEPTHWISE(pairs, FAST | FALLS);
    else if (form == FALLS)
        DEPTHWISE(pairs, FALLS);
    else
        DEPTHWISE(pairs, 0);
#undef DEPTHWISE
}

KERNEL void depthwise(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window, int32_t zero_point,
                      int8_t *outside, const int8_t *weights, const output_t *output, int8_t *out, int32_t out_stride)
{
    const int32_t taps = window->kernel_rows * window->kernel_columns;
    memset(outside, zero_point, (size_t)channels);
    if (window->stride == 1 && channels < FEW) {
        repeated_t repeated;
        int32_t period = channels;
        while (period % 16)
            period += channels;
        repeat(&repeated, output, weights, taps, channels, period);
        depthwise_block(in, in_stride, channels, window, outside, channels, period, repeated.weights, period,
                        &repeated.output, 0, out, out_stride);
    } else {
        for (int32_t channel = 0; channel < channels; channel += 16) {
            const int32_t count = channels - channel < 16 ? channels - channel : 16;
            depthwise_block(in + channel, in_stride, count, window, outside + channel, 16, 16, weights + channel,
                            PADDED(channels), output, channel, out + channel, out_stride);
        }
    }
    late_prelu(output, window->output_rows * window->output_columns, channels, out, out_stride);
}

/* Rows of an element-wise layer: one of all pixels where they lie one behind another. */
typedef struct {
    int32_t rows, length;
} extent_t;

INLINE extent_t extent(int32_t pixels, int32_t channels, int is_dense)
{
    const extent_t extent = {is_dense ? 1 : pixels, is_dense ? pixels * channels : channels};
    return extent;
}

INLINE __m256i added_8(const int8_t *a, const int8_t *b, __m256 factor_a, __m256 factor_b, __m256 constant)
{
    const __m256 x = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_8(a)));
    const __m256 y = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_8(b)));
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(x, factor_a, _mm256_fmadd_ps(y, factor_b, constant)));
}

KERNEL void add(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels, int32_t channels,
                const addition_t *addition, int8_t *out, int32_t out_stride)
{
    const int is_dense = a_stride == channels && b_stride == channels && out_stride == channels;
    const extent_t size = extent(pixels, channels, is_dense);
    const limits_t limits = limits_of(0, addition->low, addition->high);
    const __m256 factor_a = _mm256_set1_ps(addition->factor_a), factor_b = _mm256_set1_ps(addition->factor_b);
    const __m256 constant = _mm256_set1_ps(addition->constant);
    for (int32_t row = 0; row < size.rows; ++row, a += a_stride, b += b_stride, out += out_stride) {
        if (addition->factor_a == 0)
            for (int32_t i = 0; i < size.length; ++i)
                out[i] = added(addition, a[i], b[i]);
        else
            for (int32_t i = 0; i < size.length; i += 16) {
                const __m256i low = added_8(a + i, b + i, factor_a, factor_b, constant);
                const __m256i high = added_8(a + i + 8, b + i + 8, factor_a, factor_b, constant);
                const __m256i bytes = bytes_of(low, high, low, high, &limits);
                store(out + i, low_half(bytes), size.length - i);
            }
    }
}

INLINE __m256i multiplied_8(multiplication_t multiplication, __m256i product)
{
    const factor_t factor = multiplication.factor;
    if (multiplication.real_factor == 0)
        return scaled_8(product, _mm256_set1_epi32(factor.significand), _mm256_set1_epi32(factor.shift));
    return _mm256_cvtps_epi32(
        nudged(product, _mm256_set1_ps(multiplication.real_factor), _mm256_set1_ps(multiplication.nudge)));
}

KERNEL void multiply(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels,
                     int32_t channels, const multiplication_t *multiplication, int8_t *out, int32_t out_stride)
{
    const multiplication_t factors = *multiplication;
    const limits_t limits = limits_of(multiplication->zero_point, multiplication->low, multiplication->high);
    const __m256i zero_a = _mm256_set1_epi16((int16_t)multiplication->zero_point_a);
    const __m256i zero_b = _mm256_set1_epi16((int16_t)multiplication->zero_point_b);
    for (int32_t pixel = 0; pixel < pixels; ++pixel, a += a_stride, b += b_stride, out += out_stride)
        for (int32_t i = 0; i < channels; i += 16) {
            const __m256i x = _mm256_sub_epi16(_mm256_cvtepi8_epi16(load_16(a + i)), zero_a);
            const __m256i y = _mm256_sub_epi16(_mm256_cvtepi8_epi16(load_16(b + i)), zero_b);
            const __m256i low = _mm256_mullo_epi16(x, y), high = _mm256_mulhi_epi16(x, y);
            const __m256i first = multiplied_8(factors, _mm256_unpacklo_epi16(low, high));
            const __m256i second = multiplied_8(factors, _mm256_unpackhi_epi16(low, high));
            /* Unpacked within 128 bits, and packed again so. */
            const __m256i left = _mm256_permute2x128_si256(first, second, 0x20);
            const __m256i right = _mm256_permute2x128_si256(first, second, 0x31);
            const __m256i bytes = bytes_of(left, right, left, right, &limits);
            store(out + i, low_half(bytes), channels - i);
        }
}

KERNEL void mean(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t channels, int32_t zero_point,
                 factor_t factor, int32_t output_zero_point, int8_t *out)
{
    const limits_t limits = limits_of(output_zero_point, -128, 127);
    const __m256i significand = _mm256_set1_epi32(factor.significand), shift = _mm256_set1_epi32(factor.shift);
    for (int32_t channel = 0; channel < channels; channel += 16) {
        __m256i low = _mm256_set1_epi32(-pixels * zero_point), high = low;
        for (int32_t first = 0; first < pixels; first += 255) { /* as many as int16 can sum up */
            const int32_t end = pixels - first < 255 ? pixels : first + 255;
            __m256i sums = _mm256_setzero_si256();
            for (int32_t pixel = first; pixel < end; ++pixel)
                sums = _mm256_add_epi16(sums, _mm256_cvtepi8_epi16(load_16(in + pixel * in_stride + channel)));
            low = _mm256_add_epi32(low, _mm256_cvtepi16_epi32(low_half(sums)));
            high = _mm256_add_epi32(high, _mm256_cvtepi16_epi32(high_half(sums)));
        }
        low = scaled_8(low, significand, shift);
        high = scaled_8(high, significand, shift);
        store(out + channel, low_half(bytes_of(low, high, low, high, &limits)), channels - channel);
    }
}
#endif
