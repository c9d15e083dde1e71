/* Hands every layer of a network in C on to whoever asked for it: compile the network with -DMODEL_TRACE=record_layer. */
#include <stdint.h>

typedef void (*recorder_t)(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride);

static recorder_t recorder;

void record_with(recorder_t given)
{
    recorder = given;
}

void record_layer(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride)
{
    if (recorder)
        recorder(layer, name, data, pixels, channels, stride);
}
