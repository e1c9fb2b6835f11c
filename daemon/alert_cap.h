/* What a runtime was told about its largest heap, out of a command line. Pure. */
#ifndef OC_DAEMON_ALERT_CAP_H
#define OC_DAEMON_ALERT_CAP_H

#include <stdint.h>

struct oc_heap_cap {
    uint64_t bytes; /* 0: none */
    double percent; /* of the container's memory; 0: none */
};

/*
 * -Xmx2g, -XX:MaxHeapSize=…, -XX:MaxRAMPercentage=75 of a JVM; --max-old-space-size=2048 of node; DOTNET_GCHeapHardLimit=0x…
 * and DOTNET_GCHeapHardLimitPercent=0x… where they stand before the program (env). The last of a kind counts, as
 * in a JVM. Words that are cut or odd are none.
 */
void oc_heap_cap_parse(const char *cmdline, struct oc_heap_cap *out_cap);

/* What it comes to in a container of that limit; 0: none is set. */
uint64_t oc_heap_cap_bytes(const struct oc_heap_cap *cap, uint64_t limit_bytes);

#endif
