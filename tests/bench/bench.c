#include "bench.h"
#include "base/check.h"
#include "base/cores.h"
#include "base/parallel.h"
#include "distance.h"
#include "matrix/gemm.h"
#include "openblas.h"
#include "progress.h"
#include "timing.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_PEERS = 8, MOST_RESULTS = 512, MOST_BLOCKS = 99, MOST_THREADS_TRIED = 3, LINE = 512 };
enum { FEWEST_BLOCKS = 3, KEPT_BLOCKS = 3 };

static const double START_SECONDS = 90.0, ANSWER_SECONDS = 600.0;

// What bounds a row, on each number of threads: behind the block in which so much is spent, there is no other. Behind the first,
// which warms up, at least FEWEST_BLOCKS are measured of ours, and one of a peer's: who takes twenty times as long is known well
// enough by that.
static const double OWN_SECONDS = 3.0, PEER_SECONDS = 6.0;

// A peer's program, running with a number of threads.
typedef struct {
    pid_t pid; // 0: not running
    int threads;
    int to, from;       // the pipes
    char title[LINE];   // name and versions, as it said
    char pending[LINE]; // what it wrote after the last whole line
} Process;

typedef struct {
    char name[64], metric[32];
    int threads, blocks;
    bool outside_bar, lower_is_better;
    const char *kept;         // of BenchRow
    double value, best;       // of this course: the median and the best quarter of the blocks
    double peer[MOST_PEERS];  // their values, NAN: none
    double ratio[MOST_PEERS]; // how many times as fast we are
    double operations;        // a second, the best quarter; 0: not counted
    double limit;             // what our product does in the same blocks
    double distance; // between the processors of two threads, ns; the longer of before and behind the blocks
} Result;

static const BenchPeer *peers;
static int peer_count;
static Process processes[MOST_PEERS][MOST_THREADS_TRIED];
static Result results[MOST_RESULTS];
static int result_count;
static const char *program;
static bool with_peers, kept_only;
static FILE *lines; // for the JSON lines; NULL: standard output is a terminal
static char processor[128] = "unknown processor";

// ---- The machine ------------------------------------------------------------------------------------------

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif
#ifndef BENCH_ARCH
#define BENCH_ARCH "unknown"
#endif
#ifdef __AVX512F__
enum { VECTOR_BITS = 512 };
#elif defined __AVX__
enum { VECTOR_BITS = 256 };
#else
enum { VECTOR_BITS = 128 };
#endif

static void find_processor(void)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[LINE];
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "model name", 10) != 0 || !strchr(line, ':')) continue;
        snprintf(processor, sizeof processor, "%s", strchr(line, ':') + 2);
        processor[strcspn(processor, "\n\"\\")] = '\0';
        break;
    }
    if (file) fclose(file);
}

static void pause_seconds(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    nanosleep(&time, NULL);
}

static int environment_number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text && *text ? atoi(text) : otherwise;
}

// ---- Peers ------------------------------------------------------------------------------------------------

// One line of the peer's answer, without its end, within so many seconds; false if there is none.
static bool read_line(Process *p, char line[LINE], double seconds)
{
    const double until = seconds_now() + seconds;
    for (;;) {
        char *end = strchr(p->pending, '\n');
        if (end) {
            *end = '\0';
            memcpy(line, p->pending, (size_t)(end - p->pending) + 1);
            memmove(p->pending, end + 1, strlen(end + 1) + 1);
            return true;
        }
        const size_t used = strlen(p->pending);
        struct pollfd wait = {.fd = p->from, .events = POLLIN};
        const double left = until - seconds_now();
        if (left <= 0.0 || used == LINE - 1) return false;
        const int ready = poll(&wait, 1, (int)(fmin(left, 1.0) * 1e3));
        if (ready < 0 && errno != EINTR) return false;
        progress_tick();
        if (ready <= 0) continue;
        const ssize_t got = read(p->from, p->pending + used, LINE - 1 - used);
        if (got <= 0) return false;
        p->pending[used + (size_t)got] = '\0';
    }
}

static void end_process(Process *p)
{
    if (!p->pid) return;
    close(p->to);
    close(p->from);
    kill(p->pid, SIGCONT);
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
}

// glibc hands a large piece of memory back to the system when it is freed, and the next one comes page by page: 10 µs each on some
// virtual machines, where PyTorch then spends half of a step with it. Here it keeps what it has; our own tapes do so anyhow. 32 MB
// is the most that glibc takes for the first.
static void keep_memory(void)
{
    setenv("MALLOC_MMAP_THRESHOLD_", "33554432", 0);
    setenv("MALLOC_TRIM_THRESHOLD_", "4294967296", 0);
    setenv("MALLOC_TOP_PAD_", "67108864", 0);
}

// In the child: what makes a comparison fair.
static void set_environment(int threads)
{
    char text[LINE];
    snprintf(text, sizeof text, "%d", threads);
    setenv("OMP_NUM_THREADS", text, 1);
    unsetenv("GOMP_SPINCOUNT");
    openblas_set_environment();
    keep_memory();
}

static bool too_slow; // the program that was started last was there, but not ready in time

// Starts command (with the script, unless NULL, and the peer's argument) and waits until it is ready.
static bool start(Process *p, const char *command, const char *script, const char *argument, int threads)
{
    int to[2], from[2];
    check(pipe(to) == 0 && pipe(from) == 0, NULL, "no pipe: %s", strerror(errno));
    fflush(NULL);
    p->pid = fork();
    check(p->pid >= 0, NULL, "no process: %s", strerror(errno));
    if (p->pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        for (int i = 3; i < 256; i++) close(i); // other peers' pipes too: they must end when we do
        set_environment(threads);
        const char *words[4] = {command};
        int count = 1;
        if (script) words[count++] = script;
        if (argument) words[count++] = argument;
        execv(command, (char *const *)words);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    p->to = to[1];
    p->from = from[0];
    p->threads = threads;
    p->pending[0] = '\0';
    char line[LINE];
    const double began = seconds_now();
    if (read_line(p, line, START_SECONDS) && strncmp(line, "ready ", 6) == 0) {
        snprintf(p->title, sizeof p->title, "%s", line + 6);
        kill(p->pid, SIGSTOP);
        return true;
    }
    too_slow = seconds_now() - began >= START_SECONDS;
    end_process(p);
    return false;
}

// The interpreters python3 on the path, one after the other: not every one has every library.
static bool start_python(Process *p, const char *script, const char *argument, int threads)
{
    const char *preferred = getenv("PYTHON"), *path = getenv("PATH");
    if (preferred && access(preferred, X_OK) == 0 && start(p, preferred, script, argument, threads))
        return true;
    char folders[8192], command[8192 + 16];
    snprintf(folders, sizeof folders, "%s", path ? path : "/usr/bin");
    char *rest = folders;
    for (const char *folder; (folder = strsep(&rest, ":"));) {
        snprintf(command, sizeof command, "%s/python3", folder);
        if (access(command, X_OK) == 0 && start(p, command, script, argument, threads)) return true;
    }
    return false;
}

static bool start_peer(Process *p, const BenchPeer *peer, int threads)
{
    char path[LINE];
    const size_t length = strlen(peer->program);
    if (length > 3 && strcmp(peer->program + length - 3, ".py") == 0) {
        snprintf(path, sizeof path, "tests/bench/peers/%s", peer->program);
        return start_python(p, path, peer->argument, threads);
    }
    const char *folder = getenv("BENCH_PROGRAMS");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", peer->program);
    return start(p, path, NULL, peer->argument, threads);
}

// The value of one block, NAN if the peer has none.
static double ask(Process *p, const char *request, double seconds)
{
    if (!p->pid || !request) return NAN;
    char line[LINE];
    const int length = snprintf(line, sizeof line, "%g %s\n", seconds, request);
    kill(p->pid, SIGCONT);
    if (write(p->to, line, (size_t)length) != length || !read_line(p, line, ANSWER_SECONDS)) {
        progress_wipe();
        fprintf(stderr, "%s stopped at \"%s\"\n", p->title, request);
        end_process(p);
        return NAN;
    }
    kill(p->pid, SIGSTOP);
    char *end;
    const double value = strtod(line, &end);
    return end == line || *end ? NAN : value;
}

// ---- Measuring --------------------------------------------------------------------------------------------

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int count)
{
    double sorted[MOST_BLOCKS];
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_doubles);
    return count % 2 ? sorted[count / 2] : 0.5 * (sorted[count / 2 - 1] + sorted[count / 2]);
}

// The mean of the best quarter of the blocks: what others do on the machine only ever makes a block slower.
static double best_quarter(const double *values, int count, bool lower_is_better)
{
    double sorted[MOST_BLOCKS], total = 0.0;
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_doubles);
    const int taken = (count + 3) / 4;
    for (int i = 0; i < taken; i++) total += sorted[lower_is_better ? i : count - 1 - i];
    return total / taken;
}

// A line of JSON: of this course, or of peer i.
static void print_json(const Result *r, int i)
{
    if (!lines) return;
    const bool own = i < 0;
    fprintf(
        lines,
        "{\"program\": \"%s\", \"name\": \"%s%s%s\", \"metric\": \"%s\", \"value\": %.6g, \"threads\": %d, ",
        program, r->name, own ? "" : ":", own ? "" : peers[i].label, r->metric, own ? r->value : r->peer[i],
        r->threads);
    if (own && r->operations > 0.0)
        fprintf(lines, "\"gflops\": %.4g, \"limit\": %.4g, \"share\": %.4g, ", 1e-9 * r->operations,
                1e-9 * r->limit, r->operations / r->limit);
    if (own && !isnan(r->distance)) fprintf(lines, "\"distance_ns\": %.4g, ", r->distance);
    if (!own) fprintf(lines, "\"ratio\": %.4g, \"version\": \"%s\", ", r->ratio[i], processes[i][0].title);
    if (r->kept) fprintf(lines, "\"after\": \"%s\", ", r->kept);
    const char *commit = getenv("BENCH_COMMIT");
    fprintf(lines,
            "\"counted\": %s, \"blocks\": %d, \"compiler\": \"%s\", \"arch\": \"%s\", \"vector_bits\": %d, "
            "\"cpu\": \"%s\", "
            "\"commit\": \"%s\"}\n",
            r->outside_bar ? "false" : "true", r->blocks, COMPILER, BENCH_ARCH, VECTOR_BITS, processor,
            commit ? commit : "");
    fflush(lines);
}

// The limit: operations a second of our own product of 1024³, for a block of it.
static double product_rate(void)
{
    enum { SIDE = 1024, TIMES = 5 };
    static float *memory;
    if (!memory) {
        memory = malloc(3 * SIDE * SIDE * sizeof *memory);
        check(memory, "close other programs", "no memory for a product");
        // Pages that nobody has written to are all the same page of zeros, which is always in the cache.
        for (int i = 0; i < 3 * SIDE * SIDE; i++) memory[i] = 1.0f;
    }
    float *const b = memory + SIDE * SIDE, *const c = b + SIDE * SIDE;
    const GemmShape shape = {.m = SIDE, .n = SIDE, .k = SIDE};
    gemm(shape, memory, SIDE, b, SIDE, c, SIDE);
    const double start = seconds_now();
    for (int i = 0; i < TIMES; i++) gemm(shape, memory, SIDE, b, SIDE, c, SIDE);
    return 2.0 * SIDE * SIDE * SIDE * TIMES / (seconds_now() - start);
}

static bool is_rate(const BenchRow *row)
{
    const size_t length = strlen(row->metric);
    return length > 6 && strcmp(row->metric + length - 6, "_per_s") == 0;
}

// One after the other, as they are measured.
static void print_row(const Result *r)
{
    fprintf(stderr, "%-20s %-14s %7d %12.5g", r->name, r->metric, r->threads, r->value);
    for (int i = 0; i < peer_count; i++) {
        if (!processes[i][0].title[0]) continue;
        if (isnan(r->peer[i]))
            fprintf(stderr, "  %18s", "–");
        else
            fprintf(stderr, "  %10.5g (%5.2f)", r->peer[i], r->ratio[i]);
    }
    if (r->operations > 0.0)
        fprintf(stderr, "  %7.1f GF/s, %3.0f %% of limit", 1e-9 * r->operations,
                100.0 * r->operations / r->limit);
    fprintf(stderr, "\n");
}

static void print_head(void)
{
    fprintf(stderr, "\n%-20s %-14s %7s %12s", "row", "metric", "threads", "this course");
    for (int i = 0; i < peer_count; i++)
        if (processes[i][0].title[0]) fprintf(stderr, "  %18s", peers[i].label);
    fprintf(stderr, "\n");
}

// What was measured so far of one side of a row. The first block warms up: what is learnt, allocated and read in it may take several
// times as long as a block. So its seconds are not counted, nor its value where there is another (without_first).
typedef struct {
    double values[MOST_BLOCKS], first, spent; // seconds of the first block, and of all others
    int count;
} Side;

static Side own, theirs[MOST_PEERS];

static void add_block(Side *side, double value, double began)
{
    const double seconds = seconds_now() - began;
    if (side->count == 0) {
        side->first = seconds;
    } else {
        side->spent += seconds;
    }
    side->values[side->count++] = value;
}

static void without_first(Side *side)
{
    if (side->count < 2) return;
    side->count--;
    memmove(side->values, side->values + 1, (size_t)side->count * sizeof *side->values);
}

// How long the blocks that are still to come will take, told by those that were.
static double seconds_left(const Side *side, int blocks, double bound)
{
    if (side->count == 0) return 0.0;
    const double each = side->count > 1 ? side->spent / (side->count - 1) : side->first,
                 left = (blocks - side->count) * each;
    return fmax(0.0, fmin(left, bound + each - side->spent));
}

static void tell(const Result *r, const char *who, int block, int blocks)
{
    double left = seconds_left(&own, blocks, OWN_SECONDS);
    for (int i = 0; i < peer_count; i++) left += seconds_left(&theirs[i], blocks, PEER_SECONDS);
    char what[LINE];
    snprintf(what, sizeof what, "%s, %d thread%s: %s %s, block %d of at most %d", r->name, r->threads,
             r->threads == 1 ? "" : "s", block == 0 ? "warming up" : "measuring", who, block + 1, blocks);
    progress_show(what, block == 0 ? NAN : left);
}

static void measure_blocks(const BenchRow *row, Result *r, Process *asked[], int blocks)
{
    static double counted[MOST_BLOCKS], limits[MOST_BLOCKS];
    const double seconds = row->block_seconds > 0.0 ? row->block_seconds : 0.02;
    own = (Side){.count = 0};
    for (int i = 0; i < peer_count; i++) theirs[i] = (Side){.count = 0};
    progress_begin();
    for (int b = 0; b < blocks; b++) {
        if (!row->kept && b > FEWEST_BLOCKS && own.spent > OWN_SECONDS) break;
        tell(r, "ours", b, blocks);
        double began = seconds_now();
        add_block(&own, row->block(seconds, row->context), began);
        const Watched watched = watch_take();
        counted[b] = is_rate(row) && watched.seconds > 0.0 ? watched.operations / watched.seconds : 0.0;
        limits[b] = counted[b] > 0.0 ? product_rate() : 0.0;
        if (with_peers) pause_seconds(0.005); // our own threads spin for a while, too
        for (int i = 0; i < peer_count; i++) {
            Side *side = &theirs[i];
            const bool known = side->count > 0, enough = !row->kept && side->spent > PEER_SECONDS;
            if (!asked[i]->pid || !row->request || (known && (enough || isnan(side->values[0])))) continue;
            tell(r, peers[i].label, b, blocks);
            began = seconds_now();
            const double value = ask(asked[i], row->request, seconds);
            if (!isnan(value) || !known) add_block(side, value, began);
        }
    }
    progress_wipe();
    const int measured = own.count;
    if (!row->kept) {
        without_first(&own);
        for (int i = 0; i < peer_count; i++) without_first(&theirs[i]);
    }
    r->blocks = own.count;
    r->operations = best_quarter(counted, measured, false);
    r->limit = best_quarter(limits, measured, false);
}

static void measure(const BenchRow *row, int threads, Process *asked[])
{
    const int wanted = row->kept ? KEPT_BLOCKS : environment_number("BENCH_BLOCKS", 9);
    check(result_count < MOST_RESULTS, NULL, "more than %d results", MOST_RESULTS);
    Result *r = &results[result_count++];
    snprintf(r->name, sizeof r->name, "%s", row->name);
    snprintf(r->metric, sizeof r->metric, "%s", row->metric);
    r->threads = threads;
    r->outside_bar = row->outside_bar;
    r->lower_is_better = row->lower_is_better;
    r->kept = row->kept;
    parallel_set_threads(threads);
    const double before = threads > 1 ? processors_distance() : NAN;
    measure_blocks(row, r, asked, int_max(1, int_min(wanted, MOST_BLOCKS)));
    r->distance = threads > 1 ? fmax(before, processors_distance()) : NAN;
    r->value = median(own.values, own.count);
    r->best = best_quarter(own.values, own.count, row->lower_is_better);
    for (int i = 0; i < peer_count; i++) {
        const Side *side = &theirs[i];
        r->peer[i] = r->ratio[i] = NAN;
        if (side->count == 0 || isnan(side->values[0])) continue;
        r->peer[i] = median(side->values, side->count);
        const double them = best_quarter(side->values, side->count, row->lower_is_better);
        r->ratio[i] = row->lower_is_better ? them / r->best : r->best / them;
    }
    if (result_count == 1) print_head();
    print_row(r);
    print_json(r, -1);
    for (int i = 0; i < peer_count; i++)
        if (!isnan(r->peer[i])) print_json(r, i);
    char title[128];
    snprintf(title, sizeof title, "%s, %d thread%s", r->name, threads, threads == 1 ? "" : "s");
    watch_print(is_rate(row) || strcmp(row->metric, "seconds") == 0 ? title : NULL);
}

// Rows of two threads can be compared while their processors stay where they are.
static void print_distances(void)
{
    double least = NAN, most = NAN;
    for (int i = 0; i < result_count; i++) {
        least = fmin(least, results[i].distance);
        most = fmax(most, results[i].distance);
    }
    if (isnan(most)) return;
    if (most < 2.0 * least)
        fprintf(stderr, "A line of the cache went to the other processor and back in %.0f ns.\n", most);
    else
        fprintf(
            stderr,
            "A line of the cache went to the other processor and back in %.0f to %.0f ns: they were moved "
            "meanwhile, and small steps on two threads are slow where it takes long.\n",
            least, most);
}

// 1, 2 and all, as far as there are so many.
static int thread_counts(int counts[MOST_THREADS_TRIED], int most)
{
    static int all;
    if (!all) all = parallel_threads();
    int count = 0;
    const int wanted[] = {1, 2, all};
    for (int i = 0; i < 3; i++)
        if (wanted[i] <= int_min(all, most) && (count == 0 || wanted[i] > counts[count - 1]))
            counts[count++] = wanted[i];
    return count;
}

// Where a peer comes from: a package of Debian's and Ubuntu's.
static const char *package_of(const char *label)
{
    static const char *const packages[][2] = {
        {"OpenBLAS", "libopenblas0-openmp"}, {"OpenBLAS-pthread", "libopenblas0-pthread"},
        {"oneDNN", "libdnnl-dev"},           {"numpy", "python3-numpy"},
        {"PyTorch", "python3-torch"},        {"scikit-learn", "python3-sklearn"}};
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
        if (strcmp(packages[i][0], label) == 0) return packages[i][1];
    return label;
}

void bench_begin(const char *group, const BenchPeer *the_peers, int count)
{
    check(count <= MOST_PEERS, NULL, "more than %d peers", MOST_PEERS);
    signal(SIGPIPE, SIG_IGN);
    cores_begin();
    find_processor();
    program = group;
    peers = the_peers;
    peer_count = count;
    with_peers = environment_number("BENCH_PEERS", 0) != 0;
    kept_only = environment_number("BENCH_ACCURACY", 0) != 0;
    const char *file = getenv("BENCH_JSON");
    lines = file && *file ? fopen(file, "a") : isatty(STDOUT_FILENO) ? NULL : stdout;
    check(lines || !file || !*file, "name a file in a folder that is there", "cannot write %s: %s", file,
          strerror(errno));
    if (lines) fcntl(fileno(lines), F_SETFD, FD_CLOEXEC);
    int counts[MOST_THREADS_TRIED];
    const int tried = thread_counts(counts, 1 << 20);
    fprintf(stderr, "\n%s: %s, ARCH=%s, %s, %d threads\n", group, COMPILER, BENCH_ARCH, processor,
            counts[tried - 1]);
    if (!with_peers) return;
    const char *kernels = openblas_kernels();
    if (kernels)
        fprintf(
            stderr,
            "  OpenBLAS does not know this processor and would take its kernels of 2004: the peers run with "
            "OPENBLAS_CORETYPE=%s\n",
            kernels);
    for (int i = 0; i < count; i++) {
        for (int t = 0; t < tried; t++) {
            char what[LINE];
            snprintf(what, sizeof what, "starting %s, %d thread%s", peers[i].label, counts[t],
                     counts[t] == 1 ? "" : "s");
            progress_begin();
            progress_show(what, NAN);
            const bool started = start_peer(&processes[i][t], &peers[i], counts[t]);
            progress_wipe();
            if (!started) {
                if (too_slow) {
                    fprintf(stderr,
                            "  %-18s not ready within %.0f s: skipped; end what else runs, and try again\n",
                            peers[i].label, START_SECONDS);
                    break;
                }
                fprintf(stderr, "  %-18s not here: skipped; sudo apt-get install %s brings it\n",
                        peers[i].label, package_of(peers[i].label));
                break;
            }
            if (t == 0) fprintf(stderr, "  %-18s %s\n", peers[i].label, processes[i][0].title);
        }
    }
}

void bench_row(BenchRow row, int most)
{
    const char *only = getenv("BENCH_ONLY");
    if ((only && !strstr(row.name, only)) || (row.kept != NULL) != kept_only) return;
    int counts[MOST_THREADS_TRIED];
    const int tried = thread_counts(counts, row.kept ? 2 : most);
    for (int t = row.kept ? tried - 1 : 0; t < tried;
         t++) { // what is reached is the same on any number of threads
        Process *asked[MOST_PEERS];
        for (int i = 0; i < peer_count; i++) asked[i] = &processes[i][t];
        measure(&row, counts[t], asked);
    }
}

void bench_share(double share)
{
    if (kept_only) progress_share(share);
}

// ---- The end ----------------------------------------------------------------------------------------------

static bool limit_known(void)
{
    for (int r = 0; r < result_count; r++)
        if (results[r].operations > 0.0) return true;
    return false;
}

// For one peer and number of threads: how often are we as fast as we want to be, and where are we slowest?
static void print_bar(int i, int threads)
{
    int rows = 0, reached = 0, worst = -1;
    for (int r = 0; r < result_count; r++) {
        if (results[r].threads != threads || results[r].outside_bar || isnan(results[r].ratio[i])) continue;
        rows++;
        reached += results[r].ratio[i] >= peers[i].bar;
        if (worst < 0 || results[r].ratio[i] < results[worst].ratio[i]) worst = r;
    }
    if (rows == 0) return;
    fprintf(stderr, "%s, %d thread%s: ", peers[i].label, threads, threads == 1 ? "" : "s");
    if (peers[i].bar > 0.0)
        fprintf(stderr, "at least %.2f times as fast in %d of %d rows; ", peers[i].bar, reached, rows);
    fprintf(stderr, "lowest %.2f, %s\n", results[worst].ratio[i], results[worst].name);
}

// Where do more threads help least? Results of one row follow each other, with 1 thread first.
static void print_least_gain(void)
{
    int worst = -1;
    double lowest = HUGE_VAL;
    for (int r = 1, one = 0; r < result_count; r++) {
        if (results[r].threads == 1) one = r;
        const double one_best = results[one].best, best = results[r].best;
        const double gain = results[r].lower_is_better ? one_best / best : best / one_best;
        if (r == one || gain >= lowest) continue;
        lowest = gain;
        worst = r;
    }
    if (worst >= 0)
        fprintf(stderr, "%d threads against 1: lowest %.2f, %s\n", results[worst].threads, lowest,
                results[worst].name);
}

int bench_end(void)
{
    int counts[MOST_THREADS_TRIED];
    const int tried = thread_counts(counts, 1 << 20);
    if (result_count && !kept_only) {
        fprintf(stderr, "\n");
        print_least_gain();
        print_distances();
        if (limit_known())
            fprintf(stderr,
                    "Of limit: the model's operations a second beside those of our own product of 1024³ "
                    "in the same run.\n");
        for (int i = 0; i < peer_count; i++)
            for (int t = 0; t < tried; t++) print_bar(i, counts[t]);
    }
    if (result_count && with_peers && peer_count)
        fprintf(stderr, "In brackets behind a peer: how many times as fast as the peer we are.\n");
    for (int i = 0; i < peer_count; i++)
        for (int t = 0; t < tried; t++) end_process(&processes[i][t]);
    if (lines && lines != stdout) fclose(lines);
    return 0;
}
