/*
 * What goes to receivers outside the outbox: all that fires, posted to Alertmanager again and again with an
 * end ahead, so that it ends there by itself should we fall silent; heartbeats; made alerts for `alerts test`.
 */
#include "daemon/alert.h"

#include "daemon/control.h"
#include "daemon/daemon.h"

#include "alert/body.h"
#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POST_MS                                                                                    \
    60000 /* Alertmanager ends what it does not hear of for the 4 min that a post promises */
#define SOON_MS 2000 /* what comes together is posted together */
#define KEEP_ENDED_MS (INT64_C(15) * 60000)
#define POST_ALERTS 50 /* in one request */
#define BEAT_MS 300000
#define TEST_SLACK_MS 20000
#define POST_MAX_BYTES (768u << 10)
#define POSTED_MAX 65536

/* How a receiver of these kinds does. */
struct outlet {
    char name[OC_RULE_NAME_BYTES];
    int64_t due_mono_ms;
    uint32_t in_flight;
    uint64_t sent, failed;
    int64_t failing_since_mono_ms, failing_since_unix_ms, last_sent_unix_ms;
    int32_t status;
    char why[OC_ALERT_WHY_BYTES];
};

struct ended {
    struct oc_notice_alert told;
    int64_t until_mono_ms;
};

struct test {
    uint64_t number; /* 0: a free place */
    uint64_t client;
    char receiver[OC_RULE_NAME_BYTES];
    uint32_t waiting; /* answers */
    int64_t until_mono_ms;
    struct oc_wire_report worst;
};

struct oc_alert_level {
    struct outlet outlets[OC_RECEIVERS_MAX]; /* in the order of the config's receivers */
    size_t outlet_count;
    struct ended *ended; /* owned; oldest first */
    size_t ended_count, ended_capacity;
    uint64_t *posted; /* owned; ascending: fingerprints of what fires and was posted */
    size_t posted_count, posted_capacity;
    struct test tests[OC_ALERT_TESTS_MAX];
    uint64_t last_number;
};

/* ---- outlets ---- */

static int is_level(const struct oc_receiver *receiver)
{
    return receiver->type == OC_RECEIVER_ALERTMANAGER;
}

static int is_outlet(const struct oc_receiver *receiver)
{
    return is_level(receiver) || receiver->type == OC_RECEIVER_HEARTBEAT;
}

static struct outlet *find_outlet(struct oc_alert_level *level, const char *name)
{
    for (size_t i = 0; i < level->outlet_count; i++) {
        if (strcmp(level->outlets[i].name, name) == 0)
            return &level->outlets[i];
    }
    return NULL;
}

/* Those of the config in force; how they did so far stays. */
static void set_outlets(struct oc_daemon *daemon, struct oc_alert_level *level)
{
    const struct oc_receivers *receivers = &daemon->config.receivers;
    struct outlet next[OC_RECEIVERS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < receivers->count && count < OC_RECEIVERS_MAX; i++) {
        const struct outlet *former = find_outlet(level, receivers->items[i].name);

        if (!is_outlet(&receivers->items[i]))
            continue;
        next[count] = former ? *former : (struct outlet){ 0 };
        (void)oc_text_copy(next[count].name, sizeof(next[count].name), receivers->items[i].name);
        next[count].in_flight = 0;     /* the answers go to nobody: the places are others */
        next[count++].due_mono_ms = 0; /* at once: it may be reached otherwise now */
    }
    memcpy(level->outlets, next, count * sizeof(next[0]));
    level->outlet_count = count;
}

/* NULL: no memory; another time, then. */
static struct oc_alert_level *level_of(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;

    if (!a->level) {
        a->level = oc_calloc(1, sizeof(*a->level));
        if (a->level)
            set_outlets(daemon, a->level);
    }
    return a->level;
}

void oc_alert_level_reload(struct oc_daemon *daemon)
{
    if (daemon->alerting.level)
        set_outlets(daemon, daemon->alerting.level);
}

static int has_level(const struct oc_daemon *daemon)
{
    for (size_t i = 0; i < daemon->config.receivers.count; i++) {
        if (is_level(&daemon->config.receivers.items[i]))
            return 1;
    }
    return 0;
}

/* ---- what ended ---- */

static void clear_told(struct oc_notice_alert *told)
{
    struct oc_notice notice = { .count = 1 };

    notice.alerts =
        oc_malloc(sizeof(*told)); /* the notice frees what it owns, and itself its list */
    if (!notice.alerts)
        return;
    *notice.alerts = *told;
    oc_notice_clear(&notice);
    *told = (struct oc_notice_alert){ 0 };
}

static void drop_ended(struct oc_alert_level *level, size_t at)
{
    clear_told(&level->ended[at].told);
    memmove(&level->ended[at], &level->ended[at + 1],
            (level->ended_count - at - 1) * sizeof(level->ended[0]));
    level->ended_count--;
}

static void forget_ended(struct oc_alert_level *level, uint64_t fingerprint)
{
    for (size_t i = 0; i < level->ended_count; i++) {
        if (level->ended[i].told.alert.fingerprint == fingerprint) {
            drop_ended(level, i);
            return;
        }
    }
}

static void keep_ended(struct oc_daemon *daemon, struct oc_alert_level *level,
                       const struct oc_alert *alert)
{
    void *items = level->ended;
    struct ended ended = { .told.alert = *alert,
                           .until_mono_ms = oc_now_mono_ms() + KEEP_ENDED_MS };

    if (level->ended_count == OC_ALERT_ENDED_MAX)
        drop_ended(level, 0);
    if (oc_array_grow(&items, &level->ended_capacity, level->ended_count + 1,
                      sizeof(level->ended[0]), OC_ALERT_ENDED_MAX) < 0)
        return; /* it ends there by itself */
    level->ended = items;
    if (oc_alerting_describe(alert, &ended.told, daemon) < 0) {
        clear_told(&ended.told);
        return;
    }
    level->ended[level->ended_count++] = ended;
}

static int was_posted(const struct oc_alert_level *level, uint64_t fingerprint);
static void forget_posted(struct oc_alert_level *level, uint64_t fingerprint);

static void post_soon(struct oc_alert_level *level)
{
    int64_t soon_ms = oc_now_mono_ms() + SOON_MS;

    for (size_t i = 0; i < level->outlet_count; i++) {
        if (level->outlets[i].due_mono_ms > soon_ms)
            level->outlets[i].due_mono_ms = soon_ms;
    }
}

void oc_alert_level_note(struct oc_daemon *daemon, const struct oc_alert *alert)
{
    struct oc_alert_level *level = has_level(daemon) ? level_of(daemon) : NULL;

    if (!level || alert->state == OC_ALERT_PENDING)
        return;
    if (alert->state == OC_ALERT_FIRING)
        forget_ended(level, alert->fingerprint);
    else if (was_posted(level, alert->fingerprint))
        keep_ended(daemon, level, alert);
    if (alert->state != OC_ALERT_FIRING)
        forget_posted(level, alert->fingerprint);
    post_soon(level);
}

/* ---- posts ---- */

struct post {
    struct oc_daemon *daemon;
    struct oc_alert_level *level;
    const struct oc_receiver *receiver;
    struct oc_notice notice; /* its alerts are what is posted */
    size_t capacity;
    int rc;
};

static int add_to_post(struct post *post, const struct oc_alert *alert)
{
    void *items = post->notice.alerts;
    struct oc_notice_alert *told = NULL;

    post->rc = oc_array_grow(&items, &post->capacity, post->notice.count + 1, sizeof(*told),
                             SIZE_MAX / sizeof(*told));
    if (post->rc < 0)
        return post->rc;
    post->notice.alerts = items;
    told = &post->notice.alerts[post->notice.count++];
    *told = (struct oc_notice_alert){ .alert = *alert };
    post->rc = oc_alerting_describe(alert, told, post->daemon);
    return post->rc;
}

/* What someone silences here after it was posted is posted on: else it would look resolved there. */
static int on_firing(const struct oc_alert *alert, void *context)
{
    struct post *post = context;
    const struct oc_alerting *a = &post->daemon->alerting;

    if (alert->state != OC_ALERT_FIRING || ((alert->mutes & OC_ALERT_MUTES) && !alert->was_told &&
                                            !was_posted(post->level, alert->fingerprint)))
        return 0;
    if (!oc_receiver_takes(post->receiver, alert, oc_alerts_labels_of(a->rules, alert)))
        return 0;
    return add_to_post(post, alert) < 0;
}

/* Those that ended ride along; they belong to the level until it is their time. */
static int add_ended(struct post *post)
{
    const struct oc_alert_level *level = post->level;

    for (size_t i = 0; i < level->ended_count && post->rc == OC_OK; i++) {
        const struct oc_notice_alert *told = &level->ended[i].told;

        if (post->receiver->send_resolved &&
            oc_receiver_takes(post->receiver, &told->alert, (const char *const *)told->labels))
            (void)add_to_post(post, &told->alert);
    }
    return post->rc;
}

static int send_part(struct post *post, size_t from, size_t count, uint32_t url)
{
    struct outlet *outlet = find_outlet(post->level, post->receiver->name);
    char id[OC_OUTBOX_ID_BYTES];
    struct oc_body body;
    int rc = OC_OK;

    oc_body_init(&body);
    oc_buf_clear(&body.text);
    oc_buf_init(&body.text, POST_MAX_BYTES);
    rc = oc_body_write_level(post->notice.alerts + from, count, oc_alerting_now_ms(post->daemon),
                             &body.text);
    body.content_type = "application/json";
    (void)snprintf(id, sizeof(id), "level-%" PRIu64 "-%zu", ++post->level->last_number,
                   outlet ? (size_t)(outlet - post->level->outlets) : (size_t)OC_RECEIVERS_MAX);
    if (rc == OC_OK)
        rc = oc_alerting_deliver_body(post->daemon, id, post->receiver, url, &body);
    if (rc == OC_OK && outlet)
        outlet->in_flight++;
    oc_body_clear(&body);
    return rc;
}

/* Where it stands in the list, or would. */
static size_t place_of(const struct oc_alert_level *level, uint64_t fingerprint)
{
    size_t low = 0, high = level->posted_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (level->posted[middle] < fingerprint)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int was_posted(const struct oc_alert_level *level, uint64_t fingerprint)
{
    size_t at = place_of(level, fingerprint);

    return at < level->posted_count && level->posted[at] == fingerprint;
}

static void add_posted(struct oc_alert_level *level, uint64_t fingerprint)
{
    size_t at = place_of(level, fingerprint);
    void *items = level->posted;

    if (was_posted(level, fingerprint) ||
        oc_array_grow(&items, &level->posted_capacity, level->posted_count + 1,
                      sizeof(level->posted[0]), POSTED_MAX) < 0)
        return;
    level->posted = items;
    memmove(&level->posted[at + 1], &level->posted[at],
            (level->posted_count - at) * sizeof(level->posted[0]));
    level->posted[at] = fingerprint;
    level->posted_count++;
}

static void forget_posted(struct oc_alert_level *level, uint64_t fingerprint)
{
    size_t at = place_of(level, fingerprint);

    if (at == level->posted_count || level->posted[at] != fingerprint)
        return;
    memmove(&level->posted[at], &level->posted[at + 1],
            (level->posted_count - at - 1) * sizeof(level->posted[0]));
    level->posted_count--;
}

static void note_posted(struct oc_alert_level *level, const struct oc_notice *notice)
{
    for (size_t i = 0; i < notice->count; i++) {
        if (notice->alerts[i].alert.state == OC_ALERT_FIRING)
            add_posted(level, notice->alerts[i].alert.fingerprint);
    }
}

static void post_all(struct oc_daemon *daemon, struct oc_alert_level *level,
                     const struct oc_receiver *receiver)
{
    struct post post = { .daemon = daemon, .level = level, .receiver = receiver };

    (void)oc_alerts_each(daemon->alerting.rules, on_firing, &post);
    (void)add_ended(&post);
    for (uint32_t url = 0; url < receiver->urls.count && post.rc == OC_OK; url++) {
        for (size_t at = 0; at < post.notice.count && post.rc == OC_OK; at += POST_ALERTS) {
            size_t left = post.notice.count - at;

            post.rc = send_part(&post, at, left < POST_ALERTS ? left : POST_ALERTS, url);
        }
    }
    if (post.rc == OC_OK)
        note_posted(level, &post.notice);
    oc_notice_clear(&post.notice);
}

/* ---- heartbeats ---- */

static void beat(struct oc_daemon *daemon, struct oc_alert_level *level,
                 const struct oc_receiver *receiver, struct outlet *outlet)
{
    char id[OC_OUTBOX_ID_BYTES];

    (void)snprintf(id, sizeof(id), "beat-%" PRIu64 "-%zu", ++level->last_number,
                   (size_t)(outlet - level->outlets));
    if (oc_alerting_deliver_body(daemon, id, receiver, 0, NULL) == OC_OK)
        outlet->in_flight++;
}

static int64_t interval_ms(const struct oc_receiver *receiver)
{
    if (receiver->interval_ms > 0)
        return receiver->interval_ms;
    return is_level(receiver) ? POST_MS : BEAT_MS;
}

/* ---- rounds ---- */

static void end_late_tests(struct oc_daemon *daemon, struct oc_alert_level *level);

void oc_alert_level_round(struct oc_daemon *daemon)
{
    struct oc_alert_level *level = NULL;
    int64_t now_ms = oc_now_mono_ms();
    int wanted = daemon->alerting.level != NULL;

    for (size_t i = 0; i < daemon->config.receivers.count; i++)
        wanted |= is_outlet(&daemon->config.receivers.items[i]);
    level = wanted ? level_of(daemon) : NULL;
    if (!level || daemon->alerting.is_stopping)
        return;
    end_late_tests(daemon, level);
    while (level->ended_count > 0 && now_ms >= level->ended[0].until_mono_ms)
        drop_ended(level, 0);
    for (size_t i = 0; i < level->outlet_count; i++) {
        struct outlet *outlet = &level->outlets[i];
        const struct oc_receiver *receiver = oc_alerting_receiver(daemon, outlet->name);

        if (!receiver || now_ms < outlet->due_mono_ms || outlet->in_flight > 0)
            continue;
        outlet->due_mono_ms = now_ms + interval_ms(receiver);
        if (is_level(receiver))
            post_all(daemon, level, receiver);
        else
            beat(daemon, level, receiver, outlet);
    }
}

/* ---- answers ---- */

static void note_outlet(struct outlet *outlet, const struct oc_wire_report *report, int64_t now_ms)
{
    if (outlet->in_flight > 0)
        outlet->in_flight--;
    outlet->status = report->status;
    if (report->outcome == OC_DELIVERY_SENT) {
        outlet->sent++;
        outlet->last_sent_unix_ms = now_ms;
        outlet->failing_since_mono_ms = 0;
        outlet->failing_since_unix_ms = 0;
        return;
    }
    outlet->failed++;
    (void)oc_text_copy(outlet->why, sizeof(outlet->why), report->why);
    if (outlet->failing_since_mono_ms == 0) {
        outlet->failing_since_mono_ms = oc_now_mono_ms();
        outlet->failing_since_unix_ms = now_ms;
    }
}

static void answer_test(struct oc_daemon *daemon, struct test *test)
{
    static const char *const outcomes[] = { "sent", "later", "slow", "never", "lost" };
    const struct oc_wire_report *report = &test->worst;
    struct oc_buf out;

    oc_buf_init(&out, 16u << 10);
    oc_buf_puts(&out, "{\"ok\":true,\"receiver\":");
    oc_buf_json_string(&out, test->receiver);
    oc_buf_printf(&out, ",\"outcome\":\"%s\",\"why\":", outcomes[report->outcome]);
    oc_buf_json_string(&out, report->why);
    if (report->status != 0)
        oc_buf_printf(&out, ",\"status\":%d", (int)report->status);
    oc_buf_printf(&out, ",\"took_ms\":%" PRId64 ",\"answer\":", report->took_ms);
    oc_buf_json_string(&out, report->answer);
    oc_buf_putc(&out, '}');
    if (daemon->control)
        oc_control_reply(daemon->control, test->client, &out);
    oc_buf_clear(&out);
    test->number = 0;
}

static void note_test(struct oc_daemon *daemon, struct oc_alert_level *level,
                      const struct oc_wire_report *report)
{
    uint64_t number = strtoull(report->id + strlen("test-"), NULL, 10);

    for (size_t i = 0; i < OC_ALERT_TESTS_MAX; i++) {
        struct test *test = &level->tests[i];

        if (test->number == 0 || test->number != number)
            continue;
        if (test->worst.what == 0 || report->outcome > test->worst.outcome)
            test->worst = *report;
        if (--test->waiting == 0)
            answer_test(daemon, test);
        return;
    }
}

static void end_late_tests(struct oc_daemon *daemon, struct oc_alert_level *level)
{
    for (size_t i = 0; i < OC_ALERT_TESTS_MAX; i++) {
        struct test *test = &level->tests[i];

        if (test->number == 0 || oc_now_mono_ms() < test->until_mono_ms)
            continue;
        test->worst = (struct oc_wire_report){ .outcome = OC_DELIVERY_LATER };
        (void)oc_text_copy(test->worst.why, sizeof(test->worst.why), "no answer came in time");
        answer_test(daemon, test);
    }
}

/* Of posts and beats the id ends with the outlet's place. */
int oc_alert_level_answered(struct oc_daemon *daemon, const struct oc_wire_report *report)
{
    struct oc_alert_level *level = daemon->alerting.level;
    const char *dash = strchr(report->id, '-');
    size_t at = 0;

    if (!dash)
        return 0; /* "msg_…": a row of the outbox */
    if (!level)
        return 1;
    if (strncmp(report->id, "test-", 5) == 0) {
        note_test(daemon, level, report);
        return 1;
    }
    at = (size_t)strtoul(strrchr(report->id, '-') + 1, NULL, 10);
    if (at < level->outlet_count)
        note_outlet(&level->outlets[at], report, oc_alerting_now_ms(daemon));
    return 1;
}

/* ---- tests ---- */

static int send_test(struct oc_daemon *daemon, const struct oc_receiver *receiver, uint32_t url,
                     const char *id)
{
    struct oc_notice notice = { 0 };
    struct oc_body body;
    int64_t now_ms = oc_alerting_now_ms(daemon);
    int rc = OC_OK;

    if (receiver->type == OC_RECEIVER_HEARTBEAT)
        return oc_alerting_deliver_body(daemon, id, receiver, url, NULL);
    rc = oc_notice_sample(daemon->alerting.instance, receiver->name, now_ms, &notice);
    if (rc < 0)
        return rc;
    oc_body_init(&body);
    if (is_level(receiver)) {
        rc = oc_body_write_level(notice.alerts, notice.count, now_ms, &body.text);
        body.content_type = "application/json";
    } else {
        rc = oc_body_write(receiver->type, &notice, now_ms, &body);
    }
    if (rc == OC_OK)
        rc = oc_alerting_deliver_body(daemon, id, receiver, url, &body);
    oc_body_clear(&body);
    oc_notice_clear(&notice);
    return rc;
}

static struct test *free_test(struct oc_alert_level *level)
{
    for (size_t i = 0; i < OC_ALERT_TESTS_MAX; i++) {
        if (level->tests[i].number == 0)
            return &level->tests[i];
    }
    return NULL;
}

int oc_alert_level_test(struct oc_daemon *daemon, const struct oc_receiver *receiver,
                        uint64_t client, struct oc_detail *detail)
{
    struct oc_alert_level *level = level_of(daemon);
    struct test *test = level ? free_test(level) : NULL;
    uint32_t urls = is_level(receiver) ? (uint32_t)receiver->urls.count : 1;
    char id[OC_OUTBOX_ID_BYTES];
    int rc = OC_OK;

    if (!test)
        return oc_detail_set(detail, OC_E_BUSY, "too many tests are under way");
    *test = (struct test){ .number = ++level->last_number, .client = client };
    (void)oc_text_copy(test->receiver, sizeof(test->receiver), receiver->name);
    test->until_mono_ms = oc_now_mono_ms() + receiver->timeout_ms + TEST_SLACK_MS;
    for (uint32_t url = 0; url < urls && rc == OC_OK; url++) {
        (void)snprintf(id, sizeof(id), "test-%" PRIu64 "-%u", test->number, (unsigned)url);
        rc = send_test(daemon, receiver, url, id);
        test->waiting += rc == OC_OK;
    }
    if (test->waiting > 0)
        return OC_OK;
    test->number = 0;
    if (rc == OC_E_AGAIN)
        return oc_detail_set(detail, OC_E_BUSY,
                             "oomcast-notify does not run; `oomcast status` says why");
    return oc_detail_set(detail, rc, "%s", oc_err_text(rc));
}

/* ---- how they do ---- */

int64_t oc_alert_level_failing_since(const struct oc_daemon *daemon, const char *receiver)
{
    struct oc_alert_level *level = daemon->alerting.level;
    const struct outlet *outlet = level ? find_outlet(level, receiver) : NULL;

    return outlet ? outlet->failing_since_mono_ms : 0;
}

void oc_alert_level_status(const struct oc_daemon *daemon, struct oc_buf *out)
{
    struct oc_alert_level *level = daemon->alerting.level;

    for (size_t i = 0; level && i < level->outlet_count; i++) {
        const struct outlet *outlet = &level->outlets[i];
        const struct oc_receiver *receiver = oc_alerting_receiver(daemon, outlet->name);
        struct oc_receiver_state state = { .name = outlet->name,
                                           .type = receiver ? receiver->type : 0,
                                           .in_flight = outlet->in_flight,
                                           .sent = outlet->sent,
                                           .failed = outlet->failed,
                                           .failing_since_unix_ms = outlet->failing_since_unix_ms,
                                           .last_sent_unix_ms = outlet->last_sent_unix_ms,
                                           .status = outlet->status,
                                           .why = outlet->why };

        oc_alerting_put_receiver(&state, out);
    }
}

void oc_alert_level_free(struct oc_alerting *a)
{
    struct oc_alert_level *level = a->level;

    if (!level)
        return;
    while (level->ended_count > 0)
        drop_ended(level, level->ended_count - 1);
    oc_free(level->ended);
    oc_free(level->posted);
    oc_free(level);
    a->level = NULL;
}
