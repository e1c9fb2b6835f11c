/* Hooks run programs: only those that nobody else could have written. */
#include "config/section.h"

#include "base/os.h"

#include <inttypes.h>

static int fail(const struct oc_receiver *receiver, const struct oc_detail *why,
                struct oc_detail *detail)
{
    int rc = oc_detail_set(detail, OC_E_DENIED,
                           "%.120s:%" PRIu32 ": the hook \"%.63s\" is refused: %.250s",
                           receiver->file, receiver->line, receiver->name, why->text);

    if (detail)
        detail->line = receiver->line;
    return rc;
}

int oc_config_check_hooks(const struct oc_config *config, struct oc_detail *detail)
{
    for (size_t i = 0; i < config->receivers.count; i++) {
        const struct oc_receiver *receiver = &config->receivers.items[i];
        struct oc_detail why = { 0 };

        if (receiver->type != OC_RECEIVER_HOOK)
            continue;
        /* one that is not there yet is no danger: `config check` warns */
        if (oc_file_guarded(receiver->argv.items[0], &why) == OC_E_DENIED ||
            oc_file_guarded(receiver->file, &why) == OC_E_DENIED)
            return fail(receiver, &why, detail);
    }
    return OC_OK;
}
