// The model that runner.cc runs. Another one of the run, compiled for an NPU for instance: change both names here, and
// the .cc in CMakeLists.txt.
#include "@MODEL@.h"

#define MODEL(name) @IDENTIFIER@##name
