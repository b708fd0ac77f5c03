// Training that is killed, and disks that fill: what lies under a name is the old file or the new one, and training that
// goes on from a checkpoint ends with the same bits. FULL=1 kills a hundred times, and at every system call.
#include "models/gpt_file.h"
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool full(void)
{
    const char *wish = getenv("FULL");
    return wish && *wish && strcmp(wish, "0") != 0;
}

// ---- Files and processes --------------------------------------------------------------------------------------------

enum { ROOM = 1 << 18 };

typedef struct {
    char bytes[ROOM];
    size_t size;
} Content;

static const char *in(const char *folder, const char *name)
{
    static char paths[8][512];
    static int turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static bool get(const char *path, Content *content)
{
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    content->size = fread(content->bytes, 1, ROOM, file);
    fclose(file);
    return true;
}

static void put(const char *path, const Content *content)
{
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file && fwrite(content->bytes, 1, content->size, file) == content->size &&
                      fclose(file) == 0,
                  "%s: %s", path, strerror(errno));
}

static bool equal(const Content *a, const Content *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

// How many names are in a folder.
static int names_in(const char *folder)
{
    int count = 0;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry; (entry = readdir(list));) count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

static void empty(const char *folder)
{
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.') unlink(in(folder, entry->d_name));
    closedir(list);
}

static int status_of(pid_t process)
{
    int raw = 0;
    while (waitpid(process, &raw, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

static pid_t start(void (*action)(const char *), const char *folder)
{
    fflush(NULL);
    pid_t process = fork();
    ck_assert_int_ge(process, 0);
    if (process == 0) {
        expect_leaks();
        action(folder);
        _exit(0);
    }
    return process;
}

// ---- Training -------------------------------------------------------------------------------------------------------

enum { STEPS = 60, EVERY = 3, CHECKPOINTS = STEPS / EVERY };

static const char *copies; // the folder for a copy of each checkpoint; NULL: none

static void keep_copy(const char *folder, long step)
{
    static Content content;
    char name[32];
    snprintf(name, sizeof name, "%ld", step);
    get(in(folder, "run"), &content);
    put(in(copies, name), &content);
}

// Trains from the checkpoint in the folder, or from the beginning, to the end.
static void train(const char *folder)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    Rng rng = rng_new(1, 2);
    Linear first = linear_new(&set, "first", 9, 40, &rng, INIT_HE);
    BatchNorm norm = batch_norm_new(&set, "norm", 40);
    Linear second = linear_new(&set, "second", 40, 3, &rng, INIT_HE);
    Optimiser adam = adamw_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.01f);
    long begin = 0;
    if (access(in(folder, "run"), F_OK) == 0) begin = checkpoint_load(in(folder, "run"), &adam, &rng, 1);
    Tape *tape = tape_new();
    Matrix x = matrix_new(arena, 16, 9);
    int labels[16];
    for (long step = begin; step < STEPS; step++) {
        tape_reset(tape);
        fill_normal(x, &rng, 0, 1);
        for (int i = 0; i < 16; i++) labels[i] = (int)rng_below(&rng, 3);
        Tensor *h = batch_normalise(&norm, linear(&first, tape_input(tape, x)), true);
        backward(cross_entropy(linear(&second, dropout(relu(h), 0.2f, &rng, true)), labels));
        optimiser_step(&adam, cosine_schedule(1e-2f, step, 5, STEPS));
        if ((step + 1) % EVERY) continue;
        checkpoint_save(in(folder, "run"), &adam, &rng, 1, step + 1);
        if (copies) keep_copy(folder, step + 1);
    }
    parameters_save(in(folder, "trained"), &set, NULL, 0);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void wait_for(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}

// The number of the checkpoint that these bytes are, 0 when they are none.
static int checkpoint_of(const Content *content)
{
    static Content copy_of_it;
    for (int step = EVERY; step <= STEPS; step += EVERY) {
        char name[32];
        snprintf(name, sizeof name, "%d", step);
        ck_assert(get(in(copies, name), &copy_of_it));
        if (equal(content, &copy_of_it)) return step;
    }
    return 0;
}

START_TEST(training_that_is_killed_goes_on_to_the_same_bits)
{
    static Content whole, now;
    static char folder[256], kept[256];
    snprintf(folder, sizeof folder, "%s", scratch_path("training"));
    snprintf(kept, sizeof kept, "%s", scratch_path("kept"));
    ck_assert(mkdir(folder, 0700) == 0 && mkdir(kept, 0700) == 0);
    copies = kept;
    double began = seconds_now();
    ck_assert_int_eq(status_of(start(train, folder)), 0);
    const double duration = seconds_now() - began;
    ck_assert(get(in(folder, "trained"), &whole));

    const int kills = full() ? 100 : 15;
    Rng rng = rng_new(31, 4);
    int killed = 0, before = 0, finished = 0, begun_again = 0;
    empty(folder);
    while (killed < kills || !finished) {
        const char *kept_copies = copies;
        copies = NULL;
        pid_t process = start(train, folder);
        copies = kept_copies;
        if (killed < kills) {
            wait_for((double)rng_uniform(&rng) * duration / 2.0);
            kill(process, SIGKILL);
        }
        int status = status_of(process);
        ck_assert_msg(status == 0 || status == 128 + SIGKILL, "training ended with status %d", status);
        killed += status != 0;
        if (get(in(folder, "run"), &now)) {
            int step = checkpoint_of(&now);
            ck_assert_msg(step >= before && step > 0, "after %d kills: %d behind %d", killed, step, before);
            begun_again += step < STEPS && step > 0;
            before = step;
        }
        ck_assert_int_le(names_in(folder), 3); // at most one temporary file beside the two
        if (status != 0) continue;
        ck_assert(get(in(folder, "trained"), &now));
        ck_assert_msg(equal(&whole, &now), "training that was killed ended with other numbers");
        ck_assert_int_eq(names_in(folder), 2);
        finished++;
        empty(folder);
        before = 0;
    }
    ck_assert_int_ge(begun_again, kills / 4);
}
END_TEST

// ---- A model and its tokenizer --------------------------------------------------------------------------------------

static const char text[] =
    "the old man and the sea, the sea and the old man; the sea, the old man and the sea";

typedef struct {
    Tokenizer *tokenizer;
    Gpt gpt;
    Parameters set;
    Content model, json; // the two files
} Pair;

static Pair old_pair, new_pair;
static Arena *pairs;

static void save_old(const char *folder)
{
    gpt_save(folder, &old_pair.gpt, &old_pair.set, old_pair.tokenizer);
}
static void save_new(const char *folder)
{
    gpt_save(folder, &new_pair.gpt, &new_pair.set, new_pair.tokenizer);
}

static void make_pair(Pair *pair, int vocabulary, void (*save)(const char *), const char *folder)
{
    pair->tokenizer = tokenizer_train(text, strlen(text), vocabulary, NULL);
    pair->set = parameters_new(pairs);
    Rng rng = rng_new((uint64_t)vocabulary, 0);
    GptConfig config = {
        .vocabulary = tokenizer_size(pair->tokenizer), .context = 4, .layers = 1, .heads = 1, .width = 4};
    pair->gpt = gpt_new(&pair->set, config, &rng);
    ck_assert_int_eq(status_of(start(save, folder)), 0);
    ck_assert(get(in(folder, "model.safetensors"), &pair->model) &&
              get(in(folder, "tokenizer.json"), &pair->json));
}

static void make_pairs(const char *folder)
{
    pairs = arena_new();
    make_pair(&old_pair, 258, save_old, folder);
    make_pair(&new_pair, 266, save_new, folder);
    ck_assert_int_ne(tokenizer_size(old_pair.tokenizer), tokenizer_size(new_pair.tokenizer));
}

static void end_pairs(void)
{
    tokenizer_free(old_pair.tokenizer);
    tokenizer_free(new_pair.tokenizer);
    arena_free(pairs);
}

static void lay_old_pair(const char *folder)
{
    empty(folder);
    put(in(folder, "model.safetensors"), &old_pair.model);
    put(in(folder, "tokenizer.json"), &old_pair.json);
}

enum { OLD = 10, NEW = 11, MIXED = 12 };

static void open_pair(const char *folder)
{
    GptFile file = gpt_open(arena_new(), folder);
    const int model = file.gpt.config.vocabulary, tokenizer = tokenizer_size(file.tokenizer);
    if (model != tokenizer) _exit(MIXED);
    _exit(model == tokenizer_size(old_pair.tokenizer) ? OLD : NEW);
}

// The model itself is the old file or the new one, and opening the folder finds a pair. OLD or NEW.
static int expect_pair(const char *folder, const char *when, long number)
{
    static Content now;
    ck_assert(get(in(folder, "model.safetensors"), &now));
    bool old = equal(&now, &old_pair.model), new = equal(&now, &new_pair.model);
    ck_assert_msg(old || new, "%s %ld: the model is neither the old one nor the new one", when, number);
    int found = status_of(start(open_pair, folder));
    ck_assert_msg(found == (old ? OLD : NEW), "%s %ld: the %s model was opened with status %d", when, number,
                  old ? "old" : "new", found);
    return found;
}

static void save_new_when_told(const char *folder)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(3);
    raise(SIGSTOP);
    save_new(folder);
}

// Saves the new pair and kills the process when it enters or leaves its system call of this number. False: it ended before.
static bool save_and_kill_at(const char *folder, long number)
{
    int raw;
    pid_t process = start(save_new_when_told, folder);
    ck_assert_int_eq(waitpid(process, &raw, 0), process);
    if (!WIFSTOPPED(raw)) return false; // tracing is not allowed here
    for (long i = 0; i < number; i++) {
        if (ptrace(PTRACE_SYSCALL, process, NULL, NULL) != 0) break;
        if (waitpid(process, &raw, 0) != process || WIFEXITED(raw)) return false;
    }
    kill(process, SIGKILL);
    waitpid(process, &raw, 0);
    return true;
}

START_TEST(a_save_that_is_killed_at_any_system_call_leaves_a_pair)
{
    static char folder[256];
    snprintf(folder, sizeof folder, "%s", scratch_path("pair"));
    make_pairs(folder);
    long number = 1;
    int found[2] = {0, 0};
    for (;; number += full() ? 1 : 5) {
        lay_old_pair(folder);
        if (!save_and_kill_at(folder, number)) break;
        found[expect_pair(folder, "killed at system call", number) == NEW]++;
        if (number % 25 != 1) continue;
        // Saving again finishes what was begun and removes what was left.
        ck_assert_int_eq(status_of(start(save_new, folder)), 0);
        ck_assert_int_eq(expect_pair(folder, "saved after system call", number), NEW);
        ck_assert_int_eq(names_in(folder), 2);
    }
    if (number > 1) ck_assert_msg(found[0] > 3 && found[1] > 0, "%d old, %d new", found[0], found[1]);
    end_pairs();
}
END_TEST

// ---- Full disks -----------------------------------------------------------------------------------------------------

static rlim_t most_bytes;

static void save_with_a_limit(void *folder)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){most_bytes, most_bytes});
    save_new(folder);
}

// The save must fail, say so, and leave the old pair and nothing else; or be complete.
static bool save_must_be_whole(void (*save)(void *), const char *folder, const char *reason, long number)
{
    int status;
    const char *message = stderr_of(save, (void *)(uintptr_t)folder, &status);
    ck_assert_msg(status == 0 ||
                      (status == 1 && strstr(message, reason) && strstr(message, "nothing was replaced")),
                  "at %ld: status %d, %s", number, status, message);
    ck_assert_int_eq(names_in(folder), 2);
    ck_assert_int_eq(expect_pair(folder, "at", number), status ? OLD : NEW);
    return status == 0;
}

START_TEST(a_file_that_may_not_grow_leaves_the_old_pair)
{
    static char folder[256];
    snprintf(folder, sizeof folder, "%s", scratch_path("limited"));
    make_pairs(folder);
    bool saved = false;
    int failed = 0;
    for (most_bytes = 0; !saved; most_bytes += full() ? 500 : 5000, failed++) {
        lay_old_pair(folder);
        saved = save_must_be_whole(save_with_a_limit, folder, "ulimit -f", (long)most_bytes);
    }
    ck_assert_int_ge(failed, 3);
    end_pairs();
}
END_TEST

static int free_pages;

static void leave_pages(const char *folder, long page)
{
    FILE *filler = fopen(in(folder, ".filler"), "wb");
    static char bytes[1 << 16];
    while (filler && fwrite(bytes, 1, (size_t)page, filler) == (size_t)page && fflush(filler) == 0) {
    }
    if (filler) fclose(filler);
    struct stat about;
    if (stat(in(folder, ".filler"), &about) != 0 ||
        truncate(in(folder, ".filler"), about.st_size / page * page - (off_t)free_pages * page) != 0)
        _exit(4);
}

static void save_new_here(void *folder) { save_new(folder); }

// In a process of its own, which may have file systems of its own.
static void fill_a_disk(const char *folder)
{
    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("disk", folder, "tmpfs", 0, "size=512k") != 0)
        _exit(77); // not allowed here
    bool saved = false;
    for (free_pages = 0; !saved; free_pages += full() ? 1 : 3) {
        unlink(in(folder, ".filler"));
        lay_old_pair(folder);
        leave_pages(folder, sysconf(_SC_PAGESIZE));
        saved = save_must_be_whole(save_new_here, folder, "No space left", free_pages);
    }
    _exit(free_pages > 3 ? 0 : 5);
}

START_TEST(a_full_disk_leaves_the_old_pair)
{
    static char folder[256];
    snprintf(folder, sizeof folder, "%s", scratch_path("disk"));
    make_pairs(folder);
    int status = status_of(start(fill_a_disk, folder));
    ck_assert_msg(status == 0 || status == 77, "status %d", status);
    end_pairs();
}
END_TEST

SUITE_TIMEOUT("interrupt", 120, training_that_is_killed_goes_on_to_the_same_bits,
              a_save_that_is_killed_at_any_system_call_leaves_a_pair,
              a_file_that_may_not_grow_leaves_the_old_pair, a_full_disk_leaves_the_old_pair)
