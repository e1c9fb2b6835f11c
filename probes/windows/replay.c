/* The table that gives the answers of a recording. */
#include "probes/windows/record.h"

#include "base/alloc.h"
#include "base/text.h"
#include "probes/windows/list.h"

#include <string.h>

#define HANDLES_MAX 4096
#define THREADS_MAX 65536u
#define NONE UINT32_MAX

struct item {
    struct oc_win_answer answer;
    uint32_t next; /* with the same question; NONE: none */
};

struct replay {
    struct oc_win win; /* first */
    char *room;        /* decoded texts, each ended by a NUL */
    struct item *items;
    size_t count, capacity;
    uint32_t *slots;   /* index + 1 of what is to be answered next, by question */
    size_t slot_count; /* a power of two */
    uint32_t pids[HANDLES_MAX];
    size_t handle_count;
    uint32_t first_pid;
    oc_win_handle signals;
};

static struct replay *replay_of(struct oc_win *win) { return (struct replay *)(void *)win; }

/* ---- questions ---- */

static uint64_t hash_of(unsigned kind, const uint64_t *keys)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) * (kind + 1);

    for (unsigned i = 0; i < OC_WIN_RECORD_KEYS; i++) {
        hash = (hash ^ keys[i]) * UINT64_C(0xbf58476d1ce4e5b9);
        hash ^= hash >> 29;
    }
    return hash;
}

static int is_question(const struct oc_win_answer *answer, unsigned kind, const uint64_t *keys)
{
    return answer->kind == kind && memcmp(answer->keys, keys, sizeof answer->keys) == 0;
}

/* The slot of a question, or the free one where it belongs. */
static uint32_t *slot_of(const struct replay *replay, unsigned kind, const uint64_t *keys)
{
    size_t at = (size_t)hash_of(kind, keys) & (replay->slot_count - 1);

    while (replay->slots[at] != 0 &&
           !is_question(&replay->items[replay->slots[at] - 1].answer, kind, keys))
        at = (at + 1) & (replay->slot_count - 1);
    return &replay->slots[at];
}

/* From the last to the first, so that each stands before those after it. */
static int index_items(struct replay *replay)
{
    replay->slot_count = 16;
    while (replay->slot_count < replay->count * 2)
        replay->slot_count *= 2;
    replay->slots = oc_calloc(replay->slot_count, sizeof *replay->slots);
    if (!replay->slots)
        return OC_E_NOMEM;
    for (size_t i = replay->count; i > 0; i--) {
        struct item *item = &replay->items[i - 1];
        uint32_t *slot = slot_of(replay, item->answer.kind, item->answer.keys);

        item->next = *slot ? *slot - 1 : NONE;
        *slot = (uint32_t)i;
    }
    return OC_OK;
}

/* The next answer to a question; NULL: it was never asked. Borrowed. */
static const struct oc_win_answer *ask(struct oc_win *win, unsigned kind, uint64_t a, uint64_t b,
                                       uint64_t c)
{
    struct replay *replay = replay_of(win);
    const uint64_t keys[OC_WIN_RECORD_KEYS] = { a, b, c };
    uint32_t *slot = slot_of(replay, kind, keys);
    const struct item *item = *slot ? &replay->items[*slot - 1] : NULL;

    if (kind < OC_WIN_CALL_COUNT)
        win->counts.calls[kind]++;
    if (item && item->next != NONE)
        *slot = item->next + 1;
    return item ? &item->answer : NULL;
}

static uint32_t pid_of(struct oc_win *win, oc_win_handle handle)
{
    struct replay *replay = replay_of(win);

    return handle > 0 && handle <= HANDLES_MAX ? replay->pids[handle - 1] : 0;
}

static const struct oc_win_answer *ask_of(struct oc_win *win, unsigned kind, oc_win_handle handle,
                                          uint64_t b, uint64_t c)
{
    return ask(win, kind, pid_of(win, handle), b, c);
}

static int code_of(const struct oc_win_answer *answer) { return answer ? answer->rc : OC_E_NOTSUP; }

/* ---- handles ---- */

static int play_open(struct oc_win *win, uint32_t pid, enum oc_win_access access,
                     oc_win_handle *out)
{
    struct replay *replay = replay_of(win);
    int rc = code_of(ask(win, OC_WIN_CALL_OPEN, pid, (uint64_t)access, 0));

    if (rc != OC_OK)
        return rc == OC_E_NOTSUP ? OC_E_GONE : rc;
    if (access == OC_WIN_READ)
        win->counts.reads_opened++;
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (replay->pids[i] == 0 && pid != 0) {
            replay->pids[i] = pid;
            *out = i + 1;
            return OC_OK;
        }
    }
    return OC_E_NOMEM;
}

static void play_close(struct oc_win *win, oc_win_handle handle)
{
    win->counts.calls[OC_WIN_CALL_CLOSE]++;
    if (handle > 0 && handle <= HANDLES_MAX)
        replay_of(win)->pids[handle - 1] = 0;
}

/* ---- figures ---- */

static int play_memory(struct oc_win *win, oc_win_handle handle, struct oc_win_memory *out)
{
    const struct oc_win_answer *answer = ask_of(win, OC_WIN_CALL_MEMORY, handle, 0, 0);
    const uint64_t *numbers = answer ? answer->numbers : NULL;

    if (code_of(answer) == OC_OK)
        *out = (struct oc_win_memory){ numbers[0], numbers[1], numbers[2],
                                       numbers[3], numbers[4], numbers[5] };
    return code_of(answer);
}

static int play_times(struct oc_win *win, oc_win_handle handle, struct oc_win_times *out)
{
    const struct oc_win_answer *answer = ask_of(win, OC_WIN_CALL_TIMES, handle, 0, 0);

    if (code_of(answer) == OC_OK)
        *out = (struct oc_win_times){ answer->numbers[0], answer->numbers[1] };
    return code_of(answer);
}

static int play_handles(struct oc_win *win, oc_win_handle handle, uint32_t *out)
{
    const struct oc_win_answer *answer = ask_of(win, OC_WIN_CALL_HANDLES, handle, 0, 0);

    if (code_of(answer) == OC_OK)
        *out = (uint32_t)answer->numbers[0];
    return code_of(answer);
}

static int play_exited(struct oc_win *win, oc_win_handle handle, uint32_t *out)
{
    const struct oc_win_answer *answer = ask_of(win, OC_WIN_CALL_EXITED, handle, 0, 0);

    if (code_of(answer) == 1)
        *out = (uint32_t)answer->numbers[0];
    return answer ? answer->rc : 0;
}

static int play_basics(struct oc_win *win, oc_win_handle handle, struct oc_win_basics *out)
{
    const struct oc_win_answer *answer = ask_of(win, OC_WIN_CALL_BASICS, handle, 0, 0);
    const uint64_t *numbers = answer ? answer->numbers : NULL;

    if (code_of(answer) == OC_OK)
        *out = (struct oc_win_basics){ .peb = numbers[0],
                                       .peb32 = numbers[1],
                                       .parent_pid = (uint32_t)numbers[2],
                                       .session = (uint32_t)numbers[3],
                                       .is_32bit = numbers[4] != 0,
                                       .is_protected = numbers[5] != 0,
                                       .is_in_job = numbers[6] != 0,
                                       .has_session = numbers[7] != 0,
                                       .has_protection = numbers[8] != 0,
                                       .has_job = numbers[9] != 0 };
    return code_of(answer);
}

static int play_host(struct oc_win *win, struct oc_win_host *out)
{
    const struct oc_win_answer *answer = ask(win, OC_WIN_CALL_HOST, 0, 0, 0);
    const uint64_t *numbers = answer ? answer->numbers : NULL;

    if (code_of(answer) == OC_OK)
        *out = (struct oc_win_host){ .total_phys = numbers[0],
                                     .avail_phys = numbers[1],
                                     .commit_total = numbers[2],
                                     .commit_limit = numbers[3],
                                     .commit_peak = numbers[4],
                                     .commit_max = numbers[5],
                                     .pool_paged = numbers[6],
                                     .pool_nonpaged = numbers[7],
                                     .processes = (uint32_t)numbers[8],
                                     .threads = (uint32_t)numbers[9],
                                     .handles = (uint32_t)numbers[10],
                                     .cpu_count = (uint32_t)numbers[11],
                                     .top_address = numbers[12] };
    return code_of(answer);
}

/* ---- text ---- */

static int give_text(const struct oc_win_answer *answer, char *out, size_t out_bytes)
{
    if (code_of(answer) != OC_OK)
        return code_of(answer);
    oc_text_copy_utf8(out, out_bytes, answer->text, strlen(answer->text));
    return OC_OK;
}

static int play_image(struct oc_win *win, oc_win_handle handle, char *out, size_t out_bytes)
{
    return give_text(ask_of(win, OC_WIN_CALL_IMAGE, handle, 0, 0), out, out_bytes);
}

static int play_cmdline(struct oc_win *win, oc_win_handle handle, char *out, size_t out_bytes)
{
    return give_text(ask_of(win, OC_WIN_CALL_CMDLINE, handle, 0, 0), out, out_bytes);
}

static int play_user(struct oc_win *win, oc_win_handle handle, char *out, size_t out_bytes)
{
    return give_text(ask_of(win, OC_WIN_CALL_USER, handle, 0, 0), out, out_bytes);
}

static int play_mapped_name(struct oc_win *win, oc_win_handle handle, uint64_t address, char *out,
                            size_t out_bytes)
{
    return give_text(ask_of(win, OC_WIN_CALL_MAPPED_NAME, handle, address, 0), out, out_bytes);
}

/* ---- memory ---- */

/* The recorded region around an address that nobody asked for then. */
static const struct oc_win_answer *region_around(struct oc_win *win, uint32_t pid, uint64_t address)
{
    const struct replay *replay = replay_of(win);

    for (size_t i = 0; i < replay->count; i++) {
        const struct oc_win_answer *answer = &replay->items[i].answer;

        if (answer->kind == OC_WIN_CALL_QUERY && answer->rc == OC_OK && answer->keys[0] == pid &&
            address >= answer->numbers[0] && address - answer->numbers[0] < answer->numbers[1])
            return answer;
    }
    return NULL;
}

static int play_query(struct oc_win *win, oc_win_handle handle, uint64_t address,
                      struct oc_win_region *out)
{
    const struct oc_win_answer *answer = ask_of(win, OC_WIN_CALL_QUERY, handle, address, 0);
    const uint64_t *numbers = NULL;

    if (!answer)
        answer = region_around(win, pid_of(win, handle), address);
    if (!answer)
        return OC_E_NOENT;
    numbers = answer->numbers;
    if (answer->rc == OC_OK)
        *out = (struct oc_win_region){ .base = numbers[0],
                                       .size = numbers[1],
                                       .allocation_base = numbers[2],
                                       .allocation_protect = (uint32_t)numbers[3],
                                       .state = (uint32_t)numbers[4],
                                       .protect = (uint32_t)numbers[5],
                                       .type = (uint32_t)numbers[6] };
    return answer->rc;
}

static int play_read(struct oc_win *win, oc_win_handle handle, uint64_t address, void *out,
                     size_t bytes)
{
    const struct oc_win_answer *answer = ask_of(win, OC_WIN_CALL_READ, handle, address, bytes);

    if (!answer)
        return OC_E_IO;
    if (answer->rc != OC_OK)
        return answer->rc;
    if (answer->text_bytes != bytes)
        return OC_E_IO;
    memcpy(out, answer->text, bytes);
    return OC_OK;
}

static int play_thread_teb(struct oc_win *win, uint32_t tid, uint64_t *out)
{
    const struct oc_win_answer *answer = ask(win, OC_WIN_CALL_THREAD_TEB, tid, 0, 0);

    if (code_of(answer) == OC_OK)
        *out = answer->numbers[0];
    return code_of(answer);
}

/* ---- lists ---- */

static size_t index_of(const struct replay *replay, const struct oc_win_answer *answer)
{
    size_t i = 0;

    while (&replay->items[i].answer != answer)
        i++;
    return i;
}

static void entry_of(const struct oc_win_answer *answer, struct oc_win_entry *out)
{
    const uint64_t *numbers = answer->numbers;

    *out = (struct oc_win_entry){ .pid = (uint32_t)numbers[0],
                                  .parent_pid = (uint32_t)numbers[1],
                                  .session = (uint32_t)numbers[2],
                                  .handle_count = (uint32_t)numbers[4],
                                  .fault_count = (uint32_t)numbers[5],
                                  .hard_fault_count = (uint32_t)numbers[6],
                                  .created = numbers[7],
                                  .cpu_ns = numbers[8],
                                  .virtual_bytes = numbers[9],
                                  .working_set_bytes = numbers[10],
                                  .peak_working_set_bytes = numbers[11],
                                  .pagefile_bytes = numbers[12],
                                  .private_page_bytes = numbers[13] };
    oc_text_copy_utf8(out->name, sizeof out->name, answer->text, strlen(answer->text));
}

static unsigned kind_at(const struct replay *replay, size_t at)
{
    return at < replay->count ? replay->items[at].answer.kind : OC_WIN_RECORD_KINDS;
}

/* Threads of the entry before `at` into tids; where they end. */
static size_t take_threads(const struct replay *replay, size_t at, struct oc_win_entry *entry,
                           uint32_t *tids)
{
    for (; kind_at(replay, at) == OC_WIN_RECORD_THREAD; at++) {
        if (entry->thread_count < THREADS_MAX)
            tids[entry->thread_count++] = (uint32_t)replay->items[at].answer.numbers[0];
    }
    return at;
}

static int write_entries(const struct replay *replay, size_t at, unsigned char *out,
                         size_t max_bytes, size_t *out_bytes, uint32_t *tids)
{
    struct oc_win_entry entry;
    size_t bytes = 0;

    while (kind_at(replay, at) == OC_WIN_RECORD_ENTRY) {
        size_t used = 0;

        entry_of(&replay->items[at].answer, &entry);
        at = take_threads(replay, at + 1, &entry, tids);
        used = oc_win_list_write(out + bytes, max_bytes - bytes, (uint64_t)(uintptr_t)(out + bytes),
                                 &entry, tids, kind_at(replay, at) != OC_WIN_RECORD_ENTRY);
        if (used == 0) {
            *out_bytes = max_bytes * 2;
            return OC_E_TOOBIG;
        }
        bytes += used;
    }
    *out_bytes = bytes;
    return OC_OK;
}

static int play_list(struct oc_win *win, void *out, size_t max_bytes, size_t *out_bytes)
{
    const struct oc_win_answer *answer = ask(win, OC_WIN_CALL_LIST, 0, 0, 0);
    uint32_t *tids = NULL;
    int rc = code_of(answer);

    if (rc == OC_E_TOOBIG)
        *out_bytes = (size_t)answer->numbers[0];
    if (rc != OC_OK)
        return rc;
    tids = oc_calloc(THREADS_MAX, sizeof *tids);
    if (!tids)
        return OC_E_NOMEM;
    rc = write_entries(replay_of(win), index_of(replay_of(win), answer) + 1, out, max_bytes,
                       out_bytes, tids);
    oc_free(tids);
    return rc;
}

static int play_services(struct oc_win *win, oc_win_service_fn *fn, void *context)
{
    const struct replay *replay = replay_of(win);
    const struct oc_win_answer *answer = ask(win, OC_WIN_CALL_SERVICES, 0, 0, 0);
    size_t at = answer ? index_of(replay, answer) + 1 : 0;

    for (; answer && kind_at(replay, at) == OC_WIN_RECORD_SERVICE; at++)
        fn((uint32_t)replay->items[at].answer.numbers[0], replay->items[at].answer.text, context);
    return code_of(answer);
}

/* ---- files ---- */

static uint64_t key_of(const char *path)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * UINT64_C(0x100000001b3);
    return hash;
}

static int play_file(struct oc_win *win, const char *path, size_t max_bytes, char **out_text,
                     size_t *out_bytes, uint64_t *out_changed)
{
    const struct oc_win_answer *answer = ask(win, OC_WIN_CALL_FILE, key_of(path), 0, 0);
    char *text = NULL;

    if (!answer)
        return OC_E_NOENT;
    if (answer->rc != OC_OK)
        return answer->rc;
    if (out_text) {
        if (answer->text_bytes > max_bytes)
            return OC_E_TOOBIG;
        text = oc_strndup(answer->text, answer->text_bytes);
        if (!text)
            return OC_E_NOMEM;
        *out_text = text;
        *out_bytes = strlen(text);
    }
    if (out_changed)
        *out_changed = answer->numbers[0];
    return OC_OK;
}

/* ---- what waits: nothing happens in a recording ---- */

static int play_wait(struct oc_win *win, oc_win_handle handle, void (*fn)(uint64_t, void *),
                     uint64_t tag, void *context, void **out_wait)
{
    (void)win;
    (void)handle;
    (void)fn;
    (void)tag;
    (void)context;
    (void)out_wait;
    return OC_E_NOTSUP;
}

static void play_unwait(struct oc_win *win, void *wait)
{
    (void)win;
    (void)wait;
}

static int play_records(struct oc_win *win, oc_win_record_fn *fn, void *context)
{
    (void)win;
    (void)fn;
    (void)context;
    return OC_E_NOTSUP;
}

static int play_signal_new(struct oc_win *win, oc_win_handle *out)
{
    *out = ++replay_of(win)->signals;
    return OC_OK;
}

static void play_signal(struct oc_win *win, oc_win_handle signal)
{
    (void)win;
    (void)signal;
}

/* ---- all of it ---- */

static void set_table(struct replay *replay)
{
    replay->win = (struct oc_win){
        .list = play_list,
        .open = play_open,
        .close = play_close,
        .memory = play_memory,
        .times = play_times,
        .handles = play_handles,
        .exited = play_exited,
        .image = play_image,
        .basics = play_basics,
        .cmdline = play_cmdline,
        .user = play_user,
        .host = play_host,
        .query = play_query,
        .mapped_name = play_mapped_name,
        .read = play_read,
        .thread_teb = play_thread_teb,
        .services = play_services,
        .file = play_file,
        .wait = play_wait,
        .unwait = play_unwait,
        .records = play_records,
        .signal_new = play_signal_new,
        .signal_set = play_signal,
        .signal_reset = play_signal,
        .signal_free = play_signal,
    };
}

static void take_system(struct replay *replay, const struct oc_win_answer *answer)
{
    replay->win.build = (uint32_t)answer->numbers[0];
    replay->win.is_wine = answer->numbers[1] != 0;
    replay->win.is_elevated = answer->numbers[2] != 0;
    replay->win.has_debug = answer->numbers[3] != 0;
    oc_text_copy_utf8(replay->win.system_root, sizeof replay->win.system_root, answer->text,
                      strlen(answer->text));
}

static int take_line(struct replay *replay, const char *line, size_t len, char *room)
{
    struct oc_win_answer answer;
    int rc = oc_win_answer_parse(line, len, room, &answer);

    if (rc != OC_OK)
        return rc;
    room[answer.text_bytes] = '\0';
    if (!answer.text)
        answer.text = "";
    if (answer.kind == OC_WIN_RECORD_SYSTEM) {
        take_system(replay, &answer);
        return OC_OK;
    }
    if (answer.kind == OC_WIN_CALL_OPEN && replay->first_pid == 0)
        replay->first_pid = (uint32_t)answer.keys[0];
    rc = oc_array_grow((void **)&replay->items, &replay->capacity, replay->count + 1,
                       sizeof *replay->items, OC_WIN_RECORD_LINES_MAX);
    if (rc == OC_OK)
        replay->items[replay->count++] = (struct item){ .answer = answer };
    return rc;
}

/* Each text goes where its line began: decoded it is not longer, and the line's end is room for the NUL. */
static int take_lines(struct replay *replay, const char *text, size_t len_bytes, uint32_t *out_line)
{
    size_t at = 0;
    int rc = OC_OK;

    for (*out_line = 1; at < len_bytes && rc == OC_OK; ++*out_line) {
        const char *end = memchr(text + at, '\n', len_bytes - at);
        size_t len = end ? (size_t)(end - (text + at)) : len_bytes - at;
        const size_t next = at + len + 1;

        if (len > 0 && text[at + len - 1] == '\r')
            len--;
        if (len > 0 && text[at] != '#' && *out_line > 1)
            rc = take_line(replay, text + at, len, replay->room + at);
        at = next;
    }
    return rc;
}

/* The first line says which version. */
static int check_head(const char *text, size_t len_bytes)
{
    static const char head[] = OC_WIN_RECORD_HEAD;
    const size_t stem = sizeof head - 2; /* without the number */

    if (len_bytes < sizeof head || memcmp(text, head, stem) != 0)
        return OC_E_PARSE;
    if (text[stem] != head[stem] || (text[stem + 1] != '\n' && text[stem + 1] != '\r'))
        return OC_E_NEWER;
    return OC_OK;
}

static int read_all(struct replay *replay, const char *text, size_t len_bytes,
                    struct oc_detail *detail)
{
    uint32_t line = 1;
    int rc = check_head(text, len_bytes);

    if (rc == OC_OK)
        rc = take_lines(replay, text, len_bytes, &line);
    else
        return oc_detail_set(detail, rc, "no recording of this version of oomcast");
    if (rc == OC_OK)
        return index_items(replay);
    (void)oc_detail_set(detail, rc, "line %u of the recording: %s", line - 1, oc_err_text(rc));
    if (detail)
        detail->line = line - 1;
    return rc;
}

int oc_win_replay_open(const char *text, size_t len_bytes, struct oc_win **out_win,
                       struct oc_detail *detail)
{
    struct replay *replay = NULL;
    int rc = OC_OK;

    if (len_bytes > OC_WIN_RECORD_MAX_BYTES)
        return OC_E_TOOBIG;
    replay = oc_calloc(1, sizeof *replay);
    if (!replay)
        return OC_E_NOMEM;
    set_table(replay);
    replay->room = oc_malloc(len_bytes + 1);
    rc = replay->room ? read_all(replay, text, len_bytes, detail) : OC_E_NOMEM;
    if (rc == OC_OK)
        *out_win = &replay->win;
    else
        oc_win_replay_close(&replay->win);
    return rc;
}

void oc_win_replay_close(struct oc_win *win)
{
    struct replay *replay = win ? replay_of(win) : NULL;

    if (!replay)
        return;
    oc_free(replay->items);
    oc_free(replay->slots);
    oc_free(replay->room);
    oc_free(replay);
}

uint32_t oc_win_replay_pid(const struct oc_win *win)
{
    return ((const struct replay *)(const void *)win)->first_pid;
}
