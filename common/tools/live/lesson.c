// lesson.c: what a page in the browser needs of lesson/lesson.h. There is no command line and no terminal, a claim is the business
// of the chapter's own run, and what a lesson prints is its page.
#include "lesson/lesson.h"

#include <time.h>

struct Lesson {
    Arena *arena;
};

Lesson *lesson_begin(int argc, char **argv, const char *folder, const char *title)
{
    static Lesson lesson;
    (void)argc, (void)argv, (void)folder, (void)title;
    lesson.arena = arena_new();
    return &lesson;
}

Arena *lesson_arena(Lesson *lesson) { return lesson->arena; }

// The book's seed.
Rng lesson_rng(const Lesson *lesson, uint64_t stream)
{
    (void)lesson;
    return rng_new(1, stream);
}

void section(Lesson *lesson, const char *title) { (void)lesson, (void)title; }

void claim_at(Place place, Lesson *lesson, bool holds, const char *format, ...)
{
    (void)lesson, (void)format;
    check_at(place, holds, NULL, "a claim of the chapter does not hold here");
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
