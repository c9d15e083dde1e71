/* Aligned faces in files: 112 x 112 RGB pixels, as a binary PPM or as the bare bytes. */
#ifndef IMAGE_H_
#define IMAGE_H_

#include <stdint.h>

/* Fills 112 * 112 * 3 bytes. Returns NULL, or what is wrong with the file. */
const char *read_face(const char *path, uint8_t *face);

#endif
