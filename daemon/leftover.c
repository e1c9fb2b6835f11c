#include "daemon/leftover.h"

#include "daemon/daemon.h"

#include "base/alloc.h"
#include "base/log.h"

#define ENDS_AT_ONCE 1024 /* a call of the system each, and a message */
#define ALIVE_AT_ONCE 64  /* attached to and let go: dearer */

static int on_left(const struct oc_store_left *left, void *context)
{
    struct oc_leftovers *leftovers = context;
    void *items = leftovers->items;

    if (oc_array_grow(&items, &leftovers->capacity, leftovers->count + 1,
                      sizeof(leftovers->items[0]), OC_MAX_SOURCES) < 0)
        return 1;
    leftovers->items = items;
    leftovers->items[leftovers->count++] = *left;
    return 0;
}

void oc_leftovers_load(struct oc_daemon *daemon)
{
    int rc = oc_store_left(daemon->store, on_left, &daemon->leftovers);

    if (rc < 0)
        oc_log(OC_LOG_DEBUG, "leftovers_unknown", oc_str("err", oc_err_name(rc)));
}

void oc_leftovers_clear(struct oc_leftovers *leftovers)
{
    oc_free(leftovers->items);
    *leftovers = (struct oc_leftovers){ 0 };
}

/* Whether the process of that life is no more. What cannot be told is not gone. */
static int is_gone(struct oc_daemon *daemon, const struct oc_proc_id *id)
{
    oc_proc *proc = NULL;
    uint64_t start_ticks = 0;
    int rc = oc_probe_attach(daemon->probe, id->pid, &proc);

    if (rc < 0)
        return rc == OC_E_GONE;
    start_ticks = oc_proc_facts(proc)->id.start_ticks;
    oc_probe_detach(daemon->probe, proc);
    return start_ticks != 0 && start_ticks != id->start_ticks;
}

static int is_watched(const struct oc_daemon *daemon, const struct oc_proc_id *id)
{
    const struct oc_source *source = oc_sources_by_pid(&daemon->sources, id->pid);

    return source && source->id_of_proc.start_ticks == id->start_ticks;
}

/* With its last sample: when it ended after that, nobody saw. 0, or OC_E_NOMEM. */
static int end_life(struct oc_daemon *daemon, const struct oc_store_left *left)
{
    struct oc_message *message = oc_writer_message(daemon->writer, OC_MESSAGE_END);

    if (!message)
        return OC_E_NOMEM;
    message->source = left->source;
    message->boot_ms = left->last_boot_ms;
    message->end = OC_END_UNKNOWN;
    message->status = -1;
    oc_writer_push(daemon->writer, message);
    return OC_OK;
}

void oc_leftovers_settle(struct oc_daemon *daemon)
{
    struct oc_leftovers *leftovers = &daemon->leftovers;
    int ends = 0, alive = 0;

    while (leftovers->at < leftovers->count && ends < ENDS_AT_ONCE && alive < ALIVE_AT_ONCE) {
        const struct oc_store_left *left = &leftovers->items[leftovers->at];

        if (!is_watched(daemon, &left->id)) {
            if (!is_gone(daemon, &left->id))
                alive++;
            else if (end_life(daemon, left) < 0)
                break; /* again at the next call */
            else
                ends++;
        }
        leftovers->at++;
    }
    if (ends > 0)
        oc_log(OC_LOG_INFO, "ended_unwatched", oc_i64("lives", ends));
    if (leftovers->at >= leftovers->count)
        oc_leftovers_clear(leftovers);
}
