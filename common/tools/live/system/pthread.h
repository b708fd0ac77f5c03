// pthread.h: for a system without threads: what the library asks of them (matrix/gemm.c keeps one piece of memory for each).
#pragma once

typedef struct {
    const void *value;
} OneThreadsKey;
typedef int OneThreadsOnce;
#define pthread_key_t     OneThreadsKey
#define pthread_once_t    OneThreadsOnce
#define PTHREAD_ONCE_INIT 0

static inline int pthread_key_create(OneThreadsKey *key, void (*at_end)(void *))
{
    (void)at_end; // the thread ends with the page
    key->value = 0;
    return 0;
}
static inline int pthread_once(OneThreadsOnce *done, void (*call)(void))
{
    if (!*done) call();
    *done = 1;
    return 0;
}
#define pthread_getspecific(key)        ((void *)(key).value)
#define pthread_setspecific(key, place) ((key).value = (place), 0)
