/* Five landmarks to the aligned face that the networks were trained on. C99; needs stdint.h only. */
#ifndef ALIGNMENT_H_
#define ALIGNMENT_H_

#include <stdint.h>

#define ALIGNMENT_SIZE 112

/* Rotate, scale and shift a photograph so that its landmarks come nearest to the ArcFace template; bilinear, black
 * beyond its borders.
 *
 * rgb: width x height pixels of three bytes, red first; row y begins at rgb + y * stride (stride < 0: bottom up).
 * landmarks: x and y in pixels, the middle of the first pixel being (0, 0), of the left eye, right eye, nose tip, left
 *   and right corner of the mouth; left is the image's left.
 * face: rows of RGB pixels.
 *
 * Returns 0, or 1 where the landmarks are not finite or lie so close together that they fix no transform. */
int align_face(const uint8_t *rgb, int32_t width, int32_t height, int32_t stride, const float landmarks[10],
               uint8_t face[ALIGNMENT_SIZE * ALIGNMENT_SIZE * 3]);

#endif
