// roster.c: see roster.h.
#include "roster.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "harmless.h"
#if __has_include(<unicase.h>) && __has_include(<uninorm.h>)
#define HAVE_UNISTRING 1
#include <unicase.h>
#include <uninorm.h>
#endif

enum { MOST_STUDENTS = 4096, MARK = 16, LONGEST_MARKED = NAME_MAX - MARK };

// ---- Names that are the same -----------------------------------------------------------------------------

// The text with every accent as one character with its letter (NFC), and without capitals if that is asked
// for; to be freed. Without libunistring only ASCII is known, and what may be composed gets a mark in any
// case (name_id).
static char *composed(const char *text, bool without_capitals)
{
#ifdef HAVE_UNISTRING
    size_t length = 0, size = strlen(text) + 1;
    const uint8_t *bytes = (const uint8_t *)text;
    uint8_t *made = without_capitals ? u8_casefold(bytes, size, NULL, UNINORM_NFC, NULL, &length)
                                     : u8_normalize(UNINORM_NFC, bytes, size, NULL, &length);
    if (made) return (char *)made;
#endif
    char *copy = strdup(text);
    for (char *at = copy; at && *at && without_capitals; at++) *at = (char)tolower((unsigned char)*at);
    return copy;
}

static bool is_plain(const char *text)
{
#ifndef HAVE_UNISTRING
    for (uint32_t c; (c = utf8_next(&text)) != 0;)
        if (c >= 0x80 && utf8_width(c) == 0) return false;
#endif
    (void)text;
    return true;
}

// A mark for a name as it was handed in: "~1a2b3c4d". round: another one, should two be equal.
static void mark_of(const Entry *entry, int round, char mark[MARK])
{
    uint64_t hash = 0xcbf29ce484222325u + (unsigned)round;
    for (const char *at = entry->handed_in; *at; at++) hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    snprintf(mark, MARK, "~%08x", (unsigned)(hash >> 32 ^ hash));
}

// What the tables call a student: the name without .c; where that is not enough, with it, or with / for a
// folder; and at last with a mark.
static void name_student(Entry *entry)
{
    size_t length = strlen(entry->handed_in);
    char name[NAME_MAX + 1], mark[MARK] = "";
    memcpy(name, entry->handed_in, length + 1);
    if (!entry->folder && entry->student_marks == 0) name[length - 2] = '\0';
    if (entry->student_marks > 1) mark_of(entry, entry->student_marks - 2, mark);
    make_harmless(name);
    snprintf(entry->student, sizeof entry->student, "%s%s%s", name,
             entry->folder && entry->student_marks > 0 ? "/" : "", mark);
}

// The name of the student's folder: letters of all scripts stay; what would be harmful, or begin with a dot
// or a dash, does not.
static void name_id(Entry *entry)
{
    char name[NAME_MAX + 1], safe[3 * NAME_MAX + 1], mark[MARK] = "";
    snprintf(name, sizeof name, "%s", entry->handed_in);
    if (!entry->folder) name[strlen(name) - 2] = '\0';
    bool changed = entry->id_marks > 0 || !is_plain(name);
    char *whole = composed(name, false);
    size_t used = 0;
    uint32_t before = 0;
    const char *from = whole ? whole : name, *at = from;
    for (uint32_t c; (c = harmless_next(&at, &before)) != 0; from = at) {
        size_t length = (size_t)(at - from);
        bool fine = c != '\n' && c != '\t' && c != '/' && c != UTF8_REPLACEMENT &&
                    !(used == 0 && (c == '.' || c == '-'));
        if (fine)
            memcpy(safe + used, from, length);
        else
            safe[used] = '_';
        used += fine ? length : 1;
        changed = changed || !fine;
    }
    free(whole);
    changed = changed || used > NAME_MAX;
    if (changed) mark_of(entry, entry->id_marks > 1 ? entry->id_marks - 1 : 0, mark);
    while (changed && used > LONGEST_MARKED) // between two characters
        for (used--; used > 0 && ((unsigned char)safe[used] & 0xC0) == 0x80;) used--;
    safe[used] = '\0';
    snprintf(entry->id, sizeof entry->id, "%.*s%s", NAME_MAX - MARK * changed, safe, mark);
}

typedef struct {
    char *name;
    Entry *entry;
} Key;

static int by_key(const void *a, const void *b)
{
    return strcmp(((const Key *)a)->name, ((const Key *)b)->name);
}

// Adds to the names that are the same, until none are. ids: of the folders; otherwise of the students.
static bool tell_apart(Roster *roster, bool ids)
{
    Key *keys = calloc((size_t)roster->count + 1, sizeof *keys);
    bool same = keys != NULL, whole = keys != NULL;
    for (int round = 0; same && whole && round < 20; round++) {
        same = false;
        for (int i = 0; i < roster->count; i++) {
            Entry *entry = &roster->entries[i];
            keys[i] = (Key){composed(ids ? entry->id : entry->student, ids), entry};
            whole = whole && keys[i].name;
        }
        if (whole) qsort(keys, (size_t)roster->count, sizeof *keys, by_key);
        for (int i = 0; whole && i < roster->count; i++) {
            bool as_before = i > 0 && strcmp(keys[i - 1].name, keys[i].name) == 0;
            bool as_next = i + 1 < roster->count && strcmp(keys[i + 1].name, keys[i].name) == 0;
            if (!as_before && !as_next) continue;
            same = true;
            if (ids)
                keys[i].entry->id_marks++, name_id(keys[i].entry);
            else
                keys[i].entry->student_marks++, name_student(keys[i].entry);
        }
        for (int i = 0; i < roster->count; i++) free(keys[i].name);
    }
    free(keys);
    return whole && !same;
}

// ---- What is no submission ----------------------------------------------------------------------------

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcasecmp(name + length - tail, ending) == 0;
}

// Why a file is nobody's submission.
static const char *reason_for_file(const char *name)
{
    static const char *const archives[] = {".zip", ".tar", ".gz",  ".tgz", ".xz",
                                           ".bz2", ".7z",  ".rar", ".zst"};
    static const char *const backups[] = {"~", ".bak", ".orig", ".old", ".swp", ".tmp", "#"};
    static const char *const others[] = {".cpp", ".cc", ".cxx", ".c++"};
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++)
        if (ends_with(name, archives[i])) return "an archive: unpack it, to a folder of the student's name";
    for (size_t i = 0; i < sizeof backups / sizeof *backups; i++)
        if (ends_with(name, backups[i])) return "an editor's copy: its name does not end in .c";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (ends_with(name, others[i])) return "C++: a submission is C, and its name ends in .c";
    if (ends_with(name, ".c")) return "its name ends in .C, which is C++: rename it to .c";
    return "neither a folder nor a file whose name ends in .c";
}

// Whether the folder holds the tables of an earlier run.
static bool holds_grades(int list, const char *name)
{
    char path[NAME_MAX + 32];
    struct stat facts;
    snprintf(path, sizeof path, "%s/.grader", name);
    return fstatat(list, path, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(facts.st_mode);
}

// NULL for a submission. A symbolic link is one, and is refused as such, with a row of its own
// (submission.c).
static const char *reason_for(int list, const char *name, const struct stat *facts, const struct stat *out)
{
    size_t length = strlen(name);
    if (S_ISDIR(facts->st_mode)) {
        if (facts->st_dev == out->st_dev && facts->st_ino == out->st_ino)
            return "the folder of the grades (OUT)";
        if (strcmp(name, "__MACOSX") == 0) return "left by macOS in archives";
        if (name[0] == '.') return "hidden";
        return holds_grades(list, name) ? "the grades of another run" : NULL;
    }
    if (name[0] == '.') return "hidden";
    if (S_ISREG(facts->st_mode) && (length < 3 || strcmp(name + length - 2, ".c") != 0))
        return reason_for_file(name);
    return NULL;
}

bool roster_allows(const char *submissions, const char *out, char *why, size_t why_size)
{
    struct stat from, to;
    size_t length = strlen(submissions), out_length = strlen(out);
    if (stat(submissions, &from) != 0 || stat(out, &to) != 0) {
        snprintf(why, why_size, "%s or %s: %s", submissions, out, strerror(errno));
        return false;
    }
    const char *below = strncmp(out, submissions, length) == 0 && out[length] == '/' ? out + length + 1 : "";
    const char *inner = strncmp(submissions, out, out_length) == 0 ? submissions + out_length : "";
    if (from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        snprintf(why, why_size,
                 "submissions and grades are in the same folder, %s: choose another OUT, as OUT=grades", out);
    else if (strchr(below, '/'))
        snprintf(why, why_size,
                 "OUT, %s, lies inside of the submission %.*s: choose another OUT, as OUT=grades", out,
                 (int)strcspn(below, "/"), below);
    else if (strncmp(inner, "/students", 9) == 0 && (inner[9] == '/' || inner[9] == '\0'))
        snprintf(why, why_size, "%s holds reports of the grader and no submissions: choose another DIR",
                 submissions);
    else
        return true;
    return false;
}

// ---- The list -----------------------------------------------------------------------------------------

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->handed_in, ((const Entry *)b)->handed_in);
}
static int by_student(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->student, ((const Entry *)b)->student);
}
static int by_passed_name(const void *a, const void *b)
{
    return strcmp(((const PassedOver *)a)->name, ((const PassedOver *)b)->name);
}

// One more of size bytes behind count; NULL without memory.
static void *grow(void *list, int count, size_t size)
{
    if (count & (count - 1)) return list; // room is doubled at each power of two
    return realloc(list, (count ? 2 * (size_t)count : 1) * size);
}

static const char *enter(Roster *roster, const char *submissions, const char *name, bool folder,
                         const char *reason)
{
    if (reason) {
        PassedOver *list = grow(roster->passed_over, roster->passed_over_count, sizeof *list);
        if (!list) return "no memory for the list of students";
        roster->passed_over = list;
        PassedOver *one = &list[roster->passed_over_count++];
        *one = (PassedOver){.reason = reason};
        snprintf(one->name, sizeof one->name, "%s", name);
        return NULL;
    }
    if (roster->count == MOST_STUDENTS) return "more than 4096 submissions: grade them in several folders";
    Entry *list = grow(roster->entries, roster->count, sizeof *list);
    if (!list) return "no memory for the list of students";
    roster->entries = list;
    Entry *entry = &list[roster->count];
    *entry = (Entry){.folder = folder};
    if (asprintf(&entry->path, "%s/%s", submissions, name) < 0) return "no memory for the list of students";
    snprintf(entry->handed_in, sizeof entry->handed_in, "%s", name);
    roster->count++;
    return strlen(entry->path) < PATH_MAX ? NULL : "the path of a submission is too long";
}

bool roster_read(Roster *roster, const char *submissions, const char *out, char *why, size_t why_size)
{
    struct stat out_facts, facts;
    const char *problem = NULL;
    *roster = (Roster){0};
    DIR *list = opendir(submissions);
    if (!list || stat(out, &out_facts) != 0) {
        snprintf(why, why_size, "%s: %s", submissions, strerror(errno));
        if (list) closedir(list);
        return false;
    }
    for (struct dirent *found; !problem && (found = readdir(list));) {
        const char *name = found->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (fstatat(dirfd(list), name, &facts, AT_SYMLINK_NOFOLLOW) != 0) continue; // gone in between
        size_t length = strlen(name);
        bool c_file = !S_ISDIR(facts.st_mode) && length > 2 && strcmp(name + length - 2, ".c") == 0;
        problem =
            enter(roster, submissions, name, !c_file, reason_for(dirfd(list), name, &facts, &out_facts));
    }
    closedir(list);
    if (roster->count) qsort(roster->entries, (size_t)roster->count, sizeof *roster->entries, by_name);
    if (roster->passed_over_count)
        qsort(roster->passed_over, (size_t)roster->passed_over_count, sizeof *roster->passed_over,
              by_passed_name);
    for (int i = 0; i < roster->count; i++) name_student(&roster->entries[i]), name_id(&roster->entries[i]);
    if (!problem && !(tell_apart(roster, false) && tell_apart(roster, true)))
        problem = "no memory to tell the names of the students apart";
    if (roster->count) qsort(roster->entries, (size_t)roster->count, sizeof *roster->entries, by_student);
    if (problem) snprintf(why, why_size, "%s: %s", submissions, problem);
    return !problem;
}

void roster_free(Roster *roster)
{
    for (int i = 0; i < roster->count; i++) free(roster->entries[i].path);
    free(roster->entries);
    free(roster->passed_over);
    *roster = (Roster){0};
}
