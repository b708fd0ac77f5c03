// tokenizer_write.c: writing tokenizer.json. See tokenizer.h.
//
// What was read from a file is written as it was understood: Digits as the Split that does the same, fields that are not
// read as Hugging Face's library writes them where they are not used.
#include "files/json.h"
#include "base/replace.h"
#include "models/tokenizer_parts.h"

#include <stdlib.h>

static void write_text(FILE *out, Bytes text) { json_write_string(out, text.bytes, text.size); }

static void write_piece(FILE *out, const Tokenizer *t, int id)
{
    TokenizerPiece piece = t->pieces[id];
    if (t->kinds[id] != BYTE_PIECE) {
        write_text(out, (Bytes){piece.bytes, piece.size});
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < piece.size; i++) {
        char letter[2];
        size_t size = to_letters((Bytes){piece.bytes + i, 1}, letter);
        if (letter[0] == '"' || letter[0] == '\\') fputc('\\', out);
        fwrite(letter, 1, size, out);
    }
    fputc('"', out);
}

static const char *truth(bool value) { return value ? "true" : "false"; }

// Of the rest of its settings a token that is sought before and after normalising has the same in both entries.
static void write_added_token(FILE *out, const AddedToken *token, bool after, const char **between)
{
    fprintf(out, "%s\n    {\"id\": %d, \"content\": ", *between, token->id);
    write_text(out, token->content);
    fprintf(out,
            ", \"single_word\": %s, \"lstrip\": %s, \"rstrip\": %s, \"normalized\": %s, \"special\": %s}",
            truth(token->single_word), truth(token->lstrip), truth(token->rstrip), truth(after),
            truth(token->special));
    *between = ",";
}

static int by_number(const void *left, const void *right)
{
    const AddedToken *const *a = left, *const *b = right;
    return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

static void write_added(FILE *out, Place place, const Tokenizer *t)
{
    Arena *arena = arena_new();
    const AddedToken **sorted = arena_alloc_at(place, arena, (size_t)t->added_count, sizeof *sorted);
    for (int i = 0; i < t->added_count; i++) sorted[i] = &t->added[i];
    if (t->added_count) qsort(sorted, (size_t)t->added_count, sizeof *sorted, by_number);
    fputs("  \"added_tokens\": [", out);
    const char *between = "";
    for (int i = 0; i < t->added_count; i++)
        for (int after = 0; after < 2; after++)
            if (sorted[i]->sought[after]) write_added_token(out, sorted[i], after, &between);
    fputs("\n  ],\n", out);
    arena_free(arena);
}

static void write_normaliser(FILE *out, const Tokenizer *t)
{
    fputs("  \"normalizer\": ", out);
    if (t->form_count == 0) fputs("null", out);
    if (t->form_count > 1) fputs("{\"type\": \"Sequence\", \"normalizers\": [", out);
    for (int f = 0; f < t->form_count; f++)
        fprintf(out, "%s{\"type\": \"%s\"}", f ? ", " : "", normal_form_names[t->forms[f]]);
    if (t->form_count > 1) fputs("]}", out);
    fputs(",\n", out);
}

static void write_byte_level(FILE *out, bool prefix, bool regex)
{
    fprintf(out,
            "{\"type\": \"ByteLevel\", \"add_prefix_space\": %s, \"trim_offsets\": false, \"use_regex\": %s}",
            truth(prefix), truth(regex));
}

// The blank in front is a setting of ByteLevel, and what comes behind it is ByteLevel's own pattern.
static void write_pretokeniser(FILE *out, const Tokenizer *t)
{
    fputs("  \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [\n", out);
    int k = 0;
    for (; k < t->step_count && !t->steps[k].prefix; k++) {
        const Step *step = &t->steps[k];
        fprintf(out, "    {\"type\": \"Split\", \"pattern\": {\"%s\": ", step->literal ? "String" : "Regex");
        write_text(out, step->pattern);
        fprintf(out, "}, \"behavior\": \"%s\", \"invert\": %s},\n", behaviour_names[step->behaviour],
                truth(step->inverted));
    }
    fputs("    ", out);
    write_byte_level(out, k < t->step_count, k + 1 < t->step_count);
    fputs("\n  ]},\n", out);
}

// Whether the tokens that are in the list of added ones only have the numbers behind the vocabulary's, in order. Hugging
// Face's library gives them these numbers whatever the list says, unless the vocabulary has them too.
static bool follow_vocabulary(const Tokenizer *t)
{
    int vocabulary = 0;
    for (int id = 0; id < t->size; id++) vocabulary += t->pieces[id].bytes && t->kinds[id] != ADDED_PIECE;
    for (int id = 0; id < t->size; id++)
        if (t->pieces[id].added && (t->kinds[id] == ADDED_PIECE) != (id >= vocabulary)) return false;
    for (int id = vocabulary; id < t->size; id++)
        if (t->kinds[id] != ADDED_PIECE) return false;
    return true;
}

static void write_model(FILE *out, const Tokenizer *t)
{
    const bool only_listed = follow_vocabulary(t);
    fputs("  \"model\": {\n    \"type\": \"BPE\", \"dropout\": null, \"unk_token\": ", out);
    if (t->unknown_name.size)
        write_text(out, t->unknown_name);
    else
        fputs("null", out);
    fprintf(out,
            ", \"continuing_subword_prefix\": \"\", \"end_of_word_suffix\": \"\", \"fuse_unk\": %s, "
            "\"byte_fallback\": false, \"ignore_merges\": %s,\n    \"vocab\": {",
            truth(t->fuse_unknown), truth(t->whole_first));
    const char *between = "";
    for (int id = 0; id < t->size; id++) {
        if (!t->pieces[id].bytes || (t->kinds[id] == ADDED_PIECE && only_listed)) continue;
        fprintf(out, "%s\n      ", between);
        write_piece(out, t, id);
        fprintf(out, ": %d", id);
        between = ",";
    }
    fputs("\n    },\n    \"merges\": [", out);
    for (int m = 0; m < t->merge_count; m++) {
        fprintf(out, "%s\n      [", m ? "," : "");
        write_piece(out, t, t->merges[m].left);
        fputs(", ", out);
        write_piece(out, t, t->merges[m].right);
        fputc(']', out);
    }
    fputs("\n    ]\n  }\n}\n", out);
}

void tokenizer_save_at(Place place, const char *path, const Tokenizer *t)
{
    Replacement file;
    replace_begin_at(place, &file, path);
    fputs("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n", file.stream);
    write_added(file.stream, place, t);
    write_normaliser(file.stream, t);
    write_pretokeniser(file.stream, t);
    for (int i = 0; i < 2; i++) {
        fputs(i ? ",\n  \"decoder\": " : "  \"post_processor\": ", file.stream);
        write_byte_level(file.stream, false, false);
    }
    fputs(",\n", file.stream);
    write_model(file.stream, t);
    long size = ftell(file.stream);
    if (size > TOKENIZER_MAX_FILE) replace_cancel(&file);
    check_at(place, size <= TOKENIZER_MAX_FILE, "train with fewer pieces, or without such long ones",
             "%s would have %ld bytes; at most %d are read again", path, size, TOKENIZER_MAX_FILE);
    replace_finish_at(place, &file);
}
