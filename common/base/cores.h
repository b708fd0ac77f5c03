// cores.h: how many processors a program may use. OpenMP counts those that it can see. In a container it sees all of the
// machine's, even where the container's share of their time is that of two; then sixty-four threads wait for each other most
// of the time.
#pragma once

// How many processors' time the control groups grant (Linux, version 1 or 2; cpu.max, cpu.cfs_quota_us), the least along the path
// from this process's group up; 0: no limit. root: "" for this machine, or a folder that has its proc and sys (for tests).
double cores_quota(const char *root);

// Unless OMP_NUM_THREADS says how many, loops are shared between no more threads than that, rounded down: the others would
// wait for the one that is not granted its time. Called once, when a program begins.
void cores_obey_quota(void);
