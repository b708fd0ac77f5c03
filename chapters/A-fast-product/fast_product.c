/*
# How the product is made fast

Nearly all that a network does is one product of matrices after the other, and the loop that computes a product has
five lines. Write it down, compile it with all optimisations, and it runs at a few per cent of what your processor can
do, or at less than one. The library's `gemm` computes the same numbers, to the last bit, with the same
multiplications and additions, many times as fast. Where does the time go?

Not into arithmetic. This page walks from the five lines to `common/matrix/gemm.c` in six steps, each with one idea.
What a step saves is *counted*, in numbers fetched and in cache lines, so that you can see the reason and not only the
effect; the times go to standard error, since they are your machine's. `make bench NAME=fast_product` measures each
step in peace.

You need chapter 6, where layers are products, and a little patience with indices.
*/

#include "base/parallel.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "matrix/gemm.h"
#include "matrix/vectors.h"

#include <math.h>
#include <string.h>

/*
## The question

$C = A B$, with $A$ of $M \times K$ numbers, $B$ of $K \times N$ and $C$ of $M \times N$; matrices lie in memory row
after row, and from one row to the next it is `a_step`, `b_step`, `c_step` numbers, so that a piece of a matrix is
described like a whole one. With `resume`, sums go on from what $C$ holds; we need it in step five.
*/

typedef struct {
    int m, n, k;
    const float *a, *b;
    float *c;
    size_t a_step, b_step, c_step;
    bool resume;
} Product;

/*
One **fused multiply-add** (融合乘加), FMA, computes $x y + z$ and rounds once. A core of today can start two of them
in each cycle, on **vector registers** (向量寄存器) of 8 floats (AVX2) or 16 (AVX-512). At 4 GHz these are 128 or 256
billion operations a second, an FMA counting as two. This is the machine's **peak** (峰值性能), and two things keep a
loop from it:

- **Latency** (指令延迟). An FMA takes four cycles. A sum of which each term waits for the one before gets one FMA in
  four cycles, an eighth of what could be started. A sum's order is part of its result: the compiler may not split it.
- **Fetching**. An FMA wants two new numbers. The nearest cache hands out two vectors a cycle; main memory lets a core
  wait for hundreds of cycles.

So that fetching can be seen, the steps below are written once and run twice: as they are, for speed, and watched. A
watched step tells a model of the memory which numbers it reads, by `look`, which costs nothing when nobody watches:
then `w` is a constant, NULL, and the compiler throws the question away.

The model has a **cache** (高速缓存) of 32 KB, another of 1 MB behind it, and a table of 64 **pages** (内存页) of 4 KB
whose addresses are known (the TLB, 页表缓存). A cache keeps **lines** (缓存行) of 64 bytes. A line may only lie in
one of `ways` places, its **set** (缓存组), which its address decides, and the line that was used longest ago has to
go. Real processors do the same, and guess besides what will be read next; the model guesses nothing. The model is the
same on every machine, and so are its numbers.
*/

enum { MOST_WAYS = 16, MOST_SETS = 1024 };

typedef struct {
    int sets, ways, shift;                 // a line has 2^shift bytes
    size_t line[MOST_SETS][MOST_WAYS + 1]; // of each set, the last used first; 0: none
    long misses;
} Cache;

static void cache_touch(Cache *cache, size_t address)
{
    const size_t line = (address >> cache->shift) + 1;
    size_t *set = cache->line[line % (size_t)cache->sets];
    int at = 0;
    while (at < cache->ways && set[at] != line) at++;
    if (at == cache->ways) cache->misses++;
    for (; at > 0; at--) set[at] = set[at - 1]; // the last one falls off
    set[0] = line;
}

typedef struct {
    const float *memory; // addresses count from here
    long numbers;        // that were asked for
    Cache near, far, pages;
} Watch;

static void watch_numbers(Watch *w, const float *p, int count)
{
    const size_t address = (size_t)(p - w->memory) * sizeof *p;
    const long before = w->near.misses;
    w->numbers += count;
    cache_touch(&w->pages, address);
    cache_touch(&w->near, address);
    if (w->near.misses > before) cache_touch(&w->far, address);
}

INLINE const float *look(Watch *w, const float *p, int count)
{
    if (w) watch_numbers(w, p, count);
    return p;
}

/*
## Step 1: the loop that everybody writes

For each element of $C$ one sum. We say `fmaf` where others write `+= a * b`: the library promises one chain of fused
multiply-adds for each element, in the order $k = 0, 1, 2, \dots$, and all our steps will keep this promise.
*/

INLINE void row_times_column(Product p, Watch *w)
{
    for (int i = 0; i < p.m; i++)
        for (int j = 0; j < p.n; j++) {
            float sum = 0.0f;
            for (int k = 0; k < p.k; k++)
                sum = fmaf(*look(w, p.a + (size_t)i * p.a_step + k, 1),
                           *look(w, p.b + (size_t)k * p.b_step + j, 1), sum);
            p.c[(size_t)i * p.c_step + (size_t)j] = sum;
        }
}

/*
Both evils at once. There is one sum, so each FMA waits for the one before; and it is one number wide, because a
vector would need neighbours, and the next number of a column of $B$ is a whole row away. With rows of 1024 floats,
4096 bytes, that is another line *and another page* each time, and worse: lines that are 4096 bytes apart all belong
to one and the same set of 8 places. The cache has room for 512 lines, and of this column it keeps 8.

## Step 2: another order of the loops

Nobody said that a sum has to be finished before the next one begins. Let $k$ be the middle loop and $j$ the inner
one: row $k$ of $B$, times one number of $A$, is added to row $i$ of $C$. Each element still gets its terms in the
order of $k$, so not a bit changes.
*/

INLINE void row_by_row(Product p, Watch *w)
{
    for (int i = 0; i < p.m; i++) {
        float *restrict c = p.c + (size_t)i * p.c_step;
        for (int j = 0; j < p.n; j++) c[j] = 0.0f;
        for (int k = 0; k < p.k; k++) {
            const float x = *look(w, p.a + (size_t)i * p.a_step + k, 1);
            const float *b = p.b + (size_t)k * p.b_step;
            for (int j = 0; j < p.n; j++) c[j] = fmaf(x, *look(w, b + j, 1), *look(w, c + j, 1));
        }
    }
}

/*
Now the inner loop walks along rows. The compiler makes vectors of it, the sums of a row do not wait for each other,
and a line that is fetched is used to its end. But count what an FMA wants: a vector of $B$, a vector of $C$, and $C$
is stored again. That is three visits to the cache for one FMA, and the FMAs wait for them.

## Step 3: sums that stay in registers

A processor has 16 vector registers (AVX2) or 32 (AVX-512, ARM). They are the only memory that is fast enough for two
FMAs a cycle. So let us take a **tile** (分块) of $C$, some rows high and one or two vectors wide, and keep all its
sums there while $k$ runs from one end to the other. At each $k$ we fetch a piece of a row of $B$, $v$ vectors, and
$m$ numbers of a column of $A$, and each of these meets each of those: $m + v$ loads for $m v$ FMAs.

`Vector`, `load`, `store`, `broadcast` (one number into all lanes) and `fused` are from `matrix/vectors.h`, one
instruction each. `rows` and `vectors` are constants wherever `tile` is called: the compiler writes the short loops
out, and each `sum[i][v]` becomes a register.
*/

enum { TALLEST = 14, WIDEST = 32 / VECTOR_LANES };

INLINE void tile(const int rows, const int vectors, Product p, Watch *w)
{
    Vector sum[TALLEST][WIDEST], b[WIDEST];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            sum[i][v] = p.resume ? load(look(w, p.c + (size_t)i * p.c_step + v * VECTOR_LANES, VECTOR_LANES))
                                 : broadcast(0.0f);
    }
    for (int k = 0; k < p.k; k++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            b[v] = load(look(w, p.b + (size_t)k * p.b_step + v * VECTOR_LANES, VECTOR_LANES));
        UNROLL
        for (int i = 0; i < rows; i++) {
            const Vector x = broadcast(*look(w, p.a + (size_t)i * p.a_step + k, 1));
            UNROLL
            for (int v = 0; v < vectors; v++) sum[i][v] = fused(x, b[v], sum[i][v]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++) store(p.c + (size_t)i * p.c_step + v * VECTOR_LANES, sum[i][v]);
    }
}

/*
Tiles of one height are walked down a **strip** of $C$, which is as wide as a tile. So the same columns of $B$ serve
them all. Where fewer rows are left than a tile has, lower tiles do the rest.
*/

INLINE Product rows_from(Product p, int first, int count)
{
    p.a += (size_t)first * p.a_step, p.c += (size_t)first * p.c_step, p.m = count;
    return p;
}

INLINE void strip(const int rows, const int vectors, Product p, Watch *w)
{
    int i = 0;
    for (; i + rows <= p.m; i += rows) tile(rows, vectors, rows_from(p, i, rows), w);
    for (; i + 4 <= p.m; i += 4) tile(4, vectors, rows_from(p, i, 4), w);
    for (; i < p.m; i++) tile(1, vectors, rows_from(p, i, 1), w);
}

INLINE void tiles_in_place(const int rows, const int vectors, Product p, Watch *w)
{
    for (int j = 0; j < p.n; j += vectors * VECTOR_LANES) {
        Product s = p;
        s.b += j, s.c += j;
        strip(rows, vectors, s, w);
    }
}

/*
How large should a tile be? The sums, the $v$ vectors of $B$ and one $x$ must find a register. And since an FMA takes
four cycles and two can start in each, fewer than eight sums would leave the processor waiting: latency again.
*/

static int registers_of(int rows, int vectors) { return rows * vectors + vectors + 1; }

static double loads_of(int rows, int vectors) { return (double)(rows + vectors) / (rows * vectors); }

static void draw_shapes(Lesson *lesson)
{
    enum { HIGH = 15, WIDE = 5 };
    Matrix loads = matrix_new(lesson_arena(lesson), WIDE, HIGH);
    const char *rows[HIGH] = {"1", "2",  "3",  "4",  "5",  "6",  "7", "8",
                              "9", "10", "11", "12", "13", "14", "15"};
    const char *vectors[WIDE] = {"1 vector", "2 vectors", "3 vectors", "4 vectors", "5 vectors"};
    for (int v = 1; v <= WIDE; v++)
        for (int m = 1; m <= HIGH; m++)
            AT(loads, v - 1, m - 1) = registers_of(m, v) <= 32 ? (float)loads_of(m, v) : NAN;
    Plot *plot =
        plot_begin(lesson, "shapes.svg", "Loads for one FMA, by the shape of the tile, with 32 registers");
    plot_axes(plot, "rows of the tile", "");
    plot_size(plot, 1100, 430);
    plot_cells(plot, loads, vectors, rows, 2);
    plot_end(plot,
             "Two loads and two FMAs can start in a cycle: below 1, loads are no longer what we wait for. "
             "A dash: more than 32 registers.");
}

static void choose_a_tile(Lesson *lesson)
{
    section(lesson, "How large a tile");
    static const struct {
        const char *machine;
        int registers, lanes, rows, vectors;
    } tiles[] = {
        {"one sum", 16, 1, 1, 1}, {"AVX2", 16, 8, 6, 2}, {"ARM", 32, 4, 12, 2}, {"AVX-512", 32, 16, 14, 2}};
    printf("              tile    sums   registers   loads for an FMA\n");
    for (size_t t = 0; t < sizeof tiles / sizeof *tiles; t++)
        printf("%-8s  %3d × %-3d   %4d    %2d of %d   %16.2f\n", tiles[t].machine, tiles[t].rows,
               tiles[t].vectors * tiles[t].lanes, tiles[t].rows * tiles[t].vectors,
               registers_of(tiles[t].rows, tiles[t].vectors), tiles[t].registers,
               loads_of(tiles[t].rows, tiles[t].vectors));
    printf("\n");
    bool enough = true;
    for (size_t t = 1; t < sizeof tiles / sizeof *tiles; t++)
        enough &= registers_of(tiles[t].rows, tiles[t].vectors) <= tiles[t].registers &&
                  tiles[t].rows * tiles[t].vectors >= 8 && loads_of(tiles[t].rows, tiles[t].vectors) < 1.0;
    claim(lesson, enough,
          "three machines: the sums fit, eight or more are under way, and fewer loads than FMAs");
    claim(lesson, registers_of(7, 2) > 16 && registers_of(15, 2) > 32,
          "with AVX2 and with AVX-512 a row more would not fit");
    draw_shapes(lesson);
}

/*
## Step 4: packing

The tile asks for little, but what it asks for lies badly. Two vectors of row $k$ of $B$, then two of row $k + 1$, a
page further; and all these lines belong to two sets of the cache, which keep 16 of them. When the next tile comes
down the strip, its $B$ is gone. So we copy the columns of the strip together once, row after row, and let all tiles
read the copy: this is **packing** (打包).

It costs one step for each number of $B$, and the product uses each number $M$ times. When $B$ comes transposed, it is
transposed back on the way, and from then on there is only one case.
*/

INLINE void copy_rows(float *to, size_t to_step, const float *from, size_t from_step, int rows, int columns,
                      Watch *w)
{
    for (int i = 0; i < rows; i++, to += to_step, from += from_step) {
        int j = 0;
        for (; j + VECTOR_LANES <= columns; j += VECTOR_LANES)
            store(to + j, load(look(w, from + j, VECTOR_LANES)));
        for (; j < columns; j++) to[j] = *look(w, from + j, 1);
    }
}

INLINE void tiles_of_packed_strips(const int rows, const int vectors, Product p, float *room, Watch *w)
{
    const int columns = vectors * VECTOR_LANES;
    for (int j = 0; j < p.n; j += columns) {
        Product s = p;
        copy_rows(room, (size_t)columns, p.b + j, p.b_step, p.k, columns, w);
        s.b = room, s.b_step = (size_t)columns, s.c += j;
        strip(rows, vectors, s, w);
    }
}

/*
## Step 5: blocks

Two things are still fetched too often. All of $A$, 4 MB, passes by once for each strip, 32 times, and no cache of
ours keeps 4 MB. And the rows of $A$ are 4096 bytes apart too: fourteen lines in one set of eight places.

So the product is cut into **blocks** (矩阵块): some terms of all sums, `BLOCK_K`, and some rows, `BLOCK_M`, so many
that the block of $A$ stays in the second cache while all strips of $B$ pass, and a packed strip beside it. Both
factors are packed; rows of $A$ are put at a distance that is no multiple of a page. And the sums? Behind the first
block of terms a tile begins with what $C$ holds, and goes on. Each sum is still one chain, and the bits are those of
step 1.
*/

enum { BLOCK_M = 168, BLOCK_K = 256, A_STEP = BLOCK_K + 16 };

static size_t room_for(int n) { return (size_t)BLOCK_M * A_STEP + (size_t)BLOCK_K * (size_t)n; }

INLINE void in_blocks(const int rows, const int vectors, Product p, float *room, Watch *w)
{
    const int columns = vectors * VECTOR_LANES;
    float *packed_a = room, *packed_b = room + BLOCK_M * A_STEP;
    for (int k = 0; k < p.k; k += BLOCK_K) {
        const int terms = int_min(BLOCK_K, p.k - k);
        for (int j = 0; j < p.n; j += columns)
            copy_rows(packed_b + (size_t)j * (size_t)terms, (size_t)columns, p.b + (size_t)k * p.b_step + j,
                      p.b_step, terms, columns, w);
        for (int i = 0; i < p.m; i += BLOCK_M) {
            const int height = int_min(BLOCK_M, p.m - i);
            copy_rows(packed_a, A_STEP, p.a + (size_t)i * p.a_step + k, p.a_step, height, terms, w);
            for (int j = 0; j < p.n; j += columns)
                strip(rows, vectors,
                      (Product){.m = height,
                                .n = columns,
                                .k = terms,
                                .a = packed_a,
                                .b = packed_b + (size_t)j * (size_t)terms,
                                .c = p.c + (size_t)i * p.c_step + j,
                                .a_step = A_STEP,
                                .b_step = (size_t)columns,
                                .c_step = p.c_step,
                                .resume = k > 0},
                      w);
        }
    }
}

// From its left upper corner
static void draw_rectangle(Plot *plot, float x, float y, float width, float height)
{
    const float xs[5] = {x, x + width, x + width, x, x}, ys[5] = {y, y, y - height, y - height, y};
    plot_line(plot, NULL, xs, ys, 5);
}

static void draw_blocks(Lesson *lesson)
{
    Plot *plot = plot_begin(lesson, "blocks.svg", "A tile, a strip and the blocks that make them");
    plot_diagram(plot);
    plot_legend(plot, "none");
    plot_range_x(plot, 0.0, 15.0);
    plot_range_y(plot, -10.0, 6.5);
    plot_x_ticks(plot, (double[]){-9.0}, (const char *[]){""}, 1); // none
    draw_rectangle(plot, 7.0f, 6.0f, 7.5f, 5.5f);
    plot_text(plot, 4.7, 3.2, "B  (K × N)");
    draw_rectangle(plot, 9.0f, 5.0f, 1.6f, 2.5f);
    plot_text(plot, 10.8, 3.7, "packed strip");
    draw_rectangle(plot, 0.5f, 0.0f, 5.5f, 8.0f);
    plot_text(plot, 2.4, -9.0, "A  (M × K)");
    draw_rectangle(plot, 1.5f, -1.2f, 2.5f, 4.5f);
    draw_rectangle(plot, 1.5f, -2.4f, 2.5f, 0.9f);
    plot_text(plot, 1.5, -6.5, "block of A, packed");
    draw_rectangle(plot, 7.0f, 0.0f, 7.5f, 8.0f);
    plot_text(plot, 9.9, -9.0, "C  (M × N)");
    draw_rectangle(plot, 9.0f, -1.2f, 1.6f, 4.5f);
    draw_rectangle(plot, 9.0f, -2.4f, 1.6f, 0.9f);
    plot_text(plot, 10.8, -2.9, "a tile, in registers");
    plot_text(plot, 10.8, -5.2, "a strip");
    plot_end(plot, "A tile of C comes from its few rows of A and from the packed strip of B. Tile follows "
                   "tile down the strip, "
                   "and strip follows strip while the block of A stays.");
}

/*
Here are the steps with their constants: as they run, with the tile of this machine, and watched, with the tile of
AVX-512 wherever the page is made.
*/

#define STEP(name, ...)                                                                                      \
    static void name##_runs(Product p, float *room)                                                          \
    {                                                                                                        \
        const int rows = TILE_ROWS, vectors = 2;                                                             \
        Watch *w = NULL;                                                                                     \
        (void)rows, (void)vectors, (void)room, __VA_ARGS__;                                                  \
    }                                                                                                        \
    static void name##_watched(Product p, float *room, Watch *w)                                             \
    {                                                                                                        \
        const int rows = TALLEST, vectors = WIDEST;                                                          \
        (void)rows, (void)vectors, (void)room, __VA_ARGS__;                                                  \
    }

STEP(step_1, row_times_column(p, w))
STEP(step_2, row_by_row(p, w))
STEP(step_3, tiles_in_place(rows, vectors, p, w))
STEP(step_4, tiles_of_packed_strips(rows, vectors, p, room, w))
STEP(step_5, in_blocks(rows, vectors, p, room, w))

static void library(Product p, float *room)
{
    (void)room;
    gemm((GemmShape){.m = p.m, .n = p.n, .k = p.k}, p.a, (int)p.a_step, p.b, (int)p.b_step, p.c,
         (int)p.c_step);
}

static const struct {
    const char *name;
    void (*runs)(Product p, float *room);
    void (*watched)(Product p, float *room, Watch *w);
    int rows; // so many of C are watched: in the first two steps each row repeats the one before
} steps[] = {{"1 row times column", step_1_runs, step_1_watched, 14},
             {"2 row by row", step_2_runs, step_2_watched, 14},
             {"3 tiles in place", step_3_runs, step_3_watched, 1024},
             {"4 strips packed", step_4_runs, step_4_watched, 1024},
             {"5 blocks", step_5_runs, step_5_watched, 1024},
             {"the library", library, NULL, 0}};
enum { STEPS = 5, WITH_LIBRARY };

/*
## What the memory sees

Now the five are watched at $M = N = K = 1024$: how many numbers are fetched for a thousand FMAs, how many lines the
near cache has to get from the far one, how many the far one from memory, and how many addresses of pages are looked
up.
*/

typedef struct {
    double numbers, near, far, pages; // for 1000 multiply-adds
} Counts;

enum { SIZE = 1024 };

static Counts watch(Lesson *lesson, int step)
{
    ArenaMark mark = arena_mark(lesson_arena(lesson));
    const size_t size = (size_t)SIZE * SIZE;
    float *memory = arena_zeros(lesson_arena(lesson), 3 * size + room_for(SIZE), sizeof *memory);
    Watch *w = arena_zeros(lesson_arena(lesson), 1, sizeof *w);
    w->memory = memory;
    w->near.sets = 64, w->near.ways = 8, w->near.shift = 6;     // 32 KB
    w->far.sets = 1024, w->far.ways = 16, w->far.shift = 6;     // 1 MB
    w->pages.sets = 16, w->pages.ways = 4, w->pages.shift = 12; // 64 pages
    const int rows = steps[step].rows;
    steps[step].watched((Product){.m = rows,
                                  .n = SIZE,
                                  .k = SIZE,
                                  .a = memory,
                                  .b = memory + size,
                                  .c = memory + 2 * size,
                                  .a_step = SIZE,
                                  .b_step = SIZE,
                                  .c_step = SIZE},
                        memory + 3 * size, w);
    const double each = 1000.0 / ((double)rows * (double)size);
    const Counts counts = {(double)w->numbers * each, (double)w->near.misses * each,
                           (double)w->far.misses * each, (double)w->pages.misses * each};
    arena_rewind(lesson_arena(lesson), mark);
    return counts;
}

static void draw_lines(Lesson *lesson, const Counts *counts)
{
    float at[STEPS], near[STEPS], far[STEPS], pages[STEPS];
    double positions[STEPS];
    const char *names[STEPS] = {"1 row times column", "2 row by row", "3 tiles", "4 packed", "5 blocks"};
    for (int s = 0; s < STEPS; s++) {
        positions[s] = s, at[s] = (float)s;
        near[s] = (float)counts[s].near, far[s] = (float)counts[s].far, pages[s] = (float)counts[s].pages;
    }
    Plot *plot = plot_begin(lesson, "lines.svg", "What a thousand multiply-adds bring through the memory");
    plot_axes(plot, "", "for 1000 multiply-adds");
    plot_log(plot, "y");
    plot_x_ticks(plot, positions, names, STEPS);
    plot_range_x(plot, -0.3, STEPS - 0.7);
    plot_line_points(plot, "lines into the near cache", at, near, STEPS);
    plot_line_points(plot, "lines from memory", at, far, STEPS);
    plot_line_points(plot, "pages looked up", at, pages, STEPS);
    plot_end(plot, "The same multiplications and additions in all five. A logarithmic axis.");
}

static void watch_all(Lesson *lesson)
{
    section(lesson, "What the memory sees");
    draw_blocks(lesson);
    Counts c[STEPS];
    printf("for 1000 multiply-adds   numbers fetched   lines to the near cache   from memory    pages\n");
    for (int s = 0; s < STEPS; s++) {
        c[s] = watch(lesson, s);
        printf("%-22s%18.1f%26.2f%14.3f%9.3f\n", steps[s].name, c[s].numbers, c[s].near, c[s].far,
               c[s].pages);
    }
    printf("\n");
    claim(lesson, c[0].near >= 1000.0 && c[0].pages >= 1000.0,
          "row times column: each multiply-add waits for a line and for a page");
    claim(lesson, c[1].near <= 0.2 * c[0].near, "row by row: a line serves its 16 numbers before it goes");
    claim(lesson, c[2].numbers <= 0.06 * c[1].numbers, "tiles fetch a twentieth of the numbers");
    claim(lesson, c[3].far <= 0.5 * c[2].far && c[3].pages <= 0.1 * c[2].pages,
          "packed strips: less than half of the lines from memory, less than a tenth of the pages");
    claim(lesson, c[4].near <= 0.25 * c[3].near && c[4].far <= 0.5 * c[3].far,
          "blocks: less than a quarter of the lines to the near cache, less than half of those from memory");
    draw_lines(lesson, c);
}

/*
Read the rows with the steps in mind. In step 1, every multiply-add takes a line and a page that nobody has. In step
2, a line brings 16 numbers and all are used; but nothing is used twice except the row of $C$, and every number of $B$
comes from memory once for each row of $C$. Step 3 asks for a twentieth of the numbers. Step 4 is a surprise: the near
cache gets as many lines as before, since they were not those of $B$ but of $A$, whose 14 rows of 4096 bytes fight for
8 places. What packing $B$ saves is memory and pages. Step 5 moves the rows of $A$ apart, and a strip of 256 rows, 32
KB, comes from the far cache: two lines for 28 FMAs, 14 cycles, which no processor finds hard.

## Step 6: edges and threads

A product is rarely 1024 wide. The last columns are copied into a strip of their own, filled up with zeros; its tiles
are computed aside, and what belongs to $C$ is copied there. (The library masks the last vector instead, which spares
the copies.)

And **threads** (线程): each takes rows of $C$, packs for itself and writes what no other writes. No sum is ever
divided, and so the number of threads changes no bit. The library cuts $C$ into rectangles, which for many threads
read less of $A$ and $B$ than stripes do.
*/

enum { COLUMNS = 2 * VECTOR_LANES };

static size_t room_with_edges(int m, int n, int k)
{
    return room_for(n + COLUMNS) + (size_t)(m + k) * COLUMNS;
}

static void any_product(Product p, float *room)
{
    const int whole = p.n / COLUMNS * COLUMNS, left = p.n - whole;
    Product q = p;
    q.n = whole;
    in_blocks(TILE_ROWS, 2, q, room, NULL);
    if (left == 0) return;
    float *b = room + room_for(COLUMNS), *c = b + (size_t)p.k * COLUMNS;
    memset(b, 0, (size_t)p.k * COLUMNS * sizeof *b);
    copy_rows(b, COLUMNS, p.b + whole, p.b_step, p.k, left, NULL);
    q.n = COLUMNS, q.b = b, q.c = c, q.b_step = q.c_step = COLUMNS;
    in_blocks(TILE_ROWS, 2, q, room, NULL);
    copy_rows(p.c + whole, p.c_step, c, COLUMNS, p.m, left, NULL);
}

// Part t of parts, whose rows are whole tiles
static void some_rows(Product p, float *room, int t, int parts)
{
    const int count = (p.m + TILE_ROWS - 1) / TILE_ROWS;
    const int first = count * t / parts * TILE_ROWS, last = int_min(count * (t + 1) / parts * TILE_ROWS, p.m);
    if (first < last) any_product(rows_from(p, first, last - first), room);
}

static void on_threads(Product p, float *rooms, int parts)
{
    const size_t room = room_with_edges(p.m, p.n, p.k);
    PARALLEL_FOR(true, t, parts, some_rows(p, rooms + (size_t)t * room, t, parts));
}

/*
Now the promise. All steps, the threads and the library against three plain loops with the same chains, `gemm_naive`:
not "close", but bit for bit.
*/

static Product random_product(Arena *arena, Rng *rng, int m, int n, int k)
{
    float *a = arena_alloc(arena, (size_t)m * (size_t)k, sizeof *a),
          *b = arena_alloc(arena, (size_t)k * (size_t)n, sizeof *b);
    rng_normals(rng, a, (size_t)m * (size_t)k);
    rng_normals(rng, b, (size_t)k * (size_t)n);
    return (Product){
        m,         n,         k,         a,    b, arena_zeros(arena, (size_t)m * (size_t)n, sizeof *a),
        (size_t)k, (size_t)n, (size_t)n, false};
}

// Whether p.c holds what gemm_naive computes
static bool is_exact(Arena *arena, Product p)
{
    const size_t size = (size_t)p.m * (size_t)p.n;
    float *c = arena_alloc(arena, size, sizeof *c);
    gemm_naive((GemmShape){.m = p.m, .n = p.n, .k = p.k}, p.a, p.k, p.b, p.n, c, p.n);
    return memcmp(c, p.c, size * sizeof *c) == 0;
}

static void compare_bits(Lesson *lesson)
{
    section(lesson, "The same bits");
    enum { PARTS = 5 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    const Product p = random_product(arena, &rng, 201, 96, 600);
    float *room = arena_alloc(arena, room_for(p.n), sizeof *room);
    bool exact[WITH_LIBRARY];
    for (int s = 0; s < WITH_LIBRARY; s++) {
        memset(p.c, 0, (size_t)p.m * (size_t)p.n * sizeof *p.c);
        steps[s].runs(p, room);
        exact[s] = is_exact(arena, p);
        printf("%-20s %s\n", steps[s].name, exact[s] ? "the same" : "other bits");
    }
    printf("\n");
    bool all = true;
    for (int s = 0; s < WITH_LIBRARY; s++) all &= exact[s];
    claim(lesson, all,
          "(201 × 600) · (600 × 96): the five steps and the library give the bits of three plain loops");
    static const int shapes[][3] = {{1, 1, 1},     {13, 31, 255}, {14, 32, 256},
                                    {37, 45, 300}, {100, 7, 513}, {5, 130, 1030}};
    bool edges = true;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int parts = 1; parts <= PARTS; parts++) {
            const Product q = random_product(arena, &rng, shapes[i][0], shapes[i][1], shapes[i][2]);
            float *rooms = arena_alloc(arena, PARTS * room_with_edges(q.m, q.n, q.k), sizeof *rooms);
            on_threads(q, rooms, parts);
            edges &= is_exact(arena, q);
        }
    claim(lesson, edges, "with edges, for six shapes, on one to five threads: the same");
}

/*
## The clock

What is it worth? The five steps and the library take turns, on one thread, and of each the fastest of three runs
counts. The peak is measured too, by FMAs on registers alone. The rates are your machine's and go to standard error.
One sentence about them is true on all machines that have FMAs on wide vectors, with room to spare, and stands here as
a claim.
*/

static double flops_of(Product p) { return 2.0 * p.m * p.n * p.k; }

// FMAs on registers and nothing else: operations in a second
static double peak(void)
{
    enum { SUMS = 12, TIMES = 1 << 20 };
    volatile float factor = 0.5f;
    const Vector x = broadcast(factor);
    Vector sum[SUMS];
    UNROLL
    for (int i = 0; i < SUMS; i++) sum[i] = broadcast((float)i);
    const double start = seconds_now();
    for (int t = 0; t < TIMES; t++) {
        UNROLL
        for (int i = 0; i < SUMS; i++) sum[i] = fused(x, sum[i], x);
    }
    const double seconds = seconds_now() - start;
    float total[VECTOR_LANES];
    for (int i = 1; i < SUMS; i++) sum[0] = sum[0] + sum[i];
    store(total, sum[0]);
    factor = total[0]; // somebody wants the sums: they are not left out
    return 2.0 * SUMS * VECTOR_LANES * TIMES / seconds;
}

static void time_steps(Lesson *lesson)
{
    section(lesson, "The clock");
    enum { ROUNDS = 3, SIDE = 512 };
#ifdef __aarch64__
    const bool wide = true;
#else
    const bool wide = VECTOR_LANES > 4; // else fused is a function of the C library
#endif
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 2);
    const Product p = random_product(arena, &rng, SIDE, SIDE, SIDE);
    float *room = arena_alloc(arena, room_for(SIDE), sizeof *room);
    const int threads = parallel_threads();
    parallel_set_threads(1);
    double rate[WITH_LIBRARY] = {0}, most = 0.0;
    for (int r = 0; r < ROUNDS; r++) {
        most = fmax(most, peak());
        for (int s = 0; s < WITH_LIBRARY; s++) {
            const double start = seconds_now();
            steps[s].runs(p, room);
            rate[s] = fmax(rate[s], flops_of(p) / (seconds_now() - start));
        }
    }
    parallel_set_threads(threads);
    lesson_wipe_progress(lesson);
    for (int s = 0; s < WITH_LIBRARY; s++)
        fprintf(stderr, "%-20s %7.2f GF/s, %5.1f %% of the peak\n", steps[s].name, 1e-9 * rate[s],
                100.0 * rate[s] / most);
    claim(lesson, !wide || rate[4] >= 8.0 * rate[0],
          "512 × 512: blocks are at least 8 times as fast as row times column");
}

/*
At 512 × 512 the three matrices take 3 MB, and a processor with large caches that guesses well does not suffer much
from what step 3 does to the memory; with 1024 × 1024, and with rows at a distance of 4096 bytes, it does: `make bench
NAME=fast_product` has both.

## From here to `gemm.c`

The kernel in `common/matrix/gemm.c` is step 6 with the corners rounded. Its head comment says why; these are its
functions:

| here | in `gemm.c` | and what it adds |
|---|---|---|
| `tile` | `tile`, `tile_begin`, `tile_end` | asks for lines ahead of time; masks for the last columns; one address for three rows |
| `strip` | `tiles`, `strip` | heights 14, 8, 4, 2, 1, so that no tile has too few sums |
| `copy_rows` | `pack_strip`, `pack_a`, `copy_transposed` | transposed factors, in squares of 4 × 4 |
| `in_blocks` | `multiply` | packs only what pays: not when $M$ is small, or rows lie close together anyhow |
| `some_rows` | `rectangle`, `gemm` | rectangles; no threads for what takes less than waking them |
| | `dot_products`, `row_product` | one row times a matrix: no number of $B$ is used twice, so all depends on reading it once, in order |

The sizes there differ from ours: `BLOCK_K` is 1024, so that $C$ is fetched less often, and the strip comes from the
far cache as ours does. Such numbers are found by measuring, and none of them changes a bit.

## What to take along

- Arithmetic is cheap, fetching is dear. Count how often each number is fetched before you count multiplications.
- Registers first: a tile of $m \times v$ vectors needs $m + v$ loads for $m v$ FMAs. Then the caches, then the pages:
  at each level the same idea, to use again what is at hand.
- Distances that are powers of two put everything into the same few places of a cache. Copy what is read often.
- A sum is a chain. Many chains side by side cost nothing, and the order inside of each may stay as it was promised.

## Check yourself

**1.** Why may the compiler not make a vector of the sum in step 1?

<details><summary>Answer</summary>

A vector would add up several partial sums and join them at the end. That is another order of additions, and
floating-point addition gives other bits in another order. It may do so only when told that the order does not matter,
and then results depend on the machine.

</details>

**2.** Steps 1 and 2 do the same for each element of $C$, in the same order. Why is one many times faster?

<details><summary>Answer</summary>

In step 2, neighbours of a row of $C$ are updated together: they are independent sums, so they fill a vector, and many
are under way at a time. And $B$ is read along its rows, so that a line of 64 bytes serves 16 multiply-adds and not
one.

</details>

**3.** A tile of 4 × 1 vectors: how many loads for an FMA, and what else is wrong with it?

<details><summary>Answer</summary>

5 loads for 4 FMAs, 1.25: more than one, so loads set the pace. And four sums are under way where eight are needed,
which halves the speed even if all loads were free.

</details>

**4.** Packing a strip of $B$ copies $K \cdot 32$ numbers. For which products does it not pay?

<details><summary>Answer</summary>

Each copied number is used $M$ times. For $M = 1$, or a few rows, the copy costs as much as the product itself. It
pays little, too, when rows of $B$ are short and already lie side by side.

</details>

**5.** Somebody shares a product between two threads by giving each half of the terms, $k < K/2$ and $k \ge K/2$, and
adds the two results. What is lost?

<details><summary>Answer</summary>

The chain: $(a + b) + (c + d)$ is rounded otherwise than $((a + b) + c) + d$, so the bits depend on the number of
threads. And a second matrix $C$ has to be written, read and added.

</details>

## Sources

- Kazushige Goto and Robert van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM Transactions on
  Mathematical Software 34, 2008: which block belongs into which cache, packing, and the pages.
- Field Van Zee and Robert van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", ACM
  Transactions on Mathematical Software 41, 2015: all loops but the tile's are the same on every machine.

## The page, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "A-fast-product", "How the product is made fast");
    choose_a_tile(lesson);
    watch_all(lesson);
    compare_bits(lesson);
    time_steps(lesson);
    return lesson_end(lesson);
}
