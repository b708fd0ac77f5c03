// toolchain.h: the compiler's steps, from a C file in the workshop's folder to a worker, and who is to blame
// when one of them fails.
//
// Nothing that a tool says decides that: a student can make it say anything. A step that failed is tried once
// more while no other submission is at work; when it fails again, a small file of the grader's own goes
// through the same tools in the same folder. Only when that one passes is it the student's doing.
#pragma once
#include "tests/grader/submission.h"
#include "tests/grader/tool.h"

typedef enum { PREPROCESS, COMPILE, ASSEMBLE, PREPARE, LINK, STEP_COUNT } Step;

// What each step makes of exercise.c.
#define LIST_OF_FILES "exercise.d"
#define PREPROCESSED  "exercise.i"
#define LISTING       "exercise.s"
#define OBJECT        "exercise.o"

enum { BUILD_SECONDS = 6, IDLE_SECONDS = 10 }; // for all steps of one submission together

// Takes the step for exercise.c. What the tool said stands in said. false: built says why not.
bool toolchain_step(const Workshop *workshop, Step step, Built *built, char *said, size_t size);

// Any other tool on a file of the folder; false when it did not end as it should.
bool toolchain_ask(const Workshop *workshop, const char *const *arguments, char *said, size_t size);

// The folder in which path lies, if the tools may read all of that folder: the system's, or the compiler's
// own. NULL: path is out of their reach, but for what the build prepared.
const char *readable_place(const char *compiler, const char *path);

// Whether this kernel keeps the tools from reading anything else (Landlock).
bool tools_are_fenced(void);

// As whom the tools run: as root they have the workshop's user, if that can read what the build prepared; 0
// otherwise.
unsigned tools_user(const Workshop *workshop);

// folder/name; "" when that is too long.
void join(char *out, size_t size, const char *folder, const char *name);

// Writes a file that the tools may read and change.
bool toolchain_write(const Workshop *workshop, const char *name, const char *text);
