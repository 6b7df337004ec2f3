#include "command.h"

#include "base/platform.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void on_signal(int number) {
    (void)number;
    caught = 1;
}

void catch_interrupts(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupted(void) {
    return caught != 0;
}

progress progress_start(void) {
    const int64_t now = plx_platform_now_ns();
    return (progress){
        .start_ns = now, .shown_ns = now, .left_ns = -1, .terminal = isatty(STDERR_FILENO) != 0};
}

/* "1 min 20 s"; "" if it is not known yet. */
static void time_left(const progress *p, double fraction, double elapsed_s, char *text,
                      size_t size) {
    text[0] = 0;
    if (p->left_ns < 0 && (fraction < 0.02 || elapsed_s < 1)) return;
    const double told = (double)p->left_ns * 1e-9;
    const int left = (int)((p->left_ns < 0 ? elapsed_s * (1 - fraction) / fraction : told) + 0.5);
    if (left >= 60)
        snprintf(text, size, ", %d min %d s left", left / 60, left % 60);
    else
        snprintf(text, size, ", %d s left", left);
}

/* What fits on a line of the terminal: a longer line would wrap, and could not be rewritten. */
static int line_width(void) {
    struct winsize size;
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col - 1 : 79;
}

void progress_show(progress *p, double fraction, const char *format, ...) {
    const int64_t now = plx_platform_now_ns();
    const int64_t pause = p->terminal ? 100000000 : 30000000000;
    if (now - p->shown_ns < pause) return;
    p->shown_ns = now;
    char left[48], text[224];
    time_left(p, fraction, (double)(now - p->start_ns) * 1e-9, left, sizeof left);
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    char line[320];
    /* The time left comes first, so that a narrow terminal shows it. */
    int length = snprintf(line, sizeof line, "%3.0f%%%s  %s", fraction * 100, left, text);
    if (p->terminal) {
        if (length > line_width()) length = line_width();
        fprintf(stderr, "\r%-*.*s", p->width, length, line);
        p->width = length;
    } else {
        fprintf(stderr, "%s\n", line);
    }
    fflush(stderr);
}

void progress_clear(progress *p) {
    if (!p->terminal || !p->width) return;
    fprintf(stderr, "\r%-*s\r", p->width, "");
    fflush(stderr);
    p->width = 0;
}
