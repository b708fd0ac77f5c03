// line_editor.c: lines from standard input. See line_editor.h.
#include "tools/line_editor.h"
#include "base/check.h"
#include "base/utf8.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
    MOST_BYTES = 1 << 20, // of a line that is edited
    MOST_HISTORY = 200,
    MOST_AHEAD = 4096, // keys that wait
};

static struct {
    bool typed, edited;
    struct termios before, during;
    volatile sig_atomic_t changed;     // the terminal's state is `during`
    volatile sig_atomic_t interrupted; // SIGINT has come
    volatile sig_atomic_t resumed;     // the program was stopped, and goes on
    unsigned char ahead[MOST_AHEAD];
    size_t ahead_count;
    bool ended; // nothing more will come
    char *history[MOST_HISTORY];
    int history_count;
    char *plain; // the line of getline
    size_t plain_room;
} input;

// The line that is edited
static struct {
    char *bytes;
    size_t size, room, at, start; // at: the cursor; start: where the part begins that is shown
    const char *prompt;
    int number;  // of the history; history_count: it is new
    char *draft; // what stood there when the history was gone through
    bool pasting;
} line;

// ---- The terminal -----------------------------------------------------------------------------------------

static void put(const char *text) { fputs(text, stderr); }

static const char PASTE_ON[] = "\033[?2004h", PASTE_OFF[] = "\033[?2004l";

// Also called when a signal has come: nothing but what is allowed there.
static void restore(void)
{
    if (!input.changed) return;
    input.changed = 0;
    if (input.edited && write(STDERR_FILENO, PASTE_OFF, sizeof PASTE_OFF - 1) < 0) return;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &input.before);
}

static void change(void)
{
    tcsetattr(STDIN_FILENO, TCSADRAIN, &input.during);
    input.changed = 1;
}

static void on_interrupt(int number)
{
    (void)number;
    input.interrupted = 1;
}

static void on_end(int number)
{
    restore();
    signal(number, SIG_DFL);
    raise(number);
}

static void handle(int number, void (*handler)(int), int flags);

// Stops as it would without this handler, which where nobody could continue it is not at all.
static void on_stop(int number)
{
    const int error = errno;
    const bool was = input.changed;
    sigset_t this_one;
    restore();
    signal(number, SIG_DFL);
    sigemptyset(&this_one);
    sigaddset(&this_one, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &this_one, NULL); // it comes now
    handle(number, on_stop, SA_RESTART);
    if (was) change();
    input.resumed = 1;
    errno = error;
}

// SA_RESTART: a write that a signal meets goes on. Otherwise it fails, and what was to be written is lost. Waiting for keys ends in
// any case, for ppoll is never taken up again.
static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction old, new = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&new.sa_mask);
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(number, &new, NULL);
}

void line_begin(void)
{
    const char *kind = getenv("TERM");
    input.typed = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    input.edited = input.typed && kind && *kind && strcmp(kind, "dumb") != 0;
    handle(SIGINT, on_interrupt, SA_RESTART);
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &input.before) != 0) {
        input.edited = false;
        return;
    }
    input.during = input.before;
    input.during.c_iflag |= IUTF8;
    if (input.edited) {
        input.during.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
        input.during.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IXON);
        input.during.c_cc[VMIN] = 1;
        input.during.c_cc[VTIME] = 0;
        input.during.c_cc[VINTR] =
            _POSIX_VDISABLE; // ctrl-C is a key: nobody else, such as make, is to end by it
    }
    const int ends[] = {SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    for (int i = 0; i < 4; i++) handle(ends[i], on_end, SA_RESTART);
    handle(SIGTSTP, on_stop, SA_RESTART);
    atexit(restore);
    change();
}

bool line_is_typed(void) { return input.typed; }

// ---- Keys -------------------------------------------------------------------------------------------------

enum { NO_KEY = -1 };

static bool key_waits(int milliseconds)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    return input.ahead_count || poll(&wait, 1, milliseconds) > 0;
}

// Waits until something can be read; false: a signal has come. SIGINT is blocked between the look at its flag and the wait, so
// that it is never missed.
static bool wait_for_input(void)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t interrupt, before;
    int ready = 0;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, &before);
    if (!input.interrupted) ready = ppoll(&wait, 1, NULL, &before);
    if (ready < 0 && errno != EINTR) input.ended = true;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ready > 0;
}

// NO_KEY: a signal has come, or there are no more
static int next_key(void)
{
    if (input.ahead_count) {
        const int key = input.ahead[0];
        memmove(input.ahead, input.ahead + 1, --input.ahead_count);
        return key;
    }
    unsigned char byte;
    if (!wait_for_input()) return NO_KEY;
    const ssize_t got = read(STDIN_FILENO, &byte, 1);
    if (got == 1) return byte;
    if (got == 0 || errno != EINTR) input.ended = true;
    return NO_KEY;
}

static bool take_interrupt(void)
{
    const bool was = input.interrupted;
    input.interrupted = 0;
    return was;
}

// A ctrl-C among the keys drops those before it, as a terminal does.
static bool find_ctrl_c(void)
{
    for (size_t i = input.ahead_count; i-- > 0;) {
        if (input.ahead[i] != 3) continue;
        input.ahead_count -= i + 1;
        memmove(input.ahead, input.ahead + i + 1, input.ahead_count);
        return true;
    }
    return false;
}

bool line_interrupted(void)
{
    if (!input.edited) return take_interrupt();
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!input.ended && poll(&wait, 1, 0) > 0) {
        if (input.ahead_count == MOST_AHEAD) input.ahead_count = 0; // nobody types that much: start again
        const ssize_t got =
            read(STDIN_FILENO, input.ahead + input.ahead_count, MOST_AHEAD - input.ahead_count);
        if (got > 0) input.ahead_count += (size_t)got;
        if (got == 0 || (got < 0 && errno != EINTR)) input.ended = true;
    }
    const bool typed = find_ctrl_c();
    return take_interrupt() || typed || input.ended;
}

// ---- The line on the screen -------------------------------------------------------------------------------

static int columns_of_screen(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 80;
}

static uint32_t character_at(size_t at, size_t *next)
{
    uint32_t c;
    *next = at + (size_t)utf8_decode(line.bytes + at, line.size - at, &c);
    return c;
}

// Line ends are shown as an arrow, tabs as a blank.
static uint32_t shown_as(uint32_t c) { return c == '\n' ? 0x21B5 : c < 0x20 ? ' ' : c; }

static int columns_between(size_t from, size_t to)
{
    int columns = 0;
    for (size_t next; from < to; from = next) columns += utf8_width(shown_as(character_at(from, &next)));
    return columns;
}

static void put_part(size_t from, size_t to)
{
    for (size_t next; from < to; from = next) {
        char bytes[4];
        const uint32_t c = shown_as(character_at(from, &next));
        fwrite(bytes, 1, (size_t)utf8_encode(bytes, c), stderr);
    }
}

// The cursor's column must be on the screen, so the part that is shown begins near enough to it.
static void draw(void)
{
    const int before = utf8_columns(line.prompt), room = columns_of_screen() - before - 1;
    if (line.start > line.at) line.start = line.at;
    if (columns_between(0, line.size) <= room) line.start = 0;
    while (columns_between(line.start, line.at) > room) character_at(line.start, &line.start);
    size_t end = line.start;
    int columns = 0;
    for (size_t next; end < line.size; end = next) {
        columns += utf8_width(shown_as(character_at(end, &next)));
        if (columns > room) break;
    }
    put("\r");
    put(line.prompt);
    put_part(line.start, end);
    put("\033[K\r");
    const int cursor = before + columns_between(line.start, line.at);
    if (cursor) fprintf(stderr, "\033[%dC", cursor);
    fflush(stderr);
}

// All of it, as it stays on the screen
static void draw_whole(void)
{
    line.at = line.start = 0;
    draw();
    put("\r");
    put(line.prompt);
    put_part(0, line.size);
    put("\r\n");
    fflush(stderr);
}

// ---- Editing ----------------------------------------------------------------------------------------------

// A character with what is combined with it: the beginning of the one before, and of the one behind
static size_t character_before(size_t at)
{
    for (uint32_t c = 0x300; at > 0 && utf8_width(c) == 0;) {
        size_t next;
        do at--;
        while (at > 0 && (line.bytes[at] & 0xC0) == 0x80);
        c = character_at(at, &next);
    }
    return at;
}

static size_t character_behind(size_t at)
{
    if (at < line.size) character_at(at, &at);
    for (size_t next; at < line.size && utf8_width(character_at(at, &next)) == 0;) at = next;
    return at;
}

static size_t word_before(size_t at)
{
    while (at > 0 && line.bytes[at - 1] == ' ') at--;
    while (at > 0 && line.bytes[at - 1] != ' ') at--;
    return at;
}

static size_t word_behind(size_t at)
{
    while (at < line.size && line.bytes[at] == ' ') at++;
    while (at < line.size && line.bytes[at] != ' ') at++;
    return at;
}

static void reserve(size_t size)
{
    if (size <= line.room) return;
    line.room = 2 * size + 256;
    line.bytes = realloc(line.bytes, line.room);
    check(line.bytes, NULL, "no memory for a line of %zu bytes", size);
}

static void insert(const char *bytes, size_t size)
{
    if (line.size + size > MOST_BYTES) return;
    reserve(line.size + size + 1);
    memmove(line.bytes + line.at + size, line.bytes + line.at, line.size - line.at);
    memcpy(line.bytes + line.at, bytes, size);
    line.size += size, line.at += size;
}

static void delete_between(size_t from, size_t to)
{
    memmove(line.bytes + from, line.bytes + to, line.size - to);
    line.size -= to - from;
    line.at = from;
}

static void replace_line(const char *text)
{
    const size_t size = strlen(text);
    line.size = line.at = line.start = 0;
    insert(text, size);
}

static char *copy_of_line(void)
{
    reserve(line.size + 1);
    line.bytes[line.size] = '\0';
    char *copy = strdup(line.bytes);
    check(copy, NULL, "no memory for a line of %zu bytes", line.size);
    return copy;
}

static void go_to_history(int number)
{
    if (number < 0 || number > input.history_count || number == line.number) return;
    if (line.number == input.history_count) {
        free(line.draft);
        line.draft = copy_of_line();
    }
    line.number = number;
    replace_line(number < input.history_count ? input.history[number] : line.draft);
}

static void keep_history(void)
{
    const int last = input.history_count - 1;
    if (!line.size || (last >= 0 && strcmp(input.history[last], line.bytes) == 0)) return;
    if (input.history_count == MOST_HISTORY) {
        free(input.history[0]);
        memmove(input.history, input.history + 1, --input.history_count * sizeof *input.history);
    }
    input.history[input.history_count++] = copy_of_line();
}

// The rest of a character whose first byte is here already. What is none is one replacement character for each byte.
static void insert_character(int key)
{
    char bytes[4] = {(char)key};
    size_t size = 1;
    while (size < 4 && utf8_may_grow(bytes, size)) {
        const int next = next_key();
        if (next == NO_KEY) return;
        bytes[size++] = (char)next;
    }
    for (size_t at = 0; at < size;) {
        uint32_t c;
        at += (size_t)utf8_decode(bytes + at, size - at, &c);
        char out[4];
        if (c >= 0x20 && (c < 0x7F || c >= 0xA0)) insert(out, (size_t)utf8_encode(out, c));
    }
}

// ESC [ … or ESC O …: what a terminal sends for keys that are no characters
static void read_sequence(void)
{
    if (!key_waits(50)) return; // the key ESC itself
    int key = next_key(), number = 0, modifier = 0;
    if (key == 'b') line.at = word_before(line.at);
    if (key == 'f') line.at = word_behind(line.at);
    if (key != '[' && key != 'O') return;
    for (key = next_key(); (key >= '0' && key <= '9') || key == ';'; key = next_key()) {
        if (key == ';')
            modifier = number, number = 0;
        else
            number = number < 1000 ? 10 * number + key - '0' : number;
    }
    const bool word = modifier && number > 1; // with ctrl, alt or shift
    if (key == 'A') go_to_history(line.number - 1);
    if (key == 'B') go_to_history(line.number + 1);
    if (key == 'C') line.at = word ? word_behind(line.at) : character_behind(line.at);
    if (key == 'D') line.at = word ? word_before(line.at) : character_before(line.at);
    if (key == 'H' || (key == '~' && (number == 1 || number == 7))) line.at = 0;
    if (key == 'F' || (key == '~' && (number == 4 || number == 8))) line.at = line.size;
    if (key == '~' && number == 3) delete_between(line.at, character_behind(line.at));
    if (key == '~' && (number == 200 || number == 201)) line.pasting = number == 200;
}

#define KEY(letter) ((letter)&0x1F) // with ctrl

static void edit(int key)
{
    switch (key) {
    case KEY('A'):
        line.at = 0;
        break;
    case KEY('B'):
        line.at = character_before(line.at);
        break;
    case KEY('D'):
        delete_between(line.at, character_behind(line.at));
        break;
    case KEY('E'):
        line.at = line.size;
        break;
    case KEY('F'):
        line.at = character_behind(line.at);
        break;
    case KEY('H'):
    case 0x7F:
        delete_between(character_before(line.at), line.at);
        break;
    case KEY('I'):
        insert(" ", 1);
        break;
    case KEY('K'):
        line.size = line.at;
        break;
    case KEY('L'):
        put("\033[H\033[2J");
        break;
    case KEY('N'):
        go_to_history(line.number + 1);
        break;
    case KEY('P'):
        go_to_history(line.number - 1);
        break;
    case KEY('U'):
        delete_between(0, line.at);
        break;
    case KEY('W'):
        delete_between(word_before(line.at), line.at);
        break;
    case KEY('['):
        read_sequence();
        break;
    default:
        if (key >= 0x20) insert_character(key);
    }
}

static void edit_pasted(int key)
{
    if (key == '\r' || key == '\n')
        insert("\n", 1);
    else if (key == '\t')
        insert("\t", 1);
    else if (key == KEY('['))
        read_sequence();
    else if (key >= 0x20)
        insert_character(key);
}

// ---- Reading ----------------------------------------------------------------------------------------------

static LineEnd edit_line(void)
{
    for (;;) {
        if (!key_waits(0)) draw(); // not for each character of what is pasted
        const int key = next_key();
        if (input.ended) return line.size ? LINE_READ : LINE_ENDED;
        if (key == KEY('C') || take_interrupt()) return LINE_CTRL_C;
        if (input.resumed) put(PASTE_ON), input.resumed = 0;
        if (key == NO_KEY) continue;
        if (line.pasting)
            edit_pasted(key);
        else if (key == '\r' || key == '\n')
            return LINE_READ;
        else if (key == KEY('D') && !line.size)
            return LINE_ENDED;
        else
            edit(key);
    }
}

static LineEnd read_edited(const char *prompt)
{
    fflush(stdout);
    put(PASTE_ON);
    reserve(1); // so that bytes are never NULL
    line.prompt = prompt;
    line.size = line.at = line.start = 0;
    line.pasting = false;
    line.number = input.history_count;
    const LineEnd end = edit_line();
    reserve(line.size + 1);
    line.bytes[line.size] = '\0';
    draw_whole();
    put(PASTE_OFF);
    fflush(stderr);
    if (end == LINE_READ) keep_history();
    return end;
}

static LineEnd read_plain(const char *prompt, size_t *size)
{
    if (input.typed) {
        put(prompt);
        fflush(stderr);
        while (!wait_for_input() && !input.ended) // a terminal gives one line at a time: none waits in stdin
            if (take_interrupt()) return LINE_CTRL_C;
    }
    errno = 0;
    handle(SIGINT, on_interrupt, 0); // ends a read that waits in a pipe
    const ssize_t got = getline(&input.plain, &input.plain_room, stdin);
    handle(SIGINT, on_interrupt, SA_RESTART);
    if (got < 0 && take_interrupt()) {
        clearerr(stdin);
        return LINE_CTRL_C;
    }
    if (got < 0) return LINE_ENDED;
    *size = (size_t)got;
    if (*size && input.plain[*size - 1] == '\n') input.plain[--*size] = '\0';
    return LINE_READ;
}

LineEnd line_read(const char *prompt, char **text, size_t *size)
{
    size_t bytes = 0;
    const LineEnd end = input.edited ? read_edited(prompt) : read_plain(prompt, &bytes);
    *text = input.edited ? line.bytes : input.plain;
    if (size) *size = input.edited ? line.size : bytes;
    return end;
}
