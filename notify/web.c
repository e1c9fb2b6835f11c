/* libcurl's multi interface on the loop: its sockets are polled and its timer is kept by libuv. One pool of connections. */
#include "notify/web.h"

#include "base/alloc.h"
#include "base/os.h"
#include "notify/courier.h"
#include "notify/transport.h"
#include "notify/trust.h"

#include <string.h>

#define CURL_NEEDED 0x075700 /* 7.87: CURLOPT_QUICK_EXIT; 7.85: CURLOPT_PROTOCOLS_STR */
#define CA_CACHE_S 60L /* a file that was mended is seen soon; reading the system's takes 50 ms */
#define IDLE_CONNECTIONS_MAX 16
#define CONNECT_TIMEOUT_MS 5000
#define KEPT_TRANSFERS_MAX 8
#define HEADERS_MAX_BYTES (64u << 10)
#define MAIL_MAX_BYTES (2u << 20)
#define BUFFER_BYTES 16384 /* libcurl's own, of a transfer each */
#define WATCHES_MAX 256    /* sockets: of transfers, of idle connections, of name lookups */

struct watch {
    uv_poll_t poll;
    struct oc_web *web;
    curl_socket_t fd;
    int is_used;
};

struct oc_web {
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct oc_transfer *active, *kept;
    uint32_t kept_count;
    int is_broken; /* libcurl gave up: only a new process helps */
    struct watch watches[WATCHES_MAX];
};

/* ---- the end of a transfer ---- */

static void link_in(struct oc_transfer **list, struct oc_transfer *transfer)
{
    transfer->next = *list;
    transfer->link = list;
    if (transfer->next)
        transfer->next->link = &transfer->next;
    *list = transfer;
}

static void unlink_it(struct oc_transfer *transfer)
{
    *transfer->link = transfer->next;
    if (transfer->next)
        transfer->next->link = transfer->link;
}

static void free_transfer(struct oc_transfer *transfer)
{
    curl_slist_free_all(transfer->lines);
    oc_buf_clear(&transfer->mail);
    curl_easy_cleanup(transfer->easy);
    oc_free(transfer);
}

/* For the next one, but for a few at most. Its secrets go. */
static void put_away(struct oc_web *web, struct oc_transfer *transfer)
{
    CURL *easy = transfer->easy;

    curl_slist_free_all(transfer->lines);
    transfer->lines = NULL;
    oc_buf_clear(&transfer->mail);
    if (web->kept_count == KEPT_TRANSFERS_MAX) {
        free_transfer(transfer);
        return;
    }
    curl_easy_reset(easy);
    *transfer = (struct oc_transfer){ .web = web, .easy = easy };
    link_in(&web->kept, transfer);
    web->kept_count++;
}

static struct oc_transfer *take_out(struct oc_web *web)
{
    struct oc_transfer *transfer = web->kept;

    if (transfer) {
        unlink_it(transfer);
        web->kept_count--;
        return transfer;
    }
    transfer = oc_calloc(1, sizeof(*transfer));
    if (!transfer)
        return NULL;
    transfer->web = web;
    transfer->easy = curl_easy_init();
    if (!transfer->easy) {
        oc_free(transfer);
        return NULL;
    }
    return transfer;
}

static int is_mail(const struct oc_transfer *transfer)
{
    return transfer->attempt->target->settings.type == OC_RECEIVER_EMAIL;
}

static void describe(struct oc_transfer *transfer, CURLcode code, struct oc_outcome *out)
{
    char answer[OC_WIRE_ANSWER_MAX + 1];
    const struct oc_receiver *settings = &transfer->attempt->target->settings;
    struct oc_talk talk = { .code = code,
                            .origin = transfer->origin,
                            .moved_to = transfer->moved_to,
                            .said = answer,
                            .ca_file = settings->ca_file,
                            .timeout_ms = settings->timeout_ms };
    long status = 0, os_error = 0, request_bytes = 0;
    curl_off_t connect_us = 0;

    oc_attempt_answer_text(transfer->attempt, answer);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &talk.verify);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
    talk.status = (int32_t)status;
    talk.os_error = (int)os_error;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    talk.is_connected =
        connect_us > 0 || request_bytes > 0; /* of a kept connection the former is 0 */
    if (is_mail(transfer))
        oc_outcome_smtp(&talk, out);
    else
        oc_outcome_http(&talk, out);
    if (out->outcome != OC_DELIVERY_SENT)
        out->retry_after_ms = transfer->retry_after_ms;
}

static void finish(struct oc_web *web, struct oc_transfer *transfer, CURLcode code)
{
    struct oc_attempt *attempt = transfer->attempt;
    struct oc_outcome outcome = { 0 };

    describe(transfer, code, &outcome);
    (void)curl_multi_remove_handle(web->multi, transfer->easy);
    unlink_it(transfer);
    put_away(web, transfer);
    oc_attempt_done(attempt, &outcome);
}

static void take_results(struct oc_web *web)
{
    CURLMsg *message = NULL;
    int left = 0;

    while ((message = curl_multi_info_read(web->multi, &left)) != NULL) {
        struct oc_transfer *transfer = NULL;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        finish(web, transfer, code);
    }
}

/* ---- libcurl's sockets and timer, by libuv ---- */

static void act(struct oc_web *web, curl_socket_t fd, int flags)
{
    int running = 0;

    if (curl_multi_socket_action(web->multi, fd, flags, &running) != CURLM_OK) {
        web->is_broken = 1;
        uv_stop(web->loop);
        return;
    }
    take_results(web);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;

    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    act(watch->web, watch->fd, flags);
}

static void on_timer(uv_timer_t *timer) { act(timer->data, CURL_SOCKET_TIMEOUT, 0); }

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct oc_web *web = context;

    (void)multi;
    if (timeout_ms < 0)
        (void)uv_timer_stop(&web->timer);
    else /* of 0 too: libcurl must not be called from within this call */
        (void)uv_timer_start(&web->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void free_watch(uv_handle_t *handle) { ((struct watch *)handle->data)->is_used = 0; }

/* NULL: all are in use. Of a fixed number, for a multi handle whose callback ever failed is dead for good. */
static struct watch *new_watch(struct oc_web *web, curl_socket_t fd)
{
    for (size_t i = 0; i < WATCHES_MAX; i++) {
        struct watch *watch = &web->watches[i];

        if (watch->is_used)
            continue;
        watch->web = web;
        watch->fd = fd;
        watch->poll.data = watch;
        if (uv_poll_init_socket(web->loop, &watch->poll, fd) != 0)
            return NULL;
        watch->is_used = 1;
        (void)curl_multi_assign(web->multi, fd, watch);
        return watch;
    }
    return NULL;
}

static void drop_watch(struct oc_web *web, curl_socket_t fd, struct watch *watch)
{
    (void)uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, free_watch);
    (void)curl_multi_assign(web->multi, fd, NULL);
}

/* What cannot be watched comes to an end by its time-out. */
static int set_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
    struct oc_web *web = context;
    struct watch *watch = of_socket;
    int events =
        (what != CURL_POLL_OUT ? UV_READABLE : 0) | (what != CURL_POLL_IN ? UV_WRITABLE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            drop_watch(web, fd, watch);
        return 0;
    }
    if (!watch)
        watch = new_watch(web, fd);
    if (watch)
        (void)uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

/* ---- answers ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct oc_transfer *transfer = context;

    /* Fewer than there were end the transfer: the status line has said all that counts. */
    return oc_attempt_answer(transfer->attempt, bytes, size * count) < 0 ? 0 : size * count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct oc_transfer *transfer = context;

    transfer->header_bytes += size * count;
    if (transfer->header_bytes > HEADERS_MAX_BYTES)
        return 0;
    oc_web_header(transfer, bytes, size * count, oc_clock_unix_ms());
    return size * count;
}

/* ---- a transfer begins ---- */

int oc_web_line(struct oc_transfer *transfer, const char *name, const char *value)
{
    struct oc_buf line;
    struct curl_slist *more = NULL;

    if (strpbrk(name, "\r\n") || strpbrk(value, "\r\n"))
        return OC_E_INVAL;
    oc_buf_init(&line, 65536);
    oc_buf_puts(&line, name);
    if (name[0])
        oc_buf_puts(&line, value[0] ? ": " : ":"); /* without a value: libcurl's own is left out */
    oc_buf_puts(&line, value);
    if (line.data)
        more = curl_slist_append(transfer->lines, line.data);
    oc_buf_clear(&line);
    if (!more)
        return OC_E_NOMEM;
    transfer->lines = more;
    return OC_OK;
}

static void set_common(struct oc_transfer *transfer)
{
    const struct oc_receiver *settings = &transfer->attempt->target->settings;
    long timeout_ms = settings->timeout_ms > 0 ? (long)settings->timeout_ms : 10000;
    const char *authorities = settings->ca_file[0] ? settings->ca_file : oc_trust_file();
    CURL *easy = transfer->easy;

    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name server that does not answer would hold up the loop, and with it all receivers, when the attempt is over. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* "" keeps the environment's proxies out. */
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy);
    (void)curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S);
    if (authorities) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, authorities);
        (void)curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, authorities);
    }
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
}

int oc_web_start(struct oc_web *web, struct oc_attempt *attempt, struct oc_outcome *out)
{
    struct oc_transfer *transfer = take_out(web);
    int rc = OC_E_NOMEM;

    oc_outcome_set(out, OC_DELIVERY_LATER, "out of memory");
    if (!transfer)
        return rc;
    transfer->attempt = attempt;
    oc_buf_init(&transfer->mail, MAIL_MAX_BYTES);
    set_common(transfer);
    rc = is_mail(transfer) ? oc_web_mail(transfer, out) : oc_web_http(transfer, out);
    if (rc == OC_OK && curl_multi_add_handle(web->multi, transfer->easy) != CURLM_OK)
        rc = OC_E_NOMEM;
    if (rc < 0) {
        put_away(web, transfer);
        return rc;
    }
    link_in(&web->active, transfer);
    return OC_OK;
}

/* ---- all of them ---- */

static int set_up(struct oc_web *web)
{
    web->multi = curl_multi_init();
    if (!web->multi)
        return OC_E_NOMEM;
    (void)curl_multi_setopt(web->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    (void)curl_multi_setopt(web->multi, CURLMOPT_SOCKETDATA, web);
    (void)curl_multi_setopt(web->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(web->multi, CURLMOPT_TIMERDATA, web);
    (void)curl_multi_setopt(web->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    (void)curl_multi_setopt(web->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)OC_ACTIVE_MAX);
    web->timer.data = web;
    return uv_timer_init(web->loop, &web->timer) == 0 ? OC_OK : OC_E_IO;
}

int oc_web_open(uv_loop_t *loop, struct oc_web **out_web)
{
    struct oc_web *web = NULL;
    int rc = OC_OK;

    if (curl_version_info(CURLVERSION_NOW)->version_num < CURL_NEEDED)
        return OC_E_NOTSUP;
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, oc_malloc, oc_free, oc_realloc, oc_strdup,
                             oc_calloc) != CURLE_OK)
        return OC_E_NOMEM;
    web = oc_calloc(1, sizeof(*web));
    if (!web)
        return OC_E_NOMEM;
    web->loop = loop;
    rc = set_up(web);
    if (rc < 0) {
        (void)curl_multi_cleanup(web->multi);
        oc_free(web);
        return rc;
    }
    *out_web = web;
    return OC_OK;
}

int oc_web_is_broken(const struct oc_web *web) { return web->is_broken; }

void oc_web_close(struct oc_web *web)
{
    struct oc_transfer *transfer = NULL;

    if (!web)
        return;
    /* What is under way, a name lookup above all, cannot be waited for: it ends with the process. */
    while ((transfer = web->active) != NULL) {
        unlink_it(transfer);
        (void)curl_multi_remove_handle(web->multi, transfer->easy);
        oc_attempt_drop(transfer->attempt);
        free_transfer(transfer);
    }
    while ((transfer = web->kept) != NULL) {
        unlink_it(transfer);
        free_transfer(transfer);
    }
    (void)curl_multi_cleanup(web->multi);
    (void)uv_timer_stop(&web->timer);
    oc_free(web);
    curl_global_cleanup();
}
