// chat: a conversation in the terminal with a language model out of a folder in the layout of Hugging Face.
//
//     chat --model FOLDER                               asks for questions, and answers them one after the other
//     chat --model FOLDER "What is the capital of France?"      one question, one answer
//     printf 'Hello\nAnd who are you?\n' | chat --model FOLDER  each line is a turn of one conversation
//
// Standard output has the answers, and nothing else where it is no terminal; all else that is said goes to standard error.
// Tokens are written as they come, as UTF-8: bytes wait until their character is whole; what is none, and control characters, come
// out as U+FFFD and cannot harm a terminal. Exit status 1: a question was refused; its reason is on standard error.
#include "models/chat.h"
#include "base/check.h"
#include "base/cores.h"
#include "base/utf8.h"
#include "lesson/lesson.h"
#include "tools/arguments.h"
#include "tools/line_editor.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "chat --model FOLDER [--system TEXT] [--temperature T] [--top-k K] [--top-p P] [--tokens N] [--seed 1] "
    "[--] [PROMPT]\n"
    "  --system TEXT    what the model is told before the conversation\n"
    "  --temperature T  below 1 likelier, above 1 wilder, 0 always the likeliest token\n"
    "  --top-k K        only the K likeliest tokens (0: all)\n"
    "  --top-p P        only the likeliest tokens that sum to P (1: all; 0: the one likeliest)\n"
    "  --tokens N       the most tokens of an answer\n"
    "  --seed S         the same seed and questions give the same answers\n"
    "  PROMPT           one question; without it you are asked, or each line of standard input is one. After "
    "--\n"
    "                   it may begin with dashes\n"
    "What is not said is as the model's folder has it.";

typedef struct {
    const char *model, *prompt, *system;
    const char *temperature, *top_k, *top_p; // NULL: the model's own
    int tokens;
    uint64_t seed;
} Options;

// Numbers are looked at at once, though those for sampling are needed only when the model is open.
static void set_option(void *options, const char *name, const char *value)
{
    Options *o = options;
    if (strcmp(name, "--model") == 0) {
        o->model = value;
    } else if (strcmp(name, "--system") == 0) {
        o->system = value;
    } else if (strcmp(name, "--temperature") == 0) {
        number_argument(usage, name, o->temperature = value, 0.0, 100.0);
    } else if (strcmp(name, "--top-k") == 0) {
        whole_argument(usage, name, o->top_k = value, 0, 1000000);
    } else if (strcmp(name, "--top-p") == 0) {
        number_argument(usage, name, o->top_p = value, 0.0, 1.0);
    } else if (strcmp(name, "--tokens") == 0) {
        o->tokens = (int)whole_argument(usage, name, value, 1, 1000000);
    } else if (strcmp(name, "--seed") == 0) {
        o->seed = whole_argument(usage, name, value, 0, UINT64_MAX);
    } else {
        die(usage, "unknown option %s; a question that begins with dashes stands after --", name);
    }
}

static Options read_options(int argc, char **argv)
{
    Options o = {.seed = 1};
    o.prompt = read_arguments(argc, argv, usage, "questions", set_option, &o);
    check(o.model, usage, "with which model? --model FOLDER is missing");
    return o;
}

static Sampling sampling_of(const Options *o, Sampling s)
{
    if (o->temperature) s.temperature = strtof(o->temperature, NULL);
    if (o->top_k) s.top_k = (int)strtol(o->top_k, NULL, 10);
    if (o->top_p) s.top_p = strtof(o->top_p, NULL);
    if (o->top_p && s.top_p == 0.0f) s.top_k = 1; // a float cannot tell less from nothing
    return s;
}

// ---- Writing ----------------------------------------------------------------------------------------------

typedef struct {
    FILE *file;
    Utf8Waiting waiting;
    bool in_line; // something stands in the last line
} Writer;

static void write_bytes(Writer *w, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char out[UTF8_WAITING_ROOM];
        const size_t written = utf8_grow(&w->waiting, bytes[i], out);
        fwrite(out, 1, written, w->file);
        if (written) w->in_line = out[written - 1] != '\n';
    }
}

// What never became whole, and the end of the line
static void write_end(Writer *w)
{
    for (; w->waiting.size; w->waiting.size--) fputs("\xEF\xBF\xBD", w->file), w->in_line = true;
    if (w->in_line) fputc('\n', w->file);
    fflush(w->file);
}

// A line on standard error about a text that may be anything
static void tell(const char *before, const char *text, const char *behind)
{
    Writer w = {.file = stderr};
    fputs(before, stderr);
    write_bytes(&w, text, strlen(text));
    write_bytes(&w, behind, strlen(behind));
    w.in_line = true;
    write_end(&w);
}

// ---- A turn -----------------------------------------------------------------------------------------------

typedef struct {
    Chat *chat;
    bool told_of_forgetting, failed, ending;
} Session;

typedef struct {
    Writer writer;
    double begun; // when the first token was there; 0: it is not
} Turn;

static bool on_token(void *context, const char *bytes, size_t size)
{
    Turn *turn = context;
    write_bytes(&turn->writer, bytes, size);
    if (size) fflush(stdout);
    if (size && turn->begun == 0.0) turn->begun = seconds_now();
    return !line_interrupted();
}

static void tell_speed(const ChatAnswer *answer, const Turn *turn)
{
    if (!isatty(STDERR_FILENO) || !isatty(STDOUT_FILENO)) return;
    static const char *const ends[] = {"", ", as many as it may have", ", and the context is full",
                                       ", stopped", ""};
    const double seconds = turn->begun > 0.0 ? seconds_now() - turn->begun : 0.0;
    if (answer->end == CHAT_INTERRUPTED && !answer->written) {
        fputs("(stopped before an answer: as if it had not been asked)\n", stderr);
        return;
    }
    fprintf(stderr, "(%d token%s%s", answer->written, answer->written == 1 ? "" : "s", ends[answer->end]);
    if (answer->written > 1 && seconds > 0.0)
        fprintf(stderr, "; %.0f a second", (answer->written - 1) / seconds);
    fputs(")\n", stderr);
}

static void tell_end(Session *s, const ChatAnswer *answer)
{
    if (answer->end == CHAT_REFUSED) {
        tell("this was not said: ", answer->problem, "");
        s->failed = true;
    }
    if (answer->end == CHAT_FULL && !isatty(STDERR_FILENO))
        fprintf(stderr, "the answer ends where the context of %d tokens is full\n", chat_context(s->chat));
    if (!answer->dropped || s->told_of_forgetting) return;
    s->told_of_forgetting = true;
    fprintf(stderr,
            "(the conversation has outgrown the context of %d tokens: from here on the oldest questions and "
            "answers are forgotten)\n",
            chat_context(s->chat));
}

// Nobody is there who could ask on.
static void end_by_interrupt(void)
{
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
}

static void say(Session *s, const char *text)
{
    Turn turn = {.writer = {.file = stdout}};
    const ChatAnswer answer = chat_say(s->chat, text, on_token, &turn);
    if (answer.end != CHAT_REFUSED) {
        turn.writer.in_line |= answer.end != CHAT_INTERRUPTED; // an empty answer is a line, too
        write_end(&turn.writer);
        tell_speed(&answer, &turn);
    }
    tell_end(s, &answer);
    if (answer.end == CHAT_INTERRUPTED && !isatty(STDIN_FILENO)) end_by_interrupt();
}

// ---- Commands ---------------------------------------------------------------------------------------------

static void help(Session *s, const char *rest)
{
    (void)rest;
    fprintf(
        stderr,
        "/reset        forget the conversation\n"
        "/system TEXT  tell the model this before the conversation; alone: show it; \"\": nothing\n"
        "/help         this\n"
        "/quit         leave, as ctrl-D and /exit do\n"
        "//...         a question that begins with /\n"
        "ctrl-C ends an answer. The arrows change a line and bring back earlier ones.\n"
        "The model knows what it was trained on and the last %d tokens of this conversation. It cannot look "
        "anything up, knows nothing of today, and what it says may be wrong.\n",
        chat_context(s->chat));
}

static void reset(Session *s, const char *rest)
{
    (void)rest;
    chat_reset(s->chat);
    s->told_of_forgetting = false;
    fputs("(the conversation is forgotten)\n", stderr);
}

static void set_system(Session *s, const char *rest)
{
    if (*rest) chat_set_system(s->chat, strcmp(rest, "\"\"") == 0 ? "" : rest);
    const char *system = chat_system(s->chat);
    if (system)
        tell("(it is told: ", system, ")");
    else
        fputs("(it is told nothing before the conversation)\n", stderr);
}

static void quit(Session *s, const char *rest)
{
    (void)rest;
    s->ending = true;
}

static const struct {
    const char *name;
    void (*act)(Session *s, const char *rest);
} commands[] = {
    {"/reset", reset}, {"/system", set_system}, {"/help", help}, {"/quit", quit}, {"/exit", quit}};
enum { COMMANDS = sizeof commands / sizeof *commands, MOST_NAME = 16 };

// How many letters must be changed, added or left out
static int distance(const char *a, const char *b)
{
    int row[MOST_NAME + 1];
    const int columns = (int)strlen(b);
    for (int j = 0; j <= columns; j++) row[j] = j;
    for (int i = 1; *a; a++, i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= columns; j++) {
            const int changed = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            row[j] = int_min(changed, 1 + int_min(row[j], row[j - 1]));
        }
    }
    return row[columns];
}

static bool is_near(const char *name, const char *command)
{
    const size_t size = strlen(name);
    return (size > 1 && size < MOST_NAME && strncmp(name, command, size) == 0) ||
           (size < MOST_NAME && distance(name, command) <= 2);
}

static void tell_unknown(const char *name)
{
    const char *between = "; did you mean ";
    tell("there is no ", name, ", so nothing was said");
    fputs("    (/help shows what there is, and // begins a question with /", stderr);
    for (int i = 0; i < COMMANDS; i++) {
        if (!is_near(name, commands[i].name)) continue;
        fprintf(stderr, "%s%s", between, commands[i].name);
        between = " or ";
    }
    fputs(strcmp(between, " or ") == 0 ? "?)\n" : ")\n", stderr);
}

static void command(Session *s, char *text)
{
    const size_t size = strcspn(text, " \t");
    char *rest = text + size + strspn(text + size, " \t");
    if (*rest) text[size] = '\0';
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(text, commands[i].name) == 0) {
            commands[i].act(s, rest);
            return;
        }
    tell_unknown(text);
    s->failed = true;
}

// ---- The conversation -------------------------------------------------------------------------------------

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// A copy in UTF-8 without zero bytes, and without blanks around it
static char *cleaned(Arena *arena, const char *text, size_t size, int *replaced)
{
    while (size && is_blank(text[size - 1])) size--;
    while (size && is_blank(*text)) text++, size--;
    char *copy = arena_alloc(arena, size_sum(HERE, size_product(HERE, 3, size), 1), 1), *to = copy;
    *replaced = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        const int bytes = utf8_decode(text + at, size - at, &c);
        const bool wrong = !c || (c == UTF8_REPLACEMENT && bytes == 1);
        *replaced += wrong;
        to += utf8_encode(to, wrong ? UTF8_REPLACEMENT : c);
        at += (size_t)bytes;
    }
    *to = '\0';
    return copy;
}

static void take_line(Session *s, const char *bytes, size_t size, bool commands_too)
{
    Arena *arena = arena_new();
    int replaced;
    char *text = cleaned(arena, bytes, size, &replaced);
    if (replaced)
        fprintf(stderr, "(%d byte%s of it no UTF-8, or zero, and said as \xEF\xBF\xBD)\n", replaced,
                replaced == 1 ? " is" : "s are");
    if (commands_too && text[0] == '/' && text[1] != '/')
        command(s, text);
    else if (*text)
        say(s, text + (commands_too && text[0] == '/'));
    arena_free(arena);
}

static void converse(Session *s)
{
    bool leaving = false; // ctrl-C was typed at an empty line
    while (!s->ending) {
        char *text;
        size_t size;
        const LineEnd end = line_read("> ", &text, &size);
        if (end == LINE_ENDED) break;
        if (end == LINE_READ) {
            leaving = false;
            take_line(s, text, size, true);
        } else if (!line_is_typed()) {
            end_by_interrupt();
        } else if (leaving && !size) {
            break;
        } else {
            leaving = !size;
            fputs("(ctrl-D or /quit leaves; so does a second ctrl-C at an empty line)\n", stderr);
        }
    }
}

static void greet(const Options *o, const Chat *chat)
{
    if (!line_is_typed()) return;
    char behind[200];
    snprintf(behind, sizeof behind,
             " answers, from what it was trained on and nothing else, in a context of %d tokens. "
             "/help tells more, ctrl-D leaves.",
             chat_context(chat));
    tell("", o->model, behind);
}

static void check_folder(const char *folder)
{
    char path[4096];
    struct stat there;
    snprintf(path, sizeof path, "%s/config.json", folder);
    check(stat(folder, &there) == 0, "type `make chat`: it makes chapter 29's model if there is none",
          "%s: there is no such folder", folder);
    check(stat(path, &there) == 0,
          "it takes a folder in the layout of Hugging Face, with config.json, model.safetensors and "
          "tokenizer.json",
          "%s: there is no model in it, for there is no config.json", folder);
}

int main(int argc, char **argv)
{
    const Options options = read_options(argc, argv);
    cores_begin();
    check_folder(options.model);
    Arena *arena = arena_new();
    Pretrained model = pretrained_open(arena, options.model);
    const Sampling sampling = sampling_of(&options, model.sampling);
    Session session = {.chat = chat_open(arena, &model, .system = options.system, .sampling = &sampling,
                                         .most = options.tokens, .seed = options.seed)};
    if (options.prompt) {
        take_line(&session, options.prompt, strlen(options.prompt), false);
    } else {
        line_begin();
        greet(&options, session.chat);
        converse(&session);
    }
    check(fflush(stdout) == 0 && !ferror(stdout), "is the disk full?", "the answers could not be written");
    chat_close(session.chat);
    pretrained_close(&model);
    arena_free(arena);
    return session.failed && !line_is_typed() ? EXIT_FAILURE : EXIT_SUCCESS; // who typed has read it
}
