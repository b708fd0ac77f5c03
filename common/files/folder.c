// folder.c: paths and folders. See folder.h.
#include "files/folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void folder_path_at(Place place, char path[FOLDER_MOST_PATH], const char *folder, const char *name)
{
    int length = snprintf(path, FOLDER_MOST_PATH, "%s/%s", folder, name);
    check_at(place, length > 0 && length < FOLDER_MOST_PATH, "choose a shorter one",
             "the path of a folder is too long: %s", folder);
}

void folder_make_at(Place place, const char *folder)
{
    char path[FOLDER_MOST_PATH];
    folder_path_at(place, path, folder, "");
    for (char *at = path + 1; *at; at++) {
        if (*at != '/') continue;
        *at = 0;
        check_at(place, mkdir(path, 0777) == 0 || errno == EEXIST, "may you write there?",
                 "%s: the folder cannot be made: %s", path, strerror(errno));
        *at = '/';
    }
}
