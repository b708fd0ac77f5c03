// replace.h: writing a file so that its name always stands for a whole one: the one before, or the new one.
//
//     Replacement file;
//     replace_begin(&file, "build/models/mine/model.safetensors");
//     fprintf(file.stream, "…");
//     replace_finish(&file);
//
// What is written goes to a temporary name beside the file, PATH.part-PROCESS. At the end it is flushed, brought to
// the disk (fsync), given the name, and the folder is brought to the disk as well: after a kill, a full disk or a power
// cut the name holds the old bytes or the new ones. When anything fails the temporary file is removed and the old one
// is as it was. Temporary files of the same name whose process is gone are removed by the next one that begins.
//
// A name that is a link stays one: the file that it points to is replaced. The permissions of the old file are kept.
// Folders, devices and pipes, and files that are write-protected, are refused. From the first use on, a write beyond
// `ulimit -f` is an error like a full disk, and no longer a signal that ends the program.
//
// Not for: files that grow (logs), and output that several processes share.
#pragma once
#include "base/base.h"

enum { REPLACE_MOST_PATH = 4096 };

typedef struct {
    FILE *stream;                          // write here; nobody has to look for errors before the end
    char path[REPLACE_MOST_PATH];          // the name, links followed
    char temporary[REPLACE_MOST_PATH];     // what is written to until the end
    char problem[REPLACE_MOST_PATH + 256]; // what went wrong, a sentence that begins with the file's name
    const char *remedy;                    // and what to do about it
} Replacement;

// Stop the program with the file's name, the cause and the remedy.
#define replace_begin(file, path) replace_begin_at(HERE, file, path)
#define replace_finish(file)      replace_finish_at(HERE, file)
void replace_begin_at(Place place, Replacement *file, const char *path);
void replace_finish_at(Place place, Replacement *file);

// The same for programs that go on without the file: false when it went wrong, and problem and remedy say why.
bool replace_try_begin(Replacement *file, const char *path);
bool replace_try_finish(Replacement *file);

// Another program may write to file.temporary, between begin and finish, instead of this one to file.stream.

// Gives up: the temporary file is gone, the old one as it was. After begin only.
void replace_cancel(Replacement *file);
