// grade.c: grades what students handed in for one chapter.
//
//     grade-01 --harness build/…/grader/01 --out grades submissions      a class: a folder or .c file each
//     grade-01 --harness build/…/grader/01 --one exercise.c              one file, to the terminal
//
//   --seed N        for the hidden tests' inputs; the same seed gives the same grades. Any words will do
//                   (default: that of the run before in the same folder, or else drawn)
//   --seeds N       with --one: once for each of N seeds, from --seed on; only the least points are told
//   --jobs N        how many students at a time (default, and the most: as many as there are processors)
//   --compiler CC   gcc or clang                       --arch NAME    for its -march
//
// A student's code runs only in workers, jailed (jail.h). Where no jail can be had, nothing is graded. A
// class run is never stopped by a submission; what was graded before, with the same seed and the same file,
// is not graded again. OUT/.grader is locked by a class run, and tells which seed it had. An interrupt ends
// every process, removes what is half done, and keeps what is graded. Exit status: 0 done, 1 somebody needs a
// human, 2 nothing could be graded.
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/name_table.h"
#include "tests/exercises/exercise_suite.h"
#include "tests/grader/apart.h"
#include "tests/grader/ending.h"
#include "tests/grader/folders.h"
#include "tests/grader/harmless.h"
#include "tests/grader/table.h"
#include "tests/grader/toolchain.h"

enum { MOST_JOBS = APART_MOST_JOBS, SECONDS_FOR_ONE = 900 };

typedef struct {
    const char *harness, *compiler, *architecture, *out, *submissions;
    char work[PATH_MAX], empty[PATH_MAX], students[PATH_MAX]; // folders
    uint64_t seed, grader; // grader: changes when this program or its harness does
    bool seed_given;
    int jobs, seeds, lock; // lock: OUT/.grader, open
    Apart apart;
    const char *warning; // NULL: none
    Result expected[MOST_RESULTS];
    int count;
} Session;

// What a student's child leaves for the class: the Grade as it stands in memory, and what it was made for.
typedef struct {
    uint64_t grader;
    char handed_in[NAME_MAX + 1];
    Grade grade;
} Record;

// ---- One submission ------------------------------------------------------------------------------------

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
                strcmp(record->handed_in, entry->handed_in) == 0 &&
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
    record.grader = session->grader;
    memcpy(record.handed_in, entry->handed_in, sizeof record.handed_in);
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

static void put_column(const char *text, int width)
{
    put_line(stderr, text);
    fprintf(stderr, "%*s", int_max(0, width - utf8_columns(text)), "");
}

static void tell(const Grade *grade, int width)
{
    char points[16] = "–";
    if (!grade->needs_human) snprintf(points, sizeof points, "%d", grade->points);
    put_column(grade->student, width);
    fprintf(stderr, "%*s%s/%d  %s\n", int_max(0, 5 - utf8_columns(points)), "", points, grade->most,
            grade_state(grade));
}

// Waits until a job ends, and puts its student's record in its place.
static void await_job(const Session *session, Job *jobs, const Entry *entries, Grade **grades, int width)
{
    static Record record;
    for (;;) {
        heed_interrupt("The same command goes on with those who are not graded yet.");
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
            if (late || !WIFEXITED(status)) end_processes(jobs, session->jobs);
            bool good = ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
                        read_record(session, entry, &record);
            if (!good)
                note_trouble(session, entry,
                             late ? "the grader took too long" : "the grader ended early (a full disk?)",
                             &record);
            grades[jobs[j].entry] = kept_grade(&record);
            tell(&record.grade, width);
            return;
        }
        poll(NULL, 0, 5);
    }
}

static void grade_all(const Session *session, const Entry *entries, Grade **grades, int count)
{
    static Record record;
    int width = 0;
    for (int i = 0; i < count; i++) width = int_max(width, int_min(60, utf8_columns(entries[i].student)));
    Job jobs[MOST_JOBS] = {0};
    int next = 0, running = 0, kept = 0;
    while (next < count || running > 0) {
        int free_job = 0;
        while (free_job < session->jobs && jobs[free_job].process) free_job++;
        if (next == count || free_job == session->jobs) {
            await_job(session, jobs, entries, grades, width);
            running--;
            continue;
        }
        int i = next++;
        if (graded_before(session, &entries[i], &record)) {
            grades[i] = kept_grade(&record);
            kept++;
            continue;
        }
        pid_t process = fork_apart(&session->apart);
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
static bool reference_has_full_marks(const Session *given)
{
    static Grade grade;
    static Session session;
    session = *given;
    session.seeds = 0;
    Entry entry = {.student = "reference", .id = "reference"};
    char path[PATH_MAX];
    path_in(path, session.harness, "solution.c");
    entry.path = path;
    grade_file(&session, &entry, 0, &grade);
    int i = 0;
    while (i < grade.count - 1 && grade.results[i].status == PASSED) i++;
    const Result *r = &grade.results[i]; // the first that is not as it should be
    if (r->status != PASSED)
        fprintf(stderr, "%s %s: %s: %s\n", r->task, r->test, status_name(r->status), r->message);
    return !grade.needs_human && grade.points == grade.most;
}

// Both, in a process of its own. The jail must hold, and our own answers must do well.
static void probe(const Session *session)
{
    pid_t process = fork_apart(&session->apart);
    if (process == 0) {
        probe_jail(session);
        _exit(reference_has_full_marks(session) ? 0 : 1);
    }
    int status = await_apart(process);
    if (status == 1)
        stop("the reference answers do not get full marks on this machine: nothing is graded. A human must "
             "look");
    if (status != 0) { // it has said why
        clean_up();
        exit(2);
    }
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
        session->warning =
            "this kernel has no Landlock: a student's file may make the compiler read files of "
            "this machine. Keep the answers and other students' files off it";
    else if (geteuid() == 0 && !tools_user(&workshop))
        session->warning =
            "compilers run as root, because no other user can reach the course: give its folder "
            "and those above it the right x for others";
    if (session->warning) fprintf(stderr, "grade: warning: %s\n", session->warning);
}

static void open_session(Session *session, const char *out, bool class)
{
    char why[2 * PATH_MAX + 256], rest[PATH_MAX];
    session->count = examine_expected(session->expected, why, sizeof why);
    if (session->count < 0) stop("%s: %s", exercise_folder, why);
    bool made = mkdir(out, 0755) == 0;
    if (!made && errno != EEXIST) stop("%s: %s", out, strerror(errno));
    session->out = absolute(out);
    if (class && !roster_allows(session->submissions, session->out, why, sizeof why)) {
        if (made) rmdir(session->out);
        stop("%s", why);
    }
    session->lock = open_out(session->out, class, session->seed_given, &session->seed);
    if (!apart_begin(&session->apart, session->jobs, why, sizeof why)) stop("%s", why);
    if (session->apart.jobs < session->jobs) {
        fprintf(stderr, "JOBS=%d instead of %d: %s\n", session->apart.jobs, session->jobs,
                session->apart.promise);
        session->jobs = session->apart.jobs;
    }
    sweep_out(session->out, session->lock);
    make_work_folder(session->out, session->lock, session->work);
    make_folder(session->empty, session->work, "empty");
    path_in(rest, session->harness, "worker.o");
    session->grader = hash_file(rest, hash_file("/proc/self/exe", 0xcbf29ce484222325u));
    check_places(session);
    probe(session);
}

static void tell_passed_over(const Roster *roster)
{
    if (roster->passed_over_count) fprintf(stderr, "Passed over, nobody's submission:\n");
    for (int i = 0; i < roster->passed_over_count; i++) {
        fputs("  ", stderr);
        put_line(stderr, roster->passed_over[i].name);
        fprintf(stderr, ": %s\n", roster->passed_over[i].reason);
    }
}

static int grade_class(Session *session)
{
    char why[2 * PATH_MAX];
    Roster roster;
    int needy = 0;
    if (!roster_read(&roster, session->submissions, session->out, why, sizeof why)) stop("%s", why);
    Grade **grades = calloc((size_t)roster.count + 1, sizeof *grades);
    if (!grades) stop("no memory for %d students", roster.count);
    make_folder(session->students, session->out, "students");
    grade_all(session, roster.entries, grades, roster.count);
    const Class all = {
        grades,        roster.count,           &roster,         exercise_folder, session->compiler,
        session->seed, session->apart.promise, session->warning};
    bool written = write_tables(&all, session->out);
    for (int i = 0; i < roster.count; i++) {
        needy += grades[i]->needs_human;
        free(grades[i]);
    }
    free(grades);
    clean_up();
    if (!written) stop("%s: the tables could not be written: %s", session->out, strerror(errno));
    tell_passed_over(&roster);
    fprintf(stderr, "%d students; seed %llu; ", roster.count, (unsigned long long)session->seed);
    put_line(stderr, session->out);
    fputs("/grades.csv, audit.csv, summary.md\n", stderr);
    if (needy) fprintf(stderr, "%d need a human: see summary.md\n", needy);
    roster_free(&roster);
    return needy ? 1 : 0;
}

static void print_result(const Result *r, bool needs_human)
{
    char points[16] = "–";
    if (!needs_human) snprintf(points, sizeof points, "%2d", r->points);
    printf("%s %s/%-2d %s%s: %s%s", r->task, points, r->most, r->test, r->hidden ? " (hidden)" : "",
           status_name(r->status), r->message[0] ? ": " : "");
    put_text(stdout, r->message);
    if (r->output[0]) fputs("\n       printed: ", stdout);
    put_text(stdout, r->output);
    putchar('\n');
}

static int grade_one(Session *session)
{
    Grade *grade = mmap(NULL, sizeof *grade, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (grade == MAP_FAILED) stop("no memory for the grade");
    Entry entry = {.student = "submission", .id = "submission", .path = (char *)session->submissions};
    const char *name = strrchr(session->submissions, '/');
    snprintf(entry.handed_in, sizeof entry.handed_in, "%s", name ? name + 1 : session->submissions);
    pid_t process = fork_apart(&session->apart);
    if (process == 0) {
        grade_file(session, &entry, 0, grade);
        _exit(0);
    }
    if (await_apart(process) != 0) stop("the grader ended early (no memory?): a human must look");
    clean_up();
    for (int i = 0; i < grade->count; i++) print_result(&grade->results[i], grade->needs_human);
    if (grade->built.status != PASSED) put_text(stdout, grade->built.message), putchar('\n');
    if (grade->built.flags[0]) fputs("flags: ", stdout), put_text(stdout, grade->built.flags), putchar('\n');
    if (grade->needs_human)
        printf("needs a human\n");
    else if (session->seeds)
        printf("%d seeds: at least %d of %d points\n", session->seeds, grade->points, grade->most);
    else
        printf("%d of %d points, seed %llu\n", grade->points, grade->most, (unsigned long long)session->seed);
    return grade->needs_human ? 1 : 0;
}

// ---- What was typed -----------------------------------------------------------------------------------

static long number_of(const char *name, const char *text, long low, long high)
{
    errno = 0;
    long value = strtol(text, NULL, 10);
    if (errno || !*text || text[strspn(text, "0123456789")] || value < low || value > high)
        stop("%s '%s': expected a whole number from %ld to %ld", name, text, low, high);
    return value;
}

// A whole number is itself; any other words are made one, which is told.
static uint64_t seed_of(const char *text)
{
    char *end;
    errno = 0;
    bool decimal = text[strspn(text, "0123456789")] == '\0';
    unsigned long long number = strtoull(text, &end, decimal ? 10 : 16);
    if (*text && (decimal || strncmp(text, "0x", 2) == 0) && !*end && !errno && number <= INT64_MAX)
        return number;
    if (!*text) stop("--seed wants a number or words, as SEED=2026 or SEED='spring 2026'");
    uint64_t hash = name_hash(text, strlen(text));
    hash = (hash ^ hash >> 32) & 0xFFFFFFFFu;
    fputs("the seed \"", stderr);
    put_line(stderr, text);
    fprintf(stderr, "\" is the number %llu\n", (unsigned long long)hash);
    return hash;
}

// The processors that this process may use.
static int processors(void)
{
    cpu_set_t set;
    int count =
        sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    return int_max(1, int_min(MOST_JOBS, count));
}

// More at a time would wait for each other, and their clocks run on.
static int jobs_of(const char *text)
{
    int asked = (int)number_of("--jobs", text, 1, 1000000), most = processors();
    if (asked > most)
        fprintf(stderr, "JOBS=%d: %d at a time, as many as there are processors for this program\n", asked,
                most);
    return int_min(asked, most);
}

static const char usage[] =
    "grade-NN --harness FOLDER [--out grades] [--] SUBMISSIONS    a class: a folder or .c file each\n"
    "grade-NN --harness FOLDER --one [--] exercise.c              one file, to the terminal\n"
    "  --harness FOLDER  what the build has prepared for the chapter\n"
    "  --out FOLDER   for the tables and reports (default: grades)\n"
    "  --one          one submission, to the terminal\n"
    "  --seed N       for the hidden tests' inputs; the same seed gives the same grades. A number or any "
    "words\n"
    "                 (default: that of the run before in the same folder, or else drawn)\n"
    "  --seeds N      with --one: once for each of N seeds; only the least points are told\n"
    "  --jobs N       how many students at a time (default, and the most: as many as there are processors)\n"
    "  --compiler CC  gcc or clang\n"
    "  --arch NAME    for its -march (default: native)\n"
    "  --help         this";

typedef struct {
    const char *out, *submissions;
    bool one;
} Wishes;

// An option with a value; false when there is none of this name.
static bool take_option(Session *session, Wishes *wishes, const char *option, const char *value)
{
    if (strcmp(option, "--harness") == 0)
        session->harness = absolute(value);
    else if (strcmp(option, "--compiler") == 0)
        session->compiler = value;
    else if (strcmp(option, "--arch") == 0)
        session->architecture = value;
    else if (strcmp(option, "--out") == 0)
        wishes->out = value;
    else if (strcmp(option, "--seed") == 0)
        session->seed = seed_of(value), session->seed_given = true;
    else if (strcmp(option, "--seeds") == 0)
        session->seeds = (int)number_of(option, value, 1, 1000);
    else if (strcmp(option, "--jobs") == 0)
        session->jobs = jobs_of(value);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    static Session session = {.compiler = "gcc", .architecture = "native"};
    Wishes wishes = {.out = "grades"};
    uint32_t drawn;
    session.jobs = processors();
    if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn) stop("no random seed");
    session.seed = drawn;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            exit(puts(usage) < 0);
        else if (strcmp(argv[i], "--one") == 0)
            wishes.one = true;
        else if (strcmp(argv[i], "--") == 0 && i + 2 == argc && !wishes.submissions)
            wishes.submissions = argv[++i];
        else if (argv[i][0] != '-' && !wishes.submissions)
            wishes.submissions = argv[i];
        else if (!take_option(&session, &wishes, argv[i], i + 1 < argc ? argv[i + 1] : ""))
            stop("unknown option %s: --help tells which there are", argv[i]);
        else if (i++ + 1 >= argc)
            stop("%s wants a value: --help tells which", argv[i - 1]);
    }
    if (!session.harness || !wishes.submissions) stop("say --harness FOLDER and what to grade (--help)");
    session.submissions = absolute(wishes.submissions);
    mind_interrupts();
    open_session(&session, wishes.out, !wishes.one);
    return wishes.one ? grade_one(&session) : grade_class(&session);
}
