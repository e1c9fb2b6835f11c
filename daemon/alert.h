/*
 * Alerts: what is sampled and forecast becomes facts for the rules, what changes goes to the store, and what
 * is there goes to the receivers. All of it is the loop thread's; explanations come from a thread of their
 * own. docs/alerts.md says what is alerted and who is told.
 *
 * What a turn of the loop decides is one message to the writer (alert_ops.h). Its answer says that it is on
 * the disk; only then is it sent. Where the store fails it is sent from memory, and says so.
 *
 * alert.c          the part: start, turns, stop        alert_load.c    going on after a restart, settings
 * alert_facts.c    what the rules are told             alert_self.c    how oomcastd itself does, who is missing
 * alert_cap.c      heap caps against containers        alert_say.c     the log: also with no memory left
 * alert_send.c     notices to the notifier, answers    alert_level.c   Alertmanager, heartbeats, tests
 * alert_why.c      explanations, as they come          alert_asked.c   the control channel, the status
 */
#ifndef OC_DAEMON_ALERT_H
#define OC_DAEMON_ALERT_H

#include "alert/alert.h"
#include "alert/dispatch.h"
#include "base/buf.h"
#include "base/census.h"
#include "base/limit.h"
#include "config/target.h"
#include "daemon/alert_explain.h"
#include "daemon/alert_ops.h"
#include "daemon/notifier.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct oc_body;
struct oc_config;
struct oc_daemon;
struct oc_request;
struct oc_source;
struct oc_walk;

#define OC_ALERT_UNHELD_MAX 64
#define OC_ALERT_WHYS_MAX 256    /* explanations kept for their notices */
#define OC_ALERT_ENDED_MAX 512   /* kept for Alertmanager */
#define OC_ALERT_TESTS_MAX 16    /* under way */
#define OC_ALERT_TROUBLES_MAX 48 /* of oomcastd itself, at a time */

/* A notice on its way. */
struct oc_alert_held {
    struct oc_alert_held *next;
    char id[OC_OUTBOX_ID_BYTES];
    char receiver[OC_RULE_NAME_BYTES];
    uint64_t turn; /* that must be on the disk first; 0: it is */
    int64_t since_mono_ms;
    int not_durable; /* it is sent from memory */
    size_t notice_bytes;
    char *notice; /* owned: JSON */
};

/* Why an alert is, for its next notice. */
struct oc_alert_known_why {
    uint64_t fingerprint; /* 0: a free place */
    uint64_t episode;
    int64_t asked_ms, known_ms; /* unix; 0: not yet */
    int is_over;
    char *text, *then;    /* owned; NULL: none */
    struct oc_alert *end; /* owned; of one that died: as it was told; NULL: none */
};

/* A subject that the rules know: by handle. */
struct oc_alert_subject {
    uint32_t live;         /* sources */
    int64_t ended_mono_ms; /* of the last one */
    uint8_t is_known;
    uint8_t was_left; /* its last process is watched no more, and did not end */
};

struct oc_alert_level; /* alert_level.c */

/* Something that oomcastd itself suffers from, by the words that the rules get. */
struct oc_alert_trouble {
    char text[120]; /* "": a free place */
    int64_t since_mono_ms;
    uint8_t is_seen, is_told;
};

struct oc_alerting {
    oc_alerts *rules; /* NULL: there are no alerts */
    oc_dispatch *dispatch;
    oc_notifier *notifier;
    oc_explainer *explainer;
    uv_prepare_t turn_end;
    uv_timer_t timer;
    int is_open;                /* the handles are */
    int is_stopping;            /* nothing more is sent */
    int64_t unix_minus_boot_ms; /* moves with jumps of the wall clock alone */
    char instance[256];
    /* the turn at hand */
    struct oc_alert_ops ops;
    int is_durable;                        /* someone is told of it: to be on the disk first */
    uint64_t turn;                         /* its number */
    uint64_t wanted_turn;                  /* the last that someone is told of */
    uint64_t done_turn;                    /* the last that is on the disk */
    int is_failing;                        /* the store */
    int missed_news;                       /* there was no memory to tell of a change */
    int64_t rules_due_ms, dispatch_due_ms; /* unix ms of our clock */
    struct oc_alert_held *held, *last_held;
    uint32_t held_count;
    char unheld[OC_ALERT_UNHELD_MAX][OC_OUTBOX_ID_BYTES]; /* notices that found no memory */
    uint32_t unheld_count;
    char unkept[OC_OUTBOX_ID_BYTES]; /* the last row that found no memory on its way to the store */
    uint64_t not_durable;            /* notices that were sent so */
    struct oc_alert_subject *subjects; /* owned; by handle */
    size_t subject_count, subject_capacity;
    struct oc_alert_known_why whys[OC_ALERT_WHYS_MAX];
    struct oc_alert_level *level; /* owned; NULL: none is wanted */
    struct oc_alert_trouble troubles[OC_ALERT_TROUBLES_MAX];
    uint8_t rests[OC_TARGETS_MAX];  /* by target: its last process ended by plan: none is missing */
    uint64_t lost_samples, refused; /* as they were last */
    int64_t lost_mono_ms, refused_mono_ms; /* when they grew last; 0: never */
    int64_t self_due_mono_ms, forget_due_mono_ms;
};

/* ---- the part ---- */

/* While the store is still the caller's: rules, and what goes on from before. 0 or a code with detail. */
int oc_alerting_load(struct oc_daemon *daemon, struct oc_detail *detail);
/* The notifier, the thread of explanations, timers. 0 or OC_E_NOMEM. */
int oc_alerting_start(struct oc_daemon *daemon);
/* With the writer still there: what was decided is stored, what is under way is waited for a little. */
void oc_alerting_stop(struct oc_daemon *daemon);
void oc_alerting_clear(struct oc_alerting *alerting);

/* Another config is in force. */
void oc_alerting_reload(struct oc_daemon *daemon);
/* The wall clock was set. */
void oc_alerting_clock(struct oc_daemon *daemon, int64_t moved_ms);
/* The writer's word of a turn. */
void oc_alerting_turned(void *daemon, uint64_t turn, int is_failing);

/* "alerts":{…} of the status. */
void oc_alerting_status(const struct oc_daemon *daemon, struct oc_buf *out);
/* Answers a request of the control channel. Returns 1 where the answer follows by oc_control_reply(). */
int oc_alerting_asked(struct oc_daemon *daemon, const struct oc_request *request,
                      const char *author, uint64_t client, struct oc_buf *out);

/* ---- facts ---- */

/* A source has its id; a life of its subject began. */
void oc_alerting_begin(struct oc_daemon *daemon, struct oc_source *source);
/* It ends as source->end says, while it is still under its subject. */
void oc_alerting_end(struct oc_daemon *daemon, struct oc_source *source);
/* The process is in the cgroup now: whose limits those are may be known by that. */
void oc_alerting_moved_in(struct oc_daemon *daemon, struct oc_source *cgroup,
                          const struct oc_source *process);
/* A cgroup is held under another name, or by none. */
void oc_alerting_name_again(struct oc_daemon *daemon, struct oc_source *cgroup);
/* The hook of groups: each sample; NULL: the last one stands. */
void oc_alerting_fed(void *daemon, struct oc_source *source, int64_t t_ms,
                     const struct oc_sample *sample);
/* All that is forecast of a source; the times of the rows are boot ms, and are made unix ms. */
void oc_alerting_forecasts(struct oc_daemon *daemon, struct oc_source *source,
                           struct oc_forecast_row *rows, size_t count);
/* A walk of it. */
void oc_alerting_walk(struct oc_daemon *daemon, struct oc_source *source,
                      const struct oc_walk *walk);
/* A process of it was killed for want of memory. */
void oc_alerting_oom_kill(struct oc_daemon *daemon, struct oc_source *source, const char *scope);

/* ---- among the files of the part ---- */

int64_t oc_alerting_now_ms(const struct oc_daemon *daemon);
/* Tells the dispatch of an alert as it is. 0 or OC_E_NOMEM. */
int oc_alerting_tell(struct oc_daemon *daemon, const struct oc_alert *alert);
/* Something was decided: the turn ends before the loop waits. */
void oc_alerting_want_turn(struct oc_daemon *daemon);
const struct oc_receiver *oc_alerting_receiver(const struct oc_daemon *daemon, const char *name);
/* By name and severity; NULL: it is gone. */
const struct oc_rule *oc_alerting_rule(const struct oc_daemon *daemon,
                                       const struct oc_alert *alert);

/* Rules, windows and receivers of the config in force. 0 or OC_E_NOMEM. */
int oc_alerting_settle(struct oc_daemon *daemon);

/* The rules' callback, and the dispatch's. */
void oc_alerting_changed(const struct oc_alert_change *change, void *daemon);
int oc_alerting_describe(const struct oc_alert *alert, struct oc_notice_alert *out, void *daemon);
void oc_alerting_store_row(const struct oc_outbox_row *row, void *daemon);
void oc_alerting_send_row(const struct oc_outbox_row *row, const struct oc_notice *notice,
                          const struct oc_receiver *receiver, void *daemon);
void oc_alerting_told(uint64_t fingerprint, void *daemon);

/* Those that may go by now are handed to the notifier. */
void oc_alerting_release(struct oc_daemon *daemon);
/* All that are held are sent from memory: the store fails. */
void oc_alerting_release_from_memory(struct oc_daemon *daemon, int64_t older_than_mono_ms);
void oc_alerting_free_held(struct oc_alerting *alerting);
/* Hands a body to the notifier; NULL: none. As oc_notifier_deliver(). */
int oc_alerting_deliver_body(struct oc_daemon *daemon, const char *id,
                             const struct oc_receiver *receiver, uint32_t url,
                             const struct oc_body *body);
/* The notifier's words. */
void oc_alerting_answered(void *daemon, const struct oc_wire_report *report);
void oc_alerting_ready(void *daemon);

/* A line of the log for each beginning and end. No memory is taken. */
void oc_alerting_say(const struct oc_alert *alert, unsigned from);

/* Asks for the explanation of one that begins, or died. */
void oc_alerting_ask_why(struct oc_daemon *daemon, const struct oc_alert *alert);
void oc_alerting_take_whys(void *daemon);
const struct oc_alert_known_why *oc_alerting_why(const struct oc_daemon *daemon,
                                                 const struct oc_alert *alert);
void oc_alerting_free_whys(struct oc_alerting *alerting);

/* Level-triggered posts and heartbeats. */
/* Alerts that ended are posted a while longer. */
void oc_alert_level_note(struct oc_daemon *daemon, const struct oc_alert *alert);
void oc_alert_level_round(struct oc_daemon *daemon);
/* Whether the answer was to one of these ("level-…", "beat-…", "test-…"). */
int oc_alert_level_answered(struct oc_daemon *daemon, const struct oc_wire_report *report);
void oc_alert_level_reload(struct oc_daemon *daemon);
void oc_alert_level_free(struct oc_alerting *alerting);
/* Sends a made alert; the control channel's client hears of the answer. 0 or a code. */
int oc_alert_level_test(struct oc_daemon *daemon, const struct oc_receiver *receiver,
                        uint64_t client, struct oc_detail *detail);
/* An object of the status, with its comma. */
void oc_alerting_put_receiver(const struct oc_receiver_state *state, struct oc_buf *out);
/* Those of the receivers that are reached here. */
void oc_alert_level_status(const struct oc_daemon *daemon, struct oc_buf *out);
/* Since when (mono ms) a receiver that these files reach does not take anything; 0: it does. */
int64_t oc_alert_level_failing_since(const struct oc_daemon *daemon, const char *receiver);

/* How oomcastd does, who is missing. */
void oc_alert_self_round(struct oc_daemon *daemon);
/* Subjects that nothing was seen of for long. */
void oc_alerting_forget_old(struct oc_daemon *daemon);
/* The config changed: labels of all subjects, and what the rules want. */
void oc_alerting_relabel(struct oc_daemon *daemon);
/* A heap cap and what else the process needs, against its container's limit. */
void oc_alert_cap_walk(struct oc_daemon *daemon, struct oc_source *source,
                       const struct oc_walk *walk);
/* The lowest memory.max above a process; UINT64_MAX: none. */
uint64_t oc_alert_container_limit(const struct oc_daemon *daemon, const struct oc_source *process);

#endif
