/* What the parts of `oomcast lives` share. */
#ifndef OC_CLI_COMMANDS_LIVES_H
#define OC_CLI_COMMANDS_LIVES_H

#include "cli/cli.h"
#include "cli/show/json.h"
#include "storage/reader.h"

#define OC_LIFE_COMMAND_BYTES 400

struct oc_life {
    uint32_t source, pid, parent_pid;
    uint8_t kind;
    enum oc_end end;
    int status;
    enum oc_killer killer;
    int64_t begin_unix_ms, end_unix_ms, last_unix_ms;
    int32_t interval_ms;
    uint64_t samples;
    int64_t uid;
    char subject[OC_SUBJECT_NAME_BYTES];
    char name[64];
    char killer_scope[256];
    char command[OC_LIFE_COMMAND_BYTES];
    struct oc_point figure; /* count 0: unknown */
};

struct oc_lives {
    struct oc_cli *cli;
    struct oc_life *items; /* owned */
    size_t count, capacity;
    unsigned metric;
    int rc;
};

/* First, least and last of the metric over a life; one question of the store. 0 or a code. */
int oc_lives_read_figure(struct oc_lives *lives, oc_reader *reader, struct oc_life *life);

/* How long it lasted, up to when it was seen last. */
int64_t oc_lives_lasted_ms(const struct oc_lives *lives, const struct oc_life *life);

/* An object. */
void oc_lives_json(struct oc_lives *lives, struct oc_json *json, const struct oc_life *life);

/* The one that ended last: who ended it, its last figures and regions. An exit code. */
int oc_lives_last(struct oc_lives *lives, oc_reader *reader);

#endif
