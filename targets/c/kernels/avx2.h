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
        bytes = _mm_srli_si128(bytes, 8);
        to += 8;
    }
    uint64_t rest = (uint64_t)_mm_cvtsi128_si64(bytes);
    if (count & 4) {
        memcpy(to, &rest, 4);
        rest >>= 32;
        to += 4;
    }
    if (count & 2) {
        memcpy(to, &rest, 2);
        rest >>= 16;
        to += 2;
    }
    if (count & 1)
        memcpy(to, &rest, 1);
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

/* What the generator has proved of a layer: FAST its sums, FALLS its PReLU. */
enum { FAST = 1, FALLS = 2 };

INLINE int form_of(const output_t *output)
{
    return (output->factors ? FAST : 0) | (output->prelu && output->prelu->factors ? FALLS : 0);
}

/* Eight sums of channels from `channel` on, on the scale of the output, without zero point. */
INLINE __m256i finished_8(const output_t *output, int32_t channel, __m256i sums, int form)
{
    __m256 y;
    if (form & FAST) {
        y = nudged(sums, _mm256_loadu_ps(output->factors + channel), _mm256_loadu_ps(output->nudges + channel));
        if (!(form & FALLS))
            return _mm256_cvtps_epi32(y);
        y = _mm256_round_ps(y, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    } else {
        const __m256i shifts = _mm256_cvtepi8_epi32(load_8(output->shifts + channel));
        const __m256i exact = scaled_8(sums, load_32(output->significands + channel), shifts);
        if (!(form & FALLS))
            return exact;
        y = _mm256_cvtepi32_ps(exact);
    }
    y = _mm256_max_ps(y, _mm256_set1_ps((float)(-128 - output->zero_point)));
    const __m256 falling = _mm256_fmadd_ps(y, _mm256_loadu_ps(output->prelu->factors + channel),
                                           _mm256_loadu_ps(output->prelu->nudges + channel));
    return _mm256_cvtps_epi32(_mm256_blendv_ps(y, falling, y));
}

/* Four times eight values to 32 bytes, in order. */
INLINE __m256i bytes_of(__m256i a, __m256i b, __m256i c, __m256i d, int32_t zero_point, int32_t low, int32_t high)
{
    const __m256i zero = _mm256_set1_epi16((int16_t)zero_point);
    const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero);
    const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero);
    __m256i bytes = _mm256_packs_epi16(ab, cd);
    bytes = _mm256_max_epi8(bytes, _mm256_set1_epi8((int8_t)low));
    bytes = _mm256_min_epi8(bytes, _mm256_set1_epi8((int8_t)high));
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
    for (int block = 0; block < blocks; ++block)
        for (int pixel = 0; pixel < pixels; ++pixel)
            sums[pixel][block] = load_32(output->bias + channel + 8 * block);
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
            sums[pixel][block] = finished_8(output, channel + 8 * block, sums[pixel][block], form);
        }
    const int32_t zero_point = output->zero_point, low = output->low, high = output->high;
    if (blocks == 1 && pixels == 1) {
        const __m256i bytes = bytes_of(sums[0][0], sums[0][0], sums[0][0], sums[0][0], zero_point, low, high);
        store(out, low_half(bytes), count);
    } else if (blocks == 1) {
        const __m256i bytes = bytes_of(sums[0][0], sums[1][0], sums[2][0], sums[3][0], zero_point, low, high);
        store(out, low_half(bytes), count);
        store(out + out_stride, _mm_srli_si128(low_half(bytes), 8), count);
        store(out + 2 * out_stride, high_half(bytes), count);
        store(out + 3 * out_stride, _mm_srli_si128(high_half(bytes), 8), count);
    } else {
        for (int pixel = 0; pixel < pixels; pixel += 2) {
            const int next = pixel + 1 < pixels ? pixel + 1 : pixel;
            const __m256i bytes = bytes_of(sums[pixel][0], sums[pixel][1], sums[next][0], sums[next][1], zero_point,
                                           low, high);
            store(out + pixel * out_stride, low_half(bytes), count);
            if (next > pixel)
                store(out + next * out_stride, high_half(bytes), count);
        }
    }
}

INLINE void product_as(const group_t *group, int pixels, int32_t inputs, const int8_t *weights, const output_t *output,
                       int32_t outputs, int form, int8_t *out, int32_t out_stride)
{
    const int32_t words = (inputs + 3) / 4;
    int32_t channel = 0;
    for (; outputs - channel >= 16; channel += 16)
        tile(group, pixels, words, weights + channel * words * 4, 2, output, channel, form, out + channel, out_stride,
             16);
    if (outputs - channel > 8)
        tile(group, pixels, words, weights + channel * words * 4, 2, output, channel, form, out + channel, out_stride,
             outputs - channel);
    else if (outputs > channel)
        tile(group, pixels, words, weights + channel * words * 4, 1, output, channel, form, out + channel, out_stride,
             outputs - channel);
}

INLINE void product_of(const group_t *group, int pixels, int32_t inputs, const int8_t *weights, const output_t *output,
                       int32_t outputs, int8_t *out, int32_t out_stride)
{
    switch (form_of(output)) {
    case 0: product_as(group, pixels, inputs, weights, output, outputs, 0, out, out_stride); break;
    case FAST: product_as(group, pixels, inputs, weights, output, outputs, FAST, out, out_stride); break;
    case FALLS: product_as(group, pixels, inputs, weights, output, outputs, FALLS, out, out_stride); break;
    default: product_as(group, pixels, inputs, weights, output, outputs, FAST | FALLS, out, out_stride);
    }
}

KERNEL void product_of_group(const group_t *group, int32_t inputs, const int8_t *weights, const output_t *output,
                             int32_t outputs, int8_t *out, int32_t out_stride)
{
    product_of(group, GROUP, inputs, weights, output, outputs, out, out_stride);
}

KERNEL void product_of_pixel(const group_t *group, int32_t inputs, const int8_t *weights, const output_t *output,
                             int32_t outputs, int8_t *out, int32_t out_stride)
{
    product_of(group, 1, inputs, weights, output, outputs, out, out_stride);
}

/* PReLU by the reference, on a layer that is whole, where it was not proved. */
KERNEL void late_prelu(const output_t *output, int32_t pixels, int32_t channels, int8_t *out, int32_t out_stride)
{
    if (output->prelu && !output->prelu->factors)
        prelu_alone(out, out_stride, pixels, channels, output->prelu, out, out_stride);
}

KERNEL void pointwise(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t inputs, const int8_t *weights,
                      const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    group_t group;
    if (pixels < GROUP)
        for (int32_t pixel = 0; pixel < pixels; ++pixel) {
            widen(&group, 0, (const uint8_t *)in + pixel * in_stride, inputs, 0);
            product_of_pixel(&group, inputs, weights, output, outputs, out + pixel * out_stride, out_stride);
        }
    else
        for (int32_t pixel = 0; pixel < pixels; pixel += GROUP) {
            /* The last group reaches back: its first pixels are computed twice. */
            const int32_t first = pixel < pixels - GROUP ? pixel : pixels - GROUP;
            for (int32_t each = 0; each < GROUP; ++each)
                widen(&group, each, (const uint8_t *)in + (first + each) * in_stride, inputs, 0);
            product_of_group(&group, inputs, weights, output, outputs, out + first * out_stride, out_stride);
        }
    late_prelu(output, pixels, outputs, out, out_stride);
}

/* The channels under one output pixel's window; `outside` is the byte that padding has. */
INLINE void gather(const uint8_t *in, const uint8_t *end, int32_t in_stride, int32_t inputs, const window_t *window,
                   int32_t pixel, uint8_t outside, uint8_t *patch)
{
    const int32_t top = pixel / window->output_columns * window->stride - window->top;
    const int32_t left = pixel % window->output_columns * window->stride - window->left;
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
    group_t group;
    uint8_t patches[AHEAD][WORDS * 4 + 32] = {{0}};
    const uint8_t *end = in + window->rows * window->columns * in_stride;
    const int32_t pixels = window->output_rows * window->output_columns;
    const int32_t length = window->kernel_rows * window->kernel_columns * inputs;
    (void)scratch, (void)scratch_stride;
    for (int32_t first = 0; first < pixels; first += AHEAD) {
        const int32_t count = pixels - first < AHEAD ? pixels - first : AHEAD;
        for (int32_t patch = 0; patch < count; ++patch)
            gather(in, end, in_stride, inputs, window, first + patch, (uint8_t)(zero_point ^ flip), patches[patch]);
        for (int32_t patch = 0; patch < count;) {
            const int32_t together = count - patch < GROUP ? 1 : GROUP;
            for (int32_t each = 0; each < together; ++each)
                widen(&group, each, patches[patch + each], length, flip);
            if (together == GROUP)
                product_of_group(&group, length, weights, output, outputs, out, out_stride);
            else
                product_of_pixel(&group, length, weights, output, outputs, out, out_stride);
            out += together * out_stride;
            patch += together;
        }
    }
    late_prelu(output, pixels, outputs, out - pixels * out_stride, out_stride);
}

/* Depthwise layers read a ring of image rows, copied without what lies between pixels: their outputs often lie there,
   and a load of what was just stored in pieces waits. Pixels follow each other directly in it where there are few
   channels, so that a vector holds several pixels; parameters are repeated until they fit whole vectors. */
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

/* A row of the padded image; it writes up to 15 bytes more. */
INLINE void copy_row(const int8_t *in, int32_t in_stride, int32_t channels, int32_t row, const window_t *window,
                     int32_t width, int32_t pitch, int32_t zero_point, int8_t *to)
{
    const int32_t columns = window->columns < width - window->left ? window->columns : width - window->left;
    const int32_t before = window->left * pitch, after = (width - window->left - columns) * pitch;
    if (row < 0 || row >= window->rows) {
        memset(to, zero_point, (size_t)(width * pitch));
        return;
    }
    in += row * window->columns * in_stride;
    memset(to, zero_point, (size_t)before);
    to += before;
    for (int32_t column = 0; column < columns; ++column, in += in_stride, to += pitch)
        for (int32_t i = 0; i < channels; i += 16)
            _mm_storeu_si128((__m128i *)(to + i), load_16(in + i));
    memset(to, zero_point, (size_t)after);
}

/* Values one behind another, of which `count` are stored; the taps lie at `offsets`, `wide` has their weights. */
INLINE void depthwise_run(const int8_t *in, const int32_t *offsets, int32_t pairs, int32_t length, int32_t period,
                          const int16_t *wide, const output_t *output, int form, int8_t *out, int32_t count)
{
    for (int32_t i = 0, channel = 0; i < length; i += 16, channel = channel + 16 < period ? channel + 16 : 0) {
        const int is_half = count - i <= 8;
        const int16_t *w = wide + channel * pairs * 2;
        __m256i low = load_32(output->bias + channel), high = load_32(output->bias + channel + 8);
        for (int32_t pair = 0; pair < pairs; ++pair) {
            const __m128i a = load_16(in + i + offsets[2 * pair]), b = load_16(in + i + offsets[2 * pair + 1]);
            const __m256i x = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(x, load_32(w + pair * 32)));
            if (!is_half) {
                const __m256i y = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b));
                high = _mm256_add_epi32(high, _mm256_madd_epi16(y, load_32(w + pair * 32 + 16)));
            }
        }
        low = finished_8(output, channel, low, form);
        high = is_half ? low : finished_8(output, channel + 8, high, form);
        const __m256i bytes = bytes_of(low, high, low, high, output->zero_point, output->low, output->high);
        store(out + i, low_half(bytes), count - i);
    }
}

INLINE void depthwise_as(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window,
                         int32_t zero_point, int32_t pitch, int32_t pairs, int32_t period, const int16_t *wide,
                         const output_t *output, int form, int8_t *out, int32_t out_stride)
{
    int8_t ring[MAX_RING + 32], line[MAX_LINE + 32];
    int32_t offsets[MAX_TAPS + 1];
    const int32_t width = (window->output_columns - 1) * window->stride + window->kernel_columns;
    const int32_t row_bytes = width * pitch + 16, rows = window->kernel_rows;
    const int32_t taps = rows * window->kernel_columns, length = window->output_columns * channels;
    for (int32_t y = 0, ready = 0; y < window->output_rows; ++y) {
        for (; ready < y * window->stride + rows; ++ready)
            copy_row(in, in_stride, channels, ready - window->top, window, width, pitch, zero_point,
                     ring + ready % rows * row_bytes);
        for (int32_t tap = 0; tap < taps; ++tap)
            offsets[tap] = (y * window->stride + tap / window->kernel_columns) % rows * row_bytes +
                           tap % window->kernel_columns * pitch;
        offsets[taps] = 0; /* the last one's partner, without weight, where their number is odd */
        if (pitch == channels && channels < FEW) {
            depthwise_run(ring, offsets, pairs, length, period, wide, output, form, line, length + 16);
            for (int32_t x = 0; x < window->output_columns; ++x, out += out_stride)
                for (int32_t i = 0; i < channels; i += 16)
                    store(out + i, load_16(line + x * channels + i), channels - i);
        } else {
            for (int32_t x = 0; x < window->output_columns; ++x, out += out_stride)
                depthwise_run(ring + x * window->stride * pitch, offsets, pairs, channels, period, wide, output, form,
                              out, channels);
        }
    }
}

KERNEL void depthwise(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window, int32_t zero_point,
                      int8_t *outside, const int8_t *weights, const output_t *output, int8_t *out, int32_t out_stride)
{
    repeated_t repeated;
    int16_t wide[MAX_PAIRED];
    const int32_t taps = window->kernel_rows * window->kernel_columns, pairs = (taps + 1) / 2;
    const int is_dense = window->stride == 1 && channels < FEW;
    const int32_t pitch = is_dense ? channels : PADDED(channels);
    const output_t *all = output;
    int32_t period = pitch;
    (void)outside;
    if (is_dense) {
        while (period % 16)
            period += channels;
        repeat(&repeated, output, weights, taps, channels, period);
        weights = repeated.weights;
        all = &repeated.output;
    }
    for (int32_t channel = 0; channel < period; channel += 16)
        for (int32_t pair = 0; pair < pairs; ++pair) {
            const int8_t *w = weights + 2 * pair * period + channel;
            const __m128i a = load_16(w);
            const __m128i b = 2 * pair + 1 < taps ? load_16(w + period) : _mm_setzero_si128();
            __m256i *to = (__m256i *)(wide + (channel * pairs + 16 * pair) * 2);
            _mm256_storeu_si256(to, _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)));
            _mm256_storeu_si256(to + 1, _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b)));
        }
#define DEPTHWISE(pairs, form)                                                                                       \
    depthwise_as(in, in_stride, channels, window, zero_point, pitch, pairs, period, wide, all, form, out, out_stride)
    const int form = form_of(output);
    if (pairs == 5 && form == FAST)
        DEPTHWISE(5, FAST);
    else if (pairs == 5 && form == (FAST | FALLS))
        DEPTHWISE(5, FAST | FALLS);
    else if (form == FAST)
        DEPTHWISE(pairs, FAST);
    else if (form == (FAST | FALLS))
        DEPTHWISE(pairs, FAST | FALLS);
    else if (form == FALLS)
        DEPTHWISE(pairs, FALLS);
    else
        DEPTHWISE(pairs, 0);
#undef DEPTHWISE
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

INLINE __m256i added_8(const int8_t *a, const int8_t *b, const addition_t *addition)
{
    const __m256 x = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_8(a)));
    const __m256 y = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_8(b)));
    const __m256 sum = _mm256_fmadd_ps(y, _mm256_set1_ps(addition->factor_b), _mm256_set1_ps(addition->constant));
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(x, _mm256_set1_ps(addition->factor_a), sum));
}

KERNEL void add(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels, int32_t channels,
                const addition_t *addition, int8_t *out, int32_t out_stride)
{
    const int is_dense = a_stride == channels && b_stride == channels && out_stride == channels;
    const extent_t size = extent(pixels, channels, is_dense);
    for (int32_t row = 0; row < size.rows; ++row, a += a_stride, b += b_stride, out += out_stride) {
        if (addition->factor_a == 0)
            for (int32_t i = 0; i < size.length; ++i)
                out[i] = added(addition, a[i], b[i]);
        else
            for (int32_t i = 0; i < size.length; i += 16) {
                const __m256i low = added_8(a + i, b + i, addition), high = added_8(a + i + 8, b + i + 8, addition);
                const __m256i bytes = bytes_of(low, high, low, high, 0, addition->low, addition->high);
                store(out + i, low_half(bytes), size.length - i);
            }
    }
}

INLINE __m256i multiplied_8(const multiplication_t *multiplication, __m256i product)
{
    const factor_t factor = multiplication->factor;
    if (multiplication->real_factor == 0)
        return scaled_8(product, _mm256_set1_epi32(factor.significand), _mm256_set1_epi32(factor.shift));
    return _mm256_cvtps_epi32(nudged(product, _mm256_set1_ps(multiplication->real_factor),
                                     _mm256_set1_ps(multiplication->nudge)));
}

KERNEL void multiply(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels,
                     int32_t channels, const multiplication_t *multiplication, int8_t *out, int32_t out_stride)
{
    const __m256i zero_a = _mm256_set1_epi16((int16_t)multiplication->zero_point_a);
    const __m256i zero_b = _mm256_set1_epi16((int16_t)multiplication->zero_point_b);
    for (int32_t pixel = 0; pixel < pixels; ++pixel, a += a_stride, b += b_stride, out += out_stride)
        for (int32_t i = 0; i < channels; i += 16) {
            const __m256i x = _mm256_sub_epi16(_mm256_cvtepi8_epi16(load_16(a + i)), zero_a);
            const __m256i y = _mm256_sub_epi16(_mm256_cvtepi8_epi16(load_16(b + i)), zero_b);
            const __m256i low = _mm256_mullo_epi16(x, y), high = _mm256_mulhi_epi16(x, y);
            const __m256i first = multiplied_8(multiplication, _mm256_unpacklo_epi16(low, high));
            const __m256i second = multiplied_8(multiplication, _mm256_unpackhi_epi16(low, high));
            /* Unpacked within 128 bits, and packed again so. */
            const __m256i left = _mm256_permute2x128_si256(first, second, 0x20);
            const __m256i right = _mm256_permute2x128_si256(first, second, 0x31);
            const __m256i bytes = bytes_of(left, right, left, right, multiplication->zero_point, multiplication->low,
                                           multiplication->high);
            store(out + i, low_half(bytes), channels - i);
        }
}

KERNEL void mean(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t channels, int32_t zero_point,
                 factor_t factor, int32_t output_zero_point, int8_t *out)
{
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
        store(out + channel, low_half(bytes_of(low, high, low, high, output_zero_point, -128, 127)), channels - channel);
    }
}
#endif
