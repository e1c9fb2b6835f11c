#include "daemon/labels.h"

#include "daemon/daemon.h"
#include "daemon/watch.h"

#include "base/alloc.h"

#include <string.h>

size_t oc_labels_merge(const struct oc_labels *global, const struct oc_labels *own,
                       const char **out_pairs)
{
    size_t count = 0, i = 0, j = 0, own_count = own ? own->count : 0;

    while (i < global->count || j < own_count) {
        int order = 0;
        const struct oc_label *label = NULL;

        if (i == global->count)
            order = 1;
        else if (j == own_count)
            order = -1;
        else
            order = strcmp(global->items[i].key, own->items[j].key);
        label = order < 0 ? &global->items[i] : &own->items[j];
        i += order <= 0;
        j += order >= 0;
        out_pairs[2 * count] = label->key;
        out_pairs[2 * count + 1] = label->value;
        count++;
    }
    out_pairs[2 * count] = NULL;
    return count;
}

/* Key, NUL, value, NUL … and an empty key: what the writer's thread gets, since a config may change. */
static char *pack(const char *const *pairs, size_t count)
{
    size_t bytes = 1;
    char *text = NULL, *at = NULL;

    for (size_t i = 0; i < 2 * count; i++)
        bytes += strlen(pairs[i]) + 1;
    text = oc_malloc(bytes);
    if (!text)
        return NULL;
    at = text;
    for (size_t i = 0; i < 2 * count; i++) {
        size_t len_bytes = strlen(pairs[i]) + 1;

        memcpy(at, pairs[i], len_bytes);
        at += len_bytes;
    }
    *at = '\0';
    return text;
}

static void send_labels(struct oc_daemon *daemon, const struct oc_source *source)
{
    const char *pairs[4 * OC_LABELS_MAX + 1];
    const struct oc_target *target = oc_target_of(daemon, source);
    size_t count = oc_labels_merge(&daemon->config.labels, target ? &target->labels : NULL, pairs);
    struct oc_message *message = oc_writer_message(daemon->writer, OC_MESSAGE_LABELS);

    if (message)
        message->text = pack(pairs, count);
    if (!message || !message->text) {
        oc_writer_give_back(daemon->writer, message);
        daemon->troubles.no_memory++;
        daemon->troubles.untold++;
        return;
    }
    message->source = source->id;
    oc_writer_push(daemon->writer, message);
}

void oc_labels_tell(struct oc_daemon *daemon, struct oc_source *source)
{
    if (source->state != OC_SOURCE_TICKING || (source->subject && source->subject->has_labels))
        return;
    if (source->subject)
        source->subject->has_labels = 1;
    send_labels(daemon, source);
}

void oc_labels_tell_all(struct oc_daemon *daemon)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        if (daemon->sources.slots[i] && daemon->sources.slots[i]->subject)
            daemon->sources.slots[i]->subject->has_labels = 0;
    }
    for (size_t i = 0; i < daemon->sources.count; i++) {
        if (daemon->sources.slots[i])
            oc_labels_tell(daemon, daemon->sources.slots[i]);
    }
}
