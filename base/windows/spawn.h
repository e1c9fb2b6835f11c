/*
 * Another program as a child: with what it is given and nothing else, on request with a token of less rights, in a job of its
 * own that takes all that it starts. For the windows/ folders alone.
 */
#ifndef OC_BASE_WINDOWS_SPAWN_H
#define OC_BASE_WINDOWS_SPAWN_H

#include <stdint.h>

typedef void *oc_spawn_handle; /* a HANDLE */

struct oc_spawn {
    char *const *argv;        /* UTF-8, ends with NULL; the first is the program's path */
    char *const *environment; /* UTF-8 "NAME=value", ends with NULL: all of it; NULL: ours */
    const char *folder;       /* to begin in; NULL: ours */
    oc_spawn_handle streams
        [3]; /* standard input, output, error; NULL: none. They stay ours; it inherits copies, and nothing else */
    oc_spawn_handle token; /* of whom it is; NULL: who we are */
    int wants_job;         /* what it starts ends with it and with us */
    /* It ended; on a thread of the system's, once. NULL: nobody wants to know. */
    void (*ended)(uint32_t status, void *context);
    void *context;
};

struct oc_spawned {
    oc_spawn_handle process, job, wait;
    void (*ended)(uint32_t status, void *context);
    void *context;
    uint32_t pid;
};

/* Starts it into *out_spawned, which stays where it is until oc_spawn_clear(). 0, or Windows' error number. */
unsigned long oc_spawn(const struct oc_spawn *spawn, struct oc_spawned *out_spawned);
/* Ends it, and what it started where it has a job. */
void oc_spawn_kill(struct oc_spawned *spawned);
/* Lets go of it; returns once ended() will not run any more. What is in a job ends. Not from within ended(). */
void oc_spawn_clear(struct oc_spawned *spawned);

#endif
