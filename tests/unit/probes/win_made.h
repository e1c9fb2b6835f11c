/* A made 32-bit IIS worker: what its address space holds was chosen, not recorded. */
#ifndef OC_TEST_PROBES_WIN_MADE_H
#define OC_TEST_PROBES_WIN_MADE_H

#include "probes/fake/fake_win.h"

#define MADE_PID 4711u
#define MADE_TID 4712u
#define MADE_SECTIONS 100u
#define MADE_SECTION_BYTES UINT64_C(0x3000) /* a 9 KB assembly */
#define MADE_TOP UINT64_C(0x7fff0000)
#define MADE_GC_BYTES (UINT64_C(32) << 20)

struct made;
struct made *made_worker(void); /* yours to free */
void made_free(struct made *made);
struct oc_win *made_table(struct made *made);
struct oc_fake_win *made_fake(struct made *made);
struct oc_fake_win_process *made_process(struct made *made);

/* Another region behind the last one, which is not of an allocation before. */
void made_add(struct made *made, uint64_t base, uint64_t size, uint32_t state, uint32_t type,
              uint32_t protect);
/* The last region is told as Wine tells of unused space: reserved, without access. */
void made_set_unused(struct made *made);
/* Its header says that it may use 4 GiB. */
void made_set_large(struct made *made);
/* 64 bits from now on. */
void made_set_wide(struct made *made);

#endif
