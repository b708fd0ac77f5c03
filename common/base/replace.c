// replace.c: the old file or the new one. See replace.h.
#include "base/replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char MARK[] = ".part-";
enum { MARK_ROOM = 32, MOST_LINKS = 40 }; // for the mark and a process's number; links that lead to links

// ---- What went wrong --------------------------------------------------------------------------------------

static const char *remedy_of(int reason)
{
    switch (reason) {
    case ENOSPC:
        return "make room on that disk (`df -h` shows it) and run this again; nothing was replaced";
    case EDQUOT:
        return "your quota is used up: delete something, then run this again; nothing was replaced";
    case EFBIG:
        return "`ulimit -f` limits the size of a file: raise it; nothing was replaced";
    case EROFS:
        return "that disk can only be read: choose another folder";
    case EACCES:
    case EPERM:
        return "may you write there? `ls -ld` on the folder and `ls -l` on the file show who may";
    case ENOENT:
        return "make the folder first (`mkdir -p`); if it was there before, who has removed it?";
    case ENOTDIR:
        return "a part of that path is a file: choose another name";
    case EISDIR:
        return "give the name of a file";
    case ELOOP:
        return "links that lead to each other: remove them, or choose another name";
    case ENAMETOOLONG:
        return "choose a shorter name";
    case EMFILE:
    case ENFILE:
        return "too many files are open: `ulimit -n` raises the limit";
    default:
        return "nothing was replaced; mend the cause and run this again";
    }
}

static bool fail(Replacement *file, const char *path, const char *what, int reason)
{
    char room[96] = "";
    struct statvfs disk;
    if ((reason == ENOSPC || reason == EDQUOT) && statvfs(file->temporary, &disk) == 0)
        snprintf(room, sizeof room, " (%llu bytes are free there)",
                 (unsigned long long)disk.f_bavail * disk.f_frsize);
    snprintf(file->problem, sizeof file->problem, "%s cannot be written: %s%s", path,
             what ? what : strerror(reason), room);
    file->remedy = remedy_of(reason);
    return false;
}

// ---- Names ------------------------------------------------------------------------------------------------

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// "folder/" of folder/name, "./" where there is none.
static void folder_of(const char *path, char folder[REPLACE_MOST_PATH])
{
    int length = (int)(name_in(path) - path);
    snprintf(folder, REPLACE_MOST_PATH, "%.*s", length ? length : 2, length ? path : "./");
}

// Follows links to the name of the file, which need not be there. 0, or why not.
static int follow_links(char path[REPLACE_MOST_PATH])
{
    for (int links = 0;; links++) {
        char target[REPLACE_MOST_PATH], joined[2 * REPLACE_MOST_PATH];
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0) return errno == EINVAL || errno == ENOENT ? 0 : errno;
        if (links == MOST_LINKS) return ELOOP;
        target[length] = '\0';
        int folder = target[0] == '/' ? 0 : (int)(name_in(path) - path);
        int joint = snprintf(joined, sizeof joined, "%.*s%s", folder, path, target);
        if (joint >= REPLACE_MOST_PATH - MARK_ROOM) return ENAMETOOLONG;
        memcpy(path, joined, (size_t)joint + 1);
    }
}

// Whether the temporary file of another process has been left behind: its process is gone, and so is its lock.
static bool is_left_behind(const char *path, long process)
{
    if (process != (long)getpid() && (kill((pid_t)process, 0) == 0 || errno != ESRCH)) return false;
    int handle = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (handle < 0) return false;
    bool gone = flock(handle, LOCK_EX | LOCK_NB) == 0;
    close(handle);
    return gone;
}

// Removes what killed processes have left under temporary names of this file.
static void sweep(const char *stem)
{
    char folder[REPLACE_MOST_PATH];
    folder_of(stem, folder);
    const char *name = name_in(stem);
    const size_t length = strlen(name);
    DIR *list = opendir(folder);
    if (!list) return;
    for (struct dirent *entry; (entry = readdir(list));) {
        if (strncmp(entry->d_name, name, length) != 0) continue;
        const char *digits = entry->d_name + length;
        char *end, path[REPLACE_MOST_PATH + 256];
        if (*digits < '1' || *digits > '9') continue;
        long process = strtol(digits, &end, 10);
        if (*end || process > INT_MAX) continue;
        snprintf(path, sizeof path, "%s%s", folder, entry->d_name);
        if (is_left_behind(path, process)) unlink(path);
    }
    closedir(list);
}

// ---- Beginning --------------------------------------------------------------------------------------------

// The name is free, or an ordinary file that may be replaced, whose permissions are then the new one's.
static bool look_at_old(Replacement *file, const char *path, mode_t *mode)
{
    struct stat old;
    *mode = 0;
    if (stat(file->path, &old) != 0) {
        const char *name = name_in(file->path);
        if (errno != ENOENT) return fail(file, path, NULL, errno);
        return *name ||
               fail(file, path, *path ? "that is the name of a folder" : "a file needs a name", EISDIR);
    }
    if (S_ISDIR(old.st_mode)) return fail(file, path, "that is a folder", EISDIR);
    if (!S_ISREG(old.st_mode)) return fail(file, path, "that is a device or a pipe, not a file", EISDIR);
    if (faccessat(AT_FDCWD, file->path, W_OK, AT_EACCESS) != 0)
        return fail(file, path, errno == EACCES ? "it is write-protected" : NULL, errno);
    *mode = old.st_mode & 0777;
    return true;
}

static bool open_temporary(Replacement *file, const char *path, mode_t mode)
{
    // A name may have 255 bytes; where ours would have more, the temporary one is cut.
    const char *name = name_in(file->path);
    int kept = int_min((int)strlen(name), NAME_MAX - MARK_ROOM);
    char stem[REPLACE_MOST_PATH];
    snprintf(stem, sizeof stem, "%.*s%s", (int)(name - file->path) + kept, file->path, MARK);
    sweep(stem);
    int length = snprintf(file->temporary, sizeof file->temporary, "%s%ld", stem, (long)getpid());
    if (length >= REPLACE_MOST_PATH) return fail(file, path, NULL, ENAMETOOLONG);
    int handle = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (handle < 0) return fail(file, path, NULL, errno);
    flock(handle,
          LOCK_EX | LOCK_NB); // says that somebody is at it; where there are no locks the process says so
    if ((!mode || fchmod(handle, mode) == 0) && (file->stream = fdopen(handle, "wb"))) return true;
    int reason = errno;
    close(handle);
    unlink(file->temporary);
    return fail(file, path, NULL, reason);
}

bool replace_try_begin(Replacement *file, const char *path)
{
    struct sigaction action;
    if (sigaction(SIGXFSZ, NULL, &action) == 0 && action.sa_handler == SIG_DFL) signal(SIGXFSZ, SIG_IGN);
    file->stream = NULL;
    file->temporary[0] = file->problem[0] = '\0';
    file->remedy = NULL;
    if (strlen(path) >= REPLACE_MOST_PATH - MARK_ROOM) return fail(file, path, NULL, ENAMETOOLONG);
    snprintf(file->path, sizeof file->path, "%s", path);
    int reason = follow_links(file->path);
    if (reason) return fail(file, path, NULL, reason);
    mode_t mode;
    return look_at_old(file, path, &mode) && open_temporary(file, path, mode);
}

void replace_begin_at(Place place, Replacement *file, const char *path)
{
    if (!replace_try_begin(file, path)) die_at(place, file->remedy, "%s", file->problem);
}

// ---- Finishing --------------------------------------------------------------------------------------------

// Some file systems have nothing to bring to a disk, and say so by EINVAL or ENOTSUP. 0, or what went wrong.
static int bring_to_disk(int handle)
{
    return fsync(handle) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS ? 0 : errno;
}

// 0 when all that was written has reached the system.
static int flush(FILE *stream)
{
    errno = 0;
    if (fflush(stream) != 0 && errno) return errno;
    if (!ferror(stream)) return 0;
    // An earlier write has failed, and its reason is forgotten: one byte more brings it up again.
    return write(fileno(stream), "", 1) == 1 ? EIO : errno;
}

// The bytes of a name: what the stream has written, or the file that another program has put in its place.
static int bring_name_to_disk(const char *name)
{
    int handle = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (handle < 0) return errno;
    int reason = bring_to_disk(handle);
    close(handle);
    return reason;
}

static int bring_folder_to_disk(const char *path)
{
    char folder[REPLACE_MOST_PATH];
    folder_of(path, folder);
    int handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) return errno == EACCES ? 0 : errno; // a folder may be written to and not read
    int reason = bring_to_disk(handle);
    close(handle);
    return reason;
}

bool replace_try_finish(Replacement *file)
{
    int reason = flush(file->stream);
    if (!reason) reason = bring_name_to_disk(file->temporary);
    // The name is given before the stream is closed: its lock keeps others from taking the file for a left one.
    if (!reason && rename(file->temporary, file->path) != 0) reason = errno;
    bool renamed = !reason;
    if (fclose(file->stream) != 0 && !reason) reason = errno;
    file->stream = NULL;
    if (!reason) reason = bring_folder_to_disk(file->path);
    if (!reason) return true;
    fail(file, file->path, NULL, reason);
    if (renamed)
        file->remedy = "the new file has its name, but a power cut might still lose it: look after the disk";
    else
        unlink(file->temporary);
    return false;
}

void replace_finish_at(Place place, Replacement *file)
{
    if (!replace_try_finish(file)) die_at(place, file->remedy, "%s", file->problem);
}

void replace_cancel(Replacement *file)
{
    if (file->stream) fclose(file->stream);
    file->stream = NULL;
    unlink(file->temporary);
}
