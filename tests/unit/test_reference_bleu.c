// BLEU against NLTK: the corpora of tests/reference/bleu.txt.
#include "reference_numbers.h"
#include "learning/bleu.h"

enum { REFERENCES = 3 };

// Row i up to the first −1
static BleuText text_of_row(const int *numbers, Matrix m, int i)
{
    BleuText text = {numbers + i * m.cols, 0};
    while (text.count < m.cols && text.tokens[text.count] >= 0) text.count++;
    return text;
}

START_TEST(corpora_of_one_two_and_three_references)
{
    Reference r = reference_open("bleu");
    const Matrix scores = given(&r, "scores");
    for (int corpus = 0; corpus < scores.rows; corpus++) {
        char name[64];
        const int references = (int)AT(scores, corpus, 0);
        snprintf(name, sizeof name, "written%d", corpus);
        const Matrix written = given(&r, name);
        const int *numbers = whole_numbers(&r, name), *theirs[REFERENCES] = {NULL};
        for (int n = 0; n < references; n++) {
            snprintf(name, sizeof name, "reference%d.%d", corpus, n);
            theirs[n] = whole_numbers(&r, name);
        }
        Bleu bleu = {0};
        for (int i = 0; i < written.rows; i++) {
            BleuText texts[REFERENCES] = {{NULL, 0}};
            for (int n = 0; n < references; n++) texts[n] = text_of_row(theirs[n], written, i);
            bleu_count(&bleu, text_of_row(numbers, written, i), texts, references);
        }
        ck_assert_double_eq_tol(bleu_score(&bleu), (double)AT(scores, corpus, 1), 1e-6);
    }
    reference_close(&r);
}
END_TEST

SUITE("reference_bleu", corpora_of_one_two_and_three_references)
