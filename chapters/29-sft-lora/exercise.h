// Exercises of chapter 29, Fine-tuning: SFT and LoRA: what each task takes and gives back. Do not edit: write in
// exercise.c.
//
// T tokens or rows, I inputs, O outputs, r the rank of an adapter. Whole numbers stand in matrices of float. What is
// only written (out) is overwritten, whatever it held. No output is the memory of an input.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { SYSTEM, USER, ASSISTANT, TEMPLATE }; // who wrote a token or a message
enum { LABEL_IGNORED = -1 };                // of a position that does not count in the loss
enum { MOST_RANK = 64 };

// TASK 29.1  Labels for a loss on the answers only. ids (1 × T) are the tokens of a conversation in its chat template,
// and writer (1 × T) says who wrote each. Headers such as "<|im_start|>assistant\n" and the line ends between messages
// are the TEMPLATE's; an end-of-turn token belongs to the message that it ends. The label of a position is the token
// that follows, if the ASSISTANT wrote that one, and LABEL_IGNORED if somebody else did or none follows. All answers
// of the conversation count.
// Returns how many positions have a label other than LABEL_IGNORED. labels (1 × T), T ≥ 1
int answer_labels(/* out */ Matrix labels, Matrix ids, Matrix writer);

// TASK 29.2  A linear layer with an adapter of low rank:
//   low = x·A,   y = x·W + bias + s · low·B
// low, with its r columns, is needed by the backward pass too. Do not form A·B: its elements may be too large for a
// float, or so large that W is lost beside them, while those of low and y are of ordinary size.
// y (T × O), low (T × r), x (T × I), w (I × O), bias (1 × O), a (I × r), b (r × O), 1 ≤ r ≤ MOST_RANK
void lora_forward(/* out */ Matrix y, /* out */ Matrix low, Matrix x, Matrix w, Matrix bias, Matrix a,
                  Matrix b, float s);

// TASK 29.3  Its backward pass. d_y (T × O) is the gradient of the loss with respect to y; low is what lora_forward
// left. d_x (T × I) receives the gradient with respect to x, through W and through the adapter. Those with respect to
// A and B are added to what stands in d_a (I × r) and d_b (r × O), as when the gradients of several batches make one
// step. W and bias are frozen: they get none. Do not form A·B here either.
void lora_backward(/* out */ Matrix d_x, /* in/out */ Matrix d_a, /* in/out */ Matrix d_b, Matrix d_y,
                   Matrix x, Matrix low, Matrix w, Matrix a, Matrix b, float s);

// TASK 29.4  Merges the adapter into the weights, in their place: W ← W + s · A·B. Here the elements of A·B are of
// ordinary size. Beside a large element of W a single product a·b may be lost in rounding, where the sum of all r is
// not: add the whole sum at once. w (I × O), a (I × r), b (r × O), 1 ≤ r ≤ MOST_RANK
void lora_merge(/* in/out */ Matrix w, Matrix a, Matrix b, float s);

// TASK 29.5  Which messages stay when a conversation outgrows the context? roles (1 × n) are SYSTEM, USER or
// ASSISTANT: first the system's messages, if any, then those of the user and of the assistant, of which the first is
// the user's, and the last too: it waits for its answer. An exchange is a message of the user with all that the
// assistant said before the user's next: mostly one message, none where the user interrupted, or several. All of the
// system's messages stay, and the last message; and of the exchanges before it the latest, as many as fit: whole
// ones, and none that is older than one that goes. It fits when the tokens of what stays and the `room` that is kept
// for the answer are together at most `context`.
// kept (1 × n) receives 1 for a message that stays, 0 for one that goes.
// Returns how many tokens stay; −1, with all of kept 0, when even the system's messages and the last one do not fit.
// tokens (1 × n), each 1 … 16 000 000; n ≥ 1; 0 ≤ context, room ≤ 2 000 000 000. All tokens together may be more than
// an int holds.
int messages_to_keep(/* out */ Matrix kept, Matrix tokens, Matrix roles, int context, int room);
