// tokenizer_frame.h: a tokenizer's file needs all 256 bytes, which are most of it. In the inputs they are one word.
#pragma once
#include "fuzz.h"

// The part with each %BYTES% replaced by the entries of the bytes, "!": 0, … "Ł": 255. Free it.
FuzzPart tokenizer_frame(FuzzPart part);
