/* ---- Kernels for Helium (Cortex-M55 and M85): vectors of 16 bytes. ---- */

#if defined(__ARM_FEATURE_MVE) && !defined(MODEL_PORTABLE)
#include <arm_mve.h>

/* `scaled` of four values. */
KERNEL inline int32x4_t scaled_four(int32x4_t x, int32x4_t significand, int32x4_t shift)
{
    const int32x4_t zero = vdupq_n_s32(0), right = vminq_s32(shift, zero);
    x = vqrdmulhq_s32(vshlq_s32(x, vmaxq_s32(shift, zero)), significand);
    x = vaddq_s32(x, vshrq_n_s32(vandq_s32(x, right), 31));
    return vrshlq_s32(x, right);
}

KERNEL inline int32x4_t scaled_by(int32x4_t x, factor_t factor)
{
    return scaled_four(x, vdupq_n_s32(factor.significand), vdupq_n_s32(factor.shift));
}

KERNEL inline int32x4_t clamped_four(int32x4_t x, int32_t low, int32_t high)
{
    return vminq_s32(vmaxq_s32(x, vdupq_n_s32(low)), vdupq_n_s32(high));
}

/* `finished` of four sums. */
KERNEL inline int32x4_t finished_four(const output_t *output, int32x4_t sums, int32x4_t significands, int32x4_t shifts,
                                      int32x4_t slopes)
{
    const prelu_t *prelu = output->prelu;
    int32x4_t x = vaddq_n_s32(scaled_four(sums, significands, shifts), output->zero_point);
    x = clamped_four(x, output->low, output->high);
    if (prelu) {
        const int32x4_t value = vsubq_n_s32(x, prelu->zero_point);
        const int is_kept = prelu->above.significand == 1 << 30 && prelu->above.shift == 1;
        const int32x4_t above = is_kept ? value : scaled_by(value, prelu->above);
        const int32x4_t below = scaled_by(vmulq_s32(value, slopes), prelu->below);
        x = vpselq_s32(above, below, vcmpgeq_n_s32(value, 0));
        x = clamped_four(vaddq_n_s32(x, prelu->output_zero_point), -128, 127);
    }
    return x;
}

#define HAVE_POINTWISE
/* One output channel of four pixels at a time; the last pixel stands for those behind it. */
KERNEL void pointwise(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t inputs, const int8_t *weights,
                      const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    const int32_t row = (inputs + 3) / 4 * 4;
    const output_t finish = *output;
    const uint32x4_t places = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)out_stride);
    for (int32_t pixel = 0; pixel < pixels; pixel += 4) {
        const int32_t left = pixels - pixel;
        const int8_t *x0 = in, *x1 = left > 1 ? x0 + in_stride : x0, *x2 = left > 2 ? x1 + in_stride : x1;
        const int8_t *x3 = left > 3 ? x2 + in_stride : x2, *w = weights;
        const mve_pred16_t there = vctp32q((uint32_t)left);
        for (int32_t channel = 0; channel < outputs; ++channel, w += row) {
            int32_t a = finish.bias[channel], b = a, c = a, d = a, i = 0;
            int32x4_t sums;
            for (; i + 16 <= inputs; i += 16) {
                const int8x16_t ws = vldrbq_s8(w + i);
                a = vmladavaq_s8(a, vldrbq_s8(x0 + i), ws);
                b = vmladavaq_s8(b, vldrbq_s8(x1 + i), ws);
                c = vmladavaq_s8(c, vldrbq_s8(x2 + i), ws);
                d = vmladavaq_s8(d, vldrbq_s8(x3 + i), ws);
            }
            if (i < inputs) {
                const int8x16_t ws = vldrbq_z_s8(w + i, vctp8q((uint32_t)(inputs - i)));
                a = vmladavaq_s8(a, vldrbq_s8(x0 + i), ws);
                b = vmladavaq_s8(b, vldrbq_s8(x1 + i), ws);
                c = vmladavaq_s8(c, vldrbq_s8(x2 + i), ws);
                d = vmladavaq_s8(d, vldrbq_s8(x3 + i), ws);
            }
            sums = (int32x4_t){a, b, c, d};
            sums = finished_four(&finish, sums, vdupq_n_s32(finish.significands[channel]),
                                 vdupq_n_s32(finish.shifts[channel]),
                                 vdupq_n_s32(finish.prelu ? finish.prelu->slopes[channel] : 0));
            vstrbq_scatter_offset_p_s32(out + channel, places, sums, there);
        }
        in += 4 * in_stride;
        out += 4 * out_stride;
    }
}

#define HAVE_DEPTHWISE_PIXEL
/* Four channels at a time. */
KERNEL void depthwise_pixel(const int8_t *const *pixels, int32_t taps, int32_t channels, const int8_t *weights,
                            const output_t *output, int8_t *out)
{
    const int32_t row = PADDED(channels);
    const output_t finish = *output;
    for (int32_t channel = 0; channel < channels; channel += 4) {
        int32x4_t sums = vldrwq_s32(finish.bias + channel), slopes = vdupq_n_s32(0);
        const int8_t *w = weights + channel;
        for (int32_t tap = 0; tap < taps; ++tap, w += row)
            sums = vaddq_s32(sums, vmulq_s32(vldrbq_s32(pixels[tap] + channel), vldrbq_s32(w)));
        if (finish.prelu)
            slopes = vldrbq_s32(finish.prelu->slopes + channel);
        sums = finished_four(&finish, sums, vldrwq_s32(finish.significands + channel),
                             vldrbq_s32(finish.shifts + channel), slopes);
        vstrbq_p_s32(out + channel, sums, vctp32q((uint32_t)(channels - channel)));
    }
}

#define HAVE_ADD
KERNEL void add(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels, int32_t channels,
                const addition_t *addition, int8_t *out, int32_t out_stride)
{
    const addition_t by = *addition;
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        for (int32_t i = 0; i < channels; i += 4) {
            const int32x4_t x = vshlq_n_s32(vsubq_n_s32(vldrbq_s32(a + i), by.zero_point_a), 20);
            const int32x4_t y = vshlq_n_s32(vsubq_n_s32(vldrbq_s32(b + i), by.zero_point_b), 20);
            const int32x4_t sum = scaled_by(vaddq_s32(scaled_by(x, by.a), scaled_by(y, by.b)), by.out);
            const int32x4_t value = clamped_four(vaddq_n_s32(sum, by.zero_point), by.low, by.high);
            vstrbq_p_s32(out + i, value, vctp32q((uint32_t)(channels - i)));
        }
        a += a_stride;
        b += b_stride;
        out += out_stride;
    }
}

#define HAVE_MULTIPLY
/* `b_stride` is 0 where every pixel has the same second factor. */
KERNEL void multiply(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels,
                     int32_t channels, const multiplication_t *multiplication, int8_t *out, int32_t out_stride)
{
    const multiplication_t by = *multiplication;
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        for (int32_t i = 0; i < channels; i += 4) {
            const int32x4_t x = vsubq_n_s32(vldrbq_s32(a + i), by.zero_point_a);
            const int32x4_t y = vsubq_n_s32(vldrbq_s32(b + i), by.zero_point_b);
            const int32x4_t product = vaddq_n_s32(scaled_by(vmulq_s32(x, y), by.factor), by.zero_point);
            vstrbq_p_s32(out + i, clamped_four(product, by.low, by.high), vctp32q((uint32_t)(channels - i)));
        }
        a += a_stride;
        b += b_stride;
        out += out_stride;
    }
}
#endif
