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
    const int32_t taps = window->kernel_rows * window->kernel_columns, step = window->stride * in_stride;
    memset(outside, zero_point, (size_t)channels);
    for (int32_t y = 0; y < window->output_rows; ++y) {
        const int32_t top = y * window->stride - window->top;
        int was_inside = 0;
        for (int32_t x = 0; x < window->output_columns; ++x) {
            const int32_t left = x * window->stride - window->left;
            const int is_inside = top >= 0 && top + window->kernel_rows <= window->rows && left >= 0 &&
                                  left + window->kernel_columns <= window->columns;
            if (is_inside && was_inside) {
                for (int32_t tap = 0; tap < taps; ++tap)
                    pixels[tap] += step;
            } else {
                const int8_t **pixel = pixels;
                for (int32_t row = top; row < top + window->kernel_rows; ++row)
                    for (int32_t column = left; column < left + window->kernel_columns; ++column) {
                        const int inside = row >= 0 && row < window->rows && column >= 0 && column < window->columns;
                        *pixel++ = inside ? in + (row * window->columns + column) * in_stride : outside;
                    }
            }
            depthwise_pixel(pixels, taps, channels, weights, output, out);
            out += out_stride;
            was_inside = is_inside;
        }
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

/* The mean of every window, half away from zero. */
KERNEL void average_pool(const int8_t *in, int32_t in_stride, int32_t channels, const window_t *window, int32_t low,
                         int32_t high, int8_t *out, int32_t out_stride)
{
    const int32_t count = window->kernel_rows * window->kernel_columns;
    for (int32_t y = 0; y < window->output_rows; ++y)
        for (int32_t x = 0; x < window->output_columns; ++x) {
            for (int32_t channel = 0; channel < channels; ++channel) {
                int32_t sum = 0;
                for (int32_t i = 0; i < window->kernel_rows; ++i)
                    for (int32_t j = 0; j < window->kernel_columns; ++j) {
                        const int32_t row = y * window->stride + i, column = x * window->stride + j;
                        sum += in[(row * window->columns + column) * in_stride + channel];
                    }
                out[channel] = clamped((sum > 0 ? sum + count / 2 : sum - count / 2) / count, low, high);
            }
            out += out_stride;
        }
}

/* One axis of a bilinear resize, in 1024ths: the two positions around a centre, and the second one's weight. */
typedef struct {
    int32_t first, second, weight;
} between_t;

KERNEL between_t between(int32_t position, int32_t size, int32_t output_size)
{
    const int32_t scale = (1024 * size + output_size / 2) / output_size;
    const int32_t centre = position * scale + scale / 2 - 512;
    const int32_t lower = centre / 1024 > 0 ? centre / 1024 : 0, upper = (centre + 1023) / 1024;
    const between_t found = {lower, upper < size - 1 ? upper : size - 1, centre - 1024 * lower};
    return found;
}

KERNEL void resize(const int8_t *in, int32_t in_stride, int32_t channels, int32_t rows, int32_t columns,
                   int32_t output_rows, int32_t output_columns, int8_t *out, int32_t out_stride)
{
    for (int32_t i = 0; i < output_rows; ++i) {
        const between_t y = between(i, rows, output_rows);
        for (int32_t j = 0; j < output_columns; ++j) {
            const between_t x = between(j, columns, output_columns);
            const int8_t *top = in + y.first * columns * in_stride, *bottom = in + y.second * columns * in_stride;
            for (int32_t channel = 0; channel < channels; ++channel) {
                const int32_t left = x.first * in_stride + channel, right = x.second * in_stride + channel;
                const int64_t above = (int64_t)top[left] * (1024 - x.weight) + (int64_t)top[right] * x.weight;
                const int64_t below = (int64_t)bottom[left] * (1024 - x.weight) + (int64_t)bottom[right] * x.weight;
                const int64_t sum = above * (1024 - y.weight) + below * y.weight;
                out[channel] = (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
            }
            out += out_stride;
        }
    }
}

KERNEL void look_up(const int8_t *in, int32_t in_stride, int32_t pixels, int32_t channels, const int8_t *values,
                    int8_t *out, int32_t out_stride)
{
    for (int32_t pixel = 0; pixel < pixels; ++pixel)
        for (int32_t i = 0; i < channels; ++i)
            out[pixel * out_stride + i] = values[in[pixel * in_stride + i] + 128];
}

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
