// safetensors_frame.h: inputs of which the length of the header, and if they leave them out, the numbers are put in, so
// that what changes in a header does not end at its length.
#pragma once
#include "fuzz.h"

// The part as a safetensors file. One that begins with '{' is a header, and behind a zero byte its numbers; without
// numbers there are as many as the highest offset asks for, at most 256 KiB, and each dash behind the header takes four of
// these bytes away again. Any other part is taken as it is. Free it.
FuzzPart safetensors_frame(FuzzPart part);
