#include "cli/show/screen.h"

#include "base/err.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define ENTER "\033[?1049h\033[?25l\033[2J" /* the alternate screen, no cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define STDIN_FD 0

enum { SIGNALS = 3 };
static const int end_signals[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

struct screen {
    uv_loop_t loop;
    uv_timer_t timer, end_timer;
    uv_tty_t input;
    uv_signal_t signals[SIGNALS];
    uv_signal_t resized;
    const struct oc_screen_calls *calls;
    void *context;
    int64_t interval_ms;
    int rc;
    char chunk[256];
};

static void end(struct screen *screen, int rc)
{
    screen->rc = rc == OC_SCREEN_END ? OC_OK : rc;
    uv_stop(&screen->loop);
}

static void answer(struct screen *screen, int rc)
{
    if (rc)
        end(screen, rc);
}

/* ---- keys ---- */

static const struct {
    const char *bytes;
    int key;
} sequences[] = { { "\033[A", OC_KEY_UP },       { "\033OA", OC_KEY_UP },
                  { "\033[B", OC_KEY_DOWN },     { "\033OB", OC_KEY_DOWN },
                  { "\033[5~", OC_KEY_PAGE_UP }, { "\033[6~", OC_KEY_PAGE_DOWN },
                  { "\033[H", OC_KEY_HOME },     { "\033OH", OC_KEY_HOME },
                  { "\033[1~", OC_KEY_HOME },    { "\033[F", OC_KEY_END },
                  { "\033OF", OC_KEY_END },      { "\033[4~", OC_KEY_END } };

/* Length of an escape sequence that we do not know: it must not leave its letters behind as keys. */
static int skip_sequence(const char *bytes, int len)
{
    int at = 1;

    if (len < 2 || (bytes[1] != '[' && bytes[1] != 'O'))
        return 1;
    for (at = 2; at < len; at++) {
        if (bytes[at] >= 0x40 && bytes[at] <= 0x7e)
            return at + 1;
    }
    return at;
}

int oc_key_parse(const char *bytes, int len, int *out_key)
{
    if (bytes[0] != '\033') {
        *out_key = (unsigned char)bytes[0];
        return 1;
    }
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        int want = (int)strlen(sequences[i].bytes);

        if (len >= want && memcmp(bytes, sequences[i].bytes, (size_t)want) == 0) {
            *out_key = sequences[i].key;
            return want;
        }
    }
    *out_key = 0;
    return skip_sequence(bytes, len);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buf)
{
    struct screen *screen = handle->data;

    (void)suggested;
    *out_buf = uv_buf_init(screen->chunk, sizeof(screen->chunk));
}

static void on_input(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct screen *screen = stream->data;
    int at = 0;

    if (got < 0) {
        (void)uv_read_stop(stream);
        return;
    }
    while (at < (int)got) {
        int key = 0;

        at += oc_key_parse(buf->base + at, (int)got - at, &key);
        if (key == OC_KEY_CTRL_C)
            end(screen, OC_OK);
        else if (key)
            answer(screen, screen->calls->key(key, screen->context));
    }
}

/* ---- the rest ---- */

static void on_timer(uv_timer_t *timer)
{
    struct screen *screen = timer->data;

    answer(screen, screen->calls->tick(screen->context));
    uv_update_time(&screen->loop);
}

static void on_end(uv_timer_t *timer) { end(timer->data, OC_OK); }

static void on_end_signal(uv_signal_t *handle, int number)
{
    (void)number;
    end(handle->data, OC_OK);
}

static void on_resize(uv_signal_t *handle, int number)
{
    struct screen *screen = handle->data;

    (void)number;
    answer(screen, screen->calls->resize(screen->context));
}

static void start_input(struct screen *screen)
{
    if (uv_guess_handle(STDIN_FD) != UV_TTY ||
        uv_tty_init(&screen->loop, &screen->input, STDIN_FD, 1))
        return; /* no keys then; signals still end it */
    screen->input.data = screen;
    (void)uv_tty_set_mode(&screen->input, UV_TTY_MODE_RAW);
    (void)uv_read_start((uv_stream_t *)&screen->input, on_alloc, on_input);
}

static int start_signals(struct screen *screen)
{
    int rc = 0;

    for (size_t i = 0; i < SIGNALS && rc == 0; i++) {
        rc = uv_signal_init(&screen->loop, &screen->signals[i]);
        screen->signals[i].data = screen;
        if (rc == 0)
            rc = uv_signal_start(&screen->signals[i], on_end_signal, end_signals[i]);
    }
    if (rc == 0 && screen->calls) {
        rc = uv_signal_init(&screen->loop, &screen->resized);
        screen->resized.data = screen;
        if (rc == 0)
            rc = uv_signal_start(&screen->resized, on_resize, SIGWINCH);
    }
    return rc ? OC_E_IO : OC_OK;
}

static int start_end_timer(struct screen *screen, int64_t for_ms)
{
    (void)uv_timer_init(&screen->loop, &screen->end_timer);
    screen->end_timer.data = screen;
    if (for_ms <= 0)
        return OC_OK;
    return uv_timer_start(&screen->end_timer, on_end, (uint64_t)for_ms, 0) ? OC_E_INVAL : OC_OK;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void tear_down(struct screen *screen)
{
    (void)uv_tty_reset_mode();
    uv_walk(&screen->loop, close_handle, NULL);
    (void)uv_run(&screen->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&screen->loop);
}

static void put(const char *text)
{
    (void)fputs(text, stdout);
    (void)fflush(stdout);
}

int oc_screen_run(int64_t interval_ms, int64_t for_ms, const struct oc_screen_calls *calls,
                  void *context)
{
    struct screen screen = { .calls = calls, .context = context, .interval_ms = interval_ms };
    int rc;

    if (uv_loop_init(&screen.loop))
        return OC_E_NOMEM;
    rc = start_signals(&screen);
    if (!rc)
        rc = start_end_timer(&screen, for_ms);
    (void)uv_timer_init(&screen.loop, &screen.timer);
    screen.timer.data = &screen;
    if (!rc && uv_timer_start(&screen.timer, on_timer, 0, (uint64_t)interval_ms))
        rc = OC_E_INVAL;
    if (!rc) {
        start_input(&screen);
        put(ENTER);
        (void)uv_run(&screen.loop, UV_RUN_DEFAULT);
        put(LEAVE);
        rc = screen.rc;
    }
    tear_down(&screen);
    return rc;
}

void oc_screen_wait(int64_t for_ms)
{
    struct screen screen = { 0 };

    if (uv_loop_init(&screen.loop))
        return;
    if (!start_signals(&screen) && !start_end_timer(&screen, for_ms))
        (void)uv_run(&screen.loop, UV_RUN_DEFAULT);
    tear_down(&screen);
}
