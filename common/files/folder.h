// folder.h: paths of files in folders, and making folders.
#pragma once
#include "base/base.h"

enum { FOLDER_MOST_PATH = 4096 };

// path = folder/name; a path that is too long stops the program.
void folder_path_at(Place place, char path[FOLDER_MOST_PATH], const char *folder, const char *name);

// Makes the folder, and those that it lies in, where they are not there.
void folder_make_at(Place place, const char *folder);
