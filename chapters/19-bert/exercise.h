// Exercises of chapter 19, BERT: what each task takes and gives back. Do not edit: write in exercise.c.
//
// Whole numbers (words, labels, lengths, classes, tags) stand in matrices of float. A list is a matrix of one row. Outputs are
// overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MOST_WORDS = 256 };

// TASK 19.1  Eighty, ten, ten. ids (1 × n) are words; those below `first` are special and never chosen, the others go from first
// to vocabulary − 1. draws (n × 3) holds three uniform numbers of [0, 1) for each: the word is chosen if the first is below
// rate. A chosen word becomes 1 ([MASK]) in seen if the second draw is below 0.8; if it is at least 0.8 and below 0.9, the word
// first + ⌊third · (vocabulary − first)⌋; otherwise it stays. labels: the word where it was chosen, −1 elsewhere.
// seen, labels (1 × n). Returns how many are chosen.
int hide_words(/* out */ Matrix seen, /* out */ Matrix labels, Matrix ids, Matrix draws, float rate,
               int first, int vocabulary);

// TASK 19.2  The loss of the game: the mean of −ln softmax(logits)_label over the rows whose label is not −1, and its gradient, which
// is 0 in all other rows. Where no row counts, loss and gradient are 0. Logits may be as large as ±10 000. Returns the loss.
// d_logits, logits (N × V); labels (N × 1)
float hidden_loss(/* out */ Matrix d_logits, Matrix logits, Matrix labels);

// TASK 19.3  One state for a whole sentence, without [CLS] and without padding: row b of out is the mean of the states of the positions
// 1 … length − 1 of sentence b; zeros where length is 1. states (B·T × C), row b · T + t; lengths (B × 1), each 1 … T; out (B × C).
void mean_of_words(/* out */ Matrix out, Matrix states, Matrix lengths);

// TASK 19.4  Macro-F1: for each class, F1 = 2 · right / (labelled so + called so); the mean over those of the classes 0 … classes − 1 that
// occur in truth or in called. truth, called (N × 1), N ≥ 1.
float mean_f1(Matrix truth, Matrix called, int classes);

// TASK 19.5  F1 of whole names. A name may have several words ("the sons of Heth"), so each word gets a tag: 0 for none, 2k − 1 where a
// name of type k begins, 2k where it goes on, k = 1, 2, …. A tag 2k behind anything but 2k − 1 or 2k of the same type begins a name as
// well. A name is right if truth and called have one of the same type with the same first and the same last word. F1 = 2 ·
// right / (names in truth + names called); 0 when there are none at all. truth, called (1 × n).
float span_f1(Matrix truth, Matrix called);
