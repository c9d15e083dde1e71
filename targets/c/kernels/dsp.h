/* ---- Kernels for ARM's DSP instructions (Cortex-M4, M7, M33): two products at a time. ---- */

#if defined(__ARM_FEATURE_DSP) && !defined(__ARM_FEATURE_MVE) && !defined(__ARM_NEON) && !defined(MODEL_PORTABLE)

/* Four bytes of any address. */
KERNEL inline uint32_t four(const int8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Bytes 0 and 2 of a word as int16, and bytes 1 and 3. */
KERNEL inline uint32_t even(uint32_t word)
{
    uint32_t pair;
    __asm("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}

KERNEL inline uint32_t odd(uint32_t word)
{
    uint32_t pair;
    __asm("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

/* A sum and the products of both halves, of the low ones, of the high ones. */
KERNEL inline int32_t both(uint32_t x, uint32_t w, int32_t sum)
{
    __asm("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(x), "r"(w));
    return sum;
}

KERNEL inline int32_t lows(uint32_t x, uint32_t w, int32_t sum)
{
    __asm("smlabb %0, %1, %2, %0" : "+r"(sum) : "r"(x), "r"(w));
    return sum;
}

KERNEL inline int32_t highs(uint32_t x, uint32_t w, int32_t sum)
{
    __asm("smlatt %0, %1, %2, %0" : "+r"(sum) : "r"(x), "r"(w));
    return sum;
}

/* How sums of a layer become int8, in a copy that no store of int8 can change. */
typedef struct {
    output_t output;
    prelu_t prelu;
    uint32_t shifts; /* to the right, of which there are so many that take the short way */
} finish_t;

KERNEL inline finish_t finish_of(const output_t *output)
{
    static const prelu_t none;
    const prelu_t prelu = output->prelu ? *output->prelu : none;
    const int is_kept = !output->prelu || (prelu.above.significand == 1 << 30 && prelu.above.shift == 1 &&
                                           prelu.zero_point == prelu.output_zero_point && (uint32_t)-prelu.below.shift < 30u);
    const int is_whole = output->low == -128 && output->high == 127;
    const finish_t finish = {*output, prelu, is_kept && is_whole ? 30u : 0u};
    return finish;
}

KERNEL inline int32_t saturated(int32_t x)
{
    __asm("ssat %0, #8, %1" : "=r"(x) : "r"(x));
    return x;
}

KERNEL inline int32_t requantized(int32_t x, int32_t significand, int32_t shift)
{
    int32_t high;
    __asm("smmulr %0, %1, %2" : "=r"(high) : "r"(2 * x), "r"(significand));
    return (2 * high + (high >> 31) + (1 << -shift)) >> (1 - shift);
}

KERNEL inline int8_t finished_short(const finish_t *finish, int32_t sum, int32_t significand, int32_t shift,
                                    int32_t slope)
{
    const int32_t x = saturated(requantized(sum, significand, shift) + finish->output.zero_point);
    const int32_t value = x - finish->prelu.zero_point;
    if (!finish->output.prelu || value >= 0)
        return (int8_t)x;
    return (int8_t)saturated(requantized(value * slope, finish->prelu.below.significand, finish->prelu.below.shift) +
                             finish->prelu.zero_point);
}

KERNEL inline void finish_one(const finish_t *finish, int32_t channel, int32_t sum, int8_t *out)
{
    const int32_t shift = finish->output.shifts[channel];
    if ((uint32_t)-shift < finish->shifts)
        *out = finished_short(finish, sum, finish->output.significands[channel], shift,
                              finish->output.prelu ? finish->prelu.slopes[channel] : 0);
    else
        *out = finished(&finish->output, channel, sum);
}

/* One channel's sums of two pixels. */
KERNEL inline void finish_two(const finish_t *finish, int32_t channel, int32_t a, int32_t b, int8_t *out_a,
                              int8_t *out_b)
{
    const int32_t significand = finish->output.significands[channel], shift = finish->output.shifts[channel];
    const int32_t slope = finish->output.prelu ? finish->prelu.slopes[channel] : 0;
    if ((uint32_t)-shift < finish->shifts) {
        *out_a = finished_short(finish, a, significand, shift, slope);
        *out_b = finished_short(finish, b, significand, shift, slope);
    } else {
        *out_a = finished(&finish->output, channel, a);
        *out_b = finished(&finish->output, channel, b);
    }
}

#define HAVE_POINTWISE
/* Two pixels by two output channels at a time; what is odd is done twice. */
KERNEL void pointwise(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t inputs, const int8_t *weights,
                      const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    const int32_t row = (inputs + 3) / 4 * 4;
    const finish_t finish = finish_of(output);
    for (int32_t pixel = 0; pixel < pixels; pixel += 2) {
        const int32_t next = pixel + 1 < pixels ? in_stride : 0, out_next = next ? out_stride : 0;
        for (int32_t channel = 0; channel < outputs; channel += 2) {
            const int32_t other = channel + 1 < outputs ? 1 : 0;
            const int8_t *w = weights + channel * row, *const end = w + row, *x = in;
            int32_t a = output->bias[channel], b = output->bias[channel + other], c = a, d = b;
            for (const int32_t second = other ? row : 0; w < end; w += 4, x += 4) {
                const uint32_t x0 = four(x), x1 = four(x + next), w0 = four(w), w1 = four(w + second);
                const uint32_t x0_even = even(x0), x0_odd = odd(x0), x1_even = even(x1), x1_odd = odd(x1);
                const uint32_t w0_even = even(w0), w0_odd = odd(w0), w1_even = even(w1), w1_odd = odd(w1);
                a = both(x0_odd, w0_odd, both(x0_even, w0_even, a));
                c = both(x1_odd, w0_odd, both(x1_even, w0_even, c));
                b = both(x0_odd, w1_odd, both(x0_even, w1_even, b));
                d = both(x1_odd, w1_odd, both(x1_even, w1_even, d));
            }
            finish_two(&finish, channel, a, c, out + channel, out + channel + out_next);
            finish_two(&finish, channel + other, b, d, out + channel + other, out + channel + other + out_next);
        }
        in += 2 * in_stride;
        out += 2 * out_stride;
    }
}

#define HAVE_DEPTHWISE_PIXEL
/* Four channels at a time. */
KERNEL void depthwise_pixel(const int8_t *const *pixels, int32_t taps, int32_t channels, const int8_t *weights,
                            const output_t *output, int8_t *out)
{
    const int32_t row = PADDED(channels);
    const finish_t finish = finish_of(output);
    for (int32_t channel = 0; channel < channels; channel += 4) {
        const int8_t *const *const end = pixels + taps;
        const int8_t *w = weights + channel;
        int32_t a = output->bias[channel], b = output->bias[channel + 1];
        int32_t c = output->bias[channel + 2], d = output->bias[channel + 3];
        for (const int8_t *const *pixel = pixels; pixel < end; ++pixel, w += row) {
            const uint32_t x = four(*pixel + channel), y = four(w);
            const uint32_t x_even = even(x), x_odd = odd(x), y_even = even(y), y_odd = odd(y);
            a = lows(x_even, y_even, a);
            b = lows(x_odd, y_odd, b);
            c = highs(x_even, y_even, c);
            d = highs(x_odd, y_odd, d);
        }
        finish_one(&finish, channel, a, out + channel);
        if (channel + 1 < channels)
            finish_one(&finish, channel + 1, b, out + channel + 1);
        if (channel + 2 < channels)
            finish_one(&finish, channel + 2, c, out + channel + 2);
        if (channel + 3 < channels)
            finish_one(&finish, channel + 3, d, out + channel + 3);
    }
}
#endif
