// file_map.h: the bytes of a file without reading them: the system brings each page when it is first looked at.
//
//     FileMap *map = file_map_open("model.safetensors", "has it been fetched?");
//     … map->bytes[0] … map->bytes[map->size - 1] …
//     file_map_close(map);
//
// Opening costs the same for ten bytes and for ten gigabytes, programs that map the same file share its pages, and memory
// that is short is got back by forgetting pages. The map is read-only and private. A pipe, and a file that the system does
// not map, is read to its end instead.
//
// What others do with the file meanwhile shows: file_map_check stops the program where it was written to since it was
// opened. Where it has become shorter, looking at what is gone would end the program by a signal (SIGBUS); the first map
// sees to it that the signal ends it with a message and status 1 instead. A file that is replaced by another of the same
// name (base/replace.h) stays as it was for those who have it open.
#pragma once
#include "base/base.h"

#include <sys/types.h>
#include <time.h>

typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t size;
    bool mapped; // false: the bytes were read
    int descriptor;
    struct timespec modified; // when it was opened: the time of its last change
} FileMap;

// Stops the program with the file's name, the cause and the remedy when there is no such file, or it is a folder or a
// device. A pipe gives what its writers write, and is empty when there are none.
#define file_map_open(path, remedy) file_map_open_at(HERE, path, remedy)
FileMap *file_map_open_at(Place place, const char *path, const char *remedy);

// Stops the program unless the file is as it was when it was opened. After reading: what was read before is then of one
// version.
void file_map_check_at(Place place, const FileMap *map);

void file_map_close(FileMap *map); // NULL is allowed; its bytes are gone
