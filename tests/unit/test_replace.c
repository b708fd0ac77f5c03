// The old file or the new one, whatever happens in between: base/replace.h.
#include "base/replace.h"
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// A scratch folder of its own for each test, with nothing in it.
static const char *fresh_folder(const char *name)
{
    const char *path = scratch_path(name);
    ck_assert_msg(mkdir(path, 0777) == 0, "%s: %s", path, strerror(errno));
    return path;
}

static const char *in(const char *folder, const char *name)
{
    static char paths[16][512];
    static int turn;
    char *path = paths[turn++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s: %s", path, strerror(errno));
}

static void expect_holds(const char *path, const char *text)
{
    char found[256] = "";
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file, "%s: %s", path, strerror(errno));
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    fclose(file);
    ck_assert_str_eq(found, text);
}

static int names_in(const char *folder)
{
    int count = 0;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry; (entry = readdir(list));) count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

static void write_new(void *path)
{
    Replacement file;
    replace_begin(&file, path);
    fputs("new", file.stream);
    replace_finish(&file);
}

START_TEST(a_file_is_the_old_one_until_the_end_and_then_the_new_one)
{
    const char *folder = fresh_folder("plain"), *path = in(folder, "file");
    put(path, "old");
    Replacement file;
    replace_begin(&file, path);
    fputs("new", file.stream);
    fflush(file.stream);
    expect_holds(path, "old");
    replace_finish(&file);
    expect_holds(path, "new");
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(what_is_given_up_leaves_the_old_file_and_nothing_else)
{
    const char *folder = fresh_folder("cancel"), *path = in(folder, "file");
    put(path, "old");
    Replacement file;
    replace_begin(&file, path);
    fputs("new", file.stream);
    replace_cancel(&file);
    expect_holds(path, "old");
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(a_new_file_may_be_read_as_the_mask_says_and_an_old_one_keeps_its_permissions)
{
    const char *folder = fresh_folder("mode"), *fresh = in(folder, "fresh"), *kept = in(folder, "kept");
    struct stat status;
    umask(022);
    write_new((void *)fresh);
    ck_assert_int_eq(stat(fresh, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0644);
    put(kept, "old");
    ck_assert_int_eq(chmod(kept, 0600), 0);
    write_new((void *)kept);
    ck_assert_int_eq(stat(kept, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_link_stays_a_link_and_its_file_is_replaced)
{
    const char *folder = fresh_folder("links"), *link = in(folder, "link");
    ck_assert_int_eq(mkdir(in(folder, "far"), 0777), 0);
    ck_assert_int_eq(symlink("far/file", link), 0); // leads to nothing yet
    struct stat status;
    for (int round = 0; round < 2; round++) {
        write_new((void *)link);
        ck_assert_int_eq(lstat(link, &status), 0);
        ck_assert(S_ISLNK(status.st_mode));
        expect_holds(in(folder, "far/file"), "new");
        put(in(folder, "far/file"), "old");
    }
    ck_assert_int_eq(symlink("circle", in(folder, "circle")), 0);
    expect_death(write_new, (void *)in(folder, "circle"), "links that lead to each other");
}
END_TEST

START_TEST(what_is_not_a_file_is_refused_by_name)
{
    const char *folder = fresh_folder("kinds");
    expect_death(write_new, (void *)folder, "kinds cannot be written: that is a folder");
    expect_death(write_new, (void *)in(folder, "none/"), "that is the name of a folder");
    expect_death(write_new, "", "a file needs a name");
    expect_death(write_new, "/dev/null", "/dev/null cannot be written: that is a device or a pipe");
    struct stat status;
    ck_assert_int_eq(stat("/dev/null", &status), 0);
    ck_assert(S_ISCHR(status.st_mode));
    ck_assert_int_eq(mkfifo(in(folder, "pipe"), 0666), 0);
    expect_death(write_new, (void *)in(folder, "pipe"), "that is a device or a pipe");
    expect_death(write_new, (void *)in(folder, "none/file"), "make the folder first");
    put(in(folder, "plain"), "old");
    expect_death(write_new, (void *)in(folder, "plain/file"), "a part of that path is a file");
}
END_TEST

START_TEST(names_as_long_as_the_system_allows_can_be_written)
{
    char name[257], path[512];
    memset(name, 'n', 256);
    name[256] = '\0';
    const char *folder = fresh_folder("long");
    snprintf(path, sizeof path, "%s/%.255s", folder, name);
    write_new(path);
    expect_holds(path, "new");
    ck_assert_int_eq(names_in(folder), 1);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    expect_death(write_new, path, "choose a shorter name");
    char *endless = malloc(10000);
    memset(endless, 'n', 9999);
    endless[9999] = '\0';
    expect_death(write_new, endless, "choose a shorter name");
    free(endless);
}
END_TEST

static void write_too_much(void *path)
{
    struct rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    Replacement file;
    replace_begin(&file, path);
    for (int i = 0; i < 100000; i++) fputs("much", file.stream); // fails long before the end
    replace_finish(&file);
}

START_TEST(a_write_that_fails_leaves_the_old_file_and_says_why)
{
    const char *folder = fresh_folder("limit"), *path = in(folder, "file");
    put(path, "old");
    expect_death(write_too_much, (void *)path, "ulimit -f");
    expect_holds(path, "old");
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

static void lose_the_folder(void *path)
{
    Replacement file;
    replace_begin(&file, path);
    fputs("new", file.stream);
    unlink(file.temporary);
    char folder[512];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - (char *)path), (char *)path);
    rmdir(folder);
    replace_finish(&file);
}

START_TEST(a_folder_that_vanishes_is_named)
{
    const char *folder = fresh_folder("vanishing");
    expect_death(lose_the_folder, (void *)in(folder, "file"),
                 "vanishing/file cannot be written: No such file");
}
END_TEST

static void as_somebody_else(void *path)
{
    if (geteuid() == 0 && setuid(65534) != 0) _exit(7);
    write_new(path);
}

START_TEST(a_folder_or_a_file_that_may_not_be_written_to_is_left_alone)
{
    const char *folder = fresh_folder("closed"), *path = in(folder, "file");
    put(path, "old");
    ck_assert_int_eq(chmod(path, 0444), 0);
    ck_assert_int_eq(chmod(folder, 0777), 0);
    char above[512];
    snprintf(above, sizeof above, "%.*s", (int)(strrchr(folder, '/') - folder), folder);
    ck_assert_int_eq(chmod(above, 0755), 0);
    expect_death(as_somebody_else, (void *)path, "it is write-protected");
    ck_assert_int_eq(chmod(path, 0666), 0);
    ck_assert_int_eq(chmod(folder, 0555), 0);
    expect_death(as_somebody_else, (void *)path, "Permission denied");
    ck_assert_int_eq(chmod(folder, 0755), 0);
    expect_holds(path, "old");
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

// In a process that ends while it writes.
static void write_and_be_killed(const char *path)
{
    pid_t process = fork();
    if (process == 0) {
        Replacement file;
        replace_begin(&file, path);
        fputs("half", file.stream);
        fflush(file.stream);
        raise(SIGKILL);
    }
    waitpid(process, NULL, 0);
}

START_TEST(what_killed_processes_left_is_removed_and_nothing_else_is)
{
    const char *folder = fresh_folder("killed"), *path = in(folder, "file");
    put(path, "old");
    for (int i = 0; i < 3; i++) write_and_be_killed(path);
    expect_holds(path, "old");
    ck_assert_int_eq(names_in(folder), 2); // each has removed what the one before had left
    put(in(folder, "file.part-"), "somebody's");
    put(in(folder, "file.part-12x"), "somebody's");
    put(in(folder, "file.part-one"), "somebody's");
    put(in(folder, "other.part-999999999"), "of another file");
    put(in(folder, "file.part-1"), "of a process that lives");
    write_new((void *)path);
    expect_holds(path, "new");
    ck_assert_int_eq(names_in(folder), 6);
    expect_holds(in(folder, "file.part-1"), "of a process that lives");
}
END_TEST

START_TEST(a_file_that_a_living_process_writes_is_not_removed)
{
    const char *folder = fresh_folder("living"), *path = in(folder, "file");
    Replacement mine;
    replace_begin(&mine, path);
    fputs("mine", mine.stream);
    pid_t process = fork();
    if (process == 0) {
        write_new((void *)path);
        _exit(0);
    }
    waitpid(process, NULL, 0);
    expect_holds(path, "new");
    replace_finish(&mine);
    expect_holds(path, "mine");
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(another_program_may_write_the_file)
{
    const char *folder = fresh_folder("program"), *path = in(folder, "file");
    put(path, "old");
    Replacement file;
    replace_begin(&file, path);
    put(in(folder, "made"), "made by a program");
    ck_assert_int_eq(rename(in(folder, "made"), file.temporary), 0); // as programs do that write beside
    expect_holds(path, "old");
    replace_finish(&file);
    expect_holds(path, "made by a program");
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

SUITE("replace", a_file_is_the_old_one_until_the_end_and_then_the_new_one,
      what_is_given_up_leaves_the_old_file_and_nothing_else,
      a_new_file_may_be_read_as_the_mask_says_and_an_old_one_keeps_its_permissions,
      a_link_stays_a_link_and_its_file_is_replaced, what_is_not_a_file_is_refused_by_name,
      names_as_long_as_the_system_allows_can_be_written, a_write_that_fails_leaves_the_old_file_and_says_why,
      a_folder_that_vanishes_is_named, a_folder_or_a_file_that_may_not_be_written_to_is_left_alone,
      what_killed_processes_left_is_removed_and_nothing_else_is,
      a_file_that_a_living_process_writes_is_not_removed, another_program_may_write_the_file)
