// folder.h: paths of files in folders, and making folders.
#pragma once
#include "base/base.h"

enum { FOLDER_MOST_PATH = 4096 };

// path = folder/name; a path that is too long stops the program.
void folder_path_at(Place place, char path[FOLDER_MOST_PATH], const char *folder, const char *name);

// Makes the folder, and those that it lies in, where they are not there.
void folder_make_at(Place place, const char *folder);

// Whether the name is one of a file in a folder: no slash in it, and neither "." nor "..".
bool folder_is_plain(const char *name);

// path = folder/name, of an ordinary file that lies in the folder itself: a link may only lead to another one there. For names
// that come out of untrusted files. damaged: what to do about what is no ordinary file.
void folder_own_file_at(Place place, char path[FOLDER_MOST_PATH], const char *folder, const char *name,
                        const char *damaged);
