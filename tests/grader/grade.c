// grade.c: grades what students handed in for one chapter.
//
//     grade-01 --harness build/…/grader/01 --out grades submissions      a class: a folder or .c file each
//     grade-01 --harness build/…/grader/01 --one exercise.c              one file, to the terminal
//
//   --seed N        for the hidden tests' inputs; the same seed gives the same grades (default: drawn)
//   --seeds N       with --one: once for each of N seeds, from --seed on; only the least points are told
//   --jobs N        how many students at a time (default: as many as there are processors)
//   --compiler CC   gcc or clang                       --arch NAME    for its -march
//
// A student's code runs only in workers, jailed (jail.h). Where no jail can be had, nothing is graded. A class
// run is never stopped by a submission; what was graded before, with the same seed and the same file, is not
// graded again. Exit status: 0 done, 1 somebody needs a human, 2 nothing could be graded.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "tests/exercises/exercise_suite.h"
#include "tests/grader/apart.h"
#include "tests/grader/report.h"
#include "tests/grader/toolchain.h"

enum { MOST_STUDENTS = 4096, MOST_JOBS = 64, SECONDS_FOR_ONE = 900 };

typedef struct {
    const char *harness, *compiler, *architecture, *out, *submissions;
    char work[PATH_MAX], empty[PATH_MAX], students[PATH_MAX]; // folders
    uint64_t seed, grader; // grader: changes when this program or its harness does
    int jobs, seeds;
    const char *warning; // NULL: none
    Apart apart;
    Result expected[MOST_RESULTS];
    int count;
} Session;

typedef struct {
    char path[PATH_MAX], student[128], id[96];
} Entry;

// What a student's child leaves for the class: the Grade as it stands in memory, and what it was made for.
typedef struct {
    uint64_t grader;
    Grade grade;
} Record;

// The folders to be removed at the end, by the process that made them.
static char made_work[PATH_MAX], made_empty[PATH_MAX];
static pid_t made_by;

static void remove_folder(const char *folder);
static void clean_up(void)
{
    if (getpid() != made_by) return;
    if (made_empty[0]) rmdir(made_empty);
    if (made_work[0]) remove_folder(made_work);
}

noreturn static void stop(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn static void stop(const char *format, ...)
{
    va_list values;
    clean_up();
    fputs("grade: ", stderr);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    exit(2);
}

static void path_in(char *out, const char *folder, const char *name)
{
    if (snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        stop("the path %s/%s is too long", folder, name);
}

// ---- One submission ------------------------------------------------------------------------------------

// Removes a flat folder.
static void remove_folder(const char *folder)
{
    DIR *list = opendir(folder);
    if (!list) return;
    for (struct dirent *entry; (entry = readdir(list));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
    rmdir(folder);
}

// Tells in which line a fault was.
static void add_lines(const Workshop *workshop, Grade *grade)
{
    for (int i = 0; i < grade->count; i++) {
        Result *result = &grade->results[i];
        char line[64];
        if (result->status == FUNCTION_MISSING)
            add_misspelling(&grade->built, result->message, sizeof result->message);
        line_of(workshop, result->address, line, sizeof line);
        size_t used = strlen(result->message);
        if (line[0]) snprintf(result->message + used, sizeof result->message - used, " (%s)", line);
    }
}

static bool all_points(Grade *grade)
{
    grade_total(grade);
    return !grade->needs_human && grade->points == grade->most;
}

static void grade_file(const Session *session, const Entry *entry, int job, Grade *grade)
{
    char folder[PATH_MAX], worker[PATH_MAX];
    *grade = (Grade){.seed = session->seed, .count = session->count, .when = (int64_t)time(NULL)};
    snprintf(grade->student, sizeof grade->student, "%s", entry->student);
    snprintf(grade->id, sizeof grade->id, "%s", entry->id);
    snprintf(grade->chapter, sizeof grade->chapter, "%s", exercise_folder);
    memcpy(grade->results, session->expected, sizeof session->expected);
    path_in(folder, session->work, "XXXXXX");
    Workshop workshop = {session->harness,
                         session->compiler,
                         session->architecture,
                         exercise_folder,
                         folder,
                         session->apart.first_user + (unsigned)job};
    if (!mkdtemp(folder)) {
        grade->built.status = GRADER_ERROR;
        snprintf(grade->built.message, sizeof grade->built.message, "%.500s: %s", folder, strerror(errno));
    } else {
        build_worker(&workshop, entry->path, &grade->built);
    }
    if (grade->built.status != PASSED) {
        examine_none(grade->results, grade->count, grade->built.status, grade->built.message);
    } else {
        path_in(worker, folder, "worker");
        worker_jail = (Jail){worker, session->empty, workshop.user, 0.0};
        examine(grade->results, grade->count, session->seed, false, grade->built.seconds);
        for (int i = 1; i < session->seeds && all_points(grade); i++)
            examine(grade->results, grade->count, session->seed + (uint64_t)i, true, 0.0);
        add_lines(&workshop, grade);
    }
    remove_folder(folder);
    grade_total(grade);
}

// ---- The records that a class run keeps ----------------------------------------------------------------

// As much of a record as holds something.
static size_t record_size(int count)
{
    return offsetof(Record, grade.results) + (size_t)count * sizeof(Result);
}

static bool write_record(FILE *file, const void *record)
{
    return fwrite(record, record_size(((const Record *)record)->grade.count), 1, file) == 1;
}

// The record of an earlier run, when it is about the same file, seed and grader.
static bool read_record(const Session *session, const Entry *entry, Record *record)
{
    char folder[PATH_MAX], path[PATH_MAX];
    path_in(folder, session->students, entry->id);
    path_in(path, folder, "record");
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    bool read = fread(record, record_size(session->count), 1, file) == 1 &&
                record->grader == session->grader && record->grade.seed == session->seed &&
                strcmp(record->grade.student, entry->student) == 0;
    fclose(file);
    return read;
}

static bool graded_before(const Session *session, const Entry *entry, Record *record)
{
    char hash[20];
    const Workshop workshop = {.chapter = exercise_folder};
    if (!read_record(session, entry, record) || record->grade.needs_human) return false;
    return hash_submission(&workshop, entry->path, hash, sizeof hash) &&
           strcmp(hash, record->grade.built.hash) == 0;
}

static Grade *kept_grade(const Record *record)
{
    size_t size = record_size(record->grade.count) - offsetof(Record, grade);
    Grade *grade = malloc(size);
    if (!grade) stop("no memory for the grades");
    return memcpy(grade, &record->grade, size);
}

// In a process of its own: grade, and leave record and reports.
static void grade_student(const Session *session, const Entry *entry, int job)
{
    static Record record;
    char folder[PATH_MAX];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    apart_enter(&session->apart);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    record.grader = session->grader;
    grade_file(session, entry, job, &record.grade);
    path_in(folder, session->students, entry->id);
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) _exit(2);
    if (!write_reports(&record.grade, folder)) _exit(2);
    _exit(write_by_rename(folder, "record", write_record, &record) ? 0 : 2);
}

// Nobody knows what happened to the process that graded: a human must look.
static void note_trouble(const Session *session, const Entry *entry, const char *what, Record *record)
{
    char folder[PATH_MAX];
    *record = (Record){.grader = session->grader, .grade = {.seed = session->seed, .count = session->count}};
    Grade *grade = &record->grade;
    snprintf(grade->student, sizeof grade->student, "%s", entry->student);
    snprintf(grade->id, sizeof grade->id, "%s", entry->id);
    snprintf(grade->chapter, sizeof grade->chapter, "%s", exercise_folder);
    memcpy(grade->results, session->expected, sizeof session->expected);
    grade->built.status = GRADER_ERROR;
    snprintf(grade->built.message, sizeof grade->built.message, "%s", what);
    examine_none(grade->results, grade->count, GRADER_ERROR, what);
    grade_total(grade);
    path_in(folder, session->students, entry->id);
    mkdir(folder, 0755);
    write_reports(grade, folder); // when this fails too, the tables still say it
}

// ---- The class -----------------------------------------------------------------------------------------

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->student, ((const Entry *)b)->student);
}

// A folder name that is safe everywhere and belongs to this student only.
static void make_id(Entry *entry, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    bool changed = strlen(name) > 60 || name[0] == '.' || name[0] == '-';
    size_t used = 0;
    for (const char *at = name; *at; at++) {
        bool fine = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                    strchr("._-", *at);
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
        bool first = at == name && (*at == '.' || *at == '-');
        if (used < 60) entry->id[used++] = fine && !first ? *at : '_';
        changed = changed || !fine;
    }
    entry->id[used] = '\0';
    if (changed) snprintf(entry->id + used, sizeof entry->id - used, "~%08x", (unsigned)(hash >> 32 ^ hash));
}

static int list_students(const Session *session, Entry *entries)
{
    int count = 0;
    DIR *list = opendir(session->submissions);
    if (!list) stop("%s: %s", session->submissions, strerror(errno));
    for (struct dirent *found; (found = readdir(list));) {
        struct stat facts;
        const char *name = found->d_name;
        size_t length = strlen(name);
        if (name[0] == '.') continue;
        bool c_file = length > 2 && strcmp(name + length - 2, ".c") == 0;
        if (fstatat(dirfd(list), name, &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!c_file && S_ISREG(facts.st_mode)) continue; // a list of names, an archive: nobody's submission
        if (count == MOST_STUDENTS) stop("more than %d submissions", MOST_STUDENTS);
        Entry *entry = &entries[count++];
        path_in(entry->path, session->submissions, name);
        make_id(entry, name);
        snprintf(entry->student, sizeof entry->student, "%.*s", (int)(c_file ? length - 2 : length), name);
    }
    closedir(list);
    qsort(entries, (size_t)count, sizeof *entries, by_name);
    return count;
}

typedef struct {
    pid_t process;
    int entry;
    int64_t since;
} Job;

static void tell(const Grade *grade)
{
    char points[16] = "–";
    if (!grade->needs_human) snprintf(points, sizeof points, "%d", grade->points);
    fprintf(stderr, "%-40s %s/%d  %s\n", grade->id, points, grade->most, grade_state(grade));
}

// Waits until a job ends, and puts its student's record in its place.
static void await_job(const Session *session, Job *jobs, const Entry *entries, Grade **grades)
{
    static Record record;
    for (;;) {
        for (int j = 0; j < session->jobs; j++) {
            int status = 0;
            if (jobs[j].process == 0) continue;
            pid_t ended = waitpid(jobs[j].process, &status, WNOHANG);
            bool late = time(NULL) - jobs[j].since > SECONDS_FOR_ONE;
            if (ended == 0 && !late) continue;
            if (ended == 0) {
                kill(jobs[j].process, SIGKILL);
                waitpid(jobs[j].process, &status, 0);
            }
            const Entry *entry = &entries[jobs[j].entry];
            jobs[j].process = 0;
            bool good = ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
                        read_record(session, entry, &record);
            if (!good)
                note_trouble(session, entry,
                             late ? "the grader took too long" : "the grader ended early (a full disk?)",
                             &record);
            grades[jobs[j].entry] = kept_grade(&record);
            tell(&record.grade);
            return;
        }
        poll(NULL, 0, 5);
    }
}

static void grade_all(const Session *session, const Entry *entries, Grade **grades, int count)
{
    static Record record;
    Job jobs[MOST_JOBS] = {0};
    int next = 0, running = 0, kept = 0;
    while (next < count || running > 0) {
        int free_job = 0;
        while (free_job < session->jobs && jobs[free_job].process) free_job++;
        if (next == count || free_job == session->jobs) {
            await_job(session, jobs, entries, grades);
            running--;
            continue;
        }
        int i = next++;
        if (graded_before(session, &entries[i], &record)) {
            grades[i] = kept_grade(&record);
            kept++;
            continue;
        }
        fflush(NULL);
        pid_t process = fork();
        if (process == 0) grade_student(session, &entries[i], free_job);
        if (process < 0) {
            note_trouble(session, &entries[i], "no process for the grader", &record);
            grades[i] = kept_grade(&record);
            continue;
        }
        jobs[free_job] = (Job){process, i, time(NULL)};
        running++;
    }
    if (kept) fprintf(stderr, "%d graded before, unchanged\n", kept);
}

// ---- Tables --------------------------------------------------------------------------------------------

typedef struct {
    const Session *session;
    Grade *const *grades;
    int count;
} Class;

static int task_points(const Grade *grade, const char *task, int *most)
{
    int points = *most = 0;
    for (int i = 0; i < grade->count; i++) {
        if (strcmp(grade->results[i].task, task) != 0) continue;
        points += grade->results[i].points;
        *most += grade->results[i].most;
    }
    return points;
}

static void put_state(FILE *file, const Grade *grade)
{
    fputc(',', file);
    if (!grade->needs_human) fprintf(file, "\"%d\"", grade->points);
    fprintf(file, ",\"%d\",", grade->most);
    put_cell(file, grade_state(grade));
}

// One line a student: the total, and every task.
static bool write_grades(FILE *file, const void *context)
{
    const Class *all = context;
    fputs("\"student\",\"points\",\"max\",\"status\"", file);
    for (int t = 0; t < task_limit_count; t++) fprintf(file, ",\"TASK %s\"", task_limits[t].task);
    fputs("\n", file);
    for (int i = 0; i < all->count; i++) {
        const Grade *grade = all->grades[i];
        put_cell(file, grade->student);
        put_state(file, grade);
        for (int t = 0; t < task_limit_count; t++) {
            int most, points = task_points(grade, task_limits[t].task, &most);
            fputc(',', file);
            if (!grade->needs_human) fprintf(file, "\"%d\"", points);
        }
        fputs("\n", file);
    }
    return true;
}

// One line a test: everything that a teacher may ask about.
static bool write_audit(FILE *file, const void *context)
{
    const Class *all = context;
    fputs("\"student\",\"file\",\"fnv1a\",\"task\",\"test\",\"hidden\",\"points\",\"max\",\"status\","
          "\"leaked blocks\","
          "\"seconds\",\"message\",\"flags\",\"build seconds\",\"seed\",\"compiler\"\n",
          file);
    for (int i = 0; i < all->count; i++) {
        const Grade *grade = all->grades[i];
        for (int r = 0; r < grade->count; r++) {
            const Result *result = &grade->results[r];
            put_cell(file, grade->student);
            fputc(',', file);
            put_cell(file, grade->built.taken);
            fprintf(file, ",\"%s\",\"%s\",\"%s\",\"%s\",\"%d\",\"%d\",\"%s\",\"%u\",\"%.3f\",",
                    grade->built.hash, result->task, result->test, result->hidden ? "yes" : "no",
                    result->points, result->most, status_name(result->status), result->leaked,
                    result->seconds);
            put_cell(file, result->message);
            fputc(',', file);
            put_cell(file, grade->built.flags);
            fprintf(file, ",\"%.3f\",\"%llu\",", grade->built.seconds, (unsigned long long)grade->seed);
            put_cell(file, all->session->compiler);
            fputs("\n", file);
        }
    }
    return true;
}

static void list_where(FILE *file, const Class *all, const char *title, bool (*wanted)(const Grade *))
{
    bool any = false;
    for (int i = 0; i < all->count; i++) {
        if (!wanted(all->grades[i])) continue;
        if (!any) fprintf(file, "\n## %s\n\n", title);
        any = true;
        fprintf(file, "- %s: %s\n", all->grades[i]->id, grade_state(all->grades[i]));
    }
}

static bool in_need(const Grade *grade) { return grade->needs_human; }
static bool without_points(const Grade *grade) { return !grade->needs_human && grade->points == 0; }
static bool flagged(const Grade *grade) { return grade->built.flags[0] != '\0'; }

static bool write_summary(FILE *file, const void *context)
{
    const Class *all = context;
    int graded = 0;
    double sum = 0.0;
    for (int i = 0; i < all->count; i++) {
        if (all->grades[i]->needs_human) continue;
        graded++;
        sum += all->grades[i]->points;
    }
    int most = all->count ? all->grades[0]->most : 0;
    fprintf(file, "# Chapter %s: %d submissions, %d graded\n\nMean: %.1f of %d points. Seed: %llu.\n\n",
            exercise_folder, all->count, graded, graded ? sum / graded : 0.0, most,
            (unsigned long long)all->session->seed);
    if (all->session->warning) fprintf(file, "**Warning:** %s.\n\n", all->session->warning);
    fputs("| task | mean | of | solved by |\n|---|---|---|---|\n", file);
    double hardest = 2.0;
    const char *hardest_task = "";
    for (int t = 0; t < task_limit_count; t++) {
        int solved = 0, task_most = 0;
        double points = 0.0;
        for (int i = 0; i < all->count; i++) {
            if (all->grades[i]->needs_human) continue;
            int got = task_points(all->grades[i], task_limits[t].task, &task_most);
            points += got;
            solved += got == task_most;
        }
        double share = graded && task_most ? points / graded / task_most : 0.0;
        if (share < hardest) {
            hardest = share;
            hardest_task = task_limits[t].task;
        }
        fprintf(file, "| %s %s | %.1f | %d | %d |\n", task_limits[t].task, task_limits[t].function,
                graded ? points / graded : 0.0, task_most, solved);
    }
    if (graded) fprintf(file, "\nHardest: TASK %s.\n", hardest_task);
    list_where(file, all, "Needs a human", in_need);
    list_where(file, all, "No points", without_points);
    list_where(file, all, "Worth a look (flags in audit.csv)", flagged);
    return true;
}

// ---- The program ---------------------------------------------------------------------------------------

static uint64_t hash_file(const char *path, uint64_t hash)
{
    FILE *file = fopen(path, "rb");
    if (!file) stop("%s: %s", path, strerror(errno));
    for (int c; (c = getc(file)) != EOF;) hash = (hash ^ (uint64_t)c) * 0x100000001b3u;
    fclose(file);
    return hash;
}

// Whether the jail holds, tried on a program that pulls at one bar after the other.
static void probe_jail(const Session *session)
{
    char program[PATH_MAX], why[256] = "";
    path_in(program, session->harness, "probe");
    for (const char *attempt = "felm"; *attempt; attempt++) {
        Prisoner prisoner;
        char byte = 0;
        int status = 0;
        const Jail jail = {program, session->empty, session->apart.first_user, 5.0};
        if (!jail_start(&jail, &prisoner, why, sizeof why))
            stop("no jail for students' programs can be had here, so nothing is graded: %s", why);
        bool quiet =
            write(prisoner.request, attempt, 1) == 1 && read(prisoner.reply, &byte, 1) == 1 && byte == 'a';
        waitpid(prisoner.process, &status, 0);
        close(prisoner.request);
        close(prisoner.reply);
        close(prisoner.output);
        if (!quiet || !WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
            stop("the jail for students' programs does not hold here (attempt '%c'), so nothing is graded",
                 *attempt);
    }
}

// The reference answers must have full marks, or nobody's grade could be believed.
static void probe_reference(const Session *given)
{
    static Grade grade;
    static Session copy;
    copy = *given;
    copy.seeds = 0;
    const Session *session = &copy;
    Entry entry = {.student = "reference", .id = "reference"};
    path_in(entry.path, session->harness, "solution.c");
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        apart_enter(&session->apart);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        grade_file(session, &entry, 0, &grade);
        int i = 0;
        while (i < grade.count - 1 && grade.results[i].status == PASSED) i++;
        const Result *r = &grade.results[i]; // the first that is not as it should be
        if (r->status != PASSED)
            fprintf(stderr, "%s %s: %s: %s\n", r->task, r->test, status_name(r->status), r->message);
        _exit(!grade.needs_human && grade.points == grade.most ? 0 : 1);
    }
    int status = 1;
    if (process > 0) waitpid(process, &status, 0);
    if (status != 0)
        stop("the reference answers do not get full marks on this machine: nothing is graded. A human must "
             "look");
}

static char *absolute(const char *path)
{
    char *real = realpath(path, NULL);
    if (!real) stop("%s: %s", path, strerror(errno));
    return real;
}

static void make_folder(char *path, const char *in, const char *name)
{
    path_in(path, in, name);
    if (strstr(name, "XXXXXX") ? !mkdtemp(path) : mkdir(path, 0755) != 0 && errno != EEXIST)
        stop("%s: %s", path, strerror(errno));
}

// Nothing of the course or of other students may lie where a compiler may read; without Landlock that is
// everywhere.
static void check_places(Session *session)
{
    const char *const places[] = {session->harness, session->submissions, session->out};
    for (int i = 0; i < 3; i++) {
        const char *in = readable_place(session->compiler, places[i]);
        if (in)
            stop("%s lies in %s, which compilers may read, and so a student's file could: move it elsewhere",
                 places[i], in);
    }
    const Workshop workshop = {.harness = session->harness, .user = session->apart.first_user};
    if (!tools_are_fenced())
        session->warning = "this kernel has no Landlock: a student's file may make the compiler read files of "
                           "this machine. Keep the answers and other students' files off it";
    else if (geteuid() == 0 && !tools_user(&workshop))
        session->warning = "compilers run as root, because no other user can reach the course: give its folder "
                           "and those above it the right x for others";
    if (session->warning) fprintf(stderr, "grade: warning: %s\n", session->warning);
}

static void open_session(Session *session, const char *out)
{
    char why[256], rest[PATH_MAX];
    session->count = examine_expected(session->expected, why, sizeof why);
    if (session->count < 0) stop("%s: %s", exercise_folder, why);
    if (!apart_begin(&session->apart, session->jobs, why, sizeof why)) stop("%s", why);
    if (session->apart.jobs < session->jobs) {
        fprintf(stderr, "JOBS=%d instead of %d: %s\n", session->apart.jobs, session->jobs,
                session->apart.promise);
        session->jobs = session->apart.jobs;
    }
    if (mkdir(out, 0755) != 0 && errno != EEXIST) stop("%s: %s", out, strerror(errno));
    session->out = absolute(out);
    make_folder(session->work, session->out, ".work-XXXXXX");
    chmod(session->work, 0755);
    made_by = getpid();
    memcpy(made_work, session->work, sizeof made_work);
    make_folder(session->empty, session->work, "empty");
    memcpy(made_empty, session->empty, sizeof made_empty);
    path_in(rest, session->harness, "worker.o");
    session->grader = hash_file(rest, hash_file("/proc/self/exe", 0xcbf29ce484222325u));
    check_places(session);
    probe_jail(session);
    probe_reference(session);
}

static int grade_class(Session *session)
{
    static Entry entries[MOST_STUDENTS];
    int count = list_students(session, entries), needy = 0;
    Grade **grades = calloc((size_t)count + 1, sizeof *grades);
    if (!grades) stop("no memory for %d students", count);
    make_folder(session->students, session->out, "students");
    grade_all(session, entries, grades, count);
    const Class all = {session, grades, count};
    bool written = write_by_rename(session->out, "grades.csv", write_grades, &all) &&
                   write_by_rename(session->out, "audit.csv", write_audit, &all) &&
                   write_by_rename(session->out, "summary.md", write_summary, &all);
    for (int i = 0; i < count; i++) {
        needy += grades[i]->needs_human;
        free(grades[i]);
    }
    free(grades);
    clean_up();
    if (!written) stop("%s: the tables could not be written: %s", session->out, strerror(errno));
    fprintf(stderr, "%d students; seed %llu; %s/grades.csv, audit.csv, summary.md\n", count,
            (unsigned long long)session->seed, session->out);
    if (needy) fprintf(stderr, "%d need a human: see summary.md\n", needy);
    return needy ? 1 : 0;
}

// grade_file in a process of its own, which hands the grade over in shared memory.
static void grade_file_apart(const Session *session, const Entry *entry, Grade *grade)
{
    Grade *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) stop("no memory for a grade");
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        apart_enter(&session->apart);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        grade_file(session, entry, 0, shared);
        _exit(0);
    }
    int status = 1;
    if (process > 0) waitpid(process, &status, 0);
    if (status != 0) stop("the process that graded %s did not end as it should", entry->path);
    *grade = *shared;
}

static int grade_one(Session *session)
{
    static Grade grade;
    Entry entry = {.student = "submission", .id = "submission"};
    snprintf(entry.path, sizeof entry.path, "%s", session->submissions);
    grade_file_apart(session, &entry, &grade);
    clean_up();
    for (int i = 0; i < grade.count; i++) {
        const Result *r = &grade.results[i];
        printf("%s %2d/%-2d %s%s: %s%s%s\n", r->task, r->points, r->most, r->test,
               r->hidden ? " (hidden)" : "", status_name(r->status), r->message[0] ? ": " : "", r->message);
        if (r->output[0]) printf("       printed: %s\n", r->output);
    }
    if (grade.built.status != PASSED) printf("%s\n", grade.built.message);
    if (grade.built.flags[0]) printf("flags: %s\n", grade.built.flags);
    if (grade.needs_human)
        printf("needs a human\n");
    else if (session->seeds)
        printf("%d seeds: at least %d of %d points\n", session->seeds, grade.points, grade.most);
    else
        printf("%d of %d points, seed %llu\n", grade.points, grade.most, (unsigned long long)session->seed);
    return grade.needs_human ? 1 : 0;
}

static long number_of(const char *name, const char *text, long low, long high)
{
    errno = 0;
    long value = strtol(text, NULL, 10);
    if (errno || !*text || text[strspn(text, "0123456789")] || value < low || value > high)
        stop("%s '%s': expected a whole number from %ld to %ld", name, text, low, high);
    return value;
}

static const char usage[] =
    "grade-NN --harness FOLDER [--out grades] [--] SUBMISSIONS    a class: a folder or .c file each\n"
    "grade-NN --harness FOLDER --one [--] exercise.c              one file, to the terminal\n"
    "  --seed N       for the hidden tests' inputs; the same seed gives the same grades (default: drawn)\n"
    "  --seeds N      with --one: once for each of N seeds; only the least points are told\n"
    "  --jobs N       how many students at a time (default: as many as there are processors)\n"
    "  --compiler CC  gcc or clang                  --arch NAME  for its -march";

int main(int argc, char **argv)
{
    static Session session = {.compiler = "gcc", .architecture = "native"};
    const char *out = "grades";
    bool one = false;
    session.jobs = int_max(1, int_min(MOST_JOBS, (int)sysconf(_SC_NPROCESSORS_ONLN)));
    if (getrandom(&session.seed, 4, 0) != 4) stop("no random seed");
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--help") == 0)
            exit(puts(usage) < 0);
        else if (strcmp(argv[i], "--one") == 0)
            one = true;
        else if (strcmp(argv[i], "--") == 0 && i + 2 == argc && !session.submissions)
            session.submissions = absolute(value), i++;
        else if (argv[i][0] != '-' && !session.submissions)
            session.submissions = absolute(argv[i]);
        else if (strcmp(argv[i], "--harness") == 0)
            session.harness = absolute(value), i++;
        else if (strcmp(argv[i], "--compiler") == 0)
            session.compiler = value, i++;
        else if (strcmp(argv[i], "--arch") == 0)
            session.architecture = value, i++;
        else if (strcmp(argv[i], "--out") == 0)
            out = value, i++;
        else if (strcmp(argv[i], "--seed") == 0)
            session.seed = (uint64_t)number_of(argv[i], value, 0, LONG_MAX), i++;
        else if (strcmp(argv[i], "--seeds") == 0)
            session.seeds = (int)number_of(argv[i], value, 1, 1000), i++;
        else if (strcmp(argv[i], "--jobs") == 0)
            session.jobs = (int)number_of(argv[i], value, 1, MOST_JOBS), i++;
        else
            stop("unknown option %s", argv[i]);
    }
    if (!session.harness || !session.submissions) stop("say --harness FOLDER and what to grade");
    open_session(&session, out);
    return one ? grade_one(&session) : grade_class(&session);
}
