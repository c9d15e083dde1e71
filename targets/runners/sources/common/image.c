#include "image.h"

#include <stdio.h>
#include <string.h>

enum { SIDE = 112, BYTES = SIDE * SIDE * 3 };

/* A number of a PPM's header; comments run from # to the end of the line. -1: there is none. */
static int header_number(FILE *file) {
    int character = fgetc(file), number = -1;
    while (character == ' ' || character == '\t' || character == '\r' || character == '\n' || character == '#') {
        if (character == '#') {
            while (character != '\n' && character != EOF) character = fgetc(file);
        }
        character = fgetc(file);
    }
    while (character >= '0' && character <= '9' && number < 100000) {
        number = (number < 0 ? 0 : number * 10) + character - '0';
        character = fgetc(file);
    }
    return number;
}

static const char *fill(FILE *file, uint8_t *face) {
    char magic[2];
    if (fread(magic, 1, 2, file) != 2) return "it is empty";
    if (memcmp(magic, "P6", 2) == 0) {
        const int width = header_number(file), height = header_number(file), largest = header_number(file);
        if (width != SIDE || height != SIDE || largest != 255) return "it is no PPM of 112 x 112 pixels";
    } else {
        rewind(file);
    }
    if (fread(face, 1, BYTES, file) != BYTES) return "it holds less than 112 x 112 x 3 bytes";
    return fgetc(file) == EOF ? NULL : "it holds more than 112 x 112 x 3 bytes";
}

const char *read_face(const char *path, uint8_t *face) {
    FILE *file = fopen(path, "rb");
    const char *problem;
    if (!file) return "it cannot be opened";
    problem = fill(file, face);
    fclose(file);
    return problem;
}
