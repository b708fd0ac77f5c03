#include "lesson/processes.h"
#include "base/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 48, PROGRAM_WORDS = 24 };

Child processes_run(char *const *arguments, Processes how)
{
    static char as_root[] = "--allow-run-as-root", host_file[] = "--hostfile";
    char count[16], hosts[4096];
    snprintf(count, sizeof count, "%d", how.count);
    snprintf(hosts, sizeof hosts, "%s", how.hosts ? how.hosts : "");
    char *words[WORDS] = {
        (char[]){"mpirun"},
        (char[]){"-n"},
        count,
        (char[]){"--map-by"}, // more processes than cores
        (char[]){"slot:OVERSUBSCRIBE"},
        (char[]){"--bind-to"},
        (char[]){"none"},
        (char[]){
            "--mca"}, // a container forbids reading another process's memory, which is tried otherwise and told
        (char[]){"btl_vader_single_copy_mechanism"},
        (char[]){"none"},
        (char[]){"-x"},
        (char[]){"OMP_NUM_THREADS=1"},
        (char[]){"-x"}, // what MPI keeps until the end is no leak of ours
        (char[]){"ASAN_OPTIONS=detect_leaks=0"},
    };
    int used = 0, given = 0;
    while (words[used]) used++;
    if (geteuid() == 0) words[used++] = as_root;
    if (how.hosts) {
        words[used++] = host_file;
        words[used++] = hosts;
    }
    while (arguments[given]) given++;
    check(given <= PROGRAM_WORDS, "give it fewer", "%d words for a program, and at most %d", given,
          PROGRAM_WORDS);
    for (int i = 0; i < given; i++) words[used++] = arguments[i];
    return child_run(words, how.log, true, how.seconds);
}

int processes_lost(const char *log, int *by)
{
    FILE *file = fopen(log, "r");
    char line[1024];
    int rank = -1;
    while (file && rank < 0 && fgets(line, sizeof line, file)) {
        const char *process = strstr(line, "process rank "), *signal = strstr(line, "on signal ");
        if (!process || sscanf(process, "process rank %d", &rank) != 1) continue;
        // The rest may stand on the next line.
        while (!signal && fgets(line, sizeof line, file)) signal = strstr(line, "on signal ");
        if (!signal || sscanf(signal, "on signal %d", by) != 1) rank = -1;
    }
    if (file) fclose(file);
    return rank;
}
