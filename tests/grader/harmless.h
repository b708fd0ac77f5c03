// harmless.h: text of students and of their programs, made fit for a teacher's terminal and for every report.
#pragma once
#include "base/utf8.h"

// What is no UTF-8 (also a character that was cut) and control characters other than newline and tab become question
// marks, in place.
static inline void make_harmless(char *text)
{
    size_t left = strlen(text);
    char *to = text;
    for (size_t used; left > 0; text += used, left -= used) {
        uint32_t c;
        used = (size_t)utf8_decode(text, left, &c);
        int broken = c == UTF8_REPLACEMENT && used == 1;
        int control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
        if (broken || control) {
            *to++ = '?';
        } else {
            memmove(to, text, used);
            to += used;
        }
    }
    *to = 0;
}
