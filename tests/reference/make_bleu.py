#!/usr/bin/env python3
"""Writes bleu.txt, with NLTK 3.8 (Debian 12's python3-nltk).

    python3 tests/reference/make_bleu.py

tests/unit/test_reference_bleu.c compares the library with it, as make.py says of the other files. A corpus is four matrices with
one text a row, −1 behind its end: what was written, and three references, of which the first `references` count. Candidates are
references with words replaced, left out and repeated, so that clipping, brevity and the nearest length matter.
"""
import os
import random

from nltk.translate.bleu_score import corpus_bleu

HERE = os.path.dirname(os.path.abspath(__file__))
SENTENCES = 12
random.seed(17)


def damaged(text, damage, words):
    out = []
    for word in text:
        if random.random() < damage:
            kind = random.randrange(4)
            out += [[], [word, word], [random.randrange(words)], [random.randrange(words), word]][kind]
        else:
            out.append(word)
    return out or [0]


def matrix(texts, width):
    return [text + [-1] * (width - len(text)) for text in texts]


def lines(name, rows):
    yield "%s %d %d" % (name, len(rows), len(rows[0]))
    for row in rows:
        yield " ".join("%.9g" % value for value in row)


with open(os.path.join(HERE, "bleu.txt"), "w") as file:
    print("# NLTK: corpora and their BLEU; make_bleu.py says more", file=file)
    scores = []
    for number, (references, damage, words, shorter) in enumerate(
            [(1, 0.1, 50, 0), (1, 0.2, 8, 0), (2, 0.3, 12, 0), (3, 0.3, 5, 0), (3, 0.2, 20, 3), (2, 0.1, 3, 1), (1, 0.5, 40, 0)]):
        truth = [[random.randrange(words) for _ in range(random.randint(4, 18))] for _ in range(SENTENCES)]
        theirs = [[damaged(text, damage / 2, words) for text in truth] for _ in range(3)]
        written = [damaged(text, damage, words)[:max(4, len(text) - shorter)] for text in truth]
        width = max(len(text) for text in written + sum(theirs, []))
        for line in lines("written%d" % number, matrix(written, width)):
            print(line, file=file)
        for r in range(3):
            for line in lines("reference%d.%d" % (number, r), matrix(theirs[r], width)):
                print(line, file=file)
        score = corpus_bleu([[theirs[r][i] for r in range(references)] for i in range(SENTENCES)], written)
        scores.append([references, score])
    for line in lines("scores", scores):
        print(line, file=file)
