// harmless.h: text of students and of their programs, made fit for a teacher's terminal and for every report.
// One function decides for all of them.
#pragma once
#include <stdbool.h>

#include "base/utf8.h"

// What a terminal, a browser or a spreadsheet obeys instead of showing it, or shows to nobody: control
// characters other than newline and tab, those that turn or end a line, those without any width, and the code
// points that are none.
static inline int is_harmful(uint32_t c)
{
    static const uint32_t harmful[][2] = {
        {0x00, 0x08},     {0x0B, 0x1F},     {0x7F, 0x9F},       {0xAD, 0xAD},       {0x34F, 0x34F},
        {0x61C, 0x61C},   {0x115F, 0x1160}, {0x17B4, 0x17B5},   {0x180E, 0x180E},   {0x200B, 0x200F},
        {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF}};
    return (c & 0xFFFE) == 0xFFFE || utf8_is_in(harmful, sizeof harmful / sizeof *harmful, c);
}

// Letters that change their shape beside a joiner (U+200C, U+200D), as in Arabic and Indian names, and emoji.
static inline int joins(uint32_t c)
{
    static const uint32_t joining[][2] = {{0x620, 0x7FA},     {0x8A0, 0xDFF},    {0x1000, 0x109F},
                                          {0x1780, 0x18AA},   {0x1CD0, 0x1CFF},  {0x2600, 0x27BF},
                                          {0xA840, 0xA8FF},   {0xFE0F, 0xFE0F},  {0xFB50, 0xFDCF},
                                          {0x11000, 0x11FFF}, {0x1F000, 0x1FAFF}};
    return !is_harmful(c) && utf8_is_in(joining, sizeof joining / sizeof *joining, c);
}

// The character at *text, or UTF8_REPLACEMENT for what is harmful or no UTF-8; 0 at the end. *text moves
// behind it, and *before, 0 at the beginning, remembers it: a joiner stays where it joins two letters.
static inline uint32_t harmless_next(const char **text, uint32_t *before)
{
    uint32_t c = utf8_next(text), left = *before;
    *before = c;
    if (c == 0 || !is_harmful(c)) return c;
    const char *next = *text;
    bool joiner = c == 0x200C || c == 0x200D;
    return joiner && joins(left) && joins(utf8_next(&next)) ? c : UTF8_REPLACEMENT;
}

// In place, where U+FFFD may not fit: question marks instead.
static inline void make_harmless(char *text)
{
    const char *from = text, *at = text;
    uint32_t before = 0;
    for (uint32_t c; (c = harmless_next(&at, &before)) != 0; from = at) {
        size_t used = (size_t)(at - from);
        bool kept = c != UTF8_REPLACEMENT || (before == c && used == 3); // one that was there before
        if (kept)
            memmove(text, from, used);
        else
            *text = '?';
        text += kept ? used : 1;
    }
    *text = '\0';
}
