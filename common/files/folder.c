// folder.c: paths and folders. See folder.h.
#include "files/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
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

bool folder_is_plain(const char *name)
{
    return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

void folder_own_file_at(Place place, char path[FOLDER_MOST_PATH], const char *folder, const char *name,
                        const char *damaged)
{
    char real[PATH_MAX], real_folder[PATH_MAX];
    folder_path_at(place, path, folder, name);
    check_at(place, realpath(folder, real_folder) && realpath(path, real),
             "fetch all files of the model, and let them lie in one folder", "%s: %s", path, strerror(errno));
    char *slash = strrchr(real, '/');
    const size_t length = slash == real ? 1 : (size_t)(slash - real); // of the real file's folder
    check_at(place, strncmp(real, real_folder, length) == 0 && !real_folder[length],
             "copy the files themselves into it: cp -rL follows links",
             "%s is a link to a file outside of the folder", path);
    struct stat about;
    check_at(place, stat(path, &about) == 0 && S_ISREG(about.st_mode), damaged, "%s is not an ordinary file",
             path);
}
