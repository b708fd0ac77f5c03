// text_file.h: what a text file is, decided once for everything that reads one.
//
//     FileBytes text = text_file_read(arena, "notes.txt", 1 << 20, "is the path right?");
//
// A text file is UTF-8. A byte order mark in front is dropped. Lines end with a newline; CR LF, and CR alone, as other
// systems write them, become newlines. A last line without an end is a line. Refused, with the file's name, the place and
// what to do: UTF-16 and UTF-32 (by their marks), bytes that are no UTF-8, and zero bytes.
//
// A file is an ordinary one: folders, devices, pipes and files beyond the limit are refused. Files whose size the system
// does not know beforehand (those of /proc) are read to their end.
#pragma once
#include "base/arena.h"

typedef struct {
    char *bytes; // a zero byte follows the last one
    size_t size;
} FileBytes;

// The bytes as they are. most: how many at most; missing: what to do when there is no such file (NULL: a general remedy).
#define file_read(arena, path, most, missing) file_read_at(HERE, arena, path, most, missing)
FileBytes file_read_at(Place place, Arena *arena, const char *path, size_t most, const char *missing);

// A text file, with newlines at the ends of its lines and nowhere a CR.
#define text_file_read(arena, path, most, missing) text_file_read_at(HERE, arena, path, most, missing)
FileBytes text_file_read_at(Place place, Arena *arena, const char *path, size_t most, const char *missing);

// For readers that look at the ends of lines themselves: drops the byte order mark, and refuses what is no text.
// The name of the path is for messages.
FileBytes text_file_checked_at(Place place, const char *path, FileBytes file);
