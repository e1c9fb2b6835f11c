/* Source 0: what oomcastd knows of itself, besides the figures that any process has. */
#ifndef OC_DAEMON_SELF_H
#define OC_DAEMON_SELF_H

struct oc_source;
struct oc_tick;

/* The hook of the groups: the entry of OC_BLOCK_SELF behind that of the process. */
void oc_self_more(void *daemon, struct oc_source *source, struct oc_tick *tick);

#endif
