/* ---- Kernels in plain C, for every machine; what a vector kernel above has defined is left out. ---- */

#ifndef HAVE_POINTWISE
/* Every output channel of every pixel: `weights` in rows of `inputs`, each padded to a multiple of 4. */
KERNEL void pointwise(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t inputs, const int8_t *weights,
                      const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    const int32_t row = (inputs + 3) / 4 * 4;
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        for (int32_t channel = 0; channel < outputs; ++channel) {
            const int8_t *w = weights + channel * row;
            int32_t sum = output->bias[channel];
            for (int32_t i = 0; i < inputs; ++i)
                sum += in[i] * w[i];
            out[channel] = finished(output, channel, sum);
        }
        in += in_stride;
        out += out_stride;
    }
}
#endif

#ifndef HAVE_DEPTHWISE_PIXEL
/* One output pixel: `taps` pixels of the image, each channel with its own weight; `weights` tap by tap, padded. */
KERNEL void depthwise_pixel(const int8_t *const *pixels, int32_t taps, int32_t channels, const int8_t *weights,
                            const output_t *output, int8_t *out)
{
    for (int32_t channel = 0; channel < channels; ++channel) {
        int32_t sum = output->bias[channel];
        for (int32_t tap = 0; tap < taps; ++tap)
            sum += pixels[tap][channel] * weights[tap * PADDED(channels) + channel];
        out[channel] = finished(output, channel, sum);
    }
}
#endif

#ifndef HAVE_DEPTHWISE
/* Every channel under a window. `outside` is working memory for a pixel outside of the image: the zero point. */
KERNEL void depthwise(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window, int32_t zero_point,
                      int8_t *outside, const int8_t *weights, const output_t *output, int8_t *out, int32_t out_stride)
{
    const int8_t *pixels[MAX_TAPS];
    memset(outside, zero_point, (size_t)channels);
    for (int32_t y = 0; y < window->output_rows; ++y)
        for (int32_t x = 0; x < window->output_columns; ++x) {
            int32_t tap = 0;
            for (int32_t i = 0; i < window->kernel_rows; ++i)
                for (int32_t j = 0; j < window->kernel_columns; ++j) {
                    const int32_t row = y * window->stride + i - window->top;
                    const int32_t column = x * window->stride + j - window->left;
                    const int inside = row >= 0 && row < window->rows && column >= 0 && column < window->columns;
                    pixels[tap++] = inside ? in + (row * window->columns + column) * in_stride : outside;
                }
            depthwise_pixel(pixels, tap, channels, weights, output, out);
            out += out_stride;
        }
}
#endif

#ifndef HAVE_CONVOLUTION
/* Channels under a window into rows of a pointwise product. `flip` is 0x80 for the camera's bytes, else 0. */
KERNEL void convolution(const uint8_t *in, uint8_t flip, int32_t in_stride, int32_t inputs, const window_t *window,
                        int32_t zero_point, int8_t *patches, int32_t patch_stride, const int8_t *weights,
                        const output_t *output, int32_t outputs, int8_t *out, int32_t out_stride)
{
    const int32_t pixels = window->output_rows * window->output_columns;
    const int32_t length = window->kernel_rows * window->kernel_columns * inputs;
    for (int32_t first = 0; first < pixels; first += PATCHES) {
        const int32_t count = pixels - first < PATCHES ? pixels - first : PATCHES;
        for (int32_t patch = 0; patch < count; ++patch) {
            int8_t *to = patches + patch * patch_stride;
            const int32_t top = (first + patch) / window->output_columns * window->stride - window->top;
            const int32_t left = (first + patch) % window->output_columns * window->stride - window->left;
            for (int32_t row = top; row < top + window->kernel_rows; ++row)
                for (int32_t column = left; column < left + window->kernel_columns; ++column) {
                    if (row >= 0 && row < window->rows && column >= 0 && column < window->columns) {
                        const uint8_t *from = in + (row * window->columns + column) * in_stride;
                        for (int32_t i = 0; i < inputs; ++i)
                            to[i] = (int8_t)(from[i] ^ flip);
                    } else {
                        memset(to, zero_point, (size_t)inputs);
                    }
                    to += inputs;
                }
        }
        pointwise(patches, patch_stride, count, length, weights, output, outputs, out, out_stride);
        out += count * out_stride;
    }
}
#endif

#ifndef HAVE_ADD
KERNEL void add(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels, int32_t channels,
                const addition_t *addition, int8_t *out, int32_t out_stride)
{
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        for (int32_t i = 0; i < channels; ++i)
            out[i] = added(addition, a[i], b[i]);
        a += a_stride;
        b += b_stride;
        out += out_stride;
    }
}
#endif

#ifndef HAVE_MULTIPLY
/* `b_stride` is 0 where every pixel has the same second factor. */
KERNEL void multiply(const int8_t *a, int32_t a_stride, const int8_t *b, int32_t b_stride, int32_t pixels,
                     int32_t channels, const multiplication_t *multiplication, int8_t *out, int32_t out_stride)
{
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        for (int32_t i = 0; i < channels; ++i)
            out[i] = multiplied(multiplication, a[i], b[i]);
        a += a_stride;
        b += b_stride;
        out += out_stride;
    }
}
#endif

#ifndef HAVE_MEAN
KERNEL void mean(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t channels, int32_t zero_point,
                 factor_t factor, int32_t output_zero_point, int8_t *out)
{
    for (int32_t i = 0; i < channels; ++i) {
        int32_t sum = -pixels * zero_point;
        for (int32_t pixel = 0; pixel < pixels; ++pixel)
            sum += in[pixel * in_stride + i];
        out[i] = clamped(scaled(sum, factor.significand, factor.shift) + output_zero_point, -128, 127);
    }
}
#endif

KERNEL void prelu_alone(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t channels, const prelu_t *prelu,
                        int8_t *out, int32_t out_stride)
{
    for (int32_t pixel = 0; pixel < pixels; ++pixel)
        for (int32_t i = 0; i < channels; ++i)
            out[pixel * out_stride + i] = prelu_of(prelu, i, in[pixel * in_stride + i]);
}

KERNEL void copy(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t channels, int8_t *out, int32_t out_stride)
{
    for (int32_t pixel = 0; pixel < pixels; ++pixel)
        memcpy(out + pixel * out_stride, in + pixel * in_stride, (size_t)channels);
}
