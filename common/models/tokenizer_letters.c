// tokenizer_letters.c: bytes as letters. In a tokenizer's files a piece is written as text, one character a byte: printable
// bytes of Latin-1 stand for themselves, the 68 others (controls, the blank, …) for the characters from U+0100 on, in
// order. A blank is Ġ, a newline Ċ.
#include "base/utf8.h"
#include "models/tokenizer_parts.h"

enum {
    LOW = 0x21,
    MIDDLE = 0x7f,
    HIGH = 0xa1,
    HYPHEN = 0xad
}; // what is not printable: [0, LOW), [MIDDLE, HIGH), HYPHEN
enum { FIRST_MIDDLE = 256 + LOW, LETTER_HYPHEN = FIRST_MIDDLE + HIGH - MIDDLE };

static bool printable(int byte) { return byte >= LOW && (byte < MIDDLE || (byte >= HIGH && byte != HYPHEN)); }

int letter_of(int byte)
{
    if (printable(byte)) return byte;
    return byte < LOW ? 256 + byte : byte < HIGH ? FIRST_MIDDLE + byte - MIDDLE : LETTER_HYPHEN;
}

static int byte_of(uint32_t letter)
{
    if (letter < 256) return printable((int)letter) ? (int)letter : -1;
    if (letter < FIRST_MIDDLE) return (int)letter - 256;
    if (letter < LETTER_HYPHEN) return (int)letter - FIRST_MIDDLE + MIDDLE;
    return letter == LETTER_HYPHEN ? HYPHEN : -1;
}

bool from_letters(Bytes letters, char *bytes, size_t *size)
{
    char *to = bytes;
    for (size_t i = 0; i < letters.size;) {
        uint32_t letter;
        i += (size_t)utf8_decode(letters.bytes + i, letters.size - i, &letter);
        int byte = byte_of(letter);
        if (byte < 0) return false;
        *to++ = (char)byte;
    }
    *size = (size_t)(to - bytes);
    return *size > 0;
}

size_t to_letters(Bytes bytes, char *letters)
{
    char *to = letters;
    for (size_t i = 0; i < bytes.size; i++) {
        char letter[4];
        int width = utf8_encode(letter, (uint32_t)letter_of((uint8_t)bytes.bytes[i]));
        for (int k = 0; k < width; k++) *to++ = letter[k];
    }
    return (size_t)(to - letters);
}
