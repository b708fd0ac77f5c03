// distance.h: how far two processors lie apart, in nanoseconds. Two that share a cache pass a line of it to and fro within some
// fifty; a virtual machine's may be moved by its host to where it takes three hundred, and be moved back a minute later. Small steps
// on two threads are slow meanwhile, whoever computes them: softmax 0.73 instead of 1.73 M samples/s, lenet 47 instead of 62 k.
#pragma once

// There and back between the first two threads, for about 2 ms; NAN where there is one thread, or one processor for both.
double processors_distance(void);
