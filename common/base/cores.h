// cores.h: which processors a program may use, and how its threads share them. OpenMP counts those that it can see. In a container
// it sees all of the machine's, even where the container's share of their time is that of two; then sixty-four threads wait for each
// other most of the time.
#pragma once

// How many processors' time the control groups grant (Linux, version 1 or 2; cpu.max, cpu.cfs_quota_us), the least along the path
// from this process's group up; 0: no limit. root: "" for this machine, or a folder that has its proc and sys (for tests).
double cores_quota(const char *root);

// Called once, when a program begins that has its machine for itself. Unless OMP_NUM_THREADS says how many, loops are shared between
// no more threads than the quota, rounded down: the others would wait for the one that is not granted its time. From now on
// cores_keep_apart does what it says, unless OMP_PROC_BIND or OMP_PLACES already say where threads belong.
void cores_begin(void);

// Each thread calls this at the beginning of a parallel region (gemm and the loops of parallel.h do). Where another program keeps a
// processor busy, the system often wakes a thread on that of the one which woke it; two then take turns on one processor, and each
// small product waits for both. When two of a team were met on one processor, the later one may not use those of the others for a
// tenth of a second. The first thread, which is the program's own, goes where it likes. Where this is refused, it is not tried again.
void cores_keep_apart(void);
