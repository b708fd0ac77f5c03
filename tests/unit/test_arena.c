// Memory by regions: alignment, pieces that stay where they are, marks, reuse, limits, and poisoning under
// MODE=asan.
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "suite.h"

enum { BLOCK = UNDER_ASAN ? 1 << 16 : 1 << 22 }; // as in arena.c: a larger piece gets a block of its own

// Fills a piece with bytes that belong to it alone, and looks whether they are still there.
static void sign(unsigned char *piece, size_t size, int owner)
{
    for (size_t i = 0; i < size; i++) piece[i] = (unsigned char)(i * 31 + (size_t)owner * 17 + (i >> 8));
}

static bool signed_by(const unsigned char *piece, size_t size, int owner)
{
    for (size_t i = 0; i < size; i++)
        if (piece[i] != (unsigned char)(i * 31 + (size_t)owner * 17 + (i >> 8))) return false;
    return true;
}

// ---- Handing out ------------------------------------------------------------------------------------------

START_TEST(every_piece_is_aligned_to_64_bytes)
{
    Arena *arena = arena_new();
    for (size_t size = 0; size < 300; size++) {
        void *piece = arena_alloc(arena, size, 1);
        ck_assert_msg((uintptr_t)piece % 64 == 0, "a piece of %zu bytes lies at %p", size, piece);
    }
    ck_assert_uint_eq((uintptr_t)arena_zeros(arena, BLOCK + 1, 1) % 64, 0);
    ck_assert_uint_eq((uintptr_t)arena_alloc(arena, 3, sizeof(double)) % 64, 0);
    arena_free(arena);
}
END_TEST

START_TEST(growing_never_moves_or_overwrites_what_was_handed_out)
{
    enum { PIECES = 400 };
    Arena *arena = arena_new();
    Rng rng = rng_new(7, 0);
    unsigned char *pieces[PIECES];
    size_t sizes[PIECES];
    for (int i = 0; i < PIECES; i++) {
        sizes[i] = rng_below(&rng, i % 20 == 0 ? BLOCK / 4 : 4000);
        pieces[i] = arena_alloc(arena, sizes[i], 1);
        sign(pieces[i], sizes[i], i);
    }
    ck_assert_uint_gt(arena_blocks(arena), 2);
    for (int i = 0; i < PIECES; i++)
        ck_assert_msg(signed_by(pieces[i], sizes[i], i), "piece %d was overwritten", i);
    arena_free(arena);
}
END_TEST

START_TEST(pieces_larger_than_a_block_are_whole)
{
    Arena *arena = arena_new();
    unsigned char *before = arena_alloc(arena, 100, 1), *large = arena_alloc(arena, 5, BLOCK);
    unsigned char *after = arena_alloc(arena, 100, 1);
    sign(before, 100, 1);
    sign(large, (size_t)5 * BLOCK, 2);
    sign(after, 100, 3);
    ck_assert(signed_by(before, 100, 1) && signed_by(large, (size_t)5 * BLOCK, 2) &&
              signed_by(after, 100, 3));
    arena_free(arena);
}
END_TEST

START_TEST(a_piece_of_nothing_has_an_address_of_its_own)
{
    Arena *arena = arena_new();
    void *first = arena_alloc(arena, 0, 8), *second = arena_alloc(arena, 8, 0),
         *third = arena_zeros(arena, 0, 0);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_ne(first, second);
    ck_assert_ptr_ne(second, third);
    arena_free(arena);
}
END_TEST

START_TEST(zeros_are_zero_in_memory_that_was_used_before)
{
    Arena *arena = arena_new();
    ArenaMark mark = arena_mark(arena);
    memset(arena_alloc(arena, 10000, 1), 0xff, 10000);
    arena_rewind(arena, mark);
    const unsigned char *again = arena_zeros(arena, 2500, 4);
    for (int i = 0; i < 10000; i++) ck_assert_msg(again[i] == 0, "byte %d is %d", i, again[i]);
    arena_free(arena);
}
END_TEST

START_TEST(a_string_is_copied_with_its_end)
{
    Arena *arena = arena_new();
    memset(arena_alloc(arena, 1000, 1), 'x', 1000);
    arena_reset(arena); // an end that is not copied would not be there by chance
    char text[] = "梯度 descent";
    char *kept = arena_string(arena, text);
    text[0] = 'X';
    ck_assert_str_eq(kept, "梯度 descent");
    ck_assert_str_eq(arena_string(arena, ""), "");
    arena_free(arena);
}
END_TEST

// ---- Marks and reuse --------------------------------------------------------------------------------------

START_TEST(a_rewound_piece_is_handed_out_again)
{
    Arena *arena = arena_new();
    void *kept = arena_alloc(arena, 1000, 1);
    ArenaMark mark = arena_mark(arena);
    void *first = arena_alloc(arena, 1000, 1);
    arena_rewind(arena, mark);
    ck_assert_ptr_eq(arena_alloc(arena, 1000, 1), first);
    arena_rewind(arena, mark); // a mark may be rewound to many times
    ck_assert_ptr_eq(arena_alloc(arena, 20, 1), first);
    arena_reset(arena);
    ck_assert_ptr_eq(arena_alloc(arena, 1, 1), kept);
    arena_free(arena);
}
END_TEST

START_TEST(a_mark_of_an_empty_arena_gives_back_everything)
{
    Arena *arena = arena_new();
    ck_assert_uint_eq(arena_blocks(arena), 0); // nothing is taken from the system before it is needed
    ArenaMark mark = arena_mark(arena);
    for (int i = 0; i < 10; i++) arena_alloc(arena, BLOCK / 3, 1);
    arena_rewind(arena, mark);
    ck_assert_uint_eq(arena_used(arena), 0);
    arena_free(arena);
}
END_TEST

// Random allocations, marks and rewinds, with every living piece looked at after each.
START_TEST(nested_marks_keep_what_came_before_them)
{
    enum { MOST = 300, STEPS = 600 };
    Arena *arena = arena_new();
    Rng rng = rng_new(11, 0);
    unsigned char *pieces[MOST];
    size_t sizes[MOST], used[MOST];
    ArenaMark marks[MOST]; // marks[i] was taken when i pieces lived
    int living = 0;
    for (int step = 0; step < STEPS; step++) {
        if (living == MOST || rng_below(&rng, 12) == 0) {
            const int kept = (int)rng_below(&rng, (uint32_t)living + 1);
            if (kept == living) continue; // no mark was taken behind the last
            living = kept;
            arena_rewind(arena, marks[living]);
            ck_assert_uint_eq(arena_used(arena), used[living]);
        }
        marks[living] = arena_mark(arena);
        used[living] = arena_used(arena);
        sizes[living] = rng_below(&rng, rng_below(&rng, 50) == 0 ? BLOCK * 2 : 6000);
        pieces[living] = arena_alloc(arena, sizes[living], 1);
        sign(pieces[living], sizes[living], living);
        living++;
        int looked_at = (int)rng_below(&rng, (uint32_t)living); // looking at all each time would take long
        ck_assert_msg(signed_by(pieces[looked_at], sizes[looked_at], looked_at), "step %d: piece %d", step,
                      looked_at);
    }
    for (int i = 0; i < living; i++)
        ck_assert_msg(signed_by(pieces[i], sizes[i], i), "at the end: piece %d", i);
    arena_free(arena);
}
END_TEST

START_TEST(a_warm_loop_asks_the_system_for_nothing)
{
    Arena *arena = arena_new();
    arena_alloc(arena, 1000, 1);
    size_t blocks = 0, peak = 0;
    for (int step = 0; step < 20; step++) {
        ArenaMark mark = arena_mark(arena);
        arena_alloc(arena, BLOCK / 2, 1);
        arena_alloc(arena, 3, BLOCK); // passes over what is left of the first block
        arena_alloc(arena, BLOCK - 200, 1);
        arena_alloc(arena, BLOCK / 2, 1);
        arena_alloc(arena, 2, BLOCK);
        arena_rewind(arena, mark);
        if (step == 0) blocks = arena_blocks(arena), peak = arena_peak(arena);
    }
    ck_assert_uint_gt(blocks, 3);
    ck_assert_uint_eq(arena_blocks(arena), blocks);
    ck_assert_uint_eq(arena_peak(arena), peak);
    arena_free(arena);
}
END_TEST

START_TEST(waiting_blocks_that_are_too_small_serve_later_pieces)
{
    Arena *arena = arena_new();
    arena_alloc(arena, BLOCK / 2, 1);
    arena_alloc(arena, BLOCK * 3 / 4, 1); // two ordinary blocks
    arena_reset(arena);
    void *large = arena_alloc(arena, 3, BLOCK); // both are too small for this
    sign(large, (size_t)3 * BLOCK, 1);
    ck_assert_uint_eq(arena_blocks(arena), 3);
    arena_reset(arena);
    arena_alloc(arena, BLOCK / 2, 1);
    arena_alloc(arena, BLOCK * 3 / 4, 1);
    ck_assert_ptr_eq(arena_alloc(arena, 3, BLOCK - 64), large);
    ck_assert_uint_eq(arena_blocks(arena), 3);
    arena_free(arena);
}
END_TEST

START_TEST(used_and_peak_count_whole_cache_lines)
{
    size_t gap = UNDER_ASAN ? 64 : 0; // poisoned, behind each piece
    Arena *arena = arena_new();
    arena_alloc(arena, 1, 1);
    ck_assert_uint_eq(arena_used(arena), 64 + gap);
    arena_alloc(arena, 65, 1);
    ck_assert_uint_eq(arena_used(arena), 192 + 2 * gap);
    ArenaMark mark = arena_mark(arena);
    arena_alloc(arena, 2, BLOCK); // in the next block: what is left of the first does not count
    ck_assert_uint_eq(arena_used(arena), 192 + 2 * gap + 2 * BLOCK + gap);
    arena_rewind(arena, mark);
    ck_assert_uint_eq(arena_used(arena), 192 + 2 * gap);
    arena_alloc(arena, 1000, 1);
    ck_assert_uint_eq(arena_peak(arena), 192 + 2 * gap + 2 * BLOCK + gap);
    arena_reset(arena);
    ck_assert_uint_eq(arena_used(arena), 0);
    arena_free(arena);
}
END_TEST

START_TEST(freeing_no_arena_is_allowed)
{
    arena_free(NULL);
    arena_free(arena_new());
}
END_TEST

// ---- Asking for too much, and spent marks -----------------------------------------------------------------

typedef struct {
    size_t limit, count, size;
} Wish;

static void make_a_wish(void *context)
{
    const Wish *wish = context;
    arena_alloc_at((Place){"dream.c", 5}, arena_new_limited(wish->limit), wish->count, wish->size);
}

START_TEST(sizes_that_overflow_stop_with_the_callers_place)
{
    const char *message = "error: dream.c:5: the size ";
    expect_death(make_a_wish, (&(Wish){SIZE_MAX, SIZE_MAX / 2, 3}), message);
    expect_death(make_a_wish, (&(Wish){SIZE_MAX, (size_t)1 << 32, (size_t)1 << 32}), message);
    expect_death(make_a_wish, (&(Wish){SIZE_MAX, SIZE_MAX - 10, 1}), message); // only its padding overflows
}
END_TEST

START_TEST(a_size_that_the_system_refuses_stops_with_the_callers_place)
{
    expect_death(make_a_wish, (&(Wish){SIZE_MAX, (size_t)1 << 40, 1 << 20}),
                 "error: dream.c:5: no memory: the system refused ");
}
END_TEST

START_TEST(passing_the_limit_stops_with_numbers_and_a_remedy)
{
    expect_death(make_a_wish, (&(Wish){1 << 20, 1 << 21, 1}),
                 UNDER_ASAN ? "error: dream.c:5: the arena is full: 2097216 more bytes would pass its limit "
                              "of 1048576 (0 taken)\n"
                            : "error: dream.c:5: the arena is full: 2097152 more bytes would pass its limit "
                              "of 1048576 (0 taken)\n");
    expect_death(make_a_wish, (&(Wish){1 << 20, 1 << 21, 1}),
                 " hint: use smaller matrices or batches, or rewind");
}
END_TEST

static void fill_up(void *context)
{
    size_t *room = context;
    Arena *arena = arena_new_limited(*room);
    for (int i = 0; i < 1000; i++) arena_alloc_at((Place){"dream.c", i}, arena, BLOCK / 4, 1);
}

START_TEST(a_limit_counts_all_blocks)
{
    size_t room = (size_t)10 * BLOCK + BLOCK / 4; // ten blocks of four pieces, and a last small block
    const char *place = UNDER_ASAN ? "dream.c:30:" : "dream.c:41:"; // with its gap, a piece is over a quarter
    expect_death(fill_up, &room, place);
}
END_TEST

static void ask_for_one_more(void *arena) { arena_alloc_at((Place){"dream.c", 9}, arena, 1, 1); }

START_TEST(a_limit_below_one_block_can_be_used_to_the_end)
{
    Arena *arena = arena_new_limited(1000); // 15 lines of 64 bytes
    for (int i = 0; i < (UNDER_ASAN ? 7 : 15); i++) memset(arena_alloc(arena, 64, 1), 1, 64);
    ck_assert_uint_eq(arena_blocks(arena), 1);
    expect_death(ask_for_one_more, arena, "dream.c:9: the arena is full");
    arena_free(arena);
}
END_TEST

static void rewind_twice(void *context)
{
    Arena *arena = context;
    ArenaMark early = arena_mark(arena);
    arena_alloc(arena, 1000, 1);
    ArenaMark late = arena_mark(arena);
    arena_rewind(arena, early);
    arena_rewind(arena, late);
}

START_TEST(a_spent_mark_stops_the_program)
{
    Arena *arena = arena_new();
    expect_death(rewind_twice, arena, "this mark was rewound before\n hint: a mark is spent");
    arena_alloc(arena, 10, 1);
    expect_death(rewind_twice, arena, "this mark was rewound before\n hint: a mark is spent");
    arena_free(arena);
}
END_TEST

static void rewind_another(void *context)
{
    Arena *model = context, *step = arena_new();
    arena_alloc(step, 1, 1);
    arena_rewind(model, arena_mark(step));
}

START_TEST(the_mark_of_another_arena_stops_the_program)
{
    Arena *model = arena_new();
    expect_death(rewind_another, model, "this mark is of another arena");
    arena_alloc(model, 1, 1);
    expect_death(rewind_another, model, "this mark is of another arena");
    arena_free(model);
}
END_TEST

// ---- Under AddressSanitizer -------------------------------------------------------------------------------

static void write_past_the_end(void *context)
{
    const size_t *size = context;
    Arena *arena = arena_new();
    volatile char *piece = arena_alloc(arena, *size, 1);
    arena_alloc(arena, *size, 1); // a neighbour does not hide it
    piece[*size] = 1;
}

START_TEST(writing_past_the_end_is_caught)
{
    for (size_t size = 0; size <= 192; size += 32)
        expect_asan_report(write_past_the_end, &size, "use-after-poison");
    expect_asan_report(write_past_the_end, (&(size_t){BLOCK}), "use-after-poison");
}
END_TEST

static void read_after_rewind(void *context)
{
    const size_t *size = context;
    Arena *arena = arena_new();
    arena_alloc(arena, 1, 1);
    ArenaMark mark = arena_mark(arena);
    volatile char *piece = arena_zeros(arena, *size, 1);
    arena_rewind(arena, mark);
    (void)piece[*size / 2];
}

START_TEST(reading_after_a_rewind_is_caught)
{
    expect_asan_report(read_after_rewind, (&(size_t){100}), "use-after-poison");
    expect_asan_report(read_after_rewind, (&(size_t){(size_t)3 * BLOCK}),
                       "use-after-poison"); // in a block of its own
}
END_TEST

static void read_after_reset(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    volatile char *piece = arena_zeros(arena, 10, 1);
    arena_reset(arena);
    arena_alloc(arena, 5, 1); // has the same address, but is shorter
    (void)piece[7];
}

START_TEST(a_reused_piece_is_only_as_long_as_asked_for)
{
    expect_asan_report(read_after_reset, NULL, "use-after-poison");
}
END_TEST

SUITE("arena", every_piece_is_aligned_to_64_bytes, growing_never_moves_or_overwrites_what_was_handed_out,
      pieces_larger_than_a_block_are_whole, a_piece_of_nothing_has_an_address_of_its_own,
      zeros_are_zero_in_memory_that_was_used_before, a_string_is_copied_with_its_end,
      a_rewound_piece_is_handed_out_again, a_mark_of_an_empty_arena_gives_back_everything,
      nested_marks_keep_what_came_before_them, a_warm_loop_asks_the_system_for_nothing,
      waiting_blocks_that_are_too_small_serve_later_pieces, used_and_peak_count_whole_cache_lines,
      freeing_no_arena_is_allowed, sizes_that_overflow_stop_with_the_callers_place,
      a_size_that_the_system_refuses_stops_with_the_callers_place,
      passing_the_limit_stops_with_numbers_and_a_remedy, a_limit_counts_all_blocks,
      a_limit_below_one_block_can_be_used_to_the_end, a_spent_mark_stops_the_program,
      the_mark_of_another_arena_stops_the_program, writing_past_the_end_is_caught,
      reading_after_a_rewind_is_caught, a_reused_piece_is_only_as_long_as_asked_for)
