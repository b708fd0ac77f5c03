// windows.h: the product at the heart of a convolution. Its first factor is never stored: each row of it is what a
// window shows of a picture, so the rows overlap, and a row lies in several pieces, one for each line of the window.
//
//     C[i, j] = start + Σ_p Σ_t A[i·a_row + p·a_piece + t·a_term] · B[p·b_piece + t·b_term + j]
//
// with p below pieces and t below terms: one chain of fused multiply-adds in this order, starting from C when
// accumulating, else from the bias, else from 0. As in gemm.h, vectors run across the columns j, so the bits depend on
// neither their width nor the number of threads. It runs on the thread that calls it.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int rows, columns; // of C
    int pieces, terms; // of each sum; 0: there is only the start
    const float *a;    // either a_term = 1 (a row is a window), or a_row = 1 (the transpose of that)
    size_t a_row, a_piece, a_term;
    const float *b;
    size_t b_piece, b_term;
    float *c;
    size_t c_row;      // from one row of C to the next
    const float *bias; // (columns), or NULL
    bool accumulate;   // add to C
    bool relu;         // C = max(0, the sum)
} WindowProduct;

void window_product(const WindowProduct *p);
void window_product_naive(const WindowProduct *p); // four plain loops with the same chain: the oracle
