/*
 * Folds names into families: 10,000 files "qrt-x6cw.dll", "qrt-9b2k.dll" … are one, "qrt-*.dll",
 * and so is one name many times. Pure; portable.
 *
 * What is taken for a generated part of a name: numbers, UUIDs, long hex, words that mix letters and
 * digits; and words without digits where the same shape stands for many others. A part that is the
 * same for all members stays (the version of libfoo.so.1), and so does every name that is alone.
 */
#ifndef OC_PROBES_FAMILY_H
#define OC_PROBES_FAMILY_H

#include "base/census.h"

#include <stddef.h>
#include <stdint.h>

typedef struct oc_families oc_families;

#define OC_FAMILY_NAMES_MAX 32768u     /* different names of a kind; more are "*" */
#define OC_FAMILY_TEXT_MAX (16u << 20) /* of all names */
#define OC_FAMILY_NAME_MAX 4096u       /* longer ones are cut */

/* NULL: no memory. */
oc_families *oc_families_new(void);
void oc_families_free(oc_families *families);

/*
 * Adds `count` things of this name (any bytes up to a NUL) that take `bytes` in all. Amortised O(length).
 * 0 or OC_E_NOMEM. Beyond a maximum they are counted in the family "*".
 */
int oc_families_add(oc_families *families, enum oc_family_kind kind, const char *name,
                    size_t len_bytes, uint32_t count, uint64_t bytes, uint32_t deleted_count);

/* Counts things whose names nobody looked at, in the family "*". */
void oc_families_add_rest(oc_families *families, enum oc_family_kind kind, uint32_t count);

/*
 * Folds what was added and appends it to the census's families, of which there are none yet, with
 * names that are valid UTF-8. Empties `families`. Linear but for a sort; 10,000 names take some ms.
 * 0 or OC_E_NOMEM (the census then holds no families, and text that nothing points to).
 */
int oc_families_finish(oc_families *families, struct oc_census *census);

#endif
