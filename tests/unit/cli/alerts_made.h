/* Alerts in the store of outlook_fixture: one of each kind that a person meets, made with the writer's calls. */
#ifndef OC_TESTS_CLI_ALERTS_MADE_H
#define OC_TESTS_CLI_ALERTS_MADE_H

#include <stdint.h>

/*
 * Adds, to the store in a folder whose last samples are of now:
 *   cgroup:/system.slice/shop.service  MemoryLimitForecast critical, firing: memory.max in 3 h (2 h 10 min - 4 h)
 *   pool:web        MemoryLimitForecast warning, firing, acked
 *   proc:full       MemoryExhausted critical, firing, silenced
 *   proc:warm       MemoryLimitForecast warning, pending
 *   proc:evil…      NoMemoryLimit warning, firing; its name and its reason are hostile
 *   proc:dead       MemoryLimitForecast critical, died an hour ago
 *   proc:flat       MemoryLimitForecast warning, resolved two hours ago
 * seven decisions; outbox rows of receiver ops (503, tried three times; one sent), mail (parked: 550); two silences, the second
 * of which is over.
 */
void alerts_made_add(const char *folder, int64_t now_unix_ms);

#define ALERTS_MADE_WEB "00000000000000a2" /* fingerprint */
#define ALERTS_MADE_SHOP "cgroup:/system.slice/shop.service"

#endif
