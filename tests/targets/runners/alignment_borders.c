/* Photographs in memory of exactly their size, landmarks within, across and beyond their borders. */
#include <stdlib.h>
#include <string.h>

#include "alignment.h"

int main(void)
{
    static const float eyes[10] = {38, 52, 74, 52, 56, 72, 42, 92, 71, 92};
    for (int width = 1; width < 200; width += 33) {
        for (int height = 1; height < 200; height += 49) {
            uint8_t *photo = malloc((size_t)(width * height * 3)), *face = malloc(112 * 112 * 3);
            if (!photo || !face) return 2;
            memset(photo, 200, (size_t)(width * height * 3));
            for (int step = -6; step <= 6; step++) {
                float landmarks[10];
                for (int i = 0; i < 10; i++) landmarks[i] = eyes[i] * (1.0f + (float)(step + 6) / 3.0f) + (float)(step * 40);
                if (align_face(photo, width, height, width * 3, landmarks, face)) return 1;
                if (align_face(photo + (height - 1) * width * 3, width, height, -width * 3, landmarks, face)) return 1;
                for (int i = 0; i < 10; i++) landmarks[i] *= 1e5f;
                (void)align_face(photo, width, height, width * 3, landmarks, face);
            }
            free(photo);
            free(face);
        }
    }
    return 0;
}
