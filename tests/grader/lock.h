// lock.h: a lock on one byte of a file, by which processes tell each other what is taken.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

// Takes the byte for this process, not for its children; the kernel gives it up when the process ends. false: errno is
// EAGAIN or EACCES when another process has it.
bool lock_byte(int file, off_t byte);

// Whether no other process has it.
bool byte_is_free(int file, off_t byte);
