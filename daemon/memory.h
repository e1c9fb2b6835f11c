/* oc_malloc for libuv and cJSON. */
#ifndef OC_DAEMON_MEMORY_H
#define OC_DAEMON_MEMORY_H

/* First in main(), before any call of either. */
void oc_memory_init(void);

#endif
