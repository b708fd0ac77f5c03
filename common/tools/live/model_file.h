// model_file.h: a trained GPT with its tokenizer in one file, for the page in the browser: what gpt_open would have, without
// the libraries that it reads JSON and regular expressions with. model_write.c makes it, on the machine that compiles;
// model_read.c reads it as gpt_open, in the browser.
//
// Numbers of four bytes, as both machines have them: MODEL_MAGIC and sizeof(GptConfig), the configuration; the parameters' floats,
// one after the other in the order in which gpt_new makes them; how many pieces there are, and of each its size and its bytes; how
// many merges, and of each three numbers; how many runs of characters there are, and of each its first character and the
// CharacterKind of all up to the next.
#pragma once
#include "models/gpt.h"

enum { MODEL_MAGIC = 0x31545047 };

// What the words of a text are made of (TOKENIZER_GPT2_PATTERN): \p{L}, \p{N}, \s, and what is none of these.
typedef enum { OTHER_CHARACTER, LETTER, NUMBER, WHITE_SPACE } CharacterKind;

typedef struct {
    int first, kind;
} CharacterRun;

// words.c, which stands where tokenizer_split.c does elsewhere, is told the runs before the first text.
void words_know(const CharacterRun *runs, int count);
