/* See alignment.h. The estimate is Umeyama's (1991), which has a closed form in the plane: with both sets of points
 * taken from their means, rotation and scale are the complex number that regresses one on the other. */
#include "alignment.h"

/* Where the landmarks lie in an aligned face (Deng et al. 2019, arXiv:1801.07698). */
static const float TEMPLATE[10] = {38.2946f, 51.6963f, 73.5318f, 51.5014f, 56.0252f,
                                   71.7366f, 41.5493f, 92.3655f, 70.7299f, 92.2041f};

/* A pixel of the face at (x, y) is the photograph's at (u, v) + (x - cx) * (a, b) + (y - cy) * (-b, a). */
typedef struct {
    float a, b, u, v, cx, cy;
} Transform;

static int estimate(const float landmarks[10], Transform *to) {
    float u = 0, v = 0, cx = 0, cy = 0, spread = 0, real = 0, imaginary = 0, length;
    for (int i = 0; i < 10; i += 2) {
        u += landmarks[i] / 5;
        v += landmarks[i + 1] / 5;
        cx += TEMPLATE[i] / 5;
        cy += TEMPLATE[i + 1] / 5;
    }
    for (int i = 0; i < 10; i += 2) {
        const float px = landmarks[i] - u, py = landmarks[i + 1] - v;
        const float qx = TEMPLATE[i] - cx, qy = TEMPLATE[i + 1] - cy;
        spread += px * px + py * py;
        real += px * qx + py * qy;
        imaginary += px * qy - py * qx;
    }
    /* The factor from photograph to face is (real, imaginary) / spread; sampling needs the way back. */
    length = real * real + imaginary * imaginary;
    if (!(spread >= 5.0f && spread < 1e12f && length > 0.0f)) return 1;
    to->a = real * (spread / length);
    to->b = -imaginary * (spread / length);
    to->u = u;
    to->v = v;
    to->cx = cx;
    to->cy = cy;
    return 0;
}

int align_face(const uint8_t *rgb, int32_t width, int32_t height, int32_t stride, const float landmarks[10],
               uint8_t face[ALIGNMENT_SIZE * ALIGNMENT_SIZE * 3]) {
    static const uint8_t black[3] = {0, 0, 0};
    Transform t;
    if (estimate(landmarks, &t)) return 1;
    for (int y = 0; y < ALIGNMENT_SIZE; y++) {
        for (int x = 0; x < ALIGNMENT_SIZE; x++, face += 3) {
            const float dx = (float)x - t.cx, dy = (float)y - t.cy;
            const float sx = t.u + dx * t.a - dy * t.b, sy = t.v + dx * t.b + dy * t.a;
            const uint8_t *taps[4] = {black, black, black, black};
            float fx = 0, fy = 0;
            if (sx > -1.0f && sy > -1.0f && sx < (float)width && sy < (float)height) {
                const int32_t left = (int32_t)(sx + 1.0f) - 1, top = (int32_t)(sy + 1.0f) - 1; /* floors */
                fx = sx - (float)left;
                fy = sy - (float)top;
                for (int32_t tap = 0; tap < 4; tap++) {
                    const int32_t column = left + (tap & 1), row = top + (tap >> 1);
                    if (column >= 0 && row >= 0 && column < width && row < height)
                        taps[tap] = rgb + (intptr_t)row * stride + (intptr_t)column * 3;
                }
            }
            for (int c = 0; c < 3; c++) {
                const float upper = (float)taps[0][c] + fx * (float)(taps[1][c] - taps[0][c]);
                const float lower = (float)taps[2][c] + fx * (float)(taps[3][c] - taps[2][c]);
                face[c] = (uint8_t)(upper + fy * (lower - upper) + 0.5f);
            }
        }
    }
    return 0;
}
