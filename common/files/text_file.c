// text_file.c: what a text file is. See text_file.h.
#include "files/text_file.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- Bytes ------------------------------------------------------------------------------------------------

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)                    ? "a folder"
           : S_ISFIFO(mode)                 ? "a pipe"
           : S_ISSOCK(mode)                 ? "a socket"
           : S_ISCHR(mode) || S_ISBLK(mode) ? "a device"
                                            : "no ordinary file";
}

static const char *remedy_of(int reason, const char *missing)
{
    switch (reason) {
    case ENOENT:
    case ENOTDIR:
        return missing ? missing : "is the path right?";
    case EACCES:
    case EPERM:
        return "may you read it? `ls -l` on the file and `ls -ld` on its folders show who may";
    case ELOOP:
        return "links that lead to each other: remove them";
    case ENAMETOOLONG:
        return "is this a path at all?";
    default:
        return "is the disk in order?";
    }
}

static int open_file(Place place, const char *path, const char *missing, struct stat *about)
{
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 && (errno == ENOENT || errno == ENOTDIR))
        die_at(place, remedy_of(errno, missing), "%s is missing: %s", path, strerror(errno));
    check_at(place, file >= 0 && fstat(file, about) == 0, remedy_of(errno, missing),
             "%s cannot be opened: %s", path, strerror(errno));
    check_at(place, S_ISREG(about->st_mode),
             "give the name of a file; what comes from a pipe, write to one first", "%s is %s, not a file",
             path, kind_of(about->st_mode));
    return file;
}

// Reads until size bytes are there or the file ends; returns how many there are.
static size_t read_some(Place place, const char *path, int file, char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(file, bytes + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        check_at(place, got >= 0, "is the disk in order?", "%s cannot be read: %s", path, strerror(errno));
        if (got == 0) break;
        done += (size_t)got;
    }
    return done;
}

// A file whose size is not known before it has been read.
static FileBytes read_to_the_end(Place place, Arena *arena, const char *path, int file, size_t most)
{
    char *bytes = NULL;
    size_t size = 0, room = 0;
    do {
        room = room ? 2 * room : 1 << 16;
        bytes = realloc(bytes, room);
        check_at(place, bytes, "free some memory", "%s: no memory for %zu bytes", path, room);
        size += read_some(place, path, file, bytes + size, room - size);
    } while (size == room && size <= most);
    check_at(place, size <= most, "cut it into pieces", "%s has more than the %zu bytes that are read", path,
             most);
    char *kept = arena_alloc_at(place, arena, size + 1, 1);
    memcpy(kept, bytes, size);
    kept[size] = '\0';
    free(bytes);
    return (FileBytes){kept, size};
}

FileBytes file_read_at(Place place, Arena *arena, const char *path, size_t most, const char *missing)
{
    struct stat about;
    int file = open_file(place, path, missing, &about);
    check_at(place, about.st_size >= 0 && (uintmax_t)about.st_size <= most,
             "is it the right file? Else cut it into pieces", "%s has %lld bytes; at most %zu are read", path,
             (long long)about.st_size, most);
    size_t size = (size_t)about.st_size;
    if (size == 0) {
        FileBytes all = read_to_the_end(place, arena, path, file, most);
        close(file);
        return all;
    }
    char *bytes = arena_alloc_at(place, arena, size + 1, 1);
    size_t got = read_some(place, path, file, bytes, size);
    check_at(place, got == size, "is another program writing it? Try again",
             "%s became shorter while it was read: it ends after %zu of its %zu bytes", path, got, size);
    close(file);
    bytes[size] = '\0';
    return (FileBytes){bytes, size};
}

// ---- Text -------------------------------------------------------------------------------------------------

// Lines end with LF, CR LF or CR.
static int line_at(FileBytes file, size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at; i++)
        line += file.bytes[i] == '\n' || (file.bytes[i] == '\r' && file.bytes[i + 1] != '\n');
    return line;
}

static bool begins_with(FileBytes file, const char *mark, size_t size)
{
    return file.size >= size && memcmp(file.bytes, mark, size) == 0;
}

// Other encodings by the mark in front. UTF-32's little-endian one begins like UTF-16's.
static void refuse_other_marks(Place place, const char *path, FileBytes file)
{
    static const struct {
        const char mark[5];
        size_t size;
        const char *name, *remedy;
    } others[] = {
        {"\xff\xfe\0\0", 4, "UTF-32, little-endian", "convert it: `iconv -f UTF-32 -t UTF-8 FILE > NEW`"},
        {"\0\0\xfe\xff", 4, "UTF-32, big-endian", "convert it: `iconv -f UTF-32 -t UTF-8 FILE > NEW`"},
        {"\xff\xfe", 2, "UTF-16, little-endian", "convert it: `iconv -f UTF-16 -t UTF-8 FILE > NEW`"},
        {"\xfe\xff", 2, "UTF-16, big-endian", "convert it: `iconv -f UTF-16 -t UTF-8 FILE > NEW`"},
        {"\x84\x31\x95\x33", 4, "GB18030", "convert it: `iconv -f GB18030 -t UTF-8 FILE > NEW`"},
        {"\x1f\x8b", 2, "compressed", "unpack it: `gunzip -c FILE > NEW`"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (begins_with(file, others[i].mark, others[i].size))
            die_at(place, others[i].remedy, "%s is %s; a text here is UTF-8", path, others[i].name);
}

FileBytes text_file_checked_at(Place place, const char *path, FileBytes file)
{
    refuse_other_marks(place, path, file);
    size_t wrong = utf8_invalid(file.bytes, file.size);
    const char *zero = file.size ? memchr(file.bytes, 0, file.size) : NULL;
    size_t at = zero ? (size_t)(zero - file.bytes) : wrong;
    if (zero && at < wrong)
        die_at(place,
               "is this a text? One in UTF-16 becomes UTF-8 by `iconv -f UTF-16LE -t UTF-8 FILE > NEW`",
               "%s: line %d holds a NUL byte, byte %zu of the file", path, line_at(file, at), at);
    check_at(place, wrong == file.size,
             "convert it: `iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW`, or from GB18030, BIG5, SHIFT-JIS, …",
             "%s: line %d is no UTF-8 at the byte 0x%02x, byte %zu of the file", path, line_at(file, wrong),
             (unsigned char)file.bytes[wrong], wrong);
    return begins_with(file, "\xef\xbb\xbf", 3) ? (FileBytes){file.bytes + 3, file.size - 3} : file;
}

FileBytes text_file_read_at(Place place, Arena *arena, const char *path, size_t most, const char *missing)
{
    FileBytes text = text_file_checked_at(place, path, file_read_at(place, arena, path, most, missing));
    if (text.size == 0 || !memchr(text.bytes, '\r', text.size)) return text;
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] == '\r' && text.bytes[i + 1] == '\n') continue;
        text.bytes[size++] = text.bytes[i] == '\r' ? '\n' : text.bytes[i];
    }
    text.bytes[size] = '\0';
    return (FileBytes){text.bytes, size};
}
