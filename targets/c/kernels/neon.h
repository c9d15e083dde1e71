/* ---- Kernels for NEON, 64 and 32 bits; with the dot products of ARMv8.2 where they are there. ---- */

#if defined(__ARM_NEON) && !defined(MODEL_PORTABLE)
#include <arm_neon.h>

#define MODEL_BLOCKS
#define HAVE_POINTWISE
#define HAVE_DEPTHWISE
#define HAVE_CONVOLUTION
#define HAVE_ADD
#define HAVE_MULTIPLY
#define HAVE_MEAN
#define INLINE static inline __attribute__((always_inline))
#define OUTLINE static __attribute__((noinline, unused))

#ifdef __aarch64__
INLINE int32x4_t paired(int32x4_t a, int32x4_t b) { return vpaddq_s32(a, b); }
#else
INLINE int32x4_t paired(int32x4_t a, int32x4_t b)
{
    return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)), vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}
#endif

/* How 8 channels' sums become int8: in vectors, with PReLU in vectors, or one by one, which is always right. */
enum { PLAIN, WITH_PRELU, ONE_BY_ONE };

typedef struct {
    int32x4_t low, high;
} sums_t;

typedef struct {
    sums_t bias, significands, shifts;
    int16x8_t factors, offsets, zero_point;
    int8x8_t least, most;
    const output_t *output;
    int32_t channel;
} finish_t;

INLINE sums_t loaded(const int32_t *values)
{
    const sums_t sums = {vld1q_s32(values), vld1q_s32(values + 4)};
    return sums;
}

KERNEL int finish_kind(const output_t *output, int32_t channels)
{
    for (int32_t channel = 0; channel < channels; ++channel)
        if (output->shifts[channel] >= 0)
            return ONE_BY_ONE;
    if (!output->prelu)
        return PLAIN;
    return output->prelu->short_factors && output->low == -128 && output->high == 127 ? WITH_PRELU : ONE_BY_ONE;
}

INLINE finish_t finish_of(const output_t *output, int32_t channel, int kind)
{
    const int16x8_t shifts = vmovl_s8(vld1_s8(output->shifts + channel));
    const finish_t finish = {
        loaded(output->bias + channel),
        loaded(output->significands + channel),
        {vmovl_s16(vget_low_s16(shifts)), vmovl_s16(vget_high_s16(shifts))},
        kind == WITH_PRELU ? vld1q_s16(output->prelu->short_factors + channel) : vdupq_n_s16(0),
        kind == WITH_PRELU ? vld1q_s16(output->prelu->short_offsets + channel) : vdupq_n_s16(0),
        vdupq_n_s16((int16_t)output->zero_point),
        vdup_n_s8((int8_t)output->low),
        vdup_n_s8((int8_t)output->high),
        output,
        channel,
    };
    return finish;
}

/* The second rounding, of negative numbers too: half away from zero. Shifts are negative. */
INLINE int32x4_t rounded(int32x4_t x, int32x4_t shift) { return vrshlq_s32(vsraq_n_s32(x, x, 31), shift); }

OUTLINE int8x8_t one_by_one(const output_t *output, int32_t channel, int32x4_t low, int32x4_t high)
{
    int32_t sums[8];
    int8_t values[8];
    vst1q_s32(sums, low);
    vst1q_s32(sums + 4, high);
    for (int32_t i = 0; i < 8; ++i)
        values[i] = finished(output, channel + i, sums[i]);
    return vld1_s8(values);
}

/* Of the first 4 channels only, where it is not `wide`. */
INLINE int8x8_t finished8(const finish_t *finish, sums_t sums, int kind, int wide)
{
    if (kind == ONE_BY_ONE)
        return one_by_one(finish->output, finish->channel, sums.low, sums.high);
    const int32x4_t low = rounded(vqrdmulhq_s32(sums.low, finish->significands.low), finish->shifts.low);
    int16x4_t last = vqmovn_s32(low);
    const int16x4_t first = last;
    if (wide)
        last = vqmovn_s32(rounded(vqrdmulhq_s32(sums.high, finish->significands.high), finish->shifts.high));
    const int8x8_t x = vqmovn_s16(vqaddq_s16(vcombine_s16(first, last), finish->zero_point));
    if (kind == PLAIN)
        return vmin_s8(vmax_s8(x, finish->least), finish->most);
    return vmax_s8(x, vaddhn_s16(vqrdmulhq_s16(vshll_n_s8(x, 8), finish->factors), finish->offsets));
}

INLINE void store(int8_t *out, int8x8_t values, int32_t count)
{
    if (count >= 8) {
        vst1_s8(out, values);
        return;
    }
    uint64_t rest = vget_lane_u64(vreinterpret_u64_s8(values), 0);
    if (count & 4) {
        memcpy(out, &rest, 4);
        rest >>= 32;
        out += 4;
    }
    if (count & 2) {
        memcpy(out, &rest, 2);
        rest >>= 16;
        out += 2;
    }
    if (count & 1)
        *out = (int8_t)rest;
}

#ifdef __aarch64__
#define LANE(x, lane) vreinterpretq_s8_s32(vdupq_laneq_s32(vreinterpretq_s32_s8(x), lane))
#define PRODUCT_HIGH(a, b) vmull_high_s8(a, b)
#define PRODUCT_HIGH_ON(sum, a, b) vmlal_high_s8(sum, a, b)
#else
#define LANE(x, lane) \
    vreinterpretq_s8_s32(vdupq_lane_s32((lane) < 2 ? vget_low_s32(vreinterpretq_s32_s8(x)) \
                                                   : vget_high_s32(vreinterpretq_s32_s8(x)), (lane) % 2))
#define PRODUCT_HIGH(a, b) vmull_s8(vget_high_s8(a), vget_high_s8(b))
#define PRODUCT_HIGH_ON(sum, a, b) vmlal_s8(sum, vget_high_s8(a), vget_high_s8(b))
#endif

#ifdef __ARM_FEATURE_DOTPROD
/* Pixels at a time, as many as there are registers for. */
#define PIXELS 4

/* Sums of one pixel by 8 outputs. */
typedef sums_t partial_t;

INLINE partial_t begun(const finish_t *finish) { return finish->bias; }
INLINE sums_t ended(partial_t partial) { return partial; }

/* 4 inputs, which are a lane of `x`, by 8 outputs. */
#define WORD(lane) \
    { \
        const int8x16_t low = vld1q_s8(w + 32 * (lane)), high = vld1q_s8(w + 32 * (lane) + 16); \
        for (int32_t p = 0; p < pixels; ++p) { \
            partial[p].low = vdotq_laneq_s32(partial[p].low, low, x[p], lane); \
            if (wide) \
                partial[p].high = vdotq_laneq_s32(partial[p].high, high, x[p], lane); \
        } \
    }
#define TWO_WORDS(lane) { WORD(lane) WORD((lane) + 1) }
#else
#define PIXELS 2

/* Sums of one pixel by 8 outputs, each in two parts that lie side by side. */
typedef struct {
    int32x4_t parts[4];
} partial_t;

INLINE partial_t begun(const finish_t *finish)
{
    const int32x4_t zero = vdupq_n_s32(0);
    const int32x4x2_t low = vzipq_s32(finish->bias.low, zero), high = vzipq_s32(finish->bias.high, zero);
    const partial_t partial = {{low.val[0], low.val[1], high.val[0], high.val[1]}};
    return partial;
}

INLINE sums_t ended(partial_t partial)
{
    const sums_t sums = {paired(partial.parts[0], partial.parts[1]), paired(partial.parts[2], partial.parts[3])};
    return sums;
}

/* 8 inputs, which are two lanes of `x`, by 8 outputs. Two products fit into 16 bits, since no weight is -128. */
#define TWO_WORDS(lane) \
    { \
        const int8x16_t w0 = vld1q_s8(w + 32 * (lane)), w1 = vld1q_s8(w + 32 * (lane) + 16); \
        const int8x16_t w2 = vld1q_s8(w + 32 * (lane) + 32), w3 = vld1q_s8(w + 32 * (lane) + 48); \
        for (int32_t p = 0; p < pixels; ++p) { \
            const int8x16_t a = LANE(x[p], lane), b = LANE(x[p], (lane) + 1); \
            int32x4_t *to = partial[p].parts; \
            to[0] = vpadalq_s16(to[0], vmlal_s8(vmull_s8(LOW(w0), LOW(a)), LOW(w2), LOW(b))); \
            to[1] = vpadalq_s16(to[1], PRODUCT_HIGH_ON(PRODUCT_HIGH(w0, a), w2, b)); \
            if (!wide) \
                continue; \
            to[2] = vpadalq_s16(to[2], vmlal_s8(vmull_s8(LOW(w1), LOW(a)), LOW(w3), LOW(b))); \
            to[3] = vpadalq_s16(to[3], PRODUCT_HIGH_ON(PRODUCT_HIGH(w1, a), w3, b)); \
        } \
    }
#define WORD(lane) \
    { \
        const int8x16_t w0 = vld1q_s8(w + 32 * (lane)), w1 = vld1q_s8(w + 32 * (lane) + 16); \
        for (int32_t p = 0; p < pixels; ++p) { \
            const int8x16_t a = LANE(x[p], lane); \
            int32x4_t *to = partial[p].parts; \
            to[0] = vpadalq_s16(to[0], vmull_s8(LOW(w0), LOW(a))); \
            to[1] = vpadalq_s16(to[1], PRODUCT_HIGH(w0, a)); \
            if (!wide) \
                continue; \
            to[2] = vpadalq_s16(to[2], vmull_s8(LOW(w1), LOW(a))); \
            to[3] = vpadalq_s16(to[3], PRODUCT_HIGH(w1, a)); \
        } \
    }
#define LOW(x) vget_low_s8(x)
#endif

/* 16 bytes in one load: compilers else split it by the lanes that are used. */
INLINE int8x16_t whole(const int8_t *from)
{
    int8x16_t bytes = vld1q_s8(from);
    __asm__("" : "+w"(bytes));
    return bytes;
}

/* `pixels`, at most PIXELS, by 8 outputs, of which `count` are there; `words` times 4 inputs. */
INLINE void products(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t words, const int8_t *w,
                     const finish_t *finish, int8_t *out, int32_t out_stride, int32_t count, int kind,
                     int wide)
{
    int8x16_t x[PIXELS];
    partial_t partial[PIXELS];
    for (int32_t p = 0; p < pixels; ++p)
        partial[p] = begun(finish);
    for (; words >= 4; words -= 4, in += 16, w += 128) {
        for (int32_t p = 0; p < pixels; ++p)
            x[p] = whole(in + p * in_stride);
        TWO_WORDS(0)
        TWO_WORDS(2)
    }
    if (words) {
        for (int32_t p = 0; p < pixels; ++p)
            x[p] = vld1q_s8(in + p * in_stride);
        if (words >= 2)
            TWO_WORDS(0)
        if (words == 3) {
            WORD(2)
        } else if (words == 1) {
            WORD(0)
        }
    }
    for (int32_t p = 0; p < pixels; ++p, out += out_stride)
        store(out, finished8(finish, ended(partial[p]), kind, wide), count);
}

INLINE void pointwise_block(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t words, const int8_t *weights,
                            const finish_t *finish, int8_t *out, int32_t out_stride, int32_t count, int kind,
                     int wide)
{
    for (; pixels >= PIXELS; pixels -= PIXELS, in += PIXELS * in_stride, out += PIXELS * out_stride)
        products(in, in_stride, PIXELS, words, weights, finish, out, out_stride, count, kind, wide);
    for (; pixels; --pixels, in += in_stride, out += out_stride)
        products(in, in_stride, 1, words, weights, finish, out, out_stride, count, kind, wide);
}

INLINE void pointwise_kind(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t words, const int8_t *weights,
                           const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride, int kind)
{
    for (int32_t channel = 0; channel < outputs; channel += 8, weights += 32 * words, out += 8) {
        const finish_t finish = finish_of(output, channel, kind);
        const int32_t rest = outputs - channel;
        if (rest >= 8)
            pointwise_block(in, in_stride, pixels, words, weights, &finish, out, out_stride, 8, kind, 1);
        else if (rest > 4)
            pointwise_block(in, in_stride, pixels, words, weights, &finish, out, out_stride, rest, kind, 1);
        else
            pointwise_block(in, in_stride, pixels, words, weights, &finish, out, out_stride, rest, kind, 0);
    }
}

KERNEL void pointwise(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t inputs, const int8_t *weights,
                      const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    const int32_t words = (inputs + 3) / 4;
    const int kind = finish_kind(output, outputs);
    if (kind == PLAIN)
        pointwise_kind(in, in_stride, pixels, words, weights, output, outputs, out, out_stride, PLAIN);
    else if (kind == WITH_PRELU)
        pointwise_kind(in, in_stride, pixels, words, weights, output, outputs, out, out_stride, WITH_PRELU);
    else
        pointwise_kind(in, in_stride, pixels, words, weights, output, outputs, out, out_stride, ONE_BY_ONE);
}

/* A column of a 3 x 3 window, 8 channels. */
#ifdef __ARM_FEATURE_DOTPROD
typedef struct {
    int8x16_t low, high;
} column_t;

INLINE column_t column_of(int8x8_t a, int8x8_t b, int8x8_t c)
{
    const int8x8_t zero = vdup_n_s8(0);
    const int16x8_t first = vreinterpretq_s16_s8(vzipq_s8(vcombine_s8(a, zero), vcombine_s8(b, zero)).val[0]);
    const int16x8_t last = vreinterpretq_s16_s8(vzipq_s8(vcombine_s8(c, zero), vdupq_n_s8(0)).val[0]);
    const int16x8x2_t both = vzipq_s16(first, last);
    const column_t column = {vreinterpretq_s8_s16(both.val[0]), vreinterpretq_s8_s16(both.val[1])};
    return column;
}

INLINE sums_t window_sums(sums_t sums, const column_t *w, column_t a, column_t b, column_t c, int wide)
{
    sums.low = vdotq_s32(vdotq_s32(vdotq_s32(sums.low, w[0].low, a.low), w[1].low, b.low), w[2].low, c.low);
    if (wide)
        sums.high = vdotq_s32(vdotq_s32(vdotq_s32(sums.high, w[0].high, a.high), w[1].high, b.high), w[2].high, c.high);
    return sums;
}
#else
typedef struct {
    int8x8_t a, b, c;
} column_t;

INLINE column_t column_of(int8x8_t a, int8x8_t b, int8x8_t c)
{
    const column_t column = {a, b, c};
    return column;
}

INLINE sums_t widened(sums_t sums, int16x8_t values, int wide)
{
    sums.low = vaddw_s16(sums.low, vget_low_s16(values));
    if (wide)
        sums.high = vaddw_s16(sums.high, vget_high_s16(values));
    return sums;
}

INLINE sums_t window_sums(sums_t sums, const column_t *w, column_t a, column_t b, column_t c, int wide)
{
    sums = widened(sums, vmlal_s8(vmull_s8(w[0].a, a.a), w[0].b, a.b), wide);
    sums = widened(sums, vmlal_s8(vmull_s8(w[1].a, b.a), w[1].b, b.b), wide);
    sums = widened(sums, vmlal_s8(vmull_s8(w[2].a, c.a), w[2].b, c.b), wide);
    sums = widened(sums, vmlal_s8(vmull_s8(w[0].c, a.c), w[1].c, b.c), wide);
    return widened(sums, vmull_s8(w[2].c, c.c), wide);
}
#endif

/* A row of windows: the three rows of the image that it sees, in 8 channels. */
typedef struct {
    const int8_t *rows[3];
    int32_t columns, in_stride, stride, left, output_columns, out_stride, zero_point;
} lines_t;

INLINE column_t column_at(const lines_t *lines, int32_t column)
{
    const int32_t at = column * lines->in_stride;
    if (column < 0 || column >= lines->columns) {
        const int8x8_t outside = vdup_n_s8((int8_t)lines->zero_point);
        return column_of(outside, outside, outside);
    }
    return column_of(vld1_s8(lines->rows[0] + at), vld1_s8(lines->rows[1] + at), vld1_s8(lines->rows[2] + at));
}

/* A column is loaded once for all windows that it is in. */
INLINE void window_row(const lines_t *lines, const column_t *w, const finish_t *finish, int8_t *out, int32_t count,
                       int kind, int wide)
{
    const int32_t stride = lines->stride, out_stride = lines->out_stride, step = lines->in_stride;
    const int32_t begin = (2 - lines->left) * step;
    const int8_t *first = lines->rows[0] + begin, *second = lines->rows[1] + begin, *third = lines->rows[2] + begin;
    /* Before `end`, windows end within the image. */
    const int32_t last = (lines->columns + lines->left - 3) / stride + 1;
    const int32_t end = last < lines->output_columns ? last : lines->output_columns;
    column_t a = column_at(lines, -lines->left), b = column_at(lines, 1 - lines->left), c;
    int32_t x = 0, at = 0;
#define COLUMN(at) column_of(vld1_s8(first + (at)), vld1_s8(second + (at)), vld1_s8(third + (at)))
#define WINDOW(a, b, c) \
    { \
        store(out, finished8(finish, window_sums(finish->bias, w, a, b, c, wide), kind, wide), count); \
        out += out_stride; \
    }
    if (stride == 1) {
        for (; x + 3 <= end; x += 3, at += 3 * step) {
            c = COLUMN(at);
            WINDOW(a, b, c)
            a = COLUMN(at + step);
            WINDOW(b, c, a)
            b = COLUMN(at + 2 * step);
            WINDOW(c, a, b)
        }
        for (; x < lines->output_columns; ++x) {
            c = column_at(lines, x + 2 - lines->left);
            WINDOW(a, b, c)
            a = b;
            b = c;
        }
    } else {
        for (int32_t column = 2 - lines->left; x < lines->output_columns; ++x, column += stride) {
            c = column_at(lines, column);
            WINDOW(a, b, c)
            a = stride == 2 ? c : column_at(lines, column + stride - 2);
            b = column_at(lines, column + stride - 1);
        }
    }
#undef COLUMN
#undef WINDOW
}

/* 3 x 3 windows, 8 channels. */
INLINE void window_rows(const int8_t *in, const window_t *window, lines_t lines, const int8x8_t *taps, finish_t finish,
                        int8_t *out, int32_t count, int kind, int wide)
{
    column_t within[3], at_edge[3];
    const sums_t bias = finish.bias;
    for (int32_t j = 0; j < 3; ++j)
        within[j] = column_of(taps[j], taps[3 + j], taps[6 + j]);
    for (int32_t y = 0; y < window->output_rows; ++y, out += window->output_columns * lines.out_stride) {
        const int32_t top = y * window->stride - window->top, length = window->columns * lines.in_stride;
        const int8_t *const first = in + top * length;
        const column_t *w = within;
        finish.bias = bias;
        for (int32_t i = 0; i < 3; ++i)
            lines.rows[i] = first + i * length;
        if (top < 0 || top + 3 > window->rows) {
            /* A row outside of the image adds the same to every sum. */
            int8x8_t rest[9];
            for (int32_t i = 0; i < 9; ++i) {
                const int inside = top + i / 3 >= 0 && top + i / 3 < window->rows;
                const int16x8_t same = vmull_s8(taps[i], vdup_n_s8((int8_t)(inside ? 0 : lines.zero_point)));
                finish.bias.low = vaddw_s16(finish.bias.low, vget_low_s16(same));
                finish.bias.high = vaddw_s16(finish.bias.high, vget_high_s16(same));
                rest[i] = inside ? taps[i] : vdup_n_s8(0);
                if (!inside)
                    lines.rows[i / 3] = in;
            }
            for (int32_t j = 0; j < 3; ++j)
                at_edge[j] = column_of(rest[j], rest[3 + j], rest[6 + j]);
            w = at_edge;
        }
        window_row(&lines, w, &finish, out, count, kind, wide);
    }
}

INLINE void windows(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window, int32_t zero_point,
                    const int8_t *weights, const output_t *output, int8_t *out, int32_t out_stride, int kind)
{
    const lines_t lines = {{in, in, in}, window->columns, in_stride, window->stride, window->left,
                           window->output_columns, out_stride, zero_point};
    for (int32_t channel = 0; channel < channels; channel += 8) {
        /* The last ones together with some before them, where that saves half a vector. */
        const int32_t rest = channels - channel, first = rest > 4 && rest < 8 && channels > 8 ? channels - 8 : channel;
        const finish_t finish = finish_of(output, first, kind);
        int8x8_t taps[9];
        for (int32_t i = 0; i < 9; ++i)
            taps[i] = vld1_s8(weights + i * PADDED(channels) + first);
        if (channels - first >= 8)
            window_rows(in + first, window, lines, taps, finish, out + first, 8, kind, 1);
        else if (rest > 4)
            window_rows(in + first, window, lines, taps, finish, out + first, rest, kind, 1);
        else
            window_rows(in + first, window, lines, taps, finish, out + first, rest, kind, 0);
    }
}

/* 8 channels of `count` pixels under windows of any size; `taps` pointers for each of them, `w` tap by tap. */
INLINE void depthwise_channels(const int8_t *const *pixels, int32_t taps, int32_t count, const int8_t *w,
                               const finish_t *finish, int8_t *out, int32_t out_stride, int32_t channels, int kind)
{
    for (; count; --count, pixels += taps, out += out_stride) {
        sums_t sums = finish->bias;
        int32_t tap = 0;
        for (; tap + 2 <= taps; tap += 2) {
            int16x8_t two = vmull_s8(vld1_s8(pixels[tap] + finish->channel), vld1_s8(w + 8 * tap));
            two = vmlal_s8(two, vld1_s8(pixels[tap + 1] + finish->channel), vld1_s8(w + 8 * tap + 8));
            sums.low = vaddw_s16(sums.low, vget_low_s16(two));
            sums.high = vaddw_s16(sums.high, vget_high_s16(two));
        }
        if (tap < taps) {
            const int16x8_t one = vmull_s8(vld1_s8(pixels[tap] + finish->channel), vld1_s8(w + 8 * tap));
            sums.low = vaddw_s16(sums.low, vget_low_s16(one));
            sums.high = vaddw_s16(sums.high, vget_high_s16(one));
        }
        store(out, finished8(finish, sums, kind, 1), channels);
    }
}

INLINE void depthwise_kind(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window,
                           const int8_t *outside, const int8_t *weights, const output_t *output, int8_t *out,
                           int32_t out_stride, int kind)
{
    const int32_t taps = window->kernel_rows * window->kernel_columns;
    const int32_t pixels = window->output_rows * window->output_columns;
    for (int32_t pixel = 0; pixel < pixels; pixel += PATCHES, out += PATCHES * out_stride) {
        const int8_t *seen[PATCHES * MAX_TAPS], **to = seen;
        const int32_t count = pixels - pixel < PATCHES ? pixels - pixel : PATCHES;
        for (int32_t i = pixel; i < pixel + count; ++i) {
            const int32_t top = i / window->output_columns * window->stride - window->top;
            const int32_t left = i % window->output_columns * window->stride - window->left;
            const int whole = top >= 0 && top + window->kernel_rows <= window->rows && left >= 0 &&
                              left + window->kernel_columns <= window->columns;
            for (int32_t row = top; row < top + window->kernel_rows; ++row) {
                const int8_t *from = in + (row * window->columns + left) * in_stride;
                const int in_rows = row >= 0 && row < window->rows;
                if (whole)
                    for (int32_t column = 0; column < window->kernel_columns; ++column, from += in_stride)
                        *to++ = from;
                else
                    for (int32_t column = left; column < left + window->kernel_columns; ++column, from += in_stride)
                        *to++ = in_rows && column >= 0 && column < window->columns ? from : outside;
            }
        }
        for (int32_t channel = 0; channel < channels; channel += 8) {
            const int32_t first = channel + 8 > channels && channels > 8 ? channels - 8 : channel;
            const finish_t finish = finish_of(output, first, kind);
            int8_t w[8 * MAX_TAPS];
            for (int32_t tap = 0; tap < taps; ++tap)
                vst1_s8(w + 8 * tap, vld1_s8(weights + tap * PADDED(channels) + first));
            depthwise_channels(seen, taps, count, w, &finish, out + first, out_stride, channels - first, kind);
        }
    }
}

#define WINDOWS(name, kind) \
    OUTLINE void name(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window, \
                      int32_t zero_point, const int8_t *weights, const output_t *output, int8_t *out, \
                      int32_t out_stride) \
    { \
        windows(in, in_stride, channels, window, zero_point, weights, output, out, out_stride, kind); \
    }
WINDOWS(windows_plain, PLAIN)
WINDOWS(windows_with_prelu, WITH_PRELU)

KERNEL void depthwise(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window, int32_t zero_point,
                      int8_t *outside, const int8_t *weights, const output_t *output, int8_t *out, int32_t out_stride)
{
    const int kind = finish_kind(output, channels);
    const int is_square = window->kernel_rows == 3 && window->kernel_columns == 3;
    const int is_three = is_square && window->left <= 1 && window->columns >= 3;
    memset(outside, zero_point, (size_t)channels);
    if (is_three && kind == PLAIN)
        windows_plain(in, in_stride, channels, window, zero_point, weights, output, out, out_stride);
    else if (is_three && kind == WITH_PRELU)
        windows_with_prelu(in, in_stride, channels, window, zero_point, weights, output, out, out_stride);
    else if (kind == PLAIN)
        depthwise_kind(in, in_stride, channels, window, outside, weights, output, out, out_stride, PLAIN);
    else if (kind == WITH_PRELU)
        depthwise_kind(in, in_stride, channels, window, outside, weights, output, out, out_stride, WITH_PRELU);
    else
        depthwise_kind(in, in_stride, channels, window, outside, weights, output, out, out_stride, ONE_BY_ONE);
}

INLINE void flipped8(const uint8_t *from, uint8x8_t flip, int8_t *to)
{
    vst1_s8(to, vreinterpret_s8_u8(veor_u8(vld1_u8(from), flip)));
}

/* Bytes of the image as int8; the last vector overlaps the one before. */
INLINE void gather(const uint8_t *from, uint8_t flip, int32_t length, int8_t *to)
{
    if (length < 8) {
        for (int32_t i = 0; i < length; ++i)
            to[i] = (int8_t)(from[i] ^ flip);
        return;
    }
    for (int32_t i = 0; i + 8 < length; i += 8)
        flipped8(from + i, vdup_n_u8(flip), to + i);
    flipped8(from + length - 8, vdup_n_u8(flip), to + length - 8);
}

KERNEL void convolution(const uint8_t *in, uint8_t flip, int32_t in_stride, int32_t inputs, const window_t *window,
                        int32_t zero_point, int8_t *patches, int32_t patch_stride, const int8_t *weights,
                        const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    const int32_t row_length = window->kernel_columns * inputs, length = window->kernel_rows * row_length;
    const int32_t image_row = window->columns * in_stride;
    for (int32_t y = 0; y < window->output_rows; ++y) {
        const int32_t top = y * window->stride - window->top;
        for (int32_t x = 0; x < window->output_columns; x += PATCHES) {
            const int32_t rest = window->output_columns - x, count = rest < PATCHES ? rest : PATCHES;
            int8_t *to = patches;
            for (int32_t patch = 0; patch < count; ++patch, to += patch_stride - length) {
                const int32_t left = (x + patch) * window->stride - window->left;
                const int32_t first = left < 0 ? -left : 0, over = left + window->kernel_columns - window->columns;
                const int32_t last = over > 0 ? window->kernel_columns - over : window->kernel_columns;
                const int in_rows = top >= 0 && top + window->kernel_rows <= window->rows;
                if (in_rows && first == 0 && over <= 0 && in_stride == inputs) {
                    const uint8_t *from = in + top * image_row + left * in_stride;
                    for (int32_t row = 0; row < window->kernel_rows; ++row, from += image_row, to += row_length)
                        gather(from, flip, row_length, to);
                    continue;
                }
                for (int32_t row = top; row < top + window->kernel_rows; ++row, to += row_length) {
                    const int inside = row >= 0 && row < window->rows;
                    if (!inside || last - first < window->kernel_columns)
                        memset(to, zero_point, (size_t)row_length);
                    if (!inside)
                        continue;
                    const uint8_t *from = in + (row * window->columns + left + first) * in_stride;
                    if (in_stride == inputs)
                        gather(from, flip, (last - first) * inputs, to + first * inputs);
                    else
                        for (int32_t column = first; column < last; ++column, from += in_stride)
                            gather(from, flip, inputs, to + column * inputs);
                }
            }
            pointwise(patches, patch_stride, count, length, weights, output, outputs, out, out_stride);
            out += count * out_stride;
        }
    }
}

KERNEL void add(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels, int32_t channels,
                const addition_t *addition, int8_t *out, int32_t out_stride)
{
    const int32x4_t factor_a = vdupq_n_s32(addition->short_a), factor_b = vdupq_n_s32(addition->short_b);
    const int32x4_t offset = vdupq_n_s32(addition->short_offset);
    if (a_stride == channels && b_stride == channels && out_stride == channels) {
        channels *= pixels;
        pixels = 1;
    }
    for (int32_t pixel = 0; pixel < pixels; ++pixel, a += a_stride, b += b_stride, out += out_stride)
        for (int32_t i = 0; i < channels; i += 8) {
            if (!addition->short_a) {
                for (int32_t j = i; j < channels && j < i + 8; ++j)
                    out[j] = added(addition, a[j], b[j]);
                continue;
            }
            const int16x8_t x = vmovl_s8(vld1_s8(a + i)), y = vmovl_s8(vld1_s8(b + i));
            int32x4_t low = vmlaq_s32(offset, vmovl_s16(vget_low_s16(x)), factor_a);
            int32x4_t high = vmlaq_s32(offset, vmovl_s16(vget_high_s16(x)), factor_a);
            low = vmlaq_s32(low, vmovl_s16(vget_low_s16(y)), factor_b);
            high = vmlaq_s32(high, vmovl_s16(vget_high_s16(y)), factor_b);
            const int16x8_t upper = vuzpq_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high)).val[1];
            store(out + i, vqshrn_n_s16(upper, 6), channels - i);
        }
}

KERNEL void multiply(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels,
                     int32_t channels, const multiplication_t *multiplication, int8_t *out, int32_t out_stride)
{
    const int32x4_t shift = vdupq_n_s32(multiplication->factor.shift);
    const int32_t significand = multiplication->factor.significand;
    const int8x8_t zero_point_a = vdup_n_s8((int8_t)multiplication->zero_point_a);
    const int8x8_t zero_point_b = vdup_n_s8((int8_t)multiplication->zero_point_b);
    const int16x8_t zero_point = vdupq_n_s16((int16_t)multiplication->zero_point);
    const int8x8_t least = vdup_n_s8((int8_t)multiplication->low), most = vdup_n_s8((int8_t)multiplication->high);
    for (int32_t i = 0; i < channels; i += 8)
        for (int32_t pixel = 0; pixel < pixels; ++pixel) {
            if (multiplication->factor.shift >= 0) {
                for (int32_t j = i; j < channels && j < i + 8; ++j)
                    out[pixel * out_stride + j] =
                        multiplied(multiplication, a[pixel * a_stride + j], b[pixel * b_stride + j]);
                continue;
            }
            const int16x8_t x = vsubl_s8(vld1_s8(a + pixel * a_stride + i), zero_point_a);
            const int16x8_t y = vsubl_s8(vld1_s8(b + pixel * b_stride + i), zero_point_b);
            const int32x4_t low = vqrdmulhq_n_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), significand);
            const int32x4_t high = vqrdmulhq_n_s32(vmull_s16(vget_high_s16(x), vget_high_s16(y)), significand);
            const int16x8_t values = vcombine_s16(vqmovn_s32(rounded(low, shift)), vqmovn_s32(rounded(high, shift)));
            const int8x8_t z = vqmovn_s16(vqaddq_s16(values, zero_point));
            store(out + pixel * out_stride + i, vmin_s8(vmax_s8(z, least), most), channels - i);
        }
}

/* 128 pixels fit into 16 bits. */
KERNEL void mean(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t channels, int32_t zero_point,
                 factor_t factor, int32_t output_zero_point, int8_t *out)
{
    for (int32_t i = 0; i < channels; i += 8) {
        int32_t sums[8];
        int32x4_t low = vdupq_n_s32(-pixels * zero_point), high = low;
        for (int32_t pixel = 0; pixel < pixels;) {
            const int32_t end = pixels - pixel > 128 ? pixel + 128 : pixels;
            int16x8_t part = vdupq_n_s16(0);
            for (; pixel < end; ++pixel)
                part = vaddw_s8(part, vld1_s8(in + pixel * in_stride + i));
            low = vaddw_s16(low, vget_low_s16(part));
            high = vaddw_s16(high, vget_high_s16(part));
        }
        vst1q_s32(sums, low);
        vst1q_s32(sums + 4, high);
        for (int32_t j = 0; j < 8 && i + j < channels; ++j)
            out[i + j] = clamped(scaled(sums[j], factor.significand, factor.shift) + output_zero_point, -128, 127);
    }
}
#endif
