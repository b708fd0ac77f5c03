// Our answers to the exercises of chapter 18, the tokenizer.
#include "exercise.h"

// TASK 18.1
int utf8_bytes(Matrix bytes, int character)
{
    for (int k = 0; k < 4; k++) bytes.data[k] = 0.0f;
    if (character < 0 || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF)) return 0;
    int count = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (int k = count - 1; k > 0; k--) { // six bits each, the lowest last
        bytes.data[k] = (float)(0x80 + character % 64);
        character /= 64;
    }
    const int marks[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    bytes.data[0] = (float)(marks[count] + character);
    return count;
}

// TASK 18.2
int pair_to_merge(Matrix pair, Matrix ids)
{
    enum { TOKENS = 256 + MOST_MERGES };
    static int counts[TOKENS][TOKENS];
    for (int a = 0; a < TOKENS; a++)
        for (int b = 0; b < TOKENS; b++) counts[a][b] = 0;
    for (int i = 0; i + 1 < ids.cols; i++)
        if (ids.data[i] >= 0.0f && ids.data[i + 1] >= 0.0f) counts[(int)ids.data[i]][(int)ids.data[i + 1]]++;
    int most = 0;
    pair.data[0] = pair.data[1] = -1.0f;
    for (int a = 0; a < TOKENS; a++)
        for (int b = 0; b < TOKENS; b++)
            if (counts[a][b] > most) {
                most = counts[a][b];
                pair.data[0] = (float)a;
                pair.data[1] = (float)b;
            }
    return most;
}

// TASK 18.3
int merge_pair(Matrix ids, int count, int left, int right, int made)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        bool here = i + 1 < count && (int)ids.data[i] == left && (int)ids.data[i + 1] == right;
        ids.data[kept++] = here ? (float)made : ids.data[i];
        if (here) i++;
    }
    return kept;
}

// TASK 18.4
int encode_word(Matrix ids, int count, Matrix merges)
{
    for (int m = 0; m < merges.rows; m++)
        count = merge_pair(ids, count, (int)AT(merges, m, 0), (int)AT(merges, m, 1), 256 + m);
    return count;
}

// TASK 18.5
// Where a token ends that begins at a place of the text; −1: its bytes do not stand there.
static int end_of(Matrix bytes, int at, int id, Matrix merges)
{
    if (at < 0 || at >= bytes.cols) return -1;
    if (id < 256) return (int)bytes.data[at] == id ? at + 1 : -1;
    int middle = end_of(bytes, at, (int)AT(merges, id - 256, 0), merges);
    return end_of(bytes, middle, (int)AT(merges, id - 256, 1), merges);
}

int encode_longest(Matrix ids, Matrix bytes, Matrix merges)
{
    int count = 0;
    for (int at = 0; at < bytes.cols;) {
        int best = (int)bytes.data[at], furthest = at + 1;
        for (int m = 0; m < merges.rows; m++) {
            int end = end_of(bytes, at, 256 + m, merges);
            if (end > furthest) {
                furthest = end;
                best = 256 + m;
            }
        }
        ids.data[count++] = (float)best;
        at = furthest;
    }
    return count;
}
