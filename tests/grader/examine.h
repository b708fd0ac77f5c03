// examine.h: runs a chapter's tests on one worker program and gives points.
//
// The tests are those of tests/exercises/exercise_NN.c, and one or more hidden ones for each task, in
// tests/grader/hidden_NN.c: they draw ordinary inputs from the seed and compare with the reference. A task's
// points count only when its hidden tests pass too, so that answers made up for the known tests are worth
// nothing. A call that does not give back the memory that it took costs a fifth of its task's points.
#pragma once
#include "caller.h"

enum { MOST_RESULTS = 120 };

typedef struct {
    char task[16], test[96];
    bool hidden;
    int points, most; // points given, and the most there were to have
    Status status;
    uint32_t leaked;
    uint64_t address;
    char message[600], output[256]; // for the teacher; hidden tests' messages are not for the student
    double seconds;
} Result;

// The results, all NOT_RUN: the list of what must be there at the end. Returns how many, or −1 with why when
// the chapter's tables do not fit together.
int examine_expected(Result *results, char *why, size_t why_size);

// Runs everything; or, with results that are there, only the hidden tests again. worker_jail is set.
// spent: seconds that the submission has used up before, of 20 that it has in all; returns them with those of the tests.
double examine(Result *results, int count, uint64_t seed, bool hidden_only, double spent);

// For every test the same: nothing was run, and this is why.
void examine_none(Result *results, int count, Status status, const char *message);
