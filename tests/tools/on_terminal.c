// on_terminal: runs a program on a terminal of its own, types what standard input says, and prints what the terminal shows.
//
//     printf 'wait > \nsend hello\\r\nend\n' | on_terminal 80 PROGRAM [ARGUMENT …]
//
//     wait TEXT     until the program has written this, after what the last wait found; a failure when it ends first
//     send TEXT     types it; in both \r \t \e \\ and \xHH as in C
//     quiet         until nothing has come for 200 ms
//     signal N      sends the program signal N
//     end           until the program ends
//
// The first argument is the width of the terminal. Prints all that was written, and at the end a line "status N" with the
// exit status, or 128 + the signal, and "restored" when the terminal is as it was. Exit status 1: a wait failed.
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { MOST = 1 << 20, PATIENCE = 30000 };

static int terminal, slave;
static pid_t process;
static char seen[MOST];
static size_t count, found; // found: the end of what the last wait found

// false: nothing has come for so long, or nothing will come
static bool read_more(int milliseconds)
{
    struct pollfd wait = {.fd = terminal, .events = POLLIN};
    if (poll(&wait, 1, milliseconds) <= 0 || count == MOST) return false;
    const ssize_t got = read(terminal, seen + count, MOST - count);
    if (got > 0) count += (size_t)got;
    return got > 0;
}

static void show(void) { fwrite(seen, 1, count, stdout), fflush(stdout); }

static void wait_for(const char *text)
{
    const size_t size = strlen(text);
    for (;;) {
        const char *at = memmem(seen + found, count - found, text, size);
        if (at) {
            found = (size_t)(at - seen) + size;
            return;
        }
        if (read_more(PATIENCE)) continue;
        show();
        printf("\nthe terminal never showed: %s\n", text);
        kill(process, SIGKILL);
        exit(EXIT_FAILURE);
    }
}

// Puts the characters into the place of \r, \xHH …
static void unescape(char *text)
{
    char *to = text;
    for (; *text; text++) {
        char byte = *text;
        if (byte == '\\' && text[1]) {
            text++;
            byte = (char)(*text == 'r' ? '\r' : *text == 't' ? '\t' : *text == 'e' ? 27 : *text);
            if (*text == 'x' && text[1] && text[2]) {
                const char digits[] = {text[1], text[2], '\0'};
                byte = (char)strtol(digits, NULL, 16);
                text += 2;
            }
        }
        *to++ = byte;
    }
    *to = '\0';
}

static void send_text(const char *text)
{
    const size_t size = strlen(text);
    check(write(terminal, text, size) == (ssize_t)size, NULL, "the terminal takes nothing more");
}

static void start(char **arguments)
{
    process = fork();
    if (process) return;
    const int usual[] = {SIGINT, SIGQUIT, SIGTERM,
                         SIGHUP, SIGPIPE, SIGTSTP}; // a shell's background ignores some
    for (int i = 0; i < 6; i++) signal(usual[i], SIG_DFL);
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    dup2(slave, STDIN_FILENO);
    dup2(slave, STDOUT_FILENO);
    dup2(slave, STDERR_FILENO);
    close(terminal);
    close(slave);
    setenv("TERM", "xterm", 0);
    execvp(arguments[0], arguments);
    _exit(127);
}

// The slave stays open here, so the end is seen by the process.
static int wait_for_end(void)
{
    int raw = 0;
    for (int n = 0; n < PATIENCE / 50; n++) {
        read_more(50);
        if (waitpid(process, &raw, WNOHANG) == process) {
            while (read_more(50)) continue;
            return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
        }
    }
    kill(process, SIGKILL);
    return -1;
}

static bool same_state(const struct termios *a, const struct termios *b)
{
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

int main(int argc, char **argv)
{
    check(argc >= 3, "on_terminal COLUMNS PROGRAM [ARGUMENT …]", "what shall run?");
    terminal = posix_openpt(O_RDWR | O_NOCTTY);
    check(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0, NULL, "no terminal: %s",
          strerror(errno));
    ioctl(terminal, TIOCSWINSZ, &(struct winsize){.ws_col = (unsigned short)atoi(argv[1]), .ws_row = 24});
    slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    struct termios before = {0}, after = {0};
    tcgetattr(slave, &before);
    start(argv + 2);
    char *text = NULL;
    size_t room = 0;
    int status = -1;
    for (ssize_t size; (size = getline(&text, &room, stdin)) > 0;) {
        if (text[size - 1] == '\n') text[size - 1] = '\0';
        unescape(text);
        if (strncmp(text, "wait ", 5) == 0) wait_for(text + 5);
        if (strncmp(text, "send ", 5) == 0) send_text(text + 5);
        if (strncmp(text, "signal ", 7) == 0) kill(process, atoi(text + 7));
        if (strcmp(text, "end") == 0) status = wait_for_end();
        while (strcmp(text, "quiet") == 0 && read_more(200)) continue;
    }
    free(text);
    show();
    tcgetattr(slave, &after);
    printf("\nstatus %d%s\n", status, same_state(&before, &after) ? " restored" : "");
    return EXIT_SUCCESS;
}
