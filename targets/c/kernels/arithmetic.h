/* ---- Fixed-point arithmetic: TFLite's reference kernels, to the bit. ---- */

#if defined(__GNUC__)
#define KERNEL static __attribute__((unused))
#else
#define KERNEL static
#endif

/* Channels that parameters are padded to, so that vector kernels load whole vectors of them. */
#define PADDED(channels) (((channels) + 15) / 16 * 16)

/* A real factor: significand / 2^31 * 2^shift. */
typedef struct {
    int32_t significand;
    int32_t shift;
} factor_t;

/* Where the generator has proved it for every input, round(x * factor + nudge) is the reference's result, in float32:
   multiplied and added at once, rounded to nearest, ties to even. `factors` is NULL, a single factor 0, where not. */

/* PReLU, value by value: above the zero point times one factor, below times the channel's slope as well. Proved:
   values above stay as they are, x below (without zero point) is round(x * factor + nudge); and, in 16 bits and with
   the zero point, max(x, (((x * short_factor + 64) >> 7) + short_offset) >> 8) is the result for every x. */
typedef struct {
    const int8_t *slopes;
    factor_t above, below;
    int32_t zero_point, output_zero_point;
    const float *factors, *nudges;
    const int16_t *short_factors, *short_offsets;
} prelu_t;

/* From int32 sums to int8; prelu is NULL where none follows. Proved: round(sum * factor + nudge), the nudge with the
   sum's sign. */
typedef struct {
    const int32_t *bias, *significands;
    const int8_t *shifts;
    int32_t zero_point, low, high;
    const prelu_t *prelu;
    const float *factors, *nudges;
} output_t;

typedef struct {
    factor_t a, b, out;
    int32_t zero_point_a, zero_point_b, zero_point, low, high;
    float factor_a, factor_b, constant; /* proved: round(a * factor_a + (b * factor_b + constant)), of int8 as they are */
    int32_t short_a, short_b, short_offset; /* proved: (a * short_a + b * short_b + short_offset) >> 22, in 32 bits */
} addition_t;

typedef struct {
    factor_t factor;
    int32_t zero_point_a, zero_point_b, zero_point, low, high;
    float real_factor, nudge; /* proved: as in output_t, of the product without zero points */
} multiplication_t;

/* The window of a convolution over an image: sizes in pixels. */
typedef struct {
    int32_t rows, columns, output_rows, output_columns;
    int32_t kernel_rows, kernel_columns, stride, top, left;
} window_t;

/* x times a factor, rounded twice: half up to the doubled product's high word, then half away from zero.
   |x| < 2^29. Right shifts of negative numbers keep the sign, as every compiler has it. */
KERNEL int32_t scaled(int32_t x, int32_t significand, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
    int64_t product;
    int32_t high, mask, rest;
#if defined(__ARM_FEATURE_DSP) && !defined(MODEL_PORTABLE)
    if ((uint32_t)-shift < 30u) { /* both at once, on the doubled word */
        __asm("smmulr %0, %1, %2" : "=r"(high) : "r"(2 * x), "r"(significand));
        return (2 * high + (high >> 31) + (1 << right)) >> (right + 1);
    }
#endif
    product = (int64_t)x * ((int64_t)1 << left) * significand;
    high = (int32_t)((product + ((int64_t)1 << 30)) >> 31);
    mask = (int32_t)(((int64_t)1 << right) - 1);
    rest = high & mask;
    return (high >> right) + (rest > (mask >> 1) + (high < 0));
}

KERNEL int8_t clamped(int32_t value, int32_t low, int32_t high)
{
    return (int8_t)(value < low ? low : value > high ? high : value);
}

KERNEL int8_t prelu_of(const prelu_t *prelu, int32_t channel, int8_t x)
{
    const int32_t value = x - prelu->zero_point;
    const int32_t y = value >= 0 ? scaled(value, prelu->above.significand, prelu->above.shift)
                                 : scaled(value * prelu->slopes[channel], prelu->below.significand, prelu->below.shift);
    return clamped(y + prelu->output_zero_point, -128, 127);
}

/* a + b, both terms on 2^-20 of twice the wider scale. */
KERNEL int8_t added(const addition_t *addition, int8_t a, int8_t b)
{
    const int32_t x = (a - addition->zero_point_a) * (1 << 20), y = (b - addition->zero_point_b) * (1 << 20);
    const int32_t sum = scaled(x, addition->a.significand, addition->a.shift) +
                        scaled(y, addition->b.significand, addition->b.shift);
    const int32_t value = scaled(sum, addition->out.significand, addition->out.shift);
    return clamped(value + addition->zero_point, addition->low, addition->high);
}

/* One sum, whose bias is in it already. */
KERNEL int8_t finished(const output_t *output, int32_t channel, int32_t sum)
{
    const int32_t y = scaled(sum, output->significands[channel], output->shifts[channel]) + output->zero_point;
    const int8_t x = clamped(y, output->low, output->high);
    return output->prelu ? prelu_of(output->prelu, channel, x) : x;
}

KERNEL int8_t multiplied(const multiplication_t *multiplication, int8_t a, int8_t b)
{
    const int32_t product = (a - multiplication->zero_point_a) * (b - multiplication->zero_point_b);
    const int32_t value = scaled(product, multiplication->factor.significand, multiplication->factor.shift);
    return clamped(value + multiplication->zero_point, multiplication->low, multiplication->high);
}
